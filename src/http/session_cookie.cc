#include "http/session_cookie.h"

#include <fmt/format.h>

#include <algorithm>

namespace chronos::http {
namespace {

// "https://a.example:8443/x" -> "a.example:8443"; empty when it is no such thing, as "null" is.
std::string_view authority_of(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(url.substr(0, scheme.size()), scheme)) continue;
    url.remove_prefix(scheme.size());
    return url.substr(0, url.find('/'));
  }
  return {};
}

std::string cookie(std::string_view value, std::int64_t seconds, const CookieRules& rules) {
  return fmt::format("{}={}; Path={}; Max-Age={}; HttpOnly; SameSite=Strict{}", kSessionCookie,
                     value, rules.path, seconds, rules.is_secure ? "; Secure" : "");
}

}  // namespace

std::optional<std::string_view> find_session(const RequestHead& head) {
  for (std::size_t i = 0; i < head.headers.size(); ++i) {
    const auto field = head.headers[i];
    if (!equal_ignoring_case(field.name, "Cookie")) continue;
    for (auto rest = field.value; !rest.empty();) {
      auto pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      while (pair.starts_with(' ')) pair.remove_prefix(1);
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != kSessionCookie) continue;
      return pair.substr(equals + 1);
    }
  }
  return std::nullopt;
}

std::string session_cookie(std::string_view secret, Duration life, const CookieRules& rules) {
  return cookie(secret, std::chrono::floor<std::chrono::seconds>(life).count(), rules);
}

std::string expired_session_cookie(const CookieRules& rules) {
  return cookie("", 0, rules);
}

Origin origin_of(const RequestHead& head, std::string_view base_url) {
  const auto& headers = head.headers;
  if (const auto site = headers.find("Sec-Fetch-Site")) {
    const bool is_own = headers.count("Sec-Fetch-Site") == 1 && *site == "same-origin";
    return is_own ? Origin::own_page : Origin::elsewhere;
  }
  const auto origin = headers.find("Origin");
  if (!origin) return Origin::unsaid;
  const auto page = authority_of(*origin);
  const auto host = headers.find("Host").value_or("");
  const bool is_own =
      headers.count("Origin") == 1 && !page.empty() &&
      (equal_ignoring_case(page, host) || equal_ignoring_case(page, authority_of(base_url)));
  return is_own ? Origin::own_page : Origin::elsewhere;
}

}  // namespace chronos::http
