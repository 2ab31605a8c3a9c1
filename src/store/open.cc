#include "store/open.h"

#include "store/memory_store.h"

namespace chronos::store {

Result<std::unique_ptr<Store>> open_store(const std::string& url, const Clock& clock) {
  if (url == "memory:") return std::make_unique<MemoryStore>(clock);
  return fail_field("", "unknown_store", "'" + url + "' names no store",
                    "write memory: or sqlite:PATH");
}

}  // namespace chronos::store
