#include "executor/process_tree.h"

#include <algorithm>
#include <csignal>
#include <iterator>

namespace chronos::executor {

void ProcessTree::terminate() {
  look();
  ::kill(-leader_, SIGTERM);
  ::kill(-leader_, SIGCONT);  // a stopped process takes the signal when it goes on
}

bool ProcessTree::is_empty() {
  const bool is_populated = cgroup_ && cgroup_->is_populated();
  return believe_empty(look()) && !is_populated;
}

bool ProcessTree::kill() {
  const bool is_populated = cgroup_ && cgroup_->is_populated();
  if (is_populated) cgroup_->kill();
  const auto found = look();
  // The group first: the signal reaches all of it at once, and no member can fork past it.
  if (!found.living.empty()) ::kill(-leader_, SIGKILL);
  for (const auto& process : found.living) signal_process(process, SIGKILL);
  return believe_empty(found) && !is_populated;
}

ProcessTree::Look ProcessTree::look() {
  Look look;
  const auto leader = find_process(leader_);
  if (leader && !leader->is_dead) look.living.push_back(*leader);
  const auto adopted = reap_adopted();
  look.is_certain = adopted.is_complete;
  for (const auto& process : adopted.living) {
    const auto environment = environment_of(process.pid);
    if (process.session == leader_ || process.group == leader_ || has_marks(environment, marks_) ||
        std::ranges::find(known_, process) != known_.end()) {
      look.living.push_back(process);
    } else if (environment.empty()) {
      look.is_certain = false;
    }
  }
  for (std::size_t i = 0, roots = look.living.size(); i < roots; ++i) {
    std::ranges::copy_if(descendants_of(look.living[i].pid), std::back_inserter(look.living),
                         [](const Process& process) { return !process.is_dead; });
  }
  known_ = look.living;
  return look;
}

bool ProcessTree::believe_empty(const Look& look) {
  constexpr int kDoubtfulLooksNeeded = 5;
  if (!look.living.empty()) {
    doubtful_looks_ = 0;
    return false;
  }
  return cgroup_ || look.is_certain || ++doubtful_looks_ >= kDoubtfulLooksNeeded;
}

}  // namespace chronos::executor
