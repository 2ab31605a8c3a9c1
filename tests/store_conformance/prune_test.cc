// Prune: what retention folds and drops, and what it must leave.
#include <algorithm>

#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class PruneTest : public StoreTest {
 protected:
  Job job_keeping(std::int64_t runs, Duration age = 24h * 30) {
    auto spec = every_hour();
    spec.retention = {runs, age};
    return submit(new_job(spec));
  }
  RunId ran(const Job& job, RunState state) {
    const auto run = run_now(job);
    run_one(state);
    clock_.advance(1min);
    return run;
  }
  std::int64_t prune(int limit = 1000) { return commit(Prune{now(), limit}); }
  std::optional<Run> folded(const Job& job, RunState state) {
    for (auto& run : runs_of(job)) {
      if (run.state == state && run.reason == kPruned) return run;
    }
    return std::nullopt;
  }
  std::int64_t total(const Job& job) {
    std::int64_t count = 0;
    for (const auto& run : runs_of(job)) count += run.count;
    return count;
  }
};
CHRONOS_OVER_ALL_STORES(PruneTest);

TEST_P(PruneTest, NothingBeyondRetentionIsLeftAlone) {
  const auto submitted = job_keeping(2);
  ran(submitted, RunState::succeeded);
  ran(submitted, RunState::failed);
  EXPECT_EQ(prune(), 0);
  EXPECT_EQ(runs_of(submitted).size(), 2U);
}

TEST_P(PruneTest, OldestRunsBeyondTheNumberAreFoldedByState) {
  const auto submitted = job_keeping(2);
  const auto start = now();
  std::vector<RunId> made;
  for (const auto state : {RunState::succeeded, RunState::failed, RunState::succeeded,
                           RunState::succeeded, RunState::failed, RunState::cancelled}) {
    made.push_back(ran(submitted, state));
  }
  EXPECT_EQ(prune(), 4);
  const auto succeeded = folded(submitted, RunState::succeeded);
  ASSERT_TRUE(succeeded);
  EXPECT_EQ(succeeded->count, 3);
  EXPECT_EQ(succeeded->planned_at, start);
  EXPECT_EQ(succeeded->planned_until, start + 3min);
  EXPECT_EQ(succeeded->ended_at, start + 3min);
  EXPECT_EQ(succeeded->error, "");
  EXPECT_EQ(succeeded->node, "");
  EXPECT_EQ(succeeded->attempts_made, 0);
  EXPECT_FALSE(succeeded->started_at);
  EXPECT_TRUE(std::ranges::find(made, succeeded->id) != made.end());
  EXPECT_EQ(run(succeeded->id).count, 3);
  const auto failed = folded(submitted, RunState::failed);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->count, 1);
  EXPECT_EQ(runs_of(submitted).size(), 4U);
  EXPECT_EQ(total(submitted), 6);
  EXPECT_EQ(run(made[4]).reason, "http_status");  // kept whole
  EXPECT_EQ(run(made[5]).attempts.size(), 1U);
}

TEST_P(PruneTest, FoldedRunsAreGone) {
  const auto submitted = job_keeping(0);
  run_now(submitted);
  auto change = settlement(claim_one(), RunState::succeeded);
  change.attempt.outcome.output = "output";
  commit(change);
  const auto second = ran(submitted, RunState::succeeded);
  EXPECT_EQ(prune(), 2);
  const auto range = folded(submitted, RunState::succeeded);
  ASSERT_TRUE(range);
  const auto gone = range->id == second ? change.run : second;
  EXPECT_EQ(refusal(store().find_run(project_, gone)), "not_found");
  EXPECT_EQ(must(store().read_output(project_, range->id, 1)).bytes, "");
  EXPECT_TRUE(run(range->id).attempts.empty());
}

TEST_P(PruneTest, OldRunsAreFolded) {
  const auto submitted = job_keeping(100, 1h);
  const auto old_run = ran(submitted, RunState::timed_out);
  clock_.advance(1h - 1min);
  const auto fresh = ran(submitted, RunState::timed_out);
  clock_.advance(-1min);
  EXPECT_EQ(prune(), 0);  // ended exactly an hour ago
  clock_.advance(1us);
  EXPECT_EQ(prune(), 1);
  EXPECT_EQ(run(old_run).reason, kPruned);
  EXPECT_EQ(run(fresh).reason, "http_status");
}

TEST_P(PruneTest, RangesAreFoldedWithTheirCounts) {
  const auto first = now();
  auto spec = every_hour();
  spec.retention.runs = 0;
  const auto submitted = submit_recurring(first, spec);
  clock_.advance(5h);
  auto change = plan_for(due_one(), Plan::DueRun::drop);
  change.rows = {{id<RunId>(), RunState::missed, "down", first, first + 2h, 3},
                 {id<RunId>(), RunState::missed, "window", first + 3h, {}, 1}};
  change.planned_through = first + 3h;
  change.next_run = to_plan(first + 4h);
  commit(change);
  EXPECT_EQ(prune(), 2);
  const auto missed = folded(submitted, RunState::missed);
  ASSERT_TRUE(missed);
  EXPECT_EQ(missed->count, 4);
  EXPECT_EQ(missed->planned_at, first);
  EXPECT_EQ(missed->planned_until, first + 3h);
}

TEST_P(PruneTest, FoldedRowIsNotExtendedByThePlanner) {
  const auto first = now();
  auto spec = every_hour();
  spec.retention.runs = 0;
  const auto submitted = submit_recurring(first, spec);
  const auto skip = [&] {
    const auto due = due_one();
    auto change = plan_for(due, Plan::DueRun::drop);
    change.rows = {{id<RunId>(), RunState::skipped, std::string(kPruned), due.planned_at, {}, 1}};
    change.next_run = to_plan(due.planned_at + 1h);
    commit(change);
    clock_.advance(1h);
  };
  skip();
  EXPECT_EQ(prune(), 1);
  skip();
  EXPECT_EQ(folded(submitted, RunState::skipped)->count, 1);
  EXPECT_EQ(runs_of(submitted).size(), 3U);
}

TEST_P(PruneTest, FoldedRowsGrowAndStay) {
  const auto submitted = job_keeping(1, 1h);
  for (int i = 0; i < 3; ++i) ran(submitted, RunState::succeeded);
  EXPECT_EQ(prune(), 2);
  EXPECT_EQ(prune(), 0);
  const auto before = folded(submitted, RunState::succeeded);
  ASSERT_TRUE(before);
  ran(submitted, RunState::succeeded);
  clock_.advance(24h * 365);
  EXPECT_EQ(prune(), 3) << "two runs, and the tally of when they ended";
  EXPECT_EQ(prune(), 0);
  const auto after = folded(submitted, RunState::succeeded);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->count, 4);
  EXPECT_EQ(after->id, before->id);
  EXPECT_EQ(runs_of(submitted).size(), 1U);
}

TEST_P(PruneTest, WorksInSmallPieces) {
  const auto submitted = job_keeping(1);
  for (int i = 0; i < 8; ++i) ran(submitted, i % 2 == 0 ? RunState::succeeded : RunState::failed);
  EXPECT_EQ(prune(3), 3);
  EXPECT_EQ(total(submitted), 8);
  EXPECT_EQ(prune(3), 3);
  EXPECT_EQ(prune(3), 1);
  EXPECT_EQ(prune(3), 0);
  EXPECT_EQ(total(submitted), 8);
  EXPECT_EQ(runs_of(submitted).size(), 3U);
}

TEST_P(PruneTest, EachJobHasItsOwnRetention) {
  const auto short_lived = job_keeping(0);
  const auto long_lived = job_keeping(10);
  ran(short_lived, RunState::succeeded);
  const auto kept = ran(long_lived, RunState::succeeded);
  EXPECT_EQ(prune(), 1);
  EXPECT_EQ(run(kept).reason, "");
}

TEST_P(PruneTest, RetentionIsTheOneOfNow) {
  const auto submitted = job_keeping(10);
  ran(submitted, RunState::succeeded);
  EXPECT_EQ(prune(), 0);
  auto wanted = job(submitted);
  wanted.spec.edit().retention.runs = 0;
  commit(replacement(wanted));
  EXPECT_EQ(prune(), 1);
}

TEST_P(PruneTest, LiveRunsAndTheJobItselfStay) {
  const auto submitted = job_keeping(0, 1h);
  const auto ended = ran(submitted, RunState::failed);
  run_now(submitted);
  const auto running = claim_one();
  const auto ready = run_now(submitted);
  clock_.advance(48h);
  EXPECT_EQ(prune(), 1);
  EXPECT_EQ(run(running.run).state, RunState::running);
  EXPECT_EQ(run(ready).state, RunState::queued);
  const auto after = job(submitted);
  EXPECT_EQ(after.counts.failed, 1);
  EXPECT_EQ(after.failure_streak, 1);
  ASSERT_TRUE(after.last_run);
  EXPECT_EQ(after.last_run->id, ended);
}

TEST_P(PruneTest, FinishedDeliveriesGoAfterAWhile) {
  Delivery delivery;
  delivery.project = project_;
  delivery.target = {"email", "ops@example.com"};
  delivery.message = test::sample_message();
  delivery.next_attempt_at = now();
  delivery.run = id<RunId>();
  std::vector<DeliveryId> made;
  AddDeliveries change;
  for (int i = 0; i < 3; ++i) {
    made.push_back(delivery.id = id<DeliveryId>());
    change.deliveries.push_back(delivery);
  }
  commit(change);
  commit(FinishDelivery{made[0], DeliveryState::delivered, {}, ""});
  commit(FinishDelivery{made[1], DeliveryState::given_up, {}, ""});
  EXPECT_EQ(prune(), 0);
  clock_.advance(kDeliveriesKept - 1us);
  EXPECT_EQ(prune(), 0);
  clock_.advance(1us);
  EXPECT_EQ(prune(1), 1);
  EXPECT_EQ(prune(), 1);
  const auto left = must(store().list_deliveries(project_, *delivery.run));
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].id, made[2]);  // it still waits
}

TEST_P(PruneTest, OldIdempotencyKeysGo) {
  const auto caller = id<KeyId>();
  const SubmitJob first{new_job(), std::nullopt, now(), Idempotency{caller, "a", {}, now()}};
  commit(first);
  clock_.advance(1h);
  const SubmitJob second{new_job(), std::nullopt, now(), Idempotency{caller, "b", {}, now()}};
  commit(second);
  clock_.advance(kIdempotencyKept - 1h);
  EXPECT_EQ(prune(), 1);
  EXPECT_EQ(prune(), 0);
  EXPECT_TRUE(commit(second).is_replay);
  clock_.advance(1h);
  EXPECT_EQ(prune(), 1);
}

}  // namespace
}  // namespace chronos::store
