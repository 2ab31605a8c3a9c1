// Intake: how much of what was submitted waits to be stored. While less than its limit waits it
// lets submissions in; then it refuses them, so that under more load than the store can take memory
// is bounded, what is let in is soon stored, and a refusal costs next to nothing. Bodies on their
// way count too, or a crowd that begins at one moment would be read whole before it is refused; but
// none for long, so that nobody holds a place by being slow. Shared by the server's threads;
// thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"

namespace chronos::http {

class Intake {
 public:
  explicit Intake(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // What was let in, as long as it waits. The Intake must outlive it.
  class Place {
   public:
    Place(Intake& intake, std::size_t bytes) : intake_(&intake), bytes_(bytes) {}
    Place(Place&& other) noexcept
        : intake_(std::exchange(other.intake_, nullptr)), bytes_(other.bytes_) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (intake_ != nullptr) intake_->bytes_ -= bytes_;
    }

   private:
    Intake* intake_;
    std::size_t bytes_;
  };

  // A body on its way, until it is complete or given up. The Intake must outlive it.
  class Arrival {
   public:
    Arrival(Intake& intake, std::size_t bytes, SteadyTime window)
        : intake_(&intake), bytes_(bytes), window_(window) {}
    Arrival(Arrival&& other) noexcept
        : intake_(std::exchange(other.intake_, nullptr)),
          bytes_(other.bytes_),
          window_(other.window_) {}
    Arrival& operator=(Arrival&&) = delete;
    ~Arrival() {
      if (intake_ != nullptr) intake_->end_arrival(bytes_, window_);
    }

   private:
    Intake* intake_;
    std::size_t bytes_;
    SteadyTime window_;
  };

  // Whether enter() would refuse just now.
  bool is_full() const { return bytes_ >= bytes_max_; }

  // Nothing when as much waits or is on its way as may wait. `bytes` is what is announced, of which
  // little is believed.
  std::optional<Arrival> expect(std::uint64_t bytes, SteadyTime now) {
    const auto counted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kBelievedMax));
    const MutexLock lock(mutex_);
    if (now >= window_ + kWindow) {
      window_ = now;
      arriving_ = 0;
    }
    if (bytes_ + arriving_ >= bytes_max_) return std::nullopt;
    arriving_ += counted;
    return std::optional<Arrival>(std::in_place, *this, counted, window_);
  }

  // Nothing when as much waits as may. What is longer than what is left comes in all the same:
  // however long a request may be, there is a moment for it.
  std::optional<Place> enter(std::size_t bytes) {
    const auto counted = std::max(bytes, kBytesMin);
    if (bytes_.fetch_add(counted) < bytes_max_) return Place(*this, counted);
    bytes_ -= counted;
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kBytesMin = 512;  // the least a request costs, however short
  static constexpr std::uint64_t kBelievedMax = 64uz * 1024;
  // What began to arrive in one window is forgotten in the next.
  static constexpr SteadyTime kWindow = std::chrono::milliseconds(100);

  void end_arrival(std::size_t bytes, SteadyTime window) {
    const MutexLock lock(mutex_);
    if (window == window_) arriving_ -= bytes;
  }

  const std::size_t bytes_max_;
  std::atomic<std::size_t> bytes_ = 0;
  Mutex mutex_;
  SteadyTime window_ CHRONOS_GUARDED_BY(mutex_){0};  // when it began
  std::size_t arriving_ CHRONOS_GUARDED_BY(mutex_) = 0;
};

}  // namespace chronos::http
