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

  void post(Event event) {
    {
      const MutexLock lock(mutex_);
      events_.push_back(std::move(event));
    }
    wake_();
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
