// Remote workers: heartbeats, WorkerTurn, runs handed back, what is told to those who wait.
#include <algorithm>
#include <mutex>

#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class WorkersTest : public StoreTest {
 protected:
  static JobSpec pulled(std::string queue = "default") {
    auto spec = sample_spec("pulled");
    spec.action = {std::string(kWorkerKind), R"({"kind":"worker"})"};
    spec.queue = std::move(queue);
    return spec;
  }
  Heartbeat beat(std::vector<std::string> queues = {}) {
    return {worker_, 15s, WorkerWords{project_, "mill", std::move(queues)}, now()};
  }
  WorkerTurn turn(int max, std::vector<std::string> queues = {}) {
    WorkerTurn change{beat(queues), {}, std::nullopt};
    if (max == 0) return change;
    change.claim = ClaimRuns{.holder = worker_,
                             .node = "mill",
                             .lanes = {{std::string(kWorkerKind), max}},
                             .queue_limits = {},
                             .now = now(),
                             .project = project_,
                             .queues = std::move(queues)};
    return change;
  }
  std::vector<ClaimedRun> pull(int max = 100, std::vector<std::string> queues = {}) {
    return commit(turn(max, std::move(queues))).claimed;
  }
  std::vector<std::optional<RunState>> report(std::vector<SettleRun> settled) {
    auto change = turn(0);
    change.settled = std::move(settled);
    return commit(std::move(change)).settled;
  }
  std::vector<Worker> workers() { return must(store().list_workers(project_)); }
  std::vector<RunId> expired() {
    std::vector<RunId> ids;
    for (const auto& lease : must(store().expired_leases(100))) ids.push_back(lease.run);
    return ids;
  }

  NodeId worker_ = id<NodeId>();
};
CHRONOS_OVER_ALL_STORES(WorkersTest);

TEST_P(WorkersTest, AWorkerClaimsWhatNoNodeTakes) {
  const auto submitted = submit_ready(pulled());
  EXPECT_TRUE(claim().empty());
  const auto claimed = pull();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].run, only_live(submitted).id);
  EXPECT_EQ(claimed[0].holder, worker_);
  EXPECT_EQ(claimed[0].node, "mill");
  EXPECT_EQ(run(claimed[0].run).state, RunState::running);
  EXPECT_EQ(run(claimed[0].run).node, "mill");
  EXPECT_TRUE(pull().empty());
}

TEST_P(WorkersTest, AWorkerTakesNothingElse) {
  submit_ready();
  EXPECT_TRUE(pull().empty());
}

TEST_P(WorkersTest, ProjectsAreWalls) {
  auto foreign = new_job(pulled());
  foreign.project = other_project_;
  submit(foreign, planned(now()));
  const auto own = submit_ready(pulled());
  const auto claimed = pull();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].job, own.id);
}

TEST_P(WorkersTest, OnlyTheQueuesItNames) {
  submit_ready(pulled("a"));
  const auto b = submit_ready(pulled("b"));
  const auto c = submit_ready(pulled("c"));
  const auto claimed = pull(100, {"c", "b", "nothing"});
  ASSERT_EQ(claimed.size(), 2U);
  EXPECT_EQ(claimed[0].job, b.id);  // by instant and id, whatever the order of the names
  EXPECT_EQ(claimed[1].job, c.id);
  EXPECT_EQ(pull().size(), 1U);
}

TEST_P(WorkersTest, HighestPriorityFirstAcrossQueues) {
  auto low = pulled("a");
  low.priority = 0;
  auto high = pulled("b");
  high.priority = 9;
  submit_ready(low);
  const auto first = submit_ready(high);
  const auto claimed = pull(1, {"a", "b"});
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].job, first.id);
}

TEST_P(WorkersTest, LimitsOfQueuesHoldForWorkersAndNodesTogether) {
  auto http = sample_spec();
  http.queue = "narrow";
  submit_ready(http);
  submit_ready(pulled("narrow"));
  submit_ready(pulled("narrow"));
  const auto by_node = claim_one();
  auto change = turn(100);
  change.claim->queue_limits = {{"narrow", 2}};
  EXPECT_EQ(commit(change).claimed.size(), 1U);
  EXPECT_TRUE(commit(change).claimed.empty());
  settle(by_node, RunState::succeeded);
  EXPECT_EQ(commit(change).claimed.size(), 1U);
}

TEST_P(WorkersTest, ARunThatChangesItsQueueTakesItsSlotAlong) {
  const auto submitted = submit_ready(pulled("a"));
  auto change = turn(100);
  change.claim->queue_limits = {{"a", 1}, {"b", 1}};
  ASSERT_EQ(commit(change).claimed.size(), 1U);
  auto moved = job(submitted);
  moved.spec.edit().queue = "b";
  commit(replacement(moved));
  submit_ready(pulled("b"));
  EXPECT_TRUE(commit(change).claimed.empty());
  const auto a = submit_ready(pulled("a"));
  const auto claimed = commit(change).claimed;
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].job, a.id);
}

// -- Settling in batches --------------------------------------------------------------------------

TEST_P(WorkersTest, EachOutcomeIsAnsweredForItself) {
  for (int i = 0; i < 4; ++i) submit_ready(pulled());
  const auto claimed = pull();
  ASSERT_EQ(claimed.size(), 4U);
  auto stale = settlement(claimed[1], RunState::succeeded);
  stale.token += 1000;
  EXPECT_EQ(
      report({settlement(claimed[0], RunState::succeeded), stale,
              settlement(claimed[2], RunState::failed), settlement(claimed[3], RunState::retrying),
              settlement(claimed[0], RunState::failed)}),
      (std::vector<std::optional<RunState>>{RunState::succeeded, std::nullopt, RunState::failed,
                                            RunState::retrying, std::nullopt}));
  EXPECT_EQ(run(claimed[0].run).state, RunState::succeeded);
  EXPECT_EQ(run(claimed[1].run).state, RunState::running);
  EXPECT_EQ(run(claimed[2].run).state, RunState::failed);
  EXPECT_EQ(run(claimed[3].run).state, RunState::retrying);
}

TEST_P(WorkersTest, SettlingAndClaimingAreOneTurn) {
  submit_ready(pulled());
  auto first = pull(1);
  const auto next = submit_ready(pulled());
  auto change = turn(1);
  change.settled = {settlement(first[0], RunState::succeeded)};
  change.claim->queue_limits = {{"default", 1}};  // the settlement makes room for the claim
  const auto answer = commit(change);
  ASSERT_EQ(answer.claimed.size(), 1U);
  EXPECT_EQ(answer.claimed[0].job, next.id);
}

TEST_P(WorkersTest, AStaleTokenChangesNothing) {
  const auto submitted = submit_ready(pulled());
  const auto late = pull()[0];
  clock_.advance(15s);
  EXPECT_EQ(expired(), std::vector{late.run});
  settle(late, RunState::retrying);  // as the scheduler does with a lost one
  clock_.advance(1min);
  release();
  worker_ = id<NodeId>();
  const auto again = pull();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_GT(again[0].token, late.token);
  EXPECT_EQ(again[0].attempt, 2);
  EXPECT_EQ(report({settlement(late, RunState::succeeded)}),
            std::vector<std::optional<RunState>>{std::nullopt});
  EXPECT_EQ(run(late.run).state, RunState::running);
  EXPECT_EQ(job(submitted).counts.succeeded, 0);
}

TEST_P(WorkersTest, CancelsAreToldUntilTheRunEnds) {
  submit_ready(pulled());
  submit_ready(pulled());
  const auto claimed = pull();
  commit(CancelRun{project_, claimed[1].run, now()});
  EXPECT_EQ(commit(turn(0)).cancelled, std::vector{claimed[1].run});
  auto change = turn(0);
  change.settled = {settlement(claimed[1], RunState::cancelled)};
  EXPECT_TRUE(commit(change).cancelled.empty());
}

// -- Handing back ---------------------------------------------------------------------------------

TEST_P(WorkersTest, ARunHandedBackIsAsIfItHadNotBeenTaken) {
  const auto submitted = submit_ready(pulled());
  const auto claimed = pull();
  clock_.advance(1s);
  EXPECT_EQ(report({settlement(claimed[0], RunState::queued)}),
            std::vector<std::optional<RunState>>{RunState::queued});
  const auto back = only_live(submitted);
  EXPECT_EQ(back.state, RunState::queued);
  EXPECT_EQ(back.attempts_made, 0);
  EXPECT_EQ(back.started_at, std::nullopt);
  EXPECT_EQ(back.queued_at, now());
  EXPECT_EQ(stats().leased, 0);
  EXPECT_EQ(stats().ready, 1);
  const auto again = pull();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].attempt, 1);
  EXPECT_GT(again[0].token, claimed[0].token);
  EXPECT_EQ(report({settlement(claimed[0], RunState::succeeded)}),
            std::vector<std::optional<RunState>>{std::nullopt});
  EXPECT_EQ(report({settlement(again[0], RunState::succeeded)}),
            std::vector<std::optional<RunState>>{RunState::succeeded});
  EXPECT_EQ(run(again[0].run).attempts.size(), 1U);
}

TEST_P(WorkersTest, ALaterAttemptHandedBackKeepsTheEarlierOnes) {
  submit_ready(pulled());
  const auto first = pull()[0];
  report({settlement(first, RunState::retrying)});
  clock_.advance(1min);
  release();
  const auto second = pull()[0];
  EXPECT_EQ(second.attempt, 2);
  report({settlement(second, RunState::queued)});
  const auto back = run(first.run);
  EXPECT_EQ(back.attempts_made, 1);
  EXPECT_EQ(back.started_at, first.started_at);
  EXPECT_EQ(back.attempts.size(), 1U);
  EXPECT_EQ(pull()[0].attempt, 2);
}

TEST_P(WorkersTest, ACancelledRunHandedBackEnds) {
  submit_ready(pulled());
  const auto first = pull()[0];
  report({settlement(first, RunState::retrying)});
  clock_.advance(1min);
  release();
  const auto second = pull()[0];
  commit(CancelRun{project_, second.run, now()});
  EXPECT_EQ(report({settlement(second, RunState::queued)}),
            std::vector<std::optional<RunState>>{RunState::cancelled});
  const auto ended = run(second.run);
  EXPECT_EQ(ended.state, RunState::cancelled);
  EXPECT_EQ(ended.reason, kRunCancelled);
  EXPECT_EQ(ended.attempts.size(), 1U);
  EXPECT_EQ(stats().leased, 0);

  const auto untried = submit_ready(pulled());
  const auto claimed = pull()[0];
  commit(CancelRun{project_, claimed.run, now()});
  report({settlement(claimed, RunState::queued)});
  EXPECT_EQ(run(claimed.run).state, RunState::cancelled);
  EXPECT_EQ(run(claimed.run).started_at, std::nullopt);
  EXPECT_EQ(job(untried).phase, JobPhase::cancelled);
}

// -- Leases ---------------------------------------------------------------------------------------

TEST_P(WorkersTest, OneHeartbeatKeepsAllLeasesOfAWorker) {
  for (int i = 0; i < 3; ++i) submit_ready(pulled());
  pull();
  clock_.advance(10s);
  commit(beat());
  clock_.advance(10s);
  EXPECT_TRUE(expired().empty());
  clock_.advance(5s);
  EXPECT_EQ(expired().size(), 3U);
}

TEST_P(WorkersTest, ARestartGivesWorkersTheirWholeTimeAgain) {
  submit_ready();
  submit_ready(pulled());
  const auto by_node = claim_one();
  const auto by_worker = pull()[0];
  clock_.advance(14s);
  commit(Heartbeat{holder_, 15s});
  store_.reopen();
  EXPECT_EQ(expired(), std::vector{by_node.run});
  clock_.advance(15s - 1us);
  EXPECT_EQ(expired(), std::vector{by_node.run});
  EXPECT_EQ(report({settlement(by_worker, RunState::succeeded)}),
            std::vector<std::optional<RunState>>{RunState::succeeded});
}

TEST_P(WorkersTest, AfterARestartASilentWorkerIsLostToo) {
  submit_ready(pulled());
  const auto claimed = pull()[0];
  store_.reopen();
  clock_.advance(15s);
  EXPECT_EQ(expired(), std::vector{claimed.run});
}

TEST_P(WorkersTest, TheLeasesOfWorkersCanBeReadAgain) {
  submit_ready();
  claim_one();
  const auto submitted = submit_ready(pulled());
  const auto claimed = pull()[0];
  store_.reopen();
  const auto leases = must(store().find_leases({claimed.run, id<RunId>()}));
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].run, claimed.run);
  EXPECT_EQ(leases[0].job, submitted.id);
  EXPECT_EQ(leases[0].project, project_);
  EXPECT_EQ(leases[0].holder, worker_);
  EXPECT_EQ(leases[0].node, "mill");
  EXPECT_EQ(leases[0].token, claimed.token);
  EXPECT_EQ(leases[0].attempt, 1);
  EXPECT_EQ(leases[0].started_at, claimed.started_at);
  EXPECT_EQ(leases[0].queued_at, claimed.queued_at);
  EXPECT_EQ(leases[0].spec->action.kind, kWorkerKind);
}

TEST_P(WorkersTest, TheLeasesOfOneAreReadOldestFirst) {
  for (int i = 0; i < 3; ++i) submit_ready(pulled());
  const auto mine = pull(2);
  const auto me = worker_;
  worker_ = id<NodeId>();
  const auto theirs = pull();
  ASSERT_EQ(theirs.size(), 1U);
  const auto leases = must(store().leases_of(me));
  ASSERT_EQ(leases.size(), 2U);
  EXPECT_EQ(leases[0].token, mine[0].token);
  EXPECT_EQ(leases[1].token, mine[1].token);
  EXPECT_EQ(leases[1].job, mine[1].job);
  EXPECT_EQ(must(store().find_leases({mine[1].run, theirs[0].run, mine[0].run})).size(), 3U);
  EXPECT_TRUE(must(store().find_leases({})).empty());
  settle(mine[0], RunState::succeeded);
  EXPECT_EQ(must(store().leases_of(me)).size(), 1U);
  EXPECT_TRUE(must(store().find_leases({mine[0].run})).empty());
}

TEST_P(WorkersTest, AttemptsOfWorkersThatHadTheirTimeAreFoundByAnybody) {
  auto short_one = pulled();
  short_one.timeout = 10s;
  auto long_one = pulled();
  long_one.timeout = 1min;
  long_one.deadline = 20s;
  auto of_node = sample_spec();
  of_node.timeout = 1s;
  submit_ready(long_one);
  submit_ready(short_one);
  submit_ready(of_node);
  claim_one();
  ASSERT_EQ(pull().size(), 2U);
  store_.reopen();
  const auto overdue = [this](int limit = 10) {
    std::vector<Duration> timeouts;
    for (const auto& claimed : must(store().overdue_leases(now(), limit))) {
      timeouts.push_back(claimed.spec->timeout);
    }
    return timeouts;
  };
  clock_.advance(10s - 1us);
  EXPECT_TRUE(overdue().empty());
  clock_.advance(1us);
  EXPECT_EQ(overdue(), std::vector<Duration>{10s});
  clock_.advance(10s);
  EXPECT_EQ(overdue(), (std::vector<Duration>{10s, 1min}));
  EXPECT_EQ(overdue(1), std::vector<Duration>{10s});
  settle(must(store().overdue_leases(now(), 1)).at(0), RunState::timed_out);
  EXPECT_EQ(overdue(), std::vector<Duration>{1min});
}

// -- Who they are ---------------------------------------------------------------------------------

TEST_P(WorkersTest, AreListedWithWhatTheyHold) {
  const auto first_seen = now();
  submit_ready(pulled());
  submit_ready(pulled());
  const auto claimed = pull(100, {"default", "other"});
  const auto second = worker_;
  clock_.advance(10s);
  commit(beat({"default", "other"}));
  auto listed = workers();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id.uuid, second.uuid);
  EXPECT_EQ(listed[0].info, (WorkerInfo{project_, "mill", {"default", "other"}}));
  EXPECT_EQ(listed[0].first_seen_at, first_seen);
  EXPECT_EQ(listed[0].last_seen_at, now());
  EXPECT_TRUE(listed[0].is_alive);
  EXPECT_EQ(listed[0].running, 2);
  EXPECT_EQ(listed[0].runs, (std::vector{claimed[0].run, claimed[1].run}));

  clock_.advance(15s);
  worker_ = id<NodeId>();
  pull(100, {"third"});
  listed = workers();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].id.uuid, worker_.uuid);
  EXPECT_EQ(listed[0].running, 0);
  EXPECT_FALSE(listed[1].is_alive);
  EXPECT_EQ(listed[1].running, 2);
  EXPECT_TRUE(must(store().list_workers(other_project_)).empty());
  store_.reopen();
  EXPECT_EQ(workers().size(), 2U);
}

TEST_P(WorkersTest, FollowWhatTheySay) {
  commit(beat({"a"}));
  commit(beat({}));
  EXPECT_EQ(workers().at(0).info.queues, std::vector<std::string>{});
  auto renamed = beat({"b", "c"});
  renamed.worker->name = "new";
  commit(renamed);
  EXPECT_EQ(workers().at(0).info, (WorkerInfo{project_, "new", {"b", "c"}}));
}

TEST_P(WorkersTest, WhatTheyLeaveOutIsAsTheySaidBefore) {
  submit_ready(pulled("a"));
  submit_ready(pulled("b"));
  EXPECT_TRUE(pull(1, {"c"}).empty());
  auto change = turn(100);
  change.beat.worker = WorkerWords{.project = project_, .queues = {{"a"}}, .goes_on = true};
  EXPECT_EQ(commit(change).worker, (WorkerInfo{project_, "mill", {"a"}}));
  store_.reopen();
  change.beat.worker = WorkerWords{.project = project_, .goes_on = true};
  const auto none = commit(change);  // of its queues, whatever this change itself says
  EXPECT_EQ(none.worker, (WorkerInfo{project_, "mill", {"a"}}));
  EXPECT_TRUE(none.claimed.empty());
  submit_ready(pulled("a"));
  const auto claimed = commit(change).claimed;
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].node, "mill");
}

TEST_P(WorkersTest, WhoeverGoesOnMustHaveBegun) {
  auto change = turn(0);
  change.beat.worker->goes_on = true;
  EXPECT_EQ(refusal(try_commit(change)), "not_found");
  EXPECT_TRUE(workers().empty());
}

TEST_P(WorkersTest, IdsOfOthersAreNotTheirs) {
  submit_ready(pulled());
  commit(Heartbeat{holder_, 15s});
  pull();
  auto foreign = turn(100);
  foreign.beat.worker->project = other_project_;
  foreign.claim->project = other_project_;
  EXPECT_EQ(refusal(try_commit(foreign)), "not_found");
  auto as_node = turn(0);
  as_node.beat.holder = holder_;
  EXPECT_EQ(refusal(try_commit(as_node)), "not_found");
  EXPECT_EQ(workers().size(), 1U);
}

TEST_P(WorkersTest, AreForgottenAfterADay) {
  commit(beat());
  clock_.advance(kWorkersKept - 1us);
  commit(Prune{now()});
  EXPECT_EQ(workers().size(), 1U);
  clock_.advance(1us);
  EXPECT_EQ(commit(Prune{now()}), 1);
  EXPECT_TRUE(workers().empty());
}

// -- Telling those who wait -----------------------------------------------------------------------

class WorkTest : public WorkersTest {
 protected:
  struct Told {
    std::optional<ProjectId> project;
    std::string queue;
    std::int64_t count = 0;
    bool operator==(const Told&) const = default;
  };

  // Waits as a worker does: takes everything in the transaction that made it ready.
  void wait_for_work() {
    store().on_work([this](std::vector<Work>& work) {
      std::vector<Operation> taken;
      const std::scoped_lock lock(mutex_);
      for (auto& each : work) {
        told_.push_back({each.project, each.queue, each.count});
        if (!is_waiting_) continue;
        each.count = 0;
        taken.push_back({turn(10), [this](Result<Answer> answer) {
                           const std::scoped_lock inner(mutex_);
                           if (!answer) return;
                           for (auto& run : std::get<WorkerTurn::Answer>(*answer).claimed) {
                             handed_.push_back(run.run);
                           }
                         }});
        is_waiting_ = false;
      }
      return taken;
    });
  }
  std::vector<Told> told() {
    commit(turn(0));  // what was told before its answer is here now
    const std::scoped_lock lock(mutex_);
    return std::exchange(told_, {});
  }
  std::vector<RunId> handed() {
    commit(turn(0));
    const std::scoped_lock lock(mutex_);
    return std::exchange(handed_, {});
  }

  std::mutex mutex_;
  bool is_waiting_ = false;
  std::vector<Told> told_;
  std::vector<RunId> handed_;
};
CHRONOS_OVER_ALL_STORES(WorkTest);

TEST_P(WorkTest, AWaitingWorkerHasTheRunWithTheSubmit) {
  wait_for_work();
  is_waiting_ = true;
  const auto submitted = submit_ready(pulled("q"));
  const auto live = only_live(submitted);
  EXPECT_EQ(live.state, RunState::running);  // with the very answer of the submit
  EXPECT_EQ(handed(), std::vector{live.id});
  EXPECT_EQ(told(), (std::vector<Told>{{project_, "q", 1}}));
}

TEST_P(WorkTest, WhatNobodyTookIsToldAgainAfterTheCommit) {
  wait_for_work();
  submit_ready(pulled("q"));
  const Told once{project_, "q", 1};
  EXPECT_EQ(told(), (std::vector{once, once}));
  submit_ready();
  EXPECT_TRUE(told().empty());
}

TEST_P(WorkTest, EveryWayToBecomeReadyIsTold) {
  wait_for_work();
  const Told once{project_, "q", 1};
  const auto submitted = submit_due(now() + 1s, pulled("q"));
  EXPECT_TRUE(told().empty());
  commit(beat());
  clock_.advance(1s);
  release();
  EXPECT_EQ(told(), (std::vector{once, once}));

  auto claimed = pull()[0];
  report({settlement(claimed, RunState::queued)});
  EXPECT_EQ(told(), (std::vector{once, once}));

  report({settlement(pull()[0], RunState::retrying)});
  EXPECT_TRUE(told().empty());
  clock_.advance(1min);
  release();
  EXPECT_EQ(told(), (std::vector{once, once}));

  run_now(submitted);
  EXPECT_EQ(told(), (std::vector{once, once}));
}

TEST_P(WorkTest, RoomInAFullQueueIsTold) {
  wait_for_work();
  submit_ready(pulled("q"));
  submit_ready(pulled("q"));
  auto change = turn(10);
  change.claim->queue_limits = {{"q", 1}};
  const auto claimed = commit(change).claimed;
  ASSERT_EQ(claimed.size(), 1U);
  told();
  report({settlement(claimed[0], RunState::succeeded)});
  const Told room{std::nullopt, "q", 1};
  EXPECT_EQ(told(), (std::vector{room, room}));
}

TEST_P(WorkTest, NodesAreToldWhatAWorkerLetsThemDo) {
  int wakes = 0;
  store().on_change([&] { ++wakes; });
  auto http = sample_spec();
  http.queue = "q";
  submit_ready(pulled("q"));
  auto change = turn(10);
  change.claim->queue_limits = {{"q", 1}};
  const auto claimed = commit(change).claimed;
  submit_ready(http);
  commit(Heartbeat{holder_, 15s});
  auto by_node = claim_change();
  by_node.queue_limits = {{"q", 1}};
  EXPECT_TRUE(commit(by_node).empty());
  commit(beat());
  const auto before = wakes;
  report({settlement(claimed[0], RunState::succeeded)});
  commit(beat());
  EXPECT_EQ(wakes, before + 1);
  EXPECT_EQ(commit(by_node).size(), 1U);
}

}  // namespace
}  // namespace chronos::store
