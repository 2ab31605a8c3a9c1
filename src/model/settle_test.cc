#include "model/settle.h"

#include <gtest/gtest.h>

#include "model/retry.h"

namespace chronos {
namespace {

using namespace std::chrono_literals;

class StillClock final : public Clock {
 public:
  Timestamp now() const override { return from_micros(1'770'000'000'000'000); }
  SteadyTime steady() const override { return SteadyTime(0); }
};

class SettleTest : public testing::Test {
 protected:
  SettleTest() {
    job.id = ids.make<JobId>();
    job.spec.edit().retry.jitter = Jitter::none;
    outcome.kind = OutcomeKind::failed;
    outcome.reason = "exit_code";
    outcome.exit_code = 3;
  }

  Settlement settled(int attempt) {
    return settle({job.spec, job.failure_streak, job.id, job.project, "default", run, attempt,
                   planned, planned + 10s, outcome},
                  defaults, rng, ids);
  }

  StillClock clock;
  IdSource ids{clock, Rng(1)};
  Rng rng{7};
  Job job;
  RunId run = ids.make<RunId>();
  Timestamp planned = clock.now();
  Outcome outcome;
  NotifyDefaults defaults;
};

TEST_F(SettleTest, RetriesUntilTheAttemptsAreSpent) {
  EXPECT_EQ(settled(1).next, RunState::retrying);
  EXPECT_EQ(settled(1).retry_at, planned + 10s + 1s);
  EXPECT_EQ(settled(2).retry_at, planned + 10s + 2s);
  EXPECT_EQ(settled(3).next, RunState::failed);
  job.spec.edit().max_attempts = 0;
  EXPECT_EQ(settled(999).next, RunState::retrying);
}

TEST_F(SettleTest, WhoeverAsksAgainGetsAnotherAttempt) {
  job.spec.edit().max_attempts = 1;
  job.spec.edit().retry.on = {"timed_out"};
  JobSpec spec = job.spec;
  SettleInput input{spec,    job.failure_streak, job.id, job.project, "default", run, 5,
                    planned, planned + 10s,      outcome};
  EXPECT_EQ(settle(input, defaults, rng, ids).next, RunState::failed);
  input.asks_again = true;
  EXPECT_EQ(settle(input, defaults, rng, ids).retry_at, planned + 10s + 16s);  // the back-off
  outcome.retry_after = 3s;
  EXPECT_EQ(settle(input, defaults, rng, ids).retry_at, planned + 10s + 3s);
  spec.deadline = 13s;
  EXPECT_EQ(settle(input, defaults, rng, ids).next, RunState::failed);
}

TEST_F(SettleTest, EveryFailureKindHasItsFinalState) {
  job.spec.edit().max_attempts = 1;
  for (const auto& [kind, state] : {std::pair{OutcomeKind::failed, RunState::failed},
                                    std::pair{OutcomeKind::timed_out, RunState::timed_out},
                                    std::pair{OutcomeKind::lost, RunState::lost},
                                    std::pair{OutcomeKind::cancelled, RunState::cancelled},
                                    std::pair{OutcomeKind::succeeded, RunState::succeeded}}) {
    outcome.kind = kind;
    EXPECT_EQ(settled(1).next, state);
  }
}

TEST_F(SettleTest, SuccessAndCancelAreNeverRetriedAndTellNobody) {
  defaults.on_failure = {"ops@example.com"};
  for (const auto kind : {OutcomeKind::succeeded, OutcomeKind::cancelled}) {
    outcome.kind = kind;
    EXPECT_TRUE(is_final(settled(1).next));
    EXPECT_TRUE(settled(1).deliveries.empty());
  }
}

TEST_F(SettleTest, ALostAttemptOfAnAtMostOnceJobIsNotRepeated) {
  outcome.kind = OutcomeKind::lost;
  EXPECT_EQ(settled(1).next, RunState::retrying);
  job.spec.edit().on_lost = OnLost::fail;
  EXPECT_EQ(settled(1).next, RunState::lost);
}

TEST_F(SettleTest, ThreeAttemptsInARowThatLostTheirWorkerQuarantineTheRun) {
  job.spec.edit().max_attempts = 0;
  job.spec.edit().notify = {
      {.on = "failure", .after = 1, .email = {"a@example.com"}, .channel = {}}};
  job.spec.edit().action.kind = kWorkerKind;
  const auto attempt = [](OutcomeKind kind, std::string reason) {
    return Attempt{.outcome = {.kind = kind, .reason = std::move(reason), .error = {}}};
  };
  const auto lost = attempt(OutcomeKind::lost, "lease_expired");
  const auto handed_over = attempt(OutcomeKind::lost, "shutdown");
  const auto failed = attempt(OutcomeKind::failed, "worker");
  const auto after = [&](std::vector<Attempt> earlier) {
    outcome = lease_expired(job.spec, earlier);
    return settled(static_cast<int>(earlier.size()) + 1);
  };
  for (const auto& earlier : std::vector<std::vector<Attempt>>{{},
                                                               {lost},
                                                               {lost, failed},
                                                               {failed, lost},
                                                               {lost, handed_over},
                                                               {lost, lost, failed, lost}}) {
    EXPECT_EQ(after(earlier).next, RunState::retrying) << earlier.size();
    EXPECT_EQ(outcome.reason, "lease_expired");
  }
  const auto ended = after({failed, lost, lost});
  EXPECT_EQ(ended.next, RunState::lost);
  ASSERT_EQ(ended.deliveries.size(), 1U);
  EXPECT_EQ(ended.deliveries[0].message.error,
            "quarantined: in 3 attempts in a row the worker was not heard of for its lease");
  job.spec.edit().action.kind = "http";  // lost with the server
  EXPECT_EQ(after({lost, lost, lost}).next, RunState::retrying);
}

TEST_F(SettleTest, FiltersDecideWhatIsWorthARetry) {
  job.spec.edit().retry.on = {"timed_out", "exit:75", "http:5xx"};
  EXPECT_EQ(settled(1).next, RunState::failed);
  outcome.exit_code = 75;
  EXPECT_EQ(settled(1).next, RunState::retrying);
  outcome.exit_code.reset();
  outcome.http_status = 503;
  EXPECT_EQ(settled(1).next, RunState::retrying);
  outcome.http_status = 404;
  EXPECT_EQ(settled(1).next, RunState::failed);
}

TEST_F(SettleTest, MaxAgeAndDeadlineStopRetries) {
  job.spec.edit().retry.max_age = 10s;
  EXPECT_EQ(settled(1).next, RunState::failed);
  job.spec.edit().retry.max_age.reset();
  job.spec.edit().deadline = 11s;
  EXPECT_EQ(settled(1).next, RunState::failed);
  job.spec.edit().deadline = 12s;
  EXPECT_EQ(settled(1).next, RunState::retrying);
}

TEST_F(SettleTest, TellsEverybodyOnceAfterTheLastAttempt) {
  job.spec.edit().notify = {
      {.on = "failure", .after = 1, .email = {"a@example.com", "b@example.com"}, .channel = "hook"},
      {.on = "failure", .after = 1, .email = {"a@example.com"}, .channel = {}}};
  outcome.output = std::string(10'000, 'x') + "\nlast line\n";
  EXPECT_TRUE(settled(2).deliveries.empty());
  const auto deliveries = settled(3).deliveries;
  ASSERT_EQ(deliveries.size(), 3u);
  EXPECT_EQ(deliveries[0].message.attempts, 3);
  EXPECT_EQ(deliveries[0].message.output_tail, "last line\n");
}

TEST_F(SettleTest, ARuleMayWaitForAStreak) {
  job.spec.edit().notify = {
      {.on = "failure", .after = 3, .email = {"a@example.com"}, .channel = {}}};
  job.failure_streak = 1;
  EXPECT_TRUE(settled(3).deliveries.empty());
  job.failure_streak = 2;
  EXPECT_EQ(settled(3).deliveries.size(), 1u);
}

TEST_F(SettleTest, TheDefaultRuleServesJobsWithoutTheirOwn) {
  defaults.on_failure = {"ops@example.com"};
  ASSERT_EQ(settled(3).deliveries.size(), 1u);
  EXPECT_EQ(settled(3).deliveries[0].target.address, "ops@example.com");
  job.spec.edit().notify = {{.on = "failure", .after = 1, .email = {}, .channel = "hook"}};
  EXPECT_EQ(settled(3).deliveries[0].target.kind, "webhook");
}

TEST(Retry, DelaysGrowByThePolicyUpToTheirLimit) {
  Rng rng(1);
  RetryPolicy policy;
  policy.jitter = Jitter::none;
  policy.max_delay = 10s;
  const auto delay = [&](int attempt) { return retry_delay(policy, attempt, {}, rng); };
  EXPECT_EQ(delay(1), 1s);
  EXPECT_EQ(delay(4), 8s);
  EXPECT_EQ(delay(5), 10s);
  EXPECT_EQ(delay(1000), 10s);
  policy.backoff = Backoff::linear;
  EXPECT_EQ(delay(3), 3s);
  policy.backoff = Backoff::fixed;
  EXPECT_EQ(delay(3), 1s);
}

TEST(Retry, FullJitterSpreadsOverTheWholeDelay) {
  Rng rng(1);
  const RetryPolicy policy;
  Duration least = 1h, most{0};
  for (int i = 0; i < 1000; ++i) {
    const auto delay = retry_delay(policy, 4, {}, rng);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_LT(least, 500ms);
  EXPECT_GT(most, 7500ms);
  EXPECT_LE(most, 8s);
}

TEST(Retry, WhatTheTargetAskedForIsHonoured) {
  Rng rng(1);
  Outcome outcome;
  outcome.retry_after = 30s;
  EXPECT_EQ(retry_delay({}, 1, outcome, rng), 30s);
  outcome.retry_after = 48h;
  EXPECT_EQ(retry_delay({}, 1, outcome, rng), 24h);
}

}  // namespace
}  // namespace chronos
