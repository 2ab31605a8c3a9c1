#include "executor/secret_mask.h"

#include <algorithm>

#include "model/access.h"

namespace chronos::executor {
namespace {

constexpr std::string_view kSecretWords[] = {"password", "passwd",        "secret",
                                             "token",    "credential",    "cookie",
                                             "apikey",   "authorization", "privatekey"};

bool is_base32(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

void replace_all(std::string& text, std::string_view secret) {
  for (auto at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + SecretMask::kMasked.size())) {
    text.replace(at, secret.size(), SecretMask::kMasked);
  }
}

// What comes after the prefix stays no secret if it is too short to be one.
void mask_keys(std::string& text) {
  constexpr std::size_t kBodyMin = 26;
  for (auto at = text.find(kKeyPrefix); at != std::string::npos;
       at = text.find(kKeyPrefix, at + kKeyPrefix.size())) {
    const auto begin = at + kKeyPrefix.size();
    auto end = begin;
    while (end < text.size() && is_base32(text[end])) ++end;
    if (end - begin >= kBodyMin) text.replace(begin, end - begin, SecretMask::kMasked);
  }
}

}  // namespace

bool is_secret_name(std::string_view name) {
  std::string letters;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') letters += static_cast<char>(c - 'A' + 'a');
    if (c != '_' && c != '-' && (c < 'A' || c > 'Z')) letters += c;
  }
  return std::ranges::any_of(
      kSecretWords, [&](std::string_view word) { return letters.find(word) != std::string::npos; });
}

void SecretMask::add(std::string_view name, std::string_view value) {
  if (!is_secret_name(name)) return;
  if (value.size() >= kSecretMin) secrets_.emplace_back(value);
  const auto blank = value.find(' ');
  if (blank == std::string_view::npos) return;
  if (value.size() - blank - 1 >= kSecretMin) secrets_.emplace_back(value.substr(blank + 1));
}

std::string SecretMask::apply(std::string text) const {
  for (const auto& secret : secrets_) replace_all(text, secret);
  mask_keys(text);
  return text;
}

}  // namespace chronos::executor
