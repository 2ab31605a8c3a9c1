#include "base/waiter.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "base/check.h"

namespace chronos {
namespace {

// Ends a stretch of sleep `sleep` from now on the wall clock, so that time in suspension counts;
// the kernel ends it at once when that clock is set. False: it has been set since the last sleep.
bool arm(int timer, Duration sleep) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  const auto at = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec) + sleep;
  const auto whole = std::chrono::floor<std::chrono::seconds>(at);
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(whole.count());
  spec.it_value.tv_nsec =
      std::max(std::chrono::nanoseconds(at - whole).count(), std::int64_t{1});  // 0 would disarm
  constexpr int kFlags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
  if (timerfd_settime(timer, kFlags, &spec, nullptr) == 0) return true;
  CHRONOS_CHECK(errno == ECANCELED);
  return false;
}

void drain(int descriptor) {
  std::uint64_t ignored = 0;
  while (read(descriptor, &ignored, sizeof ignored) < 0 && errno == EINTR) {
  }
}

}  // namespace

Waiter::Waiter()
    : timer_(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC)),
      woken_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  CHRONOS_CHECK(timer_ >= 0 && woken_ >= 0);
}

Waiter::~Waiter() {
  close(timer_);
  close(woken_);
}

void Waiter::wait_until(const Clock& clock, Timestamp deadline) {
  constexpr Duration kLongestSleep = std::chrono::milliseconds(500);
  const auto sleep = std::clamp(deadline - clock.now(), Duration(0), kLongestSleep);
  std::array<pollfd, 2> watched = {{{.fd = woken_, .events = POLLIN, .revents = 0},
                                    {.fd = timer_, .events = POLLIN, .revents = 0}}};
  if (sleep > Duration(0) && arm(timer_, sleep)) {
    while (poll(watched.data(), watched.size(), -1) < 0 && errno == EINTR) {
    }
  }
  drain(woken_);
  drain(timer_);
}

void Waiter::wake() {
  constexpr std::uint64_t kOne = 1;
  while (write(woken_, &kOne, sizeof kOne) < 0 && errno == EINTR) {
  }
}

}  // namespace chronos
