// A project as a whole over the API: overview, strips, queues, nodes, forecast, grid; and the
// filters that lists have for it.
#include <fmt/format.h>

#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

class ViewsApi : public ApiTest {
 protected:
  // Of the list at `pointer`, the text of `member` in each.
  static std::vector<std::string> texts(const Answered& answer, std::string_view pointer,
                                        std::string_view member) {
    std::vector<std::string> found;
    for (const auto& element : answer.at(pointer).elements) {
      found.push_back(element.find(member)->string);
    }
    return found;
  }
  static std::int64_t number(const Answered& answer, std::string_view pointer) {
    return answer.at(pointer).integer;
  }
  std::string run_of(const std::string& job, const Outcome& outcome, RunState state) {
    const auto run = post("/api/jobs/" + job + "/run").text("/id");
    settle(run, outcome, state);
    return run;
  }
  static Outcome failure(std::string error) {
    Outcome outcome;
    outcome.error = std::move(error);
    return outcome;
  }
};

// -- Overview ------------------------------------------------------------------------------------

TEST_F(ViewsApi, TheOverviewOfNothing) {
  const auto answer = get("/api/overview");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.text("/now"), "2026-03-02T12:00:00.000Z");
  EXPECT_EQ(number(answer, "/jobs/total"), 0);
  EXPECT_EQ(answer.at("/series/points").elements.size(), 96U);
  EXPECT_EQ(answer.text("/series/step"), "15m");
  EXPECT_EQ(answer.text("/series/points/0/at"), "2026-03-01T12:15:00.000Z");
  EXPECT_EQ(answer.text("/series/points/95/at"), "2026-03-02T12:00:00.000Z");
  EXPECT_EQ(answer.at("/series/points/95/lateness_p50").type, json::Type::null);
  EXPECT_EQ(answer.text("/store/kind"), "memory");
  EXPECT_EQ(answer.text("/node/version"), "1.2.3");
}

TEST_F(ViewsApi, TheOverviewTellsWhatGoesOn) {
  make_run(RunState::succeeded);
  const auto failed = make_run(RunState::failed);
  make_run(RunState::running);
  const auto queued = make_run(RunState::queued);
  make_job(R"("scheduled_time": "2026-03-02T12:30:00Z")");
  make_job(R"("cron": "0 0 * * *", "paused": true)");
  const auto answer = get("/api/overview?range=24h");
  EXPECT_EQ(number(answer, "/running"), 1);
  EXPECT_EQ(number(answer, "/queued"), 1);
  EXPECT_EQ(number(answer, "/retrying"), 0);
  EXPECT_EQ(number(answer, "/late"), 0);
  EXPECT_EQ(number(answer, "/jobs/total"), 6);
  EXPECT_EQ(number(answer, "/jobs/scheduled"), 5);
  EXPECT_EQ(number(answer, "/jobs/paused"), 1);
  EXPECT_EQ(number(answer, "/last/succeeded"), 1);
  EXPECT_EQ(number(answer, "/last/failed"), 1);
  EXPECT_EQ(number(answer, "/series/points/95/succeeded"), 1);
  EXPECT_EQ(number(answer, "/series/points/95/started"), 2);
  EXPECT_EQ(number(answer, "/upcoming_count"), 1);
  EXPECT_EQ(answer.text("/upcoming/0/at"), "2026-03-02T12:30:00.000Z");
  EXPECT_EQ(answer.text("/upcoming/0/job/name"), "a job");
  EXPECT_EQ(texts(answer, "/recent_failures", "id"), std::vector{failed});
  clock_.advance(10s);
  EXPECT_EQ(number(get("/api/overview"), "/late"), 1) << queued;
}

TEST_F(ViewsApi, TheOverviewOfAWeek) {
  make_run(RunState::succeeded);
  clock_.advance(24h * 3);
  make_run(RunState::failed);
  const auto answer = get("/api/overview?range=7d");
  EXPECT_EQ(answer.text("/series/step"), "2h");
  EXPECT_EQ(answer.at("/series/points").elements.size(), 84U);
  EXPECT_EQ(number(answer, "/series/points/83/failed"), 1);
  EXPECT_EQ(number(answer, "/series/points/47/succeeded"), 1);
  EXPECT_EQ(number(answer, "/last/succeeded"), 1);
  EXPECT_EQ(number(get("/api/overview"), "/last/succeeded"), 0) << "more than a day ago";
  EXPECT_EQ(get("/api/overview?range=1y").status, 422);
}

TEST_F(ViewsApi, TheOverviewIsOfOneProject) {
  make_run(RunState::failed);
  const auto answer = get("/api/overview", other_key_);
  EXPECT_EQ(number(answer, "/jobs/total"), 0);
  EXPECT_EQ(number(answer, "/last/failed"), 0);
  EXPECT_TRUE(answer.at("/recent_failures").elements.empty());
}

// -- Strips --------------------------------------------------------------------------------------

TEST_F(ViewsApi, TheStripOfAJob) {
  const auto job = make_job();
  const auto first = run_of(job, failure("no"), RunState::failed);
  const auto second = post("/api/jobs/" + job + "/run").text("/id");
  claim(second);
  post("/api/jobs/" + job + "/run");
  const auto answer = get("/api/jobs/" + job + "/strip");
  EXPECT_EQ(texts(answer, "/strip", "run"), (std::vector{first, second}))
      << "those that have begun";
  EXPECT_EQ(answer.text("/strip/0/state"), "failed");
  EXPECT_EQ(answer.text("/strip/0/error"), "no");
  EXPECT_EQ(answer.text("/strip/0/duration"), "0s");
  EXPECT_EQ(answer.text("/strip/1/state"), "running");
  EXPECT_EQ(answer.at("/strip/1/duration").type, json::Type::null);
  EXPECT_EQ(texts(get("/api/jobs/" + job + "/strip?limit=1"), "/strip", "run"),
            std::vector{second});
  EXPECT_EQ(get("/api/jobs/" + job + "/strip?limit=51").status, 422);
  EXPECT_EQ(get("/api/jobs/" + job + "/strip", other_key_).status, 404);
}

TEST_F(ViewsApi, JobsWithTheirStrips) {
  const auto one = make_job();
  const auto two = make_job();
  const auto run = run_of(one, failure("no"), RunState::failed);
  const auto answer = get("/api/jobs?strip=50");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(texts(answer, "/jobs", "id"), (std::vector{two, one}));
  EXPECT_TRUE(answer.at("/jobs/0/strip").elements.empty());
  EXPECT_EQ(texts(answer, "/jobs/1/strip", "run"), std::vector{run});
  EXPECT_EQ(get("/api/jobs").body.find("\"strip\""), std::string::npos);
}

// -- Filters -------------------------------------------------------------------------------------

TEST_F(ViewsApi, JobsByKindAndQueue) {
  const auto http = make_job(R"("cron": "0 0 * * *", "queue": "mail")");
  const auto worker =
      post("/api/submitJob", R"({"name": "w", "cron": "0 0 * * *", "action": {"kind": "worker"}})")
          .text("/id");
  EXPECT_EQ(texts(get("/api/jobs?kind=worker"), "/jobs", "id"), std::vector{worker});
  EXPECT_EQ(texts(get("/api/jobs?queue=mail"), "/jobs", "id"), std::vector{http});
  EXPECT_TRUE(get("/api/jobs?queue=mail&kind=worker").at("/jobs").elements.empty());
}

TEST_F(ViewsApi, RunsInSeveralStates) {
  const auto failed = make_run(RunState::failed);
  const auto running = make_run(RunState::running);
  make_run(RunState::succeeded);
  EXPECT_EQ(texts(get("/api/runs?state=failed,running,failed"), "/runs", "id"),
            (std::vector{running, failed}));
  EXPECT_EQ(texts(get("/api/runs?state=failed"), "/runs", "id"), std::vector{failed});
  const auto wrong = get("/api/runs?state=failed,broken");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(wrong.text("/errors/0/pointer"), "/state");
}

TEST_F(ViewsApi, RunsByTimeTagNameAndError) {
  const auto old = make_run(RunState::failed);
  clock_.advance(3h);
  const auto job = make_job(R"("cron": "0 0 1 1 *", "tags": ["db"])");
  const auto run = run_of(job, failure("Connection REFUSED by peer"), RunState::failed);
  const auto ids = [&](const std::string& query) {
    return texts(get("/api/runs?state=failed&" + query), "/runs", "id");
  };
  EXPECT_EQ(ids("since=2h"), std::vector{run});
  EXPECT_EQ(ids("since=2026-03-02T12:00:00Z"), (std::vector{run, old}));
  EXPECT_EQ(ids("until=2h"), std::vector{old});
  EXPECT_EQ(ids("tag=db"), std::vector{run});
  EXPECT_EQ(ids("error=refused"), std::vector{run});
  EXPECT_EQ(ids("name=A%20JO"), (std::vector{run, old}));
  EXPECT_TRUE(ids("name=nobody").empty());
  EXPECT_EQ(get("/api/runs?since=yesterday").status, 422);
}

// -- Queues and nodes ----------------------------------------------------------------------------

TEST_F(ViewsApi, QueuesSayWhatLiesInThem) {
  make_job(R"("queue": "mail")");
  make_job(R"("queue": "mail")");
  make_job(R"("scheduled_time": "2026-03-03T00:00:00Z", "queue": "mail")");
  post("/api/workers/claim", R"({"worker": "mill", "queues": ["mail"]})");
  clock_.advance(1s);
  const auto answer = get("/api/queues");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(texts(answer, "/queues", "name"), (std::vector<std::string>{"mail", "narrow"}));
  EXPECT_EQ(number(answer, "/queues/0/ready"), 2);
  EXPECT_EQ(number(answer, "/queues/0/planned"), 1);
  EXPECT_EQ(number(answer, "/queues/0/running"), 0);
  EXPECT_EQ(answer.text("/queues/0/oldest_ready_at"), "2026-03-02T12:00:00.000Z");
  EXPECT_EQ(number(answer, "/queues/0/workers"), 1);
  EXPECT_EQ(answer.at("/queues/0/concurrency").type, json::Type::null);
  EXPECT_EQ(number(answer, "/queues/1/concurrency"), 1) << "configured";
  EXPECT_EQ(number(get("/api/queues", other_key_), "/queues/0/ready"), 0);
}

TEST_F(ViewsApi, NodesSayWhoTheyAre) {
  store::Heartbeat beat{
      NodeId{{1, 1}}, 15s, {}, clock_.now(), NodeInfo{"a", "1.2.3", clock_.now()}};
  ASSERT_TRUE(commit_and_wait(store_, beat));
  beat.holder = NodeId{{2, 2}};
  beat.node->name = "b";
  ASSERT_TRUE(commit_and_wait(store_, beat));
  make_run(RunState::running);
  const auto answer = get("/api/nodes");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(texts(answer, "/nodes", "name"), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(number(answer, "/nodes/1/running"), 1);
  EXPECT_TRUE(answer.at("/nodes/1/is_this").boolean);
  EXPECT_FALSE(answer.at("/nodes/0/is_this").boolean);
  EXPECT_TRUE(answer.at("/nodes/0/alive").boolean);
}

// -- Forecast and grid ---------------------------------------------------------------------------

TEST_F(ViewsApi, TheForecastCountsWhatIsPlanned) {
  ASSERT_EQ(
      post("/api/calendars", R"({"name": "night", "weekly": [{"from": "00:00", "to": "06:00"}]})")
          .status,
      201);
  const auto hourly = make_job(R"("cron": "30 * * * *")");
  make_job(R"("cron": "15 * * * *", "calendars": ["night"])");
  make_job(R"("cron": "0 * * * *", "paused": true)");
  make_job(R"("scheduled_time": "2026-03-02T12:10:00Z")");
  const auto answer = get("/api/forecast");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.text("/from"), "2026-03-02T12:00:00.000Z");
  EXPECT_EQ(answer.text("/to"), "2026-03-03T12:00:00.000Z");
  EXPECT_EQ(answer.text("/step"), "1h");
  EXPECT_EQ(answer.at("/buckets").elements.size(), 24U);
  EXPECT_EQ(number(answer, "/buckets/0/count"), 3);
  EXPECT_EQ(number(answer, "/buckets/1/count"), 2);
  EXPECT_EQ(number(answer, "/buckets/12/count"), 1) << "at midnight only the first one";
  EXPECT_EQ(answer.at("/runs").elements.size(), 24U + 18U + 1U);
  EXPECT_EQ(answer.text("/runs/0/at"), "2026-03-02T12:10:00.000Z");
  EXPECT_EQ(answer.text("/runs/2/job/id"), hourly);
  EXPECT_EQ(answer.text("/blackouts/0/calendar"), "night");
  EXPECT_EQ(answer.text("/blackouts/0/from"), "2026-03-03T00:00:00.000Z");
  EXPECT_EQ(answer.text("/blackouts/0/to"), "2026-03-03T06:00:00.000Z");
  EXPECT_FALSE(answer.at("/truncated").boolean);
  EXPECT_TRUE(get("/api/forecast", other_key_).at("/runs").elements.empty());
}

TEST_F(ViewsApi, SpansAreChecked) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"from=2026-03-02T00:00:00Z&to=2026-03-02T00:00:00Z", "/to"},
      {"from=2026-03-02T00:00:00Z&to=2026-05-02T00:00:00Z", "/to"},
      {"step=59s", "/step"},
      {"step=1m", "/step"},  // 1,440 of them
      {"from=now", "/from"},
  };
  for (const auto& route : {"/api/forecast?", "/api/grid?"}) {
    for (const auto& [query, pointer] : bad) {
      const auto answer = get(route + query);
      EXPECT_EQ(answer.status, 422) << query;
      EXPECT_EQ(answer.text("/errors/0/pointer"), pointer) << query;
    }
  }
}

TEST_F(ViewsApi, TheGridShowsWhatHappened) {
  const auto job = make_job(R"("cron": "0 0 1 1 *", "tags": ["db"])");
  run_of(job, failure("no"), RunState::failed);
  Outcome fine;
  fine.kind = OutcomeKind::succeeded;
  run_of(job, fine, RunState::succeeded);
  clock_.advance(2h);
  run_of(job, fine, RunState::succeeded);
  make_job();
  const auto answer = get("/api/grid?tag=db&to=2026-03-02T15:00:00Z");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(texts(answer, "/jobs", "id"), std::vector{job});
  EXPECT_EQ(answer.text("/from"), "2026-03-01T15:00:00.000Z");
  EXPECT_EQ(texts(answer, "/jobs/0/cells", "at"),
            (std::vector<std::string>{"2026-03-02T12:00:00.000Z", "2026-03-02T14:00:00.000Z"}));
  EXPECT_EQ(answer.text("/jobs/0/cells/0/worst_state"), "failed");
  EXPECT_EQ(number(answer, "/jobs/0/cells/0/runs"), 2);
  EXPECT_EQ(answer.text("/jobs/0/cells/1/worst_state"), "succeeded");
  const auto page = get("/api/grid?limit=1");
  EXPECT_EQ(page.at("/jobs").elements.size(), 1U);
  EXPECT_EQ(texts(get("/api/grid?cursor=" + page.text("/next")), "/jobs", "id"), std::vector{job});
}

}  // namespace
}  // namespace chronos::contract
