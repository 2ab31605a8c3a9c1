#include "http/intake.h"

#include <gtest/gtest.h>

namespace chronos::http {
namespace {

using std::chrono::milliseconds;

constexpr SteadyTime kNow = std::chrono::hours(1);

TEST(Intake, WhatIsOnItsWayCountsUntilItEnds) {
  Intake intake(1000);
  auto first = intake.expect(600, kNow);
  auto second = intake.expect(600, kNow);  // there was room for some of it
  EXPECT_TRUE(first && second);
  EXPECT_FALSE(intake.expect(1, kNow));
  EXPECT_FALSE(intake.is_full());  // nothing waits to be stored

  first.reset();
  EXPECT_TRUE(intake.expect(1, kNow));
  const auto place = intake.enter(600);  // and so does what waits
  EXPECT_FALSE(intake.expect(1, kNow));
}

TEST(Intake, NothingOnItsWayCountsForLong) {
  Intake intake(1000);
  const auto slow = intake.expect(5000, kNow);
  EXPECT_FALSE(intake.expect(1, kNow + milliseconds(99)));
  EXPECT_TRUE(intake.expect(1, kNow + milliseconds(100)));
}

TEST(Intake, WhatEndsLateTakesNothingFromTheNextWindow) {
  Intake intake(1000);
  auto slow = intake.expect(900, kNow);
  const auto next = intake.expect(1000, kNow + milliseconds(100));
  slow.reset();
  EXPECT_FALSE(intake.expect(1, kNow + milliseconds(100)));
}

TEST(Intake, LittleOfAnAnnouncementIsBelieved) {
  Intake intake(1'000'000);
  const auto huge = intake.expect(std::uint64_t{1} << 60U, kNow);
  EXPECT_TRUE(intake.expect(1, kNow));
}

}  // namespace
}  // namespace chronos::http
