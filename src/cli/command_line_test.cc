#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <memory>
#include <sstream>

#include "cli/commands.h"
#include "cli/version.h"

namespace chronos::cli {
namespace {

// A command that shows what it was given.
struct Seen {
  std::string text = "unset";
  std::optional<std::string> maybe;
  std::vector<std::string> list;
  std::optional<std::int64_t> number;
  bool toggle = false;
  std::string first;
  std::string second;
  std::vector<std::string> rest;
};

Action declare_probe(Arguments& arguments) {
  auto seen = std::make_unique<Seen>();
  arguments.text({"-t, --text", "TEXT", "a text"}, seen->text);
  arguments.text({"--maybe", "TEXT", "perhaps"}, seen->maybe);
  arguments.heading("More");
  arguments.list({"--list", "TEXT", "several"}, seen->list);
  arguments.number({"--number", "N", "a number"}, seen->number);
  arguments.toggle({"--toggle", "", "on"}, seen->toggle);
  arguments.required({"FIRST", "the first"}, seen->first);
  arguments.optional({"SECOND", "the second"}, seen->second);
  arguments.rest({"ARGV…", "the rest"}, seen->rest);
  return [seen = std::move(seen)](Session& session) {
    auto& out = session.terminal.out;
    out << seen->text << '|' << seen->maybe.value_or("none") << '|';
    for (const auto& value : seen->list) out << value << ',';
    out << '|' << seen->number.value_or(-1) << '|' << seen->toggle << '|' << seen->first << '|'
        << seen->second << '|';
    for (const auto& value : seen->rest) out << value << ',';
    return 0;
  };
}

Action declare_plain(Arguments&) {
  return [](Session& session) {
    session.terminal.out << "plain " << session.flags.server << session.flags.json;
    return 7;
  };
}

constexpr std::array kProbes = {Command{"probe", "show the arguments", &declare_probe},
                                Command{"group plain", "do nothing", &declare_plain},
                                Command{"group other", "nothing either", &declare_plain}};

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& words) {
  auto parsed = parse_command_line(kProbes, words);
  if (!parsed.action) return {parsed.exit_code, parsed.out, parsed.err};
  std::ostringstream out;
  std::ostringstream err;
  std::istringstream in;
  Terminal terminal{.out = out, .err = err, .in = in};
  const app::Environment environment;
  const SystemClock clock;
  Session session{terminal, environment, parsed.flags, clock, {}};
  const int exit_code = parsed.action(session);
  return {exit_code, out.str(), err.str()};
}

// What stands between backticks.
std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream pieces(row);
  std::string piece;
  for (bool is_code = false; std::getline(pieces, piece, '`'); is_code = !is_code) {
    if (is_code) cells.push_back(piece);
  }
  return cells;
}

TEST(CommandLine, HandsValuesOverAsTheyAreWritten) {
  EXPECT_EQ(run({"probe", "x"}).out, "unset|none||-1|0|x||");
  EXPECT_EQ(run({"probe", "-t", "[1,2]", "--maybe", "", "--list", "[a,b]", "--list", "c,d",
                 "--number", "-5", "--toggle", "x", "y"})
                .out,
            "[1,2]||[a,b],c,d,|-5|1|x|y|");
  EXPECT_EQ(run({"probe", "x", "--text={}", "--maybe=-v", "--text=last"}).out, "last|-v||-1|0|x||");
  EXPECT_EQ(run({"probe", "--list", "a", "x"}).out, "unset|none|a,|-1|0|x||");  // not both
}

TEST(CommandLine, HandsOverEverythingAfterTwoDashes) {
  EXPECT_EQ(run({"probe", "x", "--", "echo", "--text", "", "--", "-n"}).out,
            "unset|none||-1|0|x||echo,--text,,--,-n,");
  const auto refused = run({"group", "plain", "--", "x"});
  EXPECT_EQ(refused.exit_code, kUsage);
  EXPECT_TRUE(refused.err.starts_with("error: this command takes nothing after --\n"));
}

TEST(CommandLine, TakesSharedFlagsBeforeAndAfterTheCommand) {
  EXPECT_EQ(run({"--server", "s", "group", "plain", "--json"}).out, "plain s1");
  EXPECT_EQ(run({"group", "plain", "--server=s"}).out, "plain s0");
  EXPECT_EQ(run({"group", "plain"}).exit_code, 7);
}

// docs/configuration.md: "| `VARIABLE` | `--flag` | …", the second table with variables.
TEST(CommandLine, TheDocumentedVariablesAndFlagsAreThere) {
  std::ifstream file(CHRONOS_SOURCE_DIR "/docs/configuration.md");
  const auto help = run({"group", "plain", "--help"}).out;
  int rows = 0;
  bool is_there = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) is_there = line == "## Variables of the command line";
    const auto cells = cells_of(line);
    if (!is_there || !line.starts_with("| `")) continue;
    ++rows;
    EXPECT_TRUE(help.contains(cells.at(0))) << line;
    EXPECT_TRUE(help.contains(cells.at(1) + " ")) << line;
  }
  EXPECT_EQ(rows, 6);
}

TEST(CommandLine, RefusesWithTheNearestName) {
  const auto error = [](const std::vector<std::string>& words) {
    const auto outcome = run(words);
    EXPECT_EQ(outcome.exit_code, kUsage);
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_EQ(error({"prob", "x"}), "error: there is no command 'prob'\nhint: did you mean probe?\n");
  EXPECT_EQ(error({"group", "plan"}),
            "error: there is no command 'plan'\nhint: did you mean plain?\n");
  EXPECT_EQ(error({"probe", "x", "--tect", "y"}),
            "error: there is no flag '--tect'\nhint: did you mean --text?\n");
  EXPECT_EQ(error({"probe", "x", "--servr=y"}),
            "error: there is no flag '--servr'\nhint: did you mean --server?\n");
  EXPECT_EQ(error({"group", "plain", "extra"}),
            "error: 'extra' was not expected\n"
            "hint: `chronos group plain --help` shows what is possible\n");
  EXPECT_EQ(error({"probe", "x", "--number", "1x"}),
            "error: --number: '1x' is not a whole number\n"
            "hint: `chronos probe --help` shows what is possible\n");
  EXPECT_TRUE(error({"probe"}).starts_with("error: FIRST is required\n"));
  EXPECT_TRUE(error({"probe", "x", "--text"}).starts_with("error: "));
  EXPECT_EQ(error({"\x1b[2J"}).find('\x1b'), std::string::npos);
}

TEST(CommandLine, HelpIsAResultWhenAskedForAndAnErrorOtherwise) {
  const auto asked = run({"--help"});
  EXPECT_EQ(asked.exit_code, 0);
  EXPECT_NE(asked.out.find("  group other  nothing either\n"), std::string::npos) << asked.out;
  EXPECT_EQ(run({"help"}).out, asked.out);
  const auto nothing = run({});
  EXPECT_EQ(nothing.exit_code, kUsage);
  EXPECT_EQ(nothing.err, asked.out);
  EXPECT_EQ(nothing.out, "");
  const auto group = run({"group"});
  EXPECT_EQ(group.exit_code, kUsage);
  EXPECT_EQ(group.err.find("probe"), std::string::npos);
  const auto one = run({"help", "probe"});
  EXPECT_EQ(one.out, run({"probe", "--help"}).out);
  EXPECT_TRUE(one.out.starts_with(
      "chronos probe: show the arguments\n\nUsage: chronos probe FIRST [SECOND] [-- ARGV…] "
      "[FLAGS]\n\nFlags:\n  -t, --text TEXT  a text\n"))
      << one.out;
  EXPECT_EQ(run({"--version"}).out, "chronos " CHRONOS_VERSION "\n");
}

TEST(Commands, AllDeclareTheirFlagsWithoutClashes) {
  for (const auto& command : commands()) {
    std::vector<std::string> words;
    std::istringstream names{std::string(command.name)};
    for (std::string word; names >> word;) words.push_back(word);
    words.emplace_back("--help");
    const auto parsed = parse_command_line(commands(), words);
    EXPECT_EQ(parsed.exit_code, 0) << command.name;
    EXPECT_TRUE(parsed.out.starts_with("chronos " + std::string(command.name) + ": "))
        << parsed.out;
  }
}

}  // namespace
}  // namespace chronos::cli
