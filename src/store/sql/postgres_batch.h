// Many changes in a few statements, for a database that is a round trip away: what apply() does row
// by row, with whole columns for parameters. Called by SqlStore on the committer's thread, inside
// its transaction, on a connection that takes arrays.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "store/changes.h"
#include "store/sql/reads.h"
#include "store/sql/ready_queue.h"
#include "store/sql/writer.h"

namespace chronos::store::sql {

// Whether a change is of the common sort that goes together with others; the rest is for apply().
bool goes_together(const SubmitJob& change);
bool goes_together(const SettleRun& change);

// As apply() would, each in its turn. No job or run comes twice. The whole fails when the
// transaction is spoilt.
Result<std::vector<Result<JobAnswer>>> submit_all(Writer& writer,
                                                  std::span<const SubmitJob* const> changes);
Result<std::vector<Result<SettleRun::Answer>>> settle_all(
    Writer& writer, std::span<const SettleRun* const> changes);

// Leases for runs that were taken from `ready`, with tokens from `token` on.
Result<std::vector<ClaimedRun>> lease_all(Writer& writer, const ClaimRuns& change,
                                          std::span<const ReadyRun> runs, std::int64_t token);

// Runs that are leased, of these; in no order.
Result<std::vector<LiveRun>> find_all_leased(Connection& db, const std::vector<RunId>& runs);

// Attempts of workers whose time is over by the database's clock, in the order in which it ended.
Result<std::vector<LiveRun>> find_all_overdue(Connection& db, int limit);

// What a claim tells of a run's job.
struct Declared {
  std::int64_t spec = 0;  // specs.id
  std::int64_t failure_streak = 0;
};
// Of the jobs of these runs, with their declarations in the cache.
Result<std::unordered_map<JobId, Declared>> declared_all(Reader reader,
                                                         const std::vector<LiveRun>& runs);

}  // namespace chronos::store::sql
