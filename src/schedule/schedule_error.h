// What is wrong with a schedule text: code, field, place, message, hint; and the caret form of it.
// Made by the parsers of this folder, shown by the API, the CLI and the dashboard. Plain value.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/result.h"

namespace chronos::schedule {

// The first error of a schedule text. Columns count Unicode code points of the text as given.
struct ScheduleError {
  std::string code;     // such as "out_of_range"; the closed list is in docs and schedule.md §10
  std::string field;    // "minute" … "year"; empty when no field is involved
  int column = 1;       // 1-based; may be one past the end of the text
  int length = 0;       // code points at fault; 0 = something is missing at `column`
  int byte_offset = 0;  // where `column` is, in bytes from the start of the text
  std::string message;  // such as "24 is outside 0-23"
  std::string hint;     // what to write instead; may be empty

  bool operator==(const ScheduleError&) const = default;
};

template <class T>
using Parsed = std::expected<T, ScheduleError>;

// Three lines and, if there is a hint, a fourth:
//   schedule: hour: 24 is outside 0-23 (column 3)
//     0 24 * * *
//       ^^
//     hint: …
// Tabs and line ends of `text` are shown as spaces, so that the caret stands where it should.
std::string render(const ScheduleError& error, std::string_view text);

// The same error as part of a problem document; `pointer` is the field of the request that holds
// the text, such as "/cron/0". The message names the schedule's field: "hour: 24 is outside 0-23".
FieldError to_field_error(const ScheduleError& error, std::string pointer);

}  // namespace chronos::schedule
