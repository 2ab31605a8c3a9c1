// What people ask when a run does not run: what stands before it, and for which reasons instants
// were not run. Reads only.
#include <algorithm>
#include <tuple>

#include "store/sql/limited.h"
#include "store/sql/reads.h"
#include "store/sql/ready_queue.h"

namespace chronos::store::sql {
namespace {

// `leases` has no more rows than attempts under way.
constexpr Sql kLeased{
    "SELECT l.kind, l.queue, l.project, l.run FROM leases e CROSS"
    " JOIN live l ON l.job = e.job AND l.is_held = 0 AND l.run = e.run ORDER BY e.token"};
constexpr Sql kCountBefore{
    "SELECT count(*) FROM (SELECT 1 FROM ready WHERE kind = $1 AND queue = $2"
    " AND (rank, planned_at, run) < ($3, $4, $5) LIMIT $6) AS ahead"};
constexpr Sql kReasons{
    "SELECT state, reason, CAST(sum(run_count) AS BIGINT) FROM (SELECT state, reason, run_count "
    "FROM runs"
    " WHERE job = $1 AND state IN ('skipped', 'missed') AND project = $2"
    " ORDER BY coalesce(planned_until, planned_at) DESC LIMIT $3) AS latest"
    " GROUP BY state, reason ORDER BY state, reason"};

Result<void> count_running(Connection& db, const LiveRun& run, Standing& standing) {
  const auto read = [&](Columns& columns) {
    const bool is_of_kind = columns.get<std::string_view>() == run.lane.kind;
    const bool is_in_queue = columns.get<std::string_view>() == run.lane.queue;
    const bool is_own_project = columns.get<ProjectId>() == run.project;
    const auto id = columns.get<RunId>();
    const auto name = [&](std::vector<RunId>& runs) {
      if (is_own_project && std::ssize(runs) < kRunsNamedMax) runs.push_back(id);
    };
    if (is_of_kind) {
      ++standing.running_of_kind;
      name(standing.runs_of_kind);
    }
    if (is_in_queue) {
      ++standing.running_in_queue;
      name(standing.runs_in_queue);
    }
    return true;
  };
  return db.for_each(kLeased, read);
}

// A place in a queue's order; of all runs of a rank those of higher ranks are before `begin_of`.
using Spot = std::tuple<int, Timestamp, RunId>;
Spot begin_of(int rank) {
  return {rank, Timestamp::min(), RunId{}};
}

Result<std::int64_t> count_before(Connection& db, const LiveRun& run, const std::string& queue,
                                  const Spot& spot, std::int64_t most) {
  const auto& [rank, planned_at, id] = spot;
  CHRONOS_TRY(const auto count, db.one(kCountBefore, column<std::int64_t>, run.lane.kind, queue,
                                       rank, planned_at, id, most));
  return count.value_or(0);
}

// Of another queue: those of higher priority, and of the same, since queues take turns, no more
// than of the run's own queue and one.
Result<std::int64_t> count_in_turn(Connection& db, const LiveRun& run, const std::string& queue,
                                   std::int64_t own, std::int64_t most) {
  const int rank = run.lane.rank;
  CHRONOS_TRY(const auto higher, count_before(db, run, queue, begin_of(rank), most));
  return count_before(db, run, queue, begin_of(rank + 1), std::min(most, higher + own + 1));
}

Result<void> count_ahead(Connection& db, const LiveRun& run, std::int64_t most,
                         Standing& standing) {
  const auto& own_queue = run.lane.queue;
  const Spot spot{run.lane.rank, run.planned_at, run.run};
  CHRONOS_TRY(standing.ahead_in_queue, count_before(db, run, own_queue, spot, most));
  CHRONOS_TRY(const auto higher, count_before(db, run, own_queue, begin_of(run.lane.rank), most));
  const auto own = standing.ahead_in_queue - higher;
  standing.ahead = standing.ahead_in_queue;
  std::string queue;
  while (standing.ahead < most) {
    CHRONOS_TRY(auto next, next_ready_queue(db, run.lane.kind, queue));
    if (!next) break;
    queue = std::move(*next);
    if (queue == own_queue) continue;
    CHRONOS_TRY(const auto more, count_in_turn(db, run, queue, own, most - standing.ahead));
    standing.ahead += more;
  }
  return {};
}

}  // namespace

Result<std::optional<Standing>> read_standing(Reader reader, ProjectId project, RunId id,
                                              int ahead_max) {
  auto& db = reader.db;
  CHRONOS_TRY(const auto run, find_live(db, project, id));
  if (!run) return std::nullopt;
  Standing standing;
  standing.is_held = run->place == Place::held;
  if (run->lease) standing.attempt_started_at = run->lease->started_at;
  if (run->place == Place::limited) {
    CHRONOS_TRY(standing.limit, limit_standing(db, *run, ahead_max));
  }
  if (run->place != Place::ready) return standing;

  CHRONOS_TRY_VOID(count_running(db, *run, standing));
  CHRONOS_TRY_VOID(count_ahead(db, *run, ahead_max, standing));
  return standing;
}

Result<std::vector<ReasonCount>> reason_counts(Reader reader, ProjectId project, JobId job) {
  const auto read = [](Columns& columns) -> ReasonCount {
    return {.state = columns.get(parse_run_state),
            .reason = columns.get<std::string>(),
            .count = columns.get<std::int64_t>()};
  };
  return reader.db.all(kReasons, read, job, project, kReasonRowsMax);
}

}  // namespace chronos::store::sql
