// All processes of one attempt: the command and whatever it started, however far that ran away.
// The command executor calls; one thread per object.
//
// With a cgroup they are exactly what is in the cgroup. Without one they are, of the processes
// /proc shows, those in the command's session or process group, those that carry the attempt's
// marks in their environment (a descendant inherits them through any number of forks and setsid()),
// and all children of these. What then stays hidden is a process that did all of: began its own
// session, emptied its environment, and outlived its parent before anybody looked. (Looks are taken
// when the run is told to end, and when its command has ended.)
#pragma once

#include <sys/types.h>

#include <optional>
#include <utility>
#include <vector>

#include "executor/cgroup.h"
#include "executor/processes.h"

namespace chronos::executor {

class ProcessTree {
 public:
  // `leader` is the command: a child of this process that leads a session of its own and is not
  // collected for as long as the tree exists, so that its number means nobody else.
  ProcessTree(pid_t leader, Marks marks, std::optional<Cgroup> cgroup)
      : leader_(leader), marks_(std::move(marks)), cgroup_(std::move(cgroup)) {}

  // Asks the leader's process group to end (SIGTERM).
  void terminate();

  // Whether nothing lives any more. Without a cgroup this may take two calls to say yes: a process
  // in the middle of an exec shows no environment for a moment.
  bool is_empty();

  // Kills (SIGKILL) what lives, and returns is_empty(). To be repeated until true, since what is
  // being killed may still fork.
  bool kill();

 private:
  std::vector<Process> find_members();
  bool believe(const std::vector<Process>& living);

  pid_t leader_;
  Marks marks_;
  std::optional<Cgroup> cgroup_;
  std::vector<Process> known_;  // members found before; they stay members when their parents go
  int empty_looks_ = 0;         // in a row
};

}  // namespace chronos::executor
