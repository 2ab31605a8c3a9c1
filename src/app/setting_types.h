// How one setting's value is read from what was given and shown as TOML: one small type per kind of
// value. Used by settings.cc only. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace chronos::app {

// A value as it was given. Flags and variables are text whatever they stand for; a TOML value has a
// type of its own, which must fit.
struct Given {
  enum class Form { text, string, integer, number, boolean, list, empty_table, other };

  Form form = Form::text;
  std::string text;                   // of anything but a list
  std::vector<std::string> elements;  // of a list of strings
};

std::string_view to_string(Given::Form form);

// A size in bytes: "256KiB", "10MB", "64 MiB", "4096". Binary units are KiB, MiB, GiB, TiB; decimal
// ones kB, MB, GB, TB.
Result<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t bytes);  // canonical: "256KiB", "1000B"

// A basic TOML string, quoted and escaped.
std::string toml_string(std::string_view text);

struct Text {
  static constexpr std::string_view kForm = "text";
  static constexpr bool kIsSecret = false;
  Result<void> read(const Given& given, std::string& out) const;
  std::string show(const std::string& value) const { return toml_string(value); }
};

struct Path : Text {
  static constexpr std::string_view kForm = "path";
};

// http:// or https://, without user name and password; "" is no URL.
struct WebUrl : Text {
  static constexpr std::string_view kForm = "URL";
  Result<void> read(const Given& given, std::string& out) const;
};

// Where people reach this server. Its path is a prefix of ours: of plain characters, and not one
// that the API has.
struct ServerUrl : WebUrl {
  Result<void> read(const Given& given, std::string& out) const;
};

// Of a store; may hold a password, so it is a secret of which only that part is masked.
struct StoreUrl {
  static constexpr std::string_view kForm = "URL";
  static constexpr bool kIsSecret = true;
  Result<void> read(const Given& given, std::string& out) const;
  std::string show(const std::string& value) const;
};

struct Secret {
  static constexpr std::string_view kForm = "text";
  static constexpr bool kIsSecret = true;
  Result<void> read(const Given& given, std::string& out) const;
  std::string show(const std::string& value) const {
    return value.empty() ? "\"\"" : "\"********\"";
  }
};

// One secret of the Standard Webhooks scheme, or two (net/webhook_signature.h).
struct SigningSecret : Secret {
  Result<void> read(const Given& given, std::string& out) const;
};

struct Flag {
  static constexpr std::string_view kForm = "true or false";
  static constexpr bool kIsSecret = false;
  Result<void> read(const Given& given, bool& out) const;
  std::string show(bool value) const { return value ? "true" : "false"; }
};

struct Count {
  std::int64_t low, high;
  static constexpr std::string_view kForm = "number";
  static constexpr bool kIsSecret = false;
  Result<void> read(const Given& given, int& out) const;
  std::string show(int value) const { return std::to_string(value); }
};

struct Size {
  std::uint64_t low, high;  // bytes
  static constexpr std::string_view kForm = "size";
  static constexpr bool kIsSecret = false;
  Result<void> read(const Given& given, std::size_t& out) const;
  std::string show(std::size_t value) const { return toml_string(format_size(value)); }
};

struct Time {
  std::int64_t low_seconds, high_seconds;
  static constexpr std::string_view kForm = "duration";
  static constexpr bool kIsSecret = false;
  Result<void> read(const Given& given, Duration& out) const;
  std::string show(Duration value) const;
};

// A TOML list, one string alone, or in a variable or flag: separated by commas.
Result<std::vector<std::string>> read_list(const Given& given);
std::string show_list(const std::vector<std::string>& values);

// "127.0.0.1:8086", "[::1]:0": numeric address and port.
struct Addresses {
  static constexpr std::string_view kForm = "list of addresses";
  static constexpr bool kIsSecret = false;
  Result<void> read(const Given& given, std::vector<std::string>& out) const;
  std::string show(const std::vector<std::string>& value) const { return show_list(value); }
};

Result<void> check_email(std::string_view address);

struct Emails {
  static constexpr std::string_view kForm = "list of e-mail addresses";
  static constexpr bool kIsSecret = false;
  Result<void> read(const Given& given, std::vector<std::string>& out) const;
  std::string show(const std::vector<std::string>& value) const { return show_list(value); }
};

// "ops@example.com" or "Chronos <ops@example.com>".
struct Mailbox : Text {
  static constexpr std::string_view kForm = "e-mail address";
  Result<void> read(const Given& given, std::string& out) const;
};

// The text of a value that is one of few; fails for the wrong TOML type.
Result<std::string> read_word(const Given& given);
std::unexpected<Error> refuse_choice(std::string_view word,
                                     const std::vector<std::string_view>& names);

// An enum with its parser, by the names it lists.
template <auto Parse, auto... Values>
struct Choice {
  static constexpr std::string_view kForm = "choice";
  static constexpr bool kIsSecret = false;
  template <class Enum>
  Result<void> read(const Given& given, Enum& out) const {
    CHRONOS_TRY(const auto word, read_word(given));
    const auto parsed = Parse(word);
    if (!parsed) return refuse_choice(word, {to_string(Values)...});
    out = *parsed;
    return {};
  }
  template <class Enum>
  std::string show(Enum value) const {
    return toml_string(to_string(value));
  }
};

struct ChannelKind : Text {
  static constexpr std::string_view kForm = "choice";
  Result<void> read(const Given& given, std::string& out) const;
};

}  // namespace chronos::app
