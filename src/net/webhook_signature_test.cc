#include "net/webhook_signature.h"

#include <gtest/gtest.h>

namespace chronos::net {
namespace {

// The vector of the scheme's reference libraries.
TEST(WebhookSignature, AgreesWithTheReferenceVector) {
  const auto key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(key.has_value());
  const auto headers = sign_webhook(*key, {.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                           .sent_at = from_micros(1'614'265'330'000'000),
                                           .body = R"({"test": 2432232314})"});
  EXPECT_EQ(find_header(headers, "webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
  EXPECT_EQ(find_header(headers, "webhook-timestamp"), "1614265330");
  EXPECT_EQ(find_header(headers, "webhook-signature"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, MalformedSecretsAreRefused) {
  EXPECT_FALSE(webhook_key(""));
  EXPECT_FALSE(webhook_key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")) << "no prefix";
  EXPECT_FALSE(webhook_key("whsec_")) << "no key";
  EXPECT_FALSE(webhook_key("whsec_!!!!")) << "not base64";
  EXPECT_FALSE(webhook_key("whsec_c2hvcnQ=")) << "too short";
}

}  // namespace
}  // namespace chronos::net
