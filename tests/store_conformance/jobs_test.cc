// SubmitJob, RunJob, idempotency keys, and reading one job.
#include "model/json_codec.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class JobsTest : public StoreTest {
 protected:
  Idempotency key(std::string text, std::uint8_t request = 1) {
    Idempotency idempotency{caller_, std::move(text), {}, now()};
    idempotency.fingerprint[0] = request;
    return idempotency;
  }
  SubmitJob submission(std::optional<Idempotency> idempotency) {
    return {new_job(), planned(now()), now(), std::move(idempotency)};
  }
  RunJob run_request(const Job& job, std::optional<Idempotency> idempotency) {
    return {job.project, job.id, planned(now(), Trigger::manual), now(), std::move(idempotency)};
  }
  std::int64_t job_count() { return stats().jobs; }

  KeyId caller_ = id<KeyId>();
};
CHRONOS_OVER_ALL_STORES(JobsTest);

TEST_P(JobsTest, SubmittedJobIsReadBackWhole) {
  auto declared = new_job(full_spec());
  declared.planned_through = kStart + 123456us;
  declared.parked_at = kStart + 7us;
  declared.runs_planned = 3;
  submit(declared);

  const auto read = job(declared);
  EXPECT_EQ(read.id, declared.id);
  EXPECT_EQ(read.project, declared.project);
  EXPECT_EQ(encode_spec(read.spec), encode_spec(declared.spec));
  EXPECT_EQ(read.spec->payload, declared.spec->payload);
  EXPECT_EQ(read.phase, JobPhase::active);
  EXPECT_EQ(read.version, 1);
  EXPECT_EQ(read.created_at, declared.created_at);
  EXPECT_EQ(read.updated_at, declared.updated_at);
  EXPECT_EQ(read.planned_through, declared.planned_through);
  EXPECT_EQ(read.parked_at, declared.parked_at);
  EXPECT_EQ(read.runs_planned, 3);
  EXPECT_EQ(read.failure_streak, 0);
  EXPECT_FALSE(read.last_run);
}

TEST_P(JobsTest, SubmitAnswersTheJobAsARead) {
  const auto answer = submit_due(now() + 1h);
  EXPECT_EQ(answer.status, JobStatus::scheduled);
  EXPECT_EQ(answer.next_run_at, now() + 1h);
  const auto read = job(answer);
  EXPECT_EQ(read.status, JobStatus::scheduled);
  EXPECT_EQ(read.next_run_at, now() + 1h);
}

TEST_P(JobsTest, JobWithoutARunHasNothingWaiting) {
  const auto submitted = submit(new_job());
  EXPECT_FALSE(job(submitted).next_run_at);
  EXPECT_TRUE(live(submitted).empty());
}

TEST_P(JobsTest, FirstRunWaitsUntilItsInstant) {
  const auto submitted = submit_due(now() + 1us);
  EXPECT_EQ(only_live(submitted).state, RunState::planned);
  EXPECT_TRUE(claim().empty());
}

TEST_P(JobsTest, FirstRunWhoseInstantHasComeIsReadyAtOnce) {
  const auto submitted = submit_due(now());
  const auto run = only_live(submitted);
  EXPECT_EQ(run.state, RunState::queued);
  EXPECT_EQ(run.queued_at, now());
  EXPECT_EQ(claim_one().run, run.id);
}

TEST_P(JobsTest, FirstRunThatNeedsPlanningWaitsForThePlanner) {
  const auto submitted = submit_recurring(now() - 1h);
  EXPECT_EQ(only_live(submitted).state, RunState::planned);
  EXPECT_TRUE(claim().empty());
}

TEST_P(JobsTest, AnotherProjectsJobIsNotFound) {
  auto spec = sample_spec();
  spec.key = "mine";
  const auto submitted = submit_due(now(), spec);
  EXPECT_EQ(refusal(store().find_job(other_project_, submitted.id)), "not_found");
  EXPECT_EQ(refusal(store().find_job(project_, id<JobId>())), "not_found");
  EXPECT_EQ(refusal(store().find_job_by_key(other_project_, "mine")), "not_found");
  EXPECT_EQ(refusal(store().find_job_by_key(project_, "Mine")), "not_found");
  EXPECT_EQ(must(store().find_job_by_key(project_, "mine")).id, submitted.id);
}

TEST_P(JobsTest, KeyIsTakenOnlyWithinItsProject) {
  auto spec = sample_spec();
  spec.key = "report";
  submit(new_job(spec));
  EXPECT_EQ(refusal(try_commit(SubmitJob{new_job(spec), planned(now()), now(), std::nullopt})),
            "key_taken");
  EXPECT_EQ(job_count(), 1);
  EXPECT_EQ(stats().ready, 0);

  auto elsewhere = new_job(spec);
  elsewhere.project = other_project_;
  submit(elsewhere);
  EXPECT_EQ(must(store().find_job_by_key(other_project_, "report")).id, elsewhere.id);
}

TEST_P(JobsTest, SubmitAgainAnswersWhatIsStored) {
  const SubmitJob change{new_job(full_spec()), planned(now()), now(), std::nullopt};
  EXPECT_FALSE(commit(change).is_replay);
  const auto again = commit(change);
  EXPECT_TRUE(again.is_replay);
  EXPECT_EQ(again.job.id, change.job.id);
  EXPECT_EQ(job_count(), 1);
  EXPECT_EQ(stats().ready, 1);
}

// -- Run now --------------------------------------------------------------------------------------

TEST_P(JobsTest, RunNowIsReadyWhateverItsInstant) {
  const auto submitted = submit(new_job());
  auto change = run_request(submitted, std::nullopt);
  change.run.planned_at = change.run.at = now() + 1h;
  change.run.needs_planning = true;
  EXPECT_FALSE(commit(change).is_replay);
  const auto run = only_live(submitted);
  EXPECT_EQ(run.id, change.run.id);
  EXPECT_EQ(run.state, RunState::queued);
  EXPECT_EQ(run.trigger, Trigger::manual);
  EXPECT_EQ(claim_one().run, run.id);
}

TEST_P(JobsTest, RetryNamesTheRunItRepeats) {
  const auto submitted = submit_ready();
  const auto failed = claim_one();
  settle(failed, RunState::failed);
  auto change = run_request(submitted, std::nullopt);
  change.run.trigger = Trigger::retry;
  change.run.retry_of = failed.run;
  commit(change);
  EXPECT_EQ(run(change.run.id).retry_of, failed.run);
  settle(claim_one(), RunState::succeeded);
  EXPECT_EQ(run(change.run.id).retry_of, failed.run);
  EXPECT_EQ(run(change.run.id).trigger, Trigger::retry);
}

TEST_P(JobsTest, RunNowWorksInEveryPhase) {
  auto submitted = submit_ready();
  run_one(RunState::succeeded);
  run_now(submitted);
  EXPECT_EQ(claim().size(), 1U);
  commit(CancelJob{project_, submitted.id, false, std::nullopt, now()});
  run_now(submitted);
  EXPECT_EQ(claim().size(), 1U);
}

TEST_P(JobsTest, RunNowOfAnotherProjectsJobIsNotFound) {
  const auto submitted = submit(new_job());
  auto change = run_request(submitted, std::nullopt);
  change.project = other_project_;
  EXPECT_EQ(refusal(try_commit(change)), "not_found");
  change.project = project_;
  change.job = id<JobId>();
  EXPECT_EQ(refusal(try_commit(change)), "not_found");
  EXPECT_EQ(stats().ready, 0);
}

TEST_P(JobsTest, RunNowAgainAnswersTheSameRun) {
  const auto submitted = submit(new_job());
  const auto change = run_request(submitted, std::nullopt);
  commit(change);
  EXPECT_TRUE(commit(change).is_replay);
  EXPECT_EQ(stats().ready, 1);
  run_one(RunState::succeeded);
  const auto again = commit(change);
  EXPECT_TRUE(again.is_replay);
  EXPECT_EQ(again.run, change.run.id);
  EXPECT_EQ(stats().ready, 0);
}

// -- Idempotency keys -----------------------------------------------------------------------------

TEST_P(JobsTest, SameRequestWithTheSameKeyIsReplayed) {
  const auto first = commit(submission(key("k")));
  EXPECT_FALSE(first.is_replay);
  const auto second = commit(submission(key("k")));
  EXPECT_TRUE(second.is_replay);
  EXPECT_EQ(second.job.id, first.job.id);
  EXPECT_EQ(job_count(), 1);
  EXPECT_EQ(stats().ready, 1);
}

TEST_P(JobsTest, ReplayShowsTheJobAsItIsNow) {
  const auto first = commit(submission(key("k")));
  run_one(RunState::succeeded);
  EXPECT_EQ(commit(submission(key("k"))).job.status, JobStatus::succeeded);
}

TEST_P(JobsTest, AnotherRequestWithTheSameKeyIsRefused) {
  commit(submission(key("k", 1)));
  EXPECT_EQ(refusal(try_commit(submission(key("k", 2)))), "idempotency_key_reused");
  EXPECT_EQ(job_count(), 1);
}

TEST_P(JobsTest, KeysOfTwoCallersAreDifferent) {
  commit(submission(key("k", 1)));
  caller_ = id<KeyId>();
  EXPECT_FALSE(commit(submission(key("k", 2))).is_replay);
  EXPECT_EQ(job_count(), 2);
}

TEST_P(JobsTest, RefusedChangeIsNotRemembered) {
  auto spec = sample_spec();
  spec.key = "taken";
  submit(new_job(spec));
  EXPECT_EQ(refusal(try_commit(SubmitJob{new_job(spec), std::nullopt, now(), key("k")})),
            "key_taken");
  EXPECT_FALSE(commit(submission(key("k"))).is_replay);
}

TEST_P(JobsTest, KeyIsForgottenAfterADay) {
  const auto first = commit(submission(key("k", 1)));
  clock_.advance(kIdempotencyKept - 1us);
  EXPECT_TRUE(commit(submission(key("k", 1))).is_replay);
  clock_.advance(1us);
  const auto later = commit(submission(key("k", 2)));
  EXPECT_FALSE(later.is_replay);
  EXPECT_NE(later.job.id, first.job.id);
  // The day starts anew, with the new request.
  clock_.advance(kIdempotencyKept - 1us);
  EXPECT_EQ(commit(submission(key("k", 2))).job.id, later.job.id);
}

TEST_P(JobsTest, RunNowIsReplayedByKey) {
  const auto submitted = submit(new_job());
  const auto first = commit(run_request(submitted, key("k")));
  const auto second = commit(run_request(submitted, key("k")));
  EXPECT_TRUE(second.is_replay);
  EXPECT_EQ(second.run, first.run);
  EXPECT_EQ(stats().ready, 1);
  EXPECT_EQ(refusal(try_commit(run_request(submitted, key("k", 2)))), "idempotency_key_reused");
  EXPECT_EQ(refusal(try_commit(submission(key("k")))), "idempotency_key_reused");
}

TEST_P(JobsTest, ReplaceIsReplayedByKey) {
  auto change = replacement(submit(new_job()));
  change.job.spec.edit().note = "new";
  change.idempotency = key("k");
  EXPECT_EQ(commit(change).job.version, 2);
  const auto again = commit(change);
  EXPECT_TRUE(again.is_replay);
  EXPECT_EQ(again.job.version, 2);
  change.idempotency = key("k", 2);
  EXPECT_EQ(refusal(try_commit(change)), "idempotency_key_reused");
}

}  // namespace
}  // namespace chronos::store
