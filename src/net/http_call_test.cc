#include "net/http_call.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace chronos::net {
namespace {

TEST(HttpSyntax, Tokens) {
  for (const std::string_view text : {"a", "X-Y", "!#$%&'*+-.^_`|~09azAZ"}) {
    EXPECT_TRUE(is_token(text)) << text;
  }
  for (const std::string_view text :
       {std::string_view(""), std::string_view("a b"), std::string_view("a:b"),
        std::string_view("a\r"), std::string_view("a\n"), std::string_view("a\0", 2),
        std::string_view("ä"), std::string_view("a(b)"), std::string_view("a\x7f"),
        std::string_view("\"a\"")}) {
    EXPECT_FALSE(is_token(text)) << text;
  }
}

TEST(HttpSyntax, FieldValues) {
  for (const std::string_view text :
       {"", "a", "a b\tc", "text/plain; a=\"b\"", "\xfc\xff", "@:;,"}) {
    EXPECT_TRUE(is_field_value(text)) << text;
  }
  for (const std::string_view text :
       {std::string_view(" a"), std::string_view("a "), std::string_view("\ta"),
        std::string_view("a\r\nB: c"), std::string_view("a\nb"), std::string_view("a\rb"),
        std::string_view("a\r\n b"), std::string_view("a\0b", 3), std::string_view("\x1b[0m"),
        std::string_view("a\x7f")}) {
    EXPECT_FALSE(is_field_value(text)) << text;
  }
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  const Timestamp now = parse_timestamp("1994-11-06T08:48:37Z").value();
  struct Row {
    const char* value;
    std::optional<Duration> expected;
  };
  using std::chrono::seconds;
  const Row rows[] = {
      {"0", seconds(0)},
      {"120", seconds(120)},
      {"99999999999999999999", std::chrono::hours(24 * 365)},
      {"4294967296", std::chrono::hours(24 * 365)},
      {"Sun, 06 Nov 1994 08:49:37 GMT", seconds(60)},
      {"Sunday, 06-Nov-94 08:49:37 GMT", seconds(60)},
      {"Sun Nov  6 08:49:37 1994", seconds(60)},
      {"Sun, 06 Nov 1994 08:00:00 GMT", seconds(0)},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"1.5", std::nullopt},
      {"soon", std::nullopt},
      {"1994", seconds(1994)},
  };
  for (const Row& row : rows)
    EXPECT_EQ(parse_retry_after(row.value, now), row.expected) << row.value;
}

TEST(HttpFailure, NamesAreStable) {
  EXPECT_EQ(to_string(HttpFailure::egress_refused), "egress_refused");
  EXPECT_EQ(to_string(HttpFailure::connect), "connect");
  EXPECT_EQ(to_string(HttpFailure::stopped), "stopped");
}

}  // namespace
}  // namespace chronos::net
