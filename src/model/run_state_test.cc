#include "model/run_state.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

TEST(RunState, NamesRoundTrip) {
  for (const auto state : kRunStates) EXPECT_EQ(parse_run_state(to_string(state)), state);
  EXPECT_FALSE(parse_run_state("done"));
}

TEST(RunState, FinalStatesNeverMove) {
  for (const auto from : kRunStates) {
    for (const auto to : kRunStates) {
      if (!is_final(from) && from != to) continue;
      EXPECT_FALSE(may_move(from, to)) << to_string(from);
    }
  }
}

TEST(RunState, EveryStateCanBeReachedAndEveryLiveOneCanEnd) {
  for (const auto state : kRunStates) {
    bool is_reached = state == RunState::planned;
    bool can_end = is_final(state);
    for (const auto other : kRunStates) {
      is_reached = is_reached || may_move(other, state);
      can_end = can_end || (may_move(state, other) && is_final(other));
    }
    EXPECT_TRUE(is_reached) << to_string(state);
    EXPECT_TRUE(can_end) << to_string(state);
  }
}

}  // namespace
}  // namespace chronos
