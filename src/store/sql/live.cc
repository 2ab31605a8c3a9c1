#include "store/sql/live.h"

#include <algorithm>
#include <span>
#include <vector>

#include "base/check.h"
#include "store/sql/limited.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kFindByJob{"SELECT " CHRONOS_LIVE_COLUMNS " FROM " CHRONOS_LIVE_TABLES
                         " WHERE l.job = $1 AND l.is_held IN (0, 1) AND l.run = $2"};
constexpr Sql kFindByProject{"SELECT " CHRONOS_LIVE_COLUMNS " FROM " CHRONOS_LIVE_TABLES
                             " WHERE l.project = $1 AND l.run = $2"};
constexpr Sql kFindLeased{"SELECT " CHRONOS_LIVE_OWN_COLUMNS
                          "e.queued_at, 0, 0, " CHRONOS_LEASE_COLUMNS
                          " FROM leases e JOIN live l ON l.job = e.job AND l.is_held = 0"
                          " AND l.run = e.run"
                          " WHERE e.run = $1"};
constexpr Sql kOverdue{"SELECT " CHRONOS_LIVE_OWN_COLUMNS
                       "e.queued_at, 0, 0, " CHRONOS_LEASE_COLUMNS
                       " FROM leases e CROSS JOIN live l ON l.job = e.job"
                       " AND l.is_held = 0 AND l.run = e.run"
                       " WHERE e.ends_at <= $1 ORDER BY e.ends_at LIMIT $2"};
constexpr Sql kOfJob{"SELECT " CHRONOS_LIVE_COLUMNS " FROM " CHRONOS_LIVE_TABLES
                     " WHERE l.job = $1 ORDER BY l.run"};
constexpr Sql kNotHeldOfJob{"SELECT " CHRONOS_LIVE_COLUMNS " FROM " CHRONOS_LIVE_TABLES
                            " WHERE l.job = $1 AND l.is_held = 0 ORDER BY l.run"};
constexpr Sql kHasEnded{"SELECT 1 FROM runs WHERE project = $1 AND id = $2"};
constexpr Sql kAnyOfJob{"SELECT 1 FROM live WHERE job = $1 LIMIT 1"};

constexpr Sql kDeleteLive{"DELETE FROM live WHERE job = $1 AND is_held = 0 AND run = $2"};
constexpr Sql kInsertDue{"INSERT INTO due (needs_planning, at, run, job) VALUES ($1, $2, $3, $4)"};
constexpr Sql kDeleteDue{"DELETE FROM due WHERE needs_planning = $1 AND at = $2 AND run = $3"};
constexpr Sql kInsertReady{
    "INSERT INTO ready (kind, queue, rank, planned_at, run, job, project, trigger_kind, attempt,"
    " queued_at, has_rate) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"};
constexpr Sql kDeleteReady{
    "DELETE FROM ready WHERE kind = $1 AND queue = $2 AND rank = $3 AND planned_at = $4"
    " AND run = $5"};
constexpr Sql kInsertHeld{
    "INSERT INTO held (job, is_backfill, planned_at, run) VALUES ($1, $2, $3, $4)"};
constexpr Sql kDeleteHeld{
    "DELETE FROM held WHERE job = $1 AND is_backfill = $2 AND planned_at = $3 AND run = $4"};
constexpr Sql kSetHeld{
    "UPDATE live SET is_held = $3 WHERE job = $1 AND is_held = 1 - $3 AND run = $2"};
constexpr Sql kNextHeld{
    "SELECT run FROM held WHERE job = $1 ORDER BY is_backfill, planned_at, run LIMIT 1"};
constexpr Sql kAnyHeld{"SELECT 1 FROM held WHERE job = $1 AND is_backfill = $2 LIMIT 1"};
constexpr Sql kDeleteLease{"DELETE FROM leases WHERE run = $1"};
constexpr Sql kMarkLease{"UPDATE leases SET is_cancel_requested = 1 WHERE run = $1"};
constexpr Sql kMarkLive{
    "UPDATE live SET is_cancel_requested = 1 WHERE job = $1 AND is_held IN (0, 1) AND run = $2"};
constexpr Sql kSetNeedsPlanning{
    "UPDATE live SET needs_planning = $3 WHERE job = $1 AND is_held = 0 AND run = $2"};
constexpr Sql kSetPlannedAt{
    "UPDATE live SET planned_at = $3, jitter = $4 WHERE job = $1 AND is_held = 0 AND run = $2"};
constexpr Sql kWaitAgain{
    "UPDATE live SET planned_at = $3, jitter = $4, at = $5"
    " WHERE job = $1 AND is_held = 0 AND run = $2"};
constexpr Sql kBackOff{
    "UPDATE live SET at = $3, needs_planning = 0, attempts_made = attempts_made + 1,"
    " started_at = coalesce(started_at, $4), queued_at = $5"
    " WHERE job = $1 AND is_held = 0 AND run = $2"};
constexpr Sql kSetLane{
    "UPDATE live SET kind = $3, queue = $4, rank = $5, is_limited = $6"
    " WHERE job = $1 AND is_held IN (0, 1) AND run = $2"};

constexpr Sql kInsertRun{
    "INSERT INTO runs (project, id, job, trigger_kind, state, reason, planned_at, run_count,"
    " queued_at, started_at, ended_at, retry_of, attempts_made, attempt_started_at,"
    " attempt_ended_at, node, outcome, outcome_reason, error, exit_code, signal, http_status,"
    " output, output_dropped, jitter)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
    " $19, $20, $21, $22, $23, $24)"};
// $7: whether no other run of the job is live.
constexpr Sql kFollowEnd{
    "UPDATE jobs SET last_run = $3, last_state = $4, last_ended_at = $5, last_error = $6,"
    " succeeded = succeeded + $8, failed = failed + $9, cancelled = cancelled + $10, runs_kept = "
    "runs_kept + 1,"
    " failure_streak = CASE WHEN $8 = 1 THEN 0 ELSE failure_streak + $9 END,"
    " phase = CASE WHEN $7 = 0 OR parked_at IS NOT NULL THEN phase"
    "   WHEN phase_at_end IS NOT NULL THEN phase_at_end"
    "   WHEN $8 = 1 THEN 'succeeded' WHEN $9 = 1 THEN 'failed'"
    "   WHEN phase = 'active' THEN 'cancelled' ELSE phase END, phase_before = phase"
    " WHERE project = $1 AND id = $2"};
// Asked for apart: with RETURNING, SQLite takes half again as long for the two together.
constexpr Sql kFollowedEnd{
    "SELECT phase_before, phase, is_paused FROM jobs WHERE project = $1 AND id = $2"};

constexpr Sql kInsertOutput{"INSERT INTO outputs (bytes) VALUES ($1) RETURNING id"};
constexpr Sql kLastAttempt{"SELECT " CHRONOS_ATTEMPT_COLUMNS
                           " FROM attempts WHERE run = $1 AND number = $2"};
constexpr Sql kDeleteAttempt{"DELETE FROM attempts WHERE run = $1 AND number = $2"};

// The run comes to its place, or leaves it (-1).
void count_place(Writer& writer, const LiveRun& run, int number) {
  auto& totals = totals_of(writer, run.project, run.lane.queue);
  switch (run.place) {
    case Place::due:
      totals.due += number;
      if (run.attempts_made > 0) totals.retrying += number;
      break;
    case Place::ready:
      totals.ready += number;
      break;
    case Place::held:
      totals.held += number;
      break;
    case Place::limited:
      totals.limited += number;
      break;
    case Place::leased:
      totals.running += number;
      break;
  }
}

bool is_backfill(const LiveRun& run) {
  return run.trigger == Trigger::backfill;
}

// A row of `due`, and of `ready`.
struct DueRow {
  const LiveRun* run = nullptr;
};
void put_columns(Parameters& parameters, const DueRow& row) {
  const auto& run = *row.run;
  parameters.put(run.needs_planning).put(run.at).put(run.run).put(run.job);
}
struct ReadyRow {
  const LiveRun* run = nullptr;
  Timestamp queued_at;
  bool has_rate = false;
};
void put_columns(Parameters& parameters, const ReadyRow& row) {
  const auto& run = *row.run;
  parameters.put(run.lane.kind).put(run.lane.queue).put(run.lane.rank).put(run.planned_at);
  parameters.put(run.run).put(run.job).put(run.project).put(run.trigger);
  parameters.put(run.attempts_made + 1).put(row.queued_at).put(row.has_rate);
}

Result<void> insert_final(Writer& writer, const LiveRun& run, const End& end) {
  auto started_at = run.started_at;
  if (!started_at && run.lease) started_at = run.lease->started_at;
  const auto& attempt = end.attempt;
  CHRONOS_TRY_VOID(writer.db.post(
      kInsertRun, run.project, run.run, run.job, run.trigger, end.state, end.reason, run.planned_at,
      run.queued_at, started_at, end.at, run.retry_of,
      attempt.attempt == nullptr ? 0 : attempt.attempt->number, attempt, run.jitter));
  return {};
}

// The job follows a run that is no longer live. Whether others of it are.
Result<bool> follow_end(Writer& writer, const LiveRun& run, const End& end) {
  CHRONOS_TRY(const auto other, writer.db.one(kAnyOfJob, column<int>, run.job));
  const auto* attempt = end.attempt.attempt;
  CHRONOS_TRY_VOID(writer.db.post(kFollowEnd, run.project, run.job, run.run, end.state, end.at,
                                  attempt == nullptr ? std::string_view() : attempt->outcome.error,
                                  !other.has_value(), end.state == RunState::succeeded,
                                  is_failure(end.state), end.state == RunState::cancelled));
  CHRONOS_TRY(const auto phase,
              writer.db.one(kFollowedEnd, read_phase_change, run.project, run.job));
  if (!phase) return fail(Reason::internal, "a live run has no job");
  count_phase(writer, run.project, *phase);
  return other.has_value();
}

}  // namespace

bool is_failure(RunState state) {
  return state == RunState::failed || state == RunState::timed_out || state == RunState::lost;
}

RunTotals& totals_of(Writer& writer, ProjectId project, const std::string& queue) {
  return writer.totals.runs[{project, queue}];
}

PhaseChange read_phase_change(Columns& columns) {
  return {.before = columns.get(parse_job_phase),
          .after = columns.get(parse_job_phase),
          .is_paused = columns.get<bool>()};
}

void count_phase(Writer& writer, ProjectId project, const PhaseChange& change) {
  if (change.before == change.after) return;
  auto& totals = writer.totals.jobs[project];
  totals.count(change.before, change.is_paused, -1);
  totals.count(change.after, change.is_paused);
}

void tell_ready(Writer& writer, ProjectId project, const Lane& lane) {
  ++totals_of(writer, project, lane.queue).ready;
  if (!is_for_workers(lane)) {
    writer.has_made_ready = true;
    return;
  }
  auto& work = writer.news.work;
  if (!work.empty() && work.back().project == project && work.back().queue == lane.queue) {
    ++work.back().count;
  } else {
    work.push_back({project, lane.queue, 1});
  }
}

void tell_room(Writer& writer, const std::string& queue) {
  if (writer.queue_use) --(*writer.queue_use)[queue];
  if (writer.full_queues.erase(queue) == 0) return;
  writer.news.work.push_back({std::nullopt, queue, 1});
  writer.news.is_for_nodes = true;
}

std::string kind_of(std::string_view kind, std::optional<ProjectId> project) {
  if (kind != kWorkerKind) return std::string(kind);
  std::string name(kWorkerLane);
  if (project) name += to_base32(project->uuid);
  return name;
}

bool is_for_workers(const Lane& lane) {
  return lane.kind.starts_with(kWorkerLane);
}

Lane lane_of(const JobSpec& spec, ProjectId project) {
  return {kind_of(spec.action.kind, project), spec.queue, 9 - spec.priority, spec.limits};
}

bool is_recurring(const JobSpec& spec) {
  return !spec.schedule.cron.empty() || spec.schedule.every;
}

Ended ended(const LiveRun& run, RunState state, Timestamp at) {
  Ended value{.project = run.project, .state = state, .at = at, .started_at = run.started_at};
  if (!value.started_at && run.lease) value.started_at = run.lease->started_at;
  if (value.started_at && run.trigger != Trigger::backfill) {
    value.lateness = *value.started_at - run.planned_at - run.jitter;
  }
  return value;
}

RunState LiveRun::state() const {
  switch (place) {
    case Place::due:
      return is_retrying() ? RunState::retrying : RunState::planned;
    case Place::ready:
    case Place::held:
    case Place::limited:
      return RunState::queued;
    case Place::leased:
      return RunState::running;
  }
  return RunState::planned;
}

LiveRun read_live_row(Columns& columns) {
  LiveRun run;
  run.job = columns.get<JobId>();
  run.run = columns.get<RunId>();
  run.project = columns.get<ProjectId>();
  run.trigger = columns.get(parse_trigger);
  run.planned_at = columns.get<Timestamp>();
  run.jitter = columns.get<Duration>();
  run.at = columns.get<Timestamp>();
  run.needs_planning = columns.get<bool>();
  const bool is_held = columns.get<bool>();
  run.is_limited = columns.get<bool>();
  run.lane.kind = columns.get<std::string>();
  run.lane.queue = columns.get<std::string>();
  run.lane.rank = columns.get<int>();
  run.retry_of = columns.get<std::optional<RunId>>();
  run.is_cancel_requested = columns.get<bool>();
  run.attempts_made = columns.get<int>();
  run.started_at = columns.get<std::optional<Timestamp>>();
  run.queued_at = columns.get<std::optional<Timestamp>>();
  const bool is_due = columns.get<bool>();
  const bool is_ready = columns.get<bool>();
  run.place = is_held    ? Place::held
              : is_due   ? Place::due
              : is_ready ? Place::ready
                         : Place::limited;
  const auto holder = columns.get<std::optional<NodeId>>();
  if (!holder) return run;
  run.place = Place::leased;
  run.lease = Lease{.holder = *holder,
                    .node = columns.get<std::string>(),
                    .token = columns.get<std::int64_t>(),
                    .started_at = columns.get<Timestamp>(),
                    .is_cancel_requested = columns.get<bool>()};
  return run;
}

Result<std::optional<LiveRun>> find_live(Connection& db, JobId job, RunId run) {
  return db.one(kFindByJob, read_live_row, job, run);
}

Result<std::optional<LiveRun>> find_live(Connection& db, ProjectId project, RunId run) {
  return db.one(kFindByProject, read_live_row, project, run);
}

Result<bool> has_ended(Connection& db, ProjectId project, RunId run) {
  CHRONOS_TRY(const auto row, db.one(kHasEnded, column<int>, project, run));
  return row.has_value();
}

Result<std::optional<LiveRun>> find_leased(Connection& db, RunId run) {
  return db.one(kFindLeased, read_live_row, run);
}

Result<std::vector<LiveRun>> overdue(Connection& db, Timestamp now, int limit) {
  return db.all(kOverdue, read_live_row, now, limit);
}

Result<std::vector<LiveRun>> live_of_job(Connection& db, JobId job) {
  return db.all(kOfJob, read_live_row, job);
}

Result<std::vector<LiveRun>> not_held_of_job(Connection& db, JobId job) {
  return db.all(kNotHeldOfJob, read_live_row, job);
}

Result<bool> has_held(Connection& db, JobId job, bool of_backfill) {
  CHRONOS_TRY(const auto any, db.one(kAnyHeld, column<int>, job, of_backfill));
  return any.has_value();
}

Result<void> leave_place(Writer& writer, const LiveRun& run) {
  Result<std::int64_t> left = 0;
  switch (run.place) {
    case Place::due:
      left = writer.db.run(kDeleteDue, run.needs_planning, run.at, run.run);
      break;
    case Place::ready:
      left = writer.db.run(kDeleteReady, run.lane.kind, run.lane.queue, run.lane.rank,
                           run.planned_at, run.run);
      if (run.is_limited) CHRONOS_TRY_VOID(will_not_start(writer, run));
      break;
    case Place::held:
      left = writer.db.run(kDeleteHeld, run.job, is_backfill(run), run.planned_at, run.run);
      CHRONOS_TRY_VOID(writer.db.post(kSetHeld, run.job, run.run, false));
      break;
    case Place::limited:
      left = leave_line(writer, run);
      break;
    case Place::leased:
      left = writer.db.run(kDeleteLease, run.run);
      break;
  }
  CHRONOS_TRY(const auto rows, std::move(left));
  if (rows != 1) return fail(Reason::internal, "a live run is not where it should be");
  count_place(writer, run, -1);
  if (run.place == Place::leased) tell_room(writer, run.lane.queue);
  return {};
}

Result<Place> enter_ready(Writer& writer, const LiveRun& run, Timestamp now) {
  if (run.is_limited) {
    CHRONOS_TRY(const bool waits, enter_line(writer, run));
    if (waits) {
      ++totals_of(writer, run.project, run.lane.queue).limited;
      return Place::limited;
    }
  }
  CHRONOS_TRY_VOID(insert_ready(writer, run, now, false));
  return Place::ready;
}

Result<void> insert_ready(Writer& writer, const LiveRun& run, Timestamp now, bool has_rate) {
  CHRONOS_TRY_VOID(writer.db.post(kInsertReady, ReadyRow{&run, now, has_rate}));
  tell_ready(writer, run.project, run.lane);
  return {};
}

Result<void> insert_due(Writer& writer, LiveRun run) {
  CHRONOS_TRY_VOID(writer.db.post(kInsertDue, DueRow{&run}));
  run.place = Place::due;
  count_place(writer, run, 1);
  return {};
}

Result<void> insert_held(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY_VOID(writer.db.post(kInsertHeld, run.job, is_backfill(run), run.planned_at, run.run));
  ++totals_of(writer, run.project, run.lane.queue).held;
  return {};
}

Result<void> place_new(Writer& writer, std::span<const NewRun> runs) {
  std::vector<DueRow> due;
  std::vector<ReadyRow> ready;
  for (const auto& [run, now] : runs) {
    if (run.place == Place::due) {
      due.emplace_back(&run);
      count_place(writer, run, 1);
    } else {
      ready.emplace_back(&run, now);
      tell_ready(writer, run.project, run.lane);
    }
  }
  CHRONOS_TRY_VOID(writer.db.run_rows<DueRow>(kInsertDue, due));
  CHRONOS_TRY_VOID(writer.db.run_rows<ReadyRow>(kInsertReady, ready));
  return {};
}

Result<void> enter_held(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY_VOID(writer.db.post(kSetHeld, run.job, run.run, true));
  return insert_held(writer, run);
}

Result<void> enter_back_off(Writer& writer, const LiveRun& run, Timestamp at) {
  CHRONOS_TRY_VOID(
      writer.db.post(kBackOff, run.job, run.run, at, run.lease->started_at, run.queued_at));
  auto waiting = run;
  waiting.needs_planning = false;
  waiting.at = at;
  ++waiting.attempts_made;
  return insert_due(writer, std::move(waiting));
}

Result<void> wait_again(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY_VOID(
      writer.db.post(kWaitAgain, run.job, run.run, run.planned_at, run.jitter, run.at));
  return insert_due(writer, run);
}

Result<void> set_planned_at(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY_VOID(writer.db.post(kSetPlannedAt, run.job, run.run, run.planned_at, run.jitter));
  return {};
}

Result<void> set_needs_planning(Writer& writer, const LiveRun& run, bool needs_planning) {
  CHRONOS_TRY_VOID(leave_place(writer, run));
  auto waiting = run;
  waiting.needs_planning = needs_planning;
  CHRONOS_TRY_VOID(insert_due(writer, std::move(waiting)));
  CHRONOS_TRY_VOID(writer.db.post(kSetNeedsPlanning, run.job, run.run, needs_planning));
  return {};
}

Result<void> set_lane(Writer& writer, LiveRun run, const Lane& lane, Timestamp now) {
  const bool is_waiting = run.place == Place::ready || run.place == Place::limited;
  if (is_waiting) CHRONOS_TRY_VOID(leave_place(writer, run));
  if (run.place == Place::leased) {
    if (run.lane.queue != lane.queue) {
      if (writer.queue_use) ++(*writer.queue_use)[lane.queue];
      tell_room(writer, run.lane.queue);
    }
  } else if (run.lane.limits != lane.limits) {
    if (run.is_limited) CHRONOS_TRY_VOID(drop_limits(writer, run.project, run.run));
    run.is_limited = lane.limits.any();
    if (run.is_limited) {
      CHRONOS_TRY_VOID(put_limits(writer.db, run.project, run.run, lane.limits));
    }
  }
  CHRONOS_TRY_VOID(
      writer.db.post(kSetLane, run.job, run.run, lane.kind, lane.queue, lane.rank, run.is_limited));
  if (!is_waiting) {
    count_place(writer, run, -1);
    run.lane.queue = lane.queue;
    count_place(writer, run, 1);
    return {};
  }
  const bool was_ready = run.place == Place::ready;
  run.lane = lane;
  CHRONOS_TRY_VOID(enter_ready(writer, run, was_ready ? *run.queued_at : now));
  return {};
}

Result<void> mark_cancelled(Writer& writer, const LiveRun& run) {
  if (run.place == Place::leased) {
    CHRONOS_TRY_VOID(writer.db.post(kMarkLease, run.run));
  } else {
    CHRONOS_TRY_VOID(writer.db.post(kMarkLive, run.job, run.run));
  }
  return {};
}

Result<void> vanish(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY_VOID(leave_place(writer, run));
  if (run.is_limited) CHRONOS_TRY_VOID(drop_limits(writer, run.project, run.run));
  CHRONOS_TRY_VOID(writer.db.post(kDeleteLive, run.job, run.run));
  return {};
}

Result<bool> end_run(Writer& writer, const LiveRun& run, const End& end) {
  CHRONOS_CHECK(is_final(end.state) && may_move(run.state(), end.state));
  CHRONOS_TRY_VOID(vanish(writer, run));
  CHRONOS_TRY_VOID(insert_final(writer, run, end));
  count_end(writer.totals.tallies, ended(run, end.state, end.at));
  return follow_end(writer, run, end);
}

Result<void> cancel_waiting(Writer& writer, const LiveRun& run, std::string_view reason,
                            Timestamp now) {
  std::optional<StoredAttempt> last;
  if (run.attempts_made > 0) {
    CHRONOS_TRY(last, writer.db.one(kLastAttempt, read_attempt_row, run.run, run.attempts_made));
    CHRONOS_TRY_VOID(writer.db.post(kDeleteAttempt, run.run, run.attempts_made));
  }
  End end{.state = RunState::cancelled, .reason = reason, .at = now, .attempt = {}};
  if (last) end.attempt = {&last->attempt, last->output};
  CHRONOS_TRY_VOID(end_run(writer, run, end));
  return {};
}

Result<void> release_held(Writer& writer, JobId job, Timestamp now) {
  CHRONOS_TRY(const auto next, writer.db.one(kNextHeld, column<RunId>, job));
  if (!next) return {};
  CHRONOS_TRY(const auto others, not_held_of_job(writer.db, job));
  if (std::ranges::any_of(others, &LiveRun::goes_on)) return {};
  CHRONOS_TRY(const auto held, find_live(writer.db, job, *next));
  if (!held) return fail(Reason::internal, "a held run is not live");
  CHRONOS_TRY_VOID(leave_place(writer, *held));
  CHRONOS_TRY_VOID(enter_ready(writer, *held, now));
  return {};
}

Result<std::optional<std::int64_t>> store_output(Writer& writer, const std::string& bytes) {
  if (bytes.empty()) return std::nullopt;
  return writer.db.one(kInsertOutput, column<std::int64_t>, Bytes{bytes});
}

}  // namespace chronos::store::sql
