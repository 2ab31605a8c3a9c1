// What a change may use while it is made. Plain; the committer's thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/id.h"
#include "model/limits.h"
#include "store/committer.h"
#include "store/sql/connection.h"
#include "store/sql/holders.h"
#include "store/sql/spec_cache.h"

namespace chronos::store::sql {

// How many rows came to (or left) the tables of which Store::stats tells.
struct Growth {
  std::int64_t jobs = 0;
  std::int64_t due = 0;
  std::int64_t ready = 0;
  std::int64_t held = 0;
  std::int64_t limited = 0;
  std::int64_t leased = 0;
};

// How far Prune has looked along `runs`.
struct PruneCursor {
  ProjectId project;
  RunId run;
};

struct Writer {
  Connection& db;
  SpecCache& specs;
  Holders& holders;
  Growth growth{};                  // in this transaction
  bool has_suspect_leases = false;  // taken in this transaction by somebody who is not alive
  PruneCursor prune_cursor{};
  News news{};                  // of this transaction
  bool has_made_ready = false;  // a run that a node may claim, since somebody set this to false
  // Leases by queue; nothing until somebody has to know them, and after a rollback.
  std::optional<std::map<std::string, int>> queue_use{};
  std::set<std::string> full_queues{};  // in which a claim found no room
  std::set<LimitKey>
      limits_touched{};  // whose lines have to be looked at before the change is done
};

}  // namespace chronos::store::sql
