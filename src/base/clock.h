// Timestamp and Clock: the only reader of real time. Everything that depends on time takes a Clock,
// so tests and the simulator move time by hand. SystemClock is thread-safe.
#pragma once

#include <chrono>
#include <cstdint>

namespace chronos {

using Duration = std::chrono::microseconds;
using Timestamp = std::chrono::sys_time<Duration>;  // UTC, microseconds since 1970, no leap seconds

// Between an instant and the next that can be told from it.
constexpr Duration kTick{1};

// A reading of a clock that never steps (CLOCK_BOOTTIME: goes on while the machine is suspended).
// Only differences of readings in one process mean anything.
using SteadyTime = std::chrono::duration<std::int64_t, std::micro>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;      // the wall clock; may step either way
  virtual SteadyTime steady() const = 0;  // never steps; for leases and timeouts
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
  SteadyTime steady() const override;
};

inline std::int64_t to_micros(Timestamp time) {
  return time.time_since_epoch().count();
}
inline Timestamp from_micros(std::int64_t micros) {
  return Timestamp(Duration(micros));
}

}  // namespace chronos
