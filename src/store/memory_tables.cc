#include "store/memory_tables.h"

#include <algorithm>

#include "base/check.h"
#include "store/memory_limits.h"

namespace chronos::store::memory {
namespace {

std::tuple<int, Timestamp, RunId> ready_key(const Tables& tables, const LiveRun& run) {
  return {-tables.jobs.at(run.job).job.spec->priority, run.planned_at, run.id};
}

RunState state_of(const LiveRun& run) {
  switch (run.place) {
    case Place::due:
      return run.is_retrying() ? RunState::retrying : RunState::planned;
    case Place::ready:
    case Place::held:
    case Place::limited:
      return RunState::queued;
    case Place::leased:
      return RunState::running;
  }
  return RunState::planned;
}

std::int64_t* count_of(JobCounts& counts, RunState state) {
  switch (state) {
    case RunState::succeeded:
      return &counts.succeeded;
    case RunState::failed:
    case RunState::timed_out:
    case RunState::lost:
      return &counts.failed;
    case RunState::cancelled:
      return &counts.cancelled;
    case RunState::skipped:
      return &counts.skipped;
    case RunState::missed:
      return &counts.missed;
    default:
      return nullptr;
  }
}

void count(Job& job, RunState state, std::int64_t number) {
  auto* counter = count_of(job.counts, state);
  CHRONOS_CHECK(counter != nullptr);
  *counter += number;
}

const Attempt* newest_attempt(const Tables& tables, RunId run) {
  const auto found = tables.attempts.find(run);
  return found == tables.attempts.end() ? nullptr : &found->second.rbegin()->second;
}

void show_attempt(Run& run, const Attempt& attempt) {
  run.node = attempt.node;
  run.error = attempt.outcome.error;
  run.exit_code = attempt.outcome.exit_code;
  run.http_status = attempt.outcome.http_status;
}

void store_final(Tables& tables, StoredJob& stored, Run run) {
  stored.ended.insert(run.id);
  const auto id = run.id;
  const auto [_, is_new] = tables.final_runs.emplace(id, FinalRun{std::move(run), false});
  CHRONOS_CHECK(is_new);
}

JobStatus status_of(const Job& job, bool is_running, bool is_retrying) {
  if (job.phase == JobPhase::cancelled) return JobStatus::cancelled;
  if (is_running) return JobStatus::running;
  if (is_retrying) return JobStatus::retrying;
  if (job.phase == JobPhase::succeeded) return JobStatus::succeeded;
  if (job.phase == JobPhase::failed) return JobStatus::failed;
  return job.spec->paused ? JobStatus::paused : JobStatus::scheduled;
}

// A run lies in `ready` now: whoever may take it is told when the transaction is committed.
void tell_ready(Tables& tables, const LiveRun& run) {
  const auto& job = tables.jobs.at(run.job).job;
  if (job.spec->action.kind == kWorkerKind) {
    tables.news.work.push_back({job.project, job.spec->queue, 1});
  } else {
    tables.has_made_ready = true;
  }
}

// A lease is gone: whoever found its queue full is told.
void tell_room(Tables& tables, const LiveRun& run) {
  const auto& queue = tables.jobs.at(run.job).job.spec->queue;
  if (tables.full_queues.erase(queue) == 0) return;
  tables.news.work.push_back({std::nullopt, queue, 1});
  tables.news.is_for_nodes = true;
}

}  // namespace

void insert(Tables& tables, LiveRun run) {
  const auto id = run.id;
  if (run.place == Place::ready) enter_ready_or_line(tables, run);
  if (run.place == Place::due) tables.due.emplace(run.at, id);
  if (run.place == Place::ready) {
    tables.ready.insert(ready_key(tables, run));
    tell_ready(tables, run);
  }
  if (run.place == Place::leased) tables.leases.emplace(run.lease->token, id);
  auto& stored = tables.jobs.at(run.job);
  tables.queues_seen.emplace(stored.job.project, stored.job.spec->queue);
  stored.live.insert(id);
  const auto [_, is_new] = tables.live_runs.emplace(id, std::move(run));
  CHRONOS_CHECK(is_new);
}

LiveRun take(Tables& tables, RunId id) {
  const auto found = tables.live_runs.find(id);
  CHRONOS_CHECK(found != tables.live_runs.end());
  auto run = std::move(found->second);
  tables.live_runs.erase(found);
  tables.due.erase({run.at, id});
  if (run.place == Place::ready) tables.ready.erase(ready_key(tables, run));
  leave_limits(tables, run);
  if (run.lease) {
    tables.leases.erase(run.lease->token);
    tell_room(tables, run);
  }
  tables.jobs.at(run.job).live.erase(id);
  return run;
}

void insert_planned(Tables& tables, JobId job, const PlannedRun& planned, Timestamp now) {
  LiveRun run;
  run.id = planned.id;
  run.job = job;
  run.trigger = planned.trigger;
  run.planned_at = planned.planned_at;
  run.jitter = planned.jitter;
  run.at = planned.at;
  run.needs_planning = planned.needs_planning;
  run.retry_of = planned.retry_of;
  run.limits = tables.jobs.at(job).job.spec->limits;
  insert(tables, std::move(run));
  if (planned.at <= now && !planned.needs_planning) make_ready(tables, planned.id, now);
}

void make_ready(Tables& tables, RunId id, Timestamp now) {
  auto run = take(tables, id);
  run.place = Place::ready;
  run.needs_planning = false;
  run.queued_at = now;
  insert(tables, std::move(run));
}

void finish(Tables& tables, LiveRun live, const End& end) {
  CHRONOS_CHECK(is_final(end.state) && may_move(state_of(live), end.state));
  auto run = run_value(tables, live);
  run.state = end.state;
  run.reason = end.reason;
  run.ended_at = end.at;
  run.next_attempt_at.reset();
  run.is_cancel_requested = false;
  if (const auto* attempt = newest_attempt(tables, live.id)) show_attempt(run, *attempt);

  auto& stored = tables.jobs.at(live.job);
  auto& job = stored.job;
  count(job, end.state, 1);
  count_end(tables.tallies, {.project = job.project,
                             .state = end.state,
                             .at = end.at,
                             .started_at = run.started_at,
                             .lateness = run.lateness});
  job.last_run = LastRun{live.id, end.state, end.at, run.error};
  if (end.state == RunState::succeeded) {
    job.failure_streak = 0;
  } else if (end.state != RunState::cancelled) {
    ++job.failure_streak;
  }
  store_final(tables, stored, std::move(run));
  give_slot_back(tables, live);
  follow_phase(stored, end.state);
}

void cancel_waiting(Tables& tables, RunId run, std::string_view reason, Timestamp now) {
  finish(tables, take(tables, run), {RunState::cancelled, std::string(reason), now});
}

void write_row(Tables& tables, StoredJob& stored, const LedgerRow& row, Timestamp from,
               Timestamp now) {
  const auto last = row.planned_until.value_or(row.planned_at);
  count(stored.job, row.state, row.count);
  count_end(tables.tallies,
            {.project = stored.job.project, .state = row.state, .at = now, .count = row.count});
  const auto [begin, end] = stored.not_run.equal_range(from);
  for (auto it = begin; it != end; ++it) {
    const auto found = tables.final_runs.find(it->second);
    if (found == tables.final_runs.end()) continue;
    auto& [before, is_fold] = found->second;
    if (is_fold || before.planned_until.value_or(before.planned_at) != from) continue;
    if (before.state != row.state || before.reason != row.reason || before.error != row.error) {
      continue;
    }
    before.count += row.count;
    before.planned_until = last;
    before.ended_at = now;
    stored.not_run.emplace(last, before.id);
    return;
  }
  stored.not_run.emplace(last, row.id);
  Run run;
  run.id = row.id;
  run.job = stored.job.id;
  run.project = stored.job.project;
  run.state = row.state;
  run.reason = row.reason;
  run.error = row.error;
  run.planned_at = row.planned_at;
  run.planned_until = row.planned_until;
  run.count = row.count;
  run.ended_at = now;
  store_final(tables, stored, std::move(run));
}

void follow_phase(StoredJob& stored, std::optional<RunState> came_to) {
  auto& job = stored.job;
  if (!stored.live.empty() || job.parked_at) return;
  if (stored.phase_at_end) {
    job.phase = *stored.phase_at_end;
  } else if (came_to == RunState::succeeded) {
    job.phase = JobPhase::succeeded;
  } else if (came_to == RunState::cancelled) {
    if (job.phase == JobPhase::active) job.phase = JobPhase::cancelled;
  } else if (came_to) {
    job.phase = JobPhase::failed;
  }
}

void release_held(Tables& tables, JobId job, Timestamp now) {
  const LiveRun* oldest = nullptr;
  for (const auto id : tables.jobs.at(job).live) {
    const auto& run = tables.live_runs.at(id);
    if (run.goes_on()) return;
    if (run.place != Place::held) continue;
    const auto place_in_line = [](const LiveRun& held) {
      return std::pair(held.trigger == Trigger::backfill, held.planned_at);
    };
    if (oldest == nullptr || place_in_line(run) < place_in_line(*oldest)) oldest = &run;
  }
  if (oldest != nullptr) make_ready(tables, oldest->id, now);
}

bool is_recurring(const Job& job) {
  return !job.spec->schedule.cron.empty() || job.spec->schedule.every.has_value();
}

Job job_value(const Tables& tables, const StoredJob& stored) {
  auto job = stored.job;
  bool is_retrying = false;
  for (const auto id : stored.live) {
    const auto& run = tables.live_runs.at(id);
    is_retrying |= run.is_retrying();
    if (run.place == Place::leased) {
      ++job.counts.running;
      continue;
    }
    const auto at =
        run.place == Place::due ? std::max(run.at, run.planned_at + run.jitter) : run.planned_at;
    if (at == kNextStart) continue;
    if (!job.next_run_at || at < *job.next_run_at) job.next_run_at = at;
  }
  job.status = status_of(job, job.counts.running > 0, is_retrying);
  return job;
}

Run run_value(const Tables& tables, const LiveRun& live) {
  const auto& job = tables.jobs.at(live.job).job;
  Run run;
  run.id = live.id;
  run.job = live.job;
  run.project = job.project;
  run.job_name = job.spec->name;
  run.trigger = live.trigger;
  run.state = state_of(live);
  run.planned_at = live.planned_at;
  run.jitter = live.jitter;
  run.queued_at = live.queued_at;
  run.started_at = live.started_at;
  run.attempts_made = live.attempts_made;
  run.retry_of = live.retry_of;
  run.is_cancel_requested = live.is_cancel_requested;
  if (live.is_retrying()) run.next_attempt_at = live.at;
  if (live.started_at && live.trigger != Trigger::backfill) {
    run.lateness = *live.started_at - live.planned_at - live.jitter;
  }
  if (live.lease) {
    run.node = live.lease->node;
  } else if (const auto* attempt = newest_attempt(tables, live.id)) {
    show_attempt(run, *attempt);
  }
  return run;
}

Run run_value(const Tables& tables, const FinalRun& final_run) {
  auto run = final_run.run;
  run.job_name = tables.jobs.at(run.job).job.spec->name;
  return run;
}

ClaimedRun claimed_value(const Tables& tables, const LiveRun& run) {
  const auto& job = tables.jobs.at(run.job).job;
  return {.holder = run.lease->holder,
          .node = run.lease->node,
          .run = run.id,
          .job = run.job,
          .project = job.project,
          .token = run.lease->token,
          .attempt = run.attempts_made,
          .trigger = run.trigger,
          .planned_at = run.planned_at,
          .queued_at = run.queued_at.value_or(run.planned_at),
          .started_at = run.lease->started_at,
          .spec = job.spec,
          .failure_streak = job.failure_streak};
}

const StoredJob* find_job(const Tables& tables, ProjectId project, JobId job) {
  const auto found = tables.jobs.find(job);
  if (found == tables.jobs.end() || found->second.job.project != project) return nullptr;
  return &found->second;
}

}  // namespace chronos::store::memory
