// due_runs and CommitPlan: compare-and-swap, what becomes of the due run, ledger rows.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class PlanningTest : public StoreTest {
 protected:
  LedgerRow row(RunState state, std::string reason, Timestamp at) {
    return {id<RunId>(), state, std::move(reason), at, std::nullopt, 1};
  }
  LedgerRow range(RunState state, std::string reason, Timestamp from, Timestamp through,
                  std::int64_t count) {
    return {id<RunId>(), state, std::move(reason), from, through, count};
  }
  // Plans the one due run as skipped and lets an hour pass; the next waits after an hour.
  void skip_an_hour(std::string reason) {
    const auto due = due_one();
    auto change = plan_for(due, Plan::DueRun::drop);
    change.rows = {row(RunState::skipped, std::move(reason), due.planned_at)};
    change.next_run = to_plan(due.planned_at + 1h);
    commit(change);
    clock_.advance(1h);
  }
  std::vector<JobId> due_jobs(int limit) {
    std::vector<JobId> jobs;
    for (const auto& due : must(store().due_runs(now(), limit))) jobs.push_back(due.job->id);
    return jobs;
  }
  std::vector<Run> ended(const Job& job) {
    std::vector<Run> rows;
    for (auto& run : runs_of(job)) {
      if (is_final(run.state)) rows.insert(rows.begin(), run);
    }
    return rows;
  }
};
CHRONOS_OVER_ALL_STORES(PlanningTest);

// -- What waits to be planned ---------------------------------------------------------------------

TEST_P(PlanningTest, DueRunsAreThoseWhoseInstantHasCome) {
  submit_recurring(now() + 1us);
  EXPECT_TRUE(must(store().due_runs(now(), 10)).empty());
  clock_.advance(1us);
  const auto due = due_one();
  EXPECT_EQ(due.planned_at, now());
  EXPECT_FALSE(due.is_running);
  EXPECT_FALSE(due.is_held);
}

TEST_P(PlanningTest, DueRunCarriesTheJobAsStored) {
  auto spec = full_spec();
  auto declared = new_job(spec);
  declared.runs_planned = 4;
  declared.parked_at = now() - 1h;
  submit(declared, to_plan(now()));
  const auto due = due_one();
  EXPECT_EQ(due.job->id, declared.id);
  EXPECT_EQ(due.job->version, 1);
  EXPECT_EQ(due.job->planned_through, declared.planned_through);
  EXPECT_EQ(due.job->runs_planned, 4);
  EXPECT_EQ(due.job->parked_at, declared.parked_at);
  EXPECT_EQ(due.job->spec->misfire, spec.misfire);
  EXPECT_EQ(due.job->spec->schedule, spec.schedule);
  EXPECT_EQ(due.job->spec->max_runs, spec.max_runs);
}

TEST_P(PlanningTest, DueRunsAreEarliestFirst) {
  const auto second = submit_recurring(now() - 1min);
  const auto first = submit_recurring(now() - 2min);
  const auto third = submit_recurring(now());
  EXPECT_EQ(due_jobs(3), (std::vector{first.id, second.id, third.id}));
  EXPECT_EQ(due_jobs(1), (std::vector{first.id}));
}

TEST_P(PlanningTest, OfACrowdTheEarliestAndTheLatestAreDue) {
  std::vector<JobId> jobs;
  for (int i = 0; i < 9; ++i) jobs.push_back(submit_recurring(now() - 9s + i * 1s).id);
  EXPECT_EQ(due_jobs(8).size(), 8U);
  EXPECT_EQ(due_jobs(4), (std::vector{jobs[0], jobs[1], jobs[7], jobs[8]}));
  EXPECT_EQ(due_jobs(5), (std::vector{jobs[0], jobs[1], jobs[2], jobs[7], jobs[8]}));
  submit_recurring(now() + 1us);
  const auto fresh = submit_recurring(now());
  EXPECT_EQ(due_jobs(2), (std::vector{jobs[0], fresh.id}));
}

TEST_P(PlanningTest, OfACrowdAtOneInstantTheIdsDecide) {
  std::vector<JobId> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(submit_recurring(now()).id);
  EXPECT_EQ(due_jobs(3), (std::vector{jobs[0], jobs[1], jobs[4]}));
}

TEST_P(PlanningTest, NeverTwoOfOneJob) {
  const auto submitted = submit_recurring(now() - 2h);
  auto change = plan_for(due_one(), Plan::DueRun::release);
  change.next_run = to_plan(now() - 1h);
  commit(change);
  // Resuming a job whose next run waits already must not add another.
  auto replaced = replacement(job(submitted));
  replaced.next_run = to_plan(now() - 1h);
  commit(replaced);
  const auto due = must(store().due_runs(now(), 10));
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].planned_at, now() - 1h);
}

TEST_P(PlanningTest, DueRunKnowsWhetherItsJobGoesOn) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  EXPECT_TRUE(due_one().is_running) << "ready";
  auto claimed = claim_one();
  EXPECT_TRUE(due_one().is_running) << "leased";
  settle(claimed, RunState::retrying);
  EXPECT_TRUE(due_one().is_running) << "in back-off";
  clock_.advance(1min);
  release();
  EXPECT_TRUE(due_one().is_running) << "ready again";
  settle(claim_one(), RunState::succeeded);
  EXPECT_FALSE(due_one().is_running);

  run_now(submitted);
  plan(Plan::DueRun::hold, now());
  const auto due = due_one();
  EXPECT_TRUE(due.is_running);
  EXPECT_TRUE(due.is_held);
}

TEST_P(PlanningTest, OtherJobsDoNotCount) {
  const auto other = submit_ready();
  claim_one();
  run_now(other);
  submit_recurring(now());
  EXPECT_FALSE(due_one().is_running);
}

// -- Compare-and-swap -----------------------------------------------------------------------------

TEST_P(PlanningTest, JitterIsKeptAndNoLateness) {
  auto first = to_plan(now() + 1min);
  first.at += 20s;
  first.jitter = 20s;
  const auto submitted = submit(new_job(every_hour()), first);
  EXPECT_EQ(job(submitted).next_run_at, now() + 80s);
  EXPECT_EQ(run(first.id).jitter, 20s);
  clock_.advance(79s);
  EXPECT_TRUE(must(store().due_runs(now(), 10)).empty());
  clock_.advance(3s);
  plan(Plan::DueRun::release);
  const auto claimed = claim_one();
  EXPECT_EQ(run(first.id).lateness, 2s);
  settle(claimed, RunState::succeeded);
  const auto ended = run(first.id);
  EXPECT_EQ(ended.jitter, 20s);
  EXPECT_EQ(ended.lateness, 2s);
  EXPECT_EQ(ended.planned_at, first.planned_at);
}

TEST_P(PlanningTest, ReleasedInstantBringsItsJitter) {
  submit_recurring(now());
  clock_.advance(1h);
  auto change = plan_for(due_one(), Plan::DueRun::release);
  change.released_planned_at = now() - 10s;
  change.released_jitter = 4s;
  commit(change);
  const auto claimed = claim_one();
  EXPECT_EQ(run(claimed.run).jitter, 4s);
  EXPECT_EQ(run(claimed.run).lateness, 6s);
}

TEST_P(PlanningTest, SecondPlannerIsRefused) {
  const auto submitted = submit_recurring(now());
  auto first = plan_for(due_one(), Plan::DueRun::release);
  first.next_run = to_plan(now() + 1h);
  auto second = first;
  second.next_run = to_plan(now() + 1h);
  commit(first);
  EXPECT_EQ(refusal(try_commit(second)), "version_mismatch");
  EXPECT_EQ(live(submitted).size(), 2U);
  EXPECT_EQ(refusal(try_commit(first)), "version_mismatch");
}

TEST_P(PlanningTest, RefusedWhenTheVersionMoved) {
  const auto submitted = submit_recurring(now());
  auto stale = plan_for(due_one(), Plan::DueRun::drop);
  stale.rows = {row(RunState::skipped, "overlap", now())};
  stale.runs_planned = 1;
  stale.phase_at_end = JobPhase::succeeded;
  commit(replacement(job(submitted)));
  EXPECT_EQ(refusal(try_commit(stale)), "version_mismatch");
  const auto after = job(submitted);
  EXPECT_EQ(after.counts.skipped, 0);
  EXPECT_EQ(after.runs_planned, 0);
  EXPECT_EQ(after.phase, JobPhase::active);
  EXPECT_EQ(due_one().run, stale.run);
}

TEST_P(PlanningTest, RefusedWhenPlanningMoved) {
  submit_recurring(now());
  auto stale = plan_for(due_one(), Plan::DueRun::release);
  stale.expected_planned_through -= 1us;
  EXPECT_EQ(refusal(try_commit(stale)), "version_mismatch");
  EXPECT_EQ(stats().ready, 0);
}

TEST_P(PlanningTest, RefusedWhenTheRunNoLongerWaits) {
  const auto submitted = submit_recurring(now(), sample_spec());
  const auto change = plan_for(due_one(), Plan::DueRun::release);
  commit(CancelRun{project_, change.run, now()});
  EXPECT_EQ(refusal(try_commit(change)), "version_mismatch");
  EXPECT_EQ(run(change.run).state, RunState::cancelled);

  auto unknown = change;
  unknown.run = id<RunId>();
  EXPECT_EQ(refusal(try_commit(unknown)), "version_mismatch");
  unknown.job = id<JobId>();
  EXPECT_EQ(refusal(try_commit(unknown)), "version_mismatch");
  EXPECT_EQ(job(submitted).planned_through, submitted.planned_through);
}

TEST_P(PlanningTest, RunOfAnotherJobIsRefused) {
  submit_recurring(now());
  auto change = plan_for(due_one(), Plan::DueRun::release);
  const auto other = submit_recurring(now() - 1h);
  change.run = only_live(other).id;
  EXPECT_EQ(refusal(try_commit(change)), "version_mismatch");
}

TEST_P(PlanningTest, PlansChangeNoVersion) {
  const auto submitted = submit_recurring(now());
  clock_.advance(1s);
  plan(Plan::DueRun::release, now() + 1h);
  EXPECT_EQ(job(submitted).version, 1);
  EXPECT_EQ(job(submitted).updated_at, submitted.updated_at);
}

// -- What becomes of the due run ------------------------------------------------------------------

TEST_P(PlanningTest, ReleasedRunIsReadyAndTheNextOneWaits) {
  const auto submitted = submit_recurring(now());
  auto change = plan_for(due_one(), Plan::DueRun::release);
  change.next_run = to_plan(now() + 1h);
  change.runs_planned = 1;
  clock_.advance(1s);
  change.now = now();
  commit(change);
  const auto after = job(submitted);
  EXPECT_EQ(after.planned_through, change.planned_through);
  EXPECT_EQ(after.runs_planned, 1);
  EXPECT_EQ(after.next_run_at, change.planned_through);  // the one that waits for a slot
  EXPECT_EQ(run(change.run).queued_at, now());
  EXPECT_EQ(claim_one().run, change.run);
  EXPECT_EQ(job(submitted).next_run_at, change.planned_through + 1h);
}

TEST_P(PlanningTest, ReleasedRunMayStandForALaterInstant) {
  submit_recurring(now() - 3h);
  auto change = plan_for(due_one(), Plan::DueRun::release);
  change.rows = {range(RunState::missed, "down", now() - 3h, now() - 1h, 3)};
  change.released_planned_at = now();
  change.planned_through = now();
  commit(change);
  EXPECT_EQ(run(change.run).planned_at, now());
  const auto claimed = claim_one();
  EXPECT_EQ(claimed.planned_at, now());
  settle(claimed, RunState::succeeded);
  EXPECT_EQ(run(change.run).planned_at, now());
  EXPECT_EQ(run(change.run).lateness, 0s);
}

TEST_P(PlanningTest, DroppedRunVanishes) {
  const auto submitted = submit_recurring(now());
  auto change = plan_for(due_one(), Plan::DueRun::drop);
  change.rows = {row(RunState::skipped, "overlap", now())};
  change.next_run = to_plan(now() + 1h);
  commit(change);
  EXPECT_EQ(refusal(store().find_run(project_, change.run)), "not_found");
  EXPECT_EQ(only_live(submitted).planned_at, now() + 1h);
  const auto skipped = run(change.rows[0].id);
  EXPECT_EQ(skipped.state, RunState::skipped);
  EXPECT_EQ(skipped.reason, "overlap");
  EXPECT_EQ(skipped.job, submitted.id);
  EXPECT_EQ(skipped.job_name, "hourly");
  EXPECT_EQ(skipped.trigger, Trigger::schedule);
  EXPECT_EQ(skipped.planned_at, now());
  EXPECT_FALSE(skipped.planned_until);
  EXPECT_EQ(skipped.count, 1);
  EXPECT_EQ(skipped.ended_at, now());
  EXPECT_FALSE(skipped.started_at);
  EXPECT_FALSE(skipped.lateness);
  EXPECT_EQ(skipped.attempts_made, 0);
}

TEST_P(PlanningTest, ParkedRunVanishesAndItsInstantIsKept) {
  auto spec = every_hour();
  spec.paused = true;
  const auto submitted = submit_recurring(now(), spec);
  const auto parked = due_one().run;
  plan(Plan::DueRun::park);
  const auto after = job(submitted);
  EXPECT_EQ(after.parked_at, now());
  EXPECT_EQ(after.planned_through, submitted.planned_through);
  EXPECT_EQ(after.status, JobStatus::paused);
  EXPECT_FALSE(after.next_run_at);
  EXPECT_EQ(refusal(store().find_run(project_, parked)), "not_found");
  EXPECT_TRUE(runs_of(submitted).empty());
}

TEST_P(PlanningTest, AnyOtherPlanClearsTheParkedInstant) {
  auto declared = new_job(every_hour());
  declared.parked_at = now() - 1h;
  submit(declared, to_plan(now() - 1h));
  plan(Plan::DueRun::release, now() + 1h);
  EXPECT_FALSE(job(declared).parked_at);
}

TEST_P(PlanningTest, NextRunThatNeedsNoPlanningAndIsDueIsReady) {
  submit_recurring(now() - 1h);
  auto change = plan_for(due_one(), Plan::DueRun::drop);
  change.next_run = planned(now());
  commit(change);
  EXPECT_EQ(claim_one().run, change.next_run->id);
}

TEST_P(PlanningTest, CancelsRunningStopsTheOthersThatGoOn) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  const auto running = claim_one();
  run_now(submitted);
  const auto retried = claim_one();
  settle(retried, RunState::retrying);
  const auto ready = run_now(submitted);
  const auto held = due_one().run;
  plan(Plan::DueRun::hold, now());

  auto change = plan_for(due_one(), Plan::DueRun::hold);
  change.cancels_running = true;
  change.next_run = to_plan(now() + 1h);
  commit(change);
  EXPECT_TRUE(run(running.run).is_cancel_requested);
  for (const auto id : {retried.run, ready, held}) {
    EXPECT_EQ(run(id).state, RunState::cancelled);
    EXPECT_EQ(run(id).reason, kOverlap);
  }
  EXPECT_EQ(run(change.run).state, RunState::queued);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(run(change.next_run->id).state, RunState::planned);
  EXPECT_EQ(job(submitted).counts.cancelled, 3);
  settle(running, RunState::cancelled);
  EXPECT_EQ(claim_one().run, change.run);
}

TEST_P(PlanningTest, CancelsRunningLeavesOtherJobsAlone) {
  const auto other = submit_ready();
  submit_recurring(now());
  auto change = plan_for(due_one(), Plan::DueRun::release);
  change.cancels_running = true;
  commit(change);
  EXPECT_EQ(only_live(other).state, RunState::queued);
  EXPECT_EQ(run(change.run).state, RunState::queued);
}

// -- Ledger rows ----------------------------------------------------------------------------------

TEST_P(PlanningTest, RangeRowStandsForItsInstants) {
  const auto submitted = submit_recurring(now() - 5h);
  auto change = plan_for(due_one(), Plan::DueRun::drop);
  change.rows = {range(RunState::missed, "down", now() - 5h, now() - 1h, 5)};
  change.planned_through = now() - 1h;
  commit(change);
  const auto missed = run(change.rows[0].id);
  EXPECT_EQ(missed.state, RunState::missed);
  EXPECT_EQ(missed.planned_at, now() - 5h);
  EXPECT_EQ(missed.planned_until, now() - 1h);
  EXPECT_EQ(missed.count, 5);
  EXPECT_EQ(job(submitted).counts.missed, 5);
  EXPECT_FALSE(job(submitted).last_run);
  EXPECT_EQ(job(submitted).failure_streak, 0);
}

TEST_P(PlanningTest, EqualRowsInARowAreOne) {
  const auto first = now();
  const auto submitted = submit_recurring(first);
  skip_an_hour("overlap");
  skip_an_hour("overlap");
  skip_an_hour("overlap");
  const auto rows = ended(submitted);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].planned_at, first);
  EXPECT_EQ(rows[0].planned_until, first + 2h);
  EXPECT_EQ(rows[0].count, 3);
  EXPECT_EQ(rows[0].ended_at, first + 2h);
  EXPECT_EQ(job(submitted).counts.skipped, 3);
}

TEST_P(PlanningTest, RowsOfAnotherReasonOrStateAreApart) {
  const auto submitted = submit_recurring(now());
  skip_an_hour("overlap");
  skip_an_hour("limit");
  const auto due = due_one();
  auto change = plan_for(due, Plan::DueRun::drop);
  change.rows = {row(RunState::missed, "limit", due.planned_at)};
  commit(change);
  EXPECT_EQ(ended(submitted).size(), 3U);
}

TEST_P(PlanningTest, RunBetweenEqualRowsKeepsThemApart) {
  const auto submitted = submit_recurring(now());
  skip_an_hour("overlap");
  plan(Plan::DueRun::release, now() + 1h);
  clock_.advance(1h);
  skip_an_hour("overlap");  // while the released run has not even ended
  const auto rows = ended(submitted);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].count, 1);
  EXPECT_EQ(rows[1].count, 1);
}

TEST_P(PlanningTest, RangeExtendsARange) {
  const auto first = now() - 5h;
  const auto submitted = submit_recurring(first);
  auto change = plan_for(due_one(), Plan::DueRun::drop);
  change.rows = {range(RunState::missed, "down", first, first + 2h, 3)};
  change.planned_through = first + 2h;
  change.next_run = to_plan(first + 3h);
  commit(change);
  change = plan_for(due_one(), Plan::DueRun::drop);
  change.rows = {range(RunState::missed, "down", first + 3h, first + 4h, 2),
                 row(RunState::skipped, "overlap", first + 5h)};
  change.planned_through = first + 5h;
  change.next_run = to_plan(first + 6h);
  commit(change);
  clock_.advance(1h);
  skip_an_hour("overlap");

  const auto rows = ended(submitted);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].state, RunState::missed);
  EXPECT_EQ(rows[0].planned_until, first + 4h);
  EXPECT_EQ(rows[0].count, 5);
  EXPECT_EQ(rows[1].state, RunState::skipped);
  EXPECT_EQ(rows[1].planned_at, first + 5h);
  EXPECT_EQ(rows[1].planned_until, first + 6h);
  EXPECT_EQ(rows[1].count, 2);
  EXPECT_EQ(job(submitted).counts.missed, 5);
  EXPECT_EQ(job(submitted).counts.skipped, 2);
}

TEST_P(PlanningTest, RowsOfAnotherJobAreNotExtended) {
  const auto first = submit_recurring(now());
  skip_an_hour("overlap");
  commit(CancelJob{project_, first.id, false, std::nullopt, now()});
  auto declared = new_job(every_hour());
  declared.planned_through = now() - 1h;  // where the other job's row ends
  const auto second = submit(declared, to_plan(now()));
  skip_an_hour("overlap");
  EXPECT_EQ(ended(second).size(), 1U);
  EXPECT_EQ(ended(second)[0].count, 1);
}

TEST_P(PlanningTest, RunsPlannedAddUp) {
  const auto submitted = submit_recurring(now());
  for (int i = 1; i <= 3; ++i) {
    auto change = plan_for(due_one(), Plan::DueRun::release);
    change.runs_planned = 1;
    change.next_run = to_plan(now() + 1h);
    commit(change);
    EXPECT_EQ(job(submitted).runs_planned, i);
    clock_.advance(1h);
  }
}

}  // namespace
}  // namespace chronos::store
