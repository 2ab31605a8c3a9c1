// Tells people: start here. Claims deliveries whose time has come, sends each through the channel
// of its kind, and records what came of it; what failed is tried again over days. step() makes one
// pass and never waits: answers of the store and of channels come back as events of a later step.
//
// One thread calls step(). Production calls start() and the notifier turns its own crank; tests and
// the simulator call step() by hand instead.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/inbox.h"
#include "base/waiter.h"
#include "notify/channel.h"
#include "store/store.h"

namespace chronos::notify {

// How long to wait after the `attempts_made`-th failed sending (1, 2, …), or nothing: it is given
// up, about three days after the first.
std::optional<Duration> sending_delay(int attempts_made);

struct NotifierEvents {
  // After each sending, with what it came to; for metrics and logs. On the notifier's thread.
  std::function<void(const Delivery&, const Sent&, DeliveryState)> on_sent =
      [](const auto&, const auto&, DeliveryState) {};
};

class Notifier {
 public:
  // `channels` by kind of target; they, the store and the clock must outlive the notifier.
  Notifier(store::Store& store, const Clock& clock, const std::map<std::string, Channel*>& channels,
           NotifierEvents events = {});
  ~Notifier();  // stop()
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // One pass; returns when to call again at the latest.
  Timestamp step();

  // Runs step() on a thread of its own until stop().
  void start();

  // Thread-safe: something was committed that may concern us (Store::on_change).
  void wake() { waiter_->wake(); }

  // Claims nothing more, stops the channels, records how what was being sent has ended, so that the
  // rest is sent right after the next start; then ends the thread. The store must still answer.
  void stop();

  // Nothing is being sent and nothing waits for the store.
  bool is_idle() const { return sending_.empty() && in_flight_ == 0; }

 private:
  struct Lane {
    Channel* channel = nullptr;
    int sending = 0;
    bool is_claiming = false;
    // The claim at this time found fewer deliveries than there was room for.
    std::optional<Timestamp> emptied_at;
  };

  template <class C>
  void commit(C change, std::move_only_function<void(Result<typename C::Answer>)> then);

  void take_events();
  bool wants_claim(const Lane& lane, Timestamp next) const;
  void claim(const std::string& kind, Lane& lane);
  void send(Lane& lane, const Delivery& delivery);
  void finish(Lane& lane, const Delivery& delivery, const Sent& sent);
  void disable(DeclaredChannel channel);
  void record(store::FinishDelivery change);
  void record_again();

  store::Store& store_;
  const Clock& clock_;
  const NotifierEvents events_;
  const std::shared_ptr<Waiter> waiter_;  // both are shared with completions, which may outlive us
  const std::shared_ptr<Inbox> inbox_;

  Timestamp now_;  // of this step
  std::map<std::string, Lane> lanes_;
  std::unordered_set<DeliveryId> sending_;         // until they are recorded
  std::vector<store::FinishDelivery> unrecorded_;  // refused for now by the store
  Timestamp record_again_at_{};
  int in_flight_ = 0;  // changes the store has not answered yet
  std::atomic<bool> is_draining_ = false;
  std::jthread thread_;
};

}  // namespace chronos::notify
