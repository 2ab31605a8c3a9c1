// What became of the instants of a job: its history as the store has it. For backfill.cc and
// reasons.cc; blocks.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "model/backfill.h"
#include "store/store.h"

namespace chronos::service {

// Every run and row of the job, newest first; only those planned before `until` when given.
Result<void> for_each_run(const store::Store& store, const Job& job, std::optional<Timestamp> until,
                          const std::function<void(const Run&)>& function);

// Rows that Prune left tell nothing about single instants and are passed over, and so is what a
// calendar excluded: nobody wanted it.
Result<InstantHistory> read_history(const store::Store& store, const Job& job, Timestamp until);

// Up to here the schedule has given its answers and will give no other: what lies after is its own.
Timestamp answered_through(const Job& job, Timestamp now);

// The reason of rows that wait for a decision.
inline constexpr std::string_view kAsk = "ask";

// Instants that were missed with reason "ask" and that no backfill has made up for.
struct Undecided {
  std::int64_t count = 0;
  Timestamp first;
  Timestamp last;
};
Result<std::optional<Undecided>> read_undecided(const store::Store& store, const Job& job,
                                                Timestamp now);

}  // namespace chronos::service
