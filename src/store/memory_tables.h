// The rows of a MemoryStore and the few moves they can make. Used by memory_*.cc only; guarded by
// the store's mutex. Every change to a live run goes through insert() and take(), which keep the
// indexes right.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "model/limits.h"
#include "store/changes.h"
#include "store/committer.h"
#include "store/store.h"
#include "store/turns.h"

namespace chronos::store::memory {

enum class Place { due, ready, held, limited, leased };

struct Lease {
  NodeId holder;
  std::string node;
  std::int64_t token = 0;
  Timestamp started_at;
  std::optional<Timestamp> ends_at;  // of a worker's: then it has had its time
};

struct LiveRun {
  RunId id;
  JobId job;
  Trigger trigger = Trigger::schedule;
  Timestamp planned_at;
  Duration jitter{};
  Place place = Place::due;
  Timestamp at;  // in due: when it may leave
  bool needs_planning = false;
  std::optional<RunId> retry_of;
  std::optional<Timestamp> queued_at;
  std::optional<Timestamp> last_queued_at;  // of the newest attempt that has ended
  std::optional<Timestamp> started_at;      // of the first attempt
  int attempts_made = 0;
  bool is_cancel_requested = false;
  std::optional<Lease> lease;
  Limits limits;
  bool has_slot = false;  // of its concurrency key
  bool has_pass = false;  // in ready: its start counts for its rate key

  bool is_retrying() const { return place == Place::due && attempts_made > 0; }
  bool goes_on() const {
    return place == Place::ready || place == Place::limited || place == Place::leased ||
           is_retrying();
  }
};

struct FinalRun {
  Run run;
  bool is_fold = false;  // left by Prune
};

struct StoredJob {
  Job job;
  std::optional<JobPhase> phase_at_end;
  std::set<RunId> live;
  std::set<RunId> ended;  // keys of Tables::final_runs
  // Skipped and missed rows by their last instant; those that were extended or folded since are
  // still there.
  std::multimap<Timestamp, RunId> not_run;
  std::optional<KeyId> created_by;
  // What was declared, the newest last: that is the job's own.
  std::vector<JobVersion> versions;
};

// What an idempotency key stands for; nothing when what was made has no id to come back to.
using CalendarName = std::pair<ProjectId, std::string>;
struct ChannelName {
  ProjectId project;
  std::string name;
  auto operator<=>(const ChannelName&) const = default;
};
using Made =
    std::variant<std::monostate, JobId, RunId, KeyId, ProjectId, CalendarName, ChannelName, BulkId>;

struct Seen {
  Sha256 fingerprint{};
  Timestamp at;
  Made made;
};

struct Holder {
  SteadyTime heard_at{};
  Duration ttl{};
  std::optional<WorkerInfo> worker;
  std::optional<NodeInfo> node;
  Timestamp first_seen_at;  // of a worker
  Timestamp last_seen_at;
};

// The job that took a unique key last.
struct UniqueKey {
  JobId job;
  Timestamp until;  // the end of its window
};

// A limit's books and its line.
struct KeyUse {
  std::int64_t in_use = 0;  // slots taken; of a rate: attempts let through that have not started
  std::deque<Timestamp> starts;  // newest first
  std::set<std::tuple<int, Timestamp, RunId>> line;
  std::optional<Timestamp> opens_at;
  Timestamp forget_at;  // from then on its starts are in nobody's window
};

struct Tables {
  std::map<JobId, StoredJob> jobs;
  std::map<std::pair<ProjectId, std::string>, JobId> job_keys;
  std::map<std::pair<ProjectId, std::string>, UniqueKey> unique_keys;

  std::map<RunId, LiveRun> live_runs;
  std::set<std::pair<Timestamp, RunId>> due;
  std::set<std::tuple<int, Timestamp, RunId>> ready;  // −priority, planned instant
  std::map<std::int64_t, RunId> leases;               // by token
  std::int64_t last_token = 0;
  std::map<NodeId, Holder> holders;
  std::map<LimitKey, KeyUse> limits;
  std::set<LimitKey> limits_touched;  // whose lines have to be looked at before the change is done
  std::set<std::string> full_queues;  // in which a claim found no room
  Turns turns;                        // of the claims so far
  News news;                          // of this transaction
  bool has_made_ready = false;  // a run that a node may claim, since somebody set this to false

  std::map<RunId, FinalRun> final_runs;
  Tallies tallies;
  std::set<std::pair<ProjectId, std::string>> queues_seen;
  std::map<RunId, std::map<int, Attempt>> attempts;  // ended ones by number, without output
  std::map<std::pair<RunId, int>, OutputPage> outputs;
  std::map<RunId, std::string> running_output;  // of leased runs

  std::map<CalendarName, Calendar> calendars;
  std::map<ChannelName, DeclaredChannel> channels;
  std::map<BulkId, std::pair<Bulk, std::vector<Uuid>>> bulks;
  std::map<DeliveryId, Delivery> deliveries;
  std::map<ProjectId, Project> projects;
  std::map<KeyId, Key> keys;
  std::map<SessionId, Session> sessions;
  std::map<AuditId, AuditEntry> audit;
  std::map<std::pair<KeyId, std::string>, Seen> seen;
  std::optional<std::int64_t> zones_stamp;
};

// -- Live runs ------------------------------------------------------------------------------------

// Puts a run where its `place` says; it must not be live yet.
void insert(Tables& tables, LiveRun run);
// Takes a live run out, to change it and insert it again, or to end it.
LiveRun take(Tables& tables, RunId run);
// `planned` in `due`; or in `ready` when its instant has come and it needs no planning.
void insert_planned(Tables& tables, JobId job, const PlannedRun& planned, Timestamp now);
// Moves a live run to `ready`.
void make_ready(Tables& tables, RunId run, Timestamp now);

// -- Ends -----------------------------------------------------------------------------------------

// How a run ended.
struct End {
  RunState state = RunState::cancelled;
  std::string reason;
  Timestamp at;
};
// Writes the final row of a run that was taken out; the job's counts, streak, last_run and phase
// follow.
void finish(Tables& tables, LiveRun run, const End& end);
// Ends a live run that holds no lease as cancelled.
void cancel_waiting(Tables& tables, RunId run, std::string_view reason, Timestamp now);
// Writes a row for instants that did not run, or extends the one that ends at `from`.
void write_row(Tables& tables, StoredJob& stored, const LedgerRow& row, Timestamp from,
               Timestamp now);
// Gives an ended schedule its phase when no run is live; `came_to` is the run that just ended.
void follow_phase(StoredJob& stored, std::optional<RunState> came_to);
// The oldest held run becomes ready when nothing of the job goes on, those of a backfill last.
// Every change to the runs of a job ends with it.
void release_held(Tables& tables, JobId job, Timestamp now);

// -- Values for readers ---------------------------------------------------------------------------

bool is_recurring(const Job& job);
// The versions of the calendars that the job names; those that are not there are left out.
std::vector<CalendarVersion> calendars_of(const Tables& tables, const Job& job);
Job job_value(const Tables& tables, const StoredJob& stored);
Run run_value(const Tables& tables, const LiveRun& run);
Run run_value(const Tables& tables, const FinalRun& final_run);
ClaimedRun claimed_value(const Tables& tables, const LiveRun& run);
// The job, or nothing when it is another project's.
const StoredJob* find_job(const Tables& tables, ProjectId project, JobId job);

// -- The changes: one function each, as store/changes.h says --------------------------------------

Result<JobAnswer> apply(Tables& tables, const SubmitJob& change);
// Answers with the holder of the submission's unique key, as judge_unique() decides; nothing when
// the job is to be made. memory_unique.cc
Result<std::optional<JobAnswer>> meet_holder(Tables& tables, const SubmitJob& change);
void take_unique_key(Tables& tables, const Job& job, Timestamp now);
Result<JobAnswer> apply(Tables& tables, const ReplaceJob& change);
Result<JobAnswer> apply(Tables& tables, const CancelJob& change);
Result<RunAnswer> apply(Tables& tables, const RunJob& change);
Result<Backfill::Answer> apply(Tables& tables, const Backfill& change);
Result<RunAnswer> apply(Tables& tables, const CancelRun& change);
Result<CalendarAnswer> apply(Tables& tables, const PutCalendar& change);
Result<CalendarAnswer> apply(Tables& tables, const DeleteCalendar& change);
Result<ChannelAnswer> apply(Tables& tables, const PutChannel& change);
Result<ChannelAnswer> apply(Tables& tables, const DeleteChannel& change);
Result<BulkAnswer> apply(Tables& tables, const PutBulk& change);
Result<BulkAnswer> apply(Tables& tables, const MoveBulk& change);
Result<std::int64_t> apply(Tables& tables, const ReleaseDue& change);
Result<CommitPlan::Answer> apply(Tables& tables, const CommitPlan& change);
Result<ClaimRuns::Answer> apply(Tables& tables, const ClaimRuns& change);
Result<SettleRun::Answer> apply(Tables& tables, const SettleRun& change);
Result<AppendOutput::Answer> apply(Tables& tables, const AppendOutput& change);
Result<Heartbeat::Answer> apply(Tables& tables, const Heartbeat& change, SteadyTime now);
Result<WorkerTurn::Answer> apply(Tables& tables, const WorkerTurn& change, SteadyTime now);
Result<ClaimDeliveries::Answer> apply(Tables& tables, const ClaimDeliveries& change);
Result<FinishDelivery::Answer> apply(Tables& tables, const FinishDelivery& change);
Result<AddDeliveries::Answer> apply(Tables& tables, const AddDeliveries& change);
Result<AddAudit::Answer> apply(Tables& tables, const AddAudit& change);
Result<Project> apply(Tables& tables, const PutProject& change);
Result<Bootstrap::Answer> apply(Tables& tables, const Bootstrap& change);
Result<Key> apply(Tables& tables, const PutKey& change);
Result<Key> apply(Tables& tables, const RevokeKey& change);
Result<TouchKeys::Answer> apply(Tables& tables, const TouchKeys& change);
Result<Session> apply(Tables& tables, const PutSession& change);
Result<EndSession::Answer> apply(Tables& tables, const EndSession& change);
Result<std::int64_t> apply(Tables& tables, const Prune& change);
Result<NoteZones::Answer> apply(Tables& tables, const NoteZones& change);

// -- Idempotency keys ----------------------------------------------------------------------------

// What an earlier change with the same idempotency key made; nothing when there was none.
template <class Id>
Result<std::optional<Id>> find_replay(const Tables& tables,
                                      const std::optional<Idempotency>& idempotency) {
  if (!idempotency) return std::nullopt;
  const auto found = tables.seen.find({idempotency->caller, idempotency->key});
  if (found == tables.seen.end()) return std::nullopt;
  const auto& seen = found->second;
  if (seen.at + kIdempotencyKept <= idempotency->at) return std::nullopt;
  const auto* made = std::get_if<Id>(&seen.made);
  if (made == nullptr || seen.fingerprint != idempotency->fingerprint) {
    return fail(Reason::idempotency_key_reused,
                "this idempotency key was used for another request");
  }
  return *made;
}

inline void remember(Tables& tables, const std::optional<Idempotency>& idempotency, Made made) {
  if (!idempotency) return;
  tables.seen.insert_or_assign({idempotency->caller, idempotency->key},
                               Seen{idempotency->fingerprint, idempotency->at, std::move(made)});
}

}  // namespace chronos::store::memory
