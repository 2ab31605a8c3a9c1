// What a project looks like as a whole: totals and tallies, kept while changes are made.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class OverviewTest : public StoreTest {
 protected:
  void SetUp() override {
    commit(PutProject{{project_, "one", now()}, {}, {}});
    commit(PutProject{{other_project_, "other", now()}, {}, {}});
  }
  Overview overview(int upcoming_max = 20) { return overview_of(project_, upcoming_max); }
  Overview overview_of(ProjectId project, int upcoming_max = 20) {
    return must(store().overview({.project = project,
                                  .now = now(),
                                  .since = now() - 24h,
                                  .ahead = 1h,
                                  .upcoming_max = upcoming_max}));
  }
  JobTotals jobs() { return overview().jobs; }
  RunTotals totals() { return overview().runs; }
  Tally tally() {
    Tally sum;
    for (const auto& step : overview().tallies) sum += step.tally;
    return sum;
  }
  JobSpec in_queue(std::string queue) {
    auto spec = sample_spec();
    spec.queue = std::move(queue);
    return spec;
  }
  JobSpec queueing() {
    auto spec = every_hour();
    spec.overlap = Overlap::queue_one;
    return spec;
  }
};
CHRONOS_OVER_ALL_STORES(OverviewTest);

TEST_P(OverviewTest, NothingOfAProjectThatHasNothing) {
  submit_ready();
  const auto other = overview_of(other_project_);
  EXPECT_EQ(other.jobs, JobTotals{});
  EXPECT_EQ(other.runs, RunTotals{});
  EXPECT_EQ(other.late, 0);
  EXPECT_TRUE(other.upcoming.empty());
  EXPECT_TRUE(other.tallies.empty());
}

// -- Jobs ----------------------------------------------------------------------------------------

TEST_P(OverviewTest, JobsFollowTheirPhase) {
  const auto once = submit_ready();
  const auto later = submit_due(now() + 1h);
  auto paused_spec = sample_spec();
  paused_spec.paused = true;
  const auto paused = submit(new_job(paused_spec));
  EXPECT_EQ(jobs(), (JobTotals{.scheduled = 2, .paused = 1}));
  run_one(RunState::failed);
  EXPECT_EQ(jobs(), (JobTotals{.scheduled = 1, .paused = 1, .failed = 1}));
  run_now(once);
  EXPECT_EQ(jobs().failed, 1) << "until it has ended";
  run_one(RunState::succeeded);
  EXPECT_EQ(jobs(), (JobTotals{.scheduled = 1, .paused = 1, .succeeded = 1}));
  commit(CancelJob{.project = project_, .job = later.id, .now = now()});
  commit(CancelJob{.project = project_, .job = later.id, .now = now()});
  EXPECT_EQ(jobs(), (JobTotals{.paused = 1, .succeeded = 1, .cancelled = 1}));
  auto resumed = job(paused);
  resumed.spec.edit().paused = false;
  commit(replacement(resumed));
  EXPECT_EQ(jobs(), (JobTotals{.scheduled = 1, .succeeded = 1, .cancelled = 1}));
  EXPECT_EQ(jobs().all(), stats().jobs);
}

TEST_P(OverviewTest, AJobThatIsRescheduledIsActiveAgain) {
  const auto once = submit_ready();
  run_one(RunState::succeeded);
  auto change = replacement(job(once));
  change.job.phase = JobPhase::active;
  change.replaces_schedule = true;
  change.next_run = planned(now() + 1h);
  commit(change);
  EXPECT_EQ(jobs(), JobTotals{.scheduled = 1});
  EXPECT_EQ(totals(), RunTotals{.due = 1});
}

TEST_P(OverviewTest, AReplacedJobCancelsItsRunsFirst) {
  const auto once = submit_ready();
  auto change = replacement(job(once));
  change.replaces_schedule = true;
  change.next_run = planned(now() + 1h);
  commit(change);
  EXPECT_EQ(jobs(), JobTotals{.scheduled = 1}) << "its only run was cancelled on the way";
  EXPECT_EQ(tally().cancelled, 1);
}

TEST_P(OverviewTest, APhaseTakenWhenTheScheduleEnds) {
  submit_recurring(now());
  auto change = plan_for(due_one(), Plan::DueRun::drop);
  change.phase_at_end = JobPhase::succeeded;
  change.rows = {{id<RunId>(), RunState::skipped, "overlap", now(), std::nullopt, 1}};
  commit(change);
  EXPECT_EQ(jobs(), JobTotals{.succeeded = 1});
}

TEST_P(OverviewTest, ARefusedSubmissionCountsNothing) {
  auto spec = sample_spec();
  spec.key = "nightly";
  submit(new_job(spec));
  EXPECT_EQ(refusal(try_commit(SubmitJob{new_job(spec), std::nullopt, now(), std::nullopt})),
            "key_taken");
  EXPECT_EQ(jobs(), JobTotals{.scheduled = 1});
}

// -- Runs ----------------------------------------------------------------------------------------

TEST_P(OverviewTest, RunsAreWhereTheyWait) {
  submit_due(now() + 1min);
  submit_recurring(now() + 1h);
  submit_ready(in_queue("mail"));
  submit_ready(in_queue("mail"));
  EXPECT_EQ(totals(), (RunTotals{.due = 2, .ready = 2}));
  const auto claimed = claim(1);
  EXPECT_EQ(totals(), (RunTotals{.due = 2, .ready = 1, .running = 1}));
  settle(claimed.front(), RunState::retrying);
  EXPECT_EQ(totals(), (RunTotals{.due = 3, .retrying = 1, .ready = 1}));
  clock_.advance(1min);
  EXPECT_EQ(release(), 2) << "the retry and the one that was due";
  EXPECT_EQ(totals(), (RunTotals{.due = 1, .ready = 3}));
  for (const auto& run : claim()) settle(run, RunState::succeeded);
  EXPECT_EQ(totals(), RunTotals{.due = 1});
}

TEST_P(OverviewTest, ARunThatIsHandedBackIsReady) {
  submit_ready();
  settle(claim_one(), RunState::queued);
  EXPECT_EQ(totals(), RunTotals{.ready = 1});
  EXPECT_TRUE(overview().tallies.empty()) << "it has not ended";
}

TEST_P(OverviewTest, ARetryThatIsCancelledIsGone) {
  submit_ready();
  const auto claimed = claim_one();
  settle(claimed, RunState::retrying);
  commit(CancelRun{project_, claimed.run, now()});
  EXPECT_EQ(totals(), RunTotals{});
  EXPECT_EQ(tally().cancelled, 1);
  EXPECT_EQ(jobs(), JobTotals{.cancelled = 1});
}

TEST_P(OverviewTest, HeldRuns) {
  submit_recurring(now(), queueing());
  plan(Plan::DueRun::release, now() + 1h);
  const auto first = claim_one();
  clock_.advance(1h);
  plan(Plan::DueRun::hold, now() + 1h);
  EXPECT_EQ(totals(), (RunTotals{.due = 1, .held = 1, .running = 1}));
  settle(first, RunState::succeeded);
  EXPECT_EQ(totals(), (RunTotals{.due = 1, .ready = 1}));
}

TEST_P(OverviewTest, RunsInLineForALimit) {
  auto spec = sample_spec();
  spec.limits.concurrency = ConcurrencyLimit{"db", 1};
  submit_ready(spec);
  submit_ready(spec);
  EXPECT_EQ(totals(), (RunTotals{.ready = 1, .limited = 1}));
  run_one(RunState::succeeded);
  EXPECT_EQ(totals(), RunTotals{.ready = 1});
  run_one(RunState::succeeded);
  EXPECT_EQ(totals(), RunTotals{});
}

TEST_P(OverviewTest, RunsThatMoveToAnotherQueueStayCounted) {
  const auto waiting = submit_due(now() + 1h);
  const auto ready = submit_ready();
  const auto running = submit_ready(in_queue("mail"));
  auto claims = claim_change();
  claims.queues = {"mail"};
  commit(Heartbeat{holder_, 15s});
  const auto claimed = commit(claims);
  ASSERT_EQ(claimed.size(), 1U);
  for (const auto& each : {waiting, ready, running}) {
    auto moved = job(each);
    moved.spec.edit().queue = "elsewhere";
    commit(replacement(moved));
  }
  EXPECT_EQ(totals(), (RunTotals{.due = 1, .ready = 1, .running = 1}));
  settle(claimed.front(), RunState::succeeded);
  commit(CancelJob{.project = project_, .job = waiting.id, .now = now()});
  commit(CancelJob{.project = project_, .job = ready.id, .now = now()});
  EXPECT_EQ(totals(), RunTotals{});
}

TEST_P(OverviewTest, AsManyAsTheStatisticsSay) {
  for (int i = 0; i < 3; ++i) submit_ready(in_queue("q" + std::to_string(i)));
  submit_due(now() + 1h);
  auto elsewhere = new_job();
  elsewhere.project = other_project_;
  submit(elsewhere, planned(now()));
  claim(1);
  EXPECT_EQ(stats().ready, 3);
  EXPECT_EQ(stats().due, 1);
  EXPECT_EQ(stats().leased, 1);
  EXPECT_EQ(stats().jobs, 5);
}

// -- Late, and to come ---------------------------------------------------------------------------

TEST_P(OverviewTest, LateIsWhatOnlyLacksASlot) {
  submit_ready();
  submit_due(now() + 1s);
  submit_recurring(now() + 1s);
  EXPECT_EQ(overview().late, 0);
  clock_.advance(kLateAfter - 1us);
  EXPECT_EQ(overview().late, 0);
  clock_.advance(1us);
  EXPECT_EQ(overview().late, 1);
  clock_.advance(1s);
  EXPECT_EQ(overview().late, 3) << "those that nobody has released yet too";
  release();
  EXPECT_EQ(overview().late, 3);
  for (const auto& run : claim()) settle(run, RunState::retrying);
  clock_.advance(5min);
  EXPECT_EQ(overview().late, 1) << "a retry waited on purpose";
  EXPECT_EQ(overview_of(other_project_).late, 0);
}

TEST_P(OverviewTest, WhatComesWithinTheHourEarliestFirst) {
  const auto third = submit_recurring(now() + 30min);
  const auto first = submit_due(now() + 10min);
  const auto second = submit_due(now() + 20min);
  submit_due(now() + 61min);
  submit_ready();
  auto elsewhere = new_job();
  elsewhere.project = other_project_;
  submit(elsewhere, planned(now() + 1min));
  const auto found = overview(2);
  EXPECT_EQ(found.upcoming_count, 3);
  ASSERT_EQ(found.upcoming.size(), 2U);
  EXPECT_EQ(found.upcoming[0],
            (UpcomingRun{now() + 10min, only_live(first).id, first.id, first.spec->name}));
  EXPECT_EQ(found.upcoming[1].job, second.id);
  EXPECT_EQ(overview().upcoming.back().job, third.id);
  EXPECT_EQ(overview_of(other_project_).upcoming_count, 1);
}

// -- What happened -------------------------------------------------------------------------------

TEST_P(OverviewTest, EveryEndIsCountedInItsStep) {
  for (const auto state : {RunState::succeeded, RunState::failed, RunState::timed_out,
                           RunState::lost, RunState::cancelled}) {
    submit_ready();
    clock_.advance(3ms);
    run_one(state);
  }
  auto found = overview().tallies;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at, kStart);
  Tally wanted{
      .succeeded = 1, .failed = 1, .timed_out = 1, .lost = 1, .cancelled = 1, .started = 5};
  wanted.lateness[1] = 5;  // from 2 to 5 ms
  EXPECT_EQ(found[0].tally, wanted);
  clock_.advance(kTallyStep);
  submit_ready();
  run_one(RunState::succeeded);
  found = overview().tallies;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].at, kStart + kTallyStep);
  EXPECT_EQ(found[1].tally.succeeded, 1);
}

TEST_P(OverviewTest, AStartCountsWhenItWas) {
  submit_ready();
  const auto claimed = claim_one();
  clock_.advance(2 * kTallyStep);
  settle(claimed, RunState::succeeded);
  const auto found = overview().tallies;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].tally.started, 1);
  EXPECT_EQ(found[0].tally.succeeded, 0);
  EXPECT_EQ(found[1].tally.started, 0);
  EXPECT_EQ(found[1].tally.succeeded, 1);
}

TEST_P(OverviewTest, OfRetriesTheFirstAttemptStarted) {
  submit_ready();
  clock_.advance(150ms);
  settle(claim_one(), RunState::retrying);
  clock_.advance(1min);
  release();
  run_one(RunState::succeeded);
  EXPECT_EQ(tally().started, 1);
  EXPECT_EQ(tally().lateness[6], 1) << "from 100 to 200 ms";
}

TEST_P(OverviewTest, ABackfillIsNotLate) {
  const auto once = submit_ready();
  run_one(RunState::succeeded);
  auto run = planned(now() - 24h, Trigger::backfill);
  commit(RunJob{project_, once.id, run, now(), std::nullopt});
  run_one(RunState::succeeded);
  EXPECT_EQ(tally().started, 2);
  EXPECT_EQ(tally().lateness[0], 1);
  EXPECT_EQ(tally().lateness.back(), 0);
}

TEST_P(OverviewTest, InstantsThatDidNotRunCountOneByOne) {
  submit_recurring(now());
  auto change = plan_for(due_one(), Plan::DueRun::drop);
  change.rows = {{id<RunId>(), RunState::missed, "down", now(), now() + 2h, 3},
                 {id<RunId>(), RunState::skipped, "overlap", now() + 3h, std::nullopt, 1}};
  change.planned_through = now() + 3h;
  change.next_run = to_plan(now() + 4h);
  commit(change);
  EXPECT_EQ(tally(), (Tally{.skipped = 1, .missed = 3}));
}

TEST_P(OverviewTest, OldTalliesGo) {
  submit_ready();
  run_one(RunState::succeeded);
  clock_.advance(kTalliesKept - 1us);
  const auto since_the_start = [&] {
    return must(store().overview({.project = project_, .now = now(), .since = kStart})).tallies;
  };
  commit(Prune{now()});
  EXPECT_EQ(since_the_start().size(), 1U);
  clock_.advance(1us);
  commit(Prune{now()});
  EXPECT_TRUE(since_the_start().empty());
}

TEST_P(OverviewTest, AllOfItIsThereAgainAfterARestart) {
  submit_ready();
  submit_due(now() + 30min);
  run_one(RunState::failed);
  const auto before = overview();
  store_.reopen();
  const auto after = overview();
  EXPECT_EQ(after.jobs, before.jobs);
  EXPECT_EQ(after.runs, before.runs);
  EXPECT_EQ(after.tallies, before.tallies);
  EXPECT_EQ(after.upcoming, before.upcoming);
}

TEST_P(OverviewTest, ChangesOfOneTransactionAddUp) {
  for (int i = 0; i < 20; ++i) submit_ready(in_queue("q" + std::to_string(i % 3)));
  const auto claimed = claim();
  std::vector<std::future<void>> done;
  for (const auto& run : claimed) {
    auto promise = std::make_shared<std::promise<void>>();
    done.push_back(promise->get_future());
    store().commit(settlement(run, RunState::succeeded),
                   [promise](const auto& answer) { answer ? promise->set_value() : void(); });
  }
  for (auto& each : done) each.get();
  EXPECT_EQ(totals(), RunTotals{});
  EXPECT_EQ(jobs(), JobTotals{.succeeded = 20});
  EXPECT_EQ(tally().succeeded, 20);
}

// -- Queues --------------------------------------------------------------------------------------

TEST_P(OverviewTest, QueuesByNameWithWhatLiesInThem) {
  submit_ready(in_queue("mail"));
  clock_.advance(1s);
  submit_ready(in_queue("mail"));
  submit_due(now() + 1h, in_queue("reports"));
  auto elsewhere = new_job(in_queue("mail"));
  elsewhere.project = other_project_;
  submit(elsewhere, planned(kStart - 1h));
  const auto queues = must(store().list_queues(project_));
  ASSERT_EQ(queues.size(), 2U);
  EXPECT_EQ(queues[0].name, "mail");
  EXPECT_EQ(queues[0].runs, RunTotals{.ready = 2});
  EXPECT_EQ(queues[0].oldest_ready_at, kStart);
  EXPECT_EQ(queues[1].name, "reports");
  EXPECT_EQ(queues[1].runs, RunTotals{.due = 1});
  EXPECT_FALSE(queues[1].oldest_ready_at);
}

TEST_P(OverviewTest, AQueueThatIsEmptyAgainStaysInTheList) {
  submit_ready(in_queue("mail"));
  run_one(RunState::succeeded);
  const auto queues = must(store().list_queues(project_));
  ASSERT_EQ(queues.size(), 1U);
  EXPECT_EQ(queues[0].runs, RunTotals{});
}

// -- Newest runs ---------------------------------------------------------------------------------

TEST_P(OverviewTest, TheNewestRunsOfSomeJobs) {
  const auto one = submit_ready();
  run_one(RunState::failed);
  const auto first = runs_of(one).front().id;
  const auto second = run_now(one);
  const auto claimed = claim_one();
  run_now(one);
  const auto other = submit_ready();
  RecentAsk ask{.project = project_, .jobs = {other.id, one.id, id<JobId>()}, .limit = 10};
  auto recent = must(store().recent_runs(ask));
  ASSERT_EQ(recent.size(), 3U);
  EXPECT_TRUE(recent[0].empty()) << "it has not begun";
  ASSERT_EQ(recent[1].size(), 2U);
  EXPECT_EQ(recent[1][0].id, second);
  EXPECT_EQ(recent[1][0].state, RunState::running);
  EXPECT_EQ(recent[1][1].id, first);
  EXPECT_EQ(recent[1][1].error, run(first).error);
  EXPECT_EQ(recent[1][1].job_name, one.spec->name);
  EXPECT_TRUE(recent[2].empty());
  settle(claimed, RunState::retrying);
  ask.limit = 1;
  recent = must(store().recent_runs(ask));
  ASSERT_EQ(recent[1].size(), 1U);
  EXPECT_EQ(recent[1][0].state, RunState::retrying);
  ask.project = other_project_;
  EXPECT_TRUE(must(store().recent_runs(ask))[1].empty());
}

TEST_P(OverviewTest, TheNewestRunsBackToAnInstant) {
  const auto job = submit_recurring(now());
  for (int i = 0; i < 4; ++i) {
    plan(Plan::DueRun::release, now() + 1h);
    run_one(RunState::succeeded);
    clock_.advance(1h);
  }
  const RecentAsk ask{.project = project_, .jobs = {job.id}, .planned_from = kStart + 2h};
  EXPECT_EQ(must(store().recent_runs(ask)).front().size(), 2U);
}

// -- Ahead ---------------------------------------------------------------------------------------

TEST_P(OverviewTest, RunsAheadNeedNoPlanning) {
  submit_recurring(now() + 10min);
  const auto first = submit_due(now() + 10min);
  submit_due(now() + 20min);
  submit_due(now() + 1h);
  auto elsewhere = new_job();
  elsewhere.project = other_project_;
  submit(elsewhere, planned(now() + 15min));
  AheadAsk ask{.project = project_,
               .from = now() + 10min,
               .until = now() + 1h,
               .runs_max = 1,
               .instants_max = 10};
  auto ahead = must(store().runs_ahead(ask));
  ASSERT_EQ(ahead.runs.size(), 1U);
  EXPECT_EQ(ahead.runs[0].job, first.id);
  EXPECT_EQ(ahead.instants, (std::vector{now() + 10min, now() + 20min}));
  EXPECT_FALSE(ahead.has_more);
  ask.instants_max = 1;
  ahead = must(store().runs_ahead(ask));
  EXPECT_EQ(ahead.instants, std::vector{now() + 10min});
  EXPECT_TRUE(ahead.has_more);
}

// -- Nodes ---------------------------------------------------------------------------------------

TEST_P(OverviewTest, NodesSayWhoTheyAre) {
  const NodeInfo info{"node-a", "1.2.3", now()};
  commit(Heartbeat{holder_, 15s, {}, now(), info});
  commit(Heartbeat{id<NodeId>(), 15s});  // says nothing
  submit_ready();
  commit(claim_change());
  auto nodes = must(store().list_nodes());
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_EQ(nodes[0].id, holder_);
  EXPECT_EQ(nodes[0].info, info);
  EXPECT_EQ(nodes[0].seen_at, now());
  EXPECT_TRUE(nodes[0].is_alive);
  EXPECT_EQ(nodes[0].running, 1);
  clock_.advance(15s);
  nodes = must(store().list_nodes());
  ASSERT_EQ(nodes.size(), 1U);
  EXPECT_FALSE(nodes[0].is_alive);
  clock_.advance(kNodesListed);
  EXPECT_TRUE(must(store().list_nodes()).empty());
}

}  // namespace
}  // namespace chronos::store
