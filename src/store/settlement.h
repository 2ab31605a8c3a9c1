// From an attempt's outcome to the change that settles it, for whoever ran the attempt: the
// scheduler for this node's, the service for those of remote workers. Pure.
#pragma once

#include <string>

#include "base/id.h"
#include "base/random.h"
#include "model/notification.h"
#include "model/settle.h"
#include "store/changes.h"

namespace chronos::store {

// What a run's time limits count from. The instants of a backfill passed long ago: its runs have
// their time from when they could start.
Timestamp counted_from(const ClaimedRun& claimed);

// How long an attempt that starts at `now` may go on; nothing or less when the deadline of the
// whole run has passed.
Duration time_left(const ClaimedRun& claimed, Timestamp now);

// When the attempt has had its time.
Timestamp end_of(const ClaimedRun& claimed);

// What an attempt that could not start in time came to.
Outcome deadline_passed();

// The attempt did not begin.
SettleRun handed_back(const ClaimedRun& claimed, Timestamp now);

// Whether some of the attempt's output may be stored already (AppendOutput), to be taken or dropped
// with its settlement. Of most attempts none is, and nothing is looked for.
bool may_have_live_output(const SettleRun& change);

struct SettlementContext {
  const std::string& project_name;
  const NotifyDefaults& notify;
  Timestamp now;
  bool asks_again = false;  // SettleInput
};
SettleRun settlement_of(const ClaimedRun& claimed, Outcome outcome,
                        const SettlementContext& context, Rng& rng, IdSource& ids);

}  // namespace chronos::store
