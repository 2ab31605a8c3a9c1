#include "schedule/icalendar.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace chronos::schedule {
namespace {

using namespace std::chrono_literals;

std::string file(std::string_view body) {
  return fmt::format("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{}END:VCALENDAR\r\n", body);
}

std::string event(std::string_view lines) {
  return file(fmt::format("BEGIN:VEVENT\r\n{}END:VEVENT\r\n", lines));
}

CalendarEvent read_one(std::string_view lines) {
  const auto events = parse_icalendar(event(lines));
  EXPECT_TRUE(events) << events.error().message;
  EXPECT_EQ(events->size(), 1U);
  return events->front();
}

TEST(ICalendar, WholeDaysAndTimes) {
  EXPECT_EQ(read_one("SUMMARY:Christmas\\, both days\r\nDTSTART;VALUE=DATE:20261225\r\n"
                     "DTEND;VALUE=DATE:20261227\r\n"),
            (CalendarEvent{.summary = "Christmas, both days",
                           .start = "2026-12-25",
                           .timezone = {},
                           .duration = 48h}));
  EXPECT_EQ(read_one("DTSTART;VALUE=DATE:20261225\r\n").duration, 24h);
  EXPECT_EQ(
      read_one("DTSTART:20261225T090000Z\r\nDURATION:PT1H30M\r\n"),
      (CalendarEvent{
          .summary = {}, .start = "2026-12-25T09:00:00", .timezone = "UTC", .duration = 90min}));
  EXPECT_EQ(read_one("DTSTART;TZID=\"Europe/Berlin\":20261225T090000\r\n"
                     "DTEND;TZID=Europe/Berlin:20261225T100000\r\n"),
            (CalendarEvent{.summary = {},
                           .start = "2026-12-25T09:00:00",
                           .timezone = "Europe/Berlin",
                           .duration = 1h}));
  EXPECT_EQ(read_one("DTSTART:20261225T090000\r\nDTEND:20261225T100000\r\n").timezone, "");
  EXPECT_EQ(
      read_one("DTSTART;TZID=Europe/Berlin:20261225T090000\r\nDTEND:20261225T090000Z\r\n").duration,
      1h)
      << "an end in another zone";
}

TEST(ICalendar, RulesAndExceptions) {
  const auto read = read_one(
      "DTSTART;TZID=Europe/Berlin:20260105T090000\r\nDURATION:P1D\r\n"
      "RRULE:freq=weekly;byday=mo\r\nEXDATE;TZID=Europe/Berlin:20260112T090000,20260119T090000\r\n"
      "EXDATE:20260125T230000Z\r\n");
  EXPECT_EQ(read.repeat, "FREQ=WEEKLY;BYDAY=MO");
  EXPECT_EQ(read.except, (std::vector<std::string>{"2026-01-12", "2026-01-19", "2026-01-26"}));
}

TEST(ICalendar, FoldsBareNewlinesAndAByteOrderMark) {
  const auto events = parse_icalendar(
      "\xef\xbb\xbf"
      "BEGIN:VCALENDAR\n\nBEGIN:VEVENT\nSUMMARY:a\n  long\n\t name\nDTSTART:2026\n 1225\n"
      "END:VEVENT\nEND:VCALENDAR");
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(events->front().summary, "a long name");
  EXPECT_EQ(events->front().start, "2026-12-25");
}

TEST(ICalendar, WhatDoesNotBearOnTheTimeIsPassedOver) {
  const auto events = parse_icalendar(
      file("X-WR-CALNAME:Holidays\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\n"
           "DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"
           "END:VTIMEZONE\r\nBEGIN:VTODO\r\nDUE:20260101\r\nEND:VTODO\r\nBEGIN:VEVENT\r\n"
           "TRANSP:TRANSPARENT\r\nDESCRIPTION:x;y:z\r\nDTSTART;VALUE=DATE:20261225\r\n"
           "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nDURATION:PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
           "BEGIN:VEVENT\r\nSTATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20261226\r\nEND:VEVENT\r\n"));
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(events->front().start, "2026-12-25");
}

TEST(ICalendar, WhatIsReadCanBeCompiled) {
  const auto events =
      parse_icalendar(event("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY\r\n"));
  EXPECT_TRUE(Calendar::compile({.events = *events}));
}

TEST(ICalendar, AFaultHasItsLine) {
  struct Row {
    std::string text;
    std::string_view message;
  };
  for (const auto& row : {
           Row{"", "line 1: there is no calendar"},
           Row{"hello", "line 1: has no ':'"},
           Row{"a:b", "line 1: stands outside a VCALENDAR"},
           Row{"BEGIN:VEVENT\r\n", "line 1: BEGIN:VEVENT does not belong here"},
           Row{"BEGIN:VCALENDAR\r\n", "line 1: the file ends within VCALENDAR"},
           Row{"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", "line 2: expected END:VCALENDAR"},
           Row{event("SUMMARY:x\r\n"), "line 3: the event has no DTSTART"},
           Row{event("DTSTART:soon\r\n"), "line 4: DTSTART is not a time: 'soon'"},
           Row{event("DTSTART:20261225\r\nDTSTART:20261226\r\n"),
               "line 5: DTSTART is there twice in one event"},
           Row{event("DTSTART:20261225T090000\r\n"),
               "line 4: an event at a time needs DTEND or DURATION: it takes no time"},
           Row{event("DTSTART;TZID=W. Europe Standard Time:20261225T090000\r\nDURATION:PT1H\r\n"),
               "line 4: TZID 'W. Europe Standard Time' is no time zone"},
           Row{event("DTSTART:20261225\r\nDTEND:20261225\r\n"),
               "line 5: the event must end after it begins, within ten years"},
           Row{event("DTSTART:20261225\r\nDTEND:20261225T100000\r\n"),
               "line 5: of DTSTART and DTEND one is a date and the other a time"},
           Row{event("DTSTART:20261225\r\nDURATION:-PT1H\r\n"),
               "line 5: DURATION is not understood"},
           Row{event("DTSTART:20261225\r\nRRULE:FREQ=YEARLY;BYSETPOS=1\r\n"),
               "line 5: RRULE: 'BYSETPOS=1' is not understood"},
           Row{event("DTSTART:20261225\r\nRDATE:20261231\r\n"), "line 5: RDATE is not supported"},
           Row{event("DTSTART:20261225\r\nRECURRENCE-ID:20261231\r\n"),
               "line 5: RECURRENCE-ID is not supported"},
           Row{event("DTSTART:20261225\r\nSUMMARY:a\r\n b\r\nEXDATE:x\r\n"),
               "line 7: EXDATE is not a time: 'x'"},
       }) {
    const auto events = parse_icalendar(row.text);
    ASSERT_FALSE(events) << row.text;
    EXPECT_EQ(events.error().message, row.message);
    EXPECT_EQ(events.error().fields.front().code, "bad_icalendar");
    EXPECT_EQ(events.error().fields.front().pointer, "");
  }
}

TEST(ICalendar, ALongSummaryIsCutBetweenCharacters) {
  std::string summary;
  for (int i = 0; i < 150; ++i) summary += "ü";
  const auto kept = read_one("DTSTART:20261225\r\nSUMMARY:x" + summary + "\r\n").summary;
  EXPECT_EQ(kept.size(), 199U);
  EXPECT_TRUE(kept.ends_with("ü"));
}

}  // namespace
}  // namespace chronos::schedule
