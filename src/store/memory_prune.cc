// Retention.
#include <algorithm>
#include <utility>

#include "store/memory_limits.h"
#include "store/memory_tables.h"

namespace chronos::store::memory {
namespace {

// The runs of a job that its retention lets go, oldest first.
std::vector<RunId> beyond_retention(const Tables& tables, const StoredJob& stored, Timestamp now) {
  const auto& retention = stored.job.spec->retention;
  std::vector<RunId> rows;
  for (const auto id : stored.ended) {
    if (!tables.final_runs.at(id).is_fold) rows.push_back(id);
  }
  const auto surplus = std::max<std::int64_t>(0, std::ssize(rows) - retention.runs);
  std::vector<RunId> beyond;
  for (std::int64_t i = 0; i < std::ssize(rows); ++i) {
    const auto id = rows[static_cast<std::size_t>(i)];
    const auto ended_at = tables.final_runs.at(id).run.ended_at;
    if (i < surplus || *ended_at < now - retention.age) beyond.push_back(id);
  }
  return beyond;
}

FinalRun* find_fold(Tables& tables, const StoredJob& stored, RunState state) {
  for (const auto id : stored.ended) {
    auto& row = tables.final_runs.at(id);
    if (row.is_fold && row.run.state == state) return &row;
  }
  return nullptr;
}

// What a run leaves when it is folded: a range row of its own.
FinalRun fold_of(const Run& run) {
  Run range;
  range.id = run.id;
  range.job = run.job;
  range.project = run.project;
  range.state = run.state;
  range.reason = kPruned;
  range.planned_at = run.planned_at;
  range.planned_until = run.planned_until.value_or(run.planned_at);
  range.count = run.count;
  range.ended_at = run.ended_at;
  return {std::move(range), true};
}

void forget_attempts(Tables& tables, RunId run) {
  tables.attempts.erase(run);
  std::erase_if(tables.outputs, [run](const auto& output) { return output.first.first == run; });
}

void fold(Tables& tables, StoredJob& stored, RunId id) {
  auto& row = tables.final_runs.at(id);
  forget_attempts(tables, id);
  auto folded = fold_of(row.run);
  auto* into = find_fold(tables, stored, row.run.state);
  if (into == nullptr) {
    row = std::move(folded);
    return;
  }
  auto& range = into->run;
  range.count += folded.run.count;
  range.planned_at = std::min(range.planned_at, folded.run.planned_at);
  range.planned_until = std::max(*range.planned_until, *folded.run.planned_until);
  range.ended_at = std::max(*range.ended_at, *folded.run.ended_at);
  stored.ended.erase(id);
  tables.final_runs.erase(id);
}

// Erases what `is_old` names, at most `budget`; answers how many.
template <class Map, class IsOld>
std::int64_t erase_old(Map& rows, std::int64_t budget, IsOld is_old) {
  std::int64_t erased = 0;
  for (auto it = rows.begin(); it != rows.end() && erased < budget;) {
    if (is_old(it->second)) {
      it = rows.erase(it);
      ++erased;
    } else {
      ++it;
    }
  }
  return erased;
}

}  // namespace

Result<std::int64_t> apply(Tables& tables, const Prune& change) {
  std::int64_t gone = 0;
  for (auto& [_, stored] : tables.jobs) {
    for (const auto id : beyond_retention(tables, stored, change.now)) {
      if (gone >= change.limit) return gone;
      fold(tables, stored, id);
      ++gone;
    }
  }
  gone += erase_old(tables.deliveries, change.limit - gone, [&](const Delivery& delivery) {
    return delivery.state != DeliveryState::waiting &&
           delivery.next_attempt_at + kDeliveriesKept <= change.now;
  });
  gone += erase_old(tables.seen, change.limit - gone,
                    [&](const Seen& seen) { return seen.at + kIdempotencyKept <= change.now; });
  gone += erase_old(tables.holders, change.limit - gone, [&](const Holder& holder) {
    return holder.worker && holder.last_seen_at + kWorkersKept <= change.now;
  });
  for (auto it = tables.tallies.begin(); it != tables.tallies.end() && gone < change.limit;) {
    const bool is_old = it->first.second + kTalliesKept <= change.now;
    it = is_old ? tables.tallies.erase(it) : std::next(it);
    gone += is_old ? 1 : 0;
  }
  gone += erase_old(tables.sessions, change.limit - gone,
                    [&](const Session& session) { return session.expires_at <= change.now; });
  gone += erase_old(tables.audit, change.limit - gone, [&](const AuditEntry& entry) {
    return entry.at + change.audit_age <= change.now;
  });
  return gone + forget_limits(tables, change.now, change.limit - gone);
}

}  // namespace chronos::store::memory
