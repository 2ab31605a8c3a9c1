// The machine's processes as /proc shows them, and a way to signal one without ever hitting
// another that got its number meanwhile. Used by the files of executor/ only. Thread-safe: no
// state.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "executor/fd.h"

namespace chronos::executor {

// One process at one moment. `pid` and `started` together name it: a number that is given out again
// comes with a later start.
struct Process {
  bool operator==(const Process& other) const {
    return pid == other.pid && started == other.started;
  }

  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  bool is_dead = false;       // a zombie, or about to be one
  std::uint64_t started = 0;  // clock ticks since boot
};

// Nothing if there is no such process.
std::optional<Process> find_process(pid_t pid);

// Every process this one may see, dead ones too.
std::vector<Process> all_processes();

// The living processes that `is_root` is true of, and all that descend from them; never this
// process nor, through it, what it started.
std::vector<Process> living_family(const std::function<bool(const Process&)>& is_root);

// Entries of an environment ("NAME=value") that tell whose a process is.
using Marks = std::vector<std::string>;

// Whether all of `marks` are in the environment `pid` was started with. False also when it cannot
// be read: another user's process, a zombie, or one in the middle of an exec.
bool has_marks(pid_t pid, const Marks& marks);

// Sends `signal` (0 = none) if the process of that number is still `process`, and returns a pidfd
// of it; otherwise nothing, and nothing is signalled.
Fd signal_process(const Process& process, int signal);

// The processes whose parent died and that fell to this process because it is their subreaper
// (see adopt_orphans); dead ones too. Nothing if the kernel does not tell (CONFIG_PROC_CHILDREN).
std::optional<std::vector<Process>> adopted_processes();

// Makes this process the subreaper of all it starts from now on (prctl(2),
// PR_SET_CHILD_SUBREAPER): no descendant can leave it by outliving its parent. Also makes the
// kernel keep exit codes when the program that started this one had told it not to (SIGCHLD
// ignored).
void adopt_orphans();

// Collects the adopted processes that are dead, and returns how many live on. Never collects what
// this process started itself.
std::size_t reap_adopted();

// Collects the child of `pidfd` without waiting. True if it is no child to be collected any more.
bool collect(const Fd& pidfd);

}  // namespace chronos::executor
