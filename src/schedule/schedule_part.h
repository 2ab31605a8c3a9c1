// The parts a compiled Schedule is the union of: cron expressions, intervals and single times, each
// with the same two questions. Internal to this folder. Immutable, thread-safe.
#pragma once

#include <optional>
#include <variant>

#include "schedule/cron.h"
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

// anchor + k * period, k >= first.
struct EveryPart {
  Timestamp anchor;
  Duration period;
  std::int64_t first = 1;

  std::optional<Timestamp> next_after(Timestamp after) const;
  std::optional<Timestamp> latest_at_or_before(Timestamp time) const;

  // The largest k with anchor + k * period <= time; negative before the anchor.
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

struct Schedule::Part {
  std::variant<OncePart, EveryPart, CronPart> rule;

  std::optional<Timestamp> next_after(Timestamp after) const {
    return std::visit([&](const auto& part) { return part.next_after(after); }, rule);
  }
  std::optional<Timestamp> latest_at_or_before(Timestamp time) const {
    return std::visit([&](const auto& part) { return part.latest_at_or_before(time); }, rule);
  }
};

}  // namespace chronos::schedule
