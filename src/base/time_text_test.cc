#include "base/time_text.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

using namespace std::chrono_literals;

TEST(TimeText, ReadsAnyOffsetAndWritesUtc) {
  EXPECT_EQ(format_timestamp(*parse_timestamp("2026-03-08T07:30:00Z")), "2026-03-08T07:30:00.000Z");
  EXPECT_EQ(format_timestamp(*parse_timestamp("2026-03-08T07:30:00.123456789+05:30")),
            "2026-03-08T02:00:00.123Z");
  EXPECT_EQ(*parse_timestamp("1970-01-01T00:00:00.000001Z"), from_micros(1));
}

TEST(TimeText, RefusesWhatIsNotATime) {
  for (const auto* text :
       {"", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z", "2026-03-08", "2026-03-08T24:00:00Z", "2026-03-08T07:30:60Z",
        "2026-03-08T07:30:00+24:00", "tomorrow", "2026-03-08T07:30:00Zx", "2026-03-08T07:30:00.Z",
        // Of these years only where they are written down.
        "1970-01-01T00:00:00+00:01", "2199-12-31T23:59:00-00:01"}) {
    EXPECT_FALSE(parse_timestamp(text)) << text;
  }
  const auto without_offset = parse_timestamp("2026-03-08T07:30:00");
  ASSERT_FALSE(without_offset);
  EXPECT_EQ(without_offset.error().fields[0].code, "offset_missing");
}

TEST(TimeText, ReadsEveryFormOfADuration) {
  EXPECT_EQ(*parse_duration("1h30m"), 90min);
  EXPECT_EQ(*parse_duration("200ms"), 200ms);
  EXPECT_EQ(*parse_duration("2d"), 48h);
  EXPECT_EQ(*parse_duration("PT1M30S"), 90s);
  EXPECT_EQ(*parse_duration("P1DT0.5S"), 24h + 500ms);
  EXPECT_EQ(*parse_duration("90"), 90s);
  EXPECT_EQ(*parse_duration("0.25"), 250ms);
  for (const auto* text :
       {"", "x", "1x", "m", "1m1h", "-5s", "1.5h", "P", "PT", "P1Y", "1h 30m", "999999999999w"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(TimeText, WritesTheCanonicalDuration) {
  EXPECT_EQ(format_duration(90min), "1h30m");
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(1500ms), "1s500ms");
  EXPECT_EQ(format_duration(14 * 24h), "14d");
}

}  // namespace
}  // namespace chronos
