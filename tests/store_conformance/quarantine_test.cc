// Runs whose remote workers die again and again (model/retry.h): what is read to know them.
#include "model/retry.h"
#include "store/settlement.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class QuarantineTest : public StoreTest {
 protected:
  // A new worker takes the one ready run and falls silent; what the run then comes to.
  RunState take_and_die() {
    const auto worker = id<NodeId>();
    WorkerTurn turn{{worker, 15s, WorkerWords{project_, "mill", std::nullopt}, now()}, {}, {}};
    turn.claim = ClaimRuns{.holder = worker,
                           .node = "mill",
                           .lanes = {{std::string(kWorkerKind), 1}},
                           .queue_limits = {},
                           .now = now(),
                           .project = project_};
    EXPECT_EQ(commit(turn).claimed.size(), 1U);
    clock_.advance(15s);
    const auto lost = must(store().expired_leases(100)).at(0);
    const auto outcome = lease_expired(*lost.spec, run(lost.run).attempts);
    return commit(settlement_of(lost, outcome, {"default", nobody_, now()}, rng_, ids_)).state;
  }

  const NotifyDefaults nobody_;
  Rng rng_{1};
};
CHRONOS_OVER_ALL_STORES(QuarantineTest);

TEST_P(QuarantineTest, TheThirdWorkerInARowIsTheLast) {
  auto spec = sample_spec("poison");
  spec.action = {std::string(kWorkerKind), R"({"kind":"worker"})"};
  spec.max_attempts = 0;
  const auto poison = submit_ready(spec);
  const auto of = only_live(poison).id;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(take_and_die(), RunState::retrying);
    store_.reopen();  // what counts them outlives the server
    clock_.advance(1h);
    release();
  }
  EXPECT_EQ(take_and_die(), RunState::lost);
  EXPECT_EQ(run(of).state, RunState::lost);
  EXPECT_TRUE(run(of).error.starts_with("quarantined"));
  EXPECT_TRUE(live(poison).empty());
}

}  // namespace
}  // namespace chronos::store
