#include "base/fields.h"

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

void refuse_unknown(const Place& place, std::string_view name,
                    std::span<const std::string_view> known) {
  const auto nearest = nearest_name(name, known);
  place.at(name).refuse("unknown_field", fmt::format("there is no field '{}'", name.substr(0, 64)),
                        nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest));
}

}  // namespace chronos::fields
