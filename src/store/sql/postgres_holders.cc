// Holders in a table of the database.
#include <unordered_set>

#include "store/changes.h"
#include "store/sql/holders.h"

namespace chronos::store::sql {
namespace {

class TableHolders final : public Holders {
 public:
  Result<void> begin(Connection& db) override {
    static constexpr Sql kOpening{"SELECT nextval('openings')"};
    static constexpr Sql kForget{"DELETE FROM holders WHERE alive_until < lease_now() - $1"};
    static constexpr Sql kWorkersLive{
        "UPDATE holders SET alive_until = lease_now() + ttl WHERE is_worker = 1"};
    CHRONOS_TRY_VOID(db.begin());
    CHRONOS_TRY(const auto opening, db.one(kOpening, column<std::int64_t>));
    opening_ = opening.value_or(0);
    CHRONOS_TRY_VOID(db.post(kForget, kWorkersKept));
    CHRONOS_TRY_VOID(db.post(kWorkersLive));
    return db.commit(Durable::written);
  }
  void end(Connection& db) override {
    static constexpr Sql kGone{"DELETE FROM holders WHERE opening = $1 AND is_worker = 0"};
    // If it cannot be said, their time ends by itself.
    if (!db.begin()) return;
    if (db.post(kGone, opening_) && db.commit(Durable::written)) return;
    db.rollback();
  }

  Result<void> hear(Connection& db, const Heard& heard) override {
    static constexpr Sql kHear{
        "INSERT INTO holders (id, opening, is_worker, ttl, alive_until, name, version, started_at,"
        " seen_at) VALUES ($1, $2, $3, $4, lease_now() + $4, $5, $6, $7, $8)"
        " ON CONFLICT (id) DO UPDATE SET"
        " opening = excluded.opening, is_worker = excluded.is_worker, ttl = excluded.ttl,"
        " alive_until = excluded.alive_until, name = excluded.name, version = excluded.version,"
        " started_at = excluded.started_at, seen_at = excluded.seen_at"};
    const auto node = heard.node.value_or(NodeInfo{});
    return db.post(kHear, heard.holder, opening_, heard.is_worker, heard.ttl, node.name,
                   node.version, node.started_at, heard.now);
  }
  Result<bool> is_node(Connection& db, NodeId holder) override {
    static constexpr Sql kIsNode{"SELECT 1 FROM holders WHERE id = $1 AND is_worker = 0"};
    CHRONOS_TRY(const auto found, db.one(kIsNode, column<int>, holder));
    return found.has_value();
  }
  Result<Lives> lives(Connection& db) override {
    static constexpr Sql kAlive{"SELECT id FROM holders WHERE alive_until > lease_now()"};
    CHRONOS_TRY(const auto alive, db.all(kAlive, column<NodeId>));
    return Lives([alive = std::unordered_set<NodeId>(alive.begin(), alive.end())](NodeId holder) {
      return alive.contains(holder);
    });
  }

  Result<std::vector<Node>> nodes(Connection& db) override {
    static constexpr Sql kNodes{
        "SELECT id, name, version, started_at, seen_at, alive_until > lease_now()"
        " FROM holders WHERE is_worker = 0 AND name <> '' AND alive_until - ttl > lease_now() - "
        "$1"};
    const auto read = [](Columns& columns) -> Node {
      Node node{.id = columns.get<NodeId>(), .info = {}, .seen_at = {}};
      node.info.name = columns.get<std::string>();
      node.info.version = columns.get<std::string>();
      node.info.started_at = columns.get<Timestamp>();
      node.seen_at = columns.get<Timestamp>();
      node.is_alive = columns.get<bool>();
      return node;
    };
    return db.all(kNodes, read, kNodesListed);
  }

  // Any of the other nodes may be gone at any time.
  bool is_silent(NodeId) const override { return false; }
  void suspect() override {}
  std::optional<Suspicion> suspicion() const override { return Suspicion{}; }
  void clear(const Suspicion&) override {}

 private:
  std::int64_t opening_ = 0;  // set once, before anybody else asks
};

}  // namespace

std::unique_ptr<Holders> holders_in_table() {
  return std::make_unique<TableHolders>();
}

}  // namespace chronos::store::sql
