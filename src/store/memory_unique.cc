// Jobs that are unique by a key of their own.
#include <algorithm>

#include "model/unique.h"
#include "store/memory_audited.h"

namespace chronos::store::memory {
namespace {

KeyHolder holder_of(const Tables& tables, const UniqueKey& taken) {
  const auto& stored = tables.jobs.at(taken.job);
  KeyHolder holder{.job = stored.job, .until = taken.until};
  holder.has_live_run = !stored.live.empty() || stored.job.parked_at.has_value();
  holder.has_started = std::ranges::any_of(stored.live, [&](RunId id) {
    const auto& run = tables.live_runs.at(id);
    return run.place == Place::leased || run.attempts_made > 0;
  });
  return holder;
}

}  // namespace

Result<std::optional<JobAnswer>> meet_holder(Tables& tables, const SubmitJob& change) {
  const auto& unique = change.job.spec->unique;
  if (!unique) return std::nullopt;
  const auto found = tables.unique_keys.find({change.job.project, unique->key});
  if (found == tables.unique_keys.end()) return std::nullopt;
  const auto holder = holder_of(tables, found->second);
  CHRONOS_TRY(const auto verdict, judge_unique(*unique, holder, change.now));
  if (verdict == UniqueVerdict::take) return std::nullopt;
  if (verdict == UniqueVerdict::replace) {
    CHRONOS_TRY(auto answer, apply_audited(tables, replacing(holder.job, change)));
    take_unique_key(tables, answer.job, change.now);
    answer.is_holder = true;
    return answer;
  }
  if (verdict == UniqueVerdict::extend) found->second.until = window_end(*unique, change.now);
  return JobAnswer{.job = job_value(tables, tables.jobs.at(found->second.job)), .is_holder = true};
}

void take_unique_key(Tables& tables, const Job& job, Timestamp now) {
  const auto& unique = job.spec->unique;
  if (!unique) return;
  tables.unique_keys[{job.project, unique->key}] = {job.id, window_end(*unique, now)};
}

}  // namespace chronos::store::memory
