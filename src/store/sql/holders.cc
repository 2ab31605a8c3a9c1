#include "store/sql/holders.h"

#include <algorithm>
#include <unordered_map>

#include "base/mutex.h"

namespace chronos::store::sql {
namespace {

class MemoryHolders final : public Holders {
 public:
  explicit MemoryHolders(const Clock& clock) : clock_(clock) {}

  Result<void> begin(Connection& db) override {
    static constexpr Sql kWorkers{"SELECT id, ttl FROM workers"};
    const auto read = [&](Columns& columns) {
      const auto holder = columns.get<NodeId>();
      add({holder, columns.get<Duration>(), true});
      return true;
    };
    return db.for_each(kWorkers, read);
  }
  void end(Connection&) override {}

  Result<void> hear(Connection&, const Heard& heard) override {
    add(heard);
    return {};
  }
  Result<bool> is_node(Connection&, NodeId holder) override {
    const MutexLock lock(mutex_);
    const auto found = holders_.find(holder);
    return found != holders_.end() && !found->second.is_worker;
  }
  Result<Lives> lives(Connection&) override {
    return Lives([this](NodeId holder) { return is_alive(holder); });
  }

  Result<std::vector<Node>> nodes(Connection&) override {
    const MutexLock lock(mutex_);
    std::vector<Node> nodes;
    for (const auto& [id, holder] : holders_) {
      if (!holder.node || holder.heard_at + kNodesListed <= clock_.now()) continue;
      const bool is_alive = clock_.steady() < holder.alive_until;
      nodes.push_back({id, *holder.node, holder.heard_at, is_alive, 0});
    }
    return nodes;
  }

  bool is_silent(NodeId holder) const override { return !is_alive(holder); }
  void suspect() override {
    const MutexLock lock(mutex_);
    ++suspicions_;
  }
  std::optional<Suspicion> suspicion() const override {
    const MutexLock lock(mutex_);
    const auto now = clock_.steady();
    const bool is_anyone_gone = std::ranges::any_of(
        holders_, [now](const auto& entry) { return entry.second.alive_until <= now; });
    if (suspicions_ == cleared_ && !is_anyone_gone) return std::nullopt;
    return Suspicion{suspicions_, now};
  }
  void clear(const Suspicion& suspicion) override {
    const MutexLock lock(mutex_);
    if (suspicion.count != suspicions_) return;
    cleared_ = suspicion.count;
    std::erase_if(holders_,
                  [&](const auto& entry) { return entry.second.alive_until <= suspicion.at; });
  }

 private:
  void add(const Heard& heard) {
    const MutexLock lock(mutex_);
    holders_[heard.holder] = {clock_.steady() + heard.ttl, heard.is_worker, heard.node, heard.now};
  }
  bool is_alive(NodeId holder) const {
    const MutexLock lock(mutex_);
    const auto found = holders_.find(holder);
    return found != holders_.end() && clock_.steady() < found->second.alive_until;
  }

  const Clock& clock_;
  mutable Mutex mutex_;
  struct Holder {
    SteadyTime alive_until{};
    bool is_worker = false;
    std::optional<NodeInfo> node;
    Timestamp heard_at;
  };
  std::unordered_map<NodeId, Holder> holders_ CHRONOS_GUARDED_BY(mutex_);
  std::int64_t suspicions_ CHRONOS_GUARDED_BY(mutex_) = 1;  // at first: all that was stored before
  std::int64_t cleared_ CHRONOS_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<Holders> holders_in_memory(const Clock& clock) {
  return std::make_unique<MemoryHolders>(clock);
}

}  // namespace chronos::store::sql
