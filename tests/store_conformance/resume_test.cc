// jobs_to_resume and next_resume_at: pauses that end by themselves.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class ResumeTest : public StoreTest {
 protected:
  static JobSpec paused_until(Timestamp until) {
    auto spec = every_hour();
    spec.paused = true;
    spec.paused_until = until;
    return spec;
  }
  std::vector<JobId> to_resume(int limit = 10) {
    std::vector<JobId> ids;
    for (const auto& job : must(store().jobs_to_resume(now(), limit))) ids.push_back(job.id);
    return ids;
  }
  std::optional<Timestamp> next() { return must(store().next_resume_at()); }
};
CHRONOS_OVER_ALL_STORES(ResumeTest);

TEST_P(ResumeTest, JobsResumeWhenTheirTimeHasComeEarliestFirst) {
  EXPECT_EQ(next(), std::nullopt);
  const auto late = submit_recurring(now() + 1h, paused_until(now() + 2min));
  const auto soon = submit_recurring(now() + 1h, paused_until(now() + 1min));
  auto for_good = every_hour();
  for_good.paused = true;
  submit_recurring(now() + 1h, for_good);
  EXPECT_EQ(next(), now() + 1min);
  clock_.advance(1min - 1us);
  EXPECT_TRUE(to_resume().empty());
  clock_.advance(1us);
  EXPECT_EQ(to_resume(), std::vector{soon.id});
  clock_.advance(1min);
  EXPECT_EQ(to_resume(), (std::vector{soon.id, late.id}));
  EXPECT_EQ(to_resume(1), std::vector{soon.id});
}

TEST_P(ResumeTest, TheJobIsWhole) {
  const auto submitted = submit_recurring(now(), paused_until(now() + 1h));
  plan(Plan::DueRun::park);
  clock_.advance(1h);
  const auto jobs = must(store().jobs_to_resume(now(), 1));
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].id, submitted.id);
  EXPECT_EQ(jobs[0].project, project_);
  EXPECT_EQ(jobs[0].version, 1);
  EXPECT_EQ(jobs[0].spec->name, submitted.spec->name);
  EXPECT_EQ(jobs[0].spec->paused_until, now());
  EXPECT_EQ(jobs[0].parked_at, now() - 1h);
  EXPECT_EQ(jobs[0].status, JobStatus::paused);
}

TEST_P(ResumeTest, ReplacedDeclarationMovesTheEndOfThePause) {
  auto wanted = submit_recurring(now() + 1h, paused_until(now() + 1min));
  wanted.spec.edit().paused_until = now() + 5min;
  wanted = commit(replacement(wanted)).job;
  EXPECT_EQ(next(), now() + 5min);
  wanted.spec.edit().paused = false;
  wanted.spec.edit().paused_until.reset();
  commit(replacement(wanted));
  EXPECT_EQ(next(), std::nullopt);
}

TEST_P(ResumeTest, CancelledJobStaysAsItIs) {
  const auto submitted = submit_recurring(now() + 1h, paused_until(now() + 1min));
  commit(CancelJob{project_, submitted.id, false, std::nullopt, now()});
  EXPECT_EQ(next(), std::nullopt);
  clock_.advance(1h);
  EXPECT_TRUE(to_resume().empty());
}

TEST_P(ResumeTest, SurvivesARestart) {
  const auto submitted = submit_recurring(now() + 1h, paused_until(now() + 1min));
  store_.reopen();
  EXPECT_EQ(next(), now() + 1min);
  clock_.advance(1min);
  EXPECT_EQ(to_resume(), std::vector{submitted.id});
}

}  // namespace
}  // namespace chronos::store
