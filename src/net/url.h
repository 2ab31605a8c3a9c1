// Absolute http and https URLs, read as libcurl will read them, so that what was checked is what is
// requested. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace chronos::net {

inline constexpr std::size_t kUrlBytesMax = 8192;

struct Url {
  std::string text;    // normalised; bytes outside ASCII percent-encoded, no fragment
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case; an IPv6 address without its brackets
  std::uint16_t port = 0;

  bool operator==(const Url&) const = default;
};

// Refuses other schemes, user names and passwords, white space and control characters, and what is
// longer than kUrlBytesMax, as given or percent-encoded: Reason::invalid_fields, pointer "".
Result<Url> parse_url(std::string_view text);

// Where a `Location: reference` found at `base` leads (RFC 3986 §5). Refuses as parse_url does.
Result<Url> resolve_url(const Url& base, std::string_view reference);

bool is_same_origin(const Url& a, const Url& b);

}  // namespace chronos::net
