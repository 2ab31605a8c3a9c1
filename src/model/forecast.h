// What will run when: the instants of schedules in a span of time, counted by steps of it, the
// first of them by name. The planner's own instants (planner.h), so that what is shown is what will
// happen, as far as declarations go: nobody knows which runs will be retried, held or cancelled.
// Pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "model/job.h"
#include "model/overview.h"
#include "schedule/calendar.h"
#include "schedule/schedule.h"

namespace chronos {

// No longer than kForecastMax, and in no more than kForecastStepsMax steps.
struct ForecastSpan {
  Timestamp from;   // inclusive
  Timestamp until;  // exclusive
  Duration step{};
};
inline constexpr Duration kForecastMax = std::chrono::days(31);
inline constexpr int kForecastStepsMax = 400;
inline constexpr std::size_t kForecastRunsMax = 500;
// One by one no more instants than this are looked at; those of a schedule without calendars are
// counted without.
inline constexpr std::int64_t kForecastLooksMax = 100'000;

struct ForecastRun {
  Timestamp at;
  JobId job;
  std::string job_name;

  bool operator==(const ForecastRun&) const = default;
};

struct Forecast {
  std::vector<std::int64_t> counts;  // of each step
  std::vector<ForecastRun> runs;     // the first, earliest first
  bool is_truncated = false;         // something was left out of the counts
};

class Forecaster {
 public:
  explicit Forecaster(const ForecastSpan& span);

  // A recurring job whose run for `planned_at` waits to be planned; `calendars` are those it names.
  void add(const Job& job, const schedule::Schedule& schedule,
           const schedule::CalendarSet& calendars, Timestamp planned_at);
  void add_instant(Timestamp at);        // counts only
  void add_run(const UpcomingRun& run);  // names only
  void leave_out() { forecast_.is_truncated = true; }

  Forecast finish();

 private:
  void count_whole(const schedule::Schedule& schedule, Timestamp after);
  void name(Timestamp at, JobId job, const std::string& job_name);
  void keep_first();

  const ForecastSpan span_;
  Forecast forecast_;
  std::int64_t looks_ = 0;
};

}  // namespace chronos
