#include "executor/orphans.h"

#include <poll.h>

#include <chrono>
#include <csignal>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "executor/cgroup.h"
#include "executor/environment.h"
#include "executor/processes.h"

namespace chronos::executor {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Waits until all of them have ended, or `until`.
void wait_for_ends(const std::vector<Fd>& pidfds, steady_clock::time_point until) {
  for (const auto& pidfd : pidfds) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
    ::poll(&ended, 1, left > 0 ? static_cast<int>(left) : 0);
  }
}

}  // namespace

std::size_t kill_orphans(std::string_view server_id) {
  if (server_id.empty()) return 0;
  const auto until = steady_clock::now() + std::chrono::seconds(10);
  const Marks marks{server_mark(server_id)};
  std::set<pid_t> killed;
  // The cgroup stops what forks faster than it can be listed; the marks find what ran without one.
  if (const auto cgroup = make_server_cgroup(server_id)) {
    for (const auto pid : cgroup->processes()) killed.insert(pid);
    cgroup->kill();
    while (cgroup->is_populated() && steady_clock::now() < until) {
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  // A process in the middle of an exec shows no marks for a moment: so two empty looks.
  for (int empty_looks = 0; empty_looks < 2 && steady_clock::now() < until;) {
    std::vector<Fd> pidfds;
    for (const auto& process : all_processes()) {
      if (process.pid == ::getpid() || !has_marks(environment_of(process.pid), marks)) continue;
      if (auto pidfd = signal_process(process, SIGKILL)) {
        pidfds.push_back(std::move(pidfd));
        killed.insert(process.pid);
      }
    }
    wait_for_ends(pidfds, until);
    empty_looks = pidfds.empty() ? empty_looks + 1 : 0;
  }
  return killed.size();
}

}  // namespace chronos::executor
