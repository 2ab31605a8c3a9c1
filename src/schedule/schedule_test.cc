#include "schedule/schedule.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "schedule/words.h"

namespace chronos::schedule {
namespace {

using namespace std::chrono_literals;

Timestamp utc(std::string_view text) {
  return *parse_timestamp(text);
}

const Timestamp kNow = utc("2026-11-05T12:00:00Z");

ScheduleSpec cron_spec(std::vector<std::string> cron, std::string timezone = "UTC") {
  ScheduleSpec spec;
  spec.cron = std::move(cron);
  spec.timezone = std::move(timezone);
  spec.anchor = kNow;
  return spec;
}

ScheduleSpec every_spec(Duration every) {
  ScheduleSpec spec;
  spec.every = every;
  spec.anchor = kNow;
  return spec;
}

Schedule compiled(const ScheduleSpec& spec) {
  auto schedule = Schedule::compile(spec);
  EXPECT_TRUE(schedule) << (schedule ? "" : schedule.error().message);
  return *schedule;
}

std::vector<FieldError> faults(const ScheduleSpec& spec) {
  const auto schedule = Schedule::compile(spec);
  return schedule ? std::vector<FieldError>{} : schedule.error().fields;
}

std::string show(std::optional<Timestamp> time) {
  return time ? format_timestamp(*time) : "none";
}

// The first instants after `from`.
std::vector<std::string> firsts(const Schedule& schedule, Timestamp from, int count) {
  std::vector<std::string> found;
  for (auto at = schedule.next_after(from); at && count > 0;
       at = schedule.next_after(*at), --count) {
    found.push_back(format_timestamp(*at));
  }
  return found;
}

using Times = std::vector<std::string>;

TEST(Schedule, KindsFollowTheSpec) {
  ScheduleSpec spec;
  EXPECT_EQ(spec.kind(), ScheduleKind::now);
  EXPECT_EQ(compiled(spec).next_after(kNow), std::nullopt);
  EXPECT_EQ(compiled(spec).latest_at_or_before(kNow), std::nullopt);
  EXPECT_FALSE(compiled(spec).is_recurring());
  EXPECT_TRUE(compiled(spec).check_fires_after(kNow));
  spec.at = kNow;
  EXPECT_EQ(spec.kind(), ScheduleKind::once);
  EXPECT_FALSE(compiled(spec).is_recurring());
  EXPECT_EQ(compiled(spec).next_after(kNow), std::nullopt);
  EXPECT_EQ(compiled(spec).next_after(kNow - 1us), kNow);
  EXPECT_EQ(compiled(spec).latest_at_or_before(kNow), kNow);
  EXPECT_EQ(compiled(spec).latest_at_or_before(kNow - 1us), std::nullopt);
  EXPECT_TRUE(compiled(spec).check_fires_after(kNow + 1h));  // in the past: runs at once
  EXPECT_EQ(cron_spec({"* * * * *"}).kind(), ScheduleKind::cron);
  EXPECT_EQ(every_spec(1h).kind(), ScheduleKind::every);
  EXPECT_TRUE(compiled(every_spec(1h)).is_recurring());
  EXPECT_EQ(to_string(ScheduleKind::every), "every");
}

TEST(Schedule, SeveralExpressionsAreOneSchedule) {
  const auto schedule = compiled(cron_spec({"0 9 * * *", "0 9,17 * * *", "30 12 5 11 *"}));
  EXPECT_EQ(firsts(schedule, kNow, 4),
            (Times{"2026-11-05T12:30:00.000Z", "2026-11-05T17:00:00.000Z",
                   "2026-11-06T09:00:00.000Z", "2026-11-06T17:00:00.000Z"}));
  EXPECT_EQ(show(schedule.latest_at_or_before(kNow)), "2026-11-05T09:00:00.000Z");
  EXPECT_EQ(schedule.count_between({kNow, kNow + 24h}, 100), 3);
}

TEST(Schedule, TheEnvelopeIsHalfOpen) {
  auto spec = cron_spec({"0 * * * *"});
  spec.start_at = utc("2026-11-06T10:00:00Z");
  spec.end_at = utc("2026-11-06T12:00:00Z");
  const auto schedule = compiled(spec);
  EXPECT_EQ(firsts(schedule, kNow, 9),
            (Times{"2026-11-06T10:00:00.000Z", "2026-11-06T11:00:00.000Z"}));
  EXPECT_EQ(show(schedule.latest_at_or_before(kNow + 48h)), "2026-11-06T11:00:00.000Z");
  EXPECT_EQ(show(schedule.latest_at_or_before(*spec.start_at)), "2026-11-06T10:00:00.000Z");
  EXPECT_EQ(show(schedule.latest_at_or_before(*spec.start_at - 1us)), "none");
  EXPECT_EQ(schedule.count_between({kNow, kNow + 48h}, 100), 2);
}

TEST(Schedule, IntervalsCountFromTheAnchor) {
  auto spec = every_spec(90min);
  spec.anchor = utc("2026-11-05T12:00:00.75Z");  // cut to whole seconds
  const auto schedule = compiled(spec);
  EXPECT_EQ(firsts(schedule, spec.anchor, 2),
            (Times{"2026-11-05T13:30:00.000Z", "2026-11-05T15:00:00.000Z"}));
  EXPECT_EQ(firsts(schedule, spec.anchor - 24h, 1), (Times{"2026-11-05T13:30:00.000Z"}));
  EXPECT_EQ(show(schedule.latest_at_or_before(spec.anchor)), "none");  // k counts from 1
  EXPECT_EQ(show(schedule.latest_at_or_before(spec.anchor + 90min)), "2026-11-05T13:30:00.000Z");
  EXPECT_EQ(show(schedule.latest_at_or_before(utc("2026-11-05T14:59:59.999999Z"))),
            "2026-11-05T13:30:00.000Z");
}

TEST(Schedule, IntervalsWithAStartFireAtIt) {
  auto spec = every_spec(24h);
  spec.start_at = utc("2026-11-06T08:00:00Z");
  EXPECT_EQ(firsts(compiled(spec), kNow, 2),
            (Times{"2026-11-06T08:00:00.000Z", "2026-11-07T08:00:00.000Z"}));
  EXPECT_EQ(show(compiled(spec).latest_at_or_before(*spec.start_at)), "2026-11-06T08:00:00.000Z");
  spec.start_at = utc("2026-11-06T08:00:00.5Z");  // never before the start
  EXPECT_EQ(firsts(compiled(spec), kNow, 1), (Times{"2026-11-06T08:00:01.000Z"}));
  spec.every.reset();
  spec.cron = {"@every 24h"};
  spec.start_at = utc("2026-11-06T08:00:00Z");
  EXPECT_EQ(firsts(compiled(spec), kNow, 1), (Times{"2026-11-06T08:00:00.000Z"}));
}

TEST(Schedule, IntervalsIgnoreClockChangesAndEndWithTheHorizon) {
  auto spec = cron_spec({"@every 1d"}, "America/New_York");
  spec.anchor = utc("2026-03-07T02:30:00-05:00");
  EXPECT_EQ(firsts(compiled(spec), spec.anchor, 2),
            (Times{"2026-03-08T07:30:00.000Z", "2026-03-09T07:30:00.000Z"}));
  EXPECT_EQ(compiled(spec).next_after(utc("2199-12-31T08:00:00Z")), std::nullopt);
  EXPECT_EQ(show(compiled(spec).latest_at_or_before(utc("2199-12-31T23:00:00Z") + 24h * 400)),
            "2199-12-31T07:30:00.000Z");
}

TEST(Schedule, CountsByDivisionAndUpToALimit) {
  const auto every = compiled(every_spec(1s));
  EXPECT_EQ(every.count_between({kNow, kNow + 24h}, 1'000'000'000), 86'400);
  EXPECT_EQ(every.count_between({kNow, utc("2199-12-31T00:00:00Z")}, 1'000'000'000'000),
            (utc("2199-12-31T00:00:00Z") - kNow) / 1s);
  EXPECT_EQ(every.count_between({kNow, kNow + 24h}, 10), 10);
  EXPECT_EQ(every.count_between({kNow, kNow + 999ms}, 10), 0);
  EXPECT_EQ(every.count_between({kNow - 48h, kNow + 1s}, 10), 1);
  auto bounded = every_spec(1min);
  bounded.start_at = kNow + 1h;
  bounded.end_at = kNow + 2h;
  EXPECT_EQ(compiled(bounded).count_between({kNow, kNow + 24h}, 1000), 60);
  const auto cron = compiled(cron_spec({"*/15 * * * *"}));
  EXPECT_EQ(cron.count_between({kNow, kNow + 1h}, 100), 4);  // exclusive, inclusive
  EXPECT_EQ(cron.count_between({kNow - 1us, kNow + 1h}, 100), 5);
  EXPECT_EQ(cron.count_between({kNow, kNow + 1h}, 3), 3);
  EXPECT_EQ(cron.count_between({kNow, kNow + 1h}, 0), 0);
  EXPECT_EQ(cron.count_between({kNow + 1h, kNow}, 100), 0);
}

TEST(Schedule, CronTextsMayBeAnyFormOfTheGrammar) {
  const auto local = compiled(cron_spec({"@at 2026-12-24T18:00"}, "Europe/Berlin"));
  EXPECT_EQ(firsts(local, kNow, 2), (Times{"2026-12-24T17:00:00.000Z"}));
  EXPECT_EQ(firsts(compiled(cron_spec({"2026-12-24T18:00:00.5+09:00"})), kNow, 2),
            (Times{"2026-12-24T09:00:00.500Z"}));
  // A local time follows the fixed rule: the end of a gap, the first pass.
  EXPECT_EQ(firsts(compiled(cron_spec({"@at 2027-03-28T02:30:00"}, "Europe/Berlin")), kNow, 1),
            (Times{"2027-03-28T01:00:00.000Z"}));
  EXPECT_EQ(firsts(compiled(cron_spec({"2027-10-31T02:30:00.25"}, "Europe/Berlin")), kNow, 1),
            (Times{"2027-10-31T00:30:00.250Z"}));
  EXPECT_EQ(firsts(compiled(cron_spec({"@hourly"})), kNow, 1), (Times{"2026-11-05T13:00:00.000Z"}));
  const auto lost = faults(cron_spec({"@at 2011-12-30T09:00:00"}, "Pacific/Apia"));
  ASSERT_EQ(lost.size(), 1);
  EXPECT_EQ(lost[0].code, "bad_time");
  EXPECT_EQ(lost[0].column, 5);
}

TEST(Schedule, APrefixNamesTheZoneUnlessItContradicts) {
  const auto tokyo = compiled(cron_spec({"TZ=Asia/Tokyo 0 9 * * *"}));
  EXPECT_EQ(tokyo.zone().name(), "Asia/Tokyo");
  EXPECT_EQ(firsts(tokyo, kNow, 1), (Times{"2026-11-06T00:00:00.000Z"}));
  EXPECT_EQ(compiled(cron_spec({"CRON_TZ=Asia/Tokyo\t0 9 * * *"}, "Asia/Tokyo")).zone().name(),
            "Asia/Tokyo");
  EXPECT_EQ(compiled(cron_spec({"TZ=Asia/Tokyo 0 9 * * *", "0 9 * * *"})).zone().name(), "UTC");
  const auto found = faults(cron_spec({"0 9 * * *", " TZ=Asia/Tokyo 0 9 * * *"}, "Europe/Berlin"));
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found[0].pointer, "/cron/1");
  EXPECT_EQ(found[0].code, "timezone_conflict");
  EXPECT_EQ(found[0].message, "'Asia/Tokyo' contradicts the job's time zone 'Europe/Berlin'");
  EXPECT_EQ(found[0].column, 5);
  EXPECT_EQ(found[0].length, 10);
}

TEST(Schedule, EveryFaultIsReportedWithItsPointer) {
  auto spec = cron_spec({"0 24 * * *", "0 0 * * *", "* *"}, "Mars/Base");
  spec.start_at = kNow;
  spec.end_at = kNow;
  const auto found = faults(spec);
  ASSERT_EQ(found.size(), 4);
  EXPECT_EQ(found[0].pointer, "/end_at");
  EXPECT_EQ(found[1].pointer, "/timezone");
  EXPECT_EQ(found[1].code, "unknown_timezone");
  EXPECT_EQ(found[2],
            (FieldError{"/cron/0", "out_of_range", "hour: 24 is outside 0-23", "", 3, 2}));
  EXPECT_EQ(found[3].pointer, "/cron/2");
  EXPECT_EQ(Schedule::compile(spec).error().reason, Reason::invalid_fields);
  EXPECT_EQ(faults(cron_spec({"x"})).at(0).pointer, "/cron");
}

TEST(Schedule, IntervalsHaveLimits) {
  EXPECT_EQ(faults(every_spec(999ms)).at(0).pointer, "/every");
  EXPECT_EQ(faults(every_spec(999ms)).at(0).code, "out_of_range");
  EXPECT_TRUE(faults(every_spec(1s)).empty());
  EXPECT_TRUE(faults(every_spec(std::chrono::days(36'525))).empty());
  EXPECT_EQ(faults(every_spec(std::chrono::days(36'526))).at(0).code, "out_of_range");
}

TEST(Schedule, OneWayToSayWhen) {
  auto spec = cron_spec({"* * * * *"});
  spec.every = 1h;
  EXPECT_EQ(faults(spec).at(0).code, "more_than_one_schedule");
  EXPECT_EQ(faults(spec).at(0).pointer, "/every");
  spec.every.reset();
  spec.at = kNow;
  EXPECT_EQ(faults(spec).at(0).pointer, "/cron");
  ScheduleSpec now;
  now.start_at = kNow;
  now.end_at = kNow + 1h;
  ASSERT_EQ(faults(now).size(), 2);
  EXPECT_EQ(faults(now).at(0).code, "needs_recurring");
  EXPECT_EQ(faults(now).at(1).pointer, "/end_at");
}

TEST(Schedule, PlannedFormsAreRefusedAsNotSupportedYet) {
  const auto refused = Schedule::compile(cron_spec({"RRULE:FREQ=DAILY"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::not_supported_yet);
  EXPECT_EQ(refused.error().fields.at(0).code, "not_supported_yet");
  EXPECT_EQ(Schedule::compile(cron_spec({"RRULE:FREQ=DAILY", "x"})).error().reason,
            Reason::invalid_fields);
}

TEST(Schedule, RebootNamesNoInstantAndFiresAllTheSame) {
  auto spec = cron_spec({"TZ=Europe/Berlin @reboot"});
  const auto schedule = compiled(spec);
  EXPECT_TRUE(schedule.is_start_up());
  EXPECT_TRUE(schedule.is_recurring());
  EXPECT_EQ(schedule.next_after(kNow), std::nullopt);
  EXPECT_EQ(schedule.latest_at_or_before(kNow), std::nullopt);
  EXPECT_EQ(schedule.count_between({kNow, kNow + 1h}, 10), 0);
  EXPECT_TRUE(schedule.check_fires_after(kNow));
  EXPECT_TRUE(schedule.warnings(kNow).empty());
  EXPECT_EQ(in_words(schedule), "At every start of the server");
  spec.end_at = kNow;
  EXPECT_EQ(compiled(spec).check_fires_after(kNow).error().fields.at(0).pointer, "/end_at");
}

TEST(Schedule, RebootStandsAlone) {
  const auto found = faults(cron_spec({"0 * * * *", "@reboot"}));
  ASSERT_EQ(found.size(), 1);
  EXPECT_EQ(found.at(0).pointer, "/cron/1");
  EXPECT_EQ(found.at(0).code, "start_up_alone");
}

TEST(Schedule, WhatNeverFiresAgainIsItsOwnError) {
  const auto expect_never = [](const ScheduleSpec& spec, std::string_view pointer) {
    const auto checked = compiled(spec).check_fires_after(kNow);
    ASSERT_FALSE(checked) << pointer;
    EXPECT_EQ(checked.error().reason, Reason::schedule_never_fires);
    EXPECT_EQ(checked.error().fields.at(0).code, "schedule_never_fires");
    EXPECT_EQ(checked.error().fields.at(0).pointer, pointer);
  };
  expect_never(cron_spec({"0 0 30 2 *"}), "/cron");
  expect_never(cron_spec({"0 0 * * *", "0 0 31 4 *"}), "/cron/1");  // a mistake, though others fire
  expect_never(cron_spec({"0 0 0 1 1 * 2025"}), "/cron");
  expect_never(cron_spec({"@at 2026-11-05T12:00:00Z"}), "/cron");
  auto ended = every_spec(1h);
  ended.end_at = kNow;
  expect_never(ended, "/end_at");
  auto too_short = every_spec(2h);
  too_short.end_at = kNow + 1h;
  expect_never(too_short, "/every");
  EXPECT_TRUE(
      compiled(cron_spec({"0 0 0 1 1 * 2027", "0 0 0 1 1 * 2020"})).check_fires_after(kNow));
  EXPECT_TRUE(compiled(every_spec(1h)).check_fires_after(kNow));
}

TEST(Schedule, TheSeedDrivesHashes) {
  auto spec = cron_spec({"H H * * *"});
  spec.seed = "backup";
  EXPECT_EQ(firsts(compiled(spec), kNow, 1), (Times{"2026-11-06T05:18:00.000Z"}));
  spec.seed = "nightly-report";
  EXPECT_EQ(firsts(compiled(spec), kNow, 1), (Times{"2026-11-05T21:45:00.000Z"}));
}

TEST(Schedule, SkipReachesTheCronExpressions) {
  auto spec = cron_spec({"30 2 * * *"}, "Europe/Berlin");
  const auto before = utc("2027-03-28T00:00:00+01:00");
  EXPECT_EQ(show(compiled(spec).next_after(before)), "2027-03-28T01:00:00.000Z");
  spec.dst = DstPolicy::skip;
  EXPECT_EQ(show(compiled(spec).next_after(before)), "2027-03-29T00:30:00.000Z");
}

TEST(Schedule, DescribesMovedInstants) {
  const auto schedule = compiled(cron_spec({"30 2 * * *"}, "Europe/Berlin"));
  EXPECT_EQ(schedule.describe(utc("2027-03-28T01:00:00Z")),
            (Occurrence{utc("2027-03-28T01:00:00Z"), "2027-03-28T03:00:00+02:00", "gap"}));
  EXPECT_EQ(schedule.describe(utc("2027-03-29T00:30:00Z")),
            (Occurrence{utc("2027-03-29T00:30:00Z"), "2027-03-29T02:30:00+02:00", std::nullopt}));
  // Beside an expression that is not moved, the moved one still shows.
  const auto both = compiled(cron_spec({"0 3 * * *", "30 2 * * *"}, "Europe/Berlin"));
  EXPECT_EQ(both.describe(utc("2027-03-28T01:00:00Z")).shifted, "gap");
}

}  // namespace
}  // namespace chronos::schedule
