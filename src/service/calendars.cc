#include "service/calendars.h"

#include <utility>

#include "base/fields.h"
#include "schedule/icalendar.h"

namespace chronos::service {
namespace {

constexpr int kCalendarEditTries = 5;  // when others change the calendar at the same time

}  // namespace

store::PutCalendar Calendars::put_change(Calendar calendar, const Principal& who,
                                         const RequestFacts& facts) const {
  const auto now = clock_.now();
  store::PutCalendar change;
  calendar.project = who.project;
  calendar.created_at = calendar.updated_at = now;
  change.calendar = std::move(calendar);
  change.expected_version = facts.if_version;
  change.now = now;
  change.idempotency = idempotency_of(who, facts, now);
  change.by = author_of(who, ids_, now, "calendar.update");
  return change;
}

void Calendars::create(const Principal& who, const json::Value& body, const RequestFacts& facts,
                       Done<CalendarReply> done) {
  Calendar calendar;
  auto read = read_calendar(body, calendar);
  if (read && calendar.name.empty()) read = fail_field("/name", "required", "is required");
  if (!read) return done(std::unexpected(std::move(read).error()));
  auto change = put_change(std::move(calendar), who, facts);
  change.must_be_new = true;
  store_.commit(std::move(change), std::move(done));
}

void Calendars::put(const Principal& who, const std::string& name, const json::Value& body,
                    const RequestFacts& facts, Done<CalendarReply> done) {
  Calendar calendar;
  auto read = fields::check_name("the calendar", name);
  if (read) read = read_calendar(body, calendar);
  if (read && !calendar.name.empty() && calendar.name != name) {
    read = fail_field("/name", "conflicting_name", "differs from the name in the path");
  }
  if (!read) return done(std::unexpected(std::move(read).error()));
  calendar.name = name;
  store_.commit(put_change(std::move(calendar), who, facts), std::move(done));
}

void Calendars::import(const Principal& who, const std::string& name, std::string_view file,
                       const RequestFacts& facts, Done<CalendarReply> done) {
  if (auto good = fields::check_name("the calendar", name); !good)
    return done(std::unexpected(std::move(good).error()));
  auto events = schedule::parse_icalendar(file);
  if (!events) return done(std::unexpected(std::move(events).error()));
  set_events({who, name, std::move(*events), facts}, kCalendarEditTries, std::move(done));
}

// Reads, edits and commits; again when somebody else was faster (and no version was asked for).
void Calendars::set_events(Edit edit, int tries_left, Done<CalendarReply> done) {
  const auto stored = store_.find_calendar(edit.who.project, edit.name);
  if (!stored && stored.error().reason != Reason::not_found) {
    return done(std::unexpected(stored.error()));
  }
  Calendar calendar;
  if (stored) calendar = *stored;
  calendar.name = edit.name;
  calendar.spec.events = edit.events;
  if (const auto good = schedule::Calendar::compile(calendar.spec); !good) {
    return done(std::unexpected(good.error()));
  }
  auto change = put_change(std::move(calendar), edit.who, edit.facts);
  if (!change.expected_version && stored) change.expected_version = stored->version;
  if (!stored) change.must_be_new = !change.expected_version;
  store_.commit(std::move(change), [this, edit = std::move(edit), tries_left,
                                    done = std::move(done)](Result<CalendarReply> reply) mutable {
    const bool is_race = !reply && !edit.facts.if_version &&
                         (reply.error().reason == Reason::version_mismatch ||
                          reply.error().reason == Reason::key_taken);
    if (!is_race) return done(std::move(reply));
    if (tries_left == 0) {
      return done(
          fail(Reason::state_conflict, "others change the calendar all the time: try again"));
    }
    set_events(std::move(edit), tries_left - 1, std::move(done));
  });
}

void Calendars::remove(const Principal& who, const std::string& name, const RequestFacts& facts,
                       Done<CalendarReply> done) {
  auto by = author_of(who, ids_, clock_.now(), "calendar.delete");
  store_.commit(store::DeleteCalendar{who.project, name, facts.if_version, std::move(by)},
                std::move(done));
}

Result<Calendar> Calendars::find(const Principal& who, const std::string& name) const {
  return store_.find_calendar(who.project, name);
}

Result<std::vector<Calendar>> Calendars::list(const Principal& who) const {
  return store_.list_calendars(who.project);
}

Result<schedule::CalendarSet> load_calendars(const store::Store& store, ProjectId project,
                                             const std::vector<std::string>& names) {
  schedule::CalendarSet set;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto stored = store.find_calendar(project, names[i]);
    if (!stored && stored.error().reason == Reason::not_found) return unknown_calendar(i, names[i]);
    if (!stored) return std::unexpected(stored.error());
    CHRONOS_TRY(auto calendar, schedule::Calendar::compile(stored->spec));
    set.add(names[i], std::move(calendar));
  }
  return set;
}

}  // namespace chronos::service
