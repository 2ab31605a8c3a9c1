#include "model/why.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/time_text.h"
#include "model/settle.h"

namespace chronos {
namespace {

using enum WhyCode;

// THE table of codes.
constexpr std::array kTable = {
    WhyRow{scheduled_time, "scheduled_time", true, "its instant lies ahead"},
    WhyRow{excluded, "excluded", true,
           "a calendar of the job excludes the schedule's next instants; it waits for an open one"},
    WhyRow{WhyCode::jitter, "jitter", true, "its instant has come; jitter delays its start"},
    WhyRow{start_up, "start_up", true, "it runs at the next start of the server (@reboot)"},
    WhyRow{planning, "planning", true, "its instant has come; the scheduler takes it up next"},
    WhyRow{cancel_requested, "cancel_requested", true,
           "it was cancelled before its instant and ends then instead of starting"},
    WhyRow{resume, "resume", true, "the job is paused"},
    WhyRow{retry, "retry", true, "an attempt failed; the next waits out its delay"},
    WhyRow{earlier_run, "earlier_run", true, "an earlier run of the job goes on (overlap policy)"},
    WhyRow{permission, "permission", true, "no node may run actions of its kind"},
    WhyRow{queue_slot, "queue_slot", true, "its queue runs as many attempts as it may"},
    WhyRow{slot, "slot", true, "the node runs as many attempts of its kind as it may"},
    WhyRow{runs_ahead, "runs_ahead", true,
           "runs of higher priority, or planned earlier, take the next slots"},
    WhyRow{claim, "claim", true, "nothing stands in the way: it starts at the next claim"},
    WhyRow{worker, "worker", true, "no worker polls its queue"},
    WhyRow{store, "store", true, "the store cannot commit, so nothing can start"},
    WhyRow{drain, "drain", true, "the server is stopping; it runs after the next start"},
    WhyRow{WhyCode::running, "running", false, "an attempt is under way"},
    WhyRow{stopping, "stopping", false, "an attempt is under way and was told to stop"},
    WhyRow{succeeded, "succeeded", false, "it did what it should"},
    WhyRow{max_attempts, "max_attempts", false, "failed: its attempts are used up"},
    WhyRow{retry_on, "retry_on", false, "failed: retry.on does not name what happened"},
    WhyRow{max_age, "max_age", false, "failed: a retry would have come later than retry.max_age"},
    WhyRow{deadline, "deadline", false, "failed: the deadline left no time for a further attempt"},
    WhyRow{on_lost, "on_lost", false, "failed: it was lost and on_lost says not to repeat it"},
    WhyRow{gave_up, "gave_up", false, "failed under policies that have been changed since"},
    WhyRow{overlap, "overlap", false, "skipped: an earlier run of the job still went on"},
    WhyRow{calendar, "calendar", false, "skipped: a calendar of the job excludes the instant"},
    WhyRow{down, "down", false, "missed: the server was down, or too late by misfire.grace"},
    WhyRow{paused, "paused", false, "missed: the job was paused"},
    WhyRow{window, "window", false, "missed: older than misfire.window when it could be looked at"},
    WhyRow{limit, "limit", false, "missed: more had gathered than misfire.max"},
    WhyRow{ask, "ask", false, "missed: it waits for a decision, which is a backfill (misfire ask)"},
    WhyRow{job_cancelled, "job_cancelled", false, "the job was cancelled"},
    WhyRow{run_cancelled, "run_cancelled", false, "the run was cancelled"},
    WhyRow{rescheduled, "rescheduled", false, "the job got another schedule before it started"},
    WhyRow{overlap_stopped, "overlap_stopped", false,
           "a later run of the job took its place (overlap: cancel_running)"},
    WhyRow{stopped, "stopped", false, "its running attempt was told to stop"},
    WhyRow{pruned, "pruned", false, "beyond the job's retention: only counts are kept"},
    WhyRow{end_at, "end_at", false, "the schedule has reached end_at"},
    WhyRow{max_runs, "max_runs", false, "the schedule has made max_runs runs"},
    WhyRow{no_instant, "no_instant", false, "the schedule names no further instant"},
    WhyRow{other, "other", false, "a reason that this version has no words for: see the run's own"},
};

std::string at(Timestamp time) {
  return time == kNextStart ? "the next start of the server" : format_timestamp(time);
}

std::string times(std::int64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

Blocker clock_blocker() {
  return {.kind = "clock"};
}
Blocker policy_blocker(std::string_view field) {
  return {.kind = "policy", .name = std::string(field)};
}
Blocker run_blocker(const Run& run) {
  return {.kind = "run", .id = run.id.to_string(), .name = std::string(to_string(run.state))};
}
Blocker job_blocker(const Job& job) {
  return {.kind = "job", .id = job.id.to_string(), .name = job.spec.name};
}

std::string attempt_of(const Job& job, int number) {
  return job.spec.max_attempts == 0
             ? fmt::format("attempt {}", number)
             : fmt::format("attempt {} of {}", number, job.spec.max_attempts);
}

// -- A job that is paused ------------------------------------------------------------------------

Explanation explain_pause(const Job& job) {
  Explanation why{.code = resume, .blocker = job_blocker(job)};
  why.text = "The job is paused";
  if (!job.spec.note.empty()) why.text += fmt::format(" (note: {})", job.spec.note);
  why.text += ".";
  if (job.parked_at) {
    why.text += fmt::format(" Its instant of {} came meanwhile.", at(*job.parked_at));
  }
  why.unblocked_by = "Resume the job; what passed meanwhile is then a misfire.";
  if (job.spec.paused_until) {
    why.unblocked_by += fmt::format(" It resumes by itself at {}.", at(*job.spec.paused_until));
    why.until = job.spec.paused_until;
  }
  // It was paused then at the latest: the last change left it so.
  why.since = job.updated_at;
  return why;
}

// -- Live runs -----------------------------------------------------------------------------------

constexpr std::string_view kTimeOrRunNow =
    "Time passing; POST /api/jobs/:job_id/run starts another run now.";

// Members are the states of a live run.
class LiveRun {
 public:
  explicit LiveRun(const RunFacts& facts)
      : facts_(facts), job_(facts.job), run_(facts.run), kind_(facts.job.spec.action.kind) {}

  Explanation explain() const {
    switch (run_.state) {
      case RunState::running:
        return runs();
      case RunState::retrying:
        return waits_for_retry();
      case RunState::queued:
        return is_queued();
      default:
        return is_planned();
    }
  }

 private:
  Explanation is_planned() const {
    if (run_.is_cancel_requested) {
      Explanation why{.code = cancel_requested, .blocker = clock_blocker()};
      why.text = fmt::format("It was cancelled; its schedule goes on from it, so it ends at {}.",
                             at(run_.planned_at));
      why.until = known_instant(run_.planned_at);
      return why;
    }
    if (job_.spec.paused) return explain_pause(job_);
    if (run_.planned_at == kNextStart) return waits_for_start();
    if (run_.planned_at > facts_.now) return facts_.excluded ? is_excluded() : waits_for_instant();
    if (run_.planned_at + run_.jitter > facts_.now) return is_spread();
    if (auto why = server_stops_all()) return *why;
    Explanation why{.code = planning, .blocker = Blocker{.kind = "server"}};
    why.text = fmt::format("Its instant, {}, has come; the scheduler takes it up next.",
                           at(run_.planned_at));
    why.unblocked_by = "The scheduler's next step, within a second.";
    why.since = run_.planned_at;
    return why;
  }

  Explanation waits_for_instant() const {
    Explanation why{.code = scheduled_time, .blocker = clock_blocker()};
    why.text = fmt::format("It waits for its instant, {}.", at(run_.planned_at));
    if (run_.jitter > Duration(0)) {
      why.text += fmt::format(" Jitter delays its start to {}.", at(run_.planned_at + run_.jitter));
    }
    why.unblocked_by = kTimeOrRunNow;
    why.until = run_.planned_at + run_.jitter;
    return why;
  }

  Explanation waits_for_start() const {
    Explanation why{.code = start_up, .blocker = Blocker{.kind = "server"}};
    why.text = "It waits for the next start of the server.";
    why.unblocked_by =
        "A restart of the server; POST /api/jobs/:job_id/run starts another run now.";
    return why;
  }

  Explanation is_excluded() const {
    const auto& [from, through, name] = *facts_.excluded;
    Explanation why{.code = excluded, .blocker = Blocker{.kind = "calendar", .name = name}};
    why.text = fmt::format(
        "It waits for {}: the calendar {} excludes the instants of the schedule from {} to {}.",
        at(run_.planned_at), name, at(from.at), at(through.at));
    why.unblocked_by = std::string(kTimeOrRunNow) + " So does a change of the calendar.";
    why.until = run_.planned_at + run_.jitter;
    return why;
  }

  Explanation is_spread() const {
    Explanation why{.code = WhyCode::jitter, .blocker = policy_blocker("jitter")};
    why.text = fmt::format("Its instant was {}; jitter delays its start to {}.",
                           at(run_.planned_at), at(run_.planned_at + run_.jitter));
    why.unblocked_by = kTimeOrRunNow;
    why.since = run_.planned_at;
    why.until = run_.planned_at + run_.jitter;
    return why;
  }

  Explanation waits_for_retry() const {
    const auto next = run_.next_attempt_at.value_or(facts_.now);
    if (next <= facts_.now) {
      if (auto why = server_stops_all()) return *why;
    }
    Explanation why{.code = retry, .blocker = policy_blocker("retry")};
    why.text = fmt::format("{} failed{}; the next waits until {}.",
                           capitalised(attempt_of(job_, run_.attempts_made)), because(run_.error),
                           at(next));
    why.unblocked_by = "Time passing; POST /api/runs/:run_id/cancel ends it.";
    if (!run_.attempts.empty()) why.since = run_.attempts.back().ended_at;
    why.until = next;
    return why;
  }

  Explanation is_queued() const {
    if (facts_.standing.is_held) return waits_for_earlier_run();
    if (auto why = server_stops_all()) return *why;
    auto why = waits_for_slot();
    why.since = run_.queued_at;
    return why;
  }

  Explanation waits_for_earlier_run() const {
    Explanation why{.code = earlier_run};
    if (facts_.other) why.blocker = run_blocker(*facts_.other);
    const auto which = facts_.other ? fmt::format("{} ({})", facts_.other->id.to_string(),
                                                  to_string(facts_.other->state))
                                    : std::string("an earlier run of the job");
    const bool is_backfilling = facts_.other && facts_.other->trigger == Trigger::backfill;
    if (run_.trigger == Trigger::backfill) {
      why.text =
          fmt::format("The runs of its backfill go one after another, and {} goes on.", which);
      why.unblocked_by = "The end of the runs before it; they can be cancelled.";
      return why;
    }
    why.text = is_backfilling
                   ? fmt::format("Its instant has come while {} of a backfill goes on.", which)
                   : fmt::format("Its instant has come, but {} goes on and overlap is {}.", which,
                                 to_string(job_.spec.overlap));
    why.unblocked_by = "The end of that run; it can be cancelled.";
    why.since = run_.planned_at;
    return why;
  }

  Explanation waits_for_slot() const {
    const auto& standing = facts_.standing;
    const auto lane = facts_.capacity.lanes.find(kind_);
    const bool is_pulled = facts_.pollers.has_value();
    const bool has_lane = lane != facts_.capacity.lanes.end() && lane->second > 0;
    if (!is_pulled && !has_lane) return lacks_permission();
    const auto& queue = job_.spec.queue;
    const auto limit = facts_.capacity.queue_limits.find(queue);
    if (limit != facts_.capacity.queue_limits.end() && standing.running_in_queue >= limit->second) {
      Explanation why{.code = queue_slot, .blocker = queue_blocker(limit->second)};
      why.text = fmt::format("Queue '{}' runs {}, which is its limit{}.", queue,
                             times(standing.running_in_queue, "attempt"),
                             go_first(standing.ahead_in_queue));
      why.unblocked_by =
          fmt::format("The end of a run of the queue, or a larger queues.{}.concurrency.", queue);
      return why;
    }
    if (is_pulled) return waits_for_worker();
    const auto free = lane->second - standing.running_of_kind;
    if (free > standing.ahead) {
      Explanation why{.code = claim, .blocker = Blocker{.kind = "server"}};
      why.text = "Nothing stands in its way: it starts at the next claim.";
      why.unblocked_by = "The scheduler's next step, within a second.";
      return why;
    }
    Explanation why{.code = standing.ahead > 0 ? runs_ahead : slot,
                    .blocker = kind_blocker(lane->second)};
    why.text = fmt::format("{} of {} slots for '{}' actions are taken{}.", standing.running_of_kind,
                           lane->second, kind_, go_first(standing.ahead));
    why.unblocked_by =
        fmt::format("The end of a run of this kind, a higher priority, or a larger {}.concurrency.",
                    section_of(kind_));
    return why;
  }

  Explanation waits_for_worker() const {
    const auto& queue = job_.spec.queue;
    const auto& pollers = *facts_.pollers;
    Explanation why{.code = worker, .blocker = Blocker{.kind = "queue", .name = queue}};
    why.unblocked_by =
        fmt::format("A worker that polls queue '{}' (POST /api/workers/claim).", queue);
    if (pollers.alive == 0) {
      why.text = fmt::format("No worker polls queue '{}'", queue);
      why.text += pollers.last_seen_at ? fmt::format("; the last one that did was last seen at {}.",
                                                     at(*pollers.last_seen_at))
                                       : std::string(", and none has within a day.");
      return why;
    }
    const auto ahead = facts_.standing.ahead_in_queue;
    why.code = ahead > 0 ? runs_ahead : claim;
    why.blocker->ahead = ahead;
    why.text = fmt::format("{} of queue '{}' {} next{}.", times(pollers.alive, "worker"), queue,
                           pollers.alive == 1 ? "takes it" : "take it", go_first(ahead));
    why.unblocked_by = "The next claim of a worker.";
    return why;
  }

  Explanation lacks_permission() const {
    Explanation why{.code = permission, .blocker = Blocker{.kind = "kind", .name = kind_}};
    why.text = fmt::format("No node may run actions of kind '{}'.", kind_);
    why.unblocked_by = kind_ == "command" ? "commands.allow = true in the server's configuration."
                                          : "A server that knows this kind of action.";
    return why;
  }

  Explanation runs() const {
    const auto since =
        facts_.standing.attempt_started_at.value_or(run_.started_at.value_or(run_.planned_at));
    auto until = since + job_.spec.timeout;
    const bool is_backfill = run_.trigger == Trigger::backfill;
    const auto counted_from = is_backfill ? run_.queued_at.value_or(since) : run_.planned_at;
    if (job_.spec.deadline) until = std::min(until, counted_from + *job_.spec.deadline);
    Explanation why{.code = run_.is_cancel_requested ? stopping : WhyCode::running};
    const auto* where = kind_ == kWorkerKind ? "worker" : "node";
    why.text = fmt::format("{} runs on {} {} since {}, and is stopped at {} if it has not ended.",
                           capitalised(attempt_of(job_, run_.attempts_made)), where, run_.node,
                           at(since), at(until));
    if (run_.is_cancel_requested) {
      why.text = fmt::format("{} on {} {} was told to stop and has not ended yet.",
                             capitalised(attempt_of(job_, run_.attempts_made)), where, run_.node);
    }
    why.unblocked_by = "Its end; POST /api/runs/:run_id/cancel stops it.";
    if (run_.is_cancel_requested) why.unblocked_by = "Its end.";
    why.since = since;
    why.until = until;
    return why;
  }

  // What keeps everything from starting.
  std::optional<Explanation> server_stops_all() const {
    if (!facts_.server.takes_changes) {
      Explanation why{.code = store, .blocker = Blocker{.kind = "store"}};
      why.text = "The store cannot commit (full, or out of reach), so nothing can start.";
      why.unblocked_by = "Free space, or a store that answers: see the server's log.";
      return why;
    }
    if (!facts_.server.is_draining) return std::nullopt;
    Explanation why{.code = drain, .blocker = Blocker{.kind = "server"}};
    why.text = "The server is stopping; nothing new starts.";
    why.unblocked_by = "The next start of the server.";
    return why;
  }

  Blocker queue_blocker(int max) const {
    const auto& standing = facts_.standing;
    return {.kind = "queue",
            .name = job_.spec.queue,
            .runs = standing.runs_in_queue,
            .in_use = standing.running_in_queue,
            .max = max,
            .ahead = standing.ahead_in_queue};
  }
  Blocker kind_blocker(int max) const {
    const auto& standing = facts_.standing;
    return {.kind = "kind",
            .name = kind_,
            .runs = standing.runs_of_kind,
            .in_use = standing.running_of_kind,
            .max = max,
            .ahead = standing.ahead};
  }

  static std::string go_first(std::int64_t ahead) {
    if (ahead == 0) return "";
    return fmt::format("; {} of higher priority or an earlier instant {} first",
                       times(ahead, "run"), ahead == 1 ? "goes" : "go");
  }
  static std::string section_of(const std::string& kind) {
    return kind == "command" ? "commands" : kind;
  }
  static std::string capitalised(std::string text) {
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
  }
  static std::string because(const std::string& error) {
    return error.empty() ? "" : fmt::format(" ({})", error);
  }

  const RunFacts& facts_;
  const Job& job_;
  const Run& run_;
  const std::string& kind_;
};

// -- Final runs ----------------------------------------------------------------------------------

std::string what_happened(const Run& run) {
  const auto error = run.error.empty() ? run.reason : run.error;
  return error.empty() ? std::string(to_string(run.state))
                       : fmt::format("{}: {}", to_string(run.state), error);
}

Explanation explain_failure(const Job& job, const Run& run) {
  Explanation why{.code = gave_up};
  auto outcome = run.attempts.empty() ? Outcome{} : run.attempts.back().outcome;
  const auto by_rule = rule_against_retry(job.spec, run.attempts_made, outcome);
  const auto rule = by_rule ? by_rule : time_limit(job.spec);
  const auto last = fmt::format("Attempt {} {}", run.attempts_made, what_happened(run));
  const auto because = [&](WhyCode code, std::string_view field, const std::string& sentence) {
    why.code = code;
    why.blocker = policy_blocker(field);
    why.text = fmt::format("{}. {}", last, sentence);
  };
  why.text = fmt::format("{}. The policies the job had then allowed no further attempt.", last);
  why.unblocked_by = "POST /api/runs/:run_id/retry makes a new run.";
  if (!rule) return why;
  switch (*rule) {
    case RetryRule::max_attempts:
      because(max_attempts, "max_attempts",
              fmt::format("max_attempts is {}: there are none left.", job.spec.max_attempts));
      break;
    case RetryRule::retry_on:
      because(retry_on, "retry.on", "retry.on does not name this outcome: it is not repeated.");
      break;
    case RetryRule::on_lost:
      because(on_lost, "on_lost", "on_lost is fail: a lost attempt is not repeated.");
      break;
    case RetryRule::max_age:
      because(max_age, "retry.max_age", "A retry would have come later than retry.max_age.");
      break;
    case RetryRule::deadline:
      because(deadline, "deadline", "The deadline left no time for a further attempt.");
      break;
  }
  return why;
}

struct FinalReason {
  std::string_view reason;  // Run::reason
  WhyCode code;
  std::string_view text;
  std::string_view blocker;       // its kind
  std::string_view blocker_name;  // a policy's field
  std::string_view unblocked_by;
};
constexpr std::array kSkippedOrMissed = {
    FinalReason{"overlap", overlap, "an earlier run of the job still went on", "policy", "overlap",
                "A shorter run, or another overlap policy."},
    FinalReason{"calendar", calendar, "a calendar of the job excludes it", "policy", "calendars",
                "Another schedule, or a change of the calendar."},
    FinalReason{"down", down, "the server was not there in time", "policy", "misfire",
                "A larger misfire.grace, or misfire.policy run_all."},
    FinalReason{"paused", paused, "the job was paused", "job", "", "Resume earlier."},
    FinalReason{"window", window, "it was older than misfire.window when it could be looked at",
                "policy", "misfire.window", "A larger misfire.window."},
    FinalReason{"limit", limit, "more instants had gathered than misfire.max", "policy",
                "misfire.max", "A larger misfire.max."},
    FinalReason{"ask", ask, "misfire.policy is ask: whether it still runs is for people to decide",
                "policy", "misfire", "POST /api/jobs/:job_id/backfill runs it; nothing leaves it."},
    FinalReason{"pruned", pruned, "", "policy", "retention",
                "A larger retention keeps later ones."},
};
constexpr std::array kCancelled = {
    FinalReason{"job cancelled", job_cancelled, "its job was cancelled", "job", "", ""},
    FinalReason{"run cancelled", run_cancelled, "it was cancelled before it could start", "run", "",
                ""},
    FinalReason{"rescheduled", rescheduled, "the job got another schedule before it started", "job",
                "", ""},
    FinalReason{"overlap", overlap_stopped, "a later run of the job took its place", "policy",
                "overlap", ""},
};

const FinalReason* find_reason(std::span<const FinalReason> reasons, std::string_view reason) {
  const auto found = std::ranges::find(reasons, reason, &FinalReason::reason);
  return found == reasons.end() ? nullptr : &*found;
}

Explanation explain_by(const FinalReason& row, const RunFacts& facts) {
  const auto& run = facts.run;
  Explanation why{.code = row.code, .unblocked_by = std::string(row.unblocked_by)};
  // The row itself names the calendar.
  const std::string_view words =
      row.code == calendar && !run.error.empty() ? std::string_view(run.error) : row.text;
  if (row.blocker == "job") {
    why.blocker = job_blocker(facts.job);
  } else if (row.blocker == "run") {
    why.blocker = run_blocker(run);
  } else {
    why.blocker = policy_blocker(row.blocker_name);
  }
  if (row.code == pruned) {
    why.text =
        fmt::format("{} from {} to {} ({}): beyond the job's retention, only counts are kept.",
                    times(run.count, "run"), at(run.planned_at),
                    at(run.planned_until.value_or(run.planned_at)), to_string(run.state));
  } else if (run.count == 1) {
    why.text =
        fmt::format("The instant {} was {}: {}.", at(run.planned_at), to_string(run.state), words);
  } else {
    why.text = fmt::format("{} from {} to {} were {}: {}.", times(run.count, "instant"),
                           at(run.planned_at), at(run.planned_until.value_or(run.planned_at)),
                           to_string(run.state), words);
  }
  why.since = run.planned_at;
  why.until = run.planned_until;
  if (row.code == overlap && facts.other) {
    why.blocker = run_blocker(*facts.other);
    why.text += fmt::format(" It was {}.", facts.other->id.to_string());
  }
  return why;
}

Explanation explain_final(const RunFacts& facts) {
  const auto& run = facts.run;
  const bool did_not_run = run.state == RunState::skipped || run.state == RunState::missed;
  const auto* row = did_not_run || run.reason == "pruned"
                        ? find_reason(kSkippedOrMissed, run.reason)
                    : run.state == RunState::cancelled ? find_reason(kCancelled, run.reason)
                                                       : nullptr;
  if (row != nullptr) return explain_by(*row, facts);
  if (did_not_run) {
    return explain_by({.code = other, .text = run.reason, .blocker = "policy"}, facts);
  }
  if (run.state == RunState::succeeded) {
    return {.code = succeeded,
            .text = fmt::format("It succeeded at attempt {}.", run.attempts_made),
            .since = run.started_at,
            .until = run.ended_at};
  }
  if (run.state != RunState::cancelled) return explain_failure(facts.job, run);
  return {.code = stopped,
          .text =
              "Its running attempt was told to stop: the run or the job was cancelled, or a "
              "later run took its place.",
          .unblocked_by = "POST /api/runs/:run_id/retry makes a new run."};
}

}  // namespace

std::span<const WhyRow> why_table() {
  return kTable;
}

std::string_view to_string(WhyCode code) {
  return kTable[static_cast<std::size_t>(code)].name;
}

Explanation explain_run(const RunFacts& facts) {
  return is_final(facts.run.state) ? explain_final(facts) : LiveRun(facts).explain();
}

Explanation explain_idle_job(const IdleJobFacts& facts) {
  const auto& job = facts.job;
  const auto& schedule = job.spec.schedule;
  if (job.phase == JobPhase::active && (job.parked_at || job.spec.paused)) {
    return explain_pause(job);
  }
  Explanation why{.code = no_instant, .blocker = policy_blocker("schedule")};
  why.unblocked_by = "PUT /api/jobs/:job_id gives it another schedule.";
  why.since = job.updated_at;
  const bool is_recurring = !schedule.cron.empty() || schedule.every;
  if (job.phase == JobPhase::cancelled) {
    why.code = job_cancelled;
    why.blocker = job_blocker(job);
    why.text = "The job was cancelled: nothing of it starts until it gets a schedule again.";
  } else if (is_recurring && job.spec.max_runs && job.runs_planned >= *job.spec.max_runs) {
    why.code = max_runs;
    why.blocker = policy_blocker("max_runs");
    why.text = fmt::format("The schedule has made its {}.", times(*job.spec.max_runs, "run"));
  } else if (is_recurring && schedule.end_at && *schedule.end_at <= facts.now) {
    why.code = end_at;
    why.blocker = policy_blocker("end_at");
    why.text = fmt::format("The schedule ended at {}.", at(*schedule.end_at));
    why.since = schedule.end_at;
  } else if (is_recurring) {
    why.text = "The schedule names no further instant.";
  } else {
    why.text = job.phase == JobPhase::succeeded
                   ? "The job ran once, as asked, and succeeded."
                   : "The job ran once, as asked, and did not succeed.";
  }
  if (!is_recurring && job.phase != JobPhase::cancelled && job.last_run) {
    why.since = job.last_run->ended_at;
  }
  return why;
}

}  // namespace chronos
