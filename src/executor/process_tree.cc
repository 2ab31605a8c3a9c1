#include "executor/process_tree.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace chronos::executor {
namespace {

// Whether the tree of a dead leader is certainly empty, found without a look at every process of
// the machine: all that is left of it would descend from processes that fell to us.
bool is_surely_empty(pid_t leader) {
  const auto found = find_process(leader);
  if (!found || !found->is_dead) return false;
  reap_adopted();
  const auto adopted = adopted_processes();
  return adopted && adopted->empty();
}

}  // namespace

void ProcessTree::terminate() {
  if (!cgroup_) find_members();
  ::kill(-leader_, SIGTERM);
  ::kill(-leader_, SIGCONT);  // a stopped process takes the signal when it goes on
}

bool ProcessTree::is_empty() {
  if (cgroup_) return !cgroup_->is_populated();
  return is_surely_empty(leader_) || believe(find_members());
}

bool ProcessTree::kill() {
  if (cgroup_) {
    if (!cgroup_->is_populated()) return true;
    cgroup_->kill();
    return false;
  }
  if (is_surely_empty(leader_)) return true;
  // The group first: the signal reaches all of it at once, and no member can fork past it.
  ::kill(-leader_, SIGKILL);
  const auto living = find_members();
  for (const auto& process : living) signal_process(process, SIGKILL);
  return believe(living);
}

std::vector<Process> ProcessTree::find_members() {
  const pid_t own_session = ::getsid(0);
  known_ = living_family([&](const Process& process) {
    if (process.session == leader_ || process.group == leader_) return true;
    if (std::ranges::find(known_, process) != known_.end()) return true;
    // There is no way back into the session of the server, so these need no look.
    return process.session != own_session && has_marks(process.pid, marks_);
  });
  return known_;
}

bool ProcessTree::believe(const std::vector<Process>& living) {
  constexpr int kLooksNeeded = 2;
  empty_looks_ = living.empty() ? empty_looks_ + 1 : 0;
  return empty_looks_ >= kLooksNeeded;
}

}  // namespace chronos::executor
