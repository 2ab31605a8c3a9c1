#include "executor/processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

namespace chronos::executor {
namespace {

// A whole file of /proc; empty when it cannot be read. One read() gives one consistent answer where
// the kernel can give one.
std::string read_proc_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!file) return text;
  constexpr std::size_t kStep = 64uz * 1024;
  for (;;) {
    const auto size = text.size();
    text.resize(size + kStep);
    const auto got = ::read(file.get(), text.data() + size, kStep);
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got <= 0) return text;
  }
}

// Takes the next word off the front of `text`.
std::string_view take_word(std::string_view& text) {
  const auto from = std::min(text.find_first_not_of(" \n"), text.size());
  const auto to = std::min(text.find_first_of(" \n", from), text.size());
  const auto word = text.substr(from, to - from);
  text.remove_prefix(to);
  return word;
}

template <class Number>
Number to_number(std::string_view word) {
  Number number{};
  std::from_chars(word.data(), word.data() + word.size(), number);
  return number;
}

// Calls `use` with every name in `directory` that is a number.
template <class Use>
void for_each_number(const std::string& directory, Use use) {
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (const auto number = to_number<pid_t>(entry->path().filename().string())) use(number);
  }
}

// proc(5), /proc/pid/stat: "pid (name) state ppid pgrp session …"; the 20th field is the number of
// threads, the 22nd the start. The name may hold anything, parentheses too, so the last one ends
// it.
std::optional<Process> parse_stat(std::string_view text) {
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  Process process;
  process.pid = to_number<pid_t>(text);
  text.remove_prefix(name_end + 1);
  const auto state = take_word(text);
  process.parent = to_number<pid_t>(take_word(text));
  process.group = to_number<pid_t>(take_word(text));
  process.session = to_number<pid_t>(take_word(text));
  constexpr int kFieldsBetween = 13;
  for (int i = 0; i < kFieldsBetween; ++i) take_word(text);
  // A process whose first thread has ended is shown as dead while its other threads run on.
  const auto thread_count = to_number<int>(take_word(text));
  process.is_dead = (state == "Z" || state == "X") && thread_count <= 1;
  take_word(text);
  process.started = to_number<std::uint64_t>(take_word(text));
  return process;
}

std::string children_file(pid_t pid, pid_t thread) {
  return fmt::format("/proc/{}/task/{}/children", pid, thread);
}

// What `thread` of `pid` started or adopted, dead ones too.
std::vector<Process> list_children(pid_t pid, pid_t thread) {
  std::vector<Process> children;
  const auto text = read_proc_file(children_file(pid, thread));
  std::string_view rest(text);
  for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) {
    if (const auto child = find_process(to_number<pid_t>(word))) children.push_back(*child);
  }
  return children;
}

std::vector<Process> children_of(pid_t pid) {
  std::vector<Process> children;
  for_each_number(fmt::format("/proc/{}/task", pid), [&](pid_t thread) {
    std::ranges::copy(list_children(pid, thread), std::back_inserter(children));
  });
  return children;
}

}  // namespace

std::optional<Process> find_process(pid_t pid) {
  return parse_stat(read_proc_file(fmt::format("/proc/{}/stat", pid)));
}

std::vector<Process> all_processes() {
  std::vector<Process> processes;
  for_each_number("/proc", [&](pid_t pid) {
    if (const auto process = find_process(pid)) processes.push_back(*process);
  });
  return processes;
}

std::vector<Process> descendants_of(pid_t pid) {
  std::vector<Process> found = children_of(pid);
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const auto& child : children_of(found[i].pid)) {
      // One that was seen already has moved up because its parent died meanwhile.
      if (std::ranges::find(found, child) == found.end()) found.push_back(child);
    }
  }
  return found;
}

bool can_list_children() {
  return ::access(children_file(::getpid(), ::getpid()).c_str(), R_OK) == 0;
}

std::string environment_of(pid_t pid) {
  auto text = read_proc_file(fmt::format("/proc/{}/environ", pid));
  return text.empty() ? text : '\0' + text;
}

bool has_marks(std::string_view environment, const Marks& marks) {
  return std::ranges::all_of(marks, [&](const std::string& mark) {
    return environment.find('\0' + mark + '\0') != std::string_view::npos;
  });
}

Fd signal_process(const Process& process, int signal) {
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!pidfd) return pidfd;
  // From here on the pidfd means one process for good. If that is not the one asked for, the number
  // was given out again before.
  const auto found = find_process(process.pid);
  if (!found || found->started != process.started) return Fd();
  if (signal != 0) ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
  return pidfd;
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  struct sigaction current{};
  if (::sigaction(SIGCHLD, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) {
    current.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &current, nullptr);
  }
}

Adopted reap_adopted() {
  // The kernel hangs orphans on the first living thread of their subreaper, which is the main
  // thread (kernel/exit.c, find_new_reaper). What another thread started is not in its list.
  const pid_t self = ::getpid();
  const pid_t own_session = ::getsid(0);
  Adopted adopted;
  // A process that dies after the list was read has handed its children on to us unseen. So only a
  // list on which all still live is believed.
  constexpr int kPassesMax = 100;
  for (int pass = 0; pass < kPassesMax; ++pass) {
    auto listed = list_children(self, self);
    // What the main thread started itself is in our session; a command's descendants never are,
    // for a command begins a session of its own and there is no way back.
    std::erase_if(listed, [&](const Process& child) { return child.session == own_session; });
    adopted.is_complete = std::ranges::none_of(listed, &Process::is_dead);
    for (const auto& child : listed) {
      siginfo_t ended{};
      if (child.is_dead) ::waitid(P_PID, static_cast<id_t>(child.pid), &ended, WEXITED | WNOHANG);
    }
    std::erase_if(listed, &Process::is_dead);
    adopted.living = std::move(listed);
    if (adopted.is_complete) break;
  }
  return adopted;
}

bool collect(const Fd& pidfd) {
  siginfo_t ended{};
  const int failed = ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &ended, WEXITED | WNOHANG);
  return failed != 0 || ended.si_pid != 0;
}

}  // namespace chronos::executor
