// Job::phase, status and next_run_at: what a job has become.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class PhaseTest : public StoreTest {
 protected:
  // Plans the due run as the schedule's last.
  void plan_last(Plan::DueRun what, JobPhase at_end = JobPhase::succeeded) {
    auto change = plan_for(due_one(), what);
    change.phase_at_end = at_end;
    if (what == Plan::DueRun::drop) {
      change.rows = {{id<RunId>(), RunState::missed, "down", change.planned_through, {}, 1}};
    }
    commit(change);
  }
};
CHRONOS_OVER_ALL_STORES(PhaseTest);

TEST_P(PhaseTest, OneTimeJobFollowsItsRun) {
  const std::pair<RunState, JobPhase> cases[] = {{RunState::succeeded, JobPhase::succeeded},
                                                 {RunState::failed, JobPhase::failed},
                                                 {RunState::timed_out, JobPhase::failed},
                                                 {RunState::lost, JobPhase::failed},
                                                 {RunState::cancelled, JobPhase::cancelled}};
  for (const auto& [state, phase] : cases) {
    const auto submitted = submit_ready();
    EXPECT_EQ(job(submitted).phase, JobPhase::active);
    run_one(state);
    EXPECT_EQ(job(submitted).phase, phase) << to_string(state);
  }
}

TEST_P(PhaseTest, BackOffIsNoEnd) {
  const auto submitted = submit_ready();
  run_one(RunState::retrying);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
}

TEST_P(PhaseTest, LastOfSeveralRunsDecides) {
  const auto submitted = submit_ready();
  run_now(submitted);
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2U);
  settle(claimed[0], RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  settle(claimed[1], RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(PhaseTest, RetriedByHandItFollowsTheNewRun) {
  const auto submitted = submit_ready();
  run_one(RunState::failed);
  run_now(submitted, Trigger::retry);
  EXPECT_EQ(job(submitted).phase, JobPhase::failed);
  run_one(RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(PhaseTest, CancelledRunMovesOnlyAnActivePhase) {
  const auto submitted = submit_ready();
  run_one(RunState::succeeded);
  run_now(submitted);
  run_one(RunState::cancelled);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(PhaseTest, WaitingRunKeepsAJobActive) {
  const auto submitted = submit_due(now() + 1h);
  run_now(submitted);
  run_one(RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
}

TEST_P(PhaseTest, RecurringJobStaysActiveBetweenRuns) {
  const auto submitted = submit_recurring(now());
  plan(Plan::DueRun::release, now() + 1h);
  run_one(RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
}

TEST_P(PhaseTest, ParkedJobStaysActive) {
  auto spec = every_hour();
  spec.paused = true;
  const auto submitted = submit_recurring(now(), spec);
  plan(Plan::DueRun::park);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  run_now(submitted);
  run_one(RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
}

TEST_P(PhaseTest, EndedScheduleWaitsForItsLastRun) {
  const auto submitted = submit_recurring(now());
  plan_last(Plan::DueRun::release);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  const auto claimed = claim_one();
  settle(claimed, RunState::retrying);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  clock_.advance(1min);
  release();
  run_one(RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);  // of the schedule, not of the run
}

TEST_P(PhaseTest, EndedScheduleWithNothingLiveEndsAtOnce) {
  const auto submitted = submit_recurring(now());
  plan_last(Plan::DueRun::drop);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
  EXPECT_EQ(job(submitted).status, JobStatus::succeeded);

  const auto missed = submit_recurring(now(), sample_spec());
  plan_last(Plan::DueRun::drop, JobPhase::failed);
  EXPECT_EQ(job(missed).phase, JobPhase::failed);
}

TEST_P(PhaseTest, EndedScheduleWaitsForEarlierRuns) {
  const auto submitted = submit_recurring(now());
  plan(Plan::DueRun::release, now());
  const auto claimed = claim_one();
  plan_last(Plan::DueRun::drop);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  settle(claimed, RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(PhaseTest, EndedScheduleWaitsForHeldRuns) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  const auto running = claim_one();
  plan_last(Plan::DueRun::hold);
  settle(running, RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::active);
  run_one(RunState::succeeded);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(PhaseTest, PhaseAtEndStandsForLaterRuns) {
  const auto submitted = submit_recurring(now());
  plan_last(Plan::DueRun::drop);
  run_now(submitted);
  run_one(RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(PhaseTest, CancellingTheLastWaitingRunEndsTheSchedule) {
  const auto submitted = submit_recurring(now());
  plan_last(Plan::DueRun::release);
  commit(CancelRun{project_, only_live(submitted).id, now()});
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

// -- Status ---------------------------------------------------------------------------------------

TEST_P(PhaseTest, StatusFollowsTheRuns) {
  const auto submitted = submit_recurring(now() + 1h);
  EXPECT_EQ(job(submitted).status, JobStatus::scheduled);
  run_now(submitted);
  EXPECT_EQ(job(submitted).status, JobStatus::scheduled);  // waits for a slot
  auto claimed = claim_one();
  EXPECT_EQ(job(submitted).status, JobStatus::running);
  settle(claimed, RunState::retrying);
  EXPECT_EQ(job(submitted).status, JobStatus::retrying);
  run_now(submitted);
  claimed = claim_one();
  EXPECT_EQ(job(submitted).status, JobStatus::running);  // one runs, one is in back-off
  settle(claimed, RunState::succeeded);
  EXPECT_EQ(job(submitted).status, JobStatus::retrying);
}

TEST_P(PhaseTest, PausedJobThatRunsIsRunning) {
  auto spec = every_hour();
  spec.paused = true;
  const auto submitted = submit_recurring(now() + 1h, spec);
  EXPECT_EQ(job(submitted).status, JobStatus::paused);
  run_now(submitted);
  const auto claimed = claim_one();
  EXPECT_EQ(job(submitted).status, JobStatus::running);
  settle(claimed, RunState::succeeded);
  EXPECT_EQ(job(submitted).status, JobStatus::paused);
}

TEST_P(PhaseTest, FinishedJobThatRunsAgainIsRunning) {
  const auto submitted = submit_ready();
  run_one(RunState::failed);
  EXPECT_EQ(job(submitted).status, JobStatus::failed);
  run_now(submitted);
  EXPECT_EQ(job(submitted).status, JobStatus::failed);
  claim_one();
  EXPECT_EQ(job(submitted).status, JobStatus::running);
}

TEST_P(PhaseTest, CancelledIsCancelledWhateverStillRuns) {
  const auto submitted = submit_ready();
  const auto claimed = claim_one();
  commit(CancelJob{project_, submitted.id, false, std::nullopt, now()});
  EXPECT_EQ(job(submitted).status, JobStatus::cancelled);
  settle(claimed, RunState::cancelled);
  EXPECT_EQ(job(submitted).status, JobStatus::cancelled);
}

TEST_P(PhaseTest, NextRunIsTheEarliestThatWaits) {
  const auto submitted = submit_recurring(now() + 1h);
  EXPECT_EQ(job(submitted).next_run_at, now() + 1h);
  run_now(submitted);
  EXPECT_EQ(job(submitted).next_run_at, now());  // ready
  const auto claimed = claim_one();
  EXPECT_EQ(job(submitted).next_run_at, now() + 1h);  // a running run does not wait
  settle(claimed, RunState::retrying);
  EXPECT_EQ(job(submitted).next_run_at, now() + 1min);
}

}  // namespace
}  // namespace chronos::store
