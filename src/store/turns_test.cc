#include "store/turns.h"

#include <gtest/gtest.h>

#include <string>

namespace chronos::store {
namespace {

Turns::Line line(int number) {
  return {"http", std::to_string(number)};
}

TEST(Turns, WhoWasServedLastIsLast) {
  Turns turns;
  EXPECT_EQ(turns.last(line(1)), kNotServed);
  turns.keep(line(1), turns.next());
  turns.keep(line(2), turns.next());
  EXPECT_GT(turns.last(line(1)), kNotServed);
  EXPECT_GT(turns.last(line(2)), turns.last(line(1)));
  turns.keep(line(1), turns.next());
  EXPECT_GT(turns.last(line(1)), turns.last(line(2)));
}

TEST(Turns, OfManyLinesThoseServedLongAgoAreForgotten) {
  constexpr int kLines = 50'000;
  Turns turns;
  for (int i = 0; i < kLines; ++i) turns.keep(line(i), turns.next());
  EXPECT_EQ(turns.last(line(0)), kNotServed);
  for (int i = kLines - 5'000; i + 1 < kLines; ++i) {
    ASSERT_NE(turns.last(line(i)), kNotServed) << i;
    ASSERT_LT(turns.last(line(i)), turns.last(line(i + 1))) << i;
  }
}

}  // namespace
}  // namespace chronos::store
