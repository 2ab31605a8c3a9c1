// Intake: how much of what was submitted waits to be stored. While less than its limit waits it
// lets submissions in; then it refuses them, so that under more load than the store can take memory
// is bounded, what is let in is soon stored, and a refusal costs next to nothing. Shared by the
// server's threads; thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

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

  // Whether enter() would refuse just now.
  bool is_full() const { return bytes_ >= bytes_max_; }

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

  const std::size_t bytes_max_;
  std::atomic<std::size_t> bytes_ = 0;
};

}  // namespace chronos::http
