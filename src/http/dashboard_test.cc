// The dashboard's files as browsers ask for them: from what a build made (here a few small files),
// and through the real server, under a path and without.
#include "http/dashboard.h"

#include <array>

#include "http/server_fixture.h"

namespace chronos::http {
namespace {

constexpr std::array kFiles = {
    EmbeddedFile{"assets/index-1a2b.css", "body { color: black; }"},
    EmbeddedFile{"assets/index-1a2b.js", "console.log(1, \"./\");"},
    EmbeddedFile{"assets/index-1a2b.js.br", "<br>"},
    EmbeddedFile{"assets/index-1a2b.js.gz", "<gzip>"},
    EmbeddedFile{"favicon.svg", "<svg/>"},
    EmbeddedFile{"favicon.svg.gz", "<longer than the file>"},
    EmbeddedFile{"index.html",
                 R"(<meta content="./"><script src="./assets/index-1a2b.js"></script>)"},
    EmbeddedFile{"index.html.gz", "<a page without a prefix>"},
    EmbeddedFile{"robots.txt", "Disallow: /"},
};
const Header kForPeople{"Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"};

class DashboardTest : public testing::Test {
 protected:
  static RequestHead head_of(std::string target, const std::vector<Header>& headers) {
    RequestHead head;
    head.method = Method::get;
    head.target = std::move(target);
    for (const auto& header : headers) head.headers.add(header.name, header.value);
    return head;
  }
  Response get(std::string target, const std::vector<Header>& headers = {}) const {
    return dashboard_.answer(head_of(std::move(target), headers));
  }
  static std::string header_of(const Response& response, std::string_view name) {
    for (const auto& header : response.headers) {
      if (header.name == name) return header.value;
    }
    return "none";
  }
  std::string coding_for(std::string accepted) const {
    return header_of(get("/assets/index-1a2b.js", {{"Accept-Encoding", std::move(accepted)}}),
                     "Content-Encoding");
  }

  const Dashboard dashboard_{kFiles, ""};
};

TEST_F(DashboardTest, FilesHaveTheirTypes) {
  EXPECT_EQ(get("/").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(get("/assets/index-1a2b.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(get("/assets/index-1a2b.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(get("/favicon.svg").content_type, "image/svg+xml");
  EXPECT_EQ(get("/robots.txt").body, "Disallow: /");
}

TEST_F(DashboardTest, EveryPathOfThePageIsThePage) {
  const auto page = get("/").body;
  EXPECT_NE(page.find("index-1a2b.js"), std::string::npos);
  for (const auto* path : {"/index.html", "/login", "/jobs", "/jobs?q=a", "/jobs/job_1", "/x.js"}) {
    EXPECT_EQ(get(path, {kForPeople}).body, page) << path;
  }
}

// A script that asks for what is not there must not get a page, and no more an old page its assets.
TEST_F(DashboardTest, WhoWantsNoPageGetsNone) {
  EXPECT_EQ(get("/jobs").status, 404);
  EXPECT_EQ(get("/jobs", {{"Accept", "application/json"}}).status, 404);
  EXPECT_EQ(get("/jobs", {{"Accept", "*/*"}}).status, 404);
  EXPECT_EQ(get("/jobs", {{"Accept", "text/html;q=0"}}).status, 404);
  EXPECT_EQ(get("/assets/index-0000.js", {kForPeople}).status, 404);
  EXPECT_EQ(get("/assets/index-1a2b.js.gz", {kForPeople}).status, 404);
  EXPECT_EQ(get("/jobs").content_type, "application/problem+json");
}

TEST_F(DashboardTest, FilesAreSentAsShortAsTheBrowserTakesThem) {
  EXPECT_EQ(coding_for("gzip, deflate, br"), "br");
  EXPECT_EQ(coding_for("gzip"), "gzip");
  EXPECT_EQ(coding_for("br;q=0, GZIP;q=0.5"), "gzip");
  EXPECT_EQ(coding_for("identity"), "none");
  EXPECT_EQ(coding_for("gzip;q=0.0"), "none");
  EXPECT_EQ(get("/assets/index-1a2b.js", {{"Accept-Encoding", "br"}}).body, "<br>");
  EXPECT_EQ(get("/assets/index-1a2b.js").body, "console.log(1, \"./\");");
  EXPECT_EQ(header_of(get("/assets/index-1a2b.js"), "Vary"), "Accept-Encoding");
}

TEST_F(DashboardTest, WhatHasItsContentInItsNameIsKept) {
  EXPECT_EQ(header_of(get("/assets/index-1a2b.js"), "Cache-Control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(header_of(get("/"), "Cache-Control"), "no-cache");
  EXPECT_EQ(header_of(get("/favicon.svg"), "Cache-Control"), "no-cache");
}

TEST_F(DashboardTest, WhatIsKnownIsNotSentAgain) {
  const auto etag = header_of(get("/"), "ETag");
  const auto again = get("/", {{"If-None-Match", etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(header_of(again, "ETag"), etag);
  EXPECT_EQ(get("/", {{"If-None-Match", "\"x\""}}).status, 200);
  EXPECT_NE(header_of(get("/favicon.svg"), "ETag"), etag);
}

TEST_F(DashboardTest, NoForeignScriptRunsInItAndNoFrameHoldsIt) {
  for (const auto* path : {"/", "/favicon.svg", "/assets/index-1a2b.js"}) {
    const auto response = get(path);
    const auto policy = header_of(response, "Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_NE(policy.find("require-trusted-types-for 'script'"), std::string::npos);
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(header_of(response, "X-Frame-Options"), "DENY");
    EXPECT_EQ(header_of(response, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(header_of(response, "Cross-Origin-Resource-Policy"), "same-origin");
    EXPECT_EQ(header_of(response, "Cross-Origin-Opener-Policy"), "same-origin");
  }
}

TEST_F(DashboardTest, ThePageIsWrittenForItsPrefix) {
  EXPECT_EQ(get("/").body, R"(<meta content="/"><script src="/assets/index-1a2b.js"></script>)");
  const Dashboard below(kFiles, "/chronos");
  EXPECT_EQ(below.answer(head_of("/", {{"Accept-Encoding", "gzip"}})).body,
            R"(<meta content="/chronos/"><script src="/chronos/assets/index-1a2b.js"></script>)");
  EXPECT_EQ(below.answer(head_of("/assets/index-1a2b.js", {})).body, "console.log(1, \"./\");");
}

// -- Through the server ---------------------------------------------------------------------------

class DashboardServerTest : public ServerTest {
 protected:
  DashboardServerTest() {
    add(Method::get, "/api/jobs", echo);
    add(Method::post, "/api/jobs", [](const Request&, Reply reply) {
      Response response;
      response.status = 201;
      response.headers.push_back({"Location", "/api/jobs/job_1"});
      reply(std::move(response));
    });
  }
  void start_under(std::string base_path) {
    dashboard_ = std::make_unique<Dashboard>(kFiles, base_path);
    server = std::make_unique<Server>(
        options, Router(std::move(routes), {std::move(base_path), dashboard_route(*dashboard_)}),
        gate, clock);
    ASSERT_TRUE(server->start());
  }
  Answered ask(const std::string& target) {
    return connect().ask("GET " + target + " HTTP/1.1\r\nHost: h\r\nAccept: text/html\r\n\r\n");
  }

  std::unique_ptr<Dashboard> dashboard_;
};

TEST_F(DashboardServerTest, IsWhereNoRouteIs) {
  start_under("");
  EXPECT_NE(ask("/").body.find("<script"), std::string::npos);
  EXPECT_NE(ask("/jobs/job_1").body.find("<script"), std::string::npos);
  EXPECT_EQ(ask("/api/jobs").body, "/api/jobs");
  EXPECT_EQ(ask("/api/none").status, 404);
  EXPECT_EQ(ask("/api").status, 404);
  EXPECT_EQ(ask("/").header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(connect().ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").status, 404);
  Client client = connect();
  client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read(false).status, 200);
}

TEST_F(DashboardServerTest, IsUnderAPathWhetherTheProxyTakesThatOffOrNot) {
  start_under("/chronos");
  for (const std::string prefix : {"/chronos", ""}) {
    EXPECT_NE(ask(prefix + "/").body.find("src=\"/chronos/assets"), std::string::npos) << prefix;
    EXPECT_NE(ask(prefix + "/jobs").body.find("<script"), std::string::npos) << prefix;
    EXPECT_EQ(ask(prefix + "/assets/index-1a2b.css").body, "body { color: black; }") << prefix;
    EXPECT_EQ(ask(prefix + "/api/jobs").body, "/api/jobs") << prefix;
    EXPECT_EQ(ask(prefix + "/api/none").status, 404) << prefix;
  }
  EXPECT_NE(ask("/chronos").body.find("<script"), std::string::npos);
  EXPECT_NE(ask("/chronos?x=1").body.find("<script"), std::string::npos);
  EXPECT_EQ(ask("/chronosapi/jobs").body.find("/api/jobs"), std::string::npos);
  const auto made =
      connect().ask("POST /chronos/api/jobs HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(made.header("Location"), "/chronos/api/jobs/job_1");
}

}  // namespace
}  // namespace chronos::http
