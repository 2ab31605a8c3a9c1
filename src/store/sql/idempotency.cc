#include "store/sql/idempotency.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kFind{
    "SELECT fingerprint, at, project, job, run FROM idempotency WHERE caller = $1 AND key = $2"};
constexpr Sql kPut{
    "INSERT INTO idempotency (caller, key, fingerprint, at, project, job, run)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (caller, key) DO UPDATE SET"
    " fingerprint = excluded.fingerprint, at = excluded.at, project = excluded.project,"
    " job = excluded.job, run = excluded.run"};

struct Seen {
  bool is_same = false;  // request
  Timestamp at;
  MadeBefore made;
};

}  // namespace

Result<std::optional<MadeBefore>> find_made(Connection& db,
                                            const std::optional<Idempotency>& idempotency,
                                            Made wanted) {
  if (!idempotency) return std::nullopt;
  const auto read = [&](Columns& columns) -> Seen {
    return {.is_same = columns.get_bytes() == as_bytes(idempotency->fingerprint),
            .at = columns.get<Timestamp>(),
            .made = {columns.get<ProjectId>(), columns.get<JobId>(),
                     columns.get<std::optional<RunId>>()}};
  };
  CHRONOS_TRY(const auto seen, db.one(kFind, read, idempotency->caller, idempotency->key));
  if (!seen || seen->at + kIdempotencyKept <= idempotency->at) return std::nullopt;
  if (!seen->is_same || seen->made.run.has_value() != (wanted == Made::run)) {
    return fail(Reason::idempotency_key_reused,
                "this idempotency key was used for another request");
  }
  return seen->made;
}

Result<void> remember(Connection& db, const std::optional<Idempotency>& idempotency,
                      const MadeBefore& made) {
  if (!idempotency) return {};
  CHRONOS_TRY_VOID(db.run(kPut, idempotency->caller, idempotency->key,
                          Bytes{as_bytes(idempotency->fingerprint)}, idempotency->at, made.project,
                          made.job, made.run));
  return {};
}

}  // namespace chronos::store::sql
