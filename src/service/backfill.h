// Running instants of the past again: a preview, or the runs. Thread-safe. Blocks, also for the
// commit: for threads that may. What the requests and the picking mean is in model/backfill.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/backfill.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "store/store.h"

namespace chronos::service {

struct BackfillReply {
  bool is_preview = false;
  bool is_replay = false;
  std::vector<Timestamp> instants{};  // oldest first
  std::vector<RunId> runs{};          // one for each of them; none of a preview
  std::int64_t already_run = 0;       // instants that another run of theirs has succeeded for
};

class Backfills {
 public:
  Backfills(store::Store& store, const Clock& clock, IdSource& ids);

  // A repetition with the same Idempotency-Key answers the same runs: those that retention has not
  // folded since.
  Result<BackfillReply> backfill(const Principal& who, JobId job, const json::Value& body,
                                 const RequestFacts& facts) const;

 private:
  Result<std::optional<BackfillReply>> replay(const Principal& who, JobId job,
                                              const RequestFacts& facts, Timestamp now) const;
  Result<BackfillReply> preview(const Job& job, const BackfillRequest& request,
                                Timestamp now) const;

  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
};

}  // namespace chronos::service
