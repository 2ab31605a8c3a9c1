// A store as one node sees it, whose commits are slow, fail, or have a fate that nobody knows, and
// whose node can die around them: wraps any Store, holds changes back until the simulation says
// what becomes of them. It can have a bug planted, for the tests of the checkers. One thread.
#pragma once

#include <deque>
#include <memory>
#include <utility>
#include <variant>

#include "planted_bug.h"
#include "store/store.h"

namespace chronos::sim {

class FaultyStore final : public store::Store {
 public:
  explicit FaultyStore(store::Store& inner, Bug bug = Bug::none) : inner_(inner), bug_(bug) {}

  bool has_waiting() const { return !waiting_.empty(); }

  // Hands what waits to the inner store; the caller pumps that.
  void pass_on() {
    for (auto& operation : std::exchange(waiting_, {})) {
      std::visit([&](auto& change) { pass(std::move(change), std::move(operation.done)); },
                 operation.change);
    }
  }

  // It commits, and tells nobody so. What was claimed is handed back, as a store does that lost its
  // connection in the middle of a commit.
  void pass_on_unknown() {
    for (auto& operation : std::exchange(waiting_, {})) {
      std::visit(
          [&](auto& change) {
            pass(std::move(change),
                 [this, done = std::move(operation.done)](Result<store::Answer> answer) mutable {
                   if (answer) give_back(*answer);
                   done(fail(Reason::unknown_commit, "nobody knows"));
                 });
          },
          operation.change);
    }
  }

  // Reads of this node fail from now on, or no longer.
  void fail_reads(bool are_failing) { are_failing_ = are_failing; }

  // The store cannot commit: everybody who waits is told so.
  void refuse_waiting(Reason reason) {
    for (auto& operation : std::exchange(waiting_, {})) {
      operation.done(fail(reason, "refused by the test"));
    }
  }

  // The process dies before the commit: nobody is told and nothing happened.
  void drop_waiting() { waiting_.clear(); }

  Result<Job> find_job(ProjectId project, JobId job) const override {
    if (are_failing_) return unreadable();
    return inner_.find_job(project, job);
  }
  Result<Job> find_job_by_key(ProjectId project, const std::string& key) const override {
    if (are_failing_) return unreadable();
    return inner_.find_job_by_key(project, key);
  }
  Result<Page<Job>> list_jobs(const JobFilter& filter) const override {
    if (are_failing_) return unreadable();
    return inner_.list_jobs(filter);
  }
  Result<JobVersion> find_version(ProjectId project, JobId job,
                                  std::int64_t version) const override {
    return inner_.find_version(project, job, version);
  }
  Result<std::vector<JobVersion>> list_versions(ProjectId project, JobId job, std::int64_t before,
                                                int limit) const override {
    return inner_.list_versions(project, job, before, limit);
  }
  Result<Page<AuditEntry>> list_audit(const AuditFilter& filter) const override {
    return inner_.list_audit(filter);
  }
  Result<DeclaredChannel> find_channel(ProjectId project, const std::string& name) const override {
    return inner_.find_channel(project, name);
  }
  Result<std::vector<DeclaredChannel>> list_channels(ProjectId project) const override {
    return inner_.list_channels(project);
  }
  Result<Bulk> find_bulk(ProjectId project, BulkId bulk) const override {
    return inner_.find_bulk(project, bulk);
  }
  Result<std::vector<Bulk>> list_bulks(ProjectId project, std::optional<BulkId> after,
                                       int limit) const override {
    return inner_.list_bulks(project, after, limit);
  }
  Result<std::vector<Bulk>> open_bulks(int limit) const override {
    return inner_.open_bulks(limit);
  }
  Result<std::vector<Uuid>> bulk_items(BulkId bulk, std::int64_t from, int limit) const override {
    return inner_.bulk_items(bulk, from, limit);
  }
  Result<Run> find_run(ProjectId project, RunId run) const override {
    if (are_failing_) return unreadable();
    return inner_.find_run(project, run);
  }
  Result<Page<Run>> list_runs(const RunFilter& filter) const override {
    if (are_failing_) return unreadable();
    return inner_.list_runs(filter);
  }
  Result<store::OutputPage> read_output(ProjectId project, RunId run, int attempt,
                                        std::int64_t offset) const override {
    if (are_failing_) return unreadable();
    return inner_.read_output(project, run, attempt, offset);
  }
  Result<std::vector<Run>> live_runs(ProjectId project, JobId job) const override {
    if (are_failing_) return unreadable();
    return inner_.live_runs(project, job);
  }
  Result<std::optional<Standing>> standing(ProjectId project, RunId run,
                                           int ahead_max) const override {
    if (are_failing_) return unreadable();
    return inner_.standing(project, run, ahead_max);
  }
  Result<std::vector<ReasonCount>> reason_counts(ProjectId project, JobId job) const override {
    if (are_failing_) return unreadable();
    return inner_.reason_counts(project, job);
  }
  Result<std::vector<store::WaitingRun>> waiting_runs(store::WaitingCursor after,
                                                      int limit) const override {
    if (are_failing_) return unreadable();
    return inner_.waiting_runs(after, limit);
  }
  Result<std::optional<std::int64_t>> zones_stamp() const override {
    if (are_failing_) return unreadable();
    return inner_.zones_stamp();
  }
  Result<Calendar> find_calendar(ProjectId project, const std::string& name) const override {
    if (are_failing_) return unreadable();
    return inner_.find_calendar(project, name);
  }
  Result<std::vector<Calendar>> list_calendars(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_.list_calendars(project);
  }
  Result<std::vector<store::DueRun>> due_runs(Timestamp now, int limit) const override {
    if (are_failing_) return unreadable();
    return inner_.due_runs(bug_.now_for(now), limit);
  }
  Result<std::optional<Timestamp>> next_due_at() const override {
    if (are_failing_) return unreadable();
    CHRONOS_TRY(const auto at, inner_.next_due_at());
    return bug_.due_at(at);
  }
  Result<std::vector<Job>> jobs_to_resume(Timestamp now, int limit) const override {
    if (are_failing_) return unreadable();
    return inner_.jobs_to_resume(now, limit);
  }
  Result<std::optional<Timestamp>> next_resume_at() const override {
    if (are_failing_) return unreadable();
    return inner_.next_resume_at();
  }
  Result<std::vector<store::ClaimedRun>> expired_leases(int limit) const override {
    if (are_failing_) return unreadable();
    return inner_.expired_leases(limit);
  }
  Result<std::optional<Timestamp>> next_delivery_at() const override {
    if (are_failing_) return unreadable();
    return inner_.next_delivery_at();
  }
  Result<std::vector<Delivery>> list_deliveries(ProjectId project, RunId run) const override {
    if (are_failing_) return unreadable();
    return inner_.list_deliveries(project, run);
  }
  Result<Key> find_key(KeyId key) const override {
    if (are_failing_) return unreadable();
    return inner_.find_key(key);
  }
  Result<Session> find_session(SessionId session) const override {
    if (are_failing_) return unreadable();
    return inner_.find_session(session);
  }
  Result<std::vector<Key>> list_keys(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_.list_keys(project);
  }
  Result<Project> find_project(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_.find_project(project);
  }
  Result<std::vector<Project>> list_projects() const override {
    if (are_failing_) return unreadable();
    return inner_.list_projects();
  }
  Result<void> health() const override {
    if (are_failing_) return unreadable();
    return inner_.health();
  }
  Result<store::Stats> stats() const override {
    if (are_failing_) return unreadable();
    return inner_.stats();
  }
  Result<std::vector<Worker>> list_workers(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_.list_workers(project);
  }
  Result<std::vector<store::ClaimedRun>> find_leases(
      const std::vector<RunId>& runs) const override {
    if (are_failing_) return unreadable();
    return inner_.find_leases(runs);
  }
  Result<std::vector<store::ClaimedRun>> leases_of(NodeId holder) const override {
    if (are_failing_) return unreadable();
    return inner_.leases_of(holder);
  }
  Result<std::vector<store::ClaimedRun>> overdue_leases(Timestamp now, int limit) const override {
    if (are_failing_) return unreadable();
    return inner_.overdue_leases(now, limit);
  }
  Result<Overview> overview(const OverviewAsk& ask) const override { return inner_.overview(ask); }
  Result<std::vector<QueueTotals>> list_queues(ProjectId project) const override {
    return inner_.list_queues(project);
  }
  Result<Ahead> runs_ahead(const AheadAsk& ask) const override { return inner_.runs_ahead(ask); }
  Result<std::vector<std::vector<Run>>> recent_runs(const RecentAsk& ask) const override {
    return inner_.recent_runs(ask);
  }
  Result<std::vector<Node>> list_nodes() const override { return inner_.list_nodes(); }
  void on_work(TakeWork take) override { inner_.on_work(std::move(take)); }
  void on_touch(store::Watcher watcher) override { inner_.on_touch(std::move(watcher)); }
  void on_change(std::function<void()> wake) override { inner_.on_change(std::move(wake)); }
  void stop() override { pass_on(); }

 protected:
  void enqueue(store::Operation operation) override { waiting_.push_back(std::move(operation)); }

 private:
  static std::unexpected<Error> unreadable() {
    return fail(Reason::store_unavailable, "cannot be read, says the test");
  }

  void give_back(const store::Answer& answer) {
    const auto* claimed = std::get_if<store::ClaimRuns::Answer>(&answer);
    if (claimed == nullptr) return;
    for (const auto& run : *claimed) {
      store::SettleRun change;
      change.run = run.run;
      change.token = run.token;
      change.next = RunState::queued;
      change.now = run.started_at;
      inner_.commit(std::move(change), [](const auto&) {});
    }
  }

  template <class C>
  void pass(C change, store::Done<store::Answer> done) {
    if (bug_.spoil(change, done)) return;
    inner_.commit(std::move(change),
                  [this, done = std::move(done)](Result<typename C::Answer> answer) mutable {
                    if (!answer) return done(std::unexpected(std::move(answer).error()));
                    bug_.note<C>(*answer);
                    done(store::Answer(std::in_place_type<typename C::Answer>, std::move(*answer)));
                  });
  }

  store::Store& inner_;
  PlantedBug bug_;
  bool are_failing_ = false;
  std::deque<store::Operation> waiting_;
};

}  // namespace chronos::sim
