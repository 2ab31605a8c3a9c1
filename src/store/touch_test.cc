#include "store/touch.h"

#include <gtest/gtest.h>

#include "store/settlement.h"

namespace chronos::store {
namespace {

const ProjectId kProject{{1, 1}};
const JobId kJob{{2, 2}};
const RunId kRun{{3, 3}};
const RunId kOther{{4, 4}};

std::vector<Touch> touches_of(const Change& change, const Answer& answer) {
  std::vector<Touch> touches;
  add_touches(change, answer, touches);
  return touches;
}

TEST(Touch, OfAJobThatWasMadeOrChanged) {
  JobAnswer answer;
  answer.job.project = kProject;
  answer.job.id = kJob;
  const std::vector<Touch> expected = {{kProject, kJob}};
  EXPECT_EQ(touches_of(SubmitJob{}, answer), expected);
  EXPECT_EQ(touches_of(ReplaceJob{}, answer), expected);
  EXPECT_EQ(touches_of(CancelJob{}, answer), expected);
  answer.is_replay = true;
  EXPECT_TRUE(touches_of(SubmitJob{}, answer).empty()) << "nothing happened";
}

TEST(Touch, OfARunFromItsRequestToItsEnd) {
  RunJob ask;
  ask.project = kProject;
  ask.job = kJob;
  EXPECT_EQ(touches_of(ask, RunAnswer{kRun, false}),
            (std::vector<Touch>{{kProject, kJob, kRun, RunState::queued}}));
  EXPECT_TRUE(touches_of(ask, RunAnswer{kRun, true}).empty());

  ClaimedRun claimed;
  claimed.project = kProject;
  claimed.job = kJob;
  claimed.run = kRun;
  EXPECT_EQ(touches_of(ClaimRuns{}, std::vector<ClaimedRun>{claimed}),
            (std::vector<Touch>{{kProject, kJob, kRun, RunState::running}}));

  SettleRun settle;
  settle.project = kProject;
  settle.job = kJob;
  settle.run = kRun;
  EXPECT_EQ(touches_of(settle, SettleRun::Answer{RunState::failed}),
            (std::vector<Touch>{{kProject, kJob, kRun, RunState::failed}}));

  CancelRun cancel;
  cancel.project = kProject;
  cancel.run = kRun;
  EXPECT_EQ(touches_of(cancel, RunAnswer{kRun, false}),
            (std::vector<Touch>{{kProject, std::nullopt, kRun}}));
}

TEST(Touch, OfARunThatWasHandedBack) {
  ClaimedRun claimed;
  claimed.project = kProject;
  claimed.job = kJob;
  claimed.run = kRun;
  EXPECT_EQ(touches_of(handed_back(claimed, {}), SettleRun::Answer{RunState::queued}),
            (std::vector<Touch>{{kProject, kJob, kRun, RunState::queued}}));
}

TEST(Touch, OfWhatAWorkerReports) {
  WorkerTurn turn;
  turn.settled.resize(2);
  for (auto& settled : turn.settled) settled.project = kProject;
  turn.settled[0].run = kRun;
  turn.settled[1].run = kOther;  // its lease was lost: nothing happened
  WorkerTurn::Answer answer;
  answer.settled = {RunState::succeeded, std::nullopt};
  answer.claimed.resize(1);
  answer.claimed[0].run = kOther;
  const auto touches = touches_of(turn, answer);
  ASSERT_EQ(touches.size(), 2U);
  EXPECT_EQ(touches[0].run, kRun);
  EXPECT_EQ(touches[0].state, RunState::succeeded);
  EXPECT_EQ(touches[1].run, kOther);
  EXPECT_EQ(touches[1].state, RunState::running);
}

TEST(Touch, OfAPlan) {
  CommitPlan plan;
  plan.project = kProject;
  plan.job = kJob;
  plan.run = kRun;
  EXPECT_EQ(touches_of(plan, CommitPlan::Answer{}),
            (std::vector<Touch>{{kProject, kJob, kRun, RunState::queued}}));
  plan.due_run = Plan::DueRun::drop;
  plan.rows = {{.id = kOther, .state = RunState::skipped, .reason = {}, .planned_at = {}}};
  EXPECT_EQ(
      touches_of(plan, CommitPlan::Answer{}),
      (std::vector<Touch>{{kProject, kJob, kRun}, {kProject, kJob, kOther, RunState::skipped}}));
}

TEST(Touch, OfOutputSaysHowMuchThereIs) {
  AppendOutput said;
  said.pieces.push_back({kProject, kJob, kRun, 2, 77, 100, "hello"});
  EXPECT_EQ(touches_of(said, AppendOutput::Answer{}),
            (std::vector<Touch>{{kProject, kJob, kRun, std::nullopt, 2, 105}}));
}

TEST(Touch, OfRunsThatBecameReadySaysThatSomeDid) {
  EXPECT_EQ(touches_of(ReleaseDue{}, std::int64_t{3}), (std::vector<Touch>{{}}));
  EXPECT_TRUE(touches_of(ReleaseDue{}, std::int64_t{0}).empty());
  EXPECT_TRUE(touches_of(Prune{}, std::int64_t{3}).empty());
  EXPECT_TRUE(touches_of(Heartbeat{}, Heartbeat::Answer{}).empty());
}

}  // namespace
}  // namespace chronos::store
