#include "schedule/preview.h"

#include "schedule/words.h"

namespace chronos::schedule {

Preview preview(const Schedule& schedule, Timestamp from, std::size_t count,
                const CalendarSet& calendars) {
  constexpr Duration kTick{1};
  constexpr std::size_t kExcludedMax = 400;
  const auto horizon = from + std::chrono::days(4 * 366);
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
    const auto change = calendars.next_change(*at, horizon);
    const auto last = schedule.latest_at_or_before(change - kTick).value_or(*at);
    preview.excluded.push_back({schedule.describe(*at), schedule.describe(last), *calendar});
    at = schedule.next_after(last);
  }
  return preview;
}

}  // namespace chronos::schedule
