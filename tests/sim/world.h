// One simulated history: a node, its jobs, a user who keeps asking, and the faults of one seed, all
// in one thread on virtual time. The same seed gives the same history.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "checkers.h"
#include "faulty_store.h"
#include "scheduler/scheduler.h"
#include "service/calendars.h"
#include "service/jobs.h"
#include "sim_launcher.h"
#include "store/memory_store.h"
#include "support/virtual_clock.h"

namespace chronos::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  int steps = 2000;
  bool is_verbose = false;
};

class World {
 public:
  explicit World(WorldOptions options);

  // Runs both phases: with faults, then without until everything due is done. Returns what the
  // checkers found wrong; the first complaint ends the history.
  Complaints run();

  std::string summary() const;

 private:
  // What dies in a crash; the store and the outside world do not.
  struct Node {
    Node(World& world);
    SimLauncher launcher;
    scheduler::Scheduler scheduler;
  };

  void step(bool has_faults);
  void act_as_user();
  void submit();
  void change_some_job();
  void pause(JobId job);
  void change_calendar();
  void backfill(JobId job);
  void maybe_fault();
  void commit();
  void crash();
  Complaints check(bool at_end);
  void tell(const std::string& what) const;

  const WorldOptions options_;
  Rng rng_;
  test::VirtualClock clock_{Timestamp{}};
  IdSource ids_;
  store::MemoryStore inner_;
  FaultyStore store_;
  OutsideWorld outside_;
  service::Jobs jobs_;
  service::Calendars calendars_;
  service::Principal who_;
  std::unique_ptr<Node> node_;
  StateChecker states_;
  std::vector<JobId> known_;  // acknowledged to the user
  std::set<JobId> rescheduled_;
  int crashes_ = 0;
};

}  // namespace chronos::sim
