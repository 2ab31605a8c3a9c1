// SettleRun: fencing, retries, final rows, counts, streak and last_run, deliveries.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class SettleTest : public StoreTest {
 protected:
  Delivery delivery_for(RunId run) {
    Delivery delivery;
    delivery.id = id<DeliveryId>();
    delivery.project = project_;
    delivery.run = run;
    delivery.target = {"email", "ops@example.com"};
    delivery.message = test::sample_message();
    delivery.next_attempt_at = now();
    return delivery;
  }
  void expect_lease_lost(const SettleRun& change) {
    const auto before = run(change.run);
    const auto job_before = must(store().find_job(project_, before.job));
    EXPECT_EQ(refusal(try_commit(change)), "lease_lost");
    const auto after = run(change.run);
    EXPECT_EQ(after.state, before.state);
    EXPECT_EQ(after.reason, before.reason);
    EXPECT_EQ(after.error, before.error);
    EXPECT_EQ(after.ended_at, before.ended_at);
    EXPECT_EQ(after.attempts_made, before.attempts_made);
    EXPECT_EQ(after.attempts.size(), before.attempts.size());
    const auto job_after = must(store().find_job(project_, before.job));
    EXPECT_EQ(job_after.counts.failed, job_before.counts.failed);
    EXPECT_EQ(job_after.counts.succeeded, job_before.counts.succeeded);
    EXPECT_EQ(job_after.failure_streak, job_before.failure_streak);
    EXPECT_TRUE(must(store().list_deliveries(project_, change.run)).empty());
    EXPECT_NE(must(store().read_output(project_, change.run, 0)).bytes, "stale");
  }
};
CHRONOS_OVER_ALL_STORES(SettleTest);

// -- Fencing --------------------------------------------------------------------------------------

TEST_P(SettleTest, StaleTokenChangesNothing) {
  submit_ready();
  const auto claimed = claim_one();
  auto stale = settlement(claimed, RunState::failed);
  stale.attempt.outcome.output = "stale";
  stale.deliveries = {delivery_for(claimed.run)};
  stale.token = claimed.token + 1;
  expect_lease_lost(stale);
  stale.token = claimed.token - 1;
  expect_lease_lost(stale);
  EXPECT_EQ(run(claimed.run).state, RunState::running);
}

TEST_P(SettleTest, FirstHolderIsRefusedOnceAnotherHasTheRun) {
  submit_ready();
  const auto first = claim_one();
  clock_.advance(15s);
  const auto expired = must(store().expired_leases(1));
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(settle(expired[0], RunState::retrying), RunState::retrying);

  auto stale = settlement(first, RunState::succeeded);
  stale.attempt.outcome.output = "stale";
  expect_lease_lost(stale);  // it waits for its retry
  clock_.advance(1min);
  release();
  expect_lease_lost(stale);  // it is ready
  const auto second = claim_one();
  EXPECT_GT(second.token, first.token);
  expect_lease_lost(stale);  // another holds it
  settle(second, RunState::failed);
  expect_lease_lost(stale);  // it is final
}

TEST_P(SettleTest, SettledTwiceIsRefused) {
  submit_ready();
  const auto change = settlement(claim_one(), RunState::failed);
  commit(change);
  EXPECT_EQ(refusal(try_commit(change)), "lease_lost");
  EXPECT_EQ(run(change.run).attempts.size(), 1U);
}

TEST_P(SettleTest, UnknownRunIsRefused) {
  submit_ready();
  auto change = settlement(claim_one(), RunState::failed);
  change.run = id<RunId>();
  EXPECT_EQ(refusal(try_commit(change)), "lease_lost");
}

TEST_P(SettleTest, RunThatWasNeverClaimedIsRefused) {
  const auto submitted = submit_ready();
  SettleRun change;
  change.run = only_live(submitted).id;
  change.now = change.attempt.ended_at = now();
  expect_lease_lost(change);
}

// -- Retrying -------------------------------------------------------------------------------------

TEST_P(SettleTest, RetryWaitsUntilItsTime) {
  const auto submitted = submit_ready();
  const auto first = claim_one();
  auto change = settlement(first, RunState::retrying);
  change.retry_at = now() + 10s;
  EXPECT_EQ(commit(change).state, RunState::retrying);
  const auto waiting = run(first.run);
  EXPECT_EQ(waiting.state, RunState::retrying);
  EXPECT_EQ(waiting.next_attempt_at, now() + 10s);
  EXPECT_EQ(waiting.attempts_made, 1);
  EXPECT_EQ(waiting.error, "the target answered 500");
  EXPECT_EQ(waiting.node, "node-a");
  EXPECT_FALSE(waiting.ended_at);
  EXPECT_EQ(job(submitted).status, JobStatus::retrying);
  EXPECT_EQ(job(submitted).next_run_at, now() + 10s);
  EXPECT_EQ(job(submitted).counts.failed, 0);

  clock_.advance(10s - 1us);
  EXPECT_EQ(release(), 0);
  EXPECT_TRUE(claim().empty());
  clock_.advance(1us);
  EXPECT_EQ(release(), 1);
  EXPECT_EQ(run(first.run).state, RunState::queued);
  EXPECT_FALSE(run(first.run).next_attempt_at);
}

TEST_P(SettleTest, AttemptsAreNumberedAndKept) {
  submit_ready();
  const auto start = now();
  RunId id;
  for (int number = 1; number <= 3; ++number) {
    const auto claimed = claim_one();
    id = claimed.run;
    EXPECT_EQ(claimed.attempt, number);
    EXPECT_EQ(claimed.started_at, now());
    EXPECT_EQ(run(id).attempts_made, number);
    clock_.advance(1s);
    auto change = settlement(claimed, number < 3 ? RunState::retrying : RunState::succeeded);
    change.attempt.node = "node-" + std::to_string(number);
    commit(change);
    EXPECT_EQ(run(id).attempts_made, number);
    clock_.advance(1min);
    release();
  }
  const auto ended = run(id);
  EXPECT_EQ(ended.state, RunState::succeeded);
  EXPECT_EQ(ended.started_at, start);  // of the first attempt
  EXPECT_EQ(ended.lateness, 0s);
  EXPECT_EQ(ended.error, "");
  EXPECT_EQ(ended.node, "node-3");
  EXPECT_EQ(ended.queued_at, start + 2 * 61s);  // for the last time
  ASSERT_EQ(ended.attempts.size(), 3U);
  for (int i = 0; i < 3; ++i) {
    const auto& attempt = ended.attempts[static_cast<std::size_t>(i)];
    EXPECT_EQ(attempt.number, i + 1);
    EXPECT_EQ(attempt.node, "node-" + std::to_string(i + 1));
    EXPECT_EQ(attempt.outcome.kind, i < 2 ? OutcomeKind::failed : OutcomeKind::succeeded);
  }
  EXPECT_EQ(ended.attempts[1].started_at, start + 61s);
  EXPECT_EQ(ended.attempts[1].ended_at, start + 62s);
}

TEST_P(SettleTest, RunningAgainShowsNoOldError) {
  submit_ready();
  settle(claim_one(), RunState::retrying);
  clock_.advance(1min);
  release();
  const auto claimed = claim_one();
  EXPECT_EQ(run(claimed.run).error, "");
  EXPECT_EQ(run(claimed.run).node, "node-a");
  EXPECT_EQ(run(claimed.run).attempts.size(), 1U);
}

// -- Final ----------------------------------------------------------------------------------------

TEST_P(SettleTest, EveryFinalStateIsCounted) {
  struct Case {
    RunState state;
    std::int64_t JobCounts::* counter;
    std::int64_t streak;
  };
  const Case cases[] = {{RunState::failed, &JobCounts::failed, 1},
                        {RunState::timed_out, &JobCounts::failed, 1},
                        {RunState::lost, &JobCounts::failed, 1},
                        {RunState::cancelled, &JobCounts::cancelled, 0},
                        {RunState::succeeded, &JobCounts::succeeded, 0}};
  for (const auto& [state, counter, streak] : cases) {
    const auto submitted = submit_ready();
    const auto claimed = claim_one();
    EXPECT_EQ(job(submitted).counts.running, 1);
    clock_.advance(1s);
    EXPECT_EQ(settle(claimed, state), state);
    const auto after = job(submitted);
    EXPECT_EQ(run(claimed.run).state, state);
    EXPECT_EQ(after.counts.*counter, 1) << to_string(state);
    EXPECT_EQ(after.counts.succeeded + after.counts.failed + after.counts.cancelled, 1);
    EXPECT_EQ(after.counts.running, 0);
    EXPECT_EQ(after.failure_streak, streak) << to_string(state);
    ASSERT_TRUE(after.last_run);
    EXPECT_EQ(after.last_run->id, claimed.run);
    EXPECT_EQ(after.last_run->state, state);
    EXPECT_EQ(after.last_run->ended_at, now());
    EXPECT_EQ(after.last_run->error, state == RunState::succeeded ? "" : "the target answered 500");
    EXPECT_EQ(after.version, 1);
    EXPECT_EQ(after.updated_at, submitted.updated_at);
  }
}

TEST_P(SettleTest, StreakGrowsUntilASuccess) {
  const auto submitted = submit(new_job(every_hour()));
  const std::pair<RunState, std::int64_t> steps[] = {
      {RunState::failed, 1}, {RunState::timed_out, 2}, {RunState::cancelled, 2},
      {RunState::lost, 3},   {RunState::succeeded, 0}, {RunState::cancelled, 0},
      {RunState::failed, 1}};
  for (const auto& [state, streak] : steps) {
    run_now(submitted);
    run_one(state);
    EXPECT_EQ(job(submitted).failure_streak, streak) << to_string(state);
  }
  EXPECT_EQ(job(submitted).last_run->state, RunState::failed);
}

TEST_P(SettleTest, RunEndsWhenItsAttemptDid) {
  submit_ready();
  auto change = settlement(claim_one(), RunState::failed);
  clock_.advance(3s);
  change.now = now();
  commit(change);
  EXPECT_EQ(run(change.run).ended_at, change.attempt.ended_at);
}

// -- Deliveries -----------------------------------------------------------------------------------

TEST_P(SettleTest, DeliveriesAreWrittenWithTheOutcome) {
  submit_ready();
  auto change = settlement(claim_one(), RunState::failed);
  change.deliveries = {delivery_for(change.run), delivery_for(change.run)};
  EXPECT_TRUE(must(store().list_deliveries(project_, change.run)).empty());
  commit(change);
  EXPECT_EQ(must(store().list_deliveries(project_, change.run)).size(), 2U);
  EXPECT_EQ(stats().deliveries_waiting, 2);
}

}  // namespace
}  // namespace chronos::store
