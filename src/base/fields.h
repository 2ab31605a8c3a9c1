// Field tables: one row per member of a type says how it is named, read from JSON, checked and
// written. The same row parses, prints, patches and rejects unknown names with the path in the
// error. Pure; tables are constant.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/result.h"
#include "base/time_text.h"

namespace chronos::fields {

// Where in the document a value stands, and where to say what is wrong with it. Everything wrong is
// collected, so that a user mends a document once.
class Place {
 public:
  explicit Place(std::vector<FieldError>& problems, std::string pointer = {})
      : problems_(problems), pointer_(std::move(pointer)) {}

  Place at(std::string_view name) const {
    return Place(problems_, json::pointer_to(pointer_, name));
  }
  Place at(std::size_t index) const {
    return Place(problems_, fmt::format("{}/{}", pointer_, index));
  }
  const std::string& pointer() const { return pointer_; }

  void refuse(std::string code, std::string message, std::string hint = {}) const {
    problems_.push_back({pointer_, std::move(code), std::move(message), std::move(hint), 0, 0});
  }
  // Takes over the problems another parser found in this value's text.
  void refuse(const Error& error) const {
    for (auto field : error.fields) {
      field.pointer = pointer_ + field.pointer;
      problems_.push_back(std::move(field));
    }
    if (error.fields.empty())
      refuse(std::string(to_string(error.reason)), error.message, error.hint);
  }
  bool expect(const json::Value& value, json::Type type) const {
    if (value.is(type)) return true;
    refuse("wrong_type",
           fmt::format("expected {}, found {}", to_string(type), to_string(value.type)));
    return false;
  }

 private:
  std::vector<FieldError>& problems_;
  std::string pointer_;
};

template <class T>
struct Field {
  std::string_view name;
  void (*read)(const json::Value&, T&, const Place&);
  void (*write)(json::Writer&, const T&);  // the value only; null = never written
};

// -- Rules: what a value must be beyond its type
// ---------------------------------------------------

struct AnyValue {
  template <class V>
  void check(const V&, const Place&) const {}
};

struct Range {
  std::int64_t low, high;
  void check(std::int64_t value, const Place& place) const {
    if (value >= low && value <= high) return;
    place.refuse("out_of_range", fmt::format("{} is outside {}-{}", value, low, high));
  }
  void check(const std::optional<std::int64_t>& value, const Place& place) const {
    if (value) check(*value, place);
  }
};

struct Length {
  std::size_t low, high;  // bytes of UTF-8
  void check(const std::string& value, const Place& place) const {
    if (value.find('\0') != std::string::npos) {
      place.refuse("bad_character", "must not contain a NUL character");
    } else if (value.size() < low) {
      place.refuse("too_short", low == 1 ? "must not be empty"
                                         : fmt::format("must have at least {} bytes", low));
    } else if (value.size() > high) {
      place.refuse("too_long",
                   fmt::format("has {} bytes, at most {} are allowed", value.size(), high));
    }
  }
};

// A slug: what stands in URLs and configuration files.
struct Slug {
  std::size_t high;
  void check(const std::string& value, const Place& place) const {
    bool is_slug = !value.empty() && value.size() <= high;
    for (const char c : value) {
      is_slug = is_slug && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == ':');
    }
    if (is_slug) return;
    place.refuse("bad_slug", fmt::format("'{}' must be 1-{} letters, digits, '-', '_', '.' or ':'",
                                         std::string_view(value).substr(0, 64), high));
  }
  void check(const std::optional<std::string>& value, const Place& place) const {
    if (value) check(*value, place);
  }
};

struct AtLeast {
  std::int64_t low_us;  // a bare number: a Duration cannot be a template argument
  constexpr explicit AtLeast(Duration low) : low_us(low.count()) {}

  void check(Duration value, const Place& place) const {
    if (value.count() >= low_us) return;
    place.refuse("out_of_range", fmt::format("{} is shorter than {}", format_duration(value),
                                             format_duration(Duration(low_us))));
  }
  void check(const std::optional<Duration>& value, const Place& place) const {
    if (value) check(*value, place);
  }
};

// -- Reading and writing of plain types
// --------------------------------------------------------------

inline void read_value(const json::Value& value, std::string& out, const Place& place) {
  if (place.expect(value, json::Type::string)) out = value.string;
}
inline void read_value(const json::Value& value, bool& out, const Place& place) {
  if (place.expect(value, json::Type::boolean)) out = value.boolean;
}
inline void read_value(const json::Value& value, std::int64_t& out, const Place& place) {
  if (value.is(json::Type::number)) {
    place.refuse("wrong_type", fmt::format("{} is not a whole number of 64 bits", value.raw));
  } else if (place.expect(value, json::Type::integer)) {
    out = value.integer;
  }
}
inline void read_value(const json::Value& value, int& out, const Place& place) {
  std::int64_t wide = out;
  read_value(value, wide, place);
  if (wide < INT32_MIN || wide > INT32_MAX)
    return place.refuse("out_of_range", fmt::format("{} is too large", wide));
  out = static_cast<int>(wide);
}
// A string like "1h30m", an ISO 8601 duration, or a number of seconds.
void read_value(const json::Value& value, Duration& out, const Place& place);
// RFC 3339 with an offset, rounded up to the millisecond (never early).
void read_value(const json::Value& value, Timestamp& out, const Place& place);

template <class V>
void read_value(const json::Value& value, std::optional<V>& out, const Place& place) {
  V inner{};
  read_value(value, inner, place);
  out = std::move(inner);
}
template <class V>
void read_value(const json::Value& value, std::vector<V>& out, const Place& place) {
  if (!place.expect(value, json::Type::array)) return;
  out.assign(value.elements.size(), V{});
  for (std::size_t i = 0; i < out.size(); ++i) read_value(value.elements[i], out[i], place.at(i));
}

inline void write_value(json::Writer& writer, const std::string& value) {
  writer.string(value);
}
inline void write_value(json::Writer& writer, std::string_view value) {
  writer.string(value);
}
inline void write_value(json::Writer& writer, bool value) {
  writer.boolean(value);
}
inline void write_value(json::Writer& writer, std::int64_t value) {
  writer.integer(value);
}
inline void write_value(json::Writer& writer, int value) {
  writer.integer(value);
}
inline void write_value(json::Writer& writer, Duration value) {
  writer.string(format_duration(value));
}
inline void write_value(json::Writer& writer, Timestamp value) {
  writer.string(format_timestamp(value));
}
template <class V>
void write_value(json::Writer& writer, const std::optional<V>& value) {
  value ? write_value(writer, *value) : void(writer.null());
}
template <class V>
void write_value(json::Writer& writer, const std::vector<V>& values) {
  writer.begin_array();
  for (const auto& value : values) write_value(writer, value);
  writer.end_array();
}

// -- Rows and tables
// ---------------------------------------------------------------------------------

template <class>
struct MemberOf;
template <class Class, class Value>
struct MemberOf<Value Class::*> {
  using Owner = Class;
};

// The row of a plain member. JSON null puts the member's default back.
template <auto Member, auto Rule = AnyValue{}>
constexpr auto row(std::string_view name) {
  using T = typename MemberOf<decltype(Member)>::Owner;
  return Field<T>{
      name,
      [](const json::Value& value, T& object, const Place& place) {
        if (value.is(json::Type::null)) {
          object.*Member = T{}.*Member;
          return;
        }
        read_value(value, object.*Member, place);
        Rule.check(object.*Member, place);
      },
      [](json::Writer& writer, const T& object) { write_value(writer, object.*Member); }};
}

// The row of an enum member with its parser; the names are those of to_string.
template <auto Member, auto Parse>
constexpr auto enum_row(std::string_view name) {
  using T = typename MemberOf<decltype(Member)>::Owner;
  return Field<T>{
      name,
      [](const json::Value& value, T& object, const Place& place) {
        if (value.is(json::Type::null)) {
          object.*Member = T{}.*Member;
          return;
        }
        if (!place.expect(value, json::Type::string)) return;
        if (const auto parsed = Parse(value.string)) {
          object.*Member = *parsed;
        } else {
          place.refuse("unknown_value", fmt::format("'{}' is not one of the values allowed",
                                                    std::string_view(value.string).substr(0, 64)));
        }
      },
      [](json::Writer& writer, const T& object) { writer.string(to_string(object.*Member)); }};
}

// All that is wrong as one Error; `subject` names the whole document ("the job"). Not for an empty
// list.
std::unexpected<Error> refuse_all(std::string_view subject, std::vector<FieldError> problems);

// Refuses names the table does not have, with the nearest that it has.
void refuse_unknown(const Place& place, std::string_view name,
                    std::span<const std::string_view> known);

// Reads every member of `value` that the table names into `object`; what is absent stays as it is.
template <class T>
void read_object(std::span<const Field<T>> table, const json::Value& value, T& object,
                 const Place& place) {
  if (!place.expect(value, json::Type::object)) return;
  for (const auto& [name, member] : value.members) {
    const Field<T>* found = nullptr;
    for (const auto& field : table) {
      if (field.name == name) found = &field;
    }
    if (found != nullptr) {
      found->read(member, object, place.at(name));
      continue;
    }
    std::vector<std::string_view> known;
    for (const auto& field : table) known.push_back(field.name);
    refuse_unknown(place, name, known);
  }
}

// Reads a whole document: everything wrong with it comes back as one Error.
template <class T>
Result<void> read_document(std::string_view subject, std::span<const Field<T>> table,
                           const json::Value& root, T& object) {
  std::vector<FieldError> problems;
  read_object(table, root, object, Place(problems));
  if (problems.empty()) return {};
  return refuse_all(subject, std::move(problems));
}

template <class T>
void write_members(std::span<const Field<T>> table, json::Writer& writer, const T& object) {
  for (const auto& field : table) {
    if (field.write == nullptr) continue;
    writer.key(field.name);
    field.write(writer, object);
  }
}

}  // namespace chronos::fields
