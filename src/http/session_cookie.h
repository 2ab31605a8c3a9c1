// The cookie of a session, and whether a request is one of the dashboard's own pages. A browser
// sends the cookie with every request to this server, whoever's page makes it: so what changes
// something must come from a page of ours. Used by the gate and the login routes. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/request.h"

namespace chronos::http {

inline constexpr std::string_view kSessionCookie = "chronos_session";

// The session's secret in the Cookie header; nothing when there is none. Of several the first: a
// browser sends the one with the longest path first.
std::optional<std::string_view> find_session(const RequestHead& head);

struct CookieRules {
  std::string path = "/";
  bool is_secure = false;  // sent back over TLS only
};
// The value of Set-Cookie. HttpOnly, SameSite=Strict.
std::string session_cookie(std::string_view secret, Duration life, const CookieRules& rules);
std::string expired_session_cookie(const CookieRules& rules);

// Which page a browser says makes the request. Other programs do not say.
enum class Origin { own_page, elsewhere, unsaid };

// By Sec-Fetch-Site; where a browser does not send that (plain HTTP to another machine), by Origin,
// which must be the host the request went to or that of `base_url`, as the server is known outside.
Origin origin_of(const RequestHead& head, std::string_view base_url);

}  // namespace chronos::http
