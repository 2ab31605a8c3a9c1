// Every change a store can make, as a value with its answer. Each is one atomic step: it happens
// whole or not at all, alone or in one transaction with others, and one refused change never undoes
// its neighbours. THE list of kinds is the variant at the end.
//
// A change that is refused answers an Error and has changed nothing. An answer with
// Reason::unknown_commit means nobody knows: every change is safe to repeat as it is (it carries
// its own ids, versions and tokens). One that creates answers what is stored under its id, as a
// replay, when that is there already. Whether the project exists and the caller may is checked
// before, not here.
//
// A change that a user asked for names its Author. Then the store writes an AuditEntry of what the
// change did, in the same transaction; none when it did nothing (a replay, the same again). Of a
// SubmitJob the job's own row says it: who made it, and when (decision 14).
//
// Where a run is: `due` (waits for its instant, or for its retry), `ready` (waits for a slot),
// `held` (waits for an earlier run of its job), leased, or final. It *goes on* when it is ready,
// leased or in back-off. After every change: when a job has held runs and none that goes on, the
// held one with the earliest planned instant becomes ready; those of a backfill come last, so that
// it never keeps the schedule waiting for longer than one of its runs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "model/access.h"
#include "model/audit.h"
#include "model/bulk.h"
#include "model/calendar.h"
#include "model/channel.h"
#include "model/job.h"
#include "model/notification.h"
#include "model/plan.h"
#include "model/run.h"
#include "model/worker.h"

namespace chronos::store {

// Why a run was cancelled (Run::reason).
inline constexpr std::string_view kJobCancelled = "job cancelled";
inline constexpr std::string_view kRunCancelled = "run cancelled";
inline constexpr std::string_view kRescheduled = "rescheduled";
inline constexpr std::string_view kOverlap = "overlap";
// The reason of the range rows that Prune leaves.
inline constexpr std::string_view kPruned = "pruned";

inline constexpr Duration kIdempotencyKept = std::chrono::hours(24);
inline constexpr Duration kDeliveriesKept = std::chrono::days(30);
// Of a job: versions up to this many before the newest.
inline constexpr std::int64_t kVersionsKept = 100;

// A POST's Idempotency-Key. `fingerprint` is a digest of the request. Looked at before anything
// else: the same (caller, key) with the same fingerprint → the same job or run (as it is now),
// `is_replay` set, nothing changed; another fingerprint → Reason::idempotency_key_reused. Only a
// change that happened is remembered, for kIdempotencyKept after `at`.
struct Idempotency {
  KeyId caller;
  std::string key;
  Sha256 fingerprint{};
  Timestamp at;
};

// Under which the last of several things made together is remembered; no key of a user has a space.
inline std::optional<Idempotency> last_of(std::optional<Idempotency> idempotency) {
  if (idempotency) idempotency->key += " last";
  return idempotency;
}

// -- What users ask for --------------------------------------------------------------------------

struct JobAnswer {
  Job job;  // as a read would give it, derived members included
  bool is_replay = false;
  bool is_holder = false;  // of the unique key: it is there already, and nothing was made
};
struct RunAnswer {
  RunId run;
  bool is_replay = false;
};

// Of a job with spec.unique the store remembers per project which job took the key last; what a
// submission that meets its holder does is judge_unique()'s to say (model/unique.h). A holder that
// is replaced is so as by ReplaceJob, with the new declaration, schedule and `first_run`.
// Refused: key_taken when the project has another job with spec.key; unique_taken; invalid_fields
// when it has no calendar of a name that the schedule gives (unknown_calendar()).
struct SubmitJob {
  using Answer = JobAnswer;
  Job job;  // whole, with its id, version 1
  std::optional<PlannedRun> first_run;
  Timestamp now;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
  // How a store on SQL keeps the declaration: it writes that itself, on the thread of the caller.
  std::string spec_text = {};
};

// Replaces the declaration; the one before stays among the job's versions (kVersionsKept). Runs
// that wait follow the new queue, priority and action. Counts, streak and last_run stay as stored,
// but for what cancelled runs add.
//
// With `replaces_schedule` the waiting runs of trigger `schedule` go: those not yet due vanish,
// those due or already tried end as cancelled(kRescheduled); a running one goes on, and so do runs
// that were asked for. An earlier plan's phase_at_end is forgotten. Then `next_run`, if any, waits.
// `job` is the whole new value: phase, planned_through, parked_at and runs_planned included.
//
// Without it those four stay as stored (the planner moves them meanwhile), and `next_run` is for
// resuming: when the job is parked, no longer paused and has no run that waits to be planned, it
// waits at parked_at to be planned; else it is passed over. So a caller that resumes always gives
// one.
// Refused: not_found; version_mismatch when the stored version is another, or planned_through of a
// replaced schedule stands further (the caller reads again and retries); key_taken; invalid_fields.
struct ReplaceJob {
  using Answer = JobAnswer;
  Job job;  // version = expected_version + 1
  std::int64_t expected_version = 0;
  bool replaces_schedule = false;
  bool waiting_needs_planning = false;  // for scheduled runs that stay in `due`: set to this
  std::optional<PlannedRun> next_run;
  Timestamp now;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};

// What a submission makes of the job that holds its unique key.
inline ReplaceJob replacing(const Job& holder, const SubmitJob& change) {
  ReplaceJob replacement{.job = change.job,
                         .expected_version = holder.version,
                         .replaces_schedule = true,
                         .next_run = change.first_run,
                         .now = change.now,
                         .idempotency = {},
                         .by = change.by};
  if (replacement.by) replacement.by->action = "job.update";
  auto& job = replacement.job;
  job.id = holder.id;
  job.created_at = holder.created_at;
  job.version = holder.version + 1;
  job.planned_through = std::max(holder.planned_through, job.planned_through);
  return replacement;
}

// Phase cancelled for good (until the schedule is replaced), version grows, updated_at is `now`,
// parked_at is cleared; every waiting run ends as cancelled(kJobCancelled); running attempts are
// marked for cancellation unless `keep_running`. Again → the same answer, version unchanged; phases
// succeeded and failed stay as they are too. Runs that were asked for since are cancelled each
// time.
// Refused: not_found; version_mismatch when `expected_version` is given and differs.
struct CancelJob {
  using Answer = JobAnswer;
  ProjectId project;
  JobId job;
  bool keep_running = false;
  std::optional<std::int64_t> expected_version;
  Timestamp now;
  std::optional<Author> by = {};
};

// A run outside the schedule: goes straight to `ready`, whatever the job's phase. Refused:
// not_found.
struct RunJob {
  using Answer = RunAnswer;
  ProjectId project;
  JobId job;
  PlannedRun run;  // trigger manual or retry
  Timestamp now;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};

// Runs for instants of the past, outside the schedule: planned_through and the ledger's rows stay
// as they are. They go to `ready`, or with `holds` to `held`, so that the job runs them one after
// another. The job's version grows: two backfills that were made from the same look at its history
// cannot both happen. With no runs it changes nothing and only answers what `idempotency` stands
// for. Refused: not_found; version_mismatch.
struct Backfill {
  struct Answer {
    std::optional<RunId> first;  // nothing: there are no runs
    std::optional<RunId> last;
    bool is_replay = false;
  };
  ProjectId project;
  JobId job;
  std::int64_t expected_version = 0;
  std::vector<PlannedRun> runs;  // trigger backfill, ids ascending
  bool holds = true;
  Timestamp now;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};

// A waiting run ends as cancelled(kRunCancelled); a running attempt is marked; a final run stays as
// it is. The planned run of a recurring job (cron, every) is only marked: the schedule goes on from
// it, so its plan is made at its instant and it ends as cancelled then instead of starting (a job
// paused meanwhile forgets the mark with the run). Answer: the run's id. Refused: not_found.
struct CancelRun {
  using Answer = RunAnswer;
  ProjectId project;
  RunId run;
  Timestamp now;
  std::optional<Author> by = {};
};

struct CalendarAnswer {
  Calendar calendar;  // as stored
  bool is_new = false;
  bool is_replay = false;
};

// Creates a calendar, or replaces what was declared: then its version grows, and the untried
// planned runs of active jobs that name it become due at once (`at` = now), so that the planner
// looks at them again. With what is stored already nothing changes. Refused: key_taken when it must
// be new and is not; version_mismatch when `expected_version` is given and is not the stored one,
// or there is none.
struct PutCalendar {
  using Answer = CalendarAnswer;
  Calendar calendar;  // version and created_at are the store's when it is there already
  bool must_be_new = false;
  std::optional<std::int64_t> expected_version;
  Timestamp now;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};

// Answer: what it was. Refused: not_found; version_mismatch as above; state_conflict, naming some
// of them, while active jobs name it.
struct DeleteCalendar {
  using Answer = CalendarAnswer;
  ProjectId project;
  std::string name;
  std::optional<std::int64_t> expected_version;
  std::optional<Author> by = {};
};

struct ChannelAnswer {
  DeclaredChannel channel;  // as stored
  bool is_new = false;
  bool is_replay = false;
};

// As PutCalendar and DeleteCalendar, but that nobody is woken and nothing keeps it: what is to be
// told through a channel that is gone waits for one of that name.
struct PutChannel {
  using Answer = ChannelAnswer;
  DeclaredChannel channel;  // version and created_at are the store's when it is there already
  bool must_be_new = false;
  std::optional<std::int64_t> expected_version;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};
struct DeleteChannel {
  using Answer = ChannelAnswer;
  ProjectId project;
  std::string name;
  std::optional<std::int64_t> expected_version;
  std::optional<Author> by = {};
};

struct BulkAnswer {
  Bulk bulk;  // as stored
  bool is_replay = false;
};

// A new bulk operation on these things (ids of jobs or of runs), in this order.
struct PutBulk {
  using Answer = BulkAnswer;
  Bulk bulk;
  std::vector<Uuid> items;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};

// Moves one on: status, done, failed, ended_at and taken_until become those of `bulk`, its step
// grows. Refused: not_found; version_mismatch when the stored step is not `bulk.step`.
struct MoveBulk {
  using Answer = BulkAnswer;
  Bulk bulk;
  std::optional<Author> by = {};
};

// -- What the scheduler does ---------------------------------------------------------------------

// Moves runs that need no planning and whose `at` <= now from `due` to `ready`, earliest first.
// (A retry needs no planning.)
struct ReleaseDue {
  using Answer = std::int64_t;  // how many were moved
  Timestamp now;
  int limit = 1000;
};

// What the planner decided about one due scheduled run (model/plan.h). Clears Job::parked_at unless
// it parks or waits; a parked run vanishes. Refused: version_mismatch when the job's version or
// planned_through moved meanwhile, a calendar has another version than in `calendars` or is gone,
// or `run` no longer waits to be planned, or for another instant; then nothing happened and the due
// run will be read again.
//
// A row of `rows` extends the row of the job that ends at expected_planned_through (so that no
// instant lies between) when both have the same state, reason and error: that one's count grows,
// planned_until becomes the new row's last instant and ended_at `now`. Each further row goes on
// from the one before. Job::counts follow.
//
// `released_planned_at` and `released_jitter` take the place of the run's own. Lateness is measured
// from planned_at + jitter.
//
// `cancels_running` stops the job's other runs that go on or are held, but for those of a backfill:
// running attempts are marked, the rest end as cancelled(kOverlap).
//
// `phase_at_end` is taken once no run of the job is live: at once, or when the last one ends. It
// stands until the schedule is replaced.
struct CommitPlan : Plan {
  struct Answer {};
  Timestamp now;
  std::vector<CalendarVersion> calendars = {};  // as the plan saw them
  ProjectId project = {};                       // the job's, for who watches
};

// Every waiting run has been planned by the rules of the time zone database with this stamp
// (schedule::database_stamp).
struct NoteZones {
  struct Answer {};
  std::int64_t stamp = 0;
};

struct ClaimedRun {
  NodeId holder;
  std::string node;  // its name
  RunId run;
  JobId job;
  ProjectId project;
  std::int64_t token = 0;  // fencing token: grows with every claim
  int attempt = 1;
  Trigger trigger = Trigger::schedule;
  Timestamp planned_at;
  Timestamp queued_at;
  Timestamp started_at;  // of this attempt: the claim's `now`
  // Of the job, as stored at the claim. Shared: a store may keep what it decoded between claims.
  Shared<JobSpec> spec;
  std::int64_t failure_streak = 0;
};

// Takes runs from `ready` under leases, highest priority first; of queues with runs of the same
// priority the one that was served longest ago goes first (turns.h), and in a queue the earliest
// planned instant, then the smallest id; what has no lane or whose lane or queue is full is passed
// over. The answer is in that order, tokens grow along it. The holder must have sent a Heartbeat
// before. Runs of kind `worker` go to workers of their project only, so the lane needs `project`.
struct ClaimRuns {
  struct Lane {
    std::string kind;  // of the action
    int max = 0;
  };
  using Answer = std::vector<ClaimedRun>;

  NodeId holder;
  std::string node;  // its name, for the record
  std::vector<Lane> lanes;
  std::map<std::string, int> queue_limits;  // queues with a limit: leases in each, whoever's
  Timestamp now;
  std::optional<ProjectId> project = {};  // of a worker; only for the lane `worker`
  std::vector<std::string> queues = {};   // only these; none = all
};

// The end of one attempt (model/settle.h). Refused: lease_lost when `token` is not the lease's, or
// the run holds none. The attempt is kept whole but for retry_after.
// Final: the run's row is written once, with ended_at of the attempt.
// Retrying: the run waits in `due` until `retry_at`; but when a cancel was asked for meanwhile, the
// run ends as cancelled(kRunCancelled) instead.
// Queued: the attempt was handed back before it began. It did not happen, the run is ready again;
// but for a cancel, as above.
//
// Whenever a run ends, here or by a cancel: the job's counts and last_run follow; failed, timed_out
// and lost add to the streak, succeeded ends it, cancelled leaves it. When no other run of the job
// is live and none is parked, its phase becomes phase_at_end, or else what this run came to:
// succeeded, failed, or cancelled, which moves only an active phase. (Rows skipped and missed
// change the counts only.)
struct SettleRun {
  struct Answer {
    RunState state = RunState::succeeded;  // what the run came to
  };
  RunId run;
  std::int64_t token = 0;
  RunState next = RunState::succeeded;  // queued, retrying, or a final state
  std::string reason;
  std::optional<Timestamp> retry_at;
  Attempt attempt;  // its outcome's output is stored too; of no meaning for queued
  std::vector<Delivery> deliveries;
  Timestamp now;
  // Whose run it is, for who watches.
  ProjectId project = {};
  JobId job = {};
};

// What running attempts have printed since. An attempt's pieces follow each other without a gap and
// begin its output; they are readable while it goes on (Store::read_output). Of an attempt whose
// lease is not `token`, or not any more, nothing is kept. When it is settled they go, for its
// outcome has the whole output; where that is empty, as of an attempt that was lost, they are its
// output.
struct AppendOutput {
  struct Answer {};
  struct Piece {
    ProjectId project;  // this and the job: for who watches
    JobId job;
    RunId run;
    int attempt = 1;
    std::int64_t token = 0;
    std::int64_t offset = 0;  // bytes before it
    std::string bytes;
  };
  std::vector<Piece> pieces;
};

// The holder lives. A holder not heard of for its `ttl` (on a clock that never steps) loses its
// leases: Store::expired_leases names them until they are settled, or the holder is heard of again.
// On SQLite a new start of the process is a new holder, and the old one's leases have expired at
// once; those of remote workers have their whole `ttl` again from the moment the store is opened.
//
// A remote worker is known (Store::list_workers) from its first heartbeat until kWorkersKept after
// its last. Refused: not_found when `holder` is somebody else: a node, or a worker of another
// project; or nobody, although the worker goes on.
struct Heartbeat {
  struct Answer {
    std::vector<RunId> cancelled;  // running runs of this holder that should stop, until they do
  };
  NodeId holder;
  Duration ttl{};
  std::optional<WorkerWords> worker = {};
  Timestamp now{};                    // of a worker: its last_seen_at too
  std::optional<NodeInfo> node = {};  // one that says so is in Store::list_nodes
};
inline constexpr Duration kWorkersKept = std::chrono::days(1);

// What a remote worker says and asks in one round trip, made in this order: it lives; attempts have
// ended; it takes more, of the queues it said last and under its name. Refused as the heartbeat is,
// and then none of it has happened.
struct WorkerTurn {
  struct Answer {
    WorkerInfo worker;
    // What each run came to, in the order of `settled`; nothing: its lease is no longer held and
    // the outcome changed nothing.
    std::vector<std::optional<RunState>> settled;
    std::vector<RunId> cancelled;  // that should stop, after `settled`
    std::vector<ClaimedRun> claimed;
  };
  Heartbeat beat;
  std::vector<SettleRun> settled;
  std::optional<ClaimRuns> claim;
};

// -- Telling, access, upkeep ---------------------------------------------------------------------

// Takes waiting deliveries whose time has come, earliest first; each is out of reach for others
// until `now` + lease, which becomes its next_attempt_at.
struct ClaimDeliveries {
  using Answer = std::vector<Delivery>;
  Timestamp now;
  Duration lease{};
  int limit = 16;
  std::string kind;  // only targets of this kind, so that one that hangs delays no other; "" = any
};

// Records one sending: attempts_made grows by one. One that was delivered or given up stays as it
// is, and the answer is the same. Refused: not_found.
struct FinishDelivery {
  struct Answer {};
  DeliveryId delivery;
  DeliveryState state = DeliveryState::delivered;  // waiting = try again at next_attempt_at
  Timestamp next_attempt_at;                       // of waiting only
  std::string error;
};

// A message to tell outside any run (`chronos notify test`).
struct AddDeliveries {
  struct Answer {
    bool is_replay = false;
  };
  std::vector<Delivery> deliveries;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};

// What somebody did that leaves no other trace in the store (a backup). One with this id stays.
struct AddAudit {
  struct Answer {};
  AuditEntry entry;
};

// A new project and the admin key to begin with. Refused: key_taken when the name is taken.
// A repetition (`idempotency`) answers the first project: its id is not the one sent.
struct PutProject {
  using Answer = Project;
  Project project;
  std::optional<Key> first_key;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};

// The first start: the project and its admin key, unless any project exists.
struct Bootstrap {
  struct Answer {
    bool is_first = false;  // this very change created them: now, or when it is a repetition
  };
  Project project;
  Key key;
};

// Creates the key; one with this id stays as it is.
// A repetition (`idempotency`) answers the first key: its id is not the one sent.
struct PutKey {
  using Answer = Key;
  Key key;
  std::optional<Idempotency> idempotency;
  std::optional<Author> by = {};
};

// Refused: not_found. Again → the same answer.
struct RevokeKey {
  using Answer = Key;
  ProjectId project;
  KeyId key;
  Timestamp now;
  // Given (a rotation): the key is not revoked but expires then, unless it expires earlier anyway.
  std::optional<Timestamp> expires_at;
  std::optional<Author> by = {};
};

// last_used_at moves forward only; unknown keys are passed over.
struct TouchKeys {
  struct Answer {};
  std::vector<std::pair<KeyId, Timestamp>> used;
};

// Creates the session; one with this id stays as it is. With `redeems` that link goes in the same
// step. Refused: not_found when there is no such link: it was used, or pruned.
struct PutSession {
  using Answer = Session;
  Session session;
  std::optional<SessionId> redeems = {};
  std::optional<Author> by = {};
};

// Forgets the session, if it is there.
struct EndSession {
  struct Answer {};
  SessionId session;
  std::optional<Author> by = {};
};

// Folds final runs beyond their job's retention (more than `runs` rows, the oldest by id first; or
// ended longer than `age` ago) into one range row for each final state of the job: reason kPruned,
// `count` the sum, from the first planned instant to the last, ended_at the latest, under the id of
// a run it stands for; attempts, output and all else of them goes. These rows stay for good and do
// not count. Drops finished deliveries (kDeliveriesKept after next_attempt_at) and idempotency keys
// (kIdempotencyKept), workers (kWorkersKept after they were last seen), sessions that have expired,
// tallies (kTalliesKept), and entries of the audit log older than `audit_age`. At most `limit` rows
// at a time. Answer: how many were folded or dropped.
struct Prune {
  using Answer = std::int64_t;
  Timestamp now;
  int limit = 1000;
  Duration audit_age = kAuditKept;
};

// THE list of changes, and of what they answer.
using Change =
    std::variant<SubmitJob, ReplaceJob, CancelJob, RunJob, Backfill, CancelRun, PutCalendar,
                 DeleteCalendar, PutChannel, DeleteChannel, PutBulk, MoveBulk, ReleaseDue,
                 CommitPlan, ClaimRuns, SettleRun, AppendOutput, Heartbeat, WorkerTurn,
                 ClaimDeliveries, FinishDelivery, AddDeliveries, AddAudit, PutProject, Bootstrap,
                 PutKey, RevokeKey, TouchKeys, PutSession, EndSession, Prune, NoteZones>;
using Answer =
    std::variant<std::monostate, JobAnswer, RunAnswer, CalendarAnswer, ChannelAnswer, BulkAnswer,
                 Backfill::Answer, std::int64_t, CommitPlan::Answer, ClaimRuns::Answer,
                 SettleRun::Answer, AppendOutput::Answer, Heartbeat::Answer, WorkerTurn::Answer,
                 ClaimDeliveries::Answer, FinishDelivery::Answer, AddDeliveries::Answer,
                 AddAudit::Answer, Project, Bootstrap::Answer, Key, TouchKeys::Answer, Session,
                 EndSession::Answer, NoteZones::Answer>;

}  // namespace chronos::store
