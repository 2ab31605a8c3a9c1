#include "model/calendar.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

using namespace std::chrono_literals;

Result<Calendar> read(std::string_view text) {
  const auto document = json::parse(text);
  Calendar calendar;
  if (auto good = read_calendar(document->root(), calendar); !good) {
    return std::unexpected(std::move(good).error());
  }
  return calendar;
}

constexpr std::string_view kFull = R"({"name": "holidays", "kind": "business",
  "timezone": "Europe/Berlin", "dates": ["2026-12-24/2027-01-01", "05-01"],
  "weekly": [{"days": ["MON-FRI"], "from": "09:00", "to": "17:00"}, {}],
  "events": [{"summary": "x", "start": "2026-12-24T09:00:00", "timezone": "UTC", "duration": "2h",
              "repeat": "FREQ=YEARLY", "except": ["2027-12-24"]}, {"start": "2026-12-31"}],
  "note": "of the office"})";

TEST(Calendar, EveryFieldIsReadAndKept) {
  const auto calendar = read(kFull);
  ASSERT_TRUE(calendar) << calendar.error().message;
  EXPECT_EQ(calendar->name, "holidays");
  EXPECT_EQ(calendar->note, "of the office");
  const auto& spec = calendar->spec;
  EXPECT_EQ(spec.kind, schedule::CalendarKind::business);
  EXPECT_EQ(spec.timezone, "Europe/Berlin");
  EXPECT_EQ(spec.dates, (std::vector<std::string>{"2026-12-24/2027-01-01", "05-01"}));
  EXPECT_EQ(spec.weekly[0], (schedule::WeeklyWindow{{"MON-FRI"}, "09:00", "17:00"}));
  EXPECT_EQ(spec.weekly[1], schedule::WeeklyWindow{});
  EXPECT_EQ(spec.events[0],
            (schedule::CalendarEvent{
                "x", "2026-12-24T09:00:00", "UTC", 2h, "FREQ=YEARLY", {"2027-12-24"}}));
  EXPECT_EQ(spec.events[1].duration, 24h);

  Calendar kept;
  ASSERT_TRUE(decode_calendar(encode_calendar(*calendar), kept));
  EXPECT_EQ(kept.spec, spec);
  EXPECT_EQ(kept.note, calendar->note);
}

TEST(Calendar, EveryBadFieldIsNamed) {
  struct Row {
    std::string_view text;
    std::string_view problem;
  };
  for (const auto& row : {
           Row{R"({"name": "a b"})", "/name bad_slug"},
           Row{R"({"kind": "holiday"})", "/kind unknown_value"},
           Row{R"({"timezone": "Mars"})", "/timezone unknown_timezone"},
           Row{R"({"dates": ["soon"]})", "/dates/0 bad_date"},
           Row{R"({"dates": "12-25"})", "/dates wrong_type"},
           Row{R"({"weekly": [{"day": "SAT"}]})", "/weekly/0/day unknown_field"},
           Row{R"({"weekly": [{"to": "17"}]})", "/weekly/0/to bad_time"},
           Row{R"({"events": [{"duration": "x"}]})", "/events/0/duration bad_duration"},
           Row{R"({"events": [{}]})", "/events/0/start bad_date"},
           Row{R"({"kind": "business"})", "/weekly required"},
           Row{R"({"date": []})", "/date unknown_field"},
           Row{R"([])", " wrong_type"},
       }) {
    const auto calendar = read(row.text);
    ASSERT_FALSE(calendar) << row.text;
    const auto& fault = calendar.error().fields.front();
    EXPECT_EQ(fault.pointer + " " + fault.code, row.problem);
  }
}

TEST(Calendar, WhoNamesItIsTold) {
  std::vector<CalendarUser> users(7, {JobId{}, "nightly"});
  const auto error = calendar_in_use("holidays", users).error();
  EXPECT_EQ(error.reason, Reason::state_conflict);
  EXPECT_NE(error.message.find("'nightly' (job_"), std::string::npos);
  EXPECT_TRUE(error.message.ends_with("and 2 more"));
}

}  // namespace
}  // namespace chronos
