// Expression: any schedule text of schedule.md §2: an optional TZ= prefix, then a cron expression,
// a nickname, "@every 90s", or a single time. schedule.cc and the command line call it.
// Plain value; parsing is pure except that it reads the tz database for the prefix.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "schedule/cron.h"
#include "schedule/schedule_error.h"
#include "schedule/timezone.h"

namespace chronos::schedule {

struct EveryText {
  std::chrono::seconds period;  // >= 1 s
};

struct InstantText {
  Timestamp at;
};

// A date-time without an offset: to be read in the job's zone, with the fixed rule of §7.
struct LocalText {
  std::chrono::local_time<Duration> at;
  int column = 1;  // of the time, for an error found only when the zone is known
  int length = 0;
};

struct Expression {
  std::optional<TimeZone> zone;  // of the TZ= prefix
  int zone_column = 0;           // of its name; 0 without a prefix
  std::variant<Cron, EveryText, InstantText, LocalText> body;
};

Parsed<Expression> parse_expression(std::string_view text, std::string_view seed = {});

// The instant of a local date-time; fails with `bad_time` if the zone skipped that whole date.
Parsed<Timestamp> resolve_local(const LocalText& local, const TimeZone& zone);

}  // namespace chronos::schedule
