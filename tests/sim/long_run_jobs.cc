#include "long_run_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace chronos::sim {
namespace {

using namespace std::chrono_literals;
using oracle::DayItem;
using oracle::Expression;
using Values = std::vector<int>;

Values range(int low, int high, int step = 1) {
  Values values;
  for (int value = low; value <= high; value += step) values.push_back(value);
  return values;
}

// Second 0 of these minutes of these hours, every day.
Expression at(const Values& minutes, const Values& hours, bool is_interval = false) {
  Expression expression;
  expression.seconds[0] = true;
  for (const int minute : minutes) expression.minutes[static_cast<std::size_t>(minute)] = true;
  for (const int hour : hours) expression.hours[static_cast<std::size_t>(hour)] = true;
  expression.months.fill(true);
  expression.years.fill(true);
  expression.any_date = expression.any_weekday = true;
  expression.is_interval = is_interval;
  return expression;
}

Expression on_weekdays(Expression expression, Values weekdays) {
  expression.any_weekday = false;
  expression.weekdays = {{.kind = DayItem::Kind::values, .values = std::move(weekdays)}};
  return expression;
}

Expression on_the_last_day(Expression expression) {
  expression.any_date = false;
  expression.dates = {{.kind = DayItem::Kind::last}};
  return expression;
}

const Values kAllHours = range(0, 23);

const std::vector<LongRunJob> kJobs = {
    {"a fixed time in gap and overlap",
     R"("cron":"30 2 * * *","timezone":"Europe/Berlin")",
     R"("overlap":"skip")",
     1h,
     "Europe/Berlin",
     oracle::Policy::automatic,
     {at({30}, {2})}},
    {"the same, none in the gap",
     R"("cron":"30 2 * * *","timezone":"America/New_York","dst":"skip")",
     R"("misfire":{"policy":"run_all"})",
     1h,
     "America/New_York",
     oracle::Policy::skip,
     {at({30}, {2})}},
    {"every half hour, with long runs",
     R"("cron":"*/30 * * * *","timezone":"America/New_York")",
     R"("overlap":"skip")",
     50min,
     "America/New_York",
     oracle::Policy::automatic,
     {at({0, 30}, kAllHours, true)}},
    {"a zone that moves by half an hour",
     R"("cron":"15 */2 * * *","timezone":"Australia/Lord_Howe")",
     R"("overlap":"queue_one","misfire":{"policy":"run_all","max":5,"grace":"5m"})",
     3h,
     "Australia/Lord_Howe",
     oracle::Policy::automatic,
     {at({15}, range(0, 22, 2), true)}},
    {"midnight in a zone whose gap is there",
     R"("cron":"0 0 * * *","timezone":"America/Santiago")",
     R"("misfire":{"policy":"skip"})",
     1h,
     "America/Santiago",
     oracle::Policy::automatic,
     {at({0}, {0})}},
    {"working days",
     R"("cron":"0 9 * * MON-FRI","timezone":"Europe/London")",
     R"("overlap":"queue_all","misfire":{"policy":"run_all","window":"36h"})",
     40h,
     "Europe/London",
     oracle::Policy::automatic,
     {on_weekdays(at({0}, {9}), range(1, 5))}},
    {"a list of expressions",
     R"("cron":["*/20 9-17 * * *","0,30 1-3 * * *"],"timezone":"Europe/Berlin")",
     R"("overlap":"allow")",
     2h,
     "Europe/Berlin",
     oracle::Policy::automatic,
     {at({0, 20, 40}, range(9, 17), true), at({0, 30}, range(1, 3))}},
    {"the newest wins",
     R"("cron":"0 */6 * * *","timezone":"Asia/Kathmandu")",
     R"("overlap":"cancel_running")",
     10h,
     "Asia/Kathmandu",
     oracle::Policy::automatic,
     {at({0}, range(0, 18, 6), true)}},
    {"the last day of the month",
     R"("cron":"45 23 L * *")",
     R"("overlap":"allow")",
     1h,
     "UTC",
     oracle::Policy::automatic,
     {on_the_last_day(at({45}, {23}))}},
    {"an interval with long runs",
     R"("every":"97m")",
     R"("overlap":"queue_one")",
     3h,
     "UTC",
     oracle::Policy::automatic,
     {},
     97min},
    {"an interval with a short memory",
     R"("every":"1h")",
     R"("misfire":{"window":"2h"})",
     10min,
     "UTC",
     oracle::Policy::automatic,
     {},
     1h},
    {"instants older than the window",
     R"("every":"2h")",
     R"("misfire":{"policy":"run_all","window":"12h"})",
     10min,
     "UTC",
     oracle::Policy::automatic,
     {},
     2h},
    {"a zone with Ramadan",
     R"("cron":"7 * * * *","timezone":"Africa/Casablanca")",
     R"("misfire":{"policy":"skip","grace":"10m"})",
     30min,
     "Africa/Casablanca",
     oracle::Policy::automatic,
     {at({7}, kAllHours, true)}},
};

}  // namespace

std::string LongRunJob::body() const {
  return fmt::format(
      R"({{"name":"{}",{},{},"action":{{"kind":"http"}},"timeout":"48h","max_attempts":2,)"
      R"("retry":{{"delay":"1m"}},"retention":{{"runs":10000000,"age":"5000d"}}}})",
      name, schedule, policies);
}

std::vector<Timestamp> LongRunJob::expected(Timestamp from, Timestamp until) const {
  std::vector<Timestamp> instants;
  if (every > Duration(0)) {
    for (auto time = from + every; time <= until; time += every) instants.push_back(time);
    return instants;
  }
  const auto seconds = [](Timestamp time) { return to_micros(time) / 1'000'000; };
  constexpr std::int64_t kDay = 86'400;
  const auto minutes = oracle::walk(zone, seconds(from) - 2 * kDay, seconds(until) + kDay);
  for (const auto& expression : expressions) {
    for (const auto second : oracle::fire_times(expression, policy, minutes)) {
      const Timestamp time{std::chrono::seconds(second)};
      if (time > from && time <= until) instants.push_back(time);
    }
  }
  std::ranges::sort(instants);
  instants.erase(std::ranges::unique(instants).begin(), instants.end());
  return instants;
}

const std::vector<LongRunJob>& long_run_jobs() {
  return kJobs;
}

}  // namespace chronos::sim
