// Calendars: put, delete, and who names them.
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/idempotency.h"
#include "store/sql/live.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

#define CHRONOS_CALENDAR_COLUMNS "project, name, declared, version, created_at, updated_at"

constexpr Sql kFindCalendar{"SELECT " CHRONOS_CALENDAR_COLUMNS
                            " FROM calendars WHERE project = $1 AND name = $2"};
constexpr Sql kListCalendars{"SELECT " CHRONOS_CALENDAR_COLUMNS
                             " FROM calendars WHERE project = $1 ORDER BY name"};
constexpr Sql kVersion{"SELECT version FROM calendars WHERE project = $1 AND name = $2"};
constexpr Sql kPutCalendar{
    "INSERT INTO calendars (" CHRONOS_CALENDAR_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project, name) DO UPDATE SET"
    " declared = excluded.declared, version = excluded.version,"
    " updated_at = excluded.updated_at"};
constexpr Sql kDeleteCalendar{"DELETE FROM calendars WHERE project = $1 AND name = $2"};
constexpr Sql kUsers{
    "SELECT DISTINCT c.job, j.name FROM job_calendars c"
    " JOIN jobs j ON j.project = c.project AND j.id = c.job"
    " WHERE c.project = $1 AND c.calendar = $2 AND j.phase = 'active' ORDER BY c.job"};
constexpr Sql kCalendarsOfJob{
    "SELECT c.calendar, v.version FROM job_calendars c"
    " JOIN calendars v ON v.project = c.project AND v.name = c.calendar"
    " WHERE c.project = $1 AND c.job = $2 ORDER BY c.place"};
constexpr Sql kNameOfJob{
    "INSERT INTO job_calendars (project, job, place, calendar) VALUES ($1, $2, $3, $4)"};
constexpr Sql kForgetJob{"DELETE FROM job_calendars WHERE project = $1 AND job = $2"};

Result<Calendar> read_calendar_row(Columns& columns) {
  Calendar calendar;
  calendar.project = columns.get<ProjectId>();
  calendar.name = columns.get<std::string>();
  const auto declared = columns.get<std::string_view>();
  CHRONOS_TRY_VOID(decode_calendar(declared, calendar));
  calendar.version = columns.get<std::int64_t>();
  calendar.created_at = columns.get<Timestamp>();
  calendar.updated_at = columns.get<Timestamp>();
  return calendar;
}

Result<std::optional<Calendar>> stored_calendar(Connection& db, ProjectId project,
                                                const std::string& name) {
  CHRONOS_TRY(auto row, db.one(kFindCalendar, read_calendar_row, project, name));
  if (!row) return std::nullopt;
  CHRONOS_TRY(auto calendar, std::move(*row));
  return calendar;
}

Result<std::vector<CalendarUser>> active_users(Connection& db, ProjectId project,
                                               const std::string& name) {
  const auto read = [](Columns& columns) {
    return CalendarUser{columns.get<JobId>(), columns.get<std::string>()};
  };
  return db.all(kUsers, read, project, name);
}

// The planner looks again at the planned runs of the jobs that name it.
Result<void> wake_users(Writer& writer, const Calendar& calendar, Timestamp now) {
  CHRONOS_TRY(const auto users, active_users(writer.db, calendar.project, calendar.name));
  for (const auto& user : users) {
    CHRONOS_TRY(const auto runs, live_of_job(writer.db, user.job));
    for (auto run : runs) {
      if (!run.is_untried() || !run.needs_planning || run.at <= now) continue;
      CHRONOS_TRY_VOID(leave_place(writer, run));
      run.at = now;
      CHRONOS_TRY_VOID(wait_again(writer, run));
    }
  }
  return {};
}

std::unexpected<Error> no_calendar() {
  return fail(Reason::not_found, "no calendar has this name");
}

}  // namespace

Result<CalendarAnswer> apply(Writer& writer, const PutCalendar& change) {
  auto& db = writer.db;
  auto calendar = change.calendar;
  CHRONOS_TRY(const auto made, find_made(db, change.idempotency, Made::calendar));
  if (made) {
    CHRONOS_TRY(auto known, stored_calendar(db, made->project, made->name.value_or("")));
    if (known) return CalendarAnswer{std::move(*known), false, true};
  }
  CHRONOS_TRY(const auto stored, stored_calendar(db, calendar.project, calendar.name));
  const auto version = stored ? stored->version : 0;
  if (change.expected_version && *change.expected_version != version)
    return changed_meanwhile("calendar");
  const bool is_same = stored && encode_calendar(*stored) == encode_calendar(calendar);
  if (stored && change.must_be_new) {
    if (is_same && stored->created_at == calendar.created_at) {
      return CalendarAnswer{*stored, true, true};
    }
    return fail(Reason::key_taken, "another calendar has the name '" + calendar.name + "'");
  }
  if (is_same) {
    calendar = *stored;
  } else {
    calendar.version = version + 1;
    if (stored) calendar.created_at = stored->created_at;
    CHRONOS_TRY_VOID(db.post(kPutCalendar, calendar.project, calendar.name,
                             encode_calendar(calendar), calendar.version, calendar.created_at,
                             calendar.updated_at));
    CHRONOS_TRY_VOID(wake_users(writer, calendar, change.now));
  }
  CHRONOS_TRY_VOID(remember(db, change.idempotency,
                            {Made::calendar, calendar.project, {}, {}, {}, calendar.name}));
  return CalendarAnswer{std::move(calendar), !stored, false};
}

Result<CalendarAnswer> apply(Writer& writer, const DeleteCalendar& change) {
  auto& db = writer.db;
  CHRONOS_TRY(auto calendar, stored_calendar(db, change.project, change.name));
  if (!calendar) return no_calendar();
  if (change.expected_version && *change.expected_version != calendar->version) {
    return changed_meanwhile("calendar");
  }
  CHRONOS_TRY(const auto users, active_users(db, change.project, change.name));
  if (!users.empty()) return calendar_in_use(change.name, users);
  CHRONOS_TRY_VOID(db.post(kDeleteCalendar, change.project, change.name));
  return CalendarAnswer{std::move(*calendar)};
}

Result<void> check_calendars(Connection& db, const Job& job) {
  const auto& names = job.spec->schedule.calendars;
  for (std::size_t i = 0; i < names.size(); ++i) {
    CHRONOS_TRY(const auto version, db.one(kVersion, column<std::int64_t>, job.project, names[i]));
    if (!version) return unknown_calendar(i, names[i]);
  }
  return {};
}

Result<void> put_calendar_names(Connection& db, const Job& job, bool is_new) {
  if (!is_new) CHRONOS_TRY_VOID(db.post(kForgetJob, job.project, job.id));
  int place = 0;
  for (const auto& name : job.spec->schedule.calendars) {
    CHRONOS_TRY_VOID(db.post(kNameOfJob, job.project, job.id, place++, name));
  }
  return {};
}

Result<bool> are_current(Connection& db, ProjectId project,
                         const std::vector<CalendarVersion>& calendars) {
  for (const auto& seen : calendars) {
    CHRONOS_TRY(const auto version, db.one(kVersion, column<std::int64_t>, project, seen.name));
    if (version != seen.version) return false;
  }
  return true;
}

Result<std::vector<CalendarVersion>> calendars_of(Connection& db, const Job& job) {
  if (job.spec->schedule.calendars.empty()) return std::vector<CalendarVersion>();
  const auto read = [](Columns& columns) {
    return CalendarVersion{columns.get<std::string>(), columns.get<std::int64_t>()};
  };
  return db.all(kCalendarsOfJob, read, job.project, job.id);
}

Result<Calendar> find_calendar(Reader reader, ProjectId project, const std::string& name) {
  CHRONOS_TRY(auto calendar, stored_calendar(reader.db, project, name));
  if (!calendar) return no_calendar();
  return std::move(*calendar);
}

Result<std::vector<Calendar>> list_calendars(Reader reader, ProjectId project) {
  CHRONOS_TRY(auto rows, reader.db.all(kListCalendars, read_calendar_row, project));
  std::vector<Calendar> calendars;
  for (auto& row : rows) {
    CHRONOS_TRY(auto calendar, std::move(row));
    calendars.push_back(std::move(calendar));
  }
  return calendars;
}

}  // namespace chronos::store::sql
