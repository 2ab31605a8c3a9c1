#include "model/access.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

TEST(Access, RolesGrowButTheWorkerStandsApart) {
  EXPECT_TRUE(allows(Role::admin, Role::viewer));
  EXPECT_TRUE(allows(Role::operator_, Role::submitter));
  EXPECT_FALSE(allows(Role::viewer, Role::submitter));
  EXPECT_FALSE(allows(Role::submitter, Role::operator_));
  EXPECT_FALSE(allows(Role::worker, Role::viewer));
  EXPECT_FALSE(allows(Role::operator_, Role::worker));
  EXPECT_TRUE(allows(Role::worker, Role::worker));
}

TEST(Access, ASecretNamesItsKeyAndATypoIsNoticed) {
  const KeyId id{{0x0192'0000'0000'7000, 0x8000'0000'0000'0001}};
  const auto made = make_secret(id);
  EXPECT_EQ(key_id_of(made.secret), id);
  EXPECT_EQ(made.hash, sha256(made.secret));
  EXPECT_NE(make_secret(id).secret, made.secret);
  for (std::size_t i = 0; i < made.secret.size(); ++i) {
    auto typo = made.secret;
    typo[i] = typo[i] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(key_id_of(typo)) << i;
  }
  EXPECT_FALSE(key_id_of(""));
  EXPECT_FALSE(key_id_of(made.secret + "0"));
}

TEST(Access, ASessionsSecretIsNeitherAKeyNorALink) {
  Session session;
  session.id = SessionId{{0x0192'0000'0000'7000, 0x8000'0000'0000'0001}};
  const auto made = make_secret(session);
  EXPECT_EQ(session_id_of(made.secret, false), session.id);
  EXPECT_FALSE(session_id_of(made.secret, true));
  EXPECT_FALSE(key_id_of(made.secret));
  session.is_link = true;
  const auto link = make_secret(session);
  EXPECT_EQ(session_id_of(link.secret, true), session.id);
  EXPECT_FALSE(session_id_of(link.secret, false));
  EXPECT_FALSE(session_id_of(link.secret.substr(1), true));
}

}  // namespace
}  // namespace chronos
