// When a job fires. (The compiled Schedule joins this header with the schedule module.)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace chronos {

// What to do with wall-clock times that a change of the clocks skips or repeats (schedule.md §7).
enum class DstPolicy { automatic, skip };

// The declared schedule of a job: a plain value. Exactly one of `at`, `cron`, `every`, or none
// (now).
struct ScheduleSpec {
  std::optional<Timestamp> at;
  std::vector<std::string> cron;
  std::optional<Duration> every;
  std::string timezone = "UTC";
  DstPolicy dst = DstPolicy::automatic;
  std::optional<Timestamp> start_at;  // inclusive
  std::optional<Timestamp> end_at;    // exclusive
  Timestamp anchor;                   // of `every` without start_at: when the job was created
  std::string seed;                   // of H: the job's key, else its name at creation

  bool operator==(const ScheduleSpec&) const = default;
};

}  // namespace chronos
