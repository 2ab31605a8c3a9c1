// Runs that have not ended: what each waits for, in the order in which it meets it.
#include <algorithm>

#include "model/settle.h"
#include "model/why_words.h"

namespace chronos::why_words {
namespace {

using enum WhyCode;

Blocker clock_blocker() {
  return {.kind = "clock"};
}

std::string attempt_of(const Job& job, int number) {
  return job.spec->max_attempts == 0
             ? fmt::format("attempt {}", number)
             : fmt::format("attempt {} of {}", number, job.spec->max_attempts);
}

constexpr std::string_view kTimeOrRunNow =
    "Time passing; POST /api/jobs/:job_id/run starts another run now.";

// Members are the states of a live run.
class LiveRun {
 public:
  explicit LiveRun(const RunFacts& facts)
      : facts_(facts), job_(facts.job), run_(facts.run), kind_(facts.job.spec->action.kind) {}

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
    if (job_.spec->paused) return explain_pause(job_);
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
    if (facts_.standing.limit) return waits_for_limit(*facts_.standing.limit);
    auto why = waits_for_slot();
    why.since = run_.queued_at;
    return why;
  }

  Explanation waits_for_limit(const LimitStanding& limit) const {
    return limit.kind == LimitKind::concurrency ? waits_for_key(limit, *limit.limits.concurrency)
                                                : waits_for_rate(limit, *limit.limits.rate);
  }

  Explanation waits_for_key(const LimitStanding& limit, const ConcurrencyLimit& concurrency) const {
    Explanation why{.code = WhyCode::concurrency,
                    .blocker = Blocker{.kind = "concurrency",
                                       .name = concurrency.key,
                                       .runs = limit.runs,
                                       .in_use = limit.in_use,
                                       .max = concurrency.max,
                                       .ahead = limit.ahead}};
    why.text = fmt::format(
        "{} with the concurrency key '{}' {} on, and {} may{}.", times(limit.in_use, "run"),
        concurrency.key, limit.in_use == 1 ? "goes" : "go", concurrency.max, go_first(limit.ahead));
    why.unblocked_by = "The end of one of them, back-off included; a larger concurrency.max.";
    return why;
  }

  Explanation waits_for_rate(const LimitStanding& limit, const RateLimit& rate) const {
    Explanation why{.code = WhyCode::rate,
                    .blocker = Blocker{.kind = "rate",
                                       .name = rate.key,
                                       .in_use = limit.in_use,
                                       .max = rate.max,
                                       .ahead = limit.ahead}};
    why.text =
        fmt::format("The rate key '{}' lets {} start within {}{}.", rate.key,
                    times(rate.max, "attempt"), format_duration(rate.per), go_first(limit.ahead));
    if (limit.opens_at) {
      why.text += fmt::format(" The next may start at {}.", at(*limit.opens_at));
      why.unblocked_by = "Time passing; a larger rate.max.";
      if (limit.ahead == 0) why.until = limit.opens_at;
    } else {
      why.text += fmt::format(" {} let through {} not started yet.", times(limit.in_use, "attempt"),
                              limit.in_use == 1 ? "has" : "have");
      why.unblocked_by = "Their start: free slots, or workers that claim them.";
    }
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
                                 to_string(job_.spec->overlap));
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
    const auto& queue = job_.spec->queue;
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
                           lane->second, kind_, may_go_first(standing.ahead));
    why.unblocked_by =
        fmt::format("The end of a run of this kind, a higher priority, or a larger {}.concurrency.",
                    section_of(kind_));
    return why;
  }

  Explanation waits_for_worker() const {
    const auto& queue = job_.spec->queue;
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
    auto until = since + job_.spec->timeout;
    const bool is_backfill = run_.trigger == Trigger::backfill;
    const auto counted_from = is_backfill ? run_.queued_at.value_or(since) : run_.planned_at;
    if (job_.spec->deadline) until = std::min(until, counted_from + *job_.spec->deadline);
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
            .name = job_.spec->queue,
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
  // Queues take turns.
  static std::string may_go_first(std::int64_t ahead) {
    if (ahead == 0) return "";
    return fmt::format("; {} of higher priority, an earlier instant or another queue may go first",
                       times(ahead, "run"));
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

}  // namespace

Explanation explain_live_run(const RunFacts& facts) {
  return LiveRun(facts).explain();
}

}  // namespace chronos::why_words
