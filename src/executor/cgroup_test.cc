#include "executor/cgroup.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>

#include "executor/command_fixture.h"

namespace chronos::executor {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class CgroupTest : public CommandFixture {
 protected:
  void SetUp() override {
    if (ensure_cgroups()) cgroup = make_server_cgroup(options.server_id);
    if (!cgroup) GTEST_SKIP() << "this machine lets us make no cgroup";
  }

  // A child of the test that joins `joined` and sleeps.
  static pid_t start_sleeper(const Cgroup& joined) {
    const auto pid = ::fork();
    if (pid == 0) {
      if (::write(joined.procs_fd(), "0", 1) != 1) ::_exit(1);
      ::execl("/bin/sleep", "sleep", "1000", nullptr);
      ::_exit(1);
    }
    EXPECT_TRUE(eventually([&] { return joined.is_populated(); }));
    return pid;
  }

  std::optional<Cgroup> cgroup;
};

TEST_F(CgroupTest, KnowsAndKillsWhatLivesInItAndBelow) {
  const auto child = cgroup->make_child("run-1");
  ASSERT_TRUE(child);
  EXPECT_FALSE(cgroup->is_populated());
  const auto above = start_sleeper(*cgroup);
  const auto below = start_sleeper(*child);
  EXPECT_THAT(cgroup->processes(), UnorderedElementsAre(above, below));
  EXPECT_THAT(child->processes(), UnorderedElementsAre(below));
  child->kill();
  int status = 0;
  ::waitpid(below, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_TRUE(eventually([&] { return !child->is_populated(); }));
  EXPECT_TRUE(cgroup->is_populated());
  cgroup->kill();
  ::waitpid(above, &status, 0);
  EXPECT_TRUE(eventually([&] { return !cgroup->is_populated(); }));
}

TEST_F(CgroupTest, IsRemovedWithWhatARunMadeBelowIt) {
  {
    const auto child = cgroup->make_child("run-1");
    ASSERT_TRUE(child->make_child("inner"));
    const auto inner = child->make_child("inner");
    const auto innermost = inner->make_child("innermost");
    EXPECT_EQ(cgroup->child_count(), 1U);
  }
  EXPECT_EQ(cgroup->child_count(), 0U);
}

TEST_F(CgroupTest, ADirectoryOfAnEarlierStartIsTakenOver) {
  const auto first = cgroup->make_child("run-1");
  EXPECT_TRUE(cgroup->make_child("run-1"));
}

TEST_F(CgroupTest, CommandsRunInItAndLeaveNoDirectory) {
  auto launch = launch_of(command_of({"/bin/cat", "/proc/self/cgroup"}));
  const auto directory = "/chronos-" + options.server_id + "/" + launch.run.to_string() + "-1\n";
  EXPECT_THAT(run(std::move(launch)).output, HasSubstr(directory));
  run(shell_of("(setsid sleep 1000 &); exit 0"));
  EXPECT_FALSE(cgroup->is_populated());
  EXPECT_EQ(cgroup->child_count(), 0U);
}

// Files that stand for those of the kernel: few machines let a test have the pids controller.
TEST(Cgroup, LimitsProcessesWhereTheControllerIsHandedDown) {
  const TemporaryDirectory directory;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(directory / name) << text;
  };
  for (const auto* name : {"cgroup.procs", "cgroup.kill", "cgroup.subtree_control"})
    write(name, "");
  const auto cgroup = Cgroup::make(directory.path().string());
  ASSERT_TRUE(cgroup);
  EXPECT_FALSE(cgroup->limit_processes(50));
  EXPECT_FALSE(std::filesystem::exists(directory / "pids.max"));
  EXPECT_FALSE(cgroup->hands_down_pids());
  EXPECT_EQ(cgroup->forks_refused(), 0);
  write("pids.max", "max\n");
  write("pids.events", "max 7\n");
  write("cgroup.subtree_control", "cpu pids\n");
  EXPECT_TRUE(cgroup->limit_processes(50));
  EXPECT_TRUE(read_file(directory / "pids.max").starts_with("50"));
  EXPECT_EQ(cgroup->forks_refused(), 7);
  EXPECT_TRUE(cgroup->hands_down_pids());
}

TEST(Cgroup, AnOrdinaryDirectoryIsNone) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(Cgroup::make(directory / "new"));
  EXPECT_FALSE(std::filesystem::exists(directory / "new"));
  EXPECT_FALSE(Cgroup::make(directory.path().string()));
  EXPECT_TRUE(std::filesystem::exists(directory.path()));
  EXPECT_FALSE(Cgroup::make(directory / "no/such"));
}

}  // namespace
}  // namespace chronos::executor
