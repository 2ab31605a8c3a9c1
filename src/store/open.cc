#include "store/open.h"

#include <string_view>
#include <utility>

#include "store/memory_store.h"
#include "store/sql/sql_store.h"

namespace chronos::store {

namespace {

// Enough to record what runs for a while, and what was let in before the disk was full
// (server.intake_max).
constexpr std::int64_t kReserveBytes = 8 << 20;

bool is_postgres(std::string_view url) {
  return url.starts_with("postgres://") || url.starts_with("postgresql://");
}

}  // namespace

Result<Opened> open_store(const std::string& url, const Clock& clock, CommitterOptions committer) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url == "memory:") {
    return Opened{std::make_unique<MemoryStore>(clock),
                  [](const std::string&) -> Result<void> {
                    return fail(Reason::store_unavailable, "the memory store cannot be backed up");
                  },
                  "memory"};
  }
  if (url.starts_with(kSqlite)) {
    SqlStoreOptions options;
    options.committer = std::move(committer);
    options.reserve_bytes = kReserveBytes;
    CHRONOS_TRY(auto store, SqlStore::open(url.substr(kSqlite.size()), clock, options));
    const auto* sql = store.get();
    return Opened{std::move(store), [sql](const std::string& path) { return sql->backup_to(path); },
                  "sqlite"};
  }
  if (is_postgres(url)) {
    SqlStoreOptions options;
    options.committer = std::move(committer);
    CHRONOS_TRY(auto store, SqlStore::open_postgres(url, std::move(options)));
    return Opened{std::move(store),
                  [](const std::string&) -> Result<void> {
                    return fail(Reason::store_unavailable,
                                "a PostgreSQL store is backed up by PostgreSQL's own means",
                                "use pg_dump, or pg_basebackup with archived logs");
                  },
                  "postgres"};
  }
  // The URL is not repeated: it may hold a password.
  return fail_field("", "unknown_store", "the URL names no store",
                    "write memory:, sqlite:PATH or postgres://USER@HOST/DATABASE");
}

}  // namespace chronos::store
