// Counts the logins that failed, for each address they came from, and refuses more of them for a
// while. Secrets cannot be guessed anyway: this keeps whoever tries from costing anything. Of this
// process only. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"

namespace chronos::service {

inline constexpr int kFailedLoginsMax = 10;  // from one address in kFailedLoginsWindow
inline constexpr Duration kFailedLoginsWindow = std::chrono::minutes(1);

class FailedLogins {
 public:
  explicit FailedLogins(const Clock& clock) : clock_(clock) {}

  // too_many_requests for who has failed too often; the window begins with the first failure.
  Result<void> check(std::string_view peer);
  void note(std::string_view peer);

 private:
  struct Window {
    SteadyTime began_at{};
    int count = 0;
  };

  const Clock& clock_;
  Mutex mutex_;
  std::unordered_map<std::string, Window> windows_ CHRONOS_GUARDED_BY(mutex_);
};

}  // namespace chronos::service
