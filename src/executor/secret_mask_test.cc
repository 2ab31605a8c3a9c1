#include "executor/secret_mask.h"

#include <gtest/gtest.h>

#include "base/id.h"
#include "model/access.h"
#include "model/secrets.h"

namespace chronos::executor {
namespace {

TEST(SecretMask, NamesThatSayTheyAreSecret) {
  for (const auto* name : {"DB_PASSWORD", "GITHUB_TOKEN", "Authorization", "X-Api-Key", "API_KEY",
                           "cookie", "AWS_SECRET_ACCESS_KEY", "SSH_PRIVATE_KEY"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
  for (const auto* name : {"PATH", "KEY", "HOME", "Content-Type", "RETRIES", ""}) {
    EXPECT_FALSE(is_secret_name(name)) << name;
  }
}

TEST(SecretMask, EverySecretGoesAndTheRestStays) {
  SecretMask mask;
  mask.add("DB_PASSWORD", "hunter22");
  mask.add("REGION", "eu-west-1");
  mask.add("Authorization", "Bearer abcdef123");
  EXPECT_EQ(mask.apply("hunter22 in eu-west-1, hunter22hunter22"), "*** in eu-west-1, ******");
  EXPECT_EQ(mask.apply("sent Bearer abcdef123; got abcdef123"), "sent ***; got ***");
  EXPECT_EQ(mask.apply("nothing to hide"), "nothing to hide");
}

TEST(SecretMask, AShortValueIsNoSecret) {
  SecretMask mask;
  mask.add("TOKEN", "1");
  mask.add("COOKIE", "a b");
  EXPECT_EQ(mask.apply("1 a b"), "1 a b");
}

TEST(SecretMask, OurOwnKeysAreAlwaysHidden) {
  const SystemClock clock;
  IdSource ids(clock, Rng(1));
  const auto key = make_secret(ids.make<KeyId>()).secret;
  EXPECT_EQ(SecretMask().apply("key=" + key + "!"), "key=chr_key_***!");
  EXPECT_EQ(SecretMask().apply("chr_key_ and 86 more"), "chr_key_ and 86 more");
}

TEST(SecretMask, WhatMayBeTheBeginningOfASecretWaits) {
  SecretMask mask;
  mask.add("DB_PASSWORD", "hunter22");
  const auto part = [&](const std::string& text) { return text.substr(0, mask.whole_part(text)); };
  EXPECT_EQ(part("a line\n"), "a line\n");
  EXPECT_EQ(part("it is hunt"), "it is ");
  EXPECT_EQ(part("it is hunter22"), "it is hunter22");
  EXPECT_EQ(part("hunter hunter2"), "hunter ");
  EXPECT_EQ(part("chr_k"), "");
  EXPECT_EQ(part("key chr_key_abc"), "key ");
  EXPECT_EQ(part("key chr_key_abc\n"), "key chr_key_abc\n");
  EXPECT_EQ(part("chr_key_" + std::string(300, 'a')), "chr_key_" + std::string(300, 'a'));
  EXPECT_EQ(part(""), "");
}

// The end of one may look like the beginning of another, or of itself: none is ever cut in two.
TEST(SecretMask, AWholeSecretWaitsWithTheBeginningThatItsEndIs) {
  SecretMask mask;
  mask.add("API_TOKEN", "s3cret-keys");
  mask.add("DB_PASSWORD", "topsecret-abc");
  const auto part = [&](const std::string& text) { return text.substr(0, mask.whole_part(text)); };
  EXPECT_EQ(part("pw=s3cret-keys"), "pw=");
  EXPECT_EQ(part("pw=topsecret-abc"), "pw=");
  EXPECT_EQ(part("pw=s3cret-keys!"), "pw=s3cret-keys!");
  EXPECT_EQ(part("topsecret-abcs3cret-keys"), "topsecret-abc");
}

}  // namespace
}  // namespace chronos::executor
