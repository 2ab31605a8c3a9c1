#include "model/run_state.h"

#include <algorithm>
#include <cstddef>

namespace chronos {
namespace {

using enum RunState;

struct Row {
  RunState state;
  std::string_view name;
  std::array<RunState, 7> next;  // padded with the state itself, which is never a move
};

constexpr std::array<Row, 11> kMoves = {{
    {planned, "planned", {queued, running, cancelled, skipped, missed, planned, planned}},
    {queued, "queued", {running, cancelled, skipped, missed, queued, queued, queued}},
    {running, "running", {retrying, succeeded, failed, timed_out, lost, cancelled, queued}},
    {retrying, "retrying", {running, queued, failed, timed_out, lost, cancelled, retrying}},
    {succeeded,
     "succeeded",
     {succeeded, succeeded, succeeded, succeeded, succeeded, succeeded, succeeded}},
    {failed, "failed", {failed, failed, failed, failed, failed, failed, failed}},
    {timed_out,
     "timed_out",
     {timed_out, timed_out, timed_out, timed_out, timed_out, timed_out, timed_out}},
    {lost, "lost", {lost, lost, lost, lost, lost, lost, lost}},
    {cancelled,
     "cancelled",
     {cancelled, cancelled, cancelled, cancelled, cancelled, cancelled, cancelled}},
    {skipped, "skipped", {skipped, skipped, skipped, skipped, skipped, skipped, skipped}},
    {missed, "missed", {missed, missed, missed, missed, missed, missed, missed}},
}};

const Row& row_of(RunState state) {
  return kMoves[static_cast<std::size_t>(state)];
}

}  // namespace

std::string_view to_string(RunState state) {
  return row_of(state).name;
}

std::optional<RunState> parse_run_state(std::string_view text) {
  const auto found = std::ranges::find(kMoves, text, &Row::name);
  return found == kMoves.end() ? std::nullopt : std::optional(found->state);
}

bool is_final(RunState state) {
  return state >= succeeded;
}

bool may_move(RunState from, RunState to) {
  return from != to && std::ranges::find(row_of(from).next, to) != row_of(from).next.end();
}

}  // namespace chronos
