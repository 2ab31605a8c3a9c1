// The audit log and the versions of jobs.
#include <ranges>
#include <utility>

#include "store/memory_audited.h"
#include "store/memory_reads.h"

namespace chronos::store::memory {
namespace {

Before job_before(const Tables& tables, ProjectId project, JobId job) {
  const auto* stored = find_job(tables, project, job);
  return stored == nullptr ? Before{} : Before{.job = stored->job};
}

// Its name and role, as they are now.
void name_actor(const Tables& tables, AuditEntry& entry) {
  const auto key = tables.keys.find(entry.actor);
  if (key == tables.keys.end()) return;
  entry.actor_name = key->second.name;
  entry.actor_role = key->second.role;
}

JobVersion named(const Tables& tables, JobVersion version) {
  if (!version.by) return version;
  const auto key = tables.keys.find(*version.by);
  if (key != tables.keys.end()) version.by_name = key->second.name;
  return version;
}

}  // namespace

Before before_of(const Tables& tables, const ReplaceJob& change) {
  return job_before(tables, change.job.project, change.job.id);
}
Before before_of(const Tables& tables, const CancelJob& change) {
  return job_before(tables, change.project, change.job);
}
Before before_of(const Tables& tables, const RunJob& change) {
  return job_before(tables, change.project, change.job);
}
Before before_of(const Tables& tables, const Backfill& change) {
  return job_before(tables, change.project, change.job);
}
// Nothing of one that is over, or is asked to stop already.
Before before_of(const Tables& tables, const CancelRun& change) {
  const auto found = tables.live_runs.find(change.run);
  if (found == tables.live_runs.end() || found->second.is_cancel_requested) return {};
  return job_before(tables, change.project, found->second.job);
}
Before before_of(const Tables& tables, const PutCalendar& change) {
  const auto found = tables.calendars.find({change.calendar.project, change.calendar.name});
  return found == tables.calendars.end() ? Before{} : Before{.calendar = found->second};
}
Before before_of(const Tables& tables, const RevokeKey& change) {
  const auto found = tables.keys.find(change.key);
  return found == tables.keys.end() ? Before{} : Before{.key = found->second};
}

Result<AddAudit::Answer> apply(Tables& tables, const AddAudit& change) {
  tables.audit.emplace(change.entry.id, change.entry);
  return AddAudit::Answer{};
}

Page<AuditEntry> list_audit(const Tables& tables, const AuditFilter& filter) {
  std::map<AuditId, AuditEntry> entries = tables.audit;
  for (const auto& [id, stored] : tables.jobs) {
    if (!stored.created_by) continue;
    entries.emplace(AuditId{id.uuid}, submission_entry(stored.job, *stored.created_by));
  }
  Page<AuditEntry> page;
  for (auto& [id, entry] : std::views::reverse(entries)) {
    if (filter.after && id >= *filter.after) continue;
    if (!chronos::matches(filter, entry)) continue;
    if (std::ssize(page.rows) == filter.limit) {
      page.has_more = true;
      break;
    }
    page.last = id;
    name_actor(tables, entry);
    page.rows.push_back(std::move(entry));
  }
  return page;
}

Result<std::vector<JobVersion>> list_versions(const Tables& tables, ProjectId project, JobId job,
                                              std::int64_t before, int limit) {
  const auto* stored = find_job(tables, project, job);
  if (stored == nullptr) return fail(Reason::not_found, "no job has this id");
  std::vector<JobVersion> versions;
  for (const auto& version : std::views::reverse(stored->versions)) {
    if (version.version >= before || std::ssize(versions) >= limit) continue;
    versions.push_back(named(tables, version));
  }
  return versions;
}

Result<JobVersion> find_version(const Tables& tables, ProjectId project, JobId job,
                                std::int64_t version) {
  if (version < 1) return fail(Reason::not_found, "the job has no such version");
  const auto after = version == kNewestVersion ? version : version + 1;
  CHRONOS_TRY(auto found, list_versions(tables, project, job, after, 1));
  if (found.empty()) {
    return fail(Reason::not_found, "this version of the job is no longer kept");
  }
  return std::move(found.front());
}

}  // namespace chronos::store::memory
