#include "executor/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>

#include <csignal>

#include "executor/processes.h"

namespace chronos::executor {
namespace {

SpawnRequest request_of(std::vector<std::string> argv) {
  SpawnRequest request;
  request.argv = std::move(argv);
  request.search_path = "/usr/bin:/bin";
  return request;
}

std::string read_all(const Fd& fd) {
  ::fcntl(fd.get(), F_SETFL, 0);
  std::string text;
  char buffer[4096];
  for (;;) {
    const auto got = ::read(fd.get(), buffer, sizeof buffer);
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

int wait_for_end(const ChildProcess& child) {
  int status = -1;
  ::waitpid(child.pid, &status, 0);
  return status;
}

TEST(ChildProcess, LeadsASessionOfItsOwn) {
  const auto child = spawn(request_of({"sh", "-c", "read line; echo $line"}));
  ASSERT_TRUE(child);
  EXPECT_EQ(::getsid(child->pid), child->pid);
  EXPECT_EQ(::getpgid(child->pid), child->pid);
  wait_for_end(*child);
}

TEST(ChildProcess, TheCallersSignalMaskComesBack) {
  sigset_t before;
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  ASSERT_TRUE(spawn(request_of({"true"})));
  EXPECT_FALSE(spawn(request_of({"/no/such"})));
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int signal = 1; signal < NSIG; ++signal) {
    EXPECT_EQ(sigismember(&before, signal), sigismember(&after, signal));
  }
  while (::waitpid(-1, nullptr, 0) > 0) continue;
}

TEST(ChildProcess, AnIgnoredSignalIsNotIgnoredByTheProgram) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto child = spawn(request_of({"sh", "-c", "kill -PIPE $$"}));
  std::signal(SIGPIPE, SIG_DFL);
  ASSERT_TRUE(child);
  const int status = wait_for_end(*child);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGPIPE);
}

TEST(ChildProcess, AFailureLeavesNoChild) {
  EXPECT_FALSE(spawn(request_of({"/no/such/program"})));
  EXPECT_FALSE(spawn(request_of({"/etc/passwd"})));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST(ChildProcess, ACgroupThatCannotBeJoinedIsToldApart) {
  const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  auto request = request_of({"true"});
  request.cgroup_procs = nothing.get();
  const auto child = spawn(request);
  ASSERT_FALSE(child);
  EXPECT_TRUE(child.error().is_cgroups_fault);
  const auto missing = spawn(request_of({"/no/such"}));
  EXPECT_FALSE(missing.error().is_cgroups_fault);
}

// A server started without stdio must not hand its own files out as the stdio of commands.
TEST(ChildProcess, WorksWithoutStdioOfOurOwn) {
  const auto tester = ::fork();
  if (tester == 0) {
    for (int fd = 0; fd < 3; ++fd) ::close(fd);
    auto request = request_of({"sh", "-c", "cat; echo err >&2; ls /proc/self/fd"});
    request.stdin_text = "input\n";
    const auto child = spawn(request);
    ::_exit(child && read_all(child->output) == "input\nerr\n0\n1\n2\n3\n" ? 0 : 1);
  }
  int status = -1;
  ::waitpid(tester, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(ChildProcess, TheInputCannotBeWrittenTo) {
  auto request = request_of({"sh", "-c", "cat; echo x 1<>/proc/self/fd/0 || echo refused"});
  request.stdin_text = "given\n";
  const auto child = spawn(request);
  ASSERT_TRUE(child);
  EXPECT_NE(read_all(child->output).find("refused\n"), std::string::npos);
  wait_for_end(*child);
}

TEST(ChildProcess, DiesWithTheThreadThatStartedIt) {
  const auto server = ::fork();
  if (server == 0) {
    const auto child = spawn(request_of({"sleep", "1000"}));
    for (;;) ::pause();
  }
  // Waits until the child is there, by its parent.
  const auto path =
      "/proc/" + std::to_string(server) + "/task/" + std::to_string(server) + "/children";
  pid_t child = 0;
  while (child == 0) {
    Fd list(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    child = std::atoi(read_all(list).c_str());
  }
  const auto process = find_process(child);
  ASSERT_TRUE(process);
  const auto pidfd = signal_process(*process, 0);
  ASSERT_TRUE(pidfd);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  pollfd readable{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&readable, 1, 60'000), 1);
}

}  // namespace
}  // namespace chronos::executor
