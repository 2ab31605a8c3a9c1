#include "executor/secret_mask.h"

#include <algorithm>

#include "model/access.h"
#include "model/secrets.h"

namespace chronos::executor {
namespace {

// Longer than any key's: whatever looks like one for longer than this is none.
constexpr std::size_t kKeyBodyMax = 256;

// Where the end of `text` begins that is a beginning of `secret`, and not all of it; else its size.
std::size_t before_beginning_of(std::string_view secret, std::string_view text) {
  for (auto length = std::min(secret.size() - 1, text.size()); length > 0; --length) {
    if (secret.starts_with(text.substr(text.size() - length))) return text.size() - length;
  }
  return text.size();
}

// `end`, or where an occurrence of `secret` begins that goes on beyond it.
std::size_t before_cut(std::string_view secret, std::string_view text, std::size_t end) {
  const auto from = end - std::min(end, secret.size() - 1);
  const auto at = text.find(secret, from);
  return std::min(at, end);
}

void replace_all(std::string& text, std::string_view secret) {
  for (auto at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kMasked.size())) {
    text.replace(at, secret.size(), kMasked);
  }
}

}  // namespace

void SecretMask::add(std::string_view name, std::string_view value) {
  if (!is_secret_name(name)) return;
  if (value.size() >= kSecretMin) secrets_.emplace_back(value);
  const auto blank = value.find(' ');
  if (blank == std::string_view::npos) return;
  if (value.size() - blank - 1 >= kSecretMin) secrets_.emplace_back(value.substr(blank + 1));
}

std::size_t SecretMask::whole_part(std::string_view text) const {
  auto whole = text.size();
  for (const auto& secret : secrets_) whole = std::min(whole, before_beginning_of(secret, text));
  whole = std::min(whole, before_beginning_of(kKeyPrefix, text));
  // A key goes on for as long as its characters do.
  const auto key = text.rfind(kKeyPrefix);
  if (key != std::string_view::npos) {
    const auto body = text.substr(key + kKeyPrefix.size());
    const auto size =
        static_cast<std::size_t>(std::ranges::find_if_not(body, is_key_character) - body.begin());
    const auto end = key + kKeyPrefix.size() + size;
    const bool may_go_on = end == text.size() && size < kKeyBodyMax;
    if (may_go_on || end > whole) whole = std::min(whole, key);
  }
  // What ends like the beginning of another secret must not be cut there.
  for (auto end = text.size(); end != whole;) {
    end = whole;
    for (const auto& secret : secrets_) whole = before_cut(secret, text, whole);
  }
  return whole;
}

std::string SecretMask::apply(std::string text) const {
  for (const auto& secret : secrets_) replace_all(text, secret);
  mask_api_keys(text);
  return text;
}

}  // namespace chronos::executor
