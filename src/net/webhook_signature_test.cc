#include "net/webhook_signature.h"

#include <gtest/gtest.h>

namespace chronos::net {
namespace {

// The vector of the scheme's reference libraries.
TEST(WebhookSignature, AgreesWithTheReferenceVector) {
  const auto keys = webhook_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(keys.has_value());
  const auto headers = sign_webhook(*keys, {.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                            .sent_at = from_micros(1'614'265'330'000'000),
                                            .body = R"({"test": 2432232314})"});
  EXPECT_EQ(find_header(headers, "webhook-id"), "msg_p5jXN8AQM9LWM0D4loKWxJek");
  EXPECT_EQ(find_header(headers, "webhook-timestamp"), "1614265330");
  EXPECT_EQ(find_header(headers, "webhook-signature"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, MalformedSecretsAreRefused) {
  EXPECT_FALSE(webhook_keys(""));
  EXPECT_FALSE(webhook_keys("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")) << "no prefix";
  EXPECT_FALSE(webhook_keys("whsec_")) << "no key";
  EXPECT_FALSE(webhook_keys("whsec_!!!!")) << "not base64";
  EXPECT_FALSE(webhook_keys("whsec_c2hvcnQ=")) << "too short";
  const std::string good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  EXPECT_FALSE(webhook_keys(good + " ")) << "nothing behind the space";
  EXPECT_FALSE(webhook_keys(good + " nonsense"));
  EXPECT_FALSE(webhook_keys(good + " " + good + " " + good)) << "three";
}

TEST(WebhookSignature, OfTwoSecretsBothSign) {
  const std::string old_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const std::string new_secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  const WebhookMessage message{.id = "msg_1", .sent_at = from_micros(0), .body = "{}"};
  const auto signature_by = [&](const std::string& secrets) {
    const auto headers = sign_webhook(*webhook_keys(secrets), message);
    return std::string(find_header(headers, "webhook-signature").value());
  };
  EXPECT_EQ(signature_by(new_secret + " " + old_secret),
            signature_by(new_secret) + " " + signature_by(old_secret));
}

}  // namespace
}  // namespace chronos::net
