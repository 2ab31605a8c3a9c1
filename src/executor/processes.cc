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
#include <unordered_set>

namespace chronos::executor {
namespace {

// A whole file of /proc; empty when it cannot be read. One read() gives one consistent answer where
// the kernel can give one.
std::string read_proc_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  if (!file) return text;
  constexpr std::size_t kStep = 64 * 1024;
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

}  // namespace

std::optional<Process> find_process(pid_t pid) {
  return parse_stat(read_proc_file(fmt::format("/proc/{}/stat", pid)));
}

std::vector<Process> all_processes() {
  std::vector<Process> processes;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry("/proc", failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const auto name = entry->path().filename().string();
    if (name.front() < '1' || name.front() > '9') continue;
    if (const auto process = find_process(to_number<pid_t>(name))) processes.push_back(*process);
  }
  return processes;
}

std::vector<Process> living_family(const std::function<bool(const Process&)>& is_root) {
  const pid_t self = ::getpid();
  const auto all = all_processes();
  std::unordered_set<pid_t> family;
  for (const auto& process : all) {
    if (process.pid != self && is_root(process)) family.insert(process.pid);
  }
  for (bool has_grown = !family.empty(); has_grown;) {
    has_grown = false;
    for (const auto& process : all) {
      if (process.pid == self || !family.contains(process.parent)) continue;
      has_grown |= family.insert(process.pid).second;
    }
  }
  std::vector<Process> living;
  std::ranges::copy_if(all, std::back_inserter(living), [&](const Process& process) {
    return !process.is_dead && family.contains(process.pid);
  });
  return living;
}

bool has_marks(pid_t pid, const Marks& marks) {
  // The leading NUL lets every entry, the first one too, be looked for with a NUL on both sides.
  const auto environment = '\0' + read_proc_file(fmt::format("/proc/{}/environ", pid));
  return std::ranges::all_of(marks, [&](const std::string& mark) {
    return environment.find('\0' + mark + '\0') != std::string::npos;
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

std::optional<std::vector<Process>> adopted_processes() {
  // The kernel hangs orphans on the first living thread of their subreaper, which is the main
  // thread (kernel/exit.c, find_new_reaper). What another thread started is not in its list.
  const pid_t self = ::getpid();
  const auto path = fmt::format("/proc/{}/task/{}/children", self, self);
  if (::access(path.c_str(), R_OK) != 0) return std::nullopt;
  const auto text = read_proc_file(path);
  const pid_t own_session = ::getsid(0);
  std::vector<Process> adopted;
  std::string_view rest(text);
  for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) {
    const auto process = find_process(to_number<pid_t>(word));
    // What the main thread started itself is in our session; a command's descendants never are,
    // for a command begins a session of its own and there is no way back.
    if (process && process->session != own_session) adopted.push_back(*process);
  }
  return adopted;
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  struct sigaction current{};
  if (::sigaction(SIGCHLD, nullptr, &current) == 0 && current.sa_handler == SIG_IGN) {
    current.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &current, nullptr);
  }
}

std::size_t reap_adopted() {
  std::size_t living_count = 0;
  const auto adopted = adopted_processes();
  if (!adopted) return living_count;
  for (const auto& process : *adopted) {
    siginfo_t ended{};
    if (process.is_dead) {
      ::waitid(P_PID, static_cast<id_t>(process.pid), &ended, WEXITED | WNOHANG);
    } else {
      ++living_count;
    }
  }
  return living_count;
}

bool collect(const Fd& pidfd) {
  siginfo_t ended{};
  const int failed = ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &ended, WEXITED | WNOHANG);
  return failed != 0 || ended.si_pid != 0;
}

}  // namespace chronos::executor
