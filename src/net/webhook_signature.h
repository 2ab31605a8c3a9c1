// Signatures by the Standard Webhooks scheme, version 1 (symmetric): HMAC-SHA256 over
// `id.timestamp.body`. Pure; thread-safe.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/http_call.h"

namespace chronos::net {

// The key inside a secret ("whsec_" and base64 of 24 to 64 bytes), or nothing when it is malformed.
std::optional<std::string> webhook_key(std::string_view secret);

struct WebhookMessage {
  std::string_view id;  // the same over repeats; no '.' in it
  Timestamp sent_at;
  std::string_view body;
};

// The headers webhook-id, webhook-timestamp and webhook-signature.
std::vector<HttpHeader> sign_webhook(std::string_view key, const WebhookMessage& message);

}  // namespace chronos::net
