// What goes wrong in one simulated history: drawn from its seed, told with it. Plain values.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"

namespace chronos::sim {

// Chances are permille, for each node in each step.
struct FaultPlan {
  int nodes = 1;
  int crash = 0;          // before or after the commit of what waits
  int clock_step = 0;     // of one node, by up to an hour either way
  Duration skew{};        // by which the wall clocks of two nodes may differ
  int slow = 300;         // what waits for its commit goes on waiting
  int refuse = 0;         // the store refuses what waits
  int unknown = 0;        // the commit's fate is told to nobody; half of those happened
  int unreadable = 0;     // reads fail for a while
  int sleep = 0;          // the node stands still for longer than its leases last
  int channel = 0;        // sendings fail
  int burst = 0;          // a crowd is submitted at once
  std::size_t start = 0;  // a day on which clocks change somewhere, or an ordinary one

  // Each kind of fault is there in some histories and not in others.
  static FaultPlan draw(Rng& rng);
  std::string to_string() const;
};

}  // namespace chronos::sim
