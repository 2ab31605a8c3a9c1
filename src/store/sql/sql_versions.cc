// What jobs declared before: rows of `specs` that no job points to any more.
#include <utility>

#include "model/json_codec.h"
#include "store/sql/apply.h"
#include "store/sql/reads.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

// One that came with the submission says nothing of itself: it is version 1.
constexpr Sql kCurrent{
    "SELECT s.id, coalesce(s.version, 1), coalesce(s.declared_at, j.created_at), CASE WHEN"
    " s.version IS NULL THEN j.created_by ELSE s.declared_by END, k.name FROM jobs j"
    " JOIN specs s ON s.id = j.spec LEFT JOIN keys k ON k.id = CASE WHEN s.version IS NULL"
    " THEN j.created_by ELSE s.declared_by END WHERE j.project = $1 AND j.id = $2"};
constexpr Sql kPast{
    "SELECT s.id, s.version, s.declared_at, s.declared_by, k.name FROM specs s"
    " LEFT JOIN keys k ON k.id = s.declared_by"
    " WHERE s.job = $1 AND s.version < $2 ORDER BY s.version DESC LIMIT $3"};
constexpr Sql kKeep{
    "UPDATE specs SET job = $2, declared_at = coalesce(declared_at, $3), declared_by = CASE WHEN"
    " version IS NULL THEN (SELECT created_by FROM jobs WHERE project = $4 AND id = $2)"
    " ELSE declared_by END, version = coalesce(version, 1) WHERE id = $1"};
constexpr Sql kForgetVersions{"DELETE FROM specs WHERE job = $1 AND version <= $2"};
constexpr Sql kSay{
    "UPDATE specs SET version = $2, declared_at = $3, declared_by = $4 WHERE id = $1"};

struct Row {
  std::int64_t spec = 0;  // specs.id
  JobVersion version;
};

Row read_row(Columns& columns) {
  Row row;
  row.spec = columns.get<std::int64_t>();
  row.version.version = columns.get<std::int64_t>();
  row.version.at = columns.get<Timestamp>();
  row.version.by = columns.get<std::optional<KeyId>>();
  row.version.by_name = columns.get<std::optional<std::string>>().value_or("");
  return row;
}

Result<JobVersion> whole(Reader reader, Row row) {
  CHRONOS_TRY(const auto spec, read_spec(reader.db, reader.specs, row.spec));
  row.version.spec = spec;
  return std::move(row.version);
}

}  // namespace

Result<void> keep_version(Connection& db, const Job& before, std::int64_t spec) {
  CHRONOS_TRY_VOID(db.post(kKeep, spec, before.id, before.created_at, before.project));
  return db.post(kForgetVersions, before.id, before.version - kVersionsKept);
}

Result<void> say_version(Connection& db, const Job& job, std::int64_t spec,
                         std::optional<KeyId> by) {
  return db.post(kSay, spec, job.version, job.updated_at, by);
}

Result<std::vector<JobVersion>> list_versions(Reader reader, ProjectId project, JobId job,
                                              std::int64_t before, int limit) {
  CHRONOS_TRY(auto current, reader.db.one(kCurrent, read_row, project, job));
  if (!current) return fail(Reason::not_found, "no job has this id");
  std::vector<JobVersion> versions;
  if (current->version.version < before && limit > 0) {
    CHRONOS_TRY(auto newest, whole(reader, std::move(*current)));
    versions.push_back(std::move(newest));
  }
  const auto wanted = limit - std::ssize(versions);
  if (wanted <= 0) return versions;
  CHRONOS_TRY(auto past, reader.db.all(kPast, read_row, job, before, wanted));
  for (auto& row : past) {
    CHRONOS_TRY(auto version, whole(reader, std::move(row)));
    versions.push_back(std::move(version));
  }
  return versions;
}

Result<JobVersion> find_version(Reader reader, ProjectId project, JobId job, std::int64_t version) {
  if (version < 1) return fail(Reason::not_found, "the job has no such version");
  const auto after = version == kNewestVersion ? version : version + 1;
  CHRONOS_TRY(auto found, list_versions(reader, project, job, after, 1));
  if (found.empty()) {
    return fail(Reason::not_found, "this version of the job is no longer kept");
  }
  return std::move(found.front());
}

}  // namespace chronos::store::sql
