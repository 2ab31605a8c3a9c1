// What happened elsewhere, as closures to run on the own thread of whoever owns the inbox: the
// scheduler, the notifier. post() is thread-safe; shared with completions, which may outlive the
// owner.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace chronos {

class Inbox {
 public:
  using Event = std::move_only_function<void()>;

  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Wakes the owner, unless it was woken for an earlier event that it has not taken yet.
  void post(Event event) {
    bool is_first = false;
    {
      const MutexLock lock(mutex_);
      is_first = events_.empty();
      events_.push_back(std::move(event));
    }
    if (is_first) wake_();
  }

  std::vector<Event> take() {
    const MutexLock lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  const std::function<void()> wake_;
  Mutex mutex_;
  std::vector<Event> events_ CHRONOS_GUARDED_BY(mutex_);
};

}  // namespace chronos
