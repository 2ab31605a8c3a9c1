#include "schedule/jitter.h"

#include <fmt/format.h>

#include <chrono>

#include "base/time_text.h"
#include "schedule/cron_syntax.h"
#include "schedule/schedule.h"

namespace chronos::schedule {

using std::chrono::milliseconds;

std::string_view to_string(JitterMode mode) {
  return mode == JitterMode::random ? "random" : "stable";
}

std::optional<JitterMode> parse_jitter_mode(std::string_view text) {
  if (text == "random") return JitterMode::random;
  if (text == "stable") return JitterMode::stable;
  return std::nullopt;
}

Duration offset_of(const StartJitter& jitter, const JitterSeeds& seeds, Timestamp instant) {
  constexpr char kLetter = 'j';  // beside those of the fields (schedule.md, "Hash")
  const auto steps = static_cast<int>(jitter.max / milliseconds(1));
  const auto hash =
      jitter.mode == JitterMode::stable
          ? field_hash(seeds.stable, kLetter)
          : field_hash(fmt::format("{} {}", seeds.random, to_micros(instant)), kLetter);
  return milliseconds(pick(hash, steps));
}

Result<void> check_jitter(const Schedule& schedule, Timestamp now) {
  constexpr int kIntervals = 400;
  const auto& jitter = schedule.spec().jitter;
  if (!jitter) return {};
  auto at = schedule.next_after(now);
  for (int i = 0; at && i < kIntervals; ++i) {
    const auto next = schedule.next_after(*at);
    if (next && *next - *at <= jitter->max) {
      return fail_field("/jitter", "out_of_range",
                        fmt::format("{} is not shorter than the {} from {} to the next instant",
                                    format_duration(jitter->max), format_duration(*next - *at),
                                    format_timestamp(*at)));
    }
    at = next;
  }
  return {};
}

}  // namespace chronos::schedule
