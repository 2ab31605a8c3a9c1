// The scheduler against a memory store and a clock moved by hand: what it does when the wall clock
// is set, when the time zone database changes, and what it tells of instants that did not run. The
// rest of it is tested by tests/sim.
#include "scheduler/scheduler.h"

#include <gtest/gtest.h>

#include "base/time_text.h"
#include "model/planner.h"
#include "store/memory_store.h"
#include "support/virtual_clock.h"
#include "support/zone_database.h"

namespace chronos::scheduler {
namespace {

using namespace std::chrono_literals;

Timestamp at(std::string_view text) {
  return *parse_timestamp(text);
}

// Attempts succeed at once.
class InstantLauncher final : public Launcher {
 public:
  void launch(const store::ClaimedRun& run, Duration,
              std::move_only_function<void(Outcome)> done) override {
    launched.push_back(run.planned_at);
    lateness.push_back(run.started_at - run.planned_at);
    if (during_launch) std::exchange(during_launch, nullptr)();
    if (hangs) return goes_on.push_back(std::move(done));
    done(Outcome{.kind = OutcomeKind::succeeded});
  }
  void cancel(RunId, int) override {}

  std::vector<Timestamp> launched;
  std::vector<Duration> lateness;
  std::function<void()> during_launch;  // of the next one
  bool hangs = false;                   // what is launched ends when a test says so
  std::vector<std::move_only_function<void(Outcome)>> goes_on;
};

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() { restart(); }

  void restart() {
    SchedulerEvents events;
    events.on_settled = [this](const store::ClaimedRun& claimed, const auto&, RunState) {
      settled.push_back(claimed.attempt);
    };
    events.on_not_run = [this](const LedgerRow& row) {
      not_run[{std::string(to_string(row.state)), row.reason}] += row.count;
    };
    events.on_clock_step = [this](Duration step) { steps.push_back(step); };
    events.on_replanned = [this](JobId job) { replanned.push_back(job); };
    scheduler.reset();
    store.start_epoch();
    scheduler = make_node(events);
  }
  std::unique_ptr<Scheduler> make_node(const SchedulerEvents& events = {}) {
    SchedulerOptions options;
    options.node = "n";
    options.lanes = {{"http", slots}};
    return std::make_unique<Scheduler>(store, launcher, clock, ids, Rng(2), options, events, [] {});
  }
  // One that has no slots, and so only looks after the others.
  std::unique_ptr<Scheduler> make_watcher() {
    slots = 0;
    return make_node();
  }

  JobId submit(ScheduleSpec spec, Overlap overlap = Overlap::skip) {
    const auto id = commit_job(std::move(spec), overlap);
    while (store.pump()) {
    }
    return id;
  }
  JobId commit_job(ScheduleSpec spec, Overlap overlap) {
    Job job;
    job.id = ids.make<JobId>();
    job.project = ids.make<ProjectId>();
    job.spec.edit().name = "a job";
    job.spec.edit().action = {"http", "{}"};
    job.spec.edit().schedule = std::move(spec);
    job.spec.edit().schedule.anchor = clock.now();
    job.spec.edit().overlap = overlap;
    job.spec.edit().max_attempts = max_attempts;
    job.created_at = clock.now();
    const auto schedule = schedule::Schedule::compile(job.spec->schedule);
    EXPECT_TRUE(schedule) << schedule.error().message;
    const auto first = plan_first({job.id, job.spec, *schedule, clock.now()}, ids);
    job.planned_through = first.planned_through;
    projects[job.id] = job.project;
    const auto id = job.id;
    store.commit(store::SubmitJob{std::move(job), first.run, clock.now(), {}},
                 [](const auto& answer) { EXPECT_TRUE(answer); });
    return id;
  }
  JobId submit_cron(std::string cron, std::string zone = "UTC") {
    ScheduleSpec spec;
    spec.cron = {std::move(cron)};
    spec.timezone = std::move(zone);
    return submit(std::move(spec));
  }

  // Steps and commits until nothing more happens at this instant.
  void turn() {
    scheduler->hint();
    turn_unhinted(*scheduler);
  }
  void turn_unhinted(Scheduler& node) {
    for (int quiet = 0; quiet < 3;) {
      node.step();
      quiet = store.pump() ? 0 : quiet + 1;
    }
  }
  void pass(Duration time) {
    clock.advance(time);
    turn();
  }
  std::optional<Timestamp> next_run(JobId job) {
    return store.find_job(projects.at(job), job)->next_run_at;
  }

  test::VirtualClock clock{at("2026-03-01T12:00:00Z")};
  IdSource ids{clock, Rng(1)};
  store::MemoryStore store{clock, {.has_own_thread = false}};
  InstantLauncher launcher;
  int max_attempts = 3;  // of jobs that are submitted
  int slots = 10;        // of nodes that are made
  std::unique_ptr<Scheduler> scheduler;
  std::map<JobId, ProjectId> projects;
  std::map<std::pair<std::string, std::string>, std::int64_t> not_run;
  std::vector<int> settled;  // attempts
  std::vector<Duration> steps;
  std::vector<JobId> replanned;
};

// -- Leases ---------------------------------------------------------------------------------------

TEST_F(SchedulerTest, NothingStartsUnderALeaseThatMayBeOver) {
  const auto job = submit_cron("* * * * *");
  turn();
  clock.advance(1min);
  while (store.stats()->leased == 0) {
    scheduler->hint();
    scheduler->step();
    store.pump();
  }
  clock.advance(15s);  // the process was stopped before it heard what it has
  scheduler->step();
  EXPECT_TRUE(launcher.launched.empty());
  turn();
  EXPECT_EQ(launcher.launched.size(), 1U);
  const auto runs = *store.list_runs({.project = projects.at(job), .job = job});
  ASSERT_FALSE(runs.rows.empty());
  EXPECT_EQ(runs.rows.back().attempts_made, 1);
}

TEST_F(SchedulerTest, WhatALostAttemptComesToIsNotToldOfTheNextOne) {
  slots = 2;
  restart();
  launcher.hangs = true;
  const auto job = submit({});
  turn();
  const auto watcher = make_watcher();
  for (int i = 0; i < 4; ++i) {  // cut off for longer than its lease; its attempt goes on
    turn_unhinted(*watcher);
    clock.advance(6s);
  }
  pass(1h);  // and is back, and tries it again
  ASSERT_EQ(launcher.goes_on.size(), 2U);
  const auto state = [&] { return store.live_runs(projects.at(job), job)->front().state; };

  launcher.goes_on[0](Outcome{.kind = OutcomeKind::succeeded});
  turn();
  EXPECT_TRUE(settled.empty());
  EXPECT_EQ(state(), RunState::running);
  submit({});
  turn();
  ASSERT_EQ(launcher.goes_on.size(), 3U) << "it took a slot while it went on, no longer";
  EXPECT_FALSE(scheduler->is_idle());

  launcher.goes_on[1](Outcome{.kind = OutcomeKind::succeeded});
  launcher.goes_on[2](Outcome{.kind = OutcomeKind::succeeded});
  turn();
  EXPECT_EQ(settled, (std::vector<int>{2, 1}));
  EXPECT_TRUE(scheduler->is_idle());
  submit({});
  submit({});
  turn();
  EXPECT_EQ(launcher.goes_on.size(), 5U) << "all slots are free";
}

TEST_F(SchedulerTest, WhatNobodyToldOfIsClaimedAfterTheNextBeat) {
  slots = 1;
  restart();
  launcher.hangs = true;
  submit({});
  turn();
  const auto idle = make_node();
  turn_unhinted(*idle);
  submit({});
  turn();  // all slots here are taken
  turn_unhinted(*idle);
  ASSERT_EQ(launcher.goes_on.size(), 1U) << "it does not know";
  clock.advance(5s);
  turn_unhinted(*idle);
  EXPECT_EQ(launcher.goes_on.size(), 2U);
}

// Whenever it dies between two beats, of its own and of the one that is left.
TEST_F(SchedulerTest, WhatADeadNodeRanIsTakenOverWithinTwentySeconds) {
  constexpr auto kStep = 500ms;  // the longest pause between two steps
  launcher.hangs = true;
  max_attempts = 1;
  const auto watcher = make_watcher();
  slots = 1;
  for (auto phase = 0ms; phase < 6s; phase += 100ms) {
    for (auto passed = 0ms; passed < phase; passed += kStep) {
      turn_unhinted(*watcher);
      clock.advance(std::min<Duration>(kStep, phase - passed));
    }
    const auto dying = make_node();
    submit({});
    turn_unhinted(*dying);
    ASSERT_EQ(store.stats()->leased, 1);
    const auto died_at = clock.now();
    while (store.stats()->leased == 1) {
      turn_unhinted(*watcher);
      clock.advance(kStep);
    }
    EXPECT_LT(clock.now() - died_at, 19s) << "a second is left for the database";
  }
}

TEST_F(SchedulerTest, WhoWasCutOffLetsTheOthersSayFirstThatTheyLive) {
  launcher.hangs = true;
  submit({});
  turn();
  const auto other = make_watcher();
  turn_unhinted(*other);
  clock.advance(1min);  // nobody reached the store
  turn_unhinted(*other);
  other->hint();
  clock.advance(50ms);
  turn_unhinted(*other);
  turn();
  launcher.goes_on[0](Outcome{.kind = OutcomeKind::succeeded});
  turn();
  EXPECT_EQ(settled, (std::vector<int>{1}));

  const auto job = submit({});
  turn();
  const auto state = [&] { return store.live_runs(projects.at(job), job)->front().state; };
  EXPECT_EQ(state(), RunState::running);
  for (int i = 0; i < 8; ++i) {  // this node alone is gone
    clock.advance(5s);
    turn_unhinted(*other);
  }
  EXPECT_NE(state(), RunState::running);
}

TEST_F(SchedulerTest, ARunThatANodeLosesAgainAndAgainIsTriedOn) {
  max_attempts = 0;
  launcher.hangs = true;
  const auto job = submit({});
  turn();
  for (int deaths = 1; deaths <= 5; ++deaths) {
    restart();
    turn();
    pass(1min);
    EXPECT_EQ(launcher.launched.size(), static_cast<std::size_t>(deaths) + 1);
  }
  const auto run = store.live_runs(projects.at(job), job)->front();
  EXPECT_EQ(run.state, RunState::running);
}

// -- A crowd --------------------------------------------------------------------------------------

TEST_F(SchedulerTest, WhatHasJustBecomeDueDoesNotWaitForACrowd) {
  for (int i = 0; i < 1500; ++i) submit_cron("0 13 * * *");
  const auto fresh = submit_cron("1 0 13 * * *");
  turn();
  clock.advance(1h + 1s);
  scheduler->step();
  while (store.pump()) {
  }
  EXPECT_EQ(next_run(fresh), at("2026-03-01T13:00:01Z"));
  const auto runs = *store.live_runs(projects.at(fresh), fresh);
  ASSERT_EQ(runs.size(), 2U) << "planned: tomorrow's waits";
  EXPECT_NE(runs[0].state, RunState::planned);
  EXPECT_GT(store.due_runs(clock.now(), 2000)->size(), 1000U) << "the crowd is not";
}

TEST_F(SchedulerTest, WhatALostRunKeptWaitingStartsWithoutAHint) {
  max_attempts = 1;
  ScheduleSpec spec;
  spec.every = 1min;
  submit(spec, Overlap::queue_all);
  launcher.hangs = true;
  pass(1min);
  pass(1min);  // held
  ASSERT_EQ(launcher.launched.size(), 1U);
  restart();
  launcher.hangs = false;
  turn();
  EXPECT_EQ(launcher.launched.size(), 2U);
}

TEST_F(SchedulerTest, ACrowdIsPlannedToItsEnd) {
  for (int i = 0; i < 1500; ++i) submit_cron("0 13 * * *");
  turn();
  pass(1h);
  EXPECT_TRUE(store.due_runs(clock.now(), 2000)->empty());
  EXPECT_EQ(launcher.launched.size(), 1500U);
}

TEST_F(SchedulerTest, WhatIsSubmittedDuringALongStepDoesNotStartEarly) {
  launcher.during_launch = [&] {
    clock.advance(20ms);
    commit_job({}, Overlap::skip);  // now
  };
  turn();
  commit_job({}, Overlap::skip);
  turn();
  EXPECT_EQ(launcher.lateness, (std::vector<Duration>{0ms, 0ms}));
}

// -- The wall clock is set ------------------------------------------------------------------------

TEST_F(SchedulerTest, TimeThatPassesIsNoStep) {
  turn();
  pass(1h);
  pass(100ms);
  EXPECT_TRUE(steps.empty());
}

TEST_F(SchedulerTest, AStepEitherWayIsNoticedAtTheNextStepOnce) {
  turn();
  clock.step_wall(2h);
  turn();
  clock.step_wall(-3h);
  turn();
  pass(1s);
  EXPECT_EQ(steps, (std::vector<Duration>{2h, -3h}));
}

TEST_F(SchedulerTest, BackwardsNothingIsRepeatedForwardsTheMisfirePolicyDecides) {
  submit_cron("0 * * * *");
  turn();
  pass(1h);
  clock.step_wall(-30min);
  turn();
  pass(30min);  // 13:00 again
  EXPECT_EQ(launcher.launched, (std::vector<Timestamp>{at("2026-03-01T13:00:00Z")}));
  clock.step_wall(5h + 10min);  // 18:10: run_once runs the latest
  turn();
  EXPECT_EQ(launcher.launched,
            (std::vector<Timestamp>{at("2026-03-01T13:00:00Z"), at("2026-03-01T18:00:00Z")}));
  EXPECT_EQ((not_run[{"missed", "down"}]), 4);
}

// A pause after trouble is counted by the wall clock.
TEST_F(SchedulerTest, AClockSetBackDoesNotStretchAPause) {
  const auto broken = submit_cron("59 12 * * *");
  auto stored = *store.find_job(projects.at(broken), broken);
  stored.spec.edit().schedule.cron = {"no cron"};  // as a damaged row would have it
  stored.version = 2;
  store.commit(store::ReplaceJob{stored, 1, false, true, {}, clock.now(), {}},
               [](const auto& answer) { EXPECT_TRUE(answer); });
  turn();
  pass(59min);  // its run is due and cannot be planned: a pause of a second
  clock.step_wall(-40min);
  turn();
  submit_cron("20 12 * * *");
  pass(1min);
  EXPECT_EQ(launcher.launched, (std::vector<Timestamp>{at("2026-03-01T12:20:00Z")}));
}

// -- Instants that did not run --------------------------------------------------------------------

TEST_F(SchedulerTest, InstantsThatDidNotRunAreToldWithTheirNumber) {
  submit_cron("* * * * * *");
  turn();
  pass(24h * 3);
  EXPECT_EQ((not_run[{"missed", "down"}]), 3 * 86'400 - 1);
  EXPECT_EQ(launcher.launched.size(), 1U);
}

// -- The time zone database changes ---------------------------------------------------------------

TEST_F(SchedulerTest, AChangedZoneMovesItsWaitingRunsAndNoOthers) {
  test::ZoneDatabase database;
  database.install("Test/Zone", "Asia/Tokyo");  // +09:00
  const auto moved = submit_cron("0 21 * * *", "Test/Zone");
  const auto stays = submit_cron("0 21 * * *", "+09:00");
  turn();
  EXPECT_EQ(next_run(moved), at("2026-03-02T12:00:00Z"));

  database.install("Test/Zone", "Asia/Kathmandu");  // +05:45
  pass(59s);
  EXPECT_EQ(next_run(moved), at("2026-03-02T12:00:00Z")) << "looked at once a minute";
  pass(1s);
  EXPECT_EQ(next_run(moved), at("2026-03-02T15:15:00Z"));
  EXPECT_EQ(next_run(stays), at("2026-03-02T12:00:00Z"));
  EXPECT_EQ(replanned, (std::vector<JobId>{moved}));

  clock.step_wall(at("2026-03-02T15:15:00Z") - clock.now());
  turn();
  EXPECT_EQ(launcher.launched.back(), at("2026-03-02T15:15:00Z"));
  EXPECT_EQ(next_run(moved), at("2026-03-03T15:15:00Z"));
  pass(10min);
  EXPECT_EQ(replanned.size(), 1U) << "once for each change";
}

TEST_F(SchedulerTest, AChangeWhileNoServerRanIsFoundAtTheStart) {
  test::ZoneDatabase database;
  database.install("Test/Zone", "Asia/Tokyo");
  const auto job = submit_cron("0 21 * * *", "Test/Zone");
  turn();
  database.install("Test/Zone", "Asia/Kathmandu");
  restart();
  turn();
  EXPECT_EQ(next_run(job), at("2026-03-02T15:15:00Z"));
  restart();
  turn();
  EXPECT_EQ(replanned.size(), 1U) << "what was noted is not walked along again";
}

TEST_F(SchedulerTest, ManyWaitingRunsAreMovedInBatches) {
  test::ZoneDatabase database;
  database.install("Test/Zone", "Asia/Tokyo");
  std::vector<JobId> jobs;
  for (int i = 0; i < 450; ++i) jobs.push_back(submit_cron("0 21 * * *", "Test/Zone"));
  turn();
  database.install("Test/Zone", "Asia/Kathmandu");
  pass(1min);
  scheduler->step();
  for (int i = 0; i < 3; ++i) pass(10ms);
  EXPECT_EQ(replanned.size(), 450U);
  for (const auto job : jobs) EXPECT_EQ(next_run(job), at("2026-03-02T15:15:00Z"));
}

TEST_F(SchedulerTest, ARunThatWasCancelledIsNotBroughtBack) {
  test::ZoneDatabase database;
  database.install("Test/Zone", "Asia/Tokyo");
  const auto job = submit_cron("0 21 * * *", "Test/Zone");
  turn();
  const auto run = store.live_runs(projects.at(job), job)->front().id;
  store.commit(store::CancelRun{projects.at(job), run, clock.now()}, [](const auto&) {});
  turn();
  database.install("Test/Zone", "Asia/Kathmandu");
  pass(1min);
  pass(24h);
  EXPECT_TRUE(launcher.launched.empty());
  EXPECT_EQ(store.find_run(projects.at(job), run)->state, RunState::cancelled);
}

// -- @reboot -------------------------------------------------------------------------------------

TEST_F(SchedulerTest, EveryStartRunsWhatWaitedForIt) {
  turn();
  const auto job = submit_cron("@reboot");
  pass(1h);
  EXPECT_TRUE(launcher.launched.empty()) << "the server was up already";
  EXPECT_EQ(next_run(job), std::nullopt);
  for (int start = 1; start <= 3; ++start) {
    clock.advance(1h);
    restart();
    turn();
    pass(1h);
    ASSERT_EQ(launcher.launched.size(), static_cast<std::size_t>(start));
    EXPECT_EQ(launcher.launched.back(), clock.now() - 1h);
  }
  EXPECT_EQ(store.find_job(projects.at(job), job)->status, JobStatus::scheduled);
}

TEST_F(SchedulerTest, WhatIsSubmittedBeforeTheFirstStepWaitsForTheNextStart) {
  submit_cron("@reboot");  // the server listens already
  turn();
  EXPECT_TRUE(launcher.launched.empty());
  restart();
  turn();
  EXPECT_EQ(launcher.launched.size(), 1U);
}

TEST_F(SchedulerTest, AStartAfterTheClockWasSetBackIsAStartToo) {
  const auto job = submit_cron("@reboot");
  restart();
  turn();
  clock.step_wall(-24h);
  restart();
  turn();
  EXPECT_EQ(launcher.launched.size(), 2U);
  EXPECT_EQ(store.find_job(projects.at(job), job)->status, JobStatus::scheduled);
}

TEST_F(SchedulerTest, ManyWaitForAStart) {
  constexpr int kJobs = 450;  // more than a step looks at
  for (int i = 0; i < kJobs; ++i) submit_cron("@reboot");
  submit_cron("0 * * * *");
  restart();
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_EQ(launcher.launched.size(), static_cast<std::size_t>(kJobs));
}

TEST_F(SchedulerTest, AJobThatIsGoneByThenHoldsNothingUp) {
  const auto job = submit_cron("@reboot");
  restart();
  scheduler->step();  // registers
  store.pump();
  scheduler->step();  // has seen it, and its plan is on the way
  store.commit(
      store::CancelJob{
          .project = projects.at(job), .job = job, .expected_version = {}, .now = clock.now()},
      [](const auto& answer) { EXPECT_TRUE(answer); });
  turn();
  submit_cron("@reboot");
  turn();
  EXPECT_TRUE(launcher.launched.empty());
}

}  // namespace
}  // namespace chronos::scheduler
