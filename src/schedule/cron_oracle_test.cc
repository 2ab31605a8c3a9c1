// The engine against the brute force of tests/oracle: random expressions around clock changes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "base/time_text.h"
#include "oracle/cron_oracle.h"
#include "schedule/expression.h"
#include "schedule/schedule.h"

namespace chronos::schedule {
namespace {

using oracle::Expression;
using oracle::Policy;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kHour = 3'600;
constexpr std::size_t kManyTimes = 100;  // more are compared near the change only

struct Place {
  std::string zone;
  std::vector<int> years;
};

// The zones and years of schedule.md §7, and others for their odd rules: gaps of 15 to 180 minutes
// or a day, changes at midnight, at 23:00 and at one minute past, the southern hemisphere, and
// years that only the footer of a zone file knows.
const std::vector<Place>& places() {
  static const std::vector<Place> kPlaces = {
      {"America/New_York", {2026, 1974, 2199}},
      {"Europe/London", {2026, 1995}},
      {"Europe/Berlin", {2027, 2150}},
      {"Europe/Dublin", {2026}},
      {"Australia/Lord_Howe", {2026, 1985}},
      {"Australia/Sydney", {2100}},
      {"Pacific/Apia", {2010, 2011}},
      {"Pacific/Kiritimati", {1994, 1995}},
      {"Pacific/Kwajalein", {1993}},
      {"Africa/Casablanca", {2012, 2026}},
      {"Africa/Cairo", {2010, 2026}},
      {"America/Sao_Paulo", {2018}},
      {"America/Havana", {2026}},
      {"America/Vancouver", {2026}},
      {"America/Caracas", {2007, 2016}},
      {"America/Santiago", {2026}},
      {"America/Nuuk", {2023, 2026}},
      {"America/St_Johns", {1988, 2006}},
      {"Asia/Tehran", {2021, 2023}},
      {"Asia/Gaza", {2026}},
      {"Asia/Beirut", {2026}},
      {"Asia/Kathmandu", {1985, 1986}},
      {"Asia/Kabul", {2026}},
      {"Asia/Kolkata", {2026}},
      {"Asia/Pyongyang", {2015, 2018}},
      {"Antarctica/Casey", {2020}},
      {"Antarctica/Troll", {2026}},
      {"Pacific/Chatham", {2026}},
      {"Pacific/Norfolk", {2019}},
      {"UTC", {2024}},
  };
  return kPlaces;
}

Timestamp at_second(std::int64_t seconds) {
  return Timestamp(std::chrono::seconds(seconds));
}

struct Window {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t change;
};

// Everything the engine says within a window: forwards, backwards, from points in between, and how
// many lie between them.
void compare(const Cron& cron, const TimeZone& zone, DstPolicy policy, Window window,
             const std::vector<std::int64_t>& expected, Rng& rng) {
  std::vector<std::int64_t> forwards;
  for (auto at = cron.next(at_second(window.begin) - Duration(1), zone, policy);
       at && *at < at_second(window.end); at = cron.next(*at, zone, policy)) {
    forwards.push_back(to_micros(*at) / 1'000'000);
  }
  ASSERT_EQ(forwards, expected) << cron.text() << " in " << zone.name();

  std::vector<std::int64_t> backwards;
  for (auto at = cron.prev(at_second(window.end), zone, policy);
       at && *at >= at_second(window.begin); at = cron.prev(*at, zone, policy)) {
    backwards.push_back(to_micros(*at) / 1'000'000);
  }
  std::ranges::reverse(backwards);
  ASSERT_EQ(backwards, expected) << cron.text() << " in " << zone.name() << ", backwards";

  const auto random_point = [&] {
    return from_micros(rng.between(window.begin * 1'000'000, window.end * 1'000'000));
  };
  const auto change = at_second(window.change);
  const Timestamp points[] = {change - std::chrono::seconds(1),
                              change - Duration(1),
                              change,
                              change + Duration(1),
                              random_point(),
                              random_point()};
  for (const auto point : points) {
    const auto after = std::ranges::upper_bound(expected, point, {}, at_second);
    const auto next = cron.next(point, zone, policy);
    if (after != expected.end()) {
      ASSERT_EQ(next, at_second(*after)) << cron.text();
    } else if (next) {
      ASSERT_GE(*next, at_second(window.end)) << cron.text();
    }
    const auto before = std::ranges::lower_bound(expected, point, {}, at_second);
    const auto prev = cron.prev(point, zone, policy);
    if (before != expected.begin()) {
      ASSERT_EQ(prev, at_second(*std::prev(before))) << cron.text();
    } else if (prev) {
      ASSERT_LT(*prev, at_second(window.begin)) << cron.text();
    }
  }
  for (const auto after : points) {
    for (const auto through : points) {
      const auto in_window = [&](Timestamp time) {
        return std::clamp(time, at_second(window.begin) - Duration(1),
                          at_second(window.end) - Duration(1));
      };
      const auto count = std::ranges::count_if(expected, [&](std::int64_t at) {
        return at_second(at) > in_window(after) && at_second(at) <= in_window(through);
      });
      ASSERT_EQ(cron.count_between(in_window(after), in_window(through), zone, policy), count)
          << cron.text() << " in " << zone.name();
    }
  }
}

// How many expressions in all the tests below try together, about; CHRONOS_ORACLE_CASES raises it.
int wanted_cases() {
  const char* text = std::getenv("CHRONOS_ORACLE_CASES");
  return std::max(10'000, text == nullptr ? 0 : std::atoi(text));
}

struct Tally {
  int case_count = 0;
  int hit_count = 0;
  int respelled_count = 0;
};

DstPolicy policy_of(Policy policy) {
  return policy == Policy::skip ? DstPolicy::skip : DstPolicy::automatic;
}

// One expression around one change, in our words or another scheduler's.
void try_expression(const Expression& made, const TimeZone& zone,
                    const std::vector<oracle::Minute>& minutes, std::int64_t change, Rng& rng,
                    Tally& tally) {
  const auto policy = rng.chance(200) ? Policy::skip : Policy::automatic;
  const auto parsed = parse_expression(made.text);
  ASSERT_TRUE(parsed) << made.text << ": " << parsed.error().message;
  const auto& cron = std::get<Cron>(parsed->body);
  ASSERT_EQ(cron.is_interval(), made.is_interval) << made.text;
  auto expected = oracle::fire_times(made, policy, minutes);
  Window window{change - kDay, change + kDay, change};
  if (expected.size() > kManyTimes) window = {change - 3 * kHour, change + 3 * kHour, change};
  std::erase_if(expected, [&](std::int64_t at) { return at < window.begin || at >= window.end; });
  compare(cron, zone, policy_of(policy), window, expected, rng);
  ++tally.case_count;
  tally.hit_count += expected.empty() ? 0 : 1;
}

// `count` random expressions around one change; every fifth also in other schedulers' words.
void try_change(const TimeZone& zone, std::int64_t change, int count, Rng& rng, Tally& tally) {
  const auto minutes = oracle::walk(zone.name(), change - 5 * kDay / 2, change + kDay);
  for (int i = 0; i < count && !testing::Test::HasFatalFailure(); ++i) {
    const auto near = oracle::day_of(change + rng.between(-1, 1) * kDay);
    const auto made = oracle::random_expression(rng, near);
    try_expression(made, zone, minutes, change, rng, tally);
    if (i % 5 != 0) continue;
    for (const auto respelled : {oracle::in_quartz, oracle::in_aws, oracle::in_systemd}) {
      const auto other = respelled(made);
      if (!other || testing::Test::HasFatalFailure()) continue;
      try_expression(*other, zone, minutes, change, rng, tally);
      ++tally.respelled_count;
    }
  }
}

std::vector<std::int64_t> changes_of(const std::string& zone, int year) {
  auto changes = oracle::clock_changes(zone, year);
  if (changes.empty()) changes.push_back(oracle::midnight({year, 6, 15}));
  return changes;
}

TEST(CronOracle, AgreesAroundClockChanges) {
  Rng rng(20261105);
  Tally tally;
  int window_count = 0;
  for (const auto& place : places()) {
    for (const int year : place.years) {
      window_count += static_cast<int>(changes_of(place.zone, year).size());
    }
  }
  const int each = wanted_cases() / window_count + 1;
  for (const auto& place : places()) {
    const auto zone = *TimeZone::find(place.zone);
    for (const int year : place.years) {
      for (const auto change : changes_of(place.zone, year)) {
        try_change(zone, change, each, rng, tally);
      }
    }
  }
  EXPECT_GE(places().size(), 20);
  EXPECT_GE(tally.case_count, wanted_cases());
  EXPECT_GE(tally.hit_count, tally.case_count * 2 / 5);  // or the windows test nothing
  EXPECT_GE(tally.respelled_count, tally.case_count / 20);
  RecordProperty("cases", tally.case_count);
  std::cout << tally.case_count << " expressions around " << window_count << " changes in "
            << places().size() << " zones, " << tally.respelled_count
            << " of them in other schedulers' words\n";
}

TEST(CronOracle, AgreesInAnyYear) {
  Rng rng(19702199);
  Tally tally;
  const int wanted = wanted_cases() / 5;
  while (tally.case_count < wanted && !HasFatalFailure()) {
    const auto& place =
        places()[static_cast<std::size_t>(rng.between(0, static_cast<int>(places().size()) - 1))];
    const int year = static_cast<int>(rng.between(1971, 2198));
    const auto changes = changes_of(place.zone, year);
    const auto change =
        changes[static_cast<std::size_t>(rng.between(0, static_cast<int>(changes.size()) - 1))];
    try_change(*TimeZone::find(place.zone), change, 25, rng, tally);
  }
  EXPECT_GE(tally.hit_count, tally.case_count * 2 / 5);
  std::cout << tally.case_count << " expressions in random years from 1971 to 2198\n";
}

struct IsoCase {
  std::string text;
  oracle::Repetition meant;
};

IsoCase random_repetition(Rng& rng, std::int64_t start) {
  constexpr int kMonths[] = {0, 0, 0, 1, 1, 2, 12};
  constexpr int kDays[] = {0, 1, 1, 2, 7, 30};
  constexpr int kMinutes[] = {0, 0, 0, 30, 60, 90};
  oracle::Repetition meant{.start = start, .months = 0, .days = 0, .seconds = 0, .count = 0};
  while (meant.months == 0 && meant.days == 0) {
    meant.months = kMonths[rng.between(0, std::ssize(kMonths) - 1)];
    meant.days = kDays[rng.between(0, std::ssize(kDays) - 1)];
  }
  const int minutes = kMinutes[rng.between(0, std::ssize(kMinutes) - 1)];
  meant.seconds = minutes * 60;
  meant.count = static_cast<int>(rng.between(1, 40));
  const auto wall = format_timestamp(at_second(start));
  const auto time = minutes == 0 ? "" : fmt::format("T{}M", minutes);
  return {fmt::format("R{}/{}/P{}M{}D{}", meant.count, wall.substr(0, 19), meant.months, meant.days,
                      time),
          meant};
}

TEST(CronOracle, AgreesOnRepetitionsByTheCalendar) {
  Rng rng(8601);
  const int each = std::max(20, wanted_cases() / 500);
  int instant_count = 0;
  for (const auto& place : places()) {
    const int year = place.years.front();
    const auto change = changes_of(place.zone, year).front();
    const auto minutes = oracle::walk(place.zone, change - 70 * kDay, change + 20 * kDay);
    for (int i = 0; i < each && !HasFatalFailure(); ++i) {
      // A start that is shown, at least two days into the walk, at a time of the day at which the
      // clock may change.
      const auto& first = minutes[static_cast<std::size_t>(rng.between(3 * 1440, 60 * 1440))];
      const auto near = first.wall / 900 * 900;
      const auto made = random_repetition(rng, near);
      ScheduleSpec spec;
      spec.cron = {made.text};
      spec.timezone = place.zone;
      const auto policy = rng.chance(200) ? Policy::skip : Policy::automatic;
      spec.dst = policy_of(policy);
      const auto schedule = Schedule::compile(spec);
      if (!schedule) continue;  // starts on a date that never was
      const auto expected = oracle::repeat_times(made.meant, policy, minutes);
      auto at = at_second(minutes.front().utc);
      for (const auto second : expected) {
        const auto next = schedule->next_after(at);
        ASSERT_EQ(next, at_second(second)) << made.text << " in " << place.zone;
        ASSERT_EQ(schedule->latest_at_or_before(*next), next) << made.text;
        at = *next;
        ++instant_count;
      }
    }
  }
  EXPECT_GE(instant_count, each * static_cast<int>(places().size()) * 3);
}

TEST(CronOracle, AgreesOnTheDaysOfEveryMonth) {
  Rng rng(1970);
  for (int i = 0; i < 1'500; ++i) {
    const oracle::Day near{2026, static_cast<int>(rng.between(1, 12)),
                           static_cast<int>(rng.between(1, 28))};
    const auto made = oracle::random_expression(rng, near);
    const auto cron = Cron::parse(made.text);
    ASSERT_TRUE(cron) << made.text;
    for (int j = 0; j < 4; ++j) {
      const int year = static_cast<int>(rng.between(1970, 2199));
      const int month = static_cast<int>(rng.between(1, 12));
      std::uint32_t expected = 0;
      for (auto at = oracle::midnight({year, month, 1});; at += kDay) {
        const auto day = oracle::day_of(at);
        if (day.month != month) break;
        if (made.matches(day)) expected |= 1u << (day.day - 1);
      }
      ASSERT_EQ(cron->masks().days_of(year, month), expected)
          << made.text << " in month " << month << " of " << year;
    }
  }
}

}  // namespace
}  // namespace chronos::schedule
