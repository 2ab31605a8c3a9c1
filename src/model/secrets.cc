#include "model/secrets.h"

#include <algorithm>

#include "model/access.h"

namespace chronos {
namespace {

constexpr std::string_view kSecretWords[] = {"password", "passwd",        "secret",
                                             "token",    "credential",    "cookie",
                                             "apikey",   "authorization", "privatekey"};

}  // namespace

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_secret_name(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') letters += static_cast<char>(c - 'A' + 'a');
    if (c != '_' && c != '-' && (c < 'A' || c > 'Z')) letters += c;
  }
  return std::ranges::any_of(
      kSecretWords, [&](std::string_view word) { return letters.find(word) != std::string::npos; });
}

// What comes after the prefix stays no secret if it is too short to be one.
void mask_api_keys(std::string& text) {
  constexpr std::size_t kBodyMin = 26;
  for (auto at = text.find(kKeyPrefix); at != std::string::npos;
       at = text.find(kKeyPrefix, at + kKeyPrefix.size())) {
    const auto begin = at + kKeyPrefix.size();
    auto end = begin;
    while (end < text.size() && is_key_character(text[end])) ++end;
    if (end - begin >= kBodyMin) text.replace(begin, end - begin, kMasked);
  }
}

}  // namespace chronos
