// Runs: run now, cancel, and one run with its attempts and output as people read it.
#include <algorithm>
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/idempotency.h"
#include "store/sql/live.h"
#include "store/sql/reads.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kFindFinal{"SELECT " CHRONOS_RUN_COLUMNS
                         " FROM runs r JOIN jobs j ON j.project = r.project AND j.id = r.job"
                         " WHERE r.project = $1 AND r.id = $2"};
constexpr Sql kAttempts{"SELECT " CHRONOS_ATTEMPT_COLUMNS
                        " FROM attempts WHERE run = $1 ORDER BY number"};
constexpr Sql kNewestAttempt{"SELECT " CHRONOS_ATTEMPT_COLUMNS
                             " FROM attempts WHERE run = $1 ORDER BY number DESC LIMIT 1"};
constexpr Sql kRecent{"SELECT " CHRONOS_RUN_COLUMNS
                      " FROM runs r CROSS JOIN jobs j ON j.project = $2 AND j.id = r.job"
                      " WHERE r.job = $1 ORDER BY r.id DESC LIMIT $3"};
constexpr Sql kJobName{"SELECT name FROM jobs WHERE project = $1 AND id = $2"};
constexpr Sql kOutput{"SELECT bytes FROM outputs WHERE id = $1"};

std::unexpected<Error> no_run() {
  return fail(Reason::not_found, "no run has this id");
}

// Every attempt of a run that has ended, oldest first; nothing when there is no such run.
Result<std::optional<std::vector<StoredAttempt>>> attempts_of(Connection& db, ProjectId project,
                                                              RunId run) {
  CHRONOS_TRY(const auto live, find_live(db, project, run));
  std::optional<StoredAttempt> last;
  if (!live) {
    CHRONOS_TRY(auto stored, db.one(kFindFinal, read_run_row, project, run));
    if (!stored) return std::nullopt;
    last = std::move(stored->last_attempt);
  }
  CHRONOS_TRY(auto attempts, db.all(kAttempts, read_attempt_row, run));
  if (last) attempts.push_back(std::move(*last));
  return attempts;
}

}  // namespace

Result<RunAnswer> apply(Writer& writer, const RunJob& change) {
  auto& db = writer.db;
  CHRONOS_TRY(const auto replay, find_made(db, change.idempotency, Made::run));
  if (replay) return RunAnswer{*replay->run, true};
  const JobKey key{change.project, change.job};
  CHRONOS_TRY(const auto stored, find_stored_job({db, writer.specs}, key.project, key.job));
  if (!stored) return fail(Reason::not_found, "no job has this id");
  const auto id = change.run.id;
  CHRONOS_TRY(const bool is_final, has_ended(db, change.project, id));
  if (is_final) return RunAnswer{id, true};

  auto planned = change.run;
  planned.at = std::min(planned.at, change.now);
  planned.needs_planning = false;
  CHRONOS_TRY(
      const bool is_new,
      add_run(writer, key, lane_of(stored->job.spec, stored->job.project), planned, change.now));
  if (!is_new) return RunAnswer{id, true};
  CHRONOS_TRY_VOID(remember(db, change.idempotency, {Made::run, key.project, key.job, id}));
  return RunAnswer{id, false};
}

Result<RunAnswer> apply(Writer& writer, const CancelRun& change) {
  auto& db = writer.db;
  const RunAnswer answer{change.run, false};
  CHRONOS_TRY(const auto run, find_live(db, change.project, change.run));
  if (!run) {
    CHRONOS_TRY(const bool is_final, has_ended(db, change.project, change.run));
    if (!is_final) return no_run();
    return answer;
  }
  bool is_only_marked = run->place == Place::leased;
  if (run->is_untried() && run->needs_planning) {
    CHRONOS_TRY(const auto job, find_stored_job({db, writer.specs}, run->project, run->job));
    is_only_marked = job && is_recurring(job->job.spec);
  }
  if (is_only_marked) {
    CHRONOS_TRY_VOID(mark_cancelled(writer, *run));
    return answer;
  }
  CHRONOS_TRY_VOID(cancel_waiting(writer, *run, kRunCancelled, change.now));
  CHRONOS_TRY_VOID(release_held(writer, run->job, change.now));
  return answer;
}

Result<Run> run_of(Reader reader, const LiveRun& live) {
  Run run;
  run.id = live.run;
  run.job = live.job;
  run.project = live.project;
  CHRONOS_TRY(const auto name,
              reader.db.one(kJobName, column<std::string>, live.project, live.job));
  run.job_name = name.value_or("");
  run.trigger = live.trigger;
  run.state = live.state();
  run.planned_at = live.planned_at;
  run.jitter = live.jitter;
  run.queued_at = live.queued_at;
  run.started_at = live.started_at;
  if (!run.started_at && live.lease) run.started_at = live.lease->started_at;
  if (run.started_at && run.trigger != Trigger::backfill) {
    run.lateness = *run.started_at - live.planned_at - live.jitter;
  }
  run.attempts_made = live.attempts_made + (live.lease ? 1 : 0);
  run.retry_of = live.retry_of;
  run.is_cancel_requested =
      live.is_cancel_requested || (live.lease && live.lease->is_cancel_requested);
  if (live.is_retrying()) run.next_attempt_at = live.at;
  if (live.lease) {
    run.node = live.lease->node;
  } else if (live.attempts_made > 0) {
    CHRONOS_TRY(const auto newest, reader.db.one(kNewestAttempt, read_attempt_row, live.run));
    if (newest) show_attempt(run, newest->attempt);
  }
  return run;
}

Result<std::optional<Run>> find_final(Reader reader, ProjectId project, RunId id) {
  CHRONOS_TRY(auto stored, reader.db.one(kFindFinal, read_run_row, project, id));
  if (!stored) return std::nullopt;
  return std::move(stored->run);
}

Result<Run> read_run(Reader reader, ProjectId project, RunId id) {
  CHRONOS_TRY(auto attempts, attempts_of(reader.db, project, id));
  if (!attempts) return no_run();
  Run run;
  CHRONOS_TRY(const auto live, find_live(reader.db, project, id));
  if (live) {
    CHRONOS_TRY(run, run_of(reader, *live));
  } else {
    CHRONOS_TRY(auto found, find_final(reader, project, id));
    if (!found) return no_run();
    run = std::move(*found);
  }
  for (auto& stored : *attempts) run.attempts.push_back(std::move(stored.attempt));
  return run;
}

Result<OutputPage> read_output(Reader reader, ProjectId project, RunId run, int attempt,
                               std::int64_t offset) {
  CHRONOS_TRY(const auto live, find_live(reader.db, project, run));
  if (live && live->lease && (attempt == 0 || attempt == live->attempts_made + 1)) {
    CHRONOS_TRY(auto bytes, read_running_output(reader.db, run, offset));
    return OutputPage{
        .bytes = std::move(bytes), .attempt = live->attempts_made + 1, .is_running = true};
  }
  CHRONOS_TRY(const auto attempts, attempts_of(reader.db, project, run));
  if (!attempts) return no_run();
  if (attempts->empty()) return OutputPage{};
  const auto wanted = attempt == 0 ? std::prev(attempts->end())
                                   : std::ranges::find(*attempts, attempt, [](const auto& stored) {
                                       return stored.attempt.number;
                                     });
  if (wanted == attempts->end()) return OutputPage{};
  OutputPage page{.bytes = {},
                  .dropped = wanted->attempt.outcome.output_dropped,
                  .attempt = wanted->attempt.number};
  if (!wanted->output) return page;
  CHRONOS_TRY(auto bytes,
              reader.db.one(
                  kOutput, [](Columns& columns) { return std::string(columns.get_bytes()); },
                  *wanted->output));
  page.bytes = std::move(bytes).value_or("");
  page.bytes.erase(0, static_cast<std::size_t>(offset));
  return page;
}

namespace {

bool has_begun(const LiveRun& run) {
  return run.lease || run.attempts_made > 0;
}

Result<std::vector<Run>> recent_of(Reader reader, const RecentAsk& ask, JobId job) {
  std::vector<Run> runs;
  CHRONOS_TRY(const auto live, not_held_of_job(reader.db, job));
  for (const auto& run : live) {
    if (run.project != ask.project || !has_begun(run)) continue;
    CHRONOS_TRY(auto value, run_of(reader, run));
    runs.push_back(std::move(value));
  }
  const auto read = [&](Columns& columns) {
    auto run = read_run_row(columns).run;
    const auto last = run.planned_until.value_or(run.planned_at);
    if (ask.planned_from && run.trigger == Trigger::schedule && last < *ask.planned_from) {
      return false;
    }
    runs.push_back(std::move(run));
    return true;
  };
  CHRONOS_TRY_VOID(reader.db.for_each(kRecent, read, job, ask.project, ask.limit));
  std::ranges::sort(runs, std::ranges::greater{}, &Run::id);
  if (std::ssize(runs) > ask.limit) runs.resize(static_cast<std::size_t>(ask.limit));
  return runs;
}

}  // namespace

Result<std::vector<std::vector<Run>>> recent_runs(Reader reader, const RecentAsk& ask) {
  std::vector<std::vector<Run>> recent;
  for (const auto job : ask.jobs) {
    CHRONOS_TRY(auto runs, recent_of(reader, ask, job));
    recent.push_back(std::move(runs));
  }
  return recent;
}

Result<std::vector<Run>> read_live_runs(Reader reader, ProjectId project, JobId job) {
  CHRONOS_TRY(const auto live, live_of_job(reader.db, job));
  std::vector<Run> runs;
  for (const auto& run : live) {
    if (run.project != project) continue;
    CHRONOS_TRY(auto value, run_of(reader, run));
    runs.push_back(std::move(value));
  }
  std::ranges::sort(runs, {}, [](const Run& run) { return std::pair(run.planned_at, run.id); });
  return runs;
}

}  // namespace chronos::store::sql
