// Backfill: many runs for instants of the past in one step.
#include <algorithm>

#include "store/sql/apply.h"
#include "store/sql/idempotency.h"
#include "store/sql/live.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kGrowVersion{"UPDATE jobs SET version = version + 1 WHERE project = $1 AND id = $2"};

// The backfill an idempotency key stands for; nothing when there was none.
Result<std::optional<Backfill::Answer>> find_replay(Connection& db,
                                                    const std::optional<Idempotency>& idempotency) {
  CHRONOS_TRY(const auto first, find_made(db, idempotency, Made::run));
  if (!first) return std::nullopt;
  CHRONOS_TRY(const auto last, find_made(db, last_of(idempotency), Made::run));
  if (!last) return std::nullopt;
  return Backfill::Answer{first->run, last->run, true};
}

}  // namespace

Result<Backfill::Answer> apply(Writer& writer, const Backfill& change) {
  auto& db = writer.db;
  CHRONOS_TRY(auto replay, find_replay(db, change.idempotency));
  if (replay) return *replay;
  const JobKey key{change.project, change.job};
  CHRONOS_TRY(const auto stored, find_stored_job({db, writer.specs}, key.project, key.job));
  if (!stored) return fail(Reason::not_found, "no job has this id");
  if (change.runs.empty()) return Backfill::Answer{};
  const auto first = change.runs.front().id;
  const auto last = change.runs.back().id;
  Backfill::Answer answer{first, last, false};
  CHRONOS_TRY(const auto live, find_live(db, key.job, first));
  CHRONOS_TRY(const bool is_final, has_ended(db, key.project, first));
  answer.is_replay = live || is_final;
  if (answer.is_replay) return answer;
  if (stored->job.version != change.expected_version) {
    return changed_meanwhile("job");
  }
  CHRONOS_TRY_VOID(db.post(kGrowVersion, key.project, key.job));
  const auto lane = lane_of(stored->job.spec, stored->job.project);
  for (auto planned : change.runs) {
    planned.at = std::min(planned.at, change.now);
    planned.needs_planning = false;
    CHRONOS_TRY_VOID(change.holds ? add_held(writer, key, lane, planned)
                                  : add_run(writer, key, lane, planned, change.now));
  }
  CHRONOS_TRY_VOID(release_held(writer, key.job, change.now));
  CHRONOS_TRY_VOID(remember(db, change.idempotency, {Made::run, key.project, key.job, first}));
  CHRONOS_TRY_VOID(
      remember(db, last_of(change.idempotency), {Made::run, key.project, key.job, last}));
  return answer;
}

}  // namespace chronos::store::sql
