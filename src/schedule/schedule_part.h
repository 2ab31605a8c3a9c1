// The parts a compiled Schedule is the union of: cron expressions, intervals, single times and
// starts of the server, each with the same two questions. Internal to this folder. Immutable,
// thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <variant>
#include <vector>

#include "schedule/cron.h"
#include "schedule/expression.h"
#include "schedule/schedule.h"
#include "schedule/timezone.h"

namespace chronos::schedule {

// A cron expression in its zone.
struct CronPart {
  Cron cron;
  TimeZone zone;
  DstPolicy policy;

  std::optional<Timestamp> next_after(Timestamp after) const {
    return cron.next(after, zone, policy);
  }
  std::optional<Timestamp> latest_at_or_before(Timestamp time) const {
    return cron.prev(time + Duration(1), zone, policy);
  }
};

// anchor + k * period, first <= k <= last.
struct EveryPart {
  Timestamp anchor;
  Duration period;
  std::int64_t first = 1;
  std::int64_t last = kNoLast;
  bool has_own_start = false;  // the anchor stands in the text: words name it

  static constexpr auto kNoLast = std::numeric_limits<std::int64_t>::max();

  std::optional<Timestamp> next_after(Timestamp after) const;
  std::optional<Timestamp> latest_at_or_before(Timestamp time) const;

  // The largest k with anchor + k * period <= time; negative before the anchor.
  std::int64_t index_at(Timestamp time) const;
};

// An ISO 8601 repetition by the calendar: the k-th instant is `start` + k periods, always counted
// from the start, so that the 31st comes back after a short month; then read in the zone by the
// fixed rule of schedule.md §7; then k times the period's time part later. first <= k <= last.
struct CalendarPart {
  WallTime start;
  std::optional<Instant> start_instant;  // k = 0, when the start is more than a reading
  Period period;
  TimeZone zone;
  DstPolicy policy = DstPolicy::automatic;
  std::int64_t first = 0;
  std::int64_t last = EveryPart::kNoLast;
  bool has_own_start = false;

  std::optional<Timestamp> next_after(Timestamp after) const;
  std::optional<Timestamp> latest_at_or_before(Timestamp time) const;

  // Whether the instant was moved out of a gap.
  bool is_shifted(Timestamp at) const;

  // The reading of the k-th instant, and what became of it.
  struct Step {
    WallTime wall;
    Instant at;
    bool is_shifted = false;
    bool is_dropped = false;  // a date that never was; any gap with `skip`
  };
  Step step(std::int64_t k) const;

  // The largest k in [first, last] whose instant is <= time; first - 1 if there is none.
  std::int64_t index_at(Timestamp time) const;
};

struct OncePart {
  Timestamp at;

  std::optional<Timestamp> next_after(Timestamp after) const {
    return at > after ? std::optional(at) : std::nullopt;
  }
  std::optional<Timestamp> latest_at_or_before(Timestamp time) const {
    return at <= time ? std::optional(at) : std::nullopt;
  }
};

// The starts of the server: their instants cannot be known before.
struct StartUpPart {
  static std::optional<Timestamp> next_after(Timestamp) { return std::nullopt; }
  static std::optional<Timestamp> latest_at_or_before(Timestamp) { return std::nullopt; }
};

struct Schedule::Part {
  std::variant<OncePart, EveryPart, CronPart, CalendarPart, StartUpPart> rule;

  std::optional<Timestamp> next_after(Timestamp after) const {
    return std::visit([&](const auto& part) { return part.next_after(after); }, rule);
  }
  std::optional<Timestamp> latest_at_or_before(Timestamp time) const {
    return std::visit([&](const auto& part) { return part.latest_at_or_before(time); }, rule);
  }

  // The zone it is read in; null if it is read in none.
  const TimeZone* zone() const;
  bool is_shifted(Timestamp at) const;
};

// Odd but legal; `zone` shows the times of a part that has no zone of its own.
std::vector<Warning> part_warnings(const Schedule::Part& part, const TimeZone& zone,
                                   TimeWindow window);

}  // namespace chronos::schedule
