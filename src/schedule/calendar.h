// Calendar: days and times that the jobs which name it keep away from (blackout) or keep to
// (business). CalendarSpec is what the user declared, a plain value; Calendar the compiled form
// that the planner asks. All rules are readings of the clock on the wall, so an hour that comes
// twice is covered twice. Pure: no clock, and no I/O except that compile() reads the tz database.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace chronos::schedule {

enum class CalendarKind { blackout, business };

std::string_view to_string(CalendarKind kind);
std::optional<CalendarKind> parse_calendar_kind(std::string_view text);

struct WeeklyWindow {
  std::vector<std::string> days;  // "SAT", "MON-FRI"; empty = every day
  std::string from = "00:00";
  std::string to = "24:00";  // exclusive; not later than `from`: on the next day

  bool operator==(const WeeklyWindow&) const = default;
};

// An event of an iCalendar file (icalendar.h).
struct CalendarEvent {
  std::string summary;
  std::string start;     // "2026-12-24": whole days; "2026-12-24T09:00:00": at that reading
  std::string timezone;  // in which `start` is read; empty = the calendar's
  Duration duration = std::chrono::hours(24);  // of the clock on the wall
  std::string repeat;  // an RRULE without its name, "FREQ=YEARLY"; empty = once (repeat_rule.h)
  std::vector<std::string> except;  // "2027-12-24": repetitions that begin then do not take place

  bool operator==(const CalendarEvent&) const = default;
};

struct CalendarSpec {
  CalendarKind kind = CalendarKind::blackout;
  std::string timezone = "UTC";
  // Whole days: "2026-12-24", "2026-12-24/2027-01-01" (both included), or every year "12-25",
  // "12-24/01-01".
  std::vector<std::string> dates;
  std::vector<WeeklyWindow> weekly;
  std::vector<CalendarEvent> events;

  bool operator==(const CalendarSpec&) const = default;
};

// Immutable, cheap to copy, thread-safe.
class Calendar {
 public:
  // Fails with Reason::invalid_fields and every fault found: pointers /timezone, /dates/3,
  // /weekly/0/days/1, /events/2/repeat…
  static Result<Calendar> compile(const CalendarSpec& spec);

  // Whether no job that names it may fire at `time`.
  bool excludes(Timestamp time) const;

  // The first instant after `time` at which excludes() is another than at `time`; `limit` when
  // there is none before. Takes about a microsecond for a day that lies between.
  Timestamp next_change(Timestamp time, Timestamp limit) const;

  // False once the tz database has changed one of its zones: compile again.
  bool is_current() const;

 private:
  struct Data;
  explicit Calendar(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

  std::shared_ptr<const Data> data_;  // shared by copies: never changes
};

// The calendars of one job, in the order it names them. An instant is open when none excludes it.
class CalendarSet {
 public:
  void add(std::string name, Calendar calendar);
  bool empty() const { return calendars_.empty(); }

  // The name of the first that excludes `time`; null when it is open.
  const std::string* excluder(Timestamp time) const;

  // The first instant after `time` at which excluder() is another than at `time`; `limit` when
  // there is none before.
  Timestamp next_change(Timestamp time, Timestamp limit) const;

 private:
  struct Named {
    std::string name;
    Calendar calendar;
  };
  std::size_t first_excluding(Timestamp time) const;  // calendars_.size() = none

  std::vector<Named> calendars_;
};

}  // namespace chronos::schedule
