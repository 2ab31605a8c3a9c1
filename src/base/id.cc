#include "base/id.h"

#include <algorithm>

namespace chronos {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kPrefixMax = 5;    // what Id::to_string() puts before it: "node_"
constexpr std::size_t kTextLength = 26;  // 130 bits; the first character holds only three

constexpr std::array<std::int8_t, 256> make_values() {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr auto kValues = make_values();

}  // namespace

std::array<std::uint8_t, 16> Uuid::bytes() const {
  std::array<std::uint8_t, 16> out{};
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
    out[i + 8] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
  }
  return out;
}

Uuid Uuid::from_bytes(const std::uint8_t* bytes) {
  Uuid uuid;
  for (int i = 0; i < 8; ++i) uuid.high = (uuid.high << 8) | bytes[i];
  for (int i = 8; i < 16; ++i) uuid.low = (uuid.low << 8) | bytes[i];
  return uuid;
}

std::string to_base32(Uuid uuid) {
  std::string text;
  text.reserve(kTextLength + kPrefixMax);
  text.resize(kTextLength);
  for (std::size_t i = kTextLength; i-- > 0;) {
    text[i] = kAlphabet[uuid.low & 31];
    uuid.low = (uuid.low >> 5) | (uuid.high << 59);
    uuid.high >>= 5;
  }
  return text;
}

std::optional<Uuid> from_base32(std::string_view text) {
  if (text.size() != kTextLength || text[0] > '7') return std::nullopt;
  Uuid uuid;
  for (const char c : text) {
    const auto value = kValues[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    uuid.high = (uuid.high << 5) | (uuid.low >> 59);
    uuid.low = (uuid.low << 5) | static_cast<std::uint64_t>(value);
  }
  return uuid;
}

Uuid IdSource::next() {
  const auto millis = static_cast<std::uint64_t>(to_micros(clock_.now()) / 1000);
  const MutexLock lock(mutex_);
  last_ = std::max(last_ + 1, millis << 12);
  const auto random = rng_.next();
  return Uuid{.high = ((last_ >> 12) << 16) | 0x7000 | (last_ & 0xfff),
              .low = (random >> 2) | (std::uint64_t{1} << 63)};
}

}  // namespace chronos
