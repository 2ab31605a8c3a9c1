#include "store/sql/spec_cache.h"

#include <iterator>

namespace chronos::store::sql {
namespace {

// About what an entry keeps in memory.
std::size_t size_of(const JobSpec& spec) {
  return sizeof(JobSpec) + 256 + spec.action.config.size() + spec.payload.size() +
         spec.note.size() + 64 * (spec.tags.size() + spec.metadata.size());
}

}  // namespace

std::optional<Shared<JobSpec>> SpecCache::find(std::int64_t id) {
  const MutexLock lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  newest_first_.splice(newest_first_.begin(), newest_first_, found->second);
  return found->second->second;
}

void SpecCache::put(std::int64_t id, Shared<JobSpec> spec) {
  const MutexLock lock(mutex_);
  if (const auto known = by_id_.find(id); known != by_id_.end()) forget(known->second);
  bytes_ += size_of(*spec);
  newest_first_.emplace_front(id, std::move(spec));
  by_id_.emplace(id, newest_first_.begin());
  while (bytes_ > bytes_max_) forget(std::prev(newest_first_.end()));
}

void SpecCache::drop(std::int64_t id) {
  const MutexLock lock(mutex_);
  if (const auto known = by_id_.find(id); known != by_id_.end()) forget(known->second);
}

void SpecCache::forget(std::list<Entry>::iterator entry) {
  bytes_ -= size_of(*entry->second);
  by_id_.erase(entry->first);
  newest_first_.erase(entry);
}

}  // namespace chronos::store::sql
