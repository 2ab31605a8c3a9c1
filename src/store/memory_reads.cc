#include "store/memory_reads.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/ascii.h"
#include "store/memory_limits.h"

namespace chronos::store::memory {
namespace {

bool contains_ignoring_case(const std::string& text, const std::string& part) {
  return !std::ranges::search(text, part, {}, ascii::lower, ascii::lower).empty() || part.empty();
}

bool matches(const JobFilter& filter, const Job& job) {
  const auto& tags = job.spec->tags;
  return (!filter.status || job.status == *filter.status) &&
         (filter.tag.empty() || std::ranges::find(tags, filter.tag) != tags.end()) &&
         contains_ignoring_case(job.spec->name, filter.name_contains) &&
         (filter.kind.empty() || job.spec->action.kind == filter.kind) &&
         (filter.queue.empty() || job.spec->queue == filter.queue) &&
         (!filter.created_after || job.created_at >= *filter.created_after) &&
         (!filter.created_before || job.created_at < *filter.created_before);
}

bool matches(const RunFilter& filter, const JobSpec& spec, const Run& run) {
  const auto& states = filter.states;
  return run.project == filter.project && (!filter.job || run.job == *filter.job) &&
         (states.empty() || std::ranges::find(states, run.state) != states.end()) &&
         (filter.tag.empty() || std::ranges::find(spec.tags, filter.tag) != spec.tags.end()) &&
         contains_ignoring_case(spec.name, filter.job_name_contains) &&
         contains_ignoring_case(run.error, filter.error_contains) &&
         (!filter.planned_after || run.planned_at >= *filter.planned_after) &&
         (!filter.planned_before || run.planned_at < *filter.planned_before);
}

// Appends unless the page is full; false when it is.
template <class T>
bool append(Page<T>& page, T row, int limit) {
  if (std::ssize(page.rows) >= limit) {
    page.has_more = true;
    return false;
  }
  page.last = row.id;
  page.rows.push_back(std::move(row));
  return true;
}

std::optional<Run> any_run(const Tables& tables, RunId run) {
  if (const auto live = tables.live_runs.find(run); live != tables.live_runs.end()) {
    return run_value(tables, live->second);
  }
  const auto found = tables.final_runs.find(run);
  if (found == tables.final_runs.end()) return std::nullopt;
  return run_value(tables, found->second);
}

const std::map<int, Attempt>* attempts_of(const Tables& tables, RunId run) {
  const auto found = tables.attempts.find(run);
  return found == tables.attempts.end() ? nullptr : &found->second;
}

DueRun due_value(const Tables& tables, const LiveRun& due) {
  const auto& stored = tables.jobs.at(due.job);
  DueRun value{due.id, due.planned_at, std::make_shared<const Job>(stored.job),
               false,  false,          calendars_of(tables, stored.job)};
  for (const auto id : stored.live) {
    const auto& other = tables.live_runs.at(id);
    if (id == due.id) continue;
    if (other.trigger == Trigger::backfill) {
      value.is_backfilling |= other.goes_on();
      continue;
    }
    value.is_held |= other.place == Place::held;
    value.is_running |= other.goes_on() || other.place == Place::held;
  }
  return value;
}

bool resumes_by_itself(const Job& job) {
  return job.phase == JobPhase::active && job.spec->paused_until.has_value();
}

bool is_expired(const Tables& tables, const LiveRun& run, SteadyTime now) {
  const auto holder = tables.holders.find(run.lease->holder);
  return holder == tables.holders.end() ||
         now - holder->second.heard_at >= SteadyTime(holder->second.ttl);
}

}  // namespace

Result<Job> read_job(const Tables& tables, ProjectId project, JobId job) {
  const auto* stored = find_job(tables, project, job);
  if (stored == nullptr) return fail(Reason::not_found, "no job has this id");
  return job_value(tables, *stored);
}

Result<Job> read_job_by_key(const Tables& tables, ProjectId project, const std::string& key) {
  const auto found = tables.job_keys.find({project, key});
  if (found == tables.job_keys.end()) return fail(Reason::not_found, "no job has this key");
  return job_value(tables, tables.jobs.at(found->second));
}

Page<Job> list_jobs(const Tables& tables, const JobFilter& filter) {
  Page<Job> page;
  for (const auto& [id, stored] : std::views::reverse(tables.jobs)) {
    if (stored.job.project != filter.project || (filter.after && id >= *filter.after)) continue;
    auto job = job_value(tables, stored);
    if (matches(filter, job) && !append(page, std::move(job), filter.limit)) break;
  }
  return page;
}

Result<Run> read_run(const Tables& tables, ProjectId project, RunId id) {
  auto run = any_run(tables, id);
  if (!run || run->project != project) return fail(Reason::not_found, "no run has this id");
  if (const auto* attempts = attempts_of(tables, id)) {
    for (const auto& [_, attempt] : *attempts) run->attempts.push_back(attempt);
  }
  return std::move(*run);
}

Page<Run> list_runs(const Tables& tables, const RunFilter& filter) {
  std::set<RunId> ids;
  if (filter.job) {
    const auto* stored = find_job(tables, filter.project, *filter.job);
    if (stored == nullptr) return {};
    ids = stored->live;
    ids.insert(stored->ended.begin(), stored->ended.end());
  } else {
    for (const auto& [id, _] : tables.live_runs) ids.insert(id);
    for (const auto& [id, _] : tables.final_runs) ids.insert(id);
  }
  Page<Run> page;
  for (const auto id : std::views::reverse(ids)) {
    if (filter.after && id >= *filter.after) continue;
    auto run = any_run(tables, id);
    const auto& spec = tables.jobs.at(run->job).job.spec;
    if (matches(filter, spec, *run) && !append(page, std::move(*run), filter.limit)) break;
  }
  return page;
}

Result<OutputPage> read_output(const Tables& tables, ProjectId project, RunId id, int attempt,
                               std::int64_t offset) {
  const auto run = any_run(tables, id);
  if (!run || run->project != project) return fail(Reason::not_found, "no run has this id");
  const auto from = [offset](const std::string& bytes) {
    return bytes.substr(std::min(static_cast<std::size_t>(offset), bytes.size()));
  };
  const auto live = tables.live_runs.find(id);
  const bool is_leased = live != tables.live_runs.end() && live->second.lease;
  if (is_leased && (attempt == 0 || attempt == live->second.attempts_made)) {
    const auto said = tables.running_output.find(id);
    return OutputPage{.bytes = said == tables.running_output.end() ? "" : from(said->second),
                      .attempt = live->second.attempts_made,
                      .is_running = true};
  }
  const auto* attempts = attempts_of(tables, id);
  if (attempt == 0 && attempts != nullptr) attempt = attempts->rbegin()->first;
  const auto found = tables.outputs.find({id, attempt});
  if (found == tables.outputs.end()) return OutputPage{};
  return OutputPage{
      .bytes = from(found->second.bytes), .dropped = found->second.dropped, .attempt = attempt};
}

std::vector<Run> live_runs(const Tables& tables, ProjectId project, JobId job) {
  std::vector<Run> runs;
  const auto* stored = find_job(tables, project, job);
  if (stored == nullptr) return runs;
  for (const auto id : stored->live) runs.push_back(run_value(tables, tables.live_runs.at(id)));
  std::ranges::sort(runs, {}, [](const Run& run) { return std::pair(run.planned_at, run.id); });
  return runs;
}

namespace {

// Of its own queue those before it; of another those of higher priority and, since queues take
// turns, as many of the same as before it in its own and one.
void count_ahead(const Tables& tables, RunId id, const auto& is_of_kind, int ahead_max,
                 Standing& standing) {
  const auto& own = tables.jobs.at(tables.live_runs.at(id).job).job.spec;
  const auto mine =
      std::ranges::find(tables.ready, id, [](const auto& key) { return std::get<RunId>(key); });
  const int rank = std::get<int>(*mine);
  struct Count {
    std::int64_t higher = 0;
    std::int64_t equal = 0;
  };
  Count before;
  std::map<std::string, Count> others;
  for (const auto& key : tables.ready) {
    const auto& [other_rank, _, other] = key;
    const auto& queue = tables.jobs.at(tables.live_runs.at(other).job).job.spec->queue;
    const bool is_own = queue == own->queue;
    if (other_rank > rank || !is_of_kind(other) || (is_own && !(key < *mine))) continue;
    auto& count = is_own ? before : others[queue];
    ++(other_rank < rank ? count.higher : count.equal);
  }
  const auto at_most = [&](std::int64_t count) { return std::min<std::int64_t>(count, ahead_max); };
  standing.ahead = standing.ahead_in_queue = at_most(before.higher + before.equal);
  for (const auto& [_, count] : others) {
    const auto more = count.higher + std::min(count.equal, before.equal + 1);
    standing.ahead = at_most(standing.ahead + more);
  }
}

}  // namespace

std::optional<Standing> standing(const Tables& tables, ProjectId project, RunId id, int ahead_max) {
  const auto found = tables.live_runs.find(id);
  if (found == tables.live_runs.end()) return std::nullopt;
  const auto& run = found->second;
  const auto spec_of = [&](RunId other) -> const JobSpec& {
    return tables.jobs.at(tables.live_runs.at(other).job).job.spec;
  };
  const auto project_of = [&](RunId other) {
    return tables.jobs.at(tables.live_runs.at(other).job).job.project;
  };
  if (project_of(id) != project) return std::nullopt;
  Standing standing;
  standing.is_held = run.place == Place::held;
  if (run.lease) standing.attempt_started_at = run.lease->started_at;
  standing.limit = limit_standing(tables, run, ahead_max);
  if (run.place != Place::ready) return standing;

  const auto& spec = spec_of(id);
  const auto name = [&](std::vector<RunId>& runs, RunId other) {
    if (project_of(other) == project && std::ssize(runs) < kRunsNamedMax) runs.push_back(other);
  };
  // Runs for workers of another project are of another kind.
  const auto is_of_kind = [&](RunId other) {
    return spec_of(other).action.kind == spec.action.kind &&
           (spec.action.kind != kWorkerKind || project_of(other) == project);
  };
  for (const auto& [_, other] : tables.leases) {
    if (is_of_kind(other)) {
      ++standing.running_of_kind;
      name(standing.runs_of_kind, other);
    }
    if (spec_of(other).queue == spec.queue) {
      ++standing.running_in_queue;
      name(standing.runs_in_queue, other);
    }
  }
  count_ahead(tables, id, is_of_kind, ahead_max, standing);
  return standing;
}

std::vector<ReasonCount> reason_counts(const Tables& tables, ProjectId project, JobId job) {
  const auto* stored = find_job(tables, project, job);
  if (stored == nullptr) return {};
  std::map<std::pair<std::string_view, std::string>, ReasonCount> counts;
  for (const auto id : stored->ended) {
    const auto& run = tables.final_runs.at(id).run;
    if (run.state != RunState::skipped && run.state != RunState::missed) continue;
    auto& entry = counts[{to_string(run.state), run.reason}];
    entry.state = run.state;
    entry.reason = run.reason;
    entry.count += run.count;
  }
  std::vector<ReasonCount> list;
  list.reserve(counts.size());
  for (auto& [_, entry] : counts) list.push_back(std::move(entry));
  return list;
}

std::vector<WaitingRun> waiting_runs(const Tables& tables, WaitingCursor after, int limit) {
  std::vector<WaitingRun> waiting;
  for (auto it = tables.due.upper_bound({after.at, after.run});
       it != tables.due.end() && std::ssize(waiting) < limit; ++it) {
    const auto& run = tables.live_runs.at(it->second);
    if (!run.needs_planning) continue;
    waiting.push_back({it->first, run.id, run.planned_at, run.is_cancel_requested,
                       std::make_shared<const Job>(tables.jobs.at(run.job).job)});
  }
  return waiting;
}

std::vector<DueRun> due_runs(const Tables& tables, Timestamp now, int limit) {
  std::vector<const LiveRun*> runs;
  std::set<JobId> seen;
  for (const auto& [at, id] : tables.due) {
    if (at > now) break;
    const auto& run = tables.live_runs.at(id);
    if (run.needs_planning && seen.insert(run.job).second) runs.push_back(&run);
  }
  if (std::ssize(runs) > limit) {
    const auto latest = limit / 2;
    runs.erase(runs.begin() + (limit - latest), runs.end() - latest);
  }
  std::vector<DueRun> due;
  due.reserve(runs.size());
  for (const auto* run : runs) due.push_back(due_value(tables, *run));
  return due;
}

std::vector<Job> jobs_to_resume(const Tables& tables, Timestamp now, int limit) {
  std::vector<Job> jobs;
  for (const auto& [_, stored] : tables.jobs) {
    if (resumes_by_itself(stored.job) && *stored.job.spec->paused_until <= now) {
      jobs.push_back(job_value(tables, stored));
    }
  }
  std::ranges::sort(jobs, {},
                    [](const Job& job) { return std::pair(job.spec->paused_until, job.id); });
  if (std::ssize(jobs) > limit) jobs.resize(static_cast<std::size_t>(limit));
  return jobs;
}

std::optional<Timestamp> next_resume_at(const Tables& tables) {
  std::optional<Timestamp> next;
  for (const auto& [_, stored] : tables.jobs) {
    if (!resumes_by_itself(stored.job)) continue;
    if (!next || *stored.job.spec->paused_until < *next) next = stored.job.spec->paused_until;
  }
  return next;
}

std::vector<ClaimedRun> expired_leases(const Tables& tables, SteadyTime now, int limit) {
  std::vector<ClaimedRun> expired;
  for (const auto& [_, id] : tables.leases) {
    if (std::ssize(expired) >= limit) break;
    const auto& run = tables.live_runs.at(id);
    if (is_expired(tables, run, now)) expired.push_back(claimed_value(tables, run));
  }
  return expired;
}

std::vector<Worker> list_workers(const Tables& tables, ProjectId project, SteadyTime now) {
  std::vector<Worker> workers;
  for (const auto& [id, holder] : std::views::reverse(tables.holders)) {
    if (!holder.worker || holder.worker->project != project) continue;
    Worker worker{.id = WorkerId{id.uuid},
                  .info = *holder.worker,
                  .first_seen_at = holder.first_seen_at,
                  .last_seen_at = holder.last_seen_at,
                  .is_alive = now < holder.heard_at + holder.ttl,
                  .running = 0,
                  .runs = {}};
    for (const auto& [_, run] : tables.leases) {
      if (tables.live_runs.at(run).lease->holder != id) continue;
      ++worker.running;
      if (std::ssize(worker.runs) < kWorkerRunsMax) worker.runs.push_back(run);
    }
    workers.push_back(std::move(worker));
  }
  return workers;
}

std::vector<ClaimedRun> find_leases(const Tables& tables, const std::vector<RunId>& runs) {
  std::vector<ClaimedRun> leases;
  for (const auto id : runs) {
    const auto run = tables.live_runs.find(id);
    if (run == tables.live_runs.end() || !run->second.lease) continue;
    leases.push_back(claimed_value(tables, run->second));
  }
  return leases;
}

std::vector<ClaimedRun> leases_of(const Tables& tables, NodeId holder) {
  std::vector<ClaimedRun> leases;
  for (const auto& [_, id] : tables.leases) {
    const auto& run = tables.live_runs.at(id);
    if (run.lease->holder == holder) leases.push_back(claimed_value(tables, run));
  }
  return leases;
}

std::vector<ClaimedRun> overdue_leases(const Tables& tables, Timestamp now, int limit) {
  std::vector<std::pair<Timestamp, RunId>> overdue;
  for (const auto& [_, id] : tables.leases) {
    const auto& ends_at = tables.live_runs.at(id).lease->ends_at;
    if (ends_at && *ends_at <= now) overdue.emplace_back(*ends_at, id);
  }
  std::ranges::sort(overdue);
  std::vector<ClaimedRun> leases;
  for (const auto& [_, id] : overdue) {
    if (std::ssize(leases) >= limit) break;
    leases.push_back(claimed_value(tables, tables.live_runs.at(id)));
  }
  return leases;
}

std::optional<Timestamp> next_delivery_at(const Tables& tables) {
  std::optional<Timestamp> next;
  for (const auto& [_, delivery] : tables.deliveries) {
    if (delivery.state != DeliveryState::waiting) continue;
    if (!next || delivery.next_attempt_at < *next) next = delivery.next_attempt_at;
  }
  return next;
}

std::vector<Delivery> list_deliveries(const Tables& tables, ProjectId project, RunId run) {
  std::vector<Delivery> deliveries;
  for (const auto& [_, delivery] : std::views::reverse(tables.deliveries)) {
    if (delivery.project == project && delivery.run == run) deliveries.push_back(delivery);
  }
  return deliveries;
}

namespace {

RunTotals totals_of(const LiveRun& run) {
  switch (run.place) {
    case Place::due:
      return {.due = 1, .retrying = run.is_retrying() ? 1 : 0};
    case Place::ready:
      return {.ready = 1};
    case Place::held:
      return {.held = 1};
    case Place::limited:
      return {.limited = 1};
    case Place::leased:
      break;
  }
  return {.running = 1};
}

bool is_late(const LiveRun& run, Timestamp now) {
  if (run.attempts_made > 0 || run.trigger == Trigger::backfill) return false;
  const auto before = now - kLateAfter;
  if (run.place == Place::ready) return run.planned_at <= before;
  return run.place == Place::due && run.at <= before && run.planned_at + run.jitter <= before;
}

}  // namespace

std::vector<std::vector<Run>> recent_runs(const Tables& tables, const RecentAsk& ask) {
  std::vector<std::vector<Run>> recent;
  for (const auto job : ask.jobs) {
    auto& runs = recent.emplace_back();
    const auto* stored = find_job(tables, ask.project, job);
    if (stored == nullptr) continue;
    for (const auto id : stored->live) {
      const auto& run = tables.live_runs.at(id);
      if (run.place != Place::held && run.attempts_made > 0) runs.push_back(run_value(tables, run));
    }
    for (const auto id : std::views::reverse(stored->ended)) {
      auto run = run_value(tables, tables.final_runs.at(id));
      const auto last = run.planned_until.value_or(run.planned_at);
      const bool is_schedules = run.trigger == Trigger::schedule;
      if (ask.planned_from && is_schedules && last < *ask.planned_from) break;
      runs.push_back(std::move(run));
    }
    std::ranges::sort(runs, std::ranges::greater{}, &Run::id);
    if (std::ssize(runs) > ask.limit) runs.resize(static_cast<std::size_t>(ask.limit));
  }
  return recent;
}

std::vector<QueueTotals> list_queues(const Tables& tables, ProjectId project) {
  std::map<std::string, QueueTotals> queues;
  for (const auto& queue : tables.queues_seen) {
    if (queue.first == project) queues[queue.second].name = queue.second;
  }
  for (const auto& [_, run] : tables.live_runs) {
    const auto& job = tables.jobs.at(run.job).job;
    if (job.project != project) continue;
    auto& queue = queues[job.spec->queue];
    queue.name = job.spec->queue;
    queue.runs += totals_of(run);
    if (run.place != Place::ready) continue;
    queue.oldest_ready_at =
        std::min(queue.oldest_ready_at.value_or(*run.queued_at), *run.queued_at);
  }
  std::vector<QueueTotals> list;
  list.reserve(queues.size());
  for (auto& [_, queue] : queues) list.push_back(std::move(queue));
  if (list.size() > kQueuesMax) list.resize(kQueuesMax);
  return list;
}

Ahead runs_ahead(const Tables& tables, const AheadAsk& ask) {
  Ahead ahead;
  for (const auto& [at, id] : tables.due) {
    const auto& run = tables.live_runs.at(id);
    const auto& job = tables.jobs.at(run.job).job;
    if (at < ask.from || at >= ask.until || run.needs_planning || job.project != ask.project) {
      continue;
    }
    if (std::ssize(ahead.runs) < ask.runs_max)
      ahead.runs.push_back({at, id, job.id, job.spec->name});
    ahead.has_more = std::ssize(ahead.instants) == ask.instants_max;
    if (!ahead.has_more) ahead.instants.push_back(at);
  }
  return ahead;
}

std::vector<Node> list_nodes(const Tables& tables, SteadyTime now) {
  std::vector<Node> nodes;
  for (const auto& [id, holder] : std::views::reverse(tables.holders)) {
    if (!holder.node || now >= holder.heard_at + kNodesListed) continue;
    Node node{id, *holder.node, holder.last_seen_at, now < holder.heard_at + holder.ttl, 0};
    for (const auto& [_, run] : tables.leases) {
      if (tables.live_runs.at(run).lease->holder == id) ++node.running;
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Overview overview(const Tables& tables, const OverviewAsk& ask) {
  Overview overview;
  for (const auto& [_, stored] : tables.jobs) {
    const auto& job = stored.job;
    if (job.project == ask.project) overview.jobs.count(job.phase, job.spec->paused);
  }
  for (const auto& [_, run] : tables.live_runs) {
    if (tables.jobs.at(run.job).job.project != ask.project) continue;
    overview.runs += totals_of(run);
    if (is_late(run, ask.now)) ++overview.late;
  }
  for (const auto& [at, id] : tables.due) {
    const auto& job = tables.jobs.at(tables.live_runs.at(id).job).job;
    if (at <= ask.now || at > ask.now + ask.ahead || job.project != ask.project) continue;
    ++overview.upcoming_count;
    if (std::ssize(overview.upcoming) == ask.upcoming_max) continue;
    overview.upcoming.push_back({at, id, job.id, job.spec->name});
  }
  const auto first = tables.tallies.lower_bound({ask.project, tally_step_of(ask.since)});
  for (auto it = first; it != tables.tallies.end() && it->first.first == ask.project; ++it) {
    overview.tallies.push_back({it->first.second, it->second});
  }
  return overview;
}

Stats stats(const Tables& tables) {
  Stats stats;
  stats.jobs = std::ssize(tables.jobs);
  stats.due = std::ssize(tables.due);
  stats.ready = std::ssize(tables.ready);
  stats.leased = std::ssize(tables.leases);
  for (const auto& [_, run] : tables.live_runs) {
    if (run.place == Place::held) ++stats.held;
    if (run.place == Place::limited) ++stats.limited;
    if (run.place != Place::ready) continue;
    if (!stats.oldest_ready_at || *run.queued_at < *stats.oldest_ready_at) {
      stats.oldest_ready_at = run.queued_at;
    }
  }
  stats.deliveries_waiting = std::ranges::count(tables.deliveries, DeliveryState::waiting,
                                                [](const auto& row) { return row.second.state; });
  return stats;
}

}  // namespace chronos::store::memory
