#include "http/auth.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "http/api.h"
#include "http/session_cookie.h"

namespace chronos::http {
namespace {

constexpr std::string_view kHowTo =
    "send the header 'Authorization: Bearer KEY'; the first key is in DATA_DIR/admin.key";

// Every key the head of a request names. A scheme we do not know is a key that opens nothing.
std::vector<std::string_view> keys_in(const RequestHead& head) {
  std::vector<std::string_view> keys;
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    const auto field = head.headers[i];
    if (equal_ignoring_case(field.name, "X-API-Key")) keys.push_back(field.value);
    if (!equal_ignoring_case(field.name, "Authorization")) continue;
    // RFC 9110 §11.1: the scheme's name in any case, then at least one space.
    constexpr std::string_view kScheme = "Bearer ";
    const bool is_bearer = equal_ignoring_case(field.value.substr(0, kScheme.size()), kScheme);
    auto key = is_bearer ? field.value.substr(kScheme.size()) : std::string_view();
    while (key.starts_with(' ')) key.remove_prefix(1);
    keys.push_back(key);
  }
  for (const Param& param : head.query) {
    if (param.name == "api_key") keys.push_back(param.value);
  }
  return keys;
}

// What the gate asks, and how the server is known outside.
struct Keeper {
  service::Access& access;
  service::Sessions& sessions;
  std::string base_url;
};

Admission admit(const Route& route, Result<service::Principal> principal,
                std::string_view session = {}) {
  if (!principal) return std::unexpected(std::move(principal).error());
  const auto needed = route.access.role<Role>();
  if (!allows(principal->role, needed)) {
    return fail(Reason::role_too_low, fmt::format("this needs a key of the role {}; yours is {}",
                                                  to_string(needed), to_string(principal->role)));
  }
  // Shared: the request keeps it, and so does its completion.
  return std::make_shared<const Caller>(Caller{std::move(*principal), std::string(session)});
}

Admission judge_session(const Keeper& keeper, const RequestHead& head, const Route& route,
                        std::string_view secret) {
  auto admission = admit(route, keeper.sessions.authenticate(secret), secret);
  if (!admission || is_safe(head.method)) return admission;
  if (origin_of(head, keeper.base_url) == Origin::own_page) return admission;
  return fail(Reason::cross_site,
              "a session changes nothing unless a page of this server asks for it",
              "programs send an API key instead of the cookie");
}

HeadVerdict judge_head(const Keeper& keeper, const RequestHead& head, const Route& route) {
  if (route.access.is_open()) return Admission(nullptr);
  const auto keys = keys_in(head);
  if (keys.empty()) {
    if (const auto session = find_session(head)) {
      return judge_session(keeper, head, route, *session);
    }
    if (route.access.is_key_in_body() && head.has_body()) return NeedsBody{};
    return Admission(fail(Reason::missing_key, "this needs an API key", std::string(kHowTo)));
  }
  for (const auto key : keys) {
    if (key == keys.front()) continue;
    return Admission(fail(Reason::invalid_key, "the request names two different keys"));
  }
  return admit(route, keeper.access.authenticate(keys.front()));
}

Admission judge_body(const Keeper& keeper, const Route& route, std::string_view body) {
  // What is wrong with the body is told to callers with a key only.
  const auto document = json::parse(body);
  const auto* key = document ? document->root().find("api_key") : nullptr;
  if (key == nullptr || !key->is(json::Type::string)) {
    return fail(Reason::missing_key, "this needs an API key", std::string(kHowTo));
  }
  return admit(route, keeper.access.authenticate(key->string));
}

}  // namespace

Gate make_gate(service::Access& access, service::Sessions& sessions, std::string base_url) {
  const Keeper keeper{access, sessions, std::move(base_url)};
  Gate gate;
  gate.on_head = [keeper](const RequestHead& head, const Route& route, auto decide) {
    decide(judge_head(keeper, head, route));
  };
  gate.on_body = [keeper](const RequestHead&, const Route& route, std::string_view body,
                          auto decide) { decide(judge_body(keeper, route, body)); };
  return gate;
}

}  // namespace chronos::http
