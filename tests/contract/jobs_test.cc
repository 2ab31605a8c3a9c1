// Jobs over the API: the six frozen routes and their neighbours (product.md §2, §3, §3a).
#include <fmt/format.h>

#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

class JobsApi : public ApiTest {};

// -- Submit --------------------------------------------------------------------------------------

TEST_F(JobsApi, SubmitAnswersTheWholeJob) {
  const auto answer =
      post("/api/submitJob", job_body(R"("cron": "30 2 * * *", "payload": {"a": 1})"));
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.header("Location"), "/api/jobs/" + answer.text("/id"));
  EXPECT_EQ(answer.header("ETag"), "\"v1\"");
  EXPECT_EQ(answer.text("/project"), "default");
  EXPECT_EQ(answer.text("/status"), "scheduled");
  EXPECT_EQ(answer.at("/max_attempts").integer, 3);
  EXPECT_EQ(answer.text("/next_run_at"), "2026-03-03T02:30:00.000Z");
  EXPECT_EQ(answer.text("/created_at"), "2026-03-02T12:00:00.000Z");
  EXPECT_EQ(answer.at("/payload").raw, R"({"a": 1})") << "byte for byte";
  EXPECT_TRUE(answer.at("/warnings").elements.empty());
}

TEST_F(JobsApi, BothSubmitRoutesAreOne) {
  const auto answer = post("/api/jobs", job_body(R"("cron": "30 2 * * *")"));
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.header("Location"), "/api/jobs/" + answer.text("/id"));
}

TEST_F(JobsApi, WithoutAScheduleItRunsNow) {
  const auto id = make_job("\"tags\": []");
  const auto runs = get("/api/jobs/" + id + "/runs");
  ASSERT_EQ(runs.at("/runs").elements.size(), 1U);
  EXPECT_EQ(runs.text("/runs/0/state"), "queued");
  EXPECT_EQ(runs.text("/runs/0/planned_at"), "2026-03-02T12:00:00.000Z");
}

TEST_F(JobsApi, ATimeInThePastWarnsAndKeepsItsInstant) {
  const auto answer =
      post("/api/submitJob", job_body(R"("scheduled_time": "2026-03-02T09:00:00+01:00")"));
  ASSERT_EQ(answer.status, 201);
  EXPECT_EQ(answer.text("/warnings/0/code"), "scheduled_time_in_past");
  EXPECT_EQ(answer.text("/warnings/0/pointer"), "/scheduled_time");
  EXPECT_EQ(answer.text("/scheduled_time"), "2026-03-02T08:00:00.000Z");
  EXPECT_EQ(get("/api/jobs/" + answer.text("/id") + "/runs").text("/runs/0/planned_at"),
            "2026-03-02T08:00:00.000Z");
}

TEST_F(JobsApi, AUniqueKeyIsHeldByOneJob) {
  const auto unique = [&](std::string_view rest, std::string_view name = "a") {
    return post("/api/submitJob",
                fmt::format(R"({{"name": "{}", "action": {{"kind": "command", "argv": ["true"]}},)"
                            R"( "unique": {{"key": "invoice-7"{}}}}})",
                            name, rest));
  };
  const auto first = unique("");
  ASSERT_EQ(first.status, 201);
  EXPECT_EQ(first.text("/unique/while"), "running");
  EXPECT_EQ(first.text("/unique/on_conflict"), "reject");
  const auto refused = unique("");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.code(), "unique_taken");
  EXPECT_EQ(refused.text("/errors/0/pointer"), "/unique/key");
  EXPECT_NE(refused.text("/errors/0/detail").find(first.text("/id")), std::string::npos);
  const auto kept = unique(R"(, "on_conflict": "keep")");
  EXPECT_EQ(kept.status, 200);
  EXPECT_EQ(kept.text("/id"), first.text("/id"));
  EXPECT_EQ(kept.header("Location"), "");
  const auto replaced = unique(R"(, "on_conflict": "replace")", "b");
  EXPECT_EQ(replaced.status, 200);
  EXPECT_EQ(replaced.text("/id"), first.text("/id"));
  EXPECT_EQ(replaced.text("/name"), "b");
  EXPECT_EQ(get("/api/jobs").at("/jobs").elements.size(), 1U);
}

TEST_F(JobsApi, ABatchSaysWhichJobsWereThereAlready) {
  const std::string item = R"({"name": "a", "action": {"kind": "command", "argv": ["true"]},)"
                           R"( "unique": {"key": "k", "on_conflict": "keep"}})";
  const auto answer = post("/api/jobs/batch", "[" + item + ", " + item + "]");
  EXPECT_EQ(answer.at("/results/0/status").integer, 201);
  EXPECT_EQ(answer.at("/results/1/status").integer, 200);
  EXPECT_EQ(answer.text("/results/1/job/id"), answer.text("/results/0/job/id"));
  EXPECT_EQ(answer.at("/created").integer, 1);
  EXPECT_EQ(answer.at("/failed").integer, 0);
}

TEST_F(JobsApi, AUniqueKeyThatCannotBeIsRefused) {
  const auto refused = [&](std::string_view members, std::string_view pointer,
                           std::string_view code) {
    const auto answer = post("/api/submitJob", job_body(members));
    EXPECT_EQ(answer.status, 422) << members;
    EXPECT_EQ(answer.text("/errors/0/pointer"), pointer) << answer.body;
    EXPECT_EQ(answer.text("/errors/0/code"), code) << answer.body;
  };
  refused(R"("unique": "k")", "/unique", "wrong_type");
  refused(R"("unique": {})", "/unique/key", "required");
  refused(R"("unique": {"key": ""})", "/unique/key", "too_short");
  refused(R"("unique": {"key": "k", "while": "waiting"})", "/unique/while", "unknown_value");
  refused(R"("unique": {"key": "k", "while": "window"})", "/unique/window", "required");
  refused(R"("unique": {"key": "k", "window": "1m"})", "/unique/window", "not_applicable");
  refused(R"("unique": {"key": "k", "on_conflict": "extend"})", "/unique/on_conflict",
          "not_applicable");
  refused(R"("unique": {"key": "k", "wile": "window"})", "/unique/wile", "unknown_field");
  refused(R"("cron": "* * * * *", "unique": {"key": "k"})", "/unique", "not_applicable");
  const auto job = "/api/jobs/" + make_job(R"("unique": {"key": "k"})");
  EXPECT_EQ(patch(job, R"({"unique": {"key": "other"}})").text("/errors/0/pointer"), "/unique");
  EXPECT_EQ(patch(job, R"({"unique": null})").status, 422);
  EXPECT_EQ(patch(job, R"({"unique": {"key": "k"}, "note": "the same is no change"})").status, 200);
  EXPECT_EQ(put("/api/jobs/by-key/a", job_body(R"("unique": {"key": "z"})")).status, 422);
}

TEST_F(JobsApi, AKeyIsTakenOnce) {
  make_job(R"("key": "nightly")");
  const auto again = post("/api/submitJob", job_body(R"("key": "nightly")"));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.code(), "key_taken");
  EXPECT_EQ(send({http::Method::post,
                  "/api/submitJob",
                  job_body(R"("key": "nightly")"),
                  other_key_,
                  {{"Content-Type", "application/json"}}})
                .status,
            201)
      << "in another project the key is free";
}

// -- Read ----------------------------------------------------------------------------------------

TEST_F(JobsApi, GetAnswersWhatSubmitDid) {
  const auto made = post("/api/submitJob", job_body(R"("cron": "30 2 * * *")"));
  const auto got = get("/api/jobs/" + made.text("/id"));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, made.body);
  EXPECT_EQ(got.header("ETag"), "\"v1\"");
}

TEST_F(JobsApi, StatusSaysWhatItWaitsFor) {
  const auto status_of = [this](const std::string& job) {
    return get("/api/jobs/" + job + "/status");
  };
  const auto later = make_job();
  EXPECT_EQ(status_of(later).text("/waiting_for"), "scheduled_time");
  EXPECT_EQ(status_of(later).text("/next_run_at"), "2026-03-03T00:00:00.000Z");
  EXPECT_EQ(status_of(later).at("/last_run").type, json::Type::null);

  const auto queued = status_of(make_job("\"max_attempts\": 7"));
  EXPECT_EQ(queued.text("/waiting_for"), "claim");
  EXPECT_EQ(queued.at("/attempts/made").integer, 0);
  EXPECT_EQ(queued.at("/attempts/max").integer, 7);
  EXPECT_EQ(post("/api/jobs/" + later + "/pause").status, 200);
  EXPECT_EQ(status_of(later).text("/status"), "paused");
  EXPECT_EQ(status_of(later).text("/waiting_for"), "resume");
}

TEST_F(JobsApi, StatusTellsOfTheLastRun) {
  const auto run = make_run(RunState::succeeded);
  const auto job = get("/api/runs/" + run).text("/job_id");
  const auto status = get("/api/jobs/" + job + "/status");
  EXPECT_EQ(status.text("/last_run/id"), run);
  EXPECT_EQ(status.text("/last_run/state"), "succeeded");
  EXPECT_EQ(status.at("/attempts/made").integer, 0) << "of the run that waits";
  const auto running = make_run(RunState::running);
  const auto job_id = get("/api/runs/" + running).text("/job_id");
  const auto going_on = get("/api/jobs/" + job_id + "/status");
  EXPECT_EQ(going_on.text("/status"), "running");
  EXPECT_EQ(going_on.at("/waiting_for").type, json::Type::null);
  EXPECT_EQ(going_on.at("/attempts/made").integer, 1);
}

// -- Reschedule and patch ------------------------------------------------------------------------

TEST_F(JobsApi, RescheduleReplacesTheWholeSchedule) {
  const auto id = make_job(R"("cron": "0 4 * * *", "timezone": "Europe/Berlin", "max_runs": 5)");
  const auto answer = put("/api/jobs/" + id, R"({"every": "1h", "note": "now hourly"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("ETag"), "\"v2\"");
  EXPECT_EQ(answer.at("/cron").type, json::Type::null);
  EXPECT_EQ(answer.text("/timezone"), "UTC");
  EXPECT_EQ(answer.at("/max_runs").type, json::Type::null);
  EXPECT_EQ(answer.text("/note"), "now hourly");
  EXPECT_EQ(answer.text("/next_run_at"), "2026-03-02T13:00:00.000Z");
}

TEST_F(JobsApi, RescheduleNeedsASchedule) {
  const auto id = make_job();
  const auto answer = put("/api/jobs/" + id, R"({"note": "x"})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/code"), "required");
  EXPECT_EQ(get("/api/jobs/" + id).header("ETag"), "\"v1\"");
}

TEST_F(JobsApi, ACancelledJobCanBeRescheduled) {
  const auto run = make_run(RunState::succeeded);
  const auto id = get("/api/runs/" + run).text("/job_id");
  remove("/api/jobs/" + id);
  const auto answer = put("/api/jobs/" + id, R"({"scheduled_time": "2026-03-02T13:00:00Z"})");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text("/status"), "scheduled");
  EXPECT_EQ(answer.text("/next_run_at"), "2026-03-02T13:00:00.000Z");
  EXPECT_EQ(get("/api/runs/" + run).status, 200) << "its history stays";
}

TEST_F(JobsApi, PatchChangesWhatItNames) {
  const auto id = make_job(R"("cron": "0 4 * * *", "tags": ["a"], "priority": 7)");
  const auto answer = patch("/api/jobs/" + id, R"({"tags": ["b"], "priority": null})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.text("/tags/0"), "b");
  EXPECT_EQ(answer.at("/priority").integer, 4) << "null puts the default back";
  EXPECT_EQ(answer.text("/cron"), "0 4 * * *");
  EXPECT_EQ(answer.text("/next_run_at"), "2026-03-03T04:00:00.000Z");
  EXPECT_EQ(patch("/api/jobs/" + id, R"({"cron": "0 5 * * *"})").text("/next_run_at"),
            "2026-03-03T05:00:00.000Z");
}

TEST_F(JobsApi, JitterPutsTheStartOffNotTheInstant) {
  const auto id =
      make_job(R"("key": "k", "cron": "0 4 * * *", "jitter": {"max": "30m", "mode": "stable"})");
  const auto job = get("/api/jobs/" + id);
  EXPECT_EQ(job.text("/jitter/max"), "30m");
  EXPECT_EQ(job.text("/jitter/mode"), "stable");
  const auto run = get("/api/jobs/" + id + "/runs").at("/runs/0").find("planned_at")->string;
  EXPECT_EQ(run, "2026-03-03T04:00:00.000Z");
  EXPECT_GT(job.text("/next_run_at"), run);
  EXPECT_LT(job.text("/next_run_at"), "2026-03-03T04:30:00.000Z");
  const auto changed = patch("/api/jobs/" + id, R"({"jitter": null})");
  EXPECT_EQ(changed.text("/next_run_at"), run) << "the waiting run follows";
  EXPECT_EQ(patch("/api/jobs/" + id, R"({"cron": "* * * * *", "jitter": "1m"})")
                .text("/errors/0/pointer"),
            "/jitter");
}

// -- Pause ---------------------------------------------------------------------------------------

TEST_F(JobsApi, PauseAndResume) {
  const auto id = make_job();
  const auto paused = post("/api/jobs/" + id + "/pause");
  EXPECT_EQ(paused.text("/status"), "paused");
  EXPECT_EQ(post("/api/jobs/" + id + "/pause").header("ETag"), paused.header("ETag"))
      << "again changes nothing";
  const auto resumed = post("/api/jobs/" + id + "/resume");
  EXPECT_EQ(resumed.text("/status"), "scheduled");
  EXPECT_EQ(resumed.header("ETag"), "\"v3\"");
}

TEST_F(JobsApi, PauseForAWhile) {
  const auto id = make_job(R"("cron": "0 0 * * *", "note": "old")");
  const auto pause = [&](std::string body) {
    return post("/api/jobs/" + id + "/pause", std::move(body));
  };
  const auto until = R"({"until": "2026-03-04T09:00:00+01:00", "note": "release freeze"})";
  const auto paused = pause(until);
  ASSERT_EQ(paused.status, 200) << paused.body;
  EXPECT_EQ(paused.text("/status"), "paused");
  EXPECT_EQ(paused.text("/paused_until"), "2026-03-04T08:00:00.000Z");
  EXPECT_EQ(paused.text("/note"), "release freeze");
  EXPECT_EQ(pause(until).header("ETag"), paused.header("ETag")) << "again changes nothing";

  const auto past = pause(R"({"until": "2026-03-01T00:00:00Z"})");
  EXPECT_EQ(past.status, 422);
  EXPECT_EQ(past.text("/errors/0/pointer"), "/until");
  EXPECT_EQ(past.text("/errors/0/code"), "out_of_range");
  EXPECT_EQ(pause(R"({"untill": "2026-03-05T00:00:00Z"})").text("/errors/0/hint"),
            "did you mean 'until'?");
  EXPECT_EQ(pause(R"({"note": 1})").text("/errors/0/pointer"), "/note");

  const auto for_good = pause("");
  EXPECT_EQ(for_good.at("/paused_until").type, json::Type::null) << "until it is resumed";
  EXPECT_EQ(for_good.text("/note"), "release freeze");
  EXPECT_EQ(pause(until).text("/paused_until"), "2026-03-04T08:00:00.000Z");
  const auto resumed = post("/api/jobs/" + id + "/resume");
  EXPECT_EQ(resumed.text("/status"), "scheduled");
  EXPECT_EQ(resumed.at("/paused_until").type, json::Type::null);
}

TEST_F(JobsApi, PausedUntilIsAFieldOfADeclaration) {
  const auto past = post("/api/submitJob", job_body(R"("paused_until": "2026-03-01T00:00:00Z")"));
  EXPECT_EQ(past.status, 422);
  EXPECT_EQ(past.text("/errors/0/pointer"), "/paused_until");
  const auto id = make_job(R"("cron": "0 0 * * *", "paused_until": "2026-03-04T00:00:00Z")");
  EXPECT_EQ(get("/api/jobs/" + id).text("/status"), "paused");
  EXPECT_EQ(patch("/api/jobs/" + id, R"({"paused_until": "2026-03-01T00:00:00Z"})")
                .text("/errors/0/pointer"),
            "/paused_until");
  clock_.advance(std::chrono::hours(72));
  EXPECT_EQ(patch("/api/jobs/" + id, R"({"note": "x"})").status, 200)
      << "the scheduler resumes it: that its time has come is no fault of this edit";
  EXPECT_EQ(patch("/api/jobs/" + id, R"({"paused": false})").at("/paused_until").type,
            json::Type::null);
}

TEST_F(JobsApi, OnlyAnOperatorPausesByAnyRoute) {
  const auto id = make_job(R"("key": "k", "cron": "0 0 * * *")");
  const auto ask = [&](http::Method method, const std::string& target, std::string body,
                       Role role) {
    return send(
        {method, target, std::move(body), key_of(role), {{"Content-Type", "application/json"}}});
  };
  const auto whole = job_body(R"("key": "k", "cron": "0 0 * * *", "paused": true)");
  const std::vector<std::tuple<http::Method, std::string, std::string>> ways = {
      {http::Method::patch, "/api/jobs/" + id, R"({"paused": true})"},
      {http::Method::put, "/api/jobs/" + id, R"({"every": "1h", "paused": true})"},
      {http::Method::patch, "/api/jobs/" + id, R"({"paused_until": "2026-04-01T00:00:00Z"})"},
      {http::Method::put, "/api/jobs/by-key/k", whole},
  };
  for (const auto& [method, target, body] : ways) {
    const auto refused = ask(method, target, body, Role::submitter);
    EXPECT_EQ(refused.status, 403) << target;
    EXPECT_EQ(refused.code(), "role_too_low");
  }
  EXPECT_EQ(get("/api/jobs/" + id).header("ETag"), "\"v1\"");
  EXPECT_EQ(
      ask(http::Method::patch, "/api/jobs/" + id, R"({"paused": true})", Role::operator_).status,
      200);
  EXPECT_EQ(ask(http::Method::patch, "/api/jobs/" + id, R"({"note": "x"})", Role::submitter).status,
            200)
      << "a paused job may be changed otherwise";
  EXPECT_EQ(ask(http::Method::post, "/api/submitJob", job_body("\"paused\": true"), Role::submitter)
                .status,
            201)
      << "a new job may begin paused";
}

// -- Cancel --------------------------------------------------------------------------------------

TEST_F(JobsApi, CancelAgainAnswersTheSame) {
  const auto id = make_job();
  const auto first = remove("/api/jobs/" + id);
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(first.text("/status"), "cancelled");
  EXPECT_EQ(first.at("/next_run_at").type, json::Type::null);
  const auto again = remove("/api/jobs/" + id);
  EXPECT_EQ(again.body, first.body);
}

TEST_F(JobsApi, CancelStopsARunningAttemptUnlessAskedToKeepIt) {
  for (const bool keeps : {false, true}) {
    const auto run = make_run(RunState::running);
    const auto job = get("/api/runs/" + run).text("/job_id");
    EXPECT_EQ(remove("/api/jobs/" + job + (keeps ? "?running=keep" : "?running=stop")).status, 200);
    EXPECT_EQ(get("/api/runs/" + run).at("/cancel_requested").boolean, !keeps);
  }
  const auto run = make_run(RunState::running);
  remove("/api/jobs/" + get("/api/runs/" + run).text("/job_id"));
  EXPECT_TRUE(get("/api/runs/" + run).at("/cancel_requested").boolean) << "stop is the default";
}

TEST_F(JobsApi, CancelRefusesOtherWordsForRunning) {
  const auto answer = remove("/api/jobs/" + make_job() + "?running=maybe");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/pointer"), "/running");
  EXPECT_EQ(answer.text("/errors/0/hint"), "keep or stop");
}

// -- By key --------------------------------------------------------------------------------------

TEST_F(JobsApi, ByKeyCreatesThenReplaces) {
  const auto made =
      put("/api/jobs/by-key/db.backup", job_body(R"("cron": "0 1 * * *", "tags": ["x"])"));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.header("Location"), "/api/jobs/" + made.text("/id"));
  EXPECT_EQ(made.text("/key"), "db.backup");
  const auto changed = put("/api/jobs/by-key/db.backup", job_body(R"("cron": "0 2 * * *")"));
  ASSERT_EQ(changed.status, 200);
  EXPECT_EQ(changed.text("/id"), made.text("/id"));
  EXPECT_TRUE(changed.at("/tags").elements.empty()) << "the declaration is replaced as a whole";
  EXPECT_EQ(changed.text("/next_run_at"), "2026-03-03T02:00:00.000Z");
  EXPECT_EQ(get("/api/jobs/by-key/db.backup").body, changed.body);
}

TEST_F(JobsApi, ByKeyTheSameAgainChangesNothing) {
  const auto body = job_body(R"("scheduled_time": "2026-03-02T13:00:00Z", "payload": [1])");
  const auto made = put("/api/jobs/by-key/k", body);
  const auto again = put("/api/jobs/by-key/k", body);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.header("ETag"), "\"v1\"");
  remove("/api/jobs/" + made.text("/id"));
  EXPECT_EQ(put("/api/jobs/by-key/k", body).text("/status"), "scheduled")
      << "a cancelled job that is declared again lives again";
}

TEST_F(JobsApi, ByKeyLeavesAPausedJobPaused) {
  const auto id = put("/api/jobs/by-key/k", job_body(R"("cron": "0 1 * * *")")).text("/id");
  post("/api/jobs/" + id + "/pause");
  EXPECT_EQ(put("/api/jobs/by-key/k", job_body(R"("cron": "0 2 * * *")")).text("/status"),
            "paused");
  EXPECT_EQ(put("/api/jobs/by-key/k", job_body(R"("cron": "0 2 * * *", "paused": false)"))
                .text("/status"),
            "scheduled");
}

TEST_F(JobsApi, ByKeyRefusesAnotherKeyInTheBodyAndABadOneInThePath) {
  const auto other = put("/api/jobs/by-key/k", job_body(R"("key": "l")"));
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.text("/errors/0/code"), "conflicting_key");
  const auto bad = put("/api/jobs/by-key/a%20b", job_body());
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(bad.text("/errors/0/pointer"), "/key");
  EXPECT_EQ(get("/api/jobs/by-key/nobody").status, 404);
}

// -- If-Match ------------------------------------------------------------------------------------

class IfMatch : public ApiTest {
 protected:
  const std::string job_ = make_job();
  int patch_if(std::string tag) {
    return patch("/api/jobs/" + job_, R"({"note": "x"})", {{"If-Match", std::move(tag)}}).status;
  }
};

TEST_F(IfMatch, TheCurrentVersionPasses) {
  EXPECT_EQ(patch_if("\"v1\""), 200);
  EXPECT_EQ(patch_if("\"v2\""), 200);
  EXPECT_EQ(patch_if("*"), 200);
  EXPECT_EQ(patch_if("\"v3\", \"v4\""), 200) << "any of a list";
  EXPECT_EQ(patch_if(" \"v5\" "), 200);
}

TEST_F(IfMatch, AnyOtherTagIs412) {
  for (const char* tag : {"\"v2\"", "\"v0\"", "\"v-1\"", "\"v01\"", "\"v1", "v1", "W/\"v1\"",
                          "\"\"", "\"x\"", "", "\"v99999999999999999999\"", "\"v1 \""}) {
    EXPECT_EQ(patch_if(tag), 412) << tag;
  }
  EXPECT_EQ(get("/api/jobs/" + job_).header("ETag"), "\"v1\"");
}

TEST_F(IfMatch, HoldsForEveryChangeOfAJob) {
  const std::vector<http::Header> stale = {{"If-Match", "\"v9\""}};
  const auto target = "/api/jobs/" + job_;
  for (const auto& answer :
       {put(target, R"({"every": "1h"})", stale), remove(target, stale),
        post(target + "/pause", "", stale), post(target + "/resume", "", stale),
        put("/api/jobs/by-key/new", job_body(), stale)}) {
    EXPECT_EQ(answer.status, 412);
    EXPECT_EQ(answer.code(), "version_mismatch");
  }
  EXPECT_EQ(get("/api/jobs/by-key/new").status, 404);
}

TEST_F(IfMatch, ComesAfterTheIds) {
  EXPECT_EQ(patch("/api/jobs/x", "{", {{"If-Match", "\"v9\""}}).status, 404);
}

// A bad value is told before a version that does not match (docs/errors.md has the order).
TEST_F(IfMatch, ComesAfterTheValues) {
  const std::vector<http::Header> stale = {{"If-Match", "\"v9\""}};
  const auto target = "/api/jobs/" + job_;
  ASSERT_EQ(put("/api/jobs/by-key/kept", job_body()).status, 201);
  for (const auto& answer :
       {patch(target, R"({"every": "soon"})", stale), put(target, R"({"every": "soon"})", stale),
        post(target + "/pause", R"({"until": "2000-01-01T00:00:00Z"})", stale),
        put("/api/jobs/by-key/kept", job_body(R"("every": "soon")"), stale),
        put("/api/jobs/by-key/new", job_body(R"("every": "soon")"), stale)}) {
    EXPECT_EQ(answer.status, 422) << answer.body;
  }
  EXPECT_EQ(patch(target, "{}", stale).status, 412) << "nothing is wrong, and nothing changes";
  EXPECT_EQ(get(target).header("ETag"), "\"v1\"");
}

}  // namespace
}  // namespace chronos::contract
