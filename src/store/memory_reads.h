// What a MemoryStore reads from its tables. Used by memory_store.cc only, under its mutex. Pure.
#pragma once

#include "store/memory_tables.h"

namespace chronos::store::memory {

Result<Job> read_job(const Tables& tables, ProjectId project, JobId job);
Result<Job> read_job_by_key(const Tables& tables, ProjectId project, const std::string& key);
Page<Job> list_jobs(const Tables& tables, const JobFilter& filter);
Result<Run> read_run(const Tables& tables, ProjectId project, RunId run);
Page<Run> list_runs(const Tables& tables, const RunFilter& filter);
Result<OutputPage> read_output(const Tables& tables, ProjectId project, RunId run, int attempt,
                               std::int64_t offset);
std::vector<Run> live_runs(const Tables& tables, ProjectId project, JobId job);
std::optional<Standing> standing(const Tables& tables, ProjectId project, RunId run, int ahead_max);
std::vector<ReasonCount> reason_counts(const Tables& tables, ProjectId project, JobId job);
std::vector<WaitingRun> waiting_runs(const Tables& tables, WaitingCursor after, int limit);
std::vector<DueRun> due_runs(const Tables& tables, Timestamp now, int limit);
std::vector<Job> jobs_to_resume(const Tables& tables, Timestamp now, int limit);
std::optional<Timestamp> next_resume_at(const Tables& tables);
std::vector<ClaimedRun> expired_leases(const Tables& tables, SteadyTime now, int limit);
std::vector<Worker> list_workers(const Tables& tables, ProjectId project, SteadyTime now);
std::vector<ClaimedRun> find_leases(const Tables& tables, const std::vector<RunId>& runs);
std::vector<ClaimedRun> leases_of(const Tables& tables, NodeId holder);
std::vector<ClaimedRun> overdue_leases(const Tables& tables, Timestamp now, int limit);
std::optional<Timestamp> next_delivery_at(const Tables& tables);
std::vector<Delivery> list_deliveries(const Tables& tables, ProjectId project, RunId run);
// memory_audit.cc
Result<JobVersion> find_version(const Tables& tables, ProjectId project, JobId job,
                                std::int64_t version);
Result<std::vector<JobVersion>> list_versions(const Tables& tables, ProjectId project, JobId job,
                                              std::int64_t before, int limit);
Page<AuditEntry> list_audit(const Tables& tables, const AuditFilter& filter);
// memory_bulks.cc
Result<DeclaredChannel> find_channel(const Tables& tables, ProjectId project,
                                     const std::string& name);
std::vector<DeclaredChannel> list_channels(const Tables& tables, ProjectId project);
Result<Bulk> find_bulk(const Tables& tables, ProjectId project, BulkId bulk);
std::vector<Bulk> list_bulks(const Tables& tables, ProjectId project, std::optional<BulkId> after,
                             int limit);
std::vector<Bulk> open_bulks(const Tables& tables, int limit);
std::vector<Uuid> bulk_items(const Tables& tables, BulkId bulk, std::int64_t from, int limit);
Stats stats(const Tables& tables);
std::vector<std::vector<Run>> recent_runs(const Tables& tables, const RecentAsk& ask);
std::vector<QueueTotals> list_queues(const Tables& tables, ProjectId project);
Ahead runs_ahead(const Tables& tables, const AheadAsk& ask);
std::vector<Node> list_nodes(const Tables& tables, SteadyTime now);
Overview overview(const Tables& tables, const OverviewAsk& ask);

}  // namespace chronos::store::memory
