// Held runs: they wait for the runs of their job that go on, and are released one by one.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class HeldTest : public StoreTest {
 protected:
  // Holds a run of the job for this instant; the next is due at once.
  RunId hold_one() {
    const auto held = due_one().run;
    clock_.advance(1s);
    plan(Plan::DueRun::hold, now());
    return held;
  }
};
CHRONOS_OVER_ALL_STORES(HeldTest);

TEST_P(HeldTest, HeldRunIsQueuedButNotReady) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  claim_one();
  const auto held = hold_one();
  EXPECT_EQ(run(held).state, RunState::queued);
  EXPECT_FALSE(run(held).queued_at);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(release(), 0);
}

TEST_P(HeldTest, HeldRunsAreReleasedOneByOneInOrder) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  auto running = claim_one();
  const auto first = hold_one();
  const auto second = hold_one();
  settle(running, RunState::succeeded);
  running = claim_one();
  EXPECT_EQ(running.run, first);
  settle(running, RunState::failed);
  running = claim_one();
  EXPECT_EQ(running.run, second);
  settle(running, RunState::succeeded);
  EXPECT_TRUE(claim().empty());
}

TEST_P(HeldTest, ReleasedRunIsQueuedWhenItsPredecessorEnds) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  const auto running = claim_one();
  const auto held = hold_one();
  clock_.advance(1min);
  settle(running, RunState::succeeded);
  EXPECT_EQ(run(held).queued_at, now());
}

TEST_P(HeldTest, BackOffCountsAsGoingOn) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  const auto claimed = claim_one();
  const auto held = hold_one();
  settle(claimed, RunState::retrying);
  EXPECT_EQ(stats().held, 1);
  clock_.advance(1min);
  ASSERT_EQ(release(), 1);
  const auto again = claim_one();
  EXPECT_EQ(again.run, claimed.run);
  EXPECT_EQ(stats().held, 1);
  settle(again, RunState::succeeded);
  EXPECT_EQ(claim_one().run, held);
}

TEST_P(HeldTest, WaitsForAllThatGoOn) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  run_now(submitted);
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2U);
  const auto held = hold_one();
  settle(claimed[0], RunState::succeeded);
  EXPECT_EQ(stats().held, 1);
  settle(claimed[1], RunState::succeeded);
  EXPECT_EQ(claim_one().run, held);
}

TEST_P(HeldTest, PlannedRunsAheadDoNotKeepItWaiting) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  const auto running = claim_one();
  const auto held = hold_one();
  ASSERT_EQ(live(submitted).size(), 3U);
  settle(running, RunState::succeeded);
  EXPECT_EQ(claim_one().run, held);
}

TEST_P(HeldTest, HeldWhenNothingGoesOnIsReadyAtOnce) {
  // The run it was to wait for ended between the planner's look and its commit.
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  const auto due = due_one();
  ASSERT_TRUE(due.is_running);
  run_one(RunState::succeeded);
  commit(plan_for(due, Plan::DueRun::hold));
  EXPECT_EQ(claim_one().run, due.run);
}

TEST_P(HeldTest, RunsOfOtherJobsDoNotRelease) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  claim_one();
  hold_one();
  submit_ready();
  run_one(RunState::succeeded);
  EXPECT_EQ(stats().held, 1);
}

TEST_P(HeldTest, LostRunReleasesToo) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  claim_one();
  const auto held = hold_one();
  clock_.advance(15s);
  const auto expired = must(store().expired_leases(10));
  ASSERT_EQ(expired.size(), 1U);
  settle(expired[0], RunState::lost);
  EXPECT_EQ(claim_one().run, held);
}

}  // namespace
}  // namespace chronos::store
