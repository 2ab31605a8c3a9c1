// The planner with calendars: what is excluded is skipped, and the search jumps over it.
#include <gtest/gtest.h>

#include "base/time_text.h"
#include "model/planner.h"

namespace chronos {
namespace {

using namespace std::chrono_literals;
using DueRun = Plan::DueRun;

class StillClock final : public Clock {
 public:
  Timestamp now() const override { return from_micros(1'770'000'000'000'000); }
  SteadyTime steady() const override { return SteadyTime(0); }
};

Timestamp at(std::string_view text) {
  return *parse_timestamp(text);
}

// A job that fires every ten minutes, and a blackout from 12:00 to 13:00 each day.
class CalendarPlanTest : public testing::Test {
 protected:
  CalendarPlanTest() {
    job.id = ids.make<JobId>();
    job.spec.edit().name = "often";
    job.spec.edit().schedule.cron = {"*/10 * * * *"};
    job.planned_through = at("2026-03-02T11:49:00Z");
    put("lunch", {.weekly = {{{}, "12:00", "13:00"}}});
  }

  void put(std::string name, const schedule::CalendarSpec& spec) {
    job.spec.edit().schedule.calendars.push_back(name);
    auto calendar = schedule::Calendar::compile(spec);
    ASSERT_TRUE(calendar) << calendar.error().message;
    calendars.add(std::move(name), *calendar);
  }
  Plan plan(std::string_view now) {
    const auto schedule = schedule::Schedule::compile(job.spec->schedule);
    EXPECT_TRUE(schedule) << schedule.error().message;
    return plan_due({job, *schedule, run, due, false, false, at(now), calendars}, ids);
  }
  FirstPlan first(std::string_view now) {
    const auto schedule = *schedule::Schedule::compile(job.spec->schedule);
    return plan_first({job.id, job.spec, schedule, at(now), {}, calendars}, ids);
  }
  // "skipped calendar 12:00-12:50 6"
  static std::string text(const LedgerRow& row) {
    const auto clock = [](Timestamp time) { return format_timestamp(time).substr(11, 5); };
    return std::string(to_string(row.state)) + " " + row.reason + " " + clock(row.planned_at) +
           "-" + clock(row.planned_until.value_or(row.planned_at)) + " " +
           std::to_string(row.count);
  }
  static std::vector<std::string> texts(const Plan& plan) {
    std::vector<std::string> all;
    for (const auto& row : plan.rows) all.push_back(text(row));
    return all;
  }

  StillClock clock;
  IdSource ids{clock, Rng(1)};
  Job job;
  schedule::CalendarSet calendars;
  RunId run = ids.make<RunId>();
  Timestamp due = at("2026-03-02T11:50:00Z");
};

using Rows = std::vector<std::string>;

TEST_F(CalendarPlanTest, TheNextRunIsTheFirstOpenInstantAndIsLookedAtBefore) {
  const auto result = plan("2026-03-02T11:50:00Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_EQ(texts(result), Rows{});
  EXPECT_EQ(result.planned_through, at("2026-03-02T11:50:00Z"));
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-02T13:00:00Z"));
  EXPECT_EQ(result.next_run->at, at("2026-03-02T12:00:00Z")) << "to write down what is excluded";
}

TEST_F(CalendarPlanTest, ALookWritesDownWhatIsExcludedSoFar) {
  job.planned_through = at("2026-03-02T11:50:00Z");
  due = at("2026-03-02T13:00:00Z");
  const auto result = plan("2026-03-02T12:00:00.003Z");
  EXPECT_EQ(result.due_run, DueRun::wait);
  EXPECT_EQ(texts(result), Rows{"skipped calendar 12:00-12:00 1"});
  EXPECT_EQ(result.rows[0].error, "excluded by the calendar 'lunch'");
  EXPECT_EQ(result.planned_through, at("2026-03-02T12:00:00Z"));
  EXPECT_EQ(result.next_run->id, run);
  EXPECT_EQ(result.next_run->planned_at, due);
  EXPECT_EQ(result.next_run->at, due) << "it comes within the hour to the next look";
  EXPECT_EQ(result.runs_planned, 0);
  EXPECT_FALSE(result.phase_at_end);
}

TEST_F(CalendarPlanTest, TheRestIsWrittenDownWhenTheRunStarts) {
  job.planned_through = at("2026-03-02T12:00:00Z");
  due = at("2026-03-02T13:00:00Z");
  const auto result = plan("2026-03-02T13:00:00Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_EQ(texts(result), Rows{"skipped calendar 12:10-12:50 5"});
  EXPECT_EQ(result.planned_through, due);
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-02T13:10:00Z"));
}

// A calendar became shorter: the run is moved to the front.
TEST_F(CalendarPlanTest, AChangedCalendarMovesTheWaitingRun) {
  job.planned_through = at("2026-03-02T11:50:00Z");
  due = at("2026-03-02T13:00:00Z");
  calendars = {};
  put("lunch", {.weekly = {{{}, "12:00", "12:15"}}});
  const auto result = plan("2026-03-02T12:12:00Z");
  EXPECT_EQ(result.due_run, DueRun::wait);
  EXPECT_EQ(texts(result), Rows{"skipped calendar 12:00-12:10 2"});
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-02T12:20:00Z"));
  EXPECT_EQ(result.next_run->at, at("2026-03-02T12:20:00Z"));
}

// What was excluded as the calendar stood stays skipped, whatever it says now.
TEST_F(CalendarPlanTest, WhatWasExcludedStaysSo) {
  job.planned_through = at("2026-03-02T11:50:00Z");
  due = at("2026-03-02T13:00:00Z");
  calendars = {};
  put("lunch", {});
  const auto result = plan("2026-03-02T12:12:00Z");
  EXPECT_EQ(texts(result), Rows{"skipped calendar 12:00-12:10 2"});
  EXPECT_EQ(result.rows[0].error, "excluded by a calendar that was changed since");
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-02T12:20:00Z"));
}

// A calendar became longer: the run's own instant is excluded when it comes.
TEST_F(CalendarPlanTest, AnInstantThatIsExcludedByNowIsSkipped) {
  due = at("2026-03-02T12:00:00Z");
  job.planned_through = at("2026-03-02T11:50:00Z");
  const auto result = plan("2026-03-02T12:00:00Z");
  EXPECT_EQ(result.due_run, DueRun::drop);
  EXPECT_EQ(texts(result), Rows{"skipped calendar 12:00-12:00 1"});
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-02T13:00:00Z"));
  EXPECT_EQ(result.next_run->at, at("2026-03-02T12:10:00Z"));
}

TEST_F(CalendarPlanTest, AMissedGapIsToldApart) {
  const auto result = plan("2026-03-02T13:25:00Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_EQ(result.released_planned_at, at("2026-03-02T13:20:00Z"));
  EXPECT_EQ(texts(result), (Rows{"missed down 11:50-11:50 1", "skipped calendar 12:00-12:50 6",
                                 "missed down 13:00-13:10 2"}));

  // The latest open instant runs, not the latest; what follows it is written down at once.
  const auto within = plan("2026-03-02T12:45:00Z");
  EXPECT_EQ(within.due_run, DueRun::release);
  EXPECT_FALSE(within.released_planned_at);
  EXPECT_EQ(texts(within), Rows{});
  EXPECT_EQ(within.next_run->planned_at, at("2026-03-02T13:00:00Z"));
  EXPECT_LE(within.next_run->at, at("2026-03-02T12:45:00Z"));

  job.spec.edit().misfire.policy = Misfire::skip;
  EXPECT_EQ(texts(plan("2026-03-02T13:25:00Z")),
            (Rows{"missed down 11:50-11:50 1", "skipped calendar 12:00-12:50 6",
                  "missed down 13:00-13:20 3"}));
}

TEST_F(CalendarPlanTest, RunAllCountsOpenInstantsOnly) {
  job.spec.edit().misfire = {.policy = Misfire::run_all, .max = 3};
  EXPECT_EQ(texts(plan("2026-03-02T13:15:00Z")), Rows{}) << "11:50, 13:00 and 13:10";
  const auto result = plan("2026-03-02T13:25:00Z");
  EXPECT_EQ(texts(result), (Rows{"missed limit 11:50-11:50 1", "skipped calendar 12:00-12:50 6"}));
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-02T13:00:00Z"));
}

TEST_F(CalendarPlanTest, PausedJobsAreLookedAtToo) {
  job.spec.edit().paused = true;
  job.planned_through = at("2026-03-02T11:50:00Z");
  due = at("2026-03-02T13:00:00Z");
  const auto look = plan("2026-03-02T12:30:00Z");
  EXPECT_EQ(look.due_run, DueRun::wait);
  EXPECT_EQ(texts(look), Rows{"skipped calendar 12:00-12:30 4"});
  const auto parked = plan("2026-03-02T13:00:00Z");
  EXPECT_EQ(parked.due_run, DueRun::park);
  EXPECT_EQ(texts(parked), Rows{"skipped calendar 12:00-12:50 6"});
  EXPECT_EQ(parked.planned_through, at("2026-03-02T12:50:00Z"));
}

TEST_F(CalendarPlanTest, TheInstantIsJudgedNotItsStart) {
  job.spec.edit().schedule.jitter = StartJitter{.max = 9min, .mode = JitterMode::stable};
  job.spec.edit().schedule.seed = "x";
  const auto start = due + jitter_of(job.spec, job.id, due);
  const auto result = plan(format_timestamp(start));
  EXPECT_EQ(result.due_run, DueRun::release);
  const auto next = at("2026-03-02T13:00:00Z");
  EXPECT_EQ(result.next_run->planned_at, next);
  EXPECT_EQ(result.next_run->jitter, jitter_of(job.spec, job.id, next));
}

TEST_F(CalendarPlanTest, AFirstRunIsLookedAtOnceMoreWhenItIsStored) {
  const auto result = first("2026-03-02T12:05:00Z");
  EXPECT_EQ(result.run->planned_at, at("2026-03-02T13:00:00Z"));
  EXPECT_EQ(result.run->at, at("2026-03-02T12:05:00Z"));
  EXPECT_EQ(result.planned_through, at("2026-03-02T12:05:00Z"));
}

// A schedule of seconds and a blackout of a year: one jump, and a look an hour.
TEST_F(CalendarPlanTest, AYearIsJumpedOver) {
  job.spec.edit().schedule.cron = {"* * * * * *"};
  calendars = {};
  put("sabbatical", {.dates = {"2026-03-02/2027-03-01"}});
  job.planned_through = at("2026-03-01T23:59:58Z");
  due = at("2026-03-01T23:59:59Z");
  const auto last = plan("2026-03-01T23:59:59Z");
  EXPECT_EQ(last.next_run->planned_at, at("2027-03-02T00:00:00Z"));
  EXPECT_EQ(last.next_run->at, at("2026-03-02T00:00:00Z"));

  job.planned_through = at("2026-06-01T00:00:00Z");
  due = at("2027-03-02T00:00:00Z");
  const auto look = plan("2026-06-01T01:00:00Z");
  ASSERT_EQ(look.rows.size(), 1U);
  EXPECT_EQ(look.rows[0].count, 3600);
  EXPECT_EQ(look.next_run->planned_at, due);
  EXPECT_EQ(look.next_run->at, at("2026-06-01T02:00:00Z"));
}

// With nothing open in sight the schedule does not end: it is looked at again.
TEST_F(CalendarPlanTest, ACalendarThatExcludesAllEndsNothing) {
  calendars = {};
  put("never", {.weekly = {{}}});
  const auto result = plan("2026-03-02T11:50:00Z");
  EXPECT_EQ(texts(result), Rows{"skipped calendar 11:50-11:50 1"});
  EXPECT_FALSE(result.phase_at_end);
  ASSERT_TRUE(result.next_run);
  EXPECT_GT(result.next_run->planned_at, at("2030-01-01T00:00:00Z"));
  EXPECT_EQ(result.next_run->at, at("2026-03-02T12:00:00Z"));
}

TEST_F(CalendarPlanTest, AScheduleThatEndsBeforeItOpensIsOver) {
  job.spec.edit().schedule.end_at = at("2026-03-02T12:55:00Z");
  const auto last = plan("2026-03-02T11:50:00Z");
  EXPECT_EQ(last.due_run, DueRun::release);
  EXPECT_FALSE(last.next_run);
  EXPECT_EQ(last.phase_at_end, JobPhase::succeeded);
}

}  // namespace
}  // namespace chronos
