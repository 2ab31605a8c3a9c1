// The audit log over HTTP: every route that changes something is in it. And the versions of jobs.
#include <algorithm>
#include <set>

#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

class AuditApi : public ApiTest {
 protected:
  std::vector<AuditEntry> entries(AuditFilter filter = {}) {
    filter.project = project_;
    filter.limit = kPageMax;
    auto page = store_.list_audit(filter);
    EXPECT_TRUE(page);
    return std::move(page->rows);
  }
  void prepare(const http::Route& route, Ask& asked);
};

// What would change nothing of a new thing changes something then.
void AuditApi::prepare(const http::Route& route, Ask& asked) {
  const auto job =
      asked.target.substr(0, std::string("/api/jobs/").size() + JobId{}.to_string().size());
  if (route.pattern.ends_with("/resume")) post(job + "/pause");
  if (route.pattern == "/api/runs/:run_id/cancel") {
    asked.target = "/api/runs/" + make_run(RunState::queued) + "/cancel";
  }
  if (route.pattern.ends_with("/restore")) patch(job, R"({"note": "second"})");
  if (route.pattern.ends_with("/import")) {
    asked.body =
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261224\r\n"
        "SUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
  }
}

// What workers do is told by the attempts of their runs: who had each, when, and what came of it.
bool is_told_elsewhere(const http::Route& route) {
  return route.pattern == "/api/workers/claim" || route.pattern == "/api/workers/settle" ||
         route.pattern == "/api/logout";  // with a key there is nothing to end: see below
}

TEST_F(AuditApi, EveryRouteThatChangesSomethingHasAnEntry) {
  int routes = 0;
  for (const auto& route : router_.routes()) {
    if (route.method == http::Method::get || is_told_elsewhere(route)) continue;
    const std::string name = std::string(to_string(route.method)) + " " + route.pattern;
    auto asked = ask_for(route);
    asked.key = key_of(Role::admin);
    prepare(route, asked);
    std::set<AuditId> before;
    for (const auto& entry : entries()) before.insert(entry.id);
    const auto answer = send(asked);
    ASSERT_LT(answer.status, 300) << name << answer.body;
    auto fresh = entries();
    std::erase_if(fresh, [&](const auto& entry) { return before.contains(entry.id); });
    ASSERT_EQ(fresh.size(), 1U) << name;
    EXPECT_EQ(fresh.front().actor, *key_id_of(key_of(Role::admin))) << name;
    EXPECT_FALSE(fresh.front().action.empty()) << name;
    EXPECT_FALSE(fresh.front().resource.empty()) << name;
    EXPECT_EQ(fresh.front().at, clock_.now()) << name;
    ++routes;
  }
  EXPECT_GT(routes, 20);
}

TEST_F(AuditApi, ASessionBeginsAndEnds) {
  const http::Header own_page{"Sec-Fetch-Site", "same-origin"};
  const auto begun = send({http::Method::post,
                           "/api/login",
                           R"({"key": ")" + key_of(Role::viewer) + "\"}",
                           {},
                           {{"Content-Type", "application/json"}, own_page}});
  const auto cookie = begun.header("Set-Cookie");
  const auto ended = send({http::Method::post,
                           "/api/logout",
                           {},
                           {},
                           {{"Cookie", cookie.substr(0, cookie.find(';'))}, own_page}});
  EXPECT_EQ(ended.status, 204);
  const auto log = entries();
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0].action, "session.end");
  EXPECT_EQ(log[1].action, "session.begin");
  EXPECT_EQ(log[0].resource, log[1].resource);
  EXPECT_EQ(log[0].actor, *key_id_of(key_of(Role::viewer)));
}

TEST_F(AuditApi, NoSecretIsInIt) {
  const auto made = post("/api/keys", R"({"name": "ci", "role": "viewer"})");
  const auto secret = made.text("/secret");
  post("/api/keys/" + made.text("/id") + "/rotate", "{}");
  const auto job = make_job();
  patch("/api/jobs/" + job, R"({"action": {"kind": "http", "url": "https://a.example/",
      "headers": {"Authorization": "Bearer hunter22"}}, "payload": {"password": "hunter23"}})");
  const auto log = get("/api/audit");
  ASSERT_EQ(log.status, 200);
  for (const auto& part : {secret.substr(8), std::string("hunter22"), std::string("hunter23")}) {
    EXPECT_EQ(log.body.find(part), std::string::npos) << part;
  }
  EXPECT_NE(log.body.find("***"), std::string::npos);
}

TEST_F(AuditApi, SaysWhoDidWhatToWhat) {
  const auto job = make_job();
  clock_.advance(std::chrono::minutes(1));
  post("/api/jobs/" + job + "/pause", R"({"note": "release"})");
  const auto log = get("/api/audit?resource=" + job);
  EXPECT_EQ(log.text("/entries/0/action"), "job.pause");
  EXPECT_EQ(log.text("/entries/0/actor/name"), "admin");
  EXPECT_EQ(log.text("/entries/0/actor/role"), "admin");
  EXPECT_EQ(log.text("/entries/0/resource/kind"), "job");
  EXPECT_EQ(log.text("/entries/0/resource/name"), "a job");
  EXPECT_EQ(log.at("/entries/0/before").raw, R"({"paused":false,"note":""})");
  EXPECT_EQ(log.at("/entries/0/after").raw, R"({"paused":true,"note":"release"})");
  EXPECT_EQ(log.text("/entries/1/action"), "job.submit");
  EXPECT_EQ(get("/api/audit?resource=" + job + "&action=job.submit").at("/entries").elements.size(),
            1U);
  EXPECT_EQ(get("/api/audit?actor=x").status, 422);
}

TEST_F(AuditApi, PagesFollowEachOther) {
  for (int i = 0; i < 5; ++i) make_job();
  std::set<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = get("/api/audit?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto& entry : page.at("/entries").elements) {
      EXPECT_TRUE(seen.insert(entry.find("id")->string).second);
    }
    cursor = page.at("/next").string;
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(pages, 3);
}

// -- Versions ------------------------------------------------------------------------------------

TEST_F(AuditApi, VersionsAreListedReadAndRestored) {
  const auto job = make_job(R"("cron": "0 0 * * *", "note": "first")");
  const auto path = "/api/jobs/" + job;
  put(path, R"({"cron": "0 1 * * *"})");
  patch(path, R"({"note": "third"})");
  const auto list = get(path + "/versions");
  ASSERT_EQ(list.at("/versions").elements.size(), 3U);
  EXPECT_EQ(list.at("/versions/0/version").integer, 3);
  EXPECT_EQ(list.text("/versions/0/declaration/note"), "third");
  EXPECT_EQ(list.text("/versions/0/by/name"), "admin");
  const auto page = get(path + "/versions?limit=2");
  const auto rest = get(path + "/versions?cursor=" + page.text("/next"));
  ASSERT_EQ(rest.at("/versions").elements.size(), 1U);
  EXPECT_EQ(rest.text("/versions/0/declaration/cron"), "0 0 * * *");
  EXPECT_EQ(get(path + "/versions/2").text("/declaration/cron"), "0 1 * * *");
  EXPECT_EQ(get(path + "/versions/0").status, 404);
  EXPECT_EQ(get(path + "/versions/x").status, 404);
  EXPECT_EQ(get(path + "/versions?cursor=zzz").status, 422);

  const auto restored = post(path + "/versions/1/restore");
  EXPECT_EQ(restored.status, 200);
  EXPECT_EQ(restored.text("/cron"), "0 0 * * *");
  EXPECT_EQ(restored.text("/note"), "first");
  EXPECT_EQ(restored.at("/version").integer, 4);
  EXPECT_EQ(restored.text("/next_run_at"), "2026-03-03T00:00:00.000Z");
  EXPECT_EQ(get("/api/audit?limit=1").text("/entries/0/action"), "job.restore");
  EXPECT_EQ(post(path + "/versions/4/restore").at("/version").integer, 4) << "nothing to do";
  EXPECT_EQ(post(path + "/versions/9999/restore").at("/version").integer, 4);
}

TEST_F(AuditApi, ARestoreKeepsThePauseAndTakesUpWhatWasCancelled) {
  const auto path = "/api/jobs/" + make_job(R"("cron": "0 0 * * *", "note": "first")");
  post(path + "/pause");
  patch(path, R"({"note": "second"})");
  EXPECT_EQ(post(path + "/versions/1/restore").text("/status"), "paused");
  post(path + "/resume");
  remove(path);
  EXPECT_EQ(post(path + "/versions/1/restore").text("/status"), "scheduled");
}

TEST_F(AuditApi, ARestoreWithAnotherVersionInMindIsRefused) {
  const auto path = "/api/jobs/" + make_job();
  patch(path, R"({"note": "x"})");
  EXPECT_EQ(post(path + "/versions/1/restore", {}, {{"If-Match", "\"v1\""}}).status, 412);
}

}  // namespace
}  // namespace chronos::contract
