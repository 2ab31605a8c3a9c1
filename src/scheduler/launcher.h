// Starts attempts and hands back what they came to: the one asynchronous seam of the scheduler
// (ninja's CommandRunner is the model). The real one drives executors, the simulator's a queue in
// virtual time. Called from the scheduler's thread; `done` may come back on any thread.
#pragma once

#include <functional>

#include "model/run.h"
#include "store/changes.h"

namespace chronos::scheduler {

class Launcher {
 public:
  virtual ~Launcher() = default;

  // `done` is called exactly once. `timeout` is of this attempt.
  virtual void launch(const store::ClaimedRun& run, Duration timeout,
                      std::move_only_function<void(Outcome)> done) = 0;

  // Asks a launched attempt to stop; its outcome follows through `done`.
  virtual void cancel(RunId run, int attempt) = 0;
};

}  // namespace chronos::scheduler
