#include "schedule/repeat_rule.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>

namespace chronos::schedule {
namespace {

using std::chrono::days;
using std::chrono::local_days;

local_days day_of(std::string_view text) {
  return std::chrono::floor<days>(parse_ical_time(text)->wall);
}

// The first eight days on which an event begins, up to the end of the calendar.
std::string days_of(std::string_view start, std::string_view text) {
  auto rule = RepeatRule::parse(text);
  if (!rule) return rule.error().message;
  std::optional<local_days> until;
  if (rule->until()) until = std::chrono::floor<days>(rule->until()->wall);
  rule->start_on(day_of(start), until);
  std::string found;
  int count = 0;
  const local_days end(std::chrono::year(2200) / 1 / 1);
  for (auto day = day_of(start) - days(40); day < end && count < 8; day += days(1)) {
    if (!rule->begins_on(day)) continue;
    const std::chrono::year_month_day date(day);
    if (count++ > 0) found += ' ';
    found += fmt::format("{:04}{:02}{:02}", int(date.year()), unsigned(date.month()),
                         unsigned(date.day()));
  }
  return found;
}

// What python-dateutil 2.9 has for the same rules.
TEST(RepeatRule, SaysTheDaysThatDateutilSays) {
  struct Row {
    std::string_view start;
    std::string_view rule;
    std::string_view days;
  };
  for (const auto& row : {
           Row{"20260105", "FREQ=DAILY",
               "20260105 20260106 20260107 20260108 20260109 20260110 20260111 20260112"},
           Row{"20260105", "FREQ=DAILY;INTERVAL=10;COUNT=5",
               "20260105 20260115 20260125 20260204 20260214"},
           Row{"20260105", "FREQ=DAILY;BYMONTH=2",
               "20260201 20260202 20260203 20260204 20260205 20260206 20260207 20260208"},
           Row{"20260105", "FREQ=DAILY;BYDAY=MO,FR",
               "20260105 20260109 20260112 20260116 20260119 20260123 20260126 20260130"},
           Row{"20260101", "FREQ=DAILY;BYMONTHDAY=1,-1",
               "20260101 20260131 20260201 20260228 20260301 20260331 20260401 20260430"},
           Row{"20260106", "FREQ=WEEKLY",
               "20260106 20260113 20260120 20260127 20260203 20260210 20260217 20260224"},
           Row{"20260106", "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
               "20260106 20260118 20260120 20260201 20260203 20260215 20260217 20260301"},
           Row{"20260106", "FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,SU",
               "20260106 20260111 20260120 20260125 20260203 20260208 20260217 20260222"},
           Row{"20260105", "FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20260120",
               "20260105 20260107 20260109 20260112 20260114 20260116 20260119"},
           Row{"20260105", "FREQ=WEEKLY;COUNT=3;BYDAY=MO,TH", "20260105 20260108 20260112"},
           Row{"20260131", "FREQ=MONTHLY",
               "20260131 20260331 20260531 20260731 20260831 20261031 20261231 20270131"},
           Row{"20260131", "FREQ=MONTHLY;BYMONTHDAY=-1",
               "20260131 20260228 20260331 20260430 20260531 20260630 20260731 20260831"},
           Row{"20260113", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
               "20260213 20260313 20261113 20270813 20281013 20290413 20290713 20300913"},
           Row{"20260102", "FREQ=MONTHLY;BYDAY=1FR",
               "20260102 20260206 20260306 20260403 20260501 20260605 20260703 20260807"},
           Row{"20260130", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=4",
               "20260130 20260227 20260327 20260424"},
           Row{"20260105", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=5,10",
               "20260105 20260110 20260405 20260410 20260705 20260710 20261005 20261010"},
           Row{"20260105", "FREQ=MONTHLY;BYDAY=MO;BYMONTH=3",
               "20260302 20260309 20260316 20260323 20260330 20270301 20270308 20270315"},
           Row{"20260301", "FREQ=YEARLY",
               "20260301 20270301 20280301 20290301 20300301 20310301 20320301 20330301"},
           Row{"20240229", "FREQ=YEARLY",
               "20240229 20280229 20320229 20360229 20400229 20440229 20480229 20520229"},
           Row{"20261225", "FREQ=YEARLY;COUNT=3", "20261225 20271225 20281225"},
           Row{"20261126", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
               "20261126 20271125 20281123 20291122 20301128 20311127 20321125 20331124"},
           Row{"20260525", "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO",
               "20260525 20270531 20280529 20290528 20300527 20310526 20320531 20330530"},
           Row{"20260101", "FREQ=YEARLY;BYDAY=1MO,-1FR",
               "20260105 20261225 20270104 20271231 20280103 20281229 20290101 20291228"},
           Row{"20260105", "FREQ=YEARLY;BYDAY=20MO",
               "20260518 20270517 20280515 20290514 20300520 20310519 20320517 20330516"},
           Row{"20260115", "FREQ=YEARLY;BYMONTHDAY=15;INTERVAL=2",
               "20260115 20260215 20260315 20260415 20260515 20260615 20260715 20260815"},
           Row{"20260105", "FREQ=YEARLY;BYMONTH=1,6",
               "20260105 20260605 20270105 20270605 20280105 20280605 20290105 20290605"},
           Row{"20260101", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
               "20261103 20301105 20341107 20381102 20421104 20461106 20501108 20541103"},
           Row{"20260101", "FREQ=YEARLY;BYDAY=SU;BYMONTH=4",
               "20260405 20260412 20260419 20260426 20270404 20270411 20270418 20270425"},
           Row{"20260105", "FREQ=DAILY;UNTIL=20260108T000000Z",
               "20260105 20260106 20260107 20260108"},
       }) {
    EXPECT_EQ(days_of(row.start, row.rule), row.days) << row.rule;
  }
}

TEST(RepeatRule, CountMayReachTheEndOfTheCalendar) {
  EXPECT_EQ(days_of("21991230", "FREQ=DAILY;COUNT=100000"), "21991230 21991231");
}

TEST(RepeatRule, WhatIsNotUnderstoodIsRefused) {
  struct Row {
    std::string_view rule;
    std::string_view message;
  };
  for (const auto& row : {
           Row{"", "FREQ is missing"},
           Row{"INTERVAL=2", "FREQ is missing"},
           Row{"FREQ=HOURLY", "'FREQ=HOURLY' is not understood"},
           Row{"FREQ=DAILY;BYSETPOS=1", "'BYSETPOS=1' is not understood"},
           Row{"FREQ=DAILY;INTERVAL=0", "'INTERVAL=0' is not understood"},
           Row{"FREQ=DAILY;COUNT=-1", "'COUNT=-1' is not understood"},
           Row{"FREQ=DAILY;COUNT=1;UNTIL=20260101", "COUNT and UNTIL may not stand together"},
           Row{"FREQ=DAILY;UNTIL=20260230", "'UNTIL=20260230' is not understood"},
           Row{"FREQ=WEEKLY;BYDAY=XX", "'BYDAY=XX' is not understood"},
           Row{"FREQ=WEEKLY;BYDAY=1MO", "BYDAY has a number, which needs MONTHLY or YEARLY"},
           Row{"FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY has no meaning with FREQ=WEEKLY"},
           Row{"FREQ=MONTHLY;BYDAY=0MO", "'BYDAY=0MO' is not understood"},
           Row{"FREQ=YEARLY;BYMONTH=13", "'BYMONTH=13' is not understood"},
           Row{"FREQ=MONTHLY;BYMONTHDAY=0", "'BYMONTHDAY=0' is not understood"},
       }) {
    const auto rule = RepeatRule::parse(row.rule);
    ASSERT_FALSE(rule) << row.rule;
    EXPECT_EQ(rule.error().message, row.message);
    EXPECT_EQ(rule.error().fields.front().code, "bad_rule");
  }
}

TEST(ICalTime, DatesAndTimes) {
  EXPECT_FALSE(parse_ical_time("20261224")->has_time);
  EXPECT_TRUE(parse_ical_time("20261224T090000Z")->is_utc);
  const auto time = parse_ical_time("20261224T093015");
  EXPECT_EQ(time->wall, day_of("20261224") + std::chrono::hours(9) + std::chrono::minutes(30) +
                            std::chrono::seconds(15));
  for (const auto* text : {"", "2026", "20261324", "20260230", "20261224T", "20261224T250000",
                           "20261224T0900", "19691224", "2026122x", "20261224Z"}) {
    EXPECT_FALSE(parse_ical_time(text)) << text;
  }
}

}  // namespace
}  // namespace chronos::schedule
