// Fields, day rules, nicknames, hashes and limits of schedule.md §2–§5 and §8.
#include "schedule/cron.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "schedule/english.h"

namespace chronos::schedule {
namespace {

Timestamp utc(std::string_view text) {
  return *parse_timestamp(text);
}

Cron cron(std::string_view text, std::string_view seed = {}) {
  auto parsed = Cron::parse(text, seed);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return *parsed;
}

// The matching days of a month as "1 5 31".
std::string days(std::string_view text, int year, int month) {
  std::string shown;
  for (const int bit : bits_of(cron(text).masks().days_of(year, month))) {
    shown += (shown.empty() ? "" : " ") + std::to_string(bit + 1);
  }
  return shown;
}

using Values = std::vector<int>;

Values minutes(std::string_view text) {
  return bits_of(cron(text).masks().minutes());
}
Values hours(std::string_view text) {
  return bits_of(cron(text).masks().hours());
}

std::string next(std::string_view text, std::string_view after) {
  const auto at = cron(text).next(utc(after), TimeZone::utc());
  return at ? format_timestamp(*at).substr(0, 19) : "none";
}
std::string prev(std::string_view text, std::string_view before) {
  const auto at = cron(text).prev(utc(before), TimeZone::utc());
  return at ? format_timestamp(*at).substr(0, 19) : "none";
}

TEST(Cron, FieldsAreCountedAndNeverGuessed) {
  EXPECT_EQ(next("1 2 3 4 *", "2026-01-01T00:00:00Z"), "2026-04-03T02:01:00");
  EXPECT_EQ(next("0 1 2 3 4 *", "2026-01-01T00:00:00Z"), "2026-04-03T02:01:00");
  EXPECT_EQ(next("9 1 2 3 4 *", "2026-01-01T00:00:00Z"), "2026-04-03T02:01:09");
  EXPECT_EQ(next("9 1 2 3 4 * 2030", "2026-01-01T00:00:00Z"), "2030-04-03T02:01:09");
  EXPECT_EQ(next(" \t0  0\t* * *\r\n", "2026-01-01T00:00:00Z"), "2026-01-02T00:00:00");
}

TEST(Cron, StepsCountFromTheFieldsMinimumOrTheValue) {
  EXPECT_EQ(minutes("*/15 * * * *"), (Values{0, 15, 30, 45}));
  EXPECT_EQ(minutes("7/20 * * * *"), (Values{7, 27, 47}));
  EXPECT_EQ(minutes("10-30/8 * * * *"), (Values{10, 18, 26}));
  EXPECT_EQ(minutes("*/90 * * * *"), (Values{0}));
  EXPECT_EQ(minutes("5,5,1-5,3-9/2 * * * *"), (Values{1, 2, 3, 4, 5, 7, 9}));
  EXPECT_EQ(minutes("000000007 * * * *"), (Values{7}));
  EXPECT_EQ(hours("0 */5 * * *"), (Values{0, 5, 10, 15, 20}));
  EXPECT_EQ(days("0 0 */10 * *", 2026, 1), "1 11 21 31");
  // Years count from 1970: no leap years.
  EXPECT_EQ(next("0 0 0 1 1 * */4", "2026-01-01T00:00:00Z"), "2030-01-01T00:00:00");
  EXPECT_EQ(next("0 0 0 1 1 * 2024/4", "2026-01-01T00:00:00Z"), "2028-01-01T00:00:00");
  EXPECT_EQ(next("0 0 0 1 1 * 2027,2100-2102", "2028-01-01T00:00:00Z"), "2100-01-01T00:00:00");
}

TEST(Cron, WeekdaysAreZeroToSevenWithNames) {
  // November 2026 begins on a Sunday.
  EXPECT_EQ(days("0 0 * * 0", 2026, 11), "1 8 15 22 29");
  EXPECT_EQ(days("0 0 * * 7", 2026, 11), "1 8 15 22 29");
  EXPECT_EQ(days("0 0 * * sun", 2026, 11), "1 8 15 22 29");
  EXPECT_EQ(days("0 0 * * 5/2", 2026, 11), "1 6 8 13 15 20 22 27 29");  // Friday and Sunday
  EXPECT_EQ(days("0 0 * * FRI-SUN", 2026, 11), "1 6 7 8 13 14 15 20 21 22 27 28 29");
  EXPECT_EQ(days("0 0 * * 6-0", 2026, 11), "1 7 8 14 15 21 22 28 29");
  EXPECT_EQ(days("0 0 * * 6-7", 2026, 11), "1 7 8 14 15 21 22 28 29");
  EXPECT_EQ(days("0 0 * * MON-5/4", 2026, 11), "2 6 9 13 16 20 23 27 30");
  EXPECT_EQ(days("0 0 * * 1-7/4", 2026, 11), "2 6 9 13 16 20 23 27 30");  // not Sunday
  EXPECT_EQ(days("0 17 ? * 0,4-6", 2026, 11), "1 5 6 7 8 12 13 14 15 19 20 21 22 26 27 28 29");
  EXPECT_EQ(days("0 0 * JAN-mar,12 1", 2026, 11), "");
  EXPECT_EQ(days("0 0 * JAN-mar,12 1", 2026, 12), "7 14 21 28");
}

TEST(Cron, TheLastDays) {
  EXPECT_EQ(days("0 0 L * *", 2026, 2), "28");
  EXPECT_EQ(days("0 0 L * *", 2028, 2), "29");
  EXPECT_EQ(days("0 0 L-3 * *", 2026, 4), "27");
  EXPECT_EQ(days("0 0 L-30 * *", 2026, 4), "");  // day 0
  EXPECT_EQ(days("0 0 L-30 * *", 2026, 5), "1");
  EXPECT_EQ(days("0 0 1,L,15 * *", 2026, 4), "1 15 30");
  EXPECT_EQ(days("0 0 LW * *", 2026, 5), "29");    // the 31st is a Sunday
  EXPECT_EQ(days("0 0 LW * *", 2026, 10), "30");   // the 31st is a Saturday
  EXPECT_EQ(days("0 0 LW * *", 2026, 3), "31");    // a Tuesday
  EXPECT_EQ(days("0 0 L-1W * *", 2026, 5), "29");  // the 30th is a Saturday
  EXPECT_EQ(days("0 0 L-30W * *", 2026, 8), "3");  // the 1st is a Saturday
}

TEST(Cron, TheNearestWeekdayStaysInTheMonth) {
  EXPECT_EQ(days("0 0 15W * *", 2026, 8), "14");   // Saturday -> Friday
  EXPECT_EQ(days("0 0 15W * *", 2026, 11), "16");  // Sunday -> Monday
  EXPECT_EQ(days("0 0 15W * *", 2026, 10), "15");  // Thursday
  EXPECT_EQ(days("0 0 1W * *", 2026, 8), "3");     // Saturday the 1st -> Monday the 3rd
  EXPECT_EQ(days("0 0 1W * *", 2026, 11), "2");    // Sunday the 1st -> Monday
  EXPECT_EQ(days("0 0 31W * *", 2026, 5), "29");   // Sunday the last -> Friday
  EXPECT_EQ(days("0 0 31W * *", 2026, 4), "");     // April has no 31st
  EXPECT_EQ(days("0 0 15W,LW * *", 2026, 8), "14 31");
}

TEST(Cron, TheNthWeekday) {
  EXPECT_EQ(days("0 0 * * MON#1", 2026, 11), "2");
  EXPECT_EQ(days("0 0 * * 7#5", 2026, 11), "29");
  EXPECT_EQ(days("0 0 * * TUE#5", 2026, 11), "");
  EXPECT_EQ(days("0 0 * * 5L", 2026, 11), "27");
  EXPECT_EQ(days("0 0 * * FRIL", 2026, 11), "27");
  EXPECT_EQ(days("0 0 * * FRI#L", 2026, 11), "27");
  EXPECT_EQ(days("0 0 * * MON#1,FRI,0L", 2026, 11), "2 6 13 20 27 29");
}

TEST(Cron, TwoDayFieldsMeanEitherAndPlusMeansBoth) {
  EXPECT_EQ(days("0 0 13 * FRI", 2026, 11), "6 13 20 27");
  EXPECT_EQ(days("0 0 13 * FRI", 2026, 10), "2 9 13 16 23 30");
  EXPECT_EQ(days("0 0 13 * +FRI", 2026, 11), "13");
  EXPECT_EQ(days("0 0 13 * +FRI", 2026, 10), "");
  EXPECT_EQ(days("0 0 1-7 * +MON", 2026, 10), "5");
  // One open field leaves it to the other; ? and */1 are open, 1-31, 0-6 and */2 are not.
  EXPECT_EQ(days("0 0 * * 1", 2026, 11), "2 9 16 23 30");
  EXPECT_EQ(days("0 0 ? * 1", 2026, 11), "2 9 16 23 30");
  EXPECT_EQ(days("0 0 */1 * 1", 2026, 11), "2 9 16 23 30");
  EXPECT_EQ(days("0 0 5,* * 1", 2026, 11), "2 9 16 23 30");
  EXPECT_EQ(days("0 0 9 * */1", 2026, 11), "9");
  EXPECT_EQ(days("0 0 9 * +*", 2026, 11), "9");
  EXPECT_EQ(days("0 0 1-31 * 1", 2026, 2).size(), days("0 0 * * *", 2026, 2).size());
  EXPECT_EQ(days("0 0 9 * 0-6", 2026, 2), days("0 0 * * *", 2026, 2));
  EXPECT_EQ(days("0 0 */15 * MON", 2026, 11), "1 2 9 16 23 30");
}

struct Nickname {
  std::string_view name;
  std::string_view fields;
};

TEST(Cron, NicknamesEqualTheirFields) {
  constexpr Nickname kTable[] = {
      {"@yearly", "0 0 1 1 *"},         {"@annually", "0 0 1 1 *"},
      {"@monthly", "0 0 1 * *"},        {"@weekly", "0 0 * * 0"},
      {"@daily", "0 0 * * *"},          {"@midnight", "0 0 * * *"},
      {"@hourly", "0 * * * *"},         {"@minutely", "* * * * *"},
      {"@secondly", "* * * * * *"},     {"@weekdays", "0 0 * * 1-5"},
      {"@weekends", "0 0 * * 0,6"},     {"@quarterly", "0 0 1 1,4,7,10 *"},
      {"@semiannually", "0 0 1 1,7 *"},
  };
  for (const auto& [name, fields] : kTable) {
    auto at = utc("2026-02-27T22:58:59Z");
    for (int i = 0; i < 20; ++i) {
      const auto named = cron(name).next(at, TimeZone::utc());
      ASSERT_EQ(named, cron(fields).next(at, TimeZone::utc())) << name;
      at = *named;
    }
    EXPECT_EQ(cron(name).is_interval(), cron(fields).is_interval());
    EXPECT_EQ(cron(name).text(), name);
  }
}

TEST(Cron, OtherTextsOfTheGrammarAreNotCron) {
  EXPECT_EQ(Cron::parse("@every 5m").error().code, "not_cron");
  EXPECT_EQ(Cron::parse("@at 2026-01-01T00:00:00Z").error().code, "not_cron");
}

TEST(Cron, TheHashHasTheSpecifiedBits) {
  EXPECT_EQ(field_hash("", 'm'), 0x9096fb7fb9ae4e5b);
  EXPECT_EQ(field_hash("", 'h'), 0x5a7944cba24e07d3);
  EXPECT_EQ(field_hash("", 'D'), 0xf1296d37e60de7d7);
  EXPECT_EQ(field_hash("backup", 's'), 0xea76218f20eebc31);
  EXPECT_EQ(field_hash("backup", 'm'), 0x4f76cc60b8b79376);
  EXPECT_EQ(field_hash("backup", 'h'), 0x35a32ff22d69b7cb);
  EXPECT_EQ(field_hash("backup", 'D'), 0xf6ec0cbc2435d6cf);
  EXPECT_EQ(field_hash("backup", 'M'), 0xaabc6b492a59573f);
  EXPECT_EQ(field_hash("backup", 'W'), 0x1f661f77a4c0db70);
  EXPECT_EQ(field_hash("d\u00e9j\u00e0-vu", 'm'), 0xf4191a9162da1fd6);
  // The high half of the product, also where the low half carries.
  EXPECT_EQ(pick(0xffffffffffffffff, 60), 59);
  EXPECT_EQ(pick(0, 60), 0);
  EXPECT_EQ(pick(0x8000000000000000, 60), 30);
  EXPECT_EQ(pick(0x5555555555555556, 3), 1);
  EXPECT_EQ(pick(0x5555555555555555, 3), 0);
}

TEST(Cron, HashesSpreadByTheirSeed) {
  const auto minutes_of = [](std::string_view text, std::string_view seed) {
    return bits_of(cron(text, seed).masks().minutes());
  };
  const auto hours_of = [](std::string_view text, std::string_view seed) {
    return bits_of(cron(text, seed).masks().hours());
  };
  EXPECT_EQ(minutes_of("H H * * *", ""), (Values{33}));
  EXPECT_EQ(hours_of("H H * * *", ""), (Values{8}));
  EXPECT_EQ(minutes_of("H H * * *", "backup"), (Values{18}));
  EXPECT_EQ(hours_of("H H * * *", "backup"), (Values{5}));
  EXPECT_EQ(minutes_of("H H * * *", "nightly-report"), (Values{45}));
  EXPECT_EQ(hours_of("H H * * *", "nightly-report"), (Values{21}));
  EXPECT_EQ(minutes_of("H/15 * * * *", "backup"), (Values{4, 19, 34, 49}));
  EXPECT_EQ(minutes_of("H(0-29)/10 * * * *", "backup"), (Values{3, 13, 23}));
  EXPECT_EQ(bits_of(cron("H H H * *", "backup").masks().days_of(2026, 2)), (Values{27}));
  const auto both = cron("0 0 * H H", "backup");
  EXPECT_EQ(bits_of(both.masks().days_of(2026, 9)), (Values{5, 12, 19, 26}));  // Sundays
  EXPECT_EQ(both.masks().days_of(2026, 8), 0);
}

TEST(Cron, TildeIsAHashWithItsRangeWrittenOut) {
  for (const auto* seed : {"", "backup", "nightly-report", "x"}) {
    const auto same = [&](std::string_view one, std::string_view other) {
      const auto at = utc("2026-01-01T00:00:00Z");
      EXPECT_EQ(cron(one, seed).next(at, TimeZone::utc()),
                cron(other, seed).next(at, TimeZone::utc()))
          << one << " and " << other;
    };
    same("0~29 * * * *", "H(0-29) * * * *");
    same("~30 * * * *", "H(0-30) * * * *");
    same("30~ * * * *", "H(30-59) * * * *");
    same("~ * * * *", "H * * * *");
    same("0 0 ~ * *", "0 0 H(1-28) * *");
    same("0 0 5~ * *", "0 0 H(5-31) * *");
    same("0 0 * * MON~FRI", "0 0 * * H(1-5)");
    same("0 0 * * FRI~SUN", "0 0 * * H(5-7)");
    same("0 0 * * ~", "0 0 * * H(0-6)");
    same("0 0 * * 0~", "0 0 * * H(0-6)");
    same("0~40/7 * * * *", "H(0-40)/7 * * * *");
  }
  // A step wider than the range still leaves one value.
  EXPECT_EQ(bits_of(cron("H(5-9)/30 * * * *", "backup").masks().minutes()).size(), 1);
}

TEST(Cron, TheClassIsTextual) {
  for (const auto* text : {"0 2 * * *", "0 0-23 * * *", "0,30 1-5 * * *", "H H * * *",
                           "0~29 3 * * *", "5 30 2 * * *", "0 0 */2 * */3", "0 0 0 1 1 * */2"}) {
    EXPECT_FALSE(cron(text).is_interval()) << text;
  }
  for (const auto* text : {"* 2 * * *", "0 * * * *", "0 0-23/2 * * *", "H/15 2 * * *",
                           "*/5 30 2 * * *", "5,10/20 3 * * *", "0 1,* * * *", "0~40/7 3 * * *"}) {
    EXPECT_TRUE(cron(text).is_interval()) << text;
  }
}

TEST(Cron, DatesThatCannotBeAreFlagged) {
  for (const auto* text :
       {"0 0 30 2 *", "0 0 31 4 *", "0 0 31 2,4,6,9,11 *", "0 0 8 * +FRI#1", "0 0 0 29 2 * 2027",
        "0 0 0 29 2 * 2100", "0 0 31W 4 *", "0 0 L-30 2 *", "0 0 1 * +2#2", "0 0 1W * +SUN"}) {
    EXPECT_TRUE(cron(text).is_never()) << text;
    EXPECT_EQ(next(text, "1970-01-01T00:00:00Z"), "none") << text;
    EXPECT_EQ(prev(text, "2199-12-31T00:00:00Z"), "none") << text;
  }
  for (const auto* text : {"0 0 29 2 *", "0 0 29 2 +MON", "0 0 31 * *", "0 0 7 * +FRI#1",
                           "0 0 0 29 2 * 2028", "0 0 30 2 MON", "0 0 L-28 2 *", "0 0 * 2 +MON#5"}) {
    EXPECT_FALSE(cron(text).is_never()) << text;
  }
}

TEST(Cron, TheCalendarIsGregorianTo2199) {
  EXPECT_EQ(next("0 0 29 2 *", "2096-03-01T00:00:00Z"), "2104-02-29T00:00:00");
  EXPECT_EQ(prev("0 0 29 2 *", "2104-02-29T00:00:00Z"), "2096-02-29T00:00:00");
  EXPECT_EQ(next("0 0 29 2 +MON", "2026-01-01T00:00:00Z"), "2044-02-29T00:00:00");
  EXPECT_EQ(next("0 0 31 * *", "2026-03-31T00:00:00Z"), "2026-05-31T00:00:00");
  EXPECT_EQ(next("59 59 23 31 12 *", "2199-12-31T23:59:58Z"), "2199-12-31T23:59:59");
  EXPECT_EQ(next("* * * * *", "2199-12-31T23:59:00Z"), "none");
  EXPECT_EQ(prev("* * * * *", "1970-01-01T00:00:30Z"), "1970-01-01T00:00:00");
  EXPECT_EQ(prev("* * * * *", "1970-01-01T00:00:00Z"), "none");
  EXPECT_EQ(next("0 0 0 1 1 * 2025", "2026-01-01T00:00:00Z"), "none");
  EXPECT_EQ(prev("0 0 0 1 1 * 2027", "2026-01-01T00:00:00Z"), "none");
}

TEST(Cron, ZonesShiftTheHorizon) {
  // The local year counts: Kiritimati is 14 hours ahead, and its 1970 began 10:40 behind.
  const auto zone = *TimeZone::find("Pacific/Kiritimati");
  const auto every_hour = cron("0 * * * *");
  EXPECT_EQ(every_hour.next(utc("2199-12-31T08:30:00Z"), zone), utc("2199-12-31T09:00:00Z"));
  EXPECT_EQ(every_hour.next(utc("2199-12-31T09:00:00Z"), zone), std::nullopt);
  EXPECT_EQ(every_hour.prev(utc("1970-01-01T10:40:00Z"), zone), std::nullopt);
  EXPECT_EQ(every_hour.prev(utc("1970-01-01T10:40:01Z"), zone), utc("1970-01-01T10:40:00Z"));
}

TEST(Cron, FractionsOfASecondAreKept) {
  const auto at_nine = cron("0 9 * * *");
  const auto nine = utc("2026-11-05T09:00:00Z");
  EXPECT_EQ(at_nine.next(nine - Duration(1), TimeZone::utc()), nine);
  EXPECT_EQ(at_nine.next(nine, TimeZone::utc()), nine + std::chrono::days(1));
  EXPECT_EQ(at_nine.next(nine + Duration(1), TimeZone::utc()), nine + std::chrono::days(1));
  EXPECT_EQ(at_nine.prev(nine + Duration(1), TimeZone::utc()), nine);
  EXPECT_EQ(at_nine.prev(nine, TimeZone::utc()), nine - std::chrono::days(1));
  EXPECT_EQ(at_nine.next(from_micros(-1), TimeZone::utc()), utc("1970-01-01T09:00:00Z"));
  EXPECT_EQ(at_nine.next(utc("1970-01-01T00:00:00Z") - std::chrono::years(50), TimeZone::utc()),
            utc("1970-01-01T09:00:00Z"));
}

TEST(Cron, SkipDropsGapsAndSecondPasses) {
  const auto zone = *TimeZone::find("America/New_York");
  const auto skip = DstPolicy::skip;
  const auto spring = utc("2026-03-08T00:00:00-05:00");
  EXPECT_EQ(cron("30 2 * * *").next(spring, zone, skip), utc("2026-03-09T02:30:00-04:00"));
  EXPECT_EQ(cron("30 2 * * *").prev(utc("2026-03-09T02:30:00-04:00"), zone, skip),
            utc("2026-03-07T02:30:00-05:00"));
  const auto autumn = utc("2026-11-01T01:30:00-04:00");
  EXPECT_EQ(cron("*/30 * * * *").next(autumn, zone, skip), utc("2026-11-01T02:00:00-05:00"));
  EXPECT_EQ(cron("*/30 * * * *").prev(utc("2026-11-01T02:00:00-05:00"), zone, skip), autumn);
  EXPECT_EQ(cron("30 1 * * *").next(utc("2026-11-01T00:00:00-04:00"), zone, skip), autumn);
  EXPECT_EQ(parse_dst_policy("auto"), DstPolicy::automatic);
  EXPECT_EQ(parse_dst_policy("skip"), DstPolicy::skip);
  EXPECT_EQ(parse_dst_policy("both"), std::nullopt);
  EXPECT_EQ(to_string(DstPolicy::automatic), "auto");
  EXPECT_EQ(to_string(DstPolicy::skip), "skip");
}

TEST(Cron, ASecondPassIsFoundAfterTheLastReading) {
  // After 23:30 on the only day of the only year, the clock is set back to 23:00 of that day.
  const auto zone = *TimeZone::find("America/Sao_Paulo");
  const auto only_then = cron("0 */30 23 17 2 * 2018");
  const auto first_pass = utc("2018-02-17T23:30:00-02:00");
  const auto second_pass = utc("2018-02-17T23:00:00-03:00");
  EXPECT_EQ(only_then.next(first_pass, zone), second_pass);
  EXPECT_EQ(only_then.prev(second_pass, zone), first_pass);
  EXPECT_EQ(only_then.next(utc("2018-02-17T23:30:00-03:00"), zone), std::nullopt);
}

TEST(Cron, AFirstPassIsFoundBeforeAnEarlierReading) {
  // At 23:10 of the second pass the last reading that matches is a year old, but the first pass
  // went on to 23:45.
  const auto zone = *TimeZone::find("America/Sao_Paulo");
  EXPECT_EQ(cron("45/30 23 17 2 *").prev(utc("2018-02-17T23:10:00-03:00"), zone),
            utc("2018-02-17T23:45:00-02:00"));
}

TEST(Cron, AMovedInstantIsNoReadingOfTheExpression) {
  const auto zone = *TimeZone::find("America/New_York");
  const auto moved = *cron("30 2 * * *").next(utc("2026-03-08T00:00:00-05:00"), zone);
  EXPECT_EQ(moved, utc("2026-03-08T03:00:00-04:00"));
  EXPECT_FALSE(
      cron("30 2 * * *").matches(zone.wall(std::chrono::floor<std::chrono::seconds>(moved))));
  EXPECT_TRUE(
      cron("0 2,3 * * *").matches(zone.wall(std::chrono::floor<std::chrono::seconds>(moved))));
}

}  // namespace
}  // namespace chronos::schedule
