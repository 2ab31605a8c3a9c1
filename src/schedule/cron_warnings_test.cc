// The warnings of schedule.md §10: each code with its text, and the innocent neighbours of each.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "schedule/schedule.h"

namespace chronos::schedule {
namespace {

Timestamp utc(std::string_view text) {
  return *parse_timestamp(text);
}

const Timestamp kNow = utc("2026-11-05T12:00:00Z");

std::vector<Warning> warnings(const ScheduleSpec& spec) {
  return Schedule::compile(spec)->warnings(kNow);
}

ScheduleSpec spec_of(std::string_view text, std::string_view timezone = "UTC") {
  ScheduleSpec spec;
  spec.cron = {std::string(text)};
  spec.timezone = timezone;
  return spec;
}

struct Row {
  std::string_view text;
  std::string_view code;
  std::string_view field;
  std::string_view message;
};

constexpr Row kTable[] = {
    {"*/90 * * * *", "W-step-wide", "minute",
     "`*/90` runs once an hour, at minute 0; for every 90 minutes write `@every 90m`"},
    {"0 5/36 * * *", "W-step-wide", "hour",
     "`5/36` runs once a day, at hour 5; for every 36 hours write `@every 36h`"},
    {"*/60 * * * * *", "W-step-wide", "second",
     "`*/60` runs once a minute, at second 0; for every 60 seconds write `@every 60s`"},
    {"0 0 */45 * *", "W-step-wide", "day-of-month",
     "`*/45` runs once a month, on day 1; for every 45 days write `@every 45d`"},
    {"0 0 1 */18 *", "W-step-wide", "month", "`*/18` runs once a year, in month 1"},
    {"*/7 * * * *", "W-step-uneven", "minute",
     "`*/7` is uneven: from 56 to 0 it is 4 minutes, not 7"},
    {"0 1,*/5 * * *", "W-step-uneven", "hour",
     "`*/5` is uneven: from 20 to 0 it is 4 hours, not 5"},
    {"0 0 1 */5 *", "W-step-uneven", "month",
     "`*/5` is uneven: from 11 to 1 it is 2 months, not 5"},
    {"0 0 * * */2", "W-step-uneven", "day-of-week",
     "`*/2` is uneven: from 6 to 0 it is 1 day, not 2"},
    {"0 0 13 * FRI", "W-day-or", "day-of-week",
     "runs on days that match either `13` or `FRI`; for days that match both write `+FRI`"},
    {"0 0 */2 * MON", "W-day-or", "day-of-week",
     "runs on days that match either `*/2` or `MON`; for days that match both write `+MON`; Vixie "
     "cron and cronie ask for both here"},
    {"0 0-23 * * *", "W-full-range", "hour",
     "`0-23` is a list of fixed times when clocks change; `*` follows the clock"},
    {"0 0 1-31 * *", "W-full-range", "day-of-month",
     "`1-31` restricts the day, `*` does not: beside another day field they differ"},
    {"0 0 * * 1-7", "W-full-range", "day-of-week",
     "`1-7` restricts the day, `*` does not: beside another day field they differ"},
    {"0 0 1 JAN-DEC *", "W-full-range", "month", "`JAN-DEC` is every month: write `*`"},
    {"* 5 * * * *", "W-every-second", "second",
     "six fields begin with seconds: this runs 60 times in each of its minutes; for once write `0` "
     "as the first field"},
    {"0 12 ? * 2-6", "W-quartz-week", "day-of-week",
     "here 1 = Monday; Quartz counts 1 = Sunday; write MON"},
    {"0 12 ? * 2#1", "W-quartz-week", "day-of-week",
     "here 1 = Monday; Quartz counts 1 = Sunday; write MON"},
    {"0 0 31 * *", "W-short-month", "day-of-month",
     "February, April, June, September and November have no day 31; the last day of a month is "
     "`L`"},
    {"0 0 29 * *", "W-short-month", "day-of-month",
     "February has no day 29 except in leap years; the last day of a month is `L`"},
    {"0 0 1,31W 3-4 *", "W-short-month", "day-of-month",
     "April has no day 31; the last day of a month is `L`"},
    {"0 0 0 1 1 * 2027-2030", "W-last-run", "year", "there is no time after 2030-01-01 00:00"},
};

TEST(CronWarnings, OfTheText) {
  for (const auto& [text, code, field, message] : kTable) {
    const auto found = warnings(spec_of(text));
    ASSERT_EQ(found.size(), 1) << text;
    EXPECT_EQ(found[0], (Warning{std::string(code), std::string(field), std::string(message)}))
        << text;
  }
}

TEST(CronWarnings, WhatIsOrdinaryIsSilent) {
  for (const auto* text :
       {"*/15 * * * *",     "0 */6 * * *",   "0 0 1 */3 *",      "0 0 */2 * *",    "5/10 * * * *",
        "10-30/7 * * * *",  "0 0 13 * +FRI", "0 0 * * FRI",      "0 0 1-30 * *",   "0 1-23 * * *",
        "* * * * * *",      "* */5 * * * *", "0 12 ? * MON-FRI", "0 17 ? * 0,4-6", "0 12 * * 2-6",
        "0 0 L * *",        "0 0 28 * *",    "0 0 31 JAN,MAR *", "0 0 25-31 * *",  "0 0 30 2 *",
        "0 0 0 1 1 * 2199", "@every 90m",    "30 2 * * *",       "H/15 * * * *",   "0 0 ? * H"}) {
    const auto found = warnings(spec_of(text));
    EXPECT_TRUE(found.empty()) << text << ": " << found.front().code;
  }
}

TEST(CronWarnings, OfFixedTimesThatTheZoneSkips) {
  const auto message_of = [](const ScheduleSpec& spec) {
    const auto found = warnings(spec);
    return found.empty() ? "" : found.front().code + ": " + found.front().message;
  };
  EXPECT_EQ(message_of(spec_of("30 2 * * *", "America/New_York")),
            "W-gap: 2027-03-14 02:30 does not exist in America/New_York: it runs at 2027-03-14 "
            "03:00");
  EXPECT_EQ(message_of(spec_of("*/30 2 * * *", "America/New_York")), "");  // follows the clock
  EXPECT_EQ(message_of(spec_of("30 2 * 6 *", "America/New_York")), "");
  EXPECT_EQ(message_of(spec_of("0 3 * * *", "America/New_York")), "");
  EXPECT_EQ(message_of(spec_of("30 23 * * *", "America/Nuuk")),
            "W-gap: 2027-03-27 23:30 does not exist in America/Nuuk: it runs at 2027-03-28 00:00");
  auto spec = spec_of("*/30 2 * * *", "America/New_York");
  spec.dst = DstPolicy::skip;
  EXPECT_EQ(message_of(spec),
            "W-gap: 2027-03-14 02:00 does not exist in America/New_York: it does not run then");
  // Only what lies between start_at and end_at.
  spec = spec_of("30 2 * * *", "America/New_York");
  spec.end_at = utc("2027-03-01T00:00:00Z");
  EXPECT_EQ(message_of(spec), "");
  spec.end_at.reset();
  spec.start_at = utc("2027-06-01T00:00:00Z");
  EXPECT_EQ(message_of(spec),
            "W-gap: 2028-03-12 02:30 does not exist in America/New_York: it runs at 2028-03-12 "
            "03:00");
}

}  // namespace
}  // namespace chronos::schedule
