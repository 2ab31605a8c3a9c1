// What becomes of all the processes of a run when it is stopped or ends, with cgroups and without.

#include "executor/process_tree.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>

#include "executor/command_fixture.h"

namespace chronos::executor {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::HasSubstr;

class ProcessTreeTest : public CommandFixture, public testing::WithParamInterface<bool> {
 protected:
  TemporaryDirectory directory;

  void SetUp() override {
    options.use_cgroups = GetParam();
    options.kill_grace = milliseconds(50);
    if (GetParam() && !ensure_cgroups()) {
      GTEST_SKIP() << "this machine lets us make no cgroup";
    }
  }

  // Starts a script that makes `directory/ready` when it is where the test wants it, and waits for
  // that.
  struct Started {
    RunId run;
    std::future<Outcome> outcome;
  };
  Started start_until_ready(const std::string& script) {
    auto launch = launch_of(shell_of(script, R"(,"cwd":")" + directory.path().string() + "\""));
    const auto run = launch.run;
    auto outcome = start(std::move(launch));
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(directory / "ready"); }));
    return {run, std::move(outcome)};
  }

  // The process whose number a script wrote to `name`.
  bool lives(const std::string& name) {
    const auto process = find_process(std::stoi(read_file(directory / name)));
    return process && !process->is_dead;
  }
};

INSTANTIATE_TEST_SUITE_P(All, ProcessTreeTest, testing::Bool(), [](const auto& tested) {
  return tested.param ? "WithCgroup" : "WithoutCgroup";
});

TEST_P(ProcessTreeTest, TheRunHasItsCgroupIfAny) {
  auto launch = launch_of(command_of({"/bin/cat", "/proc/self/cgroup"}));
  const auto name = launch.run.to_string() + "-1";
  EXPECT_EQ(run(std::move(launch)).output.find(name) != std::string::npos, GetParam());
}

TEST_P(ProcessTreeTest, ATimeoutEndsTheAttempt) {
  auto launch = launch_of(shell_of("echo begun; sleep 1000"));
  launch.timeout = milliseconds(150);
  const auto outcome = run(std::move(launch));
  EXPECT_EQ(outcome.kind, OutcomeKind::timed_out);
  EXPECT_EQ(outcome.reason, "timeout");
  EXPECT_EQ(outcome.error, "stopped after 150ms");
  EXPECT_EQ(living_count(), 0U);
}

TEST_P(ProcessTreeTest, ATimeoutOutlastsAnIgnoredSignal) {
  auto launch = launch_of(shell_of("trap '' TERM; while :; do sleep 1; done"));
  launch.timeout = milliseconds(150);
  EXPECT_EQ(run(std::move(launch)).kind, OutcomeKind::timed_out);
  EXPECT_EQ(living_count(), 0U);
}

TEST_P(ProcessTreeTest, WithoutATimeoutNothingIsStopped) {
  auto launch = launch_of(shell_of("exit 0"));
  launch.timeout = Duration(0);
  EXPECT_EQ(run(std::move(launch)).kind, OutcomeKind::succeeded);
}

TEST_P(ProcessTreeTest, ACancelledCommandMayEndInOrder) {
  options.kill_grace = hours(1);
  auto [run, outcome] =
      start_until_ready("trap 'echo bye; exit 0' TERM; touch ready; while :; do sleep 0.01; done");
  executor().cancel(run, 1);
  const auto ended = outcome.get();
  EXPECT_EQ(ended.kind, OutcomeKind::cancelled);
  EXPECT_EQ(ended.reason, "cancelled");
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.output, HasSubstr("bye\n"));
}

TEST_P(ProcessTreeTest, AChildOfACancelledCommandHasTheGraceToo) {
  options.kill_grace = hours(1);
  auto [run, outcome] = start_until_ready(
      "(trap 'sleep 0.1; touch cleaned; exit 0' TERM; touch ready; while :; do sleep 0.01; done) &"
      "wait");
  executor().cancel(run, 1);
  EXPECT_EQ(outcome.get().signal, SIGTERM);
  EXPECT_TRUE(std::filesystem::exists(directory / "cleaned"));
}

TEST_P(ProcessTreeTest, ACancelledCommandThatIgnoresItIsKilled) {
  auto [run, outcome] = start_until_ready("trap '' TERM; touch ready; while :; do sleep 1; done");
  executor().cancel(run, 1);
  const auto ended = outcome.get();
  EXPECT_EQ(ended.kind, OutcomeKind::cancelled);
  EXPECT_EQ(ended.signal, SIGKILL);
  EXPECT_EQ(living_count(), 0U);
}

TEST_P(ProcessTreeTest, AStoppedCommandCanBeCancelled) {
  options.kill_grace = hours(1);
  auto [run, outcome] = start_until_ready("touch ready; kill -STOP $$; sleep 1000");
  executor().cancel(run, 1);
  EXPECT_EQ(outcome.get().signal, SIGTERM);
}

TEST_P(ProcessTreeTest, NothingOutlivesACancel) {
  const int trees = count_of("CHRONOS_TREES", 3);
  for (int i = 0; i < trees; ++i) {
    std::filesystem::remove(directory / "ready");
    // In the group, in another session, two forks away, deaf to SIGTERM, and all of it.
    auto [run, outcome] = start_until_ready(R"(
      trap '' TERM
      sleep 1001 &
      setsid sleep 1002 &
      (sleep 1003 &)
      (setsid sh -c '(setsid sh -c "echo \$\$ > far; touch ready; while :; do sleep 1; done" &)' &)
      while :; do sleep 1; done)");
    ASSERT_TRUE(eventually([&] { return living_count() >= 6; }));
    executor().cancel(run, 1);
    EXPECT_EQ(outcome.get().kind, OutcomeKind::cancelled);
    EXPECT_EQ(living_count(), 0U);
    EXPECT_FALSE(lives("far"));
  }
}

TEST_P(ProcessTreeTest, AnEmptiedEnvironmentHidesNobodyWhoseParentLives) {
  auto [run, outcome] = start_until_ready(
      "env -i setsid sh -c 'echo $$ > hidden; touch ready; while :; do sleep 1; done' & wait");
  EXPECT_TRUE(lives("hidden"));
  executor().cancel(run, 1);
  EXPECT_EQ(outcome.get().kind, OutcomeKind::cancelled);
  EXPECT_FALSE(lives("hidden"));
}

TEST_P(ProcessTreeTest, WhatTheCommandLeavesBehindIsKilled) {
  const auto outcome = start_until_ready(
                           "(setsid sh -c 'trap \"\" TERM HUP; echo $$ > left; touch ready; "
                           "while :; do sleep 1; done' &) ; while [ ! -e ready ]; do sleep 0.01;"
                           "done; echo done")
                           .outcome.get();
  EXPECT_EQ(outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(outcome.output, "done\n");
  EXPECT_FALSE(lives("left"));
  EXPECT_EQ(living_count(), 0U);
}

TEST_P(ProcessTreeTest, WhatMovedToAnotherCgroupIsFoundByItsMarks) {
  if (!ensure_cgroups()) GTEST_SKIP() << "this machine lets us make no cgroup";
  const auto elsewhere = make_server_cgroup(fresh_id());
  ASSERT_TRUE(elsewhere);
  const auto outcome =
      start_until_ready(
          "(setsid sh -c 'echo $$ > " + elsewhere->directory() +
          "/cgroup.procs && echo $$ > moved; touch ready; while :; do sleep 1; done' &);"
          "while [ ! -e ready ]; do sleep 0.01; done")
          .outcome.get();
  EXPECT_EQ(outcome.kind, OutcomeKind::succeeded);
  EXPECT_FALSE(lives("moved"));
}

TEST_P(ProcessTreeTest, NobodyElseIsKilled) {
  // Looks like a part of the run, but of another server, or of another attempt.
  auto launch = launch_of(shell_of("(setsid sleep 1000 &); exit 0"));
  const auto run_mark = "CHRONOS_RUN_ID=" + launch.run.to_string();
  std::vector<std::future<Outcome>> others;
  const auto foreign = ::fork();
  if (foreign == 0) {
    ::execl("/usr/bin/env", "env", "-i", run_mark.c_str(), "CHRONOS_ATTEMPT=1",
            "CHRONOS_SERVER_ID=another", "/bin/sleep", "1000", nullptr);
    ::_exit(1);
  }
  ASSERT_TRUE(eventually([&] { return has_marks(environment_of(foreign), {run_mark}); }));
  auto later = launch_of(shell_of("sleep 0.2; echo alive"));
  later.run = launch.run;
  later.attempt = 2;
  auto other_attempt = start(std::move(later));
  EXPECT_EQ(run(std::move(launch)).kind, OutcomeKind::succeeded);
  EXPECT_EQ(other_attempt.get().output, "alive\n");
  EXPECT_FALSE(find_process(foreign)->is_dead);
  ::kill(foreign, SIGKILL);
  ::waitpid(foreign, nullptr, 0);
}

TEST_P(ProcessTreeTest, ACancelMustNameTheRunAndTheAttempt) {
  auto [run, outcome] = start_until_ready("touch ready; while [ ! -e go ]; do sleep 0.01; done");
  executor().cancel(RunId{Uuid{1, 2}}, 1);
  executor().cancel(run, 2);
  std::ofstream(directory / "go") << "";
  EXPECT_EQ(outcome.get().kind, OutcomeKind::succeeded);
  executor().cancel(run, 1);
}

TEST_P(ProcessTreeTest, ACancelRightAfterTheStartIsNotLost) {
  auto launch = launch_of(command_of({"/bin/sleep", "1000"}));
  const auto run = launch.run;
  auto outcome = start(std::move(launch));
  executor().cancel(run, 1);
  EXPECT_EQ(outcome.get().kind, OutcomeKind::cancelled);
}

TEST_P(ProcessTreeTest, StopEndsAllThatRuns) {
  auto [run, deaf] = start_until_ready("trap '' TERM; touch ready; while :; do sleep 1; done");
  std::vector<std::future<Outcome>> outcomes;
  outcomes.push_back(std::move(deaf));
  for (int i = 0; i < 20; ++i)
    outcomes.push_back(start(shell_of("(setsid sleep 1000 &); sleep 1000")));
  executor().stop();
  for (auto& outcome : outcomes) {
    ASSERT_EQ(outcome.wait_for(milliseconds(0)), std::future_status::ready);
    const auto ended = outcome.get();
    EXPECT_EQ(ended.kind, OutcomeKind::lost);
    EXPECT_EQ(ended.reason, "shutdown");
  }
  EXPECT_EQ(living_count(), 0U);
  EXPECT_EQ(this->run(command_of({"/bin/true"})).reason, "shutdown");
  executor().stop();
}

std::size_t zombie_count() {
  const auto self = ::getpid();
  return static_cast<std::size_t>(std::ranges::count_if(
      all_processes(),
      [&](const Process& process) { return process.parent == self && process.is_dead; }));
}

TEST_P(ProcessTreeTest, DeadOrphansAreCollectedWhileTheRunGoesOn) {
  auto [run, outcome] = start_until_ready(
      "i=0; while [ $i -lt 50 ]; do (setsid true &); i=$((i+1)); done; touch ready; sleep 1000");
  EXPECT_TRUE(eventually([] { return zombie_count() == 0; }));
  EXPECT_EQ(outcome.wait_for(milliseconds(0)), std::future_status::timeout);
  executor().cancel(run, 1);
  outcome.get();
  EXPECT_TRUE(eventually([] { return zombie_count() == 0; }));
}

TEST_P(ProcessTreeTest, NoZombiesAreLeft) {
  constexpr int kAtOnce = 100;
  const int runs = count_of("CHRONOS_RUNS", kAtOnce);
  run(command_of({"/bin/true"}));
  const auto descriptors = open_descriptors();
  for (int done = 0; done < runs; done += kAtOnce) {
    std::vector<std::future<Outcome>> outcomes;
    for (int i = 0; i < kAtOnce; ++i) {
      outcomes.push_back(
          start(shell_of("(setsid sh -c '(setsid sleep 1000 &) ; sleep 1000' &); true")));
    }
    for (auto& outcome : outcomes) EXPECT_EQ(outcome.get().kind, OutcomeKind::succeeded);
    EXPECT_EQ(living_count(), 0U);
    EXPECT_TRUE(eventually([] { return zombie_count() == 0; }));
    // An outcome is told before the last descriptor of its command is closed.
    EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; }));
  }
}

TEST_P(ProcessTreeTest, ExitCodesOfOthersAreNotTaken) {
  const auto other = ::fork();
  if (other == 0) ::_exit(7);
  run(shell_of("(setsid true &); (setsid sleep 1000 &); true"));
  // Another run, so that what fell to this process was collected at least once.
  run(shell_of("true"));
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

// Forks from session to session as fast as it can, so that nothing in it lives for long.
TEST_P(ProcessTreeTest, WhatForksAwayFasterThanItCanBeListedIsKilled) {
  std::ofstream(directory / "hop.sh") << "[ -e ready ] || touch ready; setsid sh ./hop.sh & exit 0";
  auto [run, outcome] = start_until_ready("trap '' TERM; sh ./hop.sh; sleep 1000");
  executor().cancel(run, 1);
  EXPECT_EQ(outcome.get().kind, OutcomeKind::cancelled);
  EXPECT_EQ(living_count(), 0U);
}

TEST_P(ProcessTreeTest, AForkBombIsHeldAndKilled) {
  if (::geteuid() != 0) GTEST_SKIP() << "root alone can take the place of another user";
  options.limits.processes_max = 50;
  const auto bombs = count_of("CHRONOS_BOMBS", 1);
  for (int i = 0; i < bombs; ++i) {
    auto launch = launch_of(shell_of(as_somebody("b() { b | b & }; (b) & exec sleep 1000")));
    launch.timeout = milliseconds(300);
    EXPECT_EQ(run(std::move(launch)).kind, OutcomeKind::timed_out);
    EXPECT_EQ(living_count(), 0U);
  }
}

}  // namespace
}  // namespace chronos::executor
