// Retention: old runs fold into one range row for each final state of their job; old deliveries,
// idempotency keys, workers and sessions go.
#include <algorithm>

#include "store/sql/apply.h"
#include "store/sql/limited.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

#define CHRONOS_OLD_COLUMNS                                                                  \
  "r.project, r.id, r.job, r.state, r.planned_at, coalesce(r.planned_until, r.planned_at), " \
  "r.run_count, r.ended_at, r.output, r.ended_at < $1 - j.retention_age AND r.is_fold = 0"

constexpr Sql kNextSurplusJob{
    "SELECT project, id, runs_kept - retention_runs FROM jobs"
    " WHERE runs_kept > retention_runs ORDER BY id LIMIT 1"};
constexpr Sql kOldestOfJob{"SELECT " CHRONOS_OLD_COLUMNS
                           " FROM runs r JOIN jobs j ON j.project = r.project AND j.id = r.job"
                           " WHERE r.job = $2 AND r.is_fold = 0 ORDER BY r.id LIMIT $3"};
// One step of the walk along all runs.
constexpr Sql kNextRuns{"SELECT " CHRONOS_OLD_COLUMNS
                        " FROM runs r JOIN jobs j ON j.project = r.project AND j.id = r.job"
                        " WHERE (r.project, r.id) > ($2, $3) ORDER BY r.project, r.id LIMIT $4"};

constexpr Sql kFindFold{"SELECT id FROM runs WHERE job = $1 AND state = $2 AND is_fold = 1"};
constexpr Sql kBecomeFold{
    "UPDATE runs SET is_fold = 1, reason = $3, trigger_kind = 'schedule',"
    " planned_until = coalesce(planned_until, planned_at), queued_at = NULL, started_at = NULL,"
    " retry_of = NULL, attempts_made = 0, attempt_started_at = NULL, attempt_ended_at = NULL,"
    " node = NULL, outcome = NULL, outcome_reason = NULL, error = NULL, exit_code = NULL,"
    " signal = NULL, http_status = NULL, output = NULL, output_dropped = NULL"
    " WHERE project = $1 AND id = $2"};
constexpr Sql kGrowFold{
    "UPDATE runs SET run_count = run_count + $3,"
    " planned_at = CASE WHEN planned_at < $4 THEN planned_at ELSE $4 END,"
    " planned_until = CASE WHEN planned_until > $5 THEN planned_until ELSE $5 END,"
    " ended_at = CASE WHEN ended_at > $6 THEN ended_at ELSE $6 END"
    " WHERE project = $1 AND id = $2"};
constexpr Sql kDeleteRun{"DELETE FROM runs WHERE project = $1 AND id = $2"};
constexpr Sql kCountFolded{
    "UPDATE jobs SET runs_kept = runs_kept - 1 WHERE project = $1 AND id = $2"};
constexpr Sql kDeleteOutput{"DELETE FROM outputs WHERE id = $1"};
constexpr Sql kDeleteOutputs{
    "DELETE FROM outputs WHERE id IN (SELECT output FROM attempts WHERE run = $1)"};
constexpr Sql kDeleteAttempts{"DELETE FROM attempts WHERE run = $1"};

constexpr Sql kDropDeliveries{
    "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state <> 'waiting'"
    " AND next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT $2)"};
constexpr Sql kDropIdempotency{
    "DELETE FROM idempotency WHERE (caller, key) IN (SELECT caller, key FROM idempotency"
    " WHERE at <= $1 ORDER BY at LIMIT $2)"};

constexpr Sql kDropAudit{
    "DELETE FROM audit WHERE (project, id) IN (SELECT project, id FROM audit WHERE at <= $1"
    " ORDER BY at LIMIT $2)"};
constexpr Sql kDropTallies{
    "DELETE FROM tallies WHERE (project, at) IN (SELECT project, at FROM tallies WHERE at <= $1"
    " ORDER BY at LIMIT $2)"};
constexpr Sql kDropWorkers{
    "DELETE FROM workers WHERE id IN (SELECT id FROM workers WHERE last_seen_at <= $1"
    " ORDER BY last_seen_at LIMIT $2)"};

constexpr Sql kDropSessions{
    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= $1"
    " ORDER BY expires_at LIMIT $2)"};

// The walk looks at so many runs for each one it may fold, so that a step stays short.
constexpr int kLooksPerRow = 10;

struct OldRun {
  ProjectId project;
  RunId id;
  JobId job;
  RunState state = RunState::succeeded;
  Timestamp planned_at;
  Timestamp planned_until;
  std::int64_t count = 1;
  Timestamp ended_at;
  std::optional<std::int64_t> output;
  bool is_beyond_age = false;
};

OldRun read_old_run(Columns& columns) {
  return {.project = columns.get<ProjectId>(),
          .id = columns.get<RunId>(),
          .job = columns.get<JobId>(),
          .state = columns.get(parse_run_state),
          .planned_at = columns.get<Timestamp>(),
          .planned_until = columns.get<Timestamp>(),
          .count = columns.get<std::int64_t>(),
          .ended_at = columns.get<Timestamp>(),
          .output = columns.get<std::optional<std::int64_t>>(),
          .is_beyond_age = columns.get<bool>()};
}

Result<void> forget_attempts(Connection& db, const OldRun& run) {
  if (run.output) CHRONOS_TRY_VOID(db.post(kDeleteOutput, *run.output));
  CHRONOS_TRY_VOID(db.post(kDeleteOutputs, run.id));
  CHRONOS_TRY_VOID(db.post(kDeleteAttempts, run.id));
  return {};
}

Result<void> fold(Connection& db, const OldRun& run) {
  CHRONOS_TRY_VOID(forget_attempts(db, run));
  CHRONOS_TRY_VOID(db.post(kCountFolded, run.project, run.job));
  CHRONOS_TRY(const auto into, db.one(kFindFold, column<RunId>, run.job, run.state));
  if (!into) {
    CHRONOS_TRY_VOID(db.post(kBecomeFold, run.project, run.id, kPruned));
    return {};
  }
  CHRONOS_TRY_VOID(db.post(kGrowFold, run.project, *into, run.count, run.planned_at,
                           run.planned_until, run.ended_at));
  CHRONOS_TRY_VOID(db.post(kDeleteRun, run.project, run.id));
  return {};
}

struct Surplus {
  ProjectId project;
  JobId job;
  std::int64_t rows = 0;
};

// Jobs with more rows than they keep.
Result<std::int64_t> fold_surplus(Connection& db, const Prune& change) {
  std::int64_t folded = 0;
  while (folded < change.limit) {
    const auto read = [](Columns& columns) -> Surplus {
      return {columns.get<ProjectId>(), columns.get<JobId>(), columns.get<std::int64_t>()};
    };
    CHRONOS_TRY(const auto surplus, db.one(kNextSurplusJob, read));
    if (!surplus) break;
    const auto wanted = std::min(surplus->rows, change.limit - folded);
    CHRONOS_TRY(const auto runs,
                db.all(kOldestOfJob, read_old_run, change.now, surplus->job, wanted));
    if (runs.empty()) return fail(Reason::internal, "a job counts runs it does not have");
    for (const auto& run : runs) CHRONOS_TRY_VOID(fold(db, run));
    folded += std::ssize(runs);
  }
  return folded;
}

// Runs that ended too long ago, found by walking along all of them, a step each time.
Result<std::int64_t> fold_old(Writer& writer, const Prune& change, std::int64_t budget) {
  auto& cursor = writer.prune_cursor;
  std::int64_t folded = 0;
  std::int64_t looks = std::int64_t{change.limit} * kLooksPerRow;
  bool is_second_round = cursor.run.is_nil();
  while (folded < budget && looks > 0) {
    const auto piece = std::min<std::int64_t>(looks, 1000);
    CHRONOS_TRY(const auto runs, writer.db.all(kNextRuns, read_old_run, change.now, cursor.project,
                                               cursor.run, piece));
    looks -= piece;
    for (const auto& run : runs) {
      if (folded == budget) return folded;
      cursor = {run.project, run.id};
      if (!run.is_beyond_age) continue;
      CHRONOS_TRY_VOID(fold(writer.db, run));
      ++folded;
    }
    if (std::ssize(runs) == piece) continue;
    cursor = {};
    if (std::exchange(is_second_round, true)) break;
  }
  return folded;
}

}  // namespace

Result<std::int64_t> apply(Writer& writer, const Prune& change) {
  auto& db = writer.db;
  CHRONOS_TRY(auto gone, fold_surplus(db, change));
  CHRONOS_TRY(const auto old, fold_old(writer, change, change.limit - gone));
  gone += old;
  CHRONOS_TRY(const auto deliveries,
              db.run(kDropDeliveries, change.now - kDeliveriesKept, change.limit - gone));
  gone += deliveries;
  CHRONOS_TRY(const auto keys,
              db.run(kDropIdempotency, change.now - kIdempotencyKept, change.limit - gone));
  gone += keys;
  CHRONOS_TRY(const auto workers,
              db.run(kDropWorkers, change.now - kWorkersKept, change.limit - gone));
  gone += workers;
  CHRONOS_TRY(const auto tallies,
              db.run(kDropTallies, change.now - kTalliesKept, change.limit - gone));
  gone += tallies;
  CHRONOS_TRY(const auto sessions, db.run(kDropSessions, change.now, change.limit - gone));
  gone += sessions;
  CHRONOS_TRY(const auto entries,
              db.run(kDropAudit, change.now - change.audit_age, change.limit - gone));
  gone += entries;
  CHRONOS_TRY(const auto limits, forget_limits(db, change.now, change.limit - gone));
  return gone + limits;
}

}  // namespace chronos::store::sql
