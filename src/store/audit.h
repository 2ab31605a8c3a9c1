// What the audit log says of each change: both stores make their entries here, in the transaction
// of the change. Pure.
#pragma once

#include <optional>

#include "model/audit.h"
#include "store/changes.h"

namespace chronos::store {

// What a change is about, as it was before; what is not there, or not asked for, is nothing.
struct Before {
  std::optional<Job> job = {};
  std::optional<Calendar> calendar = {};
  std::optional<Key> key = {};
  std::optional<DeclaredChannel> channel = {};
  std::optional<Bulk> bulk = {};
};

// Nothing when the change did nothing. Changes that no user makes, and submissions, have no entry.
std::optional<AuditEntry> entry_of(const ReplaceJob& change, const Before& before,
                                   const JobAnswer& answer);
std::optional<AuditEntry> entry_of(const CancelJob& change, const Before& before,
                                   const JobAnswer& answer);
std::optional<AuditEntry> entry_of(const RunJob& change, const Before& before,
                                   const RunAnswer& answer);
std::optional<AuditEntry> entry_of(const Backfill& change, const Before& before,
                                   const Backfill::Answer& answer);
std::optional<AuditEntry> entry_of(const CancelRun& change, const Before& before,
                                   const RunAnswer& answer);
std::optional<AuditEntry> entry_of(const PutCalendar& change, const Before& before,
                                   const CalendarAnswer& answer);
std::optional<AuditEntry> entry_of(const DeleteCalendar& change, const Before& before,
                                   const CalendarAnswer& answer);
std::optional<AuditEntry> entry_of(const PutChannel& change, const Before& before,
                                   const ChannelAnswer& answer);
std::optional<AuditEntry> entry_of(const DeleteChannel& change, const Before& before,
                                   const ChannelAnswer& answer);
std::optional<AuditEntry> entry_of(const PutBulk& change, const Before& before,
                                   const BulkAnswer& answer);
std::optional<AuditEntry> entry_of(const MoveBulk& change, const Before& before,
                                   const BulkAnswer& answer);
std::optional<AuditEntry> entry_of(const AddDeliveries& change, const Before& before,
                                   const AddDeliveries::Answer& answer);
std::optional<AuditEntry> entry_of(const PutProject& change, const Before& before,
                                   const Project& answer);
std::optional<AuditEntry> entry_of(const PutKey& change, const Before& before, const Key& answer);
std::optional<AuditEntry> entry_of(const PutSession& change, const Before& before,
                                   const Session& answer);
std::optional<AuditEntry> entry_of(const EndSession& change, const Before& before,
                                   const EndSession::Answer& answer);
std::optional<AuditEntry> entry_of(const RevokeKey& change, const Before& before,
                                   const Key& answer);

// The entry of a submission, as its job's row tells it.
AuditEntry submission_entry(const Job& job, KeyId by);

// The changes above, which carry an author and have an entry of their own.
template <class C>
concept Audited =
    requires(const C& change, const Before& before, const typename C::Answer& answer) {
      change.by;
      entry_of(change, before, answer);
    };

}  // namespace chronos::store
