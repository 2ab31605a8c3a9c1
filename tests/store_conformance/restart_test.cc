// Closing and opening again: what was acknowledged is there, and no lease is held any more.
#include "model/json_codec.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

using RestartTest = StoreTest;
CHRONOS_OVER_ALL_STORES(RestartTest);

TEST_P(RestartTest, JobsAndTheirRunsAreKept) {
  auto declared = new_job(full_spec());
  declared.planned_through = now() - 1us;
  submit(declared, to_plan(now() + 1h));
  store_.reopen();
  const auto read = job(declared);
  EXPECT_EQ(encode_spec(read.spec), encode_spec(declared.spec));
  EXPECT_EQ(read.spec->payload, declared.spec->payload);
  EXPECT_EQ(read.planned_through, declared.planned_through);
  EXPECT_EQ(read.next_run_at, now() + 1h);
  EXPECT_EQ(must(store().find_job_by_key(project_, *declared.spec->key)).id, declared.id);
  clock_.advance(1h);
  EXPECT_EQ(due_one().job->id, declared.id);
}

TEST_P(RestartTest, EveryPlaceOfARunIsKept) {
  const auto recurring = submit_recurring(now());
  run_now(recurring);
  const auto finished = claim_one();
  auto change = settlement(finished, RunState::retrying);
  change.attempt.outcome.output = "first";
  commit(change);
  clock_.advance(1min);
  release();
  const auto again = claim_one();
  change = settlement(again, RunState::failed);
  change.attempt.outcome.output = "second";
  commit(change);

  const auto retried = run_now(recurring);
  settle(claim_one(), RunState::retrying);
  const auto ready = run_now(recurring);
  const auto held = due_one().run;
  plan(Plan::DueRun::hold, now() + 1h);

  store_.reopen();
  EXPECT_EQ(run(finished.run).state, RunState::failed);
  EXPECT_EQ(run(finished.run).attempts.size(), 2U);
  EXPECT_EQ(must(store().read_output(project_, finished.run, 1)).bytes, "first");
  EXPECT_EQ(must(store().read_output(project_, finished.run, 2)).bytes, "second");
  EXPECT_EQ(run(retried).state, RunState::retrying);
  EXPECT_EQ(run(retried).next_attempt_at, now() + 1min);
  EXPECT_EQ(run(ready).state, RunState::queued);
  EXPECT_EQ(run(held).state, RunState::queued);
  EXPECT_EQ(stats().held, 1);
  EXPECT_EQ(stats().due, 2);
  EXPECT_EQ(job(recurring).counts.failed, 1);
  EXPECT_EQ(job(recurring).failure_streak, 1);
  EXPECT_EQ(job(recurring).last_run->id, finished.run);

  settle(claim_one(), RunState::succeeded);
  clock_.advance(1min);
  release();
  EXPECT_EQ(claim_one().run, retried);
}

TEST_P(RestartTest, LeasesOfTheOldStartHaveExpired) {
  submit_ready();
  const auto claimed = claim_one();
  EXPECT_TRUE(must(store().expired_leases(10)).empty());
  store_.reopen();
  const auto expired = must(store().expired_leases(10));
  ASSERT_EQ(expired.size(), 1U);
  EXPECT_EQ(expired[0].run, claimed.run);
  EXPECT_EQ(expired[0].token, claimed.token);
  EXPECT_EQ(expired[0].attempt, 1);
  EXPECT_EQ(expired[0].started_at, claimed.started_at);
  holder_ = id<NodeId>();
  commit(Heartbeat{holder_, 15s});
  EXPECT_EQ(must(store().expired_leases(10)).size(), 1U);

  EXPECT_EQ(settle(expired[0], RunState::retrying), RunState::retrying);
  clock_.advance(1min);
  release();
  const auto again = claim_one();
  EXPECT_EQ(again.run, claimed.run);
  EXPECT_EQ(again.attempt, 2);
  EXPECT_EQ(refusal(try_commit(settlement(claimed, RunState::succeeded))), "lease_lost");
}

TEST_P(RestartTest, TokensNeverComeAgain) {
  const auto submitted = submit_ready();
  const auto before = claim_one();
  settle(before, RunState::succeeded);
  store_.reopen();
  run_now(submitted);
  EXPECT_GT(claim_one().token, before.token);
}

TEST_P(RestartTest, CancelMarksAreKept) {
  submit_ready();
  const auto claimed = claim_one();
  commit(CancelRun{project_, claimed.run, now()});
  const auto recurring = submit_recurring(now() + 1h);
  const auto planned_run = only_live(recurring).id;
  commit(CancelRun{project_, planned_run, now()});
  store_.reopen();
  EXPECT_TRUE(run(claimed.run).is_cancel_requested);
  EXPECT_TRUE(run(planned_run).is_cancel_requested);
  EXPECT_EQ(commit(Heartbeat{holder_, 15s}).cancelled, std::vector{claimed.run});
  EXPECT_EQ(settle(claimed, RunState::retrying), RunState::cancelled);
  clock_.advance(1h);
  plan(Plan::DueRun::release, now() + 1h);
  EXPECT_EQ(run(planned_run).state, RunState::cancelled);
}

TEST_P(RestartTest, PlannedEndOfAScheduleIsKept) {
  const auto submitted = submit_recurring(now());
  auto last = plan_for(due_one(), Plan::DueRun::release);
  last.phase_at_end = JobPhase::succeeded;
  commit(last);
  store_.reopen();
  run_one(RunState::failed);
  EXPECT_EQ(job(submitted).phase, JobPhase::succeeded);
}

TEST_P(RestartTest, IdempotencyKeysAreKept) {
  const Idempotency idempotency{id<KeyId>(), "k", {}, now()};
  const SubmitJob change{new_job(), planned(now()), now(), idempotency};
  commit(change);
  store_.reopen();
  auto again = change;
  again.job.id = id<JobId>();
  const auto answer = commit(again);
  EXPECT_TRUE(answer.is_replay);
  EXPECT_EQ(answer.job.id, change.job.id);
}

TEST_P(RestartTest, AccessIsKept) {
  const Project project{id<ProjectId>(), "default", now()};
  Key key;
  key.id = id<KeyId>();
  key.project = project.id;
  key.hash[3] = 7;
  key.created_at = now();
  EXPECT_TRUE(commit(Bootstrap{project, key}).is_first);
  store_.reopen();
  EXPECT_EQ(must(store().find_project(project.id)).name, "default");
  EXPECT_EQ(must(store().find_key(key.id)).hash, key.hash);
  const Project other{id<ProjectId>(), "default", now()};
  key.id = id<KeyId>();
  EXPECT_FALSE(commit(Bootstrap{other, key}).is_first);
}

TEST_P(RestartTest, DeliveriesAreKept) {
  Delivery delivery;
  delivery.id = id<DeliveryId>();
  delivery.project = project_;
  delivery.target = {"webhook", "alerts"};
  delivery.message = test::sample_message();
  delivery.next_attempt_at = now();
  commit(AddDeliveries{{delivery}});
  commit(ClaimDeliveries{now(), 30s, 16, {}});
  store_.reopen();
  EXPECT_EQ(must(store().next_delivery_at()), now() + 30s);
  EXPECT_TRUE(commit(ClaimDeliveries{now(), 30s, 16, {}}).empty());
  clock_.advance(30s);
  EXPECT_EQ(commit(ClaimDeliveries{now(), 30s, 16, "webhook"}).at(0).id, delivery.id);
}

TEST_P(RestartTest, OpensManyTimes) {
  for (int i = 1; i <= 5; ++i) {
    submit_ready();
    store_.reopen();
    EXPECT_EQ(stats().jobs, i);
    EXPECT_EQ(refusal(store().health()), "ok");
  }
}

}  // namespace
}  // namespace chronos::store
