// Totals: how many jobs and runs there are of each sort, and what runs came to. A transaction adds
// what it did once, before it commits; reading them reads no large table.
#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/live.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kAddJobs{
    "INSERT INTO job_totals (project, scheduled, paused, succeeded, failed, cancelled)"
    " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project) DO UPDATE SET"
    " scheduled = job_totals.scheduled + excluded.scheduled,"
    " paused = job_totals.paused + excluded.paused,"
    " succeeded = job_totals.succeeded + excluded.succeeded,"
    " failed = job_totals.failed + excluded.failed,"
    " cancelled = job_totals.cancelled + excluded.cancelled"};
constexpr Sql kAddRuns{
    "INSERT INTO run_totals (project, queue, due, retrying, ready, held, limited, running)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (project, queue) DO UPDATE SET"
    " due = run_totals.due + excluded.due, retrying = run_totals.retrying + excluded.retrying,"
    " ready = run_totals.ready + excluded.ready, held = run_totals.held + excluded.held,"
    " limited = run_totals.limited + excluded.limited,"
    " running = run_totals.running + excluded.running"};
#define CHRONOS_TALLY_COLUMNS                                                                   \
  "succeeded, failed, timed_out, lost, cancelled, skipped, missed, started, late_0, late_1, "   \
  "late_2, late_3, late_4, late_5, late_6, late_7, late_8, late_9, late_10, late_11, late_12, " \
  "late_13, late_14, late_15"
constexpr Sql kAddTally{
    "INSERT INTO tallies (project, at, " CHRONOS_TALLY_COLUMNS
    ") VALUES ("
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
    "$20, $21, $22, $23, $24, $25, $26"
    ") ON CONFLICT (project, at) DO UPDATE SET "
    "succeeded = tallies.succeeded + excluded.succeeded, "
    "failed = tallies.failed + excluded.failed, "
    "timed_out = tallies.timed_out + excluded.timed_out, lost = tallies.lost + excluded.lost, "
    "cancelled = tallies.cancelled + excluded.cancelled, "
    "skipped = tallies.skipped + excluded.skipped, missed = tallies.missed + excluded.missed, "
    "started = tallies.started + excluded.started, late_0 = tallies.late_0 + excluded.late_0, "
    "late_1 = tallies.late_1 + excluded.late_1, late_2 = tallies.late_2 + excluded.late_2, "
    "late_3 = tallies.late_3 + excluded.late_3, late_4 = tallies.late_4 + excluded.late_4, "
    "late_5 = tallies.late_5 + excluded.late_5, late_6 = tallies.late_6 + excluded.late_6, "
    "late_7 = tallies.late_7 + excluded.late_7, late_8 = tallies.late_8 + excluded.late_8, "
    "late_9 = tallies.late_9 + excluded.late_9, late_10 = tallies.late_10 + excluded.late_10, "
    "late_11 = tallies.late_11 + excluded.late_11, "
    "late_12 = tallies.late_12 + excluded.late_12, "
    "late_13 = tallies.late_13 + excluded.late_13, "
    "late_14 = tallies.late_14 + excluded.late_14, "
    "late_15 = tallies.late_15 + excluded.late_15"};

constexpr Sql kSumJobs{
    "SELECT CAST(coalesce(sum(scheduled + paused + succeeded + failed + cancelled), 0) AS BIGINT)"
    " FROM job_totals"};
constexpr Sql kSumRuns{
    "SELECT CAST(coalesce(sum(due), 0) AS BIGINT), CAST(coalesce(sum(retrying), 0) AS BIGINT),"
    " CAST(coalesce(sum(ready), 0) AS BIGINT), CAST(coalesce(sum(held), 0) AS BIGINT),"
    " CAST(coalesce(sum(limited), 0) AS BIGINT), CAST(coalesce(sum(running), 0) AS BIGINT)"
    " FROM run_totals"};
constexpr Sql kJobTotals{
    "SELECT scheduled, paused, succeeded, failed, cancelled FROM job_totals WHERE project = $1"};
constexpr Sql kRuns{
    "SELECT due, retrying, ready, held, limited, running FROM run_totals WHERE project = $1"};
constexpr Sql kTallies{"SELECT at, " CHRONOS_TALLY_COLUMNS
                       " FROM tallies WHERE project = $1 AND at >= $2 ORDER BY at"};
#undef CHRONOS_TALLY_COLUMNS

constexpr Sql kCountWaitingDeliveries{"SELECT count(*) FROM deliveries WHERE state = 'waiting'"};
// With an instant beyond all: SQLite looks for what is greater than a row value from what equals it
// on, and that would be all of the line before.
constexpr Sql kNextLine{
    "SELECT kind, queue, rank FROM ready WHERE (kind, queue, rank, planned_at) > ($1, $2, $3, $4)"
    " ORDER BY kind, queue, rank LIMIT 1"};
constexpr Sql kAlongLine{
    "SELECT planned_at, queued_at FROM ready WHERE kind = $1 AND queue = $2 AND rank = $3"
    " ORDER BY planned_at LIMIT $4"};

constexpr Sql kAlongLineOf{
    "SELECT planned_at, queued_at, project = $5 FROM ready WHERE kind = $1 AND queue = $2"
    " AND rank = $3 ORDER BY planned_at LIMIT $4"};
constexpr Sql kQueues{
    "SELECT queue, due, retrying, ready, held, limited, running FROM run_totals"
    " WHERE project = $1 ORDER BY queue LIMIT $2"};
constexpr Sql kAhead{
    "SELECT at, 1 FROM due WHERE needs_planning = 0 AND at > $1 AND at <= $2 ORDER BY at, run"
    " LIMIT $3"};
constexpr Sql kAheadOf{
    "SELECT ahead.at, CASE WHEN j.id IS NULL THEN 0 ELSE 1 END FROM (SELECT at, run, job FROM due "
    "WHERE needs_planning = 0 AND at > $1"
    " AND at <= $2 ORDER BY at, run LIMIT $3) AS ahead"
    " LEFT JOIN jobs j ON j.project = $4 AND j.id = ahead.job ORDER BY ahead.at, ahead.run"};

// -- What is late, and what is to come. Of at most so many rows ($3, $6): those of other projects
// are among them.
constexpr Sql kLateReady{
    "SELECT count(*) FROM (SELECT project, planned_at, attempt, trigger_kind FROM ready LIMIT $3)"
    " AS ahead WHERE project = $1 AND planned_at <= $2 AND attempt = 1"
    " AND trigger_kind <> 'backfill'"};
// The live run is asked for one by one: PostgreSQL would join them along all that are not held.
constexpr Sql kLateDue{
    "SELECT count(*) FROM (SELECT job, run FROM due WHERE needs_planning = $4 AND at <= $2"
    " ORDER BY at, run LIMIT $3) AS ahead WHERE (SELECT CASE WHEN l.project = $1"
    " AND l.attempts_made = 0 AND l.planned_at + l.jitter <= $2 AND l.trigger_kind <> 'backfill'"
    " THEN 1 ELSE 0 END FROM live l WHERE l.job = ahead.job AND l.is_held = 0"
    " AND l.run = ahead.run) = 1"};
constexpr Sql kUpcoming{
    "SELECT d.at, d.run, d.job, j.name FROM due d CROSS JOIN jobs j ON j.project = $1"
    " AND j.id = d.job WHERE d.needs_planning = $4 AND d.at > $2 AND d.at <= $3"
    " ORDER BY d.at, d.run LIMIT $5"};
constexpr Sql kUpcomingOf{
    "SELECT ahead.at, ahead.run, ahead.job, j.name FROM (SELECT at, job, run FROM due"
    " WHERE needs_planning = $4 AND at > $2 AND at <= $3 ORDER BY at, run LIMIT $6) AS ahead"
    " CROSS JOIN jobs j ON j.project = $1 AND j.id = ahead.job ORDER BY ahead.at, ahead.run"
    " LIMIT $5"};
constexpr Sql kCountUpcoming{
    "SELECT count(*) FROM (SELECT 1 FROM due WHERE needs_planning = $3 AND at > $1 AND at <= $2"
    " LIMIT $4) AS ahead"};
constexpr Sql kCountUpcomingOf{
    "SELECT count(*) FROM (SELECT job FROM due WHERE needs_planning = $4 AND at > $2 AND at <= $3"
    " LIMIT $5) AS ahead CROSS JOIN jobs j ON j.project = $1 AND j.id = ahead.job"};
constexpr Sql kOtherProject{"SELECT 1 FROM projects WHERE id <> $1 LIMIT 1"};

constexpr auto kBeyondAll = std::numeric_limits<std::int64_t>::max();

RunTotals read_run_totals(Columns& columns) {
  return {.due = columns.get<std::int64_t>(),
          .retrying = columns.get<std::int64_t>(),
          .ready = columns.get<std::int64_t>(),
          .held = columns.get<std::int64_t>(),
          .limited = columns.get<std::int64_t>(),
          .running = columns.get<std::int64_t>()};
}

JobTotals read_job_totals(Columns& columns) {
  return {.scheduled = columns.get<std::int64_t>(),
          .paused = columns.get<std::int64_t>(),
          .succeeded = columns.get<std::int64_t>(),
          .failed = columns.get<std::int64_t>(),
          .cancelled = columns.get<std::int64_t>()};
}

// Both ways in the order of the columns.
constexpr std::array kTallyMembers = {&Tally::succeeded, &Tally::failed,    &Tally::timed_out,
                                      &Tally::lost,      &Tally::cancelled, &Tally::skipped,
                                      &Tally::missed,    &Tally::started};

TallyStep read_tally(Columns& columns) {
  TallyStep step{.at = columns.get<Timestamp>(), .tally = {}};
  for (const auto member : kTallyMembers) step.tally.*member = columns.get<std::int64_t>();
  for (auto& count : step.tally.lateness) count = columns.get<std::int64_t>();
  return step;
}

// To be bound.
struct TallyColumns {
  const Tally& tally;
};
void put_columns(Parameters& parameters, const TallyColumns& columns) {
  for (const auto member : kTallyMembers) parameters.put(columns.tally.*member);
  for (const auto count : columns.tally.lateness) parameters.put(count);
}

// Calls `function(line)` for each line of `ready`.
template <class Function>
Result<void> for_each_line(Connection& db, Function function) {
  Lane line{{}, {}, -1};
  while (true) {
    const auto read = [](Columns& columns) -> Lane {
      return {columns.get<std::string>(), columns.get<std::string>(), columns.get<int>()};
    };
    CHRONOS_TRY(auto next, db.one(kNextLine, read, line.kind, line.queue, line.rank, kBeyondAll));
    if (!next) return {};
    line = std::move(*next);
    CHRONOS_TRY_VOID(function(line));
  }
}

// Looks at one run after the other of a line, and whether it is a project's. Nothing is ready
// before its planned instant, so a line need not be looked at beyond the earliest queued_at seen so
// far.
auto look_for_oldest(std::optional<Timestamp>& oldest, bool of_project) {
  return [&oldest, of_project](Columns& columns) {
    const auto planned_at = columns.get<Timestamp>();
    if (oldest && planned_at >= *oldest) return false;
    const auto queued_at = columns.get<Timestamp>();
    if (of_project && !columns.get<bool>()) return true;
    oldest = oldest ? std::min(*oldest, queued_at) : queued_at;
    return true;
  };
}

Result<std::optional<Timestamp>> oldest_ready_at(Connection& db) {
  std::optional<Timestamp> oldest;
  CHRONOS_TRY_VOID(for_each_line(db, [&](const Lane& line) {
    return db.for_each(kAlongLine, look_for_oldest(oldest, false), line.kind, line.queue, line.rank,
                       kOldestLooksMax);
  }));
  return oldest;
}

Result<std::int64_t> count_late(Connection& db, const OverviewAsk& ask) {
  const auto before = ask.now - kLateAfter;
  CHRONOS_TRY(const auto ready,
              db.one(kLateReady, column<std::int64_t>, ask.project, before, 2 * kOverviewLooksMax));
  auto late = ready.value_or(0);
  for (const bool needs_planning : {false, true}) {
    CHRONOS_TRY(const auto due, db.one(kLateDue, column<std::int64_t>, ask.project, before,
                                       kOverviewLooksMax, needs_planning));
    late += due.value_or(0);
  }
  return late;
}

Result<std::int64_t> count_upcoming(Connection& db, const OverviewAsk& ask, bool is_only_project) {
  std::int64_t count = 0;
  for (const bool needs_planning : {false, true}) {
    const auto end = ask.now + ask.ahead;
    CHRONOS_TRY(const auto part, is_only_project
                                     ? db.one(kCountUpcoming, column<std::int64_t>, ask.now, end,
                                              needs_planning, kOverviewLooksMax)
                                     : db.one(kCountUpcomingOf, column<std::int64_t>, ask.project,
                                              ask.now, end, needs_planning, kOverviewLooksMax));
    count += part.value_or(0);
  }
  return count;
}

UpcomingRun read_upcoming(Columns& columns) {
  return {.at = columns.get<Timestamp>(),
          .run = columns.get<RunId>(),
          .job = columns.get<JobId>(),
          .job_name = columns.get<std::string>()};
}

Result<bool> is_only_project(Connection& db, ProjectId project) {
  CHRONOS_TRY(const auto other, db.one(kOtherProject, column<int>, project));
  return !other.has_value();
}

// The first `most` that are due in (after, last].
struct DueSpan {
  Timestamp after;
  Timestamp last;
  int most = 0;
};
Result<std::vector<UpcomingRun>> find_due(Connection& db, ProjectId project, const DueSpan& span,
                                          bool needs_planning, bool is_only) {
  if (is_only) {
    return db.all(kUpcoming, read_upcoming, project, span.after, span.last, needs_planning,
                  span.most);
  }
  return db.all(kUpcomingOf, read_upcoming, project, span.after, span.last, needs_planning,
                span.most, kOverviewLooksMax);
}

Result<std::vector<UpcomingRun>> find_upcoming(Connection& db, const OverviewAsk& ask,
                                               bool is_only) {
  const DueSpan span{ask.now, ask.now + ask.ahead, ask.upcoming_max};
  std::vector<UpcomingRun> runs;
  for (const bool needs_planning : {false, true}) {
    CHRONOS_TRY(auto part, find_due(db, ask.project, span, needs_planning, is_only));
    std::ranges::move(part, std::back_inserter(runs));
  }
  std::ranges::sort(runs, {}, [](const UpcomingRun& run) { return std::pair(run.at, run.run); });
  if (std::ssize(runs) > ask.upcoming_max) runs.resize(static_cast<std::size_t>(ask.upcoming_max));
  return runs;
}

}  // namespace

Result<void> write_totals(Writer& writer) {
  auto& db = writer.db;
  const auto totals = std::exchange(writer.totals, {});
  for (const auto& [project, jobs] : totals.jobs) {
    if (jobs == JobTotals{}) continue;
    CHRONOS_TRY_VOID(db.post(kAddJobs, project, jobs.scheduled, jobs.paused, jobs.succeeded,
                             jobs.failed, jobs.cancelled));
  }
  for (const auto& [key, runs] : totals.runs) {
    if (runs == RunTotals{}) continue;
    CHRONOS_TRY_VOID(db.post(kAddRuns, key.first, key.second, runs.due, runs.retrying, runs.ready,
                             runs.held, runs.limited, runs.running));
  }
  for (const auto& [key, tally] : totals.tallies) {
    CHRONOS_TRY_VOID(db.post(kAddTally, key.first, key.second, TallyColumns{tally}));
  }
  return {};
}

Result<Stats> read_stats(Reader reader) {
  auto& db = reader.db;
  Stats stats;
  CHRONOS_TRY(const auto jobs, db.one(kSumJobs, column<std::int64_t>));
  CHRONOS_TRY(const auto runs, db.one(kSumRuns, read_run_totals));
  stats.jobs = jobs.value_or(0);
  if (runs) {
    stats.due = runs->due;
    stats.ready = runs->ready;
    stats.held = runs->held;
    stats.limited = runs->limited;
    stats.leased = runs->running;
  }
  CHRONOS_TRY(const auto waiting, db.one(kCountWaitingDeliveries, column<std::int64_t>));
  stats.deliveries_waiting = waiting.value_or(0);
  CHRONOS_TRY(stats.oldest_ready_at, oldest_ready_at(db));
  return stats;
}

Result<Overview> read_overview(Reader reader, const OverviewAsk& ask) {
  auto& db = reader.db;
  Overview overview;
  CHRONOS_TRY(const auto jobs, db.one(kJobTotals, read_job_totals, ask.project));
  overview.jobs = jobs.value_or(JobTotals{});
  const auto add = [&](Columns& columns) {
    return overview.runs += read_run_totals(columns), true;
  };
  CHRONOS_TRY_VOID(db.for_each(kRuns, add, ask.project));
  CHRONOS_TRY(overview.late, count_late(db, ask));
  CHRONOS_TRY(const bool is_only, is_only_project(db, ask.project));
  CHRONOS_TRY(overview.upcoming, find_upcoming(db, ask, is_only));
  CHRONOS_TRY(overview.upcoming_count, count_upcoming(db, ask, is_only));
  CHRONOS_TRY(overview.tallies,
              db.all(kTallies, read_tally, ask.project, tally_step_of(ask.since)));
  CHRONOS_TRY(overview.store_bytes, db.bytes());
  return overview;
}

Result<std::vector<QueueTotals>> list_queues(Reader reader, ProjectId project) {
  auto& db = reader.db;
  const auto read = [](Columns& columns) -> QueueTotals {
    auto name = columns.get<std::string>();
    return {std::move(name), read_run_totals(columns), {}};
  };
  CHRONOS_TRY(auto queues, db.all(kQueues, read, project, kQueuesMax));
  CHRONOS_TRY_VOID(for_each_line(db, [&](const Lane& line) -> Result<void> {
    const auto queue = std::ranges::find(queues, line.queue, &QueueTotals::name);
    if (queue == queues.end() || queue->runs.ready == 0) return {};
    return db.for_each(kAlongLineOf, look_for_oldest(queue->oldest_ready_at, true), line.kind,
                       line.queue, line.rank, kOldestLooksMax, project);
  }));
  return queues;
}

Result<Ahead> runs_ahead(Reader reader, const AheadAsk& ask) {
  auto& db = reader.db;
  constexpr Duration kTick{1};
  const auto after = ask.from - kTick;
  const auto last = ask.until - kTick;
  Ahead ahead;
  CHRONOS_TRY(const bool is_only, is_only_project(db, ask.project));
  CHRONOS_TRY(ahead.runs, find_due(db, ask.project, {after, last, ask.runs_max}, false, is_only));
  // So many are looked at, whosever they are.
  const int most = ask.instants_max + 1;
  int looks = 0;
  const auto read = [&](Columns& columns) {
    const auto at = columns.get<Timestamp>();
    const bool is_own = columns.get<bool>();
    ++looks;
    if (is_own && std::ssize(ahead.instants) < ask.instants_max) ahead.instants.push_back(at);
    return true;
  };
  CHRONOS_TRY_VOID(is_only ? db.for_each(kAhead, read, after, last, most)
                           : db.for_each(kAheadOf, read, after, last, most, ask.project));
  ahead.has_more = looks == most;
  return ahead;
}

}  // namespace chronos::store::sql
