// POST /api/jobs/:job_id/backfill: the preview, the runs, every refusal; and misfire.policy ask,
// whose decision it is.
#include <fmt/format.h>

#include "contract/api_fixture.h"
#include "model/planner.h"
#include "schedule/schedule.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

// A job that fires every hour since 12:00.
class BackfillApi : public ApiTest {
 protected:
  BackfillApi() : job_(hourly()) {}

  std::string hourly(std::string_view members = {}) {
    std::string text = R"("cron": "0 * * * *")";
    if (!members.empty()) text.append(", ").append(members);
    return make_job(text);
  }
  // What the scheduler does when it comes back.
  void plan() {
    for (auto due = *store_.due_runs(clock_.now(), 100); !due.empty();
         due = *store_.due_runs(clock_.now(), 100)) {
      for (const auto& run : due) {
        const auto schedule = schedule::Schedule::compile(run.job->spec->schedule);
        const DueInput input{*run.job,    *schedule,    run.run, run.planned_at,    run.is_running,
                             run.is_held, clock_.now(), {},      run.is_backfilling};
        ASSERT_TRUE(
            commit_and_wait(store_, store::CommitPlan{plan_due(input, ids_), clock_.now()}));
      }
    }
  }
  static std::string body(std::string_view members = {}, std::string_view from = "12:00",
                          std::string_view until = "18:00") {
    return fmt::format(R"({{"from": "2026-03-02T{}:00Z", "until": "2026-03-02T{}:00Z"{}{}}})", from,
                       until, members.empty() ? "" : ", ", members);
  }
  Answered backfill(const std::string& body, std::vector<http::Header> headers = {}) {
    return post(path(), body, std::move(headers));
  }
  std::string path() const { return "/api/jobs/" + job_ + "/backfill"; }
  // The job after an outage of `time`, in which instants passed.
  void miss(std::string_view policy, Duration time) {
    job_ = hourly(fmt::format(R"("misfire": {{"policy": "{}"}})", policy));
    clock_.advance(time);
    plan();
  }
  void refused(const std::string& body, std::string_view pointer, std::string_view code) {
    const auto answer = backfill(body);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_EQ(answer.text("/errors/0/pointer"), pointer) << answer.body;
    EXPECT_EQ(answer.text("/errors/0/code"), code) << answer.body;
  }

  std::string job_;
};

TEST_F(BackfillApi, ThePreviewRunsNothing) {
  miss("skip", 6h);  // 13:00 to 18:00; the last is in time
  const auto answer = backfill(body(R"("dry_run": true)"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.at("/dry_run").boolean);
  EXPECT_EQ(answer.at("/count").integer, 5);
  EXPECT_EQ(answer.text("/first"), "2026-03-02T13:00:00.000Z");
  EXPECT_EQ(answer.text("/last"), "2026-03-02T17:00:00.000Z");
  EXPECT_EQ(answer.at("/instants").elements.size(), 5U);
  EXPECT_TRUE(answer.at("/runs").elements.empty());
  EXPECT_FALSE(answer.at("/truncated").boolean);
  EXPECT_EQ(get("/api/jobs/" + job_ + "/runs?state=queued").at("/runs").elements.size(), 1U);
}

TEST_F(BackfillApi, EachMissedInstantRunsOnce) {
  miss("skip", 6h);
  const auto own = get("/api/jobs/" + job_ + "/runs?state=queued").text("/runs/0/id");
  settle(own, {.kind = OutcomeKind::succeeded}, RunState::succeeded);
  const auto answer = backfill(body());
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.at("/count").integer, 5);
  ASSERT_EQ(answer.at("/runs").elements.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto id = answer.at("/runs").elements[i].string;
    EXPECT_EQ(get("/api/runs/" + id).text("/trigger"), "backfill");
    EXPECT_EQ(get("/api/runs/" + id).text("/planned_at"),
              answer.at("/instants").elements[i].string);
    settle(id, {.kind = OutcomeKind::succeeded}, RunState::succeeded);
    EXPECT_EQ(get("/api/runs/" + id).at("/lateness_ms").type, json::Type::null);
  }
  const auto again = backfill(body());
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.at("/count").integer, 0);
  EXPECT_EQ(again.at("/first").type, json::Type::null);
  // The ledger of the schedule stays as it was.
  const auto missed = get("/api/jobs/" + job_ + "/runs?state=missed");
  ASSERT_EQ(missed.at("/runs").elements.size(), 1U);
  EXPECT_EQ(missed.at("/runs/0/count").integer, 5);
}

TEST_F(BackfillApi, AllIsWhateverTheScheduleNames) {
  const auto answer = backfill(body(R"("only": "all")", "08:00", "10:30"));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.at("/count").integer, 3);  // before the job was there
}

TEST_F(BackfillApi, RunsThatSucceededAreCounted) {
  miss("run_once", 3h);
  settle(get("/api/jobs/" + job_ + "/runs?state=queued").text("/runs/0/id"),
         {.kind = OutcomeKind::succeeded}, RunState::succeeded);
  const auto answer = backfill(body(R"("only": "all", "dry_run": true)", "12:30", "15:00"));
  EXPECT_EQ(answer.at("/count").integer, 2);
  EXPECT_EQ(answer.at("/already_run").integer, 0);
  clock_.advance(1min);
  const auto with_last = backfill(body(R"("only": "all", "dry_run": true)", "12:30", "15:01"));
  EXPECT_EQ(with_last.at("/count").integer, 3);
  EXPECT_EQ(with_last.at("/already_run").integer, 1);
}

// Its answer is still to come: a backfill would be a second one.
TEST_F(BackfillApi, WhatTheScheduleHasNotAnsweredIsLeftToIt) {
  clock_.advance(6h);
  EXPECT_EQ(backfill(body(R"("only": "all")")).at("/count").integer, 1);  // 12:00, before the job
  remove("/api/jobs/" + job_);
  EXPECT_EQ(backfill(body(R"("only": "all", "dry_run": true)")).at("/count").integer, 6);
}

TEST_F(BackfillApi, OverlapSaysWhetherTheyWaitForEachOther) {
  miss("skip", 6h);
  settle(get("/api/jobs/" + job_ + "/runs?state=queued").text("/runs/0/id"),
         {.kind = OutcomeKind::succeeded}, RunState::succeeded);
  backfill(body(R"("overlap": "queue_all")", "13:00", "15:00"));
  EXPECT_EQ(store_.stats()->held, 1);
  backfill(body(R"("overlap": "allow")", "15:00", "18:00"));
  EXPECT_EQ(store_.stats()->held, 1);
  EXPECT_EQ(store_.stats()->ready, 4);
}

TEST_F(BackfillApi, AHeldOneSaysWhyItWaits) {
  miss("skip", 6h);
  const auto runs = backfill(body());
  const auto why = get("/api/runs/" + runs.text("/runs/4") + "/why");
  EXPECT_EQ(why.text("/code"), "earlier_run");
  EXPECT_NE(why.text("/text").find("one after another"), std::string::npos) << why.body;
}

TEST_F(BackfillApi, CancellingTheJobCancelsWhatWaits) {
  miss("skip", 6h);
  backfill(body());
  EXPECT_EQ(store_.stats()->held, 5);
  remove("/api/jobs/" + job_);
  EXPECT_EQ(store_.stats()->held, 0);
  EXPECT_TRUE(get("/api/jobs/" + job_ + "/runs?state=queued").at("/runs").elements.empty());
  EXPECT_EQ(get("/api/jobs/" + job_ + "/runs?state=cancelled").at("/runs").elements.size(), 7U);
}

TEST_F(BackfillApi, ARepetitionAnswersTheSameRuns) {
  miss("skip", 6h);
  const std::vector<http::Header> key = {{"Idempotency-Key", "k"}};
  const auto first = backfill(body(), key);
  EXPECT_EQ(first.header("Idempotent-Replayed"), "");
  settle(get("/api/jobs/" + job_ + "/runs?state=queued").text("/runs/5/id"),
         {.kind = OutcomeKind::succeeded}, RunState::succeeded);
  const auto again = backfill(body(), key);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.body, first.body);
  put("/api/jobs/" + job_, R"({"scheduled_time": "2030-01-01T00:00:00Z"})");
  EXPECT_EQ(backfill(body(), key).body, first.body);
  EXPECT_EQ(backfill(body(R"("max": 7)"), key).code(), "idempotency_key_reused");
}

TEST_F(BackfillApi, OnlyTheFirstHundredAreListed) {
  clock_.advance(24h * 10);
  plan();
  const std::string text =
      R"({"from": "2026-02-20T00:00:00Z", "until": "2026-03-01T00:00:00Z", "only": "all"})";
  const auto answer = backfill(text);
  EXPECT_EQ(answer.at("/count").integer, 9 * 24);
  EXPECT_EQ(answer.at("/instants").elements.size(), 100U);
  EXPECT_EQ(answer.at("/runs").elements.size(), 100U);
  EXPECT_TRUE(answer.at("/truncated").boolean);
  EXPECT_EQ(answer.text("/last"), "2026-02-28T23:00:00.000Z");
}

TEST_F(BackfillApi, RefusalsNameTheField) {
  clock_.advance(6h);
  plan();
  refused(R"({"until": "2026-03-02T13:00:00Z"})", "/from", "required");
  refused(R"({"from": "2026-03-02T13:00:00Z"})", "/until", "required");
  refused(body({}, "12:00", "12:00"), "/until", "out_of_range");
  refused(body({}, "12:00", "18:01"), "/until", "in_future");
  refused(body(R"("max": 0)"), "/max", "out_of_range");
  refused(body(R"("max": 10001)"), "/max", "out_of_range");
  refused(body(R"("overlap": "skip")"), "/overlap", "unknown_value");
  refused(body(R"("only": "none")"), "/only", "unknown_value");
  refused(body(R"("dry_run": 1)"), "/dry_run", "wrong_type");
  refused(body(R"("form": 1)"), "/form", "unknown_field");
  refused(body(R"("only": "all", "max": 5)"), "/max", "out_of_range");
  const auto many = backfill(body(R"("only": "all", "max": 5, "dry_run": true)"));
  EXPECT_NE(many.text("/errors/0/detail").find("has 6 instants"), std::string::npos) << many.body;
  job_ = make_job(R"("scheduled_time": "2026-03-02T13:00:00Z")");
  refused(body(), "", "not_recurring");
  job_ = make_job("");
  refused(body(), "", "not_recurring");
}

TEST_F(BackfillApi, OtherRefusals) {
  clock_.advance(6h);
  EXPECT_EQ(backfill("[]").status, 422);
  EXPECT_EQ(backfill("{").status, 400);
  EXPECT_EQ(backfill(body(), {{"If-Match", "\"v7\""}}).status, 412);
  const auto as = [&](const std::string& key) {
    return send({http::Method::post, path(), body(), key, {{"Content-Type", "application/json"}}});
  };
  EXPECT_EQ(as(key_of(Role::submitter)).status, 403);
  EXPECT_EQ(as(key_of(Role::operator_)).status, 200);
  EXPECT_EQ(as(other_key_).status, 404);
  EXPECT_EQ(as("").status, 401);
  job_ = make_job("");
  EXPECT_EQ(backfill(body(), {{"If-Match", "\"v7\""}}).status, 422)
      << "what cannot be is told before a version that does not match";
}

// -- misfire.policy ask --------------------------------------------------------------------------

TEST_F(BackfillApi, AskLeavesMissedInstantsToADecision) {
  miss("ask", 6h);
  const auto why = get("/api/jobs/" + job_ + "/why");
  EXPECT_EQ(why.at("/undecided/count").integer, 5) << why.body;
  EXPECT_EQ(why.text("/undecided/first"), "2026-03-02T13:00:00.000Z");
  EXPECT_EQ(why.text("/undecided/last"), "2026-03-02T17:00:00.000Z");
  EXPECT_EQ(why.text("/not_run/0/reason"), "ask");
  const auto missed = get("/api/jobs/" + job_ + "/runs?state=missed");
  ASSERT_EQ(missed.at("/runs").elements.size(), 1U);
  const auto row_why = get("/api/runs/" + missed.text("/runs/0/id") + "/why");
  EXPECT_EQ(row_why.text("/code"), "ask");
  // The schedule went on with what was in time.
  EXPECT_EQ(get("/api/jobs/" + job_ + "/runs?state=queued").at("/runs").elements.size(), 1U);
}

TEST_F(BackfillApi, ABackfillIsTheDecision) {
  miss("ask", 6h);
  EXPECT_EQ(backfill(body({}, "12:00", "15:00")).at("/count").integer, 2);
  EXPECT_EQ(get("/api/jobs/" + job_ + "/why").at("/undecided/count").integer, 3);
  EXPECT_EQ(backfill(body()).at("/count").integer, 3);
  EXPECT_EQ(get("/api/jobs/" + job_ + "/why").at("/undecided").type, json::Type::null);
}

}  // namespace
}  // namespace chronos::contract
