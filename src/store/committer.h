// The one place where changes become durable: drains everything that waits into one transaction and
// completes the callers after the commit. No linger: while one transaction commits, the next batch
// gathers, so the time of a commit is the batching (group commit).
//
// Owned by a Store. enqueue() is thread-safe. With `start()` the committer runs its own thread; a
// test or the simulator calls `pump()` instead and owns the only thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
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
  std::vector<Touch> touched = {};  // for who watches
  bool is_watching = false;         // whoever tells this wants to know what others touch
};

// What a committer drives: one open transaction at a time, all calls from one thread.
class Transactor {
 public:
  virtual ~Transactor() = default;
  virtual Result<void> begin() = 0;
  // Makes one change in the open transaction. A refusal has changed nothing. An Error of
  // ErrorCode::internal or ::unavailable, or Reason::store_full, means the transaction is spoilt.
  virtual Result<Answer> perform(const Change& change) = 0;
  // Makes them as if one after the other; stops after one that spoilt the transaction.
  virtual std::vector<Result<Answer>> perform_all(std::span<const Operation> batch);
  // Reason::store_full: rolled back, all is well but for space. Reason::unknown_commit: nobody
  // knows (see CommitterOptions::on_fatal). Anything else: rolled back.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
  // Since it was asked last; nothing of what was rolled back.
  virtual News take_news() = 0;
  // What a commit left for other processes on the same store to do. Must not block.
  virtual void tell_others(const News& news) { static_cast<void>(news); }
};

struct CommitterOptions {
  std::size_t batch_max = 2000;     // changes in one transaction
  std::size_t queue_max = 100'000;  // more are refused: Reason::overloaded
  // After a commit whose fate is unknown nothing is committed any more, since the database itself
  // may be wrong about it; else only those who waited for it are told so.
  bool ends_at_unknown_commit = true;
  // Then: every waiter has been told, the process must end (promises.md §0.1). Called at most once,
  // on the committer's thread.
  std::function<void(const Error&)> on_fatal;
};

// Whether an error of perform() leaves the transaction unusable; a refusal does not.
bool spoils(const Error& error);

class Committer {
 public:
  Committer(Transactor& transactor, CommitterOptions options);
  ~Committer();  // stop()
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  void start();
  // Moves from them. Nothing comes between them: one transaction, but where a batch is full.
  // Refused: all or none.
  void enqueue(std::span<Operation> operations);
  void on_change(std::function<void()> wake);
  void on_work(Store::TakeWork take);
  void on_touch(Watcher watcher);
  // What another process's commit left for this one to do: passed on by the committing thread.
  // Thread-safe.
  void hear(News news);
  // One transaction over at most `batch_max` waiting changes. False when nothing waited.
  bool pump();
  void stop();

 private:
  using Batch = std::vector<Operation>;

  void run();
  Batch take();
  bool has_heard() const CHRONOS_REQUIRES(mutex_);
  News take_heard();
  void pass_on(News news);
  void collect_news();
  bool is_watched() const;
  void note_touches(const Operation& operation, const Result<Answer>& answer);
  News news_for_others(const Batch& batch);
  void hand_out(Batch& batch, std::vector<Result<Answer>>& answers);
  void commit_together(Batch& batch);
  void commit_one_by_one(Batch& batch);
  void fail_all(Batch& batch, const Error& error);
  void note_unknown(const Answer& answer);
  void give_back(Batch& batch);
  void die(const Error& error);

  Transactor& transactor_;
  const CommitterOptions options_;
  std::function<void()> wake_;
  Store::TakeWork take_work_;
  Watcher watcher_;
  News news_;  // of the batch under way; the committing thread only
  // Whether others want to know what we touch, and when of our own heartbeats the first was after
  // they said so; the same thread's.
  bool others_watch_ = false;
  std::optional<Timestamp> watch_begins_at_;
  // Leases that may have been committed though nobody was told; the committing thread only.
  std::vector<SettleRun> to_give_back_;
  Mutex mutex_;
  Condition arrived_;
  std::deque<Operation> waiting_ CHRONOS_GUARDED_BY(mutex_);
  News heard_ CHRONOS_GUARDED_BY(mutex_);
  bool is_stopped_ CHRONOS_GUARDED_BY(mutex_) = false;
  bool is_dead_ CHRONOS_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace chronos::store
