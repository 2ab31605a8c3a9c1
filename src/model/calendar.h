// A calendar as a project has it: named, shared by the jobs that name it. Plain values;
// schedule/calendar.h says what its rules mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "schedule/calendar.h"

namespace chronos {

struct Calendar {
  ProjectId project;
  std::string name;  // a slug, unique in its project
  std::string note;
  schedule::CalendarSpec spec;
  std::int64_t version = 1;  // grows with every change
  Timestamp created_at;
  Timestamp updated_at;
};

// Which calendar somebody saw.
struct CalendarVersion {
  std::string name;
  std::int64_t version = 0;

  bool operator==(const CalendarVersion&) const = default;
};

// A job names a calendar that is not there: a field error at /calendars/`index`.
std::unexpected<Error> unknown_calendar(std::size_t index, std::string_view name);

struct CalendarUser {
  JobId job;
  std::string name;
};
// A calendar cannot go while jobs name it; a few of them are named.
std::unexpected<Error> calendar_in_use(std::string_view name,
                                       const std::vector<CalendarUser>& users);

// Reads a declaration: `name` may be absent, what else is absent has its default. Fails with every
// problem found, those of the rules included.
Result<void> read_calendar(const json::Value& root, Calendar& calendar);
void write_calendar(json::Writer& writer, const Calendar& calendar);

// For the store: what was declared, without the name, and back.
std::string encode_calendar(const Calendar& calendar);
Result<void> decode_calendar(std::string_view text, Calendar& calendar);

}  // namespace chronos
