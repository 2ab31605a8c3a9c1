#include "net/http_call.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"

namespace chronos::net {
namespace {

constexpr std::array<std::string_view, 12> kFailures = {
    "none",    "bad_call", "egress_refused", "dns",      "connect",   "tls",
    "timeout", "reset",    "bad_answer",     "redirect", "cancelled", "stopped"};
static_assert(kFailures.size() == static_cast<std::size_t>(HttpFailure::stopped) + 1);

}  // namespace

std::string_view to_string(HttpFailure failure) {
  return kFailures[static_cast<std::size_t>(failure)];
}

bool is_same_header(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, ascii::lower, ascii::lower);
}

std::optional<std::string_view> find_header(const std::vector<HttpHeader>& headers,
                                            std::string_view name) {
  for (const auto& header : headers) {
    if (is_same_header(header.name, name)) return header.value;
  }
  return std::nullopt;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return ascii::is_alphanumeric(c) || kPunctuation.contains(c);
  });
}

bool is_field_value(std::string_view text) {
  if (!text.empty() && (ascii::is_blank(text.front()) || ascii::is_blank(text.back())))
    return false;
  return std::ranges::all_of(text, [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= ' ' && byte != 0x7f);
  });
}

std::optional<Duration> parse_retry_after(std::string_view value, Timestamp now) {
  constexpr Duration kLongest = std::chrono::hours(24 * 365);
  if (value.empty()) return std::nullopt;
  if (std::ranges::all_of(value, ascii::is_digit)) {
    std::int64_t seconds = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (read.ec != std::errc() || seconds > kLongest / std::chrono::seconds(1)) return kLongest;
    return std::chrono::seconds(seconds);
  }
  // The three forms of a date, RFC 9110 §5.6.7, all start with the name of a day.
  if (!is_token(value.substr(0, 3)) || ascii::is_digit(value.front())) return std::nullopt;
  const time_t at = curl_getdate(std::string(value).c_str(), nullptr);
  if (at < 0) return std::nullopt;
  const Duration wait = from_micros(0) + std::chrono::seconds(at) - now;
  return std::clamp(wait, Duration(0), kLongest);
}

}  // namespace chronos::net
