#include "http/session_cookie.h"

#include <gtest/gtest.h>

namespace chronos::http {
namespace {

using namespace std::chrono_literals;

RequestHead head_with(std::vector<Header> headers) {
  RequestHead head;
  for (const auto& header : headers) head.headers.add(header.name, header.value);
  return head;
}

TEST(SessionCookie, IsForTheBrowserAlone) {
  EXPECT_EQ(session_cookie("s", 1h, {}),
            "chronos_session=s; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict");
  EXPECT_EQ(session_cookie("s", 1h, {.path = "/chronos", .is_secure = true}),
            "chronos_session=s; Path=/chronos; Max-Age=3600; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(expired_session_cookie({.path = "/chronos", .is_secure = false}),
            "chronos_session=; Path=/chronos; Max-Age=0; HttpOnly; SameSite=Strict");
}

TEST(SessionCookie, IsFoundByItsWholeName) {
  const auto find = [](std::vector<Header> headers) {
    return std::string(find_session(head_with(std::move(headers))).value_or("none"));
  };
  EXPECT_EQ(find({}), "none");
  EXPECT_EQ(find({{"Cookie", "chronos_session=a"}}), "a");
  EXPECT_EQ(find({{"cookie", "x=1;chronos_session=a=b; y=2"}}), "a=b");
  EXPECT_EQ(find({{"Cookie", "x=1"}, {"Cookie", "chronos_session=a"}}), "a");
  EXPECT_EQ(find({{"Cookie", "chronos_session=a; chronos_session=b"}}), "a");
  EXPECT_EQ(find({{"Cookie", "chronos_session"}}), "none");
  EXPECT_EQ(find({{"Cookie", "my_chronos_session=a; chronos_sessions=b"}}), "none");
  EXPECT_EQ(find({{"Cookie", "Chronos_Session=a"}}), "none");
  EXPECT_EQ(find({{"Cookie", ";;; =; ="}}), "none");
}

TEST(SessionCookie, WhatTheBrowserSaysOfThePageGoesBeforeItsOrigin) {
  const auto origin = [](std::vector<Header> headers) {
    headers.push_back({"Host", "h:1"});
    return origin_of(head_with(std::move(headers)), "https://out.example/chronos");
  };
  EXPECT_EQ(origin({}), Origin::unsaid);
  EXPECT_EQ(origin({{"Sec-Fetch-Site", "same-origin"}, {"Origin", "http://x"}}), Origin::own_page);
  EXPECT_EQ(origin({{"Sec-Fetch-Site", "same-site"}, {"Origin", "http://h:1"}}), Origin::elsewhere);
  EXPECT_EQ(origin({{"Origin", "http://h:1"}}), Origin::own_page);
  EXPECT_EQ(origin({{"Origin", "https://out.example"}}), Origin::own_page);
  EXPECT_EQ(origin({{"Origin", "http://h:12"}}), Origin::elsewhere);
  EXPECT_EQ(origin({{"Origin", "null"}}), Origin::elsewhere);
}

// A request without a host, or a server without a base_url, is no reason to take "" for its own.
TEST(SessionCookie, NothingIsNobodysPage) {
  EXPECT_EQ(origin_of(head_with({{"Origin", "http://"}}), ""), Origin::elsewhere);
  EXPECT_EQ(origin_of(head_with({{"Origin", "null"}}), ""), Origin::elsewhere);
}

}  // namespace
}  // namespace chronos::http
