// Any text as an iCalendar file: it is refused at a line within it, or its events are a calendar
// that can be compiled and whose jumps hold together.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/time_text.h"
#include "schedule/calendar.h"
#include "schedule/icalendar.h"

namespace chronos::schedule {
namespace {

constexpr std::array<std::string_view, 4> kTimes = {"1970-01-01T00:00:00Z", "2026-03-29T00:30:00Z",
                                                    "2026-10-25T00:30:00Z", "2199-06-01T00:00:00Z"};

// "line 12: what is wrong"
void check_error(const Error& error, std::string_view text) {
  constexpr std::string_view kBegin = "line ";
  CHRONOS_CHECK(error.fields.size() == 1 && error.fields.front().code == "bad_icalendar");
  CHRONOS_CHECK(error.message.starts_with(kBegin));
  const auto digits = std::string_view(error.message).substr(kBegin.size());
  int line = 0;
  const auto [end, failed] = std::from_chars(digits.begin(), digits.end(), line);
  CHRONOS_CHECK(failed == std::errc() && *end == ':');
  CHRONOS_CHECK(line >= 1 && line <= 1 + std::ranges::count(text, '\n'));
}

// Nothing changes before the change, and something does there.
void check_jumps(const Calendar& calendar, Timestamp time) {
  const auto limit = time + std::chrono::days(400);
  for (int i = 0; i < 4; ++i) {
    const auto change = calendar.next_change(time, limit);
    CHRONOS_CHECK(change > time && change <= limit);
    CHRONOS_CHECK(calendar.excludes(change - Duration(1)) == calendar.excludes(time));
    if (change == limit) return;
    CHRONOS_CHECK(calendar.excludes(change) != calendar.excludes(time));
    time = change;
  }
}

void try_text(std::string_view text) {
  auto events = parse_icalendar(text);
  if (!events) return check_error(events.error(), text);
  if (events->size() > 20) return;  // slow, and no different
  const auto calendar =
      Calendar::compile({.timezone = "Europe/Berlin", .events = std::move(*events)});
  CHRONOS_CHECK(calendar.has_value());
  for (const auto time : kTimes) check_jumps(*calendar, *parse_timestamp(time));
}

}  // namespace
}  // namespace chronos::schedule

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chronos::schedule::try_text({reinterpret_cast<const char*>(data), size});
  return 0;
}
