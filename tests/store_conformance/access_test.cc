// Projects, keys, sessions, and the first start.
#include "store_conformance/store_test.h"

namespace chronos::store {
namespace {

class AccessTest : public StoreTest {
 protected:
  Project new_project(std::string name) { return {id<ProjectId>(), std::move(name), now()}; }
  Key new_key(ProjectId project) {
    Key key;
    key.id = id<KeyId>();
    key.project = project;
    key.name = "deploy";
    key.role = Role::operator_;
    key.hash[0] = 1;
    key.hash[31] = 0xff;
    key.created_at = now();
    key.expires_at = now() + 24h;
    return key;
  }
  Session new_session() {
    Session session;
    session.id = id<SessionId>();
    session.key = id<KeyId>();
    session.hash[0] = 0xfe;
    session.hash[31] = 2;
    session.created_at = now();
    session.expires_at = now() + 24h;
    return session;
  }
  static void expect_equal(const Session& a, const Session& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.key, b.key);
    EXPECT_EQ(a.is_link, b.is_link);
    EXPECT_EQ(a.hash, b.hash);
    EXPECT_EQ(a.created_at, b.created_at);
    EXPECT_EQ(a.expires_at, b.expires_at);
  }
  static void expect_equal(const Key& a, const Key& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.project, b.project);
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.role, b.role);
    EXPECT_EQ(a.hash, b.hash);
    EXPECT_EQ(a.created_at, b.created_at);
    EXPECT_EQ(a.expires_at, b.expires_at);
    EXPECT_EQ(a.revoked_at, b.revoked_at);
    EXPECT_EQ(a.last_used_at, b.last_used_at);
  }
};
CHRONOS_OVER_ALL_STORES(AccessTest);

// -- Projects -------------------------------------------------------------------------------------

TEST_P(AccessTest, ProjectIsReadBack) {
  const auto project = new_project("default");
  EXPECT_EQ(commit(PutProject{project}).id, project.id);
  const auto read = must(store().find_project(project.id));
  EXPECT_EQ(read.id, project.id);
  EXPECT_EQ(read.name, "default");
  EXPECT_EQ(read.created_at, now());
  EXPECT_EQ(refusal(store().find_project(id<ProjectId>())), "not_found");
}

TEST_P(AccessTest, ProjectNamesAreUnique) {
  commit(PutProject{new_project("a")});
  EXPECT_EQ(refusal(try_commit(PutProject{new_project("a")})), "key_taken");
  EXPECT_EQ(must(store().list_projects()).size(), 1U);
}

TEST_P(AccessTest, ProjectPutAgainStaysAsItIs) {
  auto project = new_project("a");
  commit(PutProject{project});
  project.name = "b";
  EXPECT_EQ(commit(PutProject{project}).name, "a");
  EXPECT_EQ(must(store().find_project(project.id)).name, "a");
}

TEST_P(AccessTest, ProjectsAreListedNewestFirst) {
  EXPECT_TRUE(must(store().list_projects()).empty());
  commit(PutProject{new_project("b")});
  commit(PutProject{new_project("a")});
  const auto listed = must(store().list_projects());
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].name, "a");
  EXPECT_EQ(listed[1].name, "b");
}

// -- Bootstrap ------------------------------------------------------------------------------------

TEST_P(AccessTest, FirstStartMakesProjectAndKey) {
  const auto project = new_project("default");
  const auto key = new_key(project.id);
  EXPECT_TRUE(commit(Bootstrap{project, key}).is_first);
  EXPECT_EQ(must(store().find_project(project.id)).name, "default");
  expect_equal(must(store().find_key(key.id)), key);
}

TEST_P(AccessTest, SecondStartMakesNothing) {
  const auto first = new_project("default");
  commit(Bootstrap{first, new_key(first.id)});
  const auto second = new_project("default");
  const auto key = new_key(second.id);
  EXPECT_FALSE(commit(Bootstrap{second, key}).is_first);
  EXPECT_EQ(must(store().list_projects()).size(), 1U);
  EXPECT_EQ(refusal(store().find_key(key.id)), "not_found");
}

TEST_P(AccessTest, FirstStartRepeatedIsStillTheFirst) {
  const auto project = new_project("default");
  const Bootstrap change{project, new_key(project.id)};
  commit(change);
  EXPECT_TRUE(commit(change).is_first);
  EXPECT_EQ(must(store().list_projects()).size(), 1U);
  EXPECT_EQ(must(store().list_keys(project.id)).size(), 1U);
}

TEST_P(AccessTest, AnyProjectIsEnoughToBeNoFirstStart) {
  commit(PutProject{new_project("other")});
  const auto project = new_project("default");
  EXPECT_FALSE(commit(Bootstrap{project, new_key(project.id)}).is_first);
  EXPECT_EQ(refusal(store().find_project(project.id)), "not_found");
}

// -- Keys -----------------------------------------------------------------------------------------

TEST_P(AccessTest, KeyIsReadBackWhole) {
  const auto key = new_key(project_);
  expect_equal(commit(PutKey{key}), key);
  expect_equal(must(store().find_key(key.id)), key);
  EXPECT_EQ(refusal(store().find_key(id<KeyId>())), "not_found");

  auto endless = new_key(project_);
  endless.expires_at.reset();
  commit(PutKey{endless});
  expect_equal(must(store().find_key(endless.id)), endless);
}

TEST_P(AccessTest, KeyPutAgainStaysAsItIs) {
  auto key = new_key(project_);
  commit(PutKey{key});
  commit(RevokeKey{project_, key.id, now()});
  key.role = Role::admin;
  const auto again = commit(PutKey{key});
  EXPECT_EQ(again.role, Role::operator_);
  EXPECT_EQ(again.revoked_at, now());
}

// A rotation: the old key goes on until then.
TEST_P(AccessTest, RotatedKeyExpiresInsteadUnlessItWouldEarlier) {
  auto key = new_key(project_);
  key.expires_at = now() + 24h;
  commit(PutKey{key});
  const auto rotated = commit(RevokeKey{project_, key.id, now(), now() + 1h});
  EXPECT_FALSE(rotated.revoked_at);
  EXPECT_EQ(rotated.expires_at, now() + 1h);
  EXPECT_EQ(commit(RevokeKey{project_, key.id, now(), now() + 2h}).expires_at, now() + 1h);
  EXPECT_FALSE(must(store().find_key(key.id)).revoked_at);
}

TEST_P(AccessTest, RevokedKeyKeepsItsFirstInstant) {
  const auto key = new_key(project_);
  commit(PutKey{key});
  const auto revoked_at = now();
  EXPECT_EQ(commit(RevokeKey{project_, key.id, revoked_at}).revoked_at, revoked_at);
  clock_.advance(1h);
  EXPECT_EQ(commit(RevokeKey{project_, key.id, now()}).revoked_at, revoked_at);
  EXPECT_EQ(must(store().find_key(key.id)).revoked_at, revoked_at);
}

TEST_P(AccessTest, AnotherProjectsKeyIsNotRevoked) {
  const auto key = new_key(project_);
  commit(PutKey{key});
  EXPECT_EQ(refusal(try_commit(RevokeKey{other_project_, key.id, now()})), "not_found");
  EXPECT_EQ(refusal(try_commit(RevokeKey{project_, id<KeyId>(), now()})), "not_found");
  EXPECT_FALSE(must(store().find_key(key.id)).revoked_at);
}

TEST_P(AccessTest, LastUseMovesForwardOnly) {
  const auto first = new_key(project_);
  const auto second = new_key(project_);
  commit(PutKey{first});
  commit(PutKey{second});
  commit(TouchKeys{{{first.id, now() + 1h}, {id<KeyId>(), now()}, {second.id, now()}}});
  commit(TouchKeys{{{first.id, now()}, {second.id, now() + 1min}}});
  EXPECT_EQ(must(store().find_key(first.id)).last_used_at, now() + 1h);
  EXPECT_EQ(must(store().find_key(second.id)).last_used_at, now() + 1min);
}

TEST_P(AccessTest, KeysAreListedForOneProjectNewestFirst) {
  const auto first = new_key(project_);
  const auto second = new_key(project_);
  commit(PutKey{first});
  commit(PutKey{second});
  commit(PutKey{new_key(other_project_)});
  const auto listed = must(store().list_keys(project_));
  ASSERT_EQ(listed.size(), 2U);
  expect_equal(listed[0], second);
  expect_equal(listed[1], first);
}

// -- Sessions -------------------------------------------------------------------------------------

TEST_P(AccessTest, SessionIsReadBackWhole) {
  const auto session = new_session();
  expect_equal(commit(PutSession{session}), session);
  expect_equal(must(store().find_session(session.id)), session);
  EXPECT_EQ(refusal(store().find_session(id<SessionId>())), "not_found");
}

TEST_P(AccessTest, SessionEndsAndMayEndAgain) {
  const auto session = new_session();
  commit(PutSession{session});
  commit(EndSession{session.id});
  EXPECT_EQ(refusal(store().find_session(session.id)), "not_found");
  commit(EndSession{session.id});
}

TEST_P(AccessTest, LinkBeginsOneSession) {
  auto link = new_session();
  link.is_link = true;
  commit(PutSession{link});
  EXPECT_TRUE(must(store().find_session(link.id)).is_link);

  const auto first = new_session();
  expect_equal(commit(PutSession{first, link.id}), first);
  EXPECT_EQ(refusal(store().find_session(link.id)), "not_found");

  const auto second = new_session();
  EXPECT_EQ(refusal(try_commit(PutSession{second, link.id})), "not_found");
  EXPECT_EQ(refusal(store().find_session(second.id)), "not_found");
}

// Whoever did not hear the answer may send it again.
TEST_P(AccessTest, SessionPutAgainIsTheSame) {
  auto link = new_session();
  link.is_link = true;
  commit(PutSession{link});
  auto session = new_session();
  commit(PutSession{session, link.id});
  const auto before = session;
  session.expires_at += 1h;
  expect_equal(commit(PutSession{session, link.id}), before);
}

TEST_P(AccessTest, SessionIsNoLink) {
  const auto session = new_session();
  commit(PutSession{session});
  EXPECT_EQ(refusal(try_commit(PutSession{new_session(), session.id})), "not_found");
  expect_equal(must(store().find_session(session.id)), session);
}

TEST_P(AccessTest, ExpiredSessionsArePruned) {
  auto old = new_session();
  old.expires_at = now();
  const auto young = new_session();
  commit(PutSession{old});
  commit(PutSession{young});
  EXPECT_EQ(commit(Prune{now()}), 1);
  EXPECT_EQ(refusal(store().find_session(old.id)), "not_found");
  expect_equal(must(store().find_session(young.id)), young);
}

}  // namespace
}  // namespace chronos::store
