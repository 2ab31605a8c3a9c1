#include "base/clock.h"

#include <ctime>

namespace chronos {
namespace {

std::int64_t read_micros(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1'000;
}

}  // namespace

Timestamp SystemClock::now() const {
  return from_micros(read_micros(CLOCK_REALTIME));
}

SteadyTime SystemClock::steady() const {
  return SteadyTime(read_micros(CLOCK_BOOTTIME));
}

}  // namespace chronos
