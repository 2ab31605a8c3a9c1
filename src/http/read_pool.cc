#include "http/read_pool.h"

#include <exception>
#include <utility>

#include "base/log.h"

namespace chronos::http {

ReadPool::ReadPool(int threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

ReadPool::~ReadPool() {
  stop();
}

bool ReadPool::post(Work work) {
  const bool is_done_here = threads_.empty();
  {
    const MutexLock lock(mutex_);
    if (is_stopped_ || (!is_done_here && waiting_.size() >= waiting_max_)) return false;
    if (!is_done_here) waiting_.push_back(std::move(work));
  }
  if (is_done_here) {
    work();  // NOLINT(bugprone-use-after-move): it is moved only when others do it
  } else {
    arrived_.notify_one();
  }
  return true;
}

void ReadPool::run() {
  for (;;) {
    Work work;
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !is_stopped_) arrived_.wait(mutex_);
      if (is_stopped_) return;
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      work();
    } catch (const std::exception& error) {
      // The answer it held died with it: that tells the client.
      log::error("work on a reader thread threw", {{"error", error.what()}});
    }
  }
}

void ReadPool::stop() {
  std::deque<Work> dropped;
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
    dropped.swap(waiting_);
  }
  arrived_.notify_all();
  threads_.clear();  // joins
}

}  // namespace chronos::http
