// list_jobs and list_runs: filters, order, pages.
#include <algorithm>

#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class ListsTest : public StoreTest {
 protected:
  std::vector<std::string> names(JobFilter filter) {
    filter.project = project_;
    std::vector<std::string> names;
    for (const auto& job : must(store().list_jobs(filter)).rows) names.push_back(job.spec->name);
    return names;
  }
  Job named(std::string name) { return submit_due(now() + 1h, sample_spec(std::move(name))); }
  using Names = std::vector<std::string>;
};
CHRONOS_OVER_ALL_STORES(ListsTest);

// -- Jobs -----------------------------------------------------------------------------------------

TEST_P(ListsTest, JobsAreNewestFirst) {
  named("a");
  named("b");
  named("c");
  EXPECT_EQ(names({}), (Names{"c", "b", "a"}));
}

TEST_P(ListsTest, NothingIsAnEmptyPage) {
  JobFilter filter;
  filter.project = project_;
  const auto page = must(store().list_jobs(filter));
  EXPECT_TRUE(page.rows.empty());
  EXPECT_FALSE(page.has_more);
}

TEST_P(ListsTest, JobsOfAnotherProjectAreNotListed) {
  named("mine");
  auto theirs = new_job(sample_spec("theirs"));
  theirs.project = other_project_;
  submit(theirs);
  EXPECT_EQ(names({}), Names{"mine"});
}

TEST_P(ListsTest, JobPagesFollowTheCursorWhileRowsCome) {
  for (const auto* name : {"a", "b", "c", "d", "e"}) named(name);
  JobFilter filter;
  filter.project = project_;
  filter.limit = 2;
  auto page = must(store().list_jobs(filter));
  ASSERT_EQ(page.rows.size(), 2U);
  EXPECT_EQ(page.rows[0].spec->name, "e");
  EXPECT_TRUE(page.has_more);

  named("f");  // newer than the cursor: on no later page
  filter.after = page.rows.back().id;
  page = must(store().list_jobs(filter));
  ASSERT_EQ(page.rows.size(), 2U);
  EXPECT_EQ(page.rows[0].spec->name, "c");
  EXPECT_TRUE(page.has_more);
  filter.after = page.rows.back().id;
  page = must(store().list_jobs(filter));
  ASSERT_EQ(page.rows.size(), 1U);
  EXPECT_EQ(page.rows[0].spec->name, "a");
  EXPECT_FALSE(page.has_more);
}

TEST_P(ListsTest, ExactlyFullPageHasNoMore) {
  named("a");
  named("b");
  JobFilter filter;
  filter.project = project_;
  filter.limit = 2;
  EXPECT_FALSE(must(store().list_jobs(filter)).has_more);
}

TEST_P(ListsTest, JobsByTag) {
  auto spec = sample_spec("tagged");
  spec.tags = {"night", "a\"b"};
  submit(new_job(spec));
  named("plain");
  JobFilter filter;
  filter.tag = "night";
  EXPECT_EQ(names(filter), Names{"tagged"});
  filter.tag = "a\"b";
  EXPECT_EQ(names(filter), Names{"tagged"});
  filter.tag = "nigh";
  EXPECT_EQ(names(filter), Names{});
}

TEST_P(ListsTest, JobsByPartOfTheirName) {
  named("Nightly 100% report");
  named("nightly backup");
  named("Ünicode");
  JobFilter filter;
  filter.name_contains = "NIGHTLY";
  EXPECT_EQ(names(filter), (Names{"nightly backup", "Nightly 100% report"}));
  filter.name_contains = "100%";
  EXPECT_EQ(names(filter), Names{"Nightly 100% report"});
  filter.name_contains = "y_b";  // no wildcard
  EXPECT_EQ(names(filter), Names{});
  filter.name_contains = "%";
  EXPECT_EQ(names(filter), Names{"Nightly 100% report"});
  filter.name_contains = "Ün";
  EXPECT_EQ(names(filter), Names{"Ünicode"});
}

TEST_P(ListsTest, JobsByTheirCreation) {
  const auto start = now();
  named("a");
  clock_.advance(1min);
  named("b");
  clock_.advance(1min);
  named("c");
  JobFilter filter;
  filter.created_after = start + 1min;  // inclusive
  EXPECT_EQ(names(filter), (Names{"c", "b"}));
  filter.created_before = start + 2min;  // exclusive
  EXPECT_EQ(names(filter), Names{"b"});
}

TEST_P(ListsTest, JobsByStatus) {
  submit_ready(sample_spec("failed"));
  run_one(RunState::failed);
  submit_ready(sample_spec("succeeded"));
  run_one(RunState::succeeded);
  submit_ready(sample_spec("retrying"));
  run_one(RunState::retrying);
  submit_ready(sample_spec("running"));
  claim_one();
  const auto cancelled = named("cancelled");
  commit(CancelJob{project_, cancelled.id, false, std::nullopt, now()});
  auto spec = sample_spec("paused");
  spec.paused = true;
  submit_due(now() + 1h, spec);
  named("scheduled");
  submit_ready(sample_spec("queued"));  // waits for a slot: scheduled, not running

  const std::pair<JobStatus, Names> cases[] = {{JobStatus::scheduled, {"queued", "scheduled"}},
                                               {JobStatus::running, {"running"}},
                                               {JobStatus::retrying, {"retrying"}},
                                               {JobStatus::paused, {"paused"}},
                                               {JobStatus::succeeded, {"succeeded"}},
                                               {JobStatus::failed, {"failed"}},
                                               {JobStatus::cancelled, {"cancelled"}}};
  for (const auto& [status, expected] : cases) {
    JobFilter filter;
    filter.status = status;
    EXPECT_EQ(names(filter), expected) << to_string(status);
    filter.project = project_;
    for (const auto& job : must(store().list_jobs(filter)).rows) EXPECT_EQ(job.status, status);
  }
}

TEST_P(ListsTest, StatusFilterFillsItsPages) {
  for (int i = 0; i < 6; ++i) {
    submit_ready(sample_spec("done " + std::to_string(i)));
    run_one(RunState::succeeded);
    named("waiting " + std::to_string(i));
  }
  JobFilter filter;
  filter.project = project_;
  filter.status = JobStatus::succeeded;
  filter.limit = 4;
  auto page = must(store().list_jobs(filter));
  ASSERT_EQ(page.rows.size(), 4U);
  EXPECT_EQ(page.rows[3].spec->name, "done 2");
  EXPECT_TRUE(page.has_more);
  filter.after = page.rows.back().id;
  page = must(store().list_jobs(filter));
  EXPECT_EQ(page.rows.size(), 2U);
  EXPECT_FALSE(page.has_more);
}

// -- Runs -----------------------------------------------------------------------------------------

TEST_P(ListsTest, RunsLiveAndFinalAreOneListNewestFirst) {
  const auto submitted = submit_ready();
  const auto first = claim_one();
  const auto second = run_now(submitted);
  const auto third = run_now(submitted);
  settle(first, RunState::failed);
  const auto listed = runs();
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_EQ(listed[0].id, third);
  EXPECT_EQ(listed[1].id, second);
  EXPECT_EQ(listed[2].id, first.run);
  EXPECT_EQ(listed[2].state, RunState::failed);
  EXPECT_TRUE(listed[2].attempts.empty());  // find_run only
}

TEST_P(ListsTest, RunPagesFollowTheCursor) {
  const auto submitted = submit(new_job());
  std::vector<RunId> made;
  for (int i = 0; i < 7; ++i) {
    made.insert(made.begin(), run_now(submitted));
    if (i % 2 == 0) continue;
    for (const auto& claimed : claim()) settle(claimed, RunState::succeeded);
  }
  RunFilter filter;
  filter.limit = 3;
  std::vector<RunId> listed;
  for (const auto& run : runs(filter)) listed.push_back(run.id);
  EXPECT_EQ(listed, made);

  filter.project = project_;
  filter.after = made[3];
  const auto last = must(store().list_runs(filter));
  EXPECT_EQ(last.rows.size(), 3U);
  EXPECT_FALSE(last.has_more);
}

TEST_P(ListsTest, RunsByJob) {
  const auto first = submit_ready();
  const auto second = submit_ready();
  RunFilter filter;
  filter.job = second.id;
  ASSERT_EQ(runs(filter).size(), 1U);
  EXPECT_EQ(runs(filter)[0].job, second.id);
  filter.project = other_project_;
  EXPECT_TRUE(must(store().list_runs(filter)).rows.empty());
  EXPECT_EQ(runs_of(first).size(), 1U);
}

TEST_P(ListsTest, RunsByState) {
  submit_due(now() + 1h);
  submit_ready();
  run_one(RunState::failed);
  submit_ready();
  run_one(RunState::retrying);
  submit_ready();
  claim_one();
  submit_ready();
  for (const auto state : {RunState::planned, RunState::failed, RunState::retrying,
                           RunState::running, RunState::queued}) {
    RunFilter filter;
    filter.states = {state};
    const auto listed = runs(filter);
    ASSERT_EQ(listed.size(), 1U) << to_string(state);
    EXPECT_EQ(listed[0].state, state);
  }
  RunFilter filter;
  filter.states = {RunState::lost};
  EXPECT_TRUE(runs(filter).empty());
}

TEST_P(ListsTest, HeldRunIsQueued) {
  const auto submitted = submit_recurring(now());
  run_now(submitted);
  plan(Plan::DueRun::hold);
  RunFilter filter;
  filter.states = {RunState::queued};
  EXPECT_EQ(runs(filter).size(), 2U);
}

TEST_P(ListsTest, RunsByTheirPlannedInstant) {
  const auto start = now();
  submit_due(start);
  submit_due(start + 1min);
  submit_due(start + 2min);
  run_one(RunState::succeeded);
  RunFilter filter;
  filter.planned_after = start;  // inclusive
  EXPECT_EQ(runs(filter).size(), 3U);
  filter.planned_after = start + 1min;
  EXPECT_EQ(runs(filter).size(), 2U);
  filter.planned_before = start + 2min;  // exclusive
  ASSERT_EQ(runs(filter).size(), 1U);
  EXPECT_EQ(runs(filter)[0].planned_at, start + 1min);
}

TEST_P(ListsTest, RunsShowTheJobsNameNow) {
  const auto submitted = submit_ready(sample_spec("before"));
  run_one(RunState::succeeded);
  run_now(submitted);
  auto change = replacement(job(submitted));
  change.job.spec.edit().name = "after";
  commit(change);
  for (const auto& run : runs()) EXPECT_EQ(run.job_name, "after");
}

TEST_P(ListsTest, JobsByKindAndQueue) {
  auto spec = sample_spec();
  spec.queue = "mail";
  const auto mail = submit_ready(spec);
  spec.action.kind = "command";
  const auto command = submit_ready(spec);
  const auto plain = submit_ready();
  const auto ids = [&](const JobFilter& filter) {
    std::vector<JobId> found;
    for (const auto& row : must(store().list_jobs(filter)).rows) found.push_back(row.id);
    return found;
  };
  EXPECT_EQ(ids({.project = project_, .queue = "mail"}), (std::vector{command.id, mail.id}));
  EXPECT_EQ(ids({.project = project_, .kind = "http"}), (std::vector{plain.id, mail.id}));
  EXPECT_EQ(ids({.project = project_, .kind = "http", .queue = "mail"}), std::vector{mail.id});
  auto moved = job(plain);
  moved.spec.edit().queue = "mail";
  moved.spec.edit().action.kind = "command";
  commit(replacement(moved));
  EXPECT_EQ(ids({.project = project_, .kind = "command", .queue = "mail"}),
            (std::vector{plain.id, command.id}));
}

TEST_P(ListsTest, RunsInSeveralStatesNewestFirst) {
  submit_ready();
  run_one(RunState::failed);
  submit_ready();
  run_one(RunState::succeeded);
  submit_ready();
  run_one(RunState::lost);
  submit_ready();
  claim_one();
  const auto states = [&](std::vector<RunState> wanted, int limit) {
    std::vector<RunState> found;
    RunFilter filter;
    filter.states = std::move(wanted);
    filter.limit = limit;
    for (const auto& row : this->runs(filter)) found.push_back(row.state);
    return found;
  };
  const std::vector wanted{RunState::failed, RunState::running, RunState::lost};
  const std::vector found{RunState::running, RunState::lost, RunState::failed};
  EXPECT_EQ(states(wanted, 50), found);
  EXPECT_EQ(states(wanted, 1), found) << "a page at a time";
}

TEST_P(ListsTest, RunsByTheirJobAndTheirError) {
  auto spec = sample_spec("Nightly backup");
  spec.tags = {"db"};
  submit_ready(spec);
  const auto claimed = claim_one();
  auto change = settlement(claimed, RunState::failed);
  change.attempt.outcome.error = "Disk FULL on /dev/sda";
  commit(change);
  submit_ready();
  const auto retrying = claim_one();
  change = settlement(retrying, RunState::retrying);
  change.attempt.outcome.error = "disk is full";
  commit(change);
  submit_ready();
  const auto ids = [&](const RunFilter& filter) {
    std::vector<RunId> found;
    for (const auto& row : this->runs(filter)) found.push_back(row.id);
    return found;
  };
  EXPECT_EQ(ids({.tag = "db"}), std::vector{claimed.run});
  EXPECT_EQ(ids({.job_name_contains = "BACKUP"}), std::vector{claimed.run});
  EXPECT_EQ(ids({.error_contains = "disk"}), (std::vector{retrying.run, claimed.run}));
  EXPECT_EQ(ids({.job = retrying.job, .error_contains = "full"}), std::vector{retrying.run});
  EXPECT_TRUE(ids({.tag = "db", .error_contains = "disk is"}).empty());
  EXPECT_TRUE(ids({.job_name_contains = "nobody"}).empty());
}

}  // namespace
}  // namespace chronos::store
