// Idempotency keys: what an earlier change with the same key made. Used by the changes that carry
// one.
#pragma once

#include <optional>

#include "store/changes.h"
#include "store/sql/connection.h"

namespace chronos::store::sql {

enum class Made { job, run, project, key, deliveries, calendar, channel, bulk };

struct MadeBefore {
  Made what = Made::job;
  ProjectId project{};
  JobId job{};  // of a job or a run
  std::optional<RunId> run{};
  std::optional<KeyId> key{};
  std::optional<std::string> name{};  // of a calendar or a channel; a bulk operation's id
};

// Refused: idempotency_key_reused when the key stands for another request.
Result<std::optional<MadeBefore>> find_made(Connection& db,
                                            const std::optional<Idempotency>& idempotency,
                                            Made wanted);
Result<void> remember(Connection& db, const std::optional<Idempotency>& idempotency,
                      const MadeBefore& made);

}  // namespace chronos::store::sql
