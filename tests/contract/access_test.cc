// Who gets in: every route of the table with every kind of key, and every route by other spellings
// of its path (promises.md F3).
#include <algorithm>

#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

constexpr Role kRoles[] = {Role::worker, Role::viewer, Role::submitter, Role::operator_,
                           Role::admin};

class RouteAccess : public ApiTest {
 protected:
  // The answer to a whole request for this route, of new things of the project "default".
  Answered ask_with(const http::Route& route, std::string key) {
    auto asked = ask_for(route);
    asked.key = std::move(key);
    return send(std::move(asked));
  }

  static std::string name_of(const http::Route& route) {
    return std::string(to_string(route.method)) + " " + route.pattern;
  }

  std::vector<const http::Route*> guarded() const {
    std::vector<const http::Route*> routes;
    for (const auto& route : router_.routes()) {
      if (!route.access.is_open()) routes.push_back(&route);
    }
    return routes;
  }

  void expect_for_all(const std::string& key, int status, std::string_view code) {
    for (const auto* route : guarded()) {
      const auto answer = ask_with(*route, key);
      EXPECT_EQ(answer.status, status) << name_of(*route);
      EXPECT_EQ(answer.code(), code) << name_of(*route);
    }
  }
};

TEST_F(RouteAccess, WithoutAKey) {
  expect_for_all("", 401, "missing_key");
}

TEST_F(RouteAccess, WithAMalformedKey) {
  for (const std::string key :
       {"x", "chr_key_", "Bearer", "0", "chr_key_00000000000000000000000000"}) {
    expect_for_all(key, 401, "invalid_key");
  }
  auto typo = key_of(Role::admin);
  typo[20] = typo[20] == 'a' ? 'b' : 'a';
  expect_for_all(typo, 401, "invalid_key");
  expect_for_all(key_of(Role::admin) + "0", 401, "invalid_key");
}

TEST_F(RouteAccess, WithAnUnknownKey) {
  expect_for_all(make_secret(ids_.make<KeyId>()).secret, 401, "invalid_key");
}

// A well-formed key with the id of a real one and other random bits.
TEST_F(RouteAccess, WithAForgedKey) {
  expect_for_all(make_secret(*key_id_of(key_of(Role::admin))).secret, 401, "invalid_key");
}

TEST_F(RouteAccess, WithAnExpiredKey) {
  const auto key = make_key(project_, Role::admin, clock_.now() + std::chrono::seconds(10));
  clock_.advance(std::chrono::seconds(10));
  expect_for_all(key, 401, "expired_key");
}

TEST_F(RouteAccess, WithARevokedKey) {
  const auto key = make_key(project_, Role::admin);
  ASSERT_EQ(remove("/api/keys/" + key_id_of(key)->to_string()).status, 200);
  expect_for_all(key, 401, "revoked_key");
}

TEST_F(RouteAccess, ByRole) {
  for (const auto* route : guarded()) {
    for (const Role role : kRoles) {
      const auto answer = ask_with(*route, key_of(role));
      if (allows(role, route->access.role<Role>())) {
        EXPECT_LT(answer.status, 300) << name_of(*route) << " " << to_string(role) << answer.body;
      } else {
        EXPECT_EQ(answer.status, 403) << name_of(*route) << " " << to_string(role);
        EXPECT_EQ(answer.code(), "role_too_low");
      }
    }
  }
}

TEST_F(RouteAccess, AnotherProjectsThingsAreNotFound) {
  for (const auto* route : guarded()) {
    const bool names_a_thing =
        route->pattern.find("_id") != std::string::npos ||
        (route->method == http::Method::get && route->pattern.find(":key") != std::string::npos);
    if (!names_a_thing) continue;
    const auto answer = ask_with(*route, other_key_);
    EXPECT_EQ(answer.status, 404) << name_of(*route) << answer.body;
    EXPECT_EQ(answer.code(), "not_found");
  }
}

TEST_F(RouteAccess, ListsHoldTheCallersProjectOnly) {
  make_run(RunState::succeeded);
  EXPECT_TRUE(get("/api/jobs", other_key_).at("/jobs").elements.empty());
  EXPECT_TRUE(get("/api/runs", other_key_).at("/runs").elements.empty());
  EXPECT_EQ(get("/api/keys", other_key_).at("/keys").elements.size(), 1U);
  EXPECT_EQ(get("/api/projects", other_key_).at("/projects").elements.size(), 1U);
}

TEST_F(RouteAccess, UnknownAndMalformedIdsAreNotFound) {
  const std::string unknown = JobId{{1, 2}}.to_string();
  for (const auto& id : {unknown, std::string("x"), std::string("job_"), unknown + "0",
                         RunId{{1, 2}}.to_string(), std::string("%00")}) {
    EXPECT_EQ(get("/api/jobs/" + id).status, 404) << id;
    EXPECT_EQ(get("/api/jobs/" + id + "/status").status, 404) << id;
    EXPECT_EQ(remove("/api/jobs/" + id).status, 404) << id;
  }
}

// The handlers see nothing but the one spelling of a path.
TEST_F(RouteAccess, OtherSpellingsOfAPathReachNothing) {
  using Change = std::string (*)(std::string);
  constexpr Change kChanges[] = {
      [](std::string path) { return path + "/"; },
      [](std::string path) { return path + "//"; },
      [](std::string path) { return path + "/."; },
      [](std::string path) { return path + "/.."; },
      [](std::string path) { return path + "/x/.."; },
      [](std::string path) { return path + ";x"; },
      [](std::string path) { return path + ";x=1"; },
      [](std::string path) { return path + "%00"; },
      [](std::string path) { return path + "%20"; },
      [](std::string path) { return path + "%2f"; },
      [](std::string path) { return path + "\\"; },
      [](std::string path) { return path + ".json"; },
      [](std::string path) { return "/" + path; },
      [](std::string path) { return "/." + path; },
      [](std::string path) { return "/x/.." + path; },
      [](std::string path) { return path.replace(path.rfind('/'), 1, "%2f"); },
      [](std::string path) { return path.replace(path.rfind('/'), 1, "%2F"); },
      [](std::string path) { return path.replace(path.rfind('/'), 1, "//"); },
      [](std::string path) { return path.replace(path.rfind('/'), 1, "/./"); },
      [](std::string path) { return path.replace(path.rfind('/'), 1, "\\"); },
      [](std::string path) { return path.replace(1, 1, "A"); },
      [](std::string path) { return path.replace(2, 1, "%70"); },
      [](std::string path) {
        std::ranges::transform(path, path.begin(), [](unsigned char c) { return std::toupper(c); });
        return path;
      },
  };
  for (const auto& route : router_.routes()) {
    const auto asked = ask_for(route);
    for (const auto change : kChanges) {
      auto other = asked;
      other.key = key_of(Role::admin);
      other.target = change(asked.target);
      // A dot is a character of the names that users give like any other.
      const bool is_name = route.pattern.ends_with(":key") ||
                           route.pattern.ends_with(":calendar") ||
                           route.pattern.ends_with(":channel");
      const bool is_other_name = is_name && other.target.ends_with(".json");
      if (other.target == asked.target || is_other_name) continue;
      const auto answer = send(other);
      EXPECT_GE(answer.status, 400) << name_of(route) << " " << other.target;
    }
  }
}

TEST_F(RouteAccess, MethodsCannotBeOverridden) {
  const auto id = make_job();
  send({http::Method::get,
        "/api/jobs/" + id,
        {},
        key_of(Role::admin),
        {{"X-HTTP-Method-Override", "DELETE"}}});
  EXPECT_EQ(get("/api/jobs/" + id).text("/status"), "scheduled");
  EXPECT_EQ(get("/api/jobs/" + id + "?_method=DELETE").status, 422);
  EXPECT_EQ(send({http::Method::post, "/api/jobs/" + id, {}, key_of(Role::admin), {}}).status, 405);
}

// -- Credentials ---------------------------------------------------------------------------------

TEST_F(RouteAccess, AKeyIsTakenFromEachPlace) {
  const auto& key = key_of(Role::viewer);
  const auto ask = [&](std::string target, std::vector<http::Header> headers) {
    return send({http::Method::get, std::move(target), {}, {}, std::move(headers)}).status;
  };
  EXPECT_EQ(ask("/api/jobs", {{"Authorization", "Bearer " + key}}), 200);
  EXPECT_EQ(ask("/api/jobs", {{"authorization", "bearer   " + key}}), 200);
  EXPECT_EQ(ask("/api/jobs", {{"X-API-Key", key}}), 200);
  EXPECT_EQ(ask("/api/jobs?api_key=" + key, {}), 200);
  EXPECT_EQ(ask("/api/jobs?api_key=" + key, {{"X-API-Key", key}}), 200);
}

TEST_F(RouteAccess, ABrokenPlaceIsNotPassedOver) {
  const auto& key = key_of(Role::viewer);
  const auto ask = [&](std::string target, std::vector<http::Header> headers) {
    return send({http::Method::get, std::move(target), {}, {}, std::move(headers)}).code();
  };
  EXPECT_EQ(ask("/api/jobs", {{"Authorization", "Basic " + key}}), "invalid_key");
  EXPECT_EQ(ask("/api/jobs", {{"Authorization", key}}), "invalid_key");
  EXPECT_EQ(ask("/api/jobs", {{"Authorization", "Bearer"}}), "invalid_key");
  EXPECT_EQ(ask("/api/jobs?api_key=", {}), "invalid_key");
  EXPECT_EQ(ask("/api/jobs?api_key=" + key, {{"X-API-Key", key_of(Role::admin)}}), "invalid_key");
  EXPECT_EQ(ask("/api/jobs", {{"X-API-Key", key}, {"X-API-Key", "x"}}), "invalid_key");
  EXPECT_EQ(ask("/api/jobs?API_KEY=" + key, {}), "missing_key");
}

TEST_F(RouteAccess, ADeclarationMayHoldTheKey) {
  const auto members = [](const std::string& key) {
    return R"("cron": "0 0 * * *", "api_key": ")" + key + "\"";
  };
  const auto ask = [&](http::Method method, std::string target, const std::string& key) {
    return send({method,
                 std::move(target),
                 job_body(members(key)),
                 {},
                 {{"Content-Type", "application/json"}}});
  };
  const auto made = ask(http::Method::post, "/api/submitJob", key_of(Role::submitter));
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body.find("chr_key_"), std::string::npos) << "the key is no part of the job";
  EXPECT_EQ(ask(http::Method::post, "/api/jobs", key_of(Role::submitter)).status, 201);
  EXPECT_EQ(ask(http::Method::put, "/api/jobs/by-key/k", key_of(Role::submitter)).status, 201);
  EXPECT_EQ(ask(http::Method::put, made.header("Location"), key_of(Role::submitter)).status, 200);
  EXPECT_EQ(ask(http::Method::post, "/api/submitJob", key_of(Role::viewer)).status, 403);
  EXPECT_EQ(ask(http::Method::post, "/api/submitJob", "x").code(), "invalid_key");
}

// 401 comes before anything that is wrong with the body.
TEST_F(RouteAccess, ABodyIsNotLookedAtWithoutAKey) {
  for (const std::string body : {"{", "[]", "\"api_key\"", "{\"api_key\": 5}", "\xff", "{}"}) {
    const auto answer = send({http::Method::post, "/api/submitJob", body, {}, {}});
    EXPECT_EQ(answer.status, 401) << body;
    EXPECT_EQ(answer.code(), "missing_key") << body;
  }
}

TEST_F(RouteAccess, NoAnswerSaysWhetherAKeyIdExists) {
  const auto forged = make_secret(*key_id_of(key_of(Role::admin))).secret;
  const auto unknown = make_secret(ids_.make<KeyId>()).secret;
  EXPECT_EQ(get("/api/jobs", forged).body, get("/api/jobs", unknown).body);
}

}  // namespace
}  // namespace chronos::contract
