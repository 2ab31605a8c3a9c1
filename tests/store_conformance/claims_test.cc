// ClaimRuns, Heartbeat, expired_leases.
#include <algorithm>

#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class ClaimsTest : public StoreTest {
 protected:
  RunId ready_run(JobSpec spec) { return only_live(submit_ready(std::move(spec))).id; }
  RunId ready_run(int priority, Timestamp planned_at) {
    auto spec = sample_spec();
    spec.priority = priority;
    return only_live(submit_due(planned_at, spec)).id;
  }
  RunId ready_in(std::string queue) {
    auto spec = sample_spec();
    spec.queue = std::move(queue);
    return ready_run(spec);
  }
  static std::vector<RunId> ids_of(const std::vector<ClaimedRun>& claimed) {
    std::vector<RunId> ids;
    for (const auto& run : claimed) ids.push_back(run.run);
    return ids;
  }
  std::vector<RunId> expired() { return ids_of(must(store().expired_leases(100))); }
};
CHRONOS_OVER_ALL_STORES(ClaimsTest);

TEST_P(ClaimsTest, NothingReadyIsNothingClaimed) {
  EXPECT_TRUE(claim().empty());
}

TEST_P(ClaimsTest, ClaimedRunHasAllALauncherNeeds) {
  const auto instant = now() - 1min;
  auto spec = full_spec();
  spec.key.reset();
  const auto submitted = submit_due(instant, spec);
  clock_.advance(5s);
  const auto claimed = claim_one();
  EXPECT_EQ(claimed.run, only_live(submitted).id);
  EXPECT_EQ(claimed.job, submitted.id);
  EXPECT_EQ(claimed.project, project_);
  EXPECT_GT(claimed.token, 0);
  EXPECT_EQ(claimed.attempt, 1);
  EXPECT_EQ(claimed.trigger, Trigger::schedule);
  EXPECT_EQ(claimed.planned_at, instant);
  EXPECT_EQ(claimed.queued_at, now() - 5s);
  EXPECT_EQ(claimed.started_at, now());
  EXPECT_EQ(claimed.spec->payload, spec.payload);
  EXPECT_EQ(claimed.spec->action, spec.action);
  EXPECT_EQ(claimed.spec->retry, spec.retry);
  EXPECT_EQ(claimed.spec->notify, spec.notify);
}

TEST_P(ClaimsTest, ClaimSeesTheDeclarationAndTheStreakOfItsMoment) {
  const auto submitted = submit_ready();
  auto claimed = claim_one();
  EXPECT_EQ(claimed.failure_streak, 0);
  settle(claimed, RunState::failed);
  run_now(submitted);
  claimed = claim_one();
  EXPECT_EQ(claimed.failure_streak, 1);
  settle(claimed, RunState::failed);

  auto wanted = job(submitted);
  wanted.spec.edit().max_attempts = 9;
  commit(replacement(wanted));
  run_now(submitted);
  claimed = claim_one();
  EXPECT_EQ(claimed.failure_streak, 2);
  EXPECT_EQ(claimed.spec->max_attempts, 9);
  settle(claimed, RunState::succeeded);
  run_now(submitted);
  EXPECT_EQ(claim_one().failure_streak, 0);
}

TEST_P(ClaimsTest, RunIsClaimedOnce) {
  ready_run(sample_spec());
  EXPECT_EQ(claim().size(), 1U);
  EXPECT_TRUE(claim().empty());
}

TEST_P(ClaimsTest, HighestPriorityFirstThenEarliest) {
  const auto last = ready_run(0, now() - 9s);
  const auto third = ready_run(4, now());
  const auto second = ready_run(4, now() - 1s);
  const auto first = ready_run(9, now());
  const auto fourth = ready_run(4, now());  // the same instant: by id
  EXPECT_EQ(ids_of(claim()), (std::vector{first, second, third, fourth, last}));
}

TEST_P(ClaimsTest, LimitedClaimTakesTheFirst) {
  const auto second = ready_run(4, now());
  const auto first = ready_run(5, now());
  EXPECT_EQ(ids_of(claim(1)), std::vector{first});
  EXPECT_EQ(ids_of(claim(1)), std::vector{second});
}

TEST_P(ClaimsTest, RetriesKeepTheirPlannedInstantInOrder) {
  const auto retried = ready_run(sample_spec());
  settle(claim_one(), RunState::retrying);
  clock_.advance(1min);
  const auto fresh = ready_run(sample_spec());
  release();
  EXPECT_EQ(ids_of(claim()), (std::vector{retried, fresh}));
}

TEST_P(ClaimsTest, LanesLimitKinds) {
  auto command = sample_spec();
  command.action.kind = "command";
  auto worker = sample_spec();
  worker.action.kind = "worker";
  const auto http_1 = ready_run(sample_spec());
  const auto command_1 = ready_run(command);
  ready_run(worker);  // no lane: not claimed
  const auto http_2 = ready_run(sample_spec());
  ready_run(command);

  commit(Heartbeat{holder_, 15s});
  auto change = claim_change();
  change.lanes = {{"http", 10}, {"command", 1}};
  EXPECT_EQ(ids_of(commit(change)), (std::vector{http_1, command_1, http_2}));
  change.lanes = {{"http", 10}, {"command", 0}};
  EXPECT_TRUE(commit(change).empty());
  change.lanes = {};
  EXPECT_TRUE(commit(change).empty());
  EXPECT_EQ(stats().ready, 2);
}

TEST_P(ClaimsTest, LeasesOfAQueueKeepToItsLimit) {
  const auto other = id<NodeId>();
  const auto narrow_1 = ready_in("narrow");
  const auto narrow_2 = ready_in("narrow");
  const auto wide_1 = ready_in("wide");
  const auto wide_2 = ready_in("wide");
  ready_in("closed");

  commit(Heartbeat{holder_, 15s});
  auto change = claim_change();
  change.queue_limits = {{"narrow", 1}, {"closed", 0}, {"unknown", 5}};
  const auto first = commit(change);
  EXPECT_EQ(ids_of(first), (std::vector{narrow_1, wide_1, wide_2}));
  EXPECT_TRUE(commit(change).empty());
  // The limit counts leases, whoever holds them.
  commit(Heartbeat{other, 15s});
  change.holder = other;
  EXPECT_TRUE(commit(change).empty());
  settle(first[0], RunState::succeeded);
  EXPECT_EQ(ids_of(commit(change)), std::vector{narrow_2});
  EXPECT_TRUE(commit(change).empty());
}

TEST_P(ClaimsTest, FullQueueDoesNotUseUpItsLane) {
  ready_in("closed");
  ready_in("closed");
  const auto open = ready_in("open");
  commit(Heartbeat{holder_, 15s});
  auto change = claim_change(1);
  change.queue_limits = {{"closed", 0}};
  EXPECT_EQ(ids_of(commit(change)), std::vector{open});
}

TEST_P(ClaimsTest, FullLaneDoesNotUseUpItsQueue) {
  auto command = sample_spec();
  command.action.kind = "command";
  ready_run(command);
  const auto http = ready_run(sample_spec());
  commit(Heartbeat{holder_, 15s});
  auto change = claim_change();
  change.lanes.push_back({"command", 0});
  change.queue_limits = {{"default", 1}};
  EXPECT_EQ(ids_of(commit(change)), std::vector{http});
}

TEST_P(ClaimsTest, ManyRunsInOneQueueAreClaimedPastAFullOne) {
  for (int i = 0; i < 50; ++i) ready_in("closed");
  std::vector<RunId> open;
  for (int i = 0; i < 5; ++i) open.push_back(ready_in("open"));
  commit(Heartbeat{holder_, 15s});
  auto change = claim_change();
  change.queue_limits = {{"closed", 0}};
  EXPECT_EQ(ids_of(commit(change)), open);
}

TEST_P(ClaimsTest, QueuesTakeTurns) {
  const auto crowd_1 = ready_in("crowd");
  const auto crowd_2 = ready_in("crowd");
  const auto crowd_3 = ready_in("crowd");
  const auto few_1 = ready_in("few");
  const auto few_2 = ready_in("few");
  EXPECT_EQ(ids_of(claim()), (std::vector{crowd_1, few_1, crowd_2, few_2, crowd_3}));
}

TEST_P(ClaimsTest, ATurnIsRememberedFromClaimToClaim) {
  const auto crowd_1 = ready_in("crowd");
  const auto crowd_2 = ready_in("crowd");
  const auto crowd_3 = ready_in("crowd");
  const auto crowd_4 = ready_in("crowd");
  EXPECT_EQ(ids_of(claim(2)), (std::vector{crowd_1, crowd_2}));
  const auto few_1 = ready_in("few");
  const auto few_2 = ready_in("few");
  EXPECT_EQ(ids_of(claim(1)), std::vector{few_1}) << "crowd was served since";
  EXPECT_EQ(ids_of(claim(1)), std::vector{crowd_3});
  EXPECT_EQ(ids_of(claim(1)), std::vector{few_2});
  EXPECT_EQ(ids_of(claim(1)), std::vector{crowd_4});
}

TEST_P(ClaimsTest, PriorityGoesBeforeTurns) {
  auto urgent = sample_spec();
  urgent.queue = "crowd";
  urgent.priority = 9;
  const auto urgent_1 = ready_run(urgent);
  const auto urgent_2 = ready_run(urgent);
  const auto crowd = ready_in("crowd");
  const auto few = ready_in("few");
  EXPECT_EQ(ids_of(claim()), (std::vector{urgent_1, urgent_2, few, crowd}));
}

TEST_P(ClaimsTest, AQueueWithoutRoomDoesNotTakeItsTurn) {
  const auto narrow_1 = ready_in("narrow");
  const auto narrow_2 = ready_in("narrow");
  const auto open_1 = ready_in("open");
  const auto open_2 = ready_in("open");
  commit(Heartbeat{holder_, 15s});
  auto change = claim_change();
  change.queue_limits = {{"narrow", 1}};
  const auto claimed = commit(change);
  EXPECT_EQ(ids_of(claimed), (std::vector{narrow_1, open_1, open_2}));
  settle(claimed[0], RunState::succeeded);
  EXPECT_EQ(ids_of(commit(change)), std::vector{narrow_2});
}

TEST_P(ClaimsTest, TokensGrowWithEveryClaim) {
  std::int64_t last = 0;
  const auto submitted = submit_ready();
  run_now(submitted);
  for (const auto& claimed : claim()) {
    EXPECT_GT(claimed.token, last);
    last = claimed.token;
    settle(claimed, RunState::retrying);
  }
  clock_.advance(1min);
  release();
  for (const auto& claimed : claim()) {
    EXPECT_GT(claimed.token, last);
    EXPECT_EQ(claimed.attempt, 2);
    last = claimed.token;
    settle(claimed, RunState::succeeded);
  }
  run_now(submitted);
  EXPECT_GT(claim_one().token, last);
}

// -- Leases ---------------------------------------------------------------------------------------

TEST_P(ClaimsTest, LeaseExpiresWhenItsHolderIsSilent) {
  submit_ready();
  const auto claimed = claim_one();
  clock_.advance(15s - 1us);
  EXPECT_TRUE(expired().empty());
  clock_.advance(1us);
  const auto leases = must(store().expired_leases(10));
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].run, claimed.run);
  EXPECT_EQ(leases[0].job, claimed.job);
  EXPECT_EQ(leases[0].project, claimed.project);
  EXPECT_EQ(leases[0].token, claimed.token);
  EXPECT_EQ(leases[0].attempt, 1);
  EXPECT_EQ(leases[0].planned_at, claimed.planned_at);
  EXPECT_EQ(leases[0].started_at, claimed.started_at);
  EXPECT_EQ(leases[0].spec->max_attempts, 3);
}

TEST_P(ClaimsTest, HeartbeatKeepsLeases) {
  submit_ready();
  const auto claimed = claim_one();
  for (int i = 0; i < 5; ++i) {
    clock_.advance(10s);
    commit(Heartbeat{holder_, 15s});
    EXPECT_TRUE(expired().empty());
  }
  clock_.advance(15s);
  EXPECT_EQ(expired(), std::vector{claimed.run});
  commit(Heartbeat{holder_, 15s});  // it lives after all, and nobody has settled its run
  EXPECT_TRUE(expired().empty());
  EXPECT_EQ(settle(claimed, RunState::succeeded), RunState::succeeded);
}

TEST_P(ClaimsTest, WallClockDoesNotExpireLeases) {
  submit_ready();
  const auto claimed = claim_one();
  clock_.step_wall(24h);
  EXPECT_TRUE(expired().empty());
  clock_.step_wall(-48h);
  EXPECT_TRUE(expired().empty());
  clock_.advance(15s);
  EXPECT_EQ(expired(), std::vector{claimed.run});
}

TEST_P(ClaimsTest, HolderNeverHeardOfHasNoTime) {
  submit_ready();
  const auto claimed = commit(claim_change());
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(expired(), ids_of(claimed));
}

TEST_P(ClaimsTest, EachHolderExpiresForItself) {
  submit_ready();
  const auto first = claim_one();
  clock_.advance(10s);
  submit_ready();
  holder_ = id<NodeId>();
  const auto second = claim_one();
  clock_.advance(5s);
  EXPECT_EQ(expired(), std::vector{first.run});
  clock_.advance(10s);
  EXPECT_EQ(expired(), (std::vector{first.run, second.run}));
}

TEST_P(ClaimsTest, HoldersTimeIsItsOwn) {
  submit_ready();
  const auto claimed = claim_one();
  commit(Heartbeat{holder_, 1min});
  clock_.advance(1min - 1us);
  EXPECT_TRUE(expired().empty());
  clock_.advance(1us);
  EXPECT_EQ(expired(), std::vector{claimed.run});
}

TEST_P(ClaimsTest, ExpiredLeasesAreOldestFirstAndLimited) {
  for (int i = 0; i < 4; ++i) submit_ready();
  const auto claimed = ids_of(claim());
  clock_.advance(15s);
  EXPECT_EQ(expired(), claimed);
  EXPECT_EQ(ids_of(must(store().expired_leases(2))), (std::vector{claimed[0], claimed[1]}));
}

TEST_P(ClaimsTest, SettledLeaseIsGone) {
  submit_ready();
  const auto claimed = claim_one();
  clock_.advance(15s);
  settle(claimed, RunState::lost);
  EXPECT_TRUE(expired().empty());
  EXPECT_EQ(stats().leased, 0);
}

}  // namespace
}  // namespace chronos::store
