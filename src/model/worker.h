// Remote workers: programs of the user's that pull runs of kind `worker` (docs/workers.md). Plain
// values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

namespace chronos {

// What a worker says about itself.
struct WorkerInfo {
  ProjectId project;
  std::string name;                 // not unique: processes of one program share it
  std::vector<std::string> queues;  // it polls; empty = every queue of its project

  bool operator==(const WorkerInfo&) const = default;
};

// What a worker says of itself in one request; what it leaves out is as it said before.
struct WorkerWords {
  ProjectId project;
  std::optional<std::string> name = {};
  std::optional<std::vector<std::string>> queues = {};
  bool goes_on = false;  // it was heard of before
};

// What is known of a worker after these words.
inline WorkerInfo after(std::optional<WorkerInfo> before, const WorkerWords& words) {
  auto info = std::move(before).value_or(WorkerInfo{words.project, {}, {}});
  if (words.name) info.name = *words.name;
  if (words.queues) info.queues = *words.queues;
  return info;
}

inline std::unexpected<Error> no_worker() {
  return fail(Reason::not_found, "no worker of this project has this id",
              "claim without 'worker_id' to begin as a new worker");
}

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

// A server process that starts runs, as it says itself.
struct NodeInfo {
  std::string name;
  std::string version;
  Timestamp started_at;

  bool operator==(const NodeInfo&) const = default;
};

// A node as it is read.
struct Node {
  NodeId id;
  NodeInfo info;
  Timestamp seen_at;
  bool is_alive = false;     // its leases hold
  std::int64_t running = 0;  // runs it holds
};
inline constexpr Duration kNodesListed = std::chrono::days(1);  // after they were last seen

// A worker with this list polls this queue.
inline bool polls(const std::vector<std::string>& queues, const std::string& queue) {
  return queues.empty() || std::ranges::find(queues, queue) != queues.end();
}

}  // namespace chronos
