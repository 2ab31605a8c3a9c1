#include "base/waiter.h"

#include <algorithm>

namespace chronos {

void Waiter::wait_until(const Clock& clock, Timestamp deadline) {
  constexpr Duration kLongestSleep = std::chrono::milliseconds(500);
  const auto sleep = std::clamp(deadline - clock.now(), Duration(0), kLongestSleep);
  const auto until = std::chrono::steady_clock::now() + sleep;
  const MutexLock lock(mutex_);
  while (!is_awake_) {
    if (condition_.wait_until(mutex_, until) == std::cv_status::timeout) break;
  }
  is_awake_ = false;
}

void Waiter::wake() {
  {
    const MutexLock lock(mutex_);
    is_awake_ = true;
  }
  condition_.notify_one();
}

}  // namespace chronos
