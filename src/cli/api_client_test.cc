#include "cli/api_client.h"

#include <gtest/gtest.h>

#include "cli/stub_server.h"

namespace chronos::cli {
namespace {

constexpr std::string_view kUnknown = R"({"code":"unknown_commit","detail":"nobody knows"})";

class ApiClientTest : public testing::Test {
 protected:
  ApiClient client(const std::string& url, std::string key = "secret") {
    return std::move(*ApiClient::make(
        {url, std::move(key), {}, [this](Duration pause) { pauses_.push_back(pause); }}));
  }

  std::vector<Duration> pauses_;
};

TEST_F(ApiClientTest, SendsKeyBodyAndIdempotencyKey) {
  StubServer server({http_answer(201, R"({"id":"job_1"})")});
  auto api = client(server.url() + "/");
  const auto answer = api.call(
      {.method = "POST", .path = "/api/submitJob", .body = R"({"a":1})", .idempotency_key = "k1"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->root().find("id")->string, "job_1");
  const auto request = server.requests().at(0);
  EXPECT_TRUE(request.starts_with("POST /api/submitJob HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("\r\nAuthorization: Bearer secret\r\n"), std::string::npos);
  EXPECT_NE(request.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(request.find("\r\nIdempotency-Key: k1\r\n"), std::string::npos);
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_F(ApiClientTest, SendsNoKeyWhenThereIsNone) {
  StubServer server({http_answer(200, "{}")});
  ASSERT_TRUE(client(server.url(), "").send({.path = "/readyz"}));
  EXPECT_EQ(server.requests().at(0).find("Authorization"), std::string::npos);
}

TEST_F(ApiClientTest, KeepsOneClientForSeveralCalls) {
  StubServer server({http_answer(200, "{}"), http_answer(200, "{}")});
  auto api = client(server.url());
  ASSERT_TRUE(api.send({.method = "POST", .path = "/a", .body = "{}"}));
  ASSERT_TRUE(api.send({.path = "/b"}));
  EXPECT_EQ(server.targets(), (std::vector<std::string>{"POST /a", "GET /b"}));
  EXPECT_EQ(server.requests().at(1).find("Content-"), std::string::npos);  // nothing is left over
}

TEST_F(ApiClientTest, ProblemDocumentsBecomeTheirErrors) {
  StubServer server({http_answer(422,
                                 R"({"code":"invalid_fields","detail":"cron: bad","hint":"h",)"
                                 R"("errors":[{"pointer":"/cron","code":"out_of_range",)"
                                 R"("detail":"bad","column":3,"length":2,"hint":"fh"}]})",
                                 "application/problem+json")});
  const auto answer = client(server.url()).call({.path = "/"});
  ASSERT_FALSE(answer);
  const auto& error = answer.error();
  EXPECT_EQ(error.reason, Reason::invalid_fields);
  EXPECT_EQ(error.message, "cron: bad");
  EXPECT_EQ(error.hint, "h");
  ASSERT_EQ(error.fields.size(), 1u);
  EXPECT_EQ(error.fields[0], (FieldError{"/cron", "out_of_range", "bad", "fh", 3, 2}));
}

TEST(ErrorIn, KnowsAnswersThatAreNoProblemDocuments) {
  const auto reason = [](int status) {
    return error_in({status, "text/html", "<html>"}, "http://x").reason;
  };
  EXPECT_EQ(reason(401), Reason::invalid_key);
  EXPECT_EQ(reason(403), Reason::role_too_low);
  EXPECT_EQ(reason(404), Reason::not_found);
  EXPECT_EQ(reason(409), Reason::state_conflict);
  EXPECT_EQ(reason(429), Reason::too_many_requests);
  EXPECT_EQ(reason(502), Reason::overloaded);
  EXPECT_EQ(reason(504), Reason::timeout);
  EXPECT_EQ(reason(500), Reason::internal);
  EXPECT_EQ(reason(302), Reason::bad_request);
  EXPECT_EQ(error_in({418, "", "[]"}, "http://x").message, "http://x answered with status 418");
  // A code of a newer server: its words stay, the status says how bad it is.
  const auto newer = error_in({409, "", R"({"code":"brand_new","title":"T"})"}, "http://x");
  EXPECT_EQ(newer.reason, Reason::state_conflict);
  EXPECT_EQ(newer.message, "T");
}

TEST(ErrorIn, SurvivesHostileProblems) {
  const auto error = error_in(
      {400, "", R"({"code":7,"detail":[],"errors":[1,{"column":-5,"length":99999999999}]})"}, "u");
  EXPECT_EQ(error.reason, Reason::bad_request);
  ASSERT_EQ(error.fields.size(), 2u);
  EXPECT_EQ(error.fields[1].column, 0);
  EXPECT_EQ(error.fields[1].length, 0);
}

TEST_F(ApiClientTest, RepeatsWhatMayBeRepeatedWhenItsFateIsUnknown) {
  StubServer server({http_answer(503, kUnknown), "", http_answer(200, "{}")});
  ASSERT_TRUE(client(server.url())
                  .call({.method = "POST", .path = "/a", .body = "{}", .idempotency_key = "same"}));
  EXPECT_EQ(pauses_.size(), 2u);
  ASSERT_EQ(server.requests().size(), 3u);
  EXPECT_EQ(server.requests()[0], server.requests()[2]);
}

TEST_F(ApiClientTest, GivesUpAfterThreeTries) {
  StubServer server({http_answer(503, kUnknown), http_answer(503, kUnknown),
                     http_answer(503, kUnknown), http_answer(200, "{}")});
  const auto answer = client(server.url()).call({.path = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().reason, Reason::unknown_commit);
  EXPECT_EQ(server.requests().size(), 3u);
}

TEST_F(ApiClientTest, NeverRepeatsAPostWithoutIdempotencyKey) {
  StubServer server({"", http_answer(200, "{}")});
  const auto answer = client(server.url()).call({.method = "POST", .path = "/a"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().reason, Reason::unknown_commit);
  EXPECT_TRUE(pauses_.empty());
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(ApiClientTest, DoesNotRepeatARefusal) {
  StubServer server({http_answer(422, "{}"), http_answer(200, "{}")});
  EXPECT_FALSE(client(server.url()).call({.path = "/"}));
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(ApiClientTest, SaysThatNobodyAnswers) {
  std::string url;
  {
    const StubServer gone({});
    url = gone.url();
  }
  const auto answer = client(url).call({.path = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), ErrorCode::unavailable);
  EXPECT_EQ(answer.error().message, "no server answers at " + url);
  EXPECT_TRUE(pauses_.empty());
}

TEST_F(ApiClientTest, FollowsNoRedirect) {
  StubServer server(
      {"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n"
       "Connection: close\r\n\r\n"});
  const auto answer = client(server.url()).call({.path = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().hint, "the server moved: give its new URL");
}

TEST_F(ApiClientTest, SaysThatAnAnswerIsNotOfChronos) {
  StubServer server({http_answer(200, "<html>", "text/html")});
  const auto answer = client(server.url()).call({.path = "/"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message,
            "the answer of " + server.url() + " is not JSON: is it a Chronos server?");
}

TEST(ApiClientMake, RefusesUrlsAndKeysThatCannotBe) {
  const auto make = [](const std::string& url, const std::string& key) {
    return ApiClient::make({url, key, {}, {}}).has_value();
  };
  EXPECT_TRUE(make("https://chronos.example.com/prefix/", "k"));
  EXPECT_FALSE(make("ftp://x", "k"));
  EXPECT_FALSE(make("", "k"));
  EXPECT_FALSE(make("http://x", "a\r\nX-Evil: 1"));
}

TEST(UrlEncoded, KeepsUnreservedCharactersOnly) {
  EXPECT_EQ(url_encoded("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(url_encoded("a b/c?d&ü"), "a%20b%2Fc%3Fd%26%C3%BC");
}

TEST(FreshIdempotencyKey, IsNewEachTime) {
  EXPECT_EQ(fresh_idempotency_key().size(), 32u);
  EXPECT_NE(fresh_idempotency_key(), fresh_idempotency_key());
}

}  // namespace
}  // namespace chronos::cli
