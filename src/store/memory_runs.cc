// What the scheduler does: release, plan, claim, settle, heartbeat.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "store/memory_limits.h"
#include "store/memory_tables.h"
#include "store/settlement.h"

namespace chronos::store::memory {
namespace {

// Where the planned run of a CommitPlan goes.
void move_due_run(Tables& tables, const CommitPlan& change) {
  auto run = take(tables, change.run);
  if (change.due_run == Plan::DueRun::wait) {
    run.planned_at = change.next_run->planned_at;
    run.jitter = change.next_run->jitter;
    run.at = change.next_run->at;
    return insert(tables, std::move(run));
  }
  run.needs_planning = false;
  switch (change.due_run) {
    case Plan::DueRun::drop:
      return;
    case Plan::DueRun::park:
      tables.jobs.at(change.job).job.parked_at = run.planned_at;
      return;
    case Plan::DueRun::release:
    case Plan::DueRun::hold:
    case Plan::DueRun::wait:
      break;
  }
  if (change.released_planned_at) {
    run.planned_at = *change.released_planned_at;
    run.jitter = change.released_jitter;
  }
  run.place = change.due_run == Plan::DueRun::hold ? Place::held : Place::ready;
  if (run.place == Place::ready) run.queued_at = change.now;
  insert(tables, std::move(run));
}

bool saw_calendars(const Tables& tables, const CommitPlan& change) {
  return std::ranges::all_of(change.calendars, [&](const CalendarVersion& seen) {
    const auto found = tables.calendars.find({tables.jobs.at(change.job).job.project, seen.name});
    return found != tables.calendars.end() && found->second.version == seen.version;
  });
}

void stop_others(Tables& tables, const StoredJob& stored, const CommitPlan& change) {
  for (const auto id : std::set<RunId>(stored.live)) {
    auto& run = tables.live_runs.at(id);
    if (id == change.run || run.trigger == Trigger::backfill) continue;
    if (run.place == Place::leased) {
      run.is_cancel_requested = true;
    } else if (run.goes_on() || run.place == Place::held) {
      cancel_waiting(tables, id, kOverlap, change.now);
    }
  }
}

const JobSpec& spec_of(const Tables& tables, RunId run) {
  return tables.jobs.at(tables.live_runs.at(run).job).job.spec;
}

std::string take_running_output(Tables& tables, RunId run) {
  const auto node = tables.running_output.extract(run);
  return node.empty() ? std::string() : std::move(node.mapped());
}

// The attempt never began.
SettleRun::Answer hand_back(Tables& tables, RunId id, Timestamp now) {
  take_running_output(tables, id);
  auto run = take(tables, id);
  run.lease.reset();
  if (--run.attempts_made == 0) run.started_at.reset();
  if (!run.is_cancel_requested) {
    run.place = Place::ready;
    run.queued_at = now;
    insert(tables, std::move(run));
    return {RunState::queued};
  }
  run.queued_at.reset();
  finish(tables, run, {RunState::cancelled, std::string(kRunCancelled), now});
  release_held(tables, run.job, now);
  return {RunState::cancelled};
}

void append_attempt(Tables& tables, const SettleRun& change) {
  auto attempt = change.attempt;
  auto& outcome = attempt.outcome;
  outcome.retry_after.reset();
  outcome.has_live_output = false;
  auto said = may_have_live_output(change) ? take_running_output(tables, change.run) : "";
  if (outcome.output.empty()) outcome.output = std::move(said);
  tables.outputs.insert_or_assign(
      {change.run, attempt.number},
      OutputPage{std::exchange(outcome.output, {}), outcome.output_dropped});
  tables.attempts[change.run].insert_or_assign(attempt.number, std::move(attempt));
}

}  // namespace

Result<std::int64_t> apply(Tables& tables, const ReleaseDue& change) {
  std::vector<RunId> released;
  for (const auto& [at, id] : tables.due) {
    if (at > change.now || std::ssize(released) >= change.limit) break;
    if (!tables.live_runs.at(id).needs_planning) released.push_back(id);
  }
  for (const auto id : released) make_ready(tables, id, change.now);
  touch_opening(tables, change.now);
  return std::ssize(released);
}

Result<CommitPlan::Answer> apply(Tables& tables, const CommitPlan& change) {
  const auto found = tables.jobs.find(change.job);
  const auto due = tables.live_runs.find(change.run);
  const bool waits = change.due_run == Plan::DueRun::wait;
  const bool is_current = found != tables.jobs.end() && due != tables.live_runs.end() &&
                          found->second.job.version == change.expected_version &&
                          found->second.job.planned_through == change.expected_planned_through &&
                          due->second.job == change.job && due->second.place == Place::due &&
                          due->second.needs_planning &&
                          due->second.planned_at == change.expected_planned_at &&
                          saw_calendars(tables, change);
  if (!is_current) {
    return fail(Reason::version_mismatch, "the job or its due run changed meanwhile");
  }
  auto& stored = found->second;
  auto& job = stored.job;
  const bool is_cancelled = due->second.is_cancel_requested;
  job.planned_through = change.planned_through;
  job.runs_planned += change.runs_planned;
  if (!waits) job.parked_at.reset();
  if (change.phase_at_end) stored.phase_at_end = change.phase_at_end;
  if (change.next_run && !waits) insert_planned(tables, change.job, *change.next_run, change.now);
  move_due_run(tables, change);
  auto from = change.expected_planned_through;
  for (const auto& row : change.rows) {
    write_row(tables, stored, row, from, change.now);
    from = row.planned_until.value_or(row.planned_at);
  }
  if (change.cancels_running) stop_others(tables, stored, change);
  if (is_cancelled && !waits && tables.live_runs.contains(change.run)) {
    cancel_waiting(tables, change.run, kRunCancelled, change.now);
  }
  release_held(tables, change.job, change.now);
  follow_phase(stored, std::nullopt);
  return CommitPlan::Answer{};
}

Result<NoteZones::Answer> apply(Tables& tables, const NoteZones& change) {
  tables.zones_stamp = change.stamp;
  return NoteZones::Answer{};
}

namespace {

using ReadyKey = std::tuple<int, Timestamp, RunId>;  // of Tables::ready
using Lines = std::map<Turns::Line, std::deque<ReadyKey>>;

// The ready runs that `change` asks for, those of one kind and queue in order.
Lines lines_for(const Tables& tables, const ClaimRuns& change) {
  Lines lines;
  for (const auto& key : tables.ready) {
    const auto id = std::get<RunId>(key);
    const auto project = tables.jobs.at(tables.live_runs.at(id).job).job.project;
    const auto& spec = spec_of(tables, id);
    const bool is_for_workers = spec.action.kind == kWorkerKind;
    if (is_for_workers && change.project != project) continue;
    if (!polls(change.queues, spec.queue)) continue;
    auto kind = spec.action.kind;
    if (is_for_workers) kind += project.to_string();
    lines[{std::move(kind), spec.queue}].push_back(key);
  }
  return lines;
}

// How many more runs may be claimed.
struct Slots {
  std::map<std::string, int> lanes;   // by kind
  std::map<std::string, int> queues;  // those with a limit

  Slots(const Tables& tables, const ClaimRuns& change) : queues(change.queue_limits) {
    for (const auto& lane : change.lanes) lanes[lane.kind] += lane.max;
    for (const auto& [_, id] : tables.leases) {
      const auto used = queues.find(spec_of(tables, id).queue);
      if (used != queues.end()) --used->second;
    }
  }
  bool is_full(const std::string& queue) const {
    const auto slots = queues.find(queue);
    return slots != queues.end() && slots->second <= 0;
  }
  bool are_there(const JobSpec& spec) const {
    const auto lane = lanes.find(spec.action.kind);
    return lane != lanes.end() && lane->second > 0 && !is_full(spec.queue);
  }
  void take(const JobSpec& spec) {
    --lanes.at(spec.action.kind);
    if (const auto slots = queues.find(spec.queue); slots != queues.end()) --slots->second;
  }
};

// The line that goes first of those with a run and a slot for it.
Lines::iterator best_line(const Tables& tables, Lines& lines, const Slots& slots) {
  const auto order = [&](const Lines::value_type& line) {
    const auto& [rank, planned_at, id] = line.second.front();
    return std::tuple(rank, tables.turns.last(line.first), planned_at, id);
  };
  auto best = lines.end();
  for (auto line = lines.begin(); line != lines.end(); ++line) {
    if (line->second.empty()) continue;
    if (!slots.are_there(spec_of(tables, std::get<RunId>(line->second.front())))) continue;
    if (best == lines.end() || order(*line) < order(*best)) best = line;
  }
  return best;
}

std::vector<RunId> choose(Tables& tables, const ClaimRuns& change) {
  auto lines = lines_for(tables, change);
  Slots slots(tables, change);
  std::vector<RunId> chosen;
  for (auto line = best_line(tables, lines, slots); line != lines.end();
       line = best_line(tables, lines, slots)) {
    chosen.push_back(std::get<RunId>(line->second.front()));
    slots.take(spec_of(tables, chosen.back()));
    line->second.pop_front();
    tables.turns.keep(line->first, tables.turns.next());
  }
  for (const auto& [line, _] : lines) {
    if (slots.is_full(line.second)) tables.full_queues.insert(line.second);
  }
  return chosen;
}

}  // namespace

Result<ClaimRuns::Answer> apply(Tables& tables, const ClaimRuns& change) {
  ClaimRuns::Answer claimed;
  for (const auto id : choose(tables, change)) {
    auto run = take(tables, id);
    count_start(tables, run, change.now);
    run.place = Place::leased;
    run.lease = Lease{change.holder, change.node, ++tables.last_token, change.now, {}};
    ++run.attempts_made;
    if (!run.started_at) run.started_at = change.now;
    claimed.push_back(claimed_value(tables, run));
    if (change.project) run.lease->ends_at = end_of(claimed.back());
    insert(tables, std::move(run));
  }
  return claimed;
}

Result<AppendOutput::Answer> apply(Tables& tables, const AppendOutput& change) {
  for (const auto& piece : change.pieces) {
    const auto run = tables.live_runs.find(piece.run);
    const bool is_held = run != tables.live_runs.end() && run->second.lease &&
                         run->second.lease->token == piece.token;
    if (!is_held) continue;
    auto& said = tables.running_output[piece.run];
    if (std::ssize(said) == piece.offset) said += piece.bytes;
  }
  return AppendOutput::Answer{};
}

Result<SettleRun::Answer> apply(Tables& tables, const SettleRun& change) {
  const auto found = tables.live_runs.find(change.run);
  if (found == tables.live_runs.end() || !found->second.lease ||
      found->second.lease->token != change.token) {
    return fail(Reason::lease_lost, "the lease on this run is no longer held");
  }
  CHRONOS_CHECK(may_move(RunState::running, change.next));
  CHRONOS_CHECK(change.next != RunState::retrying || change.retry_at);

  if (change.next == RunState::queued) return hand_back(tables, change.run, change.now);
  append_attempt(tables, change);
  for (const auto& delivery : change.deliveries) tables.deliveries.emplace(delivery.id, delivery);
  auto run = take(tables, change.run);
  SettleRun::Answer answer{change.next};
  if (change.next == RunState::retrying && !run.is_cancel_requested) {
    run.lease.reset();
    run.place = Place::due;
    run.at = *change.retry_at;
    run.last_queued_at = run.queued_at;
    insert(tables, std::move(run));
    return answer;
  }
  if (change.next == RunState::retrying) {
    answer.state = RunState::cancelled;
    finish(tables, run, {answer.state, std::string(kRunCancelled), change.attempt.ended_at});
  } else {
    finish(tables, run, {change.next, change.reason, change.attempt.ended_at});
  }
  release_held(tables, run.job, change.now);
  return answer;
}

namespace {

Result<void> hear(Tables& tables, const Heartbeat& change, SteadyTime now) {
  const auto known = tables.holders.find(change.holder);
  const auto project_of = [](const auto& worker) {
    return worker ? std::optional(worker->project) : std::nullopt;
  };
  const bool is_known = known != tables.holders.end();
  const bool is_foreign = is_known && project_of(known->second.worker) != project_of(change.worker);
  if (is_foreign || (!is_known && change.worker && change.worker->goes_on)) return no_worker();
  auto& holder = tables.holders[change.holder];
  if (holder.heard_at == SteadyTime{} && holder.ttl == Duration(0)) {
    holder.first_seen_at = change.now;
  }
  holder.heard_at = now;
  holder.ttl = change.ttl;
  if (change.worker) holder.worker = after(holder.worker, *change.worker);
  holder.node = change.node;
  holder.last_seen_at = std::max(holder.last_seen_at, change.now);
  return {};
}

std::vector<RunId> runs_to_cancel(const Tables& tables, NodeId holder) {
  std::vector<RunId> cancelled;
  for (const auto& [_, id] : tables.leases) {
    const auto& run = tables.live_runs.at(id);
    if (run.lease->holder == holder && run.is_cancel_requested) cancelled.push_back(id);
  }
  return cancelled;
}

}  // namespace

Result<Heartbeat::Answer> apply(Tables& tables, const Heartbeat& change, SteadyTime now) {
  CHRONOS_TRY_VOID(hear(tables, change, now));
  return Heartbeat::Answer{runs_to_cancel(tables, change.holder)};
}

Result<WorkerTurn::Answer> apply(Tables& tables, const WorkerTurn& change, SteadyTime now) {
  CHRONOS_TRY_VOID(hear(tables, change.beat, now));
  WorkerTurn::Answer answer;
  answer.worker = *tables.holders.at(change.beat.holder).worker;
  tables.has_made_ready = false;
  for (const auto& settled : change.settled) {
    const auto came_to = apply(tables, settled);
    answer.settled.push_back(came_to ? std::optional(came_to->state) : std::nullopt);
  }
  open_lines(tables, change.beat.now);
  tables.news.is_for_nodes = tables.news.is_for_nodes || tables.has_made_ready;
  answer.cancelled = runs_to_cancel(tables, change.beat.holder);
  if (!change.claim) return answer;
  auto claim = *change.claim;
  claim.node = answer.worker.name;
  claim.queues = answer.worker.queues;
  CHRONOS_TRY(answer.claimed, apply(tables, claim));
  open_lines(tables, change.beat.now);
  return answer;
}

}  // namespace chronos::store::memory
