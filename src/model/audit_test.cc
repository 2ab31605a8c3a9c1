#include "model/audit.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

TEST(AuditDifference, OnlyWhatChanged) {
  const auto sides = difference(R"({"a":1,"b":[1,2],"c":"x"})", R"({"a":1,"b":[2],"d":true})");
  EXPECT_EQ(sides.before, R"({"b":[1,2],"c":"x","d":null})");
  EXPECT_EQ(sides.after, R"({"b":[2],"d":true,"c":null})");
}

TEST(AuditDifference, ASideThatIsNotThereStaysEmpty) {
  EXPECT_EQ(difference("", R"({"a":1})").before, "");
  EXPECT_EQ(difference("", R"({"a":1})").after, R"({"a":1})");
  EXPECT_EQ(difference(R"({"a":1})", "").after, "");
}

TEST(AuditDifference, SecretsAreMasked) {
  const auto sides = difference(
      R"({"action":{"headers":{"Authorization":"Bearer abc","Accept":"a"}},"token":5})",
      R"({"action":{"headers":[{"X-Api-Key":"k"}],"body":"chr_key_0123456789abcdefghijklmnopq"}})");
  EXPECT_EQ(sides.before,
            R"({"action":{"headers":{"Authorization":"***","Accept":"a"}},"token":"***"})");
  EXPECT_EQ(sides.after,
            R"({"action":{"headers":[{"X-Api-Key":"***"}],"body":"chr_key_***"},"token":null})");
}

TEST(AuditDifference, WhatIsLongIsToldByItsLength) {
  const auto text = "{\"note\":\"" + std::string(5000, 'x') + "\"}";
  EXPECT_EQ(difference("", text).after, "{\"note\":\"(5002 bytes)\"}");
}

TEST(AuditFilter, EachMemberHolds) {
  AuditEntry entry;
  entry.action = "job.pause";
  entry.resource = "job_x";
  entry.actor = KeyId{{1, 1}};
  entry.at = Timestamp(std::chrono::hours(10));
  AuditFilter filter;
  EXPECT_TRUE(matches(filter, entry));
  filter.action = "job.";
  EXPECT_TRUE(matches(filter, entry));
  filter.action = "job";
  EXPECT_FALSE(matches(filter, entry));
  filter.action = "job.pause";
  filter.since = entry.at;
  EXPECT_TRUE(matches(filter, entry));
  filter.until = entry.at;
  EXPECT_FALSE(matches(filter, entry));
  filter = {
      .project = {}, .resource = "job_y", .actor = {}, .action = {}, .since = {}, .until = {}};
  EXPECT_FALSE(matches(filter, entry));
  filter.resource.clear();
  filter.actor = KeyId{{1, 2}};
  EXPECT_FALSE(matches(filter, entry));
}

// Ids between the bounds hold every entry of the time asked for, made a little later or not.
TEST(AuditFilter, BoundsOfIdsEncloseTheTime) {
  AuditFilter filter;
  filter.since = Timestamp(std::chrono::hours(10));
  filter.until = Timestamp(std::chrono::hours(11));
  const auto id_at = [](Duration since_epoch) {
    return Uuid{static_cast<std::uint64_t>(since_epoch / std::chrono::milliseconds(1)) << 16, 0};
  };
  EXPECT_LT(audit_floor(filter), id_at(std::chrono::hours(10)));
  EXPECT_GT(audit_ceiling(filter), id_at(std::chrono::hours(11)));
  EXPECT_LT(audit_ceiling(filter), id_at(std::chrono::hours(12)));
  filter.after = AuditId{id_at(std::chrono::minutes(630))};
  EXPECT_EQ(audit_ceiling(filter), filter.after->uuid);
}

}  // namespace
}  // namespace chronos
