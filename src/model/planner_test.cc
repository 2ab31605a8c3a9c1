#include "model/planner.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

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

// A job that fires every minute, and one due run of it.
class PlannerTest : public testing::Test {
 protected:
  PlannerTest() {
    job.id = ids.make<JobId>();
    job.spec.edit().name = "minutely";
    job.spec.edit().schedule.cron = {"* * * * *"};
    job.planned_through = at("2026-03-01T11:59:00Z");
  }

  Plan plan(std::string_view now, bool is_running = false, bool is_held = false,
            bool is_backfilling = false) {
    const auto schedule = schedule::Schedule::compile(job.spec->schedule);
    EXPECT_TRUE(schedule) << schedule.error().message;
    return plan_due({job, *schedule, run, due, is_running, is_held, at(now), {}, is_backfilling},
                    ids);
  }

  StillClock clock;
  IdSource ids{clock, Rng(1)};
  Job job;
  RunId run = ids.make<RunId>();
  Timestamp due = at("2026-03-01T12:00:00Z");
};

TEST_F(PlannerTest, OnTimeStartsAndPlansTheNextInstant) {
  const auto result = plan("2026-03-01T12:00:00.004Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_EQ(result.run, run);
  EXPECT_EQ(result.planned_through, due);
  EXPECT_EQ(result.expected_planned_through, at("2026-03-01T11:59:00Z"));
  ASSERT_TRUE(result.next_run);
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-01T12:01:00Z"));
  EXPECT_TRUE(result.next_run->needs_planning);
  EXPECT_TRUE(result.rows.empty());
  EXPECT_EQ(result.runs_planned, 1);
}

TEST_F(PlannerTest, AnOverlapIsDecidedByThePolicy) {
  struct Row {
    Overlap policy;
    bool is_held;
    DueRun due_run;
    bool cancels;
    std::size_t rows;
  };
  for (const auto& row : {Row{Overlap::skip, false, DueRun::drop, false, 1},
                          Row{Overlap::queue_one, false, DueRun::hold, false, 0},
                          Row{Overlap::queue_one, true, DueRun::drop, false, 1},
                          Row{Overlap::queue_all, true, DueRun::hold, false, 0},
                          Row{Overlap::cancel_running, true, DueRun::hold, true, 0},
                          Row{Overlap::allow, true, DueRun::release, false, 0}}) {
    job.spec.edit().overlap = row.policy;
    const auto result = plan("2026-03-01T12:00:00Z", true, row.is_held);
    EXPECT_EQ(result.due_run, row.due_run) << to_string(row.policy);
    EXPECT_EQ(result.cancels_running, row.cancels) << to_string(row.policy);
    ASSERT_EQ(result.rows.size(), row.rows) << to_string(row.policy);
    if (row.rows == 1) {
      EXPECT_EQ(result.rows[0].state, RunState::skipped);
      EXPECT_EQ(result.rows[0].reason, "overlap");
      EXPECT_EQ(result.rows[0].count, 1);
    }
    EXPECT_TRUE(result.next_run);
  }
}

TEST_F(PlannerTest, WithoutAnEarlierRunNoOverlapPolicyHolds) {
  for (const auto policy : {Overlap::skip, Overlap::queue_one, Overlap::cancel_running}) {
    job.spec.edit().overlap = policy;
    EXPECT_EQ(plan("2026-03-01T12:00:00Z").due_run, DueRun::release);
  }
}

TEST_F(PlannerTest, RunOnceRunsTheLatestAndExplainsTheRest) {
  const auto result = plan("2026-03-01T13:00:30Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_EQ(result.released_planned_at, at("2026-03-01T13:00:00Z"));
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(result.rows[0].state, RunState::missed);
  EXPECT_EQ(result.rows[0].reason, "down");
  EXPECT_EQ(result.rows[0].planned_at, due);
  EXPECT_EQ(result.rows[0].planned_until, at("2026-03-01T12:59:00Z"));
  EXPECT_EQ(result.rows[0].count, 60);
  EXPECT_EQ(result.planned_through, at("2026-03-01T13:00:00Z"));
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-01T13:01:00Z"));
}

TEST_F(PlannerTest, WithinTheGraceNothingIsMissed) {
  const auto result = plan("2026-03-01T12:01:00Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_TRUE(result.rows.empty());
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-01T12:01:00Z"));
}

TEST_F(PlannerTest, SkipMissesWhatIsLateAndKeepsTheGrace) {
  job.spec.edit().misfire.policy = Misfire::skip;
  const auto result = plan("2026-03-01T13:00:30Z");
  EXPECT_EQ(result.due_run, DueRun::drop);
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(result.rows[0].count, 60);
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-01T13:00:00Z"));
}

TEST_F(PlannerTest, AskMissesWhatIsLateForADecisionWithinTheWindow) {
  job.spec.edit().misfire = {.policy = Misfire::ask, .window = 2h};
  const auto late = plan("2026-03-01T13:00:30Z");
  EXPECT_EQ(late.due_run, DueRun::drop);
  ASSERT_EQ(late.rows.size(), 1u);
  EXPECT_EQ(late.rows[0].state, RunState::missed);
  EXPECT_EQ(late.rows[0].reason, "ask");
  EXPECT_EQ(late.rows[0].planned_at, due);
  EXPECT_EQ(late.rows[0].planned_until, at("2026-03-01T12:59:00Z"));
  EXPECT_EQ(late.rows[0].count, 60);
  EXPECT_EQ(late.next_run->planned_at, at("2026-03-01T13:00:00Z"));
  EXPECT_EQ(late.runs_planned, 0);

  // Older than the window: nobody is asked any more. The rest is asked for at the next look.
  const auto old = plan("2026-03-01T15:00:30Z");
  ASSERT_EQ(old.rows.size(), 1u);
  EXPECT_EQ(old.rows[0].reason, "window");
  EXPECT_EQ(old.rows[0].planned_until, at("2026-03-01T13:00:00Z"));
  EXPECT_EQ(old.next_run->planned_at, at("2026-03-01T13:01:00Z"));

  EXPECT_EQ(plan("2026-03-01T12:00:30Z").due_run, DueRun::release);
  job.parked_at = due;  // a pause asks too
  EXPECT_EQ(plan("2026-03-01T13:00:30Z").rows.at(0).reason, "ask");
}

// A backfill costs the schedule no instant, and its runs are not stopped for one.
TEST_F(PlannerTest, ARunOfABackfillHoldsTheScheduleForItsLength) {
  for (const auto overlap :
       {Overlap::skip, Overlap::queue_one, Overlap::queue_all, Overlap::cancel_running}) {
    job.spec.edit().overlap = overlap;
    const auto result = plan("2026-03-01T12:00:00Z", false, false, true);
    EXPECT_EQ(result.due_run, DueRun::hold) << to_string(overlap);
    EXPECT_TRUE(result.rows.empty()) << to_string(overlap);
    EXPECT_FALSE(result.cancels_running) << to_string(overlap);
    EXPECT_EQ(result.runs_planned, 1) << to_string(overlap);
  }
  job.spec.edit().overlap = Overlap::allow;
  EXPECT_EQ(plan("2026-03-01T12:00:00Z", false, false, true).due_run, DueRun::release);
  // Its own run still goes on: the policy decides as always.
  job.spec.edit().overlap = Overlap::skip;
  EXPECT_EQ(plan("2026-03-01T12:00:00Z", true, false, true).due_run, DueRun::drop);
}

TEST_F(PlannerTest, RunAllGoesOneByOneAndHoldsInsteadOfSkipping) {
  job.spec.edit().misfire.policy = Misfire::run_all;
  auto result = plan("2026-03-01T13:00:30Z", true);
  EXPECT_EQ(result.due_run, DueRun::hold);
  EXPECT_TRUE(result.rows.empty());
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-01T12:01:00Z"));
  EXPECT_EQ(result.planned_through, due);
}

TEST_F(PlannerTest, RunAllKeepsTheNewestWithinItsLimit) {
  job.spec.edit().misfire.policy = Misfire::run_all;
  job.spec.edit().misfire.max = 10;
  const auto result = plan("2026-03-01T13:00:30Z");
  EXPECT_EQ(result.due_run, DueRun::drop);
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(result.rows[0].reason, "limit");
  EXPECT_EQ(result.rows[0].count, 51);
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-01T12:51:00Z"));
}

TEST_F(PlannerTest, InstantsBeyondTheWindowAreMissedForGood) {
  job.spec.edit().misfire.window = 10min;
  job.spec.edit().misfire.policy = Misfire::run_all;
  const auto all = plan("2026-03-01T13:00:30Z");
  EXPECT_EQ(all.rows.at(0).reason, "window");
  EXPECT_EQ(all.next_run->planned_at, at("2026-03-01T12:51:00Z"));

  job.spec.edit().misfire.policy = Misfire::run_once;
  job.spec.edit().misfire.window = 10s;
  job.spec.edit().misfire.grace = 5s;
  const auto once = plan("2026-03-01T13:00:30Z");
  EXPECT_EQ(once.due_run, DueRun::drop);
  EXPECT_EQ(once.rows.at(0).reason, "window");
  EXPECT_EQ(once.rows.at(0).count, 61);
}

// -- Jitter --------------------------------------------------------------------------------------

class JitterTest : public PlannerTest {
 protected:
  JitterTest() { job.spec.edit().schedule.jitter = StartJitter{.max = 50s}; }
  Duration jitter(Timestamp instant) { return jitter_of(job.spec, job.id, instant); }
};

TEST_F(JitterTest, TheNextRunKeepsItsInstantAndStartsLater) {
  const auto result = plan("2026-03-01T12:00:50Z");
  ASSERT_TRUE(result.next_run);
  const auto next = at("2026-03-01T12:01:00Z");
  EXPECT_EQ(result.next_run->planned_at, next);
  EXPECT_EQ(result.next_run->at, next + jitter(next));
  EXPECT_EQ(result.next_run->jitter, jitter(next));
  EXPECT_EQ(result.planned_through, due);
}

TEST_F(JitterTest, TheGraceCountsFromTheStart) {
  job.spec.edit().misfire = {.policy = Misfire::skip, .grace = 5s};
  due = at("2026-03-01T12:00:00Z");
  const auto late = [&](Duration lateness) {
    const auto now = format_timestamp(due + jitter(due) + lateness);
    return plan(now);
  };
  EXPECT_GT(jitter(due), 5s) << "or the test shows nothing";
  EXPECT_EQ(late(5s).due_run, DueRun::release);
  EXPECT_EQ(late(5001ms).due_run, DueRun::drop);
}

TEST_F(JitterTest, AfterAGapTheLatestThatShouldHaveStartedRuns) {
  const auto last = at("2026-03-01T13:00:00Z");
  const auto before = plan(format_timestamp(last + jitter(last) - 1ms));
  EXPECT_EQ(before.released_planned_at, last - 1min);
  EXPECT_EQ(before.released_jitter, jitter(last - 1min));
  EXPECT_EQ(before.rows.at(0).count, 59);
  EXPECT_EQ(before.next_run->planned_at, last);
  const auto after = plan(format_timestamp(last + jitter(last)));
  EXPECT_EQ(after.released_planned_at, last);
  EXPECT_EQ(after.rows.at(0).count, 60);
}

TEST_F(JitterTest, TheFirstRunHasItToo) {
  const auto schedule = *schedule::Schedule::compile(job.spec->schedule);
  const auto first = plan_first({job.id, job.spec, schedule, due}, ids);
  EXPECT_EQ(first.run->planned_at, due + 1min);
  EXPECT_EQ(first.run->at, due + 1min + jitter(due + 1min));
  job.spec.edit().schedule.jitter->mode = JitterMode::stable;
  job.spec.edit().schedule.seed = "minutely";
  EXPECT_EQ(jitter(due), jitter(due + 1min));
}

TEST_F(PlannerTest, PausedParksAndResumedExplainsThePause) {
  job.spec.edit().paused = true;
  const auto parked = plan("2026-03-01T12:00:00Z");
  EXPECT_EQ(parked.due_run, DueRun::park);
  EXPECT_EQ(parked.planned_through, job.planned_through);
  EXPECT_FALSE(parked.next_run);

  job.spec.edit().paused = false;
  job.parked_at = due;
  EXPECT_EQ(plan("2026-03-01T14:00:00Z").rows.at(0).reason, "paused");
}

TEST_F(PlannerTest, MaxRunsAndTheEndOfTheScheduleEndTheJob) {
  job.spec.edit().max_runs = 3;
  job.runs_planned = 2;
  const auto last = plan("2026-03-01T12:00:00Z");
  EXPECT_FALSE(last.next_run);
  EXPECT_EQ(last.phase_at_end, JobPhase::succeeded);

  job.spec.edit().max_runs.reset();
  job.spec.edit().schedule.end_at = at("2026-03-01T12:00:30Z");
  const auto ended = plan("2026-03-01T12:00:00Z");
  EXPECT_FALSE(ended.next_run);
  EXPECT_EQ(ended.due_run, DueRun::release);
}

TEST_F(PlannerTest, ASecondsScheduleThirtyDaysDownIsOneRow) {
  job.spec.edit().schedule.cron = {"* * * * * *"};
  const auto result = plan("2026-03-31T12:00:00.5Z");
  ASSERT_EQ(result.rows.size(), 1u);
  EXPECT_EQ(result.rows[0].count, 30 * 86'400);
  EXPECT_EQ(result.released_planned_at, at("2026-03-31T12:00:00Z"));
}

TEST_F(PlannerTest, AOneTimeJobIsNeverTooOldButMaySkip) {
  job.spec.edit().schedule = {};
  job.spec.edit().schedule.at = due;
  EXPECT_EQ(plan("2026-04-01T12:00:00Z").due_run, DueRun::release);
  job.spec.edit().misfire.policy = Misfire::skip;
  const auto skipped = plan("2026-04-01T12:00:00Z");
  EXPECT_EQ(skipped.due_run, DueRun::drop);
  EXPECT_EQ(skipped.rows.at(0).state, RunState::missed);
  EXPECT_EQ(skipped.phase_at_end, JobPhase::failed);
  job.spec.edit().misfire.policy = Misfire::ask;
  EXPECT_EQ(plan("2026-04-01T12:00:00Z").rows.at(0).reason, "ask");
}

TEST_F(PlannerTest, TheFirstPlan) {
  const auto now = at("2026-03-01T12:00:00Z");
  Timestamp planned_through{};
  const auto first = [&] {
    const auto schedule = *schedule::Schedule::compile(job.spec->schedule);
    return plan_first({job.id, job.spec, schedule, now, planned_through}, ids);
  };
  EXPECT_EQ(first().run->planned_at, at("2026-03-01T12:01:00Z"));
  EXPECT_TRUE(first().run->needs_planning);
  EXPECT_EQ(first().planned_through, now);
  planned_through = now + 1h;  // the clock was set back since
  EXPECT_EQ(first().run->planned_at, now + 1h + 1min);

  job.spec.edit().schedule = {};
  planned_through = {};
  EXPECT_EQ(first().run->planned_at, now);
  EXPECT_FALSE(first().run->needs_planning);
  // Another schedule must not fire this instant again, not even when the clock is set back.
  EXPECT_EQ(first().planned_through, now);
  job.spec.edit().schedule.at = now + 1h;
  EXPECT_LT(first().planned_through, now + 1h) << "a new schedule may come before it";
  job.spec.edit().schedule.at = now - 1h;
  job.spec.edit().misfire.policy = Misfire::skip;
  EXPECT_EQ(first().run->planned_at, now - 1h);
  EXPECT_FALSE(first().run->needs_planning);
  job.spec.edit().paused = true;
  EXPECT_TRUE(first().run->needs_planning);
}

// -- A changed time zone database: the same expressions, other offsets
// ------------------------------

class ReplanTest : public PlannerTest {
 protected:
  // The job's rules are now those of `zone`; `waiting` is where the old ones put its run.
  std::optional<Plan> replanned(std::string zone, std::string_view waiting, std::string_view now) {
    job.spec.edit().schedule.timezone = std::move(zone);
    const auto schedule = schedule::Schedule::compile(job.spec->schedule);
    EXPECT_TRUE(schedule) << schedule.error().message;
    return replan({job, *schedule, run, at(waiting), at(now)}, ids);
  }
};

TEST_F(ReplanTest, ARunWhoseInstantStandsStays) {
  EXPECT_FALSE(replanned("Asia/Kolkata", "2026-03-01T12:00:00Z", "2026-03-01T11:59:30Z"));
}

TEST_F(ReplanTest, ARunMovesToTheNearestInstantThatWasNotPlannedYet) {
  job.spec.edit().schedule.cron = {"30 2 * * *"};
  job.planned_through = at("2026-03-01T01:30:00Z");
  // From +01:00 to UTC: an hour later.
  auto plan = replanned("UTC", "2026-03-02T01:30:00Z", "2026-03-01T12:00:00Z");
  ASSERT_TRUE(plan && plan->next_run);
  EXPECT_EQ(plan->next_run->planned_at, at("2026-03-02T02:30:00Z"));
  EXPECT_TRUE(plan->next_run->needs_planning);
  EXPECT_EQ(plan->due_run, DueRun::drop);
  EXPECT_TRUE(plan->rows.empty());
  EXPECT_EQ(plan->planned_through, job.planned_through);
  EXPECT_EQ(plan->runs_planned, 0);

  // From +01:00 to +03:00: two hours earlier, which may have passed: then it is due at once.
  plan = replanned("+03:00", "2026-03-02T01:30:00Z", "2026-03-02T01:00:00Z");
  ASSERT_TRUE(plan && plan->next_run);
  EXPECT_EQ(plan->next_run->planned_at, at("2026-03-01T23:30:00Z"));
}

TEST_F(ReplanTest, NothingThatWasPlannedIsPlannedAgain) {
  job.spec.edit().schedule.cron = {"30 2 * * *"};
  job.planned_through = at("2026-03-02T01:29:00Z");
  const auto plan = replanned("+02:00", "2026-03-02T01:30:00Z", "2026-03-02T01:29:30Z");
  ASSERT_TRUE(plan && plan->next_run);
  EXPECT_EQ(plan->next_run->planned_at, at("2026-03-03T00:30:00Z"));
}

TEST_F(ReplanTest, WhatIsDueGoesAsPlanned) {
  job.spec.edit().schedule.cron = {"30 2 * * *"};
  EXPECT_FALSE(replanned("UTC", "2026-03-02T01:30:00Z", "2026-03-02T01:30:00Z"));
  // And the planner never goes back behind it, though the new rules put the last instant earlier.
  due = at("2026-03-02T01:30:00Z");
  job.planned_through = at("2026-03-01T01:30:00Z");
  job.spec.edit().schedule.timezone = "+03:00";
  const auto result = plan("2026-03-02T01:40:00Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_EQ(result.planned_through, due);
  EXPECT_EQ(result.next_run->planned_at, at("2026-03-02T23:30:00Z"));
}

TEST_F(ReplanTest, WhatIsNotRecurringStays) {
  job.spec.edit().schedule.cron.clear();  // run now, on a clock that was set back since
  EXPECT_FALSE(replanned("UTC", "2026-03-02T01:30:00Z", "2026-03-02T01:00:00Z"));
}

TEST_F(ReplanTest, ASpentScheduleEnds) {
  job.spec.edit().schedule.cron = {"30 2 * * *"};
  job.spec.edit().schedule.end_at = at("2026-03-02T02:00:00Z");
  job.planned_through = at("2026-03-01T01:30:00Z");
  job.spec.edit().schedule.start_at = at("2026-03-02T00:00:00Z");
  const auto plan = replanned("UTC", "2026-03-02T01:30:00Z", "2026-03-02T00:30:00Z");
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->next_run);
  EXPECT_EQ(plan->phase_at_end, JobPhase::succeeded);
}

// -- @reboot -------------------------------------------------------------------------------------

// A job that runs at every start of the server; its run waits for the next.
class StartUpTest : public PlannerTest {
 protected:
  StartUpTest() {
    job.spec.edit().schedule.cron = {"@reboot"};
    job.planned_through = at("2026-03-01T11:00:00Z");
  }
  schedule::Schedule compiled() const { return *schedule::Schedule::compile(job.spec->schedule); }
  std::optional<Plan> started(std::string_view now, Timestamp planned_at = kNextStart) {
    return plan_start_up({job, compiled(), run, planned_at, at(now)});
  }
};

TEST_F(StartUpTest, TheFirstRunWaitsForTheNextStart) {
  const auto first = plan_first({job.id, job.spec, compiled(), at("2026-03-01T12:00:00Z")}, ids);
  ASSERT_TRUE(first.run);
  EXPECT_EQ(first.run->planned_at, kNextStart);
  EXPECT_EQ(first.run->at, kNextStart);
  EXPECT_TRUE(first.run->needs_planning);
  EXPECT_EQ(first.planned_through, at("2026-03-01T12:00:00Z"));
}

TEST_F(StartUpTest, AStartMakesItDue) {
  auto started_plan = started("2026-03-01T12:00:00Z");
  ASSERT_TRUE(started_plan);
  EXPECT_EQ(started_plan->due_run, DueRun::wait);
  EXPECT_EQ(started_plan->next_run->id, run);
  EXPECT_EQ(started_plan->next_run->planned_at, at("2026-03-01T12:00:00Z"));
  EXPECT_EQ(started_plan->next_run->at, at("2026-03-01T12:00:00Z"));
  EXPECT_EQ(started_plan->planned_through, job.planned_through);
  EXPECT_FALSE(started("2026-03-01T12:00:00Z", at("2026-03-01T11:59:00Z"))) << "it is due already";
}

TEST_F(StartUpTest, ItsRunStartsAndTheNextWaits) {
  const auto result = plan("2026-03-01T12:00:01Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_EQ(result.planned_through, due);
  EXPECT_EQ(result.next_run->planned_at, kNextStart);
  EXPECT_EQ(result.phase_at_end, std::nullopt);
  EXPECT_TRUE(result.rows.empty());
}

TEST_F(StartUpTest, PoliciesHoldForIt) {
  auto result = plan("2026-03-01T12:00:01Z", true);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].reason, "overlap");
  EXPECT_EQ(result.rows[0].count, 1);
  job.spec.edit().misfire.policy = Misfire::skip;
  result = plan("2026-03-01T13:00:00Z");  // another server stopped before it had looked at it
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].reason, "down");
  EXPECT_EQ(result.rows[0].planned_at, due);
  EXPECT_EQ(result.next_run->planned_at, kNextStart);
  job.spec.edit().max_runs = 1;
  result = plan("2026-03-01T12:00:01Z");
  EXPECT_EQ(result.due_run, DueRun::release);
  EXPECT_EQ(result.phase_at_end, JobPhase::succeeded);
  EXPECT_FALSE(result.next_run);
}

TEST_F(StartUpTest, StartsOutsideItsLimitsAreNone) {
  job.spec.edit().schedule.start_at = at("2026-03-01T12:00:00Z");
  job.spec.edit().schedule.end_at = at("2026-03-01T13:00:00Z");
  EXPECT_FALSE(started("2026-03-01T11:59:59Z"));
  EXPECT_EQ(started("2026-03-01T12:00:00Z")->due_run, DueRun::wait);
  const auto after = started("2026-03-01T13:00:00Z");
  EXPECT_EQ(after->due_run, DueRun::drop);
  EXPECT_EQ(after->phase_at_end, JobPhase::succeeded);
}

TEST_F(StartUpTest, AStartIsSpreadByJitterAndAWaitIsNot) {
  job.spec.edit().schedule.jitter = StartJitter{.max = 10min};
  EXPECT_EQ(jitter_of(job.spec, job.id, kNextStart), Duration(0));
  const auto spread = started("2026-03-01T12:00:00Z");
  EXPECT_EQ(spread->next_run->at, spread->next_run->planned_at + spread->next_run->jitter);
  EXPECT_EQ(spread->next_run->jitter, jitter_of(job.spec, job.id, at("2026-03-01T12:00:00Z")));
}

TEST_F(StartUpTest, AChangedZoneLeavesItWaiting) {
  EXPECT_FALSE(replan({job, compiled(), run, kNextStart, at("2026-03-01T12:00:00Z")}, ids));
}

}  // namespace
}  // namespace chronos
