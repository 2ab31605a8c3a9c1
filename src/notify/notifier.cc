#include "notify/notifier.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"

namespace chronos::notify {
namespace {

// Longer than any sending takes, the wait in its channel's queue included. One that is lost with
// the process is sent again after this time.
constexpr Duration kLease = std::chrono::minutes(2);
constexpr Duration kRetryStore = std::chrono::seconds(1);
// A lane found empty is not asked again at once, although the store says that something is due: it
// may be due in a lane that has no room.
constexpr Duration kClaimPause = std::chrono::milliseconds(250);

}  // namespace

std::optional<Duration> sending_delay(int attempts_made) {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  constexpr std::array<Duration, 10> kDelays = {seconds(5), seconds(30), minutes(2), minutes(10),
                                                hours(1),   hours(3),    hours(6),   hours(12),
                                                hours(24),  hours(24)};
  const auto index = static_cast<std::size_t>(std::max(attempts_made, 1) - 1);
  return index < kDelays.size() ? std::optional(kDelays[index]) : std::nullopt;
}

Notifier::Notifier(store::Store& store, const Clock& clock,
                   const std::map<std::string, Channel*>& channels, NotifierEvents events)
    : store_(store),
      clock_(clock),
      events_(std::move(events)),
      waiter_(std::make_shared<Waiter>()),
      inbox_(std::make_shared<Inbox>([waiter = waiter_] { waiter->wake(); })) {
  for (const auto& [kind, channel] : channels) lanes_[kind].channel = channel;
}

Notifier::~Notifier() {
  stop();
}

void Notifier::start() {
  thread_ = std::jthread([this] {
    while (true) {
      const auto next = step();
      if (is_draining_ && is_idle()) return;
      waiter_->wait_until(clock_, next);
    }
  });
}

void Notifier::stop() {
  is_draining_ = true;
  for (auto& [kind, lane] : lanes_) lane.channel->stop();
  waiter_->wake();
  if (thread_.joinable()) thread_.join();
}

Timestamp Notifier::step() {
  now_ = clock_.now();
  take_events();
  record_again();
  auto next = now_ + std::chrono::milliseconds(500);
  if (is_draining_) return next;
  const auto due = store_.next_delivery_at();
  if (!due) {
    log::warn("the store cannot be read", {{"error", due.error().message}});
    return now_ + kRetryStore;
  }
  if (!*due) return next;
  for (auto& [kind, lane] : lanes_) {
    if (wants_claim(lane, **due)) claim(kind, lane);
    if (lane.emptied_at) next = std::min(next, std::max(**due, *lane.emptied_at + kClaimPause));
  }
  return **due > now_ ? std::min(next, **due) : next;
}

void Notifier::take_events() {
  for (auto& event : inbox_->take()) event();
}

template <class C>
void Notifier::commit(C change, std::move_only_function<void(Result<typename C::Answer>)> then) {
  ++in_flight_;
  store_.commit(std::move(change),
                [this, inbox = inbox_, then = std::move(then)](auto answer) mutable {
                  inbox->post([this, then = std::move(then), answer = std::move(answer)]() mutable {
                    --in_flight_;
                    then(std::move(answer));
                  });
                });
}

bool Notifier::wants_claim(const Lane& lane, Timestamp next) const {
  if (next > now_ || lane.is_claiming || lane.sending >= lane.channel->sendings_max()) return false;
  return !lane.emptied_at || now_ >= *lane.emptied_at + kClaimPause;
}

void Notifier::claim(const std::string& kind, Lane& lane) {
  const int room = lane.channel->sendings_max() - lane.sending;
  lane.is_claiming = true;
  commit(store::ClaimDeliveries{.now = now_, .lease = kLease, .limit = room, .kind = kind},
         [this, &lane, room, asked_at = now_](Result<std::vector<Delivery>> answer) {
           lane.is_claiming = false;
           lane.emptied_at = std::nullopt;
           if (!answer) {
             lane.emptied_at = now_ + kRetryStore;
             return log::warn("deliveries cannot be claimed", {{"error", answer.error().message}});
           }
           if (std::ssize(*answer) < room) lane.emptied_at = asked_at;
           for (const auto& delivery : *answer) send(lane, delivery);
         });
}

void Notifier::send(Lane& lane, const Delivery& delivery) {
  // Claimed again because its lease ended meanwhile: what is on its way is enough.
  if (!sending_.insert(delivery.id).second) return;
  ++lane.sending;
  lane.channel->send(delivery, [this, &lane, delivery, inbox = inbox_](Sent sent) {
    inbox->post([this, &lane, delivery, sent = std::move(sent)] { finish(lane, delivery, sent); });
  });
}

void Notifier::finish(Lane& lane, const Delivery& delivery, const Sent& sent) {
  --lane.sending;
  store::FinishDelivery change{.delivery = delivery.id, .error = sent.error};
  const auto delay = sending_delay(delivery.attempts_made + 1);
  switch (sent.kind) {
    case Sent::Kind::delivered:
      change.state = DeliveryState::delivered;
      break;
    case Sent::Kind::refused:
      change.state = DeliveryState::given_up;
      break;
    case Sent::Kind::try_later:
      change.state = delay ? DeliveryState::waiting : DeliveryState::given_up;
      change.next_attempt_at = now_ + std::max(delay.value_or(Duration(0)),
                                               std::min(sent.retry_after.value_or(Duration(0)),
                                                        Duration(std::chrono::hours(24))));
      break;
    case Sent::Kind::interrupted:
      change.state = DeliveryState::waiting;
      change.next_attempt_at = now_;
      break;
  }
  if (change.state == DeliveryState::given_up) {
    log::warn("a notification could not be delivered", {{"delivery", delivery.id.to_string()},
                                                        {"kind", delivery.target.kind},
                                                        {"to", delivery.target.address},
                                                        {"error", sent.error}});
  }
  events_.on_sent(delivery, sent, change.state);
  record(std::move(change));
  if (sent.gone) disable(*sent.gone);
}

// Unless it was changed since it was read. Should the store not take it, the next message is
// refused, too.
void Notifier::disable(DeclaredChannel channel) {
  const auto version = channel.version;
  channel.disabled_at = channel.updated_at = now_;
  auto name = channel.name;
  commit(store::PutChannel{.channel = std::move(channel), .expected_version = version},
         [name = std::move(name)](const Result<store::PutChannel::Answer>& answer) {
           if (!answer) return;
           log::warn("a channel is switched off: its receiver answered 410 Gone",
                     {{"channel", name}, {"project", answer->channel.project.to_string()}});
         });
}

void Notifier::record(store::FinishDelivery change) {
  auto copy = change;
  commit(std::move(change),
         [this, copy = std::move(copy)](Result<store::FinishDelivery::Answer> answer) mutable {
           if (answer || answer.error().reason == Reason::not_found || is_draining_) {
             sending_.erase(copy.delivery);
             return;
           }
           if (now_ >= record_again_at_) {  // once for all that fail together
             log::warn("a delivery cannot be recorded", {{"error", answer.error().message}});
           }
           unrecorded_.push_back(std::move(copy));
           record_again_at_ = now_ + kRetryStore;
         });
}

void Notifier::record_again() {
  if (unrecorded_.empty() || now_ < record_again_at_) return;
  for (auto& change : std::exchange(unrecorded_, {})) record(std::move(change));
}

}  // namespace chronos::notify
