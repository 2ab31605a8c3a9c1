#include "executor/http_action.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace chronos::executor {
namespace {

Result<HttpAction> parse(std::string_view text) {
  const auto document = json::parse(text);
  EXPECT_TRUE(document.has_value()) << text;
  return parse_http_action(document->root());
}

HttpAction accepted(std::string_view members) {
  const auto text = fmt::format(R"({{"kind":"http","url":"http://a.example/x"{}{}}})",
                                members.empty() ? "" : ",", members);
  auto action = parse(text);
  EXPECT_TRUE(action.has_value()) << text << ": " << (action ? "" : action.error().message);
  return action.value_or(HttpAction{});
}

TEST(HttpAction, HasDefaults) {
  const auto action = accepted("");
  EXPECT_EQ(action.url, "http://a.example/x");
  EXPECT_EQ(action.host, "a.example");
  EXPECT_EQ(action.port, 80);
  EXPECT_EQ(action.method, "POST");
  EXPECT_TRUE(action.headers.empty());
  EXPECT_FALSE(action.body.has_value());
  EXPECT_EQ(action.content_type, "application/json");
  EXPECT_EQ(action.expect.text, "2xx");
  EXPECT_FALSE(action.follow_redirects);
}

TEST(HttpAction, ReadsEveryMember) {
  const auto action = accepted(
      R"("method":"PUT","headers":{"X-A":"1","X-B":""},"body":"hi","expect":{"status":204},)"
      R"("follow_redirects":true)");
  EXPECT_EQ(action.method, "PUT");
  EXPECT_EQ(action.headers, (std::vector<net::HttpHeader>{{"X-A", "1"}, {"X-B", ""}}));
  EXPECT_EQ(action.body, "hi");
  EXPECT_EQ(action.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(action.expect.text, "204");
  EXPECT_TRUE(action.follow_redirects);
}

TEST(HttpAction, BodyIsSentAsItIs) {
  EXPECT_EQ(accepted(R"("body":"a\nb\u00fc")").body, "a\nbü");
  EXPECT_EQ(accepted(R"("body":{"a": [1,  2.50]})").body, R"({"a": [1,  2.50]})");
  EXPECT_EQ(accepted(R"("body":[1, 2])").content_type, "application/json");
  EXPECT_EQ(accepted(R"("body":17)").body, "17");
  EXPECT_EQ(accepted(R"("body":"")").body, "");
  EXPECT_FALSE(accepted(R"("body":null)").body.has_value());
}

TEST(HttpAction, ExpectedStatuses) {
  struct Row {
    const char* status;
    const char* text;
    std::vector<int> accepted;
    std::vector<int> refused;
  };
  const Row rows[] = {
      {R"("2xx")", "2xx", {200, 204, 299}, {199, 300, 500}},
      {R"("2XX")", "2XX", {200}, {300}},
      {R"("200")", "200", {200}, {201, 204}},
      {R"(200)", "200", {200}, {201}},
      {R"("200,201,3xx")", "200,201,3xx", {200, 201, 300, 399}, {202, 400}},
      {R"(" 200 , 404 ")", "200,404", {200, 404}, {201}},
      {R"(["200", 404, "5xx,302"])", "200,404,5xx,302", {200, 404, 503, 302}, {301, 400}},
      {R"(null)", "2xx", {200}, {300}},
  };
  for (const Row& row : rows) {
    const auto expect = accepted(fmt::format(R"("expect":{{"status":{}}})", row.status)).expect;
    EXPECT_EQ(expect.text, row.text);
    for (const int status : row.accepted) EXPECT_TRUE(expect.accepts(status)) << row.text << status;
    for (const int status : row.refused) EXPECT_FALSE(expect.accepts(status)) << row.text << status;
  }
}

struct Refused {
  const char* member;
  const char* pointer;
  const char* code;
};

TEST(HttpAction, RefusesByTable) {
  const Refused rows[] = {
      {R"("url":"ftp://a.example/")", "/action/url", "bad_scheme"},
      {R"("url":"a.example")", "/action/url", "bad_scheme"},
      {R"("url":"http://u:p@a.example/")", "/action/url", "has_credentials"},
      {R"("url":"http://a.example/\r\nX: y")", "/action/url", "bad_character"},
      {R"("url":"http://a.example/\u0000")", "/action/url", "bad_character"},
      {R"("url":17)", "/action/url", "wrong_type"},
      {R"("method":"get")", "/action/method", "unknown_value"},
      {R"("method":"CONNECT")", "/action/method", "unknown_value"},
      {R"("method":"GET\r\nX: y")", "/action/method", "unknown_value"},
      {R"("headers":[])", "/action/headers", "wrong_type"},
      {R"("headers":{"A":1})", "/action/headers/A", "wrong_type"},
      {R"("headers":{"A":"b\r\nC: d"})", "/action/headers/A", "bad_character"},
      {R"("headers":{"A":"b\nc"})", "/action/headers/A", "bad_character"},
      {R"("headers":{"A":"b\u0000c"})", "/action/headers/A", "bad_character"},
      {R"("headers":{"A":" b"})", "/action/headers/A", "bad_character"},
      {R"("headers":{"A\r\nB":"c"})", "/action/headers/A\r\nB", "bad_name"},
      {R"("headers":{"A B":"c"})", "/action/headers/A B", "bad_name"},
      {R"("headers":{"":"c"})", "/action/headers/", "bad_name"},
      {R"("headers":{"A":"1","a":"2"})", "/action/headers/a", "duplicate"},
      {R"("headers":{"Host":"x"})", "/action/headers/Host", "reserved_name"},
      {R"("headers":{"content-length":"1"})", "/action/headers/content-length", "reserved_name"},
      {R"("headers":{"Transfer-Encoding":"chunked"})", "/action/headers/Transfer-Encoding",
       "reserved_name"},
      {R"("headers":{"Connection":"close"})", "/action/headers/Connection", "reserved_name"},
      {R"("headers":{"Upgrade":"h2c"})", "/action/headers/Upgrade", "reserved_name"},
      {R"("headers":{"Idempotency-Key":"x"})", "/action/headers/Idempotency-Key", "reserved_name"},
      {R"("headers":{"Chronos-Run-Id":"x"})", "/action/headers/Chronos-Run-Id", "reserved_name"},
      {R"("headers":{"Webhook-Signature":"x"})", "/action/headers/Webhook-Signature",
       "reserved_name"},
      {R"("method":"HEAD","body":"x")", "/action/body", "not_allowed"},
      {R"("expect":"2xx")", "/action/expect", "wrong_type"},
      {R"("expect":{"statuss":"2xx"})", "/action/expect/statuss", "unknown_field"},
      {R"("expect":{"status":"ok"})", "/action/expect/status", "bad_status"},
      {R"("expect":{"status":""})", "/action/expect/status", "bad_status"},
      {R"("expect":{"status":"200,"})", "/action/expect/status", "bad_status"},
      {R"("expect":{"status":"2x"})", "/action/expect/status", "bad_status"},
      {R"("expect":{"status":600})", "/action/expect/status", "bad_status"},
      {R"("expect":{"status":[]})", "/action/expect/status", "too_short"},
      {R"("expect":{"status":["2xx",true]})", "/action/expect/status/1", "wrong_type"},
      {R"("follow_redirects":"yes")", "/action/follow_redirects", "wrong_type"},
      {R"("follow_redirect":true)", "/action/follow_redirect", "unknown_field"},
  };
  for (const Refused& row : rows) {
    const bool has_url = std::string_view(row.member).starts_with(R"("url")");
    const auto text = fmt::format(R"({{"kind":"http",{}{}}})",
                                  has_url ? "" : R"("url":"http://a.example/",)", row.member);
    const auto action = parse(text);
    ASSERT_FALSE(action.has_value()) << text;
    EXPECT_EQ(action.error().reason, Reason::invalid_fields);
    ASSERT_EQ(action.error().fields.size(), 1U) << text;
    EXPECT_EQ(action.error().fields[0].pointer, row.pointer) << text;
    EXPECT_EQ(action.error().fields[0].code, row.code) << text;
  }
}

TEST(HttpAction, TellsEverythingAtOnceWithHints) {
  const auto action = parse(R"({"kind":"http","methd":"GET","headers":{"Host":"x"}})");
  ASSERT_FALSE(action.has_value());
  const auto& fields = action.error().fields;
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields[0].pointer, "/action/methd");
  EXPECT_EQ(fields[0].hint, "did you mean 'method'?");
  EXPECT_EQ(fields[1].pointer, "/action/headers/Host");
  EXPECT_EQ(fields[2].pointer, "/action/url");
  EXPECT_EQ(fields[2].code, "required");
}

TEST(HttpAction, HeadersAreBounded) {
  std::string many = R"("headers":{"X-0":"")";
  for (int i = 1; i <= 64; ++i) many += fmt::format(R"(,"X-{}":"")", i);
  const auto text = fmt::format(R"({{"kind":"http","url":"http://a.example/",{}}}}})", many);
  EXPECT_EQ(parse(text).error().fields.at(0).code, "too_many");
  const auto longer = fmt::format(R"({{"url":"http://a.example/","headers":{{"A":"{}"}}}})",
                                  std::string(8192, 'x'));
  EXPECT_EQ(parse(longer).error().fields.at(0).code, "too_long");
}

}  // namespace
}  // namespace chronos::executor
