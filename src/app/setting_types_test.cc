#include "app/setting_types.h"

#include <gtest/gtest.h>

namespace chronos::app {
namespace {

using Form = Given::Form;

Given text(std::string value) {
  return {Form::text, std::move(value), {}};
}

TEST(Size, ReadsBinaryAndDecimalUnits) {
  EXPECT_EQ(parse_size("256KiB"), 262'144u);
  EXPECT_EQ(parse_size("64 MiB"), 67'108'864u);
  EXPECT_EQ(parse_size("10MB"), 10'000'000u);
  EXPECT_EQ(parse_size("3kB"), 3'000u);
  EXPECT_EQ(parse_size("4096"), 4'096u);
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("1TiB"), 1'099'511'627'776u);
}

TEST(Size, RefusesWhatIsNoSize) {
  for (const char* wrong : {"", "KiB", "-1", "1.5MB", "1 XB", "1kib", "99999999999999999999",
                            "18446744073709551615TiB", "1KiB2"}) {
    const auto parsed = parse_size(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().hint, "256KiB or 10MB") << wrong;
  }
}

TEST(Size, ShowsTheLargestWholeUnit) {
  EXPECT_EQ(format_size(262'144), "256KiB");
  EXPECT_EQ(format_size(1'048'576), "1MiB");
  EXPECT_EQ(format_size(1'048'577), "1048577B");
  EXPECT_EQ(format_size(0), "0B");
  for (const std::uint64_t bytes : {0ULL, 1ULL, 1000ULL, 1024ULL, 1ULL << 40}) {
    EXPECT_EQ(parse_size(format_size(bytes)), bytes);
  }
}

TEST(Size, KeepsItsBoundsAndTypes) {
  constexpr Size kSize{1024, 2048};
  std::size_t value = 7;
  EXPECT_TRUE(kSize.read({Form::integer, "1024", {}}, value));
  EXPECT_EQ(value, 1024u);
  const auto small = kSize.read(text("1023"), value);
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().message, "1023B is outside 1KiB-2KiB");
  EXPECT_EQ(value, 1024u);
  EXPECT_FALSE(kSize.read({Form::boolean, "true", {}}, value));
  EXPECT_FALSE(kSize.read({Form::number, "1024.5", {}}, value));
}

TEST(Count, WantsAWholeNumberWithinItsBounds) {
  constexpr Count kCount{1, 64};
  int value = 0;
  EXPECT_TRUE(kCount.read({Form::integer, "64", {}}, value));
  EXPECT_EQ(value, 64);
  EXPECT_TRUE(kCount.read(text(" 8 "), value));
  EXPECT_EQ(value, 8);
  const auto above = kCount.read(text("65"), value);
  ASSERT_FALSE(above);
  EXPECT_EQ(above.error().message, "65 is outside 1-64");
  const auto quoted = kCount.read({Form::string, "8", {}}, value);
  ASSERT_FALSE(quoted);
  EXPECT_EQ(quoted.error().message, "expected a whole number, found a string");
  for (const char* wrong : {"", "x", "8x", "1e3"}) EXPECT_FALSE(kCount.read(text(wrong), value));
}

TEST(Time, TakesUnitsIsoAndSeconds) {
  constexpr Time kTime{1, 3600};
  Duration value{};
  EXPECT_TRUE(kTime.read({Form::string, "1m30s", {}}, value));
  EXPECT_EQ(value, std::chrono::seconds(90));
  EXPECT_TRUE(kTime.read({Form::integer, "5", {}}, value));
  EXPECT_EQ(value, std::chrono::seconds(5));
  EXPECT_TRUE(kTime.read({Form::number, "1.5", {}}, value));
  EXPECT_EQ(value, std::chrono::milliseconds(1500));
  EXPECT_TRUE(kTime.read(text("PT1M"), value));
  EXPECT_EQ(value, std::chrono::seconds(60));
  EXPECT_EQ(kTime.show(value), "\"1m\"");
  const auto above = kTime.read(text("2h"), value);
  ASSERT_FALSE(above);
  EXPECT_EQ(above.error().message, "2h is outside 1s-1h");
  EXPECT_FALSE(kTime.read(text("soon"), value));
  EXPECT_FALSE(kTime.read({Form::list, {}, {"1s"}}, value));
}

TEST(Flag, KnowsYesAndNo) {
  bool value = false;
  EXPECT_TRUE(Flag{}.read(text("yes"), value));
  EXPECT_TRUE(value);
  EXPECT_TRUE(Flag{}.read({Form::boolean, "false", {}}, value));
  EXPECT_FALSE(value);
  EXPECT_FALSE(Flag{}.read(text("maybe"), value));
  EXPECT_FALSE(Flag{}.read({Form::string, "true", {}}, value));  // TOML has booleans of its own
}

TEST(Addresses, AreNumericWithPort) {
  std::vector<std::string> value;
  EXPECT_TRUE(Addresses{}.read(text("127.0.0.1:8086, [::1]:0"), value));
  EXPECT_EQ(value, (std::vector<std::string>{"127.0.0.1:8086", "[::1]:0"}));
  EXPECT_TRUE(Addresses{}.read({Form::string, "0.0.0.0:80", {}}, value));
  EXPECT_EQ(value, std::vector<std::string>{"0.0.0.0:80"});
  EXPECT_TRUE(Addresses{}.read({Form::list, {}, {"[::]:1"}}, value));
  for (const char* wrong : {"", "8086", "127.0.0.1", "localhost:80", "::1:80", "[127.0.0.1]:80",
                            "1.2.3.4:65536", "1.2.3.4:", "[]:80"}) {
    EXPECT_FALSE(Addresses{}.read(text(wrong), value)) << wrong;
  }
  EXPECT_EQ(value, std::vector<std::string>{"[::]:1"});
}

TEST(Emails, RefuseWhatCouldInjectAHeader) {
  std::vector<std::string> value;
  EXPECT_TRUE(Emails{}.read(text("ops@example.com,me@localhost"), value));
  EXPECT_EQ(value.size(), 2u);
  for (const char* wrong : {"ops", "@x", "x@", "a@b\r\nBcc: c@d", "a b@c", "A <a@b>"}) {
    EXPECT_FALSE(Emails{}.read({Form::string, wrong, {}}, value)) << wrong;
  }
}

TEST(Mailbox, MayHaveAName) {
  std::string value;
  EXPECT_TRUE(Mailbox{}.read(text("Chronos <c@example.com>"), value));
  EXPECT_EQ(value, "Chronos <c@example.com>");
  EXPECT_TRUE(Mailbox{}.read(text("c@example.com"), value));
  EXPECT_TRUE(Mailbox{}.read(text(""), value));
  for (const char* wrong : {"Chronos", "Chronos <c@example.com", "Chronos <x>", "a@b\n"}) {
    EXPECT_FALSE(Mailbox{}.read(text(wrong), value)) << wrong;
  }
}

TEST(StoreUrl, MasksThePasswordOnly) {
  EXPECT_EQ(StoreUrl{}.show("postgres://me:se/cret@db:5432/chronos"),
            "\"postgres://me:se/cret@db:5432/chronos\"");  // not a URL: its host is "me:se"
  EXPECT_EQ(StoreUrl{}.show("postgres://me:secret@db/chronos"),
            "\"postgres://me:********@db/chronos\"");
  EXPECT_EQ(StoreUrl{}.show("postgres://me:a@b@db"), "\"postgres://me:********@db\"");
  EXPECT_EQ(StoreUrl{}.show("postgres://db:5432/x@y"), "\"postgres://db:5432/x@y\"");
  EXPECT_EQ(StoreUrl{}.show("sqlite:a.db"), "\"sqlite:a.db\"");
}

TEST(StoreUrl, NamesAStoreThatIsThere) {
  std::string value;
  for (const char* url : {"memory:", "sqlite:a.db", "postgres://me@a,b/chronos?connect_timeout=3",
                          "postgresql:///chronos"}) {
    EXPECT_TRUE(StoreUrl{}.read(text(url), value)) << url;
    EXPECT_EQ(value, url);
  }
  EXPECT_FALSE(StoreUrl{}.read(text("mysql://db/chronos"), value));
}

TEST(WebUrl, IsAbsolute) {
  std::string value;
  EXPECT_TRUE(WebUrl{}.read(text("https://hooks.example.com/x"), value));
  EXPECT_EQ(value, "https://hooks.example.com/x");
  EXPECT_FALSE(WebUrl{}.read(text("hooks.example.com"), value));
  EXPECT_FALSE(WebUrl{}.read(text("ftp://example.com"), value));
  EXPECT_TRUE(WebUrl{}.read(text(""), value));
  EXPECT_EQ(value, "");
}

TEST(ServerUrl, HasAPathThatCanBeAPrefix) {
  std::string value;
  for (const char* url : {"", "https://chronos.example.com", "https://chronos.example.com/",
                          "http://[::1]:7600/ops/chronos/", "https://example.com/apis"}) {
    EXPECT_TRUE(ServerUrl{}.read(text(url), value)) << url;
    EXPECT_EQ(value, url);
  }
  for (const char* url :
       {"https://example.com/api", "https://example.com/api/chronos", "https://example.com/a b",
        "https://example.com/%61", "ftp://example.com", "https://example.com/a//b",
        "https://example.com/a?b", "https://example.com?b", "https://example.com/a#b"}) {
    EXPECT_FALSE(ServerUrl{}.read(text(url), value)) << url;
  }
}

TEST(Choice, NamesWhatIsAllowedAndTheNearest) {
  std::string value;
  const auto wrong = ChannelKind{}.read(text("webhok"), value);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "'webhok' is not one of webhook, slack");
  EXPECT_EQ(wrong.error().hint, "did you mean webhook?");
}

TEST(TomlString, EscapesQuotesAndControlCharacters) {
  EXPECT_EQ(toml_string("a\"b\\c\n"), R"("a\"b\\c\n")");
}

}  // namespace
}  // namespace chronos::app
