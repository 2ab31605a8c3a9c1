// Runs over the API, and how lists page (product.md §3a).
#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

class RunsApi : public ApiTest {};

TEST_F(RunsApi, RunNowAnswersTheNewRun) {
  const auto job = make_job();
  const auto answer = post("/api/jobs/" + job + "/run");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.header("Location"), "/api/runs/" + answer.text("/id"));
  EXPECT_EQ(answer.text("/job_id"), job);
  EXPECT_EQ(answer.text("/trigger"), "manual");
  EXPECT_EQ(answer.text("/state"), "queued");
  EXPECT_EQ(get(answer.header("Location")).text("/id"), answer.text("/id"));
}

TEST_F(RunsApi, ARunTellsItsAttempts) {
  const auto run = get("/api/runs/" + make_run(RunState::failed));
  EXPECT_EQ(run.text("/state"), "failed");
  EXPECT_EQ(run.at("/attempts_made").integer, 1);
  EXPECT_EQ(run.text("/attempts/0/node"), "a node");
}

// -- Output --------------------------------------------------------------------------------------

TEST_F(RunsApi, OutputIsText) {
  const auto run = make_run(RunState::succeeded, "hello\n");
  const auto answer = get("/api/runs/" + run + "/output");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(answer.body, "hello\n");
  EXPECT_EQ(answer.header("Chronos-Output-Dropped"), "0");
  EXPECT_EQ(get("/api/runs/" + run + "/output?attempt=1").body, "hello\n");
  EXPECT_EQ(get("/api/runs/" + run + "/output?attempt=2").status, 404);
  EXPECT_EQ(get("/api/runs/" + run + "/output?attempt=0").status, 422);
  EXPECT_EQ(answer.header("Chronos-Output-Attempt"), "1");
  EXPECT_EQ(answer.header("Chronos-Output-Next"), "6");
  EXPECT_EQ(answer.header("Chronos-Output-Running"), "false");
  const auto rest = get("/api/runs/" + run + "/output?offset=4");
  EXPECT_EQ(rest.body, "o\n");
  EXPECT_EQ(rest.header("Chronos-Output-Next"), "6");
  EXPECT_EQ(get("/api/runs/" + run + "/output?offset=7").body, "");
  EXPECT_EQ(get("/api/runs/" + run + "/output?offset=-1").status, 422);
}

TEST_F(RunsApi, OutputIsReadWhileItGrows) {
  const auto run = make_run(RunState::running);
  const auto& claimed = claimed_.at(*RunId::parse(run));
  const auto print = [&](std::int64_t offset, std::string bytes) {
    store::AppendOutput change;
    change.pieces.push_back({claimed.project, claimed.job, claimed.run, claimed.attempt,
                             claimed.token, offset, std::move(bytes)});
    ASSERT_TRUE(commit_and_wait(store_, std::move(change)));
  };
  print(0, "one\ntw\xc3");
  const auto first = get("/api/runs/" + run + "/output");
  EXPECT_EQ(first.body, "one\ntw") << "the last character is not whole yet";
  EXPECT_EQ(first.header("Chronos-Output-Running"), "true");
  EXPECT_EQ(first.header("Chronos-Output-Attempt"), "1");
  print(7, "\xa9");
  const auto next = first.header("Chronos-Output-Next");
  const auto second = get("/api/runs/" + run + "/output?offset=" + next);
  EXPECT_EQ(second.body, "\xc3\xa9");
  EXPECT_EQ(second.header("Chronos-Output-Next"), "8");
}

TEST_F(RunsApi, OutputThatIsNotUtf8IsMended) {
  const auto run = make_run(RunState::succeeded, "a\xff\xc3\xa9\xe2\x82z\xf0\x9f");
  EXPECT_EQ(get("/api/runs/" + run + "/output").body,
            "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_F(RunsApi, ARunThatPrintedNothingHasEmptyOutput) {
  const auto answer = get("/api/runs/" + make_run(RunState::queued) + "/output");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

// -- Cancel and retry ----------------------------------------------------------------------------

TEST_F(RunsApi, CancelEndsAWaitingRunAndMarksARunningOne) {
  const auto waiting = make_run(RunState::queued);
  EXPECT_EQ(post("/api/runs/" + waiting + "/cancel").text("/state"), "cancelled");
  const auto running = make_run(RunState::running);
  const auto answer = post("/api/runs/" + running + "/cancel");
  EXPECT_EQ(answer.text("/state"), "running");
  EXPECT_TRUE(answer.at("/cancel_requested").boolean);
}

TEST_F(RunsApi, CancelLeavesAFinalRunAsItIs) {
  const auto run = make_run(RunState::succeeded);
  const auto answer = post("/api/runs/" + run + "/cancel");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.text("/state"), "succeeded");
}

TEST_F(RunsApi, RetryMakesANewRun) {
  const auto first = make_run(RunState::failed);
  clock_.advance(1h);
  const auto answer = post("/api/runs/" + first + "/retry");
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.text("/retry_of"), first);
  EXPECT_EQ(answer.text("/trigger"), "retry");
  EXPECT_EQ(answer.text("/planned_at"), "2026-03-02T13:00:00.000Z");
  EXPECT_EQ(get("/api/runs/" + first).text("/state"), "failed") << "a final run never moves";
}

TEST_F(RunsApi, RetryRefusesWhatHasNotEnded) {
  for (const auto state : {RunState::queued, RunState::running}) {
    const auto answer = post("/api/runs/" + make_run(state) + "/retry");
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(answer.code(), "state_conflict");
  }
}

// A row of the ledger for several missed instants is no run to repeat.
TEST_F(RunsApi, RetryRefusesARange) {
  const auto job = *JobId::parse(make_job(R"("cron": "* * * * *")"));
  clock_.advance(10min);
  const auto due = store_.due_runs(clock_.now(), 10);
  ASSERT_TRUE(due && due->size() == 1U);
  const auto& run = due->front();
  store::CommitPlan plan;
  plan.job = job;
  plan.expected_version = 1;
  plan.expected_planned_through = run.job->planned_through;
  plan.planned_through = clock_.now();
  plan.run = run.run;
  plan.expected_planned_at = run.planned_at;
  plan.due_run = Plan::DueRun::drop;
  const auto row = ids_.make<RunId>();
  plan.rows = {{row, RunState::missed, "down", run.planned_at, clock_.now(), 10}};
  plan.now = clock_.now();
  ASSERT_TRUE(commit_and_wait(store_, std::move(plan)));

  const auto range = get("/api/runs/" + row.to_string());
  EXPECT_EQ(range.at("/count").integer, 10);
  EXPECT_EQ(range.text("/planned_until"), "2026-03-02T12:10:00.000Z");
  const auto answer = post("/api/runs/" + row.to_string() + "/retry");
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.code(), "state_conflict");
}

// -- Lists ---------------------------------------------------------------------------------------

std::vector<std::string> ids_in(const Answered& answer, std::string_view list) {
  std::vector<std::string> ids;
  for (const auto& row : answer.at("/" + std::string(list)).elements) {
    ids.push_back(row.find("id")->string);
  }
  return ids;
}

TEST_F(RunsApi, PagesAreNewestFirstAndLeaveNothingOut) {
  std::vector<std::string> made;
  for (int i = 0; i < 7; ++i) made.insert(made.begin(), make_job());
  std::vector<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const auto answer = get("/api/jobs?limit=3" + cursor);
    for (const auto& id : ids_in(answer, "jobs")) seen.push_back(id);
    if (page == 2) {
      EXPECT_EQ(answer.at("/next").type, json::Type::null);
    } else {
      cursor = "&cursor=" + answer.text("/next");
    }
    make_job();  // a page stays right while rows come
  }
  EXPECT_EQ(seen, made);
}

TEST_F(RunsApi, TheLimitIsFiftyUnlessAsked) {
  for (int i = 0; i < 51; ++i) make_job();
  EXPECT_EQ(ids_in(get("/api/jobs"), "jobs").size(), 50U);
  EXPECT_EQ(ids_in(get("/api/jobs?limit=200"), "jobs").size(), 51U);
}

TEST_F(RunsApi, JobsAreFiltered) {
  const auto plain = make_job();
  clock_.advance(1h);
  const auto tagged = make_job(R"("cron": "0 0 * * *", "tags": ["db", "x"])");
  remove("/api/jobs/" + plain);
  const auto found = [this](const std::string& query) {
    return ids_in(get("/api/jobs?" + query), "jobs");
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(found("status=cancelled"), Ids{plain});
  EXPECT_EQ(found("status=scheduled"), Ids{tagged});
  EXPECT_EQ(found("tag=db"), Ids{tagged});
  EXPECT_EQ(found("tag=d"), Ids{});
  EXPECT_EQ(found("name=A%20JO"), (Ids{tagged, plain}));
  EXPECT_EQ(found("name=nothing"), Ids{});
  EXPECT_EQ(found("created_after=2026-03-02T13:00:00Z"), Ids{tagged});
  EXPECT_EQ(found("created_before=2026-03-02T14:00:00%2B01:00"), Ids{plain});
}

TEST_F(RunsApi, RunsAreFiltered) {
  const auto failed = make_run(RunState::failed);
  clock_.advance(1h);
  const auto succeeded = make_run(RunState::succeeded);
  const auto found = [this](const std::string& query) {
    return ids_in(get("/api/runs?" + query), "runs");
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(found("state=failed"), Ids{failed});
  EXPECT_EQ(found("state=succeeded"), Ids{succeeded});
  EXPECT_EQ(found("state=failed&planned_after=2026-03-02T12:30:00Z"), Ids{});
  EXPECT_EQ(found("state=failed&planned_before=2026-03-02T12:30:00Z"), Ids{failed});
  EXPECT_EQ(get("/api/runs?state=finished").text("/errors/0/pointer"), "/state");
}

TEST_F(RunsApi, RunsOfOneJob) {
  const auto run = make_run(RunState::succeeded);
  make_run(RunState::succeeded);
  const auto job = get("/api/runs/" + run).text("/job_id");
  const auto list = get("/api/jobs/" + job + "/runs?state=succeeded");
  EXPECT_EQ(ids_in(list, "runs"), std::vector<std::string>{run});
  EXPECT_EQ(get("/api/jobs/" + JobId{{1, 2}}.to_string() + "/runs").status, 404);
}

// A cursor of one list means nothing to another.
TEST_F(RunsApi, CursorsAreOfTheirList) {
  make_job();
  make_job();
  const auto next = get("/api/jobs?limit=1").text("/next");
  EXPECT_EQ(get("/api/runs?cursor=" + next).text("/errors/0/code"), "bad_cursor");
}

}  // namespace
}  // namespace chronos::contract
