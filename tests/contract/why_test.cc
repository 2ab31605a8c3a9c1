// "Why?" over the API: every code of the closed list is reached the way a user reaches it, and the
// list is the same in the code, in api/openapi.json and in docs/why.md.
#include <fmt/format.h>

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "base/time_text.h"
#include "contract/api_fixture.h"
#include "contract/openapi.h"
#include "model/planner.h"
#include "model/why.h"
#include "schedule/schedule.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

// One server of its own for each story. Two slots for http actions, one in the queue "narrow".
class Story : public ApiTest {
 public:
  void TestBody() override {}

  using ApiTest::claim;
  using ApiTest::clock_;
  using ApiTest::get;
  using ApiTest::is_draining_;
  using ApiTest::make_job;
  using ApiTest::patch;
  using ApiTest::post;
  using ApiTest::put;
  using ApiTest::remove;
  using ApiTest::settle;
  using ApiTest::store_;

  Answered why_run(const std::string& run) { return get("/api/runs/" + run + "/why"); }
  Answered why_job(const std::string& of) { return get("/api/jobs/" + of + "/why"); }
  std::string waiting_for(const std::string& of) {
    return get("/api/jobs/" + of + "/status").text("/waiting_for");
  }

  // What the scheduler does when instants have come: plans once, or until nothing is due.
  bool plan_once() {
    const auto due = *store_.due_runs(clock_.now(), 100);
    for (const auto& run : due) {
      const auto schedule = schedule::Schedule::compile(run.job->spec->schedule);
      const DueInput input{
          *run.job,
          *schedule,
          run.run,
          run.planned_at,
          run.is_running,
          run.is_held,
          clock_.now(),
          *service::load_calendars(store_, run.job->project, run.job->spec->schedule.calendars)};
      EXPECT_TRUE(commit_and_wait(store_, store::CommitPlan{plan_due(input, ids_), clock_.now()}));
    }
    return !due.empty();
  }
  void plan() {
    while (plan_once()) {
    }
  }
  void pass(Duration time) {
    clock_.advance(time);
    plan();
  }
  // The newest run of the job in this state.
  std::string run_of(const std::string& of, const std::string& state) {
    return get("/api/jobs/" + of + "/runs?limit=1&state=" + state).text("/runs/0/id");
  }
  // A run of the schedule under way, its instant having come.
  std::string hourly_running(std::string_view members = "") {
    auto text = std::string(R"("every": "1h")");
    if (!members.empty()) text.append(", ").append(members);
    job = make_job(text);
    pass(1h);
    claim(run_of(job, "queued"));
    return run_of(job, "running");
  }
  std::string now_run(std::string_view members = "") {
    job = make_job(members);
    return run_of(job, "queued");
  }
  std::string ended(std::string_view members, Outcome outcome, RunState state) {
    const auto run = now_run(members);
    settle(run, std::move(outcome), state);
    return run;
  }
  // Claims the run and ends the attempt; the next follows at `retry_at`.
  void settle_later(const std::string& run, Outcome outcome, Timestamp retry_at) {
    claim(run);
    const auto& claimed = claimed_.at(*RunId::parse(run));
    store::SettleRun change;
    change.run = claimed.run;
    change.token = claimed.token;
    change.next = RunState::retrying;
    change.retry_at = retry_at;
    change.attempt = {claimed.attempt, claimed.started_at, clock_.now(), "a node",
                      std::move(outcome)};
    change.now = clock_.now();
    EXPECT_TRUE(commit_and_wait(store_, std::move(change)));
  }
  // A row of the ledger of a job that fires every minute, after three hours without a scheduler.
  std::string missed(std::string_view members = "") {
    auto text = std::string(R"("cron": "* * * * *")");
    if (!members.empty()) text.append(", ").append(members);
    job = make_job(text);
    clock_.advance(3h);
    plan_once();
    return run_of(job, "missed");
  }

  std::string job;
};

Outcome failure(OutcomeKind kind = OutcomeKind::failed, std::string reason = "exit_code") {
  Outcome outcome{.kind = kind, .reason = std::move(reason)};
  outcome.error = "exit code 1";
  outcome.exit_code = 1;
  return outcome;
}

using Tell = std::function<Answered(Story&)>;

// How each code that a run waits with comes about.
const std::map<std::string, Tell> kWaitingStories = {
    {"scheduled_time", [](Story& s) { return s.why_job(s.job = s.make_job()); }},
    {"excluded",
     [](Story& s) {
       s.put("/api/calendars/closed",
             R"({"kind": "blackout", "dates": ["2026-03-02", "2026-03-03"]})");
       s.job = s.make_job(R"("cron": "0 * * * *", "calendars": ["closed"])");
       auto why = s.why_job(s.job);
       EXPECT_EQ(why.text("/blocker/name"), "closed");
       EXPECT_EQ(why.text("/until"), "2026-03-04T00:00:00.000Z");
       return why;
     }},
    {"jitter",
     [](Story& s) {
       s.job = s.make_job(R"("cron": "0 * * * *", "jitter": "30m")");
       const auto start = s.get("/api/jobs/" + s.job).text("/next_run_at");
       s.clock_.advance(*parse_timestamp(start) - s.clock_.now() - 1s);
       return s.why_job(s.job);
     }},
    {"start_up",
     [](Story& s) {
       s.job = s.make_job(R"("cron": "@reboot")");
       EXPECT_EQ(s.get("/api/jobs/" + s.job).at("/next_run_at").type, json::Type::null);
       const auto run = s.run_of(s.job, "planned");
       EXPECT_EQ(s.get("/api/runs/" + run).at("/planned_at").type, json::Type::null);
       EXPECT_EQ(s.why_run(run).at("/planned_at").type, json::Type::null);
       return s.why_job(s.job);
     }},
    {"planning",
     [](Story& s) {
       s.job = s.make_job(R"("every": "1h")");
       s.clock_.advance(1h);
       return s.why_job(s.job);
     }},
    {"cancel_requested",
     [](Story& s) {
       s.job = s.make_job();
       const auto run = s.run_of(s.job, "planned");
       s.post("/api/runs/" + run + "/cancel");
       return s.why_run(run);
     }},
    {"resume",
     [](Story& s) {
       s.job = s.make_job();
       s.post("/api/jobs/" + s.job + "/pause");
       return s.why_job(s.job);
     }},
    {"retry",
     [](Story& s) {
       const auto run = s.now_run();
       s.settle_later(run, failure(), s.clock_.now() + 10s);
       return s.why_run(run);
     }},
    {"earlier_run",
     [](Story& s) {
       s.hourly_running(R"("overlap": "queue_one")");
       s.pass(1h);
       return s.why_run(s.run_of(s.job, "queued"));
     }},
    {"permission",
     [](Story& s) {
       const auto answer =
           s.post("/api/jobs", R"({"name": "a", "action": {"kind": "command", "argv": ["true"]}})");
       return s.why_job(s.job = answer.text("/id"));
     }},
    {"worker",
     [](Story& s) {
       const auto answer =
           s.post("/api/jobs", R"({"name": "a", "action": {"kind": "worker"}, "queue": "q"})");
       return s.why_job(s.job = answer.text("/id"));
     }},
    {"concurrency",
     [](Story& s) {
       const auto limited = R"("concurrency": {"key": "tenant", "max": 1})";
       s.claim(s.now_run(limited));
       return s.why_run(s.now_run(limited));
     }},
    {"rate",
     [](Story& s) {
       const auto limited = R"("rate": {"key": "api", "max": 1, "per": "1m"})";
       s.claim(s.now_run(limited));
       return s.why_run(s.now_run(limited));
     }},
    {"queue_slot",
     [](Story& s) {
       s.claim(s.now_run(R"("queue": "narrow")"));
       return s.why_run(s.now_run(R"("queue": "narrow")"));
     }},
    {"slot",
     [](Story& s) {
       s.claim(s.now_run());
       s.claim(s.now_run());
       return s.why_run(s.now_run());
     }},
    {"runs_ahead",
     [](Story& s) {
       for (int i = 0; i < 2; ++i) s.now_run(R"("priority": 9)");
       return s.why_run(s.now_run());
     }},
    {"claim", [](Story& s) { return s.why_run(s.now_run()); }},
    {"store",
     [](Story& s) {
       const auto run = s.now_run();
       s.store_.stop();
       return s.why_run(run);
     }},
    {"drain",
     [](Story& s) {
       s.is_draining_ = true;
       return s.why_run(s.now_run());
     }},
};

// How runs that run or have ended, and jobs with nothing left, come about.
const std::map<std::string, Tell> kOtherStories = {
    {"running", [](Story& s) { return s.why_job((s.hourly_running(), s.job)); }},
    {"stopping",
     [](Story& s) {
       const auto run = s.hourly_running();
       s.post("/api/runs/" + run + "/cancel");
       return s.why_run(run);
     }},
    {"succeeded",
     [](Story& s) {
       return s.why_run(s.ended("", {.kind = OutcomeKind::succeeded}, RunState::succeeded));
     }},
    {"max_attempts",
     [](Story& s) {
       return s.why_run(s.ended(R"("max_attempts": 1)", failure(), RunState::failed));
     }},
    {"retry_on",
     [](Story& s) {
       const auto members = R"("retry": {"on": ["timed_out"]})";
       return s.why_run(s.ended(members, failure(), RunState::failed));
     }},
    {"max_age",
     [](Story& s) {
       const auto members = R"("retry": {"max_age": "1s"})";
       return s.why_run(s.ended(members, failure(), RunState::failed));
     }},
    {"deadline",
     [](Story& s) {
       return s.why_run(s.ended(R"("deadline": "1s")", failure(), RunState::failed));
     }},
    {"on_lost",
     [](Story& s) {
       return s.why_run(s.ended(R"("on_lost": "fail")", failure(OutcomeKind::lost, "lease_expired"),
                                RunState::lost));
     }},
    {"gave_up",
     [](Story& s) {
       const auto run = s.ended(R"("max_attempts": 1)", failure(), RunState::failed);
       s.patch("/api/jobs/" + s.job, R"({"max_attempts": 5})");
       return s.why_run(run);
     }},
    {"overlap",
     [](Story& s) {
       s.hourly_running();
       s.pass(1h);
       return s.why_run(s.run_of(s.job, "skipped"));
     }},
    {"calendar",
     [](Story& s) {
       s.put("/api/calendars/noon", R"({"weekly": [{"from": "12:30", "to": "13:30"}]})");
       s.job = s.make_job(R"("cron": "0 * * * *", "calendars": ["noon"])");
       s.pass(1h);
       auto answer = s.why_run(s.run_of(s.job, "skipped"));
       EXPECT_NE(answer.text("/text").find("calendar 'noon'"), std::string::npos) << answer.body;
       return answer;
     }},
    {"down", [](Story& s) { return s.why_run(s.missed()); }},
    {"window",
     [](Story& s) {
       return s.why_run(s.missed(R"("misfire": {"policy": "run_all", "window": "1h"})"));
     }},
    {"limit",
     [](Story& s) { return s.why_run(s.missed(R"("misfire": {"policy": "run_all", "max": 2})")); }},
    {"ask", [](Story& s) { return s.why_run(s.missed(R"("misfire": {"policy": "ask"})")); }},
    {"paused",
     [](Story& s) {
       s.job = s.make_job(R"("every": "1h")");
       s.post("/api/jobs/" + s.job + "/pause");
       s.pass(3h);
       s.post("/api/jobs/" + s.job + "/resume");
       s.plan();
       return s.why_run(s.run_of(s.job, "missed"));
     }},
    {"job_cancelled",
     [](Story& s) {
       const auto run = s.now_run();
       s.remove("/api/jobs/" + s.job);
       EXPECT_EQ(s.why_run(run).text("/code"), "job_cancelled");
       return s.why_job(s.job);
     }},
    {"run_cancelled",
     [](Story& s) {
       const auto run = s.now_run();
       s.post("/api/runs/" + run + "/cancel");
       return s.why_run(run);
     }},
    {"rescheduled",
     [](Story& s) {
       const auto run = s.now_run();
       s.put("/api/jobs/" + s.job, R"({"every": "1h"})");
       return s.why_run(run);
     }},
    {"overlap_stopped",
     [](Story& s) {
       s.job = s.make_job(R"("every": "1h", "overlap": "cancel_running")");
       s.pass(1h);
       const auto run = s.run_of(s.job, "queued");
       s.pass(1h);
       return s.why_run(run);
     }},
    {"stopped",
     [](Story& s) {
       const auto outcome = failure(OutcomeKind::cancelled, "cancelled");
       return s.why_run(s.ended("", outcome, RunState::cancelled));
     }},
    {"pruned",
     [](Story& s) {
       const auto run = s.ended(R"("retention": {"age": "1h"})", {.kind = OutcomeKind::succeeded},
                                RunState::succeeded);
       s.clock_.advance(2h);
       EXPECT_TRUE(commit_and_wait(s.store_, store::Prune{.now = s.clock_.now()}));
       return s.why_run(run);
     }},
    {"end_at",
     [](Story& s) {
       const auto run = s.hourly_running(R"("end_at": "2026-03-02T13:30:00Z")");
       s.settle(run, {.kind = OutcomeKind::succeeded}, RunState::succeeded);
       s.clock_.advance(1h);
       return s.why_job(s.job);
     }},
    {"max_runs",
     [](Story& s) {
       const auto run = s.hourly_running(R"("max_runs": 1)");
       s.settle(run, {.kind = OutcomeKind::succeeded}, RunState::succeeded);
       return s.why_job(s.job);
     }},
    {"other",
     [](Story& s) {
       s.job = s.make_job(R"("every": "1h")");
       s.clock_.advance(1h);
       const auto due = s.store_.due_runs(s.clock_.now(), 1)->front();
       Plan plan;
       plan.job = due.job->id;
       plan.expected_version = due.job->version;
       plan.expected_planned_through = due.job->planned_through;
       plan.planned_through = due.planned_at;
       plan.run = due.run;
       plan.expected_planned_at = due.planned_at;
       plan.due_run = Plan::DueRun::drop;
       plan.rows = {{due.run, RunState::missed, "eclipse", due.planned_at, {}, 1}};
       EXPECT_TRUE(commit_and_wait(s.store_, store::CommitPlan{plan, s.clock_.now()}));
       return s.why_run(s.run_of(s.job, "missed"));
     }},
    {"no_instant",
     [](Story& s) {
       s.ended("", {.kind = OutcomeKind::succeeded}, RunState::succeeded);
       return s.why_job(s.job);
     }},
};

TEST(WhyApi, EveryCodeIsReached) {
  std::set<std::string> reached;
  for (const auto* stories : {&kWaitingStories, &kOtherStories}) {
    for (const auto& [code, tell] : *stories) {
      Story story;
      const auto answer = tell(story);
      ASSERT_EQ(answer.status, 200) << code << ": " << answer.body;
      EXPECT_EQ(answer.text("/code"), code) << answer.body;
      EXPECT_TRUE(answer.text("/text").ends_with(".")) << answer.body;
      reached.insert(code);
    }
  }
  for (const auto& row : why_table())
    EXPECT_TRUE(reached.contains(std::string(row.name))) << row.name;
  EXPECT_EQ(reached.size(), why_table().size());
}

TEST(WhyApi, TheStatusWaitsForTheSame) {
  for (const auto& [code, tell] : kWaitingStories) {
    Story story;
    tell(story);
    if (code == "earlier_run") continue;  // the status tells of the run that goes on
    EXPECT_EQ(story.waiting_for(story.job), code);
  }
  for (const auto& row : why_table()) {
    EXPECT_EQ(row.is_waiting, kWaitingStories.contains(std::string(row.name))) << row.name;
  }
}

TEST(WhyApi, SlotsNameTheRunsThatHoldThem) {
  Story story;
  const auto first = story.now_run(R"("queue": "narrow")");
  story.claim(first);
  const auto answer = story.why_run(story.now_run(R"("queue": "narrow")"));
  EXPECT_EQ(answer.text("/blocker/kind"), "queue");
  EXPECT_EQ(answer.text("/blocker/name"), "narrow");
  EXPECT_EQ(answer.text("/blocker/runs/0"), first);
  EXPECT_EQ(answer.at("/blocker/in_use").integer, 1);
  EXPECT_EQ(answer.at("/blocker/max").integer, 1);
  EXPECT_EQ(answer.at("/blocker/ahead").integer, 0);
}

TEST(WhyApi, AnOverlapNamesTheRunThatWentOnAlsoAfterItsEnd) {
  Story story;
  const auto first = story.hourly_running();
  story.pass(1h);
  const auto skipped = story.run_of(story.job, "skipped");
  EXPECT_EQ(story.why_run(skipped).text("/blocker/id"), first);
  story.settle(first, {.kind = OutcomeKind::succeeded}, RunState::succeeded);
  story.pass(1h);
  EXPECT_EQ(story.why_run(skipped).text("/blocker/id"), first);
}

TEST(WhyApi, AJobListsItsLiveRunsAndWhatWasNotRun) {
  Story story;
  const auto running = story.hourly_running(R"("overlap": "queue_one")");
  story.pass(1h);
  story.pass(1h);
  const auto answer = story.why_job(story.job);
  EXPECT_EQ(answer.text("/code"), "running");
  EXPECT_EQ(answer.text("/runs/0/run_id"), running);
  EXPECT_EQ(answer.text("/runs/1/code"), "earlier_run");
  EXPECT_EQ(answer.text("/runs/1/blocker/id"), running);
  EXPECT_EQ(answer.text("/runs/2/code"), "scheduled_time");
  EXPECT_FALSE(answer.at("/has_more_runs").boolean);
  EXPECT_EQ(answer.text("/not_run/0/reason"), "overlap");
  EXPECT_EQ(answer.at("/not_run/0/count").integer, 1);
}

TEST(WhyApi, UnknownIdsAreNotFound) {
  Story story;
  EXPECT_EQ(story.why_job(JobId{{1, 2}}.to_string()).status, 404);
  EXPECT_EQ(story.why_run(RunId{{1, 2}}.to_string()).status, 404);
  EXPECT_EQ(story.get("/api/jobs/" + story.make_job() + "/why?x=1").status, 422);
}

TEST(WhyApi, TheListIsTheSameEverywhere) {
  std::ifstream file(std::string(CHRONOS_SOURCE_DIR) + "/docs/why.md");
  std::stringstream text;
  text << file.rdbuf();
  const auto& listed = OpenApi::built_in().schema("WhyCode").find("enum")->elements;
  ASSERT_EQ(listed.size(), why_table().size());
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const auto& row = why_table()[i];
    EXPECT_EQ(listed[i].string, row.name);
    const auto line = fmt::format("| `{}` | {} |", row.name, row.meaning);
    EXPECT_NE(text.str().find(line), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace chronos::contract
