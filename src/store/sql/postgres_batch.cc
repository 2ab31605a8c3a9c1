#include "store/sql/postgres_batch.h"

#include <array>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/check.h"
#include "model/json_codec.h"
#include "store/settlement.h"
#include "store/sql/apply.h"
#include "store/sql/limited.h"
#include "store/sql/live.h"
#include "store/sql/postgres_array.h"
#include "store/sql/reads.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

using Of = Array::Of;

// Columns that are filled row by row and handed over as arrays, in their order.
template <std::size_t count>
class Columnar {
 public:
  explicit Columnar(const std::array<Of, count>& types) {
    for (const auto type : types) columns_.emplace_back(type);
  }

  template <class... Values>
  void add(const Values&... values) {
    static_assert(sizeof...(values) == count);
    std::size_t column = 0;
    (columns_[column++].add(values), ...);
    ++rows_;
  }
  bool empty() const { return rows_ == 0; }

  // `more` follows the columns.
  template <class... More>
  Result<void> post(Connection& db, const Sql& sql, const More&... more) {
    if (empty()) return {};
    return with(std::make_index_sequence<count>(),
                [&](const auto&... arrays) { return db.post(sql, arrays..., more...); });
  }
  template <class Read>
  auto all(Connection& db, const Sql& sql, Read read) {
    return with(std::make_index_sequence<count>(),
                [&](const auto&... parameters) { return db.all(sql, read, parameters...); });
  }

 private:
  template <std::size_t... index, class Use>
  auto with(std::index_sequence<index...>, Use use) {
    return use(columns_[index].parameter()...);
  }

  std::vector<Array> columns_;
  std::size_t rows_ = 0;
};

// -- Submitting -----------------------------------------------------------------------------------

// The sequence is looked up once, by a subquery, not for each number.
constexpr Sql kSpecIds{
    "SELECT nextval((SELECT pg_get_serial_sequence('specs', 'id')::regclass))"
    " FROM generate_series(1, $1)"};
constexpr Sql kInsertSpecs{
    "INSERT INTO specs (id, spec, payload) OVERRIDING SYSTEM VALUE"
    " SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[])"};
constexpr Sql kDeleteSpecs{"DELETE FROM specs WHERE id = ANY($1::bigint[])"};
constexpr Sql kInsertJobs{
    "INSERT INTO jobs (project, id, spec, name, key, is_paused, phase, version, created_at,"
    " updated_at, planned_through, parked_at, runs_planned, failure_streak, succeeded, failed,"
    " cancelled, skipped, missed, retention_runs, retention_age, paused_until, kind, queue,"
    " created_by,"
    " runs_kept)"
    " SELECT *, 0 FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[],"
    " $6::bigint[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],"
    " $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[],"
    " $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::text[],"
    " $24::text[], $25::uuid[]) ON CONFLICT DO NOTHING RETURNING id"};
constexpr Sql kInsertTags{
    "INSERT INTO job_tags (project, tag, job)"
    " SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[]) ON CONFLICT DO NOTHING"};
constexpr Sql kInsertAllLive{
    "INSERT INTO live (job, is_held, run, project, trigger_kind, planned_at, at, needs_planning,"
    " kind, queue, rank, retry_of, jitter, is_cancel_requested, attempts_made)"
    " SELECT job, 0, run, project, trigger_kind, planned_at, at, needs_planning, kind, queue, rank,"
    " retry_of, jitter, 0, 0 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[],"
    " $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::bigint[], $11::uuid[],"
    " $12::bigint[]) AS r (job, run, project, trigger_kind, planned_at, at, needs_planning, kind,"
    " queue, rank, retry_of, jitter) ON CONFLICT DO NOTHING RETURNING run"};
constexpr Sql kInsertAllReady{
    "INSERT INTO ready (kind, queue, rank, planned_at, run, job, project, trigger_kind, attempt,"
    " queued_at) SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[],"
    " $5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::bigint[], $10::bigint[])"};
constexpr Sql kInsertAllDue{
    "INSERT INTO due (needs_planning, at, run, job)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::uuid[])"};

// The declarations get their ids; those of jobs that are refused afterwards go again.
Result<std::vector<std::int64_t>> insert_specs(Writer& writer,
                                               std::span<const SubmitJob* const> changes) {
  CHRONOS_TRY(auto ids, writer.db.all(kSpecIds, column<std::int64_t>, std::ssize(changes)));
  Columnar<3> rows({Of::integer, Of::text, Of::text});
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& spec = changes[i]->job.spec;
    rows.add(ids[i], spec_text_of(*changes[i]), spec->payload);
    writer.specs.put(ids[i], spec);
  }
  CHRONOS_TRY_VOID(rows.post(writer.db, kInsertSpecs));
  return ids;
}

Result<std::unordered_set<JobId>> insert_jobs(Writer& writer,
                                              std::span<const SubmitJob* const> changes,
                                              const std::vector<std::int64_t>& specs) {
  using enum Array::Of;
  Columnar<25> rows({uuid,    uuid,    integer, text,    text,    integer, text,
                     integer, integer, integer, integer, integer, integer, integer,
                     integer, integer, integer, integer, integer, integer, integer,
                     integer, text,    text,    uuid});
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& by = changes[i]->by;
    const auto& job = changes[i]->job;
    const auto& counts = job.counts;
    rows.add(job.project, job.id, specs[i], job.spec->name, job.spec->key, job.spec->paused,
             job.phase, job.version, job.created_at, job.updated_at, job.planned_through,
             job.parked_at, job.runs_planned, job.failure_streak, counts.succeeded, counts.failed,
             counts.cancelled, counts.skipped, counts.missed, job.spec->retention.runs,
             job.spec->retention.age, job.spec->paused_until, job.spec->action.kind,
             job.spec->queue, by ? std::optional(by->key) : std::nullopt);
  }
  CHRONOS_TRY(const auto made, rows.all(writer.db, kInsertJobs, column<JobId>));
  std::unordered_set<JobId> ids(made.begin(), made.end());
  for (const auto* change : changes) {
    const auto& job = change->job;
    if (!ids.contains(job.id)) continue;
    writer.totals.jobs[job.project].count(job.phase, job.spec->paused);
  }
  return ids;
}

Result<std::unordered_set<RunId>> insert_live(Writer& writer,
                                              std::span<const SubmitJob* const> changes) {
  using enum Array::Of;
  Columnar<12> rows(
      {uuid, uuid, uuid, text, integer, integer, integer, text, text, integer, uuid, integer});
  for (const auto* change : changes) {
    if (!change->first_run) continue;
    const auto& [job, planned] = std::tie(change->job, *change->first_run);
    const auto lane = lane_of(job.spec, job.project);
    rows.add(job.id, planned.id, job.project, planned.trigger, planned.planned_at, planned.at,
             planned.needs_planning, lane.kind, lane.queue, lane.rank, planned.retry_of,
             planned.jitter);
  }
  if (rows.empty()) return std::unordered_set<RunId>();
  CHRONOS_TRY(const auto made, rows.all(writer.db, kInsertAllLive, column<RunId>));
  return std::unordered_set<RunId>(made.begin(), made.end());
}

// Each first run to its place.
Result<void> place(Writer& writer, std::span<const SubmitJob* const> changes,
                   const std::unordered_set<RunId>& live) {
  using enum Array::Of;
  Columnar<10> ready({text, text, integer, integer, uuid, uuid, uuid, text, integer, integer});
  Columnar<4> due({integer, integer, uuid, uuid});
  for (const auto* change : changes) {
    if (!change->first_run || !live.contains(change->first_run->id)) continue;
    const auto& [job, planned] = std::tie(change->job, *change->first_run);
    const auto lane = lane_of(job.spec, job.project);
    if (planned.at <= change->now && !planned.needs_planning) {
      ready.add(lane.kind, lane.queue, lane.rank, planned.planned_at, planned.id, job.id,
                job.project, planned.trigger, 1, change->now);
      tell_ready(writer, job.project, lane);
    } else {
      due.add(planned.needs_planning, planned.at, planned.id, job.id);
      ++totals_of(writer, job.project, lane.queue).due;
    }
  }
  CHRONOS_TRY_VOID(ready.post(writer.db, kInsertAllReady));
  return due.post(writer.db, kInsertAllDue);
}

Result<void> put_tags(Writer& writer, std::span<const SubmitJob* const> changes) {
  Columnar<3> rows({Of::uuid, Of::text, Of::uuid});
  for (const auto* change : changes) {
    for (const auto& tag : change->job.spec->tags)
      rows.add(change->job.project, tag, change->job.id);
  }
  return rows.post(writer.db, kInsertTags);
}

// -- Settling -------------------------------------------------------------------------------------

#define CHRONOS_FIND_LEASED(more)                                                     \
  "SELECT " CHRONOS_LIVE_OWN_COLUMNS "e.queued_at, 0, 0, " CHRONOS_LEASE_COLUMNS more \
  " FROM leases e JOIN live l ON l.job = e.job AND l.is_held = 0 AND l.run = e.run"   \
  " WHERE e.run = ANY($1::uuid[])"
constexpr Sql kFindAllLeased{CHRONOS_FIND_LEASED("")};
// And whether some of its output is stored already.
constexpr Sql kFindEnding{
    CHRONOS_FIND_LEASED(", EXISTS(SELECT 1 FROM running_output o WHERE o.run = e.run)::int")};
#undef CHRONOS_FIND_LEASED
constexpr Sql kForgetOutput{"DELETE FROM running_output WHERE run = ANY($1::uuid[])"};
constexpr Sql kDeleteLeases{"DELETE FROM leases WHERE run = ANY($1::uuid[])"};
constexpr Sql kDeleteAllLive{
    "DELETE FROM live WHERE ctid = ANY(ARRAY(SELECT l.ctid"
    " FROM unnest($1::uuid[], $2::uuid[]) AS r (job, run)"
    " JOIN live l ON l.job = r.job AND l.is_held = 0 AND l.run = r.run))"};
constexpr Sql kOutputIds{
    "SELECT nextval((SELECT pg_get_serial_sequence('outputs', 'id')::regclass))"
    " FROM generate_series(1, $1)"};
constexpr Sql kInsertOutputs{
    "INSERT INTO outputs (id, bytes) OVERRIDING SYSTEM VALUE"
    " SELECT * FROM unnest($1::bigint[], $2::bytea[])"};
constexpr Sql kInsertRuns{
    "INSERT INTO runs (project, id, job, trigger_kind, state, reason, planned_at, queued_at,"
    " started_at, ended_at, retry_of, attempts_made, attempt_started_at, attempt_ended_at, node,"
    " outcome, outcome_reason, error, exit_code, signal, http_status, output, output_dropped,"
    " jitter, run_count) SELECT *, 1 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[],"
    " $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],"
    " $11::uuid[], $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::text[],"
    " $17::text[], $18::text[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[],"
    " $23::bigint[], $24::bigint[])"};
// As live.cc has it for one. Tells which of the jobs have other live runs; OFFSET 0 keeps that from
// being looked up wherever it is named.
constexpr Sql kFollowEnds{
    "UPDATE jobs SET last_run = r.run, last_state = r.state, last_ended_at = r.ended_at,"
    " last_error = r.error, succeeded = succeeded + r.is_success, failed = failed + r.is_failure,"
    " cancelled = cancelled + r.is_cancel, runs_kept = runs_kept + 1,"
    " failure_streak = CASE WHEN r.is_success = 1 THEN 0 ELSE failure_streak + r.is_failure END,"
    " phase = CASE WHEN r.is_last = 0 OR parked_at IS NOT NULL THEN phase"
    "   WHEN phase_at_end IS NOT NULL THEN phase_at_end"
    "   WHEN r.is_success = 1 THEN 'succeeded' WHEN r.is_failure = 1 THEN 'failed'"
    "   WHEN phase = 'active' THEN 'cancelled' ELSE phase END, phase_before = phase"
    " FROM (SELECT *, CASE WHEN EXISTS (SELECT 1 FROM live l WHERE l.job = e.job) THEN 0 ELSE 1 END"
    "   AS is_last FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[],"
    "   $6::text[], $7::bigint[], $8::bigint[], $9::bigint[]) AS e (project, job, run, state,"
    "   ended_at, error, is_success, is_failure, is_cancel) OFFSET 0) AS r"
    " WHERE jobs.project = r.project AND jobs.id = r.job"
    " RETURNING r.is_last, r.job, r.project, phase_before, phase, is_paused"};

struct Ending {
  const SettleRun* change = nullptr;
  LiveRun run;
  bool has_live_output = false;
  std::string stored = {};                  // of that, when the outcome has none itself
  std::optional<std::int64_t> output = {};  // outputs.id

  std::string_view printed() const {
    const auto& own = change->attempt.outcome.output;
    return own.empty() ? std::string_view(stored) : std::string_view(own);
  }
};

// Those whose lease is still the one that is settled.
Result<std::vector<Ending>> find_endings(Connection& db,
                                         std::span<const SettleRun* const> changes) {
  Array runs(Of::uuid);
  for (const auto* change : changes) runs.add(change->run);
  struct Leased {
    LiveRun run;
    bool has_live_output;
  };
  const auto read = [](Columns& columns) {
    auto run = read_live_row(columns);
    return Leased{std::move(run), columns.get<bool>()};
  };
  CHRONOS_TRY(auto leased, db.all(kFindEnding, read, runs.parameter()));
  std::unordered_map<RunId, Leased*> by_id;
  for (auto& found : leased) by_id.emplace(found.run.run, &found);
  std::vector<Ending> endings;
  endings.reserve(leased.size());
  for (const auto* change : changes) {
    const auto found = by_id.find(change->run);
    if (found == by_id.end() || found->second->run.lease->token != change->token) continue;
    auto& ending =
        endings.emplace_back(change, std::move(found->second->run), found->second->has_live_output);
    if (!ending.has_live_output || !ending.printed().empty()) continue;
    // Another node has stored it.
    CHRONOS_TRY(ending.stored, read_running_output(db, change->run, 0));
  }
  return endings;
}

Result<void> store_outputs(Connection& db, std::vector<Ending>& endings) {
  std::vector<Ending*> talkers;
  for (auto& ending : endings) {
    if (!ending.printed().empty()) talkers.push_back(&ending);
  }
  if (talkers.empty()) return {};
  CHRONOS_TRY(const auto ids, db.all(kOutputIds, column<std::int64_t>, std::ssize(talkers)));
  Columnar<2> rows({Of::integer, Of::bytes});
  for (std::size_t i = 0; i < talkers.size(); ++i) {
    talkers[i]->output = ids[i];
    rows.add(ids[i], Bytes{talkers[i]->printed()});
  }
  return rows.post(db, kInsertOutputs);
}

Result<void> leave_all(Writer& writer, const std::vector<Ending>& endings) {
  Array leases(Of::uuid);
  Array printing(Of::uuid);
  bool has_any_printed = false;
  Columnar<2> live({Of::uuid, Of::uuid});
  for (const auto& ending : endings) {
    leases.add(ending.run.run);
    if (ending.has_live_output) printing.add(ending.run.run);
    has_any_printed |= ending.has_live_output;
    live.add(ending.run.job, ending.run.run);
    --totals_of(writer, ending.run.project, ending.run.lane.queue).running;
    tell_room(writer, ending.run.lane.queue);
  }
  if (has_any_printed) CHRONOS_TRY_VOID(writer.db.post(kForgetOutput, printing.parameter()));
  CHRONOS_TRY_VOID(writer.db.post(kDeleteLeases, leases.parameter()));
  return live.post(writer.db, kDeleteAllLive);
}

Result<void> insert_finals(Connection& db, const std::vector<Ending>& endings) {
  using enum Array::Of;
  Columnar<24> rows({uuid,    uuid,    uuid,    text,    text,    text,    integer, integer,
                     integer, integer, uuid,    integer, integer, integer, text,    text,
                     text,    text,    integer, integer, integer, integer, integer, integer});
  for (const auto& [change, run, has_live_output, stored, output] : endings) {
    const auto& attempt = change->attempt;
    const auto& outcome = attempt.outcome;
    rows.add(run.project, run.run, run.job, run.trigger, change->next, change->reason,
             run.planned_at, run.queued_at, run.started_at.value_or(run.lease->started_at),
             attempt.ended_at, run.retry_of, attempt.number, attempt.started_at, attempt.ended_at,
             attempt.node, outcome.kind, outcome.reason, outcome.error, outcome.exit_code,
             outcome.signal, outcome.http_status, output, outcome.output_dropped, run.jitter);
  }
  return rows.post(db, kInsertRuns);
}

// The jobs follow. Those of which other runs are live.
Result<std::unordered_set<JobId>> follow_ends(Writer& writer, const std::vector<Ending>& endings) {
  using enum Array::Of;
  Columnar<9> rows({uuid, uuid, uuid, text, integer, text, integer, integer, integer});
  for (const auto& [change, run, has_live_output, stored, output] : endings) {
    const auto state = change->next;
    rows.add(run.project, run.job, run.run, state, change->attempt.ended_at,
             change->attempt.outcome.error, state == RunState::succeeded, is_failure(state),
             state == RunState::cancelled);
  }
  std::unordered_set<JobId> others;
  const auto read = [&](Columns& columns) {
    const bool is_last = columns.get<bool>();
    const auto job = columns.get<JobId>();
    if (!is_last) others.insert(job);
    const auto project = columns.get<ProjectId>();
    count_phase(writer, project, read_phase_change(columns));
    return job;
  };
  CHRONOS_TRY(const auto jobs, rows.all(writer.db, kFollowEnds, read));
  if (jobs.size() != endings.size()) return fail(Reason::internal, "a live run has no job");
  return others;
}

Result<void> end_all(Writer& writer, std::vector<Ending>& endings) {
  CHRONOS_TRY_VOID(store_outputs(writer.db, endings));
  CHRONOS_TRY_VOID(leave_all(writer, endings));
  CHRONOS_TRY_VOID(insert_finals(writer.db, endings));
  for (const auto& ending : endings) {
    const auto& change = *ending.change;
    count_end(writer.totals.tallies, ended(ending.run, change.next, change.attempt.ended_at));
  }
  CHRONOS_TRY(const auto others, follow_ends(writer, endings));
  for (const auto& ending : endings) {
    if (!others.contains(ending.run.job)) continue;
    CHRONOS_TRY_VOID(release_held(writer, ending.run.job, ending.change->now));
  }
  return {};
}

// -- Claiming -------------------------------------------------------------------------------------

constexpr Sql kInsertLeases{
    "INSERT INTO leases (run, job, token, attempt, queued_at, ends_at, holder, node, started_at,"
    " is_cancel_requested) SELECT r.run, r.job, r.token, r.attempt, r.queued_at,"
    " lease_now() + r.time, $7, $8, $9, 0 FROM unnest($1::uuid[], $2::uuid[], $3::bigint[],"
    " $4::bigint[], $5::bigint[], $6::bigint[]) AS r (run, job, token, attempt, queued_at, time)"};
// A volatile function would not be looked up in the index; what a subquery has answered is.
constexpr Sql kAllOverdue{"SELECT " CHRONOS_LIVE_OWN_COLUMNS
                          "e.queued_at, 0, 0, " CHRONOS_LEASE_COLUMNS
                          " FROM leases e JOIN live l ON l.job = e.job AND l.is_held = 0"
                          " AND l.run = e.run WHERE e.ends_at <= (SELECT lease_now())"
                          " ORDER BY e.ends_at LIMIT $1::int"};
constexpr Sql kDeclared{
    "SELECT j.id, j.spec, j.failure_streak FROM unnest($1::uuid[], $2::uuid[]) AS r (project, id)"
    " JOIN jobs j ON j.project = r.project AND j.id = r.id"};
constexpr Sql kSpecs{"SELECT id, spec, payload FROM specs WHERE id = ANY($1::bigint[])"};

// Those that are not in the cache, all at once.
Result<void> read_specs(Reader reader, std::span<const std::int64_t> ids) {
  Array missing(Of::integer);
  bool is_any = false;
  for (const auto id : ids) {
    if (reader.specs.find(id)) continue;
    missing.add(id);
    is_any = true;
  }
  if (!is_any) return {};
  const auto read = [&](Columns& columns) {
    const auto id = columns.get<std::int64_t>();
    auto spec = decode_spec(columns.get<std::string_view>());
    if (!spec) return columns.fail(spec.error().message), true;
    spec->payload = columns.get<std::string>();
    reader.specs.put(id, std::move(*spec));
    return true;
  };
  return reader.db.for_each(kSpecs, read, missing.parameter());
}

}  // namespace

bool goes_together(const SubmitJob& change) {
  const JobSpec& spec = change.job.spec;
  return !change.idempotency && !spec.unique && !spec.limits.any() &&
         spec.schedule.calendars.empty();
}

bool goes_together(const SettleRun& change) {
  return is_final(change.next) && change.deliveries.empty() && !may_have_live_output(change);
}

Result<std::vector<Result<JobAnswer>>> submit_all(Writer& writer,
                                                  std::span<const SubmitJob* const> changes) {
  CHRONOS_TRY(const auto specs, insert_specs(writer, changes));
  CHRONOS_TRY(const auto made, insert_jobs(writer, changes, specs));
  std::vector<const SubmitJob*> fresh;
  Array unused(Of::integer);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (made.contains(changes[i]->job.id)) {
      fresh.push_back(changes[i]);
    } else {
      unused.add(specs[i]);
    }
  }
  if (fresh.size() < changes.size()) {
    CHRONOS_TRY_VOID(writer.db.post(kDeleteSpecs, unused.parameter()));
  }
  CHRONOS_TRY_VOID(put_tags(writer, fresh));
  CHRONOS_TRY(const auto live, insert_live(writer, fresh));
  CHRONOS_TRY_VOID(place(writer, fresh, live));

  std::vector<Result<JobAnswer>> answers;
  answers.reserve(changes.size());
  for (const auto* change : changes) {
    // One that is there already, or whose key is taken: apply() says so.
    answers.push_back(made.contains(change->job.id) ? JobAnswer{fresh_job(*change)}
                                                    : apply(writer, *change));
  }
  return answers;
}

Result<std::vector<Result<SettleRun::Answer>>> settle_all(
    Writer& writer, std::span<const SettleRun* const> changes) {
  if (changes.empty()) return std::vector<Result<SettleRun::Answer>>();
  CHRONOS_TRY(auto endings, find_endings(writer.db, changes));
  // Of a job's runs one at a time: its counts and its last run follow each. And one by one those
  // that others wait for in line.
  std::unordered_set<JobId> jobs;
  std::erase_if(endings, [&](const Ending& ending) {
    return ending.run.is_limited || !jobs.insert(ending.run.job).second;
  });
  std::unordered_set<RunId> ended;
  for (const auto& ending : endings) {
    CHRONOS_CHECK(may_move(RunState::running, ending.change->next));
    ended.insert(ending.run.run);
  }
  if (!endings.empty()) CHRONOS_TRY_VOID(end_all(writer, endings));
  std::vector<Result<SettleRun::Answer>> answers;
  answers.reserve(changes.size());
  for (const auto* change : changes) {
    if (ended.contains(change->run)) {
      answers.emplace_back(SettleRun::Answer{change->next});
    } else {
      answers.push_back(apply(writer, *change));
    }
    CHRONOS_TRY_VOID(open_lines(writer, change->now));
  }
  return answers;
}

Result<std::vector<LiveRun>> find_all_leased(Connection& db, const std::vector<RunId>& runs) {
  Array ids(Of::uuid);
  for (const auto run : runs) ids.add(run);
  return db.all(kFindAllLeased, read_live_row, ids.parameter());
}

Result<std::vector<LiveRun>> find_all_overdue(Connection& db, int limit) {
  return db.all(kAllOverdue, read_live_row, limit);
}

Result<std::unordered_map<JobId, Declared>> declared_all(Reader reader,
                                                         const std::vector<LiveRun>& runs) {
  Columnar<2> jobs({Of::uuid, Of::uuid});
  for (const auto& run : runs) jobs.add(run.project, run.job);
  std::unordered_map<JobId, Declared> all;
  if (jobs.empty()) return all;
  std::vector<std::int64_t> specs;
  const auto read = [&](Columns& columns) {
    const auto job = columns.get<JobId>();
    const auto spec = columns.get<std::int64_t>();
    specs.push_back(spec);
    return all.emplace(job, Declared{spec, columns.get<std::int64_t>()}).second;
  };
  CHRONOS_TRY_VOID(jobs.all(reader.db, kDeclared, read));
  CHRONOS_TRY_VOID(read_specs(reader, specs));
  return all;
}

Result<std::vector<ClaimedRun>> lease_all(Writer& writer, const ClaimRuns& change,
                                          std::span<const ReadyRun> runs, std::int64_t token) {
  std::vector<std::int64_t> specs;
  specs.reserve(runs.size());
  for (const auto& run : runs) specs.push_back(run.spec);
  CHRONOS_TRY_VOID(read_specs({writer.db, writer.specs}, specs));
  using enum Array::Of;
  Columnar<6> leases({uuid, uuid, integer, integer, integer, integer});
  std::vector<ClaimedRun> claimed;
  claimed.reserve(runs.size());
  for (const auto& run : runs) {
    CHRONOS_TRY(auto spec, read_spec(writer.db, writer.specs, run.spec));
    claimed.push_back(claimed_run(change, run, token, std::move(spec)));
    leases.add(run.run, run.job, token++, run.attempt, run.queued_at,
               watched_time(change, claimed.back()));
  }
  CHRONOS_TRY_VOID(leases.post(writer.db, kInsertLeases, change.holder, change.node, change.now));
  for (const auto& run : runs) {
    if (run.has_rate) CHRONOS_TRY_VOID(count_start(writer, run.project, run.run, change.now));
  }
  return claimed;
}

}  // namespace chronos::store::sql
