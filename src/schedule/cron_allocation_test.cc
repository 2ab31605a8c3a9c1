// The search allocates nothing: schedule.md §9. Replaces operator new for the whole test program;
// the thread sanitizer, which has replaced it itself, does without this test.
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if !__has_feature(thread_sanitizer)

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <string_view>

#include "base/time_text.h"
#include "schedule/schedule.h"

namespace {

thread_local int allocation_count = 0;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocation_count;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace chronos::schedule {
namespace {

TEST(CronAllocation, SearchingAllocatesNothing) {
  ScheduleSpec spec;
  spec.timezone = "America/New_York";
  spec.cron = {"30 2 * * *",       "*/5 1-3 15W,LW * FRI#2",    "0 0 29 2 +MON",       "@every 90m",
               "0 0 0 1 1 * 1999", "R/2026-01-31T09:00:00/P1M", "systemd:Mon *-*~07/1"};
  const auto schedule = *Schedule::compile(spec);
  const auto start = *parse_timestamp("2026-03-01T00:00:00Z");
  const int before = allocation_count;
  auto forwards = start;
  for (int i = 0; i < 500; ++i) forwards = *schedule.next_after(forwards);
  auto backwards = forwards;
  for (int i = 0; i < 500; ++i) {
    backwards = *schedule.latest_at_or_before(backwards - Duration(1));
  }
  const auto count = schedule.count_between({start, forwards}, 1'000'000);
  EXPECT_EQ(allocation_count, before);
  EXPECT_EQ(count, 500);
  EXPECT_GT(allocation_count, 0);  // the counter counts
}

}  // namespace
}  // namespace chronos::schedule

#endif
