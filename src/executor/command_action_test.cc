#include "executor/command_action.h"

#include <gtest/gtest.h>

#include <string>

namespace chronos::executor {
namespace {

Result<CommandAction> parse(std::string_view text) {
  const auto document = json::parse(text);
  EXPECT_TRUE(document) << text;
  return parse_command_action(document->root());
}

TEST(CommandAction, ReadsEveryField) {
  const auto action =
      parse(R"({"kind":"command","argv":["/bin/cat","-","é\n"],"env":{"A":"1","b.c":""},
                                "cwd":"/tmp","stdin":"x\u0000y","shell":false})");
  ASSERT_TRUE(action);
  EXPECT_EQ(action->argv, (std::vector<std::string>{"/bin/cat", "-", "é\n"}));
  EXPECT_EQ(action->env, (std::map<std::string, std::string>{{"A", "1"}, {"b.c", ""}}));
  EXPECT_EQ(action->cwd, "/tmp");
  EXPECT_EQ(action->stdin_text, std::string("x\0y", 3));
  EXPECT_FALSE(action->shell);
}

TEST(CommandAction, ArgvAloneIsEnough) {
  const auto action = parse(R"({"kind":"command","argv":["true"]})");
  ASSERT_TRUE(action);
  EXPECT_FALSE(action->cwd);
  EXPECT_FALSE(action->stdin_text);
  EXPECT_TRUE(action->env.empty());
}

struct Refusal {
  const char* text;
  const char* pointer;
  const char* code;
};

TEST(CommandAction, SaysWhereAndWhatIsWrong) {
  const Refusal refusals[] = {
      {R"([])", "/action", "wrong_type"},
      {R"({"kind":"command"})", "/action/argv", "required"},
      {R"({"argv":null})", "/action/argv", "required"},
      {R"({"argv":[]})", "/action/argv", "too_short"},
      {R"({"argv":"ls -l"})", "/action/argv", "wrong_type"},
      {R"({"argv":[""]})", "/action/argv/0", "too_short"},
      {R"({"argv":["ls",7]})", "/action/argv/1", "wrong_type"},
      {R"({"argv":["ls","a\u0000b"]})", "/action/argv/1", "bad_character"},
      {R"({"argv":["ls","-l"],"shell":true})", "/action/argv", "too_many"},
      {R"({"argv":["ls"],"shell":"yes"})", "/action/shell", "wrong_type"},
      {R"({"argv":["ls"],"env":["A=1"]})", "/action/env", "wrong_type"},
      {R"({"argv":["ls"],"env":{"A":1}})", "/action/env/A", "wrong_type"},
      {R"({"argv":["ls"],"env":{"":"1"}})", "/action/env/", "bad_name"},
      {R"({"argv":["ls"],"env":{"A=B":"1"}})", "/action/env/A=B", "bad_name"},
      {R"({"argv":["ls"],"env":{"A B":"1"}})", "/action/env/A B", "bad_name"},
      {R"({"argv":["ls"],"env":{"a/b~":"\u0000"}})", "/action/env/a~1b~0", "bad_character"},
      {R"({"argv":["ls"],"env":{"CHRONOS_TOKEN":"1"}})", "/action/env/CHRONOS_TOKEN",
       "reserved_name"},
      {R"({"argv":["ls"],"cwd":"work"})", "/action/cwd", "not_absolute"},
      {R"({"argv":["ls"],"cwd":""})", "/action/cwd", "too_short"},
      {R"({"argv":["ls"],"cwd":"/a\u0000b"})", "/action/cwd", "bad_character"},
      {R"({"argv":["ls"],"stdin":{}})", "/action/stdin", "wrong_type"},
      {R"({"argv":["ls"],"url":"x"})", "/action/url", "unknown_field"},
  };
  for (const auto& [text, pointer, code] : refusals) {
    const auto action = parse(text);
    ASSERT_FALSE(action) << text;
    EXPECT_EQ(action.error().reason, Reason::invalid_fields);
    ASSERT_EQ(action.error().fields.size(), 1U) << text;
    EXPECT_EQ(action.error().fields[0].pointer, pointer) << text;
    EXPECT_EQ(action.error().fields[0].code, code) << text;
  }
}

TEST(CommandAction, AnArgumentTheKernelWouldRefuseIsRefused) {
  const auto with_argument_of = [](std::size_t size) {
    return parse(R"({"argv":["echo",")" + std::string(size, 'a') + R"("]})");
  };
  EXPECT_TRUE(with_argument_of(131'071));
  const auto refused = with_argument_of(131'072);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fields[0].code, "too_long");
  EXPECT_FALSE(parse(R"({"argv":["echo"],"env":{"A":")" + std::string(131'070, 'a') + R"("}})"));
}

TEST(CommandAction, NamesTheNearestFieldOfAMisspeltOne) {
  const auto action = parse(R"({"arg":["ls"],"argvs":["ls"]})");
  ASSERT_FALSE(action);
  ASSERT_EQ(action.error().fields.size(), 2U);
  for (const auto& field : action.error().fields) EXPECT_EQ(field.hint, "did you mean 'argv'?");
}

TEST(CommandAction, TellsEverythingWrongAtOnce) {
  const auto action = parse(R"({"argv":[1,2],"cwd":"x","env":{"":""}})");
  ASSERT_FALSE(action);
  EXPECT_EQ(action.error().fields.size(), 4U);
}

}  // namespace
}  // namespace chronos::executor
