#include "model/access.h"

#include <array>

namespace chronos {
namespace {

constexpr std::string_view kSessionPrefix = "chr_ses_";
constexpr std::string_view kLinkPrefix = "chr_link_";
constexpr std::size_t kIdLength = 26;       // base32 of the id
constexpr std::size_t kRandomLength = 52;   // 256 random bits, as two base32 halves
constexpr std::size_t kChecksumLength = 8;  // CRC-32 of all before it, in hex

std::string checksum_of(std::string_view body) {
  const auto sum = crc32(body);
  std::array<char, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<char>(sum >> (24 - 8 * i));
  return to_hex({bytes.data(), bytes.size()});
}

std::string random_half() {
  const auto bytes = random_bytes(16);
  return to_base32(Uuid::from_bytes(reinterpret_cast<const std::uint8_t*>(bytes.data())));
}

NewSecret make_secret(std::string_view prefix, Uuid id) {
  std::string secret(prefix);
  secret += to_base32(id);
  secret += random_half();
  secret += random_half();
  secret += checksum_of(secret);
  return {secret, sha256(secret)};
}

std::optional<Uuid> id_of(std::string_view prefix, std::string_view secret) {
  const auto body_length = prefix.size() + kIdLength + kRandomLength;
  if (secret.size() != body_length + kChecksumLength || !secret.starts_with(prefix)) {
    return std::nullopt;
  }
  if (secret.substr(body_length) != checksum_of(secret.substr(0, body_length))) return std::nullopt;
  return from_base32(secret.substr(prefix.size(), kIdLength));
}

}  // namespace

bool allows(Role held, Role needed) {
  if (held == Role::worker || needed == Role::worker) return held == needed || held == Role::admin;
  return held >= needed;
}

NewSecret make_secret(KeyId id) {
  return make_secret(kKeyPrefix, id.uuid);
}

NewSecret make_secret(const Session& session) {
  return make_secret(session.is_link ? kLinkPrefix : kSessionPrefix, session.id.uuid);
}

std::optional<KeyId> key_id_of(std::string_view secret) {
  const auto id = id_of(kKeyPrefix, secret);
  return id ? std::optional(KeyId{*id}) : std::nullopt;
}

std::optional<SessionId> session_id_of(std::string_view secret, bool is_link) {
  const auto id = id_of(is_link ? kLinkPrefix : kSessionPrefix, secret);
  return id ? std::optional(SessionId{*id}) : std::nullopt;
}

}  // namespace chronos
