// The audit log. Submissions are read from the rows of their jobs (decision 14), all else from
// `audit`; both lie in the order of their ids, which is that of time.
#include <algorithm>
#include <utility>

#include "store/sql/audited.h"
#include "store/sql/live.h"
#include "store/sql/reads.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kInsertEntry{
    "INSERT INTO audit (project, id, at, actor, action, kind, resource, name, before, after)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"};
#define CHRONOS_AUDIT_COLUMNS                                                                   \
  "SELECT a.id, a.at, a.actor, k.name, k.role, a.action, a.kind, a.resource, a.name, a.before," \
  " a.after FROM audit a LEFT JOIN keys k ON k.id = a.actor"
constexpr Sql kEntries{CHRONOS_AUDIT_COLUMNS
                       " WHERE a.project = $1 AND a.id < $2 ORDER BY a.id DESC LIMIT $3"};
constexpr Sql kEntriesOf{CHRONOS_AUDIT_COLUMNS
                         " WHERE a.project = $1 AND a.id < $2 AND a.resource = $4"
                         " ORDER BY a.id DESC LIMIT $3"};
#define CHRONOS_SUBMISSION_COLUMNS                                  \
  "SELECT j.id, j.created_at, j.created_by, k.name, k.role, j.name" \
  " FROM jobs j LEFT JOIN keys k ON k.id = j.created_by WHERE j.project = $1"
constexpr Sql kSubmissions{CHRONOS_SUBMISSION_COLUMNS " AND j.id < $2 ORDER BY j.id DESC LIMIT $3"};
constexpr Sql kSubmissionOf{CHRONOS_SUBMISSION_COLUMNS " AND j.id = $2"};

// A key that is no longer there leaves an id.
void read_actor(Columns& columns, AuditEntry& entry) {
  entry.actor_name = columns.get<std::optional<std::string>>().value_or("");
  entry.actor_role = columns.get_optional(parse_role).value_or(Role::viewer);
}

AuditEntry read_entry(Columns& columns) {
  AuditEntry entry;
  entry.id = columns.get<AuditId>();
  entry.at = columns.get<Timestamp>();
  entry.actor = columns.get<KeyId>();
  read_actor(columns, entry);
  entry.action = columns.get<std::string>();
  entry.kind = columns.get<std::string>();
  entry.resource = columns.get<std::string>();
  entry.name = columns.get<std::string>();
  entry.before = columns.get<std::optional<std::string>>().value_or("");
  entry.after = columns.get<std::optional<std::string>>().value_or("");
  return entry;
}

// Of a job that nobody is known to have made: an entry without a project, which nothing matches.
AuditEntry read_submission(Columns& columns, ProjectId project) {
  Job job;
  job.id = columns.get<JobId>();
  job.created_at = columns.get<Timestamp>();
  const auto by = columns.get<std::optional<KeyId>>();
  AuditEntry known;
  read_actor(columns, known);
  job.spec.edit().name = columns.get<std::string>();
  if (by) job.project = project;
  auto entry = submission_entry(job, by.value_or(KeyId{}));
  entry.actor_name = std::move(known.actor_name);
  entry.actor_role = known.actor_role;
  return entry;
}

// A walk along one of the two, newest first.
struct EntryWalk {
  const AuditFilter& filter;
  std::vector<AuditEntry> found = {};
  Uuid last = audit_ceiling(filter);  // of what was looked at
  int looks = 0;
  bool is_at_end = true;  // nothing older can match

  // Whether to go on.
  bool look(AuditEntry entry) {
    last = entry.id.uuid;
    ++looks;
    if (last < audit_floor(filter)) return false;
    if (matches(filter, entry)) found.push_back(std::move(entry));
    is_at_end = std::ssize(found) <= filter.limit && looks < kLooksMax;
    return is_at_end;
  }
};

template <class Read, class... Args>
Result<EntryWalk> walk(Connection& db, const Sql& sql, const AuditFilter& filter, Read read,
                       const Args&... args) {
  // A database that is a round trip away sends all that it is asked for.
  const int piece = db.is_remote() ? 500 : kLooksMax;
  EntryWalk walked{.filter = filter};
  bool goes_on = true;
  int rows = 0;
  do {
    rows = 0;
    const auto next = [&](Columns& columns) {
      ++rows;
      goes_on = walked.look(read(columns));
      return goes_on;
    };
    CHRONOS_TRY_VOID(db.for_each(sql, next, filter.project, AuditId{walked.last}, piece, args...));
  } while (goes_on && rows == piece);
  return walked;
}

Result<EntryWalk> walk_entries(Connection& db, const AuditFilter& filter) {
  const auto read = [&](Columns& columns) {
    auto entry = read_entry(columns);
    entry.project = filter.project;
    return entry;
  };
  if (filter.action == kSubmitAction) return EntryWalk{.filter = filter};
  if (filter.resource.empty()) return walk(db, kEntries, filter, read);
  return walk(db, kEntriesOf, filter, read, filter.resource);
}

Result<EntryWalk> walk_submissions(Connection& db, const AuditFilter& filter) {
  const auto read = [&](Columns& columns) { return read_submission(columns, filter.project); };
  const bool is_wanted = filter.action.empty() || filter.action == kSubmitAction ||
                         (filter.action.ends_with('.') && kSubmitAction.starts_with(filter.action));
  EntryWalk walked{.filter = filter};
  if (!is_wanted) return walked;
  if (filter.resource.empty()) return walk(db, kSubmissions, filter, read);
  const auto job = JobId::parse(filter.resource);
  if (!job || job->uuid >= audit_ceiling(filter)) return walked;
  CHRONOS_TRY(auto entry, db.one(kSubmissionOf, read, filter.project, *job));
  if (entry) walked.look(std::move(*entry));
  walked.is_at_end = true;
  return walked;
}

Result<Before> job_before(Writer& writer, ProjectId project, JobId job) {
  CHRONOS_TRY(auto stored, find_stored_job({writer.db, writer.specs}, project, job));
  if (!stored) return Before{};
  return Before{.job = std::move(stored->job)};
}

}  // namespace

Result<Before> before_of(Writer& writer, const ReplaceJob& change) {
  return job_before(writer, change.job.project, change.job.id);
}
Result<Before> before_of(Writer& writer, const CancelJob& change) {
  return job_before(writer, change.project, change.job);
}
Result<Before> before_of(Writer& writer, const RunJob& change) {
  return job_before(writer, change.project, change.job);
}
Result<Before> before_of(Writer& writer, const Backfill& change) {
  return job_before(writer, change.project, change.job);
}
// Nothing of one that is over, or is asked to stop already.
Result<Before> before_of(Writer& writer, const CancelRun& change) {
  CHRONOS_TRY(const auto run, find_live(writer.db, change.project, change.run));
  const bool is_asked =
      run && (run->is_cancel_requested || (run->lease && run->lease->is_cancel_requested));
  if (!run || is_asked) return Before{};
  return job_before(writer, change.project, run->job);
}
Result<Before> before_of(Writer& writer, const PutCalendar& change) {
  auto calendar =
      find_calendar({writer.db, writer.specs}, change.calendar.project, change.calendar.name);
  if (!calendar && calendar.error().reason == Reason::not_found) return Before{};
  CHRONOS_TRY(auto known, std::move(calendar));
  return Before{.calendar = std::move(known)};
}
Result<Before> before_of(Writer& writer, const RevokeKey& change) {
  auto key = read_key({writer.db, writer.specs}, change.key);
  if (!key && key.error().reason == Reason::not_found) return Before{};
  CHRONOS_TRY(auto known, std::move(key));
  return Before{.key = std::move(known)};
}

Result<void> put_entry(Connection& db, const AuditEntry& entry) {
  const auto side = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  return db.post(kInsertEntry, entry.project, entry.id, entry.at, entry.actor, entry.action,
                 entry.kind, entry.resource, entry.name, side(entry.before), side(entry.after));
}

Result<AddAudit::Answer> apply(Writer& writer, const AddAudit& change) {
  CHRONOS_TRY_VOID(put_entry(writer.db, change.entry));
  return AddAudit::Answer{};
}

Result<Page<AuditEntry>> list_audit(Reader reader, const AuditFilter& filter) {
  CHRONOS_TRY(auto entries, walk_entries(reader.db, filter));
  CHRONOS_TRY(auto submissions, walk_submissions(reader.db, filter));
  Page<AuditEntry> page;
  // Nothing newer than this was left out of either.
  Uuid complete_to{};
  for (auto* walked : {&entries, &submissions}) {
    std::ranges::move(walked->found, std::back_inserter(page.rows));
    if (!walked->is_at_end) complete_to = std::max(complete_to, walked->last);
  }
  std::ranges::sort(page.rows, std::ranges::greater(), &AuditEntry::id);
  std::erase_if(page.rows, [&](const auto& entry) { return entry.id.uuid < complete_to; });
  page.has_more = !entries.is_at_end || !submissions.is_at_end;
  page.last = AuditId{complete_to};
  if (std::ssize(page.rows) > filter.limit) {
    page.rows.resize(static_cast<std::size_t>(filter.limit));
    page.has_more = true;
    page.last = page.rows.back().id;
  }
  return page;
}

}  // namespace chronos::store::sql
