// Threads for what may take long and must not hold up a server thread: reads of many rows, writing
// a large answer, a backup. Owned by the daemon. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace chronos::http {

class ReadPool {
 public:
  using Work = std::move_only_function<void()>;

  // Without threads, post() does the work itself, on the caller's thread: for tests.
  explicit ReadPool(int threads, std::size_t waiting_max = 1000);
  ~ReadPool();  // stop()
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  // False, and `work` is destroyed undone, when too much waits or after stop().
  bool post(Work work);

  // Ends what is being done, drops what waits. Not from one of its own threads.
  void stop();

 private:
  void run();

  const std::size_t waiting_max_;
  Mutex mutex_;
  Condition arrived_;
  std::deque<Work> waiting_ CHRONOS_GUARDED_BY(mutex_);
  bool is_stopped_ CHRONOS_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace chronos::http
