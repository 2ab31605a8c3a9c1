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
#include "base/field_rules.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/result.h"
#include "base/time_text.h"

namespace chronos::fields {

template <class T>
struct Field {
  json::Name name;
  void (*read)(const json::Value&, T&, const Place&);
  void (*write)(json::Writer&, const T&);       // the value only; null = never written
  bool (*equal)(const T&, const T&) = nullptr;  // null = not known
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
  const auto text = timestamp_text(value);
  writer.string({text.data(), text.size()});
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

// A rule looks only at what could be read: one mistake is told once.
template <class V, class Rule>
void read_checked(const json::Value& value, V& out, const Rule& rule, const Place& place) {
  const auto before = place.problem_count();
  read_value(value, out, place);
  if (place.problem_count() == before) rule.check(out, place);
}

// -- Rows and tables
// ---------------------------------------------------------------------------------

template <class>
struct MemberOf;
template <class Class, class Value>
struct MemberOf<Value Class::*> {
  using Owner = Class;
};

template <auto Member>
bool is_equal(const typename MemberOf<decltype(Member)>::Owner& a,
              const typename MemberOf<decltype(Member)>::Owner& b) {
  return a.*Member == b.*Member;
}

// The row of a plain member. JSON null puts the member's default back.
template <auto Member, auto Rule = AnyValue{}>
constexpr auto row(const json::Name& name) {
  using T = typename MemberOf<decltype(Member)>::Owner;
  return Field<T>{
      name,
      [](const json::Value& value, T& object, const Place& place) {
        if (value.is(json::Type::null)) {
          object.*Member = T{}.*Member;
          return;
        }
        read_checked(value, object.*Member, Rule, place);
      },
      [](json::Writer& writer, const T& object) { write_value(writer, object.*Member); },
      is_equal<Member>};
}

// The row of an enum member with its parser; the names are those of to_string.
template <auto Member, auto Parse>
constexpr auto enum_row(const json::Name& name) {
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
      [](json::Writer& writer, const T& object) { writer.string(to_string(object.*Member)); },
      is_equal<Member>};
}

// All that is wrong as one Error; `subject` names the whole document ("the job"). Not for an empty
// list.
std::unexpected<Error> refuse_all(std::string_view subject, std::vector<FieldError> problems);

// A name from elsewhere than a body, by the same rule as one in a body.
Result<void> check_name(std::string_view subject, const std::string& name);

// Refuses names the table does not have, with the nearest that it has.
void refuse_unknown(const Place& place, std::string_view name,
                    std::span<const std::string_view> known);

// Reads into `object` the member that the table names so; there must be one.
template <class T>
void read_member(std::span<const Field<T>> table, const json::Member& member, T& object,
                 const Place& place) {
  for (const auto& field : table) {
    if (field.name == member.name) return field.read(member.value, object, place.at(member.name));
  }
  std::vector<std::string_view> known;
  for (const auto& field : table) known.push_back(field.name);
  refuse_unknown(place, member.name, known);
}

// Reads every member of `value` into `object`; what is absent stays as it is.
template <class T>
void read_object(std::span<const Field<T>> table, const json::Value& value, T& object,
                 const Place& place) {
  if (!place.expect(value, json::Type::object)) return;
  for (const auto& member : value.members) read_member(table, member, object, place);
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
