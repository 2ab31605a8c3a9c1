// Projects, keys and sessions.
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/idempotency.h"
#include "store/sql/reads.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kFindProject{"SELECT id, name, created_at FROM projects WHERE id = $1"};
constexpr Sql kListProjects{"SELECT id, name, created_at FROM projects ORDER BY id DESC"};
constexpr Sql kAnyProject{"SELECT 1 FROM projects LIMIT 1"};
constexpr Sql kInsertProject{
    "INSERT INTO projects (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"};
constexpr Sql kFindApiKey{"SELECT " CHRONOS_KEY_COLUMNS " FROM keys WHERE id = $1"};
constexpr Sql kListKeys{"SELECT " CHRONOS_KEY_COLUMNS
                        " FROM keys WHERE project = $1 ORDER BY id DESC"};
constexpr Sql kInsertKey{"INSERT INTO keys (" CHRONOS_KEY_COLUMNS
                         ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING"};
constexpr Sql kRevoke{
    "UPDATE keys SET revoked_at = $3 WHERE id = $1 AND project = $2 AND revoked_at IS NULL"};
constexpr Sql kExpire{
    "UPDATE keys SET expires_at = $3 WHERE id = $1 AND project = $2"
    " AND (expires_at IS NULL OR expires_at > $3)"};
constexpr Sql kTouch{
    "UPDATE keys SET last_used_at = $2 WHERE id = $1"
    " AND (last_used_at IS NULL OR last_used_at < $2)"};
constexpr Sql kFindSession{"SELECT " CHRONOS_SESSION_COLUMNS " FROM sessions WHERE id = $1"};
constexpr Sql kInsertSession{"INSERT INTO sessions (" CHRONOS_SESSION_COLUMNS
                             ") VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Sql kRedeem{"DELETE FROM sessions WHERE id = $1 AND is_link = 1"};
constexpr Sql kEndSession{"DELETE FROM sessions WHERE id = $1"};

Result<std::int64_t> insert_project(Connection& db, const Project& project) {
  return db.run(kInsertProject, project.id, project.name, project.created_at);
}

Result<void> insert_key(Connection& db, const Key& key) {
  CHRONOS_TRY_VOID(db.post(kInsertKey, key.id, key.project, key.name, key.role,
                           Bytes{as_bytes(key.hash)}, key.created_at, key.expires_at,
                           key.revoked_at, key.last_used_at));
  return {};
}

}  // namespace

Result<Project> apply(Writer& writer, const PutProject& change) {
  auto& db = writer.db;
  CHRONOS_TRY(const auto made, find_made(db, change.idempotency, Made::project));
  if (made) return read_project({db, writer.specs}, made->project);
  CHRONOS_TRY(const auto inserted, insert_project(db, change.project));
  if (inserted == 1) {
    if (change.first_key) CHRONOS_TRY_VOID(insert_key(db, *change.first_key));
    CHRONOS_TRY_VOID(remember(db, change.idempotency, {Made::project, change.project.id}));
    return change.project;
  }
  CHRONOS_TRY(auto stored, db.one(kFindProject, read_project_row, change.project.id));
  if (stored) return std::move(*stored);
  return fail(Reason::key_taken, "another project has the name '" + change.project.name + "'");
}

Result<Bootstrap::Answer> apply(Writer& writer, const Bootstrap& change) {
  auto& db = writer.db;
  CHRONOS_TRY(const auto any, db.one(kAnyProject, column<int>));
  if (any) {
    CHRONOS_TRY(const auto own, db.one(kFindProject, read_project_row, change.project.id));
    return Bootstrap::Answer{own.has_value()};
  }
  CHRONOS_TRY_VOID(insert_project(db, change.project));
  CHRONOS_TRY_VOID(insert_key(db, change.key));
  return Bootstrap::Answer{true};
}

Result<Key> apply(Writer& writer, const PutKey& change) {
  const Reader reader{writer.db, writer.specs};
  CHRONOS_TRY(const auto made, find_made(writer.db, change.idempotency, Made::key));
  if (made) return read_key(reader, *made->key);
  CHRONOS_TRY_VOID(insert_key(writer.db, change.key));
  CHRONOS_TRY_VOID(remember(writer.db, change.idempotency,
                            {Made::key, change.key.project, {}, std::nullopt, change.key.id}));
  return read_key(reader, change.key.id);
}

Result<Key> apply(Writer& writer, const RevokeKey& change) {
  CHRONOS_TRY(const auto key, read_key({writer.db, writer.specs}, change.key));
  if (key.project != change.project) return fail(Reason::not_found, "no key has this id");
  if (change.expires_at) {
    CHRONOS_TRY_VOID(writer.db.post(kExpire, change.key, change.project, *change.expires_at));
  } else {
    CHRONOS_TRY_VOID(writer.db.post(kRevoke, change.key, change.project, change.now));
  }
  return read_key({writer.db, writer.specs}, change.key);
}

Result<TouchKeys::Answer> apply(Writer& writer, const TouchKeys& change) {
  for (const auto& [key, used_at] : change.used) {
    CHRONOS_TRY_VOID(writer.db.post(kTouch, key, used_at));
  }
  return TouchKeys::Answer{};
}

Result<Session> apply(Writer& writer, const PutSession& change) {
  auto& db = writer.db;
  const auto& session = change.session;
  CHRONOS_TRY(const auto stored, db.one(kFindSession, read_session_row, session.id));
  if (stored) return *stored;
  if (change.redeems) {
    CHRONOS_TRY(const auto redeemed, db.run(kRedeem, *change.redeems));
    if (redeemed == 0) return fail(Reason::not_found, "no login link has this id");
  }
  CHRONOS_TRY_VOID(db.post(kInsertSession, session.id, session.key, session.is_link,
                           Bytes{as_bytes(session.hash)}, session.created_at, session.expires_at));
  return session;
}

Result<EndSession::Answer> apply(Writer& writer, const EndSession& change) {
  CHRONOS_TRY_VOID(writer.db.post(kEndSession, change.session));
  return EndSession::Answer{};
}

Result<Session> read_session(Reader reader, SessionId id) {
  CHRONOS_TRY(const auto session, reader.db.one(kFindSession, read_session_row, id));
  if (!session) return fail(Reason::not_found, "no session has this id");
  return *session;
}

Result<Key> read_key(Reader reader, KeyId id) {
  CHRONOS_TRY(auto key, reader.db.one(kFindApiKey, read_key_row, id));
  if (!key) return fail(Reason::not_found, "no key has this id");
  return std::move(*key);
}

Result<std::vector<Key>> list_keys(Reader reader, ProjectId project) {
  return reader.db.all(kListKeys, read_key_row, project);
}

Result<Project> read_project(Reader reader, ProjectId id) {
  CHRONOS_TRY(auto project, reader.db.one(kFindProject, read_project_row, id));
  if (!project) return fail(Reason::not_found, "no project has this id");
  return std::move(*project);
}

Result<std::vector<Project>> list_projects(Reader reader) {
  return reader.db.all(kListProjects, read_project_row);
}

}  // namespace chronos::store::sql
