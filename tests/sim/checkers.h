// What must hold in every simulated history, whatever the faults. Each function names what it
// found wrong, one line each; nothing = all is well. Pure readers of the store.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim_launcher.h"
#include "store/store.h"

namespace chronos::sim {

using Complaints = std::vector<std::string>;

// Every job's runs, newest first.
using History = std::map<JobId, std::vector<Run>>;
History read_history(const store::Store& store, ProjectId project);

// Watches a history as it grows: states only move as the table allows, and final rows never change.
class StateChecker {
 public:
  Complaints check(const History& history);

 private:
  struct Seen {
    RunState state;
    std::int64_t count;
  };
  std::map<RunId, Seen> seen_;
};

// One run per instant of a schedule, and no lease beyond the overlap policy.
Complaints check_no_double_fire(const History& history);
Complaints check_overlap(const store::Store& store, ProjectId project, const History& history);

// No more runs of a concurrency key go on than its max, and no more attempts of a rate key start
// within its span. Jobs that share a key have the same limits here, and keep them.
Complaints check_limits(const store::Store& store, ProjectId project, const History& history,
                        const OutsideWorld& world);

// Attempts within max_attempts, numbered without gaps; nothing starts again once it is recorded as
// succeeded; no attempt starts before its instant.
Complaints check_attempts(const store::Store& store, ProjectId project, const History& history,
                          const OutsideWorld& world);

// What is recorded of an attempt is what that attempt came to.
Complaints check_outcomes(const store::Store& store, ProjectId project, const History& history,
                          const OutsideWorld& world);

// The ledger: every instant from the first to planned_through has exactly one row. Only for jobs
// whose schedule never changed. A @reboot job has no more rows than the node had `starts`.
Complaints check_ledger(const store::Store& store, ProjectId project, const History& history,
                        const std::set<JobId>& rescheduled, int starts);

// Every run that failed for good has its delivery.
Complaints check_deliveries(const store::Store& store, ProjectId project, const History& history);

// What the user was told that it is there is there, and no submission made two jobs: each has a
// name of its own.
Complaints check_acknowledged(const store::Store& store, ProjectId project, const History& history,
                              const std::set<JobId>& acknowledged);

// After the faults have stopped: whom a run concerns has been told, and nobody else is said to be.
Complaints check_arrived(const store::Store& store, ProjectId project, const History& history,
                         const std::set<DeliveryId>& arrived);

// After the faults have stopped: nothing that was due is still waiting or running.
Complaints check_all_done(const History& history, Timestamp now);

}  // namespace chronos::sim
