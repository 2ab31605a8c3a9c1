// Sleep until a time or a wake-up. Many threads may wake; one thread waits.
#pragma once

#include "base/clock.h"

namespace chronos {

class Waiter {
 public:
  Waiter();
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Returns at `deadline` of `clock`, on wake(), as soon as somebody sets the machine's wall clock,
  // when a suspended machine goes on, or after at most half a second. A wake() before the call
  // makes it return at once. Callers look at the clock again and decide anew.
  void wait_until(const Clock& clock, Timestamp deadline);

  void wake();

 private:
  int timer_ = -1;  // on the wall clock; cancelled by the kernel when that is set
  int woken_ = -1;  // eventfd
};

}  // namespace chronos
