// What the planner decides, as values that a store applies in one step (store/changes.h,
// CommitPlan). Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "model/job.h"
#include "model/run.h"

namespace chronos {

// A run to create. It goes to `due`; or straight to `ready` when `at` has come and it needs no
// planning.
struct PlannedRun {
  RunId id;
  Trigger trigger = Trigger::schedule;
  Timestamp planned_at;
  Timestamp at;                 // when it may start; planned_at unless a retry moves it
  bool needs_planning = false;  // at `at` the planner must look at it first
  std::optional<RunId> retry_of;
  Duration jitter{};  // it is meant to start so long after planned_at
};

// A final row of the ledger for an instant (or range of instants) that did not run.
struct LedgerRow {
  RunId id;
  RunState state = RunState::missed;  // skipped or missed
  std::string reason;
  Timestamp planned_at;
  std::optional<Timestamp> planned_until;
  std::int64_t count = 1;
  std::string error = {};  // more for people: which calendar
};

// The answer to one due scheduled run.
struct Plan {
  enum class DueRun {
    release,  // → ready
    hold,     // → held, until an earlier run of the job ends (overlap: queue_one, queue_all)
    drop,     // its answer is among `rows` (skipped or missed)
    park,     // the job is paused: kept as Job::parked_at
    wait,     // not yet: it goes on waiting in `due` with the times of `next_run`
  };

  JobId job;
  std::int64_t expected_version = 0;
  Timestamp expected_planned_through;
  Timestamp planned_through;
  RunId run;
  Timestamp expected_planned_at;  // the instant that `run` waits for, as the plan saw it
  DueRun due_run = DueRun::release;
  std::optional<Timestamp> released_planned_at;  // run_once: the instant the run stands for instead
  Duration released_jitter{};                    // and its jitter
  // A row extends the one before it when state, reason and error are equal.
  std::vector<LedgerRow> rows;
  std::optional<PlannedRun> next_run;  // after `wait`: `run` itself
  bool cancels_running = false;        // stop the job's other runs that go on
  std::int64_t runs_planned = 0;       // added to Job::runs_planned
  // No further instant: the phase the job takes once none of its runs is live.
  std::optional<JobPhase> phase_at_end;
};

}  // namespace chronos
