#include "executor/executors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <set>
#include <string_view>

#include "model/retry.h"
#include "net/http_call.h"

namespace chronos::executor {
namespace {

using testing::HasSubstr;

const SystemClock clock;

ExecutorsOptions allowing() {
  ExecutorsOptions options;
  options.command.is_allowed = true;
  options.command.server_id = "executors-test";
  return options;
}

TEST(Executors, ChecksWithTheExecutorOfTheKind) {
  const Executors executors(clock, allowing());
  const auto good = json::parse(R"({"kind":"command","argv":["true"]})");
  const auto bad = json::parse(R"({"kind":"command","argv":[]})");
  EXPECT_TRUE(executors.check("command", good->root()));
  const auto refused = executors.check("command", bad->root());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fields[0].pointer, "/action/argv");
}

TEST(Executors, AnUnknownKindIsRefusedWithTheNearest) {
  const Executors executors(clock, allowing());
  const auto config = json::parse("{}");
  const auto misspelt = executors.check("comand", config->root());
  ASSERT_FALSE(misspelt);
  EXPECT_EQ(misspelt.error().fields[0].pointer, "/action/kind");
  EXPECT_EQ(misspelt.error().fields[0].code, "unknown_kind");
  EXPECT_EQ(misspelt.error().fields[0].hint, "did you mean 'command'?");
  const auto unknown = executors.check("xyz", config->root());
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().fields[0].hint, HasSubstr("command"));
}

TEST(Executors, WorkersActionsAreKnownAndStartedByNoServer) {
  const Executors executors(clock, allowing());
  EXPECT_TRUE(executors.check("worker", json::parse(R"({"kind":"worker"})")->root()));
  const auto queue =
      executors.check("worker", json::parse(R"({"kind":"worker","queue":"q"})")->root());
  ASSERT_FALSE(queue);
  EXPECT_EQ(queue.error().fields[0].pointer, "/action/queue");
  EXPECT_THAT(queue.error().fields[0].message, HasSubstr("field of the job"));
  const auto other = executors.check("worker", json::parse(R"({"kind":"worker","url":1})")->root());
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().fields[0].pointer, "/action/url");
  EXPECT_EQ(other.error().fields[0].code, "unknown_field");
  EXPECT_EQ(executors.find("worker"), nullptr);
}

// retry.on may name whatever an attempt can end with and be tried again for, and nothing else.
TEST(Executors, EveryReasonIsARetryFilter) {
  std::set<std::string_view> reasons = {
      "http_status", "bad_action",   "signing",                  // http_executor.cc
      "exit_code",   "signal",       "spawn",        "timeout",  // command_executor.cc and its like
      "action",      "shutdown",     "exit_unknown",             // both
      "worker",      "lease_expired"};                           // of workers and of nodes
  for (auto failure = net::HttpFailure::bad_call; failure <= net::HttpFailure::redirect;
       failure = static_cast<net::HttpFailure>(static_cast<int>(failure) + 1)) {
    reasons.insert(net::to_string(failure));
  }
  for (const auto reason : reasons) EXPECT_TRUE(is_retry_filter(reason)) << reason;
  for (const auto* other : {"policy", "too_large", "cancelled", "stopped", "none", "deadline"}) {
    EXPECT_FALSE(is_retry_filter(other)) << other;
  }
}

TEST(Executors, FindsByKind) {
  const Executors executors(clock, allowing());
  EXPECT_NE(executors.find("command"), nullptr);
  EXPECT_EQ(executors.find("Command"), nullptr);
  EXPECT_EQ(executors.find(""), nullptr);
}

// A stop that comes together with a start once waited for a wake-up that nobody sent.
TEST(Executors, AStopRightAfterAStartReturns) {
  for (int i = 0; i < 200; ++i) {
    Executors executors(clock, allowing());
    std::promise<Outcome> promise;
    Launch launch;
    launch.config = R"({"kind":"command","argv":["/bin/true"]})";
    executors.find("command")->start(launch, [&](Outcome outcome) { promise.set_value(outcome); });
    executors.stop();
    EXPECT_EQ(promise.get_future().wait_for(std::chrono::seconds(0)), std::future_status::ready);
  }
}

TEST(Executors, StopStopsThemAll) {
  Executors executors(clock, allowing());
  std::promise<Outcome> promise;
  Launch launch;
  launch.config = R"({"kind":"command","argv":["/bin/sleep","1000"]})";
  executors.find("command")->start(launch, [&](Outcome outcome) { promise.set_value(outcome); });
  executors.stop();
  EXPECT_EQ(promise.get_future().get().reason, "shutdown");
}

}  // namespace
}  // namespace chronos::executor
