#include "net/webhook_signature.h"

#include <fmt/format.h>

#include <utility>

#include "base/crypto.h"

namespace chronos::net {

namespace {

std::optional<std::string> key_of(std::string_view secret) {
  constexpr std::string_view kPrefix = "whsec_";
  if (!secret.starts_with(kPrefix)) return std::nullopt;
  auto key = from_base64(secret.substr(kPrefix.size()));
  if (!key || key->size() < 24 || key->size() > 64) return std::nullopt;
  return key;
}

}  // namespace

std::optional<std::vector<std::string>> webhook_keys(std::string_view secrets) {
  const auto space = secrets.find(' ');
  auto first = key_of(secrets.substr(0, space));
  if (!first) return std::nullopt;
  std::vector<std::string> keys{std::move(*first)};
  if (space == std::string_view::npos) return keys;
  auto second = key_of(secrets.substr(space + 1));
  if (!second) return std::nullopt;
  keys.push_back(std::move(*second));
  return keys;
}

std::vector<HttpHeader> sign_webhook(std::span<const std::string> keys,
                                     const WebhookMessage& message) {
  const auto seconds = to_micros(message.sent_at) / 1'000'000;
  const auto signed_text = fmt::format("{}.{}.{}", message.id, seconds, message.body);
  std::string signatures;
  for (const auto& key : keys) {
    if (!signatures.empty()) signatures += ' ';
    signatures += "v1," + to_base64(as_bytes(hmac_sha256(key, signed_text)));
  }
  return {{"webhook-id", std::string(message.id)},
          {"webhook-timestamp", fmt::format("{}", seconds)},
          {"webhook-signature", std::move(signatures)}};
}

}  // namespace chronos::net
