#include "schedule/calendar.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace chronos::schedule {
namespace {

using namespace std::chrono_literals;

Timestamp at(std::string_view text) {
  return *parse_timestamp(text);
}

Calendar compile(const CalendarSpec& spec) {
  auto calendar = Calendar::compile(spec);
  EXPECT_TRUE(calendar) << calendar.error().message;
  return *calendar;
}

// Every change from `from` on, until there are none before `limit`.
std::vector<std::string> changes(const Calendar& calendar, std::string_view from,
                                 std::string_view limit) {
  std::vector<std::string> found;
  auto time = at(from);
  while (true) {
    time = calendar.next_change(time, at(limit));
    if (time >= at(limit)) return found;
    found.push_back(format_timestamp(time).substr(0, 16) +
                    (calendar.excludes(time) ? " closed" : " open"));
  }
}

using Changes = std::vector<std::string>;

TEST(Calendar, ABlackoutExcludesItsDatesInItsZone) {
  const auto calendar = compile({.timezone = "Europe/Berlin", .dates = {"2026-12-24/2026-12-26"}});
  EXPECT_FALSE(calendar.excludes(at("2026-12-23T22:59:59.999Z")));
  EXPECT_TRUE(calendar.excludes(at("2026-12-23T23:00:00Z")));
  EXPECT_EQ(changes(calendar, "2026-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
            (Changes{"2026-12-23T23:00 closed", "2026-12-26T23:00 open"}));
}

TEST(Calendar, YearlyDatesComeEveryYear) {
  const auto calendar = compile({.dates = {"12-25", "12-31/01-01", "02-29"}});
  EXPECT_EQ(changes(calendar, "2026-02-01T00:00:00Z", "2028-03-10T00:00:00Z"),
            (Changes{"2026-12-25T00:00 closed", "2026-12-26T00:00 open", "2026-12-31T00:00 closed",
                     "2027-01-02T00:00 open", "2027-12-25T00:00 closed", "2027-12-26T00:00 open",
                     "2027-12-31T00:00 closed", "2028-01-02T00:00 open", "2028-02-29T00:00 closed",
                     "2028-03-01T00:00 open"}));
}

TEST(Calendar, BusinessHoursExcludeAllElse) {
  const auto calendar = compile({.kind = CalendarKind::business,
                                 .timezone = "America/New_York",
                                 .weekly = {{{"MON-FRI"}, "09:00", "17:00"}}});
  // Across the change of the clocks on 8 March.
  EXPECT_EQ(
      changes(calendar, "2026-03-06T15:00:00Z", "2026-03-10T00:00:00Z"),
      (Changes{"2026-03-06T22:00 closed", "2026-03-09T13:00 open", "2026-03-09T21:00 closed"}));
}

TEST(Calendar, AWindowMayGoOnAfterMidnight) {
  const auto calendar = compile({.weekly = {{{"SAT"}, "22:00", "06:00"}}});
  EXPECT_EQ(changes(calendar, "2026-03-01T12:00:00Z", "2026-03-10T00:00:00Z"),
            (Changes{"2026-03-07T22:00 closed", "2026-03-08T06:00 open"}));
}

TEST(Calendar, DaysMayWrapAroundTheWeekAndAllDaysAreTheDefault) {
  const auto weekend = compile({.weekly = {{{"SAT-MON"}}}});
  EXPECT_EQ(changes(weekend, "2026-03-04T00:00:00Z", "2026-03-12T00:00:00Z"),
            (Changes{"2026-03-07T00:00 closed", "2026-03-10T00:00 open"}));
  const auto nightly = compile({.weekly = {{{}, "01:00", "02:00"}}});
  EXPECT_EQ(changes(nightly, "2026-03-04T00:00:00Z", "2026-03-05T12:00:00Z"),
            (Changes{"2026-03-04T01:00 closed", "2026-03-04T02:00 open", "2026-03-05T01:00 closed",
                     "2026-03-05T02:00 open"}));
}

// A reading that comes twice is excluded twice, one that is skipped never.
TEST(Calendar, TheClockOnTheWallDecides) {
  const auto calendar =
      compile({.timezone = "Europe/Berlin", .weekly = {{{"SUN"}, "02:00", "02:30"}}});
  EXPECT_EQ(changes(calendar, "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z"),
            (Changes{"2026-10-25T00:30 open", "2026-10-25T01:00 closed", "2026-10-25T01:30 open"}))
      << "both passes of the hour";
  EXPECT_EQ(changes(calendar, "2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z"), Changes{})
      << "the hour that is not there";
}

TEST(Calendar, EventsAreReadInTheirOwnZone) {
  const auto calendar =
      compile({.timezone = "Europe/Berlin",
               .events = {{.summary = "release",
                           .start = "2026-07-01T09:00:00",
                           .timezone = "Asia/Tokyo",
                           .duration = 2h},
                          {.summary = "holiday", .start = "2026-07-04", .duration = 48h},
                          {.summary = "weekly",
                           .start = "2026-07-06T08:00:00",
                           .duration = 30min,
                           .repeat = "FREQ=WEEKLY;COUNT=3",
                           .except = {"2026-07-13"}}}});
  EXPECT_EQ(changes(calendar, "2026-06-30T00:00:00Z", "2027-01-01T00:00:00Z"),
            (Changes{"2026-07-01T00:00 closed", "2026-07-01T02:00 open", "2026-07-03T22:00 closed",
                     "2026-07-05T22:00 open", "2026-07-06T06:00 closed", "2026-07-06T06:30 open",
                     "2026-07-20T06:00 closed", "2026-07-20T06:30 open"}));
}

TEST(Calendar, AnEventThatLastsDaysAndRepeats) {
  const auto calendar = compile({.events = {{.summary = "freeze",
                                             .start = "2026-01-30T12:00:00",
                                             .duration = 72h,
                                             .repeat = "FREQ=MONTHLY;BYDAY=-1FR"}}});
  EXPECT_EQ(changes(calendar, "2026-01-01T00:00:00Z", "2026-03-20T00:00:00Z"),
            (Changes{"2026-01-30T12:00 closed", "2026-02-02T12:00 open", "2026-02-27T12:00 closed",
                     "2026-03-02T12:00 open"}));
}

TEST(Calendar, UntilIsReadInTheZoneOfTheEvent) {
  const auto last = [](std::string until) {
    const auto calendar = compile({.events = {{.summary = {},
                                               .start = "2026-07-01T09:00:00",
                                               .timezone = "Europe/Berlin",
                                               .duration = 1h,
                                               .repeat = "FREQ=DAILY;UNTIL=" + until}}});
    return changes(calendar, "2026-06-30T00:00:00Z", "2026-08-01T00:00:00Z").back();
  };
  EXPECT_EQ(last("20260703"), "2026-07-03T08:00 open");
  EXPECT_EQ(last("20260703T070000Z"), "2026-07-03T08:00 open");
  EXPECT_EQ(last("20260703T065959Z"), "2026-07-02T08:00 open");
}

TEST(Calendar, TheFirstThatExcludesIsNamed) {
  CalendarSet set;
  set.add("hours",
          compile({.kind = CalendarKind::business, .weekly = {{{"MON-FRI"}, "09:00", "17:00"}}}));
  set.add("holidays", compile({.dates = {"2026-03-04"}}));
  const auto excluder = [&](std::string_view time) {
    const auto* name = set.excluder(at(time));
    return name == nullptr ? std::string("none") : *name;
  };
  EXPECT_EQ(excluder("2026-03-03T12:00:00Z"), "none");
  EXPECT_EQ(excluder("2026-03-04T12:00:00Z"), "holidays");
  EXPECT_EQ(excluder("2026-03-04T20:00:00Z"), "hours");
  const auto limit = at("2027-01-01T00:00:00Z");
  EXPECT_EQ(set.next_change(at("2026-03-03T12:00:00Z"), limit), at("2026-03-03T17:00:00Z"));
  EXPECT_EQ(set.next_change(at("2026-03-03T17:00:00Z"), limit), at("2026-03-04T09:00:00Z"));
  EXPECT_EQ(set.next_change(at("2026-03-04T09:00:00Z"), limit), at("2026-03-04T17:00:00Z"));
}

TEST(Calendar, NoChangeBeforeTheLimit) {
  const auto always = compile({.weekly = {{}}});
  EXPECT_EQ(always.next_change(at("2026-01-01T00:00:00Z"), at("2036-01-01T00:00:00Z")),
            at("2036-01-01T00:00:00Z"));
  const auto past = compile({.dates = {"2020-01-01"}});
  EXPECT_EQ(past.next_change(at("2026-01-01T00:00:00Z"), at("2026-06-01T00:00:00Z")),
            at("2026-06-01T00:00:00Z"));
}

// next_change() against asking excludes() minute by minute, over both changes of the clocks.
TEST(Calendar, JumpsAgreeWithTheMinutes) {
  const std::vector<CalendarSpec> specs = {
      {.timezone = "Europe/Berlin", .weekly = {{{"SAT-SUN"}, "01:30", "03:15"}, {{"MON"}}}},
      {.kind = CalendarKind::business,
       .timezone = "Australia/Lord_Howe",
       .dates = {"03-29", "2026-04-05"},
       .weekly = {{{"FRI-SUN"}, "23:45", "02:10"}}},
      {.timezone = "America/New_York",
       .dates = {"10-25/10-26"},
       .events = {{.summary = {},
                   .start = "2026-01-01T22:00:00",
                   .timezone = "Europe/Berlin",
                   .duration = 300min,
                   .repeat = "FREQ=DAILY;INTERVAL=2"},
                  {.summary = {}, .start = "2026-03-28T23:30:00", .duration = 31h}}},
  };
  for (const auto& spec : specs) {
    const auto calendar = compile(spec);
    for (const auto* begin : {"2026-03-25T00:00:00Z", "2026-10-22T00:00:00Z"}) {
      const auto end = at(begin) + std::chrono::days(14);
      auto jump = at(begin);
      for (auto minute = at(begin) + 1min; minute < end; minute += 1min) {
        if (calendar.excludes(minute) == calendar.excludes(minute - 1min)) continue;
        jump = calendar.next_change(jump, end);
        ASSERT_EQ(format_timestamp(jump), format_timestamp(minute)) << spec.timezone;
      }
      EXPECT_EQ(calendar.next_change(jump, end), end);
    }
  }
}

TEST(Calendar, EveryFaultIsNamed) {
  const auto broken = Calendar::compile(
      {.timezone = "Europe/Berln",
       .dates = {"2026-02-30", "25.12.", "2026-12-26/2026-12-24", "13-01"},
       .weekly = {{{"SUNDAY"}, "9:00", "17:00"}, {{"MON"}, "09:00", "09:00"}, {{}, "24:00", "x"}},
       .events = {
           {.summary = {}, .start = "tomorrow"},
           {.summary = {}, .start = "2026-01-01", .timezone = "Mars"},
           {.summary = {}, .start = "2026-01-01", .duration = 0s},
           {.summary = {}, .start = "2026-01-01", .repeat = "FREQ=HOURLY"},
           {.summary = {}, .start = "2026-01-01", .duration = 24h * 40, .repeat = "FREQ=YEARLY"}}});
  ASSERT_FALSE(broken);
  std::vector<std::string> found;
  for (const auto& fault : broken.error().fields) found.push_back(fault.pointer + " " + fault.code);
  EXPECT_EQ(found,
            (std::vector<std::string>{
                "/timezone unknown_timezone", "/dates/0 bad_date", "/dates/1 bad_date",
                "/dates/2 out_of_range", "/dates/3 bad_date", "/weekly/0/days/0 unknown_value",
                "/weekly/0/from bad_time", "/weekly/1/to out_of_range", "/weekly/2/from bad_time",
                "/weekly/2/to bad_time", "/events/0/start bad_date",
                "/events/1/timezone unknown_timezone", "/events/2/duration out_of_range",
                "/events/3/repeat bad_rule", "/events/4/duration out_of_range"}));
}

TEST(Calendar, ABusinessCalendarWithoutTimesIsRefused) {
  EXPECT_EQ(Calendar::compile({.kind = CalendarKind::business}).error().fields.front().pointer,
            "/weekly");
  EXPECT_TRUE(Calendar::compile({}));
}

}  // namespace
}  // namespace chronos::schedule
