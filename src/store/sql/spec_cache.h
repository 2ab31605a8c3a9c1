// Declarations that were decoded lately, so that claims and plans do not parse JSON. Thread-safe.
//
// An entry is never stale: a committed row of `specs` never changes and its id does not come back,
// and whoever inserts a row (perhaps with the id of one that was rolled back) puts it here too, or
// drops what is here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"
#include "model/job.h"

namespace chronos::store::sql {

class SpecCache {
 public:
  explicit SpecCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  std::optional<Shared<JobSpec>> find(std::int64_t id);
  void put(std::int64_t id, Shared<JobSpec> spec);
  void drop(std::int64_t id);  // instead of put(), when nobody will ask soon

 private:
  using Entry = std::pair<std::int64_t, Shared<JobSpec>>;

  void forget(std::list<Entry>::iterator entry) CHRONOS_REQUIRES(mutex_);

  const std::size_t bytes_max_;
  Mutex mutex_;
  std::list<Entry> newest_first_ CHRONOS_GUARDED_BY(mutex_);
  std::unordered_map<std::int64_t, std::list<Entry>::iterator> by_id_ CHRONOS_GUARDED_BY(mutex_);
  std::size_t bytes_ CHRONOS_GUARDED_BY(mutex_) = 0;
};

}  // namespace chronos::store::sql
