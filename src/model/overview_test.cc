#include "model/overview.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

using namespace std::chrono_literals;

TEST(OverviewTest, AStepBeginsAtAQuarterOfAnHour) {
  const Timestamp midnight{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};
  EXPECT_EQ(tally_step_of(midnight), midnight);
  EXPECT_EQ(tally_step_of(midnight + 15min - 1us), midnight);
  EXPECT_EQ(tally_step_of(midnight + 15min), midnight + 15min);
  EXPECT_EQ(tally_step_of(Timestamp(-1us)), Timestamp(-15min));
}

TEST(OverviewTest, EveryFinalStateIsCountedAndAdded) {
  Tally one;
  for (const auto state : kRunStates) {
    if (is_final(state)) one.count(state, 2);
  }
  one.started = 3;
  one.count_lateness(1ms);
  auto sum = one;
  sum += one;
  EXPECT_EQ(sum.succeeded + sum.failed + sum.timed_out + sum.lost + sum.cancelled + sum.skipped +
                sum.missed,
            7 * 4);
  EXPECT_EQ(sum.skipped, 4);
  EXPECT_EQ(sum.started, 6);
  EXPECT_EQ(sum.lateness.front(), 2);
}

TEST(OverviewTest, LatenessIsTheShareOfItsClass) {
  LatenessCounts counts{};
  EXPECT_FALSE(lateness_of(counts, 0.5));
  Tally tally;
  for (int i = 0; i < 98; ++i) tally.count_lateness(3ms);  // from 2 to 5 ms
  tally.count_lateness(-1ms);                              // a clock was set back
  tally.count_lateness(48h);
  EXPECT_EQ(tally.lateness.front(), 1);
  EXPECT_EQ(tally.lateness.back(), 1);
  EXPECT_EQ(lateness_of(tally.lateness, 0.5), 3500us) << "half of the way through the class";
  EXPECT_EQ(lateness_of(tally.lateness, 0.99), 5ms);
  EXPECT_EQ(lateness_of(tally.lateness, 1), 1h) << "of the last class only its beginning is known";
}

TEST(OverviewTest, AClassEndsBeforeItsUpperEnd) {
  Tally tally;
  tally.count_lateness(2ms);
  EXPECT_EQ(tally.lateness[0], 0);
  EXPECT_EQ(tally.lateness[1], 1);
}

}  // namespace
}  // namespace chronos
