// What users ask for: submit, replace, cancel, run now.
#include <algorithm>
#include <utility>

#include "store/memory_limits.h"
#include "store/memory_tables.h"

namespace chronos::store::memory {
namespace {

JobAnswer answer_of(const Tables& tables, JobId job, bool is_replay = false) {
  return {job_value(tables, tables.jobs.at(job)), is_replay};
}

// Refuses when another job of the project has the key.
Result<void> check_key(const Tables& tables, const Job& job) {
  if (!job.spec->key) return {};
  const auto found = tables.job_keys.find({job.project, *job.spec->key});
  if (found == tables.job_keys.end() || found->second == job.id) return {};
  return fail(Reason::key_taken, "another job has the key '" + *job.spec->key + "'");
}

Result<void> check_calendars(const Tables& tables, const Job& job) {
  const auto& names = job.spec->schedule.calendars;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!tables.calendars.contains({job.project, names[i]})) return unknown_calendar(i, names[i]);
  }
  return {};
}

std::unexpected<Error> no_job() {
  return fail(Reason::not_found, "no job has this id");
}

// The new schedule was planned from where the old one stood before: it would answer an instant
// twice.
std::unexpected<Error> planned_further() {
  return fail(Reason::version_mismatch, "the job was planned further meanwhile");
}

// Whether a replaced schedule takes this run with it.
bool is_waiting_of_schedule(const LiveRun& run) {
  return run.trigger == Trigger::schedule && run.place != Place::leased;
}

void drop_schedule(Tables& tables, const StoredJob& stored, Timestamp now) {
  for (const auto id : std::set<RunId>(stored.live)) {
    const auto& run = tables.live_runs.at(id);
    if (!is_waiting_of_schedule(run)) continue;
    if (run.place == Place::due && run.attempts_made == 0 && run.at > now) {
      take(tables, id);
    } else {
      cancel_waiting(tables, id, kRescheduled, now);
    }
  }
}

bool waits_to_be_planned(const Tables& tables, const StoredJob& stored) {
  for (const auto id : stored.live) {
    const auto& run = tables.live_runs.at(id);
    if (run.place == Place::due && run.needs_planning) return true;
  }
  return false;
}

// The declaration changes while the schedule stays: what waits follows it.
void keep_schedule(Tables& tables, StoredJob& stored, const ReplaceJob& change) {
  for (const auto id : stored.live) {
    auto& run = tables.live_runs.at(id);
    const bool is_untried = run.place == Place::due && run.attempts_made == 0;
    if (is_untried && run.trigger == Trigger::schedule) {
      run.needs_planning = change.waiting_needs_planning;
    }
  }
  const auto& job = stored.job;
  if (!change.next_run || !job.parked_at || job.spec->paused) return;
  if (waits_to_be_planned(tables, stored)) return;
  auto next = *change.next_run;
  next.planned_at = next.at = *job.parked_at;
  next.needs_planning = true;
  insert_planned(tables, job.id, next, change.now);
}

// Whether a run that waits in `ready` or in line stands elsewhere by the new declaration.
bool has_to_move(const LiveRun& run, const JobSpec& before, const JobSpec& after) {
  if (run.place != Place::ready && run.place != Place::limited) return false;
  return run.limits != after.limits || before.priority != after.priority ||
         before.queue != after.queue || before.action.kind != after.action.kind;
}

// The one before stays among the job's versions.
void keep_version(StoredJob& stored, const Job& job, const std::optional<Author>& by) {
  auto& versions = stored.versions;
  const auto oldest = stored.job.version - kVersionsKept;
  versions.push_back(
      {job.version, job.updated_at, by ? std::optional(by->key) : std::nullopt, {}, job.spec});
  while (versions.size() > 1 && versions.front().version <= oldest) {
    versions.erase(versions.begin());
  }
}

// Puts the new declaration in place of the old one. Runs that wait follow it: those in `ready` are
// ordered by its priority.
void put_declaration(Tables& tables, StoredJob& stored, Job job, const ReplaceJob& change) {
  keep_version(stored, job, change.by);
  if (stored.job.spec->key) tables.job_keys.erase({job.project, *stored.job.spec->key});
  if (job.spec->key) tables.job_keys.emplace(std::pair{job.project, *job.spec->key}, job.id);
  std::vector<LiveRun> moved;
  for (const auto id : std::set<RunId>(stored.live)) {
    if (has_to_move(tables.live_runs.at(id), stored.job.spec, job.spec)) {
      moved.push_back(take(tables, id));
    }
  }
  const auto take_limits = [&](LiveRun& run) {
    if (run.limits == job.spec->limits) return;
    give_slot_back(tables, run);
    run.limits = job.spec->limits;
  };
  std::ranges::for_each(moved, take_limits);
  for (const auto id : stored.live) {
    if (auto& run = tables.live_runs.at(id); run.place != Place::leased) take_limits(run);
  }
  stored.job = std::move(job);
  for (auto& run : moved) {
    if (run.place == Place::limited) run.queued_at = change.now;
    run.place = Place::ready;
    insert(tables, std::move(run));
  }
}

}  // namespace

Result<JobAnswer> apply(Tables& tables, const SubmitJob& change) {
  CHRONOS_TRY(const auto replay, find_replay<JobId>(tables, change.idempotency));
  if (replay) return answer_of(tables, *replay, true);
  if (tables.jobs.contains(change.job.id)) return answer_of(tables, change.job.id, true);
  CHRONOS_TRY(auto holder, meet_holder(tables, change));
  if (holder) {
    remember(tables, change.idempotency, holder->job.id);
    return std::move(*holder);
  }
  CHRONOS_TRY_VOID(check_key(tables, change.job));
  CHRONOS_TRY_VOID(check_calendars(tables, change.job));

  const auto id = change.job.id;
  auto job = change.job;
  job.counts.running = 0;
  job.next_run_at.reset();
  if (job.spec->key) tables.job_keys.emplace(std::pair{job.project, *job.spec->key}, id);
  auto& stored = tables.jobs[id];
  if (change.by) stored.created_by = change.by->key;
  stored.versions = {{job.version, job.created_at, stored.created_by, {}, job.spec}};
  stored.job = std::move(job);
  take_unique_key(tables, change.job, change.now);
  if (change.first_run) insert_planned(tables, id, *change.first_run, change.now);
  remember(tables, change.idempotency, id);
  return answer_of(tables, id);
}

Result<JobAnswer> apply(Tables& tables, const ReplaceJob& change) {
  CHRONOS_TRY(const auto replay, find_replay<JobId>(tables, change.idempotency));
  if (replay) return answer_of(tables, *replay, true);
  if (find_job(tables, change.job.project, change.job.id) == nullptr) return no_job();
  auto& stored = tables.jobs.at(change.job.id);
  if (stored.job.version != change.expected_version) return changed_meanwhile("job");
  if (change.replaces_schedule && change.job.planned_through < stored.job.planned_through) {
    return planned_further();
  }
  CHRONOS_TRY_VOID(check_key(tables, change.job));
  if (change.replaces_schedule) CHRONOS_TRY_VOID(check_calendars(tables, change.job));

  if (change.replaces_schedule) drop_schedule(tables, stored, change.now);
  auto job = change.job;
  job.counts = stored.job.counts;
  job.failure_streak = stored.job.failure_streak;
  job.last_run = stored.job.last_run;
  job.next_run_at.reset();
  if (!change.replaces_schedule) {
    job.phase = stored.job.phase;
    job.planned_through = stored.job.planned_through;
    job.parked_at = stored.job.parked_at;
    job.runs_planned = stored.job.runs_planned;
  }
  put_declaration(tables, stored, std::move(job), change);
  if (change.replaces_schedule) {
    stored.phase_at_end.reset();
    if (change.next_run) insert_planned(tables, stored.job.id, *change.next_run, change.now);
  } else {
    keep_schedule(tables, stored, change);
  }
  release_held(tables, stored.job.id, change.now);
  remember(tables, change.idempotency, stored.job.id);
  return answer_of(tables, stored.job.id);
}

Result<JobAnswer> apply(Tables& tables, const CancelJob& change) {
  if (find_job(tables, change.project, change.job) == nullptr) return no_job();
  auto& stored = tables.jobs.at(change.job);
  auto& job = stored.job;
  if (change.expected_version && *change.expected_version != job.version)
    return changed_meanwhile("job");
  if (job.phase == JobPhase::active) {
    job.phase = JobPhase::cancelled;
    job.parked_at.reset();
    job.updated_at = change.now;
    ++job.version;
    stored.phase_at_end = JobPhase::cancelled;
  }
  for (const auto id : std::set<RunId>(stored.live)) {
    auto& run = tables.live_runs.at(id);
    if (run.place != Place::leased) {
      cancel_waiting(tables, id, kJobCancelled, change.now);
    } else if (!change.keep_running) {
      run.is_cancel_requested = true;
    }
  }
  return answer_of(tables, change.job);
}

Result<RunAnswer> apply(Tables& tables, const RunJob& change) {
  CHRONOS_TRY(const auto replay, find_replay<RunId>(tables, change.idempotency));
  if (replay) return RunAnswer{*replay, true};
  if (find_job(tables, change.project, change.job) == nullptr) return no_job();
  const auto id = change.run.id;
  if (tables.live_runs.contains(id) || tables.final_runs.contains(id)) return RunAnswer{id, true};

  insert_planned(tables, change.job, change.run, change.now);
  if (tables.live_runs.at(id).place == Place::due) make_ready(tables, id, change.now);
  remember(tables, change.idempotency, id);
  return RunAnswer{id, false};
}

Result<Backfill::Answer> apply(Tables& tables, const Backfill& change) {
  CHRONOS_TRY(const auto first, find_replay<RunId>(tables, change.idempotency));
  if (first) {
    CHRONOS_TRY(const auto last, find_replay<RunId>(tables, last_of(change.idempotency)));
    return Backfill::Answer{first, last, true};
  }
  if (find_job(tables, change.project, change.job) == nullptr) return no_job();
  if (change.runs.empty()) return Backfill::Answer{};
  const Backfill::Answer answer{change.runs.front().id, change.runs.back().id, false};
  if (tables.live_runs.contains(*answer.first) || tables.final_runs.contains(*answer.first)) {
    return Backfill::Answer{answer.first, answer.last, true};
  }
  auto& job = tables.jobs.at(change.job).job;
  if (job.version != change.expected_version) return changed_meanwhile("job");
  ++job.version;
  for (const auto& planned : change.runs) {
    LiveRun run;
    run.id = planned.id;
    run.job = change.job;
    run.trigger = planned.trigger;
    run.planned_at = planned.planned_at;
    run.at = planned.at;
    run.limits = job.spec->limits;
    run.place = change.holds ? Place::held : Place::ready;
    if (!change.holds) run.queued_at = change.now;
    insert(tables, std::move(run));
  }
  release_held(tables, change.job, change.now);
  remember(tables, change.idempotency, *answer.first);
  remember(tables, last_of(change.idempotency), *answer.last);
  return answer;
}

Result<RunAnswer> apply(Tables& tables, const CancelRun& change) {
  const RunAnswer answer{change.run, false};
  if (const auto found = tables.final_runs.find(change.run); found != tables.final_runs.end()) {
    if (found->second.run.project == change.project) return answer;
    return fail(Reason::not_found, "no run has this id");
  }
  const auto found = tables.live_runs.find(change.run);
  if (found == tables.live_runs.end() ||
      find_job(tables, change.project, found->second.job) == nullptr) {
    return fail(Reason::not_found, "no run has this id");
  }
  auto& run = found->second;
  const auto job = run.job;
  const bool carries_schedule = run.needs_planning && is_recurring(tables.jobs.at(job).job);
  if (run.place == Place::leased || carries_schedule) {
    run.is_cancel_requested = true;
  } else {
    cancel_waiting(tables, change.run, kRunCancelled, change.now);
    release_held(tables, job, change.now);
  }
  return answer;
}

}  // namespace chronos::store::memory
