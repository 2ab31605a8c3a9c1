#include "model/planner.h"

#include <algorithm>

namespace chronos {
namespace {

using schedule::CalendarSet;
using schedule::Schedule;

// A gap of this many instants is counted; a longer one is not worth the search (a second's schedule
// for four months) and its row says at least this many.
constexpr std::int64_t kCountMax = 10'000'000;
// Calendars: how often the search for an open instant jumps and how far it goes, and how many
// pieces of a gap are told apart at a time.
constexpr int kJumpsMax = 800;
constexpr Duration kHorizon = std::chrono::days(4 * 366);
constexpr std::size_t kPiecesMax = 2000;
// While instants are excluded, the ledger follows at least so often.
constexpr Duration kLookEvery = std::chrono::hours(1);

constexpr std::string_view kCalendar = "calendar";

// The instant a run is planned for, and the first one before it that calendars exclude.
struct Next {
  Timestamp at;
  std::optional<Timestamp> excluded;
};

// The first open instant after `after`. Nothing when the schedule ends before.
std::optional<Next> next_open(const Schedule& schedule, const CalendarSet& calendars,
                              Timestamp after) {
  if (schedule.is_start_up()) return Next{kNextStart, std::nullopt};
  const auto horizon = after + kHorizon;
  auto at = schedule.next_after(after);
  std::optional<Timestamp> excluded;
  for (int i = 0; at && *at < horizon && i < kJumpsMax; ++i) {
    if (calendars.excluder(*at) == nullptr) break;
    if (!excluded) excluded = at;
    at = schedule.next_after(calendars.next_change(*at, horizon) - kTick);
  }
  if (!at) return std::nullopt;
  return Next{*at, excluded};
}

// Instants in a row that one calendar excludes, or that are open.
struct Piece {
  Timestamp from;
  Timestamp through;
  const std::string* excluder = nullptr;
};

// A plan for the run that leaves the job as it is.
Plan unchanged(const Job& job, RunId run, Timestamp planned_at) {
  Plan plan;
  plan.job = job.id;
  plan.expected_version = job.version;
  plan.expected_planned_through = plan.planned_through = job.planned_through;
  plan.run = run;
  plan.expected_planned_at = planned_at;
  return plan;
}

// Builds the answer to one due run. Member functions are steps of plan_due, in its order.
class DuePlanner {
 public:
  DuePlanner(const DueInput& input, IdSource& ids)
      : input_(input), ids_(ids), plan_(unchanged(input.job, input.run, input.planned_at)) {}

  Plan plan() && {
    answer_excluded();
    if (input_.schedule.is_recurring() && start_of(input_.planned_at) > input_.now) {
      look_again();
    } else if (input_.job.spec->paused) {
      plan_.due_run = Plan::DueRun::park;
    } else if (!input_.schedule.is_recurring()) {
      plan_once();
    } else if (input_.calendars.excluder(input_.planned_at) != nullptr) {
      skip_excluded();
    } else if (lateness() <= misfire().grace) {
      start(input_.planned_at, input_.job.spec->overlap);
      go_on_after(input_.planned_at);
    } else {
      plan_misfire();
    }
    return std::move(plan_);
  }

 private:
  const MisfirePolicy& misfire() const { return input_.job.spec->misfire; }
  Duration jitter_of(Timestamp instant) const {
    return chronos::jitter_of(input_.job.spec, input_.job.id, instant);
  }
  Timestamp start_of(Timestamp instant) const { return instant + jitter_of(instant); }
  Duration lateness() const { return input_.now - start_of(input_.planned_at); }

  // The latest instant whose start is not after `time`; planned_at at the earliest. Jitter is
  // shorter than the interval to the next instant, so few have to be looked at.
  Timestamp latest_started(Timestamp time) const {
    auto latest = input_.schedule.latest_at_or_before(time);
    while (latest && *latest > input_.planned_at && start_of(*latest) > time) {
      latest = input_.schedule.latest_at_or_before(*latest - kTick);
    }
    return std::max(latest.value_or(input_.planned_at), input_.planned_at);
  }

  // -- What calendars exclude

  // Everything between planned_through and the run's instant was excluded when the run was planned,
  // whatever the calendars say now.
  void answer_excluded() {
    if (input_.calendars.empty()) return;
    const auto first = input_.schedule.next_after(plan_.planned_through);
    const auto last =
        input_.schedule.latest_at_or_before(std::min(input_.now, input_.planned_at - kTick));
    if (!first || !last || *first > *last) return;
    for (const auto& piece : pieces(*first, *last)) {
      add_skipped(piece);
      plan_.planned_through = piece.through;
    }
  }

  // The run's time has not come: it was woken to see what is excluded, or that a calendar changed.
  void look_again() {
    const auto next = next_open(input_.schedule, input_.calendars, plan_.planned_through);
    if (!next) {
      drop();
      plan_.phase_at_end = JobPhase::succeeded;
      return;
    }
    plan_.due_run = Plan::DueRun::wait;
    plan_.next_run = planned(*next);
    auto& at = plan_.next_run->at;
    const auto start = next->at + plan_.next_run->jitter;
    if (!plan_.rows.empty()) at = std::min(start, std::max(at, input_.now + kLookEvery));
    plan_.next_run->id = input_.run;
  }

  void skip_excluded() {
    const auto piece = pieces(input_.planned_at, latest_started(input_.now)).front();
    add_skipped(piece);
    drop();
    go_on_after(piece.through);
  }

  void add_skipped(const Piece& piece) {
    add_row(RunState::skipped, std::string(kCalendar), piece);
    plan_.rows.back().error = piece.excluder == nullptr
                                  ? "excluded by a calendar that was changed since"
                                  : "excluded by the calendar '" + *piece.excluder + "'";
  }

  // All instants from `from` through `through`, both of them instants.
  std::vector<Piece> pieces(Timestamp from, Timestamp through) const {
    if (input_.calendars.empty()) return {{from, through}};
    std::vector<Piece> found;
    auto at = std::optional(from);
    while (at && *at <= through && found.size() < kPiecesMax) {
      const auto change = input_.calendars.next_change(*at, through + kTick);
      const auto last = input_.schedule.latest_at_or_before(change - kTick).value_or(*at);
      found.push_back({*at, last, input_.calendars.excluder(*at)});
      at = input_.schedule.next_after(last);
    }
    return found;
  }

  // -- Misfires

  void plan_once() {
    plan_.planned_through = std::max(plan_.planned_through, input_.planned_at);
    const auto policy = misfire().policy;
    if ((policy == Misfire::skip || policy == Misfire::ask) && lateness() > misfire().grace) {
      miss({{input_.planned_at, input_.planned_at}}, policy == Misfire::ask ? "ask" : gap_reason());
      drop();
      plan_.phase_at_end = JobPhase::failed;
      return;
    }
    start(input_.planned_at, Overlap::allow);
  }

  void plan_misfire() {
    const auto gap = pieces(input_.planned_at, latest_started(input_.now));
    const auto oldest_wanted = input_.now - misfire().window;
    switch (misfire().policy) {
      case Misfire::run_once:
        return run_latest(gap, oldest_wanted);
      case Misfire::skip:
        return skip_late(gap_reason());
      case Misfire::ask:
        return ask(oldest_wanted);
      case Misfire::run_all:
        return run_next(gap, oldest_wanted);
    }
  }

  // The first piece of `gap` is open: it begins with the run's own instant.
  void run_latest(const std::vector<Piece>& gap, Timestamp oldest_wanted) {
    auto latest = input_.planned_at;
    for (const auto& piece : gap) {
      if (piece.excluder == nullptr) latest = piece.through;
    }
    if (latest < oldest_wanted) {
      miss(pieces(input_.planned_at, latest), "window");
      drop();
    } else {
      if (latest > input_.planned_at) {
        miss(pieces(input_.planned_at, before(latest)), gap_reason());
        plan_.released_planned_at = latest;
        plan_.released_jitter = jitter_of(latest);
      }
      start(latest, input_.job.spec->overlap);
    }
    go_on_after(latest);
  }

  // Everything late by more than the grace is missed; what is not goes the usual way next time.
  void skip_late(const std::string& reason) {
    const auto late =
        pieces(input_.planned_at, latest_started(input_.now - misfire().grace - kTick));
    miss(late, reason);
    drop();
    go_on_after(late.back().through);
  }

  // The same, and somebody decides: what is too old for that goes first.
  void ask(Timestamp oldest_wanted) {
    if (input_.planned_at < oldest_wanted) return miss_through(before(oldest_wanted), "window");
    skip_late("ask");
  }

  // One instant at a time; the next comes back here at once.
  void run_next(const std::vector<Piece>& gap, Timestamp oldest_wanted) {
    if (input_.planned_at < oldest_wanted) {
      return miss_through(before(oldest_wanted), "window");
    }
    if (input_.planned_at > input_.job.planned_through) {
      const auto kept_from = newest_kept(gap);
      if (kept_from > input_.planned_at) return miss_through(before(kept_from), "limit");
    }
    const auto overlap = input_.job.spec->overlap;
    const bool would_skip = overlap == Overlap::skip || overlap == Overlap::queue_one;
    start(input_.planned_at, would_skip ? Overlap::queue_all : overlap);
    go_on_after(input_.planned_at);
  }

  void miss_through(Timestamp last, const std::string& reason) {
    const auto missed = pieces(input_.planned_at, last);
    miss(missed, reason);
    drop();
    go_on_after(missed.back().through);
  }

  // The earliest of the newest misfire.max open instants of the gap.
  Timestamp newest_kept(const std::vector<Piece>& gap) const {
    auto left = misfire().max;
    auto kept = input_.planned_at;
    for (auto piece = gap.rbegin(); piece != gap.rend() && left > 0; ++piece) {
      if (piece->excluder != nullptr) continue;
      auto earlier = std::optional(piece->through);
      for (; earlier && *earlier >= piece->from && left > 0; --left) {
        kept = *earlier;
        earlier = input_.schedule.latest_at_or_before(*earlier - kTick);
      }
    }
    return kept;
  }

  // -- Pieces of an answer

  // The overlap policy decides about the run of `instant`.
  void start(Timestamp instant, Overlap overlap) {
    plan_.runs_planned = 1;
    plan_.due_run = Plan::DueRun::release;
    if (overlap == Overlap::allow) return;
    if (!input_.is_running) {
      if (input_.is_backfilling) plan_.due_run = Plan::DueRun::hold;
      return;
    }
    // The new run waits until the one it stops has really ended.
    plan_.cancels_running = overlap == Overlap::cancel_running;
    const bool may_wait = plan_.cancels_running || overlap == Overlap::queue_all ||
                          (overlap == Overlap::queue_one && !input_.is_held);
    if (may_wait) {
      plan_.due_run = Plan::DueRun::hold;
      return;
    }
    plan_.runs_planned = 0;
    plan_.released_planned_at.reset();
    drop();
    add_row(RunState::skipped, "overlap", {instant, instant});
  }

  void drop() { plan_.due_run = Plan::DueRun::drop; }

  // What is open in the gap is missed; what is not was excluded.
  void miss(const std::vector<Piece>& gap, const std::string& reason) {
    for (const auto& piece : gap) {
      if (piece.excluder != nullptr) {
        add_skipped(piece);
      } else {
        add_row(RunState::missed, reason, piece);
      }
    }
  }

  void add_row(RunState state, std::string reason, const Piece& piece) {
    LedgerRow row;
    row.id = ids_.make<RunId>();
    row.state = state;
    row.reason = std::move(reason);
    row.planned_at = piece.from;
    row.count = 1 + input_.schedule.count_between({piece.from, piece.through}, kCountMax);
    if (row.count > 1) row.planned_until = piece.through;
    plan_.rows.push_back(std::move(row));
  }

  std::string gap_reason() const { return input_.job.parked_at ? "paused" : "down"; }

  // The last instant before `time`, which is known to have one at or after planned_at.
  Timestamp before(Timestamp time) const {
    return input_.schedule.latest_at_or_before(time - kTick).value_or(input_.planned_at);
  }

  void go_on_after(Timestamp instant) {
    plan_.planned_through = std::max(plan_.planned_through, instant);
    const auto& max_runs = input_.job.spec->max_runs;
    const auto next = next_open(input_.schedule, input_.calendars, instant);
    if (!next || (max_runs && input_.job.runs_planned + plan_.runs_planned >= *max_runs)) {
      plan_.phase_at_end = JobPhase::succeeded;
      return;
    }
    plan_.next_run = planned(*next);
    // Instants are answered in their order, whatever their jitter.
    plan_.next_run->at = std::max(plan_.next_run->at, start_of(instant));
  }

  // Looked at when its start comes; or earlier, when what is excluded before it comes.
  PlannedRun planned(const Next& next) {
    const auto jitter = jitter_of(next.at);
    const auto at = next.excluded.value_or(next.at + jitter);
    return {ids_.make<RunId>(), Trigger::schedule, next.at, at, true, std::nullopt, jitter};
  }

  const DueInput& input_;
  IdSource& ids_;
  Plan plan_;
};

}  // namespace

bool needs_planning(const JobSpec& spec) {
  const bool is_recurring = !spec.schedule.cron.empty() || spec.schedule.every;
  return is_recurring || spec.paused || spec.misfire.policy == Misfire::skip ||
         spec.misfire.policy == Misfire::ask;
}

Duration jitter_of(const JobSpec& spec, JobId job, Timestamp instant) {
  if (!spec.schedule.jitter || instant == kNextStart) return Duration(0);
  const auto id = job.to_string();
  return schedule::offset_of(*spec.schedule.jitter, {spec.schedule.seed, id}, instant);
}

FirstPlan plan_first(const FirstInput& input, IdSource& ids) {
  const auto& spec = input.spec;
  const auto& schedule = input.schedule;
  const auto after = std::max(input.now, input.planned_through);
  if (!schedule.is_recurring()) {
    const auto instant = spec.schedule.at.value_or(input.now);
    // A one-time job submitted in the past is no misfire: it is run because it was asked for.
    const bool is_planned = needs_planning(spec) && (spec.paused || instant > input.now);
    const PlannedRun run{ids.make<RunId>(), Trigger::schedule, instant,
                         instant,           is_planned,        std::nullopt};
    // A run that has its instant behind it and no planner ahead of it has fired.
    const bool has_fired = !is_planned && instant <= input.now;
    return {run, has_fired ? std::max(input.planned_through, instant)
                           : std::min(after, instant - kTick)};
  }
  const auto next = next_open(schedule, input.calendars, after);
  if (!next) return {std::nullopt, after};
  const auto jitter = jitter_of(spec, input.job, next->at);
  PlannedRun run{ids.make<RunId>(),
                 Trigger::schedule,
                 next->at,
                 next->at + jitter,
                 true,
                 std::nullopt,
                 jitter};
  // Looked at once more when it is stored: a calendar may change in between.
  if (!input.calendars.empty()) run.at = input.now;
  return {run, std::min(after, next->excluded.value_or(next->at) - kTick)};
}

PlannedRun plan_resumption(const Job& job, Timestamp now, IdSource& ids) {
  const auto parked_at = job.parked_at.value_or(now);
  return {ids.make<RunId>(), Trigger::schedule, parked_at, parked_at, true, {}};
}

Plan plan_due(const DueInput& input, IdSource& ids) {
  return DuePlanner(input, ids).plan();
}

std::optional<Plan> plan_start_up(const WaitingInput& input) {
  const auto& [job, schedule, run, planned_at, now] = input;
  const auto& spec = job.spec->schedule;
  if (planned_at != kNextStart || (spec.start_at && *spec.start_at > now)) return std::nullopt;
  auto plan = unchanged(job, run, planned_at);
  if (spec.end_at && *spec.end_at <= now) {
    plan.due_run = Plan::DueRun::drop;
    plan.phase_at_end = JobPhase::succeeded;
    return plan;
  }
  plan.due_run = Plan::DueRun::wait;
  const auto jitter = jitter_of(job.spec, job.id, now);
  plan.next_run = PlannedRun{run, Trigger::schedule, now, now + jitter, true, std::nullopt, jitter};
  return plan;
}

std::optional<Plan> replan(const WaitingInput& input, IdSource& ids) {
  const auto& [job, schedule, run, planned_at, now] = input;
  if (planned_at <= now || !schedule.is_recurring() || planned_at == kNextStart) {
    return std::nullopt;
  }
  auto earlier = schedule.latest_at_or_before(planned_at);
  if (earlier == planned_at) return std::nullopt;
  if (earlier && *earlier <= job.planned_through) earlier.reset();
  const auto later = schedule.next_after(planned_at);
  const bool is_earlier_nearer =
      earlier && (!later || planned_at - *earlier <= *later - planned_at);
  const auto instant = is_earlier_nearer ? earlier : later;

  auto plan = unchanged(job, run, planned_at);
  plan.due_run = Plan::DueRun::drop;
  if (instant) {
    const auto jitter = jitter_of(job.spec, job.id, *instant);
    // With calendars it is looked at at once: they may exclude it.
    const auto at = job.spec->schedule.calendars.empty() ? *instant + jitter : now;
    plan.next_run =
        PlannedRun{ids.make<RunId>(), Trigger::schedule, *instant, at, true, std::nullopt, jitter};
  } else {
    plan.phase_at_end = JobPhase::succeeded;
  }
  return plan;
}

}  // namespace chronos
