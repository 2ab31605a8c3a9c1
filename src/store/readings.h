// What reads of a store answer, where it is no value of the model. Plain values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "model/calendar.h"
#include "model/job.h"

namespace chronos::store {

// A due scheduled run with all the planner needs to know (model/planner.h).
struct DueRun {
  RunId run;
  Timestamp planned_at;
  std::shared_ptr<const Job> job;
  // Of another run of the job, backfills aside:
  bool is_running = false;                      // it holds a lease, is ready, held or in back-off
  bool is_held = false;                         // it is held
  std::vector<CalendarVersion> calendars = {};  // that the job names, in its order
  bool is_backfilling = false;                  // a run of a backfill goes on
};

// A scheduled run that waits in `due` to be planned at `at`.
struct WaitingRun {
  Timestamp at;
  RunId run;
  Timestamp planned_at;
  bool is_cancel_requested = false;
  std::shared_ptr<const Job> job;
};
// Only what comes after this in the order of waiting_runs.
struct WaitingCursor {
  Timestamp at;
  RunId run;
};

struct OutputPage {
  std::string bytes;         // from the offset on
  std::int64_t dropped = 0;  // bytes the executor could not keep
  int attempt = 0;           // whose; 0: there is none
  bool is_running = false;   // it goes on, and so may its output
};

struct Stats {
  std::int64_t jobs = 0;  // of any phase
  std::int64_t due = 0;   // back-off included
  std::int64_t ready = 0;
  std::int64_t held = 0;
  std::int64_t limited = 0;  // in line for a limit
  std::int64_t leased = 0;
  std::int64_t deliveries_waiting = 0;
  // The earliest queued_at in ready; of each queue and priority at most the kOldestLooksMax runs
  // that were planned first are looked at.
  std::optional<Timestamp> oldest_ready_at;
};
inline constexpr int kOldestLooksMax = 1000;

// Runs that workers may claim: in a queue of a project, or, after room was made in a queue that was
// full, of any project.
struct Work {
  std::optional<ProjectId> project;
  std::string queue;
  std::int64_t count = 0;
};

inline constexpr int kReasonRowsMax = 100'000;

}  // namespace chronos::store
