// Rows ↔ model values, once for every statement. Used by sql_*.cc only; pure but for the spec
// cache.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "model/access.h"
#include "model/job.h"
#include "model/notification.h"
#include "model/run.h"
#include "store/sql/connection.h"
#include "store/sql/spec_cache.h"

// Column lists in the order the readers below take them. They are macros because literals join only
// so into the constant text of a statement.
#define CHRONOS_JOB_COLUMNS                                                                   \
  "j.project, j.id, j.spec, j.phase, j.phase_at_end, j.version, j.created_at, j.updated_at, " \
  "j.planned_through, j.parked_at, j.runs_planned, j.failure_streak, j.succeeded, j.failed, " \
  "j.cancelled, j.skipped, j.missed, j.last_run, j.last_state, j.last_ended_at, j.last_error"

#define CHRONOS_RUN_COLUMNS                                                                     \
  "r.project, r.id, r.job, j.name, r.trigger_kind, r.state, r.reason, r.planned_at, r.jitter, " \
  "r.planned_until, r.run_count, r.queued_at, r.started_at, r.ended_at, r.retry_of, "           \
  "r.attempts_made, r.error, r.attempt_started_at, r.attempt_ended_at, r.node, r.outcome, "     \
  "r.outcome_reason, r.error, r.exit_code, r.signal, r.http_status, r.output, r.output_dropped"

#define CHRONOS_ATTEMPT_COLUMNS                                                                  \
  "number, started_at, ended_at, node, outcome, reason, error, exit_code, signal, http_status, " \
  "output, output_dropped"

#define CHRONOS_DELIVERY_COLUMNS \
  "id, project, run, kind, address, message, state, attempts_made, next_attempt_at, error"

#define CHRONOS_KEY_COLUMNS \
  "id, project, name, role, hash, created_at, expires_at, revoked_at, last_used_at"

#define CHRONOS_SESSION_COLUMNS "id, key_id, is_link, hash, created_at, expires_at"

namespace chronos::store::sql {

// A job as it is stored. `job.spec` is empty until fill_spec(); derived members are not filled.
struct StoredJob {
  Job job;
  std::int64_t spec = 0;  // specs.id
  std::optional<JobPhase> phase_at_end;
};
StoredJob read_job_row(Columns& columns);
Result<void> fill_spec(Connection& db, SpecCache& specs, StoredJob& stored);
Result<Shared<JobSpec>> read_spec(Connection& db, SpecCache& specs, std::int64_t id);

// One attempt as it is stored: its output lies apart.
struct StoredAttempt {
  Attempt attempt;
  std::optional<std::int64_t> output;  // outputs.id
};
StoredAttempt read_attempt_row(Columns& columns);
// What to write of an attempt: CHRONOS_ATTEMPT_COLUMNS but the number, all NULL without one.
struct AttemptColumns {
  const Attempt* attempt = nullptr;
  std::optional<std::int64_t> output;  // outputs.id
};
void put_columns(Parameters& parameters, const AttemptColumns& columns);

// A final run with its last attempt, when there was one (Run::attempts is left empty).
struct StoredRun {
  Run run;
  std::optional<StoredAttempt> last_attempt;
};
StoredRun read_run_row(Columns& columns);
void show_attempt(Run& run, const Attempt& attempt);  // as the newest one that ended

Delivery read_delivery_row(Columns& columns);
Key read_key_row(Columns& columns);
Session read_session_row(Columns& columns);
Project read_project_row(Columns& columns);  // id, name, created_at

}  // namespace chronos::store::sql
