#include <functional>
#include <string>
#include <utility>

#include "store/sql/statement_cost_operations.h"
#include "support/large_database.h"

namespace chronos::store::sql {
namespace {

using namespace std::chrono_literals;
using test::large::job;
using test::large::kFuture;
using test::large::kLive;
using test::large::kNow;
using test::large::project;
using test::large::run;

// What operations prepare themselves with; not measured.
constexpr Sql kTakeMostReady{"DELETE FROM ready WHERE queue <> 'q07'"};
constexpr Sql kTakeHeld{"DELETE FROM held"};
constexpr Sql kTakeLimited{"DELETE FROM limit_lines"};
constexpr Sql kCountNone{"UPDATE run_totals SET ready = 0, held = 0, limited = 0"};

Operation jobs_where(std::string name, std::function<void(JobFilter&)> set) {
  return {"list jobs: " + std::move(name), [set = std::move(set)](Desk& desk) {
            JobFilter filter;
            filter.project = project();
            set(filter);
            return done(list_jobs(desk.reader, filter));
          }};
}

std::vector<Operation> lists_of_jobs() {
  std::vector<Operation> list = {
      jobs_where("all", [](JobFilter&) {}),
      jobs_where("deep", [](auto& filter) { filter.after = job(kFuture.first + 500'000); }),
      jobs_where("a tag of many", [](auto& filter) { filter.tag = "common"; }),
      jobs_where("a tag of few", [](auto& filter) { filter.tag = "rare"; }),
      jobs_where("a tag of nobody", [](auto& filter) { filter.tag = "none"; }),
      jobs_where("many have the name", [](auto& filter) { filter.name_contains = "REPORT"; }),
      jobs_where("one has the name", [](auto& filter) { filter.name_contains = "report 77"; }),
      jobs_where("nobody has the name", [](auto& filter) { filter.name_contains = "nowhere"; }),
      jobs_where("a tag, and a name nobody has",
                 [](auto& filter) {
                   filter.tag = "common";
                   filter.name_contains = "nowhere";
                 }),
      jobs_where("of a kind nobody has", [](auto& filter) { filter.kind = "worker"; }),
      jobs_where("in a queue nobody has", [](auto& filter) { filter.queue = "none"; }),
      jobs_where("created after all", [](auto& filter) { filter.created_after = kNow + 24h; }),
      jobs_where("created before all",
                 [](auto& filter) { filter.created_before = kNow - 24h * 365; }),
  };
  for (const auto status :
       {JobStatus::scheduled, JobStatus::running, JobStatus::retrying, JobStatus::paused,
        JobStatus::succeeded, JobStatus::failed, JobStatus::cancelled}) {
    list.push_back(jobs_where(std::string(to_string(status)),
                              [status](auto& filter) { filter.status = status; }));
    list.push_back(
        jobs_where(std::string(to_string(status)) + " with a tag", [status](auto& filter) {
          filter.status = status;
          filter.tag = "common";
        }));
  }
  return list;
}

Operation runs_where(std::string name, std::function<void(RunFilter&)> set) {
  return {"list runs: " + std::move(name), [set = std::move(set)](Desk& desk) {
            RunFilter filter;
            filter.project = project();
            set(filter);
            return done(list_runs(desk.reader, filter));
          }};
}

std::vector<Operation> lists_of_runs() {
  std::vector<Operation> list = {
      runs_where("all", [](RunFilter&) {}),
      runs_where("deep in the live ones",
                 [](auto& filter) { filter.after = run(kLive + kFuture.first + 500'000); }),
      runs_where("deep in the final ones", [](auto& filter) { filter.after = run(500'000); }),
      runs_where("planned after all",
                 [](auto& filter) { filter.planned_after = kNow + 24h * 365; }),
      runs_where("planned before all",
                 [](auto& filter) { filter.planned_before = kNow - 24h * 365; }),
      runs_where("planned in the past", [](auto& filter) { filter.planned_before = kNow - 1h; }),
      runs_where("in several states",
                 [](auto& filter) {
                   filter.states = {RunState::failed, RunState::lost, RunState::running};
                 }),
      runs_where("with a tag of few", [](auto& filter) { filter.tag = "rare"; }),
      runs_where("whose job has a name nobody has",
                 [](auto& filter) { filter.job_name_contains = "nowhere"; }),
      runs_where("with an error nobody has",
                 [](auto& filter) { filter.error_contains = "nothing says so"; }),
      runs_where("failed, with an error nobody has",
                 [](auto& filter) {
                   filter.states = {RunState::failed, RunState::retrying};
                   filter.error_contains = "nothing says so";
                 }),
      runs_where("of a job", [](auto& filter) { filter.job = job(7); }),
      runs_where("of a job with held ones",
                 [](auto& filter) { filter.job = job(test::large::kBackfilled); }),
      runs_where("of a job, in a state it has none in",
                 [](auto& filter) {
                   filter.job = job(7);
                   filter.states = {RunState::lost};
                 }),
  };
  list.push_back({"list runs: queued, of few", [](Desk& desk) -> Result<void> {
                    CHRONOS_TRY_VOID(desk.writer.db.run(kTakeMostReady));
                    CHRONOS_TRY_VOID(desk.writer.db.run(kTakeHeld));
                    CHRONOS_TRY_VOID(desk.writer.db.run(kTakeLimited));
                    CHRONOS_TRY_VOID(desk.writer.db.run(kCountNone));
                    RunFilter filter;
                    filter.project = project();
                    filter.states = {RunState::queued};
                    return done(list_runs(desk.reader, filter));
                  }});
  for (const auto state : kRunStates) {
    list.push_back(runs_where(std::string(to_string(state)),
                              [state](auto& filter) { filter.states = {state}; }));
  }
  return list;
}

}  // namespace

std::vector<Operation> list_operations() {
  auto all = lists_of_jobs();
  for (auto& operation : lists_of_runs()) all.push_back(std::move(operation));
  return all;
}

}  // namespace chronos::store::sql
