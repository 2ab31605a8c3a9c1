// Runs whose job has limits (model/limits.h): the lines they wait in before `ready`, and the books
// of the keys. Used by live.cc and the changes; on the committer's thread, inside its transaction.
// A function that may let others through only notes the key (Writer::limits_touched): whoever makes
// a change calls open_lines() when it is done.
#pragma once

#include <cstdint>
#include <optional>

#include "model/limits.h"
#include "model/why.h"
#include "store/sql/live.h"

namespace chronos::store::sql {

Result<bool> has_limited(Connection& db);  // any live run at all
Result<Limits> limits_of(Connection& db, RunId run);
Result<void> put_limits(Connection& db, ProjectId project, RunId run, const Limits& limits);
// The run ends, or gets others: its slot is free. It is in no line.
Result<void> drop_limits(Writer& writer, ProjectId project, RunId run);

// In line for the run's next limit; false when it has passed all.
Result<bool> enter_line(Writer& writer, const LiveRun& run);
Result<std::int64_t> leave_line(Writer& writer, const LiveRun& run);  // how many rows that took
// It was let through and leaves `ready` without an attempt.
Result<void> will_not_start(Writer& writer, const LiveRun& run);
// An attempt of a run with a rate starts.
Result<void> count_start(Writer& writer, ProjectId project, RunId run, Timestamp now);

// Lets through whoever may pass in the lines that were touched.
Result<void> open_lines(Writer& writer, Timestamp now);
// Touches the lines that time alone has opened.
Result<void> touch_opening(Writer& writer, Timestamp now);
Result<std::optional<Timestamp>> next_opening(Connection& db);

// Of a run in line: what it waits for, counted no further than `ahead_max`.
Result<LimitStanding> limit_standing(Connection& db, const LiveRun& run, int ahead_max);
// Drops at most `limit` rows of what nobody will ask for again; how many.
Result<std::int64_t> forget_limits(Connection& db, Timestamp now, std::int64_t limit);

}  // namespace chronos::store::sql
