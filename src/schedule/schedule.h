// Schedule: when a job fires. Start here. ScheduleSpec is what the user declared (a plain value,
// stored with the job); Schedule is the compiled form that the planner asks for instants, built
// from cron expressions (cron.h), intervals or one time. Pure: no clock, and no I/O except that
// compile() reads the tz database. The rules are those of schedule.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "schedule/cron.h"
#include "schedule/jitter.h"
#include "schedule/timezone.h"

namespace chronos::schedule {

enum class ScheduleKind { now, once, cron, every };

std::string_view to_string(ScheduleKind kind);

struct ScheduleSpec {
  std::optional<Timestamp> at;    // `scheduled_time`
  std::vector<std::string> cron;  // an instant hit by several expressions is one instant
  std::optional<Duration> every;  // elapsed time, >= 1 s
  std::string timezone = "UTC";   // "UTC" counts as not given beside a TZ= prefix
  DstPolicy dst = DstPolicy::automatic;
  std::optional<Timestamp> start_at;   // inclusive
  std::optional<Timestamp> end_at;     // exclusive
  std::optional<StartJitter> jitter;   // of the starts: instants stay where they are
  std::vector<std::string> calendars;  // names; Schedule's instants do not know them (calendar.h)
  Timestamp anchor{};  // when the job was created; intervals count from it unless start_at is given
  std::string seed;    // for H, ~ and jitter: the job's key, else its name when it was created

  // By the first of at, cron, every that is given.
  ScheduleKind kind() const;

  bool operator==(const ScheduleSpec&) const = default;
};

// An instant and how it came about.
struct Occurrence {
  Timestamp at;
  std::string local;                   // RFC 3339 with the zone's offset
  std::optional<std::string> shifted;  // "gap": its reading was skipped, this is the gap's end

  bool operator==(const Occurrence&) const = default;
};

// Immutable, cheap to copy, thread-safe. The functions that look for instants do not allocate.
class Schedule {
 public:
  // Fails with Reason::invalid_fields and every fault found: pointers /scheduled_time, /cron or
  // /cron/1, /every, /timezone, /start_at, /end_at. Forms that are planned but not built yet fail
  // with Reason::not_supported_yet.
  static Result<Schedule> compile(const ScheduleSpec& spec);

  // The first instant > `after`; the last <= `time`. Within [start_at, end_at).
  std::optional<Timestamp> next_after(Timestamp after) const;
  std::optional<Timestamp> latest_at_or_before(Timestamp time) const;

  struct Window {
    Timestamp after;    // exclusive
    Timestamp through;  // inclusive
  };
  // The number of instants in the window, but not more than `limit`. One interval is counted by
  // division, one cron expression by days; several expressions take one search per instant.
  std::int64_t count_between(Window window, std::int64_t limit) const;

  // Reason::schedule_never_fires if it has no instant after `now`, or if one of its expressions
  // has none at all (30 February). Always fine for now and once: a past time runs at once.
  Result<void> check_fires_after(Timestamp now) const;

  // Odd but legal; some depend on the next two years, hence `now`.
  std::vector<Warning> warnings(Timestamp now) const;

  // False once the tz database has changed one of its zones: compile again, plan again.
  bool is_current() const;

  bool is_recurring() const;
  // "@reboot": it fires at every start of the server, and no function here can name those instants.
  bool is_start_up() const;
  ScheduleKind kind() const;
  const ScheduleSpec& spec() const;

  // The zone in which its instants are shown: of the TZ= prefix if every expression has the same
  // one, else the job's.
  const TimeZone& zone() const;

  // `at` must be one of its instants.
  Occurrence describe(Timestamp at) const;

  // The parsed expressions, for words.h. Empty for now and once, and for `every`.
  struct Part;
  const std::vector<Part>& parts() const;

 private:
  struct Data;
  explicit Schedule(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

  std::shared_ptr<const Data> data_;  // shared by copies: never changes
};

}  // namespace chronos::schedule
