#include "store/sql/idempotency.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kFindAnswer{
    "SELECT fingerprint, at, what, project, job, run, made_key, made_name FROM idempotency"
    " WHERE caller = $1 AND key = $2"};
constexpr Sql kPutAnswer{
    "INSERT INTO idempotency (caller, key, fingerprint, at, what, project, job, run, made_key,"
    " made_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (caller, key) DO "
    "UPDATE SET"
    " fingerprint = excluded.fingerprint, at = excluded.at, what = excluded.what,"
    " project = excluded.project, job = excluded.job, run = excluded.run,"
    " made_key = excluded.made_key, made_name = excluded.made_name"};

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
    return {
        .is_same = columns.get_bytes() == as_bytes(idempotency->fingerprint),
        .at = columns.get<Timestamp>(),
        .made = {static_cast<Made>(columns.get<int>()), columns.get<ProjectId>(),
                 columns.get<JobId>(), columns.get<std::optional<RunId>>(),
                 columns.get<std::optional<KeyId>>(), columns.get<std::optional<std::string>>()}};
  };
  CHRONOS_TRY(const auto seen, db.one(kFindAnswer, read, idempotency->caller, idempotency->key));
  if (!seen || seen->at + kIdempotencyKept <= idempotency->at) return std::nullopt;
  if (!seen->is_same || seen->made.what != wanted) {
    return fail(Reason::idempotency_key_reused,
                "this idempotency key was used for another request");
  }
  return seen->made;
}

Result<void> remember(Connection& db, const std::optional<Idempotency>& idempotency,
                      const MadeBefore& made) {
  if (!idempotency) return {};
  CHRONOS_TRY_VOID(db.post(kPutAnswer, idempotency->caller, idempotency->key,
                           Bytes{as_bytes(idempotency->fingerprint)}, idempotency->at,
                           static_cast<int>(made.what), made.project, made.job, made.run, made.key,
                           made.name));
  return {};
}

}  // namespace chronos::store::sql
