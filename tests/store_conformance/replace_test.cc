// ReplaceJob: a new declaration, with or without a new schedule.
#include <algorithm>

#include "model/json_codec.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class ReplaceTest : public StoreTest {
 protected:
  ReplaceJob reschedule(const Job& job, std::optional<PlannedRun> next) {
    auto change = replacement(job);
    change.replaces_schedule = true;
    change.next_run = std::move(next);
    change.job.phase = JobPhase::active;
    change.job.planned_through = std::max(now(), job.planned_through);
    change.job.parked_at.reset();
    change.job.runs_planned = 0;
    return change;
  }
  // A job whose instant came while it was paused.
  Job submit_parked(Timestamp instant) {
    auto spec = every_hour();
    spec.paused = true;
    const auto submitted = submit_recurring(instant, spec);
    clock_.advance(instant - now());
    plan(Plan::DueRun::park);
    return submitted;
  }
  ReplaceJob resumption(Job job, std::optional<PlannedRun> next) {
    job.spec.edit().paused = false;
    auto change = replacement(job);
    change.next_run = std::move(next);
    return change;
  }
};
CHRONOS_OVER_ALL_STORES(ReplaceTest);

TEST_P(ReplaceTest, DeclarationIsReplacedWhole) {
  const auto submitted = submit(new_job());
  clock_.advance(1min);
  auto wanted = submitted;
  wanted.spec = full_spec();
  const auto answer = commit(replacement(wanted)).job;
  const auto read = job(submitted);
  EXPECT_EQ(answer.version, 2);
  EXPECT_EQ(read.version, 2);
  EXPECT_EQ(encode_spec(read.spec), encode_spec(wanted.spec));
  EXPECT_EQ(read.spec->payload, wanted.spec->payload);
  EXPECT_EQ(read.created_at, submitted.created_at);
  EXPECT_EQ(read.updated_at, now());
  EXPECT_EQ(must(store().find_job_by_key(project_, *wanted.spec->key)).id, submitted.id);
}

TEST_P(ReplaceTest, RefusedWhenTheVersionMoved) {
  const auto submitted = submit_due(now() + 1h);
  commit(replacement(submitted));
  auto stale = reschedule(submitted, planned(now() + 2h));
  stale.job.spec.edit().note = "lost";
  EXPECT_EQ(refusal(try_commit(stale)), "version_mismatch");
  EXPECT_EQ(job(submitted).spec->note, "");
  EXPECT_EQ(job(submitted).next_run_at, now() + 1h);
}

TEST_P(ReplaceTest, ANewScheduleIsRefusedWhenTheOldOneWasPlannedFurtherMeanwhile) {
  const auto submitted = submit_recurring(now() + 1h);
  clock_.advance(1h);
  const auto before = job(submitted);
  plan(Plan::DueRun::release, now() + 1h);
  // From where it stood when it was read: the instant that was just released would come again.
  auto stale = reschedule(before, planned(now() + 1min));
  stale.job.planned_through = before.planned_through;
  EXPECT_EQ(refusal(try_commit(stale)), "version_mismatch");
  EXPECT_EQ(job(submitted).version, before.version);
  stale.job.planned_through = job(submitted).planned_through;
  EXPECT_EQ(refusal(try_commit(stale)), "ok");
}

TEST_P(ReplaceTest, RefusedWhenThereIsNoSuchJob) {
  auto change = replacement(submit(new_job()));
  change.job.project = other_project_;
  EXPECT_EQ(refusal(try_commit(change)), "not_found");
  change.job.project = project_;
  change.job.id = id<JobId>();
  EXPECT_EQ(refusal(try_commit(change)), "not_found");
}

TEST_P(ReplaceTest, KeysMoveWithTheirJobs) {
  auto first = new_job();
  first.spec.edit().key = "a";
  first = submit(first);
  auto second = new_job();
  second.spec.edit().key = "b";
  second = submit(second);

  auto wanted = second;
  wanted.spec.edit().key = "a";
  EXPECT_EQ(refusal(try_commit(replacement(wanted))), "key_taken");
  EXPECT_EQ(job(second).version, 1);

  auto freed = first;
  freed.spec.edit().key.reset();
  commit(replacement(freed));
  EXPECT_EQ(refusal(store().find_job_by_key(project_, "a")), "not_found");
  commit(replacement(wanted));
  EXPECT_EQ(must(store().find_job_by_key(project_, "a")).id, second.id);
  EXPECT_EQ(refusal(store().find_job_by_key(project_, "b")), "not_found");
}

TEST_P(ReplaceTest, KeepingItsOwnKeyIsNoConflict) {
  auto submitted = new_job();
  submitted.spec.edit().key = "a";
  submitted = submit(submitted);
  submitted.spec.edit().note = "n";
  EXPECT_EQ(commit(replacement(submitted)).job.spec->key, "a");
  EXPECT_EQ(must(store().find_job_by_key(project_, "a")).spec->note, "n");
}

TEST_P(ReplaceTest, CountsStayAsStored) {
  const auto submitted = submit_ready();
  run_one(RunState::failed);
  const auto before = job(submitted);
  auto wanted = before;
  wanted.counts = {};
  wanted.failure_streak = 0;
  wanted.last_run.reset();
  commit(replacement(wanted));
  const auto after = job(submitted);
  EXPECT_EQ(after.counts.failed, 1);
  EXPECT_EQ(after.failure_streak, 1);
  ASSERT_TRUE(after.last_run);
  EXPECT_EQ(after.last_run->id, before.last_run->id);
}

// -- Without a new schedule -----------------------------------------------------------------------

TEST_P(ReplaceTest, WithoutANewScheduleTheWaitingRunStays) {
  const auto submitted = submit_due(now() + 1h);
  const auto before = only_live(submitted);
  auto change = replacement(submitted);
  change.next_run = planned(now() + 2h);  // no job is resumed: passed over
  commit(change);
  EXPECT_EQ(only_live(submitted).id, before.id);
}

TEST_P(ReplaceTest, WithoutANewScheduleWhatThePlannerMovedStays) {
  const auto submitted = submit_recurring(now());
  const auto stale = job(submitted);  // read just before the planner commits
  auto planning = plan_for(due_one(), Plan::DueRun::release);
  planning.runs_planned = 1;
  planning.next_run = to_plan(now() + 1h);
  commit(planning);
  auto change = replacement(stale);
  change.job.phase = JobPhase::failed;
  commit(change);
  const auto after = job(submitted);
  EXPECT_EQ(after.planned_through, planning.planned_through);
  EXPECT_EQ(after.runs_planned, 1);
  EXPECT_EQ(after.phase, JobPhase::active);
}

TEST_P(ReplaceTest, WaitingRunsFollowWhetherPlanningIsNeeded) {
  const auto submitted = submit_due(now() + 1h);
  auto change = replacement(submitted);
  change.waiting_needs_planning = true;
  commit(change);
  clock_.advance(1h);
  EXPECT_EQ(release(), 0);
  EXPECT_EQ(must(store().due_runs(now(), 10)).size(), 1U);

  auto back = replacement(job(submitted));
  back.waiting_needs_planning = false;
  commit(back);
  EXPECT_TRUE(must(store().due_runs(now(), 10)).empty());
  EXPECT_EQ(release(), 1);
}

TEST_P(ReplaceTest, RunsInBackOffNeverNeedPlanning) {
  const auto submitted = submit_ready();
  settle(claim_one(), RunState::retrying);
  auto change = replacement(job(submitted));
  change.waiting_needs_planning = true;
  commit(change);
  clock_.advance(1min);
  EXPECT_TRUE(must(store().due_runs(now(), 10)).empty());
  EXPECT_EQ(release(), 1);
}

TEST_P(ReplaceTest, ReadyRunsFollowPriorityQueueAndAction) {
  const auto slow = submit_ready();
  const auto fast = submit_ready();
  auto wanted = fast;
  wanted.spec.edit().priority = 9;
  wanted.spec.edit().queue = "vip";
  wanted.spec.edit().action.kind = "command";
  commit(replacement(wanted));

  commit(Heartbeat{holder_, 15s});
  auto change = claim_change();
  change.queue_limits = {{"vip", 0}};
  change.lanes.push_back({"command", 10});
  auto claimed = commit(change);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].job, slow.id);

  change.queue_limits.clear();
  change.lanes = {{"http", 10}};
  EXPECT_TRUE(commit(change).empty());
  change.lanes = {{"command", 10}};
  claimed = commit(change);
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].job, fast.id);
  EXPECT_EQ(claimed[0].spec->priority, 9);
}

TEST_P(ReplaceTest, ReadyRunsAreReorderedByANewPriority) {
  const auto first = submit_ready();
  const auto second = submit_ready();
  auto wanted = second;
  wanted.spec.edit().priority = 9;
  commit(replacement(wanted));
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_EQ(claimed[0].job, second.id);
  EXPECT_EQ(claimed[1].job, first.id);
}

// -- Resuming -------------------------------------------------------------------------------------

TEST_P(ReplaceTest, ResumedJobWaitsAtTheInstantThatWasParked) {
  const auto instant = now() + 1h;
  const auto submitted = submit_parked(instant);
  EXPECT_TRUE(live(submitted).empty());
  clock_.advance(5h);
  const auto next = planned(now());
  commit(resumption(job(submitted), next));
  const auto due = due_one();
  EXPECT_EQ(due.run, next.id);
  EXPECT_EQ(due.planned_at, instant);
  EXPECT_EQ(due.job->parked_at, instant);  // until the planner has answered it
  EXPECT_EQ(job(submitted).next_run_at, instant);
}

TEST_P(ReplaceTest, ResumedByACallerWhoReadBeforeItWasParked) {
  auto spec = every_hour();
  spec.paused = true;
  const auto submitted = submit_recurring(now(), spec);
  const auto stale = job(submitted);
  plan(Plan::DueRun::park);
  const auto next = to_plan(now() + 1h);
  commit(resumption(stale, next));
  EXPECT_EQ(due_one().run, next.id);
  EXPECT_EQ(due_one().planned_at, now());
}

TEST_P(ReplaceTest, StillPausedJobStaysParked) {
  const auto submitted = submit_parked(now() + 1h);
  auto change = replacement(job(submitted));
  change.next_run = to_plan(now());
  commit(change);
  EXPECT_TRUE(live(submitted).empty());
  EXPECT_EQ(job(submitted).parked_at, now());
  EXPECT_EQ(job(submitted).status, JobStatus::paused);
}

TEST_P(ReplaceTest, ResumedTwiceWaitsOnce) {
  const auto submitted = submit_parked(now() + 1h);
  const auto next = to_plan(now());
  commit(resumption(job(submitted), next));
  commit(resumption(job(submitted), to_plan(now())));
  EXPECT_EQ(only_live(submitted).id, next.id);
}

// -- With a new schedule --------------------------------------------------------------------------

TEST_P(ReplaceTest, RunNotYetDueVanishes) {
  const auto submitted = submit_due(now() + 1h);
  const auto old_run = only_live(submitted);
  const auto next = planned(now() + 2h);
  const auto answer = commit(reschedule(submitted, next)).job;
  EXPECT_EQ(answer.next_run_at, now() + 2h);
  EXPECT_EQ(only_live(submitted).id, next.id);
  EXPECT_EQ(refusal(store().find_run(project_, old_run.id)), "not_found");
  EXPECT_EQ(job(submitted).counts.cancelled, 0);
}

TEST_P(ReplaceTest, RunAlreadyDueIsCancelled) {
  const auto submitted = submit_recurring(now());
  const auto old_run = only_live(submitted);
  commit(reschedule(submitted, to_plan(now() + 2h)));
  const auto ended = run(old_run.id);
  EXPECT_EQ(ended.state, RunState::cancelled);
  EXPECT_EQ(ended.reason, kRescheduled);
  EXPECT_EQ(ended.ended_at, now());
  EXPECT_EQ(job(submitted).counts.cancelled, 1);
}

TEST_P(ReplaceTest, ReadyRetryingAndHeldRunsAreCancelled) {
  const auto ready = submit_ready();
  const auto ready_run = only_live(ready).id;
  commit(reschedule(ready, std::nullopt));
  EXPECT_EQ(run(ready_run).reason, kRescheduled);

  const auto retrying = submit_ready();
  const auto retrying_run = only_live(retrying).id;
  settle(claim_one(), RunState::retrying);
  commit(reschedule(job(retrying), std::nullopt));
  EXPECT_EQ(run(retrying_run).state, RunState::cancelled);
  EXPECT_EQ(run(retrying_run).reason, kRescheduled);
  EXPECT_FALSE(must(store().next_due_at()));

  const auto held = submit_recurring(now());
  run_now(held);
  const auto running = claim_one();
  plan(Plan::DueRun::hold);
  commit(reschedule(job(held), std::nullopt));
  EXPECT_EQ(only_live(held).id, running.run);
  EXPECT_EQ(stats().held, 0);
  settle(running, RunState::succeeded);
  EXPECT_EQ(stats().ready, 0);
}

TEST_P(ReplaceTest, RunningRunGoesOn) {
  const auto submitted = submit_ready();
  const auto running = claim_one();
  commit(reschedule(job(submitted), planned(now() + 1h)));
  const auto run_now = run(running.run);
  EXPECT_EQ(run_now.state, RunState::running);
  EXPECT_FALSE(run_now.is_cancel_requested);
  EXPECT_EQ(settle(running, RunState::succeeded), RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
}

TEST_P(ReplaceTest, RunsThatWereAskedForGoOn) {
  const auto submitted = submit_due(now() + 1h);
  const auto asked = run_now(submitted);
  commit(reschedule(submitted, std::nullopt));
  EXPECT_EQ(only_live(submitted).id, asked);
  EXPECT_EQ(run(asked).state, RunState::queued);
}

TEST_P(ReplaceTest, FinishedJobIsActiveAgain) {
  const auto submitted = submit_ready();
  run_one(RunState::succeeded);
  const auto finished = job(submitted);
  EXPECT_EQ(finished.phase, JobPhase::succeeded);
  commit(reschedule(finished, planned(now() + 1h)));
  const auto again = job(submitted);
  EXPECT_EQ(again.phase, JobPhase::active);
  EXPECT_EQ(again.status, JobStatus::scheduled);
  EXPECT_EQ(again.counts.succeeded, 1);
  clock_.advance(1h);
  EXPECT_EQ(release(), 1);
  run_one(RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::failed);
}

TEST_P(ReplaceTest, CancelledJobIsActiveAgain) {
  const auto submitted = submit_due(now() + 1h);
  commit(CancelJob{project_, submitted.id, false, std::nullopt, now()});
  commit(reschedule(job(submitted), planned(now())));
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  run_one(RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(ReplaceTest, PlannedPhaseAtEndIsForgotten) {
  const auto submitted = submit_recurring(now());
  auto last = plan_for(due_one(), Plan::DueRun::release);
  last.phase_at_end = JobPhase::succeeded;
  commit(last);
  const auto running = claim_one();
  commit(reschedule(job(submitted), to_plan(now() + 1h)));
  settle(running, RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  clock_.advance(1h);
  plan(Plan::DueRun::release);
  run_one(RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::failed);  // by its last run
}

TEST_P(ReplaceTest, WhatTheCallerSaysOfTheScheduleIsTaken) {
  const auto submitted = submit_parked(now() + 1h);
  auto change = reschedule(job(submitted), planned(now() + 3h));
  change.job.planned_through = now() + 2h;
  change.job.runs_planned = 5;
  commit(change);
  const auto after = job(submitted);
  EXPECT_EQ(after.planned_through, now() + 2h);
  EXPECT_FALSE(after.parked_at);
  EXPECT_EQ(after.runs_planned, 5);
}

}  // namespace
}  // namespace chronos::store
