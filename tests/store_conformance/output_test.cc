// What running attempts print, while they go on and after.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class OutputTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    commit(Heartbeat{holder_, 15s});
  }
  static AppendOutput::Piece piece(const ClaimedRun& run, std::int64_t offset, std::string bytes) {
    return {run.project, run.job, run.run, run.attempt, run.token, offset, std::move(bytes)};
  }
  void print(const ClaimedRun& run, std::int64_t offset, std::string bytes) {
    AppendOutput change;
    change.pieces.push_back(piece(run, offset, std::move(bytes)));
    commit(std::move(change));
  }
  ClaimedRun start() {
    submit_ready();
    return claim_one();
  }
  OutputPage output(const ClaimedRun& run, int attempt = 0, std::int64_t offset = 0) {
    return must(store().read_output(project_, run.run, attempt, offset));
  }
  SettleRun ended(const ClaimedRun& run, RunState next, std::string output) {
    auto change = settlement(run, next);
    change.attempt.outcome.output = std::move(output);
    change.attempt.outcome.has_live_output = true;
    return change;
  }
};
CHRONOS_OVER_ALL_STORES(OutputTest);

TEST_P(OutputTest, IsReadWhileTheAttemptGoesOn) {
  const auto run = start();
  EXPECT_EQ(output(run).bytes, "");
  EXPECT_TRUE(output(run).is_running);
  EXPECT_EQ(output(run).attempt, 1);
  print(run, 0, "one\n");
  EXPECT_EQ(output(run).bytes, "one\n");
  print(run, 4, "two\n");
  EXPECT_EQ(output(run).bytes, "one\ntwo\n");
  EXPECT_EQ(output(run, 1).bytes, "one\ntwo\n");
  EXPECT_EQ(output(run, 2).bytes, "");
  EXPECT_EQ(refusal(store().read_output(other_project_, run.run, 0)), "not_found");
}

TEST_P(OutputTest, IsReadFromAnyByteOn) {
  const auto run = start();
  print(run, 0, "0123");
  print(run, 4, "4567");
  print(run, 8, "89");
  const std::string whole = "0123456789";
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    EXPECT_EQ(output(run, 0, static_cast<std::int64_t>(i)).bytes, whole.substr(i)) << i;
  }
  EXPECT_EQ(output(run, 0, 11).bytes, "");
  commit(ended(run, RunState::succeeded, whole));
  for (std::size_t i = 0; i <= whole.size(); ++i) {
    EXPECT_EQ(output(run, 0, static_cast<std::int64_t>(i)).bytes, whole.substr(i)) << i;
  }
  EXPECT_EQ(output(run, 0, 11).bytes, "");
  EXPECT_FALSE(output(run).is_running);
}

TEST_P(OutputTest, OfSeveralAttemptsInOneChange) {
  submit_ready();
  submit_ready();
  const auto runs = claim();
  ASSERT_EQ(runs.size(), 2U);
  AppendOutput change;
  change.pieces = {piece(runs[0], 0, "a"), piece(runs[1], 0, "b"), piece(runs[0], 1, "c")};
  commit(change);
  commit(change);  // to repeat it is safe
  EXPECT_EQ(output(runs[0]).bytes, "ac");
  EXPECT_EQ(output(runs[1]).bytes, "b");
}

TEST_P(OutputTest, ThatIsMissingAPieceEndsThere) {
  const auto run = start();
  print(run, 0, "one");
  print(run, 7, "three");
  EXPECT_EQ(output(run).bytes, "one");
  EXPECT_EQ(output(run, 0, 4).bytes, "");
}

TEST_P(OutputTest, OfSomebodyWithoutTheLeaseIsNotKept) {
  auto run = start();
  auto stale = run;
  stale.token += 1;
  print(stale, 0, "stale");
  EXPECT_EQ(output(run).bytes, "");
  settle(run, RunState::succeeded);
  print(run, 0, "late");
  EXPECT_EQ(output(run).bytes, "");
}

TEST_P(OutputTest, OfAnEndedAttemptIsWhatItsOutcomeSays) {
  const auto run = start();
  print(run, 0, "one\n");
  commit(ended(run, RunState::failed, "one\ntwo\n"));
  EXPECT_EQ(output(run).bytes, "one\ntwo\n");
  EXPECT_EQ(output(run).attempt, 1);
}

TEST_P(OutputTest, OfALostAttemptIsWhatWasStored) {
  const auto run = start();
  print(run, 0, "one\n");
  print(run, 4, "two\n");
  auto lost = settlement(run, RunState::lost);
  lost.attempt.outcome.kind = OutcomeKind::lost;
  commit(lost);
  EXPECT_EQ(output(run).bytes, "one\ntwo\n");
}

TEST_P(OutputTest, OfTheNextAttemptBeginsAnew) {
  const auto first = start();
  print(first, 0, "first");
  auto lost = settlement(first, RunState::retrying);
  lost.attempt.outcome.kind = OutcomeKind::lost;
  lost.retry_at = now();
  commit(lost);
  EXPECT_EQ(output(first).bytes, "first") << "it waits for its retry";
  release();
  const auto second = claim_one();
  EXPECT_EQ(output(second).bytes, "");
  print(second, 0, "second");
  EXPECT_EQ(output(second).bytes, "second");
  EXPECT_EQ(output(second).attempt, 2);
  EXPECT_EQ(output(second, 1).bytes, "first");
  commit(ended(second, RunState::succeeded, "second!"));
  EXPECT_EQ(output(second, 1).bytes, "first");
  EXPECT_EQ(output(second, 2).bytes, "second!");
}

TEST_P(OutputTest, OfAnAttemptThatWasHandedBackGoes) {
  const auto first = start();
  print(first, 0, "first");
  settle(first, RunState::queued);
  const auto second = claim_one();
  EXPECT_EQ(second.attempt, 1);
  EXPECT_EQ(output(second).bytes, "");
}

TEST_P(OutputTest, MayBeAnyBytes) {
  const auto run = start();
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  print(run, 0, bytes);
  EXPECT_EQ(output(run).bytes, bytes);
}

}  // namespace
}  // namespace chronos::store
