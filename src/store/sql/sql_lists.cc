// The lists of jobs and runs: newest first, a page at a time. Each wanted status or state is looked
// for where it is rare: failed jobs, paused ones, leased runs lie in short indexes or tables.
#include <algorithm>
#include <iterator>
#include <utility>

#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

// -- Jobs ----------------------------------------------------------------------------------------

// $1 project, $2 after, $3 phase, $4 created after, $5 created before, $6 part of the name, $7 tag,
// $8 most rows.
#define CHRONOS_JOBS_THAT                                                                 \
  " j.project = $1 AND j.id < $2 AND ($3 IS NULL OR j.phase = $3)"                        \
  " AND ($4 IS NULL OR j.created_at >= $4) AND ($5 IS NULL OR j.created_at < $5)"         \
  " AND ($6 = '' OR instr(lower(j.name), lower($6)) > 0)"                                 \
  " AND ($7 = '' OR EXISTS (SELECT 1 FROM job_tags x WHERE x.project = $1 AND x.tag = $7" \
  " AND x.job = j.id)) ORDER BY j.id DESC LIMIT $8"

constexpr Sql kJobs{"SELECT " CHRONOS_JOB_COLUMNS " FROM jobs j WHERE" CHRONOS_JOBS_THAT};
constexpr Sql kJobsTagged{"SELECT " CHRONOS_JOB_COLUMNS
                          " FROM job_tags t CROSS JOIN jobs j ON j.project = t.project AND"
                          " j.id = t.job WHERE t.project = $1 AND t.tag = $7 AND t.job < $2"
                          " AND ($3 IS NULL OR j.phase = $3)"
                          " AND ($4 IS NULL OR j.created_at >= $4)"
                          " AND ($5 IS NULL OR j.created_at < $5)"
                          " AND ($6 = '' OR instr(lower(j.name), lower($6)) > 0)"
                          " ORDER BY t.job DESC LIMIT $8"};
constexpr Sql kJobsUnusual{"SELECT " CHRONOS_JOB_COLUMNS
                           " FROM jobs j WHERE j.phase = $3 AND j.phase IN ('failed', 'cancelled')"
                           " AND" CHRONOS_JOBS_THAT};
constexpr Sql kJobsPaused{"SELECT " CHRONOS_JOB_COLUMNS
                          " FROM jobs j WHERE j.is_paused = 1 AND" CHRONOS_JOBS_THAT};
constexpr Sql kJobsRunning{
    "SELECT " CHRONOS_JOB_COLUMNS
    " FROM jobs j WHERE j.id IN (SELECT job FROM leases) AND" CHRONOS_JOBS_THAT};
constexpr Sql kJobsRetrying{
    "SELECT " CHRONOS_JOB_COLUMNS
    " FROM jobs j WHERE j.id IN (SELECT l.job FROM live l WHERE l.project = $1"
    " AND l.attempts_made > 0) AND" CHRONOS_JOBS_THAT};

const Sql& jobs_statement(const JobFilter& filter) {
  if (filter.status == JobStatus::running) return kJobsRunning;
  if (filter.status == JobStatus::retrying) return kJobsRetrying;
  if (!filter.tag.empty()) return kJobsTagged;
  if (filter.status == JobStatus::paused) return kJobsPaused;
  const bool is_unusual =
      filter.status == JobStatus::failed || filter.status == JobStatus::cancelled;
  return is_unusual ? kJobsUnusual : kJobs;
}

// The phase a job of this status surely has, if there is one.
std::optional<JobPhase> phase_of(std::optional<JobStatus> status) {
  if (!status) return std::nullopt;
  switch (*status) {
    case JobStatus::scheduled:
    case JobStatus::paused:
      return JobPhase::active;
    case JobStatus::succeeded:
      return JobPhase::succeeded;
    case JobStatus::failed:
      return JobPhase::failed;
    case JobStatus::cancelled:
      return JobPhase::cancelled;
    case JobStatus::running:
    case JobStatus::retrying:
      break;
  }
  return std::nullopt;
}

template <class AnyId>
AnyId greatest() {
  return AnyId{{~std::uint64_t{0}, ~std::uint64_t{0}}};
}

// -- Runs ----------------------------------------------------------------------------------------

// $1 project, $2 after, $3 planned after, $4 planned before, $5 most rows.
#define CHRONOS_FINAL_THAT                                               \
  " r.project = $1 AND r.id < $2 AND ($3 IS NULL OR r.planned_at >= $3)" \
  " AND ($4 IS NULL OR r.planned_at < $4)"
#define CHRONOS_FINAL_FROM      \
  "SELECT " CHRONOS_RUN_COLUMNS \
  " FROM runs r JOIN jobs j ON j.project = r.project AND j.id = r.job WHERE"
#define CHRONOS_FINAL_ORDER " ORDER BY r.id DESC LIMIT $5"
#define CHRONOS_LIVE_THAT                                                 \
  " l.project = $1 AND l.run < $2 AND ($3 IS NULL OR l.planned_at >= $3)" \
  " AND ($4 IS NULL OR l.planned_at < $4)"
#define CHRONOS_LIVE_FROM "SELECT " CHRONOS_LIVE_COLUMNS " FROM " CHRONOS_LIVE_TABLES " WHERE"
#define CHRONOS_LIVE_ORDER " ORDER BY l.run DESC LIMIT $5"

// $6: the state, and the job after it; statements without one of them take the rest.
constexpr Sql kFinal{CHRONOS_FINAL_FROM CHRONOS_FINAL_THAT CHRONOS_FINAL_ORDER};
constexpr Sql kFinalIn{CHRONOS_FINAL_FROM CHRONOS_FINAL_THAT
                       " AND r.state = $6" CHRONOS_FINAL_ORDER};
constexpr Sql kFinalUnusual{CHRONOS_FINAL_FROM CHRONOS_FINAL_THAT
                            " AND r.state = $6 AND r.state <> 'succeeded'" CHRONOS_FINAL_ORDER};
constexpr Sql kFinalOfJob{CHRONOS_FINAL_FROM CHRONOS_FINAL_THAT
                          " AND ($6 IS NULL OR r.state = $6) AND r.job = $7" CHRONOS_FINAL_ORDER};
constexpr Sql kLive{CHRONOS_LIVE_FROM CHRONOS_LIVE_THAT CHRONOS_LIVE_ORDER};
constexpr Sql kLiveOfJob{CHRONOS_LIVE_FROM CHRONOS_LIVE_THAT " AND l.job = $6" CHRONOS_LIVE_ORDER};
constexpr Sql kLiveRunning{CHRONOS_LIVE_FROM CHRONOS_LIVE_THAT
                           " AND l.run IN (SELECT run FROM leases)" CHRONOS_LIVE_ORDER};
constexpr Sql kLiveTried{CHRONOS_LIVE_FROM CHRONOS_LIVE_THAT
                         " AND l.attempts_made > 0" CHRONOS_LIVE_ORDER};
constexpr Sql kLiveQueued{CHRONOS_LIVE_FROM CHRONOS_LIVE_THAT
                          " AND l.run IN (SELECT run FROM ready UNION ALL SELECT run FROM held"
                          " UNION ALL SELECT run FROM limit_lines)" CHRONOS_LIVE_ORDER};

// One piece of a list: at most `count` runs older than `after`.
struct Piece {
  RunId after;
  int count = 0;
};

Result<std::vector<Run>> final_piece(Reader reader, const RunFilter& filter, Piece piece) {
  const auto read = [](Columns& columns) { return read_run_row(columns).run; };
  const auto all = [&](const Sql& sql, const auto&... more) {
    return reader.db.all(sql, read, filter.project, piece.after, filter.planned_after,
                         filter.planned_before, piece.count, more...);
  };
  if (filter.job) return all(kFinalOfJob, filter.state, *filter.job);
  if (!filter.state) return all(kFinal);
  return all(filter.state == RunState::succeeded ? kFinalIn : kFinalUnusual, *filter.state);
}

const Sql& live_statement(const RunFilter& filter) {
  if (filter.state == RunState::running) return kLiveRunning;
  if (filter.state == RunState::retrying) return kLiveTried;
  return filter.state == RunState::queued ? kLiveQueued : kLive;
}

Result<std::vector<LiveRun>> live_piece(Reader reader, const RunFilter& filter, Piece piece) {
  const auto all = [&](const Sql& sql, const auto&... more) {
    return reader.db.all(sql, read_live_row, filter.project, piece.after, filter.planned_after,
                         filter.planned_before, piece.count, more...);
  };
  return filter.job ? all(kLiveOfJob, *filter.job) : all(live_statement(filter));
}

// Live runs that match, newest first, at most `count`.
Result<std::vector<Run>> live_matches(Reader reader, const RunFilter& filter, Piece piece) {
  std::vector<Run> runs;
  while (std::ssize(runs) < piece.count) {
    CHRONOS_TRY(const auto live, live_piece(reader, filter, piece));
    for (const auto& run : live) {
      piece.after = run.run;
      if (filter.state && run.state() != *filter.state) continue;
      if (std::ssize(runs) == piece.count) break;
      CHRONOS_TRY(auto value, run_of(reader, run));
      runs.push_back(std::move(value));
    }
    if (std::ssize(live) < piece.count) break;
  }
  return runs;
}

template <class T>
Page<T> page_of(std::vector<T> rows, int limit) {
  Page<T> page{std::move(rows), false};
  page.has_more = std::ssize(page.rows) > limit;
  if (page.has_more) page.rows.resize(static_cast<std::size_t>(limit));
  return page;
}

}  // namespace

Result<Page<Job>> list_jobs(Reader reader, const JobFilter& filter) {
  const auto& sql = jobs_statement(filter);
  const auto phase = phase_of(filter.status);
  const int wanted = filter.limit + 1;
  auto after = filter.after.value_or(greatest<JobId>());
  std::vector<Job> jobs;
  while (std::ssize(jobs) < wanted) {
    CHRONOS_TRY(auto rows,
                reader.db.all(sql, read_job_row, filter.project, after, phase, filter.created_after,
                              filter.created_before, filter.name_contains, filter.tag, wanted));
    for (auto& stored : rows) {
      after = stored.job.id;
      CHRONOS_TRY_VOID(fill_spec(reader.db, reader.specs, stored));
      CHRONOS_TRY_VOID(fill_derived(reader, stored.job));
      const bool matches = !filter.status || stored.job.status == *filter.status;
      if (matches && std::ssize(jobs) < wanted) jobs.push_back(std::move(stored.job));
    }
    if (std::ssize(rows) < wanted) break;
  }
  return page_of(std::move(jobs), filter.limit);
}

Result<Page<Run>> list_runs(Reader reader, const RunFilter& filter) {
  const Piece piece{filter.after.value_or(greatest<RunId>()), filter.limit + 1};
  std::vector<Run> live;
  std::vector<Run> final_runs;
  if (!filter.state || !is_final(*filter.state)) {
    CHRONOS_TRY(live, live_matches(reader, filter, piece));
  }
  if (!filter.state || is_final(*filter.state)) {
    CHRONOS_TRY(final_runs, final_piece(reader, filter, piece));
  }
  std::vector<Run> runs;
  std::ranges::merge(std::make_move_iterator(live.begin()), std::make_move_iterator(live.end()),
                     std::make_move_iterator(final_runs.begin()),
                     std::make_move_iterator(final_runs.end()), std::back_inserter(runs),
                     std::ranges::greater{}, &Run::id, &Run::id);
  return page_of(std::move(runs), filter.limit);
}

}  // namespace chronos::store::sql
