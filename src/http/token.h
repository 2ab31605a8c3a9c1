// Classes of characters in HTTP's grammar, for those who read it. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/ascii.h"

namespace chronos::http {

// Methods and header names (RFC 9110 §5.6.2).
constexpr bool is_token_char(char c) {
  return ascii::is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

constexpr std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

}  // namespace chronos::http
