// Use cases of remote workers (docs/workers.md): claim with a long poll that holds no thread,
// settle in batches, hand back, list. Thread-safe. What changes something answers through `done`
// (request_facts.h), a poll also on the thread of step().
//
// Who works on what is the store's: leases, tokens, expiry, when an attempt has had its time
// (store/changes.h); so a worker may turn to any node at any time. Kept here is who waits for work,
// what runs said of their progress, and of runs that workers hold what a settlement must know of
// them: what is not here (they were given by another node, or before a restart) is read from the
// store, and what is here and is no longer so, the store refuses.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/result.h"
#include "model/settle.h"
#include "model/worker.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "service/work_request.h"
#include "store/live_output.h"
#include "store/store.h"

namespace chronos::service {

struct WorkersOptions {
  Duration lease_ttl = std::chrono::seconds(15);
  std::map<std::string, int> queue_limits;  // queue → attempts at once; others have no limit
  NotifyDefaults notify;
  std::size_t output_max = 1024uz * 1024;  // bytes of an attempt's output that are kept
  // For metrics and logs; on the store's thread.
  std::function<void(const store::ClaimedRun&)> on_started = [](const auto&) {};
  std::function<void(const store::ClaimedRun&, const Outcome&, RunState)> on_settled =
      [](const auto&, const auto&, RunState) {};
};

// What became of an outcome or a release that a worker sent.
enum class Settled {
  ok,
  stale,    // the run's lease is not the sender's any more: nothing changed
  unknown,  // there is no such run
};
std::string_view to_string(Settled settled);

struct WorkReply {
  WorkerId worker;
  std::vector<Settled> outcomes;  // in the order sent
  std::vector<Settled> released;
  std::vector<RunId> cancel;  // that the worker should stop, until they have ended
  struct Given {
    store::ClaimedRun claimed;
    Timestamp deadline;  // then the attempt ends as timed_out
  };
  std::vector<Given> runs;

  std::vector<LeaseRef> leases() const;  // of `runs`
};

struct WorkerView {
  Worker worker;
  bool is_polling = false;  // a claim of it waits for work
  struct Held {
    RunId run;
    std::optional<int> percent;
    std::string message;
  };
  std::vector<Held> runs;
};

class Workers {
 public:
  Workers(store::Store& store, const Clock& clock, IdSource& ids, Rng rng, WorkersOptions options);

  // A claim without an id makes a worker. Refused: not_found when there is no worker of this id.
  // Waits while there is nothing, until `gone` is asked to stop; runs leased for somebody who has
  // gone are handed back.
  void claim(const Principal& who, ClaimRequest request, std::stop_token gone,
             Done<WorkReply> done);
  // Also a heartbeat. Refused: not_found as above.
  void settle(const Principal& who, SettleRequest request, std::stop_token gone,
              Done<WorkReply> done);
  Result<std::vector<WorkerView>> list(const Principal& who) const;

  // Runs that were leased to somebody who cannot know of it: they are ready again.
  void hand_back(const std::vector<LeaseRef>& runs);

  // For Store::on_work.
  std::vector<store::Operation> take(std::vector<store::Work>& work);

  // Answers polls whose time is over and ends attempts that had their time: those it knows of at
  // once, those of other nodes when it looks for them, every few seconds. When to call again at the
  // latest. One thread.
  Timestamp step();

  // From now on nobody waits: polls are answered, with nothing, and claims find nothing new.
  void drain();

  const WorkersOptions& options() const { return options_; }

 private:
  // A settlement on its way, and which entry of the reply it is: the outcomes, then the releases.
  struct Sent {
    store::ClaimedRun claimed;
    Outcome outcome;  // without its output
    bool is_release = false;
    std::size_t place = 0;
  };
  // What is asked of the store, and who is to be answered.
  struct Turn {
    Principal who;
    NodeId holder;
    WorkerWords words;
    WorkerInfo info;  // once the store has answered
    int max = 0;      // runs wanted; 0: no claim
    SteadyTime until{};
    std::stop_token gone;
    Done<WorkReply> done;
    std::vector<Sent> sent;
    std::vector<RunId> not_held;  // runs it has progress of, though they are not its own
    WorkReply reply;
  };
  struct Held {
    store::ClaimedRun claimed;
    SteadyTime until{};  // its time is over
    std::optional<int> percent;
    std::string message;
    std::string output;
    std::int64_t output_dropped = 0;
    std::size_t told = 0;  // of `output`: is stored, or will be
  };
  void ask_claim(Turn& turn, ClaimRequest request) const;
  store::WorkerTurn change_of(const Turn& turn) const;
  void commit(Turn turn, store::WorkerTurn change);
  void answered(Turn turn, Result<store::WorkerTurn::Answer> answer);
  void take_settled(Turn& turn, const store::WorkerTurn::Answer& answer);
  void take_claimed(Turn& turn, std::vector<store::ClaimedRun> claimed);
  bool wait(Turn& turn);
  void tell_output(Held& held) CHRONOS_REQUIRES(mutex_);
  void note_progress(const Principal& who, const std::vector<ProgressRequest>& progress,
                     std::vector<RunId>& stale);
  std::vector<RunId> gather(const Principal& who, SettleRequest& request, Turn& turn,
                            store::WorkerTurn& change);
  Result<std::vector<store::ClaimedRun>> never_arrived(const Principal& who, NodeId holder,
                                                       const std::vector<RunId>& holding) const;
  void give_back(const std::vector<store::ClaimedRun>& runs);
  Result<void> adopt(const Principal& who, const SettleRequest& request);
  Held* find_held(const Principal& who, RunId run, std::int64_t token) CHRONOS_REQUIRES(mutex_);
  Held& keep(store::ClaimedRun claimed, SteadyTime until) CHRONOS_REQUIRES(mutex_);
  void forget(RunId run, std::int64_t token);
  void end_late(store::ClaimedRun claimed, Outcome outcome, const std::string& project_name);
  void end_overdue(SteadyTime now);
  void look_for_overdue(SteadyTime now);
  void end_all(std::vector<std::pair<store::ClaimedRun, Outcome>> overdue);
  std::list<Turn> take_over(SteadyTime now);

  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
  const WorkersOptions options_;
  store::LiveOutput live_output_;
  mutable Mutex mutex_;
  Rng rng_ CHRONOS_GUARDED_BY(mutex_);
  std::unordered_map<RunId, Held> held_ CHRONOS_GUARDED_BY(mutex_);
  std::set<std::pair<SteadyTime, RunId>> deadlines_ CHRONOS_GUARDED_BY(mutex_);  // of held_
  std::list<Turn> waiting_ CHRONOS_GUARDED_BY(mutex_);  // in the order they came
  SteadyTime look_at_ CHRONOS_GUARDED_BY(mutex_){};     // at who waits
  SteadyTime overdue_at_{};  // when to look for overdue attempts of other nodes; step()'s
  bool is_draining_ CHRONOS_GUARDED_BY(mutex_) = false;
};

}  // namespace chronos::service
