// Jobs: submit, replace, cancel, and one job as people read it.
#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "model/json_codec.h"
#include "store/sql/apply.h"
#include "store/sql/idempotency.h"
#include "store/sql/limited.h"
#include "store/sql/live.h"
#include "store/sql/reads.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kFindJob{"SELECT " CHRONOS_JOB_COLUMNS
                       " FROM jobs j WHERE j.project = $1 AND j.id = $2"};
constexpr Sql kFindByKey{"SELECT j.id FROM jobs j WHERE j.project = $1 AND j.key = $2"};
// Held runs are looked at in their own order, for there may be many: only their earliest counts.
constexpr Sql kFacts{
    "SELECT count(e.run), count(CASE WHEN l.attempts_made > 0 THEN d.run END),"
    " min(CASE WHEN e.run IS NULL THEN CASE WHEN d.run IS NULL THEN l.planned_at"
    " WHEN l.at > l.planned_at + l.jitter THEN l.at ELSE l.planned_at + l.jitter END END),"
    " (SELECT planned_at FROM held WHERE job = $1 AND is_backfill = 0 ORDER BY planned_at LIMIT 1),"
    " (SELECT planned_at FROM held WHERE job = $1 AND is_backfill = 1 ORDER BY planned_at LIMIT 1)"
    " FROM live l LEFT JOIN leases e ON e.run = l.run"
    " LEFT JOIN due d ON d.needs_planning = l.needs_planning AND d.at = l.at AND d.run = l.run"
    " WHERE l.job = $1 AND l.is_held = 0"};

constexpr Sql kInsertSpec{"INSERT INTO specs (spec, payload) VALUES ($1, $2) RETURNING id"};
// Only who may write asks: the ids behind the last are free.
constexpr Sql kLastSpec{"SELECT coalesce(max(id), 0) FROM specs"};
constexpr Sql kPutSpec{"INSERT INTO specs (id, spec, payload) VALUES ($1, $2, $3)"};
constexpr Sql kDeleteSpec{"DELETE FROM specs WHERE id = $1"};
constexpr Sql kInsertJob{
    "INSERT INTO jobs (project, id, spec, name, key, is_paused, phase, version, created_at,"
    " updated_at, planned_through, parked_at, runs_planned, failure_streak, succeeded, failed,"
    " cancelled, skipped, missed, retention_runs, retention_age, paused_until, kind, queue,"
    " created_by, runs_kept) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
    " $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, 0)"
    " ON CONFLICT DO NOTHING"};
constexpr Sql kFindMade{"SELECT 1 FROM jobs WHERE project = $1 AND id = $2 AND spec = $3"};
constexpr Sql kReplace{
    "UPDATE jobs SET spec = $3, name = $4, key = $5, is_paused = $6, phase = $7, version = $8,"
    " updated_at = $9, planned_through = $10, parked_at = $11, runs_planned = $12,"
    " phase_at_end = $13, retention_runs = $14, retention_age = $15, paused_until = $16,"
    " kind = $17, queue = $18, phase_before = phase WHERE project = $1 AND id = $2 RETURNING "
    "phase_before"};
constexpr Sql kCancel{
    "UPDATE jobs SET phase = 'cancelled', phase_at_end = 'cancelled', parked_at = NULL,"
    " version = version + 1, updated_at = $3 WHERE project = $1 AND id = $2"};
constexpr Sql kInsertTag{
    "INSERT INTO job_tags (project, tag, job) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"};
constexpr Sql kDeleteTag{"DELETE FROM job_tags WHERE project = $1 AND tag = $2 AND job = $3"};

std::unexpected<Error> no_job() {
  return fail(Reason::not_found, "no job has this id");
}

// The new schedule was planned from where the old one stood before: it would answer an instant
// twice.
std::unexpected<Error> planned_further() {
  return fail(Reason::version_mismatch, "the job was planned further meanwhile");
}

std::unexpected<Error> key_taken(const std::string& key) {
  return fail(Reason::key_taken, "another job has the key '" + key + "'");
}

JobStatus status_of(const Job& job, bool is_retrying) {
  if (job.phase == JobPhase::cancelled) return JobStatus::cancelled;
  if (job.counts.running > 0) return JobStatus::running;
  if (is_retrying) return JobStatus::retrying;
  if (job.phase == JobPhase::succeeded) return JobStatus::succeeded;
  if (job.phase == JobPhase::failed) return JobStatus::failed;
  return job.spec->paused ? JobStatus::paused : JobStatus::scheduled;
}

// A declaration that is asked for later would only push out what is asked for now.
void cache_spec(Writer& writer, std::int64_t id, const SubmitJob& change) {
  constexpr Duration kSoon = std::chrono::minutes(1);
  if (change.first_run && change.first_run->at - change.now > kSoon) {
    writer.specs.drop(id);
  } else {
    writer.specs.put(id, change.job.spec);
  }
}

// The caller puts it into the cache.
Result<std::int64_t> insert_spec(Writer& writer, const JobSpec& spec, const std::string& text) {
  CHRONOS_TRY(const auto id, writer.db.one(kInsertSpec, column<std::int64_t>, text, spec.payload));
  if (!id) return fail(Reason::internal, "a new declaration has no id");
  return *id;
}

Result<void> put_tags(Connection& db, const Job& job) {
  for (const auto& tag : job.spec->tags) {
    CHRONOS_TRY_VOID(db.post(kInsertTag, job.project, tag, job.id));
  }
  return {};
}

Result<JobAnswer> answer_of(Writer& writer, ProjectId project, JobId job, bool is_replay) {
  CHRONOS_TRY(auto stored, read_job({writer.db, writer.specs}, project, job));
  return JobAnswer{std::move(stored), is_replay};
}

// The earlier job an idempotency key stands for, as it is now.
Result<std::optional<JobAnswer>> find_replay(Writer& writer,
                                             const std::optional<Idempotency>& idempotency) {
  CHRONOS_TRY(const auto made, find_made(writer.db, idempotency, Made::job));
  if (!made) return std::nullopt;
  CHRONOS_TRY(auto answer, answer_of(writer, made->project, made->job, true));
  return answer;
}

std::optional<KeyId> key_of(const std::optional<Author>& by) {
  return by ? std::optional(by->key) : std::nullopt;
}

// A row of kInsertJob.
struct NewJob {
  const SubmitJob* change = nullptr;
  std::int64_t spec = 0;  // specs.id
};
void put_columns(Parameters& parameters, const NewJob& row) {
  const auto& job = row.change->job;
  const auto& spec = *job.spec;
  const auto& counts = job.counts;
  parameters.put(job.project).put(job.id).put(row.spec).put(spec.name).put(spec.key);
  parameters.put(spec.paused).put(job.phase).put(job.version).put(job.created_at);
  parameters.put(job.updated_at).put(job.planned_through).put(job.parked_at);
  parameters.put(job.runs_planned).put(job.failure_streak);
  parameters.put(counts.succeeded).put(counts.failed).put(counts.cancelled);
  parameters.put(counts.skipped).put(counts.missed);
  parameters.put(spec.retention.runs).put(spec.retention.age).put(spec.paused_until);
  parameters.put(spec.action.kind).put(spec.queue).put(key_of(row.change->by));
}

// What goes with the row of a job.
Result<void> follow_insert(Writer& writer, const Job& job) {
  writer.totals.jobs[job.project].count(job.phase, job.spec->paused);
  CHRONOS_TRY_VOID(put_calendar_names(writer.db, job, true));
  return put_tags(writer.db, job);
}

Result<void> insert_job(Writer& writer, const SubmitJob& change) {
  const auto& job = change.job;
  CHRONOS_TRY(const auto spec, insert_spec(writer, job.spec, spec_text_of(change)));
  cache_spec(writer, spec, change);
  CHRONOS_TRY(const auto inserted, writer.db.run(kInsertJob, NewJob{&change, spec}));
  if (inserted == 1) return follow_insert(writer, job);
  CHRONOS_TRY_VOID(writer.db.post(kDeleteSpec, spec));
  return key_taken(job.spec->key.value_or(""));
}

// -- Many ----------------------------------------------------------------------------------------

// A row of kPutSpec.
struct NewSpec {
  std::int64_t id = 0;
  std::string text;
  std::string_view payload;
};
void put_columns(Parameters& parameters, const NewSpec& row) {
  parameters.put(row.id).put(row.text).put(row.payload);
}

// The declarations, in `specs` and in the cache.
Result<std::vector<NewJob>> put_specs(Writer& writer, std::span<const SubmitJob* const> changes) {
  CHRONOS_TRY(const auto last, writer.db.one(kLastSpec, column<std::int64_t>));
  auto id = last.value_or(0);
  std::vector<NewSpec> specs;
  std::vector<NewJob> jobs;
  specs.reserve(changes.size());
  jobs.reserve(changes.size());
  for (const auto* change : changes) {
    const auto& spec = change->job.spec;
    specs.emplace_back(++id, spec_text_of(*change), spec->payload);
    jobs.emplace_back(change, id);
    cache_spec(writer, id, *change);
  }
  CHRONOS_TRY_VOID(writer.db.run_rows<NewSpec>(kPutSpec, specs));
  return jobs;
}

// Those whose rows were not made, because the job or its key is there already.
Result<void> drop_refused(Writer& writer, std::vector<NewJob>& jobs) {
  std::vector<NewJob> made;
  for (const auto& row : jobs) {
    const auto& job = row.change->job;
    CHRONOS_TRY(const auto found,
                writer.db.one(kFindMade, column<int>, job.project, job.id, row.spec));
    if (found) {
      made.push_back(row);
    } else {
      CHRONOS_TRY_VOID(writer.db.post(kDeleteSpec, row.spec));
    }
  }
  jobs = std::move(made);
  return {};
}

Result<void> add_first_runs(Writer& writer, const std::vector<NewJob>& jobs) {
  std::vector<NewRun> runs;
  runs.reserve(jobs.size());
  for (const auto& [change, spec] : jobs) {
    const auto& job = change->job;
    if (!change->first_run) continue;
    runs.push_back(new_run({job.project, job.id}, lane_of(job.spec, job.project),
                           *change->first_run, change->now));
  }
  return add_runs(writer, runs);
}

Result<void> insert_jobs(Writer& writer, std::vector<NewJob>& jobs) {
  CHRONOS_TRY(const auto made, writer.db.run_rows<NewJob>(kInsertJob, jobs));
  if (made < std::ssize(jobs)) CHRONOS_TRY_VOID(drop_refused(writer, jobs));
  for (const auto& row : jobs) CHRONOS_TRY_VOID(follow_insert(writer, row.change->job));
  return {};
}

// -- Replace -------------------------------------------------------------------------------------

// The waiting runs of the old schedule go.
Result<void> drop_schedule(Writer& writer, const ReplaceJob& change) {
  CHRONOS_TRY(const auto runs, live_of_job(writer.db, change.job.id));
  for (const auto& run : runs) {
    if (run.trigger != Trigger::schedule || run.place == Place::leased) continue;
    if (run.is_untried() && run.at > change.now) {
      CHRONOS_TRY_VOID(vanish(writer, run));
    } else {
      CHRONOS_TRY_VOID(cancel_waiting(writer, run, kRescheduled, change.now));
    }
  }
  return {};
}

// The declaration changes while the schedule stays: what waits follows it.
Result<void> keep_schedule(Writer& writer, const ReplaceJob& change,
                           std::optional<Timestamp> parked_at) {
  const auto& job = change.job;
  CHRONOS_TRY(const auto runs, live_of_job(writer.db, job.id));
  bool is_planned = false;
  for (const auto& run : runs) {
    if (!run.is_untried() || run.trigger != Trigger::schedule) continue;
    is_planned |= change.waiting_needs_planning;
    if (run.needs_planning == change.waiting_needs_planning) continue;
    CHRONOS_TRY_VOID(set_needs_planning(writer, run, change.waiting_needs_planning));
  }
  if (!change.next_run || !parked_at || job.spec->paused || is_planned) return {};
  auto next = *change.next_run;
  next.planned_at = next.at = *parked_at;
  next.needs_planning = true;
  CHRONOS_TRY_VOID(
      add_run(writer, {job.project, job.id}, lane_of(job.spec, job.project), next, change.now));
  return {};
}

// Runs that wait stand where the new queue, priority and action put them.
Result<void> follow_lane(Writer& writer, const Job& job, Timestamp now) {
  const auto lane = lane_of(job.spec, job.project);
  CHRONOS_TRY(const auto runs, live_of_job(writer.db, job.id));
  for (auto run : runs) {
    if (run.is_limited) {
      CHRONOS_TRY(run.lane.limits, limits_of(writer.db, run.run));
    }
    if (run.lane != lane) CHRONOS_TRY_VOID(set_lane(writer, run, lane, now));
  }
  return {};
}

Result<void> put_declaration(Writer& writer, const ReplaceJob& change, const StoredJob& before) {
  auto& db = writer.db;
  const auto& job = change.job;
  CHRONOS_TRY(const auto spec, insert_spec(writer, job.spec, encode_spec(job.spec)));
  writer.specs.put(spec, job.spec);
  CHRONOS_TRY_VOID(say_version(db, job, spec, key_of(change.by)));
  CHRONOS_TRY_VOID(keep_version(db, before.job, before.spec));
  const auto& kept = change.replaces_schedule ? job : before.job;
  const auto phase_at_end = change.replaces_schedule ? std::nullopt : before.phase_at_end;
  const auto read = [](Columns& columns) { return columns.get(parse_job_phase); };
  CHRONOS_TRY(const auto phase_before,
              db.one(kReplace, read, job.project, job.id, spec, job.spec->name, job.spec->key,
                     job.spec->paused, kept.phase, job.version, job.updated_at,
                     kept.planned_through, kept.parked_at, kept.runs_planned, phase_at_end,
                     job.spec->retention.runs, job.spec->retention.age, job.spec->paused_until,
                     job.spec->action.kind, job.spec->queue));
  if (!phase_before) return fail(Reason::internal, "a job is gone while it is replaced");
  auto& totals = writer.totals.jobs[job.project];
  totals.count(*phase_before, before.job.spec->paused, -1);
  totals.count(kept.phase, job.spec->paused);
  for (const auto& tag : before.job.spec->tags) {
    CHRONOS_TRY_VOID(db.post(kDeleteTag, job.project, tag, job.id));
  }
  CHRONOS_TRY_VOID(put_tags(db, job));
  CHRONOS_TRY_VOID(put_calendar_names(db, job, false));
  return follow_lane(writer, job, change.now);
}

Result<void> check_key(Connection& db, const Job& job) {
  if (!job.spec->key) return {};
  CHRONOS_TRY(const auto other, db.one(kFindByKey, column<JobId>, job.project, *job.spec->key));
  if (other && *other != job.id) return key_taken(*job.spec->key);
  return {};
}

Result<StoredJob> require_job(Writer& writer, ProjectId project, JobId job) {
  CHRONOS_TRY(auto stored, find_stored_job({writer.db, writer.specs}, project, job));
  if (!stored) return no_job();
  return std::move(*stored);
}

}  // namespace

Result<JobAnswer> apply(Writer& writer, const SubmitJob& change) {
  CHRONOS_TRY(auto replay, find_replay(writer, change.idempotency));
  if (replay) return std::move(*replay);
  const auto& job = change.job;
  CHRONOS_TRY(auto holder, meet_holder(writer, change));
  if (holder) {
    CHRONOS_TRY_VOID(
        remember(writer.db, change.idempotency, {Made::job, job.project, holder->job.id}));
    return std::move(*holder);
  }
  CHRONOS_TRY_VOID(check_calendars(writer.db, job));
  if (auto inserted = insert_job(writer, change); !inserted) {
    if (inserted.error().reason != Reason::key_taken) {
      return std::unexpected(std::move(inserted).error());
    }
    CHRONOS_TRY(const auto same, find_stored_job({writer.db, writer.specs}, job.project, job.id));
    if (same) return answer_of(writer, job.project, job.id, true);
    return std::unexpected(std::move(inserted).error());
  }
  CHRONOS_TRY_VOID(take_unique_key(writer, job, change.now));
  if (change.first_run) {
    CHRONOS_TRY_VOID(add_run(writer, {job.project, job.id}, lane_of(job.spec, job.project),
                             *change.first_run, change.now));
  }
  CHRONOS_TRY_VOID(remember(writer.db, change.idempotency, {Made::job, job.project, job.id}));
  return JobAnswer{fresh_job(change), false};
}

Result<std::vector<Result<JobAnswer>>> submit_rows(Writer& writer,
                                                   std::span<const SubmitJob* const> changes) {
  CHRONOS_TRY(auto jobs, put_specs(writer, changes));
  CHRONOS_TRY_VOID(insert_jobs(writer, jobs));
  CHRONOS_TRY_VOID(add_first_runs(writer, jobs));

  std::vector<Result<JobAnswer>> answers;
  answers.reserve(changes.size());
  auto made = jobs.begin();
  for (const auto* change : changes) {
    const bool is_made = made != jobs.end() && made->change == change;
    if (is_made) ++made;
    // Of one that is there already, or whose key is taken, apply() says so.
    answers.push_back(is_made ? JobAnswer{fresh_job(*change), false} : apply(writer, *change));
  }
  return answers;
}

std::string spec_text_of(const SubmitJob& change) {
  return change.spec_text.empty() ? encode_spec(change.job.spec) : change.spec_text;
}

Job fresh_job(const SubmitJob& change) {
  auto job = change.job;
  job.counts.running = 0;
  job.next_run_at.reset();
  if (const auto& first = change.first_run) {
    const bool is_ready = first->at <= change.now && !first->needs_planning;
    job.next_run_at = known_instant(
        is_ready ? first->planned_at : std::max(first->at, first->planned_at + first->jitter));
  }
  job.status = status_of(job, false);
  return job;
}

Result<JobAnswer> apply(Writer& writer, const ReplaceJob& change) {
  CHRONOS_TRY(auto replay, find_replay(writer, change.idempotency));
  if (replay) return std::move(*replay);
  const auto& job = change.job;
  CHRONOS_TRY(const auto before, require_job(writer, job.project, job.id));
  if (before.job.version != change.expected_version) return changed_meanwhile("job");
  if (change.replaces_schedule && job.planned_through < before.job.planned_through) {
    return planned_further();
  }
  CHRONOS_TRY_VOID(check_key(writer.db, job));

  if (change.replaces_schedule) {
    CHRONOS_TRY_VOID(check_calendars(writer.db, job));
    CHRONOS_TRY_VOID(drop_schedule(writer, change));
  }
  CHRONOS_TRY_VOID(put_declaration(writer, change, before));
  if (!change.replaces_schedule) {
    CHRONOS_TRY_VOID(keep_schedule(writer, change, before.job.parked_at));
  } else if (change.next_run) {
    CHRONOS_TRY_VOID(add_run(writer, {job.project, job.id}, lane_of(job.spec, job.project),
                             *change.next_run, change.now));
  }
  CHRONOS_TRY_VOID(release_held(writer, job.id, change.now));
  CHRONOS_TRY_VOID(remember(writer.db, change.idempotency, {Made::job, job.project, job.id}));
  return answer_of(writer, job.project, job.id, false);
}

Result<JobAnswer> apply(Writer& writer, const CancelJob& change) {
  CHRONOS_TRY(const auto before, require_job(writer, change.project, change.job));
  if (change.expected_version && *change.expected_version != before.job.version) {
    return changed_meanwhile("job");
  }
  if (before.job.phase == JobPhase::active) {
    CHRONOS_TRY_VOID(writer.db.post(kCancel, change.project, change.job, change.now));
    count_phase(writer, change.project,
                {before.job.phase, JobPhase::cancelled, before.job.spec->paused});
  }
  CHRONOS_TRY(const auto runs, live_of_job(writer.db, change.job));
  for (const auto& run : runs) {
    if (run.place != Place::leased) {
      CHRONOS_TRY_VOID(cancel_waiting(writer, run, kJobCancelled, change.now));
    } else if (!change.keep_running) {
      CHRONOS_TRY_VOID(mark_cancelled(writer, run));
    }
  }
  return answer_of(writer, change.project, change.job, false);
}

Result<std::optional<StoredJob>> find_stored_job(Reader reader, ProjectId project, JobId job) {
  CHRONOS_TRY(auto stored, reader.db.one(kFindJob, read_job_row, project, job));
  if (stored) CHRONOS_TRY_VOID(fill_spec(reader.db, reader.specs, *stored));
  return stored;
}

Result<void> fill_derived(Reader reader, Job& job) {
  const auto read = [&job](Columns& columns) {
    job.counts.running = columns.get<std::int64_t>();
    const bool is_retrying = columns.get<std::int64_t>() > 0;
    std::optional<Timestamp> next;
    for (int i = 0; i < 3; ++i) {
      const auto at = columns.get<std::optional<Timestamp>>();
      if (at && (!next || *at < *next)) next = at;
    }
    job.next_run_at = next ? known_instant(*next) : std::nullopt;
    job.status = status_of(job, is_retrying);
    return true;
  };
  return reader.db.for_each(kFacts, read, job.id);
}

Result<Job> read_job(Reader reader, ProjectId project, JobId job) {
  CHRONOS_TRY(auto stored, find_stored_job(reader, project, job));
  if (!stored) return no_job();
  CHRONOS_TRY_VOID(fill_derived(reader, stored->job));
  return std::move(stored->job);
}

Result<Job> read_job_by_key(Reader reader, ProjectId project, const std::string& key) {
  CHRONOS_TRY(const auto job, reader.db.one(kFindByKey, column<JobId>, project, key));
  if (!job) return fail(Reason::not_found, "no job has this key");
  return read_job(reader, project, *job);
}

}  // namespace chronos::store::sql
