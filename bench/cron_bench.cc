// C1: next() of common and rare expressions in a zone with clock changes.
#include <benchmark/benchmark.h>

#include "base/time_text.h"
#include "schedule/schedule.h"

namespace {

void next(benchmark::State& state, const char* expression, const char* zone) {
  chronos::schedule::ScheduleSpec spec;
  spec.cron = {expression};
  spec.timezone = zone;
  const auto schedule = chronos::schedule::Schedule::compile(spec);
  const auto from = *chronos::parse_timestamp("2026-01-01T00:00:00Z");
  auto at = from;
  for (auto _ : state) {
    const auto found = schedule->next_after(at);
    at = found ? *found : from;
    benchmark::DoNotOptimize(at);
  }
}

}  // namespace

BENCHMARK_CAPTURE(next, every_five_minutes, "*/5 * * * *", "America/New_York");
BENCHMARK_CAPTURE(next, half_past_two, "30 2 * * *", "America/New_York");
BENCHMARK_CAPTURE(next, weekdays_at_nine, "0 9 * * MON-FRI", "Europe/London");
BENCHMARK_CAPTURE(next, last_day, "0 0 L * *", "America/New_York");
BENCHMARK_CAPTURE(next, leap_day, "0 0 29 2 *", "America/New_York");
BENCHMARK_CAPTURE(next, leap_day_on_monday, "0 0 29 2 +MON", "America/New_York");
BENCHMARK_MAIN();
