// Changing in general: completion, order, neighbours, on_change, stop.
#include <algorithm>
#include <atomic>
#include <future>
#include <iterator>
#include <mutex>

#include "base/mutex.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class CommitterTest : public StoreTest {
 protected:
  template <class C>
  std::future<Result<typename C::Answer>> send(C change) {
    auto promise = std::make_shared<std::promise<Result<typename C::Answer>>>();
    auto answer = promise->get_future();
    store().commit(std::move(change), [promise](Result<typename C::Answer> result) {
      promise->set_value(std::move(result));
    });
    return answer;
  }
  SubmitJob submission(std::optional<std::string> key = std::nullopt) {
    auto spec = sample_spec();
    spec.key = std::move(key);
    return {new_job(spec), planned(now()), now(), std::nullopt};
  }
};
CHRONOS_OVER_ALL_STORES(CommitterTest);

TEST_P(CommitterTest, ChangesHappenInTheOrderOfArrival) {
  const auto submitted = submit(new_job());
  std::vector<std::future<Result<JobAnswer>>> answers;
  for (std::int64_t version = 1; version <= 20; ++version) {
    auto change = replacement(submitted);
    change.expected_version = version;
    change.job.version = version + 1;
    answers.push_back(send(std::move(change)));
  }
  for (auto& answer : answers) EXPECT_EQ(refusal(answer.get()), "ok");
  EXPECT_EQ(job(submitted).version, 21);
}

TEST_P(CommitterTest, CompletionsComeInTheOrderOfArrival) {
  Mutex mutex;
  std::vector<int> order;
  std::promise<void> all;
  for (int i = 0; i < 50; ++i) {
    store().commit(submission(), [&, i](Result<JobAnswer> answer) {
      EXPECT_TRUE(answer);
      const MutexLock lock(mutex);
      order.push_back(i);
      if (order.size() == 50) all.set_value();
    });
  }
  all.get_future().wait();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST_P(CommitterTest, RefusedChangeDoesNotUndoItsNeighbours) {
  std::vector<std::future<Result<JobAnswer>>> answers;
  for (int i = 0; i < 30; ++i) {
    answers.push_back(send(submission(i % 3 == 0 ? std::optional("same") : std::nullopt)));
  }
  int taken = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto outcome = refusal(answers[i].get());
    if (i % 3 == 0 && i > 0) {
      EXPECT_EQ(outcome, "key_taken");
      ++taken;
    } else {
      EXPECT_EQ(outcome, "ok");
    }
  }
  EXPECT_EQ(taken, 9);
  EXPECT_EQ(stats().jobs, 21);
  EXPECT_EQ(stats().ready, 21);
}

TEST_P(CommitterTest, AnsweredChangeIsSeenByReads) {
  for (int i = 0; i < 20; ++i) {
    const auto answer = must(send(submission()).get());
    EXPECT_EQ(must(store().find_job(project_, answer.job.id)).id, answer.job.id);
  }
}

TEST_P(CommitterTest, CompletionMayCommit) {
  std::promise<Result<JobAnswer>> second;
  auto next = submission();
  store().commit(submission(), [&](Result<JobAnswer> first) {
    EXPECT_TRUE(first);
    store().commit(std::move(next),
                   [&](Result<JobAnswer> answer) { second.set_value(std::move(answer)); });
  });
  EXPECT_TRUE(second.get_future().get());
  EXPECT_EQ(stats().jobs, 2);
}

TEST_P(CommitterTest, WakesAfterACommit) {
  Mutex mutex;
  Condition woken;
  int wakes = 0;
  store().on_change([&] {
    const MutexLock lock(mutex);
    ++wakes;
    woken.notify_all();
  });
  const auto wait_for = [&](int wanted) {
    std::unique_lock lock(mutex);
    woken.wait(lock, [&] { return wakes >= wanted; });
  };
  submit_ready();
  wait_for(1);
  int before = 0;
  {
    const MutexLock lock(mutex);
    before = wakes;
  }
  submit_ready();
  wait_for(before + 1);
  store().stop();  // no wake-up after it: `wakes` is about to go
}

TEST_P(CommitterTest, WakesNobodyForWhatTheSchedulerDoes) {
  int wakes = 0;
  store().on_change([&] { ++wakes; });
  commit(Heartbeat{holder_, 15s});
  commit(ReleaseDue{now()});
  submit_ready();
  claim_one();
  store().stop();
  EXPECT_EQ(wakes, 1);  // for the submit
}

TEST_P(CommitterTest, WakesNobodyForAJobOfLater) {
  int wakes = 0;
  store().on_change([&] { ++wakes; });
  auto later = submission();
  later.first_run = planned(now() + kLookedAgain + 1us);
  commit(later);
  auto soon = submission();
  soon.first_run = planned(now() + kLookedAgain);
  commit(soon);
  store().stop();
  EXPECT_EQ(wakes, 1);  // for what comes soon
}

// From its submission to its end, by the ids of the run and its job; nothing of what was refused.
TEST_P(CommitterTest, WatchersAreToldWhatCommitsTouch) {
  Mutex mutex;
  std::vector<Touch> touches;
  store().on_touch({[] { return true; },
                    [&](std::vector<Touch> told) {
                      const MutexLock lock(mutex);
                      touches.insert(touches.end(), told.begin(), told.end());
                    }});
  commit(Heartbeat{holder_, 15s});
  const auto submitted = submit_due(now() + 1h);
  auto stale = replacement(submitted);
  stale.expected_version = 7;
  EXPECT_NE(refusal(try_commit(stale)), "ok");
  clock_.advance(1h);
  release();
  const auto claimed = claim_one();
  settle(claimed, RunState::succeeded);
  store().stop();
  const auto run = [&](RunState state) {
    return Touch{project_, submitted.id, claimed.run, state};
  };
  EXPECT_EQ(touches,
            (std::vector<Touch>{
                {project_, submitted.id}, {}, run(RunState::running), run(RunState::succeeded)}));
}

TEST_P(CommitterTest, NobodyIsToldWhatHeDoesNotWantToKnow) {
  std::atomic<bool> is_wanted = false;
  std::vector<Touch> touches;
  store().on_touch(
      {[&] { return is_wanted.load(); },
       [&](std::vector<Touch> told) { std::ranges::move(told, std::back_inserter(touches)); }});
  submit_ready();
  is_wanted = true;
  const auto seen = submit_ready();
  store().stop();
  EXPECT_EQ(touches, (std::vector<Touch>{{project_, seen.id}}));
}

TEST_P(CommitterTest, StopCommitsWhatWaits) {
  std::vector<std::future<Result<JobAnswer>>> answers;
  for (int i = 0; i < 200; ++i) answers.push_back(send(submission()));
  store().stop();
  for (auto& answer : answers) EXPECT_EQ(refusal(answer.get()), "ok");
  EXPECT_EQ(stats().jobs, 200);
}

TEST_P(CommitterTest, AfterStopChangesAreRefusedAndReadsWork) {
  const auto submitted = submit_ready();
  EXPECT_EQ(refusal(store().health()), "ok");
  store().stop();
  EXPECT_EQ(refusal(try_commit(submission())), "shutting_down");
  EXPECT_EQ(refusal(try_commit(Heartbeat{holder_, 15s})), "shutting_down");
  EXPECT_EQ(refusal(store().health()), "shutting_down");
  EXPECT_EQ(job(submitted).id, submitted.id);
  EXPECT_EQ(stats().jobs, 1);
}

TEST_P(CommitterTest, StopAgainDoesNothing) {
  store().stop();
  store().stop();
  EXPECT_EQ(refusal(try_commit(submission())), "shutting_down");
}

}  // namespace
}  // namespace chronos::store
