// JSON in and out. In: a bounded, fully validated tree over simdjson; out: a plain appender. Values
// are immutable after parse(); a Document may be read by many threads.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace chronos::json {

enum class Type { null, boolean, integer, number, string, array, object };

std::string_view to_string(Type type);

struct Member;

// One node of a parsed document. `raw` is its exact text and lives as long as the Document.
struct Value {
  Type type = Type::null;
  bool boolean = false;
  std::int64_t integer = 0;     // Type::integer: a whole number that fits
  double number = 0;            // Type::integer and Type::number (infinite when out of range)
  std::string string;           // Type::string, unescaped, valid UTF-8
  std::vector<Value> elements;  // Type::array
  std::vector<Member> members;  // Type::object, in the order written; names are unique
  std::string_view raw;

  const Value* find(std::string_view name) const;
  bool is(Type wanted) const { return type == wanted; }
};

struct Member {
  std::string name;
  Value value;
};

class Document {
 public:
  const Value& root() const { return root_; }

 private:
  friend Result<Document> parse(std::string_view text, int depth_max);
  std::unique_ptr<char[]> text_;  // what every `raw` points into
  Value root_;
};

constexpr int kDepthMax = 64;

// Refuses, with what and where: text that is not UTF-8 (bad_encoding), nesting deeper than
// `depth_max` (too_deep), a name twice in one object and everything that is not JSON (bad_json).
Result<Document> parse(std::string_view text, int depth_max = kDepthMax);

// RFC 6901: "/a~1b" for the member "a/b" of the root.
std::string pointer_to(std::string_view parent, std::string_view name);

// `text` with each byte that is part of no UTF-8 sequence replaced by U+FFFD.
std::string as_utf8(std::string text);

// Appends `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD: output is always valid.
void append_string(std::string& out, std::string_view text);

// The name of a member that is a constant of the program: it stands in JSON as it is, which the
// compiler sees to, so nothing looks for what to escape each time it is written.
class Name {
 public:
  consteval Name(const char* text) {
    for (; *text != '\0'; ++text) {
      if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\') throw "would be escaped";
      member_[size_++] = *text;
    }
    member_[size_++] = '"';
    member_[size_++] = ':';
  }
  constexpr operator std::string_view() const { return {member_.data() + 2, size_ - 4}; }
  friend constexpr bool operator==(const Name& a, std::string_view b) {
    return std::string_view(a) == b;
  }

 private:
  friend class Writer;
  std::array<char, 32> member_{',', '"'};  // ,"name":
  std::size_t size_ = 2;
};

// Writes JSON to the end of a string; commas are its own business, nesting is the caller's.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(const Name& name);
  // A name that is no constant of the program. (A literal is none of these types.)
  template <class Text>
    requires std::same_as<Text, std::string> || std::same_as<Text, std::string_view>
  Writer& key(const Text& name) {
    return quoted_key(name);
  }
  Writer& string(std::string_view text);
  Writer& integer(std::int64_t value);
  Writer& number(double value);
  Writer& boolean(bool value);
  Writer& null();
  Writer& raw(std::string_view json);  // must be one whole JSON value, or whole members

  Writer& member(const Name& name, std::string_view text) { return key(name).string(text); }
  Writer& member(const Name& name, const char* text) { return key(name).string(text); }
  Writer& member(const Name& name, std::int64_t value) { return key(name).integer(value); }
  Writer& member(const Name& name, int value) { return key(name).integer(value); }
  Writer& member(const Name& name, bool value) { return key(name).boolean(value); }

 private:
  Writer& quoted_key(std::string_view name);
  std::string_view separator();
  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace chronos::json
