#include "schedule/jitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/time_text.h"
#include "schedule/schedule.h"

namespace chronos::schedule {
namespace {

using namespace std::chrono_literals;

constexpr JitterSeeds kSeeds{"backup", "job_1"};
constexpr Timestamp kInstant{std::chrono::seconds(1'772'323'200)};

TEST(Jitter, RandomSpreadsEvenlyAndIsTheSameWhenAskedAgain) {
  const StartJitter jitter{.max = 10s};
  std::array<int, 10> buckets{};
  for (int i = 0; i < 10'000; ++i) {
    const auto at = kInstant + i * 1min;
    const auto offset = offset_of(jitter, kSeeds, at);
    ASSERT_GE(offset, 0s);
    ASSERT_LT(offset, 10s);
    ASSERT_EQ(offset, offset_of(jitter, kSeeds, at));
    ASSERT_EQ(offset % 1ms, 0s);
    ++buckets[static_cast<std::size_t>(offset / 1s)];
  }
  EXPECT_GT(std::ranges::min(buckets), 850);
  EXPECT_LT(std::ranges::max(buckets), 1150);
}

TEST(Jitter, RandomDiffersBetweenJobsOfOneName) {
  const StartJitter jitter{.max = 1h};
  EXPECT_NE(offset_of(jitter, {"backup", "job_1"}, kInstant),
            offset_of(jitter, {"backup", "job_2"}, kInstant));
}

TEST(Jitter, StableIsTheSameForEveryInstantAndSpreadsJobs) {
  const StartJitter jitter{.max = 1h, .mode = JitterMode::stable};
  std::set<Duration> offsets;
  for (int i = 0; i < 100; ++i) {
    const auto name = "job " + std::to_string(i);
    const auto offset = offset_of(jitter, {name, "x"}, kInstant);
    EXPECT_EQ(offset, offset_of(jitter, {name, "y"}, kInstant + 1h));
    offsets.insert(offset);
  }
  EXPECT_GT(offsets.size(), 95U);
}

TEST(Jitter, TheSmallestIsNone) {
  EXPECT_EQ(offset_of({.max = 1ms}, kSeeds, kInstant), 0s);
}

TEST(Jitter, MustBeShorterThanTheShortestInterval) {
  const auto check = [](std::vector<std::string> cron, Duration max) -> std::string {
    ScheduleSpec spec;
    spec.cron = std::move(cron);
    spec.jitter = StartJitter{.max = max};
    const auto checked = check_jitter(*Schedule::compile(spec), kInstant);
    return checked ? "fine" : checked.error().message;
  };
  EXPECT_EQ(check({"* * * * *"}, 59s), "fine");
  EXPECT_EQ(check({"* * * * *"}, 1min),
            "1m is not shorter than the 1m from 2026-03-01T00:01:00.000Z to the next instant");
  EXPECT_EQ(check({"0 9,17 * * *"}, 7h), "fine");
  EXPECT_EQ(check({"0 9,17 * * *"}, 9h),
            "9h is not shorter than the 8h from 2026-03-01T09:00:00.000Z to the next instant");
  EXPECT_EQ(check({"0 9 * * *", "5 9 1 4 *"}, 6min),
            "6m is not shorter than the 5m from 2026-04-01T09:00:00.000Z to the next instant");
}

TEST(Jitter, OnlyARecurringScheduleHasIt) {
  ScheduleSpec spec;
  spec.at = kInstant;
  spec.jitter = StartJitter{.max = 1s};
  EXPECT_EQ(Schedule::compile(spec).error().fields.front().pointer, "/jitter");
}

}  // namespace
}  // namespace chronos::schedule
