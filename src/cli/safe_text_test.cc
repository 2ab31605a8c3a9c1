#include "cli/safe_text.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace chronos::cli {
namespace {

using namespace std::string_literals;

TEST(SafeLine, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(safe_line("nightly report"), "nightly report");
  EXPECT_EQ(safe_line("Übung 報告 \xf0\x9f\x8e\x89 \\n"), "Übung 報告 \xf0\x9f\x8e\x89 \\n");
  EXPECT_EQ(safe_line(""), "");
}

TEST(SafeLine, ShowsControlCharacters) {
  EXPECT_EQ(safe_line("a\x1b]0;title\x07z"), "a\\x1b]0;title\\x07z");
  EXPECT_EQ(safe_line("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(safe_line("\0\x7f"s), "\\x00\\x7f");
  EXPECT_EQ(safe_line("\xc2\x9b"), "\\u009b");  // CSI in one character
}

TEST(SafeLine, ShowsWhatReordersOrHides) {
  EXPECT_EQ(safe_line("\xe2\x80\xae"), "\\u202e");  // right-to-left override
  EXPECT_EQ(safe_line("\xe2\x81\xa6"), "\\u2066");
  EXPECT_EQ(safe_line("\xe2\x80\xa8"), "\\u2028");
  EXPECT_EQ(safe_line("\xef\xbb\xbf"), "\\ufeff");
}

TEST(SafeLine, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(safe_line("\xff"), "\\xff");
  EXPECT_EQ(safe_line("\xc0\x80"), "\\xc0\\x80");                    // overlong
  EXPECT_EQ(safe_line("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(safe_line("\xe2\x82"), "\\xe2\\x82");                    // cut off
  EXPECT_EQ(safe_line("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(safe_line("\xc3(x"), "\\xc3(x");
}

// Whatever comes in, no control byte comes out.
TEST(SafeLine, LetsNoControlByteThrough) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second), 'm'};
      for (const char c : safe_line(text)) {
        const auto byte = static_cast<unsigned char>(c);
        ASSERT_FALSE(byte < 0x20 || byte == 0x7f) << first << ' ' << second;
      }
      ASSERT_TRUE(safe_line(text).find("\xc2\x9b") == std::string::npos);
    }
  }
}

TEST(SafeBlock, KeepsLinesAndTabs) {
  EXPECT_EQ(safe_block("a\n\tb\n", false), "a\n\tb\n");
  EXPECT_EQ(safe_block("a\r\nb\rc\r", false), "a\nb\nc\n");
}

TEST(SafeBlock, KeepsColorsOnlyWhenAsked) {
  EXPECT_EQ(safe_block("\x1b[1;31mred\x1b[0m\n", true), "\x1b[1;31mred\x1b[0m\n\x1b[0m");
  EXPECT_EQ(safe_block("\x1b[1;31mred\x1b[0m\n", false), "red\n");
}

TEST(SafeBlock, ShowsEveryOtherEscapeSequence) {
  EXPECT_EQ(safe_block("\x1b[2J", true), "\\x1b[2J");
  EXPECT_EQ(safe_block("\x1b[31", true), "\\x1b[31");
  EXPECT_EQ(safe_block("\x1b]8;;http://x\x1b\\", true), "\\x1b]8;;http://x\\x1b\\");
  EXPECT_EQ(safe_block("\x1b[" + std::string(40, '1') + "m", true),
            "\\x1b[" + std::string(40, '1') + "m");
}

TEST(SafeJson, StaysTheSameValue) {
  const std::string text = "{\"a\": \"x\x7f\xc2\x9b\xe2\x80\xae y\"}\n";
  const auto safe = safe_json(text);
  EXPECT_EQ(safe, "{\"a\": \"x\\u007f\\u009b\\u202e y\"}\n");
  const auto before = json::parse(text);
  const auto after = json::parse(safe);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->root().find("a")->string, after->root().find("a")->string);
}

TEST(Width, CountsCodePoints) {
  EXPECT_EQ(width_of("Übung"), 5u);
  EXPECT_EQ(cut_to_width("Übung", 5), "Übung");
  EXPECT_EQ(cut_to_width("Übung", 4), "Übu…");
  EXPECT_EQ(cut_to_width("Übung", 1), "…");
  EXPECT_EQ(cut_to_width("Übung", 0), "");
}

}  // namespace
}  // namespace chronos::cli
