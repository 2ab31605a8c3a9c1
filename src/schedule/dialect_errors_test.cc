// What is refused in ISO 8601 repetitions and in the spellings of AWS, Quartz and systemd: code,
// field, column, message, hint.
#include <gtest/gtest.h>

#include "schedule/refusal_fixture.h"

namespace chronos::schedule {
namespace {

constexpr Refusal kReboot[] = {
    {"@reboot 5", "nickname_extra", "", 9, "nothing may follow @reboot", ""},
    {"@Reboot", "unknown_nickname", "", 1, "unknown nickname '@Reboot'", "@reboot"},
};

constexpr Refusal kRepeats[] = {
    {"R/2026-01-01T00:00:00Z", "bad_repeat", "", 23,
     "a repetition is R, a start and a period, with '/' between", "R/2026-01-31T09:00:00/P1M"},
    {"R/2026-01-01T00:00:00Z/PT1H/PT1H", "bad_repeat", "", 29, "nothing may follow the period", ""},
    {"R0/2026-01-01T00:00:00Z/PT1H", "out_of_range", "", 2, "0 is outside 1-999999999", ""},
    {"R-5/2026-01-01T00:00:00Z/PT1H", "number_expected", "", 2,
     "expected a count, -1 or nothing, found '-5'", ""},
    {"R9999999999//PT1H", "out_of_range", "", 2, "9999999999 is outside 1-999999999", ""},
    {"R/P1D/2026-01-01T00:00:00Z", "bad_time", "", 3, "'P1D' is not a time of the years 1970-2199",
     "2026-03-08T07:30:00Z, or 2026-03-08T07:30:00 for the job's zone"},
    {"R/tomorrow/P1D", "bad_time", "", 3, "'tomorrow' is not a time of the years 1970-2199",
     "2026-03-08T07:30:00Z, or 2026-03-08T07:30:00 for the job's zone"},
    {"R/2026-01-01T00:00:00.5Z/P1D", "bad_time", "", 3, "a repetition starts at a whole second",
     ""},
    {"R/2026-01-01T00:00:00.5/P1D", "bad_time", "", 3, "a repetition starts at a whole second", ""},
    {"R/2026-02-30T00:00:00/P1D", "bad_time", "", 3,
     "'2026-02-30T00:00:00' is not a time of the years 1970-2199",
     "2026-03-08T07:30:00Z, or 2026-03-08T07:30:00 for the job's zone"},
    {"R//", "bad_duration", "", 4, "a period is needed here", "P1D, P1M, PT90S"},
    {"R//P", "bad_duration", "", 4, "'P' is not a period of whole numbers", "P1D, P1M, PT90S"},
    {"R//PT", "bad_duration", "", 4, "'PT' is not a period of whole numbers", "P1D, P1M, PT90S"},
    {"R//P1DT", "bad_duration", "", 4, "'P1DT' is not a period of whole numbers",
     "P1D, P1M, PT90S"},
    {"R//P1H", "bad_duration", "", 4, "'P1H' is not a period of whole numbers", "P1D, P1M, PT90S"},
    {"R//PT1D", "bad_duration", "", 4, "'PT1D' is not a period of whole numbers",
     "P1D, P1M, PT90S"},
    {"R//P1D1M", "bad_duration", "", 4, "'P1D1M' is not a period of whole numbers",
     "P1D, P1M, PT90S"},
    {"R//P1.5D", "bad_duration", "", 4, "'P1.5D' is not a period of whole numbers",
     "P1D, P1M, PT90S"},
    {"R//1d", "bad_duration", "", 4, "'1d' is not a period of whole numbers", "P1D, P1M, PT90S"},
    {"R//P0D", "bad_duration", "", 4, "the shortest interval is 1s", ""},
    {"R//PT0S", "bad_duration", "", 4, "the shortest interval is 1s", ""},
    {"R//P101Y", "bad_duration", "", 4, "the longest interval is 100 years", ""},
    {"R//P1234567890D", "bad_duration", "", 4, "'P1234567890D' is not a period of whole numbers",
     "P1D, P1M, PT90S"},
    {"R//P-1D", "bad_duration", "", 4, "'P-1D' is not a period of whole numbers",
     "P1D, P1M, PT90S"},
    {"R//P1D x", "bad_duration", "", 4, "'P1D x' is not a period of whole numbers",
     "P1D, P1M, PT90S"},
};

constexpr Refusal kAws[] = {
    {"rate(5 minutes", "bracket_missing", "", 15, "')' is missing here", ""},
    {"rate(5 minutes) x", "nickname_extra", "", 16, "nothing may follow rate()", ""},
    {"rate()", "bad_rate", "", 6, "'' is not a rate",
     "rate(5 minutes), rate(1 hour), rate(7 days)"},
    {"rate(5)", "bad_rate", "", 6, "'5' is not a rate",
     "rate(5 minutes), rate(1 hour), rate(7 days)"},
    {"rate(x minutes)", "bad_rate", "", 6, "'x' is not a rate",
     "rate(5 minutes), rate(1 hour), rate(7 days)"},
    {"rate(0 minutes)", "out_of_range", "", 6, "0 is outside 1-999999999", ""},
    {"rate(5 weeks)", "bad_rate", "", 8, "'weeks' is not a rate",
     "rate(5 minutes), rate(1 hour), rate(7 days)"},
    {"rate(1 minutes)", "bad_rate", "", 6, "'1 minutes' is not a rate", "rate(1 minute)"},
    {"rate(5 minute)", "bad_rate", "", 6, "'5 minute' is not a rate", "rate(5 minutes)"},
    {"rate(5 minutes 3 hours)", "bad_rate", "", 6, "'5 minutes 3 hours' is not a rate",
     "rate(5 minutes), rate(1 hour), rate(7 days)"},
    {"rate(999999999 days)", "bad_rate", "", 6, "the longest interval is 100 years", ""},
    {"rate(1234567890123 days)", "bad_rate", "", 6, "'1234567890123' is not a rate",
     "rate(5 minutes), rate(1 hour), rate(7 days)"},
    {"at(2026-01-01T00:00:00Z)", "bad_time", "", 4,
     "at() has no offset from UTC: it is in the job's zone",
     "at(2026-03-08T07:30:00), or the time alone without at()"},
    {"at(2026-13-01T00:00:00)", "bad_time", "", 4,
     "'2026-13-01T00:00:00' is not a time of the years 1970-2199",
     "2026-03-08T07:30:00Z, or 2026-03-08T07:30:00 for the job's zone"},
    {"at()", "bad_time", "", 4, "a time is needed here", ""},
    {"at(2026-01-01T00:00:00", "bracket_missing", "", 23, "')' is missing here", ""},
    {"cron(0 12 * * ?)", "field_count", "", 16, "expected 6 fields, found 5",
     "minute hour day-of-month month day-of-week year"},
    {"cron(0 12 * * ? * *)", "field_count", "", 19, "expected 6 fields, found 7",
     "minute hour day-of-month month day-of-week year"},
    {"cron(0 12 * * * *)", "question_needed", "day-of-week", 15,
     "one of day-of-month and day-of-week must be '?'", "write '?' here"},
    {"cron(0 12 1 * MON *)", "question_needed", "day-of-week", 15,
     "one of day-of-month and day-of-week must be '?'",
     "write '?' in the field that is not to decide"},
    {"cron(0 12 ? * ? *)", "question_twice", "day-of-week", 15,
     "only one of day-of-month and day-of-week can be '?'", "write '*' for every day"},
    {"cron(0 12 ? * 0 *)", "out_of_range", "day-of-week", 15, "0 is outside 1-7", ""},
    {"cron(0 12 ? * 8 *)", "out_of_range", "day-of-week", 15, "8 is outside 1-7", ""},
    {"cron(0 24 * * ? *)", "out_of_range", "hour", 8, "24 is outside 0-23", ""},
    {"cron(0 12 ? * FRI-SUN *)", "range_reversed", "day-of-week", 15,
     "range 'FRI-SUN' runs backwards", "write 6-7,1"},
    {"cron(0 12 ? * MONDAY *)", "unknown_name", "day-of-week", 15, "unknown name 'MONDAY'",
     "write MON"},
    {"cron(0 12 l * ? *)", "letter_case", "day-of-month", 11, "'l' must be a capital letter", "L"},
    {"cron(/5 12 * * ? *)", "step_base", "minute", 6,
     "a step needs '*', a value or a range before it", "write */5"},
    {"cron(0 12 * * ? 1969)", "out_of_range", "year", 17, "1969 is outside 1970-2199", ""},
    {"cron(H 12 * * ? *)", "unknown_name", "minute", 6, "unknown name 'H'", ""},
    {"cron()", "field_count", "", 6, "expected 6 fields, found 0",
     "minute hour day-of-month month day-of-week year"},
};

constexpr Refusal kQuartz[] = {
    {"quartz:", "empty", "", 8, "a schedule is needed after quartz:", ""},
    {"quartz: 0 12 * * ?", "field_count", "", 19, "expected 6 or 7 fields, found 5",
     "second minute hour day-of-month month day-of-week, and perhaps year"},
    {"quartz: 0 0 12 * * ? 2026 x", "field_count", "", 27, "expected 6 or 7 fields, found 8",
     "second minute hour day-of-month month day-of-week, and perhaps year"},
    {"quartz: 0 0 12 * * *", "question_needed", "day-of-week", 20,
     "one of day-of-month and day-of-week must be '?'", "write '?' here"},
    {"quartz: 0 0 12 1 * MON", "question_needed", "day-of-week", 20,
     "one of day-of-month and day-of-week must be '?'",
     "write '?' in the field that is not to decide"},
    {"quartz: 0 0 12 ? * ?", "question_twice", "day-of-week", 20,
     "only one of day-of-month and day-of-week can be '?'", "write '*' for every day"},
    {"quartz: 0 0 12 ?,1 * ?", "question_alone", "day-of-month", 16,
     "'?' stands alone in its field", ""},
    {"quartz: 0 0 12 ?/2 * ?", "question_alone", "day-of-month", 16,
     "'?' stands alone in its field", ""},
    {"quartz: 0 0 12 ? * 0", "out_of_range", "day-of-week", 20, "0 is outside 1-7", ""},
    {"quartz: 0 0 12 ? * MONDAY", "unknown_name", "day-of-week", 20, "unknown name 'MONDAY'",
     "write MON"},
    {"quartz: 0 0 12 ? MARCH MON", "unknown_name", "month", 18, "unknown name 'MARCH'",
     "write MAR"},
    {"quartz: 0 1e1 12 ? * MON", "unexpected_char", "minute", 12, "unexpected 'e'", ""},
    {"quartz: ** 0 12 ? * MON", "unexpected_char", "second", 10, "unexpected '*' after '*'", ""},
    {"quartz: 0 */0 12 ? * MON", "step_zero", "minute", 13, "a step of 0 never advances", ""},
    {"quartz: ? 0 12 ? * MON", "question_field", "second", 9,
     "'?' is only for day-of-month and day-of-week", "use '*'"},
    {"quartz: 0 H 12 ? * MON", "unknown_name", "minute", 11, "unknown name 'H'", ""},
    {"quartz: 0 1~5 12 ? * MON", "unexpected_char", "minute", 12, "unexpected '~'", ""},
    {"quartz: 0 ~ 12 ? * MON", "unexpected_char", "minute", 11, "unexpected '~'", ""},
    {"quartz: 0 0 12 ? * +MON", "unexpected_char", "day-of-week", 20, "unexpected '+'", ""},
    {"quartz: 0 0 12 ? * LW", "last_weekday", "day-of-week", 20, "'LW' is only for day-of-month",
     "6L or FRIL is the last Friday"},
    {"quartz: 0 0 12 ? * MON#6", "nth_range", "day-of-week", 24, "occurrence 6 is outside 1-5", ""},
    {"quartz: 0 0 12 ? * 2-6#1", "nth_range_form", "day-of-week", 23, "'#' cannot follow a range",
     "list the days: MON#1,TUE#1"},
    {"quartz: 0 0 12 32 * ?", "out_of_range", "day-of-month", 16, "32 is outside 1-31", ""},
    {"quartz: 0 60 12 * * ?", "out_of_range", "minute", 11, "60 is outside 0-59", ""},
    {"quartz: 0 0 12 * * ? 2030-2026", "range_reversed", "year", 22,
     "range '2030-2026' runs backwards", "write 2026-2030"},
    {"quartz: 0 / 12 * * ?", "step_missing", "minute", 12, "a whole number is needed after '/'",
     ""},
    {"quartz:@daily", "field_count", "", 14, "expected 6 or 7 fields, found 1",
     "second minute hour day-of-month month day-of-week, and perhaps year"},
};

constexpr Refusal kSystemd[] = {
    {"systemd:", "empty", "", 9, "a calendar event is needed after systemd:", ""},
    {"systemd: Xyz 08:00", "unknown_name", "day-of-week", 10, "unknown name 'Xyz'",
     "weekdays come first: Mon..Fri *-*-* 08:00"},
    {"systemd: Fri..Mon 08:00", "range_reversed", "day-of-week", 10,
     "range 'Fri..Mon' runs backwards: the week begins on Monday", "write Fri..Sun,Mon"},
    {"systemd: Fri..Tue 08:00", "range_reversed", "day-of-week", 10,
     "range 'Fri..Tue' runs backwards: the week begins on Monday", "write Fri..Sun,Mon..Tue"},
    {"systemd: Mon.. 08:00", "empty_item", "day-of-week", 15, "a weekday is missing here", ""},
    {"systemd: Mon,,Fri 08:00", "empty_item", "day-of-week", 14, "a weekday is missing here", ""},
    {"systemd: 8", "bad_date", "", 10, "'8' is not year-month-day or month-day",
     "*-*-01 is the first of every month, *-*~01 the last"},
    {"systemd: 2026", "bad_date", "", 10, "'2026' is not year-month-day or month-day",
     "*-*-01 is the first of every month, *-*~01 the last"},
    {"systemd: 1-2-3-4", "bad_date", "", 10, "'1-2-3-4' is not year-month-day or month-day",
     "*-*-01 is the first of every month, *-*~01 the last"},
    {"systemd: *~1-2", "bad_date", "", 10, "'*~1-2' is not year-month-day or month-day",
     "*-*-01 is the first of every month, *-*~01 the last"},
    {"systemd: *-*-32", "out_of_range", "day-of-month", 14, "32 is outside 1-31", ""},
    {"systemd: *-13-01", "out_of_range", "month", 12, "13 is outside 1-12", ""},
    {"systemd: 26-01-01", "out_of_range", "year", 10, "26 is outside 1970-2199", ""},
    {"systemd: *-*~0", "out_of_range", "day-of-month", 14, "0 is outside 1-31", ""},
    {"systemd: */2:00", "step_base", "hour", 11, "'*' takes no step here", "write 0/5"},
    {"systemd: *,5:00", "unexpected_char", "hour", 11, "unexpected ',' after '*'", ""},
    {"systemd: 24:00", "out_of_range", "hour", 10, "24 is outside 0-23", ""},
    {"systemd: 8:60", "out_of_range", "minute", 12, "60 is outside 0-59", ""},
    {"systemd: 8:00:60", "out_of_range", "second", 15, "60 is outside 0-59", ""},
    {"systemd: 8:00:00:00", "bad_time", "", 10,
     "'8:00:00:00' is not hour:minute or hour:minute:second", "08:00"},
    {"systemd: 8:00:05.5", "unexpected_char", "second", 17, "unexpected '.': seconds are whole",
     ""},
    {"systemd: 8:", "number_expected", "minute", 12, "a value is missing here", ""},
    {"systemd: 8:x", "number_expected", "minute", 12, "expected a value, found 'x'", ""},
    {"systemd: 8:0/0", "step_zero", "minute", 14, "a step of 0 never advances", ""},
    {"systemd: 8:0/", "number_expected", "minute", 14, "a value is missing here", ""},
    {"systemd: 8:0/9999999", "out_of_range", "minute", 14, "9999999 is outside 1-999999", ""},
    {"systemd: 8:10..5", "range_reversed", "minute", 12, "range '10..5' runs backwards",
     "write 10..59,0..5"},
    {"systemd: 8:10-20", "bad_time", "", 10, "'8:10-20' is not a time of day",
     "a range is 8..17:00; a date is a word before the time: 2026-12-24 08:00"},
    {"systemd: 2026-12-24T18:00", "bad_time", "", 10, "'2026-12-24T18:00' is not a time of day",
     "a range is 8..17:00; a date is a word before the time: 2026-12-24 08:00"},
    {"systemd: 8:00 *-*-01", "unexpected_word", "", 15, "unexpected '*-*-01'",
     "weekdays, date, time, zone: Mon..Fri *-*-* 08:00 Europe/Berlin"},
    {"systemd: 8:00 9:00", "unexpected_word", "", 15, "unexpected '9:00'",
     "weekdays, date, time, zone: Mon..Fri *-*-* 08:00 Europe/Berlin"},
    {"systemd: *-*-01 8:00 Mars/Base", "unknown_timezone", "", 22, "unknown time zone 'Mars/Base'",
     ""},
    {"systemd: Mon Tue 8:00", "bad_date", "", 14, "'Tue' is not year-month-day or month-day",
     "*-*-01 is the first of every month, *-*~01 the last"},
    {"systemd: 8:00 UTC extra", "unknown_timezone", "", 19, "unknown time zone 'extra'",
     "use an IANA name such as Europe/Berlin"},
    {"TZ=Asia/Tokyo systemd: 8:00 UTC", "timezone_conflict", "", 29,
     "'UTC' contradicts the time zone 'Asia/Tokyo' before it", ""},
    {"systemd: biweekly", "unknown_name", "day-of-week", 10, "unknown name 'biweekly'",
     "weekdays come first: Mon..Fri *-*-* 08:00"},
    {"systemd: @123", "bad_date", "", 10, "'@123' is not year-month-day or month-day",
     "*-*-01 is the first of every month, *-*~01 the last"},
};

constexpr Refusal kCalendars[] = {
    {"RRULE:FREQ=DAILY", "not_supported_yet", "", 1, "an iCalendar RRULE is not supported yet",
     "R/2026-01-31T09:00:00/P1M repeats by the calendar"},
    {"FREQ=DAILY", "not_supported_yet", "", 1, "an iCalendar RRULE is not supported yet",
     "R/2026-01-31T09:00:00/P1M repeats by the calendar"},
};

TEST(DialectErrors, OfIsoRepetitions) {
  for (const auto& row : kRepeats) expect_refused(row);
}

TEST(DialectErrors, OfAws) {
  for (const auto& row : kAws) expect_refused(row);
}

TEST(DialectErrors, OfQuartz) {
  for (const auto& row : kQuartz) expect_refused(row);
}

TEST(DialectErrors, OfSystemd) {
  for (const auto& row : kSystemd) expect_refused(row);
}

TEST(DialectErrors, OfReboot) {
  for (const auto& row : kReboot) expect_refused(row);
}

TEST(DialectErrors, OfWhatIsNotBuiltYet) {
  for (const auto& row : kCalendars) expect_refused(row);
}

}  // namespace
}  // namespace chronos::schedule
