// The changes of store/changes.h, one function each, in the sql_*.cc file of their noun. Called by
// SqlStore on the committer's thread, inside its transaction. A refusal has written nothing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/changes.h"
#include "store/sql/writer.h"

namespace chronos::store::sql {

// sql_jobs.cc
Result<JobAnswer> apply(Writer& writer, const SubmitJob& change);
Result<JobAnswer> apply(Writer& writer, const ReplaceJob& change);
Result<JobAnswer> apply(Writer& writer, const CancelJob& change);
// As apply() would, each in its turn, their rows together: for a database at hand. Of the common
// sort (goes_together()), and no job twice. Fails as a whole when the transaction is spoilt.
Result<std::vector<Result<JobAnswer>>> submit_rows(Writer& writer,
                                                   std::span<const SubmitJob* const> changes);
std::string spec_text_of(const SubmitJob& change);  // for `specs`
Job fresh_job(const SubmitJob& change);             // what a reader would see of one just submitted
// Answers with the holder of the submission's unique key, as judge_unique() decides; nothing when
// the job is to be made. sql_unique.cc
Result<std::optional<JobAnswer>> meet_holder(Writer& writer, const SubmitJob& change);
Result<void> take_unique_key(Writer& writer, const Job& job, Timestamp now);
// sql_runs.cc
Result<RunAnswer> apply(Writer& writer, const RunJob& change);
Result<Backfill::Answer> apply(Writer& writer, const Backfill& change);  // sql_backfill.cc
Result<RunAnswer> apply(Writer& writer, const CancelRun& change);
// sql_calendars.cc
Result<CalendarAnswer> apply(Writer& writer, const PutCalendar& change);
Result<CalendarAnswer> apply(Writer& writer, const DeleteCalendar& change);
// sql_channels.cc
Result<ChannelAnswer> apply(Writer& writer, const PutChannel& change);
Result<ChannelAnswer> apply(Writer& writer, const DeleteChannel& change);
// sql_bulks.cc
Result<BulkAnswer> apply(Writer& writer, const PutBulk& change);
Result<BulkAnswer> apply(Writer& writer, const MoveBulk& change);
// sql_planning.cc
Result<std::int64_t> apply(Writer& writer, const ReleaseDue& change);
Result<CommitPlan::Answer> apply(Writer& writer, const CommitPlan& change);
Result<NoteZones::Answer> apply(Writer& writer, const NoteZones& change);
// sql_claims.cc
Result<ClaimRuns::Answer> apply(Writer& writer, const ClaimRuns& change);
Result<SettleRun::Answer> apply(Writer& writer, const SettleRun& change);
Result<Heartbeat::Answer> apply(Writer& writer, const Heartbeat& change);
// sql_output.cc
Result<AppendOutput::Answer> apply(Writer& writer, const AppendOutput& change);
// What was stored of an attempt's output while it went on goes, for it is settled; into `output`
// when its outcome has none.
Result<void> end_running_output(Writer& writer, const SettleRun& change, std::string& output);
// sql_workers.cc
Result<WorkerTurn::Answer> apply(Writer& writer, const WorkerTurn& change);
// sql_deliveries.cc
Result<ClaimDeliveries::Answer> apply(Writer& writer, const ClaimDeliveries& change);
Result<FinishDelivery::Answer> apply(Writer& writer, const FinishDelivery& change);
Result<AddDeliveries::Answer> apply(Writer& writer, const AddDeliveries& change);
// sql_audit.cc
Result<AddAudit::Answer> apply(Writer& writer, const AddAudit& change);
// sql_access.cc
Result<Project> apply(Writer& writer, const PutProject& change);
Result<Bootstrap::Answer> apply(Writer& writer, const Bootstrap& change);
Result<Key> apply(Writer& writer, const PutKey& change);
Result<Key> apply(Writer& writer, const RevokeKey& change);
Result<TouchKeys::Answer> apply(Writer& writer, const TouchKeys& change);
Result<Session> apply(Writer& writer, const PutSession& change);
Result<EndSession::Answer> apply(Writer& writer, const EndSession& change);
// sql_prune.cc
Result<std::int64_t> apply(Writer& writer, const Prune& change);

// sql_claims.cc: running runs of the holder that should stop.
Result<std::vector<RunId>> runs_to_cancel(Connection& db, NodeId holder);
// sql_workers.cc: the holder lives; refused as Heartbeat says. What is known of it, if it is a
// worker.
Result<WorkerInfo> hear(Writer& writer, const Heartbeat& change);

// sql_versions.cc: the declaration that `before` had stays as one of its versions; and what a new
// one says of itself.
Result<void> keep_version(Connection& db, const Job& before, std::int64_t spec);
Result<void> say_version(Connection& db, const Job& job, std::int64_t spec,
                         std::optional<KeyId> by);

// Writes what the transaction adds to the totals, before it commits (sql_totals.cc).
Result<void> write_totals(Writer& writer);

// sql_calendars.cc: unknown_calendar() for a name that the project does not have.
Result<void> check_calendars(Connection& db, const Job& job);
Result<void> put_calendar_names(Connection& db, const Job& job, bool is_new);
Result<bool> are_current(Connection& db, ProjectId project,
                         const std::vector<CalendarVersion>& calendars);

// Writes deliveries that are not there yet (sql_deliveries.cc).
Result<void> add_deliveries(Connection& db, const std::vector<Delivery>& deliveries);

}  // namespace chronos::store::sql
