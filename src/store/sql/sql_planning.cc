// Planning: what is due, what the planner decided about it, what may start without it.
#include <algorithm>
#include <iterator>
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/limited.h"
#include "store/sql/live.h"
#include "store/sql/reads.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

// The last row of a batch of `$2` + 1 that ReleaseDue may move.
constexpr Sql kReleaseEnd{
    "SELECT at, run FROM due WHERE needs_planning = 0 AND at <= $1 ORDER BY at, run"
    " LIMIT 1 OFFSET $2"};
constexpr Sql kRelease{
    "INSERT INTO ready (kind, queue, rank, planned_at, run, job, project, trigger_kind, attempt,"
    " queued_at) SELECT l.kind, l.queue, l.rank, l.planned_at, l.run, l.job, l.project,"
    " l.trigger_kind, l.attempts_made + 1, $3 FROM due d JOIN live l ON l.job = d.job AND"
    " l.is_held = 0 AND l.run = d.run WHERE d.needs_planning = 0 AND (d.at, d.run) < ($1, $2)"
    " AND l.is_limited = 0 RETURNING project, queue, attempt > 1"};
constexpr Sql kReleasedLimited{
    "SELECT l.job, l.run FROM due d CROSS JOIN live l ON l.job = d.job AND l.is_held = 0"
    " AND l.run = d.run WHERE d.needs_planning = 0 AND (d.at, d.run) < ($1, $2)"
    " AND l.is_limited = 1 ORDER BY d.at, d.run"};
constexpr Sql kReleasedWork{
    "SELECT l.project, l.queue, count(*) FROM due d CROSS JOIN live l ON l.job = d.job AND "
    "l.is_held = 0"
    " AND l.run = d.run WHERE d.needs_planning = 0 AND (d.at, d.run) < ($1, $2)"
    " AND l.is_limited = 0 AND l.kind BETWEEN 'worker/' AND 'worker/~' GROUP BY l.project, "
    "l.queue"};
constexpr Sql kAnyWorker{"SELECT 1 FROM workers LIMIT 1"};
constexpr Sql kForgetReleased{"DELETE FROM due WHERE needs_planning = 0 AND (at, run) < ($1, $2)"};
// Each job's earliest: others of it are looked for among its live runs, which are few. CROSS keeps
// that order; SQLite would rather read all that was due before.
#define CHRONOS_DUE_RUNS                                                            \
  "SELECT d.at, d.run, d.job, l.planned_at, l.project FROM due d"                   \
  " JOIN live l ON l.job = d.job AND l.is_held = 0 AND l.run = d.run"               \
  " WHERE d.needs_planning = 1 AND d.at <= $1 AND NOT EXISTS (SELECT 1 FROM live o" \
  " CROSS JOIN due e ON e.needs_planning = 1 AND e.at = o.at AND e.run = o.run"     \
  " WHERE o.job = d.job AND o.is_held = 0 AND (o.at, o.run) < (d.at, d.run))"
constexpr Sql kFirstDue{CHRONOS_DUE_RUNS " ORDER BY d.at, d.run LIMIT $2"};
constexpr Sql kLastDue{CHRONOS_DUE_RUNS
                       " AND (d.at, d.run) > ($3, $4) ORDER BY d.at DESC, d.run DESC LIMIT $2"};
#undef CHRONOS_DUE_RUNS
constexpr Sql kToResume{"SELECT " CHRONOS_JOB_COLUMNS
                        " FROM jobs j WHERE j.paused_until IS NOT NULL AND j.phase = 'active'"
                        " AND j.paused_until <= $1 ORDER BY j.paused_until, j.id LIMIT $2"};
constexpr Sql kNextResume{
    "SELECT paused_until FROM jobs WHERE paused_until IS NOT NULL AND phase = 'active'"
    " ORDER BY paused_until LIMIT 1"};
constexpr Sql kNextDue{"SELECT at FROM due WHERE needs_planning = $1 ORDER BY at LIMIT 1"};

constexpr Sql kWaitingRuns{
    "SELECT d.at, d.run, l.planned_at, l.is_cancel_requested, l.project, d.job FROM due d"
    " JOIN live l ON l.job = d.job AND l.is_held = 0 AND l.run = d.run"
    " WHERE d.needs_planning = 1 AND (d.at, d.run) > ($1, $2) ORDER BY d.at, d.run LIMIT $3"};
constexpr Sql kReadZones{"SELECT value FROM meta WHERE name = 'zones_stamp'"};
constexpr Sql kNoteZones{
    "INSERT INTO meta (name, value) VALUES ('zones_stamp', $1)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"};

constexpr Sql kFollowPlan{
    "UPDATE jobs SET planned_through = $3, runs_planned = runs_planned + $4, parked_at = $5,"
    " phase_at_end = coalesce($6, phase_at_end), skipped = skipped + $7, missed = missed + $8"
    " WHERE project = $1 AND id = $2"};
constexpr Sql kTakePhaseAtEnd{
    "UPDATE jobs SET phase = phase_at_end, phase_before = phase WHERE project = $1 AND id = $2"
    " AND phase_at_end IS NOT NULL AND parked_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM live WHERE job = $2)"
    " RETURNING phase_before, phase, is_paused"};
// In no order: there is one at most, and with an order SQLite would read all runs of the job.
constexpr Sql kRowBefore{
    "SELECT id FROM runs WHERE job = $1 AND coalesce(planned_until, planned_at) = $2"
    " AND state IN ('skipped', 'missed') AND state = $3 AND reason = $4"
    " AND coalesce(error, '') = $5 AND is_fold = 0 LIMIT 1"};
constexpr Sql kExtendRow{
    "UPDATE runs SET run_count = run_count + $3, planned_until = $4, ended_at = $5"
    " WHERE project = $1 AND id = $2"};
constexpr Sql kInsertRow{
    "INSERT INTO runs (project, id, job, trigger_kind, state, reason, planned_at, planned_until,"
    " run_count, ended_at, error, attempts_made) VALUES ($1, $2, $3, 'schedule', $4, $5, $6, $7, "
    "$8,"
    " $9, $10, 0)"};

constexpr Sql kCountRow{"UPDATE jobs SET runs_kept = runs_kept + 1 WHERE project = $1 AND id = $2"};

std::unexpected<Error> stale() {
  return fail(Reason::version_mismatch, "the job or its due run changed meanwhile");
}

// What of the runs before this point in `due` is for workers. Without any nobody waits for it.
Result<void> tell_released(Writer& writer, Timestamp at, RunId run) {
  CHRONOS_TRY(const auto any, writer.db.one(kAnyWorker, column<int>));
  if (!any) return {};
  const auto read = [](Columns& columns) -> Work {
    return {.project = columns.get<ProjectId>(),
            .queue = columns.get<std::string>(),
            .count = columns.get<std::int64_t>()};
  };
  CHRONOS_TRY(auto work, writer.db.all(kReleasedWork, read, at, run));
  std::ranges::move(work, std::back_inserter(writer.news.work));
  return {};
}

Result<void> move_due_run(Writer& writer, LiveRun run, const CommitPlan& change) {
  using enum Plan::DueRun;
  if (change.due_run == drop || change.due_run == park) return vanish(writer, run);
  CHRONOS_TRY_VOID(leave_place(writer, run));
  if (change.due_run == wait) {
    run.planned_at = change.next_run->planned_at;
    run.jitter = change.next_run->jitter;
    run.at = change.next_run->at;
    return wait_again(writer, run);
  }
  if (change.released_planned_at) {
    run.planned_at = *change.released_planned_at;
    run.jitter = change.released_jitter;
    CHRONOS_TRY_VOID(set_planned_at(writer, run));
  }
  if (change.due_run == hold) {
    CHRONOS_TRY_VOID(enter_held(writer, run));
    run.place = Place::held;
  } else {
    CHRONOS_TRY(run.place, enter_ready(writer, run, change.now));
    if (run.place == Place::ready) run.queued_at = change.now;
  }
  if (!run.is_cancel_requested) return {};
  return cancel_waiting(writer, run, kRunCancelled, change.now);
}

// Writes a row for instants that did not run, or extends the one that ends at `from`.
Result<void> write_row(Connection& db, JobKey job, const LedgerRow& row, Timestamp from,
                       Timestamp now) {
  CHRONOS_TRY(const auto before,
              db.one(kRowBefore, column<RunId>, job.job, from, row.state, row.reason, row.error));
  if (before) {
    CHRONOS_TRY_VOID(db.post(kExtendRow, job.project, *before, row.count,
                             row.planned_until.value_or(row.planned_at), now));
    return {};
  }
  CHRONOS_TRY_VOID(db.post(kInsertRow, job.project, row.id, job.job, row.state, row.reason,
                           row.planned_at, row.planned_until, row.count, now, row.error));
  CHRONOS_TRY_VOID(db.post(kCountRow, job.project, job.job));
  return {};
}

Result<void> write_rows(Writer& writer, JobKey job, const CommitPlan& change) {
  auto from = change.expected_planned_through;
  for (const auto& row : change.rows) {
    CHRONOS_TRY_VOID(write_row(writer.db, job, row, from, change.now));
    count_end(writer.totals.tallies,
              {.project = job.project, .state = row.state, .at = change.now, .count = row.count});
    from = row.planned_until.value_or(row.planned_at);
  }
  return {};
}

// Overlap policy cancel_running: whatever else goes on or is held, stops.
Result<void> stop_others(Writer& writer, const CommitPlan& change) {
  CHRONOS_TRY(const auto runs, live_of_job(writer.db, change.job));
  for (const auto& run : runs) {
    if (run.run == change.run || run.trigger == Trigger::backfill) continue;
    if (run.place == Place::leased) {
      CHRONOS_TRY_VOID(mark_cancelled(writer, run));
    } else if (run.goes_on() || run.place == Place::held) {
      CHRONOS_TRY_VOID(cancel_waiting(writer, run, kOverlap, change.now));
    }
  }
  return {};
}

std::int64_t counted(const CommitPlan& change, RunState state) {
  std::int64_t count = 0;
  for (const auto& row : change.rows) count += row.state == state ? row.count : 0;
  return count;
}

Result<void> follow_plan(Connection& db, const Job& before, const CommitPlan& change,
                         const LiveRun& run) {
  const JobKey job{before.project, before.id};
  std::optional<Timestamp> parked_at;
  if (change.due_run == Plan::DueRun::park) parked_at = run.planned_at;
  if (change.due_run == Plan::DueRun::wait) parked_at = before.parked_at;
  CHRONOS_TRY_VOID(db.post(kFollowPlan, job.project, job.job, change.planned_through,
                           change.runs_planned, parked_at, change.phase_at_end,
                           counted(change, RunState::skipped), counted(change, RunState::missed)));
  return {};
}

struct DueCandidate {
  Timestamp at;
  RunId run;
  JobId job;
  Timestamp planned_at;
  ProjectId project;
};

DueCandidate read_due_row(Columns& columns) {
  return {.at = columns.get<Timestamp>(),
          .run = columns.get<RunId>(),
          .job = columns.get<JobId>(),
          .planned_at = columns.get<Timestamp>(),
          .project = columns.get<ProjectId>()};
}

Result<DueRun> read_due_run(Reader reader, const DueCandidate& row) {
  CHRONOS_TRY(auto stored, find_stored_job(reader, row.project, row.job));
  if (!stored) return fail(Reason::internal, "a live run has no job");
  CHRONOS_TRY(const auto runs, not_held_of_job(reader.db, row.job));
  DueRun value{row.run, row.planned_at, std::make_shared<const Job>(std::move(stored->job)),
               false,   false,          {}};
  CHRONOS_TRY(value.is_held, has_held(reader.db, row.job, false));
  value.is_running = value.is_held;
  CHRONOS_TRY(value.calendars, calendars_of(reader.db, *value.job));
  for (const auto& run : runs) {
    if (run.run == row.run) continue;
    const bool is_of_backfill = run.trigger == Trigger::backfill;
    (is_of_backfill ? value.is_backfilling : value.is_running) |= run.goes_on();
  }
  return value;
}

// Runs with limits take their places in line one by one. How many there were.
Result<std::int64_t> release_limited(Writer& writer, Timestamp at, RunId run, Timestamp now) {
  CHRONOS_TRY(const bool any, has_limited(writer.db));
  if (!any) return 0;
  CHRONOS_TRY_VOID(touch_opening(writer, now));
  const auto read = [](Columns& columns) -> std::pair<JobId, RunId> {
    return {columns.get<JobId>(), columns.get<RunId>()};
  };
  CHRONOS_TRY(const auto rows, writer.db.all(kReleasedLimited, read, at, run));
  for (const auto& [job, id] : rows) {
    CHRONOS_TRY(const auto limited, find_live(writer.db, job, id));
    if (!limited) return fail(Reason::internal, "a due run is not live");
    CHRONOS_TRY_VOID(leave_place(writer, *limited));
    CHRONOS_TRY_VOID(enter_ready(writer, *limited, now));
  }
  return std::ssize(rows);
}

}  // namespace

Result<std::int64_t> apply(Writer& writer, const ReleaseDue& change) {
  auto& db = writer.db;
  struct Bound {
    Timestamp at;
    RunId run;
  };
  // Everything before `end` goes: the row after the last one, or else all that is due.
  CHRONOS_TRY(auto end, db.one(
                            kReleaseEnd,
                            [](Columns& columns) {
                              return Bound{columns.get<Timestamp>(), columns.get<RunId>()};
                            },
                            change.now, change.limit));
  if (!end) end = Bound{change.now + Duration(1), RunId{}};
  CHRONOS_TRY(const auto limited, release_limited(writer, end->at, end->run, change.now));
  CHRONOS_TRY_VOID(tell_released(writer, end->at, end->run));
  std::int64_t released = 0;
  const auto count = [&](Columns& columns) {
    const auto project = columns.get<ProjectId>();
    auto& totals = totals_of(writer, project, columns.get<std::string>());
    --totals.due;
    totals.retrying -= columns.get<std::int64_t>();
    ++totals.ready;
    ++released;
    return true;
  };
  CHRONOS_TRY_VOID(db.for_each(kRelease, count, end->at, end->run, change.now));
  if (released > 0) CHRONOS_TRY_VOID(db.post(kForgetReleased, end->at, end->run));
  return released + limited;
}

Result<CommitPlan::Answer> apply(Writer& writer, const CommitPlan& change) {
  auto& db = writer.db;
  CHRONOS_TRY(const auto run, find_live(db, change.job, change.run));
  if (!run || run->place != Place::due || !run->needs_planning ||
      run->planned_at != change.expected_planned_at) {
    return stale();
  }
  const JobKey key{run->project, run->job};
  CHRONOS_TRY(const auto stored, find_stored_job({db, writer.specs}, key.project, key.job));
  if (!stored || stored->job.version != change.expected_version ||
      stored->job.planned_through != change.expected_planned_through) {
    return stale();
  }
  CHRONOS_TRY(const bool saw_calendars, are_current(db, key.project, change.calendars));
  if (!saw_calendars) return stale();
  CHRONOS_TRY_VOID(follow_plan(db, stored->job, change, *run));
  if (change.next_run && change.due_run != Plan::DueRun::wait) {
    CHRONOS_TRY_VOID(add_run(writer, key, lane_of(stored->job.spec, stored->job.project),
                             *change.next_run, change.now));
  }
  CHRONOS_TRY_VOID(move_due_run(writer, *run, change));
  CHRONOS_TRY_VOID(write_rows(writer, key, change));
  if (change.cancels_running) CHRONOS_TRY_VOID(stop_others(writer, change));
  CHRONOS_TRY_VOID(release_held(writer, change.job, change.now));
  if (change.phase_at_end || stored->phase_at_end) {
    CHRONOS_TRY(const auto phase, db.one(kTakePhaseAtEnd, read_phase_change, key.project, key.job));
    if (phase) count_phase(writer, key.project, *phase);
  }
  return CommitPlan::Answer{};
}

Result<NoteZones::Answer> apply(Writer& writer, const NoteZones& change) {
  CHRONOS_TRY_VOID(writer.db.post(kNoteZones, change.stamp));
  return NoteZones::Answer{};
}

Result<std::optional<std::int64_t>> zones_stamp(Reader reader) {
  return reader.db.one(kReadZones, column<std::int64_t>);
}

Result<std::vector<WaitingRun>> waiting_runs(Reader reader, WaitingCursor after, int limit) {
  struct Row {
    WaitingRun run;
    ProjectId project;
    JobId job;
  };
  const auto read = [](Columns& columns) -> Row {
    return {.run = {.at = columns.get<Timestamp>(),
                    .run = columns.get<RunId>(),
                    .planned_at = columns.get<Timestamp>(),
                    .is_cancel_requested = columns.get<bool>(),
                    .job = nullptr},
            .project = columns.get<ProjectId>(),
            .job = columns.get<JobId>()};
  };
  CHRONOS_TRY(auto rows, reader.db.all(kWaitingRuns, read, after.at, after.run, limit));
  std::vector<WaitingRun> waiting;
  for (auto& row : rows) {
    CHRONOS_TRY(auto stored, find_stored_job(reader, row.project, row.job));
    if (!stored) return fail(Reason::internal, "a live run has no job");
    row.run.job = std::make_shared<const Job>(std::move(stored->job));
    waiting.push_back(std::move(row.run));
  }
  return waiting;
}

Result<std::vector<DueRun>> due_runs(Reader reader, Timestamp now, int limit) {
  const int latest = limit / 2;
  const int earliest = limit - latest;
  CHRONOS_TRY(auto rows, reader.db.all(kFirstDue, read_due_row, now, earliest));
  if (latest > 0 && std::ssize(rows) == earliest) {
    const auto& end = rows.back();
    CHRONOS_TRY(const auto last,
                reader.db.all(kLastDue, read_due_row, now, latest, end.at, end.run));
    rows.insert(rows.end(), last.rbegin(), last.rend());
  }
  std::vector<DueRun> due;
  due.reserve(rows.size());
  for (const auto& row : rows) {
    CHRONOS_TRY(auto value, read_due_run(reader, row));
    due.push_back(std::move(value));
  }
  return due;
}

Result<std::vector<Job>> jobs_to_resume(Reader reader, Timestamp now, int limit) {
  CHRONOS_TRY(auto stored, reader.db.all(kToResume, read_job_row, now, limit));
  std::vector<Job> jobs;
  for (auto& each : stored) {
    CHRONOS_TRY_VOID(fill_spec(reader.db, reader.specs, each));
    CHRONOS_TRY_VOID(fill_derived(reader, each.job));
    jobs.push_back(std::move(each.job));
  }
  return jobs;
}

Result<std::optional<Timestamp>> next_resume_at(Reader reader) {
  return reader.db.one(kNextResume, column<Timestamp>);
}

Result<std::optional<Timestamp>> next_due_at(Reader reader) {
  CHRONOS_TRY(const auto planned, reader.db.one(kNextDue, column<Timestamp>, true));
  CHRONOS_TRY(const auto waiting, reader.db.one(kNextDue, column<Timestamp>, false));
  CHRONOS_TRY(const auto limited, next_opening(reader.db));
  std::optional<Timestamp> next;
  for (const auto& at : {planned, waiting, limited}) {
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

}  // namespace chronos::store::sql
