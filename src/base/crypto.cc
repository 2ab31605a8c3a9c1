#include "base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <zlib.h>

#include <algorithm>
#include <new>

#include "base/check.h"

namespace chronos {
namespace {

const unsigned char* data_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Looked up once: OpenSSL's SHA256() does it each time, with more memory than the digest takes.
const EVP_MD* sha256_of_openssl() {
  static const auto* const kSha256 = [] {
    const auto* fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    if (fetched == nullptr) throw std::bad_alloc();
    return fetched;
  }();
  return kSha256;
}

}  // namespace

// OpenSSL fails here only without memory. What it then leaves behind is no digest: a good key would
// be refused.
Sha256 sha256(std::string_view data) {
  Sha256 digest{};
  if (EVP_Digest(data_of(data), data.size(), digest.data(), nullptr, sha256_of_openssl(),
                 nullptr) != 1) {
    throw std::bad_alloc();
  }
  return digest;
}

Sha256 hmac_sha256(std::string_view key, std::string_view data) {
  Sha256 digest{};
  if (HMAC(sha256_of_openssl(), key.data(), static_cast<int>(key.size()), data_of(data),
           data.size(), digest.data(), nullptr) == nullptr) {
    throw std::bad_alloc();
  }
  return digest;
}

std::uint32_t crc32(std::string_view data) {
  return static_cast<std::uint32_t>(
      ::crc32(0, data_of(data), static_cast<unsigned int>(data.size())));
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  CHRONOS_CHECK(
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) == 1);
  return bytes;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), data_of(bytes),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), data_of(text),
                                     static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const auto padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(length - padding));
  return bytes;
}

}  // namespace chronos
