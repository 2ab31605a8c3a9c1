// Logging in with a browser: with a key, with a link, and what other sites' pages can do with the
// cookie: nothing.
#include <fmt/format.h>

#include <algorithm>

#include "contract/api_fixture.h"
#include "http/session_cookie.h"
#include "service/sessions.h"

namespace chronos::contract {
namespace {

using http::Header;
using http::Method;

const Header kOwnPage{"Sec-Fetch-Site", "same-origin"};

class SessionsTest : public ApiTest {
 protected:
  // Without any key.
  Answered ask(Method method, std::string target, std::string body, std::vector<Header> headers) {
    if (!body.empty()) headers.push_back({"Content-Type", "application/json"});
    return send({method, std::move(target), std::move(body), {}, std::move(headers)});
  }
  Answered log_in(std::string_view member, const std::string& secret,
                  std::vector<Header> headers = {}) {
    return ask(Method::post, "/api/login", fmt::format(R"({{"{}": "{}"}})", member, secret),
               std::move(headers));
  }
  // The Cookie header a browser sends after this answer.
  static Header cookie_of(const Answered& answer) {
    const auto set = answer.header("Set-Cookie");
    return {"Cookie", set.substr(0, set.find(';'))};
  }
  Header session_of(Role role) { return cookie_of(log_in("key", key_of(role))); }
  Answered get_me(const Header& cookie) { return ask(Method::get, "/api/me", {}, {cookie}); }
  std::string make_link() { return post("/api/login-links").text("/token"); }
};

// -- Logging in -----------------------------------------------------------------------------------

TEST_F(SessionsTest, AKeyBeginsASession) {
  const auto answer = log_in("key", key_of(Role::operator_));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.text("/key/name"), "operator");
  EXPECT_EQ(answer.text("/key/role"), "operator");
  EXPECT_EQ(answer.text("/project/name"), "default");
  EXPECT_EQ(answer.text("/expires_at"), "2026-03-09T12:00:00.000Z");
  EXPECT_EQ(answer.body.find("chr_"), std::string::npos) << "no secret where a script can read it";
  const auto cookie = answer.header("Set-Cookie");
  EXPECT_TRUE(cookie.starts_with("chronos_session=chr_ses_")) << cookie;
  EXPECT_TRUE(cookie.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict")) << cookie;

  const auto me = get_me(cookie_of(answer));
  ASSERT_EQ(me.status, 200) << me.body;
  EXPECT_EQ(me.text("/key/id"), key_id_of(key_of(Role::operator_))->to_string());
  EXPECT_EQ(me.text("/project/id"), project_.to_string());
  EXPECT_EQ(me.text("/version"), "1.2.3");
  EXPECT_EQ(me.text("/now"), "2026-03-02T12:00:00.000Z");
  EXPECT_EQ(me.text("/features/0"), "commands");
}

TEST_F(SessionsTest, WhatIsNoKeyBeginsNone) {
  for (const auto& [key, code] :
       {std::pair(std::string("x"), "invalid_key"),
        std::pair(make_secret(ids_.make<KeyId>()).secret, "invalid_key"),
        std::pair(make_key(project_, Role::admin, clock_.now()), "expired_key")}) {
    const auto answer = log_in("key", key);
    EXPECT_EQ(answer.status, 401) << answer.body;
    EXPECT_EQ(answer.code(), code);
    EXPECT_EQ(answer.header("Set-Cookie"), "");
  }
  EXPECT_EQ(log_in("key", key_of(Role::worker)).code(), "role_too_low");
}

TEST_F(SessionsTest, ALoginSaysOneThing) {
  for (const std::string body :
       {R"({})", R"({"key": "x", "token": "y"})", R"({"key": 5})", R"({"keys": "x"})", "[]"}) {
    EXPECT_EQ(ask(Method::post, "/api/login", body, {}).status, 422) << body;
  }
  EXPECT_EQ(ask(Method::post, "/api/login", "{", {}).status, 400);
}

TEST_F(SessionsTest, ALinkBeginsOneSession) {
  const auto link = send(
      {Method::post, "/api/login-links", {}, key_of(Role::viewer), {{"Host", "10.0.0.5:8086"}}});
  ASSERT_EQ(link.status, 201) << link.body;
  const auto token = link.text("/token");
  EXPECT_EQ(link.text("/url"), "http://10.0.0.5:8086/login#token=" + token);
  EXPECT_EQ(link.text("/expires_at"), "2026-03-02T13:00:00.000Z");

  const auto first = log_in("token", token);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(get_me(cookie_of(first)).text("/key/role"), "viewer");
  const auto second = log_in("token", token);
  EXPECT_EQ(second.status, 401);
  EXPECT_EQ(second.code(), "invalid_key");
}

TEST_F(SessionsTest, ALinkIsGoodForAnHour) {
  const auto token = make_link();
  clock_.advance(service::kLinkLife);
  EXPECT_EQ(log_in("token", token).code(), "invalid_key");
}

TEST_F(SessionsTest, ALinkAndASessionAreNotTakenForEachOther) {
  const auto token = make_link();
  EXPECT_EQ(get_me({"Cookie", "chronos_session=" + token}).status, 401);
  const auto secret = cookie_of(log_in("token", token)).value.substr(16);
  EXPECT_EQ(log_in("token", secret).status, 401);
  EXPECT_EQ(log_in("key", secret).status, 401);
  EXPECT_EQ(get("/api/me", secret).status, 401) << "a session is no key";
}

TEST_F(SessionsTest, AForgedSecretOpensNothing) {
  const auto cookie = session_of(Role::admin);
  const auto id = session_id_of(cookie.value.substr(16), false);
  ASSERT_TRUE(id);
  Session forged;
  forged.id = *id;
  EXPECT_EQ(get_me({"Cookie", "chronos_session=" + make_secret(forged).secret}).code(),
            "invalid_key");
  forged.is_link = true;
  EXPECT_EQ(log_in("token", make_secret(forged).secret).code(), "invalid_key");
}

TEST_F(SessionsTest, FailuresFromOneAddressAreLimited) {
  for (int i = 0; i < service::kFailedLoginsMax; ++i) EXPECT_EQ(log_in("key", "x").status, 401);
  const auto limited = log_in("key", key_of(Role::admin));
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.code(), "too_many_requests");
  EXPECT_NE(limited.header("Retry-After"), "");
  EXPECT_EQ(get("/api/me").status, 200) << "keys still work";
  clock_.advance(service::kFailedLoginsWindow);
  EXPECT_EQ(log_in("key", key_of(Role::admin)).status, 200);
}

TEST_F(SessionsTest, LoginsThatWorkAreNotLimited) {
  for (int i = 0; i < 3 * service::kFailedLoginsMax; ++i) {
    EXPECT_EQ(log_in("key", key_of(Role::admin)).status, 200);
  }
}

// -- Its end --------------------------------------------------------------------------------------

TEST_F(SessionsTest, ItEndsByLoggingOut) {
  const auto cookie = session_of(Role::viewer);
  const auto other = session_of(Role::viewer);
  const auto answer = ask(Method::post, "/api/logout", {}, {cookie, kOwnPage});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("Set-Cookie"),
            "chronos_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
  EXPECT_EQ(get_me(cookie).code(), "invalid_key");
  EXPECT_EQ(get_me(other).status, 200) << "of the same key, but another browser";
}

TEST_F(SessionsTest, AKeyInTheAddressEndsNobodysSession) {
  const auto cookie = session_of(Role::viewer);
  const auto answer = ask(Method::post, "/api/logout?api_key=" + key_of(Role::viewer), {},
                          {cookie, {"Sec-Fetch-Site", "same-site"}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("Set-Cookie"), "");
  EXPECT_EQ(get_me(cookie).status, 200);
}

TEST_F(SessionsTest, ItEndsWithItsTime) {
  const auto cookie = session_of(Role::viewer);
  clock_.advance(service::kSessionLife - std::chrono::milliseconds(1));
  EXPECT_EQ(get_me(cookie).status, 200);
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(get_me(cookie).code(), "invalid_key");
}

TEST_F(SessionsTest, ItEndsWithItsKey) {
  const auto revoked = make_key(project_, Role::admin);
  const auto expiring = make_key(project_, Role::admin, clock_.now() + std::chrono::hours(1));
  const auto first = cookie_of(log_in("key", revoked));
  const auto second = cookie_of(log_in("key", expiring));
  const auto link = send({Method::post, "/api/login-links", {}, revoked, {}}).text("/token");
  ASSERT_EQ(remove("/api/keys/" + key_id_of(revoked)->to_string()).status, 200);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(get_me(first).code(), "revoked_key");
  EXPECT_EQ(get_me(second).code(), "expired_key");
  EXPECT_EQ(log_in("token", link).status, 401);
}

// -- What it may ----------------------------------------------------------------------------------

TEST_F(SessionsTest, ItMayWhatItsKeyMay) {
  const auto viewer = session_of(Role::viewer);
  EXPECT_EQ(ask(Method::get, "/api/jobs", {}, {viewer}).status, 200);
  EXPECT_EQ(ask(Method::get, "/api/keys", {}, {viewer}).status, 403);
  EXPECT_EQ(ask(Method::post, "/api/submitJob", job_body(), {viewer, kOwnPage}).status, 403);
  const auto submitter = session_of(Role::submitter);
  EXPECT_EQ(ask(Method::post, "/api/submitJob", job_body(), {submitter, kOwnPage}).status, 201);
  const auto other = cookie_of(log_in("key", other_key_));
  EXPECT_EQ(ask(Method::get, "/api/jobs/" + make_job(), {}, {other}).status, 404);
}

TEST_F(SessionsTest, AKeyInTheRequestGoesBeforeTheCookie) {
  const auto cookie = session_of(Role::admin);
  const auto ask_with = [&](const std::string& key) {
    return send({Method::get, "/api/keys", {}, key, {cookie}}).status;
  };
  EXPECT_EQ(ask_with(key_of(Role::viewer)), 403);
  EXPECT_EQ(ask_with("x"), 401);
}

TEST_F(SessionsTest, TheCookieIsFoundAmongOthers) {
  const auto cookie = session_of(Role::viewer);
  EXPECT_EQ(get_me({"Cookie", "theme=dark; " + cookie.value + "; x=1"}).status, 200);
  EXPECT_EQ(get_me({"Cookie", "a_" + cookie.value}).code(), "missing_key");
  EXPECT_EQ(get_me({"Cookie", "chronos_session"}).code(), "missing_key");
  EXPECT_EQ(get_me({"Cookie", "chronos_session="}).code(), "invalid_key");
}

// -- Pages of other sites -------------------------------------------------------------------------

// What a browser says of a request that a page makes, where it sends the cookie along (it should
// not, for the cookie is SameSite=Strict; an old one may).
const std::vector<std::vector<Header>> kForeignPages = {
    {},
    {{"Sec-Fetch-Site", "cross-site"}},
    {{"Sec-Fetch-Site", "same-site"}},
    {{"Sec-Fetch-Site", "none"}},
    {{"Sec-Fetch-Site", ""}},
    {{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "cross-site"}},
    {{"Sec-Fetch-Site", "cross-site"}, {"Origin", "http://10.0.0.5:8086"}},
    {{"Origin", "null"}},
    {{"Origin", "http://evil.example"}},
    {{"Origin", "http://10.0.0.5:8087"}},
    {{"Origin", "http://10.0.0.5"}},
    {{"Origin", "http://10.0.0.5:8086.evil.example"}},
    {{"Origin", "ftp://10.0.0.5:8086"}},
    {{"Origin", "http://10.0.0.5:8086"}, {"Origin", "http://evil.example"}},
    {{"Referer", "http://10.0.0.5:8086/jobs"}},
};

TEST_F(SessionsTest, NoRouteIsChangedThroughFromAnotherSite) {
  const auto cookie = session_of(Role::admin);
  for (const auto& route : router_.routes()) {
    if (is_safe(route.method) || route.access.is_open()) continue;
    const auto asked = ask_for(route);
    for (const auto& page : kForeignPages) {
      auto attempt = asked;
      attempt.headers.push_back(cookie);
      attempt.headers.push_back({"Host", "10.0.0.5:8086"});
      attempt.headers.insert(attempt.headers.end(), page.begin(), page.end());
      const auto answer = send(std::move(attempt));
      EXPECT_EQ(answer.status, 403) << route.pattern;
      EXPECT_EQ(answer.code(), "cross_site") << route.pattern;
    }
  }
  EXPECT_EQ(get_me(cookie).status, 200) << "nor was it logged out";
}

TEST_F(SessionsTest, NothingIsMadeFromAnotherSite) {
  const auto cookie = session_of(Role::admin);
  for (const auto& page : kForeignPages) {
    auto headers = page;
    headers.push_back(cookie);
    headers.push_back({"Host", "10.0.0.5:8086"});
    ask(Method::post, "/api/submitJob", job_body(), headers);
  }
  EXPECT_TRUE(get("/api/jobs").at("/jobs").elements.empty());
}

TEST_F(SessionsTest, OurOwnPagesMay) {
  const auto cookie = session_of(Role::submitter);
  const std::vector<std::vector<Header>> pages = {
      {kOwnPage},
      {kOwnPage, {"Origin", "http://behind.a.proxy"}},
      {{"Origin", "http://10.0.0.5:8086"}},
      {{"Origin", "HTTP://10.0.0.5:8086"}},
      {{"Origin", "https://10.0.0.5:8086"}},
      {{"Origin", "https://chronos.example"}},
  };
  for (auto headers : pages) {
    headers.push_back(cookie);
    headers.push_back({"Host", "10.0.0.5:8086"});
    EXPECT_EQ(ask(Method::post, "/api/submitJob", job_body(), headers).status, 201)
        << headers.front().value;
  }
}

TEST_F(SessionsTest, NobodyIsLoggedInAsSomebodyElse) {
  for (const auto& page : kForeignPages) {
    const bool says_nothing = std::ranges::none_of(page, [](const Header& header) {
      return header.name == "Sec-Fetch-Site" || header.name == "Origin";
    });
    auto headers = page;
    headers.push_back({"Host", "10.0.0.5:8086"});
    const auto answer = log_in("key", key_of(Role::admin), headers);
    EXPECT_EQ(answer.status, says_nothing ? 200 : 403);
  }
  // A form of another site sends no JSON.
  const auto form = send({Method::post,
                          "/api/login",
                          fmt::format(R"({{"key": "{}"}})", key_of(Role::admin)),
                          {},
                          {{"Content-Type", "text/plain"}}});
  EXPECT_EQ(form.status, 415);
}

TEST_F(SessionsTest, ADeclarationWithAKeyNeedsNoCookieRule) {
  const auto body = job_body(R"("api_key": ")" + key_of(Role::submitter) + "\"");
  EXPECT_EQ(ask(Method::post, "/api/submitJob", body, {}).status, 201);
}

}  // namespace
}  // namespace chronos::contract
