#include "executor/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

// glibc's posix_spawn() can neither put the child into a cgroup before it runs (that came with
// 2.39), nor set no_new_privs, nor say which of its steps failed. So the child is made here, in the
// way posix_spawn() makes it: vfork(), which copies no page tables however large the server is, and
// then nothing but async-signal-safe calls.

namespace chronos::executor {
namespace {

constexpr int kStdioCount = 3;

enum class Step : int { join_cgroup, start_session, enter_directory, set_up, execute };

// What the child sends when it cannot become the program.
struct StepFailure {
  Step step;
  int error;
};

// All that the child reads; it belongs to the suspended parent.
struct Plan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* cwd;  // null = stay
  pid_t server;
  int stdin_fd;  // these four are above the stdio
  int output_fd;
  int failure_fd;
  int cgroup_procs;  // negative = none
  const ProcessLimits* limits;
  bool may_gain_privileges;
};

// Ignored signals would stay ignored in the program; handlers would run in the parent's memory once
// the mask is lifted.
void restore_signals() {
  // By the bare call: glibc refuses to touch signals 32 and 33, which its threads use and which a
  // parent such as make hands down ignored. All zeroes is the kernel's SIG_DFL without flags.
  constexpr std::array<unsigned long, 4> kByDefault{};
  constexpr std::size_t kMaskBytes = 8;
  for (int signal = 1; signal < NSIG; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, kByDefault.data(), nullptr, kMaskBytes);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool set_up_descriptors(const Plan& plan) {
  return ::dup2(plan.stdin_fd, STDIN_FILENO) >= 0 && ::dup2(plan.output_fd, STDOUT_FILENO) >= 0 &&
         ::dup2(plan.output_fd, STDERR_FILENO) >= 0 &&
         ::syscall(SYS_close_range, kStdioCount, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

bool set_limit(decltype(RLIMIT_AS) resource, rlim_t soft, rlim_t hard) {
  const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
  return ::setrlimit(resource, &limit) == 0;
}

bool set_limits(const ProcessLimits& limits) {
  const auto cpu_time = static_cast<rlim_t>(limits.cpu_time_max.count());
  const auto files = static_cast<rlim_t>(limits.files_max);
  const auto processes = static_cast<rlim_t>(limits.processes_max);
  // One second between SIGXCPU and SIGKILL, for a program that wants to say something.
  return set_limit(RLIMIT_CORE, 0, 0) &&
         (limits.memory_max == 0 || set_limit(RLIMIT_AS, limits.memory_max, limits.memory_max)) &&
         (cpu_time == 0 || set_limit(RLIMIT_CPU, cpu_time, cpu_time + 1)) &&
         (files == 0 || set_limit(RLIMIT_NOFILE, files, files)) &&
         (processes == 0 || set_limit(RLIMIT_NPROC, processes, processes));
}

// The child, between vfork() and execve(). It shares the parent's memory, so it writes to nothing
// but its own frame.
[[noreturn]] void become_program(const Plan& plan) {
  const auto give_up = [&](Step step) {
    const StepFailure failure{step, errno};
    // A pipe takes so few bytes whole; if even that fails the parent sees exit code 127.
    [[maybe_unused]] const auto written = ::write(plan.failure_fd, &failure, sizeof failure);
    ::_exit(127);
  };
  // "0" means the writer itself.
  if (plan.cgroup_procs >= 0 && ::write(plan.cgroup_procs, "0", 1) != 1) give_up(Step::join_cgroup);
  if (::setsid() < 0) give_up(Step::start_session);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) give_up(Step::set_up);
  if (::getppid() != plan.server) ::_exit(127);  // it died before the line above
  if (plan.cwd != nullptr && ::chdir(plan.cwd) != 0) give_up(Step::enter_directory);
  if (!set_up_descriptors(plan)) give_up(Step::set_up);
  if (!plan.may_gain_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    give_up(Step::set_up);
  }
  if (!set_limits(*plan.limits)) give_up(Step::set_up);
  restore_signals();
  ::execve(plan.program, plan.argv, plan.environment);
  give_up(Step::execute);
  __builtin_unreachable();
}

// Not inlined: vfork() returns twice into this frame, which therefore must hold nothing that lives
// across the call.
[[gnu::noinline]] pid_t vfork_program(const Plan& plan) {
  const pid_t pid = ::vfork();         // NOLINT(*-unsafe-functions,*-security*): see the top
  if (pid == 0) become_program(plan);  // NOLINT(clang-analyzer-unix.Vfork): see the top
  return pid;
}

// No handler of the server may run in the child while it shares the server's memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

std::unexpected<SpawnFailure> fail_spawn(std::string message) {
  return std::unexpected(SpawnFailure{std::move(message), false});
}

std::unexpected<SpawnFailure> fail_call(std::string_view what) {
  return fail_spawn(fmt::format("{}: {}", what, ::strerrordesc_np(errno)));
}

// Moves `fd` above the stdio if this process was started without some of it.
Fd above_stdio(Fd fd) {
  if (!fd || fd.get() >= kStdioCount) return fd;
  return Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kStdioCount));
}

struct Pipe {
  Fd to_read;
  Fd to_write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return {above_stdio(Fd(ends[0])), above_stdio(Fd(ends[1]))};
}

// The whole input as a file in memory: nobody has to feed a pipe, and a child that reads none of it
// or half of it disturbs nobody.
Fd make_stdin(std::string_view text) {
  if (text.empty()) return above_stdio(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)));
  Fd file = above_stdio(Fd(::memfd_create("stdin", MFD_CLOEXEC | MFD_ALLOW_SEALING)));
  while (file && !text.empty()) {
    const auto written = ::write(file.get(), text.data(), text.size());
    if (written < 0) return {};
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (!file || ::lseek(file.get(), 0, SEEK_SET) != 0) return {};
  ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
  return file;
}

bool is_executable_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

// A name without a slash is looked for in the absolute directories of `search_path`; relative ones
// would find different programs in different places. Empty = not found.
std::string find_program(const std::string& name, std::string_view search_path) {
  if (name.find('/') != std::string::npos) return name;
  while (!search_path.empty()) {
    const auto end = std::min(search_path.find(':'), search_path.size());
    const auto directory = search_path.substr(0, end);
    search_path.remove_prefix(std::min(end + 1, search_path.size()));
    if (!directory.starts_with('/')) continue;
    auto path = fmt::format("{}/{}", directory, name);
    if (is_executable_file(path)) return path;
  }
  return {};
}

std::string describe(const StepFailure& failure, const SpawnRequest& request) {
  const auto& name = request.argv.front();
  const char* const why = ::strerrordesc_np(failure.error);
  switch (failure.step) {
    case Step::join_cgroup:
      return fmt::format("cannot join the cgroup of the run: {}", why);
    case Step::start_session:
    case Step::set_up:
      return fmt::format("cannot prepare the process: {}", why);
    case Step::enter_directory:
      return fmt::format("cannot enter the directory '{}': {}", request.cwd, why);
    case Step::execute:
      break;
  }
  switch (failure.error) {
    case ENOENT:
      return fmt::format("'{}' does not exist, or what its first line names does not", name);
    case EACCES:
      return fmt::format("'{}' is not an executable file, or may not be reached", name);
    case ENOEXEC:
      return fmt::format("'{}' is no program: it has no '#!' line and is not made for this machine",
                         name);
    case E2BIG:
      return "the arguments and the environment are too long for this machine";
    default:
      return fmt::format("cannot execute '{}': {}", name, why);
  }
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  // execve() takes pointers to char for history's sake and writes to none of them (POSIX).
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::expected<ChildProcess, SpawnFailure> spawn(const SpawnRequest& request) {
  const auto program = find_program(request.argv.front(), request.search_path);
  if (program.empty()) {
    return fail_spawn(fmt::format("there is no program '{}' in the PATH {}", request.argv.front(),
                                  request.search_path));
  }
  const Fd input = make_stdin(request.stdin_text);
  if (!input) return fail_call("cannot prepare the standard input");
  Pipe output = make_pipe();
  Pipe failure = make_pipe();
  if (!output.to_read || !output.to_write || !failure.to_read || !failure.to_write) {
    return fail_call("cannot make a pipe");
  }
  ::fcntl(output.to_read.get(), F_SETFL, O_NONBLOCK);

  const auto argv = pointers_to(request.argv);
  const auto environment = pointers_to(request.environment);
  const Plan plan{.program = program.c_str(),
                  .argv = argv.data(),
                  .environment = environment.data(),
                  .cwd = request.cwd.empty() ? nullptr : request.cwd.c_str(),
                  .server = ::getpid(),
                  .stdin_fd = input.get(),
                  .output_fd = output.to_write.get(),
                  .failure_fd = failure.to_write.get(),
                  .cgroup_procs = request.cgroup_procs,
                  .limits = &request.limits,
                  .may_gain_privileges = request.may_gain_privileges};
  const AllSignalsBlocked blocked;
  const pid_t pid = vfork_program(plan);
  if (pid < 0) return fail_call("cannot start a process");

  failure.to_write.close();
  StepFailure failed{};
  siginfo_t ended{};
  if (::read(failure.to_read.get(), &failed, sizeof failed) == sizeof failed) {
    ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED);
    return std::unexpected(
        SpawnFailure{describe(failed, request), failed.step == Step::join_cgroup});
  }
  // It is our child and not collected yet, so the number is still its own.
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED);
    errno = error;
    return fail_call("cannot watch the process");
  }
  return ChildProcess{pid, std::move(pidfd), std::move(output.to_read)};
}

}  // namespace chronos::executor
