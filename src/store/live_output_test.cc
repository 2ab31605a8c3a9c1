#include "store/live_output.h"

#include <gtest/gtest.h>

#include "store/memory_store.h"
#include "support/manual_clock.h"
#include "support/print.h"

namespace chronos::store {
namespace {

// Counts the changes that come, and answers them when it is told to.
class LiveOutputTest : public testing::Test {
 protected:
  ManualClock clock_{Timestamp()};
  std::vector<std::vector<Touch>> told_;  // by each commit, the last by the end of the store
  MemoryStore store_{clock_, {.has_own_thread = false}};
  LiveOutput output_{store_, 10};

  LiveOutputTest() {
    store_.on_touch({[] { return true; },
                     [this](std::vector<Touch> touches) { told_.push_back(std::move(touches)); }});
  }
  bool print(std::int64_t offset, std::string_view bytes) {
    return output_.append({{}, {}, RunId{{1, 1}}, 1, 7}, offset, bytes);
  }
};

TEST_F(LiveOutputTest, WhatComesWhileACommitIsUnderWayIsStoredTogether) {
  EXPECT_TRUE(print(0, "a"));
  EXPECT_TRUE(print(1, "b"));
  EXPECT_TRUE(print(2, "c"));
  while (store_.pump()) continue;
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0].size(), 1U);
  EXPECT_EQ(told_[1].size(), 2U);
  EXPECT_EQ(told_[1].back().output_size, 3);
  EXPECT_TRUE(print(3, "d"));
  while (store_.pump()) continue;
  EXPECT_EQ(told_.size(), 3U);
}

TEST_F(LiveOutputTest, WhatWaitsIsBounded) {
  EXPECT_TRUE(print(0, "0123456789")) << "on its way";
  EXPECT_TRUE(print(10, "0123456789"));
  EXPECT_FALSE(print(20, "0"));
  while (store_.pump()) continue;
  EXPECT_TRUE(print(20, "0"));
}

TEST_F(LiveOutputTest, AStoreThatIsStoppedTakesNoMore) {
  store_.stop();
  EXPECT_TRUE(print(0, "a"));
  EXPECT_TRUE(print(1, "b"));
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace chronos::store
