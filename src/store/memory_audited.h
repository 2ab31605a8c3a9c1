// Makes a change of a MemoryStore and its entry of the audit log. Used by memory_store.cc, and by
// changes that end in another one.
#pragma once

#include <utility>

#include "store/audit.h"
#include "store/memory_tables.h"

namespace chronos::store::memory {

// What a change is about, as it is now.
template <class C>
Before before_of(const Tables&, const C&) {
  return {};
}
Before before_of(const Tables& tables, const ReplaceJob& change);
Before before_of(const Tables& tables, const CancelJob& change);
Before before_of(const Tables& tables, const RunJob& change);
Before before_of(const Tables& tables, const Backfill& change);
Before before_of(const Tables& tables, const CancelRun& change);
Before before_of(const Tables& tables, const PutCalendar& change);
Before before_of(const Tables& tables, const PutChannel& change);
Before before_of(const Tables& tables, const MoveBulk& change);
Before before_of(const Tables& tables, const RevokeKey& change);

// Makes a change and its entry.
template <class C>
auto apply_audited(Tables& tables, const C& change) -> decltype(apply(tables, change)) {
  if constexpr (Audited<C>) {
    if (change.by) {
      const auto before = before_of(tables, change);
      CHRONOS_TRY(auto answer, apply(tables, change));
      if (auto entry = entry_of(change, before, answer)) {
        tables.audit.emplace(entry->id, std::move(*entry));
      }
      return answer;
    }
  }
  return apply(tables, change);
}

}  // namespace chronos::store::memory
