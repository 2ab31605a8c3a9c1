// Many threads at once: nothing is claimed twice, lost, or seen half.
#include <atomic>
#include <set>
#include <thread>

#include "store_conformance/store_test.h"
#include "support/race.h"

namespace chronos::store {
namespace {

using test::race;

class ConcurrencyTest : public StoreTest {};
CHRONOS_OVER_ALL_STORES(ConcurrencyTest);

TEST_P(ConcurrencyTest, RacingClaimersNeverShareARun) {
  constexpr int kRuns = 200;
  const auto submitted = submit(new_job());
  for (int i = 0; i < kRuns; ++i) run_now(submitted);
  std::vector<std::vector<ClaimedRun>> claimed(4);
  race(4, [&](int number) {
    auto& mine = claimed[static_cast<std::size_t>(number)];
    const auto holder = id<NodeId>();
    must(try_commit(Heartbeat{holder, 15s}));
    while (true) {
      const ClaimRuns change{holder, "node", {{"http", 7}}, {}, now()};
      const auto taken = must(try_commit(change));
      if (taken.empty()) return;
      mine.insert(mine.end(), taken.begin(), taken.end());
    }
  });
  std::set<RunId> runs;
  std::set<std::int64_t> tokens;
  std::size_t total = 0;
  for (const auto& mine : claimed) {
    total += mine.size();
    for (const auto& run : mine) {
      runs.insert(run.run);
      tokens.insert(run.token);
    }
  }
  EXPECT_EQ(total, std::size_t{kRuns});
  EXPECT_EQ(runs.size(), std::size_t{kRuns});
  EXPECT_EQ(tokens.size(), std::size_t{kRuns});
  EXPECT_EQ(stats().leased, kRuns);
}

TEST_P(ConcurrencyTest, EightSubmittersLoseNothing) {
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  std::vector<std::vector<JobId>> made(kThreads);
  race(kThreads, [&](int number) {
    for (int i = 0; i < kEach; ++i) {
      const SubmitJob change{new_job(), planned(now()), now(), std::nullopt};
      made[static_cast<std::size_t>(number)].push_back(must(try_commit(change)).job.id);
    }
  });
  EXPECT_EQ(stats().jobs, kThreads * kEach);
  EXPECT_EQ(stats().ready, kThreads * kEach);
  for (const auto& mine : made) {
    for (const auto job : mine) EXPECT_TRUE(store().find_job(project_, job));
  }
}

TEST_P(ConcurrencyTest, OneOfManySubmittersGetsTheKey) {
  std::atomic<int> accepted = 0;
  std::atomic<int> taken = 0;
  race(8, [&](int) {
    auto spec = sample_spec();
    spec.key = "contended";
    const auto answer = try_commit(SubmitJob{new_job(spec), std::nullopt, now(), std::nullopt});
    if (answer) ++accepted;
    if (refusal(answer) == "key_taken") ++taken;
  });
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(taken, 7);
}

TEST_P(ConcurrencyTest, OneIdempotencyKeyMakesOneJob) {
  const Idempotency idempotency{id<KeyId>(), "k", {}, now()};
  std::atomic<int> fresh = 0;
  std::vector<JobId> answered(8);
  race(8, [&](int number) {
    const auto answer = must(try_commit(SubmitJob{new_job(), planned(now()), now(), idempotency}));
    if (!answer.is_replay) ++fresh;
    answered[static_cast<std::size_t>(number)] = answer.job.id;
  });
  EXPECT_EQ(fresh, 1);
  EXPECT_EQ(std::set<JobId>(answered.begin(), answered.end()).size(), 1U);
  EXPECT_EQ(stats().jobs, 1);
}

TEST_P(ConcurrencyTest, OneOfTwoPlannersWins) {
  for (int round = 0; round < 20; ++round) {
    const auto submitted = submit_recurring(now());
    const auto due = due_one();
    std::atomic<int> won = 0;
    race(2, [&](int) {
      auto change = plan_for(due, Plan::DueRun::release);
      change.next_run = to_plan(now() + 1h);
      if (try_commit(change)) ++won;
    });
    EXPECT_EQ(won, 1);
    EXPECT_EQ(live(submitted).size(), 2U);
  }
}

TEST_P(ConcurrencyTest, OneOfTwoSettlersWins) {
  for (int round = 0; round < 20; ++round) {
    const auto submitted = submit_ready();
    const auto claimed = claim_one();
    std::atomic<int> won = 0;
    race(2, [&](int number) {
      const auto next = number == 0 ? RunState::succeeded : RunState::lost;
      if (try_commit(settlement(claimed, next))) ++won;
    });
    EXPECT_EQ(won, 1);
    EXPECT_EQ(run(claimed.run).attempts.size(), 1U);
    const auto counts = job(submitted).counts;
    EXPECT_EQ(counts.succeeded + counts.failed, 1);
  }
}

TEST_P(ConcurrencyTest, OneOfManyFirstStartsIsTheFirst) {
  std::atomic<int> first = 0;
  race(8, [&](int) {
    const Project project{id<ProjectId>(), "default", now()};
    Key key;
    key.id = id<KeyId>();
    key.project = project.id;
    if (must(try_commit(Bootstrap{project, key})).is_first) ++first;
  });
  EXPECT_EQ(first, 1);
  EXPECT_EQ(must(store().list_projects()).size(), 1U);
}

TEST_P(ConcurrencyTest, ReadersSeeWholeChanges) {
  // A reschedule moves one run out and one in: a reader sees exactly one, whenever it looks.
  const auto submitted = submit_due(now() + 1h);
  std::atomic<bool> is_done = false;
  std::atomic<int> torn = 0;
  std::jthread reader([&] {
    while (!is_done) {
      const auto seen = live(submitted);
      if (seen.size() != 1) ++torn;
    }
  });
  for (std::int64_t version = 1; version <= 100; ++version) {
    auto change = replacement(submitted);
    change.expected_version = version;
    change.job.version = version + 1;
    change.replaces_schedule = true;
    change.next_run = planned(now() + 1h);
    commit(change);
  }
  is_done = true;
  reader.join();
  EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace chronos::store
