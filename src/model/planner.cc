#include "model/planner.h"

#include <algorithm>

namespace chronos {
namespace {

using schedule::Schedule;

constexpr Duration kTick{1};
// A gap of this many instants is counted; a longer one is not worth the search (a second's schedule
// for four months) and its row says at least this many.
constexpr std::int64_t kCountMax = 10'000'000;

// Builds the answer to one due run. Member functions are steps of plan_due, in its order.
class DuePlanner {
 public:
  DuePlanner(const DueInput& input, IdSource& ids) : input_(input), ids_(ids) {
    plan_.job = input.job.id;
    plan_.expected_version = input.job.version;
    plan_.expected_planned_through = input.job.planned_through;
    plan_.planned_through = input.job.planned_through;
    plan_.run = input.run;
  }

  Plan plan() && {
    if (input_.job.spec.paused) {
      plan_.due_run = Plan::DueRun::park;
      return std::move(plan_);
    }
    if (!input_.schedule.is_recurring()) {
      plan_once();
    } else if (lateness() <= misfire().grace) {
      start(input_.planned_at, input_.job.spec.overlap);
      go_on_after(input_.planned_at);
    } else {
      plan_misfire();
    }
    return std::move(plan_);
  }

 private:
  const MisfirePolicy& misfire() const { return input_.job.spec.misfire; }
  Duration lateness() const { return input_.now - input_.planned_at; }

  void plan_once() {
    plan_.planned_through = std::max(plan_.planned_through, input_.planned_at);
    if (misfire().policy == Misfire::skip && lateness() > misfire().grace) {
      miss(input_.planned_at, input_.planned_at, gap_reason());
      drop();
      plan_.phase_at_end = JobPhase::failed;
      return;
    }
    start(input_.planned_at, Overlap::allow);
  }

  void plan_misfire() {
    // Never before the run's own instant, which a changed time zone may not name any more.
    const auto latest =
        std::max(input_.planned_at,
                 input_.schedule.latest_at_or_before(input_.now).value_or(input_.planned_at));
    const auto oldest_wanted = input_.now - misfire().window;
    switch (misfire().policy) {
      case Misfire::run_once:
        return run_latest(latest, oldest_wanted);
      case Misfire::skip:
        return skip_late();
      case Misfire::run_all:
        return run_next(latest, oldest_wanted);
    }
  }

  void run_latest(Timestamp latest, Timestamp oldest_wanted) {
    if (latest < oldest_wanted) {
      miss(input_.planned_at, latest, "window");
      drop();
    } else {
      if (latest > input_.planned_at) {
        miss(input_.planned_at, before(latest), gap_reason());
        plan_.released_planned_at = latest;
      }
      start(latest, input_.job.spec.overlap);
    }
    go_on_after(latest);
  }

  // Everything late by more than the grace is missed; what is not goes the usual way next time.
  void skip_late() {
    const auto last_late = before(input_.now - misfire().grace);
    miss(input_.planned_at, last_late, gap_reason());
    drop();
    go_on_after(last_late);
  }

  // One instant at a time; the next comes back here at once.
  void run_next(Timestamp latest, Timestamp oldest_wanted) {
    if (input_.planned_at < oldest_wanted) {
      const auto last_old = before(oldest_wanted);
      miss(input_.planned_at, last_old, "window");
      drop();
      return go_on_after(last_old);
    }
    const auto waiting =
        1 + input_.schedule.count_between({input_.planned_at, latest}, misfire().max);
    if (waiting > misfire().max && input_.planned_at > input_.job.planned_through) {
      if (const auto kept_from = newest_kept(latest); kept_from > input_.planned_at) {
        const auto last_dropped = before(kept_from);
        miss(input_.planned_at, last_dropped, "limit");
        drop();
        return go_on_after(last_dropped);
      }
    }
    const auto overlap = input_.job.spec.overlap;
    const bool would_skip = overlap == Overlap::skip || overlap == Overlap::queue_one;
    start(input_.planned_at, would_skip ? Overlap::queue_all : overlap);
    go_on_after(input_.planned_at);
  }

  // The earliest of the newest misfire.max instants up to `latest`.
  Timestamp newest_kept(Timestamp latest) const {
    auto kept = latest;
    for (std::int64_t i = 1; i < misfire().max; ++i) {
      const auto earlier = input_.schedule.latest_at_or_before(kept - kTick);
      if (!earlier || *earlier <= input_.planned_at) break;
      kept = *earlier;
    }
    return kept;
  }

  // The overlap policy decides about the run of `instant`.
  void start(Timestamp instant, Overlap overlap) {
    plan_.runs_planned = 1;
    plan_.due_run = Plan::DueRun::release;
    if (!input_.is_running || overlap == Overlap::allow) return;
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
    add_row(RunState::skipped, "overlap", instant, instant, 1);
  }

  void drop() { plan_.due_run = Plan::DueRun::drop; }

  void miss(Timestamp from, Timestamp through, std::string reason) {
    const auto count = 1 + input_.schedule.count_between({from, through}, kCountMax);
    add_row(RunState::missed, std::move(reason), from, through, count);
  }

  void add_row(RunState state, std::string reason, Timestamp from, Timestamp through,
               std::int64_t count) {
    LedgerRow row{ids_.make<RunId>(), state, std::move(reason), from, std::nullopt, count};
    if (through > from && count > 1) row.planned_until = through;
    plan_.rows.push_back(std::move(row));
  }

  std::string gap_reason() const { return input_.job.parked_at ? "paused" : "down"; }

  // The last instant before `time`, which is known to have one at or after planned_at.
  Timestamp before(Timestamp time) const {
    return input_.schedule.latest_at_or_before(time - kTick).value_or(input_.planned_at);
  }

  void go_on_after(Timestamp instant) {
    plan_.planned_through = std::max(plan_.planned_through, instant);
    const auto& max_runs = input_.job.spec.max_runs;
    const auto next = input_.schedule.next_after(instant);
    if (!next || (max_runs && input_.job.runs_planned + plan_.runs_planned >= *max_runs)) {
      plan_.phase_at_end = JobPhase::succeeded;
      return;
    }
    plan_.next_run =
        PlannedRun{ids_.make<RunId>(), Trigger::schedule, *next, *next, true, std::nullopt};
  }

  const DueInput& input_;
  IdSource& ids_;
  Plan plan_;
};

}  // namespace

bool needs_planning(const JobSpec& spec) {
  const bool is_recurring = !spec.schedule.cron.empty() || spec.schedule.every;
  return is_recurring || spec.paused || spec.misfire.policy == Misfire::skip;
}

FirstPlan plan_first(const JobSpec& spec, const Schedule& schedule, Timestamp now,
                     Timestamp planned_through, IdSource& ids) {
  const auto after = std::max(now, planned_through);
  const auto instant = schedule.is_recurring() ? schedule.next_after(after)
                                               : std::optional(spec.schedule.at.value_or(now));
  if (!instant) return {std::nullopt, after};
  // A one-time job submitted in the past is no misfire: it is run because it was asked for.
  const bool is_planned =
      needs_planning(spec) && (schedule.is_recurring() || spec.paused || *instant > now);
  const PlannedRun run{ids.make<RunId>(), Trigger::schedule, *instant, *instant, is_planned, {}};
  // A run that has its instant behind it and no planner ahead of it has fired.
  const bool has_fired = !is_planned && *instant <= now;
  return {run, has_fired ? std::max(planned_through, *instant) : std::min(after, *instant - kTick)};
}

Plan plan_due(const DueInput& input, IdSource& ids) {
  return DuePlanner(input, ids).plan();
}

std::optional<Plan> replan(const WaitingInput& input, IdSource& ids) {
  const auto& [job, schedule, run, planned_at, now] = input;
  if (planned_at <= now || !schedule.is_recurring()) return std::nullopt;
  auto earlier = schedule.latest_at_or_before(planned_at);
  if (earlier == planned_at) return std::nullopt;
  if (earlier && *earlier <= job.planned_through) earlier.reset();
  const auto later = schedule.next_after(planned_at);
  const bool is_earlier_nearer =
      earlier && (!later || planned_at - *earlier <= *later - planned_at);
  const auto instant = is_earlier_nearer ? earlier : later;

  Plan plan;
  plan.job = job.id;
  plan.expected_version = job.version;
  plan.expected_planned_through = plan.planned_through = job.planned_through;
  plan.run = run;
  plan.due_run = Plan::DueRun::drop;
  if (instant) {
    plan.next_run =
        PlannedRun{ids.make<RunId>(), Trigger::schedule, *instant, *instant, true, std::nullopt};
  } else {
    plan.phase_at_end = JobPhase::succeeded;
  }
  return plan;
}

}  // namespace chronos
