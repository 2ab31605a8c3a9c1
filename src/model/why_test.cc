// Facts → explanation, by table: every code of the list is reached.
#include "model/why.h"

#include <gtest/gtest.h>

#include <set>

#include "base/time_text.h"

namespace chronos {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::seconds(1'772'323'200)};  // 2026-03-01T00:00:00Z

Job sample_job() {
  Job job;
  job.id = JobId{{1, 1}};
  job.spec.edit().name = "report";
  job.spec.edit().action = {"http", R"({"kind":"http"})"};
  job.spec.edit().schedule.cron = {"0 * * * *"};
  job.updated_at = kNow - 24h;
  return job;
}

Run sample_run(RunState state) {
  Run run;
  run.id = RunId{{2, 2}};
  run.state = state;
  run.planned_at = kNow - 1min;
  run.queued_at = kNow - 30s;
  return run;
}

Outcome failure(OutcomeKind kind = OutcomeKind::failed, std::string reason = "exit_code") {
  Outcome outcome{.kind = kind, .reason = std::move(reason)};
  outcome.error = "exit code 1";
  outcome.exit_code = 1;
  return outcome;
}

// What a test varies; the rest is a queued run of an http job on a free server.
struct Case {
  Job job = sample_job();
  Run run = sample_run(RunState::queued);
  Standing standing = {};
  std::optional<Run> other = {};
  std::optional<schedule::Excluded> excluded = {};
  Capacity capacity = {.lanes = {{"http", 4}}, .queue_limits = {{"narrow", 1}}};
  ServerState server = {};
  std::optional<Pollers> pollers = {};

  Explanation why() const {
    return explain_run({.job = job,
                        .run = run,
                        .now = kNow,
                        .standing = standing,
                        .other = other,
                        .excluded = excluded,
                        .capacity = capacity,
                        .server = server,
                        .pollers = pollers});
  }
};

Case failed_run(Outcome outcome) {
  Case c;
  c.run = sample_run(RunState::failed);
  c.run.attempts_made = 2;
  c.run.error = outcome.error;
  c.run.attempts = {{2, kNow - 30s, kNow - 20s, "n", std::move(outcome)}};
  return c;
}

Case ended(RunState state, std::string reason) {
  Case c;
  c.run = sample_run(state);
  c.run.reason = std::move(reason);
  return c;
}

Explanation idle(const Job& job) {
  return explain_idle_job({.job = job, .now = kNow});
}

TEST(Why, TheTableIsInTheOrderOfItsCodesAndNamesEachOnce) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < why_table().size(); ++i) {
    const auto& row = why_table()[i];
    EXPECT_EQ(static_cast<std::size_t>(row.code), i) << row.name;
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(to_string(row.code), row.name);
  }
  EXPECT_EQ(why_table().back().code, WhyCode::other);
}

TEST(Why, APlannedRunWaitsForItsInstant) {
  Case c;
  c.run.state = RunState::planned;
  c.run.planned_at = kNow + 1h;
  EXPECT_EQ(c.why().code, WhyCode::scheduled_time);
  EXPECT_EQ(c.why().until, kNow + 1h);
  EXPECT_EQ(c.why().blocker->kind, "clock");

  c.run.planned_at = kNow;
  EXPECT_EQ(c.why().code, WhyCode::planning);
  c.run.is_cancel_requested = true;
  EXPECT_EQ(c.why().code, WhyCode::cancel_requested);
}

TEST(Why, APlannedRunNamesTheCalendarThatExcludesWhatComesBefore) {
  Case c;
  c.run.state = RunState::planned;
  c.run.planned_at = kNow + 48h;
  c.excluded = {{kNow + 1h, {}, {}}, {kNow + 47h, {}, {}}, "holidays"};
  EXPECT_EQ(c.why().code, WhyCode::excluded);
  EXPECT_EQ(c.why().blocker->kind, "calendar");
  EXPECT_EQ(c.why().blocker->name, "holidays");
  EXPECT_EQ(c.why().until, kNow + 48h);
  EXPECT_EQ(c.why().text,
            "It waits for 2026-03-03T00:00:00.000Z: the calendar holidays excludes the instants of"
            " the schedule from 2026-03-01T01:00:00.000Z to 2026-03-02T23:00:00.000Z.");
}

TEST(Why, JitterDelaysAStart) {
  Case c;
  c.run.state = RunState::planned;
  c.run.planned_at = kNow + 1h;
  c.run.jitter = 10min;
  EXPECT_EQ(c.why().code, WhyCode::scheduled_time);
  EXPECT_EQ(c.why().until, kNow + 1h + 10min);
  EXPECT_NE(c.why().text.find("delays its start to 2026-03-01T01:10:00.000Z"), std::string::npos);

  c.run.planned_at = kNow - 9min;
  EXPECT_EQ(c.why().code, WhyCode::jitter);
  EXPECT_EQ(c.why().blocker->name, "jitter");
  EXPECT_EQ(c.why().until, kNow + 1min);
  c.run.planned_at = kNow - 10min;
  EXPECT_EQ(c.why().code, WhyCode::planning);
}

TEST(Why, APausedJobSaysSinceWhenAndItsNote) {
  Case c;
  c.run.state = RunState::planned;
  c.run.planned_at = kNow + 1h;
  c.job.spec.edit().paused = true;
  c.job.spec.edit().note = "database moves";
  const auto why = c.why();
  EXPECT_EQ(why.code, WhyCode::resume);
  EXPECT_NE(why.text.find("database moves"), std::string::npos) << why.text;
  EXPECT_EQ(why.since, c.job.updated_at);
}

TEST(Why, ABackOffNamesTheAttemptItsErrorAndItsEnd) {
  Case c;
  c.run.state = RunState::retrying;
  c.run.attempts_made = 2;
  c.run.error = "exit code 1";
  c.run.next_attempt_at = kNow + 10s;
  const auto why = c.why();
  EXPECT_EQ(why.code, WhyCode::retry);
  EXPECT_EQ(why.until, kNow + 10s);
  EXPECT_EQ(why.text,
            "Attempt 2 of 3 failed (exit code 1); the next waits until 2026-03-01T00:00:10.000Z.");
}

TEST(Why, AHeldRunNamesTheRunItWaitsFor) {
  Case c;
  c.standing.is_held = true;
  c.other = sample_run(RunState::running);
  c.other->id = RunId{{7, 7}};
  const auto why = c.why();
  EXPECT_EQ(why.code, WhyCode::earlier_run);
  EXPECT_EQ(why.blocker->id, c.other->id.to_string());
}

TEST(Why, AReadyRunSaysWhatItLacks) {
  Case c;
  EXPECT_EQ(c.why().code, WhyCode::claim);

  auto full = c;
  full.standing.running_of_kind = 4;
  full.standing.runs_of_kind = {RunId{{7, 7}}};
  EXPECT_EQ(full.why().code, WhyCode::slot);
  EXPECT_EQ(full.why().blocker->runs, full.standing.runs_of_kind);
  EXPECT_EQ(full.why().blocker->in_use, 4);
  EXPECT_EQ(full.why().blocker->max, 4);

  full.standing.ahead = 3;
  EXPECT_EQ(full.why().code, WhyCode::runs_ahead);
  EXPECT_EQ(full.why().blocker->ahead, 3);
  EXPECT_EQ(full.why().text,
            "4 of 4 slots for 'http' actions are taken; 3 runs of higher priority, an earlier "
            "instant or another queue may go first.");

  auto crowded = c;  // free slots, but not enough for those that go first
  crowded.standing.running_of_kind = 2;
  crowded.standing.ahead = 2;
  EXPECT_EQ(crowded.why().code, WhyCode::runs_ahead);
  crowded.standing.ahead = 1;
  EXPECT_EQ(crowded.why().code, WhyCode::claim);

  auto narrow = c;
  narrow.job.spec.edit().queue = "narrow";
  EXPECT_EQ(narrow.why().code, WhyCode::claim);
  narrow.standing.running_in_queue = 1;
  narrow.standing.runs_in_queue = {RunId{{8, 8}}};
  EXPECT_EQ(narrow.why().code, WhyCode::queue_slot);
  EXPECT_EQ(narrow.why().blocker->name, "narrow");
  EXPECT_EQ(narrow.why().blocker->runs, narrow.standing.runs_in_queue);

  auto command = c;
  command.job.spec.edit().action.kind = "command";
  EXPECT_EQ(command.why().code, WhyCode::permission);
  EXPECT_NE(command.why().unblocked_by.find("commands.allow"), std::string::npos);
}

TEST(Why, ARunInLineNamesTheKeyAndWhoHoldsIt) {
  Case c;
  c.standing.limit = LimitStanding{.kind = LimitKind::concurrency,
                                   .limits = {ConcurrencyLimit{"tenant", 2}, {}},
                                   .in_use = 2,
                                   .ahead = 1,
                                   .runs = {RunId{{7, 7}}}};
  EXPECT_EQ(c.why().code, WhyCode::concurrency);
  EXPECT_EQ(
      c.why().text,
      "2 runs with the concurrency key 'tenant' go on, and 2 may; 1 run of higher priority or "
      "an earlier instant goes first.");
  EXPECT_EQ(c.why().blocker->name, "tenant");
  EXPECT_EQ(c.why().blocker->max, 2);
  EXPECT_EQ(c.why().blocker->runs, c.standing.limit->runs);
}

TEST(Why, ARunInLineForARateSaysWhenItOpens) {
  Case c;
  c.standing.limit = LimitStanding{
      .kind = LimitKind::rate, .limits = {{}, RateLimit{"api", 100, 1min}}, .opens_at = kNow + 5s};
  EXPECT_EQ(c.why().code, WhyCode::rate);
  EXPECT_EQ(c.why().until, kNow + 5s);
  EXPECT_NE(c.why().text.find("lets 100 attempts start within 1m."), std::string::npos);
  c.standing.limit->ahead = 1;
  EXPECT_FALSE(c.why().until);
  c.standing.limit->opens_at.reset();
  c.standing.limit->in_use = 100;
  EXPECT_NE(c.why().text.find("100 attempts let through have not started yet."), std::string::npos);
}

TEST(Why, ARunThatWorkersPullWaitsForThem) {
  Case c;
  c.job.spec.edit().action.kind = "worker";
  c.job.spec.edit().queue = "images";
  c.pollers = Pollers{};
  EXPECT_EQ(c.why().code, WhyCode::worker);
  EXPECT_EQ(c.why().text, "No worker polls queue 'images', and none has within a day.");
  EXPECT_EQ(c.why().blocker->name, "images");
  c.pollers->last_seen_at = kNow - 1h;
  EXPECT_EQ(c.why().text,
            "No worker polls queue 'images'; the last one that did was last seen at "
            "2026-02-28T23:00:00.000Z.");
  c.pollers->alive = 1;
  EXPECT_EQ(c.why().code, WhyCode::claim);
  EXPECT_EQ(c.why().text, "1 worker of queue 'images' takes it next.");
  c.pollers->alive = 2;
  c.standing.ahead_in_queue = 3;
  EXPECT_EQ(c.why().code, WhyCode::runs_ahead);
  EXPECT_EQ(c.why().blocker->ahead, 3);
  c.job.spec.edit().queue = "narrow";
  c.standing.running_in_queue = 1;
  EXPECT_EQ(c.why().code, WhyCode::queue_slot);
}

TEST(Why, AServerThatCannotStartAnythingSaysSo) {
  Case c;
  c.server.is_draining = true;
  EXPECT_EQ(c.why().code, WhyCode::drain);
  c.server.takes_changes = false;
  EXPECT_EQ(c.why().code, WhyCode::store);
  c.run.state = RunState::planned;
  EXPECT_EQ(c.why().code, WhyCode::store);
  c.run.planned_at = kNow + 1h;
  EXPECT_EQ(c.why().code, WhyCode::scheduled_time) << "that is what it waits for first";
}

TEST(Why, ARunningRunSaysWhereSinceWhenAndUntil) {
  Case c;
  c.run.state = RunState::running;
  c.run.node = "n1";
  c.run.attempts_made = 1;
  c.standing.attempt_started_at = kNow - 10s;
  c.job.spec.edit().timeout = 1min;
  EXPECT_EQ(c.why().code, WhyCode::running);
  EXPECT_EQ(c.why().since, kNow - 10s);
  EXPECT_EQ(c.why().until, kNow + 50s);
  c.job.spec.edit().deadline = 90s;  // from the planned instant
  EXPECT_EQ(c.why().until, kNow + 30s);
  c.run.is_cancel_requested = true;
  EXPECT_EQ(c.why().code, WhyCode::stopping);
}

TEST(Why, AFailedRunNamesThePolicyThatGaveUp) {
  auto c = failed_run(failure());
  c.job.spec.edit().max_attempts = 2;
  EXPECT_EQ(c.why().code, WhyCode::max_attempts);
  EXPECT_EQ(c.why().text, "Attempt 2 failed: exit code 1. max_attempts is 2: there are none left.");

  c.job.spec.edit().max_attempts = 3;
  EXPECT_EQ(c.why().code, WhyCode::gave_up) << "max_attempts was raised since";
  c.job.spec.edit().retry.on = {"timed_out"};
  EXPECT_EQ(c.why().code, WhyCode::retry_on);
  c.job.spec.edit().retry.on = {};
  c.job.spec.edit().retry.max_age = 1min;
  EXPECT_EQ(c.why().code, WhyCode::max_age);
  c.job.spec.edit().deadline = 1min;
  EXPECT_EQ(c.why().code, WhyCode::deadline) << "the stricter of two equal limits";

  auto lost = failed_run(failure(OutcomeKind::lost, "lease_expired"));
  lost.run.state = RunState::lost;
  lost.job.spec.edit().on_lost = OnLost::fail;
  EXPECT_EQ(lost.why().code, WhyCode::on_lost);
  const auto quarantined = failed_run(failure(OutcomeKind::lost, "quarantined")).why();
  EXPECT_EQ(quarantined.code, WhyCode::on_lost);
  EXPECT_TRUE(quarantined.text.contains("kills them")) << quarantined.text;
  EXPECT_FALSE(quarantined.blocker);
  EXPECT_EQ(failed_run(failure(OutcomeKind::timed_out, "deadline")).why().code, WhyCode::deadline);
}

TEST(Why, EndedRunsSayTheirReason) {
  using enum RunState;
  const auto code = [](RunState state, std::string reason) {
    return ended(state, std::move(reason)).why().code;
  };
  EXPECT_EQ(code(RunState::succeeded, ""), WhyCode::succeeded);
  EXPECT_EQ(code(skipped, "overlap"), WhyCode::overlap);
  EXPECT_EQ(code(skipped, "calendar"), WhyCode::calendar);
  EXPECT_EQ(code(missed, "down"), WhyCode::down);
  EXPECT_EQ(code(missed, "paused"), WhyCode::paused);
  EXPECT_EQ(code(missed, "window"), WhyCode::window);
  EXPECT_EQ(code(missed, "limit"), WhyCode::limit);
  EXPECT_EQ(code(missed, "eclipse"), WhyCode::other);
  EXPECT_EQ(code(cancelled, "job cancelled"), WhyCode::job_cancelled);
  EXPECT_EQ(code(cancelled, "run cancelled"), WhyCode::run_cancelled);
  EXPECT_EQ(code(cancelled, "rescheduled"), WhyCode::rescheduled);
  EXPECT_EQ(code(cancelled, "overlap"), WhyCode::overlap_stopped);
  EXPECT_EQ(code(cancelled, "cancelled"), WhyCode::stopped);
  for (const auto state :
       {RunState::succeeded, failed, timed_out, lost, cancelled, skipped, missed})
    EXPECT_EQ(code(state, "pruned"), WhyCode::pruned) << to_string(state);
}

TEST(Why, ARangeTellsItsEndsAndItsCount) {
  auto c = ended(RunState::missed, "down");
  c.run.planned_until = kNow;
  c.run.count = 61;
  EXPECT_EQ(c.why().text,
            "61 instants from 2026-02-28T23:59:00.000Z to 2026-03-01T00:00:00.000Z were missed: "
            "the server was not there in time.");
}

TEST(Why, ASkippedInstantNamesTheRunThatWentOn) {
  auto c = ended(RunState::skipped, "overlap");
  c.other = sample_run(RunState::succeeded);
  c.other->id = RunId{{7, 7}};
  EXPECT_EQ(c.why().blocker->kind, "run");
  EXPECT_EQ(c.why().blocker->id, c.other->id.to_string());
}

TEST(Why, AJobWithoutALiveRunSaysWhatEndedIt) {
  auto job = sample_job();
  job.spec.edit().paused = true;
  job.parked_at = kNow - 1h;
  EXPECT_EQ(idle(job).code, WhyCode::resume);
  EXPECT_NE(idle(job).text.find("2026-02-28T23:00:00.000Z"), std::string::npos);

  job = sample_job();
  job.phase = JobPhase::cancelled;
  EXPECT_EQ(idle(job).code, WhyCode::job_cancelled);
  job.phase = JobPhase::succeeded;
  EXPECT_EQ(idle(job).code, WhyCode::no_instant);
  job.spec.edit().schedule.end_at = kNow - 1h;
  EXPECT_EQ(idle(job).code, WhyCode::end_at);
  job.spec.edit().max_runs = 5;
  job.runs_planned = 5;
  EXPECT_EQ(idle(job).code, WhyCode::max_runs);

  auto once = sample_job();
  once.spec.edit().schedule.cron.clear();
  once.phase = JobPhase::failed;
  EXPECT_EQ(idle(once).code, WhyCode::no_instant);
  EXPECT_NE(idle(once).text.find("did not succeed"), std::string::npos);
}

}  // namespace
}  // namespace chronos
