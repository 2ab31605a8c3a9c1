#include "service/failed_logins.h"

#include <cstddef>

namespace chronos::service {
namespace {

constexpr std::size_t kPeersMax = 10'000;

}  // namespace

Result<void> FailedLogins::check(std::string_view peer) {
  const auto now = clock_.steady();
  const MutexLock lock(mutex_);
  const auto found = windows_.find(std::string(peer));
  if (found == windows_.end()) return {};
  if (now - found->second.began_at >= kFailedLoginsWindow) {
    windows_.erase(found);
  } else if (found->second.count >= kFailedLoginsMax) {
    return fail(Reason::too_many_requests, "too many logins failed from your address",
                "wait a minute");
  }
  return {};
}

void FailedLogins::note(std::string_view peer) {
  const auto now = clock_.steady();
  const MutexLock lock(mutex_);
  if (windows_.size() >= kPeersMax) {
    std::erase_if(windows_, [&](const auto& entry) {
      return now - entry.second.began_at >= kFailedLoginsWindow;
    });
  }
  // Whoever has so many addresses is not kept by counting each.
  if (windows_.size() >= kPeersMax) windows_.clear();
  auto& window = windows_.try_emplace(std::string(peer), Window{now, 0}).first->second;
  ++window.count;
}

}  // namespace chronos::service
