// Time that moves by hand, for tests and the simulator. Thread-safe.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace chronos::test {

class VirtualClock final : public Clock {
 public:
  Timestamp now() const override { return from_micros(wall_); }
  SteadyTime steady() const override { return SteadyTime(steady_); }

  void advance(Duration by) {
    wall_ += by.count();
    steady_ += by.count();
  }
  // The wall clock is set, as by an administrator or by NTP; time as such does not move.
  void set(Timestamp time) { wall_ = to_micros(time); }
  void step_wall(Duration by) { wall_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_ = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z
  std::atomic<std::int64_t> steady_ = 0;
};

}  // namespace chronos::test
