// Which instants of the past a backfill runs again: a request and the job's history in, instants
// out. Pure. Called by service/backfill.h, which reads the history and commits the runs.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "model/run.h"
#include "schedule/schedule.h"

namespace chronos {

// Of the runs of a backfill among themselves: one after another, or all at once.
enum class BackfillOverlap { queue_all, allow };
// Which instants: those skipped or missed and not made up for since, or whatever the schedule
// names.
enum class BackfillOnly { missing, all };

inline constexpr std::int64_t kBackfillMax = 10'000;

struct BackfillRequest {
  std::optional<Timestamp> from;   // inclusive
  std::optional<Timestamp> until;  // exclusive
  BackfillOverlap overlap = BackfillOverlap::queue_all;
  BackfillOnly only = BackfillOnly::missing;
  std::int64_t max = 1000;  // more instants than this are refused
  bool dry_run = false;
};

// Everything wrong with the body comes back at once; `from` and `until` are there, in order and not
// after `now`.
Result<BackfillRequest> read_backfill(const json::Value& body, Timestamp now);

struct InstantRange {
  Timestamp first;
  Timestamp last;  // inclusive
};

// What became of a job's instants, as far as its runs tell.
struct InstantHistory {
  std::vector<InstantRange> not_run;  // skipped and missed
  std::set<Timestamp> made_up;        // a run of a backfill waits, runs or has succeeded
  std::set<Timestamp> succeeded;
};
// Adds what one run or row of the job tells.
void note(InstantHistory& history, const Run& run);

struct BackfillPick {
  std::vector<Timestamp>
      instants;  // oldest first; empty when there are more than the request's max
  std::int64_t count = 0;
  std::int64_t already_run = 0;  // of them: those with a run that succeeded
};

// The instants in [range.first, range.last].
BackfillPick pick_instants(const schedule::Schedule& schedule, InstantRange range,
                           const BackfillRequest& request, const InstantHistory& history);

std::string_view to_string(BackfillOverlap value);
std::string_view to_string(BackfillOnly value);
std::optional<BackfillOverlap> parse_backfill_overlap(std::string_view text);
std::optional<BackfillOnly> parse_backfill_only(std::string_view text);

}  // namespace chronos
