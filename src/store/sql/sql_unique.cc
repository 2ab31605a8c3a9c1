// Jobs that are unique by a key of their own.
#include <algorithm>

#include "model/unique.h"
#include "store/sql/apply.h"
#include "store/sql/audited.h"
#include "store/sql/live.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kFindUnique{"SELECT job, until FROM unique_keys WHERE project = $1 AND key = $2"};
constexpr Sql kTakeUnique{
    "INSERT INTO unique_keys (project, key, job, until) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (project, key) DO UPDATE SET job = excluded.job, until = excluded.until"};

struct Taken {
  JobId job;
  Timestamp until;
};

Taken read_taken(Columns& columns) {
  const auto job = columns.get<JobId>();
  return {job, columns.get<Timestamp>()};
}

}  // namespace

Result<std::optional<JobAnswer>> meet_holder(Writer& writer, const SubmitJob& change) {
  const auto& unique = change.job.spec->unique;
  if (!unique) return std::nullopt;
  const auto project = change.job.project;
  CHRONOS_TRY(const auto taken, writer.db.one(kFindUnique, read_taken, project, unique->key));
  if (!taken) return std::nullopt;
  CHRONOS_TRY(auto job, read_job({writer.db, writer.specs}, project, taken->job));
  CHRONOS_TRY(const auto runs, live_of_job(writer.db, taken->job));
  const KeyHolder holder{
      .job = job,
      .has_live_run = !runs.empty() || job.parked_at.has_value(),
      .has_started = std::ranges::any_of(
          runs,
          [](const auto& run) { return run.place == Place::leased || run.attempts_made > 0; }),
      .until = taken->until};
  CHRONOS_TRY(const auto verdict, judge_unique(*unique, holder, change.now));
  if (verdict == UniqueVerdict::take) return std::nullopt;
  if (verdict == UniqueVerdict::replace) {
    CHRONOS_TRY(auto answer, apply_audited(writer, replacing(job, change)));
    CHRONOS_TRY_VOID(take_unique_key(writer, answer.job, change.now));
    answer.is_holder = true;
    return answer;
  }
  if (verdict == UniqueVerdict::extend) {
    CHRONOS_TRY_VOID(
        writer.db.post(kTakeUnique, project, unique->key, job.id, window_end(*unique, change.now)));
  }
  return JobAnswer{.job = std::move(job), .is_holder = true};
}

Result<void> take_unique_key(Writer& writer, const Job& job, Timestamp now) {
  const auto& unique = job.spec->unique;
  if (!unique) return {};
  CHRONOS_TRY_VOID(
      writer.db.post(kTakeUnique, job.project, unique->key, job.id, window_end(*unique, now)));
  return {};
}

}  // namespace chronos::store::sql
