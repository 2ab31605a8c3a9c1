#include "cli/output.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace chronos::cli {
namespace {

class OutputTest : public testing::Test {
 protected:
  Terminal piped() { return {.out = out_, .err = err_, .in = in_}; }
  Terminal tty(std::size_t columns = 0) {
    return {.out = out_, .err = err_, .in = in_, .is_out_tty = true, .columns = columns};
  }

  std::ostringstream out_;
  std::ostringstream err_;
  std::istringstream in_;
};

TEST(ExitCode, FollowsTheFamilyOfTheError) {
  EXPECT_EQ(exit_code_of(family(Reason::invalid_fields)), 2);
  EXPECT_EQ(exit_code_of(family(Reason::not_found)), 3);
  EXPECT_EQ(exit_code_of(family(Reason::missing_key)), 4);
  EXPECT_EQ(exit_code_of(family(Reason::role_too_low)), 4);
  EXPECT_EQ(exit_code_of(family(Reason::key_taken)), 5);
  EXPECT_EQ(exit_code_of(family(Reason::version_mismatch)), 5);
  EXPECT_EQ(exit_code_of(family(Reason::overloaded)), 6);
  EXPECT_EQ(exit_code_of(family(Reason::too_many_requests)), 6);
  EXPECT_EQ(exit_code_of(family(Reason::timeout)), 124);
  EXPECT_EQ(exit_code_of(family(Reason::internal)), 1);
}

TEST(ExitCode, StandsInTheDocument) {
  std::ifstream file(CHRONOS_SOURCE_DIR "/docs/cli.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const int code :
       {kOk, kFailed, kUsage, kNotFound, kDenied, kConflict, kUnavailable, kTimeout}) {
    EXPECT_NE(text.find("\n| " + std::to_string(code) + " | "), std::string::npos) << code;
  }
}

TEST(Colors, AreOffUnlessSomebodySeesThem) {
  EXPECT_TRUE(wants_color(true, {{"TERM", "xterm"}}, false));
  EXPECT_TRUE(wants_color(true, {}, false));
  EXPECT_FALSE(wants_color(false, {{"TERM", "xterm"}}, false));
  EXPECT_FALSE(wants_color(true, {{"TERM", "dumb"}}, false));
  EXPECT_FALSE(wants_color(true, {{"NO_COLOR", "1"}}, false));
  EXPECT_TRUE(wants_color(true, {{"NO_COLOR", ""}}, false));  // no-color.org: not when empty
  EXPECT_FALSE(wants_color(true, {}, true));
  EXPECT_TRUE(wants_color(false, {{"CLICOLOR_FORCE", "1"}}, false));
  EXPECT_FALSE(wants_color(false, {{"CLICOLOR_FORCE", "0"}}, false));
  EXPECT_FALSE(wants_color(true, {{"CLICOLOR_FORCE", "1"}, {"NO_COLOR", "1"}}, false));
}

Table sample() {
  Table table({"ID", "NAME", "STATE"});
  table.add({std::string("job_1"), std::string("short"), Cell("failed", Color::red)});
  table.add({std::string("job_22"), std::string("a\tlonger name"), Cell("succeeded")});
  return table;
}

TEST_F(OutputTest, TablesAreTabSeparatedWhenPiped) {
  auto terminal = piped();
  sample().print(terminal);
  EXPECT_EQ(out_.str(), "job_1\tshort\tfailed\njob_22\ta\\tlonger name\tsucceeded\n");
}

TEST_F(OutputTest, TablesAreAlignedOnATerminal) {
  auto terminal = tty();
  sample().print(terminal);
  EXPECT_EQ(out_.str(),
            "ID      NAME            STATE\n"
            "job_1   short           failed\n"
            "job_22  a\\tlonger name  succeeded\n");
}

TEST_F(OutputTest, TablesFitTheTerminalAndKeepIdsWhole) {
  auto terminal = tty(28);
  sample().print(terminal);
  EXPECT_EQ(out_.str(),
            "ID      NAME       STATE\n"
            "job_1   short      failed\n"
            "job_22  a\\tlonge…  succeeded\n");
}

TEST_F(OutputTest, ColorsDoNotMoveColumns) {
  auto terminal = tty();
  terminal.has_out_color = true;
  Table table({"STATE", "X"});
  table.add({Cell("failed", Color::red), std::string("1")});
  table.print(terminal);
  EXPECT_EQ(out_.str(),
            "\x1b[2mSTATE \x1b[0m  \x1b[2mX\x1b[0m\n"
            "\x1b[31mfailed\x1b[0m  1\n");
}

TEST_F(OutputTest, RecordsLeaveOutWhatIsEmptyAndAreMadeSafe) {
  Record record;
  record.add("id", std::string("job_1"));
  record.add("note", std::string());
  record.add("last run", std::string("\x1b[2Jboo"));
  auto terminal = tty();
  record.print(terminal);
  EXPECT_EQ(out_.str(), "id        job_1\nlast run  \\x1b[2Jboo\n");
  out_.str("");
  auto pipe = piped();
  record.print(pipe);
  EXPECT_EQ(out_.str(), "id\tjob_1\nlast run\t\\x1b[2Jboo\n");
}

TEST_F(OutputTest, JsonIsUntouchedWhenPipedAndIndentedOnATerminal) {
  const std::string text = R"({"a":[1,{"b":1e999}],"c":{},"d":[],"e":"x"})";
  auto pipe = piped();
  print_json(pipe, text);
  EXPECT_EQ(out_.str(), text + "\n");
  out_.str("");
  auto terminal = tty();
  print_json(terminal, text);
  EXPECT_EQ(out_.str(),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": 1e999\n    }\n  ],\n  \"c\": {},\n"
            "  \"d\": [],\n  \"e\": \"x\"\n}\n");
}

TEST(RelativeTime, HasOneUnit) {
  const Timestamp now(std::chrono::hours(1000));
  const auto at = [&](auto distance) { return relative_time(now + distance, now); };
  EXPECT_EQ(at(std::chrono::milliseconds(400)), "now");
  EXPECT_EQ(at(std::chrono::seconds(59)), "in 59s");
  EXPECT_EQ(at(std::chrono::seconds(-61)), "1m ago");
  EXPECT_EQ(at(std::chrono::minutes(125)), "in 2h");
  EXPECT_EQ(at(std::chrono::hours(-49)), "2d ago");
}

TEST(FindPointer, WalksObjectsAndArrays) {
  const auto document = json::parse(R"({"cron":["a","b"],"x/y":{"~":1}})");
  ASSERT_TRUE(document);
  const auto& root = document->root();
  EXPECT_EQ(find_pointer(root, "/cron/1")->string, "b");
  EXPECT_EQ(find_pointer(root, "/x~1y/~0")->integer, 1);
  EXPECT_EQ(find_pointer(root, ""), &root);
  for (const char* missing : {"/cron/2", "/cron/x", "/nothing", "cron", "/cron/0/x"}) {
    EXPECT_EQ(find_pointer(root, missing), nullptr) << missing;
  }
}

TEST_F(OutputTest, ErrorsSayFieldCaretAndHint) {
  const auto sent = json::parse(R"({"cron":"0 24 * * *"})");
  Error error{Reason::invalid_fields, "cron: hour: 24 is outside 0-23", "0 0 * * *", {}};
  error.fields.push_back({"/cron", "out_of_range", "hour: 24 is outside 0-23", "0 0 * * *", 3, 2});
  auto terminal = piped();
  print_error(terminal, error, &sent->root());
  EXPECT_EQ(err_.str(),
            "error: cron: hour: 24 is outside 0-23\n"
            "    0 24 * * *\n"
            "      ^^\n"
            "hint: 0 0 * * *\n");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(OutputTest, EveryFieldOfSeveralIsListed) {
  Error error{Reason::invalid_fields, "name: is required (and 1 more)", "", {}};
  error.fields.push_back({"/name", "required", "is required", "", 0, 0});
  error.fields.push_back({"/retry/delay", "bad_duration", "'x' is not a duration", "1h30m", 0, 0});
  auto terminal = piped();
  print_error(terminal, error);
  EXPECT_EQ(err_.str(),
            "error: name: is required (and 1 more)\n"
            "  name: is required\n"
            "  retry/delay: 'x' is not a duration\n"
            "    hint: 1h30m\n");
}

TEST_F(OutputTest, TheCaretStandsUnderEscapedText) {
  const auto sent = json::parse("{\"cron\":\"0\\t24\xc3\x9c *\"}");
  ASSERT_TRUE(sent);
  Error error{Reason::invalid_fields, "wrong", "", {}};
  error.fields.push_back({"/cron", "bad", "wrong", "", 5, 1});  // the Ü, after a tab shown as \t
  auto terminal = piped();
  print_error(terminal, error, &sent->root());
  EXPECT_EQ(err_.str(), "error: wrong\n    0\\t24Ü *\n         ^\n");
}

TEST_F(OutputTest, AServersErrorCannotWriteToTheTerminal) {
  auto terminal = piped();
  print_error(terminal, {Reason::internal, "\x1b[2J", "\x1b]0;x\x07", {}});
  EXPECT_EQ(err_.str(), "error: \\x1b[2J\nhint: \\x1b]0;x\\x07\n");
}

}  // namespace
}  // namespace chronos::cli
