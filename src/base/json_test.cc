#include "base/json.h"

#include <gtest/gtest.h>

namespace chronos::json {
namespace {

Reason reason_of(std::string_view text) {
  const auto document = parse(text);
  return document ? Reason::internal : document.error().reason;
}

TEST(Json, KeepsTheExactTextOfEveryValue) {
  const auto document =
      parse(R"( {"a" : [1, 2.50 ] , "b":{"c": 1e999 } ,"d":12345678901234567890123} )");
  ASSERT_TRUE(document) << document.error().message;
  const auto& root = document->root();
  EXPECT_EQ(root.find("a")->raw, "[1, 2.50 ]");
  EXPECT_EQ(root.find("b")->raw, R"({"c": 1e999 })");
  EXPECT_EQ(root.find("d")->raw, "12345678901234567890123");
  EXPECT_EQ(root.find("d")->type, Type::number);
  EXPECT_EQ(root.find("a")->elements[0].integer, 1);
  EXPECT_TRUE(root.raw.starts_with("{\"a\"") && root.raw.ends_with("}"));
}

TEST(Json, ReadsScalarsAtTheRoot) {
  EXPECT_EQ(parse("\"x\\u00e9\"")->root().string, "x\u00e9");
  EXPECT_EQ(parse(" 7 ")->root().integer, 7);
  EXPECT_TRUE(parse("true")->root().boolean);
  EXPECT_EQ(parse("null")->root().type, Type::null);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const auto* text :
       {"",        " ",    "{",    "}",         "[1,]",    "[1 2]",    "1,2",   "1][2", "01",
        "1.",      "tru",  "nul",  "truefalse", "{\"a\"}", "{\"a\":}", "{a:1}", "'x'",  "\"\x01\"",
        "\"\\x\"", "[1]]", "{}{}", "-",         "+1",      ".5",       "1e",    "NaN"}) {
    EXPECT_EQ(reason_of(text), Reason::bad_json) << text;
  }
}

TEST(Json, RefusesDuplicateNamesBadUtf8AndDepth) {
  EXPECT_EQ(reason_of(R"({"a":1,"a":2})"), Reason::bad_json);
  EXPECT_EQ(reason_of("\"\xff\""), Reason::bad_encoding);
  EXPECT_EQ(reason_of(std::string(10'000, '[')), Reason::too_deep);
  EXPECT_EQ(reason_of(std::string(10'000, '[') + std::string(10'000, ']')), Reason::too_deep);
  EXPECT_EQ(reason_of(std::string(65, '[') + std::string(65, ']')), Reason::too_deep);
  EXPECT_TRUE(parse(std::string(64, '[') + std::string(64, ']')));
}

TEST(Json, FindsADuplicateNameAmongManyToo) {
  for (const int count : {2, 32, 33, 1000}) {
    std::string members;
    for (int i = 0; i < count; ++i) members += "\"n" + std::to_string(i) + "\":0,";
    EXPECT_TRUE(parse("{" + members + "\"last\":0}")) << count;
    EXPECT_EQ(reason_of("{" + members + "\"n" + std::to_string(count - 1) + "\":0}"),
              Reason::bad_json)
        << count;
    EXPECT_EQ(reason_of("{" + members + "\"n0\":0}"), Reason::bad_json) << count;
  }
}

TEST(Json, WritesWhatItReads) {
  std::string out;
  Writer writer(out);
  writer.begin_object()
      .member("a", "x\"\n\x01")
      .key("b")
      .begin_array()
      .integer(1)
      .null()
      .end_array();
  writer.member("c", true).key("d").begin_object().end_object().end_object();
  EXPECT_EQ(out, R"({"a":"x\"\n\u0001","b":[1,null],"c":true,"d":{}})");
  EXPECT_TRUE(parse(out));
}

// Eight bytes are looked at together: where among them a byte stands makes no difference.
TEST(Json, AByteIsWrittenTheSameWhereverItStands) {
  for (int c = 0; c < 0x80; ++c) {
    std::string alone;
    append_string(alone, std::string(1, static_cast<char>(c)));
    const auto escaped = alone.substr(1, alone.size() - 2);
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'a');
      text[at] = static_cast<char>(c);
      const auto expected =
          "\"" + std::string(at, 'a') + escaped + std::string(19 - at, 'a') + "\"";
      std::string out;
      append_string(out, text);
      EXPECT_EQ(out, expected) << c << " at " << at;
      std::string written;
      Writer(written).begin_object().key(text).string(text).end_object();
      EXPECT_EQ(written, "{" + expected + ":" + expected + "}") << c << " at " << at;
    }
  }
}

TEST(Json, OutputIsAlwaysUtf8) {
  std::string out;
  append_string(out, "ok \xff\xfe \u00e9 \xc3");
  EXPECT_EQ(out, "\"ok \uFFFD\uFFFD \u00e9 \uFFFD\"");
  EXPECT_TRUE(parse(out));
}

TEST(Json, PointersEscape) {
  EXPECT_EQ(pointer_to("/x", "a/b~c"), "/x/a~1b~0c");
}

}  // namespace
}  // namespace chronos::json
