// All processes of one attempt: the command and whatever it started, however far that ran away.
// The command executor calls; one thread per object.
//
// They are what is in the run's cgroup, if it has one, and the command's descendants. Descendants
// that outlived their parents fell to this process, their subreaper; they are told from the
// leftovers of other runs by the session or process group of the command, by the attempt's marks in
// their environment (a descendant inherits them), or by having been seen below the command before.
//
// So with a cgroup nothing can hide unless it may write to the cgroup file system, and not even
// then if it shows its marks. Without one a process stays hidden that did all of: began its own
// session, emptied its environment, and outlived its parent before anybody looked. (Looks are taken
// when the run is told to end, and when its command has ended.)
#pragma once

#include <sys/types.h>

#include <cstdint>
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

  // Whether nothing lives any more. Without a cgroup it may take some calls to say yes: a process
  // in the middle of an exec shows for a moment no environment to tell whose it is.
  bool is_empty();

  // Kills (SIGKILL) what lives, and returns is_empty(). To be repeated until true, since what is
  // being killed may still fork.
  bool kill();

  // For the limit of the cgroup, if it has one.
  std::int64_t forks_refused() const { return cgroup_ ? cgroup_->forks_refused() : 0; }

 private:
  // What a look found: the living, and whether there can be no other.
  struct Look {
    std::vector<Process> living;
    bool is_certain = true;
  };
  Look look();
  bool believe_empty(const Look& look);

  pid_t leader_;
  Marks marks_;
  std::optional<Cgroup> cgroup_;
  std::vector<Process> known_;  // members found before
  int doubtful_looks_ = 0;      // in a row that found nothing
};

}  // namespace chronos::executor
