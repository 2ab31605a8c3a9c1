// Signatures by the Standard Webhooks scheme, version 1 (symmetric): HMAC-SHA256 over
// `id.timestamp.body`. Pure; thread-safe.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/http_call.h"

namespace chronos::net {

// The key inside a secret ("whsec_" and base64 of 24 to 64 bytes), or those inside two with a space
// between: both sign, so that receivers can change from one to the other. Nothing when it is
// anything else.
std::optional<std::vector<std::string>> webhook_keys(std::string_view secrets);

inline constexpr std::string_view kWebhookSecretsRule =
    "must be \"whsec_\" and 24 to 64 random bytes in base64; two of them with a space between "
    "while "
    "one takes the place of the other";

struct WebhookMessage {
  std::string_view id;  // the same over repeats; no '.' in it
  Timestamp sent_at;
  std::string_view body;
};

// The headers webhook-id, webhook-timestamp and webhook-signature: one signature by each key.
std::vector<HttpHeader> sign_webhook(std::span<const std::string> keys,
                                     const WebhookMessage& message);

}  // namespace chronos::net
