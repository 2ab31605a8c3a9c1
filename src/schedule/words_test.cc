#include "schedule/words.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "schedule/english.h"
#include "schedule/preview.h"

namespace chronos::schedule {
namespace {

using namespace std::chrono_literals;

Timestamp utc(std::string_view text) {
  return *parse_timestamp(text);
}

Schedule compiled(std::vector<std::string> cron, std::string timezone = "UTC") {
  ScheduleSpec spec;
  spec.cron = std::move(cron);
  spec.timezone = std::move(timezone);
  spec.seed = "backup";
  auto schedule = Schedule::compile(spec);
  EXPECT_TRUE(schedule) << (schedule ? "" : schedule.error().message);
  return *schedule;
}

struct Row {
  std::string_view text;
  std::string_view words;
};

constexpr Row kTable[] = {
    {"30 2 * * MON-FRI", "at 02:30 on Monday through Friday"},
    {"* * * * *", "every minute"},
    {"*/5 * * * *", "every 5 minutes"},
    {"*/15 9-17 * * 1-5", "every 15 minutes from 09:00 through 17:45 on Monday through Friday"},
    {"0 9-17 * * *", "every hour from 09:00 through 17:00 every day"},
    {"0 * * * *", "every hour, on the hour"},
    {"30 * * * *", "at 30 minutes past every hour"},
    {"5,20 * * * *", "at 5 and 20 minutes past every hour"},
    {"0 */2 * * *", "every 2 hours from 00:00 through 22:00 every day"},
    {"15 */3 * * *", "every 3 hours from 00:15 through 21:15 every day"},
    {"0 0 1 * *", "at 00:00 on the 1st of every month"},
    {"0 0 1 1 *", "at 00:00 on 1 January every year"},
    {"0 0 1,15 * *", "at 00:00 on the 1st and 15th of every month"},
    {"0 0 L * *", "at 00:00 on the last day of every month"},
    {"0 0 LW * *", "at 00:00 on the last weekday of every month"},
    {"0 0 L-3 * *", "at 00:00 on the 4th-to-last day of every month"},
    {"0 0 15W * *", "at 00:00 on the weekday nearest the 15th of every month"},
    {"0 0 * * MON#1", "at 00:00 on the first Monday of the month"},
    {"0 0 * * 5L", "at 00:00 on the last Friday of the month"},
    {"0 0 13 * FRI", "at 00:00 on the 13th of every month and also on Friday"},
    {"0 0 13 * +FRI", "at 00:00 on the 13th of every month if it is a Friday"},
    {"0 0 1-7 * +MON", "at 00:00 on the 1st through 7th of every month if it is a Monday"},
    {"0 0 */2 * MON",
     "at 00:00 on every 2nd day from the 1st through the 31st of every month and also on Monday"},
    {"*/7 * * * *", "every 7 minutes from minute 0 through 56 of every hour"},
    {"*/90 * * * *", "every hour, on the hour"},
    {"H H * * *", "at 05:18 every day"},
    {"H/15 * * * *", "every 15 minutes, from minute 4 of every hour"},
    {"@daily", "at 00:00 every day"},
    {"* * * * * *", "every second"},
    {"*/10 * * * * *", "every 10 seconds"},
    {"0 30 2 * * *", "at 02:30 every day"},
    {"15 30 2 * * *", "at 02:30:15 every day"},
    {"5 * * * * *", "every minute, at second 5"},
    {"* 30 2 * * *", "every second of the minute 02:30 every day"},
    {"*/10 30 2,3 * * *", "every 10 seconds of the minutes 02:30 and 03:30 every day"},
    {"*/10 */15 9-17 * * *",
     "every 10 seconds of minutes 0, 15, 30 and 45 of the hours 09:00 through 17:00 every day"},
    {"* 5 * * * *", "every second of minute 5 of every hour"},
    {"0 0 29 2 *", "at 00:00 on 29 February in leap years"},
    {"0 0 30 2 *", "at 00:00 on 30 February (never: there is no such date)"},
    {"0 0 31 * *", "at 00:00 on the 31st of every month"},
    {"0 0 0 1 1 * 2027", "at 00:00 on 1 January in 2027"},
    {"0 0 0 1 1 * 2027-2030", "at 00:00 on 1 January in 2027 through 2030"},
    {"0 0 0 1 1 * */4", "at 00:00 on 1 January, every 4 years from 1970 through 2198"},
    {"0 9 * JAN,JUL MON", "at 09:00 on Monday in January and July"},
    {"0 17 ? * 0,4-6", "at 17:00 on Thursday through Sunday"},
    {"0 17 ? * 2-6", "at 17:00 on Tuesday through Saturday"},
    {"0 0-23 * * *", "every hour, on the hour"},
    {"0 0 1-31 * MON", "at 00:00 on the 1st through 31st of every month and also on Monday"},
    {"0 0 * * FRI-SUN", "at 00:00 on Friday through Sunday"},
    {"0 0 * * 0-6", "at 00:00 on Monday through Sunday"},
    {"0,30 9-12,14-17 * * 1-5",
     "every 30 minutes from 09:00 through 12:30 and from 14:00 through 17:30 on Monday through "
     "Friday"},
    {"*/10 1,5,9 * * *", "every 10 minutes in every 4th hour from 01:00 through 09:00 every day"},
    {"7 1,5,9,13,14,15,16 * * *",
     "at 01:07, 05:07, 09:07, 13:07, 14:07, 15:07 and 16:07 every day"},
    {"0 22-23,0-4 * * *", "at 00:00, 01:00, 02:00, 03:00, 04:00, 22:00 and 23:00 every day"},
    {"*/15 */2 * * *", "every 15 minutes in every 2nd hour from 00:00 through 22:00 every day"},
    {"0 12 * */3 *", "at 12:00 every day in January, April, July and October"},
    {"0 0 28-31 * *", "at 00:00 on the 28th through 31st of every month"},
    {"*/20 2 * * *", "at 02:00, 02:20 and 02:40 every day"},
    {"* 9-17 * * *", "every minute from 09:00 through 17:59 every day"},
    {"*/30 9 * * 6", "at 09:00 and 09:30 on Saturday"},
    {"0 0 * 3 *", "at 00:00 every day in March"},
    {"0 0 1 */5 *", "at 00:00 on the 1st of January, June and November"},
    {"45 23 L DEC *", "at 23:45 on the last day of December every year"},
    {"10-20 * * * *", "at 10 through 20 minutes past every hour"},
    {"1-59/2 * * * *", "every 2 minutes, from minute 1 of every hour"},
    {"3-30/3 */2 * * *",
     "every 3 minutes from minute 3 through 30 of the hour in every 2nd hour from 00:00 through "
     "22:00 every day"},
    {"0 0 * 2 MON,WED", "at 00:00 on Monday and Wednesday in February"},
    {"5 9,11,13-16 * * *", "at 09:05, 11:05, 13:05, 14:05, 15:05 and 16:05 every day"},
    {"*/20 */20 9,12,13 * * *",
     "every 20 seconds of minutes 0, 20 and 40 of the hours 09:00, 12:00 and 13:00 every day"},
    {"1 * * * *", "at 1 minute past every hour"},
    {"0 0 * * MON#1,FRIL", "at 00:00 on the first Monday and the last Friday of the month"},
    {"0 0 * * MON#1,FRI", "at 00:00 on Friday and the first Monday of the month"},
    {"0 0 15 JAN,JUL FRI",
     "at 00:00 on the 15th of January and July and also on Friday in January and July"},
    {"0 0 13 * +FRI#2",
     "at 00:00 on the 13th of every month if it is the second Friday of the month"},
    {"0 0 10 * +MON,TUE", "at 00:00 on the 10th of every month if it is a Monday or Tuesday"},
    {"0 0 15W,L-2W,LW * *",
     "at 00:00 on the weekday nearest the 15th, the weekday nearest the 3rd-to-last day and the "
     "last weekday of every month"},
    {"0 0 1-20/2 * *", "at 00:00 on every 2nd day from the 1st through the 19th of every month"},
    {"*/20 9 * * *", "at 09:00, 09:20 and 09:40 every day"},
    {"5,10,40 9-17 * * *",
     "at 5, 10 and 40 minutes past the hour from 09:05 through 17:40 every day"},
    {"* */2 * * *", "every minute in every 2nd hour from 00:00 through 22:00 every day"},
    {"*/10 9,10,14,15 * * *",
     "every 10 minutes from 09:00 through 10:50 and from 14:00 through 15:50 every day"},
    {"30,45 9,10,14,15,20,22 * * *",
     "at 30 and 45 minutes past the hour from 09:30 through 10:45, from 14:30 through 15:45, from "
     "20:30 through 20:45 and from 22:30 through 22:45 every day"},
    {"5-50/9 9-17 * * *",
     "every 9 minutes from minute 5 through 50 of the hour from 09:05 through 17:50 every day"},
    {"5/10 * * * * *", "at seconds 5, 15, 25, 35, 45 and 55 of every minute"},
    {"1,2,3,9 * * * * *", "at seconds 1 through 3 and 9 of every minute"},
    {"0 0 12 * * * 2026,2028", "at 12:00 every day in 2026 and 2028"},
    {"0 0 0 29 2 * */4", "at 00:00 on 29 February (never: there is no such date)"},
    {"0 0 1 2,3,4 *", "at 00:00 on the 1st of February through April"},
    {"0 0 * JAN-MAR *", "at 00:00 every day in January through March"},
    {"0 0 28,29 2 *", "at 00:00 on the 28th and 29th of February every year"},
    {"15 */15 * * * *", "every 15 minutes, at second 15"},
};

TEST(Words, OfEachPattern) {
  for (const auto& [text, words] : kTable) {
    EXPECT_EQ(in_words(*Cron::parse(text, "backup")), words) << text;
  }
}

TEST(Words, OfAWholeSchedule) {
  EXPECT_EQ(in_words(compiled({"30 2 * * MON-FRI"}, "Europe/Berlin")),
            "At 02:30 on Monday through Friday, Europe/Berlin");
  EXPECT_EQ(in_words(compiled({"0 9 * * *", "@every 90m", "@at 2026-12-24T18:00:00Z"})),
            "At 09:00 every day; every 90 minutes; once on 24 December 2026 at 18:00, UTC");
  EXPECT_EQ(in_words(compiled({"TZ=Asia/Tokyo 0 9 * * *"})), "At 09:00 every day, Asia/Tokyo");
  EXPECT_EQ(in_words(compiled({"TZ=Asia/Tokyo 0 9 * * *", "0 9 * * *"})),
            "At 09:00 every day, Asia/Tokyo; at 09:00 every day, UTC");
  EXPECT_EQ(in_words(compiled({"@every 1h"})), "Every hour");
  ScheduleSpec spec;
  EXPECT_EQ(in_words(*Schedule::compile(spec)), "Now, once");
  spec.at = utc("2026-12-24T18:00:05Z");
  spec.timezone = "Europe/Berlin";
  EXPECT_EQ(in_words(*Schedule::compile(spec)),
            "Once on 24 December 2026 at 19:00:05, Europe/Berlin");
  spec.at.reset();
  spec.every = 36h;
  spec.start_at = utc("2026-11-06T08:00:00Z");
  spec.end_at = utc("2027-01-01T00:00:00+01:00");
  EXPECT_EQ(in_words(*Schedule::compile(spec)),
            "Every 36 hours, from 6 November 2026 at 09:00, until 1 January 2027 at 00:00, "
            "Europe/Berlin");
}

TEST(Words, OfPeriods) {
  EXPECT_EQ(period_in_words(1h), "hour");
  EXPECT_EQ(period_in_words(90s), "90 seconds");
  EXPECT_EQ(period_in_words(90min), "90 minutes");
  EXPECT_EQ(period_in_words(24h), "day");
  EXPECT_EQ(period_in_words(36h), "36 hours");
  EXPECT_EQ(period_in_words(1500ms), "1 second and 500 milliseconds");
  EXPECT_EQ(period_in_words(25h + 1min + 1s), "1 day, 1 hour, 1 minute and 1 second");
}

TEST(English, ListsAndOrdinals) {
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"a", "b"}, "or"), "a or b");
  EXPECT_EQ(join({"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(ordinal(1) + ordinal(2) + ordinal(3) + ordinal(4), "1st2nd3rd4th");
  EXPECT_EQ(ordinal(11) + ordinal(12) + ordinal(13) + ordinal(21), "11th12th13th21st");
  const auto number = [](int value) { return std::to_string(value); };
  EXPECT_EQ(list_of({1, 2, 4, 5, 6, 7, 9}, number), "1, 2, 4 through 7 and 9");
  EXPECT_EQ(series_of({5}).step, 0);
  EXPECT_EQ(series_of({5, 7, 10}).step, 0);
  EXPECT_EQ(series_of({5, 7, 9}).step, 2);
}

TEST(Preview, ShowsWhatWillHappen) {
  const auto schedule = compiled({"30 2 * * *"}, "Europe/Berlin");
  const auto shown = preview(schedule, utc("2027-03-27T12:00:00Z"), 2);
  EXPECT_EQ(shown.words, "At 02:30 every day, Europe/Berlin");
  ASSERT_EQ(shown.next.size(), 2);
  EXPECT_EQ(shown.next[0],
            (Occurrence{utc("2027-03-28T01:00:00Z"), "2027-03-28T03:00:00+02:00", "gap"}));
  EXPECT_EQ(shown.next[1].local, "2027-03-29T02:30:00+02:00");
  ASSERT_EQ(shown.warnings.size(), 1);
  EXPECT_EQ(shown.warnings[0].code, "W-gap");
}

TEST(Preview, EndsWithTheSchedule) {
  EXPECT_EQ(
      preview(compiled({"0 0 0 1 1 * 2027-2028"}), utc("2026-11-05T12:00:00Z"), 10).next.size(), 2);
  EXPECT_TRUE(preview(compiled({"* * * * *"}), utc("2026-11-05T12:00:00Z"), 0).next.empty());
  EXPECT_TRUE(preview(*Schedule::compile({}), utc("2026-11-05T12:00:00Z"), 3).next.empty());
}

}  // namespace
}  // namespace chronos::schedule
