#include "notify/notifier.h"

#include <gtest/gtest.h>

#include <deque>
#include <future>
#include <set>

#include "sim/faulty_store.h"
#include "store/memory_store.h"

namespace chronos::notify {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class VirtualClock final : public Clock {
 public:
  Timestamp now() const override { return now_; }
  SteadyTime steady() const override { return now_.time_since_epoch(); }
  void advance(Duration duration) { now_ += duration; }

 private:
  Timestamp now_ = from_micros(1'800'000'000'000'000);
};

// Keeps what it is to send until the test says what becomes of it.
class RecordingChannel final : public Channel {
 public:
  explicit RecordingChannel(int sendings_max) : sendings_max_(sendings_max) {}

  int sendings_max() const override { return sendings_max_; }
  void send(const Delivery& delivery, std::move_only_function<void(Sent)> done) override {
    if (is_stopped_) return done({.kind = Sent::Kind::interrupted, .error = "stopping"});
    sent_.push_back(delivery);
    done_.push_back(std::move(done));
  }
  void stop() override {
    is_stopped_ = true;
    while (!done_.empty()) end({.kind = Sent::Kind::interrupted, .error = "stopping"});
  }

  const std::vector<Delivery>& sent() const { return sent_; }
  std::size_t open() const { return done_.size(); }
  void end(Sent sent) {
    auto done = std::move(done_.front());
    done_.pop_front();
    done(std::move(sent));
  }

 private:
  const int sendings_max_;
  bool is_stopped_ = false;
  std::vector<Delivery> sent_;
  std::deque<std::move_only_function<void(Sent)>> done_;
};

Sent failed(std::string error = "no") {
  return {.kind = Sent::Kind::try_later, .error = std::move(error), .retry_after = {}};
}

Sent refused_by(const DeclaredChannel& channel) {
  return {
      .kind = Sent::Kind::refused, .error = "410", .retry_after = std::nullopt, .gone = channel};
}

class NotifierTest : public ::testing::Test {
 protected:
  DeliveryId add(const char* kind) {
    const DeliveryId id{{0, ++last_}};
    store_.commit(store::AddDeliveries{{{.id = id,
                                         .project = {},
                                         .run = RunId{},
                                         .target = {kind, "somebody"},
                                         .message = {},
                                         .next_attempt_at = clock_.now()}}},
                  [](const auto& answer) { EXPECT_TRUE(answer.has_value()); });
    settle_store();
    return id;
  }
  void settle_store() {
    held_.pass_on();
    while (store_.pump()) {
    }
  }
  // Until nothing moves without the clock or a channel.
  Timestamp turn() {
    Timestamp next;
    for (int i = 0; i < 6; ++i) {
      next = notifier_.step();
      settle_store();
    }
    return next;
  }
  Delivery find(DeliveryId id) {
    const auto all = store_.list_deliveries({}, RunId{}).value();
    for (const auto& delivery : all) {
      if (delivery.id == id) return delivery;
    }
    ADD_FAILURE() << "no such delivery";
    return {};
  }

  DeclaredChannel declare(std::string name, std::string url = "https://receiver.example/") {
    DeclaredChannel channel;
    channel.name = std::move(name);
    channel.url = std::move(url);
    store_.commit(store::PutChannel{.channel = channel},
                  [&](const auto& answer) { channel = answer.value().channel; });
    settle_store();
    return channel;
  }

  VirtualClock clock_;
  store::MemoryStore store_{clock_, {.has_own_thread = false}};
  sim::FaultyStore held_{store_};
  RecordingChannel email_{2};
  RecordingChannel webhook_{2};
  Notifier notifier_{held_, clock_, {{"email", &email_}, {"webhook", &webhook_}}};
  std::uint64_t last_ = 0;
};

TEST_F(NotifierTest, DeliversOnceAndRecordsIt) {
  const auto id = add("email");
  turn();
  ASSERT_EQ(email_.sent().size(), 1U);
  EXPECT_EQ(email_.sent()[0].id, id);
  EXPECT_TRUE(webhook_.sent().empty());
  email_.end({});
  turn();
  EXPECT_EQ(find(id).state, DeliveryState::delivered);
  EXPECT_EQ(find(id).attempts_made, 1);
  clock_.advance(hours(100));
  turn();
  EXPECT_EQ(email_.sent().size(), 1U);
  EXPECT_TRUE(notifier_.is_idle());
}

TEST_F(NotifierTest, FailuresAreTriedAgainOverDaysThenGivenUp) {
  const auto id = add("webhook");
  const auto first = clock_.now();
  std::size_t sendings = 0;
  while (find(id).state == DeliveryState::waiting) {
    turn();
    ASSERT_EQ(webhook_.sent().size(), ++sendings) << "it is sent when its time has come";
    webhook_.end(failed("refused"));
    turn();
    const auto delivery = find(id);
    EXPECT_EQ(delivery.error, "refused");
    if (delivery.state != DeliveryState::waiting) break;
    const auto delay = sending_delay(static_cast<int>(sendings));
    EXPECT_EQ(delivery.next_attempt_at, clock_.now() + delay.value());
    clock_.advance(delay.value() - Duration(1));
    turn();
    EXPECT_EQ(webhook_.sent().size(), sendings) << "and not earlier";
    clock_.advance(Duration(1));
  }
  EXPECT_EQ(find(id).state, DeliveryState::given_up);
  EXPECT_EQ(sendings, 11U);
  EXPECT_GT(clock_.now() - first, hours(24 * 2));
  EXPECT_LT(clock_.now() - first, hours(24 * 4));
}

TEST_F(NotifierTest, StepSaysWhenToComeBack) {
  EXPECT_EQ(notifier_.step(), clock_.now() + std::chrono::milliseconds(500)) << "nothing is due";
  const auto id = add("email");
  turn();
  email_.end(failed());
  turn();
  clock_.advance(std::chrono::milliseconds(4'900));
  EXPECT_EQ(turn(), find(id).next_attempt_at);
}

TEST_F(NotifierTest, RefusedForGoodIsGivenUpAtOnce) {
  const auto id = add("email");
  turn();
  email_.end({.kind = Sent::Kind::refused, .error = "no such mailbox", .retry_after = {}});
  turn();
  EXPECT_EQ(find(id).state, DeliveryState::given_up);
  EXPECT_EQ(find(id).error, "no such mailbox");
}

TEST_F(NotifierTest, AChannelWhoseReceiverIsGoneIsSwitchedOff) {
  const auto channel = declare("ops");
  add("webhook");
  turn();
  webhook_.end(refused_by(channel));
  turn();
  const auto stored = store_.find_channel({}, "ops").value();
  EXPECT_EQ(stored.disabled_at, clock_.now());
  EXPECT_EQ(stored.version, channel.version + 1);
  EXPECT_EQ(stored.url, channel.url);
}

TEST_F(NotifierTest, AChannelThatWasDeclaredAnewMeanwhileStaysOn) {
  const auto channel = declare("ops");
  add("webhook");
  turn();
  declare("ops", "https://elsewhere.example/");
  webhook_.end(refused_by(channel));
  turn();
  EXPECT_FALSE(store_.find_channel({}, "ops").value().disabled_at);
}

TEST_F(NotifierTest, RetryAfterIsHonouredWithinADay) {
  const auto id = add("webhook");
  turn();
  webhook_.end({.kind = Sent::Kind::try_later, .error = "busy", .retry_after = minutes(7)});
  turn();
  EXPECT_EQ(find(id).next_attempt_at, clock_.now() + minutes(7));
  clock_.advance(minutes(7));
  turn();
  webhook_.end({.kind = Sent::Kind::try_later, .error = "busy", .retry_after = hours(1000)});
  turn();
  EXPECT_EQ(find(id).next_attempt_at, clock_.now() + hours(24));
}

TEST_F(NotifierTest, AHangingKindDelaysNoOther) {
  for (int i = 0; i < 10; ++i) add("email");
  turn();
  EXPECT_EQ(email_.open(), 2U) << "no more than it takes at a time";
  clock_.advance(seconds(1));
  add("webhook");
  turn();
  EXPECT_EQ(webhook_.open(), 1U);
  // With e-mails overdue all the time, webhooks still go out soon.
  webhook_.end({});
  turn();
  add("webhook");
  const auto next = turn();
  EXPECT_LE(next, clock_.now() + std::chrono::milliseconds(250));
  clock_.advance(std::chrono::milliseconds(250));
  turn();
  EXPECT_EQ(webhook_.sent().size(), 2U);
  EXPECT_EQ(email_.sent().size(), 2U);
}

TEST_F(NotifierTest, EveryDeliveryOfABacklogIsSentOnce) {
  for (int i = 0; i < 25; ++i) add("email");
  std::set<DeliveryId> seen;
  for (int i = 0; i < 40 && seen.size() < 25; ++i) {
    turn();
    while (email_.open() > 0) email_.end({});
    clock_.advance(std::chrono::milliseconds(250));
    for (const auto& delivery : email_.sent()) seen.insert(delivery.id);
  }
  turn();
  EXPECT_EQ(email_.sent().size(), 25U);
  EXPECT_EQ(seen.size(), 25U);
  EXPECT_EQ(store_.stats()->deliveries_waiting, 0);
}

// An empty lane must not ask the store in a circle while another kind's deliveries are overdue.
TEST_F(NotifierTest, AFullLaneCausesNoStormOfClaims) {
  for (int i = 0; i < 10; ++i) add("email");
  turn();
  int steps_with_changes = 0;
  for (int i = 0; i < 100; ++i) {
    notifier_.step();
    if (held_.has_waiting()) ++steps_with_changes;
    settle_store();
  }
  EXPECT_LE(steps_with_changes, 1);
}

TEST_F(NotifierTest, LeaseThatEndsWhileSendingDoesNotSendTwice) {
  const auto id = add("email");
  turn();
  clock_.advance(minutes(5));
  turn();
  EXPECT_EQ(email_.sent().size(), 1U);
  email_.end({});
  turn();
  EXPECT_EQ(find(id).state, DeliveryState::delivered);
}

TEST_F(NotifierTest, AnOutcomeTheStoreRefusesIsRecordedLater) {
  const auto id = add("email");
  turn();
  email_.end({});
  notifier_.step();
  for (int i = 0; i < 300; ++i) {  // five minutes, longer than the lease
    held_.refuse_waiting(Reason::store_unavailable);
    clock_.advance(seconds(1));
    notifier_.step();
  }
  EXPECT_FALSE(notifier_.is_idle());
  turn();
  clock_.advance(seconds(2));
  turn();
  EXPECT_EQ(find(id).state, DeliveryState::delivered);
  EXPECT_EQ(email_.sent().size(), 1U);
  EXPECT_TRUE(notifier_.is_idle());
}

TEST_F(NotifierTest, ClaimsThatFailAreTriedAgain) {
  add("email");
  notifier_.step();
  held_.refuse_waiting(Reason::store_unavailable);
  turn();
  EXPECT_TRUE(email_.sent().empty());
  clock_.advance(seconds(2));
  turn();
  EXPECT_EQ(email_.sent().size(), 1U);
}

TEST_F(NotifierTest, DeliveriesOfAKindNobodySendsWait) {
  const auto id = add("pigeon");
  turn();
  EXPECT_EQ(find(id).state, DeliveryState::waiting);
  EXPECT_EQ(find(id).attempts_made, 0);
}

TEST(SendingDelay, GrowsAndEnds) {
  Duration sum(0);
  Duration last(0);
  int attempts = 1;
  for (; sending_delay(attempts); ++attempts) {
    EXPECT_GE(*sending_delay(attempts), last);
    last = *sending_delay(attempts);
    sum += last;
  }
  EXPECT_EQ(attempts, 11);
  EXPECT_EQ(sending_delay(1), seconds(5));
  EXPECT_GE(sum, hours(70));
  EXPECT_LE(sum, hours(75));
  EXPECT_FALSE(sending_delay(1000));
}

// With its own thread, on the real clock.
TEST(NotifierThread, StopRecordsWhatWasBeingSent) {
  const SystemClock clock;
  store::MemoryStore store(clock);
  class HangingChannel final : public Channel {
   public:
    int sendings_max() const override { return 4; }
    void send(const Delivery&, std::move_only_function<void(Sent)> done) override {
      done_ = std::move(done);
      arrived_.set_value();
    }
    void stop() override {
      if (done_) std::exchange(done_, {})({.kind = Sent::Kind::interrupted, .error = "stopping"});
    }
    void wait_for_one() { arrived_.get_future().get(); }

   private:
    std::move_only_function<void(Sent)> done_;
    std::promise<void> arrived_;
  };
  HangingChannel channel;
  Notifier notifier(store, clock, {{"email", &channel}});
  store.on_change([&] { notifier.wake(); });
  notifier.start();
  const Delivery delivery{.id = {{0, 1}},
                          .project = {},
                          .run = RunId{},
                          .target = {"email", "a@b"},
                          .message = {},
                          .next_attempt_at = clock.now()};
  ASSERT_TRUE(store::commit_and_wait(store, store::AddDeliveries{{delivery}}).has_value());
  channel.wait_for_one();
  notifier.stop();
  const auto kept = store.list_deliveries({}, RunId{}).value().at(0);
  EXPECT_EQ(kept.state, DeliveryState::waiting);
  EXPECT_EQ(kept.error, "stopping");
  EXPECT_LE(kept.next_attempt_at, clock.now()) << "right after the next start";
}

}  // namespace
}  // namespace chronos::notify
