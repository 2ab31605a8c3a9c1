#include "net/url.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace chronos::net {
namespace {

// libcurl's memory: after so many allocations of this thread one fails.
thread_local int allocations_left = -1;  // negative: none fails

bool fails() {
  return allocations_left >= 0 && allocations_left-- == 0;
}
void* allocate(std::size_t size) {
  return fails() ? nullptr : std::malloc(size);
}
void* reallocate(void* old, std::size_t size) {
  return fails() ? nullptr : std::realloc(old, size);
}
void* allocate_zeros(std::size_t count, std::size_t size) {
  return fails() ? nullptr : std::calloc(count, size);
}
char* duplicate(const char* text) {
  return fails() ? nullptr : ::strdup(text);
}

// Before anything else can have initialised it.
const CURLcode kRigged = curl_global_init_mem(CURL_GLOBAL_DEFAULT, &allocate, &std::free,
                                              &reallocate, &duplicate, &allocate_zeros);

std::string code_of(std::string_view text) {
  const auto url = parse_url(text);
  if (url) return "accepted as " + url->text;
  return url.error().fields.at(0).code;
}

TEST(Url, ReadsItsParts) {
  struct Row {
    const char* text;
    Url expected;
  };
  const Row rows[] = {
      {"http://example.com", {"http://example.com/", "http", "example.com", 80}},
      {"HTTPS://Example.COM/a?b=c#d", {"https://Example.COM/a?b=c", "https", "example.com", 443}},
      {"http://example.com:8080/a/../b",
       {"http://example.com:8080/b", "http", "example.com", 8080}},
      {"http://[::1]:81/", {"http://[::1]:81/", "http", "::1", 81}},
      {"http://example.com/ü", {"http://example.com/%c3%bc", "http", "example.com", 80}},
  };
  for (const Row& row : rows) {
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url.has_value()) << row.text << ": " << url.error().message;
    EXPECT_EQ(url->text, row.expected.text);
    EXPECT_EQ(url->scheme, row.expected.scheme);
    EXPECT_EQ(url->host, row.expected.host);
    EXPECT_EQ(url->port, row.expected.port);
  }
}

// The last few are remembered: each is still read as it would be the first time.
TEST(Url, ReadsTheSameTextTheSameAgain) {
  const std::string longest = "http://example.com/" + std::string(600, 'x');
  for (int i = 0; i < 40; ++i) {
    const auto path = "/" + std::to_string(i % 20);  // more than are remembered, then all anew
    for (int again = 0; again < 3; ++again) {
      const auto url = parse_url("HTTP://Example.com:81" + path + "#f");
      ASSERT_TRUE(url) << url.error().message;
      EXPECT_EQ(*url, (Url{"http://Example.com:81" + path, "http", "example.com", 81}));
      // What differs in as little as a letter is another one.
      EXPECT_EQ(parse_url("http://example.com:81" + path)->text, "http://example.com:81" + path);
      EXPECT_EQ(code_of("http://example.com:0" + path), "bad_url");
      EXPECT_EQ(code_of("http://user@example.com:81" + path), "has_credentials");
      EXPECT_EQ(code_of(""), "bad_scheme");
      EXPECT_EQ(parse_url(longest)->text, longest);
    }
  }
}

// Nor is it remembered as something else.
TEST(Url, IsNotWrongBecauseMemoryRanOut) {
  ASSERT_EQ(kRigged, CURLE_OK);
  bool has_failed = true;
  int failures = 0;
  for (int after = 0; has_failed; ++after) {
    const auto path = "/a?b=c&n=" + std::to_string(after);
    const auto text = "HTTP://Example.com:81" + path + "#f";
    const Url expected{"http://Example.com:81" + path, "http", "example.com", 81};
    allocations_left = after;
    try {
      const auto url = parse_url(text);
      ASSERT_TRUE(url) << after << ": " << url.error().message;
      EXPECT_EQ(*url, expected) << after;
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    has_failed = allocations_left < 0;
    allocations_left = -1;
    EXPECT_EQ(*parse_url(text), expected) << after;
  }
  EXPECT_GT(failures, 5);
}

TEST(Url, FoldsWhatWasPercentEncoded) {
  for (const char* text :
       {"http://%30x7f.1/", "http://%32130706433/", "http://127.%31/", "http://%31%32%37.0.0.1/"}) {
    const auto url = parse_url(text);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->host, "127.0.0.1") << text;
    EXPECT_EQ(url->text, "http://127.0.0.1/") << text;
  }
  EXPECT_EQ(parse_url("http://example.com/%2e%41%20?%5b")->text,
            "http://example.com/%2e%41%20?%5b");
  EXPECT_EQ(resolve_url(*parse_url("http://example.com/"), "//%30/")->host, "0.0.0.0");
}

// curl_url folds the spellings of an IPv4 address that resolvers accept.
TEST(Url, FoldsSpellingsOfAddresses) {
  for (const char* text : {"http://0x7f.1/", "http://2130706433/", "http://127.1/",
                           "http://0177.0.0.1/", "http://0x7f000001/"}) {
    const auto url = parse_url(text);
    ASSERT_TRUE(url.has_value()) << text;
    EXPECT_EQ(url->host, "127.0.0.1") << text;
  }
}

TEST(Url, RefusesWhatMustNotBeRequested) {
  EXPECT_EQ(code_of(""), "bad_scheme");
  EXPECT_EQ(code_of("example.com/a"), "bad_scheme");
  EXPECT_EQ(code_of("//example.com/a"), "bad_scheme");
  EXPECT_EQ(code_of("ftp://example.com/"), "bad_scheme");
  EXPECT_EQ(code_of("file:///etc/passwd"), "bad_scheme");
  EXPECT_EQ(code_of("gopher://127.0.0.1:6379/_x"), "bad_scheme");
  EXPECT_EQ(code_of("http://user@example.com/"), "has_credentials");
  EXPECT_EQ(code_of("http://user:pass@example.com/"), "has_credentials");
  EXPECT_EQ(code_of("http://x@127.0.0.1/"), "has_credentials");
  EXPECT_EQ(code_of("http://example.com/a b"), "bad_character");
  EXPECT_EQ(code_of("http://example.com/\r\nX: y"), "bad_character");
  EXPECT_EQ(code_of("http://example.com/\t"), "bad_character");
  EXPECT_EQ(code_of(std::string_view("http://example.com/\0a", 21)), "bad_character");
  EXPECT_EQ(code_of("http://example.com/\x7f"), "bad_character");
  EXPECT_EQ(code_of("http:///path"), "bad_url");
  EXPECT_EQ(code_of("http:/example.com"), "bad_scheme");
  EXPECT_EQ(code_of("http:example.com"), "bad_scheme");
  EXPECT_EQ(code_of("http://a\\@example.com/"), "has_credentials");
  EXPECT_EQ(code_of("http://①②⑦.0.0.1/"), "bad_url");
  EXPECT_EQ(code_of("http://exämple.com/"), "bad_url");
  EXPECT_EQ(code_of("http://[fe80::1%25eth\xc0]/"), "bad_url");
  EXPECT_EQ(code_of("http://example.com:0/"), "bad_url");
  EXPECT_EQ(code_of("http://example.com:65536/"), "bad_url");
  EXPECT_EQ(code_of("http://[::1/"), "bad_url");
  EXPECT_EQ(code_of("http://example.com/" + std::string(kUrlBytesMax, 'a')), "too_long");
  EXPECT_EQ(code_of("http://example.com/" + std::string(kUrlBytesMax / 2, '\xe4')), "too_long");
}

TEST(Url, ResolvesReferences) {
  const auto base = parse_url("https://example.com/a/b?c");
  ASSERT_TRUE(base.has_value());
  struct Row {
    const char* reference;
    const char* expected;
  };
  for (const Row& row :
       {Row{"d", "https://example.com/a/d"}, Row{"/d", "https://example.com/d"},
        Row{"?e", "https://example.com/a/b?e"}, Row{"//other.example/x", "https://other.example/x"},
        Row{"http://other.example/", "http://other.example/"}}) {
    const auto url = resolve_url(*base, row.reference);
    ASSERT_TRUE(url.has_value()) << row.reference;
    EXPECT_EQ(url->text, row.expected);
  }
  EXPECT_FALSE(resolve_url(*base, "file:///etc/passwd"));
  EXPECT_FALSE(resolve_url(*base, "http://u:p@other.example/"));
  EXPECT_FALSE(resolve_url(*base, "/a\r\nb"));
}

TEST(Url, OriginIsSchemeHostAndPort) {
  const auto url = [](const char* text) { return parse_url(text).value(); };
  EXPECT_TRUE(is_same_origin(url("http://a.example/x"), url("http://A.example:80/y")));
  EXPECT_FALSE(is_same_origin(url("http://a.example/"), url("https://a.example/")));
  EXPECT_FALSE(is_same_origin(url("http://a.example/"), url("http://a.example:81/")));
  EXPECT_FALSE(is_same_origin(url("http://a.example/"), url("http://b.example/")));
}

}  // namespace
}  // namespace chronos::net
