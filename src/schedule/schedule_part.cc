#include "schedule/schedule_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace chronos::schedule {
namespace {

using std::chrono::days;
using std::chrono::seconds;

// The reading `months` later, on the same day of the month or the month's last.
WallTime months_later(WallTime start, std::int64_t months) {
  const auto midnight = std::chrono::floor<days>(start);
  const std::chrono::year_month_day date(midnight);
  const auto month = std::chrono::year_month(date.year(), date.month()) +
                     std::chrono::months(static_cast<int>(months));
  const std::chrono::year_month_day_last end(month.year(),
                                             std::chrono::month_day_last(month.month()));
  const auto day = std::min(date.day(), end.day());
  return std::chrono::local_days(month / day) + (start - midnight);
}

// W-last-run of a repetition that counts its instants.
template <class Rule>
void warn_last(const Rule& rule, const TimeZone& zone, std::vector<Warning>& found) {
  if (rule.last == EveryPart::kNoLast) return;
  const auto last = rule.latest_at_or_before(Timestamp::max());
  if (!last) return;
  found.push_back(
      {"W-last-run", "",
       "there is no time after " + format_wall(zone.wall(std::chrono::floor<seconds>(*last)))});
}

// W-gap: the first reading within the window that its zone skips.
void warn_gap(const CalendarPart& part, TimeWindow window, std::vector<Warning>& found) {
  for (auto k = part.index_at(window.from) + 1; k <= part.last; ++k) {
    const auto step = part.step(k);
    if (step.at >= window.until) return;
    if (!step.is_shifted) continue;
    found.push_back(
        {"W-gap", "",
         fmt::format("{} does not exist in {}: {}", format_wall(step.wall), part.zone.name(),
                     step.is_dropped ? std::string("it does not run then")
                                     : "it runs at " + format_wall(part.zone.wall(step.at)))});
    return;
  }
}

constexpr WallTime kLastWallTime =
    std::chrono::local_days(std::chrono::year(kLastYear + 1) / 1 / 1);

}  // namespace

CalendarPart::Step CalendarPart::step(std::int64_t k) const {
  const auto wall = months_later(start, k * period.months) + days(k * period.days);
  const auto shift = k * period.time;
  if (k == 0 && start_instant) return {wall, *start_instant};
  const auto resolved = zone.resolve(wall);
  const bool is_skipped = resolved.kind == WallKind::skipped;
  return {.wall = wall,
          .at = resolved.instant + shift,
          .is_shifted = is_skipped,
          .is_dropped = is_skipped && (policy == DstPolicy::skip || resolved.gap >= days(1))};
}

std::int64_t CalendarPart::index_at(Timestamp time) const {
  // No step is shorter than 28 days a month or its days, so this many reach beyond the horizon and
  // all that is added up stays small.
  const auto shortest = days(28 * std::int64_t{period.months} + period.days) + period.time;
  const auto reach = (kLastWallTime - std::min(start, kLastWallTime)) / shortest + 1;
  // Instants never go back as k grows: halve the numbers in question.
  std::int64_t low = first - 1;
  std::int64_t high = std::min(last, reach);
  while (low < high) {
    const auto middle = low + (high - low + 1) / 2;
    if (step(middle).at <= time) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

std::optional<Timestamp> CalendarPart::next_after(Timestamp after) const {
  for (auto k = index_at(after) + 1; k <= last; ++k) {
    const auto found = step(k);
    if (zone.wall(found.at) >= kLastWallTime) return std::nullopt;
    if (!found.is_dropped) return found.at;
  }
  return std::nullopt;
}

std::optional<Timestamp> CalendarPart::latest_at_or_before(Timestamp time) const {
  for (auto k = index_at(time); k >= first; --k) {
    const auto found = step(k);
    if (!found.is_dropped && zone.wall(found.at) < kLastWallTime) return found.at;
  }
  return std::nullopt;
}

bool CalendarPart::is_shifted(Timestamp at) const {
  const auto k = index_at(at);
  return k >= first && step(k).is_shifted && step(k).at == at;
}

const TimeZone* Schedule::Part::zone() const {
  if (const auto* cron = std::get_if<CronPart>(&rule)) return &cron->zone;
  if (const auto* calendar = std::get_if<CalendarPart>(&rule)) return &calendar->zone;
  return nullptr;
}

bool Schedule::Part::is_shifted(Timestamp at) const {
  if (const auto* calendar = std::get_if<CalendarPart>(&rule)) return calendar->is_shifted(at);
  const auto* cron = std::get_if<CronPart>(&rule);
  return cron != nullptr && latest_at_or_before(at) == at &&
         !cron->cron.matches(cron->zone.wall(std::chrono::floor<seconds>(at)));
}

std::vector<Warning> part_warnings(const Schedule::Part& part, const TimeZone& zone,
                                   TimeWindow window) {
  std::vector<Warning> found;
  if (const auto* cron = std::get_if<CronPart>(&part.rule)) {
    found = text_warnings(cron->cron);
    for (auto& warning : time_warnings(cron->cron, cron->zone, cron->policy, window)) {
      found.push_back(std::move(warning));
    }
  } else if (const auto* every = std::get_if<EveryPart>(&part.rule)) {
    warn_last(*every, zone, found);
  } else if (const auto* calendar = std::get_if<CalendarPart>(&part.rule)) {
    warn_last(*calendar, calendar->zone, found);
    warn_gap(*calendar, window, found);
  }
  return found;
}

}  // namespace chronos::schedule
