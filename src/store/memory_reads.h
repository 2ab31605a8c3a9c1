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
Stats stats(const Tables& tables);

}  // namespace chronos::store::memory
