// Jitter: how long after its planned instant a run starts, so that what is planned for one instant
// does not start at one instant. Pure: an offset is worked out from names, never drawn, so that
// whoever asks again, or after a restart, is told the same.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace chronos::schedule {

enum class JitterMode {
  random,  // another offset for every instant
  stable,  // the same for all instants of a job
};

std::string_view to_string(JitterMode mode);
std::optional<JitterMode> parse_jitter_mode(std::string_view text);

struct StartJitter {
  Duration max{};  // exclusive; at least 1 ms, at most a day
  JitterMode mode = JitterMode::random;

  bool operator==(const StartJitter&) const = default;
};

// Whose instants they are.
struct JitterSeeds {
  std::string_view stable;  // as for H: the job's key, else its name when it was created
  std::string_view random;  // the job's id: two jobs of one name differ
};

// In [0, max), whole milliseconds.
Duration offset_of(const StartJitter& jitter, const JitterSeeds& seeds, Timestamp instant);

class Schedule;

// Fails with a field error at /jitter unless it is shorter than every interval between the next
// instants of the schedule (the first few hundred): a run starts before the next one is planned.
Result<void> check_jitter(const Schedule& schedule, Timestamp now);

}  // namespace chronos::schedule
