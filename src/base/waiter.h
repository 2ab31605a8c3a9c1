// Sleep until a time or a wake-up. Many threads may wake; one thread waits.
#pragma once

#include "base/clock.h"
#include "base/mutex.h"

namespace chronos {

class Waiter {
 public:
  // Returns at `deadline` of `clock`, on wake(), or after at most half a second, so that a step of
  // the wall clock is noticed soon. A wake() before the call makes it return at once.
  void wait_until(const Clock& clock, Timestamp deadline);

  void wake();

 private:
  Mutex mutex_;
  Condition condition_;
  bool is_awake_ CHRONOS_GUARDED_BY(mutex_) = false;
};

}  // namespace chronos
