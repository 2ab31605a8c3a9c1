// Expression: any schedule text: an optional TZ= prefix, then a cron expression, a nickname,
// "@every 90s", "@reboot", a single time, an ISO 8601 repetition, or another scheduler's spelling
// (AWS, Quartz, systemd). schedule.cc and the command line call it. Plain value; parsing is pure
// except that it reads the tz database for the prefix.
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

// Years and months have no fixed length, and days none where clocks change; the time part is
// elapsed time. Never all zero.
struct Period {
  int months = 0;
  int days = 0;
  std::chrono::seconds time{0};

  bool is_elapsed() const { return months == 0 && days == 0; }
  bool operator==(const Period&) const = default;
};

// ISO 8601 "R5/2026-01-31T09:00:00/P1M".
struct RepeatText {
  std::optional<std::variant<InstantText, LocalText>> start;  // whole seconds
  Period period;
  std::optional<std::int64_t> count;  // of all its instants; none = no end
};

// "@reboot": at every start of the server.
struct StartUpText {};

using ExpressionBody =
    std::variant<Cron, EveryText, InstantText, LocalText, RepeatText, StartUpText>;

struct Expression {
  std::optional<TimeZone> zone;  // of the TZ= prefix, or behind a systemd text
  int zone_column = 0;           // of its name; 0 without one
  ExpressionBody body;
};

Parsed<Expression> parse_expression(std::string_view text, std::string_view seed = {});

// The instant of a local date-time; fails with `bad_time` if the zone skipped that whole date.
Parsed<Timestamp> resolve_local(const LocalText& local, const TimeZone& zone);

}  // namespace chronos::schedule
