// Every change a store can make, as a value with its answer. Each is one atomic step: it happens
// whole or not at all, alone or in one transaction with others, and one refused change never undoes
// its neighbours. THE list of kinds is the variant at the end.
//
// A change that is refused answers an Error and has changed nothing. An answer with
// Reason::unknown_commit means nobody knows: every change is safe to repeat as it is (it carries
// its own ids, versions and tokens).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "model/access.h"
#include "model/job.h"
#include "model/notification.h"
#include "model/plan.h"
#include "model/run.h"

namespace chronos::store {

// A POST's Idempotency-Key. `fingerprint` is a digest of the request; kept for 24 h.
// Same (caller, key), same fingerprint → the first answer again, `is_replay` set, nothing changed;
// another fingerprint → Reason::idempotency_key_reused.
struct Idempotency {
  KeyId caller;
  std::string key;
  Sha256 fingerprint{};
  Timestamp at;
};

// -- What users ask for --------------------------------------------------------------------------

struct JobAnswer {
  Job job;
  bool is_replay = false;
};
struct RunAnswer {
  RunId run;
  bool is_replay = false;
};

// Refused: key_taken when the project has another job with spec.key.
struct SubmitJob {
  using Answer = JobAnswer;
  Job job;  // whole, with its id, version 1
  std::optional<PlannedRun> first_run;
  Timestamp now;
  std::optional<Idempotency> idempotency;
};

// Replaces the declaration and, when `replaces_schedule`, the waiting scheduled runs: those not yet
// due vanish, those due or already tried end as cancelled("rescheduled"); a running one goes on.
// Then `next_run`, if any, waits. `job` is the whole new value (phase, planned_through, parked_at
// and runs_planned included; counts, streak and last_run are kept as stored).
// Refused: not_found; version_mismatch when the stored version is not `expected_version` (the
// caller reads again and retries); key_taken.
struct ReplaceJob {
  using Answer = JobAnswer;
  Job job;  // version = expected_version + 1
  std::int64_t expected_version = 0;
  bool replaces_schedule = false;
  bool waiting_needs_planning = false;  // for scheduled runs that stay in `due`: set to this
  std::optional<PlannedRun> next_run;
  Timestamp now;
  std::optional<Idempotency> idempotency;
};

// Phase cancelled; every waiting run ends as cancelled("job cancelled"); running attempts are
// marked for cancellation unless `keep_running`. Again → the same answer, version unchanged; phases
// succeeded and failed stay as they are (there is nothing to cancel).
// Refused: not_found; version_mismatch when `expected_version` is given and differs.
struct CancelJob {
  using Answer = JobAnswer;
  ProjectId project;
  JobId job;
  bool keep_running = false;
  std::optional<std::int64_t> expected_version;
  Timestamp now;
};

// A run outside the schedule: goes straight to `ready`. Refused: not_found.
struct RunJob {
  using Answer = RunAnswer;
  ProjectId project;
  JobId job;
  PlannedRun run;  // trigger manual or retry
  Timestamp now;
  std::optional<Idempotency> idempotency;
};

// A waiting run ends as cancelled; a running attempt is marked; a final run stays as it is.
// Answer: the run's id. Refused: not_found.
struct CancelRun {
  using Answer = RunAnswer;
  ProjectId project;
  RunId run;
  Timestamp now;
};

// -- What the scheduler does ---------------------------------------------------------------------

// Moves runs that need no planning and whose `at` <= now from `due` to `ready`, earliest first.
struct ReleaseDue {
  using Answer = std::int64_t;  // how many were moved
  Timestamp now;
  int limit = 1000;
};

// What the planner decided about one due scheduled run (model/plan.h). Clears Job::parked_at unless
// it parks. Refused: version_mismatch when the job's version or planned_through moved meanwhile, or
// `run` is no longer waiting; then nothing happened and the due run will be read again.
// `phase_at_end` is taken once no run of the job is live (at once, or when the last one ends).
struct CommitPlan : Plan {
  struct Answer {};
  Timestamp now;
};

struct ClaimedRun {
  RunId run;
  JobId job;
  ProjectId project;
  std::int64_t token = 0;  // fencing token: grows with every claim
  int attempt = 1;
  Trigger trigger = Trigger::schedule;
  Timestamp planned_at;
  Timestamp queued_at;
  Timestamp started_at;
  std::shared_ptr<const Job> declared;  // shared: a store may keep decoded jobs between claims
};

// Takes runs from `ready` under leases, highest priority first, then earliest.
struct ClaimRuns {
  struct Lane {
    std::string kind;  // of the action
    int max = 0;
  };
  using Answer = std::vector<ClaimedRun>;

  NodeId holder;
  std::string node;  // its name, for the record
  std::vector<Lane> lanes;
  std::map<std::string, int> queue_slots;  // queues with a limit and the slots free in each
  Timestamp now;
};

// The end of one attempt (model/settle.h). Refused: lease_lost when `token` is not the lease's.
// Final: the run's row is written once, the job's counts, streak, last_run and phase follow, and
// the job's oldest held run becomes ready when no other run of it is live.
// Retrying: the attempt's row is appended and the run waits in `due` until `retry_at`; but when a
// cancel was asked for meanwhile, the run ends as cancelled instead.
struct SettleRun {
  struct Answer {
    RunState state = RunState::succeeded;  // what the run came to
  };
  RunId run;
  std::int64_t token = 0;
  RunState next = RunState::succeeded;  // retrying, or a final state
  std::string reason;
  std::optional<Timestamp> retry_at;
  Attempt attempt;  // its outcome's output is stored too
  std::vector<Delivery> deliveries;
  Timestamp now;
};

// The holder lives. A holder not heard of for its `ttl` (on a clock that never steps) loses its
// leases: Store::expired_leases names them. On SQLite a new start of the process is a new holder,
// and the old one's leases have expired at once.
struct Heartbeat {
  struct Answer {
    std::vector<RunId> cancelled;  // running runs of this holder that should stop
  };
  NodeId holder;
  Duration ttl{};
};

// -- Telling, access, upkeep ---------------------------------------------------------------------

// Takes waiting deliveries whose time has come, earliest first; each is out of reach for others
// until `now` + lease.
struct ClaimDeliveries {
  using Answer = std::vector<Delivery>;
  Timestamp now;
  Duration lease{};
  int limit = 16;
  std::string kind;  // only targets of this kind, so that one that hangs delays no other; "" = any
};

// Records one sending: attempts_made grows by one. Refused: not_found.
struct FinishDelivery {
  struct Answer {};
  DeliveryId delivery;
  DeliveryState state = DeliveryState::delivered;  // waiting = try again at next_attempt_at
  Timestamp next_attempt_at;
  std::string error;
};

// A message to tell outside any run (`chronos notify test`).
struct AddDeliveries {
  struct Answer {};
  std::vector<Delivery> deliveries;
};

// Refused: already_exists family (key_taken) when the name is taken.
struct PutProject {
  using Answer = Project;
  Project project;
};

// The first start: the project and its admin key, unless any project exists.
struct Bootstrap {
  struct Answer {
    bool is_first = false;  // this very change created them
  };
  Project project;
  Key key;
};

struct PutKey {
  using Answer = Key;
  Key key;
};

// Refused: not_found. Again → the same answer.
struct RevokeKey {
  using Answer = Key;
  ProjectId project;
  KeyId key;
  Timestamp now;
};

struct TouchKeys {
  struct Answer {};
  std::vector<std::pair<KeyId, Timestamp>> used;
};

// Folds runs beyond their job's retention into one range row with counts and drops old deliveries
// and idempotency keys; at most `limit` rows at a time. Answer: how many rows went.
struct Prune {
  using Answer = std::int64_t;
  Timestamp now;
  int limit = 1000;
};

// THE list of changes, and of what they answer.
using Change =
    std::variant<SubmitJob, ReplaceJob, CancelJob, RunJob, CancelRun, ReleaseDue, CommitPlan,
                 ClaimRuns, SettleRun, Heartbeat, ClaimDeliveries, FinishDelivery, AddDeliveries,
                 PutProject, Bootstrap, PutKey, RevokeKey, TouchKeys, Prune>;
using Answer = std::variant<std::monostate, JobAnswer, RunAnswer, std::int64_t, CommitPlan::Answer,
                            ClaimRuns::Answer, SettleRun::Answer, Heartbeat::Answer,
                            ClaimDeliveries::Answer, FinishDelivery::Answer, AddDeliveries::Answer,
                            Project, Bootstrap::Answer, Key, TouchKeys::Answer>;

}  // namespace chronos::store
