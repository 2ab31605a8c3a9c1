// The store in an SQL database: durable, group-committed, one writer and a few readers. SQLite for
// one process, PostgreSQL for any number of nodes. Opened by store/open.cc; thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "store/committer.h"
#include "store/store.h"

namespace chronos::store {

struct SqlStoreOptions {
  CommitterOptions committer;
  bool has_own_thread = true;                         // false: the caller drives pump()
  int readers = 4;                                    // connections, so many reads at a time
  int cache_kib = 4096;                               // page cache of the writer
  std::size_t spec_cache_bytes = 32uz * 1024 * 1024;  // decoded declarations
  int wal_pages_max = 20'000;  // the writer checkpoints by itself beyond this
  int busy_ms = 5000;          // wait so long for another process's lock
  // SQLite: kept free on its disk (disk_reserve.h); 0: nothing.
  std::int64_t reserve_bytes = 0;
};

class SqlStore final : public Store {
 public:
  // `path` is a file, created when it is not there. The schema is brought up to date. Refused:
  // store_unavailable when the file is not ours, damaged, newer than this program, or locked.
  static Result<std::unique_ptr<SqlStore>> open(const std::string& path, const Clock& clock,
                                                const SqlStoreOptions& options = {});
  // `url` as libpq takes it (postgres://…). The schema is brought up to date. Refused:
  // store_unavailable when no server can be reached, or it is newer than this program.
  static Result<std::unique_ptr<SqlStore>> open_postgres(const std::string& url,
                                                         SqlStoreOptions options = {});
  ~SqlStore() override;

  // One transaction over what waits, without a thread of its own. False when nothing waited.
  bool pump();
  // A consistent copy of everything as the file `path`, which must not exist, while the store goes
  // on working. SQLite only.
  Result<void> backup_to(const std::string& path) const;

  Result<Job> find_job(ProjectId project, JobId job) const override;
  Result<Job> find_job_by_key(ProjectId project, const std::string& key) const override;
  Result<Page<Job>> list_jobs(const JobFilter& filter) const override;
  Result<JobVersion> find_version(ProjectId project, JobId job,
                                  std::int64_t version) const override;
  Result<std::vector<JobVersion>> list_versions(ProjectId project, JobId job, std::int64_t before,
                                                int limit) const override;
  Result<Run> find_run(ProjectId project, RunId run) const override;
  Result<Page<Run>> list_runs(const RunFilter& filter) const override;
  Result<OutputPage> read_output(ProjectId project, RunId run, int attempt,
                                 std::int64_t offset) const override;
  Result<std::vector<Run>> live_runs(ProjectId project, JobId job) const override;
  Result<std::optional<Standing>> standing(ProjectId project, RunId run,
                                           int ahead_max) const override;
  Result<std::vector<ReasonCount>> reason_counts(ProjectId project, JobId job) const override;
  Result<Calendar> find_calendar(ProjectId project, const std::string& name) const override;
  Result<std::vector<Calendar>> list_calendars(ProjectId project) const override;
  Result<DeclaredChannel> find_channel(ProjectId project, const std::string& name) const override;
  Result<std::vector<DeclaredChannel>> list_channels(ProjectId project) const override;
  Result<Bulk> find_bulk(ProjectId project, BulkId bulk) const override;
  Result<std::vector<Bulk>> list_bulks(ProjectId project, std::optional<BulkId> after,
                                       int limit) const override;
  Result<std::vector<Bulk>> open_bulks(int limit) const override;
  Result<std::vector<Uuid>> bulk_items(BulkId bulk, std::int64_t from, int limit) const override;
  Result<std::vector<DueRun>> due_runs(Timestamp now, int limit) const override;
  Result<std::vector<WaitingRun>> waiting_runs(WaitingCursor after, int limit) const override;
  Result<std::optional<std::int64_t>> zones_stamp() const override;
  Result<std::optional<Timestamp>> next_due_at() const override;
  Result<std::vector<Job>> jobs_to_resume(Timestamp now, int limit) const override;
  Result<std::optional<Timestamp>> next_resume_at() const override;
  Result<std::vector<ClaimedRun>> expired_leases(int limit) const override;
  Result<std::vector<Worker>> list_workers(ProjectId project) const override;
  Result<std::vector<ClaimedRun>> find_leases(const std::vector<RunId>& runs) const override;
  Result<std::vector<ClaimedRun>> leases_of(NodeId holder) const override;
  Result<std::vector<ClaimedRun>> overdue_leases(Timestamp now, int limit) const override;
  Result<std::optional<Timestamp>> next_delivery_at() const override;
  Result<std::vector<Delivery>> list_deliveries(ProjectId project, RunId run) const override;
  Result<Key> find_key(KeyId key) const override;
  Result<Session> find_session(SessionId session) const override;
  Result<std::vector<Key>> list_keys(ProjectId project) const override;
  Result<Project> find_project(ProjectId project) const override;
  Result<std::vector<Project>> list_projects() const override;
  Result<Page<AuditEntry>> list_audit(const AuditFilter& filter) const override;
  Result<void> health() const override;
  Result<Stats> stats() const override;
  Result<Overview> overview(const OverviewAsk& ask) const override;
  Result<std::vector<QueueTotals>> list_queues(ProjectId project) const override;
  Result<Ahead> runs_ahead(const AheadAsk& ask) const override;
  Result<std::vector<std::vector<Run>>> recent_runs(const RecentAsk& ask) const override;
  Result<std::vector<Node>> list_nodes() const override;
  void on_change(std::function<void()> wake) override;
  void on_touch(Watcher watcher) override;
  void on_work(TakeWork take) override;
  void stop() override;

 protected:
  void enqueue(std::span<Operation> operations) override;

 private:
  class State;
  explicit SqlStore(std::unique_ptr<State> state);
  static Result<std::unique_ptr<SqlStore>> start(std::unique_ptr<State> state,
                                                 const SqlStoreOptions& options);

  std::unique_ptr<State> state_;
};

}  // namespace chronos::store
