// calendars list, get, put, delete, import.
#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/named.h"
#include "cli/views.h"

namespace chronos::cli {
namespace {

constexpr Arguments::Positional kCalendarName{"NAME", "of a calendar"};

std::string count_of(const json::Value& calendar, std::string_view member) {
  const auto* list = calendar.find(member);
  return std::to_string(list == nullptr ? 0 : list->elements.size());
}

void print_calendars(const Session& session, const std::vector<const json::Value*>& calendars) {
  if (session.flags.quiet) return print_members(session, calendars, "name");
  Table table({"NAME", "KIND", "TIMEZONE", "DATES", "WEEKLY", "EVENTS", "UPDATED", "NOTE"});
  const auto now = session.clock.now();
  for (const auto* calendar : calendars) {
    table.add({text_of(*calendar, "name"), text_of(*calendar, "kind"),
               text_of(*calendar, "timezone"), count_of(*calendar, "dates"),
               count_of(*calendar, "weekly"), count_of(*calendar, "events"),
               time_cell(session.terminal, text_of(*calendar, "updated_at"), now),
               text_of(*calendar, "note")});
  }
  if (!table.empty()) table.print(session.terminal);
}

std::string path_of_calendar(const std::string& name) {
  return "/api/calendars/" + url_encoded(name);
}

struct FileFlags {
  std::string name;
  std::string file;
};

int put(Session& session, const FileFlags& flags) {
  auto body = read_input(session, flags.file);
  if (!body) return failed(session, body.error());
  return change_named(
      session, {.method = "PUT", .path = path_of_calendar(flags.name), .body = std::move(*body)},
      "stored");
}

int import(Session& session, const FileFlags& flags) {
  auto body = read_input(session, flags.file);
  if (!body) return failed(session, body.error());
  return change_named(session,
                      {.method = "POST",
                       .path = path_of_calendar(flags.name) + "/import",
                       .body = std::move(*body),
                       .content_type = "text/calendar",
                       .idempotency_key = fresh_idempotency_key()},
                      "imported");
}

}  // namespace

Action declare_calendars_list(Arguments&) {
  return [](Session& session) {
    return list(session, {.path = "/api/calendars",
                          .query = {},
                          .collection = "calendars",
                          .cursor = {},
                          .limit = {},
                          .wants_all = true,
                          .print = &print_calendars});
  };
}

Action declare_calendars_get(Arguments& arguments) {
  auto name = std::make_unique<std::string>();
  arguments.required(kCalendarName, *name);
  return [name = std::move(name)](Session& session) {
    return get_named(session, path_of_calendar(*name));
  };
}

Action declare_calendars_put(Arguments& arguments) {
  auto flags = std::make_unique<FileFlags>();
  arguments.required(kCalendarName, flags->name);
  arguments.required({"FILE", "the calendar as JSON, - for stdin"}, flags->file);
  return [flags = std::move(flags)](Session& session) { return put(session, *flags); };
}

Action declare_calendars_import(Arguments& arguments) {
  auto flags = std::make_unique<FileFlags>();
  arguments.required(kCalendarName, flags->name);
  arguments.required({"FILE", "an iCalendar file (.ics), - for stdin"}, flags->file);
  return [flags = std::move(flags)](Session& session) { return import(session, *flags); };
}

Action declare_calendars_delete(Arguments& arguments) {
  auto name = std::make_unique<std::string>();
  arguments.required(kCalendarName, *name);
  return [name = std::move(name)](Session& session) {
    return change_named(session, {.method = "DELETE", .path = path_of_calendar(*name)}, "deleted");
  };
}

}  // namespace chronos::cli
