// Bulk operations and channels.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class BulksTest : public StoreTest {
 protected:
  PutBulk put(std::size_t items = 3) {
    PutBulk change;
    auto& bulk = change.bulk;
    bulk.id = id<BulkId>();
    bulk.project = project_;
    bulk.by = id<KeyId>();
    bulk.action = BulkAction::pause;
    bulk.selection = R"({"jobs":{"tag":"a"}})";
    bulk.total = static_cast<std::int64_t>(items);
    bulk.created_at = now();
    bulk.starts_at = now() + kBulkUndo;
    bulk.taken_until = now();
    for (std::size_t i = 0; i < items; ++i) change.items.push_back(id<JobId>().uuid);
    return change;
  }
  Bulk bulk(BulkId id) { return must(store().find_bulk(project_, id)); }
  std::vector<Uuid> items(BulkId id, std::int64_t from, int limit) {
    return must(store().bulk_items(id, from, limit));
  }
  std::vector<BulkId> open() {
    std::vector<BulkId> ids;
    for (const auto& each : must(store().open_bulks(100))) ids.push_back(each.id);
    return ids;
  }
};
CHRONOS_OVER_ALL_STORES(BulksTest);

TEST_P(BulksTest, IsKeptWhole) {
  auto change = put();
  change.bulk.is_of_runs = true;
  change.bulk.action = BulkAction::retry;
  commit(change);
  store_.reopen();
  const auto read = bulk(change.bulk.id);
  EXPECT_EQ(read.by, change.bulk.by);
  EXPECT_EQ(read.action, BulkAction::retry);
  EXPECT_TRUE(read.is_of_runs);
  EXPECT_EQ(read.selection, change.bulk.selection);
  EXPECT_EQ(read.status, BulkStatus::waiting);
  EXPECT_EQ(read.total, 3);
  EXPECT_EQ(read.created_at, now());
  EXPECT_EQ(read.starts_at, now() + kBulkUndo);
  EXPECT_EQ(read.ended_at, std::nullopt);
  EXPECT_EQ(items(read.id, 0, 100), change.items);
}

TEST_P(BulksTest, ItemsAreReadFromAnyPlace) {
  const auto change = put(2'500);
  commit(change);
  const auto expect = [&](std::int64_t from, int limit, std::int64_t count) {
    const auto read = items(change.bulk.id, from, limit);
    ASSERT_EQ(std::ssize(read), count) << from;
    EXPECT_TRUE(std::ranges::equal(
        read, std::span(change.items).subspan(static_cast<std::size_t>(from), read.size())));
  };
  expect(0, 25, 25);
  expect(990, 25, 25);
  expect(999, 1, 1);
  expect(1'000, 1'000, 1'000);
  expect(500, 2'500, 2'000);
  expect(2'490, 25, 10);
  EXPECT_TRUE(items(change.bulk.id, 2'500, 25).empty());
}

TEST_P(BulksTest, MovesByItsStep) {
  const auto change = put();
  commit(change);
  auto next = change.bulk;
  next.status = BulkStatus::running;
  next.done = 1;
  next.failed_count = 1;
  next.failed = {{"job_x", "not_found", "no job has this \"id\""}};
  next.taken_until = now() + 5s;
  EXPECT_EQ(commit(MoveBulk{next}).bulk.step, 1);
  EXPECT_EQ(refusal(try_commit(MoveBulk{next})), "version_mismatch");
  auto read = bulk(next.id);
  EXPECT_EQ(read.status, BulkStatus::running);
  EXPECT_EQ(read.position(), 2);
  ASSERT_EQ(read.failed.size(), 1U);
  EXPECT_EQ(read.failed[0].detail, "no job has this \"id\"");
  EXPECT_EQ(read.taken_until, now() + 5s);
  read.status = BulkStatus::done;
  read.done = 2;
  read.ended_at = now();
  commit(MoveBulk{read});
  EXPECT_EQ(bulk(next.id).ended_at, now());
  EXPECT_TRUE(items(next.id, 0, 10).empty()) << "nobody needs them any more";
  read.project = other_project_;
  EXPECT_EQ(refusal(try_commit(MoveBulk{read})), "not_found");
}

TEST_P(BulksTest, OpenOnesAreInTheOrderOfTheirStart) {
  auto later = put();
  later.bulk.starts_at += 1h;
  commit(later);
  const auto first = put();
  commit(first);
  auto over = put().bulk;
  commit(PutBulk{.bulk = over, .items = {}, .idempotency = {}});
  over.status = BulkStatus::cancelled;
  over.ended_at = now();
  commit(MoveBulk{over});
  EXPECT_EQ(open(), (std::vector{first.bulk.id, later.bulk.id}));
}

TEST_P(BulksTest, ListsAreNewestFirstAndOfTheProject) {
  std::vector<BulkId> made;
  for (int i = 0; i < 3; ++i) {
    const auto change = put();
    commit(change);
    made.insert(made.begin(), change.bulk.id);
  }
  const auto list = [&](ProjectId project, std::optional<BulkId> after, int limit) {
    std::vector<BulkId> ids;
    for (const auto& each : must(store().list_bulks(project, after, limit))) ids.push_back(each.id);
    return ids;
  };
  EXPECT_EQ(list(project_, {}, 10), made);
  EXPECT_EQ(list(project_, made[0], 1), std::vector{made[1]});
  EXPECT_TRUE(list(other_project_, {}, 10).empty());
  EXPECT_EQ(refusal(store().find_bulk(other_project_, made[0])), "not_found");
}

TEST_P(BulksTest, ARepetitionAnswersTheFirst) {
  auto change = put();
  change.idempotency = Idempotency{id<KeyId>(), "once", Sha256{1}, now()};
  commit(change);
  auto again = put();
  again.idempotency = change.idempotency;
  const auto answer = commit(again);
  EXPECT_TRUE(answer.is_replay);
  EXPECT_EQ(answer.bulk.id, change.bulk.id);
  EXPECT_TRUE(commit(change).is_replay) << "as it was";
  again.idempotency->fingerprint = Sha256{2};
  EXPECT_EQ(refusal(try_commit(again)), "idempotency_key_reused");
}

TEST_P(BulksTest, HasEntriesInTheAuditLog) {
  auto change = put();
  change.by = Author{change.bulk.by, id<AuditId>(), now(), "bulk.create"};
  commit(change);
  auto next = change.bulk;
  next.status = BulkStatus::running;
  commit(MoveBulk{next});  // by the server: no entry
  next.step = 1;
  next.status = BulkStatus::cancelled;
  commit(MoveBulk{next, Author{change.bulk.by, id<AuditId>(), now(), "bulk.cancel"}});
  AuditFilter filter;
  filter.project = project_;
  const auto page = must(store().list_audit(filter));
  ASSERT_EQ(page.rows.size(), 2U);
  EXPECT_EQ(page.rows[0].action, "bulk.cancel");
  EXPECT_EQ(page.rows[0].before, R"({"status":"running"})");
  EXPECT_EQ(page.rows[0].after, R"({"status":"cancelled"})");
  EXPECT_EQ(page.rows[1].resource, change.bulk.id.to_string());
}

// -- Channels ------------------------------------------------------------------------------------

class ChannelsTest : public StoreTest {
 protected:
  PutChannel put(std::string name, std::string url = "https://a.example/") {
    PutChannel change;
    change.channel.project = project_;
    change.channel.name = std::move(name);
    change.channel.url = std::move(url);
    change.channel.secret = "whsec_secret";
    change.channel.created_at = change.channel.updated_at = now();
    return change;
  }
};
CHRONOS_OVER_ALL_STORES(ChannelsTest);

TEST_P(ChannelsTest, IsKeptWhole) {
  auto change = put("ops");
  EXPECT_TRUE(commit(change).is_new);
  auto mail = put("mail", "");
  mail.channel.kind = ChannelKind::email;
  mail.channel.to = {"a@b.example", "c@d.example"};
  mail.channel.secret.clear();
  commit(mail);
  store_.reopen();
  const auto read = must(store().find_channel(project_, "ops"));
  EXPECT_TRUE(say_the_same(read, change.channel));
  EXPECT_EQ(read.secret, "whsec_secret");
  EXPECT_EQ(read.version, 1);
  const auto all = must(store().list_channels(project_));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "mail");
  EXPECT_EQ(all[0].to, mail.channel.to);
  EXPECT_TRUE(must(store().list_channels(other_project_)).empty());
  EXPECT_EQ(refusal(store().find_channel(other_project_, "ops")), "not_found");
}

TEST_P(ChannelsTest, ReplacedItsVersionGrowsAndTheSameAgainChangesNothing) {
  commit(put("ops"));
  clock_.advance(1h);
  EXPECT_EQ(commit(put("ops")).channel.version, 1);
  const auto replaced = commit(put("ops", "https://b.example/"));
  EXPECT_FALSE(replaced.is_new);
  EXPECT_EQ(replaced.channel.version, 2);
  EXPECT_EQ(replaced.channel.created_at, now() - 1h);
  EXPECT_EQ(replaced.channel.updated_at, now());
  auto change = put("ops", "https://c.example/");
  change.expected_version = 1;
  EXPECT_EQ(refusal(try_commit(change)), "version_mismatch");
}

TEST_P(ChannelsTest, OneThatIsOffIsOnWhenTheSameIsDeclaredAgain) {
  auto off = commit(put("ops")).channel;
  off.disabled_at = now();
  commit(PutChannel{.channel = off, .expected_version = 1});
  store_.reopen();
  EXPECT_EQ(must(store().find_channel(project_, "ops")).disabled_at, now());
  EXPECT_EQ(commit(put("ops")).channel.version, 3);
  EXPECT_FALSE(must(store().find_channel(project_, "ops")).disabled_at);
}

TEST_P(ChannelsTest, ANewOneNeedsAFreeName) {
  auto change = put("ops");
  change.must_be_new = true;
  change.idempotency = Idempotency{id<KeyId>(), "once", Sha256{1}, now()};
  commit(change);
  EXPECT_TRUE(commit(change).is_replay);
  change.idempotency.reset();
  EXPECT_TRUE(commit(change).is_replay) << "repeated as it was";
  change.channel.url = "https://b.example/";
  EXPECT_EQ(refusal(try_commit(change)), "key_taken");
}

TEST_P(ChannelsTest, IsDeleted) {
  commit(put("ops"));
  EXPECT_EQ(refusal(try_commit(DeleteChannel{project_, "ops", 2})), "version_mismatch");
  EXPECT_EQ(commit(DeleteChannel{project_, "ops", 1}).channel.name, "ops");
  EXPECT_EQ(refusal(try_commit(DeleteChannel{project_, "ops", {}})), "not_found");
}

TEST_P(ChannelsTest, TheLogTellsOfASecretButNotTheSecret) {
  auto change = put("ops");
  change.by = Author{id<KeyId>(), id<AuditId>(), now(), "channel.update"};
  commit(change);
  change.channel.secret = "whsec_other";
  change.by->entry = id<AuditId>();
  commit(change);
  AuditFilter filter;
  filter.project = project_;
  const auto page = must(store().list_audit(filter));
  ASSERT_EQ(page.rows.size(), 2U);
  EXPECT_EQ(page.rows[1].action, "channel.create");
  EXPECT_EQ(page.rows[0].action, "channel.update");
  EXPECT_EQ(page.rows[0].before, R"({"secret":"***"})");
  EXPECT_EQ(page.rows[0].after, R"({"secret":"***"})");
}

}  // namespace
}  // namespace chronos::store
