#include "schedule/schedule_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace chronos::schedule {
namespace {

std::string with_field(const ScheduleError& error) {
  return error.field.empty() ? error.message : error.field + ": " + error.message;
}

}  // namespace

std::string render(const ScheduleError& error, std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c == '\t' || c == '\r' || c == '\n') c = ' ';
  }
  const auto indent = static_cast<std::size_t>(std::max(error.column, 1) - 1);
  const auto width = static_cast<std::size_t>(std::max(error.length, 1));
  auto shown = fmt::format("schedule: {} (column {})\n  {}\n  {}{}\n", with_field(error),
                           error.column, line, std::string(indent, ' '), std::string(width, '^'));
  if (!error.hint.empty()) shown += fmt::format("  hint: {}\n", error.hint);
  return shown;
}

FieldError to_field_error(const ScheduleError& error, std::string pointer) {
  return {std::move(pointer), error.code,   with_field(error),
          error.hint,         error.column, error.length};
}

}  // namespace chronos::schedule
