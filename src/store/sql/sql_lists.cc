// The lists of jobs and runs: newest first, a page at a time. A list is a walk along candidates, in
// the order of a key, that looks at no more of them than a page may (kLooksMax): what is rare is
// looked for where it is rare, in short indexes or tables; a search for what nobody has ends in a
// page with fewer rows, from which the next one goes on. Only what is found is read whole.
#include <algorithm>
#include <iterator>
#include <utility>

#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

constexpr int kLooksPerJob = 20;  // what reading a job whole costs, beside a look at it

// -- Walks ---------------------------------------------------------------------------------------

// From where, for how many, and how far.
struct Reach {
  Uuid after;  // only what is older
  int wanted = 0;
  int looks = 0;
};

struct Walk {
  std::vector<Uuid> found;  // newest first
  Uuid last;                // of what was looked at
  int looks = 0;
  bool is_at_end = true;  // nothing is older than `last`
};

// Along a statement of candidates: the id, newest first (the same may come again), and whether it
// is one. $1 is what they lie in, $2 `after`, $3 how many at most.
template <class Place, class... Args>
Result<Walk> walk(Connection& db, const Sql& sql, Place place, Reach reach, const Args&... args) {
  // A database that is a round trip away sends all that it is asked for.
  const int most = db.is_remote() ? 500 : reach.looks;
  Walk walked{.found = {}, .last = reach.after};
  int rows = 0;
  const auto read = [&](Columns& columns) {
    const auto id = columns.get<JobId>().uuid;
    const bool is_match = columns.get<bool>();
    ++walked.looks;
    ++rows;
    if (id != std::exchange(walked.last, id) && is_match) walked.found.push_back(id);
    walked.is_at_end = std::ssize(walked.found) < reach.wanted && walked.looks < reach.looks;
    return walked.is_at_end;
  };
  int piece = 0;
  do {
    rows = 0;
    piece = std::min(most, reach.looks - walked.looks);
    CHRONOS_TRY_VOID(db.for_each(sql, read, place, JobId{walked.last}, piece, args...));
  } while (walked.is_at_end && rows == piece && rows > 0);
  return walked;
}

constexpr Uuid kNewest{~std::uint64_t{0}, ~std::uint64_t{0}};

template <class AnyId>
Uuid begin_of(const std::optional<AnyId>& after) {
  return after ? after->uuid : kNewest;
}

// -- Jobs ----------------------------------------------------------------------------------------

// $4 phase, $5 created after, $6 created before, $7 part of the name, $8 tag, $9 kind, $10 queue.
#define CHRONOS_JOB_MATCHES                                                               \
  "(j.phase = $4 OR $4 IS NULL)"                                                          \
  " AND (j.created_at >= $5 OR $5 IS NULL) AND (j.created_at < $6 OR $6 IS NULL)"         \
  " AND ($7 = '' OR instr(lower(j.name), lower($7)) > 0)"                                 \
  " AND ($9 = '' OR j.kind = $9) AND ($10 = '' OR j.queue = $10)"                         \
  " AND ($8 = '' OR EXISTS (SELECT 1 FROM job_tags x WHERE x.project = $1 AND x.tag = $8" \
  " AND x.job = j.id))"
#define CHRONOS_JOB_ORDER " ORDER BY j.id DESC LIMIT $3"

constexpr Sql kJobs{"SELECT j.id, " CHRONOS_JOB_MATCHES
                    " FROM jobs j WHERE j.project = $1 AND j.id < $2" CHRONOS_JOB_ORDER};
constexpr Sql kJobsTagged{"SELECT t.job, " CHRONOS_JOB_MATCHES
                          " FROM job_tags t CROSS JOIN jobs j ON j.project = t.project AND"
                          " j.id = t.job WHERE t.project = $1 AND t.tag = $8 AND t.job < $2"
                          " ORDER BY t.job DESC LIMIT $3"};
constexpr Sql kJobsUnusual{"SELECT j.id, " CHRONOS_JOB_MATCHES
                           " FROM jobs j WHERE j.project = $1 AND j.phase = $4"
                           " AND j.phase IN ('failed', 'cancelled')"
                           " AND j.id < $2" CHRONOS_JOB_ORDER};
constexpr Sql kJobsPaused{"SELECT j.id, " CHRONOS_JOB_MATCHES
                          " FROM jobs j WHERE j.project = $1 AND j.is_paused = 1"
                          " AND j.id < $2" CHRONOS_JOB_ORDER};
// `leases` has no more rows than attempts under way: these may be sorted.
constexpr Sql kJobsRunning{"SELECT j.id, " CHRONOS_JOB_MATCHES
                           " FROM leases e CROSS JOIN jobs j ON j.project = $1 AND j.id = e.job"
                           " WHERE e.job < $2" CHRONOS_JOB_ORDER};
constexpr Sql kJobsRetrying{"SELECT l.job, " CHRONOS_JOB_MATCHES
                            " FROM live l CROSS JOIN jobs j ON j.project = l.project AND"
                            " j.id = l.job WHERE l.project = $1 AND l.attempts_made > 0"
                            " AND l.job < $2 ORDER BY l.job DESC LIMIT $3"};

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

// Those of the found jobs that have the status.
Result<void> read_found(Reader reader, const JobFilter& filter, const std::vector<Uuid>& found,
                        std::vector<Job>& jobs) {
  for (const auto id : found) {
    CHRONOS_TRY(auto job, read_job(reader, filter.project, JobId{id}));
    if (!filter.status || job.status == *filter.status) jobs.push_back(std::move(job));
  }
  return {};
}

// -- Runs ----------------------------------------------------------------------------------------

// $4 planned after, $5 planned before, $6 state, $7 part of the error, $8 part of the job's name,
// $9 tag, $10 project. The project of a job's runs is looked at, not looked for: SQLite would
// rather walk along all runs of the project.
#define CHRONOS_JOB_OF_RUN_MATCHES(run)                                                    \
  " AND ($8 = '' OR EXISTS (SELECT 1 FROM jobs n WHERE n.project = $10 AND n.id = " run    \
  ".job"                                                                                   \
  " AND instr(lower(n.name), lower($8)) > 0))"                                             \
  " AND ($9 = '' OR EXISTS (SELECT 1 FROM job_tags x WHERE x.project = $10 AND x.tag = $9" \
  " AND x.job = " run ".job))"
#define CHRONOS_FINAL_MATCHES                                                                  \
  "(r.planned_at >= $4 OR $4 IS NULL) AND (r.planned_at < $5 OR $5 IS NULL) AND (r.state = $6" \
  " OR $6 IS NULL) AND ($7 = '' OR instr(lower(coalesce(r.error, '')), lower($7)) > "          \
  "0)" CHRONOS_JOB_OF_RUN_MATCHES("r")
#define CHRONOS_FINAL_ORDER " AND r.id < $2 ORDER BY r.id DESC LIMIT $3"

constexpr Sql kFinal{"SELECT r.id, " CHRONOS_FINAL_MATCHES
                     " FROM runs r WHERE r.project = $1" CHRONOS_FINAL_ORDER};
// What is rare, by an index that knows all of it; and when that is not enough, the rows it names.
constexpr Sql kFinalUnusual{
    "SELECT r.id, (r.planned_at >= $4 OR $4 IS NULL) AND (r.planned_at < $5 OR $5 IS NULL)"
    " FROM runs r WHERE r.project = $1 AND r.state = $6"
    " AND r.state <> 'succeeded'" CHRONOS_FINAL_ORDER};
constexpr Sql kFinalUnusualLike{
    "SELECT r.id, " CHRONOS_FINAL_MATCHES
    " FROM (SELECT u.id FROM runs u WHERE u.project = $1 AND u.state = $6"
    " AND u.state <> 'succeeded' AND u.id < $2 ORDER BY u.id DESC LIMIT $3) AS latest"
    " CROSS JOIN runs r ON r.project = $1 AND r.id = latest.id ORDER BY latest.id DESC"};
constexpr Sql kFinalOfJob{"SELECT r.id, r.project = $10 AND " CHRONOS_FINAL_MATCHES
                          " FROM runs r WHERE r.job = $1" CHRONOS_FINAL_ORDER};

// A run that is in none of these places waits in `ready` or in a line of `limit_lines`.
#define CHRONOS_LIVE_MATCHES                                                        \
  "(l.planned_at >= $4 OR $4 IS NULL) AND (l.planned_at < $5 OR $5 IS NULL)"        \
  " AND (CAST($6 AS TEXT) IS NULL OR $6 = CASE WHEN l.is_held = 1 THEN 'queued'"    \
  " WHEN EXISTS (SELECT 1 FROM leases x WHERE x.run = l.run) THEN 'running'"        \
  " WHEN NOT EXISTS (SELECT 1 FROM due d WHERE d.needs_planning = l.needs_planning" \
  " AND d.at = l.at AND d.run = l.run) THEN 'queued'"                               \
  " WHEN l.attempts_made > 0 THEN 'retrying' ELSE 'planned' END)"                   \
  " AND ($7 = '' OR EXISTS (SELECT 1 FROM attempts a WHERE a.run = l.run"           \
  " AND a.number = l.attempts_made AND instr(lower(a.error), lower($7)) > "         \
  "0))" CHRONOS_JOB_OF_RUN_MATCHES("l")
#define CHRONOS_LIVE_ORDER " AND l.run < $2 ORDER BY l.run DESC LIMIT $3"

constexpr Sql kLive{"SELECT l.run, " CHRONOS_LIVE_MATCHES
                    " FROM live l WHERE l.project = $1" CHRONOS_LIVE_ORDER};
constexpr Sql kLiveOfJob{"SELECT l.run, l.project = $10 AND " CHRONOS_LIVE_MATCHES
                         " FROM live l WHERE l.job = $1 AND l.is_held = $11" CHRONOS_LIVE_ORDER};
constexpr Sql kLiveTried{
    "SELECT l.run, " CHRONOS_LIVE_MATCHES
    " FROM live l WHERE l.project = $1 AND l.attempts_made > 0" CHRONOS_LIVE_ORDER};
constexpr Sql kLiveRunning{"SELECT l.run, " CHRONOS_LIVE_MATCHES
                           " FROM leases e CROSS JOIN live l ON l.job = e.job AND l.is_held = 0"
                           " AND l.run = e.run AND l.project = $1"
                           " WHERE e.run < $2 ORDER BY e.run DESC LIMIT $3"};
// When they are few: sorted.
constexpr Sql kLiveQueued{"SELECT l.run, " CHRONOS_LIVE_MATCHES
                          " FROM (SELECT job, run FROM ready WHERE run < $2 UNION ALL"
                          " SELECT job, run FROM held WHERE run < $2 UNION ALL"
                          " SELECT job, run FROM limit_lines WHERE run < $2) q"
                          " CROSS JOIN live l ON l.job = q.job AND l.is_held IN (0, 1)"
                          " AND l.run = q.run AND l.project = $1 ORDER BY q.run DESC LIMIT $3"};
constexpr Sql kCountQueued{
    "SELECT CAST(coalesce(sum(ready + held + limited), 0) AS BIGINT) FROM run_totals"};

constexpr int kFewMax = 10'000;

// Where a run was found.
struct FoundRun {
  RunId id;
  bool is_live = false;
};

// Walks side by side, each along runs of its own.
struct Search {
  std::vector<FoundRun> found;
  RunId complete_to{};  // nothing newer was left out
  bool is_at_end = true;

  void add(const Walk& walked, bool is_live) {
    for (const auto id : walked.found) found.push_back({RunId{id}, is_live});
    if (!walked.is_at_end) complete_to = std::max(complete_to, RunId{walked.last});
    is_at_end = is_at_end && walked.is_at_end;
  }
  // To be called when all is added: newest first, and no more than may be told.
  void put_in_order() {
    std::ranges::sort(found, std::ranges::greater{}, &FoundRun::id);
    std::erase_if(found, [this](const FoundRun& run) { return run.id < complete_to; });
  }
};

// What is looked for in one go: the runs in one state, or in any.
struct Wanted {
  const RunFilter& filter;
  std::optional<RunState> state;
  Reach reach;
};

template <class... Args>
Result<Walk> walk_runs(Reader reader, const Sql& sql, const Wanted& wanted, const Args&... more) {
  const auto& filter = wanted.filter;
  const auto go = [&](auto place) {
    return walk(reader.db, sql, place, wanted.reach, filter.planned_after, filter.planned_before,
                wanted.state, filter.error_contains, filter.job_name_contains, filter.tag,
                filter.project, more...);
  };
  return filter.job ? go(*filter.job) : go(filter.project);
}

// Looks into the jobs and attempts of runs cost more than looks at runs.
bool looks_apart(const RunFilter& filter) {
  return !filter.tag.empty() || !filter.job_name_contains.empty() || !filter.error_contains.empty();
}

Result<Walk> walk_final(Reader reader, const Wanted& wanted) {
  const auto& filter = wanted.filter;
  if (filter.job) return walk_runs(reader, kFinalOfJob, wanted);
  if (!wanted.state || wanted.state == RunState::succeeded) {
    return walk_runs(reader, kFinal, wanted);
  }
  if (looks_apart(filter)) return walk_runs(reader, kFinalUnusualLike, wanted);
  return walk(reader.db, kFinalUnusual, filter.project, wanted.reach, filter.planned_after,
              filter.planned_before, wanted.state);
}

Result<void> search_final(Reader reader, const Wanted& wanted, Search& search) {
  CHRONOS_TRY(const auto walked, walk_final(reader, wanted));
  return search.add(walked, false), Result<void>();
}

Result<const Sql*> live_statement(Reader reader, std::optional<RunState> state) {
  if (state == RunState::running) return &kLiveRunning;
  if (state == RunState::retrying) return &kLiveTried;
  if (state != RunState::queued) return &kLive;
  CHRONOS_TRY(const auto queued, reader.db.one(kCountQueued, column<std::int64_t>));
  return queued.value_or(0) <= kFewMax ? &kLiveQueued : &kLive;
}

Result<void> search_live(Reader reader, const Wanted& wanted, Search& search) {
  if (!wanted.filter.job) {
    CHRONOS_TRY(const auto* sql, live_statement(reader, wanted.state));
    CHRONOS_TRY(const auto walked, walk_runs(reader, *sql, wanted));
    return search.add(walked, true), Result<void>();
  }
  for (const bool is_held : {false, true}) {
    CHRONOS_TRY(const auto walked, walk_runs(reader, kLiveOfJob, wanted, is_held));
    search.add(walked, true);
  }
  return {};
}

Result<Run> read_found(Reader reader, const RunFilter& filter, FoundRun found) {
  if (!found.is_live) {
    CHRONOS_TRY(auto run, find_final(reader, filter.project, found.id));
    if (run) return std::move(*run);
  } else {
    CHRONOS_TRY(const auto live, find_live(reader.db, filter.project, found.id));
    if (live) return run_of(reader, *live);
  }
  return fail(Reason::internal, "a listed run is gone");
}

}  // namespace

Result<Page<Job>> list_jobs(Reader reader, const JobFilter& filter) {
  const auto& sql = jobs_statement(filter);
  const int wanted = filter.limit + 1;
  Page<Job> page;
  Walk walked{.found = {}, .last = begin_of(filter.after), .is_at_end = false};
  int looks = &sql == &kJobs ? kLooksMax : kLooksApartMax;
  while (std::ssize(page.rows) < wanted && looks > 0 && !walked.is_at_end) {
    const Reach reach{walked.last, wanted - static_cast<int>(page.rows.size()), looks};
    CHRONOS_TRY(walked, walk(reader.db, sql, filter.project, reach, phase_of(filter.status),
                             filter.created_after, filter.created_before, filter.name_contains,
                             filter.tag, filter.kind, filter.queue));
    CHRONOS_TRY_VOID(read_found(reader, filter, walked.found, page.rows));
    looks -= walked.looks + kLooksPerJob * static_cast<int>(walked.found.size());
  }
  const bool is_full = std::ssize(page.rows) == wanted;
  if (is_full) page.rows.pop_back();
  page.has_more = is_full || !walked.is_at_end;
  page.last = is_full ? page.rows.back().id : JobId{walked.last};
  return page;
}

Result<Page<Run>> list_runs(Reader reader, const RunFilter& filter) {
  std::vector<std::optional<RunState>> states(filter.states.begin(), filter.states.end());
  if (states.empty()) states.emplace_back();
  const Reach reach{begin_of(filter.after), filter.limit + 1,
                    looks_apart(filter) ? kLooksApartMax : kLooksMax};
  Search search;
  for (const auto state : states) {
    const Wanted wanted{filter, state, reach};
    if (!state || !is_final(*state)) CHRONOS_TRY_VOID(search_live(reader, wanted, search));
    if (!state || is_final(*state)) CHRONOS_TRY_VOID(search_final(reader, wanted, search));
  }
  search.put_in_order();
  Page<Run> page{.rows = {}, .has_more = !search.is_at_end, .last = search.complete_to};
  if (std::ssize(search.found) > filter.limit) {
    search.found.resize(static_cast<std::size_t>(filter.limit));
    page.has_more = true;
    page.last = search.found.back().id;
  }
  for (const auto found : search.found) {
    CHRONOS_TRY(auto run, read_found(reader, filter, found));
    page.rows.push_back(std::move(run));
  }
  return page;
}

}  // namespace chronos::store::sql
