// Backfill: runs for instants of the past, whole or not at all, one after another behind the
// schedule's own or all at once.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class BackfillTest : public StoreTest {
 protected:
  // For the `count` hours before virtual time starts.
  Backfill backfill(const Job& job, int count, bool holds = true) {
    Backfill change{.project = job.project,
                    .job = job.id,
                    .expected_version = this->job(job).version,
                    .runs = {},
                    .holds = holds,
                    .now = now(),
                    .idempotency = {}};
    for (int hour = count; hour > 0; --hour) {
      auto run = planned(kStart - hour * 1h, Trigger::backfill);
      run.at = now();
      change.runs.push_back(run);
    }
    return change;
  }
  Idempotency idempotency(std::string key = "k") {
    return {caller_, std::move(key), Sha256{1}, now()};
  }

  const KeyId caller_ = id<KeyId>();
};
CHRONOS_OVER_ALL_STORES(BackfillTest);

TEST_P(BackfillTest, RunsStandForTheirInstantsAndChangeNothingElse) {
  const auto before = submit_recurring(now() + 1h);
  const auto change = backfill(before, 3);
  const auto answer = commit(change);
  EXPECT_EQ(answer.first, change.runs.front().id);
  EXPECT_EQ(answer.last, change.runs.back().id);
  EXPECT_FALSE(answer.is_replay);
  const auto after = job(before);
  EXPECT_EQ(after.version, before.version + 1);
  EXPECT_EQ(after.planned_through, before.planned_through);
  EXPECT_EQ(after.runs_planned, before.runs_planned);
  for (const auto& planned : change.runs) {
    const auto made = run(planned.id);
    EXPECT_EQ(made.trigger, Trigger::backfill);
    EXPECT_EQ(made.planned_at, planned.planned_at);
    EXPECT_EQ(made.state, RunState::queued);
  }
}

TEST_P(BackfillTest, HeldOnesRunOneAfterAnotherOldestFirst) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto change = backfill(submitted, 3);
  commit(change);
  EXPECT_EQ(stats().held, 2);
  for (const auto& planned : change.runs) {
    const auto claimed = claim_one();
    EXPECT_EQ(claimed.run, planned.id);
    EXPECT_EQ(claimed.trigger, Trigger::backfill);
    settle(claimed, RunState::succeeded);
  }
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(job(submitted).counts.succeeded, 3);
}

TEST_P(BackfillTest, WithoutHoldingAllAreReadyAtOnce) {
  commit(backfill(submit_recurring(now() + 1h), 3, false));
  EXPECT_EQ(claim().size(), 3U);
}

TEST_P(BackfillTest, WaitsForWhatGoesOn) {
  const auto submitted = submit_recurring(now() + 1h);
  run_now(submitted);
  const auto running = claim_one();
  commit(backfill(submitted, 2));
  EXPECT_EQ(stats().held, 2);
  EXPECT_TRUE(claim().empty());
  settle(running, RunState::succeeded);
  EXPECT_EQ(stats().held, 1);
}

TEST_P(BackfillTest, TheScheduleGoesFirst) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto change = backfill(submitted, 3);
  commit(change);
  const auto running = claim_one();
  clock_.advance(1h);
  const auto due = due_one();
  EXPECT_TRUE(due.is_backfilling);
  EXPECT_FALSE(due.is_running);
  EXPECT_FALSE(due.is_held);
  commit(plan_for(due, Plan::DueRun::hold));
  settle(running, RunState::succeeded);
  const auto own = claim_one();
  EXPECT_EQ(own.run, due.run);
  settle(own, RunState::succeeded);
  EXPECT_EQ(claim_one().run, change.runs[1].id);
}

TEST_P(BackfillTest, HeldOnesAloneAreNoBackfillThatGoesOn) {
  const auto submitted = submit_recurring(now() + 1h);
  run_now(submitted);
  claim_one();
  commit(backfill(submitted, 2));
  clock_.advance(1h);
  const auto due = due_one();
  EXPECT_FALSE(due.is_backfilling);
  EXPECT_TRUE(due.is_running);
  EXPECT_FALSE(due.is_held);
}

TEST_P(BackfillTest, CancelRunningSparesIt) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto own = run_now(submitted);
  const auto running = claim_one();
  const auto change = backfill(submitted, 2);
  commit(change);
  clock_.advance(1h);
  auto plan = plan_for(due_one(), Plan::DueRun::hold);
  plan.cancels_running = true;
  commit(plan);
  EXPECT_TRUE(run(own).is_cancel_requested);
  for (const auto& planned : change.runs) EXPECT_EQ(run(planned.id).state, RunState::queued);
  settle(running, RunState::cancelled);
}

TEST_P(BackfillTest, CancellingTheJobEndsWhatWaits) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto change = backfill(submitted, 3);
  commit(change);
  claim_one();
  commit(CancelJob{project_, submitted.id, false, {}, now()});
  EXPECT_TRUE(run(change.runs[0].id).is_cancel_requested);
  EXPECT_EQ(run(change.runs[1].id).state, RunState::cancelled);
  EXPECT_EQ(run(change.runs[2].id).state, RunState::cancelled);
}

TEST_P(BackfillTest, CancellingOneLetsTheNextGo) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto change = backfill(submitted, 2);
  commit(change);
  commit(CancelRun{project_, change.runs[0].id, now()});
  EXPECT_EQ(run(change.runs[0].id).state, RunState::cancelled);
  EXPECT_EQ(claim_one().run, change.runs[1].id);
}

TEST_P(BackfillTest, AnotherProjectsJobIsNotFound) {
  auto change = backfill(submit_recurring(now() + 1h), 1);
  change.project = other_project_;
  EXPECT_EQ(refusal(try_commit(change)), "not_found");
}

TEST_P(BackfillTest, OfTwoMadeFromOneLookOneHappens) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto one = backfill(submitted, 2);
  const auto other = backfill(submitted, 2);
  commit(one);
  EXPECT_EQ(refusal(try_commit(other)), "version_mismatch");
  EXPECT_EQ(live(submitted).size(), 3U);
}

TEST_P(BackfillTest, RepeatedAsItIsAnswersTheSame) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto change = backfill(submitted, 2);
  commit(change);
  run_one(RunState::succeeded);  // the first is final now
  const auto again = commit(change);
  EXPECT_TRUE(again.is_replay);
  EXPECT_EQ(again.first, change.runs.front().id);
  EXPECT_EQ(again.last, change.runs.back().id);
  EXPECT_EQ(runs_of(submitted).size(), 3U);
}

TEST_P(BackfillTest, AnIdempotencyKeyStandsForTheSameRuns) {
  const auto submitted = submit_recurring(now() + 1h);
  auto change = backfill(submitted, 2);
  change.idempotency = idempotency();
  commit(change);
  auto again = backfill(submitted, 2);
  again.idempotency = idempotency();
  auto answer = commit(again);
  EXPECT_TRUE(answer.is_replay);
  EXPECT_EQ(answer.first, change.runs.front().id);
  EXPECT_EQ(answer.last, change.runs.back().id);
  again.runs.clear();
  answer = commit(again);
  EXPECT_TRUE(answer.is_replay);
  EXPECT_EQ(answer.last, change.runs.back().id);
  again.idempotency->fingerprint = Sha256{2};
  EXPECT_EQ(refusal(try_commit(again)), "idempotency_key_reused");
}

TEST_P(BackfillTest, NoRunsChangeNothingAndAreNotRemembered) {
  const auto submitted = submit_recurring(now() + 1h);
  auto nothing = backfill(submitted, 0);
  nothing.idempotency = idempotency();
  const auto answer = commit(nothing);
  EXPECT_FALSE(answer.first);
  EXPECT_FALSE(answer.is_replay);
  EXPECT_EQ(job(submitted).version, submitted.version);
  auto change = backfill(submitted, 1);
  change.idempotency = idempotency();
  EXPECT_FALSE(commit(change).is_replay);
}

TEST_P(BackfillTest, IsNeverLate) {
  const auto submitted = submit_recurring(now() + 1h);
  const auto change = backfill(submitted, 1);
  commit(change);
  const auto claimed = claim_one();
  EXPECT_FALSE(run(claimed.run).lateness);
  settle(claimed, RunState::succeeded);
  EXPECT_TRUE(run(claimed.run).started_at);
  EXPECT_FALSE(run(claimed.run).lateness);
}

}  // namespace
}  // namespace chronos::store
