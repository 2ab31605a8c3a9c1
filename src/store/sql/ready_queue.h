// Looks along `ready` in the order runs are claimed, over all kinds and queues that have room:
// highest priority first, of queues with runs of the same priority in turns (store/turns.h), in a
// queue the earliest planned instant, then the smallest id. Used by sql_claims.cc, inside its
// transaction.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "store/changes.h"
#include "store/sql/connection.h"
#include "store/sql/writer.h"

namespace chronos::store::sql {

struct ReadyRun {
  int rank = 0;
  Timestamp planned_at;
  RunId run;
  JobId job;
  ProjectId project;
  Trigger trigger = Trigger::schedule;
  int attempt = 1;
  Timestamp queued_at;
  bool has_rate = false;  // its start counts for a rate
  // Of its job:
  std::int64_t spec = 0;  // specs.id
  std::int64_t failure_streak = 0;

  using Order = std::tuple<int, Timestamp, RunId>;
  Order order() const { return {rank, planned_at, run}; }
};

// The run as claimed by `change` under this token.
ClaimedRun claimed_run(const ClaimRuns& change, const ReadyRun& run, std::int64_t token,
                       Shared<JobSpec> spec);

// How long an attempt may go on that any node may end: that of a worker.
std::optional<Duration> watched_time(const ClaimRuns& change, const ClaimedRun& claimed);

// The first queue behind `queue`, by name, that has ready runs of the kind.
Result<std::optional<std::string>> next_ready_queue(Connection& db, const std::string& kind,
                                                    const std::string& queue);

// Takes what `change` allows out of `ready`, in order. Each kind and queue has an order of its own
// in the table's key, so nothing is sorted and nothing that has no room is looked at.
Result<std::vector<ReadyRun>> take_ready(Writer& writer, const ClaimRuns& change);

}  // namespace chronos::store::sql
