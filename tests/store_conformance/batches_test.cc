// Many changes that are committed together: each comes to what it would alone, in its turn. A store
// may make them in other statements than one by one.
#include <future>
#include <memory>

#include "model/json_codec.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class BatchesTest : public StoreTest {
 protected:
  // All in one transaction.
  template <class C>
  std::vector<Result<typename C::Answer>> together(const std::vector<C>& changes) {
    std::vector<std::promise<Result<typename C::Answer>>> promises(changes.size());
    std::vector<Operation> operations;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      const auto keep = [&promises, i](Result<typename C::Answer> answer) {
        promises[i].set_value(std::move(answer));
      };
      operations.push_back(make_operation(changes[i], Done<typename C::Answer>(keep)));
    }
    store().commit_all(std::move(operations));
    std::vector<Result<typename C::Answer>> answers;
    for (auto& promise : promises) answers.push_back(promise.get_future().get());
    return answers;
  }
  static JobSpec unlimited_spec() {
    auto spec = full_spec();
    spec.limits = {};  // or all of them would wait for the same key
    return spec;
  }
  SubmitJob submission(JobSpec spec = sample_spec()) {
    return {new_job(std::move(spec)), planned(now()), now(), std::nullopt};
  }
};
CHRONOS_OVER_ALL_STORES(BatchesTest);

TEST_P(BatchesTest, EachSubmissionIsStoredWhole) {
  std::vector<SubmitJob> changes;
  for (int i = 0; i < 40; ++i) {
    auto change = submission(i % 2 == 0 ? unlimited_spec() : sample_spec());
    change.job.spec.edit().key =
        i % 2 == 0 ? std::optional("key-" + std::to_string(i)) : std::nullopt;
    change.job.spec.edit().name = "job " + std::to_string(i) + (i % 3 == 0 ? " \xE2\x9C\x93" : "");
    if (i % 4 == 1) change.first_run = planned(now() + 1h);
    if (i % 4 == 2) change.first_run = to_plan(now());
    if (i % 4 == 3) change.first_run.reset();
    changes.push_back(std::move(change));
  }
  const auto answers = together(changes);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& sent = changes[i].job;
    const auto& answered = must(answers[i]);
    EXPECT_FALSE(answered.is_replay);
    const auto read = job(sent);
    EXPECT_EQ(encode_spec(read.spec), encode_spec(sent.spec));
    EXPECT_EQ(read.spec->payload, sent.spec->payload);
    EXPECT_EQ(read.planned_through, sent.planned_through);
    EXPECT_EQ(read.next_run_at, answered.job.next_run_at);
    EXPECT_EQ(read.status, answered.job.status);
    EXPECT_EQ(live(sent).size(), changes[i].first_run ? 1U : 0U);
  }
  EXPECT_EQ(stats().jobs, 40);
  EXPECT_EQ(stats().ready, 10);
  EXPECT_EQ(stats().due, 20);
  JobFilter tagged;
  tagged.project = project_;
  tagged.tag = full_spec().tags.at(0);
  EXPECT_EQ(must(store().list_jobs(tagged)).rows.size(), 20U);
  EXPECT_EQ(claim().size(), 10U);
}

TEST_P(BatchesTest, OfOneKeyTheFirstSubmissionGetsIt) {
  std::vector<SubmitJob> changes;
  for (int i = 0; i < 9; ++i) {
    auto spec = sample_spec();
    if (i % 3 == 1) spec.key = "same";
    changes.push_back(submission(spec));
  }
  const auto answers = together(changes);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    EXPECT_EQ(refusal(answers[i]), i % 3 == 1 && i > 1 ? "key_taken" : "ok");
  }
  EXPECT_EQ(stats().jobs, 7);
  EXPECT_EQ(stats().ready, 7);
  EXPECT_EQ(must(store().find_job_by_key(project_, "same")).id, changes[1].job.id);
}

TEST_P(BatchesTest, WhatIsThereAlreadyIsAReplay) {
  const auto first = submission();
  commit(first);
  const auto again = submission();
  const auto answers = together<SubmitJob>({first, submission(), again, again, submission()});
  EXPECT_TRUE(must(answers[0]).is_replay);
  EXPECT_FALSE(must(answers[1]).is_replay);
  EXPECT_FALSE(must(answers[2]).is_replay);
  EXPECT_TRUE(must(answers[3]).is_replay);
  EXPECT_EQ(must(answers[3]).job.id, again.job.id);
  EXPECT_EQ(stats().jobs, 4);
  EXPECT_EQ(stats().ready, 4);
}

TEST_P(BatchesTest, EachSettlementEndsItsRun) {
  for (int i = 0; i < 30; ++i) submit_ready();
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 30U);
  constexpr std::array kEnds = {RunState::succeeded, RunState::failed,   RunState::timed_out,
                                RunState::lost,      RunState::retrying, RunState::succeeded};
  std::vector<SettleRun> changes;
  clock_.advance(5s);
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    auto change = settlement(claimed[i], kEnds[i % kEnds.size()]);
    if (i % 4 == 0) change.attempt.outcome.output = "said " + std::to_string(i);
    if (i % 5 == 0) change.attempt.outcome.error = std::string("not \xFF UTF-8, and \0 too", 19);
    change.attempt.outcome.http_status = 500;
    if (i == 7) change.token += 1000;
    changes.push_back(std::move(change));
  }
  const auto answers = together(changes);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (i == 7) {
      EXPECT_EQ(refusal(answers[i]), "lease_lost");
      EXPECT_EQ(run(claimed[i].run).state, RunState::running);
      continue;
    }
    EXPECT_EQ(must(answers[i]).state, changes[i].next);
    const auto ended = run(claimed[i].run);
    EXPECT_EQ(ended.state, changes[i].next);
    EXPECT_EQ(ended.attempts_made, 1);
    EXPECT_EQ(ended.started_at, claimed[i].started_at);
    EXPECT_EQ(ended.http_status, 500);
    if (changes[i].next != RunState::retrying) {
      EXPECT_EQ(ended.ended_at, now());
    }
    EXPECT_EQ(must(store().read_output(project_, claimed[i].run, 0)).bytes,
              changes[i].attempt.outcome.output);
    const auto after = must(store().find_job(project_, claimed[i].job));
    EXPECT_EQ(after.counts.succeeded, changes[i].next == RunState::succeeded ? 1 : 0);
    if (is_final(changes[i].next)) {
      EXPECT_EQ(after.last_run->id, claimed[i].run);
    }
  }
  EXPECT_EQ(stats().leased, 1);
  EXPECT_EQ(stats().due, 5);
}

TEST_P(BatchesTest, RunsOfOneJobEndOneAfterTheOther) {
  const auto submitted = submit_recurring(now());
  for (int i = 0; i < 4; ++i) run_now(submitted);
  const auto claimed = claim();
  plan(Plan::DueRun::hold, now() + 1h);
  std::vector<SettleRun> changes;
  for (const auto& each : claimed) changes.push_back(settlement(each, RunState::failed));
  changes.push_back(changes[0]);  // too late
  const auto answers = together(changes);
  for (std::size_t i = 0; i < claimed.size(); ++i) EXPECT_EQ(refusal(answers[i]), "ok");
  EXPECT_EQ(refusal(answers[4]), "lease_lost");
  const auto after = job(submitted);
  EXPECT_EQ(after.counts.failed, 4);
  EXPECT_EQ(after.failure_streak, 4);
  EXPECT_EQ(after.last_run->id, claimed[3].run);
  EXPECT_EQ(after.phase, JobPhase::active);
  EXPECT_EQ(stats().held, 0);
  EXPECT_EQ(stats().ready, 1);
}

TEST_P(BatchesTest, AHeldRunThatGotLimitsMeanwhilePassesThemWhenItsTurnComes) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  submit_ready();
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 2U);
  const auto held = due_one().run;
  plan(Plan::DueRun::hold);
  auto limited = job(submitted);
  limited.spec.edit().limits.concurrency = ConcurrencyLimit{"tenant", 1};
  commit(replacement(limited));
  together<SettleRun>(
      {settlement(claimed[0], RunState::succeeded), settlement(claimed[1], RunState::succeeded)});
  EXPECT_EQ(stats().limited, 0);
  EXPECT_EQ(claim_one().run, held);
}

TEST_P(BatchesTest, TheLastRunOfAJobGivesItItsPhase) {
  std::vector<SettleRun> changes;
  std::vector<Job> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(submit_ready());
  jobs.push_back(submit_recurring(now()));
  auto last = plan_for(due_one(), Plan::DueRun::release);
  last.phase_at_end = JobPhase::succeeded;
  commit(last);
  const auto claimed = claim();
  for (const auto& each : claimed) changes.push_back(settlement(each, RunState::failed));
  for (const auto& answer : together(changes)) EXPECT_EQ(refusal(answer), "ok");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(job(jobs[static_cast<std::size_t>(i)]).phase, JobPhase::failed);
  }
  EXPECT_EQ(job(jobs[3]).phase, JobPhase::succeeded);
}

TEST_P(BatchesTest, AClaimOfManyHasTheDeclarationOfEach) {
  std::vector<SubmitJob> changes;
  for (int i = 0; i < 20; ++i) {
    auto spec = unlimited_spec();
    spec.key.reset();
    spec.name = "job " + std::to_string(i);
    spec.payload = std::to_string(i);
    changes.push_back(submission(spec));
  }
  together(changes);
  store_.reopen();
  const auto claimed = claim();
  ASSERT_EQ(claimed.size(), 20U);
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    EXPECT_EQ(claimed[i].job, changes[i].job.id);
    EXPECT_EQ(encode_spec(*claimed[i].spec), encode_spec(changes[i].job.spec));
    EXPECT_EQ(claimed[i].spec->payload, std::to_string(i));
    if (i > 0) {
      EXPECT_GT(claimed[i].token, claimed[i - 1].token);
    }
  }
}

TEST_P(BatchesTest, KindsThatFollowEachOtherKeepTheirOrder) {
  submit_ready();
  submit_ready();
  const auto claimed = claim();
  const auto change = submission();
  std::promise<std::vector<std::string>> done;
  std::vector<std::string> order;
  store().commit(Heartbeat{holder_, 15s}, [&](const Result<Heartbeat::Answer>&) {
    const auto note = [&order](std::string what) {
      return [&order, what](const auto& answer) { order.push_back(what + " " + refusal(answer)); };
    };
    store().commit(settlement(claimed[0], RunState::succeeded), note("settled"));
    store().commit(settlement(claimed[1], RunState::succeeded), note("settled"));
    store().commit(change, note("submitted"));
    store().commit(submission(), note("submitted"));
    store().commit(RunJob{project_, change.job.id, planned(now(), Trigger::manual), now(), {}},
                   note("run"));
    store().commit(claim_change(), [&](Result<std::vector<ClaimedRun>> runs) {
      order.push_back("claimed " + std::to_string(must(runs).size()));
      done.set_value(order);
    });
  });
  EXPECT_EQ(done.get_future().get(),
            (std::vector<std::string>{"settled ok", "settled ok", "submitted ok", "submitted ok",
                                      "run ok", "claimed 3"}));
}

}  // namespace
}  // namespace chronos::store
