// Who holds leases and was heard of lately. In memory only: a store that is opened again has no
// holders but the remote workers it has rows of, so all other leases it finds have expired.
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/clock.h"
#include "base/id.h"
#include "base/mutex.h"

namespace chronos::store::sql {

class Holders {
 public:
  explicit Holders(const Clock& clock) : clock_(clock) {}

  // The holder, a remote worker or a node, lives for another `ttl`.
  void hear(NodeId holder, Duration ttl, bool is_worker);
  bool is_alive(NodeId holder) const;
  // Whether the holder was heard of lately as a node.
  bool is_node(NodeId holder) const;

  // Committed leases may belong to somebody who is not alive.
  void suspect();
  // Whether there is reason to look through the leases. What is answered goes to clear() when a
  // look through all of them, begun after this call, found none of a holder that is gone.
  struct Suspicion {
    std::int64_t count = 0;
    SteadyTime at{};
  };
  std::optional<Suspicion> suspicion() const;
  void clear(const Suspicion& suspicion);

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  struct Holder {
    SteadyTime alive_until{};
    bool is_worker = false;
  };
  std::unordered_map<NodeId, Holder> holders_ CHRONOS_GUARDED_BY(mutex_);
  std::int64_t suspicions_ CHRONOS_GUARDED_BY(mutex_) = 1;  // at first: all that was stored before
  std::int64_t cleared_ CHRONOS_GUARDED_BY(mutex_) = 0;
};

}  // namespace chronos::store::sql
