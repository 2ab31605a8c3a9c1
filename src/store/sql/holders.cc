#include "store/sql/holders.h"

#include <algorithm>

namespace chronos::store::sql {

void Holders::hear(NodeId holder, Duration ttl) {
  const MutexLock lock(mutex_);
  alive_until_[holder] = clock_.steady() + ttl;
}

bool Holders::is_alive(NodeId holder) const {
  const MutexLock lock(mutex_);
  const auto found = alive_until_.find(holder);
  return found != alive_until_.end() && clock_.steady() < found->second;
}

void Holders::suspect() {
  const MutexLock lock(mutex_);
  ++suspicions_;
}

std::optional<Holders::Suspicion> Holders::suspicion() const {
  const MutexLock lock(mutex_);
  const auto now = clock_.steady();
  const bool is_anyone_gone =
      std::ranges::any_of(alive_until_, [now](const auto& entry) { return entry.second <= now; });
  if (suspicions_ == cleared_ && !is_anyone_gone) return std::nullopt;
  return Suspicion{suspicions_, now};
}

void Holders::clear(const Suspicion& suspicion) {
  const MutexLock lock(mutex_);
  if (suspicion.count != suspicions_) return;
  cleared_ = suspicion.count;
  std::erase_if(alive_until_, [&](const auto& entry) { return entry.second <= suspicion.at; });
}

}  // namespace chronos::store::sql
