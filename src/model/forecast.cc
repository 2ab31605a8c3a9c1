#include "model/forecast.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

namespace chronos {
namespace {

// How many of the job's instants may still be planned.
std::int64_t runs_left(const Job& job) {
  if (!job.spec->max_runs) return std::numeric_limits<std::int64_t>::max();
  // The waiting run is counted among those that were planned once it has been decided upon.
  return *job.spec->max_runs - job.runs_planned;
}

}  // namespace

Forecaster::Forecaster(const ForecastSpan& span) : span_(span) {
  const auto steps = (span.until - span.from + span.step - kTick) / span.step;
  forecast_.counts.resize(static_cast<std::size_t>(steps));
}

void Forecaster::add(const Job& job, const schedule::Schedule& schedule,
                     const schedule::CalendarSet& calendars, Timestamp planned_at) {
  const auto after = std::max(span_.from, planned_at) - kTick;
  auto left = runs_left(job);
  const bool is_counted_whole = calendars.empty() && !job.spec->max_runs;
  if (is_counted_whole) count_whole(schedule, after);
  // Others come before the last of a full list; and no job alone needs more names than that.
  const bool is_full = forecast_.runs.size() == kForecastRunsMax;
  const auto end_of_names = is_full ? forecast_.runs.back().at : span_.until;
  std::size_t named = 0;
  for (auto at = schedule.next_after(after); at && *at < span_.until && left > 0;
       at = schedule.next_after(*at)) {
    const bool is_named = named < kForecastRunsMax && *at < end_of_names;
    if (is_counted_whole && !is_named) break;
    if (++looks_ > kForecastLooksMax) {
      if (!is_counted_whole) leave_out();
      break;
    }
    if (calendars.excluder(*at) != nullptr) continue;
    --left;
    if (!is_counted_whole) add_instant(*at);
    if (!is_named) continue;
    name(*at, job.id, job.spec->name);
    ++named;
  }
  keep_first();
}

void Forecaster::count_whole(const schedule::Schedule& schedule, Timestamp after) {
  for (std::size_t i = 0; i < forecast_.counts.size(); ++i) {
    const auto begin = span_.from + static_cast<int>(i) * span_.step;
    const auto end = std::min(begin + span_.step, span_.until);
    if (end - kTick <= after) continue;
    forecast_.counts[i] += schedule.count_between({std::max(begin - kTick, after), end - kTick},
                                                  std::numeric_limits<std::int32_t>::max());
  }
}

void Forecaster::add_instant(Timestamp at) {
  if (at < span_.from || at >= span_.until) return;
  ++forecast_.counts[static_cast<std::size_t>((at - span_.from) / span_.step)];
}

void Forecaster::add_run(const UpcomingRun& run) {
  name(run.at, run.job, run.job_name);
  keep_first();
}

void Forecaster::name(Timestamp at, JobId job, const std::string& job_name) {
  forecast_.runs.push_back({at, job, job_name});
}

// In order, so that the last is the one that others come before.
void Forecaster::keep_first() {
  auto& runs = forecast_.runs;
  std::ranges::sort(runs, {}, [](const ForecastRun& run) { return std::tuple(run.at, run.job); });
  if (runs.size() > kForecastRunsMax) runs.resize(kForecastRunsMax);
}

Forecast Forecaster::finish() {
  return std::move(forecast_);
}

}  // namespace chronos
