#include "executor/http_executor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <semaphore>

#include "base/time_text.h"
#include "net/http_call.h"
#include "support/scripted_server.h"

namespace chronos::executor {
namespace {

using testing::answering;
using testing::http_answer;
using testing::ScriptedConnection;
using testing::ScriptedServer;

class StoppedClock final : public Clock {
 public:
  Timestamp now() const override { return parse_timestamp("2026-03-08T07:30:00Z").value(); }
  SteadyTime steady() const override { return SteadyTime(0); }
};

Launch launch_of(std::string config) {
  Launch launch;
  launch.run = {Uuid{1, 2}};
  launch.job = {Uuid{3, 4}};
  launch.project = "default";
  launch.attempt = 2;
  launch.token = 77;
  launch.planned_at = parse_timestamp("2026-03-08T07:29:59.5Z").value();
  launch.config = std::move(config);
  launch.payload = R"({"a":  1})";
  launch.timeout = std::chrono::seconds(60);  // only a broken test waits that long
  return launch;
}

class HttpExecutorTest : public ::testing::Test {
 protected:
  std::future<Outcome> start(Launch launch) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    auto outcome = promise->get_future();
    executor_->start(std::move(launch),
                     [promise](Outcome given) { promise->set_value(std::move(given)); });
    return outcome;
  }
  Outcome run(const ScriptedServer& server, std::string_view members = "") {
    return start(launch_of(config(server, members))).get();
  }
  static std::string config(const ScriptedServer& server, std::string_view members = "") {
    return fmt::format(R"({{"kind":"http","url":"{}"{}{}}})", server.url("/job"),
                       members.empty() ? "" : ",", members);
  }
  void make(HttpExecutorOptions options) {
    executor_ = make_http_executor(clock_, std::move(options));
  }
  // What one attempt puts on the wire.
  ScriptedConnection::Request request_of(std::string_view members) {
    std::promise<ScriptedConnection::Request> seen;
    const ScriptedServer server([&](ScriptedConnection& connection) {
      seen.set_value(connection.read_request().value());
      connection.write("HTTP/1.1 204 No Content\r\n\r\n");
    });
    EXPECT_EQ(run(server, members).kind, OutcomeKind::succeeded);
    return seen.get_future().get();
  }

  StoppedClock clock_;
  std::unique_ptr<Executor> executor_ = make_http_executor(clock_, {});
};

std::string header_of(const ScriptedConnection::Request& request, std::string_view name) {
  const auto at = request.head.find(fmt::format("\r\n{}: ", name));
  if (at == std::string::npos) return "(absent)";
  const auto from = at + name.size() + 4;
  return request.head.substr(from, request.head.find("\r\n", from) - from);
}

TEST_F(HttpExecutorTest, SendsPayloadAndIdentity) {
  const auto request = request_of("");
  EXPECT_TRUE(request.head.starts_with("POST /job HTTP/1.1\r\n"));
  EXPECT_EQ(request.body, R"({"a":  1})") << "byte for byte";
  EXPECT_EQ(header_of(request, "Content-Type"), "application/json");
  EXPECT_EQ(header_of(request, "User-Agent"), "chronos");
  const auto run = launch_of("").run.to_string();
  EXPECT_EQ(header_of(request, "Idempotency-Key"), run);
  EXPECT_EQ(header_of(request, "Chronos-Run-Id"), run);
  EXPECT_EQ(header_of(request, "Chronos-Job-Id"), launch_of("").job.to_string());
  EXPECT_EQ(header_of(request, "Chronos-Attempt"), "2");
  EXPECT_EQ(header_of(request, "Chronos-Planned-At"), "2026-03-08T07:29:59.500Z");
  EXPECT_EQ(header_of(request, "Chronos-Token"), "77");
  EXPECT_EQ(header_of(request, "webhook-id"), "(absent)");
}

TEST_F(HttpExecutorTest, OwnHeadersAndBodyWin) {
  const auto request = request_of(
      R"("headers":{"content-type":"text/csv","User-Agent":"mine","X-A":""},"body":"a,b")");
  EXPECT_EQ(request.body, "a,b");
  EXPECT_EQ(header_of(request, "content-type"), "text/csv");
  EXPECT_EQ(header_of(request, "Content-Type"), "(absent)");
  EXPECT_EQ(header_of(request, "User-Agent"), "mine");
}

TEST_F(HttpExecutorTest, GetCarriesNoPayload) {
  const auto request = request_of(R"("method":"GET")");
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(header_of(request, "Content-Type"), "(absent)");
}

TEST_F(HttpExecutorTest, SignsWhenTheProjectHasASecret) {
  make({.signing_secrets = {{"default", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
                            {"other", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}}});
  const auto request = request_of("");
  EXPECT_EQ(header_of(request, "webhook-id"), launch_of("").run.to_string());
  EXPECT_EQ(header_of(request, "webhook-timestamp"), "1772955000");
  // Worked out with another implementation: HMAC-SHA256 over `id.timestamp.body`.
  EXPECT_EQ(header_of(request, "webhook-signature"),
            "v1,b8f2OkS4dNveBWrDk4DK54eB0OJYFI/Ie2WrRBEPLGs=");
}

TEST_F(HttpExecutorTest, SignsWithBothOfTwoSecrets) {
  make({.signing_secrets = {{"default",
                             "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD "
                             "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}});
  const auto signatures = header_of(request_of(""), "webhook-signature");
  EXPECT_TRUE(signatures.ends_with(" v1,b8f2OkS4dNveBWrDk4DK54eB0OJYFI/Ie2WrRBEPLGs="));
  EXPECT_TRUE(signatures.starts_with("v1,"));
}

TEST_F(HttpExecutorTest, SignsNothingOfAProjectWithoutASecret) {
  make({.signing_secrets = {{"other", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}}});
  EXPECT_EQ(header_of(request_of(""), "webhook-signature"), "(absent)");
}

TEST_F(HttpExecutorTest, NeverSendsUnsignedBecauseTheSecretIsBroken) {
  make({.signing_secrets = {{"default", "nonsense"}}});
  const ScriptedServer server(answering(http_answer("200 OK", "")));
  const auto outcome = run(server);
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.reason, "signing");
  EXPECT_EQ(server.connection_count(), 0);
}

TEST_F(HttpExecutorTest, StatusDecides) {
  struct Row {
    const char* status;
    const char* members;
    OutcomeKind kind;
    const char* error;
  };
  using enum OutcomeKind;
  for (const Row& row : {Row{"200 OK", "", succeeded, ""}, Row{"299 Odd", "", succeeded, ""},
                         Row{"302 Found", "", failed, "expected 2xx, got 302"},
                         Row{"500 No", "", failed, "expected 2xx, got 500"},
                         Row{"404 No", R"("expect":{"status":"200,404"})", succeeded, ""},
                         Row{"200 OK", R"("expect":{"status":["201","3xx"]})", failed,
                             "expected 201,3xx, got 200"}}) {
    const ScriptedServer server(answering(http_answer(row.status, "said")));
    const auto outcome = run(server, row.members);
    EXPECT_EQ(outcome.kind, row.kind) << row.status;
    EXPECT_EQ(outcome.error, row.error);
    EXPECT_EQ(outcome.reason, row.kind == succeeded ? "" : "http_status");
    EXPECT_EQ(outcome.http_status, std::stoi(row.status));
    EXPECT_EQ(outcome.output, "said");
  }
}

TEST_F(HttpExecutorTest, RetryAfterIsHandedOn) {
  struct Row {
    const char* value;
    std::optional<Duration> expected;
  };
  for (const Row& row :
       {Row{"90", std::chrono::seconds(90)},
        Row{"Sun, 08 Mar 2026 07:31:00 GMT", std::chrono::seconds(60)}, Row{"?", std::nullopt}}) {
    for (const char* status : {"429 Too Many Requests", "503 Service Unavailable"}) {
      const ScriptedServer server(
          answering(http_answer(status, "", fmt::format("Retry-After: {}\r\n", row.value))));
      EXPECT_EQ(run(server).retry_after, row.expected) << row.value;
    }
  }
  const ScriptedServer server(answering(http_answer("200 OK", "", "Retry-After: 90\r\n")));
  EXPECT_FALSE(run(server).retry_after.has_value()) << "a success is not retried";
}

TEST_F(HttpExecutorTest, OutputIsCappedAndCounted) {
  make({.output_max = 10});
  const ScriptedServer server(answering(http_answer("200 OK", std::string(50'000, 'x'))));
  const auto outcome = run(server);
  EXPECT_EQ(outcome.kind, OutcomeKind::succeeded) << outcome.error;
  EXPECT_EQ(outcome.output, "xxxxxxxxxx");
  EXPECT_EQ(outcome.output_dropped, 49'990);
}

TEST_F(HttpExecutorTest, WhatItWasSentInSecretIsMaskedInTheAnswer) {
  const ScriptedServer server(answering(http_answer("200 OK", "you are abcdef123 of eu-west")));
  const auto outcome =
      run(server, R"("headers":{"Authorization":"Bearer abcdef123","X-Region":"eu-west"})");
  EXPECT_EQ(outcome.output, "you are *** of eu-west");
}

TEST_F(HttpExecutorTest, FailuresHaveReasons) {
  const auto outcome_at = [&](const std::string& url) {
    return start(launch_of(fmt::format(R"({{"kind":"http","url":"{}"}})", url))).get();
  };
  EXPECT_EQ(outcome_at("http://name.invalid/").reason, "dns");
  EXPECT_EQ(outcome_at("http://169.254.169.254/").reason, "egress_refused");
  const ScriptedServer closing([](ScriptedConnection& connection) { connection.read_request(); });
  const auto reset = outcome_at(closing.url());
  EXPECT_EQ(reset.reason, "reset");
  EXPECT_EQ(reset.kind, OutcomeKind::failed);
  EXPECT_FALSE(reset.http_status.has_value());
  const ScriptedServer plain([](ScriptedConnection& connection) {
    connection.write(http_answer("400 Bad Request", ""));
    connection.wait_until_closed();
  });
  EXPECT_EQ(outcome_at(fmt::format("https://127.0.0.1:{}/", plain.port())).reason, "tls");
}

TEST_F(HttpExecutorTest, SilentTargetTimesOut) {
  const ScriptedServer server(
      [](ScriptedConnection& connection) { connection.wait_until_closed(); });
  auto launch = launch_of(config(server));
  launch.timeout = std::chrono::milliseconds(50);
  const auto outcome = start(std::move(launch)).get();
  EXPECT_EQ(outcome.kind, OutcomeKind::timed_out);
  EXPECT_EQ(outcome.error, "no answer within 50ms");
}

TEST_F(HttpExecutorTest, RedirectToMetadataIsRefused) {
  const ScriptedServer server(answering(
      http_answer("302 Found", "", "Location: http://169.254.169.254/latest/meta-data/\r\n")));
  const auto outcome = run(server, R"("follow_redirects":true)");
  EXPECT_EQ(outcome.kind, OutcomeKind::failed);
  EXPECT_EQ(outcome.reason, "egress_refused");
}

TEST_F(HttpExecutorTest, CancelStopsTheAttemptItNames) {
  std::counting_semaphore<> arrived(0);
  const ScriptedServer server([&](ScriptedConnection& connection) {
    connection.read_request();
    arrived.release();
    connection.wait_until_closed();
  });
  auto outcome = start(launch_of(config(server)));
  arrived.acquire();
  const RunId run{Uuid{1, 2}};
  executor_->cancel(run, 1);  // another attempt
  executor_->cancel(run, 2);
  const auto came = outcome.get();
  EXPECT_EQ(came.kind, OutcomeKind::cancelled);
  EXPECT_EQ(came.reason, "cancelled");
  executor_->cancel(run, 2);  // long gone
}

TEST_F(HttpExecutorTest, StopHandsBackWhatRuns) {
  std::counting_semaphore<> arrived(0);
  const ScriptedServer server([&](ScriptedConnection& connection) {
    connection.read_request();
    arrived.release();
    connection.wait_until_closed();
  });
  auto running = start(launch_of(config(server)));
  arrived.acquire();
  executor_->stop();
  const auto outcome = running.get();
  EXPECT_EQ(outcome.kind, OutcomeKind::lost);
  EXPECT_EQ(outcome.reason, "shutdown");
  EXPECT_EQ(run(server).kind, OutcomeKind::lost) << "after the stop";
}

TEST_F(HttpExecutorTest, ABrokenActionIsAnOutcome) {
  EXPECT_EQ(start(launch_of("{")).get().reason, "bad_action");
  EXPECT_EQ(start(launch_of(R"({"kind":"http"})")).get().reason, "bad_action");
}

TEST_F(HttpExecutorTest, CheckSaysWhatTheAddressSaysAlready) {
  const auto code_at = [&](const char* url) -> std::string {
    const auto document = json::parse(fmt::format(R"({{"kind":"http","url":"{}"}})", url));
    const auto checked = executor_->check(document->root());
    return checked ? "accepted" : checked.error().fields.at(0).code;
  };
  EXPECT_EQ(code_at("http://127.0.0.1:8080/"), "accepted");
  EXPECT_EQ(code_at("https://example.com/"), "accepted");
  EXPECT_EQ(code_at("http://169.254.169.254/"), "egress_refused");
  EXPECT_EQ(code_at("http://2852039166/"), "egress_refused");
  EXPECT_EQ(code_at("http://[::ffff:169.254.169.254]/"), "egress_refused");
  EXPECT_EQ(code_at("http://metadata.google.internal/"), "egress_refused");
  make({.client = {.policy = net::OutboundPolicy{net::EgressMode::public_, {}}}});
  EXPECT_EQ(code_at("http://127.0.0.1:8080/"), "egress_refused");
}

}  // namespace
}  // namespace chronos::executor
