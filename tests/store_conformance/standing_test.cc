// What people ask when a run does not run: standing, reason_counts. And what a change of the time
// zone database needs: waiting_runs, NoteZones.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class StandingTest : public StoreTest {
 protected:
  std::optional<Standing> standing(RunId run, int ahead_max = 1000) {
    return must(store().standing(project_, run, ahead_max));
  }
  Job submit_in(std::string queue, int priority = 4, std::string kind = "http") {
    auto spec = sample_spec();
    spec.queue = std::move(queue);
    spec.priority = priority;
    spec.action.kind = std::move(kind);
    return submit_ready(std::move(spec));
  }
  RunId only_run(const Job& job) { return only_live(job).id; }

  // Skips or misses the due run of a recurring job; the next lies an hour on.
  void answer_due(RunState state, std::string reason, std::int64_t count = 1) {
    auto change = plan_for(due_one(), Plan::DueRun::drop);
    const auto planned_at = change.planned_through;
    change.rows = {{id<RunId>(), state, std::move(reason), planned_at, std::nullopt, count}};
    change.next_run = to_plan(planned_at + 1h);
    commit(std::move(change));
    clock_.advance(1h);
  }
};
CHRONOS_OVER_ALL_STORES(StandingTest);

TEST_P(StandingTest, NothingOfAFinalOrUnknownRunNorOfAnotherProject) {
  const auto run = only_run(submit_ready());
  EXPECT_TRUE(standing(run));
  EXPECT_FALSE(must(store().standing(other_project_, run, 10)));
  run_one(RunState::succeeded);
  EXPECT_FALSE(standing(run));
  EXPECT_FALSE(standing(id<RunId>()));
}

TEST_P(StandingTest, ARunningRunTellsWhenItsAttemptStarted) {
  const auto run = only_run(submit_ready());
  clock_.advance(5s);
  claim_one();
  EXPECT_EQ(standing(run)->attempt_started_at, now());
}

TEST_P(StandingTest, AHeldRunSaysSo) {
  auto spec = every_hour();
  spec.overlap = Overlap::queue_one;
  const auto job = submit_recurring(now(), spec);
  plan(Plan::DueRun::release, now() + 1h);
  claim_one();
  clock_.advance(1h);
  plan(Plan::DueRun::hold, now() + 1h);
  const auto runs = live(job);
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_FALSE(standing(runs[0].id)->is_held);
  EXPECT_TRUE(standing(runs[1].id)->is_held);
  EXPECT_FALSE(standing(runs[2].id)->is_held);
}

TEST_P(StandingTest, CountsWhatAClaimTakesFirst) {
  submit_in("a");
  submit_in("b", 9);
  submit_in("b", 0);
  submit_in("b", 9, "command");
  const auto mine = only_run(submit_in("b"));
  submit_in("b");
  EXPECT_EQ(standing(mine)->ahead_in_queue, 1) << "priority 9 of the same kind";
  EXPECT_EQ(standing(mine)->ahead, 2) << "and the earlier one of queue a";
  EXPECT_EQ(standing(mine, 1)->ahead, 1) << "no further than asked";
}

TEST_P(StandingTest, OfAnotherQueueOnlyThoseWhoseTurnComesFirstAreAhead) {
  for (int i = 0; i < 5; ++i) submit_in("a");
  submit_in("a", 9);
  submit_in("b");
  const auto mine = only_run(submit_in("b"));
  EXPECT_EQ(standing(mine)->ahead_in_queue, 1);
  EXPECT_EQ(standing(mine)->ahead, 1 + 1 + 2) << "of queue a the urgent one and two turns";
  for (int i = 0; i < 5; ++i) submit_in("c");
  EXPECT_EQ(standing(mine)->ahead, 4 + 2) << "though those of queue c came later";
}

TEST_P(StandingTest, NamesTheRunsThatHoldTheSlots) {
  const auto a = only_run(submit_in("a"));
  const auto b = only_run(submit_in("b"));
  const auto command = only_run(submit_in("b", 4, "command"));
  auto change = claim_change();
  change.lanes.push_back({"command", 10});
  ASSERT_EQ(commit(std::move(change)).size(), 3U);
  const auto mine = standing(only_run(submit_in("b")));
  EXPECT_EQ(mine->running_of_kind, 2);
  EXPECT_EQ(mine->runs_of_kind, (std::vector<RunId>{a, b}));
  EXPECT_EQ(mine->running_in_queue, 2);
  EXPECT_EQ(mine->runs_in_queue, (std::vector<RunId>{b, command}));
}

TEST_P(StandingTest, AnotherProjectsRunsAreCountedAndNotNamed) {
  auto theirs = new_job();
  theirs.project = other_project_;
  submit(theirs, planned(now()));
  for (int i = 0; i < kRunsNamedMax + 2; ++i) submit_ready();
  claim();
  const auto mine = standing(only_run(submit_ready()));
  EXPECT_EQ(mine->running_of_kind, kRunsNamedMax + 3);
  EXPECT_EQ(std::ssize(mine->runs_of_kind), kRunsNamedMax);
}

// -- reason_counts --------------------------------------------------------------------------------

TEST_P(StandingTest, InstantsAreCountedByReason) {
  const auto job = submit_recurring(now(), every_hour());
  EXPECT_TRUE(must(store().reason_counts(project_, job.id)).empty());
  answer_due(RunState::missed, "down", 40);
  answer_due(RunState::skipped, "overlap");
  answer_due(RunState::skipped, "overlap");
  answer_due(RunState::missed, "window", 2);
  answer_due(RunState::missed, "down", 2);
  using Counts = std::vector<ReasonCount>;
  EXPECT_EQ(must(store().reason_counts(project_, job.id)),
            (Counts{{RunState::missed, "down", 42},
                    {RunState::missed, "window", 2},
                    {RunState::skipped, "overlap", 2}}));
  EXPECT_TRUE(must(store().reason_counts(other_project_, job.id)).empty());
}

TEST_P(StandingTest, WhatIsBeyondRetentionIsCountedAsPruned) {
  auto spec = every_hour();
  spec.retention.age = 90min;
  const auto job = submit_recurring(now(), spec);
  answer_due(RunState::skipped, "overlap", 3);
  answer_due(RunState::missed, "down");
  clock_.advance(1h);
  commit(Prune{.now = now()});
  using Counts = std::vector<ReasonCount>;
  EXPECT_EQ(must(store().reason_counts(project_, job.id)),
            (Counts{{RunState::missed, std::string(kPruned), 1},
                    {RunState::skipped, std::string(kPruned), 3}}));
}

// -- waiting_runs ---------------------------------------------------------------------------------

TEST_P(StandingTest, RunsThatWaitToBePlannedComeInOrderAndInPieces) {
  const auto later = submit_recurring(now() + 3h, every_hour());
  const auto sooner = submit_recurring(now() + 1h, every_hour());
  const auto same = submit_recurring(now() + 3h, every_hour());
  submit_due(now() + 2h);  // goes by itself
  submit_ready();
  commit(CancelRun{project_, only_run(same), now()});

  std::vector<JobId> seen;
  WaitingCursor cursor{};
  while (true) {
    const auto piece = must(store().waiting_runs(cursor, 1));
    if (piece.empty()) break;
    ASSERT_EQ(piece.size(), 1U);
    const auto& run = piece.front();
    EXPECT_EQ(run.at, run.planned_at);
    EXPECT_EQ(run.is_cancel_requested, run.job->id == same.id);
    seen.push_back(run.job->id);
    cursor = {run.at, run.run};
  }
  EXPECT_EQ(seen, (std::vector<JobId>{sooner.id, later.id, same.id}));
}

TEST_P(StandingTest, AMovedRunKeepsTheLedgerAsItIs) {
  const auto job = submit_recurring(now() + 1h, every_hour());
  const auto waiting = must(store().waiting_runs({}, 10));
  ASSERT_EQ(waiting.size(), 1U);
  CommitPlan move;
  move.job = job.id;
  move.expected_version = job.version;
  move.expected_planned_through = move.planned_through = waiting[0].job->planned_through;
  move.run = waiting[0].run;
  move.expected_planned_at = waiting[0].planned_at;
  move.due_run = Plan::DueRun::drop;
  move.next_run = to_plan(now() + 30min);
  move.now = now();
  commit(move);
  EXPECT_EQ(refusal(try_commit(move)), "version_mismatch") << "the run has gone";
  EXPECT_EQ(only_live(job).planned_at, now() + 30min);
  EXPECT_EQ(runs_of(job).size(), 1U);
  EXPECT_EQ(this->job(job).planned_through, job.planned_through);
  EXPECT_EQ(this->job(job).next_run_at, now() + 30min);
  EXPECT_EQ(stats().due, 1);
}

TEST_P(StandingTest, TheZonesStampIsKeptOverARestart) {
  EXPECT_EQ(must(store().zones_stamp()), std::nullopt);
  commit(NoteZones{-7});
  EXPECT_EQ(must(store().zones_stamp()), -7);
  commit(NoteZones{8});
  store_.reopen();
  EXPECT_EQ(must(store().zones_stamp()), 8);
}

}  // namespace
}  // namespace chronos::store
