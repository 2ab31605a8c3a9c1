// Use cases that look at a project as a whole: what happens, what went wrong, what is to come. What
// a dashboard shows; each costs the same however much is stored. Thread-safe; everything reads and
// blocks.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/forecast.h"
#include "model/overview.h"
#include "service/principal.h"
#include "service/workers.h"
#include "store/store.h"

namespace chronos::service {

// What the composition knows and these use cases do not.
struct ViewParts {
  std::function<NodeInfo()> node;  // of this process; asked from any thread, as the next
  std::function<NodeId()> this_node;
  std::string store_kind;                   // "sqlite", "postgres", "memory"
  std::map<std::string, int> queue_limits;  // queue → attempts at once
};

enum class OverviewRange { day, week };
std::optional<OverviewRange> parse_overview_range(std::string_view text);  // "24h", "7d"

struct OverviewView {
  Timestamp now;
  Overview found;                    // its tallies as they are stored
  Duration step{};                   // of the series
  std::vector<TallyStep> series;     // without a gap, oldest first; the last goes on
  Tally sum;                         // of the series
  std::vector<Run> recent_failures;  // failed, timed_out and lost; newest first
  std::optional<Timestamp> oldest_due_at;
  const ViewParts& parts;
};
inline constexpr int kRecentFailures = 10;

struct QueueView {
  QueueTotals totals;
  std::optional<int> concurrency;  // attempts at once, of all projects
  std::int64_t workers = 0;        // of the project, alive, that poll it
};

struct NodeView {
  Node node;
  bool is_this = false;
};

struct Blackout {
  std::string calendar;
  Timestamp from;
  Timestamp until;  // exclusive
};

struct ForecastView {
  ForecastSpan span;
  Forecast forecast;
  std::vector<Blackout> blackouts;  // by calendar, then earliest first
};

// What came of a job's instants in a step of time.
struct GridCell {
  Timestamp at;  // the step's beginning
  RunState worst_state = RunState::succeeded;
  std::int64_t runs = 0;
};
struct GridRow {
  JobId job;
  std::string job_name;
  std::vector<GridCell> cells;  // oldest first; steps without runs are left out
  bool is_truncated = false;    // it had more runs than were looked at: the earliest are missing
};
struct GridView {
  std::vector<GridRow> rows;
  bool has_more = false;
  JobId last;
};
inline constexpr int kGridJobsMax = 50;
inline constexpr int kGridStepsMax = 400;

class Views {
 public:
  // `workers` must outlive it.
  Views(const store::Store& store, const Workers& workers, const Clock& clock, ViewParts parts);

  Timestamp now() const { return clock_.now(); }

  Result<OverviewView> overview(const Principal& who, OverviewRange range) const;
  // For each of the jobs its newest runs that have begun or ended, newest first.
  Result<std::vector<std::vector<Run>>> strips(const Principal& who, std::vector<JobId> jobs,
                                               int limit) const;
  Result<std::vector<Run>> strip(const Principal& who, JobId job, int limit) const;
  Result<std::vector<QueueView>> queues(const Principal& who) const;
  Result<std::vector<NodeView>> nodes() const;
  Result<ForecastView> forecast(const Principal& who, const ForecastSpan& span) const;
  // The jobs of a page of `filter`, in its order; `span` is no longer than kGridStepsMax steps.
  Result<GridView> grid(const Principal& who, JobFilter filter, const ForecastSpan& span) const;

 private:
  Result<void> add_recurring(ProjectId project, const ForecastSpan& span,
                             Forecaster& forecaster) const;

  const store::Store& store_;
  const Workers& workers_;
  const Clock& clock_;
  const ViewParts parts_;
};

}  // namespace chronos::service
