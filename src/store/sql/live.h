// Live runs: the only code that moves a run between its places (changes.h says which there are) or
// ends it (new_runs.cc: those that come to be). Used by the sql_*.cc files that make changes; on
// the committer's thread, inside its transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/job.h"
#include "model/limits.h"
#include "model/overview.h"
#include "model/plan.h"
#include "model/run.h"
#include "store/sql/connection.h"
#include "store/sql/rows.h"
#include "store/sql/writer.h"

namespace chronos::store::sql {

enum class Place { due, ready, held, limited, leased };

struct Lease {
  NodeId holder;
  std::string node;
  std::int64_t token = 0;
  Timestamp started_at;
  bool is_cancel_requested = false;
};

// What of a job its runs must know: whose they are, and where in `ready` they stand.
struct JobKey {
  ProjectId project;
  JobId job;
};
// Its limits are in the row of a run only as `is_limited`: see limited.h.
struct Lane {
  std::string kind;
  std::string queue;
  int rank = 0;  // 9 − priority
  Limits limits = {};

  bool operator==(const Lane&) const = default;
};
// The kind in `live` and `ready`. Runs for workers lie apart by project: a worker sees its own
// only.
inline constexpr std::string_view kWorkerLane = "worker/";
bool is_for_workers(const Lane& lane);
std::string kind_of(std::string_view kind, std::optional<ProjectId> project);
Lane lane_of(const JobSpec& spec, ProjectId project);
bool is_recurring(const JobSpec& spec);

struct LiveRun {
  JobId job;
  RunId run;
  ProjectId project;
  Trigger trigger = Trigger::schedule;
  Timestamp planned_at;
  Duration jitter{};
  Timestamp at;
  bool needs_planning = false;
  bool is_limited = false;
  Lane lane;  // without its limits
  std::optional<RunId> retry_of;
  bool is_cancel_requested = false;     // of a planned run
  int attempts_made = 0;                // that have ended
  std::optional<Timestamp> started_at;  // of the first attempt, once it has ended
  std::optional<Timestamp> queued_at;   // when it last became ready
  Place place = Place::due;
  std::optional<Lease> lease;

  bool is_untried() const { return place == Place::due && attempts_made == 0; }
  bool is_retrying() const { return place == Place::due && attempts_made > 0; }
  bool goes_on() const {
    return place == Place::ready || place == Place::limited || place == Place::leased ||
           is_retrying();
  }
  RunState state() const;
};

// The columns read_live_row() takes; sql_runs.cc selects them too, to show people.
#define CHRONOS_LIVE_OWN_COLUMNS                                                              \
  "l.job, l.run, l.project, l.trigger_kind, l.planned_at, l.jitter, l.at, l.needs_planning, " \
  "l.is_held, l.is_limited, l.kind, "                                                         \
  "l.queue, l.rank, l.retry_of, l.is_cancel_requested, l.attempts_made, l.started_at, "
#define CHRONOS_LEASE_COLUMNS "e.holder, e.node, e.token, e.started_at, e.is_cancel_requested"
#define CHRONOS_LIVE_COLUMNS                          \
  CHRONOS_LIVE_OWN_COLUMNS                            \
  "coalesce(e.queued_at, y.queued_at, l.queued_at), " \
  "d.run IS NOT NULL, y.run IS NOT NULL, " CHRONOS_LEASE_COLUMNS
#define CHRONOS_LIVE_TABLES                                                                   \
  "live l LEFT JOIN leases e ON e.run = l.run"                                                \
  " LEFT JOIN due d ON d.needs_planning = l.needs_planning AND d.at = l.at AND d.run = l.run" \
  " LEFT JOIN ready y ON y.kind = l.kind AND y.queue = l.queue AND y.rank = l.rank"           \
  " AND y.planned_at = l.planned_at AND y.run = l.run"
LiveRun read_live_row(Columns& columns);

Result<std::optional<LiveRun>> find_live(Connection& db, JobId job, RunId run);
Result<std::optional<LiveRun>> find_live(Connection& db, ProjectId project, RunId run);
// Whether it is a run that is no longer live.
Result<bool> has_ended(Connection& db, ProjectId project, RunId run);
Result<std::optional<LiveRun>> find_leased(Connection& db, RunId run);
// Attempts of workers whose time is over, in the order in which it ended.
Result<std::vector<LiveRun>> overdue(Connection& db, Timestamp now, int limit);
Result<std::vector<LiveRun>> live_of_job(Connection& db, JobId job);      // by id
Result<std::vector<LiveRun>> not_held_of_job(Connection& db, JobId job);  // by id
// Whether runs of a backfill of the job are held, or others.
Result<bool> has_held(Connection& db, JobId job, bool of_backfill);

// The totals of its project and queue, to be changed with its place.
RunTotals& totals_of(Writer& writer, ProjectId project, const std::string& queue);
// A statement has set a job's phase: it answers `phase_before, phase, is_paused` as they are now.
struct PhaseChange {
  JobPhase before = JobPhase::active;
  JobPhase after = JobPhase::active;
  bool is_paused = false;
};
PhaseChange read_phase_change(Columns& columns);
void count_phase(Writer& writer, ProjectId project, const PhaseChange& change);

// A run lies in `ready` now: whoever may take it is told when the transaction is committed. And: a
// lease in this queue is gone, so whoever found it full is told.
void tell_ready(Writer& writer, ProjectId project, const Lane& lane);
void tell_room(Writer& writer, const std::string& queue);

// -- Moves ---------------------------------------------------------------------------------------

// `planned` in `due`; or in `ready` when its instant has come and it needs no planning. False when
// a run with this id is live already.
Result<bool> add_run(Writer& writer, JobKey job, const Lane& lane, const PlannedRun& planned,
                     Timestamp now);
// `planned` in `held`: release_held() follows. False when a run with this id is live already.
Result<bool> add_held(Writer& writer, JobKey job, const Lane& lane, const PlannedRun& planned);
// As add_run() for each, their rows together; without limits, of jobs that are new as they are.
struct NewRun {
  LiveRun run;  // in `due` or `ready`
  Timestamp now;
};
NewRun new_run(JobKey job, const Lane& lane, const PlannedRun& planned, Timestamp now);
Result<void> add_runs(Writer& writer, std::span<const NewRun> runs);
// Takes a run out of its place; the caller puts it into another, or ends it, at once.
Result<void> leave_place(Writer& writer, const LiveRun& run);
// Their rows in `due` and `ready`.
Result<void> place_new(Writer& writer, std::span<const NewRun> runs);
Result<void> insert_due(Writer& writer, LiveRun run);
Result<void> insert_held(Writer& writer, const LiveRun& run);
// In `ready`, or in line for a limit: where it is now.
Result<Place> enter_ready(Writer& writer, const LiveRun& run, Timestamp now);
// Past its limits. `has_rate`: its start counts for a rate.
Result<void> insert_ready(Writer& writer, const LiveRun& run, Timestamp now, bool has_rate);
Result<void> enter_held(Writer& writer, const LiveRun& run);
// After an attempt that failed: in `due` until `at`.
Result<void> enter_back_off(Writer& writer, const LiveRun& run, Timestamp at);
// Back into `due`, with its planned_at, jitter and at as they are in `run`. It is in no place.
Result<void> wait_again(Writer& writer, const LiveRun& run);
// Writes planned_at and jitter of a run that is in no place right now.
Result<void> set_planned_at(Writer& writer, const LiveRun& run);
Result<void> set_needs_planning(Writer& writer, const LiveRun& run, bool needs_planning);  // in due
// A running one keeps the limits it has.
Result<void> set_lane(Writer& writer, LiveRun run, const Lane& lane, Timestamp now);
Result<void> mark_cancelled(Writer& writer, const LiveRun& run);
// Leaves no trace.
Result<void> vanish(Writer& writer, const LiveRun& run);

// -- Ends ----------------------------------------------------------------------------------------

// How a run ended, and by which attempt, if one did.
struct End {
  RunState state = RunState::cancelled;
  std::string_view reason;
  Timestamp at;
  AttemptColumns attempt;
};

bool is_failure(RunState state);
Ended ended(const LiveRun& run, RunState state, Timestamp at);  // for the tallies
// Writes the final row; the job's counts, streak, last_run and phase follow. The run may be
// anywhere. Answers whether other runs of the job are live; if none is, none is held.
Result<bool> end_run(Writer& writer, const LiveRun& run, const End& end);
// Ends a run that holds no lease as cancelled.
Result<void> cancel_waiting(Writer& writer, const LiveRun& run, std::string_view reason,
                            Timestamp now);
// The oldest held run of the job becomes ready when none goes on, those of a backfill last. Every
// change to the runs of a job that may hold some ends with it.
Result<void> release_held(Writer& writer, JobId job, Timestamp now);

// Appends to `outputs` unless there is nothing to keep.
Result<std::optional<std::int64_t>> store_output(Writer& writer, const std::string& bytes);

}  // namespace chronos::store::sql
