// Starts one program as a child of the calling thread, which is not the main thread: that one's
// children are taken for orphans (processes.h). The command executor calls, from its event thread.
// Nothing here keeps state.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "executor/fd.h"

namespace chronos::executor {

// Of each process the command is made of, but for the last; 0 = as the server's own. Core dumps are
// never written.
struct ProcessLimits {
  std::size_t memory_max = 0;           // bytes of address space
  std::chrono::seconds cpu_time_max{};  // of a processor; SIGXCPU ends what goes beyond it
  int files_max = 0;                    // open at once
  // At once, threads counted: of the user it runs as, by RLIMIT_NPROC, which does not hold root.
  int processes_max = 0;
};

struct SpawnRequest {
  std::vector<std::string> argv;         // not empty
  std::vector<std::string> environment;  // "NAME=value"; all that the child gets
  std::string search_path;               // where a program without a slash is looked for
  std::string cwd;                       // empty = this process's own
  std::string stdin_text;                // empty = /dev/null
  int cgroup_procs = -1;                 // open cgroup.procs to join before the program starts
  ProcessLimits limits;
  bool may_gain_privileges = false;  // false = setuid programs give nothing (no_new_privs)
};

struct ChildProcess {
  pid_t pid = -1;
  Fd pidfd;   // readable once it has ended
  Fd output;  // the end to read of its stdout and stderr; does not block
};

struct SpawnFailure {
  std::string message;            // for people: which step failed and why
  bool is_cgroups_fault = false;  // only the cgroup could not be joined: try without
};

// The child has: a session and a process group of its own, default signal handling, the fds 0-2 and
// no other, and its place in the cgroup before its first instruction. It is killed when the calling
// thread ends (PR_SET_PDEATHSIG), so that a crash of the server stops it. No shell is involved: a
// file that is no program is a failure. The caller must collect it (waitid).
std::expected<ChildProcess, SpawnFailure> spawn(const SpawnRequest& request);

}  // namespace chronos::executor
