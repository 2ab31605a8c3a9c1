// Remote workers: programs of the user's that pull runs of kind `worker` (docs/workers.md). Plain
// values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"

namespace chronos {

// What a worker says about itself.
struct WorkerInfo {
  ProjectId project;
  std::string name;                 // not unique: processes of one program share it
  std::vector<std::string> queues;  // it polls; empty = every queue of its project

  bool operator==(const WorkerInfo&) const = default;
};

// A worker as it is read.
struct Worker {
  WorkerId id;
  WorkerInfo info;
  Timestamp first_seen_at;
  Timestamp last_seen_at;    // exact to a few seconds
  bool is_alive = false;     // its leases hold: it was heard of within their time
  std::int64_t running = 0;  // runs it holds
  std::vector<RunId> runs;   // of them the first, oldest claim first; at most kWorkerRunsMax
};
inline constexpr int kWorkerRunsMax = 100;

// A worker with this list polls this queue.
inline bool polls(const std::vector<std::string>& queues, const std::string& queue) {
  return queues.empty() || std::ranges::find(queues, queue) != queues.end();
}

}  // namespace chronos
