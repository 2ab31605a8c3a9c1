#include "store/committer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <latch>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace chronos::store {
namespace {

using Log = std::vector<std::string>;

// Changes are told apart by Prune::limit, which is their answer too.
class FakeTransactor final : public Transactor {
 public:
  Result<void> begin() override {
    log.push_back("begin");
    return next(begins);
  }
  Result<Answer> perform(const Change& change) override {
    if (std::holds_alternative<SubmitJob>(change)) return Answer(JobAnswer{});
    const auto* prune = std::get_if<Prune>(&change);
    if (prune == nullptr) return Answer(std::monostate{});
    log.push_back(std::to_string(prune->limit));
    if (auto& errors = performs[prune->limit]; !errors.empty()) {
      auto error = errors.front();
      errors.erase(errors.begin());
      if (error) return std::unexpected(*error);
    }
    return Answer(std::int64_t{prune->limit});
  }
  Result<void> commit() override {
    log.push_back("commit");
    if (during_commit) during_commit();
    return next(commits);
  }
  void rollback() override { log.push_back("rollback"); }
  News take_news() override { return std::exchange(news, {}); }
  void tell_others(const News& told) override { touches_told += told.touched.size(); }

  Log log;
  // What the next calls answer, in order; success when nothing is left.
  using Errors = std::vector<std::optional<Error>>;
  Errors begins;
  Errors commits;
  std::map<int, Errors> performs;
  std::function<void()> during_commit;
  News news;
  std::size_t touches_told = 0;

 private:
  static Result<void> next(Errors& errors) {
    if (errors.empty()) return {};
    const auto error = errors.front();
    errors.erase(errors.begin());
    if (error) return std::unexpected(*error);
    return {};
  }
};

Error error_of(Reason reason) {
  return {reason, std::string(to_string(reason)), {}, {}};
}

class CommitterTest : public testing::Test {
 protected:
  CommitterTest() {
    options_.on_fatal = [this](const Error& error) {
      fatal_.push_back(std::string(to_string(error.reason)));
    };
  }
  Committer& committer() {
    if (!committer_) committer_.emplace(transactor_, options_);
    return *committer_;
  }
  void enqueue(Operation operation) { committer().enqueue({&operation, 1}); }
  void send(int number) {
    enqueue({Prune{{}, number}, [this, number](Result<Answer> answer) { tell(number, answer); }});
  }
  void tell(int number, const Result<Answer>& answer) {
    auto text = std::to_string(number) + " ";
    text += answer ? std::to_string(std::get<std::int64_t>(*answer))
                   : std::string(to_string(answer.error().reason));
    answers_.push_back(text);
    transactor_.log.push_back("done");
  }

  FakeTransactor transactor_;
  CommitterOptions options_;
  Log answers_;
  Log fatal_;
  std::optional<Committer> committer_;  // last: it may call all of these
};

TEST_F(CommitterTest, NothingWaitingIsNoTransaction) {
  EXPECT_FALSE(committer().pump());
  EXPECT_EQ(transactor_.log, Log{});
}

TEST_F(CommitterTest, WhatWaitsIsOneTransactionAnsweredAfterItsCommit) {
  send(1);
  send(2);
  send(3);
  EXPECT_EQ(answers_, Log{});
  EXPECT_TRUE(committer().pump());
  EXPECT_EQ(transactor_.log, (Log{"begin", "1", "2", "3", "commit", "done", "done", "done"}));
  EXPECT_EQ(answers_, (Log{"1 1", "2 2", "3 3"}));
  EXPECT_FALSE(committer().pump());
}

TEST_F(CommitterTest, LongQueueIsSeveralTransactions) {
  options_.batch_max = 2;
  for (int i = 1; i <= 5; ++i) send(i);
  EXPECT_TRUE(committer().pump());
  EXPECT_EQ(answers_, (Log{"1 1", "2 2"}));
  EXPECT_TRUE(committer().pump());
  EXPECT_TRUE(committer().pump());
  EXPECT_EQ(answers_, (Log{"1 1", "2 2", "3 3", "4 4", "5 5"}));
  EXPECT_FALSE(committer().pump());
}

TEST_F(CommitterTest, RefusalLeavesTheTransactionWhole) {
  transactor_.performs[2] = {error_of(Reason::version_mismatch)};
  send(1);
  send(2);
  send(3);
  committer().pump();
  EXPECT_EQ(transactor_.log, (Log{"begin", "1", "2", "3", "commit", "done", "done", "done"}));
  EXPECT_EQ(answers_, (Log{"1 1", "2 version_mismatch", "3 3"}));
}

class HandOutTest : public CommitterTest {
 protected:
  // Whoever waits takes everything of one queue, with one change.
  void wait_for(std::string queue, int number) {
    committer().on_work([this, queue = std::move(queue), number](std::vector<Work>& work) {
      std::vector<Operation> taken;
      for (auto& each : work) {
        told_.push_back(each.queue);
        if (each.queue != queue) continue;
        each.count = 0;
        Prune change;
        change.limit = number;
        taken.push_back(
            make_operation(change, Done<std::int64_t>([this](Result<std::int64_t> answer) {
                             answers_.push_back(answer ? "taken" : "refused");
                           })));
      }
      return taken;
    });
  }
  void make_ready(std::string queue) {
    transactor_.news.work = {{std::nullopt, std::move(queue), 1}};
  }

  Log told_;
};

TEST_F(HandOutTest, WhatIsTakenIsMadeInTheSameTransaction) {
  wait_for("q", 9);
  make_ready("q");
  send(1);
  EXPECT_TRUE(committer().pump());
  EXPECT_EQ(transactor_.log, (Log{"begin", "1", "9", "commit", "done"}));
  EXPECT_EQ(answers_, (Log{"1 1", "taken"}));
  EXPECT_EQ(told_, Log{"q"});
  EXPECT_FALSE(committer().pump());
}

TEST_F(HandOutTest, WhatNobodyTookIsToldOnceMore) {
  wait_for("other", 9);
  make_ready("q");
  send(1);
  committer().pump();
  EXPECT_EQ(transactor_.log, (Log{"begin", "1", "commit", "done"}));
  EXPECT_EQ(told_, (Log{"q", "q"}));
}

TEST_F(HandOutTest, ATakerThatSpoilsItIsReplayedLikeAnyOther) {
  wait_for("q", 9);
  make_ready("q");
  transactor_.performs[9] = {error_of(Reason::internal), error_of(Reason::internal)};
  send(1);
  committer().pump();
  EXPECT_EQ(transactor_.log, (Log{"begin", "1", "9", "rollback", "begin", "1", "commit", "done",
                                  "begin", "9", "rollback"}));
  EXPECT_EQ(answers_, (Log{"1 1", "refused"}));
}

TEST_F(HandOutTest, NodesAreWokenWhenThereIsNewsForThem) {
  int wakes = 0;
  committer().on_change([&] { ++wakes; });
  send(1);
  committer().pump();
  EXPECT_EQ(wakes, 0);
  transactor_.news.is_for_nodes = true;
  send(2);
  committer().pump();
  EXPECT_EQ(wakes, 1);
}

TEST_F(CommitterTest, SpoiltTransactionIsReplayedOneByOne) {
  for (const auto reason : {Reason::internal, Reason::store_unavailable, Reason::store_full}) {
    transactor_.log.clear();
    answers_.clear();
    transactor_.performs[2] = {error_of(reason), error_of(reason)};
    send(1);
    send(2);
    send(3);
    committer().pump();
    EXPECT_EQ(transactor_.log, (Log{"begin", "1", "2", "rollback",     //
                                    "begin", "1", "commit", "done",    //
                                    "begin", "2", "rollback", "done",  //
                                    "begin", "3", "commit", "done"}));
    EXPECT_EQ(answers_, (Log{"1 1", "2 " + std::string(to_string(reason)), "3 3"}));
  }
  EXPECT_EQ(fatal_, Log{});
}

TEST_F(CommitterTest, ReplayMayHeal) {
  transactor_.performs[1] = {error_of(Reason::internal)};
  send(1);
  send(2);
  committer().pump();
  EXPECT_EQ(answers_, (Log{"1 1", "2 2"}));
}

TEST_F(CommitterTest, TransactionThatDoesNotBeginRefusesItsBatch) {
  transactor_.begins = {error_of(Reason::store_unavailable)};
  send(1);
  send(2);
  committer().pump();
  EXPECT_EQ(transactor_.log, (Log{"begin", "done", "done"}));
  EXPECT_EQ(answers_, (Log{"1 store_unavailable", "2 store_unavailable"}));
  send(3);
  committer().pump();
  EXPECT_EQ(answers_.back(), "3 3");
}

TEST_F(CommitterTest, FullStoreTakesWhatFitsAlone) {
  const auto full = error_of(Reason::store_full);
  transactor_.commits = {full, std::nullopt, full, std::nullopt};
  send(1);
  send(2);
  send(3);
  committer().pump();
  EXPECT_EQ(answers_, (Log{"1 1", "2 store_full", "3 3"}));
  EXPECT_EQ(fatal_, Log{});
}

TEST_F(CommitterTest, FullStoreTellsASingleChangeAtOnce) {
  transactor_.commits = {error_of(Reason::store_full)};
  send(1);
  committer().pump();
  EXPECT_EQ(transactor_.log, (Log{"begin", "1", "commit", "done"}));
  EXPECT_EQ(answers_, Log{"1 store_full"});
  send(2);
  committer().pump();
  EXPECT_EQ(answers_.back(), "2 2");
}

// A database that does not answer takes seconds to say so, each time it is asked.
TEST_F(CommitterTest, ReplayThatDoesNotBeginRefusesWhatIsLeft) {
  transactor_.performs[2] = {error_of(Reason::internal)};
  transactor_.begins = {std::nullopt, std::nullopt, error_of(Reason::store_unavailable)};
  send(1);
  send(2);
  send(3);
  committer().pump();
  EXPECT_EQ(answers_, (Log{"1 1", "2 store_unavailable", "3 store_unavailable"}));
  EXPECT_EQ(std::ranges::count(transactor_.log, "begin"), 3);
  send(4);
  committer().pump();
  EXPECT_EQ(answers_.back(), "4 4");
}

// -- Nobody knows ---------------------------------------------------------------------------------

TEST_F(CommitterTest, UnknownCommitIsToldToEverybodyAndEndsTheCommitter) {
  transactor_.commits = {error_of(Reason::unknown_commit)};
  options_.batch_max = 2;
  for (int i = 1; i <= 4; ++i) send(i);
  committer().pump();
  EXPECT_EQ(answers_,
            (Log{"1 unknown_commit", "2 unknown_commit", "3 unknown_commit", "4 unknown_commit"}));
  EXPECT_EQ(fatal_, Log{"unknown_commit"});
  EXPECT_EQ(transactor_.log[0], "begin");
  EXPECT_EQ(std::ranges::count(transactor_.log, "rollback"), 0);

  send(5);
  EXPECT_EQ(answers_.back(), "5 shutting_down");
  EXPECT_FALSE(committer().pump());
  committer().stop();
  EXPECT_EQ(fatal_.size(), 1U);
}

TEST_F(CommitterTest, WaitersAreToldBeforeTheProcessEnds) {
  std::size_t answered_before = 0;
  options_.on_fatal = [&](const Error&) { answered_before = answers_.size(); };
  transactor_.commits = {error_of(Reason::unknown_commit)};
  options_.batch_max = 1;
  send(1);
  send(2);
  committer().pump();
  EXPECT_EQ(answered_before, 2U);
}

TEST_F(CommitterTest, UnknownCommitInAReplayLeavesEarlierAnswersTrue) {
  transactor_.performs[3] = {error_of(Reason::internal)};
  transactor_.commits = {std::nullopt, error_of(Reason::unknown_commit)};
  for (int i = 1; i <= 4; ++i) send(i);
  committer().pump();
  EXPECT_EQ(answers_, (Log{"1 1", "2 unknown_commit", "3 unknown_commit", "4 unknown_commit"}));
  EXPECT_EQ(fatal_, Log{"unknown_commit"});
}

// -- Limits and stopping --------------------------------------------------------------------------

TEST_F(CommitterTest, FullQueueIsOverloaded) {
  options_.queue_max = 2;
  send(1);
  send(2);
  send(3);
  EXPECT_EQ(answers_, Log{"3 overloaded"});
  committer().pump();
  send(4);
  committer().pump();
  EXPECT_EQ(answers_, (Log{"3 overloaded", "1 1", "2 2", "4 4"}));
}

TEST_F(CommitterTest, WhatComesTogetherIsOneTransactionOrIsRefusedTogether) {
  options_.queue_max = 3;
  const auto send_all = [this](std::initializer_list<int> numbers) {
    std::vector<Operation> operations;
    for (const int number : numbers) {
      operations.push_back(
          {Prune{{}, number}, [this, number](Result<Answer> answer) { tell(number, answer); }});
    }
    committer().enqueue(operations);
  };
  send(1);
  send_all({2, 3, 4});
  EXPECT_EQ(answers_, (Log{"2 overloaded", "3 overloaded", "4 overloaded"}));
  answers_.clear();
  transactor_.log.clear();
  send_all({5, 6});
  committer().pump();
  EXPECT_EQ(transactor_.log, (Log{"begin", "1", "5", "6", "commit", "done", "done", "done"}));
  EXPECT_EQ(answers_, (Log{"1 1", "5 5", "6 6"}));
}

TEST_F(CommitterTest, StopCommitsWhatWaitsAndRefusesTheRest) {
  send(1);
  committer().stop();
  EXPECT_EQ(answers_, Log{"1 1"});
  send(2);
  EXPECT_EQ(answers_.back(), "2 shutting_down");
  committer().stop();
  EXPECT_EQ(answers_.size(), 2U);
}

TEST_F(CommitterTest, DestructorStops) {
  send(1);
  committer_.reset();
  EXPECT_EQ(answers_, Log{"1 1"});
}

TEST_F(CommitterTest, CompletionMayEnqueue) {
  enqueue({Prune{{}, 1}, [this](Result<Answer> answer) {
             tell(1, answer);
             send(2);
           }});
  committer().pump();
  EXPECT_EQ(answers_, Log{"1 1"});
  committer().pump();
  EXPECT_EQ(answers_, (Log{"1 1", "2 2"}));
}

// -- Waking ---------------------------------------------------------------------------------------

TEST_F(CommitterTest, WakesOnceForABatchAfterItsAnswers) {
  committer().on_change([this] { transactor_.log.push_back("wake"); });
  const auto ask = [this] {
    enqueue({RunJob{}, [this](const Result<Answer>&) { transactor_.log.push_back("done"); }});
  };
  ask();
  ask();
  committer().pump();
  EXPECT_EQ(transactor_.log, (Log{"begin", "commit", "done", "done", "wake"}));
}

TEST_F(CommitterTest, WhatTheSchedulerCommitsDoesNotWakeIt) {
  int wakes = 0;
  committer().on_change([&] { ++wakes; });
  const auto commit = [&](Change change) {
    enqueue({std::move(change), [](const Result<Answer>&) {}});
    committer().pump();
    return std::exchange(wakes, 0);
  };
  EXPECT_EQ(commit(Heartbeat{}), 0);
  EXPECT_EQ(commit(ClaimRuns{}), 0);
  EXPECT_EQ(commit(CommitPlan{}), 0);
  EXPECT_EQ(commit(ReleaseDue{}), 0);
  EXPECT_EQ(commit(SettleRun{}), 0);
  SettleRun told;
  told.deliveries.emplace_back();
  EXPECT_EQ(commit(told), 1);  // the notifier has something to do
  EXPECT_EQ(commit(AddDeliveries{}), 1);
  EXPECT_EQ(commit(SubmitJob{}), 1);
  EXPECT_EQ(commit(ReplaceJob{}), 1);
  EXPECT_EQ(commit(CancelJob{}), 1);
  EXPECT_EQ(commit(CancelRun{}), 1);
}

// -- What others want to know ---------------------------------------------------------------------

TEST_F(CommitterTest, OthersAreToldWhatIsTouchedForATimeAfterTheySaidThatTheyWatch) {
  committer();
  const auto submit = [&] {
    enqueue({SubmitJob{}, [](const Result<Answer>&) {}});
    committer().pump();
    return std::exchange(transactor_.touches_told, 0);
  };
  const auto beat = [&](Duration at) {
    enqueue(
        {Heartbeat{.holder = {}, .ttl = {}, .now = Timestamp(at)}, [](const Result<Answer>&) {}});
    committer().pump();
  };
  EXPECT_EQ(submit(), 0U);
  committer().hear({.work = {}, .is_watching = true});
  // However often this node says that it lives.
  for (int i = 0; i < 100; ++i) beat(std::chrono::milliseconds(50 * i));
  EXPECT_EQ(submit(), 1U);
  committer().hear({.work = {}, .is_watching = true});
  beat(std::chrono::seconds(10));
  beat(std::chrono::milliseconds(24'999));
  EXPECT_EQ(submit(), 1U);
  beat(std::chrono::seconds(25));
  EXPECT_EQ(submit(), 0U);
}

// -- Its own thread -------------------------------------------------------------------------------

TEST_F(CommitterTest, ThreadCommitsWhatArrives) {
  committer().start();
  std::promise<void> done;
  enqueue({Prune{{}, 7}, [&](const Result<Answer>& answer) {
             EXPECT_EQ(std::get<std::int64_t>(*answer), 7);
             done.set_value();
           }});
  done.get_future().wait();
}

TEST_F(CommitterTest, WhileOneTransactionCommitsTheNextBatchGathers) {
  std::latch is_committing(1);
  std::latch may_go_on(1);
  int commits = 0;
  transactor_.during_commit = [&] {
    if (++commits > 1) return;
    is_committing.count_down();
    may_go_on.wait();
  };
  committer().start();
  send(1);
  is_committing.wait();
  for (int i = 2; i <= 11; ++i) send(i);
  may_go_on.count_down();
  committer().stop();
  EXPECT_EQ(commits, 2);
  EXPECT_EQ(answers_.size(), 11U);
}

TEST_F(CommitterTest, StopEndsTheThreadAfterWhatWaits) {
  committer().start();
  for (int i = 0; i < 100; ++i) send(i);
  committer().stop();
  EXPECT_EQ(answers_.size(), 100U);
}

}  // namespace
}  // namespace chronos::store
