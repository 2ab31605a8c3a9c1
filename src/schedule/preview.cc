#include "schedule/preview.h"

#include "schedule/words.h"

namespace chronos::schedule {

namespace {

constexpr Duration kTick{1};
constexpr auto kPreviewSpan = std::chrono::days(4 * 366);

// From `at`, which `calendar` excludes, to the last instant before the calendars change.
Excluded excluded_from(const Schedule& schedule, Timestamp at, const std::string& calendar,
                       const CalendarSet& calendars, Timestamp horizon) {
  const auto change = calendars.next_change(at, horizon);
  const auto last = schedule.latest_at_or_before(change - kTick).value_or(at);
  return {schedule.describe(at), schedule.describe(last), calendar};
}

}  // namespace

std::optional<Excluded> excluded_next(const Schedule& schedule, Timestamp from,
                                      const CalendarSet& calendars) {
  const auto at = schedule.next_after(from);
  const auto horizon = from + kPreviewSpan;
  if (!at || *at >= horizon) return std::nullopt;
  const auto* calendar = calendars.excluder(*at);
  if (calendar == nullptr) return std::nullopt;
  return excluded_from(schedule, *at, *calendar, calendars, horizon);
}

Preview preview(const Schedule& schedule, Timestamp from, std::size_t count,
                const CalendarSet& calendars) {
  constexpr std::size_t kExcludedMax = 400;
  const auto horizon = from + kPreviewSpan;
  Preview preview{in_words(schedule), {}, {}, schedule.warnings(from)};
  auto at = schedule.next_after(from);
  while (at && preview.next.size() < count && preview.excluded.size() < kExcludedMax) {
    const auto* calendar = calendars.excluder(*at);
    if (calendar == nullptr) {
      preview.next.push_back(schedule.describe(*at));
      at = schedule.next_after(*at);
      continue;
    }
    if (*at >= horizon) break;
    preview.excluded.push_back(excluded_from(schedule, *at, *calendar, calendars, horizon));
    at = schedule.next_after(preview.excluded.back().through.at);
  }
  return preview;
}

}  // namespace chronos::schedule
