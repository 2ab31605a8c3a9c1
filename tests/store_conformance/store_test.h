// What every conformance test starts from: a fresh store of the kind under test, virtual time, and
// short words for the changes a test is not about. Members fail the test when something is refused
// that must not be.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "store/changes.h"
#include "store/store.h"
#include "support/print.h"
#include "support/samples.h"
#include "support/store_factory.h"
#include "support/virtual_clock.h"

namespace chronos::store {

using namespace std::chrono_literals;
using test::full_spec;
using test::kStart;
using test::must;
using test::refusal;
using test::sample_spec;

class StoreTest : public testing::TestWithParam<std::string> {
 protected:
  using Run = chronos::Run;  // testing::Test has another

  Store& store() { return *store_; }
  Timestamp now() const { return clock_.now(); }
  template <class AnyId>
  AnyId id() {
    return ids_.make<AnyId>();
  }

  template <class C>
  Result<typename C::Answer> try_commit(C change) {
    return commit_and_wait(store(), std::move(change));
  }
  template <class C>
  typename C::Answer commit(C change) {
    return must(try_commit(std::move(change)));
  }

  // -- Making things
  Job new_job(JobSpec spec = sample_spec());
  PlannedRun planned(Timestamp at, Trigger trigger = Trigger::schedule);
  PlannedRun to_plan(Timestamp at);  // needs planning
  // Submits; the answer is the job as stored.
  Job submit(Job job, std::optional<PlannedRun> first_run = std::nullopt);
  Job submit_due(Timestamp at, JobSpec spec = sample_spec());          // released by itself
  Job submit_recurring(Timestamp first, JobSpec spec = every_hour());  // needs planning
  Job submit_ready(JobSpec spec = sample_spec());                      // ready now
  RunId run_now(const Job& job, Trigger trigger = Trigger::manual);
  static JobSpec every_hour();

  // -- Moving things
  std::int64_t release();
  DueRun due_one();
  CommitPlan plan_for(const DueRun& due, Plan::DueRun what);
  // Plans the one due run; `next`, when given, waits to be planned.
  void plan(Plan::DueRun what, std::optional<Timestamp> next = std::nullopt);
  ClaimRuns claim_change(int max = 1000);
  std::vector<ClaimedRun> claim(int max = 1000);
  ClaimedRun claim_one();
  SettleRun settlement(const ClaimedRun& claimed, RunState next);
  RunState settle(const ClaimedRun& claimed, RunState next);
  // Claims and settles the one ready run.
  void run_one(RunState next);
  ReplaceJob replacement(Job job);

  // -- Looking
  Job job(const Job& job) { return must(store().find_job(job.project, job.id)); }
  Run run(RunId run) { return must(store().find_run(project_, run)); }
  std::vector<Run> live(const Job& job) { return must(store().live_runs(job.project, job.id)); }
  Run only_live(const Job& job);
  std::vector<Run> runs(RunFilter filter = {});  // of the project, all pages, newest first
  std::vector<Run> runs_of(const Job& job);
  Stats stats() { return must(store().stats()); }

  test::VirtualClock clock_{kStart};
  IdSource ids_{clock_, Rng(7)};
  test::TestStore store_{GetParam(), clock_};
  ProjectId project_ = id<ProjectId>();
  ProjectId other_project_ = id<ProjectId>();
  NodeId holder_ = id<NodeId>();
};

std::string name_of_kind(const testing::TestParamInfo<std::string>& kind);

}  // namespace chronos::store

// Runs the TEST_Ps of a class derived from StoreTest over every store under test.
#define CHRONOS_OVER_ALL_STORES(Fixture)                                                       \
  INSTANTIATE_TEST_SUITE_P(Stores, Fixture, testing::ValuesIn(::chronos::test::store_kinds()), \
                           ::chronos::store::name_of_kind)
