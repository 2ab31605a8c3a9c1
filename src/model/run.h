// What happened: a Run is one firing of a job for one planned instant, an Attempt one try of it, an
// Outcome what the try came to. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "model/run_state.h"

namespace chronos {

enum class Trigger { schedule, manual, retry, backfill, dependency };

enum class OutcomeKind { succeeded, failed, timed_out, lost, cancelled };

// What one attempt came to. A failing job is data, never an Error.
struct Outcome {
  OutcomeKind kind = OutcomeKind::failed;
  std::string reason;              // short and stable: "exit_code", "http_status", "connect", …
  std::string error;               // one line for people; empty on success
  std::optional<int> exit_code;    // command
  std::optional<int> signal;       // command
  std::optional<int> http_status;  // http
  std::optional<Duration> retry_after;  // what the target asked for
  std::string output;                   // bounded by the executor
  std::int64_t output_dropped = 0;      // bytes beyond the bound, counted and not kept
  bool has_live_output = false;         // some of it may be stored: AppendOutput
};

struct Attempt {
  int number = 0;  // 1, 2, …
  Timestamp started_at;
  Timestamp ended_at;
  std::string node;  // whose attempt it was
  Outcome outcome;   // `output` is empty when read back: Store::read_output has it
};

// The planned instant of a run that waits for the next start of the server (@reboot): it is known
// when that comes. Later than any time that can be written down.
inline constexpr Timestamp kNextStart =
    std::chrono::sys_days(std::chrono::year(10'000) / std::chrono::January / 1);

inline std::optional<Timestamp> known_instant(Timestamp planned_at) {
  return planned_at == kNextStart ? std::nullopt : std::optional(planned_at);
}

// A run as it is read: live or final. For a range row (`count` > 1) it stands for every instant of
// its job's schedule in [planned_at, planned_until].
struct Run {
  RunId id;
  JobId job;
  ProjectId project;
  std::string job_name;
  Trigger trigger = Trigger::schedule;
  RunState state = RunState::planned;
  std::string
      reason;  // why skipped, missed or cancelled: "overlap", "calendar", "down", "paused", …
  Timestamp planned_at;
  Duration jitter{};  // it is meant to start so long after planned_at
  std::optional<Timestamp> planned_until;
  std::int64_t count = 1;
  std::optional<Timestamp> queued_at;   // when it last became ready
  std::optional<Timestamp> started_at;  // of the first attempt
  std::optional<Timestamp> ended_at;
  std::optional<Timestamp> next_attempt_at;  // while retrying
  // Of the first attempt, after planned_at + jitter. Not of a backfill: its instants lay in the
  // past when it was asked for.
  std::optional<Duration> lateness;
  int attempts_made = 0;
  std::string node;   // of the running or last attempt
  std::string error;  // of the attempt; of a row that a calendar skipped: which calendar
  std::optional<int> exit_code;
  std::optional<int> http_status;
  std::optional<RunId> retry_of;
  bool is_cancel_requested = false;
  std::vector<Attempt> attempts;  // filled by Store::find_run only, oldest first
};

std::string_view to_string(Trigger trigger);
std::optional<Trigger> parse_trigger(std::string_view text);
std::string_view to_string(OutcomeKind kind);
std::optional<OutcomeKind> parse_outcome_kind(std::string_view text);

}  // namespace chronos
