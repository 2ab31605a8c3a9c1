// What happens, for who watches: the dashboard's stream (GET /api/events). Events are hints of what
// to read again; whoever missed some is told to read everything again. The store tells what commits
// touched; here that is gathered, told at most four times a second, and kept for a while for who
// comes back. Nobody is told of another project.
//
// Thread-safe. pump() is called by one thread, its own (run()), or by tests.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "model/bulk.h"
#include "service/principal.h"
#include "store/touch.h"

namespace chronos::service {

struct EventsOptions {
  Duration interval = std::chrono::milliseconds(250);  // between two tellings of changes
  Duration keep_alive = std::chrono::seconds(15);      // between two signs of life
  Duration check = std::chrono::seconds(5);            // between two looks whether one still may
  // Nobody has watched for so long: nothing is kept any more.
  Duration linger = std::chrono::minutes(1);
  std::size_t kept_bytes_max = 1024uz * 1024;
  std::size_t streams_max = 500;  // of all
  std::size_t streams_per_key = 50;
};

// More ids than this in one telling are told as "much".
inline constexpr std::size_t kEventIdsMax = 200;
inline constexpr std::size_t kFollowedMax = 20;  // runs whose output one stream follows

struct Event {
  std::string_view name;  // empty: a sign of life
  std::string_view data;  // one line of JSON
  std::string_view id;    // empty: nothing to come back to
};

// One who watches.
struct EventStream {
  // False: it is gone. Called on the thread of pump() or of subscribe(); must not block.
  std::function<bool(const Event&)> send;
  // Whether it still may: asked now and then, on the thread of pump(), and may block.
  std::function<bool()> may_go_on = [] { return true; };
  std::stop_token gone;
  std::set<RunId> followed = {};  // runs whose output it wants to know of
  std::string last_id = {};       // of the last event it got; empty = it begins
};

class Events {
 public:
  explicit Events(const Clock& clock, EventsOptions options = {});
  ~Events();

  // For Store::on_touch. Whether anybody watches, or has a moment ago.
  bool is_watched() const { return is_watched_; }
  void touch(const std::vector<store::Touch>& touches);
  // How far a bulk operation came. Told with the changes, and of each only the last.
  void tell(const Bulk& bulk);

  // Whether subscribe() would take one more of this key now.
  Result<void> check_room(const Principal& who) const;

  // From the answer on it is told everything; what it missed since `last_id` at once, or `resync`
  // when that is not kept. Refused with too_many_requests, and with shutting_down after stop().
  Result<void> subscribe(const Principal& who, EventStream stream);

  // Tells what is due. Answers when to call again at the latest; nothing: when something happens.
  std::optional<SteadyTime> pump();

  void run();   // pump() until stop()
  void stop();  // ends all streams; nothing is told any more

  std::size_t stream_count() const;

 private:
  struct Subscriber {
    Principal who;
    EventStream stream;
    bool is_over = false;
  };
  // What changed of a project since it was told last.
  struct Changes {
    struct State {
      std::optional<JobId> job;
      std::optional<RunState> state;
    };
    std::set<JobId> jobs;
    std::map<RunId, State> runs;
    bool is_much = false;
    bool has_queued = false;  // runs of which nobody said which
  };
  struct Kept {
    std::uint64_t number = 0;
    ProjectId project;  // nil: for all
    std::string name;
    std::string data;
  };
  // How much is stored of a run's output.
  struct Output {
    ProjectId project;
    int attempt = 0;
    std::int64_t size = 0;
  };
  struct Progress {
    ProjectId project;
    std::int64_t done = 0;
    std::int64_t failed_count = 0;
    std::int64_t total = 0;
    BulkStatus status = BulkStatus::waiting;
  };
  using Subscribers = std::vector<std::shared_ptr<Subscriber>>;

  Result<void> find_room(const Principal& who) const CHRONOS_REQUIRES(mutex_);
  static void add(Changes& changes, const store::Touch& touch);
  static std::string data_of(const Changes& changes);
  std::string id_of(std::uint64_t number) const CHRONOS_REQUIRES(mutex_);
  void keep(ProjectId project, std::string_view name, std::string data) CHRONOS_REQUIRES(mutex_);
  void catch_up(Subscriber& subscriber) CHRONOS_REQUIRES(mutex_);
  void note_output(const store::Touch& touch) CHRONOS_REQUIRES(mutex_);
  void tell_outputs() CHRONOS_REQUIRES(mutex_);
  void tell_changes() CHRONOS_REQUIRES(mutex_);
  void tell_bulks() CHRONOS_REQUIRES(mutex_);
  void tell_kept(const Kept& kept) CHRONOS_REQUIRES(mutex_);
  void end_gone(SteadyTime now) CHRONOS_REQUIRES(mutex_);
  void stay_alive(SteadyTime now) CHRONOS_REQUIRES(mutex_);
  std::optional<SteadyTime> next_look(SteadyTime now) const CHRONOS_REQUIRES(mutex_);
  void check_permissions(SteadyTime now);

  const Clock& clock_;
  const EventsOptions options_;
  std::atomic<bool> is_watched_ = false;
  mutable Mutex mutex_;
  Condition happened_;
  Subscribers subscribers_ CHRONOS_GUARDED_BY(mutex_);
  std::map<ProjectId, Changes> changes_ CHRONOS_GUARDED_BY(mutex_);
  // Of runs that somebody follows; told at once, and kept for nobody: whoever comes back asks.
  std::map<RunId, Output> outputs_ CHRONOS_GUARDED_BY(mutex_);
  std::map<BulkId, Progress> bulks_ CHRONOS_GUARDED_BY(mutex_);
  std::deque<Kept> kept_ CHRONOS_GUARDED_BY(mutex_);  // oldest first
  std::size_t kept_bytes_ CHRONOS_GUARDED_BY(mutex_) = 0;
  // Ids are this and a number: those of another process, or of before nobody watched, mean nothing.
  std::string epoch_ CHRONOS_GUARDED_BY(mutex_);
  std::uint64_t last_number_ CHRONOS_GUARDED_BY(mutex_) = 0;
  SteadyTime told_at_ CHRONOS_GUARDED_BY(mutex_){};
  SteadyTime alive_at_ CHRONOS_GUARDED_BY(mutex_){};
  SteadyTime watched_at_ CHRONOS_GUARDED_BY(mutex_){};  // somebody did
  bool has_news_ CHRONOS_GUARDED_BY(mutex_) = false;    // since pump() looked
  bool is_stopped_ CHRONOS_GUARDED_BY(mutex_) = false;
  SteadyTime checked_at_{};  // pump()'s thread's
};

}  // namespace chronos::service
