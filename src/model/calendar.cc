#include "model/calendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/fields.h"
#include "model/job.h"

namespace chronos::schedule {

// Found by argument-dependent lookup from the templates of base/fields.h.
void read_value(const json::Value& value, WeeklyWindow& out, const fields::Place& place);
void write_value(json::Writer& writer, const WeeklyWindow& window);
void read_value(const json::Value& value, CalendarEvent& out, const fields::Place& place);
void write_value(json::Writer& writer, const CalendarEvent& event);

namespace {

constexpr std::array kWindowFields = {
    fields::row<&WeeklyWindow::days>("days"),
    fields::row<&WeeklyWindow::from>("from"),
    fields::row<&WeeklyWindow::to>("to"),
};

constexpr std::array kEventFields = {
    fields::row<&CalendarEvent::summary, fields::Length{0, 200}>("summary"),
    fields::row<&CalendarEvent::start>("start"),
    fields::row<&CalendarEvent::timezone, fields::Length{0, 64}>("timezone"),
    fields::row<&CalendarEvent::duration>("duration"),
    fields::row<&CalendarEvent::repeat, fields::Length{0, 500}>("repeat"),
    fields::row<&CalendarEvent::except>("except"),
};

template <class T, std::size_t N>
void write_object(const std::array<fields::Field<T>, N>& table, json::Writer& writer,
                  const T& object) {
  writer.begin_object();
  fields::write_members(std::span<const fields::Field<T>>(table), writer, object);
  writer.end_object();
}

}  // namespace

void read_value(const json::Value& value, WeeklyWindow& out, const fields::Place& place) {
  fields::read_object(std::span<const fields::Field<WeeklyWindow>>(kWindowFields), value, out,
                      place);
}

void write_value(json::Writer& writer, const WeeklyWindow& window) {
  write_object(kWindowFields, writer, window);
}

void read_value(const json::Value& value, CalendarEvent& out, const fields::Place& place) {
  fields::read_object(std::span<const fields::Field<CalendarEvent>>(kEventFields), value, out,
                      place);
}

void write_value(json::Writer& writer, const CalendarEvent& event) {
  write_object(kEventFields, writer, event);
}

}  // namespace chronos::schedule

namespace chronos {
namespace {

using fields::Field;
using fields::Place;
using schedule::CalendarSpec;

struct AtMost {
  std::size_t count_max;
  template <class V>
  void check(const std::vector<V>& values, const Place& place) const {
    if (values.size() <= count_max) return;
    place.refuse("too_long",
                 fmt::format("has {} entries, at most {} are allowed", values.size(), count_max));
  }
};

// The row of a member of Calendar::spec.
template <auto Member, auto Rule = fields::AnyValue{}>
constexpr Field<Calendar> spec_row(const json::Name& name) {
  return {name,
          [](const json::Value& value, Calendar& calendar, const Place& place) {
            if (value.is(json::Type::null)) {
              calendar.spec.*Member = CalendarSpec{}.*Member;
              return;
            }
            fields::read_checked(value, calendar.spec.*Member, Rule, place);
          },
          [](json::Writer& writer, const Calendar& calendar) {
            fields::write_value(writer, calendar.spec.*Member);
          }};
}

void read_kind(const json::Value& value, Calendar& calendar, const Place& place) {
  calendar.spec.kind = CalendarSpec{}.kind;
  if (value.is(json::Type::null)) return;
  if (!place.expect(value, json::Type::string)) return;
  const auto kind = schedule::parse_calendar_kind(value.string);
  if (!kind) {
    return place.refuse("unknown_value",
                        fmt::format("'{}' is not a kind of calendar", value.string.substr(0, 64)),
                        "blackout or business");
  }
  calendar.spec.kind = *kind;
}

constexpr auto kCalendarName = fields::row<&Calendar::name, fields::Slug{64}>("name");
constexpr std::array kDeclared = {
    Field<Calendar>{"kind", read_kind,
                    [](json::Writer& writer, const Calendar& calendar) {
                      writer.string(to_string(calendar.spec.kind));
                    }},
    spec_row<&CalendarSpec::timezone, fields::Length{1, 64}>("timezone"),
    spec_row<&CalendarSpec::dates, AtMost{2000}>("dates"),
    spec_row<&CalendarSpec::weekly, AtMost{64}>("weekly"),
    spec_row<&CalendarSpec::events, AtMost{10'000}>("events"),
    fields::row<&Calendar::note, fields::Length{0, kNoteMax}>("note"),
};
// THE table of what a user declares.
constexpr std::array kFields = {kCalendarName, kDeclared[0], kDeclared[1], kDeclared[2],
                                kDeclared[3],  kDeclared[4], kDeclared[5]};

}  // namespace

std::unexpected<Error> unknown_calendar(std::size_t index, std::string_view name) {
  return fail_field(fmt::format("/calendars/{}", index), "unknown_calendar",
                    fmt::format("there is no calendar '{}'", name.substr(0, 64)),
                    "make it with POST /api/calendars, or `chronos calendars put`");
}

std::unexpected<Error> calendar_in_use(std::string_view name,
                                       const std::vector<CalendarUser>& users) {
  constexpr std::size_t kNamed = 5;
  std::string jobs;
  for (std::size_t i = 0; i < std::min(users.size(), kNamed); ++i) {
    jobs += fmt::format("{}'{}' ({})", i == 0 ? "" : ", ", users[i].name.substr(0, 64),
                        users[i].job.to_string());
  }
  if (users.size() > kNamed) jobs += fmt::format(" and {} more", users.size() - kNamed);
  return fail(Reason::state_conflict, fmt::format("the calendar '{}' is named by {}", name, jobs),
              "take it out of their calendars first");
}

Result<void> read_calendar(const json::Value& root, Calendar& calendar) {
  std::vector<FieldError> problems;
  fields::read_object(std::span<const Field<Calendar>>(kFields), root, calendar, Place(problems));
  if (problems.empty()) {
    if (const auto compiled = schedule::Calendar::compile(calendar.spec); !compiled) {
      problems = compiled.error().fields;
    }
  }
  if (problems.empty()) return {};
  return fields::refuse_all("the calendar", std::move(problems));
}

void write_calendar(json::Writer& writer, const Calendar& calendar) {
  writer.begin_object();
  fields::write_members(std::span<const Field<Calendar>>(kFields), writer, calendar);
  writer.member("version", calendar.version).key("created_at");
  fields::write_value(writer, calendar.created_at);
  writer.key("updated_at");
  fields::write_value(writer, calendar.updated_at);
  writer.end_object();
}

std::string encode_calendar(const Calendar& calendar) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  fields::write_members(std::span<const Field<Calendar>>(kDeclared), writer, calendar);
  writer.end_object();
  return text;
}

Result<void> decode_calendar(std::string_view text, Calendar& calendar) {
  CHRONOS_TRY(const auto document, json::parse(text));
  std::vector<FieldError> problems;
  fields::read_object(std::span<const Field<Calendar>>(kDeclared), document.root(), calendar,
                      Place(problems));
  if (problems.empty()) return {};
  return fail(Reason::internal, "a stored calendar cannot be read: " + problems.front().pointer +
                                    " " + problems.front().message);
}

}  // namespace chronos
