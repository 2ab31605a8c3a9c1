// The audit log: every change with an author has its entry, in the same transaction; and the
// versions of jobs.
#include "base/json.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class AuditTest : public StoreTest {
 protected:
  AuditTest() {
    Key key;
    key.id = actor_;
    key.project = project_;
    key.name = "ops";
    key.role = Role::operator_;
    key.created_at = now();
    commit(PutKey{key, {}});
  }

  Author author(std::string action, std::optional<KeyId> key = {}) {
    return {key.value_or(actor_), id<AuditId>(), now(), std::move(action)};
  }
  std::vector<AuditEntry> entries(AuditFilter filter = {}) {
    std::vector<AuditEntry> all;
    filter.project = project_;
    while (true) {
      auto page = must(store().list_audit(filter));
      for (auto& entry : page.rows) all.push_back(std::move(entry));
      if (!page.has_more) return all;
      filter.after = page.last;
    }
  }
  AuditEntry newest() {
    const auto all = entries();
    return all.empty() ? AuditEntry{} : all.front();
  }
  std::vector<std::string> actions(const AuditFilter& filter = {}) {
    std::vector<std::string> all;
    for (const auto& entry : entries(filter)) all.push_back(entry.action);
    return all;
  }
  Job submit_by(JobSpec spec = every_hour()) {
    auto job = new_job(std::move(spec));
    commit(SubmitJob{job, to_plan(now() + 1h), now(), {}, author("job.submit")});
    return this->job(job);
  }
  Job change(Job job, std::string action = "job.update") {
    auto edit = replacement(std::move(job));
    edit.job.updated_at = now();
    edit.by = author(std::move(action));
    return commit(edit).job;
  }
  std::vector<std::int64_t> versions(const Job& job, std::int64_t before = kNewestVersion,
                                     int limit = 1000) {
    std::vector<std::int64_t> numbers;
    for (const auto& each : must(store().list_versions(job.project, job.id, before, limit))) {
      numbers.push_back(each.version);
    }
    return numbers;
  }

  KeyId actor_ = id<KeyId>();
};
CHRONOS_OVER_ALL_STORES(AuditTest);

TEST_P(AuditTest, ASubmissionIsToldByItsJob) {
  const auto job = submit_by();
  const auto entry = newest();
  EXPECT_EQ(entry.id.uuid, job.id.uuid);
  EXPECT_EQ(entry.action, "job.submit");
  EXPECT_EQ(entry.kind, "job");
  EXPECT_EQ(entry.resource, job.id.to_string());
  EXPECT_EQ(entry.name, job.spec->name);
  EXPECT_EQ(entry.at, job.created_at);
  EXPECT_EQ(entry.actor, actor_);
  EXPECT_EQ(entry.actor_name, "ops");
  EXPECT_EQ(entry.actor_role, Role::operator_);
  EXPECT_EQ(entry.before + entry.after, "");
}

TEST_P(AuditTest, WithoutAnAuthorThereIsNoEntry) {
  auto job = submit_recurring(now() + 1h);
  job.spec.edit().note = "x";
  commit(replacement(job));
  EXPECT_TRUE(entries().empty());
}

TEST_P(AuditTest, AChangeTellsWhatItChanged) {
  auto job = submit_by();
  clock_.advance(1h);
  job.spec.edit().note = "slower";
  job.spec.edit().queue = "reports";
  change(job, "job.pause");
  const auto entry = newest();
  EXPECT_EQ(entry.action, "job.pause");
  EXPECT_EQ(entry.at, now());
  EXPECT_EQ(entry.resource, job.id.to_string());
  EXPECT_EQ(entry.before, R"({"queue":"default","note":""})");
  EXPECT_EQ(entry.after, R"({"queue":"reports","note":"slower"})");
}

TEST_P(AuditTest, SecretsAreNoPartOfIt) {
  auto job = submit_by();
  job.spec.edit().action.config =
      R"({"kind":"http","url":"https://a.example/","headers":{"X-Api-Key":"k1"}})";
  change(job);
  const auto entry = newest();
  EXPECT_EQ(entry.after.find("k1"), std::string::npos) << entry.after;
  EXPECT_NE(entry.after.find("***"), std::string::npos) << entry.after;
}

TEST_P(AuditTest, WhatIsRefusedHasNoEntry) {
  auto job = submit_by();
  auto edit = replacement(job);
  edit.expected_version = 7;
  edit.by = author("job.update");
  EXPECT_EQ(refusal(try_commit(edit)), "version_mismatch");
  EXPECT_EQ(actions(), std::vector<std::string>{"job.submit"});
}

TEST_P(AuditTest, ARepetitionHasNoSecondEntry) {
  const auto job = submit_by();
  RunJob change{project_, job.id, planned(now(), Trigger::manual), now(), {}, author("job.run")};
  change.idempotency = Idempotency{actor_, "once", Sha256{1}, now()};
  const auto run = commit(change).run;
  change.run.id = id<RunId>();
  change.by = author("job.run");
  EXPECT_TRUE(commit(change).is_replay);
  EXPECT_EQ(actions(), (std::vector<std::string>{"job.run", "job.submit"}));
  EXPECT_EQ(newest().after, R"({"run":")" + run.to_string() + R"("})");
}

TEST_P(AuditTest, RunsAndTheirJobs) {
  const auto job = submit_by();
  const auto run = run_now(job);
  commit(CancelRun{project_, run, now(), author("run.cancel")});
  EXPECT_EQ(newest().resource, run.to_string());
  EXPECT_EQ(newest().name, job.spec->name);
  const auto entries = actions().size();
  commit(CancelRun{project_, run, now(), author("run.cancel")});
  EXPECT_EQ(actions().size(), entries) << "it was over";
  auto again = planned(now(), Trigger::retry);
  again.retry_of = run;
  commit(RunJob{project_, job.id, again, now(), {}, author("run.retry")});
  EXPECT_EQ(newest().action, "run.retry");
  EXPECT_EQ(newest().kind, "run");
  EXPECT_EQ(newest().resource, run.to_string());
  commit(CancelJob{project_, job.id, false, {}, now(), author("job.cancel")});
  EXPECT_EQ(newest().before, R"({"phase":"active"})");
  EXPECT_EQ(newest().after, R"({"phase":"cancelled"})");
  Backfill backfill{.project = project_, .job = job.id, .runs = {}, .now = now()};
  backfill.expected_version = this->job(job).version;
  backfill.runs = {planned(now() - 2h, Trigger::backfill), planned(now() - 1h, Trigger::backfill)};
  backfill.by = author("job.backfill");
  commit(backfill);
  EXPECT_EQ(newest().action, "job.backfill");
  EXPECT_NE(newest().after.find(R"("runs":2)"), std::string::npos) << newest().after;
}

TEST_P(AuditTest, Calendars) {
  PutCalendar put;
  put.calendar.project = project_;
  put.calendar.name = "holidays";
  put.calendar.spec.dates = {"12-25"};
  put.calendar.created_at = put.calendar.updated_at = put.now = now();
  put.by = author("calendar.update");
  commit(put);
  EXPECT_EQ(newest().action, "calendar.create");
  EXPECT_EQ(newest().before, "");
  EXPECT_NE(newest().after.find("12-25"), std::string::npos);
  put.by = author("calendar.update");
  commit(put);
  EXPECT_EQ(entries().size(), 1U) << "the same again is no change";
  put.calendar.spec.dates = {"12-26"};
  put.by = author("calendar.update");
  commit(put);
  EXPECT_EQ(newest().before, R"({"dates":["12-25"]})");
  EXPECT_EQ(newest().after, R"({"dates":["12-26"]})");
  commit(DeleteCalendar{project_, "holidays", {}, author("calendar.delete")});
  EXPECT_EQ(newest().action, "calendar.delete");
  EXPECT_NE(newest().before.find("12-26"), std::string::npos);
  EXPECT_EQ(newest().after, "");
}

TEST_P(AuditTest, KeysAndProjects) {
  Key key;
  key.id = id<KeyId>();
  key.project = project_;
  key.name = "ci";
  key.role = Role::submitter;
  key.hash = Sha256{42};
  key.created_at = now();
  commit(PutKey{key, {}, author("key.create")});
  EXPECT_EQ(newest().resource, key.id.to_string());
  EXPECT_NE(newest().after.find(R"("role":"submitter")"), std::string::npos);
  EXPECT_EQ(newest().after.find("hash"), std::string::npos);
  commit(RevokeKey{project_, key.id, now(), {}, author("key.revoke")});
  EXPECT_EQ(newest().before, R"({"revoked_at":null})");
  EXPECT_NE(newest().after.find("revoked_at"), std::string::npos);
  Project project{id<ProjectId>(), "new", now()};
  auto by = author("project.create");
  by.home = project_;
  commit(PutProject{project, {}, {}, by});
  EXPECT_EQ(newest().resource, project.id.to_string());
  AuditEntry entry = entry_by(author("backup.create"), project_, "/b", "/b");
  commit(AddAudit{entry});
  commit(AddAudit{entry});
  EXPECT_EQ(actions(), (std::vector<std::string>{"backup.create", "project.create", "key.revoke",
                                                 "key.create"}));
}

TEST_P(AuditTest, AReplacedUniqueJobHasAnEntry) {
  auto spec = sample_spec();
  spec.unique = Unique{.key = "k", .window = {}, .on_conflict = OnConflict::replace};
  const auto job = submit_by(spec);
  spec.note = "second";
  auto second = new_job(spec);
  commit(SubmitJob{second, planned(now() + 1h), now(), {}, author("job.submit")});
  EXPECT_EQ(newest().action, "job.update");
  EXPECT_EQ(newest().resource, job.id.to_string());
}

TEST_P(AuditTest, FiltersAndPages) {
  const auto other = id<KeyId>();
  std::vector<Job> jobs;
  for (int i = 0; i < 5; ++i) {
    jobs.push_back(submit_by());
    clock_.advance(1h);
    jobs[static_cast<std::size_t>(i)].spec.edit().note = "x";
    change(jobs.back());
    clock_.advance(1h);
  }
  commit(CancelJob{project_, jobs[0].id, false, {}, now(), author("job.cancel", other)});
  AuditFilter filter;
  filter.limit = 2;
  const auto all = entries(filter);
  EXPECT_EQ(all.size(), 11U);
  EXPECT_TRUE(std::ranges::is_sorted(all, std::ranges::greater(), &AuditEntry::id));
  filter.resource = jobs[0].id.to_string();
  EXPECT_EQ(actions(filter), (std::vector<std::string>{"job.cancel", "job.update", "job.submit"}));
  filter.action = "job.update";
  EXPECT_EQ(actions(filter), std::vector<std::string>{"job.update"});
  filter = {.project = {}, .resource = {}, .actor = other, .action = {}, .since = {}, .until = {}};
  EXPECT_EQ(actions(filter), std::vector<std::string>{"job.cancel"});
  filter.actor = actor_;
  filter.action = "job.submit";
  EXPECT_EQ(entries(filter).size(), 5U);
  filter.action = {};
  filter.since = kStart + 1h;
  filter.until = kStart + 3h;
  EXPECT_EQ(actions(filter), (std::vector<std::string>{"job.submit", "job.update"}));
}

TEST_P(AuditTest, AnotherProjectSeesNothing) {
  submit_by();
  AuditFilter filter;
  filter.project = other_project_;
  EXPECT_TRUE(must(store().list_audit(filter)).rows.empty());
}

TEST_P(AuditTest, PruneDropsWhatIsOlder) {
  auto job = submit_by();
  job.spec.edit().note = "x";
  job = change(job);
  clock_.advance(24h);
  job.spec.edit().note = "y";
  change(job);
  Prune prune{now(), 1000, 24h};
  EXPECT_EQ(commit(prune), 1);
  EXPECT_EQ(actions(), (std::vector<std::string>{"job.update", "job.submit"}));
}

// -- Versions ------------------------------------------------------------------------------------

TEST_P(AuditTest, EachDeclarationStays) {
  auto job = submit_by();
  const auto first = job.spec->note;
  clock_.advance(1h);
  job.spec.edit().note = "second";
  job.spec.edit().payload = R"({"n":2})";
  job = change(job);
  clock_.advance(1h);
  job.spec.edit().note = "third";
  auto edit = replacement(job);
  edit.job.updated_at = now();
  commit(edit);  // by the server itself
  EXPECT_EQ(versions(job), (std::vector<std::int64_t>{3, 2, 1}));
  EXPECT_EQ(versions(job, 3, 1), std::vector<std::int64_t>{2});
  EXPECT_EQ(versions(job, 2), std::vector<std::int64_t>{1});
  const auto version = [&](std::int64_t number) {
    return must(store().find_version(project_, job.id, number));
  };
  EXPECT_EQ(version(1).spec->note, first);
  EXPECT_EQ(version(1).by, actor_);
  EXPECT_EQ(version(1).by_name, "ops");
  EXPECT_EQ(version(1).at, kStart);
  EXPECT_EQ(version(2).spec->note, "second");
  EXPECT_EQ(version(2).spec->payload, R"({"n":2})");
  EXPECT_EQ(version(2).by, actor_);
  EXPECT_EQ(version(2).at, kStart + 1h);
  EXPECT_EQ(version(3).spec->note, "third");
  EXPECT_EQ(version(3).by, std::nullopt);
  store_.reopen();
  EXPECT_EQ(version(2).spec->note, "second");
}

TEST_P(AuditTest, AVersionThatDeclaredNothingIsTheOneBefore) {
  auto job = submit_by();
  commit(CancelJob{project_, job.id, false, {}, now(), author("job.cancel")});
  EXPECT_EQ(versions(job), std::vector<std::int64_t>{1});
  EXPECT_EQ(must(store().find_version(project_, job.id, 2)).version, 1);
  EXPECT_EQ(refusal(store().find_version(project_, job.id, 0)), "not_found");
}

TEST_P(AuditTest, TheOldestVersionsGo) {
  auto job = submit_by();
  for (int i = 0; i < kVersionsKept + 3; ++i) {
    job.spec.edit().note = std::to_string(i);
    job = change(job);
  }
  const auto kept = versions(job);
  EXPECT_EQ(kept.front(), kVersionsKept + 4);
  EXPECT_EQ(kept.back(), 4);
  EXPECT_EQ(refusal(store().find_version(project_, job.id, 3)), "not_found");
}

TEST_P(AuditTest, AnotherProjectsVersionsAreNotFound) {
  const auto job = submit_by();
  EXPECT_EQ(refusal(store().list_versions(other_project_, job.id, kNewestVersion, 5)), "not_found");
  EXPECT_EQ(refusal(store().find_version(other_project_, job.id, 1)), "not_found");
}

}  // namespace
}  // namespace chronos::store
