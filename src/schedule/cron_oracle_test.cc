// The engine against the brute force of tests/oracle: random expressions around clock changes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "oracle/cron_oracle.h"
#include "schedule/cron.h"

namespace chronos::schedule {
namespace {

using oracle::Expression;
using oracle::Policy;

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kHour = 3'600;
constexpr int kExpressionsPerWindow = 150;
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

TEST(CronOracle, AgreesAroundClockChanges) {
  Rng rng(20261105);
  int case_count = 0;
  int hit_count = 0;
  for (const auto& place : places()) {
    const auto zone = *TimeZone::find(place.zone);
    for (const int year : place.years) {
      auto changes = oracle::clock_changes(place.zone, year);
      if (changes.empty()) changes.push_back(oracle::midnight({year, 6, 15}));
      for (const auto change : changes) {
        const auto minutes = oracle::walk(place.zone, change - 5 * kDay / 2, change + kDay);
        for (int i = 0; i < kExpressionsPerWindow && !HasFatalFailure(); ++i) {
          const auto near = oracle::day_of(change + rng.between(-1, 1) * kDay);
          const auto made = oracle::random_expression(rng, near);
          const auto policy = rng.chance(200) ? Policy::skip : Policy::automatic;
          const auto cron = Cron::parse(made.text);
          ASSERT_TRUE(cron) << made.text << ": " << cron.error().message;
          ASSERT_EQ(cron->is_interval(), made.is_interval) << made.text;
          auto expected = oracle::fire_times(made, policy, minutes);
          Window window{change - kDay, change + kDay, change};
          if (expected.size() > kManyTimes)
            window = {change - 3 * kHour, change + 3 * kHour, change};
          std::erase_if(expected,
                        [&](std::int64_t at) { return at < window.begin || at >= window.end; });
          compare(*cron, zone, policy == Policy::skip ? DstPolicy::skip : DstPolicy::automatic,
                  window, expected, rng);
          ++case_count;
          hit_count += expected.empty() ? 0 : 1;
        }
      }
    }
  }
  EXPECT_GE(case_count, 10'000);
  EXPECT_GE(hit_count, case_count / 2);  // or the windows test nothing
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
