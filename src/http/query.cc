#include "http/query.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/nearest.h"
#include "base/time_text.h"

namespace chronos::http {

std::optional<std::string_view> Query::one(std::string_view name) {
  known_.push_back(name);
  const auto count = std::ranges::count(params_, name, &Param::name);
  if (count > 1) place_.at(name).refuse("repeated", "may be given once");
  if (count != 1) return std::nullopt;
  return find_param(params_, name);
}

void Query::text(std::string_view name, std::string& out) {
  if (const auto value = one(name)) out = *value;
}

void Query::list(std::string_view name, std::vector<std::string>& out) {
  known_.push_back(name);
  for (const Param& param : params_) {
    if (param.name == name) out.push_back(param.value);
  }
}

void Query::integer(std::string_view name, fields::Range range, int& out) {
  const auto value = one(name);
  if (!value) return;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc() || end != value->data() + value->size()) {
    place_.at(name).refuse("wrong_type", "must be a whole number");
  } else if (number < range.low || number > range.high) {
    range.check(number, place_.at(name));
  } else {
    out = static_cast<int>(number);
  }
}

void Query::time(std::string_view name, std::optional<Timestamp>& out) {
  const auto value = one(name);
  if (!value) return;
  if (const auto parsed = parse_timestamp(*value)) {
    out = *parsed;
  } else if (value->find(' ') != std::string_view::npos) {
    // "+02:00" as it stands: in a query + means a space.
    place_.at(name).refuse("bad_time", "is not an RFC 3339 time", "write + as %2B");
  } else {
    place_.at(name).refuse(parsed.error());
  }
}

void Query::time_or_age(std::string_view name, Timestamp now, std::optional<Timestamp>& out) {
  if (const auto given = find_param(params_, name)) {
    if (const auto age = parse_duration(*given)) {
      if (one(name)) out = now - *age;
      return;
    }
  }
  time(name, out);
}

void Query::duration(std::string_view name, std::optional<Duration>& out) {
  const auto value = one(name);
  if (!value) return;
  if (const auto parsed = parse_duration(*value)) {
    out = *parsed;
  } else {
    place_.at(name).refuse(parsed.error());
  }
}

Result<void> Query::finish() {
  for (const Param& param : params_) {
    const bool is_known =
        param.name == "api_key" || std::ranges::find(known_, param.name) != known_.end();
    if (is_known) continue;
    const auto nearest = nearest_name(param.name, known_);
    const auto hint = !nearest.empty() ? fmt::format("did you mean '{}'?", nearest)
                      : known_.empty() ? std::string("there are none here")
                                       : fmt::format("known: {}", fmt::join(known_, ", "));
    place_.at(param.name)
        .refuse("unknown_parameter",
                fmt::format("there is no parameter '{}'", param.name.substr(0, 64)), hint);
  }
  if (problems_.empty()) return {};
  return fields::refuse_all("the query", std::exchange(problems_, {}));
}

}  // namespace chronos::http
