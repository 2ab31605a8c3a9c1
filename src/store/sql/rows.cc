#include "store/sql/rows.h"

#include <algorithm>

#include "model/json_codec.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kSpec{"SELECT spec, payload FROM specs WHERE id = $1"};

constexpr int kAttemptColumns = 11;

// The columns of an attempt from its start on; nothing when all are NULL.
std::optional<StoredAttempt> read_attempt_columns(Columns& columns, int number) {
  const auto started_at = columns.get<std::optional<Timestamp>>();
  if (!started_at) return columns.pass_over(kAttemptColumns - 1), std::nullopt;
  StoredAttempt stored;
  stored.attempt.number = number;
  stored.attempt.started_at = *started_at;
  stored.attempt.ended_at = columns.get<Timestamp>();
  stored.attempt.node = columns.get<std::string>();
  auto& outcome = stored.attempt.outcome;
  outcome.kind = columns.get(parse_outcome_kind);
  outcome.reason = columns.get<std::string>();
  outcome.error = columns.get<std::string>();
  outcome.exit_code = columns.get<std::optional<int>>();
  outcome.signal = columns.get<std::optional<int>>();
  outcome.http_status = columns.get<std::optional<int>>();
  stored.output = columns.get<std::optional<std::int64_t>>();
  outcome.output_dropped = columns.get<std::int64_t>();
  return stored;
}

}  // namespace

StoredJob read_job_row(Columns& columns) {
  StoredJob stored;
  auto& job = stored.job;
  job.project = columns.get<ProjectId>();
  job.id = columns.get<JobId>();
  stored.spec = columns.get<std::int64_t>();
  job.phase = columns.get(parse_job_phase);
  stored.phase_at_end = columns.get_optional(parse_job_phase);
  job.version = columns.get<std::int64_t>();
  job.created_at = columns.get<Timestamp>();
  job.updated_at = columns.get<Timestamp>();
  job.planned_through = columns.get<Timestamp>();
  job.parked_at = columns.get<std::optional<Timestamp>>();
  job.runs_planned = columns.get<std::int64_t>();
  job.failure_streak = columns.get<std::int64_t>();
  job.counts.succeeded = columns.get<std::int64_t>();
  job.counts.failed = columns.get<std::int64_t>();
  job.counts.cancelled = columns.get<std::int64_t>();
  job.counts.skipped = columns.get<std::int64_t>();
  job.counts.missed = columns.get<std::int64_t>();
  const auto last = columns.get<std::optional<RunId>>();
  if (!last) return stored;
  job.last_run.emplace(LastRun{.id = *last,
                               .state = columns.get(parse_run_state),
                               .ended_at = columns.get<Timestamp>(),
                               .error = columns.get<std::string>()});
  return stored;
}

Result<Shared<JobSpec>> read_spec(Connection& db, SpecCache& specs, std::int64_t id) {
  if (auto known = specs.find(id)) return *known;
  CHRONOS_TRY(auto spec, db.one(
                             kSpec,
                             [](Columns& columns) -> Result<JobSpec> {
                               auto decoded = decode_spec(columns.get<std::string_view>());
                               if (decoded) decoded->payload = columns.get<std::string>();
                               return decoded;
                             },
                             id));
  if (!spec) return fail(Reason::internal, "a stored job has no declaration");
  CHRONOS_TRY(auto decoded, std::move(*spec));
  Shared<JobSpec> shared(std::move(decoded));
  specs.put(id, shared);
  return shared;
}

Result<void> fill_spec(Connection& db, SpecCache& specs, StoredJob& stored) {
  CHRONOS_TRY(const auto spec, read_spec(db, specs, stored.spec));
  stored.job.spec = spec;
  return {};
}

StoredRun read_run_row(Columns& columns) {
  StoredRun stored;
  auto& run = stored.run;
  run.project = columns.get<ProjectId>();
  run.id = columns.get<RunId>();
  run.job = columns.get<JobId>();
  run.job_name = columns.get<std::string>();
  run.trigger = columns.get(parse_trigger);
  run.state = columns.get(parse_run_state);
  run.reason = columns.get<std::string>();
  run.planned_at = columns.get<Timestamp>();
  run.jitter = columns.get<Duration>();
  run.planned_until = columns.get<std::optional<Timestamp>>();
  run.count = columns.get<std::int64_t>();
  run.queued_at = columns.get<std::optional<Timestamp>>();
  run.started_at = columns.get<std::optional<Timestamp>>();
  run.ended_at = columns.get<std::optional<Timestamp>>();
  run.retry_of = columns.get<std::optional<RunId>>();
  run.attempts_made = columns.get<int>();
  run.error = columns.get<std::optional<std::string>>().value_or("");
  stored.last_attempt = read_attempt_columns(columns, run.attempts_made);
  if (run.started_at && run.trigger != Trigger::backfill) {
    run.lateness = *run.started_at - run.planned_at - run.jitter;
  }
  if (stored.last_attempt) show_attempt(run, stored.last_attempt->attempt);
  return stored;
}

StoredAttempt read_attempt_row(Columns& columns) {
  const int number = columns.get<int>();
  auto stored = read_attempt_columns(columns, number);
  if (!stored) columns.fail("an attempt without a start");
  return std::move(stored).value_or(StoredAttempt{});
}

void put_columns(Parameters& parameters, const AttemptColumns& columns) {
  if (columns.attempt == nullptr) {
    parameters.put_null(kAttemptColumns);
    return;
  }
  const auto& outcome = columns.attempt->outcome;
  parameters.put(columns.attempt->started_at)
      .put(columns.attempt->ended_at)
      .put(columns.attempt->node)
      .put(outcome.kind)
      .put(outcome.reason)
      .put(outcome.error)
      .put(outcome.exit_code)
      .put(outcome.signal)
      .put(outcome.http_status)
      .put(columns.output)
      .put(outcome.output_dropped);
}

void show_attempt(Run& run, const Attempt& attempt) {
  run.node = attempt.node;
  run.error = attempt.outcome.error;
  run.exit_code = attempt.outcome.exit_code;
  run.http_status = attempt.outcome.http_status;
}

Delivery read_delivery_row(Columns& columns) {
  Delivery delivery;
  delivery.id = columns.get<DeliveryId>();
  delivery.project = columns.get<ProjectId>();
  delivery.run = columns.get<std::optional<RunId>>();
  delivery.target.kind = columns.get<std::string>();
  delivery.target.address = columns.get<std::string>();
  if (auto message = decode_message(columns.get<std::string_view>())) {
    delivery.message = std::move(*message);
  } else {
    columns.fail(message.error().message);
  }
  delivery.state = columns.get(parse_delivery_state);
  delivery.attempts_made = columns.get<int>();
  delivery.next_attempt_at = columns.get<Timestamp>();
  delivery.error = columns.get<std::string>();
  return delivery;
}

namespace {

Sha256 read_hash(Columns& columns, std::string_view what) {
  Sha256 hash{};
  const auto bytes = columns.get_bytes();
  if (bytes.size() == hash.size()) {
    std::ranges::transform(bytes, hash.begin(),
                           [](char c) { return static_cast<std::uint8_t>(c); });
  } else {
    columns.fail(std::string(what));
  }
  return hash;
}

}  // namespace

Key read_key_row(Columns& columns) {
  Key key;
  key.id = columns.get<KeyId>();
  key.project = columns.get<ProjectId>();
  key.name = columns.get<std::string>();
  key.role = columns.get(parse_role);
  key.hash = read_hash(columns, "a key's hash");
  key.created_at = columns.get<Timestamp>();
  key.expires_at = columns.get<std::optional<Timestamp>>();
  key.revoked_at = columns.get<std::optional<Timestamp>>();
  key.last_used_at = columns.get<std::optional<Timestamp>>();
  return key;
}

Session read_session_row(Columns& columns) {
  Session session;
  session.id = columns.get<SessionId>();
  session.key = columns.get<KeyId>();
  session.is_link = columns.get<bool>();
  session.hash = read_hash(columns, "a session's hash");
  session.created_at = columns.get<Timestamp>();
  session.expires_at = columns.get<Timestamp>();
  return session;
}

Project read_project_row(Columns& columns) {
  return {.id = columns.get<ProjectId>(),
          .name = columns.get<std::string>(),
          .created_at = columns.get<Timestamp>()};
}

}  // namespace chronos::store::sql
