// Ways to do the work: the contract every kind of action's executor keeps. The launcher calls; an
// executor runs its own event thread and is thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "model/job.h"
#include "model/run.h"

namespace chronos::executor {

// One attempt to make. `run` and `attempt` together name it.
struct Launch {
  RunId run;
  JobId job;
  std::string job_name;
  std::string project;  // name
  int attempt = 1;
  std::int64_t token = 0;
  Timestamp planned_at;
  Trigger trigger = Trigger::schedule;
  std::string config;   // the action as JSON text; was accepted by check()
  std::string payload;  // JSON text; empty = none
  Duration timeout{};   // the attempt is stopped and times out after this long
  // Told what the attempt prints while it goes on: `bytes` that follow the first `offset` of it. It
  // answers false when it cannot take them now: the same are offered again. Empty: nobody asks.
  // What was told begins the outcome's output. Called on the executor's thread; must not block.
  std::function<bool(std::int64_t offset, std::string_view bytes)> on_output = {};
};

class Executor {
 public:
  virtual ~Executor() = default;

  // Whether `config` (the parsed action object) can be run. FieldErrors point below "/action".
  // Unknown members are refused with the nearest known name.
  virtual Result<void> check(const json::Value& config) const = 0;

  // Starts the attempt and returns at once. `done` is called exactly once, on the executor's
  // thread, with what it came to; it must be short. A launch that cannot start is an Outcome too.
  virtual void start(Launch launch, std::move_only_function<void(Outcome)> done) = 0;

  // Stops a running attempt: its Outcome comes back as cancelled (or as what it came to just
  // before). Unknown: ignored.
  virtual void cancel(RunId run, int attempt) = 0;

  // Stops everything that still runs (outcome `lost`, reason "shutdown") and the thread.
  virtual void stop() = 0;
};

}  // namespace chronos::executor
