#include "store/open.h"

#include <string_view>

#include "store/memory_store.h"
#include "store/sql/sql_store.h"

namespace chronos::store {

Result<std::unique_ptr<Store>> open_store(const std::string& url, const Clock& clock) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url == "memory:") return std::make_unique<MemoryStore>(clock);
  if (url.starts_with(kSqlite)) return SqlStore::open(url.substr(kSqlite.size()), clock);
  return fail_field("", "unknown_store", "'" + url + "' names no store",
                    "write memory: or sqlite:PATH");
}

}  // namespace chronos::store
