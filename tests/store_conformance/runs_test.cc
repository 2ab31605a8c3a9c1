// Reading runs: what a run shows in each state, attempts, output, live runs, the order of release.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

using RunsTest = StoreTest;
CHRONOS_OVER_ALL_STORES(RunsTest);

TEST_P(RunsTest, PlannedRunShowsItsInstant) {
  const auto submitted = submit_due(now() + 1h);
  const auto planned_run = run(only_live(submitted).id);
  EXPECT_EQ(planned_run.job, submitted.id);
  EXPECT_EQ(planned_run.project, project_);
  EXPECT_EQ(planned_run.job_name, "report");
  EXPECT_EQ(planned_run.trigger, Trigger::schedule);
  EXPECT_EQ(planned_run.state, RunState::planned);
  EXPECT_EQ(planned_run.planned_at, now() + 1h);
  EXPECT_FALSE(planned_run.planned_until);
  EXPECT_EQ(planned_run.count, 1);
  EXPECT_FALSE(planned_run.queued_at);
  EXPECT_FALSE(planned_run.started_at);
  EXPECT_FALSE(planned_run.ended_at);
  EXPECT_FALSE(planned_run.next_attempt_at);
  EXPECT_FALSE(planned_run.lateness);
  EXPECT_EQ(planned_run.attempts_made, 0);
  EXPECT_TRUE(planned_run.attempts.empty());
}

TEST_P(RunsTest, RunIsFollowedFromReadyToItsEnd) {
  const auto instant = now() + 1h;
  const auto submitted = submit_due(instant);
  const auto id = only_live(submitted).id;
  clock_.advance(1h + 2s);
  ASSERT_EQ(release(), 1);
  EXPECT_EQ(run(id).state, RunState::queued);
  EXPECT_EQ(run(id).queued_at, now());

  clock_.advance(3s);
  const auto claimed = claim_one();
  auto running = run(id);
  EXPECT_EQ(running.state, RunState::running);
  EXPECT_EQ(running.queued_at, instant + 2s);
  EXPECT_EQ(running.started_at, instant + 5s);
  EXPECT_EQ(running.lateness, 5s);
  EXPECT_EQ(running.attempts_made, 1);
  EXPECT_EQ(running.node, "node-a");
  EXPECT_TRUE(running.attempts.empty());

  clock_.advance(10s);
  auto change = settlement(claimed, RunState::failed);
  change.attempt.outcome.exit_code = 3;
  change.attempt.outcome.http_status = 500;
  commit(change);
  const auto ended = run(id);
  EXPECT_EQ(ended.state, RunState::failed);
  EXPECT_EQ(ended.reason, "http_status");
  EXPECT_EQ(ended.error, "the target answered 500");
  EXPECT_EQ(ended.planned_at, instant);
  EXPECT_EQ(ended.queued_at, instant + 2s);
  EXPECT_EQ(ended.started_at, instant + 5s);
  EXPECT_EQ(ended.ended_at, instant + 15s);
  EXPECT_EQ(ended.lateness, 5s);
  EXPECT_EQ(ended.attempts_made, 1);
  EXPECT_EQ(ended.node, "node-a");
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_EQ(ended.http_status, 500);
  EXPECT_EQ(ended.count, 1);
  EXPECT_FALSE(ended.planned_until);
  EXPECT_EQ(ended.job_name, "report");
}

TEST_P(RunsTest, AttemptIsKeptWhole) {
  submit_ready();
  const auto claimed = claim_one();
  clock_.advance(4s);
  auto change = settlement(claimed, RunState::timed_out);
  change.attempt.node = "node-b";
  change.attempt.outcome = {.kind = OutcomeKind::timed_out,
                            .reason = "timeout",
                            .error = "no end within 5m",
                            .exit_code = -1,
                            .signal = 9,
                            .http_status = 204,
                            .retry_after = 3s,
                            .output = "line",
                            .output_dropped = 12};
  commit(change);
  const auto attempts = run(claimed.run).attempts;
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].number, 1);
  EXPECT_EQ(attempts[0].started_at, claimed.started_at);
  EXPECT_EQ(attempts[0].ended_at, now());
  EXPECT_EQ(attempts[0].node, "node-b");
  const auto& outcome = attempts[0].outcome;
  EXPECT_EQ(outcome.kind, OutcomeKind::timed_out);
  EXPECT_EQ(outcome.reason, "timeout");
  EXPECT_EQ(outcome.error, "no end within 5m");
  EXPECT_EQ(outcome.exit_code, -1);
  EXPECT_EQ(outcome.signal, 9);
  EXPECT_EQ(outcome.http_status, 204);
  EXPECT_EQ(outcome.output, "");
  EXPECT_EQ(outcome.output_dropped, 12);
  EXPECT_FALSE(outcome.retry_after);
}

TEST_P(RunsTest, SucceededAttemptIsReadBackToo) {
  submit_ready();
  const auto claimed = claim_one();
  auto change = settlement(claimed, RunState::succeeded);
  change.attempt.outcome.exit_code = 0;
  commit(change);
  const auto attempts = run(claimed.run).attempts;
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].outcome.kind, OutcomeKind::succeeded);
  EXPECT_EQ(attempts[0].outcome.exit_code, 0);
  EXPECT_EQ(run(claimed.run).exit_code, 0);
  EXPECT_EQ(run(claimed.run).reason, "");
}

TEST_P(RunsTest, AnotherProjectsRunIsNotFound) {
  const auto submitted = submit_ready();
  const auto id = only_live(submitted).id;
  EXPECT_EQ(refusal(store().find_run(other_project_, id)), "not_found");
  EXPECT_EQ(refusal(store().find_run(project_, this->id<RunId>())), "not_found");
  EXPECT_EQ(refusal(store().read_output(other_project_, id, 0)), "not_found");
  run_one(RunState::succeeded);
  EXPECT_EQ(refusal(store().find_run(other_project_, id)), "not_found");
  EXPECT_EQ(refusal(store().read_output(other_project_, id, 0)), "not_found");
  EXPECT_EQ(refusal(store().read_output(project_, this->id<RunId>(), 0)), "not_found");
}

// -- Output ---------------------------------------------------------------------------------------

TEST_P(RunsTest, OutputIsKeptForEachAttempt) {
  submit_ready();
  auto claimed = claim_one();
  EXPECT_EQ(must(store().read_output(project_, claimed.run, 0)).bytes, "");
  auto change = settlement(claimed, RunState::retrying);
  change.attempt.outcome.output = "first\n";
  change.attempt.outcome.output_dropped = 5;
  commit(change);
  clock_.advance(1min);
  release();
  claimed = claim_one();
  // The newest is the one that runs.
  EXPECT_EQ(must(store().read_output(project_, claimed.run, 0)).bytes, "");
  EXPECT_EQ(must(store().read_output(project_, claimed.run, 1)).bytes, "first\n");
  change = settlement(claimed, RunState::succeeded);
  change.attempt.outcome.output = std::string("se\0cond\xff", 8);
  commit(change);

  EXPECT_EQ(must(store().read_output(project_, claimed.run, 0)).bytes,
            std::string("se\0cond\xff", 8));
  EXPECT_EQ(must(store().read_output(project_, claimed.run, 2)).dropped, 0);
  EXPECT_EQ(must(store().read_output(project_, claimed.run, 1)).bytes, "first\n");
  EXPECT_EQ(must(store().read_output(project_, claimed.run, 1)).dropped, 5);
  EXPECT_EQ(must(store().read_output(project_, claimed.run, 3)).bytes, "");
}

TEST_P(RunsTest, NewestAttemptWithoutOutputHasNone) {
  submit_ready();
  auto change = settlement(claim_one(), RunState::retrying);
  change.attempt.outcome.output = "first";
  commit(change);
  clock_.advance(1min);
  release();
  const auto claimed = claim_one();
  settle(claimed, RunState::succeeded);
  EXPECT_EQ(must(store().read_output(project_, claimed.run, 0)).bytes, "");
}

TEST_P(RunsTest, DroppedBytesAreCountedEvenWhenNoneWereKept) {
  submit_ready();
  auto change = settlement(claim_one(), RunState::succeeded);
  change.attempt.outcome.output_dropped = 77;
  commit(change);
  EXPECT_EQ(must(store().read_output(project_, change.run, 0)).dropped, 77);
}

TEST_P(RunsTest, BigOutputIsKeptWhole) {
  submit_ready();
  auto change = settlement(claim_one(), RunState::succeeded);
  change.attempt.outcome.output.assign(1 << 20, 'x');
  commit(change);
  EXPECT_EQ(must(store().read_output(project_, change.run, 1)).bytes.size(), 1U << 20);
}

// -- Live runs, release ---------------------------------------------------------------------------

TEST_P(RunsTest, LiveRunsAreEarliestFirst) {
  const auto submitted = submit_due(now() + 1h);
  const auto manual = run_now(submitted);
  claim_one();
  const auto second = run_now(submitted);
  const auto listed = live(submitted);
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_EQ(listed[0].id, manual);  // same instant: by id
  EXPECT_EQ(listed[0].state, RunState::running);
  EXPECT_EQ(listed[1].id, second);
  EXPECT_EQ(listed[2].state, RunState::planned);
  EXPECT_TRUE(must(store().live_runs(other_project_, submitted.id)).empty());
  EXPECT_TRUE(must(store().live_runs(project_, id<JobId>())).empty());
}

TEST_P(RunsTest, ReleaseMovesWhatIsDueEarliestFirst) {
  const auto last = submit_due(now() + 3s);
  const auto first = submit_due(now() + 1s);
  const auto second = submit_due(now() + 2s);
  const auto later = submit_due(now() + 3s + 1us);
  clock_.advance(3s);
  EXPECT_EQ(commit(ReleaseDue{now(), 2}), 2);
  EXPECT_EQ(only_live(first).state, RunState::queued);
  EXPECT_EQ(only_live(second).state, RunState::queued);
  EXPECT_EQ(only_live(last).state, RunState::planned);
  EXPECT_EQ(commit(ReleaseDue{now(), 2}), 1);
  EXPECT_EQ(only_live(last).state, RunState::queued);
  EXPECT_EQ(only_live(later).state, RunState::planned);
  EXPECT_EQ(commit(ReleaseDue{now(), 2}), 0);
}

TEST_P(RunsTest, ReleaseLeavesWhatNeedsPlanning) {
  const auto submitted = submit_recurring(now());
  EXPECT_EQ(release(), 0);
  EXPECT_EQ(only_live(submitted).state, RunState::planned);
}

TEST_P(RunsTest, NextDueIsTheEarliestOfAll) {
  EXPECT_FALSE(must(store().next_due_at()));
  submit_due(now() + 2h);
  EXPECT_EQ(must(store().next_due_at()), now() + 2h);
  submit_recurring(now() + 1h);
  EXPECT_EQ(must(store().next_due_at()), now() + 1h);
  submit_ready();
  settle(claim_one(), RunState::retrying);
  EXPECT_EQ(must(store().next_due_at()), now() + 1min);
}

TEST_P(RunsTest, StatsCountWhatLiesWhere) {
  EXPECT_EQ(stats().jobs, 0);
  EXPECT_FALSE(stats().oldest_ready_at);
  submit_due(now() + 1h);
  const auto recurring = submit_recurring(now());
  submit_ready(sample_spec("runs"));
  claim_one();
  run_now(recurring);
  plan(Plan::DueRun::hold, now() + 1h);
  clock_.advance(1min);
  submit_ready();
  auto cancelled = submit_due(now() + 1h);
  commit(CancelJob{project_, cancelled.id, false, std::nullopt, now()});

  const auto counted = stats();
  EXPECT_EQ(counted.jobs, 5);
  EXPECT_EQ(counted.due, 2);
  EXPECT_EQ(counted.ready, 2);
  EXPECT_EQ(counted.held, 1);
  EXPECT_EQ(counted.leased, 1);
  EXPECT_EQ(counted.deliveries_waiting, 0);
  EXPECT_EQ(counted.oldest_ready_at, now() - 1min);
}

TEST_P(RunsTest, RunInBackOffCountsAsDue) {
  submit_ready();
  run_one(RunState::retrying);
  EXPECT_EQ(stats().due, 1);
}

}  // namespace
}  // namespace chronos::store
