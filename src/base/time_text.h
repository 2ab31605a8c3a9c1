// Times and durations as text, as the API has them (product.md §3a). Pure; thread-safe.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace chronos {

// RFC 3339 with an offset ("2026-03-08T07:30:00Z", "…+02:00", up to nine fraction digits, rounded
// down to microseconds). A time without an offset is refused: it would be read in nobody's zone.
// Years 1970–2199. Fails with Reason::invalid_fields, pointer "".
Result<Timestamp> parse_timestamp(std::string_view text);

// RFC 3339 in UTC with milliseconds and Z: "2026-03-08T07:30:00.000Z". Years 0–9999.
using TimestampText = std::array<char, 24>;
TimestampText timestamp_text(Timestamp time);
std::string format_timestamp(Timestamp time);

// "1h30m", "200ms", "2d", "1w"; an ISO 8601 duration of weeks, days, hours, minutes and seconds
// ("PT90S"); or a bare number of seconds ("90", "0.5"). Not negative, at most 100 years.
Result<Duration> parse_duration(std::string_view text);

// The canonical form: largest units first, no zero units, "0s" for nothing: "1h30m", "1d", "200ms".
std::string format_duration(Duration duration);

}  // namespace chronos
