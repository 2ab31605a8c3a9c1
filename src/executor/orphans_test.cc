#include "executor/orphans.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "executor/command_fixture.h"

namespace chronos::executor {
namespace {

class OrphansTest : public CommandFixture, public testing::WithParamInterface<bool> {
 protected:
  TemporaryDirectory directory;

  // A server in a process of its own, with `count` commands, each with a child that ran away.
  // Returns once all of these live and the server was killed (SIGKILL).
  void crash_a_server(int count) {
    options.use_cgroups = GetParam();
    const auto server = ::fork();
    if (server == 0) {
      for (int i = 0; i < count; ++i) {
        const auto file = directory / std::to_string(i);
        start(shell_of("(setsid sh -c 'echo $$ > " + file + "; sleep 1000' &) ; sleep 1000"));
      }
      for (;;) ::pause();
    }
    EXPECT_TRUE(eventually([&] {
      for (int i = 0; i < count; ++i) {
        if (!read_file(directory / std::to_string(i)).ends_with('\n')) return false;
      }
      return true;
    }));
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
  }

  bool lives(int number) {
    const auto process = find_process(std::stoi(read_file(directory / std::to_string(number))));
    return process && !process->is_dead;
  }
};

INSTANTIATE_TEST_SUITE_P(All, OrphansTest, testing::Bool(), [](const auto& tested) {
  return tested.param ? "WithCgroup" : "WithoutCgroup";
});

TEST_P(OrphansTest, AllThatACrashedServerLeftIsKilled) {
  const int commands = count_of("CHRONOS_ORPHANS", 20);
  crash_a_server(commands);
  for (int i = 0; i < commands; ++i) ASSERT_TRUE(lives(i));
  EXPECT_EQ(kill_orphans("another-" + options.server_id), 0U);
  ASSERT_TRUE(lives(0));
  EXPECT_GE(kill_orphans(options.server_id), static_cast<std::size_t>(commands));
  for (int i = 0; i < commands; ++i) EXPECT_FALSE(lives(i));
  EXPECT_EQ(living_count(), 0U);
  EXPECT_EQ(kill_orphans(options.server_id), 0U);
}

TEST(Orphans, WithoutAnIdNobodyIsMeant) {
  EXPECT_EQ(kill_orphans(""), 0U);
}

}  // namespace
}  // namespace chronos::executor
