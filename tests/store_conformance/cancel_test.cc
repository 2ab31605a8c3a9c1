// CancelJob and CancelRun, in every place a run can be.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class CancelTest : public StoreTest {
 protected:
  Job cancel(const Job& job, bool keep_running = false) {
    return commit(CancelJob{job.project, job.id, keep_running, std::nullopt, now()}).job;
  }
  void cancel(RunId run) { EXPECT_EQ(commit(CancelRun{project_, run, now()}).run, run); }
  std::vector<RunId> told_to_stop() { return commit(Heartbeat{holder_, 15s}).cancelled; }
  void expect_cancelled(RunId id, std::string_view reason) {
    const auto ended = run(id);
    EXPECT_EQ(ended.state, RunState::cancelled);
    EXPECT_EQ(ended.reason, reason);
    EXPECT_EQ(ended.ended_at, now());
    EXPECT_FALSE(ended.next_attempt_at);
    EXPECT_FALSE(ended.is_cancel_requested);
  }
};
CHRONOS_OVER_ALL_STORES(CancelTest);

// -- CancelJob ------------------------------------------------------------------------------------

TEST_P(CancelTest, CancelledJobIsChangedOnce) {
  const auto submitted = submit_due(now() + 1h);
  clock_.advance(1min);
  const auto cancelled = cancel(submitted);
  EXPECT_EQ(cancelled.phase, JobPhase::cancelled);
  EXPECT_EQ(cancelled.status, JobStatus::cancelled);
  EXPECT_EQ(cancelled.version, 2);
  EXPECT_EQ(cancelled.updated_at, now());
  EXPECT_FALSE(cancelled.next_run_at);

  clock_.advance(1min);
  const auto again = cancel(submitted);
  EXPECT_EQ(again.version, 2);
  EXPECT_EQ(again.updated_at, cancelled.updated_at);
  EXPECT_EQ(again.phase, JobPhase::cancelled);
}

TEST_P(CancelTest, EveryWaitingRunEnds) {
  const auto submitted = submit_recurring(now());
  const auto running = run_now(submitted);
  ASSERT_EQ(claim_one().run, running);
  const auto held = due_one().run;
  plan(Plan::DueRun::hold, now() + 1h);
  const auto ready = run_now(submitted);
  const auto before = live(submitted);
  ASSERT_EQ(before.size(), 4U);

  const auto cancelled = cancel(submitted);
  EXPECT_EQ(cancelled.counts.cancelled, 3);
  EXPECT_EQ(only_live(submitted).id, running);
  expect_cancelled(held, kJobCancelled);
  expect_cancelled(ready, kJobCancelled);
  for (const auto& waiting : before) {
    if (waiting.id != running) expect_cancelled(waiting.id, kJobCancelled);
  }
  EXPECT_EQ(told_to_stop(), std::vector{running});
  EXPECT_TRUE(run(running).is_cancel_requested);
}

TEST_P(CancelTest, RunInBackOffEnds) {
  const auto submitted = submit_ready();
  const auto claimed = claim_one();
  settle(claimed, RunState::retrying);
  clock_.advance(1s);
  cancel(submitted);
  expect_cancelled(claimed.run, kJobCancelled);
  EXPECT_EQ(run(claimed.run).attempts_made, 1);
  EXPECT_EQ(run(claimed.run).error, "the target answered 500");
  EXPECT_FALSE(must(store().next_due_at()));
}

TEST_P(CancelTest, RunningMayBeKept) {
  const auto submitted = submit_ready();
  const auto running = claim_one();
  const auto cancelled = cancel(submitted, true);
  EXPECT_EQ(cancelled.status, JobStatus::cancelled);
  EXPECT_EQ(cancelled.counts.running, 1);
  EXPECT_TRUE(told_to_stop().empty());
  EXPECT_EQ(settle(running, RunState::succeeded), RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::cancelled);
  EXPECT_EQ(job(submitted).last_run->state, RunState::succeeded);
}

TEST_P(CancelTest, KeptRunCanStillBeStopped) {
  const auto submitted = submit_ready();
  const auto running = claim_one();
  cancel(submitted, true);
  cancel(submitted, false);
  EXPECT_EQ(told_to_stop(), std::vector{running.run});
}

TEST_P(CancelTest, ExpectedVersionIsCompared) {
  const auto submitted = submit_due(now() + 1h);
  CancelJob change{project_, submitted.id, false, 2, now()};
  EXPECT_EQ(refusal(try_commit(change)), "version_mismatch");
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  EXPECT_EQ(only_live(submitted).state, RunState::planned);
  change.expected_version = 1;
  EXPECT_EQ(commit(change).job.version, 2);
}

TEST_P(CancelTest, AnotherProjectsJobIsNotFound) {
  const auto submitted = submit_due(now() + 1h);
  EXPECT_EQ(refusal(try_commit(CancelJob{other_project_, submitted.id, false, {}, now()})),
            "not_found");
  EXPECT_EQ(refusal(try_commit(CancelJob{project_, id<JobId>(), false, {}, now()})), "not_found");
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
}

TEST_P(CancelTest, FinishedJobStaysAsItIs) {
  const auto succeeded = submit_ready();
  run_one(RunState::succeeded);
  const auto failed = submit_ready();
  run_one(RunState::failed);
  EXPECT_EQ(cancel(succeeded).phase, JobPhase::succeeded);
  EXPECT_EQ(cancel(failed).phase, JobPhase::failed);
  EXPECT_EQ(job(failed).version, 1);
}

TEST_P(CancelTest, RunAskedForOfAFinishedJobIsCancelled) {
  const auto submitted = submit_ready();
  run_one(RunState::succeeded);
  const auto running = run_now(submitted);
  ASSERT_EQ(claim_one().run, running);
  const auto waiting = run_now(submitted);
  EXPECT_EQ(cancel(submitted).phase, JobPhase::succeeded);
  expect_cancelled(waiting, kJobCancelled);
  EXPECT_EQ(told_to_stop(), std::vector{running});
}

TEST_P(CancelTest, ParkedJobForgetsItsInstant) {
  auto spec = every_hour();
  spec.paused = true;
  const auto submitted = submit_recurring(now(), spec);
  plan(Plan::DueRun::park);
  EXPECT_EQ(job(submitted).parked_at, now());
  const auto cancelled = cancel(submitted);
  EXPECT_FALSE(cancelled.parked_at);
  EXPECT_EQ(cancelled.phase, JobPhase::cancelled);
}

TEST_P(CancelTest, CancelledJobIsNotRevivedByARun) {
  const auto submitted = submit_due(now() + 1h);
  cancel(submitted);
  run_now(submitted);
  run_one(RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::cancelled);
}

// -- CancelRun ------------------------------------------------------------------------------------

TEST_P(CancelTest, PlannedRunOfAOneTimeJobEnds) {
  const auto submitted = submit_due(now() + 1h);
  const auto planned_run = only_live(submitted).id;
  cancel(planned_run);
  expect_cancelled(planned_run, kRunCancelled);
  const auto after = job(submitted);
  EXPECT_EQ(after.phase, JobPhase::cancelled);
  EXPECT_EQ(after.version, 1);
  EXPECT_EQ(after.counts.cancelled, 1);
  ASSERT_TRUE(after.last_run);
  EXPECT_EQ(after.last_run->state, RunState::cancelled);
  EXPECT_EQ(after.last_run->id, planned_run);
  EXPECT_FALSE(must(store().next_due_at()));
}

TEST_P(CancelTest, PlannedRunOfAOneTimeJobEndsEvenIfItWaitsForThePlanner) {
  const auto submitted = submit_recurring(now() + 1h, sample_spec());
  const auto planned_run = only_live(submitted).id;
  cancel(planned_run);
  expect_cancelled(planned_run, kRunCancelled);
}

TEST_P(CancelTest, PlannedRunOfARecurringJobIsMarkedAndEndsAtItsInstant) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto planned_run = only_live(submitted).id;
  cancel(planned_run);
  cancel(planned_run);
  EXPECT_EQ(run(planned_run).state, RunState::planned);
  EXPECT_TRUE(run(planned_run).is_cancel_requested);

  clock_.advance(1h);
  plan(Plan::DueRun::release, now() + 1h);
  expect_cancelled(planned_run, kRunCancelled);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(only_live(submitted).planned_at, now() + 1h);
  EXPECT_FALSE(only_live(submitted).is_cancel_requested);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
}

TEST_P(CancelTest, MarkedRunThatWouldBeHeldEndsToo) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto planned_run = only_live(submitted).id;
  cancel(planned_run);
  clock_.advance(1h);
  run_now(submitted);
  plan(Plan::DueRun::hold, now() + 1h);
  expect_cancelled(planned_run, kRunCancelled);
  EXPECT_EQ(stats().held, 0);
}

TEST_P(CancelTest, LastPlannedRunMarkedEndsTheSchedule) {
  const auto submitted = submit_recurring(now());
  cancel(only_live(submitted).id);
  auto last = plan_for(due_one(), Plan::DueRun::release);
  last.phase_at_end = JobPhase::succeeded;
  commit(last);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(CancelTest, ReadyRunEnds) {
  const auto submitted = submit_ready();
  const auto ready = only_live(submitted).id;
  cancel(ready);
  expect_cancelled(ready, kRunCancelled);
  EXPECT_EQ(stats().ready, 0);
  EXPECT_TRUE(claim().empty());
}

TEST_P(CancelTest, RetryingRunEnds) {
  submit_ready();
  const auto claimed = claim_one();
  settle(claimed, RunState::retrying);
  cancel(claimed.run);
  expect_cancelled(claimed.run, kRunCancelled);
}

TEST_P(CancelTest, RunBetweenBackOffAndItsNextAttemptEnds) {
  submit_ready();
  const auto claimed = claim_one();
  settle(claimed, RunState::retrying);
  clock_.advance(1min);
  ASSERT_EQ(release(), 1);
  EXPECT_EQ(run(claimed.run).state, RunState::queued);
  cancel(claimed.run);
  expect_cancelled(claimed.run, kRunCancelled);
  EXPECT_EQ(run(claimed.run).attempts.size(), 1U);
}

TEST_P(CancelTest, RunningRunIsMarkedUntilItStops) {
  submit_ready();
  const auto claimed = claim_one();
  cancel(claimed.run);
  EXPECT_EQ(run(claimed.run).state, RunState::running);
  EXPECT_TRUE(run(claimed.run).is_cancel_requested);
  EXPECT_EQ(told_to_stop(), std::vector{claimed.run});
  EXPECT_EQ(told_to_stop(), std::vector{claimed.run});
  EXPECT_EQ(settle(claimed, RunState::cancelled), RunState::cancelled);
  EXPECT_TRUE(told_to_stop().empty());
  EXPECT_EQ(run(claimed.run).state, RunState::cancelled);
  EXPECT_FALSE(run(claimed.run).is_cancel_requested);
}

TEST_P(CancelTest, OnlyTheHolderIsTold) {
  submit_ready();
  const auto claimed = claim_one();
  cancel(claimed.run);
  EXPECT_TRUE(commit(Heartbeat{id<NodeId>(), 15s}).cancelled.empty());
  EXPECT_EQ(told_to_stop(), std::vector{claimed.run});
}

TEST_P(CancelTest, MarkedRunIsNotTriedAgain) {
  const auto submitted = submit_ready();
  const auto claimed = claim_one();
  cancel(claimed.run);
  EXPECT_EQ(settle(claimed, RunState::retrying), RunState::cancelled);
  expect_cancelled(claimed.run, kRunCancelled);
  EXPECT_EQ(run(claimed.run).attempts.size(), 1U);
  EXPECT_EQ(job(submitted).counts.cancelled, 1);
  EXPECT_FALSE(must(store().next_due_at()));
}

TEST_P(CancelTest, MarkedRunThatEndedBeforeItWasStoppedKeepsItsOutcome) {
  submit_ready();
  const auto claimed = claim_one();
  cancel(claimed.run);
  EXPECT_EQ(settle(claimed, RunState::succeeded), RunState::succeeded);
  EXPECT_EQ(run(claimed.run).state, RunState::succeeded);
  EXPECT_FALSE(run(claimed.run).is_cancel_requested);
}

TEST_P(CancelTest, FinalRunStaysAsItIs) {
  const auto submitted = submit_ready();
  const auto claimed = claim_one();
  settle(claimed, RunState::failed);
  cancel(claimed.run);
  EXPECT_EQ(run(claimed.run).state, RunState::failed);
  EXPECT_EQ(job(submitted).counts.cancelled, 0);
}

TEST_P(CancelTest, HeldRunEndsAndTheNextOneKeepsWaiting) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  const auto running = claim_one();
  const auto first_held = due_one().run;
  plan(Plan::DueRun::hold, now());
  const auto second_held = due_one().run;
  plan(Plan::DueRun::hold, now() + 1h);
  cancel(first_held);
  expect_cancelled(first_held, kRunCancelled);
  EXPECT_EQ(stats().held, 1);
  settle(running, RunState::succeeded);
  EXPECT_EQ(claim_one().run, second_held);
}

TEST_P(CancelTest, HeldRunTakesThePlaceOfACancelledOne) {
  const auto submitted = submit_recurring(now());
  const auto ready = run_now(submitted);
  const auto held = due_one().run;
  plan(Plan::DueRun::hold, now() + 1h);
  cancel(ready);
  EXPECT_EQ(run(held).queued_at, now());
  EXPECT_EQ(claim_one().run, held);
}

TEST_P(CancelTest, AnotherProjectsRunIsNotFound) {
  const auto submitted = submit_ready();
  const auto ready = only_live(submitted).id;
  EXPECT_EQ(refusal(try_commit(CancelRun{other_project_, ready, now()})), "not_found");
  EXPECT_EQ(refusal(try_commit(CancelRun{project_, id<RunId>(), now()})), "not_found");
  EXPECT_EQ(run(ready).state, RunState::queued);
  run_one(RunState::succeeded);
  EXPECT_EQ(refusal(try_commit(CancelRun{other_project_, ready, now()})), "not_found");
}

}  // namespace
}  // namespace chronos::store
