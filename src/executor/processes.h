// The machine's processes as /proc shows them, and a way to signal one without ever hitting
// another that got its number meanwhile. Used by the files of executor/ only. Thread-safe: no
// state.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executor/fd.h"

namespace chronos::executor {

// One process at one moment. `pid` and `started` together name it: a number that is given out again
// comes with a later start.
struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  bool is_dead = false;       // a zombie, or about to be one
  std::uint64_t started = 0;  // clock ticks since boot

  bool operator==(const Process& other) const {
    return pid == other.pid && started == other.started;
  }
};

// Nothing if there is no such process.
std::optional<Process> find_process(pid_t pid);

// Every process this one may see, dead ones too.
std::vector<Process> all_processes();

// All that descend from `pid`, without itself. Empty if the kernel does not list children.
std::vector<Process> descendants_of(pid_t pid);

// Whether the kernel lists children (CONFIG_PROC_CHILDREN; every distribution has it).
bool can_list_children();

// The environment `pid` was started with, each entry with a NUL on both sides. Empty when it cannot
// be read: another user's process, a zombie, or, for a moment, one in the middle of an exec.
std::string environment_of(pid_t pid);

// Entries of an environment ("NAME=value") that tell whose a process is.
using Marks = std::vector<std::string>;

// Whether `environment`, from environment_of(), has all of `marks`.
bool has_marks(std::string_view environment, const Marks& marks);

// Sends `signal` (0 = none) if the process of that number is still `process`, and returns a pidfd
// of it; otherwise nothing, and nothing is signalled.
Fd signal_process(const Process& process, int signal);

// Makes this process the subreaper of all it starts from now on (prctl(2),
// PR_SET_CHILD_SUBREAPER): a descendant that outlives its parent becomes a child of this process.
// Also makes the kernel keep exit codes if the program that started this one had told it not to
// (SIGCHLD ignored).
void adopt_orphans();

struct Adopted {
  std::vector<Process> living;
  bool is_complete = true;  // false: they die and fork faster than they can be listed
};

// Collects the adopted processes that are dead and lists those that live: every descendant of a
// dead child of this process is one of them, or descends from one. Never collects what a thread of
// this process started, with one exception: what the main thread started and what then began a
// session of its own cannot be told from an orphan.
Adopted reap_adopted();

// Collects the child of `pidfd` without waiting. True if it is no child to be collected any more.
bool collect(const Fd& pidfd);

}  // namespace chronos::executor
