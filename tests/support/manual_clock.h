// A clock that moves by hand, for tests. Thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace chronos {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp now) : now_us_(to_micros(now)) {}

  Timestamp now() const override { return from_micros(now_us_); }
  SteadyTime steady() const override { return SteadyTime(steady_us_); }

  void advance(Duration by) {
    now_us_ += by.count();
    steady_us_ += by.count();
  }

 private:
  std::atomic<std::int64_t> now_us_;
  std::atomic<std::int64_t> steady_us_ = 0;
};

}  // namespace chronos
