// Runs that come to be: their row in `live`, and their first place.
#include <iterator>
#include <span>
#include <vector>

#include "store/sql/limited.h"
#include "store/sql/live.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kInsertLive{
    "INSERT INTO live (job, is_held, run, project, trigger_kind, planned_at, at, needs_planning,"
    " kind, queue, rank, retry_of, jitter, is_limited, is_cancel_requested, attempts_made)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0) ON CONFLICT DO "
    "NOTHING"};

// A row of kInsertLive.
struct LiveRow {
  const LiveRun* run = nullptr;
};
void put_columns(Parameters& parameters, const LiveRow& row) {
  const auto& run = *row.run;
  parameters.put(run.job).put(run.place == Place::held).put(run.run).put(run.project);
  parameters.put(run.trigger).put(run.planned_at).put(run.at).put(run.needs_planning);
  parameters.put(run.lane.kind).put(run.lane.queue).put(run.lane.rank).put(run.retry_of);
  parameters.put(run.jitter).put(run.is_limited);
}

LiveRun run_of(JobKey job, const Lane& lane, const PlannedRun& planned, Place place) {
  LiveRun run;
  run.job = job.job;
  run.run = planned.id;
  run.project = job.project;
  run.trigger = planned.trigger;
  run.planned_at = planned.planned_at;
  run.jitter = planned.jitter;
  run.at = planned.at;
  run.needs_planning = planned.needs_planning;
  run.is_limited = lane.limits.any();
  run.lane = lane;
  run.retry_of = planned.retry_of;
  run.place = place;
  return run;
}

Place first_place(const PlannedRun& planned, Timestamp now) {
  return planned.at <= now && !planned.needs_planning ? Place::ready : Place::due;
}

// With its limits. False when a run with this id is live already.
Result<bool> insert(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY(const auto added, writer.db.run(kInsertLive, LiveRow{&run}));
  if (added == 0) return false;
  if (run.is_limited) {
    CHRONOS_TRY_VOID(put_limits(writer.db, run.project, run.run, run.lane.limits));
  }
  return true;
}

}  // namespace

NewRun new_run(JobKey job, const Lane& lane, const PlannedRun& planned, Timestamp now) {
  return {run_of(job, lane, planned, first_place(planned, now)), now};
}

Result<bool> add_run(Writer& writer, JobKey job, const Lane& lane, const PlannedRun& planned,
                     Timestamp now) {
  const auto run = run_of(job, lane, planned, first_place(planned, now));
  CHRONOS_TRY(const bool is_new, insert(writer, run));
  if (!is_new) return false;
  if (run.place == Place::due) {
    CHRONOS_TRY_VOID(insert_due(writer, run));
  } else {
    CHRONOS_TRY_VOID(enter_ready(writer, run, now));
  }
  return true;
}

Result<void> add_runs(Writer& writer, std::span<const NewRun> runs) {
  std::vector<LiveRow> rows;
  rows.reserve(runs.size());
  for (const auto& run : runs) rows.emplace_back(&run.run);
  CHRONOS_TRY(const auto made, writer.db.run_rows<LiveRow>(kInsertLive, rows));
  if (made < std::ssize(runs)) return fail(Reason::internal, "a new job's run is live already");
  return place_new(writer, runs);
}

Result<bool> add_held(Writer& writer, JobKey job, const Lane& lane, const PlannedRun& planned) {
  const auto run = run_of(job, lane, planned, Place::held);
  CHRONOS_TRY(const bool is_new, insert(writer, run));
  if (!is_new) return false;
  CHRONOS_TRY_VOID(insert_held(writer, run));
  return true;
}

}  // namespace chronos::store::sql
