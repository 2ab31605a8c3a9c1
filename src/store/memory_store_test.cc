#include "store/memory_store.h"

#include <gtest/gtest.h>

#include <optional>

#include "store/open.h"
#include "support/virtual_clock.h"

namespace chronos::store {
namespace {

class MemoryStoreTest : public testing::Test {
 protected:
  test::VirtualClock clock_{Timestamp(std::chrono::hours(24 * 365 * 50))};
};

TEST_F(MemoryStoreTest, WithoutAThreadNothingHappensUntilItIsPumped) {
  MemoryStore store(clock_, {.has_own_thread = false});
  const Project project{ProjectId{{1, 1}}, "default", clock_.now()};
  std::optional<Result<Project>> answer;
  store.commit(PutProject{project}, [&](Result<Project> result) { answer = std::move(result); });
  EXPECT_FALSE(answer);
  EXPECT_FALSE(store.find_project(project.id));
  EXPECT_TRUE(store.pump());
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->name, "default");
  EXPECT_TRUE(store.find_project(project.id));
  EXPECT_FALSE(store.pump());
}

TEST_F(MemoryStoreTest, IsOpenedByItsUrl) {
  const auto store = open_store("memory:", clock_);
  ASSERT_TRUE(store);
  EXPECT_TRUE(store->store->health());
}

TEST_F(MemoryStoreTest, UnknownUrlsAreRefused) {
  for (const auto* url : {"", "memory", "memory:x", "oracle:x", "MEMORY:"}) {
    const auto store = open_store(url, clock_);
    ASSERT_FALSE(store) << url;
    EXPECT_EQ(store.error().reason, Reason::invalid_fields);
    ASSERT_EQ(store.error().fields.size(), 1U);
    EXPECT_EQ(store.error().fields[0].code, "unknown_store");
  }
}

}  // namespace
}  // namespace chronos::store
