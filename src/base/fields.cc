#include "base/fields.h"

#include <algorithm>
#include <chrono>

namespace chronos::fields {

void read_value(const json::Value& value, Duration& out, const Place& place) {
  const bool is_text = value.is(json::Type::string);
  if (!is_text && !value.is(json::Type::integer) && !value.is(json::Type::number)) {
    return place.refuse("wrong_type",
                        "expected a duration such as \"1h30m\", or a number of seconds");
  }
  const auto parsed = parse_duration(is_text ? std::string_view(value.string) : value.raw);
  if (!parsed) return place.refuse(parsed.error());
  out = *parsed;
}

void read_value(const json::Value& value, Timestamp& out, const Place& place) {
  if (!place.expect(value, json::Type::string)) return;
  const auto parsed = parse_timestamp(value.string);
  if (!parsed) return place.refuse(parsed.error());
  out = std::chrono::ceil<std::chrono::milliseconds>(*parsed);
}

std::unexpected<Error> refuse_all(std::string_view subject, std::vector<FieldError> problems) {
  Error error{Reason::invalid_fields, {}, {}, std::move(problems)};
  if (std::ranges::all_of(error.fields,
                          [](const auto& f) { return f.code == "not_supported_yet"; })) {
    error.reason = Reason::not_supported_yet;
  }
  const auto& first = error.fields.front();
  const auto rest = error.fields.size() - 1;
  error.message = fmt::format(
      "{}: {}", first.pointer.empty() ? subject : std::string_view(first.pointer).substr(1),
      first.message);
  if (rest > 0) error.message += fmt::format(" (and {} more)", rest);
  error.hint = first.hint;
  return std::unexpected(std::move(error));
}

Result<void> check_name(std::string_view subject, const std::string& name) {
  std::vector<FieldError> problems;
  Slug{64}.check(name, Place(problems).at("name"));
  if (problems.empty()) return {};
  return refuse_all(subject, std::move(problems));
}

void refuse_unknown(const Place& place, std::string_view name,
                    std::span<const std::string_view> known) {
  const auto nearest = nearest_name(name, known);
  place.at(name).refuse("unknown_field", fmt::format("there is no field '{}'", name.substr(0, 64)),
                        nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest));
}

}  // namespace chronos::fields
