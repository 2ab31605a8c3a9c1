// The words that why.cc and why_live.cc share. Private to model/.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/time_text.h"
#include "model/why.h"

namespace chronos::why_words {

inline std::string at(Timestamp time) {
  return time == kNextStart ? "the next start of the server" : format_timestamp(time);
}

inline std::string times(std::int64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

inline Blocker policy_blocker(std::string_view field) {
  return {.kind = "policy", .name = std::string(field)};
}
inline Blocker run_blocker(const Run& run) {
  return {.kind = "run", .id = run.id.to_string(), .name = std::string(to_string(run.state))};
}
inline Blocker job_blocker(const Job& job) {
  return {.kind = "job", .id = job.id.to_string(), .name = job.spec->name};
}

Explanation explain_pause(const Job& job);            // why.cc
Explanation explain_live_run(const RunFacts& facts);  // why_live.cc

}  // namespace chronos::why_words
