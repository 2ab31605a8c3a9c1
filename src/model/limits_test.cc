// Which limit a run meets, and when a rate lets it start.
#include "model/limits.h"

#include <gtest/gtest.h>

#include <vector>

namespace chronos {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::seconds(1'772'323'200)};

std::optional<Timestamp> opens(std::int64_t max, std::int64_t pending,
                               const std::vector<Duration>& ages) {
  const RateUse use{.pending = pending, .start = [&](std::int64_t n) -> std::optional<Timestamp> {
                      if (n > std::ssize(ages)) return std::nullopt;
                      return kNow - ages[static_cast<std::size_t>(n - 1)];
                    }};
  return opens_at(RateLimit{"k", max, 10s}, use, kNow);
}

TEST(Limits, SlotThenRate) {
  const Limits both{ConcurrencyLimit{"k", 1}, RateLimit{"k", 1, 1s}};
  EXPECT_EQ(next_limit(both, false), LimitKind::concurrency);
  EXPECT_EQ(next_limit(both, true), LimitKind::rate);
  EXPECT_EQ(next_limit({both.concurrency, {}}, true), std::nullopt);
  EXPECT_EQ(next_limit({{}, both.rate}, false), LimitKind::rate);
  EXPECT_EQ(next_limit({}, false), std::nullopt);
}

TEST(Limits, ARateIsOpenUntilMaxHaveStarted) {
  EXPECT_EQ(opens(2, 0, {}), kNow);
  EXPECT_EQ(opens(2, 0, {1s}), kNow);
  EXPECT_EQ(opens(2, 0, {1s, 4s}), kNow + 6s);
  EXPECT_EQ(opens(2, 0, {1s, 4s, 5s}), kNow + 6s);
}

TEST(Limits, AStartLeavesTheWindowWhenItIsAsOldAsTheWindowIsLong) {
  EXPECT_LE(*opens(1, 0, {10s}), kNow);
  EXPECT_GT(*opens(1, 0, {10s - Duration(1)}), kNow);
}

TEST(Limits, WhatHasNotStartedYetCountsAsIfItDidNow) {
  EXPECT_EQ(opens(2, 1, {}), kNow);
  EXPECT_EQ(opens(2, 1, {4s}), kNow + 6s);
  EXPECT_EQ(opens(2, 2, {}), std::nullopt);
  EXPECT_EQ(opens(2, 5, {11s}), std::nullopt);
}

TEST(Limits, AStartThatLiesAheadCountsAsOneOfNow) {
  EXPECT_EQ(opens(1, 0, {-3600s}), kNow + 10s);
}

}  // namespace
}  // namespace chronos
