// Due job → the run to start and the ledger rows to write: the misfire and overlap rules of
// product.md §3–4. Pure: everything it needs comes in, a value comes out; the scheduler and the
// service call it, the store applies it.
#pragma once

#include <optional>

#include "base/id.h"
#include "model/job.h"
#include "model/plan.h"
#include "schedule/calendar.h"
#include "schedule/schedule.h"

namespace chronos {

// The first scheduled run of a job, and where its planning stands before it.
struct FirstPlan {
  std::optional<PlannedRun> run;  // nothing: the schedule has no instant after `now`
  // Before the run's instant; only what calendars exclude lies between.
  Timestamp planned_through;
};

// For a new or changed declaration. A one-time job in the past keeps its instant and is due at
// once; a job without a schedule is due now; a recurring one starts with its first instant after
// `now` and after all that was planned before (`planned_through` of a changed job: a clock set back
// never repeats an instant).
struct FirstInput {
  JobId job;
  const JobSpec& spec;
  const schedule::Schedule& schedule;
  Timestamp now;
  Timestamp planned_through{};
  schedule::CalendarSet calendars = {};  // those that the job names
};
FirstPlan plan_first(const FirstInput& input, IdSource& ids);

// What a job that was paused goes on with: this run answers the instant that came meanwhile, and
// all since, as a misfire. Only the store knows at the commit whether one came; without, it passes
// the run over (store/changes.h, ReplaceJob).
PlannedRun plan_resumption(const Job& job, Timestamp now, IdSource& ids);

// Whether the planner must look at the job's scheduled runs when their instant comes. The store
// releases the others by itself.
bool needs_planning(const JobSpec& spec);

struct DueInput {
  const Job& job;
  const schedule::Schedule& schedule;
  RunId run;             // the waiting run whose instant has come
  Timestamp planned_at;  // its instant
  bool is_running;       // another run of the job goes on (back-off counts)
  bool is_held;          // another run of the job is held back by the overlap policy
  Timestamp now;
  schedule::CalendarSet calendars = {};  // those that the job names
  bool is_backfilling = false;  // a run of a backfill goes on; the two above are of other runs
};

// When the run of `instant` is meant to start: at once, or later by the schedule's jitter.
Duration jitter_of(const JobSpec& spec, JobId job, Timestamp instant);

// Decides about one due run. Lateness is counted from its start, jitter included. Late by more than
// misfire.grace is a misfire:
// - run_once: the latest instant runs, all earlier ones lie in one missed range;
// - skip: all instants late by more than the grace lie in one missed range;
// - run_all: one run per instant, one after another (an overlap policy that would skip holds them
//   instead), at most misfire.max of them; the older ones lie in one missed range;
// - ask: as skip, with reason "ask" from misfire.window on: a backfill of them is the decision.
// An instant that a calendar excludes is skipped(calendar) whatever else holds, and the next run is
// planned for the first open instant: the search jumps from change to change of the calendars, and
// gives up after some hundreds of jumps at an instant that is not open. What was excluded becomes a
// row when the planner looks at the run: at its instant, when a calendar changes (PutCalendar), and
// until then at the first excluded instant and about every hour (`wait`), so that the ledger is
// never far behind.
// Instants older than misfire.window are missed for good; a one-time job is never too old.
// An instant that comes while a run of a backfill goes on is held for that run's length, whatever
// the overlap policy but allow: a backfill costs the schedule no instant.
Plan plan_due(const DueInput& input, IdSource& ids);

struct WaitingInput {
  const Job& job;
  const schedule::Schedule& schedule;  // by the rules of the time zone database as it is now
  RunId run;                           // waits for `planned_at`, which the old rules gave
  Timestamp planned_at;
  Timestamp now;
};

// At a start of the server: the plan by which a run that waited for it (kNextStart) is due at
// `now`. Nothing for other runs, and when the schedule has not begun yet.
std::optional<Plan> plan_start_up(const WaitingInput& input);

// After a change of the time zone database: the plan that moves a waiting run to the instant the
// new rules put it at, the one nearest to the old among those not planned yet. Nothing when it
// stays where it is, and for a run whose instant has come: that goes as planned.
std::optional<Plan> replan(const WaitingInput& input, IdSource& ids);

}  // namespace chronos
