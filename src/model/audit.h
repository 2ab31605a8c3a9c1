// The audit log: who changed what through the API, and what it was before. Plain values and pure
// functions. The store writes an entry in the transaction of the change (store/changes.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "model/access.h"

namespace chronos {

struct AuditTag {
  static constexpr std::string_view kPrefix = "aud_";
};
using AuditId = Id<AuditTag>;

// Who asked for a change; carried by the change.
struct Author {
  KeyId key;
  AuditId entry;  // the id of the entry it makes
  Timestamp at;
  std::string action;   // "job.pause": the kind of what is changed, and what is done to it
  ProjectId home = {};  // of the key: where a change is written down that is about no project
};

inline constexpr std::string_view kSubmitAction = "job.submit";

struct AuditEntry {
  AuditId id;
  ProjectId project;
  Timestamp at;
  KeyId actor;
  std::string action;
  std::string kind;      // of what was changed: "job", "run", "calendar", "key", "project", …
  std::string resource;  // its id, or the name of what has none
  std::string name;      // as people know it
  // What changed, as JSON objects with the same members; empty = there was nothing before, there is
  // nothing now. No secrets: see difference().
  std::string before;
  std::string after;

  // Known when read.
  std::string actor_name;
  Role actor_role = Role::viewer;
};

struct AuditFilter {
  ProjectId project;
  std::string resource;            // empty = any
  std::optional<KeyId> actor;      // nothing = any
  std::string action;              // empty = any; "job." = any that begins so
  std::optional<Timestamp> since;  // inclusive
  std::optional<Timestamp> until;  // exclusive
  int limit = 50;
  std::optional<AuditId> after;  // cursor: only entries older than this one
};

inline constexpr Duration kAuditKept = std::chrono::days(400);

// Whether the filter lets it through, `after` and `limit` aside.
bool matches(const AuditFilter& filter, const AuditEntry& entry);
// Between these lie the ids of all entries that `since` and `until` let through.
Uuid audit_floor(const AuditFilter& filter);    // inclusive
Uuid audit_ceiling(const AuditFilter& filter);  // exclusive; `after` counts too

// An entry by `author`, of what has the id or the name `resource`.
AuditEntry entry_by(const Author& author, ProjectId project, std::string resource,
                    std::string name);
// The members that differ between two JSON objects, each side as an object of its own. What has the
// name of a secret (model/secrets.h) is masked, what is long is told by its length. A side that
// is empty stays so.
struct Difference {
  std::string before;
  std::string after;
};
Difference difference(std::string_view before, std::string_view after);

void write_audit_entry(json::Writer& writer, const AuditEntry& entry);

}  // namespace chronos
