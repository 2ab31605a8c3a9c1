#include "cli/safe_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <optional>

namespace chronos::cli {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;  // bytes
};

// The code point at `at`; nothing if the bytes there are not UTF-8 (RFC 3629: no surrogates, no
// longer forms than needed, nothing above U+10FFFF).
std::optional<CodePoint> decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return CodePoint{first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return std::nullopt;
  char32_t value = first & (0x7fU >> length);
  for (std::size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U) return std::nullopt;
    value = (value << 6) | (byte(i) & 0x3fU);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < kSmallest[length] || value > 0x10ffff || is_surrogate) return std::nullopt;
  return CodePoint{value, length};
}

// Explicit directions, their ends and marks (UAX #9), the invisible separators, and the byte order
// mark, which shows as nothing.
bool is_deceptive(char32_t c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
         c == 0x200f || c == 0x061c || c == 0x2028 || c == 0x2029 || c == 0xfeff;
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f);
}

void append_escape(std::string& out, char32_t c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned>(c));
  } else {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
  }
}

// Appends the character at `at` or its escape; returns the bytes taken.
std::size_t append_safe(std::string& out, std::string_view text, std::size_t at) {
  const auto point = decode(text, at);
  if (!point) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[at]));
    return 1;
  }
  if (is_control(point->value) || is_deceptive(point->value)) {
    append_escape(out, point->value);
  } else {
    out.append(text, at, point->length);
  }
  return point->length;
}

// The length of an SGR sequence (ECMA-48 §8.3.117) at the start of `text`; 0 if there is none.
std::size_t color_length(std::string_view text) {
  constexpr std::size_t kLongest = 32;
  if (!text.starts_with("\x1b[")) return 0;
  for (std::size_t i = 2; i < text.size() && i < kLongest; ++i) {
    if (text[i] == 'm') return i + 1;
    const bool is_parameter = (text[i] >= '0' && text[i] <= '9') || text[i] == ';';
    if (!is_parameter) return 0;
  }
  return 0;
}

}  // namespace

std::string safe_line(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) at += append_safe(out, text, at);
  return out;
}

std::string safe_block(std::string_view text, bool keeps_colors) {
  std::string out;
  bool has_color = false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\n' || text[at] == '\t') {
      out += text[at++];
    } else if (text[at] == '\r') {
      ++at;
      if (at >= text.size() || text[at] != '\n') out += '\n';
    } else if (const auto length = color_length(text.substr(at)); length > 0) {
      if (keeps_colors) out.append(text, at, length);
      has_color = keeps_colors;
      at += length;
    } else {
      at += append_safe(out, text, at);
    }
  }
  if (has_color) out += "\x1b[0m";  // a colour must not leak into what is printed next
  return out;
}

std::string safe_json(std::string_view json) {
  std::string out;
  for (std::size_t at = 0; at < json.size();) {
    const auto point = decode(json, at);
    if (!point) {
      out += "\xef\xbf\xbd";  // U+FFFD
      ++at;
      continue;
    }
    const bool is_space = json[at] == '\n' || json[at] == '\t' || json[at] == '\r';
    const bool is_dangerous = is_control(point->value) || is_deceptive(point->value);
    if (is_dangerous && !is_space) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(point->value));
    } else {
      out.append(json, at, point->length);
    }
    at += point->length;
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++width;
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t end = 0;
  for (std::size_t left = width; end < text.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(text[end]) & 0xc0U) != 0x80U;
    if (begins && left-- == 1) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace chronos::cli
