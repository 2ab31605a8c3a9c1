#include "executor/processes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include "executor/command_fixture.h"

namespace chronos::executor {
namespace {

// A child of the test that sleeps; killed and collected at the end.
class Sleeper {
 public:
  explicit Sleeper(const char* program = "/bin/sleep") : pid_(::fork()) {
    if (pid_ == 0) {
      ::execl(program, program, "1000", nullptr);
      ::_exit(1);
    }
  }
  ~Sleeper() { end(); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  pid_t pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

TEST(Processes, ThisOneIsAmongThem) {
  const auto self = find_process(::getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->pid, ::getpid());
  EXPECT_EQ(self->parent, ::getppid());
  EXPECT_EQ(self->group, ::getpgrp());
  EXPECT_EQ(self->session, ::getsid(0));
  EXPECT_FALSE(self->is_dead);
  EXPECT_GT(self->started, 0U);
  EXPECT_TRUE(std::ranges::any_of(
      all_processes(), [&](const Process& process) { return process.pid == self->pid; }));
}

TEST(Processes, AHostileNameChangesNothing) {
  const TemporaryDirectory directory;
  const auto program = directory / "a) Z 1 (b";
  std::filesystem::copy_file("/bin/sleep", program);
  const Sleeper sleeper(program.c_str());
  const auto path = "/proc/" + std::to_string(sleeper.pid()) + "/comm";
  ASSERT_TRUE(eventually([&] { return read_file(path) == "a) Z 1 (b\n"; }));
  const auto process = find_process(sleeper.pid());
  ASSERT_TRUE(process);
  EXPECT_EQ(process->pid, sleeper.pid());
  EXPECT_EQ(process->parent, ::getpid());
  EXPECT_FALSE(process->is_dead);
}

TEST(Processes, AZombieIsDead) {
  const auto child = ::fork();
  if (child == 0) ::_exit(0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(find_process(child)->is_dead);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(find_process(child));
}

TEST(Processes, MarksAreWholeEntries) {
  const auto child = ::fork();
  if (child == 0) {
    ::execl("/usr/bin/env", "env", "-i", "A=1", "MARK=abc", "B=", "/bin/sleep", "1000", nullptr);
    ::_exit(1);
  }
  ASSERT_TRUE(eventually([&] { return has_marks(environment_of(child), {"MARK=abc"}); }));
  EXPECT_TRUE(has_marks(environment_of(child), {"A=1"}));
  EXPECT_TRUE(has_marks(environment_of(child), {"B="}));
  EXPECT_TRUE(has_marks(environment_of(child), {"MARK=abc", "A=1"}));
  for (const auto* other : {"MARK=ab", "ARK=abc", "MARK=abcd", "MARK", "abc", "C=", "=1"}) {
    EXPECT_FALSE(has_marks(environment_of(child), {other})) << other;
  }
  EXPECT_FALSE(has_marks(environment_of(child), {"MARK=abc", "A=2"}));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(has_marks(environment_of(child), {"MARK=abc"}));
}

TEST(Processes, ASignalReachesTheProcessMeant) {
  Sleeper sleeper;
  const auto process = find_process(sleeper.pid());
  ASSERT_TRUE(process);
  EXPECT_TRUE(signal_process(*process, 0));
  EXPECT_FALSE(find_process(sleeper.pid())->is_dead);
  EXPECT_TRUE(signal_process(*process, SIGKILL));
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(sleeper.pid()), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(ended.si_status, SIGKILL);
  sleeper.end();
  EXPECT_FALSE(signal_process(*process, SIGKILL));
}

// Makes the kernel give out `pid` next; false where that is not permitted.
bool give_out_next(pid_t pid) {
  std::ofstream file("/proc/sys/kernel/ns_last_pid");
  file << pid - 1 << std::flush;
  return file.good();
}

TEST(Processes, ASignalNeverReachesAnotherOfTheSameNumber) {
  const int wanted = count_of("CHRONOS_PID_RACES", 10);
  int reused_count = 0;
  for (int round = 0; round < 200 * wanted && reused_count < wanted; ++round) {
    Sleeper first;
    const auto seen = find_process(first.pid());
    ASSERT_TRUE(seen);
    first.end();
    if (!give_out_next(seen->pid)) GTEST_SKIP() << "numbers cannot be chosen here";
    const Sleeper second;
    if (second.pid() != seen->pid) continue;  // somebody else was faster
    const auto now = find_process(second.pid());
    ASSERT_TRUE(now);
    // The kernel counts in hundredths of a second; nobody runs through all numbers in one.
    if (now->started == seen->started) continue;
    ++reused_count;
    EXPECT_FALSE(signal_process(*seen, SIGKILL));
    EXPECT_FALSE(find_process(second.pid())->is_dead);
  }
  EXPECT_GT(reused_count, 0);
  RecordProperty("reused", reused_count);
}

TEST(Processes, DescendantsAreFoundAtAnyDepth) {
  const TemporaryDirectory directory;
  const auto child = ::fork();
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c",
            "sh -c 'sleep 1000 & echo $! > \"$0/b\"; wait' \"$0\" & sleep 1000 & echo $! > "
            "\"$0/a\"; wait",
            directory.path().c_str(), nullptr);
    ::_exit(1);
  }
  const auto number_in = [&](const char* name) {
    const auto text = read_file(directory / name);
    return text.ends_with('\n') ? std::stoi(text) : 0;
  };
  ASSERT_TRUE(eventually([&] { return number_in("a") > 0 && number_in("b") > 0; }));
  const auto found = descendants_of(child);
  const auto has = [&](pid_t pid) {
    return std::ranges::any_of(found, [&](const Process& process) { return process.pid == pid; });
  };
  EXPECT_EQ(found.size(), 3U);
  EXPECT_TRUE(has(number_in("a")));
  EXPECT_TRUE(has(number_in("b")));
  EXPECT_FALSE(has(child));
  for (const auto& process : found) signal_process(process, SIGKILL);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(Processes, AnOrphanIsAdoptedAndCollected) {
  const TemporaryDirectory directory;
  const auto fifo = directory / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  adopt_orphans();
  const Sleeper own;
  const auto parent = ::fork();
  if (parent == 0) {
    ::execl("/bin/sh", "sh", "-c", "setsid cat \"$0\" & exit 0", fifo.c_str(), nullptr);
    ::_exit(1);
  }
  ::waitpid(parent, nullptr, 0);
  ASSERT_TRUE(eventually([] { return reap_adopted().living.size() == 1; }));
  const auto orphan = reap_adopted().living.front();
  EXPECT_NE(orphan.pid, own.pid());
  EXPECT_EQ(orphan.parent, ::getpid());
  std::ofstream(fifo) << "";  // lets it end
  EXPECT_TRUE(eventually([] { return reap_adopted().living.empty(); }));
  EXPECT_FALSE(find_process(orphan.pid));
}

TEST(Processes, ChildrenOfThisProcessAreNotCollected) {
  const auto child = ::fork();
  if (child == 0) ::_exit(5);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(reap_adopted().living.empty());
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST(Processes, IgnoredChildSignalsAreUnignored) {
  std::signal(SIGCHLD, SIG_IGN);
  adopt_orphans();
  const auto child = ::fork();
  if (child == 0) ::_exit(5);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 5);
}

}  // namespace
}  // namespace chronos::executor
