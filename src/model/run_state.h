// The states of a run and the only table of legal moves (docs/run-states.md draws it). Pure.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace chronos {

enum class RunState {
  planned,    // its instant lies ahead
  queued,     // its instant has come; waits for a slot, or behind an earlier run of its job
  running,    // an attempt holds a lease
  retrying,   // an attempt failed; waits for the next one
  succeeded,  // final from here on
  failed,
  timed_out,
  lost,
  cancelled,
  skipped,  // with a reason: overlap, …
  missed,   // with a reason: down, paused, window
};

inline constexpr std::array kRunStates = {
    RunState::planned,   RunState::queued,  RunState::running,   RunState::retrying,
    RunState::succeeded, RunState::failed,  RunState::timed_out, RunState::lost,
    RunState::cancelled, RunState::skipped, RunState::missed};

std::string_view to_string(RunState state);
std::optional<RunState> parse_run_state(std::string_view text);

bool is_final(RunState state);

// Final states never move. Stores check every move with this and stop on an illegal one.
bool may_move(RunState from, RunState to);

}  // namespace chronos
