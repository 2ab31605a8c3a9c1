// A bug of each class is planted, and the simulator finds it: a checker that cannot fail would
// prove nothing.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "world.h"

namespace chronos::sim {
namespace {

struct Planted {
  Bug bug;
  std::string name;
  std::string complaint;  // some words of it
};

class Canary : public testing::TestWithParam<Planted> {};

INSTANTIATE_TEST_SUITE_P(
    Bugs, Canary,
    testing::Values(Planted{Bug::loses_a_submission, "LostSubmission", "was acknowledged"},
                    Planted{Bug::hands_out_early, "EarlyStart", "started early"},
                    Planted{Bug::forgets_ledger_rows, "HoleInTheLedger", "no row for"},
                    Planted{Bug::forgets_deliveries, "NobodyTold", "deliveries"},
                    Planted{Bug::claims_again, "ClaimedTwice", "old token"},
                    Planted{Bug::never_releases, "NeverStarted", "is still"},
                    Planted{Bug::forgets_the_outcome, "NeverEnded", "is still"},
                    Planted{Bug::answers_twice, "TwoRows", "has two rows for"},
                    Planted{Bug::ignores_overlap, "Overlap", "runs at once"},
                    Planted{Bug::raises_limits, "BeyondTheLimit", "of the concurrency key"},
                    Planted{Bug::records_a_success, "AnotherOutcome", "which it did not end as"},
                    Planted{Bug::records_as_sent, "NeverArrived", "is recorded as delivered"}),
    [](const auto& tested) { return tested.param.name; });

TEST_P(Canary, IsFound) {
  constexpr std::uint64_t kSeeds = 30;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    World world(
        {.seed = seed, .steps = 400, .bug = GetParam().bug, .patience = std::chrono::minutes(30)});
    for (const auto& complaint : world.run()) {
      if (complaint.contains(GetParam().complaint)) return;
    }
  }
  FAIL() << "nobody complained: " << GetParam().complaint;
}

// The stores end the process rather than do this: there is no change to plant it in.
TEST(StateChecker, FindsAFinalRowThatIsOverwritten) {
  StateChecker checker;
  History history;
  auto& run = history[JobId{{.low = 1}}].emplace_back();
  run.id = RunId{{.low = 2}};
  run.state = RunState::succeeded;
  run.count = 2;
  EXPECT_EQ(checker.check(history), Complaints());
  EXPECT_EQ(checker.check(history), Complaints());
  run.state = RunState::failed;
  run.count = 1;
  const auto complaints = checker.check(history);
  ASSERT_EQ(complaints.size(), 2);
  EXPECT_TRUE(complaints[0].contains("moved from succeeded to failed")) << complaints[0];
  EXPECT_TRUE(complaints[1].contains("shrank")) << complaints[1];
}

}  // namespace
}  // namespace chronos::sim
