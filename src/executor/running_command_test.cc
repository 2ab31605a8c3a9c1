#include "executor/running_command.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/wait.h>

#include <functional>

#include "executor/command_fixture.h"

namespace chronos::executor {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// Drives a command by hand, on a clock of the test's own.
class RunningCommandTest : public CommandFixture {
 protected:
  TemporaryDirectory directory;
  const SteadyTime begin = seconds(1000);

  std::unique_ptr<RunningCommand> start_command(const std::string& script, Duration timeout) {
    auto launch = launch_of("");
    launch.timeout = timeout;
    const CommandAction action{
        .argv = {script}, .env = {}, .cwd = directory.path(), .stdin_text = {}, .shell = true};
    auto command = RunningCommand::start(launch, action, options, std::nullopt, begin);
    EXPECT_TRUE(command);
    return command ? std::move(*command) : nullptr;
  }

  // Commands are started by a thread that is not the main one, to which orphans fall.
  static void on_a_thread(const std::function<void()>& test) { std::jthread(test).join(); }

  // Its command has ended; what else there is of it ends too, but in its own time.
  static void finish(RunningCommand& command, SteadyTime now) {
    ASSERT_TRUE(eventually([&] {
      command.advance(now += milliseconds(10));
      return command.is_over();
    }));
  }

  static void wait_for_exit(RunningCommand& command) {
    pollfd ended{.fd = command.pidfd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ended, 1, 60'000), 1);
    command.note_exit();
  }
};

TEST_F(RunningCommandTest, TheTimeoutIsCountedFromTheStartAndNotBefore) {
  on_a_thread([&] {
    const auto command = start_command("sleep 1000", seconds(10));
    EXPECT_EQ(command->wake_at(), begin + seconds(10));
    command->advance(begin + seconds(10) - microseconds(1));
    EXPECT_EQ(command->wake_at(), begin + seconds(10));
    command->advance(begin + seconds(10));
    // Now its grace runs, and the signal was sent.
    EXPECT_EQ(command->wake_at(), begin + seconds(10) + options.kill_grace);
    wait_for_exit(*command);
    finish(*command, begin + seconds(11));
    const auto outcome = command->take_outcome();
    EXPECT_EQ(outcome.kind, OutcomeKind::timed_out);
    EXPECT_EQ(outcome.signal, SIGTERM);
  });
}

TEST_F(RunningCommandTest, ItIsKilledWhenItsGraceIsOverAndNotBefore) {
  on_a_thread([&] {
    const auto command =
        start_command("trap '' TERM; touch ready; while :; do sleep 1; done", seconds(10));
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(directory / "ready"); }));
    command->stop(RunningCommand::Stop::cancel, begin);
    EXPECT_EQ(command->wake_at(), begin + options.kill_grace);
    command->advance(begin + options.kill_grace - microseconds(1));
    pollfd ended{.fd = command->pidfd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&ended, 1, 0), 0);
    const auto now = begin + options.kill_grace;
    command->advance(now);
    wait_for_exit(*command);
    finish(*command, now);
    EXPECT_EQ(command->take_outcome().signal, SIGKILL);
  });
}

TEST_F(RunningCommandTest, TheFirstReasonToStopCounts) {
  on_a_thread([&] {
    const auto command = start_command("sleep 1000", seconds(10));
    command->stop(RunningCommand::Stop::cancel, begin);
    command->stop(RunningCommand::Stop::shutdown, begin);
    wait_for_exit(*command);
    finish(*command, begin);
    EXPECT_EQ(command->take_outcome().kind, OutcomeKind::cancelled);
  });
}

TEST_F(RunningCommandTest, WhatEndedJustBeforeItsStopWasNotStopped) {
  on_a_thread([&] {
    const auto command = start_command("echo done", seconds(10));
    pollfd ended{.fd = command->pidfd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ended, 1, 60'000), 1);
    command->stop(RunningCommand::Stop::cancel, begin);
    finish(*command, begin);
    const auto outcome = command->take_outcome();
    EXPECT_EQ(outcome.kind, OutcomeKind::succeeded);
    EXPECT_EQ(outcome.output, "done\n");
  });
}

TEST_F(RunningCommandTest, AnExitCodeTakenByAnotherIsNoSuccess) {
  on_a_thread([&] {
    const auto command = start_command("echo $$ > leader; exit 0", seconds(10));
    pollfd ended{.fd = command->pidfd(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ended, 1, 60'000), 1);
    const auto leader = std::stoi(read_file(directory / "leader"));
    ASSERT_EQ(::waitpid(leader, nullptr, 0), leader);
    command->note_exit();
    finish(*command, begin);
    const auto outcome = command->take_outcome();
    EXPECT_EQ(outcome.kind, OutcomeKind::lost);
    EXPECT_EQ(outcome.reason, "exit_unknown");
    EXPECT_EQ(outcome.exit_code, std::nullopt);
  });
}

// The freezer of cgroups version 1 makes a process that SIGKILL does not end.
class FrozenProcess {
 public:
  explicit FrozenProcess(pid_t pid) {
    for (const auto* root : {"/sys/fs/cgroup/freezer", "/sys/fs/cgroup"}) {
      if (std::filesystem::exists(std::string(root) + "/freezer.state") ||
          std::filesystem::exists(std::string(root) + "/release_agent")) {
        path_ = std::string(root) + "/chronos-test-" + std::to_string(::getpid());
        break;
      }
    }
    std::error_code failed;
    std::filesystem::create_directory(path_, failed);
    std::ofstream(path_ + "/cgroup.procs") << pid << std::flush;
    std::ofstream(path_ + "/freezer.state") << "FROZEN" << std::flush;
    is_frozen_ = eventually_frozen();
  }
  ~FrozenProcess() { thaw(); }
  FrozenProcess(const FrozenProcess&) = delete;
  FrozenProcess& operator=(const FrozenProcess&) = delete;

  bool is_frozen() const { return is_frozen_; }
  void thaw() {
    if (path_.empty()) return;
    std::ofstream(path_ + "/freezer.state") << "THAWED" << std::flush;
    eventually([&] { return ::rmdir(path_.c_str()) == 0 || errno != EBUSY; });
    path_.clear();
  }

 private:
  bool eventually_frozen() const {
    if (!std::filesystem::exists(path_ + "/freezer.state")) return false;
    return eventually([&] { return read_file(path_ + "/freezer.state") == "FROZEN\n"; });
  }

  std::string path_;
  bool is_frozen_ = false;
};

TEST_F(RunningCommandTest, WhatCannotBeKilledIsGivenUpInTheEnd) {
  on_a_thread([&] {
    const auto command =
        start_command("echo $$ > leader; touch ready; exec sleep 1000", seconds(10));
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(directory / "ready"); }));
    FrozenProcess frozen(std::stoi(read_file(directory / "leader")));
    if (!frozen.is_frozen()) GTEST_SKIP() << "this machine has no freezer of cgroups version 1";
    auto now = begin + seconds(10);
    command->advance(now);
    command->advance(now += options.kill_grace);
    EXPECT_FALSE(command->is_over());
    command->advance(now += options.kill_patience);
    ASSERT_TRUE(command->is_over());
    EXPECT_TRUE(command->is_uncollected());
    const auto outcome = command->take_outcome();
    EXPECT_EQ(outcome.kind, OutcomeKind::timed_out);
    EXPECT_THAT(outcome.error, HasSubstr("cannot be killed"));
    EXPECT_EQ(outcome.signal, std::nullopt);
    const auto pidfd = command->take_pidfd();
    EXPECT_FALSE(collect(pidfd));
    frozen.thaw();
    EXPECT_TRUE(eventually([&] { return collect(pidfd); }));
  });
}

// Told what it prints: not at once, so that a short command costs nothing, and without a secret
// that came in two pieces.
TEST_F(RunningCommandTest, WhatItPrintsIsToldWhileItGoesOn) {
  on_a_thread([&] {
    std::string told;
    bool is_taken = false;
    auto launch = launch_of("");
    launch.on_output = [&](std::int64_t offset, std::string_view bytes) {
      EXPECT_EQ(offset, std::ssize(told));
      if (is_taken) told += bytes;
      return is_taken;
    };
    const CommandAction action{
        .argv = {"echo one; printf hunt; read line; echo er22; exec sleep 1000"},
        .env = {{"PASSWORD", "hunter22"}},
        .cwd = directory.path(),
        .stdin_text = {},
        .shell = true};
    auto started = RunningCommand::start(launch, action, options, std::nullopt, begin);
    ASSERT_TRUE(started);
    auto& command = **started;
    const auto read_to = [&](std::size_t size, SteadyTime now) {
      return eventually([&] {
        command.read_output();
        command.advance(now);
        return told.size() >= size;
      });
    };
    ASSERT_TRUE(eventually([&] {
      command.read_output();
      command.advance(begin);
      return command.wake_at() == begin + milliseconds(100);
    }));
    command.advance(begin + milliseconds(100));
    EXPECT_EQ(told, "") << "it was not taken";
    is_taken = true;
    EXPECT_TRUE(read_to(8, begin + seconds(1)));
    command.stop(RunningCommand::Stop::cancel, begin + seconds(1));
    wait_for_exit(command);
    finish(command, begin + seconds(1));
    const auto outcome = command.take_outcome();
    EXPECT_EQ(told, "one\n***\n");
    EXPECT_EQ(outcome.output, told);
    EXPECT_TRUE(outcome.has_live_output);
  });
}

TEST_F(RunningCommandTest, WhoIsOverSoonIsToldOfByItsOutcomeAlone) {
  on_a_thread([&] {
    auto launch = launch_of("");
    launch.on_output = [](std::int64_t, std::string_view) {
      ADD_FAILURE() << "told";
      return true;
    };
    const CommandAction action{
        .argv = {"echo one"}, .env = {}, .cwd = directory.path(), .stdin_text = {}, .shell = true};
    auto started = RunningCommand::start(launch, action, options, std::nullopt, begin);
    ASSERT_TRUE(started);
    wait_for_exit(**started);
    finish(**started, begin);
    const auto outcome = (*started)->take_outcome();
    EXPECT_EQ(outcome.output, "one\n");
    EXPECT_FALSE(outcome.has_live_output);
  });
}

}  // namespace
}  // namespace chronos::executor
