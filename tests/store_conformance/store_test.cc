#include "store_conformance/store_test.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

#include "model/planner.h"

namespace chronos::store {

std::string name_of_kind(const testing::TestParamInfo<std::string>& kind) {
  std::string name;
  for (const char c : kind.param) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  }
  return name;
}

JobSpec StoreTest::every_hour() {
  auto spec = sample_spec("hourly");
  spec.schedule.every = 1h;
  return spec;
}

Job StoreTest::new_job(JobSpec spec) {
  Job job;
  job.id = id<JobId>();
  job.project = project_;
  job.spec = std::move(spec);
  job.created_at = now();
  job.updated_at = now();
  job.planned_through = now() - 1us;
  return job;
}

PlannedRun StoreTest::planned(Timestamp at, Trigger trigger) {
  return {id<RunId>(), trigger, at, at, false, std::nullopt};
}

PlannedRun StoreTest::to_plan(Timestamp at) {
  return {id<RunId>(), Trigger::schedule, at, at, true, std::nullopt};
}

Job StoreTest::submit(Job job, std::optional<PlannedRun> first_run) {
  return commit(SubmitJob{std::move(job), first_run, now(), std::nullopt}).job;
}

Job StoreTest::submit_due(Timestamp at, JobSpec spec) {
  auto job = new_job(std::move(spec));
  job.planned_through = at - 1us;
  return submit(std::move(job), planned(at));
}

Job StoreTest::submit_recurring(Timestamp first, JobSpec spec) {
  auto job = new_job(std::move(spec));
  job.planned_through = first - 1us;
  return submit(std::move(job), to_plan(first));
}

Job StoreTest::submit_ready(JobSpec spec) {
  return submit(new_job(std::move(spec)), planned(now()));
}

RunId StoreTest::run_now(const Job& job, Trigger trigger) {
  return commit(RunJob{job.project, job.id, planned(now(), trigger), now(), std::nullopt}).run;
}

std::int64_t StoreTest::release() {
  return commit(ReleaseDue{now()});
}

DueRun StoreTest::due_one() {
  auto due = must(store().due_runs(now(), 100));
  if (due.size() != 1) {
    throw std::runtime_error(std::to_string(due.size()) + " runs wait to be planned, not one");
  }
  return std::move(due.front());
}

CommitPlan StoreTest::plan_for(const DueRun& due, Plan::DueRun what) {
  CommitPlan change;
  change.job = due.job->id;
  change.expected_version = due.job->version;
  change.expected_planned_through = due.job->planned_through;
  change.planned_through = what == Plan::DueRun::park ? due.job->planned_through : due.planned_at;
  change.run = due.run;
  change.expected_planned_at = due.planned_at;
  change.due_run = what;
  change.now = now();
  return change;
}

void StoreTest::plan(Plan::DueRun what, std::optional<Timestamp> next) {
  auto change = plan_for(due_one(), what);
  if (next) change.next_run = to_plan(*next);
  commit(std::move(change));
}

ClaimRuns StoreTest::claim_change(int max) {
  return {holder_, "node-a", {{"http", max}}, {}, now()};
}

std::vector<ClaimedRun> StoreTest::claim(int max) {
  commit(Heartbeat{holder_, 15s});
  return commit(claim_change(max));
}

ClaimedRun StoreTest::claim_one() {
  auto claimed = claim();
  if (claimed.size() != 1) {
    throw std::runtime_error(std::to_string(claimed.size()) + " runs were ready, not one");
  }
  return claimed.front();
}

SettleRun StoreTest::settlement(const ClaimedRun& claimed, RunState next) {
  SettleRun change;
  change.run = claimed.run;
  change.token = claimed.token;
  change.next = next;
  change.attempt.number = claimed.attempt;
  change.attempt.started_at = claimed.started_at;
  change.attempt.ended_at = now();
  change.attempt.node = "node-a";
  change.attempt.outcome.kind = parse_outcome_kind(to_string(next)).value_or(OutcomeKind::failed);
  if (next != RunState::succeeded) {
    change.reason = change.attempt.outcome.reason = "http_status";
    change.attempt.outcome.error = "the target answered 500";
  }
  if (next == RunState::retrying) change.retry_at = now() + 1min;
  change.now = now();
  change.project = claimed.project;
  change.job = claimed.job;
  return change;
}

RunState StoreTest::settle(const ClaimedRun& claimed, RunState next) {
  return commit(settlement(claimed, next)).state;
}

void StoreTest::run_one(RunState next) {
  settle(claim_one(), next);
}

ReplaceJob StoreTest::replacement(Job job) {
  ReplaceJob change;
  change.expected_version = job.version;
  change.job = std::move(job);
  ++change.job.version;
  change.waiting_needs_planning = needs_planning(change.job.spec);
  change.job.updated_at = now();
  change.now = now();
  return change;
}

Run StoreTest::only_live(const Job& job) {
  auto runs = live(job);
  if (runs.size() != 1) {
    throw std::runtime_error(std::to_string(runs.size()) + " runs are live, not one");
  }
  return runs.front();
}

std::vector<Run> StoreTest::runs(RunFilter filter) {
  filter.project = project_;
  std::vector<Run> all;
  while (true) {
    auto page = must(store().list_runs(filter));
    std::ranges::move(page.rows, std::back_inserter(all));
    if (!page.has_more) return all;
    filter.after = all.back().id;
  }
}

std::vector<Run> StoreTest::runs_of(const Job& job) {
  RunFilter filter;
  filter.job = job.id;
  return runs(filter);
}

}  // namespace chronos::store
