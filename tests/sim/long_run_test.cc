// 400 days of schedules in a minute: one node on virtual time with restarts, outages, crashes and a
// wall clock that is set either way, over the jobs of long_run_jobs.cc. At the end each job's
// ledger must be what the oracle, which walks minute by minute through the C library's local times,
// says: every instant exactly once, none else. And: how long a second's schedule takes to go on
// after thirty days.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>

#include "base/time_text.h"
#include "faulty_store.h"
#include "long_run_jobs.h"
#include "scheduler/scheduler.h"
#include "service/jobs.h"
#include "sim_launcher.h"
#include "store/memory_store.h"
#include "store/sql/sql_store.h"
#include "support/virtual_clock.h"

namespace chronos::sim {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr Timestamp kBegin{std::chrono::sys_days(std::chrono::year(2026) / 2 / 20)};
constexpr auto kLength = days(400);

scheduler::SchedulerOptions scheduler_options() {
  scheduler::SchedulerOptions options;
  options.node = "sim";
  options.lanes = {{"http", 1000}};
  // Each would be done 576,000 times; tests of their own are elsewhere.
  options.prune_interval = options.zone_interval = days(10'000);
  options.heartbeat = 5s;
  return options;
}

class LongRun : public testing::Test {
 protected:
  struct Node {
    explicit Node(LongRun& run)
        : launcher(run.clock_, run.rng_, run.outside_, 150,
                   [&run](const auto& claimed, Rng& rng) { return run.length_of(claimed, rng); }),
          scheduler(run.store_, launcher, run.clock_, run.ids_, Rng(run.rng_.next()),
                    scheduler_options(), run.events(), [] {}) {}
    SimLauncher launcher;
    scheduler::Scheduler scheduler;
  };

  LongRun() {
    inner_.commit(store::PutProject{{who_.project, "default", clock_.now()}}, [](const auto&) {});
    commit();
  }

  scheduler::SchedulerEvents events() {
    scheduler::SchedulerEvents events;
    events.on_clock_step = [this](auto) { ++steps_seen_; };
    return events;
  }

  Duration length_of(const store::ClaimedRun& run, Rng& rng) const {
    return Duration(rng.between(1'000, jobs_.at(run.job)->longest.count()));
  }

  void submit(const LongRunJob& job) {
    const auto document = json::parse(job.body());
    ASSERT_TRUE(document) << job.body();
    service_.submit(who_, document->root(), {}, [&](Result<service::JobReply> reply) {
      ASSERT_TRUE(reply) << reply.error().message << " " << job.body();
      jobs_[reply->job.id] = &job;
      known_.push_back(reply->job.id);
    });
    commit();
  }

  bool commit() {
    store_.pass_on();
    bool did_something = false;
    while (inner_.pump()) did_something = true;
    return did_something;
  }

  // Everything that is to do at this instant.
  void turn() {
    node_->scheduler.hint();
    for (int quiet = 0; quiet < 2;) {
      node_->launcher.finish_due();
      node_->scheduler.step();
      quiet = commit() ? 0 : quiet + 1;
    }
  }

  // Goes from one thing that happens to the next until `until` of the steady clock.
  void run_until(SteadyTime until) {
    while (clock_.steady() < until) {
      turn();
      auto wait = Duration(until - clock_.steady());
      if (const auto due = *inner_.next_due_at()) {
        wait = std::min(wait, std::max(*due - clock_.now(), Duration(1'000'000)));
      }
      if (const auto ending = node_->launcher.next_ending()) {
        wait = std::min(wait, std::max(Duration(*ending - clock_.steady()), Duration(1)));
      }
      advance(wait);
    }
    turn();
  }
  void advance(Duration time) {
    clock_.advance(time);
    outside_.latest_time = std::max(outside_.latest_time, clock_.now());
  }

  // The process ends, sometimes with changes that nobody has committed, and is not there for a
  // while.
  void be_down(Duration downtime) {
    ++outages_;
    if (rng_.chance(500)) {
      node_->scheduler.step();
      rng_.chance(500) ? store_.drop_waiting() : void(commit());
    }
    store_.drop_waiting();
    node_.reset();
    inner_.start_epoch();
    advance(downtime);
    node_ = std::make_unique<Node>(*this);
  }

  void step_wall(Duration by) {
    ++steps_made_;
    clock_.step_wall(by);
    outside_.latest_time = std::max(outside_.latest_time, clock_.now());
    turn();  // before the next one: two at once are one
  }

  Duration random(Duration from, Duration to) {
    return Duration(rng_.between(from.count(), to.count()));
  }

  void disturb() {
    switch (rng_.between(0, 5)) {
      case 0:
        return be_down(random(0s, 10min));
      case 1:
        return be_down(random(10min, days(4)));
      case 2:
        return step_wall(random(1min, 30h));
      case 3:
        return step_wall(-random(1min, 30h));
      default:
        return act_as_user();
    }
  }

  void act_as_user() {
    const auto job = known_[static_cast<std::size_t>(rng_.between(0, std::ssize(known_) - 1))];
    const auto ignore = [](const auto&) {};
    switch (rng_.between(0, 3)) {
      case 0:
        return service_.run_now(who_, job, {}, ignore);
      case 1:
        return service_.pause(who_, job, json::parse("{}")->root(), {}, ignore);
      case 2:
        return service_.resume(who_, job, {}, ignore);
      default: {
        const auto live = inner_.live_runs(who_.project, job);
        if (live->empty()) return;
        return store_.commit(store::CancelRun{who_.project, live->front().id, clock_.now()},
                             ignore);
      }
    }
  }

  // Everybody goes on and the clock is beyond every instant it has ever shown.
  void settle_down() {
    for (const auto job : known_) service_.resume(who_, job, {}, [](const auto&) {});
    commit();
    if (clock_.now() < outside_.latest_time) step_wall(outside_.latest_time - clock_.now());
    run_until(clock_.steady() + SteadyTime(1h));
  }

  // Compares one job's rows with the instants the oracle names; how many instants that were.
  std::int64_t check(JobId id, const std::vector<Timestamp>& expected) {
    RunFilter filter;
    filter.project = who_.project;
    filter.job = id;
    filter.limit = std::numeric_limits<int>::max();
    auto rows = inner_.list_runs(filter)->rows;
    std::erase_if(rows, [&](const chronos::Run& row) {
      return row.trigger != Trigger::schedule || row.planned_at > clock_.now();
    });
    std::ranges::sort(rows, {}, &chronos::Run::planned_at);
    auto instant = expected.begin();
    const auto name = jobs_.at(id)->name;
    for (const auto& row : rows) {
      const auto what = fmt::format("{}: {} {} at {} x{}", name, to_string(row.state), row.reason,
                                    format_timestamp(row.planned_at), row.count);
      if (instant == expected.end()) return ADD_FAILURE() << what << ": beyond the last", 0;
      if (row.planned_at != *instant) {
        return ADD_FAILURE() << what << ": expected " << format_timestamp(*instant), 0;
      }
      const auto last = row.planned_until.value_or(row.planned_at);
      const auto begin = instant;
      instant = std::ranges::upper_bound(instant, expected.end(), last);
      EXPECT_EQ(*std::prev(instant), last) << what;
      EXPECT_EQ(std::distance(begin, instant), row.count) << what;
      ++states_[std::string(to_string(row.state)) + (row.reason.empty() ? "" : " ") + row.reason];
    }
    EXPECT_EQ(std::distance(instant, expected.end()), 0)
        << name << ": no row for " << format_timestamp(*instant);
    return std::ssize(expected);
  }

  Rng rng_{20260220};
  test::VirtualClock clock_{kBegin};
  IdSource ids_{clock_, Rng(1)};
  store::MemoryStore inner_{clock_, {.has_own_thread = false}};
  FaultyStore store_{inner_};
  OutsideWorld outside_;
  service::Jobs service_{
      store_, [](const auto&, const auto&) -> Result<void> { return {}; }, clock_, ids_, {}};
  service::Principal who_{ids_.make<KeyId>(), {}, ids_.make<ProjectId>(), "default", Role::admin};
  std::map<JobId, const LongRunJob*> jobs_;
  std::vector<JobId> known_;
  std::map<std::string, std::int64_t> states_;
  int outages_ = 0;
  int steps_made_ = 0;
  int steps_seen_ = 0;
  std::unique_ptr<Node> node_ = std::make_unique<Node>(*this);
};

TEST_F(LongRun, FourHundredDaysHaveNoInstantMissingAndNoneTwice) {
  const auto began = std::chrono::steady_clock::now();
  for (const auto& job : long_run_jobs()) submit(job);
  turn();
  const auto end = clock_.steady() + SteadyTime(kLength);
  bool was_long_away = false;
  while (clock_.steady() < end) {
    run_until(std::min(end, clock_.steady() + SteadyTime(random(6h, days(3)))));
    if (!was_long_away && clock_.steady() > end / 2) {
      be_down(days(20));
      was_long_away = true;
    } else {
      disturb();
    }
  }
  settle_down();

  std::int64_t instants = 0;
  for (const auto& [id, job] : jobs_) {
    const Timestamp now = clock_.now();
    const auto checked = check(id, job->expected(kBegin, now));
    instants += checked;
    std::cout << fmt::format("  {:7} instants: {}\n", checked, job->name);
  }
  EXPECT_EQ(steps_seen_, steps_made_);
  EXPECT_GT(instants, 60'000);
  for (const auto* state :
       {"succeeded", "failed exit_code", "lost lease_expired", "skipped overlap", "missed down",
        "missed paused", "missed window", "missed limit"}) {
    EXPECT_GT(states_[state], 0) << "the story has no " << state;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::cout << fmt::format(
      "{} jobs, {} days, {} instants, {} outages, {} clock steps, {} starts: {:.1f} s\n",
      jobs_.size(), days(kLength).count(), instants, outages_, steps_made_, outside_.starts.size(),
      took.count());
  for (const auto& [state, rows] : states_) std::cout << fmt::format("  {:7} {}\n", rows, state);
}

// -- Thirty days without a server -----------------------------------------------------------------

std::int64_t resident_kib() {
  std::ifstream file("/proc/self/status");
  for (std::string word; file >> word;) {
    if (word != "VmRSS:") continue;
    std::int64_t kib = 0;
    file >> kib;
    return kib;
  }
  return 0;
}

class Directory {
 public:
  Directory() : path_(std::filesystem::temp_directory_path() / "XXXXXX") {
    auto pattern = path_.string();
    path_ = mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string file() const { return (path_ / "chronos.db").string(); }

 private:
  std::filesystem::path path_;
};

// Starts what has come, and comes back when an attempt is under way or `most` steps have been made.
class ASecondsSchedule : public testing::Test {
 protected:
  void run(int most) {
    OutsideWorld outside;
    SimLauncher launcher(clock_, rng_, outside, 0);
    scheduler::Scheduler scheduler(*store_, launcher, clock_, ids_, Rng(2), scheduler_options(), {},
                                   [] {});
    for (int i = 0; i < most && outside.starts.empty(); ++i) {
      scheduler.step();
      while (store_->pump()) {
      }
    }
  }

  Directory directory_;
  test::VirtualClock clock_{kBegin};
  Rng rng_{1};
  IdSource ids_{clock_, Rng(1)};
  std::unique_ptr<store::SqlStore> store_ =
      std::move(*store::SqlStore::open(directory_.file(), clock_, {.has_own_thread = false}));
};

TEST_F(ASecondsSchedule, GoesOnAfterThirtyDaysWithOneRangeRow) {
  const service::Principal who{
      ids_.make<KeyId>(), {}, ids_.make<ProjectId>(), "default", Role::admin};
  service::Jobs service(*store_, [](const auto&, const auto&) -> Result<void> { return {}; },
                        clock_, ids_, {});
  const auto body = json::parse(
      R"({"name":"a second","cron":"* * * * * *","timezone":"Europe/Berlin","action":{"kind":"http"}})");
  JobId job;
  service.submit(who, body->root(), {}, [&](const auto& reply) { job = reply->job.id; });
  while (store_->pump()) {
  }
  run(2);

  const auto before = resident_kib();
  clock_.advance(days(30));
  const auto began = std::chrono::steady_clock::now();
  run(100);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  RunFilter filter;
  filter.project = who.project;
  filter.job = job;
  const auto rows = store_->list_runs(filter)->rows;
  const auto is_missed = [](const chronos::Run& run) { return run.state == RunState::missed; };
  ASSERT_EQ(std::ranges::count_if(rows, is_missed), 1);
  const auto& range = *std::ranges::find_if(rows, is_missed);
  EXPECT_EQ(range.count, days(30) / 1s - 1);
  EXPECT_EQ(range.planned_at, kBegin + 1s);
  EXPECT_EQ(range.planned_until, kBegin + days(30) - 1s);
  EXPECT_EQ(std::ranges::count(rows, RunState::running, &chronos::Run::state), 1);
  const auto after = resident_kib();
  EXPECT_LT(after - before, 8 * 1024) << "the gap was not counted in place";
  std::cout << fmt::format(
      "30 days of a second's schedule: going on after {:.1f} ms, {} instants in one row, RSS {} "
      "KiB "
      "before, {} KiB after\n",
      took.count(), range.count, before, after);
}

}  // namespace
}  // namespace chronos::sim
