// Logging in and out over HTTP, and who is logged in.
#include <fmt/format.h>

#include <utility>

#include "base/fields.h"
#include "http/routes.h"
#include "http/session_cookie.h"

namespace chronos::http {
namespace {

CookieRules cookie_rules(const Call& call) {
  const auto& site = call.api().site;
  return {.path = site.base_path.empty() ? "/" : site.base_path,
          .is_secure = call.request().is_tls || site.base_url.starts_with("https://")};
}

void write_principal(json::Writer& writer, const service::Principal& who) {
  writer.key("key").begin_object().member("id", who.key.to_string());
  writer.member("name", who.key_name).member("role", to_string(who.role)).end_object();
  writer.key("project").begin_object().member("id", who.project.to_string());
  writer.member("name", who.project_name).end_object();
}

Response session_response(const service::NewSession& session, const CookieRules& rules) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  write_principal(writer, session.who);
  writer.key("expires_at");
  fields::write_value(writer, session.expires_at);
  writer.end_object();
  auto response = json_response(200, std::move(body));
  response.headers.push_back(
      {"Set-Cookie", session_cookie(session.secret, service::kSessionLife, rules)});
  return response;
}

// Where people find the server, as far as the request tells.
std::string address_of(const Call& call) {
  const auto& site = call.api().site;
  if (!site.base_url.empty()) return site.base_url;
  const auto& request = call.request();
  return fmt::format("{}://{}{}", request.is_tls ? "https" : "http",
                     request.headers.find("Host").value_or("localhost"), site.base_path);
}

}  // namespace

std::string login_url(std::string_view address, std::string_view token) {
  while (address.ends_with('/')) address.remove_suffix(1);
  return fmt::format("{}/login#token={}", address, token);
}

// Another site's page must not log somebody in as somebody else either.
Result<void> log_in(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  if (origin_of(call.request(), call.api().site.base_url) == Origin::elsewhere) {
    return fail(Reason::cross_site, "this login comes from a page of another site");
  }
  CHRONOS_TRY(const auto body, call.body());
  auto answer = [end = std::move(end),
                 rules = cookie_rules(call)](Result<service::NewSession> begun) mutable {
    if (!begun) return end.refuse(begun.error());
    end.answer(session_response(*begun, rules));
  };
  call.api().sessions.log_in(body.root(), call.request().peer, std::move(answer));
  return {};
}

Result<void> log_out(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY_VOID(call.expect_no_body());
  // Of who came with a key the cookie was not judged: it is left alone.
  const auto& session = call.request().caller->session;
  if (session.empty()) {
    end.answer(json_response(204, {}));
    return {};
  }
  auto answer = [end = std::move(end),
                 rules = cookie_rules(call)](const Result<void>& ended) mutable {
    if (!ended) return end.refuse(ended.error());
    auto response = json_response(204, {});
    response.headers.push_back({"Set-Cookie", expired_session_cookie(rules)});
    end.answer(std::move(response));
  };
  call.api().sessions.log_out(session, std::move(answer));
  return {};
}

Result<void> make_login_link(const Call& call, Ending& end) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  CHRONOS_TRY_VOID(call.expect_no_body());
  call.api().sessions.make_link(
      call.who(),
      std::move(end).then<service::NewLink>(
          [address = address_of(call)](const service::NewLink& link, const service::Principal&) {
            std::string body;
            json::Writer writer(body);
            writer.begin_object().member("url", login_url(address, link.token));
            writer.member("token", link.token).key("expires_at");
            fields::write_value(writer, link.expires_at);
            writer.end_object();
            return json_response(201, std::move(body));
          }));
  return {};
}

Result<Response> get_me(const Call& call) {
  CHRONOS_TRY_VOID(call.expect_no_query());
  const auto& site = call.api().site;
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  write_principal(writer, call.who());
  writer.member("version", site.version).key("now");
  fields::write_value(writer, call.api().clock.now());
  writer.key("features").begin_array();
  for (const auto& feature : site.features) writer.string(feature);
  writer.end_array().end_object();
  return json_response(200, std::move(body));
}

}  // namespace chronos::http
