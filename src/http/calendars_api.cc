// Calendars over HTTP.
#include <fmt/format.h>

#include <utility>

#include "http/routes.h"
#include "model/calendar.h"

namespace chronos::http {
namespace {

Response calendar_response(int status, const Calendar& calendar) {
  std::string body;
  json::Writer writer(body);
  write_calendar(writer, calendar);
  auto response = json_response(status, std::move(body));
  response.headers.push_back({"ETag", fmt::format("\"v{}\"", calendar.version)});
  if (status == 201) response.headers.push_back({"Location", "/api/calendars/" + calendar.name});
  return response;
}

service::Done<service::CalendarReply> answer_calendar(Ending& end) {
  return std::move(end).then<service::CalendarReply>(
      [](const service::CalendarReply& reply, const service::Principal&) {
        return with_replay(calendar_response(reply.is_new ? 201 : 200, reply.calendar),
                           reply.is_replay);
      });
}

// What was made is answered as made, a repetition too.
service::Done<service::CalendarReply> answer_new_calendar(Ending& end) {
  return std::move(end).then<service::CalendarReply>(
      [](const service::CalendarReply& reply, const service::Principal&) {
        return with_replay(calendar_response(201, reply.calendar), reply.is_replay);
      });
}

}  // namespace

Result<Response> list_calendars(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto calendars, call.api().calendars.list(call.who()));
  std::string body;
  json::Writer writer(body);
  writer.begin_object().key("calendars").begin_array();
  for (const Calendar& calendar : calendars) write_calendar(writer, calendar);
  writer.end_array().key("next").null().end_object();
  return json_response(200, std::move(body));
}

Result<Response> get_calendar(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  const std::string name(call.path_param("calendar"));
  CHRONOS_TRY(const auto calendar, call.api().calendars.find(call.who(), name));
  return calendar_response(200, calendar);
}

Result<void> create_calendar(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  call.api().calendars.create(call.who(), body.root(), facts, answer_new_calendar(end));
  return {};
}

Result<void> put_calendar(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto body, call.body());
  const std::string name(call.path_param("calendar"));
  call.api().calendars.put(call.who(), name, body.root(), facts, answer_calendar(end));
  return {};
}

Result<void> import_calendar(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY(const auto type, call.media_type());
  if (type != "text/calendar") {
    return fail(Reason::unsupported_media_type, "the body must be an iCalendar file",
                "send the header 'Content-Type: text/calendar'");
  }
  const std::string name(call.path_param("calendar"));
  call.api().calendars.import(call.who(), name, call.request().body, facts, answer_calendar(end));
  return {};
}

Result<void> delete_calendar(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY(const auto facts, call.facts());
  CHRONOS_TRY_VOID(call.expect_no_body());
  const std::string name(call.path_param("calendar"));
  call.api().calendars.remove(call.who(), name, facts, answer_calendar(end));
  return {};
}

}  // namespace chronos::http
