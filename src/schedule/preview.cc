#include "schedule/preview.h"

#include "schedule/words.h"

namespace chronos::schedule {

Preview preview(const Schedule& schedule, Timestamp from, std::size_t count) {
  Preview preview{in_words(schedule), {}, schedule.warnings(from)};
  auto at = schedule.next_after(from);
  for (; at && preview.next.size() < count; at = schedule.next_after(*at)) {
    preview.next.push_back(schedule.describe(*at));
  }
  return preview;
}

}  // namespace chronos::schedule
