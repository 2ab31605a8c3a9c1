// Redirects and the outbound policy of HttpClient (promises.md F1).
#include <gtest/gtest.h>

#include <future>

#include "net/http_client.h"
#include "support/scripted_server.h"

namespace chronos::net {
namespace {

using testing::answering;
using testing::http_answer;
using testing::ScriptedConnection;
using testing::ScriptedServer;

constexpr Duration kAmple = std::chrono::seconds(60);

HttpAnswer get(HttpCall call, HttpClientOptions options = {}) {
  HttpClient client(std::move(options));
  std::promise<HttpAnswer> promise;
  client.start(1, std::move(call),
               [&](HttpAnswer answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

HttpCall following(std::string url) {
  return {.url = std::move(url), .timeout = kAmple, .follow_redirects = true};
}

std::string redirect(int status, const std::string& location) {
  return http_answer(std::to_string(status) + " Moved", "elsewhere",
                     "Location: " + location + "\r\n");
}

TEST(HttpRedirect, IsNotFollowedUnlessAsked) {
  const ScriptedServer target(answering(http_answer("200 OK", "")));
  const ScriptedServer server(answering(redirect(302, target.url())));
  const auto answer = get({.url = server.url(), .timeout = kAmple});
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.body, "elsewhere");
  EXPECT_EQ(find_header(answer.headers, "location"), target.url());
  EXPECT_EQ(target.connection_count(), 0);
}

TEST(HttpRedirect, KeepsOrChangesTheMethod) {
  struct Row {
    int status;
    const char* sent;
    const char* arrived;
  };
  for (const Row& row : {Row{301, "POST", "GET"}, Row{302, "POST", "GET"}, Row{303, "POST", "GET"},
                         Row{303, "PUT", "GET"}, Row{301, "PUT", "PUT"}, Row{307, "POST", "POST"},
                         Row{308, "POST", "POST"}, Row{303, "HEAD", "HEAD"}}) {
    std::promise<ScriptedConnection::Request> seen;
    const ScriptedServer server([&](ScriptedConnection& connection) {
      connection.read_request();
      connection.write("HTTP/1.1 " + std::to_string(row.status) +
                       " Moved\r\nLocation: ../there?x=1\r\nContent-Length: 0\r\n\r\n");
      seen.set_value(connection.read_request().value());
      connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
    auto call = following(server.url("/a/b"));
    call.method = row.sent;
    call.headers = {{"Content-Type", "text/plain"}, {"Authorization", "Bearer x"}};
    if (std::string_view(row.sent) != "HEAD") call.body = "hello";
    EXPECT_EQ(get(call).status, 204);
    const auto request = seen.get_future().get();
    EXPECT_TRUE(request.head.starts_with(std::string(row.arrived) + " /there?x=1 "))
        << request.head;
    const bool is_get = std::string_view(row.arrived) == "GET";
    EXPECT_EQ(request.body, is_get ? "" : call.body);
    EXPECT_EQ(request.head.contains("Content-Type"), !is_get) << request.head;
    EXPECT_TRUE(request.head.contains("Authorization: Bearer x")) << "same origin: stays";
  }
}

TEST(HttpRedirect, CredentialsStayWithTheirOrigin) {
  std::promise<ScriptedConnection::Request> seen;
  const ScriptedServer target([&](ScriptedConnection& connection) {
    seen.set_value(connection.read_request().value());
    connection.write(http_answer("200 OK", ""));
  });
  const ScriptedServer server(answering(redirect(307, target.url())));
  auto call = following(server.url());
  call.headers = {{"authorization", "Bearer x"}, {"Cookie", "a=b"}, {"X-Other", "1"}};
  EXPECT_EQ(get(call).status, 200);
  const auto head = seen.get_future().get().head;
  EXPECT_FALSE(head.contains("Bearer")) << head;
  EXPECT_FALSE(head.contains("Cookie")) << head;
  EXPECT_TRUE(head.contains("X-Other: 1")) << head;
}

TEST(HttpRedirect, LoopsEnd) {
  std::atomic<int> requests = 0;
  const ScriptedServer server([&](ScriptedConnection& connection) {
    while (connection.read_request()) {
      ++requests;
      connection.write(redirect(302, "/again"));
    }
  });
  const auto answer = get(following(server.url()));
  EXPECT_EQ(answer.failure, HttpFailure::redirect);
  EXPECT_EQ(answer.error, "more than 10 redirects");
  EXPECT_EQ(requests, 1 + kRedirectsMax);
}

TEST(HttpRedirect, EveryHopIsDecidedByThePolicy) {
  for (const int status : {301, 302, 303, 307, 308}) {
    for (const char* location :
         {"http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://0/",
          "http://2852039166/", "http://[::ffff:169.254.169.254]/", "http://0xa9fea9fe/",
          "//169.254.169.254/", "http://metadata.google.internal/", "http://[fe80::1]/",
          "http://100.100.100.200/", "https://169.254.169.254/"}) {
      const ScriptedServer server(answering(redirect(status, location)));
      const auto answer = get(following(server.url()));
      EXPECT_EQ(answer.failure, HttpFailure::egress_refused) << location << ": " << answer.error;
      EXPECT_EQ(answer.status, 0) << "the hop that failed has none";
    }
  }
}

TEST(HttpRedirect, LeadsNowhereElse) {
  for (const char* location :
       {"file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "ftp://127.0.0.1/",
        "http://user:pass@127.0.0.1/", "/a b", "http://"}) {
    const ScriptedServer server(answering(redirect(302, location)));
    EXPECT_EQ(get(following(server.url())).failure, HttpFailure::redirect) << location;
  }
}

TEST(HttpRedirect, RedirectWithoutLocationIsTheAnswer) {
  const ScriptedServer server(answering(http_answer("302 Found", "hm")));
  const auto answer = get(following(server.url()));
  EXPECT_EQ(answer.failure, HttpFailure::none);
  EXPECT_EQ(answer.status, 302);
  EXPECT_EQ(answer.body, "hm");
}

TEST(HttpPolicy, OwnListenerIsNotConnectedTo) {
  const ScriptedServer server(answering(http_answer("200 OK", "")));
  const Endpoint own{IpAddress::parse("127.0.0.1").value(), server.port()};
  const HttpClientOptions options{.policy = OutboundPolicy{EgressMode::internal, {own}}};
  for (const char* host : {"127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost",
                           "[::ffff:127.0.0.1]"}) {
    const auto url = "http://" + std::string(host) + ":" + std::to_string(server.port()) + "/";
    const auto answer = get({.url = url, .timeout = kAmple}, options);
    // localhost may also be ::1, where nothing listens.
    EXPECT_TRUE(answer.failure == HttpFailure::egress_refused ||
                answer.failure == HttpFailure::connect)
        << host << ": " << answer.error;
  }
  EXPECT_EQ(server.connection_count(), 0);
}

TEST(HttpPolicy, PublicModeDoesNotConnectToLoopback) {
  const ScriptedServer server(answering(http_answer("200 OK", "")));
  const HttpClientOptions options{.policy = OutboundPolicy{EgressMode::public_, {}}};
  const auto answer = get({.url = server.url(), .timeout = kAmple}, options);
  EXPECT_EQ(answer.failure, HttpFailure::egress_refused);
  EXPECT_EQ(answer.error, "127.0.0.1 is a loopback address (127.0.0.0/8)");
  EXPECT_EQ(server.connection_count(), 0);
}

TEST(HttpPolicy, MetadataNamesAreNotLookedUp) {
  const auto answer = get({.url = "http://Metadata.Google.internal./", .timeout = kAmple});
  EXPECT_EQ(answer.failure, HttpFailure::egress_refused);
}

}  // namespace
}  // namespace chronos::net
