// The protocol of remote workers (docs/workers.md).
#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <thread>

#include "contract/api_fixture.h"
#include "contract/openapi.h"
#include "service/work_request.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

class WorkersApi : public ApiTest {
 protected:
  static std::string pulled(std::string_view members = {}) {
    std::string body = R"({"name": "a job", "action": {"kind": "worker"})";
    if (!members.empty()) body.append(", ").append(members);
    return body + "}";
  }
  std::string submit(std::string_view members = {}) {
    const auto answer = post("/api/submitJob", pulled(members));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.text("/id");
  }
  Answered claim(std::string_view members = {}) {
    std::string body = R"({"worker": "mill")";
    if (!worker_.empty()) body = fmt::format(R"({{"worker_id": "{}")", worker_);
    if (!members.empty()) body.append(", ").append(members);
    auto answer = post("/api/workers/claim", body + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    if (answer.status == 200) worker_ = answer.text("/worker_id");
    return answer;
  }
  Answered settle(std::string_view members) {
    return post("/api/workers/settle",
                fmt::format(R"({{"worker_id": "{}", {}}})", worker_, members));
  }
  // The entry of the one run of a claim.
  static std::string entry(const Answered& claimed, std::string_view members = {}) {
    std::string text = fmt::format(R"({{"run": "{}", "token": {})", claimed.text("/runs/0/id"),
                                   claimed.at("/runs/0/token").integer);
    if (!members.empty()) text.append(", ").append(members);
    return text + "}";
  }
  Answered report(const Answered& claimed, std::string_view members) {
    return settle(fmt::format(R"("outcomes": [{}])", entry(claimed, members)));
  }
  Answered run_of(const Answered& claimed) {
    return get("/api/runs/" + claimed.text("/runs/0/id"));
  }
  // Returns once the worker of this test waits for runs.
  void wait_for_poll() {
    while (!get("/api/workers").at("/workers/0/polling").boolean) std::this_thread::yield();
  }

  std::string worker_;
};

TEST_F(WorkersApi, ARunIsClaimedDoneAndRecorded) {
  const auto job = submit(R"("payload": {"n": 1.50}, "metadata": {"team": "data"}, "queue": "q")");
  const auto claimed = claim(R"("queues": ["q"], "max": 10)");
  ASSERT_EQ(claimed.at("/runs").elements.size(), 1U);
  EXPECT_EQ(claimed.text("/runs/0/job_id"), job);
  EXPECT_EQ(claimed.text("/runs/0/name"), "a job");
  EXPECT_EQ(claimed.text("/runs/0/queue"), "q");
  EXPECT_EQ(claimed.at("/runs/0/payload").raw, R"({"n": 1.50})");
  EXPECT_EQ(claimed.at("/runs/0/attempt").integer, 1);
  EXPECT_EQ(claimed.at("/runs/0/max_attempts").integer, 3);
  EXPECT_EQ(claimed.text("/runs/0/deadline"), "2026-03-02T12:05:00.000Z");
  EXPECT_EQ(claimed.text("/runs/0/metadata/team"), "data");
  EXPECT_EQ(claimed.text("/lease_ttl"), "15s");
  EXPECT_EQ(claimed.text("/heartbeat"), "5s");
  EXPECT_EQ(run_of(claimed).text("/state"), "running");
  EXPECT_EQ(run_of(claimed).text("/node"), "mill");

  const auto settled = report(claimed, R"("outcome": "succeeded", "output": "done\n")");
  EXPECT_EQ(settled.text("/outcomes/0"), "ok");
  EXPECT_EQ(run_of(claimed).text("/state"), "succeeded");
  EXPECT_EQ(get("/api/runs/" + claimed.text("/runs/0/id") + "/output").body, "done\n");
  // Again: it is not this worker's any more.
  EXPECT_EQ(report(claimed, R"("outcome": "failed")").text("/outcomes/0"), "stale");
  EXPECT_EQ(run_of(claimed).text("/state"), "succeeded");
}

TEST_F(WorkersApi, AFailureIsRetriedByThePolicy) {
  submit(R"("retry": {"delay": "10s", "jitter": "none"})");
  const auto claimed = claim();
  EXPECT_EQ(report(claimed, R"("outcome": "failed", "error": "out of paper")").text("/outcomes/0"),
            "ok");
  const auto run = run_of(claimed);
  EXPECT_EQ(run.text("/state"), "retrying");
  EXPECT_EQ(run.text("/error"), "out of paper");
  EXPECT_EQ(run.text("/next_attempt_at"), "2026-03-02T12:00:10.000Z");
  EXPECT_EQ(run.text("/attempts/0/reason"), "worker");
}

TEST_F(WorkersApi, RetryLaterNeedsNoAttemptsLeft) {
  submit(R"("max_attempts": 1)");
  auto claimed = claim();
  EXPECT_EQ(report(claimed, R"("outcome": "retry_later", "retry_after": "1m")").status, 200);
  EXPECT_EQ(run_of(claimed).text("/state"), "retrying");
  EXPECT_EQ(run_of(claimed).text("/next_attempt_at"), "2026-03-02T12:01:00.000Z");
  EXPECT_EQ(run_of(claimed).text("/attempts/0/reason"), "retry_later");
  clock_.advance(1min);
  ASSERT_TRUE(commit_and_wait(store_, store::ReleaseDue{clock_.now()}));
  claimed = claim();
  EXPECT_EQ(claimed.at("/runs/0/attempt").integer, 2);
  report(claimed, R"("outcome": "failed")");
  EXPECT_EQ(run_of(claimed).text("/state"), "failed");
}

TEST_F(WorkersApi, SettlingTakesTheNextRunsAlong) {
  submit();
  submit();
  const auto first = claim();
  const auto both = settle(fmt::format(R"("outcomes": [{}], "claim": {{"max": 5}})",
                                       entry(first, R"("outcome": "succeeded")")));
  EXPECT_EQ(both.text("/outcomes/0"), "ok");
  ASSERT_EQ(both.at("/runs").elements.size(), 1U);
  EXPECT_NE(both.text("/runs/0/id"), first.text("/runs/0/id"));
}

TEST_F(WorkersApi, EachEntryIsAnsweredForItself) {
  submit();
  submit();
  const auto claimed = claim(R"("max": 2)");
  const auto answer = settle(fmt::format(
      R"("outcomes": [{}, {{"run": "{}", "token": 1, "outcome": "failed"}},
         {{"run": "{}", "token": 99, "outcome": "failed"}}], "release": [{}])",
      entry(claimed, R"("outcome": "succeeded")"), ids_.make<RunId>().to_string(),
      claimed.text("/runs/1/id"), entry(claimed)));
  EXPECT_EQ(answer.text("/outcomes/0"), "ok");
  EXPECT_EQ(answer.text("/outcomes/1"), "unknown");
  EXPECT_EQ(answer.text("/outcomes/2"), "stale");
  EXPECT_EQ(answer.text("/release/0"), "stale");  // settled in the same turn
}

TEST_F(WorkersApi, WhatIsReleasedIsReadyAgain) {
  submit();
  const auto claimed = claim();
  EXPECT_EQ(settle(fmt::format(R"("release": [{}])", entry(claimed))).text("/release/0"), "ok");
  EXPECT_EQ(run_of(claimed).text("/state"), "queued");
  EXPECT_EQ(run_of(claimed).at("/attempts_made").integer, 0);
  const auto again = claim();
  EXPECT_EQ(again.text("/runs/0/id"), claimed.text("/runs/0/id"));
  EXPECT_EQ(again.at("/runs/0/attempt").integer, 1);
}

// Of a worker that stops while it runs.
TEST_F(WorkersApi, WhatIsGivenUpIsLostAndOnLostDecides) {
  submit(R"("on_lost": "retry", "retry": {"delay": "10s", "jitter": "none"})");
  auto claimed = claim();
  EXPECT_EQ(report(claimed, R"("outcome": "lost")").text("/outcomes/0"), "ok");
  auto run = run_of(claimed);
  EXPECT_EQ(run.text("/state"), "retrying");
  EXPECT_EQ(run.at("/attempts_made").integer, 1);
  EXPECT_EQ(run.text("/attempts/0/state"), "lost");
  EXPECT_EQ(run.text("/attempts/0/reason"), "shutdown");
  EXPECT_EQ(run.text("/attempts/0/error"), "the worker stopped before the attempt ended");

  submit(R"("on_lost": "fail")");
  claimed = claim();
  EXPECT_EQ(report(claimed, R"("outcome": "lost", "error": "a new version")").status, 200);
  run = run_of(claimed);
  EXPECT_EQ(run.text("/state"), "lost");
  EXPECT_EQ(run.text("/reason"), "shutdown");
  EXPECT_EQ(run.text("/error"), "a new version");
}

TEST_F(WorkersApi, CancelsAreToldWithTheHeartbeat) {
  submit();
  const auto claimed = claim();
  EXPECT_EQ(post("/api/runs/" + claimed.text("/runs/0/id") + "/cancel").status, 200);
  const auto beat = settle(R"("outcomes": [])");
  EXPECT_EQ(beat.text("/cancel/0"), claimed.text("/runs/0/id"));
  report(claimed, R"("outcome": "cancelled")");
  EXPECT_EQ(run_of(claimed).text("/state"), "cancelled");
  EXPECT_TRUE(settle(R"("outcomes": [])").at("/cancel").elements.empty());
}

TEST_F(WorkersApi, ProgressIsShownAndItsLinesAreKept) {
  submit();
  const auto claimed = claim();
  settle(fmt::format(
      R"("progress": [{}])",
      entry(claimed, R"("percent": 40, "message": "page 4 of 10", "output": "line 1\n")")));
  const auto listed = get("/api/workers");
  EXPECT_EQ(listed.text("/workers/0/id"), worker_);
  EXPECT_EQ(listed.text("/workers/0/name"), "mill");
  EXPECT_EQ(listed.at("/workers/0/queues").type, json::Type::null);
  EXPECT_TRUE(listed.at("/workers/0/alive").boolean);
  EXPECT_FALSE(listed.at("/workers/0/polling").boolean);
  EXPECT_EQ(listed.at("/workers/0/running").integer, 1);
  EXPECT_EQ(listed.text("/workers/0/runs/0/id"), claimed.text("/runs/0/id"));
  EXPECT_EQ(listed.at("/workers/0/runs/0/percent").integer, 40);
  EXPECT_EQ(listed.text("/workers/0/runs/0/message"), "page 4 of 10");
  report(claimed, R"("outcome": "failed", "output": "line 2\n")");
  EXPECT_EQ(get("/api/runs/" + claimed.text("/runs/0/id") + "/output").body, "line 1\nline 2\n");
  // Whoever goes on with what is not his is told to stop.
  const auto stale = settle(fmt::format(R"("progress": [{}])", entry(claimed)));
  EXPECT_EQ(stale.text("/cancel/0"), claimed.text("/runs/0/id"));
}

TEST_F(WorkersApi, AttemptsEndAtTheirDeadline) {
  submit(R"("timeout": "10s", "max_attempts": 1)");
  const auto claimed = claim();
  EXPECT_EQ(claimed.text("/runs/0/deadline"), "2026-03-02T12:00:10.000Z");
  settle(fmt::format(R"("progress": [{}])", entry(claimed, R"("output": "began\n")")));
  clock_.advance(10s - 1us);
  workers_.step();
  settle(R"("outcomes": [])");
  EXPECT_EQ(run_of(claimed).text("/state"), "running");
  clock_.advance(1us);
  workers_.step();
  const auto late = report(claimed, R"("outcome": "succeeded")");
  EXPECT_EQ(late.text("/outcomes/0"), "stale");
  const auto run = run_of(claimed);
  EXPECT_EQ(run.text("/state"), "timed_out");
  EXPECT_EQ(run.text("/error"), "the worker reported nothing within 10s");
  EXPECT_EQ(get("/api/runs/" + claimed.text("/runs/0/id") + "/output").body, "began\n");
}

TEST_F(WorkersApi, WhatCannotStartInTimeIsNotHandedOut) {
  const auto job = submit(R"("deadline": "10s")");
  clock_.advance(10s);
  EXPECT_TRUE(claim().at("/runs").elements.empty());
  settle(R"("outcomes": [])");
  EXPECT_EQ(get("/api/jobs/" + job).text("/status"), "failed");
}

TEST_F(WorkersApi, TheRunsHeldBeforeARestartCanBeSettled) {
  submit(R"("max_attempts": 1, "timeout": "1m")");
  submit(R"("max_attempts": 1, "timeout": "1m")");
  const auto claimed = claim(R"("max": 2)");
  service::Workers after(store_, clock_, ids_, Rng(3), {});
  service::SettleRequest request;
  request.id = WorkerId::parse(worker_);
  request.outcomes = {{.run = *RunId::parse(claimed.text("/runs/0/id")),
                       .token = claimed.at("/runs/0/token").integer,
                       .outcome = service::WorkOutcome::succeeded,
                       .error = {},
                       .output = {},
                       .retry_after = {}}};
  std::promise<Result<service::WorkReply>> promise;
  const service::Principal who{{}, {}, project_, "default", Role::worker};
  after.settle(who, std::move(request), {},
               [&](Result<service::WorkReply> reply) { promise.set_value(std::move(reply)); });
  const auto reply = promise.get_future().get();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->outcomes, std::vector{service::Settled::ok});
  EXPECT_EQ(run_of(claimed).text("/state"), "succeeded");
  clock_.advance(1min);
  after.step();
  settle(R"("outcomes": [])");
  EXPECT_EQ(get("/api/runs/" + claimed.text("/runs/1/id")).text("/state"), "timed_out");
}

TEST_F(WorkersApi, WhatAnAttemptFromBeforeARestartPrintedIsKeptWhenItsTimeIsOver) {
  submit(R"("max_attempts": 1, "timeout": "1m")");
  const auto claimed = claim();
  settle(fmt::format(R"("progress": [{}])", entry(claimed, R"("output": "began\n")")));
  settle(R"("outcomes": [])");
  service::Workers after(store_, clock_, ids_, Rng(3), {});
  clock_.advance(1min);
  after.step();
  settle(R"("outcomes": [])");
  EXPECT_EQ(run_of(claimed).text("/state"), "timed_out");
  EXPECT_EQ(get("/api/runs/" + claimed.text("/runs/0/id") + "/output").body, "began\n");
}

// A second node's workers, as far as one process can have them.
TEST_F(WorkersApi, ARunClaimedAtOneNodeIsHandedBackByTheOther) {
  submit();
  const auto first = claim(R"("queues": ["default"])");
  submit();
  const auto lost = claim();
  service::Workers other(store_, clock_, ids_, Rng(3), {});
  service::ClaimRequest request;
  request.id = WorkerId::parse(worker_);
  request.holding = {{*RunId::parse(first.text("/runs/0/id"))}};
  request.max = 5;
  std::promise<Result<service::WorkReply>> promise;
  const service::Principal who{{}, {}, project_, "default", Role::worker};
  other.claim(who, std::move(request), {},
              [&](Result<service::WorkReply> reply) { promise.set_value(std::move(reply)); });
  const auto reply = promise.get_future().get();
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->runs.size(), 1U);
  EXPECT_EQ(reply->runs[0].claimed.run.to_string(), lost.text("/runs/0/id"));
  EXPECT_EQ(reply->runs[0].claimed.node, "mill");
  EXPECT_EQ(get("/api/workers").text("/workers/0/queues/0"), "default");
  EXPECT_EQ(settle(fmt::format(R"("outcomes": [{{"run": "{}", "token": {},
                                  "outcome": "succeeded"}}])",
                               lost.text("/runs/0/id"), reply->runs[0].claimed.token))
                .text("/outcomes/0"),
            "ok");
}

TEST_F(WorkersApi, NobodyHandsBackTheRunsOfAnotherProject) {
  submit();
  const auto claimed = claim();
  service::ClaimRequest request;
  request.id = WorkerId::parse(worker_);
  request.holding.emplace();
  std::promise<Result<service::WorkReply>> promise;
  const service::Principal stranger{{}, {}, ids_.make<ProjectId>(), "other", Role::worker};
  workers_.claim(stranger, std::move(request), {},
                 [&](Result<service::WorkReply> reply) { promise.set_value(std::move(reply)); });
  EXPECT_FALSE(promise.get_future().get());
  EXPECT_EQ(run_of(claimed).text("/state"), "running");
  EXPECT_EQ(report(claimed, R"("outcome": "succeeded")").text("/outcomes/0"), "ok");
}

// -- Waiting --------------------------------------------------------------------------------------

TEST_F(WorkersApi, AWaitingClaimIsAnsweredByTheSubmit) {
  claim();
  auto waiting = std::async(std::launch::async, [&] { return claim(R"("wait": "30s")"); });
  wait_for_poll();
  const auto job = submit();
  const auto claimed = waiting.get();
  ASSERT_EQ(claimed.at("/runs").elements.size(), 1U);
  EXPECT_EQ(claimed.text("/runs/0/job_id"), job);
}

TEST_F(WorkersApi, AWaitingClaimTakesItsQueuesOnly) {
  claim(R"("queues": ["mine"])");
  auto waiting = std::async(std::launch::async, [&] { return claim(R"("wait": "30s")"); });
  wait_for_poll();
  submit(R"("queue": "other")");
  wait_for_poll();
  const auto job = submit(R"("queue": "mine")");
  EXPECT_EQ(waiting.get().text("/runs/0/job_id"), job);
}

TEST_F(WorkersApi, AWaitEndsInTime) {
  claim();
  auto waiting = std::async(std::launch::async, [&] { return claim(R"("wait": "9s")"); });
  wait_for_poll();
  clock_.advance(9s - 1us);
  workers_.step();
  wait_for_poll();
  clock_.advance(1us);
  workers_.step();
  EXPECT_TRUE(waiting.get().at("/runs").elements.empty());
}

// A process that is stopped leaves its poll behind. When its lease has run out it must not be given
// the run that it has just lost.
TEST_F(WorkersApi, AWaitIsNoLongerThanTheLease) {
  claim();
  auto waiting = std::async(std::launch::async, [&] { return claim(R"("wait": "30s")"); });
  wait_for_poll();
  clock_.advance(15s);
  workers_.step();
  EXPECT_TRUE(waiting.get().at("/runs").elements.empty());
}

TEST_F(WorkersApi, ADrainEndsTheWait) {
  claim();
  auto waiting = std::async(std::launch::async, [&] { return claim(R"("wait": "30s")"); });
  wait_for_poll();
  workers_.drain();
  EXPECT_TRUE(waiting.get().at("/runs").elements.empty());
  submit();
  EXPECT_TRUE(claim(R"("wait": "30s")").at("/runs").elements.empty());
}

TEST_F(WorkersApi, RoomInAFullQueueWakesWhoWaitsForIt) {
  submit(R"("queue": "narrow")");
  const auto second = submit(R"("queue": "narrow")");
  const auto first = claim(R"("max": 5)");
  ASSERT_EQ(first.at("/runs").elements.size(), 1U);
  auto waiting = std::async(std::launch::async, [&] { return claim(R"("wait": "30s")"); });
  wait_for_poll();
  report(first, R"("outcome": "succeeded")");
  EXPECT_EQ(waiting.get().text("/runs/0/job_id"), second);
}

TEST_F(WorkersApi, RunsForSomebodyWhoHungUpAreHandedBack) {
  claim();
  const auto job = submit();
  std::stop_source gone;
  gone.request_stop();
  service::ClaimRequest request;
  request.id = WorkerId::parse(worker_);
  std::promise<Result<service::WorkReply>> promise;
  const service::Principal who{{}, {}, project_, "default", Role::worker};
  workers_.claim(who, std::move(request), gone.get_token(),
                 [&](Result<service::WorkReply> reply) { promise.set_value(std::move(reply)); });
  const auto reply = promise.get_future().get();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->runs.empty());
  settle(R"("outcomes": [])");
  EXPECT_EQ(claim().text("/runs/0/job_id"), job);
}

// -- Who may what ---------------------------------------------------------------------------------

TEST_F(WorkersApi, WhatAWorkerDoesNotKnowOfIsHandedBack) {
  submit();
  const auto first = claim();
  submit();
  const auto lost = claim();  // of this answer the worker sees nothing
  const auto holding = fmt::format(R"("holding": ["{}"], "max": 10)", first.text("/runs/0/id"));
  const auto again = claim(holding);
  ASSERT_EQ(again.at("/runs").elements.size(), 1U);
  EXPECT_EQ(again.text("/runs/0/id"), lost.text("/runs/0/id"));
  EXPECT_EQ(again.at("/runs/0/attempt").integer, 1);
  EXPECT_NE(again.at("/runs/0/token").integer, lost.at("/runs/0/token").integer);
  EXPECT_EQ(report(lost, R"("outcome": "succeeded")").text("/outcomes/0"), "stale");
  EXPECT_EQ(report(first, R"("outcome": "succeeded")").text("/outcomes/0"), "ok");
  EXPECT_EQ(report(again, R"("outcome": "succeeded")").text("/outcomes/0"), "ok");
}

TEST_F(WorkersApi, ProjectsAreWalls) {
  submit();
  const auto claimed = claim();
  const auto as_other = [&](std::string path, std::string body) {
    return send({http::Method::post,
                 std::move(path),
                 std::move(body),
                 other_key_,
                 {{"Content-Type", "application/json"}}});
  };
  const auto mine = fmt::format(R"({{"worker_id": "{}"}})", worker_);
  EXPECT_EQ(as_other("/api/workers/claim", mine).status, 404);
  EXPECT_EQ(as_other("/api/workers/settle", mine).status, 404);
  const auto theirs = as_other("/api/workers/claim", R"({"worker": "thief"})");
  EXPECT_TRUE(theirs.at("/runs").elements.empty());
  const auto stolen =
      as_other("/api/workers/settle",
               fmt::format(R"({{"worker_id": "{}", "outcomes": [{}], "release": [{}]}})",
                           theirs.text("/worker_id"), entry(claimed, R"("outcome": "failed")"),
                           entry(claimed)));
  EXPECT_EQ(stolen.text("/outcomes/0"), "unknown");
  EXPECT_EQ(stolen.text("/release/0"), "unknown");
  EXPECT_EQ(run_of(claimed).text("/state"), "running");
  EXPECT_EQ(get("/api/workers", other_key_).at("/workers").elements.size(), 1U);
  EXPECT_EQ(get("/api/workers").at("/workers").elements.size(), 1U);
}

TEST_F(WorkersApi, WorkersKeysDoNothingElse) {
  const auto with_key = [&](http::Method method, std::string path, std::string body) {
    return send({method,
                 std::move(path),
                 std::move(body),
                 key_of(Role::worker),
                 {{"Content-Type", "application/json"}}})
        .status;
  };
  EXPECT_EQ(with_key(http::Method::post, "/api/workers/claim", R"({"worker": "mill"})"), 200);
  EXPECT_EQ(with_key(http::Method::get, "/api/workers", {}), 403);
  EXPECT_EQ(with_key(http::Method::post, "/api/submitJob", pulled()), 403);
}

TEST_F(WorkersApi, WorkersThatNobodyKnowsBeginAnew) {
  worker_ = ids_.make<WorkerId>().to_string();
  const auto answer = post("/api/workers/claim", fmt::format(R"({{"worker_id": "{}"}})", worker_));
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.text("/hint").find("without 'worker_id'"), std::string::npos);
  EXPECT_EQ(settle(R"("outcomes": [])").status, 404);
}

// -- Bad input ------------------------------------------------------------------------------------

class WorkersInput : public WorkersApi {
 protected:
  struct Case {
    std::string path;
    std::string body;
    std::string pointer;
    std::string code;
  };
  void expect_refused(const std::vector<Case>& cases) {
    for (const auto& [path, body, pointer, code] : cases) {
      const auto answer = post("/api/workers/" + path, body);
      ASSERT_EQ(answer.status, 422) << path << " " << body << "\n" << answer.body;
      EXPECT_EQ(answer.text("/errors/0/pointer"), pointer) << body << answer.body;
      EXPECT_EQ(answer.text("/errors/0/code"), code) << body << answer.body;
    }
  }
};

TEST_F(WorkersInput, WhatIsWrongWithASettlementIsNamed) {
  claim();
  const auto run = ids_.make<RunId>().to_string();
  const auto settle_with = [&](std::string_view members) {
    return fmt::format(R"({{"worker_id": "{}", {}}})", worker_, members);
  };
  expect_refused({
      {"settle", "{}", "/worker_id", "required"},
      {"settle", settle_with(R"("outcomes": {})"), "/outcomes", "wrong_type"},
      {"settle", settle_with(R"("outcomes": [{}])"), "/outcomes/0/run", "required"},
      {"settle",
       settle_with(fmt::format(R"("outcomes": [{{"run": "{}", "outcome": "failed"}}])", run)),
       "/outcomes/0/token", "required"},
      {"settle", settle_with(fmt::format(R"("outcomes": [{{"run": "{}", "token": 1}}])", run)),
       "/outcomes/0/outcome", "required"},
      {"settle",
       settle_with(
           fmt::format(R"("outcomes": [{{"run": "{}", "token": 1, "outcome": "done"}}])", run)),
       "/outcomes/0/outcome", "unknown_value"},
      {"settle", settle_with(R"("outcomes": [{"run": "job_1", "token": 1, "outcome": "failed"}])"),
       "/outcomes/0/run", "bad_id"},
      {"settle",
       settle_with(
           fmt::format(R"("outcomes": [{{"run": "{}", "token": 1.5, "outcome": "failed"}}])", run)),
       "/outcomes/0/token", "wrong_type"},
      {"settle",
       settle_with(fmt::format(
           R"("outcomes": [{{"run": "{}", "token": 1, "outcome": "succeeded", "retry_after": "1s"}}])",
           run)),
       "/outcomes/0/retry_after", "not_applicable"},
      {"settle",
       settle_with(fmt::format(
           R"("outcomes": [{{"run": "{}", "token": 1, "outcome": "failed", "retry_after": "2d"}}])",
           run)),
       "/outcomes/0/retry_after", "out_of_range"},
      {"settle",
       settle_with(
           fmt::format(R"("progress": [{{"run": "{}", "token": 1, "percent": 101}}])", run)),
       "/progress/0/percent", "out_of_range"},
      {"settle", settle_with(fmt::format(R"("release": [{{"run": "{}"}}])", run)),
       "/release/0/token", "required"},
      {"settle", settle_with(R"("claim": {"max": 5000})"), "/claim/max", "out_of_range"},
      {"settle", settle_with(R"("claim": {"worker": "other"})"), "/claim/worker", "unknown_field"},
      {"settle", settle_with(R"("heartbeat": true)"), "/heartbeat", "unknown_field"},
  });
}

TEST_F(WorkersInput, WhatIsWrongWithAClaimIsNamed) {
  expect_refused({
      {"claim", "{}", "/worker", "required"},
      {"claim", R"({"worker": ""})", "/worker", "too_short"},
      {"claim", R"({"worker": 7})", "/worker", "wrong_type"},
      {"claim", R"({"worker_id": "mill"})", "/worker_id", "bad_id"},
      {"claim", R"({"worker": "a", "max": 0})", "/max", "out_of_range"},
      {"claim", R"({"worker": "a", "max": 1001})", "/max", "out_of_range"},
      {"claim", R"({"worker": "a", "wait": "31s"})", "/wait", "out_of_range"},
      {"claim", R"({"worker": "a", "wait": "soon"})", "/wait", "bad_duration"},
      {"claim", R"({"worker": "a", "queues": []})", "/queues", "too_short"},
      {"claim", R"({"worker": "a", "queues": ["a b"]})", "/queues/0", "bad_slug"},
      {"claim", R"({"worker": "a", "queues": ["a", "a"]})", "/queues/1", "repeated"},
      {"claim", R"({"worker": "a", "holding": []})", "/holding", "not_applicable"},
      {"claim", R"({"worker": "a", "holding": ["run_1"]})", "/holding/0", "bad_id"},
      {"claim", R"({"worker": "a", "queue": "q"})", "/queue", "unknown_field"},
      {"claim", "[]", "", "wrong_type"},
  });
}

TEST_F(WorkersApi, TheDocumentHasTheFieldsOfTheTables) {
  const auto& api = OpenApi::built_in();
  const auto sorted = [](std::vector<std::string_view> names) {
    std::vector<std::string> list(names.begin(), names.end());
    std::ranges::sort(list);
    return list;
  };
  EXPECT_EQ(api.property_names("ClaimRequest"), sorted(service::claim_field_names()));
  EXPECT_EQ(api.property_names("SettleRequest"), sorted(service::settle_field_names()));
  EXPECT_EQ(api.property_names("OutcomeRequest"), sorted(service::outcome_field_names()));
  EXPECT_EQ(api.property_names("ProgressRequest"), sorted(service::progress_field_names()));
}

}  // namespace
}  // namespace chronos::contract
