// What a schedule will do: its words, its next instants, its warnings. For
// GET /api/schedule/preview and `chronos cron`; the same code as the scheduler's, so that what is
// shown is what will happen. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.h"
#include "schedule/schedule.h"

namespace chronos::schedule {

struct Preview {
  std::string words;
  std::vector<Occurrence> next;
  std::vector<Warning> warnings;
};

// The first `count` instants after `from`; fewer if the schedule ends. A schedule for "now" has
// none. A one-time schedule in the past has none here, though it would run at once.
Preview preview(const Schedule& schedule, Timestamp from, std::size_t count);

}  // namespace chronos::schedule
