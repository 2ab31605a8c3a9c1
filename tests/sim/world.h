// One simulated history: nodes on one store, their jobs, users who keep asking, and the faults of
// one seed, all in one thread on virtual time. The same seed gives the same history.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "checkers.h"
#include "fault_plan.h"
#include "faulty_store.h"
#include "notify/notifier.h"
#include "scheduler/scheduler.h"
#include "service/calendars.h"
#include "service/jobs.h"
#include "sim_channel.h"
#include "sim_launcher.h"
#include "sim_store.h"
#include "support/virtual_clock.h"

namespace chronos::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  int steps = 2000;
  bool is_verbose = false;
  Bug bug = Bug::none;  // planted
  StoreKind store = StoreKind::memory;
  // What is due must be done so long after the faults have stopped.
  SteadyTime patience = std::chrono::hours(30);
};

class World {
 public:
  explicit World(WorldOptions options);

  // Runs both phases: with faults, then without until everything due is done. Returns what the
  // checkers found wrong; the first complaint ends the history.
  Complaints run();

  std::string summary() const;
  std::int64_t steps_made() const { return steps_made_; }
  // Virtual time that went by, on each node.
  SteadyTime node_time() const { return clock_.steady() * plan_.nodes; }

 private:
  // A process: what dies in a crash. The machine, the store and the outside world do not.
  struct Node {
    Node(World& world, const Clock& clock, FaultyStore& store, int number);
    SimLauncher launcher;
    SimChannel channel;
    scheduler::Scheduler scheduler;
    notify::Notifier notifier;
  };

  // A submission whose fate the user has not been told.
  struct Asked {
    std::string key;
    std::string body;
  };

  struct Machine {
    Machine(World& world, int number);
    int number;
    test::VirtualClock clock;
    FaultyStore store;
    service::Jobs jobs;
    service::Calendars calendars;
    std::unique_ptr<Node> node;
    SteadyTime down_until{};  // without a process, or with one that stands still
    SteadyTime unreadable_until{};
    std::map<std::string, Asked> waiting;
  };

  void step(bool has_faults);
  Duration step_node(Machine& machine, bool has_faults);
  void start(Machine& machine);
  void advance(Duration by);
  bool is_up(const Machine& machine) const {
    return machine.node && machine.down_until <= clock_.steady();
  }
  void commit(Machine& machine);
  void stop_faults();
  bool has_work() const;
  void finish_work();
  void deliver_the_rest();

  void maybe_fault(Machine& machine);
  void crash(Machine& machine);
  void step_clock(Machine& machine);
  void note_spread();

  // users.cc
  void act_as_user();
  Machine* some_machine();
  void submit(Machine& machine);
  void ask(Machine& machine, const Asked& asked);
  std::string new_body();
  void change_some_job(Machine& machine);
  void pause(Machine& machine, JobId job);
  void change_calendar(Machine& machine);
  void backfill(Machine& machine, JobId job);

  Complaints check(bool at_end);
  void tell(const std::string& what) const;

  const WorldOptions options_;
  Rng rng_;
  FaultPlan plan_;
  test::VirtualClock clock_{Timestamp{}};  // true time: the store goes by its steady reading
  IdSource ids_;
  SimStore inner_;
  OutsideWorld outside_;
  Arrived arrived_;
  int channel_permille_ = 0;
  service::Principal who_;
  std::vector<std::unique_ptr<Machine>> machines_;
  StateChecker states_;
  std::set<JobId> known_;      // acknowledged to the user
  std::vector<Asked> unsure_;  // to be asked again
  std::set<JobId> rescheduled_;
  int asked_ = 0;
  int crashes_ = 0;
  int starts_ = 0;  // of nodes
  std::int64_t steps_made_ = 0;
};

}  // namespace chronos::sim
