// The counts of Store::stats. Those of large tables are kept in `meta`, because counting would read
// the tables.
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kGrow{
    "INSERT INTO meta (name, value) VALUES ($1, $2)"
    " ON CONFLICT (name) DO UPDATE SET value = meta.value + excluded.value"};
constexpr Sql kCounts{"SELECT name, value FROM meta"};
constexpr Sql kWaiting{"SELECT count(*) FROM deliveries WHERE state = 'waiting'"};
// With an instant beyond all: SQLite looks for what is greater than a row value from what equals it
// on, and that would be all of the line before.
constexpr Sql kNextLine{
    "SELECT kind, queue, rank FROM ready WHERE (kind, queue, rank, planned_at) > ($1, $2, $3, $4)"
    " ORDER BY kind, queue, rank LIMIT 1"};
constexpr Sql kAlongLine{
    "SELECT planned_at, queued_at FROM ready WHERE kind = $1 AND queue = $2 AND rank = $3"
    " ORDER BY planned_at LIMIT $4"};

constexpr auto kBeyondAll = std::numeric_limits<std::int64_t>::max();

struct Count {
  std::string_view name;
  std::int64_t Growth::* growth;
  std::int64_t Stats::* stats;
};
constexpr std::array kCounted = {Count{"jobs", &Growth::jobs, &Stats::jobs},
                                 Count{"due", &Growth::due, &Stats::due},
                                 Count{"ready", &Growth::ready, &Stats::ready},
                                 Count{"held", &Growth::held, &Stats::held},
                                 Count{"limited", &Growth::limited, &Stats::limited},
                                 Count{"leased", &Growth::leased, &Stats::leased}};

// Nothing is ready before its planned instant, so a line need not be looked at beyond the earliest
// queued_at seen so far.
Result<std::optional<Timestamp>> oldest_ready_at(Connection& db) {
  std::optional<Timestamp> oldest;
  Lane line{{}, {}, -1};
  while (true) {
    const auto read = [](Columns& columns) -> Lane {
      return {columns.get<std::string>(), columns.get<std::string>(), columns.get<int>()};
    };
    CHRONOS_TRY(auto next, db.one(kNextLine, read, line.kind, line.queue, line.rank, kBeyondAll));
    if (!next) return oldest;
    line = std::move(*next);
    const auto look = [&oldest](Columns& columns) {
      const auto planned_at = columns.get<Timestamp>();
      if (oldest && planned_at >= *oldest) return false;
      const auto queued_at = columns.get<Timestamp>();
      oldest = oldest ? std::min(*oldest, queued_at) : queued_at;
      return true;
    };
    CHRONOS_TRY_VOID(
        db.for_each(kAlongLine, look, line.kind, line.queue, line.rank, kOldestLooksMax));
  }
}

}  // namespace

Result<void> write_growth(Writer& writer) {
  const auto growth = std::exchange(writer.growth, {});
  for (const auto& count : kCounted) {
    if (growth.*count.growth == 0) continue;
    CHRONOS_TRY_VOID(writer.db.post(kGrow, count.name, growth.*count.growth));
  }
  return {};
}

Result<Stats> read_stats(Reader reader) {
  Stats stats;
  const auto read = [&stats](Columns& columns) {
    const auto name = columns.get<std::string>();
    const auto value = columns.get<std::int64_t>();
    for (const auto& count : kCounted) {
      if (count.name == name) stats.*count.stats = value;
    }
    return true;
  };
  CHRONOS_TRY_VOID(reader.db.for_each(kCounts, read));
  CHRONOS_TRY(const auto waiting, reader.db.one(kWaiting, column<std::int64_t>));
  stats.deliveries_waiting = waiting.value_or(0);
  CHRONOS_TRY(stats.oldest_ready_at, oldest_ready_at(reader.db));
  return stats;
}

}  // namespace chronos::store::sql
