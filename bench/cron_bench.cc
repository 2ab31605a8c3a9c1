// C1: next() of common, rare and worst schedules, in zones with clock changes. The label of each
// row is its schedule and zone, from which bench/cron_libraries.mjs makes the same question for
// others.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "base/time_text.h"
#include "schedule/schedule.h"

namespace {

struct Row {
  const char* name;  // "common/…", "rare/…", "worst/…": which goal it has
  const char* text;
  const char* zone;
};

constexpr std::array kRows = {
    Row{"common/every_five_minutes", "*/5 * * * *", "America/New_York"},
    Row{"common/every_second", "* * * * * *", "America/New_York"},
    Row{"common/half_past_two", "30 2 * * *", "America/New_York"},
    Row{"common/weekdays_at_nine", "0 9 * * MON-FRI", "Europe/London"},
    Row{"common/lists", "5,10,40,55 8-11,13-17 * JAN,MAR,JUL MON,WED,FRI", "Europe/Berlin"},
    Row{"common/hash", "H H * * *", "America/New_York"},
    Row{"common/first_and_fifteenth", "0 0 1,15 * *", "America/New_York"},
    Row{"common/half_hour_zone", "*/15 * * * *", "Australia/Lord_Howe"},
    Row{"common/last_day", "0 0 L * *", "America/New_York"},
    Row{"common/first_monday", "0 9 * * MON#1", "Europe/Berlin"},
    Row{"common/interval", "@every 90s", "America/New_York"},
    Row{"rare/once_a_year", "0 0 1 1 *", "America/New_York"},
    Row{"rare/friday_13th", "0 0 13 * +FRI", "America/New_York"},
    Row{"rare/nearest_weekday", "0 0 15W,LW * *", "America/New_York"},
    Row{"rare/leap_day", "0 0 29 2 *", "America/New_York"},
    Row{"rare/every_month_from_the_31st", "R/2026-01-31T09:00:00/P1M", "America/New_York"},
    Row{"worst/leap_day_on_monday", "0 0 29 2 +MON", "America/New_York"},
    Row{"worst/year_list", "0 0 0 29 2 * 2028/16", "America/New_York"},
    Row{"worst/far_year", "0 0 0 1 1 * 2199", "America/New_York"},
    Row{"worst/never", "0 0 8 * +FRI#1", "America/New_York"},
    // Every year up to the horizon is looked at, and none has such a day.
    Row{"worst/none_left",
        "0 0 0 29 2 +MON "
        "2016,2026-2043,2045-2071,2073-2111,2113-2139,2141-2167,2169-2195,2197-2199",
        "America/New_York"},
    Row{"worst/never_in_any_year", "0 0 0 8 * +FRI#1 1970-2199", "America/New_York"},
};

chronos::schedule::Schedule compiled(const Row& row) {
  chronos::schedule::ScheduleSpec spec;
  spec.cron = {row.text};
  spec.timezone = row.zone;
  spec.seed = "backup";
  return *chronos::schedule::Schedule::compile(spec);
}

// From one instant to the next, as the planner goes; from the start again when the schedule ends.
void next(benchmark::State& state, const Row& row) {
  const auto schedule = compiled(row);
  const auto from = *chronos::parse_timestamp("2026-01-01T00:00:00Z");
  auto at = from;
  for (auto _ : state) {
    const auto found = schedule.next_after(at);
    at = found ? *found : from;
    benchmark::DoNotOptimize(at);
  }
  state.SetLabel(std::string(row.text) + " in " + row.zone);
}

void compile(benchmark::State& state, const Row& row) {
  for (auto _ : state) benchmark::DoNotOptimize(compiled(row));
  state.SetLabel(std::string(row.text) + " in " + row.zone);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& row : kRows) {
    benchmark::RegisterBenchmark(row.name, next, row);
  }
  for (const auto& row : {kRows[3], kRows.back()}) {
    benchmark::RegisterBenchmark((std::string("compile/") + row.name).c_str(), compile, row);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
