// The one place where changes become durable: drains everything that waits into one transaction and
// completes the callers after the commit. No linger: while one transaction commits, the next batch
// gathers, so the time of a commit is the batching (group commit).
//
// Owned by a Store. enqueue() is thread-safe. With `start()` the committer runs its own thread; a
// test or the simulator calls `pump()` instead and owns the only thread.
#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "store/store.h"

namespace chronos::store {

// What the changes made so far let others do.
struct News {
  std::vector<Work> work;     // for remote workers
  bool is_for_nodes = false;  // a node may claim what it could not, though no user asked for it
};

// What a committer drives: one open transaction at a time, all calls from one thread.
class Transactor {
 public:
  virtual ~Transactor() = default;
  virtual Result<void> begin() = 0;
  // Makes one change in the open transaction. A refusal has changed nothing. An Error of
  // ErrorCode::internal or ::unavailable, or Reason::store_full, means the transaction is spoilt.
  virtual Result<Answer> perform(const Change& change) = 0;
  // Reason::store_full: rolled back, all is well but for space. Reason::unknown_commit: nobody
  // knows (see CommitterOptions::on_fatal). Anything else: rolled back.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
  // Since it was asked last; nothing of what was rolled back.
  virtual News take_news() = 0;
};

struct CommitterOptions {
  std::size_t batch_max = 2000;     // changes in one transaction
  std::size_t queue_max = 100'000;  // more are refused: Reason::overloaded
  // A commit whose fate is unknown: every waiter has been told so; the process must end
  // (promises.md §0.1). Called at most once, on the committer's thread.
  std::function<void(const Error&)> on_fatal;
};

class Committer {
 public:
  Committer(Transactor& transactor, CommitterOptions options);
  ~Committer();  // stop()
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void start();
  void enqueue(Operation operation);
  void on_change(std::function<void()> wake);
  void on_work(Store::TakeWork take);
  // One transaction over at most `batch_max` waiting changes. False when nothing waited.
  bool pump();
  void stop();

 private:
  using Batch = std::vector<Operation>;

  void run();
  Batch take();
  void collect_news();
  void hand_out(Batch& batch, std::vector<Result<Answer>>& answers);
  void commit_together(Batch& batch);
  void commit_one_by_one(Batch& batch);
  void fail_all(Batch& batch, const Error& error);
  void die(const Error& error);

  Transactor& transactor_;
  const CommitterOptions options_;
  std::function<void()> wake_;
  Store::TakeWork take_work_;
  News news_;  // of the batch under way; the committing thread only
  Mutex mutex_;
  Condition arrived_;
  Batch waiting_ CHRONOS_GUARDED_BY(mutex_);
  bool is_stopped_ CHRONOS_GUARDED_BY(mutex_) = false;
  bool is_dead_ CHRONOS_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace chronos::store
