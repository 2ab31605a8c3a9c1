#include "store/sql/limited.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace chronos::store::sql {
namespace {

constexpr Sql kAnyLimited{"SELECT 1 FROM limited LIMIT 1"};
constexpr Sql kFindLimited{
    "SELECT concurrency_key, concurrency_max, rate_key, rate_max, rate_per, has_slot FROM limited"
    " WHERE run = $1"};
constexpr Sql kInsertLimited{
    "INSERT INTO limited (run, project, concurrency_key, concurrency_max, rate_key, rate_max,"
    " rate_per, has_slot) VALUES ($1, $2, $3, $4, $5, $6, $7, 0)"};
constexpr Sql kDeleteLimited{"DELETE FROM limited WHERE run = $1"};
constexpr Sql kTakeSlot{"UPDATE limited SET has_slot = 1 WHERE run = $1"};
constexpr Sql kWithSlot{
    "SELECT run FROM limited WHERE project = $1 AND concurrency_key = $2 AND has_slot = 1"
    " ORDER BY run LIMIT $3"};

constexpr Sql kEnterLine{
    "INSERT INTO limit_lines (project, kind, key, rank, planned_at, run, job)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"};
constexpr Sql kLeaveLine{
    "DELETE FROM limit_lines WHERE project = $1 AND kind = $2 AND key = $3 AND rank = $4"
    " AND planned_at = $5 AND run = $6"};
constexpr Sql kFirstInLine{
    "SELECT rank, planned_at, run, job FROM limit_lines WHERE project = $1 AND kind = $2 AND key = "
    "$3"
    " ORDER BY rank, planned_at, run LIMIT 1"};
constexpr Sql kCountAhead{
    "SELECT count(*) FROM (SELECT 1 FROM limit_lines WHERE project = $1 AND kind = $2 AND key = $3"
    " AND (rank, planned_at, run) < ($4, $5, $6) LIMIT $7) AS ahead"};

constexpr Sql kFindLimitKey{
    "SELECT in_use, last_start, opens_at FROM limit_keys WHERE project = $1 AND kind = $2"
    " AND key = $3"};
constexpr Sql kUse{
    "INSERT INTO limit_keys (project, kind, key, in_use, last_start, depth)"
    " VALUES ($1, $2, $3, $4, 0, 0)"
    " ON CONFLICT (project, kind, key) DO UPDATE SET in_use = limit_keys.in_use + excluded.in_use"};
// Before a start is looked for that far back.
constexpr Sql kDeepen{
    "INSERT INTO limit_keys (project, kind, key, in_use, last_start, depth)"
    " VALUES ($1, 'rate', $2, 0, 0, $3) ON CONFLICT (project, kind, key) DO UPDATE"
    " SET depth = excluded.depth WHERE limit_keys.depth < excluded.depth"};
constexpr Sql kSetOpening{
    "UPDATE limit_keys SET opens_at = $4 WHERE project = $1 AND kind = $2 AND key = $3"};
constexpr Sql kDropUnused{"DELETE FROM limit_keys WHERE project = $1 AND kind = $2 AND key = $3"};
constexpr Sql kOpening{"SELECT project, key FROM limit_keys WHERE opens_at <= $1"};
constexpr Sql kNextOpening{
    "SELECT opens_at FROM limit_keys WHERE opens_at IS NOT NULL ORDER BY opens_at LIMIT 1"};

constexpr Sql kCountStart{
    "UPDATE limit_keys SET in_use = in_use - 1, last_start = last_start + 1,"
    " forget_at = CASE WHEN forget_at > $3 THEN forget_at ELSE $3 END"
    " WHERE project = $1 AND kind = 'rate' AND key = $2"};
constexpr Sql kInsertStart{
    "INSERT INTO limit_starts (project, key, number, at) SELECT project, key, last_start, $3"
    " FROM limit_keys WHERE project = $1 AND kind = 'rate' AND key = $2"};
constexpr Sql kDropOldStarts{
    "DELETE FROM limit_starts WHERE project = $1 AND key = $2 AND number <= (SELECT"
    " last_start - depth FROM limit_keys WHERE project = $1 AND kind = 'rate' AND key = $2)"};
constexpr Sql kStart{"SELECT at FROM limit_starts WHERE project = $1 AND key = $2 AND number = $3"};

constexpr Sql kForgettable{
    "SELECT project, key FROM limit_keys k WHERE k.forget_at <= $1 AND k.in_use = 0 AND NOT EXISTS"
    " (SELECT 1 FROM limit_lines l WHERE l.project = k.project AND l.kind = k.kind"
    " AND l.key = k.key) ORDER BY k.forget_at LIMIT $2"};
constexpr Sql kForgetStarts{"DELETE FROM limit_starts WHERE project = $1 AND key = $2"};
constexpr Sql kForgetKey{
    "DELETE FROM limit_keys WHERE project = $1 AND kind = 'rate' AND key = $2"};

struct LimitedRun {
  Limits limits;
  bool has_slot = false;
};

LimitedRun read_limited_row(Columns& columns) {
  LimitedRun run;
  if (auto key = columns.get<std::optional<std::string>>()) {
    run.limits.concurrency = {std::move(*key), columns.get<std::int64_t>()};
  } else {
    columns.pass_over(1);
  }
  if (auto key = columns.get<std::optional<std::string>>()) {
    const auto max = columns.get<std::int64_t>();
    run.limits.rate = {std::move(*key), max, columns.get<Duration>()};
  } else {
    columns.pass_over(2);
  }
  run.has_slot = columns.get<bool>();
  return run;
}

Result<LimitedRun> find_limited(Connection& db, RunId run) {
  CHRONOS_TRY(auto found, db.one(kFindLimited, read_limited_row, run));
  if (!found) return fail(Reason::internal, "a limited run has no limits");
  return std::move(*found);
}

// How a key stands; one that nobody has used stands at zero.
struct KeyUse {
  std::int64_t in_use = 0;
  std::int64_t last_start = 0;
  std::optional<Timestamp> opens_at;
};

Result<KeyUse> use_of(Connection& db, const LimitKey& key) {
  const auto read = [](Columns& columns) -> KeyUse {
    return {.in_use = columns.get<std::int64_t>(),
            .last_start = columns.get<std::int64_t>(),
            .opens_at = columns.get<std::optional<Timestamp>>()};
  };
  CHRONOS_TRY(auto use, db.one(kFindLimitKey, read, key.project, key.kind, key.key));
  return use.value_or(KeyUse{});
}

// Uses one more of the key, or one less.
Result<void> change_use(Writer& writer, const LimitKey& key, int by) {
  CHRONOS_TRY_VOID(writer.db.post(kUse, key.project, key.kind, key.key, by));
  return {};
}

// Others may have it.
Result<void> give_back(Writer& writer, LimitKey key) {
  CHRONOS_TRY_VOID(change_use(writer, key, -1));
  writer.limits_touched.insert(std::move(key));
  return {};
}

// When the first in line may pass: now or before, later, or only when something happens.
Result<std::optional<Timestamp>> opening(Connection& db, const LimitKey& key, const KeyUse& use,
                                         const Limits& limits, Timestamp now) {
  if (key.kind == LimitKind::concurrency) {
    if (use.in_use < limits.concurrency->max) return now;
    return std::nullopt;
  }
  Result<std::optional<Timestamp>> start = std::optional<Timestamp>();
  const RateUse rate{.pending = use.in_use, .start = [&](std::int64_t n) {
                       start = db.one(kStart, column<Timestamp>, key.project, key.key,
                                      use.last_start - n + 1);
                       return start.value_or(std::nullopt);
                     }};
  const auto at = opens_at(*limits.rate, rate, now);
  if (!start) return std::unexpected(std::move(start).error());
  return at;
}

// Who stands first in a line, and where.
struct Waiting {
  int rank = 0;
  Timestamp planned_at;
  RunId run;
  JobId job;
};

Result<std::optional<Waiting>> first_in_line(Connection& db, const LimitKey& key) {
  const auto read = [](Columns& columns) -> Waiting {
    return {.rank = columns.get<int>(),
            .planned_at = columns.get<Timestamp>(),
            .run = columns.get<RunId>(),
            .job = columns.get<JobId>()};
  };
  return db.one(kFirstInLine, read, key.project, key.kind, key.key);
}

// The first in line has passed this limit and goes on.
Result<void> let_through(Writer& writer, const LimitKey& key, const Waiting& first,
                         const Limits& limits, Timestamp now) {
  auto& db = writer.db;
  CHRONOS_TRY(const auto run, find_live(db, first.job, first.run));
  if (!run) return fail(Reason::internal, "a run in line is not live");
  CHRONOS_TRY_VOID(
      db.post(kLeaveLine, key.project, key.kind, key.key, first.rank, first.planned_at, first.run));
  --totals_of(writer, run->project, run->lane.queue).limited;
  CHRONOS_TRY_VOID(change_use(writer, key, 1));
  if (key.kind == LimitKind::rate) return insert_ready(writer, *run, now, true);
  CHRONOS_TRY_VOID(db.post(kTakeSlot, first.run));
  if (!limits.rate) return insert_ready(writer, *run, now, false);
  CHRONOS_TRY_VOID(enter_ready(writer, *run, now));
  return {};
}

Result<void> set_opening(Connection& db, const LimitKey& key, const KeyUse& use,
                         std::optional<Timestamp> opens_at) {
  if (use.opens_at == opens_at) return {};
  CHRONOS_TRY_VOID(db.post(kSetOpening, key.project, key.kind, key.key, opens_at));
  return {};
}

Result<void> open_line(Writer& writer, const LimitKey& key, Timestamp now) {
  auto& db = writer.db;
  while (true) {
    CHRONOS_TRY(const auto use, use_of(db, key));
    CHRONOS_TRY(const auto first, first_in_line(db, key));
    if (!first) {
      CHRONOS_TRY_VOID(set_opening(db, key, use, std::nullopt));
      if (use.in_use > 0 || use.last_start > 0) return {};
      CHRONOS_TRY_VOID(db.post(kDropUnused, key.project, key.kind, key.key));
      return {};
    }
    CHRONOS_TRY(const auto limited, find_limited(db, first->run));
    CHRONOS_TRY(const auto at, opening(db, key, use, limited.limits, now));
    if (!at || *at > now) return set_opening(db, key, use, at);
    CHRONOS_TRY_VOID(let_through(writer, key, *first, limited.limits, now));
  }
}

}  // namespace

Result<bool> has_limited(Connection& db) {
  CHRONOS_TRY(const auto any, db.one(kAnyLimited, column<int>));
  return any.has_value();
}

Result<Limits> limits_of(Connection& db, RunId run) {
  CHRONOS_TRY(auto limited, find_limited(db, run));
  return std::move(limited.limits);
}

Result<void> put_limits(Connection& db, ProjectId project, RunId run, const Limits& limits) {
  const auto& [concurrency, rate] = limits;
  const auto key = [](const auto& limit) { return std::string_view(limit.key); };
  const auto max = [](const auto& limit) { return std::int64_t{limit.max}; };
  const auto per = [](const RateLimit& limit) { return Duration(limit.per); };
  CHRONOS_TRY_VOID(db.post(kInsertLimited, run, project, concurrency.transform(key),
                           concurrency.transform(max), rate.transform(key), rate.transform(max),
                           rate.transform(per)));
  return {};
}

Result<void> drop_limits(Writer& writer, ProjectId project, RunId run) {
  CHRONOS_TRY(const auto limited, find_limited(writer.db, run));
  CHRONOS_TRY_VOID(writer.db.post(kDeleteLimited, run));
  if (!limited.has_slot) return {};
  auto key = key_of(project, limited.limits, LimitKind::concurrency);
  return give_back(writer, std::move(key));
}

Result<bool> enter_line(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY(const auto limited, find_limited(writer.db, run.run));
  const auto kind = next_limit(limited.limits, limited.has_slot);
  if (!kind) return false;
  auto key = key_of(run.project, limited.limits, *kind);
  if (*kind == LimitKind::rate) {
    CHRONOS_TRY_VOID(writer.db.post(kDeepen, key.project, key.key, limited.limits.rate->max));
  }
  CHRONOS_TRY_VOID(writer.db.post(kEnterLine, key.project, key.kind, key.key, run.lane.rank,
                                  run.planned_at, run.run, run.job));
  writer.limits_touched.insert(std::move(key));
  return true;
}

Result<std::int64_t> leave_line(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY(const auto limited, find_limited(writer.db, run.run));
  const auto kind = next_limit(limited.limits, limited.has_slot);
  if (!kind) return 0;
  auto key = key_of(run.project, limited.limits, *kind);
  auto left = writer.db.run(kLeaveLine, key.project, key.kind, key.key, run.lane.rank,
                            run.planned_at, run.run);
  writer.limits_touched.insert(std::move(key));
  return left;
}

Result<void> will_not_start(Writer& writer, const LiveRun& run) {
  CHRONOS_TRY(const auto limited, find_limited(writer.db, run.run));
  if (!limited.limits.rate) return {};
  auto key = key_of(run.project, limited.limits, LimitKind::rate);
  return give_back(writer, std::move(key));
}

Result<void> count_start(Writer& writer, ProjectId project, RunId run, Timestamp now) {
  CHRONOS_TRY(const auto limited, find_limited(writer.db, run));
  const auto& rate = *limited.limits.rate;
  auto& db = writer.db;
  CHRONOS_TRY_VOID(db.post(kCountStart, project, rate.key, now + rate.per));
  CHRONOS_TRY_VOID(db.post(kInsertStart, project, rate.key, now));
  CHRONOS_TRY_VOID(db.post(kDropOldStarts, project, rate.key));
  writer.limits_touched.insert(key_of(project, limited.limits, LimitKind::rate));
  return {};
}

Result<void> open_lines(Writer& writer, Timestamp now) {
  auto& touched = writer.limits_touched;
  while (!touched.empty()) {
    const auto key = std::move(touched.extract(touched.begin()).value());
    CHRONOS_TRY_VOID(open_line(writer, key, now));
  }
  return {};
}

Result<void> touch_opening(Writer& writer, Timestamp now) {
  const auto touch = [&](Columns& columns) {
    const auto project = columns.get<ProjectId>();
    writer.limits_touched.insert({project, LimitKind::rate, columns.get<std::string>()});
    return true;
  };
  return writer.db.for_each(kOpening, touch, now);
}

Result<std::optional<Timestamp>> next_opening(Connection& db) {
  return db.one(kNextOpening, column<Timestamp>);
}

Result<LimitStanding> limit_standing(Connection& db, const LiveRun& run, int ahead_max) {
  CHRONOS_TRY(const auto limited, find_limited(db, run.run));
  const auto kind = next_limit(limited.limits, limited.has_slot);
  if (!kind) return fail(Reason::internal, "a run in line has passed its limits");
  const auto key = key_of(run.project, limited.limits, *kind);
  CHRONOS_TRY(const auto use, use_of(db, key));
  LimitStanding standing{.kind = *kind,
                         .limits = limited.limits,
                         .in_use = use.in_use,
                         .opens_at = use.opens_at,
                         .ahead = 0,
                         .runs = {}};
  CHRONOS_TRY(const auto ahead, db.one(kCountAhead, column<std::int64_t>, key.project, key.kind,
                                       key.key, run.lane.rank, run.planned_at, run.run, ahead_max));
  standing.ahead = ahead.value_or(0);
  if (*kind == LimitKind::concurrency) {
    CHRONOS_TRY(standing.runs,
                db.all(kWithSlot, column<RunId>, key.project, key.key, kRunsNamedMax));
  }
  return standing;
}

Result<std::int64_t> forget_limits(Connection& db, Timestamp now, std::int64_t limit) {
  const auto read = [](Columns& columns) -> std::pair<ProjectId, std::string> {
    const auto project = columns.get<ProjectId>();
    return {project, columns.get<std::string>()};
  };
  CHRONOS_TRY(const auto keys, db.all(kForgettable, read, now, limit));
  for (const auto& [project, key] : keys) {
    CHRONOS_TRY_VOID(db.post(kForgetStarts, project, key));
    CHRONOS_TRY_VOID(db.post(kForgetKey, project, key));
  }
  return std::ssize(keys);
}

}  // namespace chronos::store::sql
