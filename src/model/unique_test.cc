// Every way a submission can meet the job that took its key.
#include "model/unique.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::seconds(1'772'323'200)};

struct Case {
  UniqueWhile held_while = UniqueWhile::running;
  bool has_live_run = true;
  bool has_started = false;
  Duration window_left = 1h;

  Job job() const {
    Job job;
    job.id = JobId{{1, 1}};
    job.spec.edit().unique = Unique{.key = "k", .holds_while = held_while, .window = {}};
    return job;
  }
  bool holds() const {
    const auto holder = job();
    return holds_key({holder, has_live_run, has_started, kNow + window_left}, kNow);
  }
  Result<UniqueVerdict> judged(OnConflict on_conflict) const {
    const auto holder = job();
    const Unique asked{
        .key = "k", .holds_while = held_while, .window = 1h, .on_conflict = on_conflict};
    return judge_unique(asked, {holder, has_live_run, has_started, kNow + window_left}, kNow);
  }
};

TEST(Unique, AKeyIsHeldAsItsHolderDeclared) {
  EXPECT_TRUE((Case{UniqueWhile::queued, true, false}).holds());
  EXPECT_FALSE((Case{UniqueWhile::queued, true, true}).holds());
  EXPECT_FALSE((Case{UniqueWhile::queued, false, false}).holds());
  EXPECT_TRUE((Case{UniqueWhile::running, true, true}).holds());
  EXPECT_FALSE((Case{UniqueWhile::running, false, false}).holds());
  EXPECT_TRUE((Case{UniqueWhile::window, false, false, 1us}).holds());
  EXPECT_FALSE((Case{UniqueWhile::window, true, true, 0us}).holds());
}

TEST(Unique, AFreeKeyIsTakenWhateverIsAsked) {
  for (const auto asked :
       {OnConflict::reject, OnConflict::keep, OnConflict::replace, OnConflict::extend}) {
    EXPECT_EQ((Case{UniqueWhile::running, false, false}).judged(asked), UniqueVerdict::take);
  }
}

TEST(Unique, AHeldKeyIsMetAsTheNewcomerAsks) {
  const Case waiting;
  EXPECT_EQ(waiting.judged(OnConflict::reject).error().reason, Reason::unique_taken);
  EXPECT_EQ(waiting.judged(OnConflict::reject).error().fields.at(0).pointer, "/unique/key");
  EXPECT_EQ(waiting.judged(OnConflict::keep), UniqueVerdict::keep);
  EXPECT_EQ(waiting.judged(OnConflict::replace), UniqueVerdict::replace);
  EXPECT_EQ(waiting.judged(OnConflict::extend), UniqueVerdict::keep) << "it has no window";
}

TEST(Unique, WhatHasStartedIsNotReplaced) {
  const Case started{UniqueWhile::running, true, true};
  EXPECT_EQ(started.judged(OnConflict::replace).error().reason, Reason::unique_taken);
  const Case done{UniqueWhile::window, false, false};
  EXPECT_EQ(done.judged(OnConflict::replace).error().reason, Reason::unique_taken);
  EXPECT_EQ(done.judged(OnConflict::extend), UniqueVerdict::extend);
}

TEST(Unique, AWindowEndsItsLengthAfterTheSubmission) {
  EXPECT_EQ(window_end({.key = "k", .window = 10min}, kNow), kNow + 10min);
  EXPECT_EQ(window_end({.key = "k", .window = {}}, kNow), Timestamp{});
}

}  // namespace
}  // namespace chronos
