#include "schedule/timezone.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/time_text.h"
#include "support/zone_database.h"

namespace chronos::schedule {
namespace {

using std::chrono::seconds;

Timestamp utc(std::string_view text) {
  return *parse_timestamp(text);
}

WallTime wall(int year, unsigned month, unsigned day, int hour, int minute) {
  return std::chrono::local_days(std::chrono::year(year) / static_cast<int>(month) /
                                 static_cast<int>(day)) +
         std::chrono::hours(hour) + std::chrono::minutes(minute);
}

TEST(TimeZone, AcceptsNamesAndFixedOffsets) {
  for (const auto* name : {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5",
                           "America/Port-au-Prince", "EST5EDT", "CET", "+05:30", "-23:59"}) {
    const auto zone = TimeZone::find(name);
    ASSERT_TRUE(zone) << name;
    EXPECT_EQ(zone->name(), name);
  }
  EXPECT_EQ(TimeZone::find("-00:00")->name(), "+00:00");
  EXPECT_EQ(TimeZone::find("+05:30")->segments().front().offset, seconds(19'800));
  EXPECT_EQ(TimeZone::find("-03:30")->segments().front().offset, seconds(-12'600));
  EXPECT_EQ(TimeZone::utc().name(), "UTC");
  EXPECT_EQ(*TimeZone::find("UTC"), TimeZone::utc());
}

TEST(TimeZone, RefusesEverythingElse) {
  for (const auto* name : {"",
                           "PST",
                           "Local",
                           "local",
                           "localtime",
                           "posixrules",
                           "right/Europe/Berlin",
                           "posix/Europe/Berlin",
                           "/usr/share/zoneinfo/UTC",
                           "../zoneinfo/UTC",
                           "Europe/../UTC",
                           "CET-1CEST",
                           "EST5EDT,M3.2.0,M11.1.0",
                           "europe/berlin",
                           "Europe",
                           "Europe/",
                           "zone.tab",
                           "tzdata",
                           "Mars/Base",
                           "+5:30",
                           "+0530",
                           "+24:00",
                           "+05:60",
                           "UTC+1",
                           "Europe/Berlin ",
                           "file:/etc/passwd",
                           "libc:localtime",
                           "Fixed/UTC+01:00:00",
                           "leapseconds"}) {
    const auto zone = TimeZone::find(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().fields.at(0).code, "unknown_timezone");
    EXPECT_EQ(zone.error().fields.at(0).pointer, "");
  }
  EXPECT_EQ(TimeZone::find("PST").error().hint, "use an IANA name such as Europe/Berlin");
  EXPECT_FALSE(TimeZone::find(std::string(10'000, 'A')));
  EXPECT_FALSE(TimeZone::find(std::string_view("UTC\0", 4)));
}

TEST(TimeZone, SegmentsJoinWithoutHoles) {
  for (const auto* name : {"America/New_York", "Pacific/Apia", "Africa/Casablanca", "UTC"}) {
    const auto zone = *TimeZone::find(name);
    const auto segments = zone.segments();
    for (std::size_t i = 1; i < segments.size(); ++i) {
      EXPECT_EQ(segments[i].begin, segments[i - 1].end);
      EXPECT_NE(segments[i].offset, segments[i - 1].offset);
      EXPECT_GE(segments[i].seen, segments[i - 1].wall_end());
    }
    EXPECT_LT(segments.front().begin, utc("1970-01-01T00:00:00Z") - std::chrono::years(1));
    EXPECT_GT(segments.back().end, utc("2199-12-31T23:59:59Z") + std::chrono::years(1));
  }
  // Two changes a year up to the horizon, far beyond what the file lists one by one.
  EXPECT_GT(TimeZone::find("America/New_York")->segments().size(), 2 * 225);
}

TEST(TimeZone, ResolvesReadings) {
  const auto zone = *TimeZone::find("America/New_York");
  const auto once = zone.resolve(wall(2026, 3, 8, 1, 59));
  EXPECT_EQ(once.kind, WallKind::unique);
  EXPECT_EQ(once.instant, utc("2026-03-08T01:59:00-05:00"));
  const auto skipped = zone.resolve(wall(2026, 3, 8, 2, 30));
  EXPECT_EQ(skipped.kind, WallKind::skipped);
  EXPECT_EQ(skipped.instant, utc("2026-03-08T03:00:00-04:00"));
  EXPECT_EQ(skipped.gap, seconds(3600));
  EXPECT_EQ(zone.resolve(wall(2026, 3, 8, 3, 0)).kind, WallKind::unique);
  EXPECT_EQ(zone.resolve(wall(2026, 11, 1, 0, 59)).kind, WallKind::unique);
  const auto repeated = zone.resolve(wall(2026, 11, 1, 1, 0));
  EXPECT_EQ(repeated.kind, WallKind::repeated);
  EXPECT_EQ(repeated.instant, utc("2026-11-01T01:00:00-04:00"));
  EXPECT_EQ(zone.resolve(wall(2026, 11, 1, 1, 59)).kind, WallKind::repeated);
  EXPECT_EQ(zone.resolve(wall(2026, 11, 1, 2, 0)).kind, WallKind::unique);
  const auto lost_day = TimeZone::find("Pacific/Apia")->resolve(wall(2011, 12, 30, 12, 0));
  EXPECT_EQ(lost_day.kind, WallKind::skipped);
  EXPECT_EQ(lost_day.gap, std::chrono::days(1));
  EXPECT_EQ(lost_day.instant, utc("2011-12-31T00:00:00+14:00"));
}

TEST(TimeZone, WritesLocalTimes) {
  const auto zone = *TimeZone::find("America/New_York");
  EXPECT_EQ(format_local(utc("2026-03-08T07:00:00Z"), zone), "2026-03-08T03:00:00-04:00");
  EXPECT_EQ(format_local(utc("2026-03-08T06:59:59.25Z"), zone), "2026-03-08T01:59:59.250-05:00");
  EXPECT_EQ(format_local(utc("2026-03-08T07:00:00Z"), TimeZone::utc()),
            "2026-03-08T07:00:00+00:00");
  EXPECT_EQ(format_local(utc("2026-01-01T00:00:00Z"), *TimeZone::find("Asia/Kathmandu")),
            "2026-01-01T05:45:00+05:45");
  // -00:44:30 until 1972: the nearest whole minute, the same instant.
  const auto monrovia =
      format_local(utc("1970-06-01T12:00:00Z"), *TimeZone::find("Africa/Monrovia"));
  EXPECT_EQ(utc(monrovia), utc("1970-06-01T12:00:00Z")) << monrovia;
  EXPECT_EQ(format_wall(wall(2026, 3, 8, 2, 5)), "2026-03-08 02:05");
  EXPECT_EQ(format_wall(wall(2026, 3, 8, 2, 5) + seconds(7)), "2026-03-08 02:05:07");
}

// A tz database of its own, in a directory that goes away with it.
TEST(TimeZone, AChangedFileIsReadAgain) {
  test::ZoneDatabase database;
  database.install("Test/Zone", "Asia/Tokyo");
  const auto before = *TimeZone::find("Test/Zone");
  EXPECT_TRUE(before.is_current());
  for (const auto* installed : {"Asia/Kathmandu", "America/Caracas", "Asia/Tokyo"}) {
    const auto stale = *TimeZone::find("Test/Zone");
    database.install("Test/Zone", installed);
    EXPECT_FALSE(stale.is_current());
    const auto fresh = *TimeZone::find("Test/Zone");
    EXPECT_TRUE(fresh.is_current());
    EXPECT_EQ(fresh.segments().back().offset,
              TimeZone::find("Test/Zone")->segments().back().offset);
    EXPECT_NE(fresh.segments().back().offset, stale.segments().back().offset) << installed;
  }
  EXPECT_EQ(before.segments().back().offset, seconds(9 * 3600));  // as it was handed out
  database.remove("Test/Zone");
  EXPECT_TRUE(TimeZone::find("Test/Zone"));  // running jobs keep their zone
  EXPECT_FALSE(TimeZone::find("Test/Other"));
  EXPECT_TRUE(TimeZone::utc().is_current());
  EXPECT_TRUE(TimeZone::find("+01:00")->is_current());
}

// Every name of the installed database.
std::vector<std::string> installed_zones() {
  const std::filesystem::path root = "/usr/share/zoneinfo";
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto name = std::filesystem::relative(entry.path(), root).string();
    if (entry.is_regular_file() && TimeZone::find(name)) names.push_back(name);
  }
  return names;
}

TEST(TimeZone, AgreesWithTheCLibraryInEveryZone) {
  Rng rng(447);
  const auto names = installed_zones();
  EXPECT_GT(names.size(), 300);
  for (const auto& name : names) {
    const auto zone = *TimeZone::find(name);
    setenv("TZ", name.c_str(), 1);
    tzset();
    const auto check = [&](std::int64_t at) {
      const std::time_t time = at;
      std::tm local{};
      localtime_r(&time, &local);
      ASSERT_EQ(zone.segments()[zone.segment_at(Instant(seconds(at)))].offset,
                seconds(local.tm_gmtoff))
          << name << " at " << at;
    };
    for (const auto& segment : zone.segments().subspan(1)) {
      check(segment.begin.time_since_epoch().count() - 1);
      check(segment.begin.time_since_epoch().count());
    }
    for (int i = 0; i < 50; ++i) check(rng.between(0, 7'258'118'399));  // 1970–2199
  }
}

TEST(TimeZone, TheDatabaseHasAnotherStampWhenAnyFileChanges) {
  test::ZoneDatabase database;
  const auto nothing = database_stamp();
  database.install("Test/Zone", "Asia/Tokyo");
  const auto one = database_stamp();
  EXPECT_NE(one, nothing);
  EXPECT_EQ(database_stamp(), one);
  database.install("Other", "Asia/Tokyo");
  const auto two = database_stamp();
  EXPECT_NE(two, one);
  database.install("Test/Zone", "Asia/Kathmandu");
  EXPECT_NE(database_stamp(), two);
  database.install("right/Tokyo", "Asia/Tokyo");  // no zone of ours
  const auto three = database_stamp();
  database.remove("right/Tokyo");
  EXPECT_EQ(database_stamp(), three);
}

}  // namespace
}  // namespace chronos::schedule
