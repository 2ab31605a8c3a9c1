#include "store/sql/holders.h"

#include <algorithm>

namespace chronos::store::sql {

void Holders::hear(NodeId holder, Duration ttl, bool is_worker) {
  const MutexLock lock(mutex_);
  holders_[holder] = {clock_.steady() + ttl, is_worker};
}

bool Holders::is_alive(NodeId holder) const {
  const MutexLock lock(mutex_);
  const auto found = holders_.find(holder);
  return found != holders_.end() && clock_.steady() < found->second.alive_until;
}

bool Holders::is_node(NodeId holder) const {
  const MutexLock lock(mutex_);
  const auto found = holders_.find(holder);
  return found != holders_.end() && !found->second.is_worker;
}

void Holders::suspect() {
  const MutexLock lock(mutex_);
  ++suspicions_;
}

std::optional<Holders::Suspicion> Holders::suspicion() const {
  const MutexLock lock(mutex_);
  const auto now = clock_.steady();
  const bool is_anyone_gone = std::ranges::any_of(
      holders_, [now](const auto& entry) { return entry.second.alive_until <= now; });
  if (suspicions_ == cleared_ && !is_anyone_gone) return std::nullopt;
  return Suspicion{suspicions_, now};
}

void Holders::clear(const Suspicion& suspicion) {
  const MutexLock lock(mutex_);
  if (suspicion.count != suspicions_) return;
  cleared_ = suspicion.count;
  std::erase_if(holders_,
                [&](const auto& entry) { return entry.second.alive_until <= suspicion.at; });
}

}  // namespace chronos::store::sql
