// The reads of a store as one node makes them: they may fail for a while. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planted_bug.h"
#include "store/store.h"

namespace chronos::sim {

class FaultyReads : public store::Store {
 public:
  explicit FaultyReads(store::Store& inner, Bug bug = Bug::none) : inner_(&inner), bug_(bug) {}

  // The store was opened anew.
  void work_on(store::Store& inner) { inner_ = &inner; }

  // Reads of this node fail from now on, or no longer.
  void fail_reads(bool are_failing) { are_failing_ = are_failing; }

  Result<Job> find_job(ProjectId project, JobId job) const override {
    if (are_failing_) return unreadable();
    return inner_->find_job(project, job);
  }
  Result<Job> find_job_by_key(ProjectId project, const std::string& key) const override {
    if (are_failing_) return unreadable();
    return inner_->find_job_by_key(project, key);
  }
  Result<Page<Job>> list_jobs(const JobFilter& filter) const override {
    if (are_failing_) return unreadable();
    return inner_->list_jobs(filter);
  }
  Result<JobVersion> find_version(ProjectId project, JobId job,
                                  std::int64_t version) const override {
    if (are_failing_) return unreadable();
    return inner_->find_version(project, job, version);
  }
  Result<std::vector<JobVersion>> list_versions(ProjectId project, JobId job, std::int64_t before,
                                                int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->list_versions(project, job, before, limit);
  }
  Result<Page<AuditEntry>> list_audit(const AuditFilter& filter) const override {
    if (are_failing_) return unreadable();
    return inner_->list_audit(filter);
  }
  Result<DeclaredChannel> find_channel(ProjectId project, const std::string& name) const override {
    if (are_failing_) return unreadable();
    return inner_->find_channel(project, name);
  }
  Result<std::vector<DeclaredChannel>> list_channels(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_->list_channels(project);
  }
  Result<Bulk> find_bulk(ProjectId project, BulkId bulk) const override {
    if (are_failing_) return unreadable();
    return inner_->find_bulk(project, bulk);
  }
  Result<std::vector<Bulk>> list_bulks(ProjectId project, std::optional<BulkId> after,
                                       int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->list_bulks(project, after, limit);
  }
  Result<std::vector<Bulk>> open_bulks(int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->open_bulks(limit);
  }
  Result<std::vector<Uuid>> bulk_items(BulkId bulk, std::int64_t from, int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->bulk_items(bulk, from, limit);
  }
  Result<Run> find_run(ProjectId project, RunId run) const override {
    if (are_failing_) return unreadable();
    return inner_->find_run(project, run);
  }
  Result<Page<Run>> list_runs(const RunFilter& filter) const override {
    if (are_failing_) return unreadable();
    return inner_->list_runs(filter);
  }
  Result<store::OutputPage> read_output(ProjectId project, RunId run, int attempt,
                                        std::int64_t offset) const override {
    if (are_failing_) return unreadable();
    return inner_->read_output(project, run, attempt, offset);
  }
  Result<std::vector<Run>> live_runs(ProjectId project, JobId job) const override {
    if (are_failing_) return unreadable();
    return inner_->live_runs(project, job);
  }
  Result<std::optional<Standing>> standing(ProjectId project, RunId run,
                                           int ahead_max) const override {
    if (are_failing_) return unreadable();
    return inner_->standing(project, run, ahead_max);
  }
  Result<std::vector<ReasonCount>> reason_counts(ProjectId project, JobId job) const override {
    if (are_failing_) return unreadable();
    return inner_->reason_counts(project, job);
  }
  Result<std::vector<store::WaitingRun>> waiting_runs(store::WaitingCursor after,
                                                      int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->waiting_runs(after, limit);
  }
  Result<std::optional<std::int64_t>> zones_stamp() const override {
    if (are_failing_) return unreadable();
    return inner_->zones_stamp();
  }
  Result<Calendar> find_calendar(ProjectId project, const std::string& name) const override {
    if (are_failing_) return unreadable();
    return inner_->find_calendar(project, name);
  }
  Result<std::vector<Calendar>> list_calendars(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_->list_calendars(project);
  }
  Result<std::vector<store::DueRun>> due_runs(Timestamp now, int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->due_runs(bug_.now_for(now), limit);
  }
  Result<std::optional<Timestamp>> next_due_at() const override {
    if (are_failing_) return unreadable();
    CHRONOS_TRY(const auto at, inner_->next_due_at());
    return bug_.due_at(at);
  }
  Result<std::vector<Job>> jobs_to_resume(Timestamp now, int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->jobs_to_resume(now, limit);
  }
  Result<std::optional<Timestamp>> next_resume_at() const override {
    if (are_failing_) return unreadable();
    return inner_->next_resume_at();
  }
  Result<std::vector<store::ClaimedRun>> expired_leases(int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->expired_leases(limit);
  }
  Result<std::optional<Timestamp>> next_delivery_at() const override {
    if (are_failing_) return unreadable();
    return inner_->next_delivery_at();
  }
  Result<std::vector<Delivery>> list_deliveries(ProjectId project, RunId run) const override {
    if (are_failing_) return unreadable();
    return inner_->list_deliveries(project, run);
  }
  Result<Key> find_key(KeyId key) const override {
    if (are_failing_) return unreadable();
    return inner_->find_key(key);
  }
  Result<Session> find_session(SessionId session) const override {
    if (are_failing_) return unreadable();
    return inner_->find_session(session);
  }
  Result<std::vector<Key>> list_keys(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_->list_keys(project);
  }
  Result<Project> find_project(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_->find_project(project);
  }
  Result<std::vector<Project>> list_projects() const override {
    if (are_failing_) return unreadable();
    return inner_->list_projects();
  }
  Result<void> health() const override {
    if (are_failing_) return unreadable();
    return inner_->health();
  }
  Result<store::Stats> stats() const override {
    if (are_failing_) return unreadable();
    return inner_->stats();
  }
  Result<std::vector<Worker>> list_workers(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_->list_workers(project);
  }
  Result<std::vector<store::ClaimedRun>> find_leases(
      const std::vector<RunId>& runs) const override {
    if (are_failing_) return unreadable();
    return inner_->find_leases(runs);
  }
  Result<std::vector<store::ClaimedRun>> leases_of(NodeId holder) const override {
    if (are_failing_) return unreadable();
    return inner_->leases_of(holder);
  }
  Result<std::vector<store::ClaimedRun>> overdue_leases(Timestamp now, int limit) const override {
    if (are_failing_) return unreadable();
    return inner_->overdue_leases(now, limit);
  }
  Result<Overview> overview(const OverviewAsk& ask) const override {
    if (are_failing_) return unreadable();
    return inner_->overview(ask);
  }
  Result<std::vector<QueueTotals>> list_queues(ProjectId project) const override {
    if (are_failing_) return unreadable();
    return inner_->list_queues(project);
  }
  Result<Ahead> runs_ahead(const AheadAsk& ask) const override {
    if (are_failing_) return unreadable();
    return inner_->runs_ahead(ask);
  }
  Result<std::vector<std::vector<Run>>> recent_runs(const RecentAsk& ask) const override {
    if (are_failing_) return unreadable();
    return inner_->recent_runs(ask);
  }
  Result<std::vector<Node>> list_nodes() const override {
    if (are_failing_) return unreadable();
    return inner_->list_nodes();
  }

 protected:
  store::Store* inner_;
  PlantedBug bug_;

 private:
  static std::unexpected<Error> unreadable() {
    return fail(Reason::store_unavailable, "cannot be read, says the test");
  }

  bool are_failing_ = false;
};

}  // namespace chronos::sim
