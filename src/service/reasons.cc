#include "service/reasons.h"

#include <algorithm>
#include <utility>

#include "service/calendars.h"

namespace chronos::service {
namespace {

constexpr int kAheadMax = 10'000;  // counting further would not help anybody

// Which run of the job a held one waits for: one under way or in back-off, else one that is ready.
const Run* find_going_on(const std::vector<Run>& live, RunId held) {
  for (const auto state : {RunState::running, RunState::retrying, RunState::queued}) {
    const auto found = std::ranges::find_if(
        live, [&](const Run& run) { return run.id != held && run.state == state; });
    if (found != live.end()) return &*found;
  }
  return nullptr;
}

// What the caller of the status waits for: the run that is furthest on.
const Run& furthest(const std::vector<Run>& live) {
  return *std::ranges::max_element(live, {}, [](const Run& run) {
    switch (run.state) {
      case RunState::running:
        return 3;
      case RunState::retrying:
        return 2;
      case RunState::queued:
        return 1;
      default:
        return 0;
    }
  });
}

bool is_waiting(WhyCode code) {
  return why_table()[static_cast<std::size_t>(code)].is_waiting;
}

}  // namespace

Reasons::Reasons(const store::Store& store, const Clock& clock, Capacity capacity,
                 std::function<bool()> is_draining)
    : store_(store),
      clock_(clock),
      capacity_(std::move(capacity)),
      is_draining_(std::move(is_draining)) {}

ServerState Reasons::server_state() const {
  const auto health = store_.health();
  // With store_full nothing new is taken, but what is there runs.
  return {.takes_changes = health || health.error().reason == Reason::store_full,
          .is_draining = is_draining_()};
}

// The run of the job that kept the row's instant from running: it was under way then, and older.
Result<std::optional<Run>> Reasons::went_on_at(const Run& skipped) const {
  RunFilter filter;
  filter.project = skipped.project;
  filter.job = skipped.job;
  filter.after = skipped.id;
  CHRONOS_TRY(auto page, store_.list_runs(filter));
  for (auto& run : page.rows) {
    const bool was_there = run.state != RunState::skipped && run.state != RunState::missed &&
                           run.state != RunState::planned && run.count == 1;
    if (!was_there || run.planned_at > skipped.planned_at) continue;
    if (!run.ended_at || *run.ended_at >= skipped.planned_at) return std::optional(std::move(run));
  }
  return std::nullopt;
}

// The next instants of the job's schedule, when a calendar excludes them.
Result<std::optional<schedule::Excluded>> Reasons::excluded_before(const Job& job,
                                                                   Timestamp now) const {
  const auto& spec = job.spec->schedule;
  if (spec.calendars.empty()) return std::nullopt;
  CHRONOS_TRY(const auto schedule, schedule::Schedule::compile(spec));
  CHRONOS_TRY(const auto calendars, load_calendars(store_, job.project, spec.calendars));
  return schedule::excluded_next(schedule, now, calendars);
}

Result<Pollers> Reasons::pollers_of(const Job& job) const {
  CHRONOS_TRY(const auto workers, store_.list_workers(job.project));
  Pollers pollers;
  for (const auto& worker : workers) {
    if (!polls(worker.info.queues, job.spec->queue)) continue;
    pollers.alive += worker.is_alive ? 1 : 0;
    pollers.last_seen_at = std::max(pollers.last_seen_at, std::optional(worker.last_seen_at));
  }
  return pollers;
}

Result<Explanation> Reasons::explain(const Asked& asked) const {
  const auto& [job, run, ahead_max, wants_other] = asked;
  RunFacts facts{.job = job, .run = run, .now = clock_.now(), .capacity = capacity_};
  if (is_final(run.state)) {
    if (wants_other && run.state == RunState::skipped && run.reason == store::kOverlap) {
      CHRONOS_TRY(facts.other, went_on_at(run));
    }
    return explain_run(facts);
  }
  if (run.state == RunState::planned && run.planned_at > facts.now) {
    CHRONOS_TRY(facts.excluded, excluded_before(job, facts.now));
  }
  if (run.state == RunState::queued || run.planned_at <= facts.now) facts.server = server_state();
  if (run.state == RunState::queued || run.state == RunState::running) {
    CHRONOS_TRY(const auto standing, store_.standing(run.project, run.id, ahead_max));
    facts.standing = standing.value_or(Standing{});
  }
  if (run.state == RunState::queued && job.spec->action.kind == kWorkerKind) {
    CHRONOS_TRY(facts.pollers, pollers_of(job));
  }
  if (wants_other && facts.standing.is_held) {
    CHRONOS_TRY(const auto live, store_.live_runs(run.project, run.job));
    if (const auto* other = find_going_on(live, run.id)) facts.other = *other;
  }
  return explain_run(facts);
}

Result<RunWhy> Reasons::of_run(const Principal& who, RunId id) const {
  CHRONOS_TRY(auto run, store_.find_run(who.project, id));
  CHRONOS_TRY(const auto job, store_.find_job(who.project, run.job));
  CHRONOS_TRY(auto why, explain({job, run, kAheadMax, true}));
  return RunWhy{std::move(run), std::move(why)};
}

Result<JobWhy> Reasons::of_job(const Principal& who, JobId id) const {
  JobWhy answer;
  CHRONOS_TRY(answer.job, store_.find_job(who.project, id));
  CHRONOS_TRY(answer.not_run, store_.reason_counts(who.project, id));
  if (std::ranges::any_of(answer.not_run, [](const auto& row) { return row.reason == kAsk; })) {
    CHRONOS_TRY(answer.undecided, read_undecided(store_, answer.job, clock_.now()));
  }
  CHRONOS_TRY(auto live, store_.live_runs(who.project, id));
  if (live.empty()) {
    answer.why = explain_idle_job({answer.job, clock_.now()});
    return answer;
  }
  CHRONOS_TRY(answer.why, explain({answer.job, furthest(live), kAheadMax, true}));
  answer.has_more_runs = live.size() > kRunsExplainedMax;
  live.resize(std::min(live.size(), kRunsExplainedMax));
  for (auto& run : live) {
    CHRONOS_TRY(auto why, explain({answer.job, run, kAheadMax, true}));
    answer.runs.push_back({std::move(run), std::move(why)});
  }
  return answer;
}

Result<Status> Reasons::status(const Principal& who, JobId id) const {
  Status status;
  CHRONOS_TRY(status.job, store_.find_job(who.project, id));
  CHRONOS_TRY(const auto live, store_.live_runs(who.project, id));
  if (live.empty()) {
    const auto why = explain_idle_job({status.job, clock_.now()});
    if (is_waiting(why.code)) status.waiting_for = why.code;
    if (status.job.last_run) {
      CHRONOS_TRY(const auto last, store_.find_run(who.project, status.job.last_run->id));
      status.attempts_made = last.attempts_made;
    }
    return status;
  }
  const auto& run = furthest(live);
  status.attempts_made = run.attempts_made;
  if (run.state == RunState::running) return status;
  // The code needs no more of those ahead than there are slots: fewer than that leave it one.
  const auto lane = capacity_.lanes.find(status.job.spec->action.kind);
  const int slots = lane == capacity_.lanes.end() ? 0 : lane->second;
  CHRONOS_TRY(const auto why, explain({status.job, run, slots + 1, false}));
  if (is_waiting(why.code)) status.waiting_for = why.code;
  return status;
}

}  // namespace chronos::service
