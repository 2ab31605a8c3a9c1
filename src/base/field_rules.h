// Rules of field tables: what a value must be beyond its type, and where to say that it is not.
// Pure; rules are constants that stand as template arguments in a table's rows (base/fields.h).
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time_text.h"

namespace chronos::fields {

// Where in the document a value stands, and where to say what is wrong with it. Everything wrong is
// collected, so that a user mends a document once.
class Place {
 public:
  explicit Place(std::vector<FieldError>& problems, std::string_view pointer = {})
      : problems_(problems), name_(pointer) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // Of a member or an element; for as long as this place and the name live.
  Place at(std::string_view name) const { return Place(*this, name, std::nullopt); }
  Place at(std::size_t index) const { return Place(*this, {}, index); }
  std::size_t problem_count() const { return problems_.size(); }

  void refuse(std::string code, std::string message, std::string hint = {}) const {
    problems_.push_back({pointer(), std::move(code), std::move(message), std::move(hint), 0, 0});
  }
  // Takes over the problems another parser found in this value's text.
  void refuse(const Error& error) const {
    for (auto field : error.fields) {
      field.pointer.insert(0, pointer());
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
  Place(const Place& parent, std::string_view name, std::optional<std::size_t> index)
      : problems_(parent.problems_), parent_(&parent), name_(name), index_(index) {}

  // Made only for what is wrong, and most of a document is right.
  std::string pointer() const {
    if (parent_ == nullptr) return std::string(name_);
    const auto parent = parent_->pointer();
    return index_ ? fmt::format("{}/{}", parent, *index_) : json::pointer_to(parent, name_);
  }

  std::vector<FieldError>& problems_;
  const Place* parent_ = nullptr;
  std::string_view name_;  // the pointer, if there is no parent
  std::optional<std::size_t> index_;
};

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
      is_slug =
          is_slug && (ascii::is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == ':');
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

}  // namespace chronos::fields
