// What a project looks like as a whole: how many jobs and runs there are of each sort now, and how
// many runs came to what in the last days, a quarter of an hour at a time. Stores keep these
// numbers while they make changes, so that reading them costs the same however much is stored.
// Plain values and pure rules.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "model/job.h"
#include "model/run_state.h"

namespace chronos {

// -- What happened --------------------------------------------------------------------------------

inline constexpr Duration kTallyStep = std::chrono::minutes(15);
inline constexpr Duration kTalliesKept = std::chrono::days(31);

// Upper ends of the classes of lateness; the last class has none.
inline constexpr std::array<Duration, 15> kLatenessEnds = {
    std::chrono::milliseconds(2),   std::chrono::milliseconds(5),   std::chrono::milliseconds(10),
    std::chrono::milliseconds(20),  std::chrono::milliseconds(50),  std::chrono::milliseconds(100),
    std::chrono::milliseconds(200), std::chrono::milliseconds(500), std::chrono::seconds(1),
    std::chrono::seconds(2),        std::chrono::seconds(5),        std::chrono::seconds(10),
    std::chrono::minutes(1),        std::chrono::minutes(10),       std::chrono::hours(1)};
using LatenessCounts = std::array<std::int64_t, kLatenessEnds.size() + 1>;

// Runs that ended in a step of time, by what they came to; instants that were skipped and missed
// count when that was decided. `started` and the latenesses are of those whose first attempt began
// in it, counted when the run has ended.
struct Tally {
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::int64_t timed_out = 0;
  std::int64_t lost = 0;
  std::int64_t cancelled = 0;
  std::int64_t skipped = 0;
  std::int64_t missed = 0;
  std::int64_t started = 0;
  LatenessCounts lateness{};  // not of backfills

  bool operator==(const Tally&) const = default;
  Tally& operator+=(const Tally& other);
  void count(RunState state, std::int64_t number = 1);  // final
  void count_lateness(Duration lateness);
};

struct TallyStep {
  Timestamp at;  // its beginning: a whole number of kTallyStep since 1970
  Tally tally;

  bool operator==(const TallyStep&) const = default;
};
Timestamp tally_step_of(Timestamp at);

// The end of a run, or instants for which nothing ran.
struct Ended {
  ProjectId project;
  RunState state = RunState::succeeded;
  Timestamp at;
  std::int64_t count = 1;
  std::optional<Timestamp> started_at = {};  // of the first attempt
  std::optional<Duration> lateness = {};     // as Run::lateness
};
using Tallies = std::map<std::pair<ProjectId, Timestamp>, Tally>;  // by step
void count_end(Tallies& tallies, const Ended& ended);

// So many of the starts (0.5: half of them) were no later than this, as exactly as the classes
// tell. Nothing when there were none.
std::optional<Duration> lateness_of(const LatenessCounts& counts, double share);

// -- What there is now ----------------------------------------------------------------------------

// Jobs by their phase; of the active ones those that are paused apart.
struct JobTotals {
  std::int64_t scheduled = 0;  // those whose runs run or retry among them
  std::int64_t paused = 0;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;

  bool operator==(const JobTotals&) const = default;
  std::int64_t all() const { return scheduled + paused + succeeded + failed + cancelled; }
  void count(JobPhase phase, bool is_paused, std::int64_t number = 1);
};

// Live runs by where they wait.
struct RunTotals {
  std::int64_t due = 0;       // for their instant, or for their retry
  std::int64_t retrying = 0;  // of these, for their retry
  std::int64_t ready = 0;     // for a slot
  std::int64_t held = 0;      // for an earlier run of their job
  std::int64_t limited = 0;   // for a concurrency key or a rate
  std::int64_t running = 0;

  bool operator==(const RunTotals&) const = default;
  RunTotals& operator+=(const RunTotals& other);
};

struct UpcomingRun {
  Timestamp at;
  RunId run;
  JobId job;
  std::string job_name;

  bool operator==(const UpcomingRun&) const = default;
};

// A run is late when it should have begun so long ago and only a slot is missing.
inline constexpr Duration kLateAfter = std::chrono::seconds(10);
// No more runs than this are looked at to tell how many are late, or are to come.
inline constexpr int kOverviewLooksMax = 10'000;

// A queue as one project sees it.
struct QueueTotals {
  std::string name;
  RunTotals runs;
  std::optional<Timestamp> oldest_ready_at;  // the earliest queued_at of those that wait for a slot
};
inline constexpr int kQueuesMax = 1000;  // listed

// Runs that wait for their instant, and then start without being planned again: of one-time jobs,
// and retries.
struct AheadAsk {
  ProjectId project;
  Timestamp from;   // inclusive
  Timestamp until;  // exclusive
  int runs_max = 0;
  int instants_max = 0;
};
struct Ahead {
  std::vector<UpcomingRun> runs;    // earliest first
  std::vector<Timestamp> instants;  // of these and more, earliest first
  bool has_more = false;            // instants were left out
};

struct OverviewAsk {
  ProjectId project;
  Timestamp now;
  Timestamp since;  // tallies from this step on
  Duration ahead{};
  int upcoming_max = 20;
};

struct Overview {
  JobTotals jobs;
  RunTotals runs;
  std::int64_t late = 0;              // of first attempts, backfills aside
  std::vector<UpcomingRun> upcoming;  // first runs and retries, earliest first
  std::int64_t upcoming_count = 0;    // of each recurring job only the next
  std::vector<TallyStep> tallies =
      {};                        // oldest first; steps in which nothing happened are left out
  std::int64_t store_bytes = 0;  // 0: it is not kept
};

}  // namespace chronos
