// What a schedule will do: its words, its next instants, its warnings. For
// GET /api/schedule/preview and `chronos cron`; the same code as the scheduler's, so that what is
// shown is what will happen. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "schedule/calendar.h"
#include "schedule/schedule.h"

namespace chronos::schedule {

// Instants in a row that a calendar excludes.
struct Excluded {
  Occurrence from;
  Occurrence through;
  std::string calendar;
};

struct Preview {
  std::string words;
  std::vector<Occurrence> next;
  std::vector<Excluded> excluded;  // before the last of `next`
  std::vector<Warning> warnings;
};

// The next instants after `from`, when one of `calendars` excludes the first of them.
std::optional<Excluded> excluded_next(const Schedule& schedule, Timestamp from,
                                      const CalendarSet& calendars);

// The first `count` instants after `from` that `calendars` leave open; fewer if the schedule ends,
// or if none is found within four years. A schedule for "now" has none. A one-time schedule in the
// past has none here, though it would run at once.
Preview preview(const Schedule& schedule, Timestamp from, std::size_t count,
                const CalendarSet& calendars = {});

}  // namespace chronos::schedule
