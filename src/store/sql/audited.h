// Makes a change and its entry of the audit log, in one transaction. Called by SqlStore, and by
// changes that end in another one.
#pragma once

#include "store/audit.h"
#include "store/sql/apply.h"

namespace chronos::store::sql {

// sql_audit.cc: what the change is about, as it is now.
template <class C>
Result<Before> before_of(Writer&, const C&) {
  return Before{};
}
Result<Before> before_of(Writer& writer, const ReplaceJob& change);
Result<Before> before_of(Writer& writer, const CancelJob& change);
Result<Before> before_of(Writer& writer, const RunJob& change);
Result<Before> before_of(Writer& writer, const Backfill& change);
Result<Before> before_of(Writer& writer, const CancelRun& change);
Result<Before> before_of(Writer& writer, const PutCalendar& change);
Result<Before> before_of(Writer& writer, const PutChannel& change);
Result<Before> before_of(Writer& writer, const MoveBulk& change);
Result<Before> before_of(Writer& writer, const RevokeKey& change);
Result<void> put_entry(Connection& db, const AuditEntry& entry);

template <class C>
auto apply_audited(Writer& writer, const C& change) -> decltype(apply(writer, change)) {
  if constexpr (Audited<C>) {
    if (change.by) {
      CHRONOS_TRY(const auto before, before_of(writer, change));
      CHRONOS_TRY(auto answer, apply(writer, change));
      if (const auto entry = entry_of(change, before, answer)) {
        CHRONOS_TRY_VOID(put_entry(writer.db, *entry));
      }
      return answer;
    }
  }
  return apply(writer, change);
}

}  // namespace chronos::store::sql
