#include "store/open.h"

#include <string_view>
#include <utility>

#include "store/memory_store.h"
#include "store/sql/sql_store.h"

namespace chronos::store {

Result<Opened> open_store(const std::string& url, const Clock& clock, CommitterOptions committer) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url == "memory:") {
    return Opened{std::make_unique<MemoryStore>(clock), [](const std::string&) -> Result<void> {
                    return fail(Reason::store_unavailable, "the memory store cannot be backed up");
                  }};
  }
  if (url.starts_with(kSqlite)) {
    SqlStoreOptions options;
    options.committer = std::move(committer);
    CHRONOS_TRY(auto store, SqlStore::open(url.substr(kSqlite.size()), clock, std::move(options)));
    const auto* sql = store.get();
    return Opened{std::move(store),
                  [sql](const std::string& path) { return sql->backup_to(path); }};
  }
  return fail_field("", "unknown_store", "'" + url + "' names no store",
                    "write memory: or sqlite:PATH");
}

}  // namespace chronos::store
