#include "service/events.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/manual_clock.h"

namespace chronos::service {
namespace {

using namespace std::chrono_literals;
using store::Touch;
using Log = std::vector<std::string>;

const ProjectId kProject{{1, 1}};
const ProjectId kOtherProject{{1, 2}};
const JobId kJob{{2, 1}};
const RunId kRun{{3, 1}};

// What one viewer was sent, "name data" each; signs of life as ".", places to come back to as
// nothing.
struct Viewer {
  Log log;
  std::string last_id;
  bool is_there = true;
  bool is_allowed = true;
  std::stop_source gone;
};

class EventsTest : public testing::Test {
 protected:
  static Principal who(ProjectId project, std::uint64_t key = 1) {
    Principal principal;
    principal.project = project;
    principal.key = KeyId{{4, key}};
    return principal;
  }
  Result<void> watch(Viewer& viewer, const Principal& principal, std::string last_id = {}) {
    EventStream stream;
    stream.send = [&viewer](const Event& event) {
      if (!viewer.is_there) return false;
      if (!event.name.empty()) {
        viewer.log.push_back(std::string(event.name) + " " + std::string(event.data));
      } else if (event.id.empty()) {
        viewer.log.emplace_back(".");
      }
      if (!event.id.empty()) viewer.last_id = event.id;
      return true;
    };
    stream.may_go_on = [&viewer] { return viewer.is_allowed; };
    stream.gone = viewer.gone.get_token();
    stream.last_id = std::move(last_id);
    stream.followed = followed_;
    return events_.subscribe(principal, std::move(stream));
  }
  void tell_in_time() {
    clock_.advance(250ms);
    events_.pump();
  }
  static std::string change(JobId job) {
    return R"(change {"jobs":[")" + job.to_string() + R"("],"runs":[]})";
  }

  std::set<RunId> followed_;  // by the next who watches
  ManualClock clock_{Timestamp()};
  Events events_{clock_, {.kept_bytes_max = 2000, .streams_max = 4, .streams_per_key = 3}};
};

TEST_F(EventsTest, NobodyWatchesAndNothingIsKept) {
  EXPECT_FALSE(events_.is_watched());
  events_.touch({{kProject, kJob}});
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  EXPECT_TRUE(events_.is_watched());
  tell_in_time();
  EXPECT_EQ(viewer.log, Log{});
}

TEST_F(EventsTest, ChangesAreToldTogetherAndNotTooOften) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  events_.touch({{kProject, kJob, kRun, RunState::running}});
  events_.pump();
  EXPECT_EQ(viewer.log, Log{}) << "told a moment ago";
  events_.touch({{kProject, kJob, kRun, RunState::succeeded}, {kProject, JobId{{2, 2}}}});
  tell_in_time();
  const auto told = R"(change {"jobs":[")" + kJob.to_string() + R"(",")" +
                    JobId{{2, 2}}.to_string() + R"("],"runs":[{"id":")" + kRun.to_string() +
                    R"(","job":")" + kJob.to_string() + R"(","state":"succeeded"}]})";
  EXPECT_EQ(viewer.log, Log{told});
  events_.touch({{kProject, kJob}});
  events_.pump();
  EXPECT_EQ(viewer.log.size(), 1U);
  tell_in_time();
  EXPECT_EQ(viewer.log.back(), change(kJob));
}

TEST_F(EventsTest, WhatIsNotKnownIsNull) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  events_.touch({{kProject, std::nullopt, kRun}});
  tell_in_time();
  EXPECT_EQ(viewer.log, Log{R"(change {"jobs":[],"runs":[{"id":")" + kRun.to_string() +
                            R"(","job":null,"state":null}]})"});
}

TEST_F(EventsTest, OfABulkOperationTheLastStepIsTold) {
  Viewer viewer;
  Viewer other;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  ASSERT_TRUE(watch(other, who(kOtherProject)));
  Bulk bulk;
  bulk.id = BulkId{{5, 1}};
  bulk.project = kProject;
  bulk.status = BulkStatus::running;
  bulk.total = 100;
  bulk.done = 20;
  events_.tell(bulk);
  bulk.done = 24;
  bulk.failed_count = 1;
  events_.tell(bulk);
  EXPECT_EQ(viewer.log, Log{});
  tell_in_time();
  EXPECT_EQ(viewer.log, Log{R"(bulk {"id":")" + bulk.id.to_string() +
                            R"(","done":24,"failed_count":1,"total":100,"status":"running"})"});
  EXPECT_EQ(other.log, Log{});
  Viewer late;
  ASSERT_TRUE(watch(late, who(kProject), viewer.last_id));
  EXPECT_EQ(late.log, Log{});
  tell_in_time();
  EXPECT_EQ(viewer.log.size(), 1U) << "told once";
}

TEST_F(EventsTest, AnotherProjectIsNotToldOf) {
  Viewer own;
  Viewer other;
  ASSERT_TRUE(watch(own, who(kProject)));
  ASSERT_TRUE(watch(other, who(kOtherProject)));
  events_.touch({{kProject, kJob, kRun, RunState::running}});
  tell_in_time();
  EXPECT_EQ(own.log.size(), 1U);
  EXPECT_EQ(other.log, Log{});
  const auto place = own.last_id;
  // Neither by coming back with what another was told last.
  Viewer back;
  events_.touch({{kProject, kJob}});
  tell_in_time();
  ASSERT_TRUE(watch(back, who(kOtherProject), place));
  EXPECT_EQ(back.log, Log{});
}

TEST_F(EventsTest, ThatSomeRunsBecameReadyIsToldToAll) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  events_.touch({{}});
  tell_in_time();
  EXPECT_EQ(viewer.log, Log{R"(change {"jobs":[],"runs":[],"queued":true})"});
}

TEST_F(EventsTest, MuchIsToldAsMuch) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  for (std::uint64_t i = 0; i <= kEventIdsMax; ++i) events_.touch({{kProject, JobId{{5, i}}}});
  events_.touch({{kProject, kJob}});
  tell_in_time();
  EXPECT_EQ(viewer.log, Log{R"(change {"all":true})"});
  events_.touch({{kProject}});
  tell_in_time();
  EXPECT_EQ(viewer.log.back(), R"(change {"all":true})");
}

TEST_F(EventsTest, WhoComesBackIsToldWhatItMissed) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  EXPECT_NE(viewer.last_id, "") << "a place to come back to before anything happened";
  viewer.is_there = false;
  events_.touch({{kProject, kJob}});
  tell_in_time();
  EXPECT_EQ(events_.stream_count(), 0U);
  events_.touch({{kProject, JobId{{2, 2}}}});
  tell_in_time();
  Viewer back;
  ASSERT_TRUE(watch(back, who(kProject), viewer.last_id));
  EXPECT_EQ(back.log, (Log{change(kJob), change(JobId{{2, 2}})}));
  Viewer current;
  ASSERT_TRUE(watch(current, who(kProject), back.last_id));
  EXPECT_EQ(current.log, Log{});
}

TEST_F(EventsTest, WhoMissedTooMuchReadsAllAgain) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  const auto first = viewer.last_id;
  for (std::uint64_t i = 0; i < 50; ++i) {
    events_.touch({{kProject, JobId{{5, i}}}});
    tell_in_time();
  }
  Viewer late;
  ASSERT_TRUE(watch(late, who(kProject), first));
  EXPECT_EQ(late.log, Log{"resync {}"});
  EXPECT_EQ(late.last_id, viewer.last_id) << "and goes on from here";
  const auto newest = viewer.last_id;
  for (const auto& id : std::vector<std::string>{"x", "0-1", "-", newest + "9", newest + "x"}) {
    Viewer foreign;
    ASSERT_TRUE(watch(foreign, who(kProject), id));
    EXPECT_EQ(foreign.log, Log{"resync {}"}) << id;
    foreign.is_there = false;
    events_.touch({{kProject, kJob}});
    tell_in_time();
  }
}

TEST_F(EventsTest, IdsFromBeforeNobodyWatchedAreNoPlace) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  viewer.gone.request_stop();
  events_.pump();
  EXPECT_TRUE(events_.is_watched()) << "it may come back";
  clock_.advance(1min);
  events_.pump();
  EXPECT_FALSE(events_.is_watched());
  Viewer back;
  ASSERT_TRUE(watch(back, who(kProject), viewer.last_id));
  EXPECT_EQ(back.log, Log{"resync {}"});
}

TEST_F(EventsTest, ASignOfLifeNowAndThen) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  events_.pump();
  EXPECT_EQ(viewer.log, Log{});
  clock_.advance(15s);
  events_.pump();
  EXPECT_EQ(viewer.log, Log{"."});
}

TEST_F(EventsTest, WhoMayNoLongerIsEnded) {
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  events_.pump();
  viewer.is_allowed = false;
  clock_.advance(5s);
  events_.pump();
  EXPECT_EQ(events_.stream_count(), 0U);
}

TEST_F(EventsTest, StreamsAreCounted) {
  Viewer viewer;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(watch(viewer, who(kProject, 1)));
  EXPECT_EQ(watch(viewer, who(kProject, 1)).error().reason, Reason::too_many_requests);
  EXPECT_TRUE(events_.check_room(who(kProject, 2)));
  ASSERT_TRUE(watch(viewer, who(kProject, 2)));
  EXPECT_EQ(events_.check_room(who(kProject, 2)).error().reason, Reason::too_many_requests);
  viewer.gone.request_stop();
  events_.pump();
  EXPECT_TRUE(events_.check_room(who(kProject, 1)));
}

TEST_F(EventsTest, OutputIsToldAtOnceToWhoFollowsIt) {
  Viewer follower;
  Viewer other;
  Viewer stranger;
  followed_ = {kRun};
  ASSERT_TRUE(watch(follower, who(kProject)));
  ASSERT_TRUE(watch(stranger, who(kOtherProject)));
  followed_ = {};
  ASSERT_TRUE(watch(other, who(kProject)));
  events_.touch({{kProject, kJob, kRun, std::nullopt, 2, 100}});
  events_.touch({{kProject, kJob, kRun, std::nullopt, 2, 105},
                 {kProject, kJob, RunId{{3, 2}}, std::nullopt, 1, 7}});
  events_.pump();
  EXPECT_EQ(follower.log,
            Log{R"(output {"run":")" + kRun.to_string() + R"(","attempt":2,"size":105})"});
  tell_in_time();
  EXPECT_EQ(follower.log.size(), 1U) << "it is no change of anything else";
  EXPECT_EQ(other.log, Log{});
  EXPECT_EQ(stranger.log, Log{});
}

TEST_F(EventsTest, StoppingEndsAllAndTakesNoMore) {
  std::jthread thread([this] { events_.run(); });
  Viewer viewer;
  ASSERT_TRUE(watch(viewer, who(kProject)));
  events_.touch({{kProject, kJob}});
  events_.stop();
  thread.join();
  EXPECT_EQ(events_.stream_count(), 0U);
  EXPECT_EQ(watch(viewer, who(kProject)).error().reason, Reason::shutting_down);
  EXPECT_FALSE(events_.is_watched());
}

}  // namespace
}  // namespace chronos::service
