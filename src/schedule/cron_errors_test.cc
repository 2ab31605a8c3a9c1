// The table of refusals of schedule.md §10, row by row, and what it leaves open.
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <string_view>

#include "base/random.h"
#include "schedule/expression.h"
#include "schedule/refusal_fixture.h"

namespace chronos::schedule {
namespace {

constexpr Refusal kTable[] = {
    {"", "empty", "", 1, "the schedule is empty", ""},
    {"60 * * * *", "out_of_range", "minute", 1, "60 is outside 0-59", ""},
    {"0 24 * * *", "out_of_range", "hour", 3, "24 is outside 0-23", ""},
    {"0 0 0 * *", "out_of_range", "day-of-month", 5, "0 is outside 1-31", ""},
    {"0 0 32 * *", "out_of_range", "day-of-month", 5, "32 is outside 1-31", ""},
    {"0 0 * 13 *", "out_of_range", "month", 7, "13 is outside 1-12", ""},
    {"0 0 * * 8", "out_of_range", "day-of-week", 9, "8 is outside 0-7", ""},
    {"0 0 1 1 * 2030", "out_of_range", "day-of-week", 11, "2030 is outside 0-7",
     "six fields are read seconds-first; a year needs the seven-field form"},
    {"0 0 0 1 1 * 1969", "out_of_range", "year", 13, "1969 is outside 1970-2199", ""},
    {"-5 * * * *", "number_expected", "minute", 1, "expected a value, found '-'", ""},
    {"1- * * * *", "number_expected", "minute", 3, "a value is missing here", ""},
    {"*-5 * * * *", "unexpected_char", "minute", 2, "unexpected '-' after '*'", ""},
    {"5* * * * *", "unexpected_char", "minute", 2, "unexpected '*'", ""},
    {"1-2-3 * * * *", "range_syntax", "minute", 4, "a range has two ends", ""},
    {"30-10 * * * *", "range_reversed", "minute", 1, "range '30-10' runs backwards",
     "write 30-59,0-10"},
    {"0 22-2 * * *", "range_reversed", "hour", 3, "range '22-2' runs backwards", "write 22-23,0-2"},
    {"0 0 * * FRI-MON", "range_reversed", "day-of-week", 9, "range 'FRI-MON' runs backwards",
     "write 5-6,0-1"},
    {"0 0 * NOV-FEB *", "range_reversed", "month", 7, "range 'NOV-FEB' runs backwards",
     "write 11-12,1-2"},
    {"*/0 * * * *", "step_zero", "minute", 3, "a step of 0 never advances", ""},
    {"*/ * * * *", "step_missing", "minute", 3, "a whole number is needed after '/'", ""},
    {"/5 * * * *", "step_base", "minute", 1, "a step needs '*', a value or a range before it",
     "write */5"},
    {"*/2/3 * * * *", "double_step", "minute", 4, "only one '/' per item", ""},
    {"*/5.5 * * * *", "unexpected_char", "minute", 4, "unexpected '.' after the step", ""},
    {"1,,2 * * * *", "empty_item", "minute", 3, "a list item is empty", ""},
    {"1, * * * *", "empty_item", "minute", 3, "a list item is empty", ""},
    {"0 0 * FOO *", "unknown_name", "month", 7, "unknown name 'FOO'", ""},
    {"0 0 * * MONDAY", "unknown_name", "day-of-week", 9, "unknown name 'MONDAY'", "write MON"},
    {"0 0 * * JAN", "name_in_wrong_field", "day-of-week", 9, "'JAN' is a month name", ""},
    {"0 0 FEB * *", "name_in_wrong_field", "day-of-month", 5, "'FEB' is a month name", ""},
    {"? * * * *", "question_field", "minute", 1, "'?' is only for day-of-month and day-of-week",
     "use '*'"},
    {"0 0 ?1 * *", "unexpected_char", "day-of-month", 6, "unexpected '1' after '?'", ""},
    {"0 0 * * L", "last_weekday", "day-of-week", 9, "'L' needs a weekday here",
     "5L or FRI#L is the last Friday"},
    {"0 0 5L * *", "last_field", "day-of-month", 6, "'L' after a value is only for day-of-week",
     ""},
    {"0 0 L-31 * *", "out_of_range", "day-of-month", 7, "31 is outside 1-30", ""},
    {"L * * * *", "last_field", "minute", 1, "'L' is only for day-of-month and day-of-week", ""},
    {"0 0 l * *", "letter_case", "day-of-month", 5, "'l' must be a capital letter", "L"},
    {"0 0 W * *", "number_expected", "day-of-month", 5, "a day is needed before 'W'", "15W or LW"},
    {"0 0 1-15W * *", "weekday_range", "day-of-month", 9, "'W' cannot follow a range", ""},
    {"0 0 32W * *", "out_of_range", "day-of-month", 5, "32 is outside 1-31", ""},
    {"0 0 * * 1W", "weekday_field", "day-of-week", 10, "'W' is only for day-of-month", ""},
    {"0 0 * * MON#6", "nth_range", "day-of-week", 13, "occurrence 6 is outside 1-5", ""},
    {"0 0 * * MON#", "number_expected", "day-of-week", 13, "1-5 or L is needed after '#'", ""},
    {"0 0 * * #1", "number_expected", "day-of-week", 9, "a weekday is needed before '#'", ""},
    {"0 0 * * MON-FRI#1", "nth_range_form", "day-of-week", 16, "'#' cannot follow a range",
     "list the days: MON#1,TUE#1"},
    {"0 0 1#1 * *", "nth_field", "day-of-month", 6, "'#' is only for day-of-week", ""},
    {"0 0 +1 * *", "plus_place", "day-of-month", 5, "'+' may only open the day-of-week field", ""},
    {"0 0 * * +", "number_expected", "day-of-week", 10, "a weekday is needed after '+'", ""},
    {"* * * *", "field_count", "", 8, "expected 5, 6 or 7 fields, found 4", ""},
    {"* * * * * * * *", "field_count", "", 15, "expected 5, 6 or 7 fields, found 8", ""},
    {"0 0 * * * root /bin/true", "unknown_name", "day-of-week", 11, "unknown name 'root'",
     "a crontab command is not part of the schedule"},
    {"@Daily", "unknown_nickname", "", 1, "unknown nickname '@Daily'", "@daily"},
    {"@fortnightly", "unknown_nickname", "", 1, "unknown nickname '@fortnightly'", ""},
    {"@daily 5", "nickname_extra", "", 8, "nothing may follow @daily", ""},
    {"@every", "bad_duration", "", 7, "a duration is needed after @every", ""},
    {"@every 1.5h", "bad_duration", "", 8, "'1.5h' is not a duration", "1h30m"},
    {"@every 0s", "bad_duration", "", 8, "the shortest interval is 1s", ""},
    {"H(5-1) * * * *", "range_reversed", "minute", 3, "range 5-1 runs backwards", ""},
    {"H(0-70) * * * *", "out_of_range", "minute", 5, "70 is outside 0-59", ""},
    {"TZ=Mars/Base 0 0 * * *", "unknown_timezone", "", 4, "unknown time zone 'Mars/Base'", ""},
    {"0 0 * * 1\u20135", "unexpected_char", "", 10, "character U+2013 is not allowed", ""},
    {"0 0\u00a0* * *", "unexpected_char", "", 4, "character U+00A0 is not allowed", ""},
    {"0 0 * * 1;2", "unexpected_char", "day-of-week", 10, "unexpected ';'", ""},
    {"99999999999 * * * *", "out_of_range", "minute", 1, "99999999999 is outside 0-59", ""},
};

TEST(CronErrors, TheTableOfTheSpecification) {
  for (const auto& row : kTable) expect_refused(row);
}

constexpr Refusal kMore[] = {
    {" \t ", "empty", "", 1, "the schedule is empty", ""},
    {"  0 24 * * *", "out_of_range", "hour", 5, "24 is outside 0-23", ""},
    {"\n0 24 * * *", "out_of_range", "hour", 4, "24 is outside 0-23", ""},
    {"0 0\n* * *", "unexpected_char", "", 4, "character U+000A is not allowed", ""},
    {"0 0 * * \xff", "unexpected_char", "", 9, "byte 0xFF is not UTF-8", ""},
    {"0 0 * * \uff11", "unexpected_char", "", 9, "character U+FF11 is not allowed", ""},
    {"0 0 * * \U0001F600", "unexpected_char", "", 9, "character U+1F600 is not allowed", ""},
    {"60 0 0 * * *", "out_of_range", "second", 1, "60 is outside 0-59", ""},
    {"*/1000000 * * * *", "out_of_range", "minute", 3, "1000000 is outside 1-999999", ""},
    {"*/x * * * *", "step_missing", "minute", 3, "a whole number is needed after '/'", ""},
    {"*//2 * * * *", "step_missing", "minute", 3, "a whole number is needed after '/'", ""},
    {",1 * * * *", "empty_item", "minute", 1, "a list item is empty", ""},
    {"1-* * * * *", "number_expected", "minute", 3, "expected a value, found '*'", ""},
    {"1--2 * * * *", "number_expected", "minute", 3, "expected a value, found '-'", ""},
    {"** * * * *", "unexpected_char", "minute", 2, "unexpected '*' after '*'", ""},
    {"1e1 * * * *", "unexpected_char", "minute", 2, "unexpected 'e'", ""},
    {"0 0 * * 7-2", "range_reversed", "day-of-week", 9, "range '7-2' runs backwards", "write 0-2"},
    {"0 23-2 * * *", "range_reversed", "hour", 3, "range '23-2' runs backwards", "write 23,0-2"},
    {"0 20-2/2 * * *", "range_reversed", "hour", 3, "range '20-2' runs backwards",
     "write 20,22,0,2"},
    {"0 0 0 1 1 * 2030-2026", "range_reversed", "year", 13, "range '2030-2026' runs backwards",
     "write 2026-2030"},
    {"0 0 * SEPT *", "unknown_name", "month", 7, "unknown name 'SEPT'", "write SEP"},
    {"0 0 * * thurs", "unknown_name", "day-of-week", 9, "unknown name 'thurs'", "write THU"},
    {"0 0 * MON *", "name_in_wrong_field", "month", 7, "'MON' is a weekday name", ""},
    {"jan * * * *", "name_in_wrong_field", "minute", 1, "'jan' is a month name", ""},
    {"0 0 * * * /bin/true", "step_base", "day-of-week", 11,
     "a step needs '*', a value or a range before it",
     "a crontab command is not part of the schedule"},
    {"*/5 * * * * root /bin/true -x", "field_count", "", 28, "expected 5, 6 or 7 fields, found 8",
     "a crontab command is not part of the schedule"},
    {"daily", "field_count", "", 6, "expected 5, 6 or 7 fields, found 1", ""},
    {"0 0 lw * *", "letter_case", "day-of-month", 5, "'lw' must be capital letters", "LW"},
    {"0 0 15w * *", "letter_case", "day-of-month", 7, "'w' must be a capital letter", "W"},
    {"0 0 L-3w * *", "letter_case", "day-of-month", 8, "'w' must be a capital letter", "W"},
    {"h * * * *", "letter_case", "minute", 1, "'h' must be a capital letter", "H"},
    {"0 0 * * fril", "letter_case", "day-of-week", 12, "'l' must be a capital letter", "L"},
    {"0 0 * * 5#l", "letter_case", "day-of-week", 11, "'l' must be a capital letter", "L"},
    {"0 0 w * *", "number_expected", "day-of-month", 5, "a day is needed before 'W'", "15W or LW"},
    {"0 0 * * W", "weekday_field", "day-of-week", 9, "'W' is only for day-of-month", ""},
    {"0 0 L-0 * *", "out_of_range", "day-of-month", 7, "0 is outside 1-30", ""},
    {"0 0 L- * *", "number_expected", "day-of-month", 7, "a value is missing here", ""},
    {"0 0 L/2 * *", "unexpected_char", "day-of-month", 6, "unexpected '/' after 'L'", ""},
    {"0 0 L5 * *", "unexpected_char", "day-of-month", 6, "unexpected '5' after 'L'", ""},
    {"0 0 15W/2 * *", "unexpected_char", "day-of-month", 8, "unexpected '/' after 'W'", ""},
    {"0 0 15W-20 * *", "unexpected_char", "day-of-month", 8, "unexpected '-' after 'W'", ""},
    {"0 0 LW-3 * *", "unexpected_char", "day-of-month", 7, "unexpected '-' after 'W'", ""},
    {"0 0 1-L * *", "last_range", "day-of-month", 7, "'L' cannot end a range",
     "list the days: 28,29,L"},
    {"0 0 * * 1-5L", "last_range", "day-of-week", 12, "'L' cannot follow a range",
     "list the days: MONL,TUEL"},
    {"0 0 1-5L * *", "last_field", "day-of-month", 8, "'L' after a value is only for day-of-week",
     ""},
    {"0 0 1-5#2 * *", "nth_field", "day-of-month", 8, "'#' is only for day-of-week", ""},
    {"0 0 * * 1-5W", "weekday_field", "day-of-week", 12, "'W' is only for day-of-month", ""},
    {"0 0 #1 * *", "nth_field", "day-of-month", 5, "'#' is only for day-of-week", ""},
    {"0 0 * * 1#2-3", "unexpected_char", "day-of-week", 12, "unexpected '-'", ""},
    {"0 0 * * 1#0", "nth_range", "day-of-week", 11, "occurrence 0 is outside 1-5", ""},
    {"0 0 * * FRILX", "unknown_name", "day-of-week", 9, "unknown name 'FRILX'", ""},
    {"0 0 * * 5L,5L/2", "unexpected_char", "day-of-week", 14, "unexpected '/' after 'L'", ""},
    {"0 0 * * 1,+2", "plus_place", "day-of-week", 11, "'+' may only open the day-of-week field",
     ""},
    {"0 0 * * ++1", "plus_place", "day-of-week", 10, "'+' may only open the day-of-week field", ""},
    {"0 0 0 1 1 * H", "hash_field", "year", 13, "'H' is not for the year", ""},
    {"0 0 0 1 1 * 1970~", "hash_field", "year", 17, "'~' is not for the year", ""},
    {"0 0 0 1 1 * ?", "question_field", "year", 13, "'?' is only for day-of-month and day-of-week",
     "use '*'"},
    {"0 0 0 1 1 * L", "last_field", "year", 13, "'L' is only for day-of-month and day-of-week", ""},
    {"H() * * * *", "number_expected", "minute", 3, "a value is missing here", ""},
    {"H(1) * * * *", "hash_syntax", "minute", 4, "'-' is missing here", "H(0-29)"},
    {"H(1-2 * * * *", "hash_syntax", "minute", 6, "')' is missing here", "H(0-29)"},
    {"H5 * * * *", "unexpected_char", "minute", 2, "unexpected '5' after 'H'", ""},
    {"H/0 * * * *", "step_zero", "minute", 3, "a step of 0 never advances", ""},
    {"40~10 * * * *", "range_reversed", "minute", 1, "range '40~10' runs backwards", ""},
    {"1~2~3 * * * *", "unexpected_char", "minute", 4, "unexpected '~' after '~'", ""},
    {"@every 5m 3s", "nickname_extra", "", 11, "nothing may follow the duration",
     "write it in one piece: @every 1h30m"},
    {"@every 90", "bad_duration", "", 8, "'90' is not a duration", "1m30s"},
    {"@every 1m1h", "bad_duration", "", 8, "'1m1h' is not a duration", ""},
    {"@every 101000d", "bad_duration", "", 8, "the longest interval is 100 years", ""},
    {"@every 12345678901234s", "bad_duration", "", 8, "'12345678901234s' is not a duration", ""},
    {"@every 500ms", "bad_duration", "", 8, "'500ms' is not a duration", ""},
    {"@EVERY 5m", "unknown_nickname", "", 1, "unknown nickname '@EVERY'", "@every"},
    {"@at", "bad_time", "", 4, "a time is needed after @at", ""},
    {"@at tomorrow", "bad_time", "", 5, "'tomorrow' is not a time of the years 1970-2199",
     "2026-03-08T07:30:00Z, or 2026-03-08T07:30:00 for the job's zone"},
    {"2026-02-30T00:00:00Z", "bad_time", "", 1,
     "'2026-02-30T00:00:00Z' is not a time of the years 1970-2199",
     "2026-03-08T07:30:00Z, or 2026-03-08T07:30:00 for the job's zone"},
    {"TZ=UTC", "empty", "", 7, "a schedule is needed after the time zone", ""},
    {"TZ= 0 0 * * *", "unknown_timezone", "", 4, "unknown time zone ''", ""},
    {"CRON_TZ=Local 0 0 * * *", "unknown_timezone", "", 9, "unknown time zone 'Local'",
     "use an IANA name such as Europe/Berlin"},
    {"TZ=Europe/Berlin 0 24 * * *", "out_of_range", "hour", 20, "24 is outside 0-23", ""},
};

TEST(CronErrors, WhatTheTableLeavesOpen) {
  for (const auto& row : kMore) expect_refused(row);
}

TEST(CronErrors, TheLimitOfLengthCountsCodePoints) {
  const std::string longest = std::string(1024 - 9, ' ') + "* * * * *";
  EXPECT_TRUE(parse_expression(longest));
  const auto refused = parse_expression(longest + " ");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "too_long");
  EXPECT_EQ(refused.error().column, 1025);
  // 1024 letters of two bytes are not too long, only forbidden.
  std::string umlauts;
  for (int i = 0; i < 1024; ++i) umlauts += "\u00e4";
  EXPECT_EQ(parse_expression(umlauts).error().code, "unexpected_char");
  umlauts += "x";
  EXPECT_EQ(parse_expression(umlauts).error().code, "too_long");
  EXPECT_EQ(parse_expression(umlauts).error().byte_offset, 2048);
}

TEST(CronErrors, TheFirstCheckThatFailsIsReported) {
  // length, characters, TZ=, nickname, field count, then fields from left to right
  EXPECT_EQ(parse_expression("TZ=No/Where @nope \u00a0").error().code, "unexpected_char");
  EXPECT_EQ(parse_expression("TZ=No/Where @nope").error().code, "unknown_timezone");
  EXPECT_EQ(parse_expression("@nope 99").error().code, "unknown_nickname");
  EXPECT_EQ(parse_expression("99 99 99").error().code, "field_count");
  EXPECT_EQ(parse_expression("99 0 0 0 9").error().field, "minute");
  EXPECT_EQ(parse_expression("1,99,*/0 0 1 1 1").error().column, 3);
}

TEST(CronErrors, TheCaretStandsUnderTheFault) {
  const std::string_view text = "0 24 * * *";
  EXPECT_EQ(render(parse_expression(text).error(), text),
            "schedule: hour: 24 is outside 0-23 (column 3)\n"
            "  0 24 * * *\n"
            "    ^^\n");
  const std::string_view short_text = "* * * *";
  EXPECT_EQ(render(parse_expression(short_text).error(), short_text),
            "schedule: expected 5, 6 or 7 fields, found 4 (column 8)\n"
            "  * * * *\n"
            "         ^\n");
  const std::string_view reversed = "\t0 22-2 * * *\n";
  EXPECT_EQ(render(parse_expression(reversed).error(), reversed),
            "schedule: hour: range '22-2' runs backwards (column 4)\n"
            "   0 22-2 * * * \n"
            "     ^^^^\n"
            "  hint: write 22-23,0-2\n");
}

TEST(CronErrors, AnyTextIsReadOrRefusedAtAPlaceInIt) {
  Rng rng(7);
  constexpr std::string_view kPieces[] = {
      "*", "0",   "5",   "60",     "2026",    "-",      "/",          ",",   "L", "W",
      "#", "H",   "~",   "?",      "+",       "(",      ")",          " ",   " ", " ",
      " ", "MON", "jan", "x",      "@every ", "@daily", "TZ=",        "UTC", "T", ":",
      "Z", "\t",  "1w",  "\u00e9", "\xf0",    "\n",     "99999999999"};
  int read_count = 0;
  for (int i = 0; i < 20'000; ++i) {
    // Half begin as five good fields with one of them disturbed.
    std::string text = rng.chance(500) ? "0 1,2 * JAN-MAR " : "";
    for (auto n = rng.between(1, 8); n > 0; --n) {
      text += kPieces[static_cast<std::size_t>(rng.between(0, std::ssize(kPieces) - 1))];
    }
    const auto parsed = parse_expression(text);
    if (parsed) {
      ++read_count;
      continue;
    }
    const auto& error = parsed.error();
    const auto end = static_cast<int>(text.size());
    ASSERT_FALSE(error.code.empty() || error.message.empty()) << text;
    ASSERT_TRUE(error.column >= 1 && error.column <= error.byte_offset + 1) << text;
    ASSERT_LE(error.byte_offset + error.length, end) << text;
    ASSERT_NE(render(error, text).find('^'), std::string::npos) << text;
  }
  EXPECT_GT(read_count, 100);
}

TEST(CronErrors, BecomeFieldErrorsOfTheRequest) {
  const FieldError expected{"/cron/1", "out_of_range", "hour: 24 is outside 0-23", "", 3, 2};
  EXPECT_EQ(to_field_error(parse_expression("0 24 * * *").error(), "/cron/1"), expected);
}

}  // namespace
}  // namespace chronos::schedule
