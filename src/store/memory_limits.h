// Limits by key in a MemoryStore; the rules are those of sql/limited.h. Used by memory_*.cc only.
#pragma once

#include <cstdint>
#include <optional>

#include "model/why.h"
#include "store/memory_tables.h"

namespace chronos::store::memory {

// Called by insert() and take(): where the limits of a run that enters `ready` put it, and what
// leaving its place means to its key.
void enter_ready_or_line(Tables& tables, LiveRun& run);
void leave_limits(Tables& tables, LiveRun& run);
void give_slot_back(Tables& tables, LiveRun& run);
void count_start(Tables& tables, const LiveRun& run, Timestamp now);
// Every change ends with it.
void open_lines(Tables& tables, Timestamp now);
void touch_opening(Tables& tables, Timestamp now);
std::optional<Timestamp> next_opening(const Tables& tables);
std::optional<LimitStanding> limit_standing(const Tables& tables, const LiveRun& run,
                                            int ahead_max);
std::int64_t forget_limits(Tables& tables, Timestamp now, std::int64_t limit);

}  // namespace chronos::store::memory
