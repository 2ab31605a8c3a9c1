// What a change may use while it is made. Plain; the committer's thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/id.h"
#include "model/limits.h"
#include "model/overview.h"
#include "store/committer.h"
#include "store/sql/connection.h"
#include "store/sql/holders.h"
#include "store/sql/spec_cache.h"
#include "store/turns.h"

namespace chronos::store::sql {

// What is to be added to the tables `job_totals`, `run_totals` and `tallies`.
struct Totals {
  std::map<ProjectId, JobTotals> jobs;
  std::map<std::pair<ProjectId, std::string>, RunTotals> runs;  // by queue
  Tallies tallies;
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
  Totals totals{};                  // of this transaction
  bool has_suspect_leases = false;  // taken in this transaction by somebody who is not alive
  PruneCursor prune_cursor{};
  News news{};                  // of this transaction
  bool has_made_ready = false;  // a run that a node may claim, since somebody set this to false
  // Leases by queue; nothing until somebody has to know them, and after a rollback.
  std::optional<std::map<std::string, int>> queue_use{};
  std::set<std::string> full_queues{};  // in which a claim found no room
  Turns turns{};                        // of the claims so far; a rollback leaves them
  std::set<LimitKey>
      limits_touched{};  // whose lines have to be looked at before the change is done
};

}  // namespace chronos::store::sql
