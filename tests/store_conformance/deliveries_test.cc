// Deliveries: added, claimed for a while, finished.
#include "model/json_codec.h"
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class DeliveriesTest : public StoreTest {
 protected:
  Delivery new_delivery(Timestamp at, std::string kind = "email") {
    Delivery delivery;
    delivery.id = id<DeliveryId>();
    delivery.project = project_;
    delivery.target = {std::move(kind), "ops@example.com"};
    delivery.message = test::sample_message();
    delivery.next_attempt_at = at;
    return delivery;
  }
  Delivery add(Delivery delivery) {
    commit(AddDeliveries{{delivery}});
    return delivery;
  }
  std::vector<Delivery> claim_deliveries(std::string kind = {}, int limit = 16) {
    return commit(ClaimDeliveries{now(), 30s, limit, std::move(kind)});
  }
  std::vector<DeliveryId> claimed_ids(std::string kind = {}, int limit = 16) {
    std::vector<DeliveryId> ids;
    for (const auto& delivery : claim_deliveries(std::move(kind), limit)) {
      ids.push_back(delivery.id);
    }
    return ids;
  }
};
CHRONOS_OVER_ALL_STORES(DeliveriesTest);

TEST_P(DeliveriesTest, ClaimedDeliveryIsWhole) {
  auto added = new_delivery(now());
  added.run = id<RunId>();
  add(added);
  const auto claimed = claim_deliveries();
  ASSERT_EQ(claimed.size(), 1U);
  EXPECT_EQ(claimed[0].id, added.id);
  EXPECT_EQ(claimed[0].project, project_);
  EXPECT_EQ(claimed[0].run, added.run);
  EXPECT_EQ(claimed[0].target.kind, "email");
  EXPECT_EQ(claimed[0].target.address, "ops@example.com");
  EXPECT_EQ(encode_message(claimed[0].message), encode_message(added.message));
  EXPECT_EQ(claimed[0].state, DeliveryState::waiting);
  EXPECT_EQ(claimed[0].attempts_made, 0);
  EXPECT_EQ(claimed[0].next_attempt_at, now() + 30s);
}

TEST_P(DeliveriesTest, DeliveryWithoutARunHasNone) {
  add(new_delivery(now()));
  EXPECT_FALSE(claim_deliveries().at(0).run);
}

TEST_P(DeliveriesTest, ClaimTakesWhatIsDueEarliestFirst) {
  const auto second = add(new_delivery(now() - 1s));
  const auto first = add(new_delivery(now() - 2s));
  const auto third = add(new_delivery(now()));
  add(new_delivery(now() + 1us));
  EXPECT_EQ(claimed_ids({}, 2), (std::vector{first.id, second.id}));
  EXPECT_EQ(claimed_ids(), std::vector{third.id});
  EXPECT_TRUE(claimed_ids().empty());
}

TEST_P(DeliveriesTest, ClaimMayAskForOneKind) {
  add(new_delivery(now() - 1s, "email"));
  const auto webhook = add(new_delivery(now(), "webhook"));
  EXPECT_EQ(claimed_ids("webhook"), std::vector{webhook.id});
  EXPECT_TRUE(claimed_ids("webhook").empty());
  EXPECT_TRUE(claimed_ids("slack").empty());
  EXPECT_EQ(claimed_ids("email").size(), 1U);
}

TEST_P(DeliveriesTest, ClaimedIsOutOfReachForAWhile) {
  const auto added = add(new_delivery(now()));
  ASSERT_EQ(claim_deliveries().size(), 1U);
  EXPECT_EQ(must(store().next_delivery_at()), now() + 30s);
  clock_.advance(30s - 1us);
  EXPECT_TRUE(claimed_ids().empty());
  clock_.advance(1us);
  EXPECT_EQ(claimed_ids(), std::vector{added.id});
}

TEST_P(DeliveriesTest, DeliveredIsNotSentAgain) {
  const auto added = add(new_delivery(now()));
  claim_deliveries();
  commit(FinishDelivery{added.id, DeliveryState::delivered, {}, ""});
  clock_.advance(24h);
  EXPECT_TRUE(claimed_ids().empty());
  EXPECT_FALSE(must(store().next_delivery_at()));
  EXPECT_EQ(stats().deliveries_waiting, 0);
}

TEST_P(DeliveriesTest, FailedSendingWaitsForItsTime) {
  auto added = new_delivery(now());
  added.run = id<RunId>();
  add(added);
  claim_deliveries();
  commit(FinishDelivery{added.id, DeliveryState::waiting, now() + 1min, "refused"});
  const auto listed = must(store().list_deliveries(project_, *added.run));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].attempts_made, 1);
  EXPECT_EQ(listed[0].error, "refused");
  EXPECT_EQ(listed[0].state, DeliveryState::waiting);
  EXPECT_EQ(listed[0].next_attempt_at, now() + 1min);
  EXPECT_EQ(must(store().next_delivery_at()), now() + 1min);
  clock_.advance(1min);
  const auto again = claim_deliveries();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].attempts_made, 1);
  commit(FinishDelivery{added.id, DeliveryState::given_up, {}, "refused again"});
  EXPECT_EQ(must(store().list_deliveries(project_, *added.run))[0].attempts_made, 2);
  EXPECT_EQ(must(store().list_deliveries(project_, *added.run))[0].state, DeliveryState::given_up);
}

TEST_P(DeliveriesTest, FinishedStaysAsItIs) {
  auto added = new_delivery(now());
  added.run = id<RunId>();
  add(added);
  commit(FinishDelivery{added.id, DeliveryState::delivered, {}, ""});
  // A second sender, whose lease had run out, comes to another end.
  commit(FinishDelivery{added.id, DeliveryState::waiting, now(), "late"});
  const auto listed = must(store().list_deliveries(project_, *added.run));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].state, DeliveryState::delivered);
  EXPECT_EQ(listed[0].error, "");
  EXPECT_EQ(listed[0].attempts_made, 1);
}

TEST_P(DeliveriesTest, UnknownDeliveryIsNotFound) {
  EXPECT_EQ(refusal(try_commit(FinishDelivery{id<DeliveryId>(), DeliveryState::delivered, {}, ""})),
            "not_found");
}

TEST_P(DeliveriesTest, AddedTwiceIsThereOnce) {
  const auto added = add(new_delivery(now()));
  commit(FinishDelivery{added.id, DeliveryState::delivered, {}, ""});
  add(added);
  EXPECT_TRUE(claimed_ids().empty());
}

TEST_P(DeliveriesTest, ListIsOfOneRunNewestFirst) {
  const auto run = id<RunId>();
  std::vector<DeliveryId> made;
  for (int i = 0; i < 3; ++i) {
    auto delivery = new_delivery(now());
    delivery.run = run;
    made.insert(made.begin(), add(delivery).id);
  }
  auto other = new_delivery(now());
  other.run = id<RunId>();
  add(other);
  add(new_delivery(now()));
  std::vector<DeliveryId> listed;
  for (const auto& delivery : must(store().list_deliveries(project_, run))) {
    listed.push_back(delivery.id);
  }
  EXPECT_EQ(listed, made);
  EXPECT_TRUE(must(store().list_deliveries(other_project_, run)).empty());
}

TEST_P(DeliveriesTest, NextIsTheEarliestThatWaits) {
  EXPECT_FALSE(must(store().next_delivery_at()));
  add(new_delivery(now() + 2min));
  const auto earliest = add(new_delivery(now() + 1min));
  EXPECT_EQ(must(store().next_delivery_at()), now() + 1min);
  commit(FinishDelivery{earliest.id, DeliveryState::given_up, {}, ""});
  EXPECT_EQ(must(store().next_delivery_at()), now() + 2min);
  EXPECT_EQ(stats().deliveries_waiting, 1);
}

}  // namespace
}  // namespace chronos::store
