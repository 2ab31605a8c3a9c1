// iCalendar files (RFC 5545) as events of a calendar. For POST /api/calendars/:name/import. Pure;
// thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "schedule/calendar.h"

namespace chronos::schedule {

// The events (VEVENT) of a file, in its order: DTSTART with DTEND or DURATION, whole days or times,
// TZID, RRULE (repeat_rule.h), EXDATE, SUMMARY. A cancelled event is left out. What does not bear
// on when an event takes place is passed over: descriptions, alarms, TRANSP, VTIMEZONE (a TZID is
// the name of a zone of the tz database), to-dos, X- properties…
//
// Whatever else stands in an event and would change when it takes place is refused rather than
// misread: RDATE, RECURRENCE-ID, RULE parts that are not known, a TZID that names no zone. Fails
// with a field error, pointer "", code "bad_icalendar", whose message begins with "line 12: ".
Result<std::vector<CalendarEvent>> parse_icalendar(std::string_view text);

}  // namespace chronos::schedule
