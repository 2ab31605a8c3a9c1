// The reads of store/store.h, one function each, in the sql_*.cc file of their noun. Called by
// SqlStore inside a read transaction, and by changes that answer with what is stored now.
#pragma once

#include "store/sql/connection.h"
#include "store/sql/holders.h"
#include "store/sql/live.h"
#include "store/sql/rows.h"
#include "store/sql/spec_cache.h"
#include "store/store.h"

namespace chronos::store::sql {

// What a read may use.
struct Reader {
  Connection& db;
  SpecCache& specs;
};

// sql_jobs.cc
Result<std::optional<StoredJob>> find_stored_job(Reader reader, ProjectId project, JobId job);
Result<Job> read_job(Reader reader, ProjectId project, JobId job);
Result<void> fill_derived(Reader reader, Job& job);  // what Job derives when read
Result<Job> read_job_by_key(Reader reader, ProjectId project, const std::string& key);
// sql_versions.cc
Result<JobVersion> find_version(Reader reader, ProjectId project, JobId job, std::int64_t version);
Result<std::vector<JobVersion>> list_versions(Reader reader, ProjectId project, JobId job,
                                              std::int64_t before, int limit);
// sql_audit.cc
Result<Page<AuditEntry>> list_audit(Reader reader, const AuditFilter& filter);
// sql_lists.cc. A page comes of at most so many looks at jobs, or at live and at final runs; of
// fewer where each look is at another page of the file.
inline constexpr int kLooksMax = 20'000;
inline constexpr int kLooksApartMax = 8'000;
Result<Page<Job>> list_jobs(Reader reader, const JobFilter& filter);
Result<Page<Run>> list_runs(Reader reader, const RunFilter& filter);
// sql_runs.cc
Result<Run> run_of(Reader reader, const LiveRun& live);  // without its attempts
Result<std::optional<Run>> find_final(Reader reader, ProjectId project, RunId run);  // likewise
Result<Run> read_run(Reader reader, ProjectId project, RunId run);
Result<OutputPage> read_output(Reader reader, ProjectId project, RunId run, int attempt,
                               std::int64_t offset);
Result<std::vector<std::vector<Run>>> recent_runs(Reader reader, const RecentAsk& ask);
// sql_output.cc
Result<std::string> read_running_output(Connection& db, RunId run, std::int64_t offset);
// sql_runs.cc
Result<std::vector<Run>> read_live_runs(Reader reader, ProjectId project, JobId job);
// sql_standing.cc
Result<std::optional<Standing>> read_standing(Reader reader, ProjectId project, RunId run,
                                              int ahead_max);
Result<std::vector<ReasonCount>> reason_counts(Reader reader, ProjectId project, JobId job);
// sql_calendars.cc
Result<Calendar> find_calendar(Reader reader, ProjectId project, const std::string& name);
Result<std::vector<Calendar>> list_calendars(Reader reader, ProjectId project);  // by name
Result<std::vector<CalendarVersion>> calendars_of(Connection& db, const Job& job);
// sql_channels.cc
Result<DeclaredChannel> find_channel(Reader reader, ProjectId project, const std::string& name);
Result<std::vector<DeclaredChannel>> list_channels(Reader reader, ProjectId project);
// sql_bulks.cc
Result<Bulk> find_bulk(Reader reader, ProjectId project, BulkId bulk);
Result<std::vector<Bulk>> list_bulks(Reader reader, ProjectId project, std::optional<BulkId> after,
                                     int limit);
Result<std::vector<Bulk>> open_bulks(Reader reader, int limit);
Result<std::vector<Uuid>> bulk_items(Reader reader, BulkId bulk, std::int64_t from, int limit);
// sql_planning.cc
Result<std::vector<WaitingRun>> waiting_runs(Reader reader, WaitingCursor after, int limit);
Result<std::optional<std::int64_t>> zones_stamp(Reader reader);
Result<std::vector<DueRun>> due_runs(Reader reader, Timestamp now, int limit);
Result<std::optional<Timestamp>> next_due_at(Reader reader);
Result<std::vector<Job>> jobs_to_resume(Reader reader, Timestamp now, int limit);
Result<std::optional<Timestamp>> next_resume_at(Reader reader);
// sql_claims.cc
Result<std::vector<ClaimedRun>> expired_leases(Reader reader, int limit, Holders& holders);
Result<std::vector<ClaimedRun>> find_leases(Reader reader, const std::vector<RunId>& runs);
Result<std::vector<ClaimedRun>> leases_of(Reader reader, NodeId holder);
Result<std::vector<ClaimedRun>> overdue_leases(Reader reader, Timestamp now, int limit);
// sql_workers.cc
Result<std::vector<Worker>> list_workers(Reader reader, ProjectId project, Holders& holders);
Result<std::vector<Node>> list_nodes(Reader reader, Holders& holders);
// sql_deliveries.cc
Result<std::optional<Timestamp>> next_delivery_at(Reader reader);
Result<std::vector<Delivery>> list_deliveries(Reader reader, ProjectId project, RunId run);
// sql_access.cc
Result<Key> read_key(Reader reader, KeyId key);
Result<std::vector<Key>> list_keys(Reader reader, ProjectId project);
Result<Session> read_session(Reader reader, SessionId session);
Result<Project> read_project(Reader reader, ProjectId project);
Result<std::vector<Project>> list_projects(Reader reader);
// sql_totals.cc
Result<Stats> read_stats(Reader reader);
Result<Overview> read_overview(Reader reader, const OverviewAsk& ask);
Result<std::vector<QueueTotals>> list_queues(Reader reader, ProjectId project);
Result<Ahead> runs_ahead(Reader reader, const AheadAsk& ask);

}  // namespace chronos::store::sql
