#include "scheduler/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/time_text.h"
#include "model/planner.h"
#include "model/retry.h"
#include "store/settlement.h"

namespace chronos::scheduler {
namespace {

constexpr Duration kRetryStore = std::chrono::seconds(1);
// Asked for a cancel, a running attempt is told within this time although the store is busy.
constexpr Duration kHintedBeat = std::chrono::milliseconds(50);
// Due runs planned in one step. However many are due, outcomes, claims and what users ask for get
// their turn between two batches: a few milliseconds.
constexpr int kPlanBatch = 200;
// Of a burst a few are claimed first: they run while the others are claimed.
constexpr int kFirstClaimMax = 250;
// While one claim is committed the next one gathers slots, so that every commit starts something.
constexpr int kClaimsMax = 2;
// The wall clock was set when it moved so much against the steady one between two steps.
constexpr Duration kClockStep = std::chrono::milliseconds(250);
// Waiting runs looked at in one step after a change of the tz database, and the pause in between:
// starts are not held up by more than a few milliseconds.
constexpr int kReplanBatch = 200;
constexpr Duration kReplanPause = std::chrono::milliseconds(10);

// Somebody else has the run by now, or it is gone: there is nothing to send again.
bool is_lost(const Error& error) {
  return error.reason == Reason::lease_lost || error.reason == Reason::not_found;
}

}  // namespace

Scheduler::Scheduler(store::Store& store, Launcher& launcher, const Clock& clock, IdSource& ids,
                     Rng rng, SchedulerOptions options, SchedulerEvents events,
                     std::function<void()> wake)
    : store_(store),
      launcher_(launcher),
      clock_(clock),
      ids_(ids),
      rng_(rng),
      options_(std::move(options)),
      events_(std::move(events)),
      holder_(ids.make<NodeId>()),
      info_{options_.node, options_.version, clock.now()},
      inbox_(std::make_shared<Inbox>(std::move(wake))),
      start_ups_(store) {}

template <class C>
void Scheduler::commit(C change, std::move_only_function<void(Result<typename C::Answer>)> then) {
  ++in_flight_;
  store_.commit(std::move(change),
                [this, inbox = inbox_, then = std::move(then)](auto answer) mutable {
                  inbox->post([this, then = std::move(then), answer = std::move(answer)]() mutable {
                    --in_flight_;
                    then(std::move(answer));
                  });
                });
}

Timestamp Scheduler::step() {
  look_at_clock();
  take_events();
  beat();
  resend();
  if (is_registered_) {
    plan_start_ups();
    next_resume_ = store_.next_resume_at().value_or(std::nullopt);
    resume();
    next_due_ = store_.next_due_at().value_or(std::nullopt);
    plan();
    release();
    claim();
    watch_zones();
    prune();
  }
  send_ended();  // after the claim: what starts must not wait for what has ended
  auto next = now_ + std::chrono::milliseconds(500);
  if (wants_beat_) next = now_ + kHintedBeat;
  if (replanning_) next = std::min(next, now_ + kReplanPause);
  if (next_due_ && !is_releasing_ && plans_in_flight_ == 0 && !is_draining_) {
    next = std::min(next, std::max(*next_due_, plan_again_at_));
  }
  if (next_resume_ && resumptions_in_flight_ == 0 && !is_draining_) {
    next = std::min(next, std::max(*next_resume_, plan_again_at_));
  }
  return next;
}

// What is planned stays planned whatever the clock does: set back, it repeats nothing, because
// planned_through never moves back; set forward, it finds misfires. But no pause of ours may last
// until a clock that was set back has caught up.
void Scheduler::look_at_clock() {
  const auto before = clock_.steady();
  now_ = clock_.now();
  if (clock_.steady() - before > SteadyTime(kClockStep) / 4) return;  // interrupted in between
  const auto offset = now_.time_since_epoch() - Duration(before);
  const auto step = clock_offset_ ? offset - *clock_offset_ : Duration(0);
  clock_offset_ = offset;
  if (step < kClockStep && step > -kClockStep) return;
  plan_again_at_ = resend_at_ = {};
  events_.on_clock_step(step);
}

void Scheduler::take_events() {
  for (auto& event : inbox_->take()) event();
}

// -- Leases
// ------------------------------------------------------------------------------------------

void Scheduler::beat() {
  const auto steady = clock_.steady();
  const auto age = last_beat_ ? Duration(steady - *last_beat_) : Duration::max();
  if (is_hinted_.exchange(false)) {
    may_have_ready_ = true;
    wants_beat_ = !running_.empty();  // the change may be a cancel
  }
  const bool is_wanted = age >= options_.heartbeat || (wants_beat_ && age >= kHintedBeat);
  if (!is_wanted) return;
  wants_beat_ = false;
  last_beat_ = steady;
  may_have_ready_ = true;  // whatever hint was lost
  store::Heartbeat heartbeat{.holder = holder_, .ttl = options_.lease_ttl, .now = clock_.now()};
  heartbeat.node = info_;
  commit(std::move(heartbeat), [this, sent_at = steady](Result<store::Heartbeat::Answer> answer) {
    if (!answer)
      return log::warn("the store does not take heartbeats", {{"error", answer.error().message}});
    // An outage is nobody's silence: those who come back after it have their time to say so.
    if (is_registered_ && sent_at >= leased_until_) judges_from_ = sent_at + options_.lease_ttl;
    is_registered_ = true;
    leased_until_ = sent_at + options_.lease_ttl;
    for (const auto& run : answer->cancelled) cancel(run);
    if (sent_at < judges_from_) return;
    if (const auto lost = store_.expired_leases(options_.batch)) settle_lost(*lost);
  });
}

void Scheduler::settle_lost(const std::vector<store::ClaimedRun>& lost) {
  for (const auto& claimed : lost) {
    std::vector<Attempt> earlier;
    if (claimed.spec->action.kind == kWorkerKind && claimed.attempt >= kWorkersLostMax) {
      auto run = store_.find_run(claimed.project, claimed.run);
      if (!run) continue;  // the next beat finds it again
      earlier = std::move(run->attempts);
    }
    settle_attempt(claimed, lease_expired(*claimed.spec, earlier));
  }
}

// -- Planning
// ----------------------------------------------------------------------------------------

const schedule::Schedule* Scheduler::compiled(const Job& job) {
  constexpr std::size_t kCacheMax = 20'000;
  const auto found = schedules_.find(job.id);
  if (found != schedules_.end() && found->second.version == job.version &&
      found->second.schedule.is_current())
    return &found->second.schedule;
  auto schedule = schedule::Schedule::compile(job.spec->schedule);
  if (!schedule) {
    log::error("a stored schedule cannot be read",
               {{"job", job.id.to_string()}, {"error", schedule.error().message}});
    return nullptr;
  }
  if (schedules_.size() >= kCacheMax) schedules_.clear();
  const auto at =
      schedules_.insert_or_assign(job.id, Compiled{job.version, std::move(*schedule)}).first;
  return &at->second.schedule;
}

// Pauses whose end has come.
void Scheduler::resume() {
  if (is_draining_ || resumptions_in_flight_ > 0 || !next_resume_ || *next_resume_ > now_ ||
      plan_again_at_ > now_)
    return;
  auto jobs = store_.jobs_to_resume(now_, options_.batch);
  if (!jobs) {
    plan_again_at_ = now_ + kRetryStore;
    return log::warn("the store cannot be read", {{"error", jobs.error().message}});
  }
  for (auto& job : *jobs) resume_one(std::move(job));
}

void Scheduler::resume_one(Job job) {
  store::ReplaceJob change;
  change.expected_version = job.version;
  change.next_run = plan_resumption(job, now_, ids_);
  change.now = now_;
  change.job = std::move(job);
  change.job.spec.edit().paused = false;
  change.job.spec.edit().paused_until.reset();
  change.job.version = change.expected_version + 1;
  change.job.updated_at = now_;
  change.waiting_needs_planning = needs_planning(change.job.spec);
  ++resumptions_in_flight_;
  commit(std::move(change), [this](Result<store::JobAnswer> answer) {
    --resumptions_in_flight_;
    // Somebody else may have resumed it, or paused it for longer.
    if (!answer && answer.error().code() != ErrorCode::conflict)
      plan_again_at_ = now_ + kRetryStore;
  });
}

// Once, at the beginning: runs that waited for a start of the server are due now.
void Scheduler::plan_start_ups() {
  if (is_draining_ || start_ups_.is_done() || plans_in_flight_ > 0 || plan_again_at_ > now_) return;
  const auto waiting = start_ups_.next(kReplanBatch);
  if (!waiting) {
    plan_again_at_ = now_ + kRetryStore;
    return log::warn("the store cannot be read", {{"error", waiting.error().message}});
  }
  for (const auto& run : *waiting) {
    const auto* schedule = compiled(*run.job);
    auto plan = schedule == nullptr
                    ? std::nullopt
                    : plan_start_up({*run.job, *schedule, run.run, run.planned_at, now_});
    if (!plan) {
      start_ups_.answered(run.run);
      continue;
    }
    commit_plan({std::move(*plan), now_, {}, run.job->project},
                [this, id = run.run] { start_ups_.answered(id); });
  }
}

void Scheduler::plan() {
  if (is_draining_ || plans_in_flight_ > 0 || !next_due_ || *next_due_ > now_ ||
      plan_again_at_ > now_)
    return;
  const auto due = store_.due_runs(now_, kPlanBatch);
  if (!due) {
    plan_again_at_ = now_ + kRetryStore;
    return log::warn("the store cannot be read", {{"error", due.error().message}});
  }
  for (const auto& run : *due) plan_one(run);
  if (!due->empty() && plans_in_flight_ == 0) plan_again_at_ = now_ + kRetryStore;
}

Result<schedule::CalendarSet> Scheduler::calendars_of(const store::DueRun& due,
                                                      std::vector<CalendarVersion>& seen) {
  constexpr std::size_t kCacheMax = 1000;
  schedule::CalendarSet set;
  for (const auto& [name, version] : due.calendars) {
    const std::pair key(due.job->project, name);
    auto found = calendars_.find(key);
    if (found == calendars_.end() || found->second.version != version ||
        !found->second.calendar.is_current()) {
      CHRONOS_TRY(const auto stored, store_.find_calendar(due.job->project, name));
      CHRONOS_TRY(auto calendar, schedule::Calendar::compile(stored.spec));
      if (calendars_.size() >= kCacheMax) calendars_.clear();
      found =
          calendars_.insert_or_assign(key, CompiledCalendar{stored.version, std::move(calendar)})
              .first;
    }
    set.add(name, found->second.calendar);
    seen.push_back({name, found->second.version});
  }
  return set;
}

void Scheduler::plan_one(const store::DueRun& due) {
  const auto* schedule = compiled(*due.job);
  if (schedule == nullptr) return;
  std::vector<CalendarVersion> seen;
  auto calendars = calendars_of(due, seen);
  if (!calendars) {
    return log::error("a calendar of a job cannot be read",
                      {{"job", due.job->id.to_string()}, {"error", calendars.error().message}});
  }
  store::CommitPlan change{plan_due({*due.job, *schedule, due.run, due.planned_at, due.is_running,
                                     due.is_held, now_, std::move(*calendars), due.is_backfilling},
                                    ids_),
                           now_, std::move(seen), due.job->project};
  auto rows = change.rows;
  commit_plan(std::move(change), [this, rows = std::move(rows)] {
    for (const auto& row : rows) events_.on_not_run(row);
  });
}

// Calls `then` when the plan is committed.
void Scheduler::commit_plan(store::CommitPlan change, std::function<void()> then) {
  ++plans_in_flight_;
  commit(std::move(change),
         [this, then = std::move(then)](Result<store::CommitPlan::Answer> answer) {
           --plans_in_flight_;
           may_have_ready_ = true;
           if (answer) return then();
           // A plan that came too late is simply made again; only a store in trouble needs a pause.
           if (answer.error().code() == ErrorCode::conflict) return;
           plan_again_at_ = now_ + kRetryStore;
           if (replanning_) replanning_->has_failed = true;
         });
}

// -- A changed time zone database
// ----------------------------------------------------------------------------------------

// Runs that wait were planned by the rules the database had then. When it is another one now, or
// was changed while no server ran, each of them is looked at again, a batch at a time.
void Scheduler::watch_zones() {
  if (is_draining_) return;
  if (replanning_) return replan_some();
  const auto steady = clock_.steady();
  if (last_zone_look_ && Duration(steady - *last_zone_look_) < options_.zone_interval) return;
  last_zone_look_ = steady;
  if (!zones_stamp_) {
    const auto stored = store_.zones_stamp();
    if (!stored) return;  // the next look finds a store that can be read
    zones_stamp_ = stored->value_or(0);
  }
  const auto stamp = schedule::database_stamp();
  if (stamp == *zones_stamp_) return;
  if (*zones_stamp_ != 0) {
    log::info("the time zone database has changed: waiting runs are planned again");
  }
  replanning_ = Replanning{.stamp = stamp};
}

void Scheduler::replan_some() {
  if (plans_in_flight_ > 0 || plan_again_at_ > now_) return;
  if (std::exchange(replanning_->has_failed, false)) replanning_->cursor = {};
  const auto waiting = store_.waiting_runs(replanning_->cursor, kReplanBatch);
  if (!waiting) {
    plan_again_at_ = now_ + kRetryStore;
    return;
  }
  for (const auto& run : *waiting) {
    replanning_->cursor = {run.at, run.run};
    replan_one(run);
  }
  if (std::ssize(*waiting) == kReplanBatch || plans_in_flight_ > 0) return;  // or they might fail
  zones_stamp_ = replanning_->stamp;
  replanning_.reset();
  commit(store::NoteZones{*zones_stamp_}, [this](Result<store::NoteZones::Answer> noted) {
    if (!noted) zones_stamp_.reset();  // what is stored is old: the next look walks again
  });
}

void Scheduler::replan_one(const store::WaitingRun& waiting) {
  if (waiting.is_cancel_requested) return;  // it ends where it is
  const auto schedule = schedule::Schedule::compile(waiting.job->spec->schedule);
  if (!schedule) return;  // plan_one tells of it
  auto plan = replan({*waiting.job, *schedule, waiting.run, waiting.planned_at, now_}, ids_);
  if (!plan) return;
  commit_plan({std::move(*plan), now_, {}, waiting.job->project},
              [this, job = waiting.job->id] { events_.on_replanned(job); });
}

void Scheduler::release() {
  if (is_draining_ || is_releasing_ || !next_due_ || *next_due_ > now_ || plan_again_at_ > now_)
    return;
  is_releasing_ = true;
  may_have_ready_ = true;
  commit(store::ReleaseDue{now_, options_.batch}, [this](Result<std::int64_t> moved) {
    is_releasing_ = false;
    if (!moved) plan_again_at_ = now_ + kRetryStore;
  });
}

// -- Running
// -----------------------------------------------------------------------------------------

void Scheduler::claim() {
  if (is_draining_ || claims_in_flight_ == kClaimsMax || !may_have_ready_) return;
  // Not `now_`: what was submitted since this step began must not seem to start before it was.
  store::ClaimRuns change{.holder = holder_,
                          .node = options_.node,
                          .lanes = {},
                          .queue_limits = options_.queue_limits,
                          .now = clock_.now()};
  const int most = running_.empty() ? std::min(options_.batch, kFirstClaimMax) : options_.batch;
  for (const auto& [kind, max] : options_.lanes) {
    const int free = std::min(max - lane_use_[kind], most);
    if (free > 0) change.lanes.push_back({kind, free});
  }
  if (change.lanes.empty()) return;
  for (const auto& lane : change.lanes) lane_use_[lane.kind] += lane.max;
  // What the slots offered to the other claim could take is looked for once all are back.
  was_short_of_slots_ |= claims_in_flight_ > 0;
  ++claims_in_flight_;
  may_have_ready_ = false;
  commit(change, [this, change](Result<std::vector<store::ClaimedRun>> claimed) {
    --claims_in_flight_;
    take_claimed(change, std::move(claimed));
  });
}

void Scheduler::take_claimed(const store::ClaimRuns& asked,
                             Result<std::vector<store::ClaimedRun>> claimed) {
  for (const auto& lane : asked.lanes) lane_use_[lane.kind] -= lane.max;
  // A claim that was not made is repeated, and after one that found something there may be more.
  if (!claimed || !claimed->empty()) may_have_ready_ = true;
  if (claims_in_flight_ == 0 && std::exchange(was_short_of_slots_, false)) may_have_ready_ = true;
  if (!claimed) return;
  // This process was stopped, or the store was out of reach: others may have the runs by now.
  const bool is_late = clock_.steady() >= leased_until_;
  for (auto& run : *claimed) {
    if (!is_late) {
      launch(std::move(run));
      continue;
    }
    log::warn("a run was claimed too late to be started", {{"run", run.run.to_string()}});
    give_back(std::move(run));
  }
}

// Until the store has taken it: this node lives, so nobody else would ever miss the run.
void Scheduler::give_back(store::ClaimedRun claimed) {
  auto change = store::handed_back(claimed, clock_.now());
  commit(std::move(change), [this, claimed = std::move(claimed)](
                                const Result<store::SettleRun::Answer>& answer) mutable {
    may_have_ready_ = true;
    if (answer || is_lost(answer.error())) return;
    resend_at_ = clock_.now() + kRetryStore;
    too_late_.push_back(std::move(claimed));
  });
}

void Scheduler::launch(store::ClaimedRun claimed) {
  const AttemptKey attempt(claimed.run, claimed.token);
  const auto timeout = store::time_left(claimed, now_);
  ++lane_use_[claimed.spec->action.kind];
  events_.on_started(claimed);
  const auto& kept =
      running_.insert_or_assign(attempt, Running{std::move(claimed)}).first->second.claimed;
  if (timeout <= Duration(0)) return on_outcome(attempt, store::deadline_passed());
  launcher_.launch(kept, timeout, [this, inbox = inbox_, attempt](Outcome outcome) mutable {
    inbox->post([this, attempt, outcome = std::move(outcome)]() mutable {
      on_outcome(attempt, std::move(outcome));
    });
  });
}

// All its attempts that go on here, also one that lost its lease.
void Scheduler::cancel(RunId run) {
  for (auto at = running_.lower_bound({run, 0}); at != running_.end() && at->first.first == run;
       ++at) {
    if (!at->second.is_over) launcher_.cancel(run, at->second.claimed.attempt);
  }
}

// One whose lease was lost meanwhile is told with its own token, and the store refuses it.
void Scheduler::on_outcome(const AttemptKey& attempt, Outcome outcome) {
  const auto found = running_.find(attempt);
  if (found == running_.end() || found->second.is_over) return;
  found->second.is_over = true;
  --lane_use_[found->second.claimed.spec->action.kind];
  may_have_ready_ = true;
  settle_attempt(found->second.claimed, std::move(outcome));
}

// -- Settling
// ----------------------------------------------------------------------------------------

void Scheduler::settle_attempt(const store::ClaimedRun& claimed, Outcome outcome) {
  auto& project = project_names_[claimed.project];
  if (project.empty()) {
    if (const auto found = store_.find_project(claimed.project)) project = found->name;
  }
  const store::SettlementContext context{
      .project_name = project, .notify = options_.notify, .now = clock_.now()};
  auto change = store::settlement_of(claimed, outcome, context, rng_, ids_);
  outcome.output.clear();
  ended_.push_back({std::move(change), claimed, std::move(outcome)});
}

void Scheduler::send_ended() {
  for (auto& unsettled : std::exchange(ended_, {})) send(std::move(unsettled));
}

void Scheduler::send(Unsettled unsettled) {
  auto change = unsettled.change;
  commit(std::move(change),
         [this, unsettled = std::move(unsettled)](Result<store::SettleRun::Answer> answer) mutable {
           if (answer) {
             may_have_ready_ = true;  // what it kept waiting
             events_.on_settled(unsettled.claimed, unsettled.outcome, answer->state);
             return forget(unsettled);
           }
           if (is_lost(answer.error())) {
             log::warn("an attempt's outcome came after its lease was lost",
                       {{"run", unsettled.claimed.run.to_string()},
                        {"job", unsettled.claimed.job.to_string()}});
             return forget(unsettled);
           }
           // The store is full or away for a while; what happened must not be forgotten.
           resend_at_ = clock_.now() + kRetryStore;
           unsettled_.push_back(std::move(unsettled));
         });
}

void Scheduler::resend() {
  if (now_ < resend_at_) return;
  for (auto& unsettled : std::exchange(unsettled_, {})) send(std::move(unsettled));
  for (auto& claimed : std::exchange(too_late_, {})) give_back(std::move(claimed));
}

void Scheduler::forget(const Unsettled& unsettled) {
  running_.erase({unsettled.claimed.run, unsettled.claimed.token});
}

// -- Upkeep
// ------------------------------------------------------------------------------------------

void Scheduler::prune() {
  const auto steady = clock_.steady();
  if (last_prune_ && Duration(steady - *last_prune_) < options_.prune_interval) return;
  last_prune_ = steady;
  commit(store::Prune{now_, options_.batch, options_.audit_age}, [this](Result<std::int64_t> gone) {
    if (gone && *gone >= options_.batch) last_prune_.reset();  // there is more
  });
}

}  // namespace chronos::scheduler
