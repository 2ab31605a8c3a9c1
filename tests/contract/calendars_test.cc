// /api/calendars, and jobs that keep to them.
#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

constexpr std::string_view kChristmas =
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Christmas\r\nDTSTART;VALUE=DATE:20261225\r\n"
    "DTEND;VALUE=DATE:20261227\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

class CalendarsApi : public ApiTest {
 protected:
  Answered import(std::string_view name, std::string_view file,
                  std::string type = "text/calendar; charset=utf-8") {
    return post("/api/calendars/" + std::string(name) + "/import", std::string(file),
                {{"Content-Type", std::move(type)}});
  }
};

TEST_F(CalendarsApi, CreateReadReplaceDelete) {
  const auto made = post("/api/calendars", R"({"name": "holidays", "dates": ["12-25"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.header("Location"), "/api/calendars/holidays");
  EXPECT_EQ(made.header("ETag"), "\"v1\"");
  EXPECT_EQ(made.text("/kind"), "blackout");
  EXPECT_EQ(get("/api/calendars/holidays").body, made.body);
  EXPECT_EQ(post("/api/calendars", R"({"name": "holidays"})").code(), "key_taken");
  EXPECT_EQ(post("/api/calendars", R"({})").text("/errors/0/pointer"), "/name");

  const auto replaced =
      put("/api/calendars/holidays", R"({"dates": ["12-26"]})", {{"If-Match", "\"v1\""}});
  EXPECT_EQ(replaced.status, 200);
  EXPECT_EQ(replaced.header("ETag"), "\"v2\"");
  EXPECT_EQ(put("/api/calendars/holidays", R"({"dates": ["12-26"]})").header("ETag"), "\"v2\"")
      << "the same again changes nothing";
  EXPECT_EQ(put("/api/calendars/holidays", "{}", {{"If-Match", "\"v1\""}}).status, 412);
  EXPECT_EQ(put("/api/calendars/other", R"({"name": "x"})").text("/errors/0/code"),
            "conflicting_name");
  EXPECT_EQ(put("/api/calendars/a%20b", "{}").text("/errors/0/code"), "bad_slug");
  EXPECT_EQ(put("/api/calendars/ahead", "{}").status, 201);
  const auto list = get("/api/calendars");
  EXPECT_EQ(list.text("/calendars/0/name"), "ahead");
  EXPECT_EQ(list.text("/calendars/1/name"), "holidays");

  EXPECT_EQ(remove("/api/calendars/holidays").status, 200);
  EXPECT_EQ(get("/api/calendars/holidays").status, 404);
  EXPECT_EQ(remove("/api/calendars/holidays").status, 404);
}

TEST_F(CalendarsApi, WhatIsReadCanBeSentBack) {
  import("holidays", kChristmas);
  const auto read = get("/api/calendars/holidays");
  const auto whole = json::parse(read.body);
  std::string declared = "{";
  for (const auto* name : {"kind", "timezone", "dates", "weekly", "events", "note"}) {
    declared += std::string(declared.size() > 1 ? "," : "") + "\"" + name +
                "\":" + std::string(whole->root().find(name)->raw);
  }
  const auto sent = put("/api/calendars/holidays", declared + "}");
  EXPECT_EQ(sent.body, read.body);
}

TEST_F(CalendarsApi, AnICalendarFileReplacesTheEvents) {
  const auto made = import("holidays", kChristmas);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.text("/kind"), "blackout");
  EXPECT_EQ(made.text("/events/0/summary"), "Christmas");
  EXPECT_EQ(made.text("/events/0/start"), "2026-12-25");
  EXPECT_EQ(made.text("/events/0/duration"), "2d");
  EXPECT_EQ(made.text("/events/0/repeat"), "FREQ=YEARLY");

  put("/api/calendars/hours",
      R"({"kind": "business", "weekly": [{"days": ["MON-FRI"]}], "note": "kept"})");
  const auto filled = import("hours", kChristmas);
  EXPECT_EQ(filled.status, 200);
  EXPECT_EQ(filled.text("/kind"), "business");
  EXPECT_EQ(filled.text("/note"), "kept");
  EXPECT_EQ(filled.at("/events").elements.size(), 1U);

  const auto broken = import("hours",
                             "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:soon\r\n"
                             "END:VEVENT\r\nEND:VCALENDAR\r\n");
  EXPECT_EQ(broken.status, 422);
  EXPECT_EQ(broken.text("/errors/0/code"), "bad_icalendar");
  EXPECT_EQ(broken.text("/errors/0/detail"), "line 3: DTSTART is not a time: 'soon'");
  EXPECT_EQ(import("hours", kChristmas, "application/json").status, 415);
}

TEST_F(CalendarsApi, AViewerReadsAndAnOperatorWrites) {
  const auto ask = [&](http::Method method, std::string target, std::string body, Role role) {
    return send({method,
                 std::move(target),
                 std::move(body),
                 key_of(role),
                 {{"Content-Type", "application/json"}}})
        .status;
  };
  EXPECT_EQ(ask(http::Method::put, "/api/calendars/a", "{}", Role::submitter), 403);
  EXPECT_EQ(ask(http::Method::put, "/api/calendars/a", "{}", Role::operator_), 201);
  EXPECT_EQ(ask(http::Method::get, "/api/calendars/a", {}, Role::viewer), 200);
  EXPECT_EQ(get("/api/calendars/a", other_key_).status, 404) << "another project's";
}

TEST_F(CalendarsApi, AJobKeepsToItsCalendars) {
  const auto unknown =
      post("/api/submitJob", job_body(R"("cron": "0 0 * * *", "calendars": ["holidays"])"));
  EXPECT_EQ(unknown.status, 422);
  EXPECT_EQ(unknown.text("/errors/0/pointer"), "/calendars/0");
  EXPECT_EQ(unknown.text("/errors/0/code"), "unknown_calendar");

  put("/api/calendars/holidays", R"({"dates": ["2026-03-03/2026-03-05"]})");
  const auto id = make_job(R"("key": "k", "cron": "0 0 * * *", "calendars": ["holidays"])");
  const auto job = get("/api/jobs/" + id);
  EXPECT_EQ(job.text("/calendars/0"), "holidays");
  EXPECT_EQ(job.text("/next_run_at"), "2026-03-06T00:00:00.000Z");

  const auto in_use = remove("/api/calendars/holidays");
  EXPECT_EQ(in_use.status, 409);
  EXPECT_NE(in_use.text("/detail").find(id), std::string::npos);

  const auto changed = patch("/api/jobs/" + id, R"({"calendars": []})");
  EXPECT_EQ(changed.text("/next_run_at"), "2026-03-03T00:00:00.000Z");
  EXPECT_EQ(remove("/api/calendars/holidays").status, 200);
  EXPECT_EQ(patch("/api/jobs/" + id, R"({"calendars": ["holidays"]})").text("/errors/0/pointer"),
            "/calendars/0");
}

TEST_F(CalendarsApi, AScheduleWithNothingOpenIsWarnedOf) {
  put("/api/calendars/never", R"({"weekly": [{}]})");
  const auto job =
      post("/api/submitJob", job_body(R"("cron": "* * * * *", "calendars": ["never"])"));
  ASSERT_EQ(job.status, 201) << job.body;
  EXPECT_EQ(job.text("/warnings/0/code"), "nothing_open");
  EXPECT_EQ(job.text("/warnings/0/pointer"), "/calendars");
}

TEST_F(CalendarsApi, CalendarsAreForRecurringJobs) {
  put("/api/calendars/a", "{}");
  const auto once =
      post("/api/submitJob",
           job_body(R"("scheduled_time": "2026-04-01T00:00:00Z", "calendars": ["a"])"));
  EXPECT_EQ(once.text("/errors/0/pointer"), "/calendars");
  EXPECT_EQ(post("/api/submitJob", job_body(R"("calendars": [])")).status, 201);
  EXPECT_EQ(post("/api/submitJob", job_body(R"("cron": "@daily", "calendars": ["a", "a"])"))
                .text("/errors/0/pointer"),
            "/calendars/1");
}

TEST_F(CalendarsApi, ThePreviewShowsWhatIsExcludedAndWhy) {
  put("/api/calendars/holidays", R"({"dates": ["2026-03-04"]})");
  const auto preview =
      get("/api/schedule/preview?cron=0%20*/12%20*%20*%20*&calendars=holidays&count=3");
  ASSERT_EQ(preview.status, 200) << preview.body;
  EXPECT_EQ(preview.text("/next/0/at"), "2026-03-03T00:00:00.000Z");
  EXPECT_EQ(preview.text("/next/1/at"), "2026-03-03T12:00:00.000Z");
  EXPECT_EQ(preview.text("/next/2/at"), "2026-03-05T00:00:00.000Z");
  EXPECT_EQ(preview.text("/excluded/0/calendar"), "holidays");
  EXPECT_EQ(preview.text("/excluded/0/from/at"), "2026-03-04T00:00:00.000Z");
  EXPECT_EQ(preview.text("/excluded/0/through/at"), "2026-03-04T12:00:00.000Z");
  EXPECT_EQ(get("/api/schedule/preview?every=1h&calendars=x").text("/errors/0/code"),
            "unknown_calendar");
}

}  // namespace
}  // namespace chronos::contract
