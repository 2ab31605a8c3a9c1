// Calendars: put, delete, and who names them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/memory_tables.h"

namespace chronos::store::memory {
namespace {

bool is_active_user(const StoredJob& stored, const Calendar& calendar) {
  const auto& names = stored.job.spec->schedule.calendars;
  return stored.job.project == calendar.project && stored.job.phase == JobPhase::active &&
         std::ranges::find(names, calendar.name) != names.end();
}

// The planner looks again at the planned runs of the jobs that name it.
void wake_users(Tables& tables, const Calendar& calendar, Timestamp now) {
  for (const auto& [_, stored] : tables.jobs) {
    if (!is_active_user(stored, calendar)) continue;
    for (const auto id : std::set<RunId>(stored.live)) {
      const auto& run = tables.live_runs.at(id);
      if (run.place != Place::due || !run.needs_planning || run.at <= now) continue;
      auto woken = take(tables, id);
      woken.at = now;
      insert(tables, std::move(woken));
    }
  }
}

}  // namespace

Result<CalendarAnswer> apply(Tables& tables, const PutCalendar& change) {
  CHRONOS_TRY(const auto replay, find_replay<CalendarName>(tables, change.idempotency));
  if (replay) {
    const auto made = tables.calendars.find(*replay);
    if (made != tables.calendars.end()) return CalendarAnswer{made->second, false, true};
  }
  auto calendar = change.calendar;
  const CalendarName key{calendar.project, calendar.name};
  const auto found = tables.calendars.find(key);
  const bool is_new = found == tables.calendars.end();
  const auto version = is_new ? 0 : found->second.version;
  if (change.expected_version && *change.expected_version != version)
    return changed_meanwhile("calendar");
  const bool is_same = !is_new && encode_calendar(found->second) == encode_calendar(calendar);
  if (!is_new && change.must_be_new) {
    if (is_same && found->second.created_at == calendar.created_at) {
      return CalendarAnswer{found->second, true, true};
    }
    return fail(Reason::key_taken, "another calendar has the name '" + calendar.name + "'");
  }
  if (!is_same) {
    calendar.version = version + 1;
    if (!is_new) calendar.created_at = found->second.created_at;
    tables.calendars.insert_or_assign(key, calendar);
    wake_users(tables, calendar, change.now);
  }
  remember(tables, change.idempotency, key);
  return CalendarAnswer{tables.calendars.at(key), is_new, false};
}

Result<CalendarAnswer> apply(Tables& tables, const DeleteCalendar& change) {
  const auto found = tables.calendars.find({change.project, change.name});
  if (found == tables.calendars.end()) return fail(Reason::not_found, "no calendar has this name");
  const auto calendar = found->second;
  if (change.expected_version && *change.expected_version != calendar.version) {
    return changed_meanwhile("calendar");
  }
  std::vector<CalendarUser> users;
  for (const auto& [id, stored] : tables.jobs) {
    if (is_active_user(stored, calendar)) users.push_back({id, stored.job.spec->name});
  }
  if (!users.empty()) return calendar_in_use(change.name, users);
  tables.calendars.erase(found);
  return CalendarAnswer{calendar};
}

std::vector<CalendarVersion> calendars_of(const Tables& tables, const Job& job) {
  std::vector<CalendarVersion> versions;
  for (const auto& name : job.spec->schedule.calendars) {
    const auto found = tables.calendars.find({job.project, name});
    if (found != tables.calendars.end()) versions.push_back({name, found->second.version});
  }
  return versions;
}

}  // namespace chronos::store::memory
