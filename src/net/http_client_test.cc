#include "net/http_client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <semaphore>
#include <vector>

#include "support/scripted_server.h"

namespace chronos::net {
namespace {

using namespace std::chrono_literals;
using testing::answering;
using testing::http_answer;
using testing::ScriptedConnection;
using testing::ScriptedServer;

// Long enough that only a broken test reaches it.
constexpr Duration kAmple = 60s;

class HttpClientTest : public ::testing::Test {
 protected:
  std::future<HttpAnswer> start(HttpCall call, std::uint64_t id = 1) {
    auto promise = std::make_shared<std::promise<HttpAnswer>>();
    auto answer = promise->get_future();
    client_.start(id, std::move(call),
                  [promise](HttpAnswer given) { promise->set_value(std::move(given)); });
    return answer;
  }
  HttpAnswer get(HttpCall call) { return start(std::move(call)).get(); }
  HttpCall call_to(const ScriptedServer& server, std::string_view path = "/") {
    return {.url = server.url(path), .timeout = kAmple};
  }

  HttpClient client_{HttpClientOptions{}};
};

TEST_F(HttpClientTest, SendsWhatItIsTold) {
  std::promise<ScriptedConnection::Request> seen;
  const ScriptedServer server([&](ScriptedConnection& connection) {
    seen.set_value(connection.read_request().value());
    connection.write(http_answer("201 Created", "done", "X-One: 1\r\nx-two:  2 \r\nEmpty:\r\n"));
  });
  auto call = call_to(server, "/a?b=c");
  call.method = "POST";
  call.body = std::string("a\0b", 3);
  call.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}, {"X-Odd", "\xfc;,\"@"}};
  const auto answer = get(call);
  EXPECT_EQ(answer.failure, HttpFailure::none) << answer.error;
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.dropped, 0);
  EXPECT_EQ(find_header(answer.headers, "X-TWO"), "2");
  EXPECT_EQ(find_header(answer.headers, "empty"), "");
  EXPECT_FALSE(find_header(answer.headers, "absent"));

  const auto request = seen.get_future().get();
  EXPECT_TRUE(request.head.starts_with("POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_TRUE(request.head.contains("\r\nContent-Type: application/json\r\n")) << request.head;
  EXPECT_TRUE(request.head.contains("\r\nX-Empty:\r\n")) << request.head;
  EXPECT_TRUE(request.head.contains("\r\nX-Odd: \xfc;,\"@")) << request.head;
  EXPECT_FALSE(request.head.contains("Expect")) << request.head;
  EXPECT_FALSE(request.head.contains("Accept-Encoding")) << request.head;
  EXPECT_EQ(request.body, call.body);
}

TEST_F(HttpClientTest, EveryMethodGoesOutAsItIs) {
  struct Row {
    const char* method;
    const char* body;
    bool has_length;  // an empty body is said where one is expected (RFC 9110 §8.6)
  };
  for (const Row& row :
       {Row{"GET", "", false}, Row{"POST", "", true}, Row{"POST", "x", true}, Row{"PUT", "", true},
        Row{"PATCH", "x", true}, Row{"DELETE", "", false}, Row{"DELETE", "x", true},
        Row{"OPTIONS", "", false}, Row{"HEAD", "", false}, Row{"QUERY", "x", true}}) {
    std::promise<ScriptedConnection::Request> seen;
    const ScriptedServer server([&](ScriptedConnection& connection) {
      seen.set_value(connection.read_request().value());
      connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
    auto call = call_to(server);
    call.method = row.method;
    call.body = row.body;
    EXPECT_EQ(get(call).status, 204) << row.method;
    const auto request = seen.get_future().get();
    EXPECT_TRUE(request.head.starts_with(std::string(row.method) + " / HTTP/1.1")) << request.head;
    EXPECT_EQ(request.head.contains("Content-Length:"), row.has_length) << request.head;
    EXPECT_FALSE(request.head.contains("Content-Type:")) << request.head;
    EXPECT_EQ(request.body, row.body);
  }
}

TEST_F(HttpClientTest, RefusesMalformedCallsBeforeConnecting) {
  const ScriptedServer server(answering(http_answer("200 OK", "")));
  const auto broken = [&](auto&& breaking) {
    auto call = call_to(server);
    breaking(call);
    return get(call).failure;
  };
  EXPECT_EQ(broken([](HttpCall& call) { call.url += "\r\nX: y"; }), HttpFailure::bad_call);
  EXPECT_EQ(broken([](HttpCall& call) { call.url = "ftp://127.0.0.1/"; }), HttpFailure::bad_call);
  EXPECT_EQ(broken([](HttpCall& call) { call.url = "http://u:p@127.0.0.1/"; }),
            HttpFailure::bad_call);
  EXPECT_EQ(broken([](HttpCall& call) { call.method = "GET / HTTP/1.1\r\nX: y"; }),
            HttpFailure::bad_call);
  EXPECT_EQ(broken([](HttpCall& call) { call.headers = {{"A", "b\r\nC: d"}}; }),
            HttpFailure::bad_call);
  EXPECT_EQ(broken([](HttpCall& call) { call.headers = {{"A", std::string("b\0c", 3)}}; }),
            HttpFailure::bad_call);
  EXPECT_EQ(broken([](HttpCall& call) { call.headers = {{"A:b", "c"}}; }), HttpFailure::bad_call);
  EXPECT_EQ(server.connection_count(), 0);
}

TEST_F(HttpClientTest, SaysWhyThereIsNoConnection) {
  EXPECT_EQ(get({.url = "http://name.invalid/", .timeout = kAmple}).failure, HttpFailure::dns);

  std::uint16_t closed_port = 0;
  {
    const ScriptedServer server(answering(""));
    closed_port = server.port();
  }
  const auto url = "http://127.0.0.1:" + std::to_string(closed_port) + "/";
  const auto answer = get({.url = url, .timeout = kAmple});
  EXPECT_EQ(answer.failure, HttpFailure::connect);
  EXPECT_EQ(answer.error, "could not connect to 127.0.0.1 port " + std::to_string(closed_port) +
                              ": Connection refused");
}

TEST_F(HttpClientTest, ServerThatNeverAnswersTimesOut) {
  const ScriptedServer server(
      [](ScriptedConnection& connection) { connection.wait_until_closed(); });
  auto call = call_to(server);
  call.timeout = 50ms;
  const auto answer = get(call);
  EXPECT_EQ(answer.failure, HttpFailure::timeout);
  EXPECT_EQ(answer.error, "no answer within 50ms");
  EXPECT_EQ(answer.status, 0);
}

TEST_F(HttpClientTest, DribblingServerTimesOut) {
  const ScriptedServer server([](ScriptedConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (connection.write("x") && !connection.is_closed_within(5)) {
    }
  });
  auto call = call_to(server);
  call.timeout = 100ms;
  const auto answer = get(call);
  EXPECT_EQ(answer.failure, HttpFailure::timeout);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.error, "the answer did not end within 100ms");
}

TEST_F(HttpClientTest, TlsHandshakeThatHangsIsNotATimeoutOfTheCall) {
  const ScriptedServer server(
      [](ScriptedConnection& connection) { connection.wait_until_closed(); });
  const auto url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  const auto answer = get({.url = url, .timeout = kAmple, .connect_timeout = 50ms});
  EXPECT_EQ(answer.failure, HttpFailure::tls) << answer.error;
}

TEST_F(HttpClientTest, PlainServerIsNoTlsServer) {
  const ScriptedServer server([](ScriptedConnection& connection) {
    connection.write(http_answer("400 Bad Request", ""));
    connection.wait_until_closed();
  });
  const auto url = "https://127.0.0.1:" + std::to_string(server.port()) + "/";
  EXPECT_EQ(get({.url = url, .timeout = kAmple}).failure, HttpFailure::tls);
}

TEST_F(HttpClientTest, ResetsAreToldApartFromAnswers) {
  struct Row {
    const char* sent;
    int status;
    HttpFailure failure;
  };
  const Row rows[] = {
      {"", 0, HttpFailure::reset},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 200, HttpFailure::reset},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", 200, HttpFailure::reset},
      {"HTTP/1.1 200 OK\r\n\r\nuntil closed", 200, HttpFailure::none},
      {"SSH-2.0-OpenSSH_9.2\r\n", 0, HttpFailure::bad_answer},
      {"HTTP/1.1 100 Continue\r\n\r\n", 0, HttpFailure::reset},
  };
  for (const Row& row : rows) {
    const ScriptedServer server([&](ScriptedConnection& connection) {
      connection.read_request();
      connection.write(row.sent);
    });
    const auto answer = get(call_to(server));
    EXPECT_EQ(answer.failure, row.failure) << row.sent << ": " << answer.error;
    EXPECT_EQ(answer.status, row.status) << row.sent;
  }
}

TEST_F(HttpClientTest, ConnectionResetIsAFailure) {
  const ScriptedServer server([](ScriptedConnection& connection) {
    connection.read_request();
    connection.reset();
  });
  const auto answer = get(call_to(server));
  EXPECT_EQ(answer.failure, HttpFailure::reset);
  EXPECT_EQ(answer.error, "the connection was closed before an answer came");
}

TEST_F(HttpClientTest, HugeAnswerIsCutAndCounts) {
  const ScriptedServer server([](ScriptedConnection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
    const std::string chunk(1 << 16, 'x');
    while (connection.write(chunk)) {
    }
  });
  auto call = call_to(server);
  call.answer_max = 100'000;
  const auto answer = get(call);
  EXPECT_EQ(answer.failure, HttpFailure::none) << answer.error;
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), 100'000U);
  EXPECT_EQ(answer.dropped, 10'000'000'000 - 100'000);
}

TEST_F(HttpClientTest, AnswerOfExactlyTheCapIsWhole) {
  const ScriptedServer server(answering(http_answer("200 OK", "12345")));
  auto call = call_to(server);
  call.answer_max = 5;
  EXPECT_EQ(get(call).dropped, 0);
  call.answer_max = 4;
  const auto answer = get(call);
  EXPECT_EQ(answer.body, "1234");
  EXPECT_EQ(answer.dropped, 1);
  EXPECT_EQ(answer.failure, HttpFailure::none);
}

TEST_F(HttpClientTest, EndlessHeadersAreBounded) {
  for (const char* line : {"X-Flood: 0123456789\r\n", "x", "HTTP/1.1 100 Continue\r\n\r\n"}) {
    const ScriptedServer server([&](ScriptedConnection& connection) {
      connection.read_request();
      connection.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n");
      if (std::string_view(line).starts_with("HTTP")) connection.write("A: b\r\n\r\n");
      std::string chunk;
      while (chunk.size() < 4096) chunk += line;
      while (connection.write(chunk)) {
      }
    });
    auto call = call_to(server);
    call.answer_max = 100;
    const auto answer = get(call);
    const bool is_body = std::string_view(line).starts_with("HTTP");
    EXPECT_EQ(answer.failure, is_body ? HttpFailure::none : HttpFailure::bad_answer) << line;
    EXPECT_LE(answer.body.size(), 100U);
  }
}

TEST_F(HttpClientTest, KeepsConnectionsAlive) {
  const ScriptedServer server(answering(http_answer("200 OK", "x")));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get(call_to(server)).status, 200);
  EXPECT_EQ(server.connection_count(), 1);
}

// A kept-alive connection that the server closes as the request arrives: only what may be repeated
// is repeated.
TEST_F(HttpClientTest, OnlyIdempotentRequestsAreSentAgain) {
  for (const char* method : {"POST", "GET", "PUT", "PATCH"}) {
    std::atomic<int> requests = 0;
    const ScriptedServer server([&](ScriptedConnection& connection) {
      if (connection.number() > 1) return answering(http_answer("200 OK", ""))(connection);
      connection.read_request();
      connection.write(http_answer("200 OK", ""));
      connection.read_request();
      ++requests;
    });
    auto call = call_to(server);
    call.method = method;
    EXPECT_EQ(get(call).status, 200);
    const auto answer = get(call);
    const bool is_idempotent =
        std::string_view(method) == "GET" || std::string_view(method) == "PUT";
    EXPECT_EQ(answer.failure, is_idempotent ? HttpFailure::none : HttpFailure::reset) << method;
    EXPECT_EQ(requests, 1);
  }
}

TEST_F(HttpClientTest, CancelEndsACallAndOnlyThatOne) {
  std::counting_semaphore<> arrived(0);
  std::promise<void> closed;
  const ScriptedServer hanging([&](ScriptedConnection& connection) {
    connection.read_request();
    arrived.release();
    connection.wait_until_closed();
    closed.set_value();
  });
  const ScriptedServer server(answering(http_answer("200 OK", "")));
  auto answer = start(call_to(hanging), 7);
  arrived.acquire();
  client_.cancel(8);
  EXPECT_EQ(start(call_to(server), 9).get().status, 200);
  client_.cancel(7);
  EXPECT_EQ(answer.get().failure, HttpFailure::cancelled);
  closed.get_future().get();
  client_.cancel(7);  // long gone
}

TEST_F(HttpClientTest, StopEndsLiveCallsAndRefusesLaterOnes) {
  std::counting_semaphore<> arrived(0);
  const ScriptedServer hanging([&](ScriptedConnection& connection) {
    connection.read_request();
    arrived.release();
    connection.wait_until_closed();
  });
  auto first = start(call_to(hanging), 1);
  auto second = start(call_to(hanging), 2);
  arrived.acquire();
  arrived.acquire();
  client_.stop();
  EXPECT_EQ(first.get().failure, HttpFailure::stopped);
  EXPECT_EQ(second.get().failure, HttpFailure::stopped);
  EXPECT_EQ(start(call_to(hanging), 3).get().failure, HttpFailure::stopped);
}

TEST_F(HttpClientTest, DoneMayStartTheNextCall) {
  const ScriptedServer server(answering(http_answer("200 OK", "")));
  std::promise<int> last;
  int left = 50;
  std::function<void(HttpAnswer)> next = [&](const HttpAnswer& answer) {
    if (--left == 0) return last.set_value(answer.status);
    client_.start(static_cast<std::uint64_t>(left), call_to(server), next);
  };
  client_.start(50, call_to(server), next);
  EXPECT_EQ(last.get_future().get(), 200);
}

// All the calls are open at once: none is answered before the last has arrived.
TEST_F(HttpClientTest, RunsAThousandCallsAtOnce) {
  constexpr int kCalls = 1000;
  std::atomic<int> waiting = 0;
  std::promise<void> all_arrived;
  const auto all = all_arrived.get_future().share();
  const ScriptedServer server([&](ScriptedConnection& connection) {
    connection.read_request();
    if (++waiting == kCalls) all_arrived.set_value();
    all.wait();
    connection.write(http_answer("200 OK", "x"));
    connection.wait_until_closed();
  });
  std::vector<std::future<HttpAnswer>> answers;
  for (std::uint64_t id = 0; id < kCalls; ++id) answers.push_back(start(call_to(server), id));
  for (auto& answer : answers) EXPECT_EQ(answer.get().status, 200);
}

TEST_F(HttpClientTest, EnvironmentDoesNotSteerIt) {
  const ScriptedServer proxy(answering(http_answer("200 OK", "from the proxy")));
  const ScriptedServer server(answering(http_answer("200 OK", "from the server")));
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  EXPECT_EQ(get(call_to(server)).body, "from the server");
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_EQ(proxy.connection_count(), 0);
}

TEST(CallHttp, AnswersOnTheCallersThread) {
  const ScriptedServer server(answering(http_answer("200 OK", "hello")));
  const HttpClientOptions options{.policy = std::nullopt};
  const auto answer = call_http(options, {.url = server.url()});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(call_http(options, {.url = "nonsense"}).failure, HttpFailure::bad_call);
}

}  // namespace
}  // namespace chronos::net
