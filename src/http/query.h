// Reads the query of a request: every parameter a handler asks for is known, finish() refuses the
// others with the nearest known name. Everything wrong is collected; a pointer such as "/limit"
// names a parameter as if the query were an object. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/fields.h"
#include "http/request.h"

namespace chronos::http {

class Query {
 public:
  explicit Query(const RequestHead& head) : params_(head.query), place_(problems_) {}
  // Of an object `under` this name in a body: its members are the parameters.
  Query(const std::vector<Param>& params, std::string_view under)
      : params_(params), pointer_(json::pointer_to("", under)), place_(problems_, pointer_) {}
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Each leaves `out` as it is when the parameter is not given.
  void text(std::string_view name, std::string& out);
  void list(std::string_view name, std::vector<std::string>& out);  // may be given several times
  void integer(std::string_view name, fields::Range range, int& out);
  void time(std::string_view name, std::optional<Timestamp>& out);
  // A time, or how long before `now` it was: "2h".
  void time_or_age(std::string_view name, Timestamp now, std::optional<Timestamp>& out);
  void duration(std::string_view name, std::optional<Duration>& out);

  // One of the names that `parse` knows; `hint` lists them.
  template <class Value, class Parse>
  void choice(std::string_view name, Parse parse, std::string_view hint, Value& out) {
    const auto value = one(name);
    if (!value) return;
    if (const auto parsed = parse(*value)) {
      if constexpr (std::is_assignable_v<Value&, decltype(parsed)>) {
        out = parsed;  // both optional
      } else {
        out = *parsed;
      }
    } else {
      place_.at(name).refuse("unknown_value",
                             fmt::format("'{}' is not one of the values", value->substr(0, 64)),
                             std::string(hint));
    }
  }

  // Several of the names that `parse` knows, with commas between.
  template <class Value, class Parse>
  void choices(std::string_view name, Parse parse, std::string_view hint, std::vector<Value>& out) {
    const auto value = one(name);
    if (!value) return;
    for (std::string_view rest = *value;;) {
      const auto word = rest.substr(0, rest.find(','));
      const auto parsed = parse(word);
      if (!parsed) {
        place_.at(name).refuse("unknown_value",
                               fmt::format("'{}' is not one of the values", word.substr(0, 64)),
                               std::string(hint));
        return;
      }
      if (std::ranges::find(out, *parsed) == out.end()) out.push_back(*parsed);
      if (word.size() == rest.size()) return;
      rest.remove_prefix(word.size() + 1);
    }
  }

  // A cursor is the base64 of the id that ended the page before.
  template <class AnyId>
  void cursor(std::optional<AnyId>& out) {
    const auto value = one("cursor");
    if (!value) return;
    out = AnyId::parse(from_base64(*value).value_or(""));
    if (!out) {
      place_.at("cursor").refuse("bad_cursor", "is not a cursor of this list",
                                 "take 'next' of the page before as it is");
    }
  }

  Result<void> finish();

 private:
  std::optional<std::string_view> one(std::string_view name);

  const std::vector<Param>& params_;
  std::vector<std::string_view> known_;
  std::vector<FieldError> problems_;
  std::string pointer_;
  fields::Place place_;
};

}  // namespace chronos::http
