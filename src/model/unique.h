// Jobs that are unique while they wait, until they are done, or for a while: whether the job that
// took a key last still holds it, and what becomes of a submission that meets it. Pure; the stores
// call it inside the transaction that makes the job, so of two submissions at once one sees the
// other.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "model/job.h"

namespace chronos {

// The job that took a key last, as the store knows it.
struct KeyHolder {
  const Job& job;
  bool has_live_run = false;  // also one that waits in a pause
  bool has_started = false;   // an attempt of a live run has been made or is under way
  Timestamp until;            // the end of its window
};

// - queued: until an attempt starts;
// - running: until no run of it is live;
// - window: until its window has passed, whatever became of the job.
bool holds_key(const KeyHolder& holder, Timestamp now);

// What a submission does about the key it asks for.
enum class UniqueVerdict {
  take,     // nobody holds it: the job is made
  keep,     // the answer is the holder
  extend,   // likewise, and the holder's window begins anew
  replace,  // the holder takes the new declaration and schedule
};

// Fails with Reason::unique_taken, naming the holder: on_conflict reject, or replace when the
// holder has started. A holder without a window is kept by `extend`.
Result<UniqueVerdict> judge_unique(const Unique& asked, const KeyHolder& holder, Timestamp now);

// The end of the window of a job that takes its key now; the beginning of time without one.
Timestamp window_end(const Unique& unique, Timestamp now);

}  // namespace chronos
