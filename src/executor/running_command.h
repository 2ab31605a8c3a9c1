// One attempt from the start of its command to the end of the last process it left: what to do when
// something happens to it. It waits for nothing itself: the command executor's event loop calls,
// from one thread, when its fds are readable and when it asked to be woken.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "executor/child_process.h"
#include "executor/command_action.h"
#include "executor/command_executor.h"
#include "executor/executor.h"
#include "executor/output.h"
#include "executor/process_tree.h"
#include "executor/secret_mask.h"

namespace chronos::executor {

class RunningCommand {
 public:
  // Why it is being stopped.
  enum class Stop { timeout, cancel, shutdown };

  // Starts the command, in `cgroup` if there is one.
  static std::expected<std::unique_ptr<RunningCommand>, SpawnFailure> start(
      const Launch& launch, const CommandAction& action, const CommandExecutorOptions& options,
      std::optional<Cgroup> cgroup, SteadyTime now);

  const RunId& run() const { return run_; }
  int attempt() const { return attempt_; }
  int pidfd() const { return child_.pidfd.get(); }
  int output_fd() const { return child_.output.get(); }

  // Reads what is there, but not for ever. False: the output is over.
  bool read_output();
  // `pidfd` is readable. False: not for good, a debugger still holds the dead command.
  bool note_exit();
  // Begins to stop it, unless it is being stopped already or its command has ended.
  void stop(Stop why, SteadyTime now);
  // Goes on as far as it can at `now`; to be called after any of the above and at wake_at().
  void advance(SteadyTime now);

  bool is_over() const { return phase_ == Phase::over; }
  // When advance() has something to do; nothing = only after an event.
  std::optional<SteadyTime> wake_at() const;

  // Once it is over: collects the command and says what the attempt came to.
  Outcome take_outcome();
  // Whether the command outlived every attempt to kill it: the pidfd is still to be collected.
  bool is_uncollected() const { return !exit_; }
  Fd take_pidfd() { return std::move(child_.pidfd); }

 private:
  enum class Phase {
    running,
    ending,   // told to end, in its grace
    killing,  // until nothing is left
    over,
  };
  struct Exit {
    bool is_known = false;  // false: somebody else collected it, against all rules
    bool is_signal = false;
    int value = 0;  // exit code or signal
  };

  RunningCommand(const Launch& launch, const CommandExecutorOptions& options, ChildProcess child,
                 ProcessTree tree, SteadyTime now);

  void tell(SteadyTime now);
  void look_after_end(SteadyTime now);
  void kill_rest(SteadyTime now);
  Outcome describe_stop(Stop why) const;
  Outcome describe_exit() const;

  RunId run_;
  int attempt_;
  Duration timeout_;
  Duration grace_;
  Duration patience_;
  Duration cpu_time_max_;
  int processes_max_;
  ChildProcess child_;
  ProcessTree tree_;
  OutputCapture output_;
  SecretMask mask_;
  decltype(Launch::on_output) on_output_;
  std::size_t told_ = 0;         // of the capture's head
  std::int64_t told_bytes_ = 0;  // the same, as it was told: secrets are shorter there
  std::optional<SteadyTime> tell_at_;
  Phase phase_ = Phase::running;
  std::optional<Stop> stop_;
  std::optional<Exit> exit_;
  std::optional<SteadyTime> deadline_;  // of the phase
  std::optional<SteadyTime> look_at_;   // when to look at the tree again
  int kill_rounds_ = 0;
  bool is_stuck_ = false;
};

}  // namespace chronos::executor
