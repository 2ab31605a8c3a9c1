// Several nodes at once: nothing runs twice, limits are everybody's, and whoever dies is missed.
#include "store_nodes/nodes_test.h"

#include <atomic>
#include <future>
#include <set>

#include "base/mutex.h"

namespace chronos::store {
namespace {

CHRONOS_OVER_POSTGRES(NodesTest);

TEST_P(NodesTest, EachReadsWhatTheOtherCommitted) {
  const auto submitted = submit_ready();
  EXPECT_EQ(must(other().find_job(project_, submitted.id)).spec->name, submitted.spec->name);
  auto changed = submitted;
  changed.spec.edit().note = "by the other";
  EXPECT_EQ(commit_at_other(replacement(changed)).job.version, 2);
  EXPECT_EQ(job(submitted).spec->note, "by the other");
  EXPECT_EQ(must(other().stats()).ready, 1);
  EXPECT_EQ(stats().jobs, 1);
}

TEST_P(NodesTest, RacingClaimersNeverShareARun) {
  constexpr int kRuns = 200;
  const auto submitted = submit(new_job());
  for (int i = 0; i < kRuns; ++i) run_now(submitted);
  std::vector<std::vector<ClaimedRun>> claimed(4);
  race(4, [&](int number) {
    auto& mine = claimed[static_cast<std::size_t>(number)];
    const auto holder = id<NodeId>();
    must(commit_and_wait(node(number), Heartbeat{holder, 15s}));
    while (true) {
      const ClaimRuns change{holder, "node", {{"http", 7}}, {}, now()};
      const auto taken = must(commit_and_wait(node(number), change));
      if (taken.empty()) return;
      mine.insert(mine.end(), taken.begin(), taken.end());
    }
  });
  std::set<RunId> runs;
  std::set<std::int64_t> tokens;
  for (const auto& mine : claimed) {
    for (const auto& run : mine) {
      EXPECT_TRUE(runs.insert(run.run).second);
      EXPECT_TRUE(tokens.insert(run.token).second);
    }
  }
  EXPECT_EQ(runs.size(), std::size_t{kRuns});
  EXPECT_EQ(stats().leased, kRuns);
}

// Whoever watches says so with its heartbeats, and hears of the others' commits from then on.
TEST_P(NodesTest, AWatcherHearsWhatTheOtherNodeTouches) {
  std::promise<Touch> told;
  std::atomic<bool> is_told = false;
  other().on_touch({[] { return true; },
                    [&](const std::vector<Touch>& touches) {
                      for (const auto& touch : touches) {
                        if (touch.job && !is_told.exchange(true)) told.set_value(touch);
                      }
                    }});
  const auto watcher = id<NodeId>();
  commit_at_other(Heartbeat{watcher, 15s});
  auto answer = told.get_future();
  // A hint that is on its way is not awaited: what happens before it arrives is not told.
  do {
    commit(Heartbeat{holder_, 15s});
    submit(new_job());
  } while (answer.wait_for(100ms) == std::future_status::timeout);
  EXPECT_EQ(answer.get().project, project_);
}

TEST_P(NodesTest, OneOfTwoPlannersWins) {
  for (int round = 0; round < 20; ++round) {
    const auto submitted = submit_recurring(now());
    const auto due = due_one();
    std::atomic<int> won = 0;
    race(2, [&](int number) {
      auto change = plan_for(due, Plan::DueRun::release);
      change.next_run = to_plan(now() + 1h);
      const auto answer = commit_and_wait(node(number), change);
      if (answer) ++won;
      EXPECT_EQ(refusal(answer), answer ? "ok" : "version_mismatch");
    });
    EXPECT_EQ(won, 1);
    EXPECT_EQ(live(submitted).size(), 2U);
  }
}

TEST_P(NodesTest, OneOfTwoSettlersWins) {
  for (int round = 0; round < 20; ++round) {
    const auto submitted = submit_ready();
    const auto claimed = claim_one();
    std::atomic<int> won = 0;
    race(2, [&](int number) {
      const auto next = number == 0 ? RunState::succeeded : RunState::lost;
      if (commit_and_wait(node(number), settlement(claimed, next))) ++won;
    });
    EXPECT_EQ(won, 1);
    const auto counts = job(submitted).counts;
    EXPECT_EQ(counts.succeeded + counts.failed, 1);
  }
}

TEST_P(NodesTest, TheLastOfTwoRunsThatEndAtOnceReleasesTheHeldOne) {
  for (int round = 0; round < 10; ++round) {
    const auto submitted = submit_recurring(now());
    run_now(submitted);
    run_now(submitted);
    const auto running = claim();
    ASSERT_EQ(running.size(), 2U);
    plan(Plan::DueRun::hold, now() + 1h);
    race(2, [&](int number) {
      const auto& mine = running[static_cast<std::size_t>(number)];
      must(commit_and_wait(node(number), settlement(mine, RunState::succeeded)));
    });
    EXPECT_EQ(stats().held, 0);
    run_one(RunState::succeeded);
  }
}

TEST_P(NodesTest, OneOfManySubmittersGetsTheKey) {
  std::atomic<int> accepted = 0;
  std::atomic<int> taken = 0;
  race(8, [&](int number) {
    auto spec = sample_spec();
    spec.key = "contended";
    const auto answer =
        commit_and_wait(node(number), SubmitJob{new_job(spec), std::nullopt, now(), std::nullopt});
    if (answer) ++accepted;
    if (refusal(answer) == "key_taken") ++taken;
  });
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(taken, 7);
}

TEST_P(NodesTest, OneIdempotencyKeyMakesOneJob) {
  const Idempotency idempotency{id<KeyId>(), "k", {}, now()};
  std::atomic<int> fresh = 0;
  race(8, [&](int number) {
    const auto answer = must(
        commit_and_wait(node(number), SubmitJob{new_job(), planned(now()), now(), idempotency}));
    if (!answer.is_replay) ++fresh;
  });
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(stats().jobs, 1);
}

TEST_P(NodesTest, OneOfManyFirstStartsIsTheFirst) {
  std::atomic<int> first = 0;
  race(8, [&](int number) {
    const Project project{id<ProjectId>(), "default", now()};
    Key key;
    key.id = id<KeyId>();
    key.project = project.id;
    if (must(commit_and_wait(node(number), Bootstrap{project, key})).is_first) ++first;
  });
  EXPECT_EQ(first, 1);
}

TEST_P(NodesTest, TheLimitOfAQueueIsOneForAllNodes) {
  for (int i = 0; i < 10; ++i) submit_ready();
  auto mine = claim_change();
  mine.queue_limits = {{"default", 3}};
  auto theirs = mine;
  theirs.holder = id<NodeId>();
  commit(Heartbeat{holder_, 15s});
  commit_at_other(Heartbeat{theirs.holder, 15s});
  mine.lanes = theirs.lanes = {{"http", 2}};
  const auto first = commit(mine);
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(commit_at_other(theirs).size(), 1U);
  EXPECT_TRUE(commit(mine).empty());
  settle(first[0], RunState::succeeded);
  EXPECT_EQ(commit_at_other(theirs).size(), 1U);
  EXPECT_TRUE(commit(mine).empty());
}

// -- Who is alive ---------------------------------------------------------------------------------

TEST_P(NodesTest, ASilentNodeIsMissedByTheOthersWhenItsTimeIsOver) {
  submit_ready();
  const auto claimed = claim_one();
  clock_.advance(15s - 1us);
  EXPECT_TRUE(must(other().expired_leases(10)).empty());
  clock_.advance(1us);
  const auto expired = must(other().expired_leases(10));
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].token, claimed.token);
  EXPECT_EQ(commit_at_other(settlement(expired[0], RunState::retrying)).state, RunState::retrying);
  EXPECT_EQ(refusal(try_commit(settlement(claimed, RunState::succeeded))), "lease_lost");
}

TEST_P(NodesTest, ANodeThatIsHeardByAnotherLives) {
  submit_ready();
  claim_one();
  clock_.advance(10s);
  commit_at_other(Heartbeat{holder_, 15s});
  clock_.advance(10s);
  EXPECT_TRUE(must(store().expired_leases(10)).empty());
}

TEST_P(NodesTest, ANodeThatStopsInGoodOrderIsMissedAtOnce) {
  submit_ready();
  const auto theirs = id<NodeId>();
  commit_at_other(Heartbeat{theirs, 15s});
  const ClaimRuns change{theirs, "other", {{"http", 1}}, {}, now()};
  ASSERT_EQ(commit_at_other(change).size(), 1U);
  submit_ready();
  const auto mine = claim_one();
  EXPECT_TRUE(must(store().expired_leases(10)).empty());
  close_other();
  const auto expired = must(store().expired_leases(10));
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].holder, theirs);
  EXPECT_EQ(settle(mine, RunState::succeeded), RunState::succeeded);
}

TEST_P(NodesTest, ANodeThatComesTakesNothingFromTheOthers) {
  submit_ready();
  const auto mine = claim_one();
  close_other();
  open_other();
  EXPECT_TRUE(must(other().expired_leases(10)).empty());
  EXPECT_EQ(settle(mine, RunState::succeeded), RunState::succeeded);
}

TEST_P(NodesTest, AWorkerMayTurnToAnotherNode) {
  auto spec = sample_spec();
  spec.action.kind = kWorkerKind;
  submit_ready(spec);
  const auto worker = id<NodeId>();
  const Heartbeat beat{worker, 15s, WorkerWords{project_, "mill", {{"default"}}}, now()};
  WorkerTurn turn{.beat = beat, .settled = {}, .claim = {}};
  turn.claim = ClaimRuns{worker, "mill", {{std::string(kWorkerKind), 5}}, {}, now()};
  turn.claim->project = project_;
  turn.claim->queues = {"default"};
  const auto claimed = commit(turn).claimed;
  ASSERT_EQ(claimed.size(), 1U);
  const WorkerTurn back{
      .beat = beat, .settled = {settlement(claimed[0], RunState::succeeded)}, .claim = {}};
  EXPECT_EQ(commit_at_other(back).settled.at(0), RunState::succeeded);
  ASSERT_EQ(must(other().list_workers(project_)).size(), 1U);
  EXPECT_TRUE(must(other().list_workers(project_))[0].is_alive);
}

TEST_P(NodesTest, WhatOneNodeGaveToAWorkerAnotherKnowsOf) {
  auto spec = sample_spec();
  spec.action.kind = kWorkerKind;
  spec.timeout = 10s;
  submit_ready(spec);
  const auto worker = id<NodeId>();
  WorkerTurn turn{.beat = {worker, 15s, WorkerWords{project_, "mill"}, now()}, .settled = {}};
  turn.claim = ClaimRuns{worker, {}, {{std::string(kWorkerKind), 5}}, {}, now()};
  turn.claim->project = project_;
  const auto claimed = commit(turn).claimed;
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(must(other().find_leases({claimed[0].run})).at(0).token, claimed[0].token);
  EXPECT_EQ(must(other().leases_of(worker)).at(0).token, claimed[0].token);
  clock_.advance(10s);
  const auto overdue = must(other().overdue_leases(now(), 10));
  ASSERT_EQ(overdue.size(), 1U);
  commit_at_other(settlement(overdue[0], RunState::timed_out));
  EXPECT_TRUE(must(store().overdue_leases(now(), 10)).empty());
  EXPECT_EQ(refusal(try_commit(settlement(claimed[0], RunState::succeeded))), "lease_lost");
}

// A worker that turns from node to node: whoever settles may not know that anything was printed.
TEST_P(NodesTest, WhatWasPrintedThroughAnotherNodeIsKeptWithItsAttempt) {
  const auto print_at_other = [&](const ClaimedRun& run, std::string bytes) {
    AppendOutput change;
    change.pieces = {{run.project, run.job, run.run, run.attempt, run.token, 0, std::move(bytes)}};
    commit_at_other(std::move(change));
  };
  const auto output = [&](const ClaimedRun& run, int attempt) {
    return must(store().read_output(project_, run.run, attempt, 0)).bytes;
  };
  submit_ready();
  const auto first = claim_one();
  print_at_other(first, "first");
  auto again = settlement(first, RunState::retrying);
  again.retry_at = now();
  commit(again);
  release();
  const auto second = claim_one();
  EXPECT_EQ(output(second, 1), "first");
  EXPECT_EQ(output(second, 2), "");
  print_at_other(second, "second");
  settle(second, RunState::succeeded);
  EXPECT_EQ(output(second, 1), "first");
  EXPECT_EQ(output(second, 2), "second");
}

// -- Wake-ups -------------------------------------------------------------------------------------

TEST_P(NodesTest, AnotherNodeIsWokenByWhatUsersAskFor) {
  std::promise<void> woken;
  std::atomic<int> wakes = 0;
  other().on_change([&] {
    if (++wakes == 1) woken.set_value();
  });
  submit_ready();
  woken.get_future().wait();
  other().stop();
}

TEST_P(NodesTest, WorkIsOfferedToTheWorkersOfAnotherNode) {
  std::promise<Work> offered;
  std::atomic<int> offers = 0;
  other().on_work([&](std::vector<Work>& work) {
    if (++offers == 1) offered.set_value(work.at(0));
    return std::vector<Operation>();
  });
  auto spec = sample_spec();
  spec.action.kind = kWorkerKind;
  submit_ready(spec);
  const auto work = offered.get_future().get();
  EXPECT_EQ(work.project, project_);
  EXPECT_EQ(work.queue, "default");
  EXPECT_EQ(work.count, 1);
  other().stop();
}

TEST_P(NodesTest, NobodyIsWokenByWhatASchedulerDoes) {
  std::atomic<int> wakes = 0;
  std::promise<void> woken;
  other().on_change([&] {
    if (++wakes == 1) woken.set_value();
  });
  commit(Heartbeat{holder_, 15s});
  commit(ReleaseDue{now()});
  commit(claim_change());
  submit_ready();  // what is told comes in the order it was told
  woken.get_future().wait();
  other().stop();
  EXPECT_EQ(wakes, 1);
}

}  // namespace
}  // namespace chronos::store
