#include "store/facts.h"

#include <filesystem>
#include <string_view>

#include "store/sql/migrate.h"
#include "store/sql/postgres_facts.h"
#include "store/sql/sqlite.h"

namespace chronos::store {
namespace {

constexpr sql::Sql kHasMeta{"SELECT count(*) FROM sqlite_schema WHERE name = 'meta'"};
constexpr sql::Sql kSchema{"SELECT value FROM meta WHERE name = 'schema_version'"};
constexpr sql::Sql kSize{
    "SELECT s.page_size * c.page_count, s.page_size * f.freelist_count FROM pragma_page_size s,"
    " pragma_page_count c, pragma_freelist_count f"};

Result<StoreFacts> examine_sqlite(const std::string& path) {
  StoreFacts facts;
  facts.newest_schema = std::ssize(sql::schema_files());
  facts.sqlite = SqliteFacts{.path = path};
  std::error_code ignored;
  facts.sqlite->exists = std::filesystem::exists(path, ignored);
  if (!facts.sqlite->exists) return facts;
  CHRONOS_TRY(const auto db, sql::open_sqlite_reader({.path = path}));
  const auto read_size = [&](sql::Columns& columns) {
    facts.sqlite->bytes = columns.get<std::int64_t>();
    facts.sqlite->free_bytes = columns.get<std::int64_t>();
    return true;
  };
  CHRONOS_TRY_VOID(db->for_each(kSize, read_size));
  CHRONOS_TRY(const auto has_meta, db->one(kHasMeta, sql::column<std::int64_t>));
  if (has_meta.value_or(0) == 0) return facts;
  CHRONOS_TRY(const auto schema, db->one(kSchema, sql::column<std::int64_t>));
  facts.schema = schema.value_or(0);
  return facts;
}

}  // namespace

Result<StoreFacts> examine_store(const std::string& url) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url.starts_with(kSqlite)) return examine_sqlite(url.substr(kSqlite.size()));
  if (url == "memory:") return StoreFacts{};
  CHRONOS_TRY(const auto postgres, sql::read_postgres_url(url));
  CHRONOS_TRY(auto facts, sql::examine_postgres(postgres));
  facts.newest_schema = std::ssize(sql::postgres_schema_files());
  return facts;
}

}  // namespace chronos::store
