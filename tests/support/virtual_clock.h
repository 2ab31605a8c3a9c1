// A clock that tests and the simulator move by hand. Thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace chronos::test {

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Timestamp now) : wall_us_(to_micros(now)) {}

  Timestamp now() const override { return from_micros(wall_us_); }
  SteadyTime steady() const override { return SteadyTime(steady_us_); }

  // Time passes.
  void advance(Duration by) {
    wall_us_ += by.count();
    steady_us_ += by.count();
  }
  // Somebody sets the wall clock, forward or back; no time passes.
  void step_wall(Duration by) { wall_us_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_us_;
  std::atomic<std::int64_t> steady_us_ = 0;
};

}  // namespace chronos::test
