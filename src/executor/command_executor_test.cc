#include "executor/command_executor.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

#include "base/time_text.h"
#include "executor/command_fixture.h"

namespace chronos::executor {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

class CommandExecutorTest : public CommandFixture {
 protected:
  TemporaryDirectory directory;

  std::string write_file(const std::string& name, const std::string& text, mode_t mode) {
    const auto path = directory / name;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream source(text);
  for (std::string line; std::getline(source, line);) lines.push_back(line);
  return lines;
}

// -- What attempts come to ---------------------------------------------------------------------

TEST_F(CommandExecutorTest, ExitCodeZeroIsSuccess) {
  const auto outcome = run(command_of({"/bin/echo", "hello"}));
  EXPECT_EQ(outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.signal, std::nullopt);
  EXPECT_EQ(outcome.reason, "");
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.output, "hello\n");
  EXPECT_EQ(outcome.output_dropped, 0);
}

TEST_F(CommandExecutorTest, AnyOtherExitCodeIsAFailure) {
  for (const int code : {1, 3, 127, 255}) {
    const auto outcome = run(shell_of("exit " + std::to_string(code)));
    EXPECT_EQ(outcome.kind, OutcomeKind::failed);
    EXPECT_EQ(outcome.reason, "exit_code");
    EXPECT_EQ(outcome.exit_code, code);
    EXPECT_EQ(outcome.error, "exit code " + std::to_string(code));
  }
}

TEST_F(CommandExecutorTest, ADeadlySignalIsAFailureThatNamesIt) {
  const auto outcome = run(shell_of("kill -SEGV $$"));
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.reason, "signal");
  EXPECT_EQ(outcome.signal, SIGSEGV);
  EXPECT_EQ(outcome.exit_code, std::nullopt);
  EXPECT_EQ(outcome.error, "killed by signal 11 (SIGSEGV)");
}

TEST_F(CommandExecutorTest, WhatCannotStartSaysWhy) {
  const auto no_mode = write_file("data", "#!/bin/sh\n", 0644);
  const auto no_program = write_file("text", "echo not a program\n", 0755);
  const auto no_interpreter = write_file("script", "#!/no/such/interpreter\n", 0755);
  const struct {
    std::string config;
    std::string error;
  } failures[] = {
      {command_of({"no-such-program-anywhere"}), "there is no program 'no-such-program-anywhere'"},
      {command_of({"/no/such/program"}), "'/no/such/program' does not exist"},
      {command_of({no_mode}), "is not an executable file"},
      {command_of({directory.path().string()}), "is not an executable file"},
      {command_of({no_program}), "is no program"},
      {command_of({no_interpreter}), "what its first line names"},
      {command_of({"true"}, R"(,"cwd":"/no/such/directory")"),
       "cannot enter the directory '/no/such/directory': No such file or directory"},
      {command_of({"true"}, R"(,"cwd":")" + no_mode + "\""), "Not a directory"},
  };
  for (const auto& [config, error] : failures) {
    const auto outcome = run(config);
    EXPECT_EQ(outcome.kind, OutcomeKind::failed) << config;
    EXPECT_EQ(outcome.reason, "spawn") << config;
    EXPECT_THAT(outcome.error, HasSubstr(error)) << config;
    EXPECT_EQ(outcome.exit_code, std::nullopt) << config;
  }
}

TEST_F(CommandExecutorTest, ArgumentsBeyondTheKernelsLimitAreAFailure) {
  const auto outcome = run(command_of(std::vector<std::string>(30, std::string(130'000, 'a'))));
  EXPECT_EQ(outcome.reason, "spawn");
  // The name of the program is itself too long for a path, or the whole is for execve().
  EXPECT_NE(outcome.error, "");
  std::vector<std::string> argv(30, std::string(130'000, 'a'));
  argv[0] = "/bin/true";
  EXPECT_THAT(run(command_of(argv)).error, HasSubstr("too long"));
}

TEST_F(CommandExecutorTest, AnActionThatIsNotValidIsAnOutcomeToo) {
  for (const auto* config : {"", "{", R"({"kind":"command"})", R"({"argv":["ls"],"shel":true})"}) {
    const auto outcome = run(std::string(config));
    EXPECT_EQ(outcome.kind, OutcomeKind::failed);
    EXPECT_EQ(outcome.reason, "action");
    EXPECT_NE(outcome.error, "");
  }
}

TEST_F(CommandExecutorTest, WithoutPermissionNothingIsAcceptedAndNothingRuns) {
  options.is_allowed = false;
  const auto config = command_of({"/bin/echo"});
  const auto checked = executor().check(json::parse(config)->root());
  ASSERT_FALSE(checked);
  ASSERT_EQ(checked.error().fields.size(), 1U);
  EXPECT_EQ(checked.error().fields[0].pointer, "/action/kind");
  EXPECT_EQ(checked.error().fields[0].code, "commands_not_allowed");
  EXPECT_THAT(checked.error().fields[0].hint,
              AllOf(HasSubstr("--allow-commands"), HasSubstr("[commands]")));
  const auto outcome = run(config);
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.reason, "action");
}

TEST_F(CommandExecutorTest, WithPermissionCheckReadsTheAction) {
  EXPECT_TRUE(executor().check(json::parse(command_of({"ls"}))->root()));
  EXPECT_FALSE(executor().check(json::parse(R"({"argv":[]})")->root()));
}

// -- Limits and secrets ------------------------------------------------------------------------

TEST_F(CommandExecutorTest, ProcessorTimeIsLimitedAndTheLimitNamed) {
  options.limits.cpu_time_max = std::chrono::seconds(1);
  const auto outcome = run(shell_of("while :; do :; done"));
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.signal, SIGXCPU);
  EXPECT_THAT(outcome.error, HasSubstr("commands.cpu_time_max, 1s of a processor"));
}

TEST_F(CommandExecutorTest, MemoryAndFilesAreLimited) {
  options.limits.memory_max = std::size_t{512} * 1024 * 1024;
  options.limits.files_max = 7;
  const auto outcome = run(shell_of("ulimit -v; ulimit -n; ulimit -c"));
  EXPECT_EQ(outcome.output, "524288\n7\n0\n");
  const auto greedy = run(command_of({"/usr/bin/python3", "-c", "print(len(bytes(1 << 30)))"}));
  EXPECT_EQ(greedy.exit_code, 1);
  EXPECT_THAT(greedy.output, HasSubstr("MemoryError"));
}

TEST_F(CommandExecutorTest, ProcessesAreLimited) {
  if (::geteuid() != 0) GTEST_SKIP() << "root alone can take the place of another user";
  options.limits.processes_max = 20;
  options.use_cgroups = false;
  // One process forks as often as it may, at most a hundred times.
  const auto outcome = run(shell_of(as_somebody(R"py(exec /usr/bin/python3 -c "
import os, signal
count = 1
try:
    while count < 100 and os.fork() > 0: count += 1
except BlockingIOError: print(count)
else: signal.pause()")py")));
  EXPECT_EQ(outcome.output, "20\n");
}

TEST_F(CommandExecutorTest, ItsSecretsAreMaskedInTheOutput) {
  const auto outcome = run(shell_of("echo password=$DB_PASSWORD; echo mode=$MODE >&2",
                                    R"(,"env":{"DB_PASSWORD":"hunter22","MODE":"hunting"})"));
  EXPECT_EQ(outcome.output, "password=***\nmode=hunting\n");
}

// -- What a command gets -----------------------------------------------------------------------

TEST_F(CommandExecutorTest, TheEnvironmentHoldsOnlyWhatIsNamed) {
  ::setenv("CHRONOS_TEST_LEAK", "1", 1);
  auto launch = launch_of(command_of({"/usr/bin/env", "-0"}, R"(,"env":{"A":"x\ny","LANG":"C"})"));
  launch.attempt = 7;
  launch.token = 42;
  launch.planned_at = *parse_timestamp("2026-03-08T07:30:00Z");
  const auto run_id = launch.run.to_string();
  const auto job_id = launch.job.to_string();
  const auto outcome = run(std::move(launch));
  std::vector<std::string> entries;
  std::istringstream source(outcome.output);
  for (std::string entry; std::getline(source, entry, '\0');) entries.push_back(entry);
  EXPECT_THAT(entries, UnorderedElementsAre("CHRONOS_RUN_ID=" + run_id, "CHRONOS_JOB_ID=" + job_id,
                                            "CHRONOS_ATTEMPT=7", "CHRONOS_TOKEN=42",
                                            "CHRONOS_PLANNED_AT=2026-03-08T07:30:00.000Z",
                                            "CHRONOS_SERVER_ID=" + options.server_id,
                                            "PATH=" + options.path, "A=x\ny", "LANG=C"));
}

TEST_F(CommandExecutorTest, ANamedPathIsTheOneToSearch) {
  write_file("greet", "#!/bin/sh\necho \"from $PATH\"\n", 0755);
  const auto path = directory.path().string();
  const auto outcome = run(command_of({"greet"}, R"(,"env":{"PATH":")" + path + R"("})"));
  EXPECT_EQ(outcome.output, "from " + path + "\n") << outcome.error;
}

TEST_F(CommandExecutorTest, RelativeDirectoriesOfThePathAreNotSearched) {
  write_file("greet", "#!/bin/sh\necho hello\n", 0755);
  const auto outcome = run(
      command_of({"greet"}, R"(,"env":{"PATH":".::"},"cwd":")" + directory.path().string() + "\""));
  EXPECT_EQ(outcome.reason, "spawn");
}

TEST_F(CommandExecutorTest, RunsInTheDirectoryAskedFor) {
  const auto path = std::filesystem::canonical(directory.path()).string();
  EXPECT_EQ(run(command_of({"/bin/pwd"}, R"(,"cwd":")" + path + "\"")).output, path + "\n");
  write_file("here.sh", "#!/bin/sh\necho here\n", 0755);
  EXPECT_EQ(run(command_of({"./here.sh"}, R"(,"cwd":")" + path + "\"")).output, "here\n");
}

TEST_F(CommandExecutorTest, OnlyTheStdioIsOpen) {
  const auto outcome = run(command_of({"/bin/ls", "/proc/self/fd"}));
  // 3 is the directory that ls itself reads.
  EXPECT_EQ(outcome.output, "0\n1\n2\n3\n");
}

TEST_F(CommandExecutorTest, SignalsAreAtTheirDefaultsAndPrivilegesCannotBeGained) {
  const auto lines = lines_of(run(command_of({"/bin/cat", "/proc/self/status"})).output);
  EXPECT_THAT(lines, IsSupersetOf({"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000",
                                   "SigCgt:\t0000000000000000", "NoNewPrivs:\t1"}));
}

TEST_F(CommandExecutorTest, PrivilegesCanBeGainedWhereThatIsAllowed) {
  options.may_gain_privileges = true;
  const auto outcome = run(command_of({"/bin/grep", "NoNewPrivs", "/proc/self/status"}));
  EXPECT_EQ(outcome.output, "NoNewPrivs:\t0\n");
}

TEST_F(CommandExecutorTest, ThePayloadIsTheInput) {
  auto launch = launch_of(command_of({"/bin/cat"}));
  launch.payload = R"({"n": 1,  "text":"é"})";
  EXPECT_EQ(run(std::move(launch)).output, R"({"n": 1,  "text":"é"})");
}

TEST_F(CommandExecutorTest, GivenInputReplacesThePayload) {
  for (const auto* given : {"other", ""}) {
    auto launch = launch_of(command_of({"/bin/cat"}, std::string(R"(,"stdin":")") + given + '"'));
    launch.payload = "1";
    EXPECT_EQ(run(std::move(launch)).output, given);
  }
}

TEST_F(CommandExecutorTest, WithoutAPayloadTheInputIsEmpty) {
  EXPECT_EQ(run(command_of({"/bin/cat"})).output, "");
  EXPECT_EQ(run(command_of({"/usr/bin/readlink", "/proc/self/fd/0"})).output, "/dev/null\n");
}

TEST_F(CommandExecutorTest, ALargePayloadArrivesWholeAndMayBeLeftUnread) {
  auto launch = launch_of(command_of({"/usr/bin/sha256sum"}));
  launch.payload = '"' + std::string(1 << 20, 'p') + '"';
  auto unread = launch_of(command_of({"/bin/true"}));
  unread.payload = launch.payload;
  // sha256 of '"', 1048576 times 'p', '"'.
  const auto digest = to_hex(as_bytes(sha256(launch.payload)));
  EXPECT_EQ(run(std::move(launch)).output, digest + "  -\n");
  EXPECT_EQ(run(std::move(unread)).kind, OutcomeKind::succeeded);
}

// -- No shell unless asked ---------------------------------------------------------------------

TEST_F(CommandExecutorTest, NothingInAnArgumentIsInterpreted) {
  const auto victim = directory / "created";
  const std::vector<std::string> hostile = {"$(touch " + victim + ")",
                                            "`touch " + victim + "`",
                                            "; touch " + victim,
                                            "&& touch " + victim,
                                            "| touch " + victim,
                                            "> " + victim,
                                            "\n touch " + victim,
                                            "$HOME",
                                            "*",
                                            "~",
                                            "\\",
                                            "'",
                                            "\"",
                                            "-n",
                                            "--version",
                                            "-o ProxyCommand=x",
                                            "%s%n",
                                            "!!",
                                            "#",
                                            "\x01\x1b[31m",
                                            "",
                                            " "};
  for (const auto& argument : hostile) {
    // The printing program is given the argument behind `--`-like protection of its own: printf's
    // format comes first.
    EXPECT_EQ(run(command_of({"/usr/bin/printf", "%s", argument})).output, argument);
  }
  EXPECT_FALSE(std::filesystem::exists(victim));
}

TEST_F(CommandExecutorTest, TheProgramsNameIsNotInterpretedEither) {
  const auto victim = directory / "created";
  EXPECT_EQ(run(command_of({"touch " + victim})).reason, "spawn");
  EXPECT_EQ(run(command_of({"/bin/sh -c 'touch " + victim + "'"})).reason, "spawn");
  EXPECT_FALSE(std::filesystem::exists(victim));
}

TEST_F(CommandExecutorTest, AShellRunsTheTextWhenAsked) {
  EXPECT_EQ(run(shell_of("echo $((1+2)) | tr 3 4; echo \"$0 $#\"")).output, "4\n/bin/sh 0\n");
  EXPECT_EQ(run(shell_of("-c")).reason, "exit_code");
}

// -- Output ------------------------------------------------------------------------------------

TEST_F(CommandExecutorTest, BothStreamsAreKeptInTheirOrder) {
  EXPECT_EQ(run(shell_of("echo a; echo b >&2; echo c")).output, "a\nb\nc\n");
}

TEST_F(CommandExecutorTest, BytesAreKeptAsTheyAre) {
  const auto outcome = run(command_of({"/usr/bin/printf", R"(\377\376\000\033[31m\200)"}));
  EXPECT_EQ(outcome.output, std::string("\xff\xfe\0\x1b[31m\x80", 9));
}

long resident_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return 0;
}

TEST_F(CommandExecutorTest, AFloodIsCountedAndNotKept) {
  constexpr std::int64_t kPrinted = 200'000'000;
  run(command_of({"/bin/true"}));
  const auto before = resident_kilobytes();
  const auto outcome =
      run(shell_of("echo begin; head -c " + std::to_string(kPrinted) + " /dev/zero; echo end"));
  EXPECT_EQ(outcome.kind, OutcomeKind::succeeded);
  EXPECT_LE(outcome.output.size(), options.output_max);
  EXPECT_GE(outcome.output.size(), options.output_max - 128);
  EXPECT_TRUE(outcome.output.starts_with("begin\n"));
  EXPECT_TRUE(outcome.output.ends_with("end\n"));
  const auto gap = "\n[... " + std::to_string(outcome.output_dropped) + " bytes not kept ...]\n";
  EXPECT_THAT(outcome.output, HasSubstr(gap));
  const auto kept = static_cast<std::int64_t>(outcome.output.size() - gap.size());
  EXPECT_EQ(kept + outcome.output_dropped, kPrinted + 10);
  EXPECT_LT(resident_kilobytes() - before, 16 * 1024);
}

TEST_F(CommandExecutorTest, ACommandMayCloseItsOutputAndGoOn) {
  EXPECT_EQ(run(shell_of("echo a; exec >&- 2>&-; sleep 0.05; exit 4")).exit_code, 4);
}

// -- Many at once ------------------------------------------------------------------------------

TEST_F(CommandExecutorTest, TwoHundredRunAtOnceAndLeaveNothing) {
  run(command_of({"/bin/true"}));
  const auto descriptors = open_descriptors();
  // Each waits until all have come: a proof that they run at once.
  const TemporaryDirectory outside;
  const auto gate = outside / "gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  std::vector<std::future<Outcome>> outcomes;
  for (int i = 0; i < 200; ++i) {
    const auto number = std::to_string(i);
    outcomes.push_back(start(shell_of("touch " + (directory / ("here" + number)) + "; : < " + gate +
                                      "; echo " + number)));
  }
  ASSERT_TRUE(eventually([&] {
    using std::filesystem::directory_iterator;
    return std::distance(directory_iterator(directory.path()), directory_iterator()) == 200;
  }));
  std::ofstream writer(gate);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(outcomes[static_cast<std::size_t>(i)].get().output, std::to_string(i) + "\n");
  }
  writer.close();
  // An outcome is told before the last descriptor of its command is closed.
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= descriptors; }));
  EXPECT_EQ(living_count(), 0U);
}

TEST_F(CommandExecutorTest, ACallbackMayStartTheNext) {
  std::promise<Outcome> promise;
  executor().start(launch_of(command_of({"/bin/true"})), [&](Outcome) {
    executor().start(launch_of(command_of({"/bin/echo", "second"})),
                     [&](Outcome second) { promise.set_value(std::move(second)); });
  });
  EXPECT_EQ(promise.get_future().get().output, "second\n");
}

}  // namespace
}  // namespace chronos::executor
