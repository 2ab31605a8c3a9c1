// Who holds leases and was heard of lately. Used by changes on the committer's thread, inside its
// transaction, and by reads inside theirs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "model/worker.h"
#include "store/sql/connection.h"

namespace chronos::store::sql {

struct Heard {
  NodeId holder;
  Duration ttl{};
  bool is_worker = false;  // or a node
  std::optional<NodeInfo> node = {};
  Timestamp now = {};  // as it says itself
};

// Whether a holder is alive, as of the moment this was made.
using Lives = std::function<bool(NodeId)>;

// Thread-safe.
class Holders {
 public:
  virtual ~Holders() = default;

  // The store is opened: remote workers have their whole time again.
  virtual Result<void> begin(Connection& db) = 0;
  // The store is closed in good order: the nodes heard of since begin() have no time any more.
  virtual void end(Connection& db) = 0;

  // The holder lives for another `ttl`.
  virtual Result<void> hear(Connection& db, const Heard& heard) = 0;
  // Whether the holder was heard of lately as a node.
  virtual Result<bool> is_node(Connection& db, NodeId holder) = 0;
  virtual Result<Lives> lives(Connection& db) = 0;
  // Store::list_nodes, without what they run; in no order.
  virtual Result<std::vector<Node>> nodes(Connection& db) = 0;

  // Whether leases of this holder, once they are committed, give reason to suspect().
  virtual bool is_silent(NodeId holder) const = 0;
  // Committed leases may belong to somebody who is not alive.
  virtual void suspect() = 0;
  // Whether there is reason to look through the leases. What is answered goes to clear() when a
  // look through all of them, begun after this call, found none of a holder that is gone.
  struct Suspicion {
    std::int64_t count = 0;
    SteadyTime at{};
  };
  virtual std::optional<Suspicion> suspicion() const = 0;
  virtual void clear(const Suspicion& suspicion) = 0;
};

// In memory only, for a store that one process works with: one that is opened again has no holders
// but the remote workers it has rows of, so all other leases it finds have expired.
std::unique_ptr<Holders> holders_in_memory(const Clock& clock);

// In the table `holders`, by the database's clock, for a store that many nodes work with: whoever
// dies without a word is missed when its time is over.
std::unique_ptr<Holders> holders_in_table();

}  // namespace chronos::store::sql
