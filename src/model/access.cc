#include "model/access.h"

#include <array>

namespace chronos {
namespace {

constexpr std::size_t kIdLength = 26;       // base32 of the key's id
constexpr std::size_t kRandomLength = 52;   // 256 random bits, as two base32 halves
constexpr std::size_t kChecksumLength = 8;  // CRC-32 of all before it, in hex
constexpr std::size_t kBodyLength = kKeyPrefix.size() + kIdLength + kRandomLength;

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

}  // namespace

bool allows(Role held, Role needed) {
  if (held == Role::worker || needed == Role::worker) return held == needed || held == Role::admin;
  return held >= needed;
}

NewSecret make_secret(KeyId id) {
  std::string secret(kKeyPrefix);
  secret += to_base32(id.uuid);
  secret += random_half();
  secret += random_half();
  secret += checksum_of(secret);
  return {secret, sha256(secret)};
}

std::optional<KeyId> key_id_of(std::string_view secret) {
  if (secret.size() != kBodyLength + kChecksumLength || !secret.starts_with(kKeyPrefix)) {
    return std::nullopt;
  }
  if (secret.substr(kBodyLength) != checksum_of(secret.substr(0, kBodyLength))) return std::nullopt;
  const auto uuid = from_base32(secret.substr(kKeyPrefix.size(), kIdLength));
  return uuid ? std::optional(KeyId{*uuid}) : std::nullopt;
}

}  // namespace chronos
