// What people ask when a run does not run: what stands before it, and for which reasons instants
// were not run. Reads only.
#include <algorithm>

#include "store/sql/limited.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

// `leases` has no more rows than attempts under way.
constexpr Sql kLeased{
    "SELECT l.kind, l.queue, l.project, l.run FROM leases e CROSS"
    " JOIN live l ON l.job = e.job AND l.is_held = 0 AND l.run = e.run ORDER BY e.token"};
constexpr Sql kNextQueue{
    "SELECT queue FROM ready WHERE kind = $1 AND queue > $2 ORDER BY queue LIMIT 1"};
constexpr Sql kCountAhead{
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

Result<std::int64_t> count_ahead(Connection& db, const LiveRun& run, const std::string& queue,
                                 std::int64_t most) {
  CHRONOS_TRY(const auto count, db.one(kCountAhead, column<std::int64_t>, run.lane.kind, queue,
                                       run.lane.rank, run.planned_at, run.run, most));
  return count.value_or(0);
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
  CHRONOS_TRY(standing.ahead_in_queue, count_ahead(db, *run, run->lane.queue, ahead_max));
  standing.ahead = standing.ahead_in_queue;
  std::string queue;
  while (standing.ahead < ahead_max) {
    CHRONOS_TRY(auto next, db.one(kNextQueue, column<std::string>, run->lane.kind, queue));
    if (!next) break;
    queue = std::move(*next);
    if (queue == run->lane.queue) continue;
    CHRONOS_TRY(const auto more, count_ahead(db, *run, queue, ahead_max - standing.ahead));
    standing.ahead += more;
  }
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
