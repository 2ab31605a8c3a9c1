#include "model/why.h"

#include <algorithm>
#include <array>
#include <utility>

#include "model/retry.h"
#include "model/settle.h"
#include "model/why_words.h"

namespace chronos {
namespace {

using enum WhyCode;
using why_words::at;
using why_words::explain_pause;
using why_words::job_blocker;
using why_words::policy_blocker;
using why_words::run_blocker;
using why_words::times;

// THE table of codes.
constexpr std::array kWhyRows = {
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
    WhyRow{concurrency, "concurrency", true,
           "as many runs with its concurrency key go on as may at once"},
    WhyRow{WhyCode::rate, "rate", true,
           "as many attempts with its rate key have started lately as may"},
    WhyRow{queue_slot, "queue_slot", true, "its queue runs as many attempts as it may"},
    WhyRow{slot, "slot", true, "the node runs as many attempts of its kind as it may"},
    WhyRow{runs_ahead, "runs_ahead", true,
           "runs of higher priority, planned earlier, or whose queue is next take the next slots"},
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
    WhyRow{
        on_lost, "on_lost", false,
        "failed: it was lost and is not repeated: on_lost says so, or it took worker after worker"
        " with it"},
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
              fmt::format("max_attempts is {}: there are none left.", job.spec->max_attempts));
      break;
    case RetryRule::retry_on:
      because(retry_on, "retry.on", "retry.on does not name this outcome: it is not repeated.");
      break;
    case RetryRule::on_lost:
      if (is_quarantined(outcome)) {
        why.code = on_lost;
        why.text = fmt::format("{}. What it does may be what kills them: it gets no other.", last);
        break;
      }
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

Explanation why_words::explain_pause(const Job& job) {
  Explanation why{.code = resume, .blocker = job_blocker(job)};
  why.text = "The job is paused";
  if (!job.spec->note.empty()) why.text += fmt::format(" (note: {})", job.spec->note);
  why.text += ".";
  if (job.parked_at) {
    why.text += fmt::format(" Its instant of {} came meanwhile.", at(*job.parked_at));
  }
  why.unblocked_by = "Resume the job; what passed meanwhile is then a misfire.";
  if (job.spec->paused_until) {
    why.unblocked_by += fmt::format(" It resumes by itself at {}.", at(*job.spec->paused_until));
    why.until = job.spec->paused_until;
  }
  // It was paused then at the latest: the last change left it so.
  why.since = job.updated_at;
  return why;
}

std::span<const WhyRow> why_table() {
  return kWhyRows;
}

std::string_view to_string(WhyCode code) {
  return kWhyRows[static_cast<std::size_t>(code)].name;
}

Explanation explain_run(const RunFacts& facts) {
  return is_final(facts.run.state) ? explain_final(facts) : why_words::explain_live_run(facts);
}

Explanation explain_idle_job(const IdleJobFacts& facts) {
  const auto& job = facts.job;
  const auto& schedule = job.spec->schedule;
  if (job.phase == JobPhase::active && (job.parked_at || job.spec->paused)) {
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
  } else if (is_recurring && job.spec->max_runs && job.runs_planned >= *job.spec->max_runs) {
    why.code = max_runs;
    why.blocker = policy_blocker("max_runs");
    why.text = fmt::format("The schedule has made its {}.", times(*job.spec->max_runs, "run"));
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