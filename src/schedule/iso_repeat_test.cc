// ISO 8601 repetitions (schedule.md §6): elapsed time, the calendar, clock changes, limits.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "schedule/expression.h"
#include "schedule/schedule.h"
#include "schedule/words.h"

namespace chronos::schedule {
namespace {

using namespace std::chrono_literals;

Timestamp utc(std::string_view text) {
  return *parse_timestamp(text);
}

const Timestamp kNow = utc("2026-11-05T12:00:00Z");

ScheduleSpec spec_of(std::string text, std::string timezone = "UTC") {
  ScheduleSpec spec;
  spec.cron = {std::move(text)};
  spec.timezone = std::move(timezone);
  spec.anchor = kNow;
  return spec;
}

Schedule compiled(const ScheduleSpec& spec) {
  auto schedule = Schedule::compile(spec);
  EXPECT_TRUE(schedule) << (schedule ? "" : schedule.error().message);
  return *schedule;
}

Schedule compiled(std::string text, std::string timezone = "UTC") {
  return compiled(spec_of(std::move(text), std::move(timezone)));
}

// Local times as "2026-01-31 09:00+01:00", forwards; the way back must meet the same.
std::vector<std::string> firsts(const Schedule& schedule, std::string_view from, int count) {
  std::vector<std::string> found;
  auto last = schedule.latest_at_or_before(utc(from));
  for (auto at = schedule.next_after(utc(from)); at && count > 0;
       at = schedule.next_after(*at), --count) {
    EXPECT_EQ(schedule.latest_at_or_before(*at), at);
    EXPECT_EQ(schedule.latest_at_or_before(*at - 1us), last);
    last = at;
    auto text = format_local(*at, schedule.zone());
    text.erase(16, 3).replace(10, 1, " ");
    found.push_back(text);
  }
  return found;
}

using Times = std::vector<std::string>;

TEST(IsoRepeat, ATimePartAloneIsElapsedTime) {
  const auto schedule = compiled("R/2026-03-07T02:30:00-05:00/PT12H", "America/New_York");
  EXPECT_EQ(firsts(schedule, "2026-03-01T00:00:00Z", 4),
            (Times{"2026-03-07 02:30-05:00", "2026-03-07 14:30-05:00", "2026-03-08 03:30-04:00",
                   "2026-03-08 15:30-04:00"}));
  EXPECT_EQ(firsts(compiled("R3/2026-01-01T00:00:00Z/PT90S"), "2025-01-01T00:00:00Z", 9).size(), 3);
  EXPECT_EQ(firsts(compiled("R-1/2026-01-01T00:00:00Z/PT1H30M"), "2026-01-01T00:00:00Z", 1),
            (Times{"2026-01-01 01:30+00:00"}));
  EXPECT_EQ(compiled("R3/2026-01-01T00:00:00Z/PT1S")
                .count_between({utc("2026-01-01T00:00:00Z"), utc("2027-01-01T00:00:00Z")}, 100),
            2);
}

TEST(IsoRepeat, WithoutAStartItCountsFromTheJobsOwn) {
  // From its creation, when nothing happens yet; with a start_at from there, inclusive.
  EXPECT_EQ(firsts(compiled("R2//PT1H"), "2026-01-01T00:00:00Z", 9),
            (Times{"2026-11-05 13:00+00:00", "2026-11-05 14:00+00:00"}));
  EXPECT_EQ(firsts(compiled("R2//P1M"), "2026-01-01T00:00:00Z", 9),
            (Times{"2026-12-05 12:00+00:00", "2027-01-05 12:00+00:00"}));
  auto spec = spec_of("R2//P1M");
  spec.start_at = utc("2027-01-31T08:00:00Z");
  EXPECT_EQ(firsts(compiled(spec), "2026-01-01T00:00:00Z", 9),
            (Times{"2027-01-31 08:00+00:00", "2027-02-28 08:00+00:00"}));
  spec.cron = {"R2//PT1H"};
  EXPECT_EQ(firsts(compiled(spec), "2026-01-01T00:00:00Z", 9),
            (Times{"2027-01-31 08:00+00:00", "2027-01-31 09:00+00:00"}));
}

TEST(IsoRepeat, MonthsAreCountedFromTheStartAndClamped) {
  EXPECT_EQ(
      firsts(compiled("R/2026-01-31T09:00:00/P1M", "Europe/Berlin"), "2026-01-01T00:00:00Z", 5),
      (Times{"2026-01-31 09:00+01:00", "2026-02-28 09:00+01:00", "2026-03-31 09:00+02:00",
             "2026-04-30 09:00+02:00", "2026-05-31 09:00+02:00"}));
  EXPECT_EQ(firsts(compiled("R/2024-02-29T00:00:00Z/P1Y"), "2024-01-01T00:00:00Z", 5),
            (Times{"2024-02-29 00:00+00:00", "2025-02-28 00:00+00:00", "2026-02-28 00:00+00:00",
                   "2027-02-28 00:00+00:00", "2028-02-29 00:00+00:00"}));
  EXPECT_EQ(firsts(compiled("R/2026-01-31T00:00:00Z/P1M1D"), "2026-01-01T00:00:00Z", 3),
            (Times{"2026-01-31 00:00+00:00", "2026-03-01 00:00+00:00", "2026-04-02 00:00+00:00"}));
  EXPECT_EQ(firsts(compiled("R/2026-01-01T00:00:00Z/P2W"), "2026-01-01T00:00:00Z", 2),
            (Times{"2026-01-15 00:00+00:00", "2026-01-29 00:00+00:00"}));
  EXPECT_EQ(firsts(compiled("R/2026-01-01T00:00:00Z/P1Y2M3W4DT5H6M7S"), "2026-01-01T00:00:00Z", 1),
            (Times{"2027-03-26 05:06+00:00"}));
}

TEST(IsoRepeat, DaysFollowTheWallAndTheirTimePartDoesNot) {
  const std::string zone = "America/New_York";
  // 02:30 does not exist on 8 March: the end of the gap; the reading returns the day after.
  const auto daily = compiled("R/2026-03-07T02:30:00/P1D", zone);
  EXPECT_EQ(firsts(daily, "2026-03-01T00:00:00Z", 3),
            (Times{"2026-03-07 02:30-05:00", "2026-03-08 03:00-04:00", "2026-03-09 02:30-04:00"}));
  EXPECT_EQ(daily.describe(utc("2026-03-08T07:00:00Z")).shifted, "gap");
  EXPECT_EQ(daily.describe(utc("2026-03-09T06:30:00Z")).shifted, std::nullopt);
  // 01:30 exists twice on 1 November: the first.
  EXPECT_EQ(firsts(compiled("R/2026-10-31T01:30:00/P1D", zone), "2026-10-31T00:00:00Z", 3),
            (Times{"2026-10-31 01:30-04:00", "2026-11-01 01:30-04:00", "2026-11-02 01:30-05:00"}));
  // A start in the second pass is that instant, then its reading.
  EXPECT_EQ(firsts(compiled("R/2026-11-01T01:30:00-05:00/P1D", zone), "2026-10-31T00:00:00Z", 2),
            (Times{"2026-11-01 01:30-05:00", "2026-11-02 01:30-05:00"}));
  EXPECT_EQ(firsts(compiled("R/2026-03-07T01:30:00/P1DT1H", zone), "2026-03-01T00:00:00Z", 3),
            (Times{"2026-03-07 01:30-05:00", "2026-03-08 03:30-04:00", "2026-03-09 03:30-04:00"}));
  auto skip = spec_of("R/2026-03-07T02:30:00/P1D", zone);
  skip.dst = DstPolicy::skip;
  EXPECT_EQ(firsts(compiled(skip), "2026-03-01T00:00:00Z", 2),
            (Times{"2026-03-07 02:30-05:00", "2026-03-09 02:30-04:00"}));
}

TEST(IsoRepeat, ADateThatNeverWasIsLeftOut) {
  const auto daily = compiled("R/2011-12-28T09:00:00/P1D", "Pacific/Apia");
  EXPECT_EQ(firsts(daily, "2011-12-01T00:00:00Z", 4),
            (Times{"2011-12-28 09:00-10:00", "2011-12-29 09:00-10:00", "2011-12-31 09:00+14:00",
                   "2012-01-01 09:00+14:00"}));
  const auto lost = Schedule::compile(spec_of("R/2011-12-30T09:00:00/P1D", "Pacific/Apia"));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().fields.at(0).code, "bad_time");
  EXPECT_EQ(lost.error().fields.at(0).column, 3);
}

TEST(IsoRepeat, EndsWithItsCountAndTheHorizon) {
  const auto twice = compiled("R2/2026-01-31T09:00:00Z/P1M");
  EXPECT_EQ(firsts(twice, "2020-01-01T00:00:00Z", 9).size(), 2);
  EXPECT_EQ(twice.next_after(utc("2026-02-28T09:00:00Z")), std::nullopt);
  EXPECT_EQ(twice.latest_at_or_before(utc("2199-01-01T00:00:00Z")), utc("2026-02-28T09:00:00Z"));
  EXPECT_EQ(twice.latest_at_or_before(utc("2026-01-31T08:59:59Z")), std::nullopt);
  EXPECT_FALSE(twice.check_fires_after(utc("2026-03-01T00:00:00Z")));
  const auto centuries = compiled("R/1970-01-01T00:00:00Z/P100Y");
  EXPECT_EQ(firsts(centuries, "1970-01-01T00:00:00Z", 9),
            (Times{"2070-01-01 00:00+00:00", "2170-01-01 00:00+00:00"}));
  const auto daily = compiled("R/1970-01-01T00:00:00Z/P1D");
  EXPECT_EQ(daily.next_after(utc("2199-12-30T00:00:00Z")), utc("2199-12-31T00:00:00Z"));
  EXPECT_EQ(daily.next_after(utc("2199-12-31T00:00:00Z")), std::nullopt);
  EXPECT_EQ(daily.latest_at_or_before(utc("2199-12-31T12:00:00Z")), utc("2199-12-31T00:00:00Z"));
  EXPECT_EQ(firsts(compiled("R/2199-12-31T23:59:59Z/P1D"), "1970-01-01T00:00:00Z", 9).size(), 1);
}

TEST(IsoRepeat, HasWords) {
  struct Row {
    std::string_view text;
    std::string_view words;
  };
  constexpr Row kTable[] = {
      {"R/2026-01-31T09:00:00/P1M",
       "Every month, on the last day of a shorter month, from 31 January 2026 at 09:00, "
       "Europe/Berlin"},
      {"R12/2026-01-01T09:00:00Z/P1M",
       "Every month, from 1 January 2026 at 10:00, 12 times, Europe/Berlin"},
      {"R/2026-01-01T09:00:00/P2W", "Every 14 days, from 1 January 2026 at 09:00, Europe/Berlin"},
      {"R/2026-01-01T09:00:00/P1Y6M",
       "Every 1 year and 6 months, from 1 January 2026 at 09:00, Europe/Berlin"},
      {"R/2026-01-01T09:00:00/P1DT1H",
       "Every 1 day and 1 hour, from 1 January 2026 at 09:00, Europe/Berlin"},
      {"R5/2026-01-01T09:00:00/PT90S",
       "Every 90 seconds, from 1 January 2026 at 09:00, 5 times, Europe/Berlin"},
      {"R1//PT1H", "Every hour, once"},
      {"R//P1D", "Every day, Europe/Berlin"},
  };
  for (const auto& [text, words] : kTable) {
    EXPECT_EQ(in_words(compiled(std::string(text), "Europe/Berlin")), words) << text;
  }
}

TEST(IsoRepeat, Warns) {
  const auto warning = [](const Schedule& schedule) {
    const auto found = schedule.warnings(kNow);
    return found.empty() ? std::string() : found.front().code + ": " + found.front().message;
  };
  EXPECT_EQ(warning(compiled("R2/2027-01-31T09:00:00/P1M", "Europe/Berlin")),
            "W-last-run: there is no time after 2027-02-28 09:00");
  EXPECT_EQ(warning(compiled("R2/2027-01-31T09:00:00Z/PT1H")),
            "W-last-run: there is no time after 2027-01-31 10:00");
  EXPECT_EQ(warning(compiled("R/2026-01-01T02:30:00/P1D", "Europe/Berlin")),
            "W-gap: 2027-03-28 02:30 does not exist in Europe/Berlin: it runs at 2027-03-28 03:00");
  EXPECT_EQ(warning(compiled("R/2026-01-01T02:30:00/P1M", "Europe/Berlin")), "");
  auto skip = spec_of("R/2026-01-28T02:30:00/P1M", "Europe/Berlin");
  skip.dst = DstPolicy::skip;
  EXPECT_EQ(warning(compiled(skip)),
            "W-gap: 2027-03-28 02:30 does not exist in Europe/Berlin: it does not run then");
}

}  // namespace
}  // namespace chronos::schedule
