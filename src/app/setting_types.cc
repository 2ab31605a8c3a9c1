#include "app/setting_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/ascii.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/time_text.h"
#include "net/outbound_policy.h"
#include "net/url.h"
#include "net/webhook_signature.h"

namespace chronos::app {
namespace {

constexpr std::size_t kShownMax = 64;  // bytes of a refused value in its message

std::unexpected<Error> refuse(std::string message, std::string hint = {}) {
  return fail(Reason::invalid_fields, std::move(message), std::move(hint));
}

std::unexpected<Error> refuse_form(std::string_view expected, const Given& given,
                                   std::string hint = {}) {
  return refuse(fmt::format("expected {}, found {}", expected, to_string(given.form)),
                std::move(hint));
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};

// Largest binary unit first, so that format_size() finds it; the decimal ones are only read.
constexpr std::array kSizeUnits = {SizeUnit{"TiB", std::uint64_t{1} << 40},
                                   SizeUnit{"GiB", std::uint64_t{1} << 30},
                                   SizeUnit{"MiB", std::uint64_t{1} << 20},
                                   SizeUnit{"KiB", std::uint64_t{1} << 10},
                                   SizeUnit{"B", 1},
                                   SizeUnit{"TB", 1'000'000'000'000},
                                   SizeUnit{"GB", 1'000'000'000},
                                   SizeUnit{"MB", 1'000'000},
                                   SizeUnit{"kB", 1'000},
                                   SizeUnit{"KB", 1'000},
                                   SizeUnit{"", 1}};
constexpr std::size_t kCanonicalUnits = 5;

Result<std::int64_t> read_whole(const Given& given) {
  if (given.form != Given::Form::integer && given.form != Given::Form::text) {
    return refuse_form("a whole number", given);
  }
  const auto text = ascii::trimmed(given.text);
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || rest != end) {
    return refuse(fmt::format("'{}' is not a whole number", text.substr(0, kShownMax)));
  }
  return value;
}

Result<void> check_address(std::string_view address) {
  constexpr std::string_view kHint = "127.0.0.1:8086 or [::1]:8086";
  const auto wrong = [&](std::string_view why) {
    return refuse(fmt::format("'{}' {}", address.substr(0, kShownMax), why), std::string(kHint));
  };
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return wrong("has no port");
  const auto port_text = address.substr(colon + 1);
  std::uint16_t port = 0;
  const char* const end = port_text.data() + port_text.size();
  const auto [rest, failure] = std::from_chars(port_text.data(), end, port);
  if (port_text.empty() || failure != std::errc() || rest != end) {
    return wrong("has no port of 0-65535");
  }
  auto host = address.substr(0, colon);
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (is_bracketed) host = host.substr(1, host.size() - 2);
  const auto ip = net::IpAddress::parse(host);
  if (!ip || is_bracketed == ip->is_v4()) return wrong("has no numeric address");
  return {};
}

template <class Check>
Result<std::vector<std::string>> read_checked_list(const Given& given, Check check) {
  CHRONOS_TRY(auto values, read_list(given));
  for (const auto& value : values) CHRONOS_TRY_VOID(check(value));
  return values;
}

}  // namespace

std::string_view to_string(Given::Form form) {
  switch (form) {
    case Given::Form::text:
      return "text";
    case Given::Form::string:
      return "a string";
    case Given::Form::integer:
      return "a whole number";
    case Given::Form::number:
      return "a number";
    case Given::Form::boolean:
      return "true or false";
    case Given::Form::list:
      return "a list";
    case Given::Form::empty_table:
      return "a table";
    case Given::Form::other:
      return "something else";
  }
  return "?";
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const auto whole = ascii::trimmed(text);
  std::uint64_t count = 0;
  const char* const end = whole.data() + whole.size();
  const auto [rest, failure] = std::from_chars(whole.data(), end, count);
  const auto name = ascii::trimmed({rest, static_cast<std::size_t>(end - rest)});
  const auto unit = std::ranges::find(kSizeUnits, name, &SizeUnit::name);
  if (failure != std::errc() || unit == kSizeUnits.end() ||
      count > std::numeric_limits<std::uint64_t>::max() / unit->bytes) {
    return refuse(fmt::format("'{}' is not a size", text.substr(0, kShownMax)), "256KiB or 10MB");
  }
  return count * unit->bytes;
}

std::string format_size(std::uint64_t bytes) {
  for (const auto& unit : std::span(kSizeUnits).first(kCanonicalUnits)) {
    if (bytes != 0 && bytes % unit.bytes == 0)
      return fmt::format("{}{}", bytes / unit.bytes, unit.name);
  }
  return fmt::format("{}B", bytes);
}

std::string toml_string(std::string_view text) {
  std::string quoted;
  json::append_string(quoted, text);  // its escapes are a subset of TOML's
  return quoted;
}

Result<void> Text::read(const Given& given, std::string& out) const {
  CHRONOS_TRY(auto word, read_word(given));
  if (has_control_character(word)) return refuse("must not contain control characters");
  out = std::move(word);
  return {};
}

Result<void> WebUrl::read(const Given& given, std::string& out) const {
  std::string text;
  CHRONOS_TRY_VOID(Text::read(given, text));
  if (!text.empty()) {
    if (const auto url = net::parse_url(text); !url) {
      return refuse(url.error().message, url.error().hint);
    }
  }
  out = std::move(text);
  return {};
}

Result<void> ServerUrl::read(const Given& given, std::string& out) const {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string url;
  CHRONOS_TRY_VOID(WebUrl::read(given, url));
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string::npos ? scheme : url.find_first_of("/?#", scheme + 3);
  const auto path =
      begin == std::string::npos ? std::string_view() : std::string_view(url).substr(begin);
  if (path.find_first_not_of(kPlain) != std::string_view::npos || path.contains("//")) {
    return refuse("has a path that no prefix can have",
                  "letters, digits and - . _ ~ between single slashes, and nothing after them");
  }
  if (path == "/api" || path.starts_with("/api/")) {
    return refuse("has a path under which the API lies", "another one: /chronos");
  }
  out = std::move(url);
  return {};
}

Result<void> StoreUrl::read(const Given& given, std::string& out) const {
  constexpr std::array<std::string_view, 4> kSchemes = {"memory:", "sqlite:", "postgres://",
                                                        "postgresql://"};
  CHRONOS_TRY(auto word, read_word(given));
  const bool is_known = std::ranges::any_of(
      kSchemes, [&](std::string_view scheme) { return word.starts_with(scheme); });
  if (!is_known) {
    // The value is not repeated: it may hold a password.
    return refuse("is not a store this server can open",
                  "sqlite:PATH or postgres://USER@HOST/DATABASE");
  }
  out = std::move(word);
  return {};
}

std::string StoreUrl::show(const std::string& value) const {
  const auto authority = value.find("://");
  if (authority == std::string::npos) return toml_string(value);
  const auto begin = authority + 3;
  const auto end = std::min(value.find('/', begin), value.size());
  const auto at = value.rfind('@', end);
  const auto colon = value.find(':', begin);
  if (at == std::string::npos || at < begin || colon > at) return toml_string(value);
  return toml_string(value.substr(0, colon + 1) + "********" + value.substr(at));
}

Result<void> Secret::read(const Given& given, std::string& out) const {
  CHRONOS_TRY(auto word, read_word(given));
  if (has_control_character(word)) return refuse("must not contain control characters");
  out = std::move(word);
  return {};
}

Result<void> SigningSecret::read(const Given& given, std::string& out) const {
  std::string secret;
  CHRONOS_TRY_VOID(Secret::read(given, secret));
  if (!secret.empty() && !net::webhook_keys(secret)) {
    return refuse(std::string(net::kWebhookSecretsRule));
  }
  out = std::move(secret);
  return {};
}

Result<void> Flag::read(const Given& given, bool& out) const {
  if (given.form != Given::Form::boolean && given.form != Given::Form::text) {
    return refuse_form("true or false", given);
  }
  constexpr std::array<std::string_view, 4> kYes = {"true", "1", "yes", "on"};
  constexpr std::array<std::string_view, 4> kNo = {"false", "0", "no", "off"};
  const bool is_yes = std::ranges::find(kYes, given.text) != kYes.end();
  if (!is_yes && std::ranges::find(kNo, given.text) == kNo.end()) {
    return refuse(fmt::format("'{}' is neither true nor false", given.text.substr(0, kShownMax)));
  }
  out = is_yes;
  return {};
}

Result<void> Count::read(const Given& given, int& out) const {
  CHRONOS_TRY(const auto value, read_whole(given));
  if (value < low || value > high) {
    return refuse(fmt::format("{} is outside {}-{}", value, low, high));
  }
  out = static_cast<int>(value);
  return {};
}

Result<void> Size::read(const Given& given, std::size_t& out) const {
  if (given.form != Given::Form::text && given.form != Given::Form::string &&
      given.form != Given::Form::integer) {
    return refuse_form("a size", given, "256KiB or 10MB");
  }
  CHRONOS_TRY(const auto bytes, parse_size(given.text));
  if (bytes < low || bytes > high) {
    return refuse(fmt::format("{} is outside {}-{}", format_size(bytes), format_size(low),
                              format_size(high)));
  }
  out = bytes;
  return {};
}

Result<void> Time::read(const Given& given, Duration& out) const {
  if (given.form != Given::Form::text && given.form != Given::Form::string &&
      given.form != Given::Form::integer && given.form != Given::Form::number) {
    return refuse_form("a duration", given, "10s or 1h30m");
  }
  const auto parsed = parse_duration(ascii::trimmed(given.text));
  if (!parsed) return refuse(parsed.error().message, parsed.error().hint);
  const std::chrono::seconds shortest(low_seconds);
  const std::chrono::seconds longest(high_seconds);
  if (*parsed < shortest || *parsed > longest) {
    return refuse(fmt::format("{} is outside {}-{}", format_duration(*parsed),
                              format_duration(shortest), format_duration(longest)));
  }
  out = *parsed;
  return {};
}

std::string Time::show(Duration value) const {
  return toml_string(format_duration(value));
}

Result<std::vector<std::string>> read_list(const Given& given) {
  if (given.form == Given::Form::list) return given.elements;
  if (given.form == Given::Form::string) return std::vector{given.text};
  if (given.form != Given::Form::text) return refuse_form("a list of strings", given);
  std::vector<std::string> values;
  std::string_view rest = given.text;
  while (!ascii::trimmed(rest).empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    values.emplace_back(ascii::trimmed(rest.substr(0, comma)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return values;
}

std::string show_list(const std::vector<std::string>& values) {
  std::string text = "[";
  for (const auto& value : values) {
    if (text.size() > 1) text += ", ";
    text += toml_string(value);
  }
  return text + "]";
}

Result<void> Addresses::read(const Given& given, std::vector<std::string>& out) const {
  CHRONOS_TRY(auto values, read_checked_list(given, check_address));
  if (values.empty()) return refuse("needs at least one address", "127.0.0.1:8086");
  out = std::move(values);
  return {};
}

Result<void> check_email(std::string_view address) {
  const auto at = address.rfind('@');
  const bool has_both = at != std::string_view::npos && at > 0 && at + 1 < address.size();
  const bool is_plain = std::ranges::none_of(address, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == ',' || c == '<' || c == '>' ||
           c == '"';
  });
  if (has_both && is_plain && address.size() <= 254) return {};  // RFC 5321 §4.5.3.1.3
  return refuse(fmt::format("'{}' is not an e-mail address", address.substr(0, kShownMax)),
                "ops@example.com");
}

Result<void> Emails::read(const Given& given, std::vector<std::string>& out) const {
  CHRONOS_TRY(out, read_checked_list(given, check_email));
  return {};
}

Result<void> Mailbox::read(const Given& given, std::string& out) const {
  std::string text;
  CHRONOS_TRY_VOID(Text::read(given, text));
  if (!text.empty()) {
    std::string_view address = text;
    if (const auto open = address.rfind('<'); open != std::string_view::npos) {
      if (!address.ends_with('>')) return refuse("has '<' without '>' at its end");
      address = address.substr(open + 1, address.size() - open - 2);
    }
    CHRONOS_TRY_VOID(check_email(address));
  }
  out = std::move(text);
  return {};
}

Result<std::string> read_word(const Given& given) {
  if (given.form == Given::Form::string || given.form == Given::Form::text) return given.text;
  return refuse_form("a string", given, "put it in quotes");
}

std::unexpected<Error> refuse_choice(std::string_view word,
                                     const std::vector<std::string_view>& names) {
  std::string hint;
  if (const auto nearest = nearest_name(word, names); !nearest.empty()) {
    hint = fmt::format("did you mean {}?", nearest);
  }
  return refuse(
      fmt::format("'{}' is not one of {}", word.substr(0, kShownMax), fmt::join(names, ", ")),
      std::move(hint));
}

Result<void> ChannelKind::read(const Given& given, std::string& out) const {
  CHRONOS_TRY(auto word, read_word(given));
  if (word != "webhook" && word != "slack") return refuse_choice(word, {"webhook", "slack"});
  out = std::move(word);
  return {};
}

}  // namespace chronos::app
