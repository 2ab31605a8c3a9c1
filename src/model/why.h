// Why a run does not run (yet), why it ended as it did, and what a job waits for: facts in, one
// explanation out. THE list of codes is in why.cc; docs/why.md prints it and the status route's
// `waiting_for` is one of them. Pure. Called by service/reasons.h with facts from the store.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/job.h"
#include "model/limits.h"
#include "model/run.h"
#include "schedule/preview.h"

namespace chronos {

// Closed. In the order of docs/why.md.
enum class WhyCode {
  // A live run waits for …
  scheduled_time,
  excluded,
  jitter,
  start_up,
  planning,
  cancel_requested,
  resume,
  retry,
  earlier_run,
  permission,
  concurrency,
  rate,
  queue_slot,
  slot,
  runs_ahead,
  claim,
  worker,
  store,
  drain,
  // A live run runs.
  running,
  stopping,
  // A final run, or a job without a live one.
  succeeded,
  max_attempts,
  retry_on,
  max_age,
  deadline,
  on_lost,
  gave_up,
  overlap,
  calendar,
  down,
  paused,
  window,
  limit,
  ask,
  job_cancelled,
  run_cancelled,
  rescheduled,
  overlap_stopped,
  stopped,
  pruned,
  // A job that has no instant left.
  end_at,
  max_runs,
  no_instant,
  // A reason that this version has no words for.
  other,
};

struct WhyRow {
  WhyCode code;
  std::string_view name;
  bool is_waiting;           // something has to happen before it runs: the status's waiting_for
  std::string_view meaning;  // for the documents
};
std::span<const WhyRow> why_table();
std::string_view to_string(WhyCode code);

inline constexpr int kRunsNamedMax = 10;

// What a run in line for a limit waits for.
struct LimitStanding {
  LimitKind kind = LimitKind::concurrency;
  Limits limits;            // of the run
  std::int64_t in_use = 0;  // slots taken; of a rate: attempts let through that have not started
  std::optional<Timestamp> opens_at;  // when time alone lets the first in line through
  std::int64_t ahead = 0;             // in line before it, counted no further than asked for
  std::vector<RunId> runs;            // some that hold a slot
};

// Where a live run stands among the others, as a store knows it.
struct Standing {
  bool is_held = false;                  // behind an earlier run of its job
  std::optional<LimitStanding> limit{};  // in line for it
  std::optional<Timestamp> attempt_started_at;
  // Of a ready run: what claims take first, counted no further than asked for.
  std::int64_t ahead = 0;           // of its kind, at most: whose turn it is, is not asked
  std::int64_t ahead_in_queue = 0;  // of its kind and queue
  // Attempts under way, and some of their runs: of its own project, oldest claim first.
  std::int64_t running_of_kind = 0;
  std::int64_t running_in_queue = 0;
  std::vector<RunId> runs_of_kind;
  std::vector<RunId> runs_in_queue;
};

// What this server may do at once; plain configuration.
struct Capacity {
  std::map<std::string, int> lanes;         // kind of action → attempts at once; none: not at all
  std::map<std::string, int> queue_limits;  // queue → attempts at once; others have no limit
};

struct ServerState {
  bool takes_changes = true;  // the store can commit
  bool is_draining = false;   // stopping: nothing new starts here
};

// What stands in the way.
struct Blocker {
  std::string kind;         // clock, calendar, run, concurrency, rate, queue, kind, job, policy, …
  std::string id;           // of the run or job; empty = none
  std::string name;         // of the calendar, key, queue, kind of action, the policy's field …
  std::vector<RunId> runs;  // that hold the slots
  std::optional<std::int64_t> in_use;
  std::optional<std::int64_t> max;
  std::optional<std::int64_t> ahead;  // runs that go first
};

struct Explanation {
  WhyCode code = WhyCode::scheduled_time;
  std::string text;  // a sentence
  std::optional<Blocker> blocker;
  std::string unblocked_by;  // a sentence; empty when nothing will change it
  std::optional<Timestamp> since;
  std::optional<Timestamp> until;  // when it ends by itself, at the latest
};

// Remote workers of the run's project that poll its queue.
struct Pollers {
  std::int64_t alive = 0;
  std::optional<Timestamp> last_seen_at;  // of any, alive or not; nothing: there was none lately
};

struct RunFacts {
  const Job& job;
  const Run& run;  // with its attempts
  Timestamp now;
  Standing standing{};         // of a live run
  std::optional<Run> other{};  // held: what it waits for; skipped by overlap: what went on
  // Planned: the next instants of the schedule, when a calendar excludes them.
  std::optional<schedule::Excluded> excluded{};
  const Capacity& capacity;
  ServerState server{};
  std::optional<Pollers> pollers{};  // of a queued run that workers pull
};
Explanation explain_run(const RunFacts& facts);

// A job none of whose runs is live.
struct IdleJobFacts {
  const Job& job;
  Timestamp now;
};
Explanation explain_idle_job(const IdleJobFacts& facts);

// How many instants of a job ended so, for this reason.
struct ReasonCount {
  RunState state = RunState::skipped;
  std::string reason;
  std::int64_t count = 0;

  bool operator==(const ReasonCount&) const = default;
};

}  // namespace chronos
