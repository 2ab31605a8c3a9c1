// Runs `command` actions as child processes (product.md §6). The list of executors makes it;
// thread-safe like every Executor, with one event thread of its own.
//
// One process may have one command executor at work: it makes the process the subreaper of all
// that its commands start, and collects what falls to it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "executor/child_process.h"
#include "executor/executor.h"

namespace chronos::executor {

struct CommandExecutorOptions {
  bool is_allowed = false;  // otherwise every command is refused
  std::string server_id;    // letters, digits, '-', '_'; tells this server's processes from others'
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";  // the PATH
  Duration kill_grace = std::chrono::seconds(5);      // between SIGTERM and SIGKILL
  Duration kill_patience = std::chrono::seconds(10);  // what SIGKILL does not end (a process that
                                                      // hangs in the kernel) is given up after it
  std::size_t output_max = 1024uz * 1024;             // bytes kept of one attempt
  ProcessLimits limits;                               // of each process of a command
  bool use_cgroups = true;                            // where the machine lets us
  bool may_gain_privileges = false;  // true: setuid programs such as sudo work in commands
};

// What the executor guarantees beyond executor.h:
// - An attempt ends when its command has ended; what the command left behind is then killed.
// - On timeout, cancel and stop(): SIGTERM to the command's process group, SIGKILL to all that
//   remains of the run once the grace is over. The outcome comes after the last of them is gone.
// - What the action's environment names as secret does not appear in the output (secret_mask.h).
// - stdout and stderr are read for as long as they come, in one stream, and kept up to a bound.
// Outcome::reason is one of: "exit_code", "signal", "spawn" (could not be started), "timeout",
// "cancelled", "shutdown", "exit_unknown", "action" (the action is not allowed, or not valid).
std::unique_ptr<Executor> make_command_executor(CommandExecutorOptions options);

}  // namespace chronos::executor
