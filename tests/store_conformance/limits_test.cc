// Limits by key: concurrency keys and rates, alone, together, and under random work.
#include <algorithm>
#include <map>
#include <set>

#include "base/random.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class LimitsTest : public StoreTest {
 protected:
  static JobSpec limited(std::optional<int> at_once, std::optional<RateLimit> rate = {},
                         std::string key = "tenant") {
    auto spec = sample_spec("limited");
    if (at_once) spec.limits.concurrency = ConcurrencyLimit{key, *at_once};
    spec.limits.rate = std::move(rate);
    return spec;
  }
  static RateLimit per_minute(int max) { return {"api", max, 1min}; }

  std::vector<RunId> submit_many(int count, const JobSpec& spec) {
    std::vector<RunId> ids;
    for (int i = 0; i < count; ++i) ids.push_back(only_live(submit_ready(spec)).id);
    return ids;
  }
  std::optional<LimitStanding> standing(RunId run) {
    const auto standing = must(store().standing(project_, run, 100));
    return standing ? standing->limit : std::nullopt;
  }
  static std::vector<RunId> ids_of(const std::vector<ClaimedRun>& claimed) {
    std::vector<RunId> ids;
    for (const auto& each : claimed) ids.push_back(each.run);
    return ids;
  }
};
CHRONOS_OVER_ALL_STORES(LimitsTest);

// -- Concurrency keys ----------------------------------------------------------------------------

TEST_P(LimitsTest, NoMoreThanMaxOfAKeyAreClaimed) {
  const auto runs = submit_many(5, limited(2));
  EXPECT_EQ(stats().limited, 3);
  EXPECT_EQ(stats().ready, 2);
  const auto first = claim();
  EXPECT_EQ(ids_of(first), (std::vector{runs[0], runs[1]}));
  EXPECT_TRUE(claim().empty());
  settle(first[1], RunState::succeeded);
  EXPECT_EQ(claim_one().run, runs[2]);
}

TEST_P(LimitsTest, ARunInLineIsQueuedAndHasNoQueuedAt) {
  const auto runs = submit_many(2, limited(1));
  EXPECT_EQ(run(runs[0]).queued_at, now());
  EXPECT_EQ(run(runs[1]).state, RunState::queued);
  EXPECT_FALSE(run(runs[1]).queued_at);
  const auto queued = this->runs({.project = project_, .states = {RunState::queued}});
  EXPECT_EQ(queued.size(), 2U);
  clock_.advance(5s);
  run_one(RunState::succeeded);
  EXPECT_EQ(run(runs[1]).queued_at, now());
}

TEST_P(LimitsTest, KeysAreApartAndSoAreProjects) {
  submit_many(2, limited(1, {}, "a"));
  submit_many(2, limited(1, {}, "b"));
  auto foreign = new_job(limited(1, {}, "a"));
  foreign.project = other_project_;
  submit(foreign, planned(now()));
  EXPECT_EQ(claim().size(), 3U);
}

TEST_P(LimitsTest, AKeyIsSharedByJobsAndEachHasItsOwnMax) {
  submit_many(2, limited(2));
  const auto strict = submit_many(1, limited(1))[0];
  const auto wide = submit_many(1, limited(4))[0];
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2U);
  settle(claimed[0], RunState::succeeded);
  // One goes on: too many for the first in line, and nobody overtakes it.
  EXPECT_TRUE(claim().empty());
  settle(claimed[1], RunState::succeeded);
  EXPECT_EQ(ids_of(claim()), (std::vector{strict, wide}));
}

TEST_P(LimitsTest, TheLineIsOrderedByPriorityThenInstant) {
  submit_many(1, limited(1));
  auto urgent = limited(1);
  urgent.priority = 9;
  const auto late = only_live(submit_ready(limited(1))).id;
  const auto early = only_live(submit_due(now() - 1h, limited(1))).id;
  const auto first = only_live(submit_ready(urgent)).id;
  std::vector<RunId> order;
  run_one(RunState::succeeded);
  for (int i = 0; i < 3; ++i) {
    const auto claimed = claim_one();
    order.push_back(claimed.run);
    settle(claimed, RunState::succeeded);
  }
  EXPECT_EQ(order, (std::vector{first, early, late}));
}

TEST_P(LimitsTest, BackOffKeepsTheSlot) {
  const auto runs = submit_many(2, limited(1));
  const auto failed = claim_one();
  settle(failed, RunState::retrying);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(standing(runs[1])->runs, std::vector{runs[0]});
  clock_.advance(1min);
  EXPECT_EQ(release(), 1);
  const auto again = claim_one();
  EXPECT_EQ(again.run, runs[0]);
  settle(again, RunState::failed);
  EXPECT_EQ(claim_one().run, runs[1]);
}

TEST_P(LimitsTest, ALostRunGivesItsSlotBack) {
  const auto runs = submit_many(2, limited(1));
  claim_one();
  clock_.advance(15s);
  const auto expired = must(store().expired_leases(10));
  ASSERT_EQ(expired.size(), 1U);
  settle(expired[0], RunState::lost);
  EXPECT_EQ(claim_one().run, runs[1]);
}

TEST_P(LimitsTest, CancelledRunsLeaveTheLineAndGiveSlotsBack) {
  const auto runs = submit_many(4, limited(1));
  commit(CancelRun{project_, runs[1], now()});
  EXPECT_EQ(run(runs[1]).state, RunState::cancelled);
  commit(CancelRun{project_, runs[0], now()});  // it has the slot, and has not started
  EXPECT_EQ(claim_one().run, runs[2]);
  EXPECT_EQ(stats().limited, 1);
}

TEST_P(LimitsTest, AHandedBackRunKeepsItsSlot) {
  const auto runs = submit_many(2, limited(1));
  settle(claim_one(), RunState::queued);
  EXPECT_EQ(claim_one().run, runs[0]);
}

TEST_P(LimitsTest, DueRunsTakeTheirPlacesWhenTheyAreReleased) {
  const auto later = submit_due(now() + 1s, limited(1));
  const auto latest = submit_due(now() + 2s, limited(1));
  clock_.advance(1min);
  EXPECT_EQ(release(), 2);
  EXPECT_EQ(stats().due, 0);
  EXPECT_EQ(claim_one().run, only_live(later).id);
  EXPECT_EQ(standing(only_live(latest).id)->ahead, 0);
}

TEST_P(LimitsTest, ALimitedRunGoesOnForOverlap) {
  auto spec = every_hour();
  spec.limits.concurrency = ConcurrencyLimit{"tenant", 1};
  submit_many(1, limited(1));
  const auto job = submit_recurring(now(), spec);
  plan(Plan::DueRun::release, now() + 1s);
  ASSERT_EQ(stats().limited, 1);
  clock_.advance(1s);
  EXPECT_TRUE(due_one().is_running);
  const auto held = due_one().run;
  plan(Plan::DueRun::hold);
  EXPECT_EQ(stats().held, 1);
  run_one(RunState::succeeded);
  run_one(RunState::succeeded);
  EXPECT_EQ(claim_one().run, held);
}

TEST_P(LimitsTest, RunsThatWaitFollowNewLimits) {
  auto first = submit_ready(limited(1));
  const auto second = submit_ready(limited(1));
  const auto third = submit_ready(limited(1));
  claim_one();
  auto wider = second;
  wider.spec.edit().limits.concurrency->max = 2;
  commit(replacement(wider));
  EXPECT_EQ(claim_one().run, only_live(second).id);
  auto free = third;
  free.spec.edit().limits = {};
  commit(replacement(free));
  EXPECT_EQ(claim_one().run, only_live(third).id);
  EXPECT_EQ(stats().limited, 0);
}

TEST_P(LimitsTest, ARunningAttemptKeepsItsSlotThroughAChange) {
  const auto first = submit_ready(limited(1));
  const auto runs = submit_many(1, limited(1));
  const auto running = claim_one();
  auto free = first;
  free.spec.edit().limits = {};
  commit(replacement(free));
  EXPECT_TRUE(claim().empty());
  settle(running, RunState::succeeded);
  EXPECT_EQ(claim_one().run, runs[0]);
}

TEST_P(LimitsTest, AChangedPriorityMovesARunInItsLine) {
  submit_many(1, limited(1));
  submit_ready(limited(1));
  auto urgent = submit_ready(limited(1));
  urgent.spec.edit().priority = 9;
  commit(replacement(urgent));
  run_one(RunState::succeeded);
  EXPECT_EQ(claim_one().run, only_live(urgent).id);
}

TEST_P(LimitsTest, AnUnrelatedChangeCostsNobodyItsPlace) {
  const auto first = submit_ready(limited(1, per_minute(1)));
  submit_ready(limited(1, per_minute(1)));
  auto noted = first;
  noted.spec.edit().note = "looked at";
  commit(replacement(noted));
  EXPECT_EQ(claim_one().run, only_live(first).id);
}

// -- Rates ---------------------------------------------------------------------------------------

TEST_P(LimitsTest, NoMoreThanMaxStartWithinTheWindow) {
  submit_many(5, limited({}, per_minute(2)));
  EXPECT_EQ(stats().limited, 3);
  auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2U);
  for (const auto& each : claimed) settle(each, RunState::succeeded);
  EXPECT_TRUE(claim().empty());
  EXPECT_EQ(store().next_due_at(), now() + 1min);
  clock_.advance(1min - Duration(1));
  release();
  EXPECT_TRUE(claim().empty());
  clock_.advance(Duration(1));
  release();
  EXPECT_EQ(claim().size(), 2U);
}

TEST_P(LimitsTest, TheWindowSlides) {
  submit_many(4, limited({}, per_minute(2)));
  claim(1);
  clock_.advance(40s);
  claim(1);
  EXPECT_EQ(store().next_due_at(), kStart + 60s);
  clock_.advance(20s);
  release();
  claim_one();
  clock_.advance(39s);
  release();
  EXPECT_TRUE(claim().empty());
  clock_.advance(1s);
  release();
  claim_one();
}

TEST_P(LimitsTest, WhatWasLetThroughAndHasNotStartedCounts) {
  const auto runs = submit_many(3, limited({}, per_minute(2)));
  clock_.advance(1h);  // nobody claims for an hour: no burst of 120 comes of that
  release();
  EXPECT_EQ(stats().ready, 2);
  EXPECT_EQ(standing(runs[2])->in_use, 2);
  EXPECT_FALSE(standing(runs[2])->opens_at);
  claim();
  EXPECT_EQ(standing(runs[2])->opens_at, now() + 1min);
}

TEST_P(LimitsTest, EachAttemptCounts) {
  const auto runs = submit_many(2, limited({}, per_minute(1)));
  const auto failed = claim_one();
  auto change = settlement(failed, RunState::retrying);
  change.retry_at = now() + 1s;
  commit(change);
  clock_.advance(1min);
  release();
  // The retry was planned as early as the other, and has the smaller id.
  EXPECT_EQ(claim_one().run, runs[0]);
  clock_.advance(1min);
  release();
  EXPECT_EQ(claim_one().run, runs[1]);
}

TEST_P(LimitsTest, ACancelledRunThatNeverStartedCountsNoLonger) {
  const auto runs = submit_many(2, limited({}, per_minute(1)));
  commit(CancelRun{project_, runs[0], now()});
  EXPECT_EQ(claim_one().run, runs[1]);
}

TEST_P(LimitsTest, AClockSetBackDelaysByNoMoreThanTheWindow) {
  submit_many(1, limited({}, per_minute(1)));
  run_one(RunState::succeeded);
  clock_.step_wall(-1h);
  const auto waiting = submit_many(1, limited({}, per_minute(1)))[0];
  EXPECT_EQ(standing(waiting)->opens_at, now() + 1min);
}

TEST_P(LimitsTest, StartsAreForgottenWhenNobodyCanAskForThem) {
  submit_many(1, limited({}, per_minute(5)));
  run_one(RunState::succeeded);
  EXPECT_EQ(commit(Prune{.now = now(), .limit = 10}), 0);
  EXPECT_EQ(commit(Prune{.now = now() + 1min, .limit = 10}), 1);
  EXPECT_EQ(commit(Prune{.now = now() + 1min, .limit = 10}), 0);
}

// -- Both ----------------------------------------------------------------------------------------

TEST_P(LimitsTest, BothLimitsHoldAndTheSlotComesFirst) {
  const auto runs = submit_many(3, limited(2, per_minute(1)));
  EXPECT_EQ(claim_one().run, runs[0]);
  EXPECT_EQ(standing(runs[1])->kind, LimitKind::rate);
  EXPECT_EQ(standing(runs[2])->kind, LimitKind::concurrency);
  EXPECT_EQ(standing(runs[2])->runs, (std::vector{runs[0], runs[1]}));
  clock_.advance(1min);
  release();
  EXPECT_EQ(claim_one().run, runs[1]);
}

TEST_P(LimitsTest, ASlotThatIsFreedByAWorkerTurnIsTakenInTheSameTurn) {
  auto spec = limited(1);
  spec.action = {std::string(kWorkerKind), R"({"kind":"worker"})"};
  const auto runs = submit_many(2, spec);
  const auto worker = id<NodeId>();
  const auto turn = [&](std::vector<SettleRun> settled) {
    WorkerTurn change{{worker, 15s, WorkerWords{project_, "mill", {}}, now()},
                      std::move(settled),
                      ClaimRuns{.holder = worker,
                                .node = "mill",
                                .lanes = {{std::string(kWorkerKind), 10}},
                                .queue_limits = {},
                                .now = now(),
                                .project = project_,
                                .queues = {}}};
    return commit(std::move(change)).claimed;
  };
  const auto first = turn({});
  ASSERT_EQ(ids_of(first), std::vector{runs[0]});
  const auto second = turn({settlement(first[0], RunState::succeeded)});
  EXPECT_EQ(ids_of(second), std::vector{runs[1]});
}

TEST_P(LimitsTest, RandomWorkNeverBreaksALimit) {
  Rng random(11);
  std::map<RunId, ClaimedRun> running;
  std::set<RunId> with_slot;  // started and not ended
  std::vector<Timestamp> starts;
  for (int step = 0; step < 1500; ++step) {
    const auto dice = random.between(0, 9);
    if (dice < 3) {
      submit_ready(limited(3, RateLimit{"api", 4, 10s}));
    } else if (dice < 6) {
      for (const auto& claimed : claim(static_cast<int>(random.between(1, 3)))) {
        running.emplace(claimed.run, claimed);
        with_slot.insert(claimed.run);
        starts.push_back(now());
      }
    } else if (dice < 8 && !running.empty()) {
      auto it = std::next(running.begin(), random.between(0, std::ssize(running) - 1));
      const bool retries = random.chance(333);
      settle(it->second, retries ? RunState::retrying : RunState::succeeded);
      if (!retries) with_slot.erase(it->first);
      running.erase(it);
    } else if (dice == 8) {
      clock_.advance(Duration(random.between(0, 3'000'000)));
      release();
    } else {
      const auto queued = this->runs({.project = project_, .states = {RunState::queued}});
      if (queued.empty()) continue;
      const auto& victim =
          queued[static_cast<std::size_t>(random.between(0, std::ssize(queued) - 1))];
      commit(CancelRun{project_, victim.id, now()});
      with_slot.erase(victim.id);
    }
    ASSERT_LE(with_slot.size(), 3U);
    const auto lately =
        std::ranges::count_if(starts, [&](Timestamp at) { return at > now() - Duration(10s); });
    ASSERT_LE(lately, 4);
  }
  // Nothing is stuck: everything ends once work is done and time passes.
  for (int round = 0; round < 4000 && stats().limited + stats().ready + stats().due > 0; ++round) {
    for (const auto& [_, claimed] : std::exchange(running, {})) {
      settle(claimed, RunState::succeeded);
    }
    for (const auto& claimed : claim()) running.emplace(claimed.run, claimed);
    clock_.advance(3s);
    release();
  }
  EXPECT_EQ(stats().limited, 0);
  EXPECT_EQ(stats().ready, 0);
}

}  // namespace
}  // namespace chronos::store
