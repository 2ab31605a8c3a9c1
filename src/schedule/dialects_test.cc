// The spellings of AWS, Quartz and systemd: what they mean in our own fields, and what is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/time_text.h"
#include "schedule/expression.h"
#include "schedule/schedule.h"
#include "schedule/words.h"

namespace chronos::schedule {
namespace {

Timestamp utc(std::string_view text) {
  return *parse_timestamp(text);
}

Cron cron(std::string_view text) {
  auto parsed = parse_expression(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return std::get<Cron>(parsed->body);
}

// Both fire at the same instants around a clock change and a leap day, and share their class.
void expect_same(std::string_view text, std::string_view meant) {
  const auto zone = *TimeZone::find("America/New_York");
  const auto one = cron(text);
  const auto other = cron(meant);
  EXPECT_EQ(one.text(), text);
  EXPECT_EQ(one.is_interval(), other.is_interval()) << text;
  for (const auto* from :
       {"2026-03-07T12:00:00Z", "2026-10-31T12:00:00Z", "2028-02-20T00:00:00Z"}) {
    auto at = utc(from);
    for (int i = 0; i < 40; ++i) {
      const auto next = one.next(at, zone);
      ASSERT_EQ(next, other.next(at, zone)) << text << " is not " << meant;
      if (!next) break;
      at = *next;
    }
  }
}

struct Pair {
  std::string_view text;
  std::string_view meant;
};

constexpr Pair kQuartz[] = {
    {"quartz:0 0 12 * * ?", "0 0 12 * * *"},
    {"quartz: 0 15 10 ? * *", "0 15 10 * * *"},
    {"quartz: 0 15 10 * * ? 2027", "0 15 10 * * * 2027"},
    {"quartz: 0 * 14 * * ?", "0 * 14 * * *"},
    {"quartz: 0 0/5 14,18 * * ?", "0 0/5 14,18 * * *"},
    {"quartz: 0 10,44 14 ? 3 WED", "0 10,44 14 * 3 WED"},
    {"quartz: 0 15 10 ? * 2-6", "0 15 10 * * MON-FRI"},
    {"quartz: 0 15 10 ? * 1", "0 15 10 * * SUN"},
    {"quartz: 0 15 10 ? * 7", "0 15 10 * * SAT"},
    {"quartz: 0 15 10 ? * SUN-SAT", "0 15 10 * * 0-6"},
    {"quartz: 0 15 10 ? * 2/2", "0 15 10 * * 1,3,5"},
    {"quartz: 0 15 10 ? * */3", "0 15 10 * * 0,3,6"},
    {"quartz: 0 15 10 L * ?", "0 15 10 L * *"},
    {"quartz: 0 15 10 L-2 * ?", "0 15 10 L-2 * *"},
    {"quartz: 0 15 10 LW * ?", "0 15 10 LW * *"},
    {"quartz: 0 15 10 15w * ?", "0 15 10 15W * *"},
    {"quartz: 0 15 10 l-3w * ?", "0 15 10 L-3W * *"},
    {"quartz: 0 15 10 ? * L", "0 15 10 * * SAT"},
    {"quartz: 0 15 10 ? * 6L", "0 15 10 * * FRIL"},
    {"quartz: 0 15 10 ? * fril", "0 15 10 * * FRIL"},
    {"quartz: 0 15 10 ? * 6#3", "0 15 10 * * FRI#3"},
    {"quartz: 0 15 10 ? jan,Jul mon", "0 15 10 * JAN,JUL MON"},
    {"quartz: 0 0 22-2 * * ?", "0 0 22,23,0,1,2 * * *"},
    {"quartz: 0 50-10/7 8 * * ?", "0 50/7,4/60 8 * * *"},
    {"quartz: 50-5 0 8 * * ?", "50-59,0-5 0 8 * * *"},
    {"quartz: 0 0 8 28-3 * ?", "0 0 8 28-31,1-3 * *"},
    {"quartz: 0 0 8 1 NOV-FEB ?", "0 0 8 1 11,12,1,2 *"},
    {"quartz: 0 0 8 ? * FRI-MON", "0 0 8 * * 5,6,0,1"},
    {"quartz: 0 0 8 ? * SAT-SUN", "0 0 8 * * 6,0"},
    {"quartz: 0 /5 * * * ?", "0 */5 * * * *"},
    {"quartz: 0 30 2 * * ?", "0 30 2 * * *"},
};

constexpr Pair kAws[] = {
    {"cron(0 10 * * ? *)", "0 10 * * *"},
    {"cron(15 12 ? * * 2027)", "0 15 12 * * * 2027"},
    {"cron( 0 18 ? * MON-FRI * )", "0 18 * * MON-FRI"},
    {"cron(0 8 1 * ? *)", "0 8 1 * *"},
    {"cron(0/15 * * * ? *)", "0/15 * * * *"},
    {"cron(0/5 8-17 ? * 2-6 *)", "0/5 8-17 * * 1-5"},
    {"cron(0 9 ? * 2#1 *)", "0 9 * * MON#1"},
    {"cron(0 9 ? * 6L *)", "0 9 * * FRIL"},
    {"cron(0 9 ? * L *)", "0 9 * * SAT"},
    {"cron(0 9 3W * ? *)", "0 9 3W * *"},
    {"cron(0 9 L * ? 2027-2028)", "0 0 9 L * * 2027-2028"},
};

constexpr Pair kSystemd[] = {
    {"systemd:Mon..Fri *-*-* 08:00", "0 8 * * MON-FRI"},
    {"systemd: 08:00", "0 8 * * *"},
    {"systemd: Sat,Sun", "0 0 * * SAT,SUN"},
    {"systemd: Mon,wednesday..FRI 8:05:30", "30 5 8 * * 1,3-5"},
    {"systemd: Mon-Wed,Sun 8:00", "0 8 * * 1-3,0"},
    {"systemd: Sat..Sun 8:00", "0 8 * * SAT-SUN"},
    {"systemd: *-*-01", "0 0 1 * *"},
    {"systemd: 12-24 18:00", "0 18 24 12 *"},
    {"systemd: 2027-*-1,15 4:00", "0 0 4 1,15 * * 2027"},
    {"systemd: *-*-1/2 4:00", "0 4 1/2 * *"},
    {"systemd: *-*-10..20/5 4:00", "0 4 10-20/5 * *"},
    {"systemd: *-*~01 4:00", "0 4 L * *"},
    {"systemd: *-02~03 4:00", "0 4 L-2 2 *"},
    {"systemd: *-*~7/2 4:00", "0 4 L-6,L-4,L-2,L * *"},
    {"systemd: *-*~1..3 4:00", "0 4 L-2,L-1,L * *"},
    {"systemd: *-*~1..31/10 4:00", "0 4 L-30,L-20,L-10,L * *"},
    {"systemd: Mon *-*~07/1 4:00", "0 4 * * MONL"},
    {"systemd: Mon *-05~07/1 4:00", "0 4 * 5 MONL"},
    {"systemd: Fri *-*-13 4:00", "0 4 13 * +FRI"},
    {"systemd: *:0/5", "0/5 * * * *"},
    {"systemd: *:*", "* * * * *"},
    {"systemd: *:*:0/10", "0/10 * * * * *"},
    {"systemd: 9..17:0,30", "0,30 9-17 * * *"},
    {"systemd: 9..17/2:00", "0 9-17/2 * * *"},
    {"systemd: 2026/2-1-1", "0 0 0 1 1 * 2026/2"},
    {"systemd: minutely", "* * * * *"},
    {"systemd: hourly", "0 * * * *"},
    {"systemd: Daily", "0 0 * * *"},
    {"systemd: weekly", "0 0 * * MON"},
    {"systemd: monthly", "0 0 1 * *"},
    {"systemd: quarterly", "0 0 1 1,4,7,10 *"},
    {"systemd: semiannually", "0 0 1 1,7 *"},
    {"systemd: semi-annually", "0 0 1 1,7 *"},
    {"systemd: yearly", "0 0 1 1 *"},
    {"systemd: annually", "0 0 1 1 *"},
};

TEST(Dialects, QuartzInOurOwnFields) {
  for (const auto& [text, meant] : kQuartz) expect_same(text, meant);
}

TEST(Dialects, AwsCronInOurOwnFields) {
  for (const auto& [text, meant] : kAws) expect_same(text, meant);
}

TEST(Dialects, SystemdInOurOwnFields) {
  for (const auto& [text, meant] : kSystemd) expect_same(text, meant);
}

TEST(Dialects, RatesAreIntervalsAndAtIsLocal) {
  const auto period = [](std::string_view text) {
    return std::get<EveryText>(parse_expression(text)->body).period;
  };
  EXPECT_EQ(period("rate(1 minute)"), std::chrono::minutes(1));
  EXPECT_EQ(period("rate(90 minutes)"), std::chrono::minutes(90));
  EXPECT_EQ(period("rate( 1  hour )"), std::chrono::hours(1));
  EXPECT_EQ(period("TZ=UTC rate(7 days)"), std::chrono::days(7));
  const auto at = parse_expression("at(2026-12-24T18:00:00)");
  ASSERT_TRUE(std::holds_alternative<LocalText>(at->body));
  EXPECT_EQ(std::get<LocalText>(at->body).column, 4);
}

struct Words {
  std::string_view text;
  std::string_view words;
};

TEST(Dialects, HaveWords) {
  constexpr Words kTable[] = {
      {"quartz: 0 15 10 ? * 2-6", "at 10:15 on Monday through Friday"},
      {"quartz: 0 0 22-2 * * ?", "at 00:00, 01:00, 02:00, 22:00 and 23:00 every day"},
      {"quartz: 0 0 8 1 NOV-FEB ?",
       "at 08:00 on the 1st of January, February, November and December"},
      {"quartz: 0 0 8 ? * SAT-TUE", "at 08:00 on Monday, Tuesday, Saturday and Sunday"},
      {"cron(0 9 ? * 6L *)", "at 09:00 on the last Friday of the month"},
      {"systemd: Mon..Fri 08:00", "at 08:00 on Monday through Friday"},
      {"systemd: *-*~7/3 4:00",
       "at 04:00 on the 7th-to-last day, the 4th-to-last day and the last day of every month"},
      {"systemd: Fri *-*-13", "at 00:00 on the 13th of every month if it is a Friday"},
      {"systemd: weekly", "at 00:00 on Monday"},
      {"systemd: *:0/5", "every 5 minutes"},
  };
  for (const auto& [text, words] : kTable) EXPECT_EQ(in_words(cron(text)), words) << text;
}

std::vector<std::string> codes(std::string_view text) {
  std::vector<std::string> found;
  for (const auto& warning : text_warnings(cron(text))) found.push_back(warning.code);
  return found;
}

TEST(Dialects, HaveTheirOwnWarnings) {
  using Codes = std::vector<std::string>;
  EXPECT_EQ(codes("0 0 9 ? * 2-6"), (Codes{"W-quartz-week"}));
  EXPECT_EQ(codes("quartz: 0 0 9 ? * 2-6"), (Codes{}));  // it says so itself
  EXPECT_EQ(codes("cron(0 9 ? * 2-6 *)"), (Codes{}));
  EXPECT_EQ(codes("quartz: 0 0/90 9 ? * 2"), (Codes{"W-step-wide"}));
  EXPECT_EQ(codes("quartz: * 30 9 * * ?"), (Codes{"W-every-second"}));
  EXPECT_EQ(codes("quartz: 0 0 9 30-2 * ?"), (Codes{"W-short-month"}));
  EXPECT_EQ(codes("quartz: 0 0 9 31 NOV-FEB ?"), (Codes{"W-short-month"}));
  EXPECT_EQ(codes("systemd: Fri *-*-13"), (Codes{}));  // both is what systemd means
  EXPECT_EQ(codes("systemd: *-*-31"), (Codes{"W-short-month"}));
  EXPECT_EQ(codes("systemd: 9:30:*"), (Codes{}));
  EXPECT_EQ(text_warnings(cron("systemd: *-*-31")).at(0).message,
            "February, April, June, September and November have no day 31; the last day of a month "
            "is `*-*~01`");
  EXPECT_EQ(text_warnings(cron("systemd: 0..23:00")).at(0).message,
            "`0..23` is a list of fixed times when clocks change; `*` follows the clock");
}

TEST(Dialects, ASystemdTextMayNameItsZone) {
  const auto parsed = parse_expression("systemd:Mon 08:00 Europe/Berlin");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->zone->name(), "Europe/Berlin");
  EXPECT_EQ(parsed->zone_column, 19);
  EXPECT_EQ(parse_expression("systemd: weekly UTC")->zone->name(), "UTC");
  EXPECT_EQ(parse_expression("TZ=UTC systemd:Mon 08:00 UTC")->zone->name(), "UTC");
  EXPECT_EQ(parse_expression("TZ=Asia/Tokyo systemd:Mon 08:00 UTC").error().code,
            "timezone_conflict");
  ScheduleSpec spec;
  spec.cron = {"systemd:Mon 08:00 Europe/Berlin"};
  EXPECT_EQ(in_words(*Schedule::compile(spec)), "At 08:00 on Monday, Europe/Berlin");
  spec.timezone = "Asia/Tokyo";
  EXPECT_EQ(Schedule::compile(spec).error().fields.at(0).code, "timezone_conflict");
  EXPECT_EQ(Schedule::compile(spec).error().fields.at(0).column, 19);
}

}  // namespace
}  // namespace chronos::schedule
