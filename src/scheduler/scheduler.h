// Moves work through time: start here. step() makes one pass — finished outcomes → settle →
// heartbeat → lost leases → start-ups → resume → plan → release → claim → launch — and returns when
// it wants to run next. It never waits: what it asks of the store comes back as an event of a later
// step.
//
// One thread calls step() and all other members but wake-ups; production is
// `while (!stop) waiter.wait_until(clock, scheduler.step())`, tests and the simulator turn the
// crank by hand.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/inbox.h"
#include "base/random.h"
#include "model/settle.h"
#include "schedule/schedule.h"
#include "scheduler/launcher.h"
#include "scheduler/start_ups.h"
#include "store/store.h"

namespace chronos::scheduler {

struct SchedulerOptions {
  std::string node;                         // this node's name, for the record
  std::string version = {};                 // of the program, likewise
  std::map<std::string, int> lanes;         // kind of action → attempts at once on this node
  std::map<std::string, int> queue_limits;  // queue → attempts at once; others have no limit
  NotifyDefaults notify;
  Duration lease_ttl = std::chrono::seconds(15);
  // The first of another node after the end of a lease takes the runs over: within 20 s of the last
  // heartbeat of a dead one, with what the database takes.
  Duration heartbeat = std::chrono::seconds(3);
  Duration prune_interval = std::chrono::seconds(60);
  Duration zone_interval = std::chrono::seconds(60);  // between looks at the tz database
  Duration audit_age = kAuditKept;                    // of entries of the audit log
  int batch = 1000;                                   // rows released or claimed at a time
};

// Told about what happens; for metrics and logs.
struct SchedulerEvents {
  std::function<void(const store::ClaimedRun&)> on_started = [](const auto&) {};
  std::function<void(const store::ClaimedRun&, const Outcome&, RunState)> on_settled =
      [](const auto&, const auto&, RunState) {};
  // Instants that a committed plan answered with a row.
  std::function<void(const LedgerRow&)> on_not_run = [](const auto&) {};
  // Somebody set the wall clock, by this much.
  std::function<void(Duration)> on_clock_step = [](auto) {};
  // A waiting run moved because the time zone database changed.
  std::function<void(JobId)> on_replanned = [](auto) {};
};

class Scheduler {
 public:
  // `wake` makes the thread that calls step() call it soon; thread-safe.
  Scheduler(store::Store& store, Launcher& launcher, const Clock& clock, IdSource& ids, Rng rng,
            SchedulerOptions options, SchedulerEvents events, std::function<void()> wake);

  // One pass; returns when to call again at the latest.
  Timestamp step();

  // Who holds the leases of this node. Thread-safe.
  NodeId holder() const { return holder_; }
  const NodeInfo& info() const { return info_; }

  // Thread-safe: something was committed that may concern us (Store::on_change).
  void hint() { is_hinted_ = true; }

  // From now on nothing new starts; what runs goes on.
  void begin_drain() { is_draining_ = true; }
  // Nothing runs and nothing waits for the store.
  bool is_idle() const {
    return running_.empty() && in_flight_ == 0 && unsettled_.empty() && too_late_.empty();
  }

 private:
  // With its fencing token: a run that was taken for lost may come back here while the attempt of
  // before still goes on.
  using AttemptKey = std::pair<RunId, std::int64_t>;
  struct Running {
    store::ClaimedRun claimed;
    bool is_over = false;  // its outcome is here; the settlement is on its way
  };
  struct Unsettled {
    store::SettleRun change;
    store::ClaimedRun claimed;
    Outcome outcome;  // without its output
  };

  template <class C>
  void commit(C change, std::move_only_function<void(Result<typename C::Answer>)> then);

  void look_at_clock();
  void take_events();
  void beat();
  void settle_lost(const std::vector<store::ClaimedRun>& lost);
  void resume();
  void resume_one(Job job);
  void plan_start_ups();
  void plan();
  void plan_one(const store::DueRun& due);
  void commit_plan(store::CommitPlan change, std::function<void()> then = [] {});
  void watch_zones();
  void replan_some();
  void replan_one(const store::WaitingRun& waiting);
  void release();
  void claim();
  void take_claimed(const store::ClaimRuns& asked, Result<std::vector<store::ClaimedRun>> claimed);
  void prune();
  void launch(store::ClaimedRun claimed);
  void cancel(RunId run);
  void give_back(store::ClaimedRun claimed);
  void on_outcome(const AttemptKey& attempt, Outcome outcome);
  void settle_attempt(const store::ClaimedRun& claimed, Outcome outcome);
  void send_ended();
  void send(Unsettled unsettled);
  void resend();
  void forget(const Unsettled& unsettled);
  const schedule::Schedule* compiled(const Job& job);
  // Those of the due run's job; `seen` gets their versions.
  Result<schedule::CalendarSet> calendars_of(const store::DueRun& due,
                                             std::vector<CalendarVersion>& seen);

  store::Store& store_;
  Launcher& launcher_;
  const Clock& clock_;
  IdSource& ids_;
  Rng rng_;
  const SchedulerOptions options_;
  const SchedulerEvents events_;
  const NodeId holder_;
  const NodeInfo info_;
  std::shared_ptr<Inbox> inbox_;  // shared with completions, which may outlive the scheduler

  Timestamp now_;  // of this step
  std::map<AttemptKey, Running> running_;
  // Slots that runs hold, and those offered to claims that were not answered yet.
  std::map<std::string, int> lane_use_;
  std::vector<Unsettled> ended_;             // in this step
  std::deque<Unsettled> unsettled_;          // refused for now by the store; sent again
  std::vector<store::ClaimedRun> too_late_;  // likewise, to be given back
  std::map<ProjectId, std::string> project_names_;
  struct Compiled {
    std::int64_t version;
    schedule::Schedule schedule;
  };
  std::unordered_map<JobId, Compiled> schedules_;
  struct CompiledCalendar {
    std::int64_t version;
    schedule::Calendar calendar;
  };
  std::map<std::pair<ProjectId, std::string>, CompiledCalendar> calendars_;

  StartUps start_ups_;
  // A walk along the waiting runs after the tz database changed.
  struct Replanning {
    std::int64_t stamp = 0;  // of the database they are planned by
    store::WaitingCursor cursor{};
    bool has_failed = false;  // the store refused one: from the beginning
  };
  std::optional<Replanning> replanning_;
  std::optional<std::int64_t> zones_stamp_;  // by which all waiting runs are planned
  std::optional<SteadyTime> last_zone_look_;
  std::optional<Duration> clock_offset_;  // wall clock − steady clock, of the last step

  int in_flight_ = 0;  // changes the store has not answered yet
  int plans_in_flight_ = 0;
  int resumptions_in_flight_ = 0;
  bool is_releasing_ = false;
  int claims_in_flight_ = 0;
  bool was_short_of_slots_ = false;  // a claim was made while another one held slots
  bool may_have_ready_ = true;
  bool is_draining_ = false;
  bool is_registered_ = false;  // the first heartbeat was answered
  bool wants_beat_ = false;
  std::atomic<bool> is_hinted_ = false;
  std::optional<SteadyTime> last_beat_;
  SteadyTime leased_until_{};  // what this node claimed is its own for sure until then
  SteadyTime judges_from_{};   // before, nobody is taken for lost
  std::optional<SteadyTime> last_prune_;
  std::optional<Timestamp> next_due_;
  std::optional<Timestamp> next_resume_;
  Timestamp plan_again_at_{};  // after plans and resumptions that got nowhere
  Timestamp resend_at_{};
};

}  // namespace chronos::scheduler
