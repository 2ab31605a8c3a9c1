// Jobs that are unique by a key of their own.
#include "model/json_codec.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class UniqueTest : public StoreTest {
 protected:
  SubmitJob submission(OnConflict on_conflict = OnConflict::reject,
                       UniqueWhile holds_while = UniqueWhile::running, std::string key = "k") {
    auto spec = sample_spec();
    spec.unique = Unique{.key = std::move(key),
                         .holds_while = holds_while,
                         .window = {},
                         .on_conflict = on_conflict};
    if (holds_while == UniqueWhile::window) spec.unique->window = 10min;
    return {new_job(spec), planned(now()), now(), std::nullopt};
  }
  std::string refused(const SubmitJob& change) { return refusal(try_commit(change)); }
};
CHRONOS_OVER_ALL_STORES(UniqueTest);

TEST_P(UniqueTest, TheFirstTakesTheKeyAndTheSecondIsRefused) {
  const auto first = commit(submission());
  EXPECT_FALSE(first.is_holder);
  EXPECT_EQ(refused(submission()), "unique_taken");
  EXPECT_EQ(stats().jobs, 1);
  EXPECT_EQ(stats().ready, 1);
  EXPECT_FALSE(commit(submission(OnConflict::reject, UniqueWhile::running, "other")).is_holder);
}

TEST_P(UniqueTest, AnotherProjectHasKeysOfItsOwn) {
  commit(submission());
  auto elsewhere = submission();
  elsewhere.job.project = other_project_;
  EXPECT_FALSE(commit(elsewhere).is_holder);
}

TEST_P(UniqueTest, KeepAnswersTheHolder) {
  const auto first = commit(submission());
  auto again = submission(OnConflict::keep);
  again.idempotency = Idempotency{id<KeyId>(), "i", Sha256{1}, now()};
  const auto kept = commit(again);
  EXPECT_TRUE(kept.is_holder);
  EXPECT_EQ(kept.job.id, first.job.id);
  EXPECT_EQ(kept.job.status, JobStatus::scheduled);
  EXPECT_EQ(stats().jobs, 1);
  EXPECT_EQ(commit(again).job.id, first.job.id);
  EXPECT_TRUE(commit(again).is_replay);
}

TEST_P(UniqueTest, WhileRunningItIsHeldUntilTheRunHasEnded) {
  commit(submission());
  auto claimed = claim_one();
  EXPECT_EQ(refused(submission()), "unique_taken");
  auto retry = settlement(claimed, RunState::retrying);
  retry.retry_at = now() + 1min;
  commit(retry);
  EXPECT_EQ(refused(submission()), "unique_taken") << "in back-off";
  clock_.advance(1min);
  release();
  settle(claim_one(), RunState::succeeded);
  EXPECT_FALSE(commit(submission()).is_holder);
  EXPECT_EQ(refused(submission()), "unique_taken");
}

TEST_P(UniqueTest, WhileQueuedItIsHeldUntilAnAttemptStarts) {
  commit(submission(OnConflict::reject, UniqueWhile::queued));
  EXPECT_EQ(refused(submission(OnConflict::reject, UniqueWhile::queued)), "unique_taken");
  claim_one();
  EXPECT_FALSE(commit(submission(OnConflict::reject, UniqueWhile::queued)).is_holder);
}

TEST_P(UniqueTest, AWindowIsHeldWhateverBecameOfTheJobAndCanBeExtended) {
  const auto first = commit(submission(OnConflict::reject, UniqueWhile::window));
  settle(claim_one(), RunState::succeeded);
  clock_.advance(9min);
  EXPECT_EQ(refused(submission(OnConflict::reject, UniqueWhile::window)), "unique_taken");
  EXPECT_EQ(commit(submission(OnConflict::extend, UniqueWhile::window)).job.id, first.job.id);
  clock_.advance(9min);
  EXPECT_EQ(commit(submission(OnConflict::keep, UniqueWhile::window)).job.id, first.job.id);
  clock_.advance(1min);
  EXPECT_FALSE(commit(submission(OnConflict::keep, UniqueWhile::window)).is_holder);
}

TEST_P(UniqueTest, ReplaceGivesTheWaitingJobTheNewDeclaration) {
  const auto first = commit(submission());
  auto change = submission(OnConflict::replace);
  change.job.spec.edit().name = "the newer";
  change.job.spec.edit().payload = "[2]";
  change.first_run = planned(now() + 1h);
  const auto replaced = commit(change);
  EXPECT_TRUE(replaced.is_holder);
  EXPECT_EQ(replaced.job.id, first.job.id);
  EXPECT_EQ(replaced.job.created_at, first.job.created_at);
  EXPECT_EQ(replaced.job.version, 2);
  EXPECT_EQ(replaced.job.spec->name, "the newer");
  EXPECT_EQ(job(first.job).spec->payload, "[2]");
  EXPECT_EQ(job(first.job).next_run_at, now() + 1h);
  EXPECT_TRUE(claim().empty()) << "the old run is gone";
  clock_.advance(1h);
  release();
  claim_one();
  EXPECT_EQ(refused(submission(OnConflict::replace)), "unique_taken") << "it has started";
}

TEST_P(UniqueTest, ACancelledHolderHoldsNothing) {
  const auto first = commit(submission());
  commit(CancelJob{.project = project_, .job = first.job.id, .expected_version = {}, .now = now()});
  EXPECT_FALSE(commit(submission()).is_holder);
}

TEST_P(UniqueTest, APausedHolderWaits) {
  auto change = submission();
  change.job.spec.edit().paused = true;
  change.job.parked_at = now();
  change.first_run.reset();
  commit(change);
  EXPECT_EQ(refused(submission()), "unique_taken");
}

}  // namespace
}  // namespace chronos::store
