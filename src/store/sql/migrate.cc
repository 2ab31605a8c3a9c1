#include "store/sql/migrate.h"

#include <fmt/format.h>

#include <string>

#include "base/log.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kCreateMeta{
    "CREATE TABLE IF NOT EXISTS meta (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)"};
constexpr Sql kReadVersion{"SELECT value FROM meta WHERE name = 'schema_version'"};
constexpr Sql kWriteVersion{
    "INSERT INTO meta (name, value) VALUES ('schema_version', $1)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value"};

Result<std::int64_t> read_version(Connection& db) {
  CHRONOS_TRY_VOID(db.run(kCreateMeta));
  CHRONOS_TRY(const auto version, db.one(kReadVersion, column<std::int64_t>));
  return version.value_or(0);
}

// One step, if it is still to do: another process may have been quicker.
Result<void> apply_in_transaction(Connection& db, const EmbeddedFile& file, std::int64_t number) {
  CHRONOS_TRY(const auto version, read_version(db));
  if (version >= number) return {};
  CHRONOS_TRY_VOID(db.run_script(std::string(file.content)));
  CHRONOS_TRY_VOID(db.run(kWriteVersion, number));
  return {};
}

Result<void> apply(Connection& db, const EmbeddedFile& file, std::int64_t number) {
  CHRONOS_TRY_VOID(db.begin());
  if (auto applied = apply_in_transaction(db, file, number); !applied) {
    db.rollback();
    applied.error().message =
        fmt::format("migration {} failed: {}", file.name, applied.error().message);
    return applied;
  }
  return db.commit(Durable::written);
}

}  // namespace

Result<void> migrate(Connection& db, std::span<const EmbeddedFile> files) {
  CHRONOS_TRY_VOID(db.begin());
  const auto found = read_version(db);
  db.rollback();
  CHRONOS_TRY(const auto version, found);
  const auto newest = static_cast<std::int64_t>(files.size());
  if (version > newest) {
    return fail(Reason::store_unavailable,
                fmt::format("the database has schema {}, this program knows schemas up to {}",
                            version, newest),
                "start the newer program again, or restore the backup made before the upgrade");
  }
  for (auto number = version + 1; number <= newest; ++number) {
    const auto& file = files[static_cast<std::size_t>(number) - 1];
    CHRONOS_TRY_VOID(apply(db, file, number));
    log::debug("schema applied", {{"file", std::string(file.name)}});
  }
  return {};
}

}  // namespace chronos::store::sql
