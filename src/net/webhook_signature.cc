#include "net/webhook_signature.h"

#include <fmt/format.h>

#include "base/crypto.h"

namespace chronos::net {

std::optional<std::string> webhook_key(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (!secret.starts_with(kPrefix)) return std::nullopt;
  auto key = from_base64(secret.substr(kPrefix.size()));
  if (!key || key->size() < 24 || key->size() > 64) return std::nullopt;
  return key;
}

std::vector<HttpHeader> sign_webhook(std::string_view key, const WebhookMessage& message) {
  const auto seconds = to_micros(message.sent_at) / 1'000'000;
  const auto signed_text = fmt::format("{}.{}.{}", message.id, seconds, message.body);
  const Sha256 digest = hmac_sha256(key, signed_text);
  return {{"webhook-id", std::string(message.id)},
          {"webhook-timestamp", fmt::format("{}", seconds)},
          {"webhook-signature", "v1," + to_base64(as_bytes(digest))}};
}

}  // namespace chronos::net
