// The tables of clock changes of schedule.md §7, row by row, forwards and backwards.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "schedule/cron.h"

namespace chronos::schedule {
namespace {

struct Row {
  std::string_view text;
  std::string_view kind;  // fixed or interval
  std::string_view next;  // local times with offset, as the specification writes them
};

struct Group {
  std::string_view zone;
  std::string_view from;
  std::span<const Row> rows;
};

// America/New_York: gap 2026-03-08 02:00->03:00, asked from 00:00 -05.
constexpr Row kNewYorkGap[] = {
    {"30 2 * * *", "fixed", "2026-03-08 03:00 -04 | 2026-03-09 02:30 -04 | 2026-03-10 02:30 -04"},
    {"0 2 * * *", "fixed", "2026-03-08 03:00 -04 | 2026-03-09 02:00 -04 | 2026-03-10 02:00 -04"},
    {"0,30 2 * * *", "fixed", "2026-03-08 03:00 -04 | 2026-03-09 02:00 -04 | 2026-03-09 02:30 -04"},
    {"0 2,3 * * *", "fixed", "2026-03-08 03:00 -04 | 2026-03-09 02:00 -04 | 2026-03-09 03:00 -04"},
    {"*/15 2 * * *", "interval",
     "2026-03-09 02:00 -04 | 2026-03-09 02:15 -04 | 2026-03-09 02:30 -04"},
    {"0 * * * *", "interval", "2026-03-08 01:00 -05 | 2026-03-08 03:00 -04 | 2026-03-08 04:00 -04"},
    {"0 */2 * * *", "interval",
     "2026-03-08 04:00 -04 | 2026-03-08 06:00 -04 | 2026-03-08 08:00 -04"},
};

// America/New_York: overlap 2026-11-01 02:00->01:00, asked from 00:30 -04.
constexpr Row kNewYorkOverlap[] = {
    {"30 1 * * *", "fixed",
     "2026-11-01 01:30 -04 | 2026-11-02 01:30 -05 | 2026-11-03 01:30 -05 | 2026-11-04 01:30 -05"},
    {"0 1-3 * * *", "fixed",
     "2026-11-01 01:00 -04 | 2026-11-01 02:00 -05 | 2026-11-01 03:00 -05 | 2026-11-02 01:00 -05"},
    {"*/30 1 * * *", "interval",
     "2026-11-01 01:00 -04 | 2026-11-01 01:30 -04 | 2026-11-01 01:00 -05 | 2026-11-01 01:30 -05"},
    {"0 * * * *", "interval",
     "2026-11-01 01:00 -04 | 2026-11-01 01:00 -05 | 2026-11-01 02:00 -05 | 2026-11-01 03:00 -05"},
    {"*/30 * * * *", "interval",
     "2026-11-01 01:00 -04 | 2026-11-01 01:30 -04 | 2026-11-01 01:00 -05 | 2026-11-01 01:30 -05"},
};

// America/New_York: same, asked from 01:45 -04 (first pass).
constexpr Row kNewYorkFirstPass[] = {
    {"30 1 * * *", "fixed",
     "2026-11-02 01:30 -05 | 2026-11-03 01:30 -05 | 2026-11-04 01:30 -05 | 2026-11-05 01:30 -05"},
    {"50 1 * * *", "fixed",
     "2026-11-01 01:50 -04 | 2026-11-02 01:50 -05 | 2026-11-03 01:50 -05 | 2026-11-04 01:50 -05"},
    {"*/20 1 * * *", "interval",
     "2026-11-01 01:00 -05 | 2026-11-01 01:20 -05 | 2026-11-01 01:40 -05 | 2026-11-02 01:00 -05"},
};

// America/New_York: same, asked from 01:10 -05 (second pass).
constexpr Row kNewYorkSecondPass[] = {
    {"30 1 * * *", "fixed",
     "2026-11-02 01:30 -05 | 2026-11-03 01:30 -05 | 2026-11-04 01:30 -05 | 2026-11-05 01:30 -05"},
    {"30 * * * *", "interval",
     "2026-11-01 01:30 -05 | 2026-11-01 02:30 -05 | 2026-11-01 03:30 -05 | 2026-11-01 04:30 -05"},
};

// Europe/London: gap 2026-03-29 01:00->02:00.
constexpr Row kLondonGap[] = {
    {"30 1 * * *", "fixed", "2026-03-29 02:00 +01 | 2026-03-30 01:30 +01 | 2026-03-31 01:30 +01"},
    {"*/20 1 * * *", "interval",
     "2026-03-30 01:00 +01 | 2026-03-30 01:20 +01 | 2026-03-30 01:40 +01"},
    {"0 * * * *", "interval", "2026-03-29 02:00 +01 | 2026-03-29 03:00 +01 | 2026-03-29 04:00 +01"},
};

// Europe/London: overlap 2026-10-25 02:00->01:00, asked from 01:00 +01.
constexpr Row kLondonOverlap[] = {
    {"30 1 * * *", "fixed",
     "2026-10-25 01:30 +01 | 2026-10-26 01:30 +00 | 2026-10-27 01:30 +00 | 2026-10-28 01:30 +00"},
    {"*/30 1 * * *", "interval",
     "2026-10-25 01:30 +01 | 2026-10-25 01:00 +00 | 2026-10-25 01:30 +00 | 2026-10-26 01:00 +00"},
    {"0 2 * * *", "fixed",
     "2026-10-25 02:00 +00 | 2026-10-26 02:00 +00 | 2026-10-27 02:00 +00 | 2026-10-28 02:00 +00"},
};

// Australia/Lord_Howe: gap of 30 min 2026-10-04 02:00->02:30, asked from 00:30.
constexpr Row kLordHoweGap[] = {
    {"15 2 * * *", "fixed", "2026-10-04 02:30 +11 | 2026-10-05 02:15 +11 | 2026-10-06 02:15 +11"},
    {"0 2 * * *", "fixed", "2026-10-04 02:30 +11 | 2026-10-05 02:00 +11 | 2026-10-06 02:00 +11"},
    {"30 2 * * *", "fixed", "2026-10-04 02:30 +11 | 2026-10-05 02:30 +11 | 2026-10-06 02:30 +11"},
    {"15 * * * *", "interval",
     "2026-10-04 01:15 +10:30 | 2026-10-04 03:15 +11 | 2026-10-04 04:15 +11"},
    {"*/15 * * * *", "interval",
     "2026-10-04 00:45 +10:30 | 2026-10-04 01:00 +10:30 | 2026-10-04 01:15 +10:30"},
    {"0 * * * *", "interval",
     "2026-10-04 01:00 +10:30 | 2026-10-04 03:00 +11 | 2026-10-04 04:00 +11"},
};

// Australia/Lord_Howe: overlap of 30 min 2026-04-05 02:00->01:30, asked from 00:00.
constexpr Row kLordHoweOverlap[] = {
    {"45 1 * * *", "fixed",
     "2026-04-05 01:45 +11 | 2026-04-06 01:45 +10:30 | 2026-04-07 01:45 +10:30 | 2026-04-08 01:45 "
     "+10:30"},
    {"15 1 * * *", "fixed",
     "2026-04-05 01:15 +11 | 2026-04-06 01:15 +10:30 | 2026-04-07 01:15 +10:30 | 2026-04-08 01:15 "
     "+10:30"},
    {"45 * * * *", "interval",
     "2026-04-05 00:45 +11 | 2026-04-05 01:45 +11 | 2026-04-05 01:45 +10:30 | 2026-04-05 02:45 "
     "+10:30"},
    {"0 * * * *", "interval",
     "2026-04-05 01:00 +11 | 2026-04-05 02:00 +10:30 | 2026-04-05 03:00 +10:30 | 2026-04-05 04:00 "
     "+10:30"},
};

// Pacific/Apia: whole day 2011-12-30 missing.
constexpr Row kApiaLostDay[] = {
    {"0 9 * * *", "fixed", "2011-12-29 09:00 -10 | 2011-12-31 09:00 +14 | 2012-01-01 09:00 +14"},
    {"0 9 30 12 *", "fixed", "2012-12-30 09:00 +14 | 2013-12-30 09:00 +14 | 2014-12-30 09:00 +14"},
    {"0 9 * * FRI", "fixed", "2012-01-06 09:00 +14 | 2012-01-13 09:00 +14 | 2012-01-20 09:00 +14"},
    {"0 0 * * *", "fixed", "2011-12-31 00:00 +14 | 2012-01-01 00:00 +14 | 2012-01-02 00:00 +14"},
    {"0 * * * *", "interval", "2011-12-29 03:00 -10 | 2011-12-29 04:00 -10 | 2011-12-29 05:00 -10"},
};

// Africa/Casablanca: gap 2026-03-22 02:00->03:00.
constexpr Row kCasablancaGap[] = {
    {"30 2 * * *", "fixed", "2026-03-22 03:00 +01 | 2026-03-23 02:30 +01 | 2026-03-24 02:30 +01"},
    {"*/30 2 * * *", "interval",
     "2026-03-23 02:00 +01 | 2026-03-23 02:30 +01 | 2026-03-24 02:00 +01"},
};

// Africa/Casablanca: overlap 2026-02-15 03:00->02:00.
constexpr Row kCasablancaOverlap[] = {
    {"30 2 * * *", "fixed",
     "2026-02-15 02:30 +01 | 2026-02-16 02:30 +00 | 2026-02-17 02:30 +00 | 2026-02-18 02:30 +00"},
    {"*/30 2 * * *", "interval",
     "2026-02-15 02:00 +01 | 2026-02-15 02:30 +01 | 2026-02-15 02:00 +00 | 2026-02-15 02:30 +00"},
};

// America/Sao_Paulo: gap at midnight 2018-11-04 00:00->01:00.
constexpr Row kSaoPauloGap[] = {
    {"0 0 * * *", "fixed", "2018-11-04 01:00 -02 | 2018-11-05 00:00 -02 | 2018-11-06 00:00 -02"},
    {"30 0 * * *", "fixed", "2018-11-04 01:00 -02 | 2018-11-05 00:30 -02 | 2018-11-06 00:30 -02"},
    {"0 0 * * SUN", "fixed", "2018-11-04 01:00 -02 | 2018-11-11 00:00 -02 | 2018-11-18 00:00 -02"},
    {"*/30 0 * * *", "interval",
     "2018-11-05 00:00 -02 | 2018-11-05 00:30 -02 | 2018-11-06 00:00 -02"},
    {"0 * * * *", "interval", "2018-11-03 10:00 -03 | 2018-11-03 11:00 -03 | 2018-11-03 12:00 -03"},
};

// America/Sao_Paulo: overlap 2018-02-18 00:00->02-17 23:00.
constexpr Row kSaoPauloOverlap[] = {
    {"30 23 * * *", "fixed",
     "2018-02-17 23:30 -02 | 2018-02-18 23:30 -03 | 2018-02-19 23:30 -03 | 2018-02-20 23:30 -03"},
    {"0 0 * * *", "fixed",
     "2018-02-18 00:00 -03 | 2018-02-19 00:00 -03 | 2018-02-20 00:00 -03 | 2018-02-21 00:00 -03"},
    {"*/30 23 * * *", "interval",
     "2018-02-17 23:00 -02 | 2018-02-17 23:30 -02 | 2018-02-17 23:00 -03 | 2018-02-17 23:30 -03"},
};

// Asia/Tehran: gap at midnight 2021-03-22 00:00->01:00.
constexpr Row kTehranGap[] = {
    {"30 0 * * *", "fixed",
     "2021-03-21 00:30 +03:30 | 2021-03-22 01:00 +04:30 | 2021-03-23 00:30 +04:30"},
    {"0 0 * * *", "fixed",
     "2021-03-21 00:00 +03:30 | 2021-03-22 01:00 +04:30 | 2021-03-23 00:00 +04:30"},
};

// Asia/Tehran: overlap 2021-09-22 00:00->09-21 23:00.
constexpr Row kTehranOverlap[] = {
    {"30 23 * * *", "fixed",
     "2021-09-20 23:30 +04:30 | 2021-09-21 23:30 +04:30 | 2021-09-22 23:30 +03:30 | 2021-09-23 "
     "23:30 +03:30"},
    {"*/30 23 * * *", "interval",
     "2021-09-20 23:00 +04:30 | 2021-09-20 23:30 +04:30 | 2021-09-21 23:00 +04:30 | 2021-09-21 "
     "23:30 +04:30"},
};

// Asia/Tehran: no clock changes since 2023.
constexpr Row kTehranNow[] = {
    {"30 0 * * *", "fixed",
     "2023-03-21 00:30 +03:30 | 2023-03-22 00:30 +03:30 | 2023-03-23 00:30 +03:30"},
};

// America/Nuuk: gap 2026-03-28 23:00->03-29 00:00.
constexpr Row kNuukGap[] = {
    {"30 23 * * *", "fixed", "2026-03-29 00:00 -01 | 2026-03-29 23:30 -01 | 2026-03-30 23:30 -01"},
    {"0 23 28 * *", "fixed", "2026-03-29 00:00 -01 | 2026-04-28 23:00 -01 | 2026-05-28 23:00 -01"},
};

constexpr Group kGroups[] = {
    {"America/New_York", "2026-03-08T00:00:00-05:00", kNewYorkGap},
    {"America/New_York", "2026-11-01T00:30:00-04:00", kNewYorkOverlap},
    {"America/New_York", "2026-11-01T01:45:00-04:00", kNewYorkFirstPass},
    {"America/New_York", "2026-11-01T01:10:00-05:00", kNewYorkSecondPass},
    {"Europe/London", "2026-03-29T00:00:00Z", kLondonGap},
    {"Europe/London", "2026-10-25T01:00:00+01:00", kLondonOverlap},
    {"Australia/Lord_Howe", "2026-10-04T00:30:00+10:30", kLordHoweGap},
    {"Australia/Lord_Howe", "2026-04-05T00:00:00+11:00", kLordHoweOverlap},
    {"Pacific/Apia", "2011-12-29T02:00:00-10:00", kApiaLostDay},
    {"Africa/Casablanca", "2026-03-22T00:00:00Z", kCasablancaGap},
    {"Africa/Casablanca", "2026-02-15T00:00:00+01:00", kCasablancaOverlap},
    {"America/Sao_Paulo", "2018-11-03T09:00:00-03:00", kSaoPauloGap},
    {"America/Sao_Paulo", "2018-02-17T12:00:00-02:00", kSaoPauloOverlap},
    {"Asia/Tehran", "2021-03-20T12:00:00+03:30", kTehranGap},
    {"Asia/Tehran", "2021-09-20T12:00:00+04:30", kTehranOverlap},
    {"Asia/Tehran", "2023-03-20T12:00:00+03:30", kTehranNow},
    {"America/Nuuk", "2026-03-28T12:00:00-02:00", kNuukGap},
};

// "2026-03-08 03:00 -04", as the specification writes instants.
std::string show(Timestamp time, const TimeZone& zone) {
  const auto text = format_local(time, zone);  // 2026-03-08T03:00:00-04:00
  EXPECT_EQ(text.substr(16, 3), ":00");
  const auto minutes = text.substr(22);
  return fmt::format("{} {} {}{}", text.substr(0, 10), text.substr(11, 5), text.substr(19, 3),
                     minutes == ":00" ? "" : minutes);
}

std::vector<Timestamp> next_times(const Cron& cron, const TimeZone& zone, Timestamp from,
                                  std::size_t count) {
  std::vector<Timestamp> times;
  for (auto at = cron.next(from, zone); at && times.size() < count; at = cron.next(*at, zone)) {
    times.push_back(*at);
  }
  return times;
}

std::size_t count_of(const Row& row) {
  return static_cast<std::size_t>(std::ranges::count(row.next, '|')) + 1;
}

TEST(ClockChanges, TheTablesOfTheSpecification) {
  for (const auto& group : kGroups) {
    const auto zone = *TimeZone::find(group.zone);
    for (const auto& row : group.rows) {
      const auto cron = *Cron::parse(row.text);
      EXPECT_EQ(cron.is_interval(), row.kind == "interval") << row.text;
      std::string shown;
      for (const auto at : next_times(cron, zone, *parse_timestamp(group.from), count_of(row))) {
        shown += (shown.empty() ? "" : " | ") + show(at, zone);
      }
      EXPECT_EQ(shown, row.next) << row.text << " in " << group.zone;
    }
  }
}

TEST(ClockChanges, TheWayBackMeetsTheSameInstants) {
  for (const auto& group : kGroups) {
    const auto zone = *TimeZone::find(group.zone);
    const auto from = *parse_timestamp(group.from);
    for (const auto& row : group.rows) {
      const auto cron = *Cron::parse(row.text);
      const auto met = next_times(cron, zone, from, count_of(row));
      for (std::size_t i = met.size(); i-- > 1;) {
        EXPECT_EQ(cron.prev(met[i], zone), met[i - 1]) << row.text << " in " << group.zone;
      }
      EXPECT_LE(*cron.prev(met[0], zone), from);
    }
  }
}

}  // namespace
}  // namespace chronos::schedule
