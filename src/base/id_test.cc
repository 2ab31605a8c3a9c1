#include "base/id.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

class FixedClock final : public Clock {
 public:
  Timestamp time = from_micros(1'800'000'000'000'000);
  Timestamp now() const override { return time; }
  SteadyTime steady() const override { return SteadyTime(0); }
};

TEST(Id, TextRoundTripsAndRefusesEverythingElse) {
  FixedClock clock;
  IdSource ids(clock, Rng(1));
  const auto id = ids.make<JobId>();
  EXPECT_EQ(JobId::parse(id.to_string()), id);
  EXPECT_EQ(id.to_string().size(), 30u);
  EXPECT_FALSE(RunId::parse(id.to_string()));
  EXPECT_FALSE(JobId::parse("job_" + std::string(26, 'Z')));
  EXPECT_FALSE(JobId::parse("job_8" + std::string(25, '0')));
  EXPECT_FALSE(JobId::parse("job_"));
  const auto bytes = id.uuid.bytes();
  EXPECT_EQ(Uuid::from_bytes(bytes.data()), id.uuid);
}

TEST(Id, GrowsEvenWhenTheClockStepsBack) {
  FixedClock clock;
  IdSource ids(clock, Rng(1));
  auto last = ids.next();
  for (int i = 0; i < 10'000; ++i) {
    if (i == 5'000) clock.time -= std::chrono::hours(1);
    const auto next = ids.next();
    ASSERT_LT(last, next);
    ASSERT_LT(last.bytes(), next.bytes());
    last = next;
  }
}

}  // namespace
}  // namespace chronos
