#include "http/router.h"

#include <type_traits>

#include <gtest/gtest.h>

namespace chronos::http {
namespace {

enum class Role { viewer, submitter };

Route row(Method method, std::string pattern, Access access = Access::role(Role::viewer)) {
  return {method, std::move(pattern), access, [](const Request&, const Reply&) {}};
}

Router table() {
  std::vector<Route> routes;
  routes.push_back(row(Method::get, "/", Access::open()));
  routes.push_back(row(Method::get, "/api/jobs"));
  routes.push_back(row(Method::post, "/api/submitJob", Access::role(Role::submitter)));
  routes.push_back(row(Method::get, "/api/jobs/:job_id"));
  routes.push_back(row(Method::put, "/api/jobs/:job_id"));
  routes.push_back(row(Method::delete_, "/api/jobs/:job_id"));
  routes.push_back(row(Method::get, "/api/jobs/:job_id/status"));
  routes.push_back(row(Method::post, "/api/jobs/batch"));
  routes.push_back(row(Method::put, "/api/jobs/by-key/:key"));
  return Router(std::move(routes));
}

// The pattern that answers, or the code of the refusal.
std::string matched(Method method, std::string_view target) {
  const Router router = table();
  const auto match = router.match(method, target);
  return match ? match->route->pattern : std::string(to_string(match.error().error.reason));
}

TEST(Router, RowsWithoutAccessRuleCannotBeWritten) {
  static_assert(!std::is_default_constructible_v<Access>);
  static_assert(!std::is_default_constructible_v<Route>);
  EXPECT_TRUE(Access::open().is_open());
  EXPECT_FALSE(Access::role(Role::viewer).is_open());
  EXPECT_EQ(Access::role(Role::submitter).role<Role>(), Role::submitter);
  EXPECT_FALSE(Access::role(Role::submitter).is_key_in_body());
  EXPECT_TRUE(Access::role(Role::submitter).or_key_in_body().is_key_in_body());
}

TEST(Router, FindsTheRouteOfMethodAndPath) {
  EXPECT_EQ(matched(Method::get, "/"), "/");
  EXPECT_EQ(matched(Method::get, "/api/jobs"), "/api/jobs");
  EXPECT_EQ(matched(Method::get, "/api/jobs/job_1"), "/api/jobs/:job_id");
  EXPECT_EQ(matched(Method::get, "/api/jobs/job_1/status"), "/api/jobs/:job_id/status");
  EXPECT_EQ(matched(Method::post, "/api/submitJob"), "/api/submitJob");
  EXPECT_EQ(matched(Method::get, "/api/jobs?limit=5"), "/api/jobs");
  EXPECT_EQ(matched(Method::get, "/api/jobs?a=/../x"), "/api/jobs");
}

TEST(Router, LiteralSegmentsBeatParameters) {
  EXPECT_EQ(matched(Method::post, "/api/jobs/batch"), "/api/jobs/batch");
  EXPECT_EQ(matched(Method::get, "/api/jobs/batch"), "method_not_allowed");
  EXPECT_EQ(matched(Method::put, "/api/jobs/by-key/nightly"), "/api/jobs/by-key/:key");
  EXPECT_EQ(matched(Method::put, "/api/jobs/by-key/status"), "/api/jobs/by-key/:key");
  EXPECT_EQ(matched(Method::get, "/api/jobs/by-key"), "/api/jobs/:job_id");
  EXPECT_EQ(matched(Method::get, "/api/jobs/batch/status"), "/api/jobs/:job_id/status");
}

TEST(Router, HeadIsAnsweredByGet) {
  EXPECT_EQ(matched(Method::head, "/api/jobs"), "/api/jobs");
  EXPECT_EQ(matched(Method::head, "/api/submitJob"), "method_not_allowed");
}

TEST(Router, WrongMethodNamesTheRightOnes) {
  const Router router = table();
  for (const Method method : {Method::post, Method::patch, Method::options, Method::other}) {
    const auto match = router.match(method, "/api/jobs/job_1");
    ASSERT_FALSE(match);
    EXPECT_EQ(match.error().error.reason, Reason::method_not_allowed);
    EXPECT_EQ(match.error().allow, "GET, HEAD, PUT, DELETE");
  }
  EXPECT_EQ(router.match(Method::get, "/api/submitJob").error().allow, "POST");
}

TEST(Router, OtherSpellingsAreNoRoutes) {
  for (const std::string_view target : {"/API/jobs",
                                        "/api/Jobs",
                                        "/api/submitjob",
                                        "/api/submitJob/",
                                        "/api/jobs/",
                                        "//api/jobs",
                                        "/api//jobs",
                                        "/api/jobs//",
                                        "/api/./jobs",
                                        "/api/../api/jobs",
                                        "/api/jobs/.",
                                        "/api/jobs/..",
                                        "/api/jobs/%2e%2e",
                                        "/api/jobs/%2E",
                                        "/api/%6aobs",
                                        "/api%2fjobs",
                                        "/api/jobs;",
                                        "/api/jobs;x=1",
                                        "/api/submitJob;a",
                                        "/api/submitJob.json",
                                        "/api/jobs%00",
                                        "/api/jobs%20",
                                        "/api\\jobs",
                                        "api/jobs",
                                        "",
                                        "*",
                                        "http://host/api/jobs",
                                        "/api",
                                        "/api/jobs/job_1/status/",
                                        "/api/jobs/job_1/status/x",
                                        "/api/jobs//status"}) {
    EXPECT_EQ(matched(Method::get, target), "not_found") << target;
  }
}

TEST(Router, HostileParametersAreNoParameters) {
  for (const std::string_view segment :
       {"a%2fb",        "a%2Fb", "a%5cb", "a%00b", "%ff",      "%c0%af", "%ed%a0%80",
        "%f5%80%80%80", "%",     "%1",    "%zz",   "a%2",      "a b",    "a\"b",
        "a<b",          "a\\b",  "a^b",   "a|b",   "\xc3\xa4", "a\x01"}) {
    EXPECT_EQ(matched(Method::get, "/api/jobs/" + std::string(segment)), "not_found") << segment;
  }
}

TEST(Router, ParametersAreDecodedExactlyOnce) {
  const Router router = table();
  const auto value_of = [&](std::string_view segment) {
    const auto match = router.match(Method::put, "/api/jobs/by-key/" + std::string(segment));
    return match ? match->path_params.at(0).value : "refused";
  };
  EXPECT_EQ(value_of("nightly"), "nightly");
  EXPECT_EQ(value_of("a%20b"), "a b");
  EXPECT_EQ(value_of("a+b"), "a+b");
  EXPECT_EQ(value_of("%2541"), "%41");
  EXPECT_EQ(value_of("%252f"), "%2f");
  EXPECT_EQ(value_of("%c3%a4%e2%82%ac%f0%9f%98%80"), "ä€😀");
  EXPECT_EQ(value_of("a;b,c:d@e"), "a;b,c:d@e");
  EXPECT_EQ(value_of("..."), "...");
  EXPECT_EQ(router.match(Method::get, "/api/jobs/j/status")->path_params.at(0).name, "job_id");
}

TEST(Router, QueryKeepsOrderAndDecodes) {
  const auto query = parse_query("/p?b=2&a=1&b=%33&c&=x&&d=a+b%2Bc&e==");
  ASSERT_TRUE(query);
  std::string seen;
  for (const Param& param : *query) seen += param.name + "=" + param.value + "|";
  EXPECT_EQ(seen, "b=2|a=1|b=3|c=|=x|d=a b+c|e==|");
  EXPECT_EQ(find_param(*query, "b"), "2");
  EXPECT_EQ(find_param(*query, "z"), std::nullopt);
  EXPECT_TRUE(parse_query("/p")->empty());
  EXPECT_TRUE(parse_query("/p?")->empty());
  EXPECT_EQ(parse_query("/p?a=%4").error().reason, Reason::bad_request);
  EXPECT_EQ(parse_query("/p?a=%00").error().reason, Reason::bad_request);
  EXPECT_EQ(parse_query("/p?a=%ff").error().reason, Reason::bad_encoding);
}

TEST(RouterDeathTest, MistakesInTheTableStopTheProgram) {
  const auto build = [](std::string first, std::string second) {
    std::vector<Route> routes;
    routes.push_back(row(Method::get, std::move(first)));
    routes.push_back(row(Method::get, std::move(second)));
    const Router router(std::move(routes));
  };
  EXPECT_DEATH(build("/a", "/a"), "");
  EXPECT_DEATH(build("/a/:x", "/a/:y"), "");
  for (const char* pattern : {"", "a", "/a/", "//a", "/a//b", "/a/:", "/..", "/a b", "/a%20"}) {
    EXPECT_DEATH(build("/ok", pattern), "") << pattern;
  }
  EXPECT_DEATH(Router({row(Method::options, "/a")}), "");
  EXPECT_DEATH(Router({row(Method::head, "/a")}), "");
}

}  // namespace
}  // namespace chronos::http
