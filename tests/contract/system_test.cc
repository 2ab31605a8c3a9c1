// Keys, projects and the server itself over the API (product.md §7).
#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

class SystemApi : public ApiTest {};

// -- Keys ----------------------------------------------------------------------------------------

TEST_F(SystemApi, ANewKeyWorksAndIsShownOnce) {
  const auto made = post("/api/keys", R"({"name": "ci", "role": "submitter"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const auto secret = made.text("/secret");
  EXPECT_TRUE(secret.starts_with("chr_key_"));
  EXPECT_EQ(made.at("/expires_at").type, json::Type::null);
  EXPECT_EQ(get("/api/jobs", secret).status, 200);
  EXPECT_EQ(get("/api/keys", secret).status, 403);
  const auto list = get("/api/keys");
  EXPECT_EQ(list.text("/keys/0/id"), made.text("/id")) << "newest first";
  EXPECT_EQ(list.body.find("secret"), std::string::npos);
  EXPECT_EQ(list.body.find(secret), std::string::npos);
}

TEST_F(SystemApi, AKeyMayExpire) {
  const auto made = post("/api/keys", R"({"name": "x", "role": "viewer", "expires_in": "1h"})");
  EXPECT_EQ(made.text("/expires_at"), "2026-03-02T13:00:00.000Z");
  clock_.advance(1h - 1ms);
  EXPECT_EQ(get("/api/jobs", made.text("/secret")).status, 200);
  clock_.advance(1ms);
  EXPECT_EQ(get("/api/jobs", made.text("/secret")).code(), "expired_key");
}

TEST_F(SystemApi, KeyRequestsAreChecked) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {R"({"role": "viewer"})", "/name"},
      {R"({"name": "x"})", "/role"},
      {R"({"name": "", "role": "viewer"})", "/name"},
      {R"({"name": "x", "role": "root"})", "/role"},
      {R"({"name": "x", "role": "viewer", "expires_in": "0s"})", "/expires_in"},
      {R"({"name": "x", "role": "viewer", "expires_in": "11y"})", "/expires_in"},
      {R"({"name": "x", "role": "viewer", "expires_at": "2026-03-02T12:00:00Z"})", "/expires_at"},
      {R"({"name": "x", "role": "viewer", "expires_in": "1h", "expires_at": "2027-01-01T00:00:00Z"})",
       "/expires_in"},
      {R"({"name": "x", "role": "viewer", "expire_in": "1h"})", "/expire_in"},
      {R"({"name": "x", "role": "viewer", "old_expires_in": "1h"})", "/old_expires_in"},
  };
  for (const auto& [body, pointer] : bad) {
    const auto answer = post("/api/keys", body);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_EQ(answer.text("/errors/0/pointer"), pointer) << body;
  }
}

TEST_F(SystemApi, RevokingIsEffectiveAtOnceAndRepeatable) {
  const auto key = make_key(project_, Role::viewer);
  EXPECT_EQ(get("/api/jobs", key).status, 200);
  const auto target = "/api/keys/" + key_id_of(key)->to_string();
  const auto first = remove(target);
  EXPECT_EQ(first.text("/revoked_at"), "2026-03-02T12:00:00.000Z");
  EXPECT_EQ(get("/api/jobs", key).code(), "revoked_key");
  clock_.advance(1h);
  EXPECT_EQ(remove(target).text("/revoked_at"), first.text("/revoked_at"));
}

// As another node on the same database does, which believes for a while what it read of a key.
TEST_F(SystemApi, AnotherNodeRefusesARevokedKeyWithinASecond) {
  const auto key = make_key(project_, Role::viewer);
  service::Access other_node(store_, clock_, ids_);
  ASSERT_TRUE(other_node.authenticate(key));
  ASSERT_EQ(remove("/api/keys/" + key_id_of(key)->to_string()).status, 200);
  clock_.advance(999ms);
  const auto told = other_node.authenticate(key);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().reason, Reason::revoked_key);
}

TEST_F(SystemApi, TheLastAdminKeyStays) {
  const auto target = "/api/keys/" + key_id_of(key_of(Role::admin))->to_string();
  const auto answer = remove(target);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.code(), "state_conflict");
  // One that has expired is no other admin.
  make_key(project_, Role::admin, clock_.now());
  EXPECT_EQ(remove(target).status, 409);
  make_key(project_, Role::admin);
  EXPECT_EQ(remove(target).status, 200);
}

TEST_F(SystemApi, RotationLeavesBothAlive) {
  const auto old = make_key(project_, Role::operator_);
  const auto target = "/api/keys/" + key_id_of(old)->to_string() + "/rotate";
  const auto fresh = post(target);
  ASSERT_EQ(fresh.status, 201) << fresh.body;
  EXPECT_EQ(fresh.text("/role"), "operator");
  EXPECT_EQ(fresh.text("/name"), "operator");
  EXPECT_EQ(get("/api/jobs", old).status, 200);
  EXPECT_EQ(get("/api/jobs", fresh.text("/secret")).status, 200);
}

TEST_F(SystemApi, RotationMayEndTheOldKey) {
  const auto old = make_key(project_, Role::viewer);
  const auto id = key_id_of(old)->to_string();
  EXPECT_EQ(post("/api/keys/" + id + "/rotate", R"({"old_expires_in": "1h"})").status, 201);
  EXPECT_EQ(get("/api/jobs", old).status, 200);
  clock_.advance(1h);
  EXPECT_EQ(get("/api/jobs", old).code(), "expired_key");
  const auto dead = post("/api/keys/" + id + "/rotate");
  EXPECT_EQ(dead.status, 409);
  EXPECT_EQ(dead.code(), "state_conflict");
}

// A rotation never gives a key more time than it had.
TEST_F(SystemApi, RotationDoesNotLengthenTheOldKeysLife) {
  const auto old = make_key(project_, Role::viewer, clock_.now() + 1h);
  const auto id = key_id_of(old)->to_string();
  EXPECT_EQ(post("/api/keys/" + id + "/rotate", R"({"old_expires_in": "2h"})").status, 201);
  clock_.advance(1h);
  EXPECT_EQ(get("/api/jobs", old).code(), "expired_key");
}

TEST_F(SystemApi, TheLastUseIsRecordedToTheMinute) {
  const auto key = make_key(project_, Role::viewer);
  const auto last_use = [&] { return store_.find_key(*key_id_of(key))->last_used_at; };
  clock_.advance(90s);
  get("/api/jobs", key);
  // The use is recorded behind the answer; a change that comes after it sees it.
  make_job();
  ASSERT_TRUE(last_use());
  EXPECT_EQ(*last_use(), clock_.now() - 30s);
  const auto first = last_use();
  clock_.advance(20s);
  get("/api/jobs", key);
  make_job();
  EXPECT_EQ(last_use(), first) << "once a minute is enough";
  clock_.advance(60s);
  get("/api/jobs", key);
  make_job();
  EXPECT_GT(last_use(), first);
}

// -- Projects ------------------------------------------------------------------------------------

TEST_F(SystemApi, AProjectComesWithItsAdmin) {
  const auto made = post("/api/projects", R"({"name": "team-a"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const auto admin = made.text("/admin_key/secret");
  EXPECT_EQ(made.text("/admin_key/role"), "admin");
  EXPECT_EQ(get("/api/keys", admin).at("/keys").elements.size(), 1U);
  make_job();
  EXPECT_TRUE(get("/api/jobs", admin).at("/jobs").elements.empty());
  EXPECT_EQ(get("/api/projects").at("/projects").elements.size(), 3U);
}

TEST_F(SystemApi, ProjectNamesAreUniqueSlugs) {
  const auto taken = post("/api/projects", R"({"name": "other"})");
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(taken.code(), "key_taken");
  EXPECT_EQ(post("/api/projects", R"({"name": "a b"})").text("/errors/0/code"), "bad_slug");
  EXPECT_EQ(post("/api/projects", "{}").text("/errors/0/code"), "required");
}

TEST_F(SystemApi, OnlyTheFirstProjectsAdminsMakeProjects) {
  const auto answer = send({http::Method::post,
                            "/api/projects",
                            R"({"name": "x"})",
                            other_key_,
                            {{"Content-Type", "application/json"}}});
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.code(), "role_too_low");
}

// -- The server ----------------------------------------------------------------------------------

TEST_F(SystemApi, HealthIsOpenAndSaysNothingMore) {
  for (const char* target : {"/livez", "/readyz"}) {
    const auto answer = send({http::Method::get, target, {}, {}, {}});
    EXPECT_EQ(answer.status, 200) << target;
    EXPECT_EQ(answer.body, R"({"status":"ok"})");
  }
  store_.stop();
  const auto stopped = send({http::Method::get, "/readyz", {}, {}, {}});
  EXPECT_EQ(stopped.status, 503);
  EXPECT_EQ(stopped.body, R"({"status":"unavailable"})");
  EXPECT_EQ(send({http::Method::get, "/livez", {}, {}, {}}).status, 200);
}

TEST_F(SystemApi, AfterStopChangesAreRefused) {
  store_.stop();
  const auto answer = post("/api/submitJob", job_body());
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "shutting_down");
  EXPECT_EQ(answer.header("Retry-After"), "5");
}

TEST_F(SystemApi, Metrics) {
  const auto answer = get("/metrics");
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(answer.body, "chronos_up 1\n");
}

TEST_F(SystemApi, ATestMessageIsOnItsWay) {
  const auto answer = post("/api/notify/test", R"({"email": "ops@example.com"})");
  ASSERT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.text("/sent_to/0/kind"), "email");
  EXPECT_EQ(answer.text("/sent_to/0/address"), "ops@example.com");
  store::ClaimDeliveries claim;
  claim.now = clock_.now();
  claim.lease = 1min;
  const auto claimed = commit_and_wait(store_, std::move(claim));
  ASSERT_EQ(claimed->size(), 1U);
  EXPECT_EQ(claimed->front().target.address, "ops@example.com");
  EXPECT_EQ(claimed->front().message.event, "test");
}

TEST_F(SystemApi, ATestNeedsSomethingToSendItWith) {
  const auto nobody = post("/api/notify/test");
  EXPECT_EQ(nobody.status, 422);
  EXPECT_EQ(nobody.text("/errors/0/pointer"), "/email");
  const auto channel = post("/api/notify/test", R"({"channel": "ops"})");
  EXPECT_EQ(channel.status, 422);
  EXPECT_EQ(channel.text("/errors/0/code"), "not_configured");
  put("/api/channels/ops", R"({"kind": "slack", "url": "https://s.example/"})");
  EXPECT_EQ(post("/api/notify/test", R"({"channel": "ops"})").status, 202) << "the project's own";
  EXPECT_EQ(post("/api/notify/test", R"({"mail": "a@b"})").text("/errors/0/hint"),
            "did you mean 'email'?");
  is_mail_configured_ = false;
  EXPECT_EQ(post("/api/notify/test", R"({"email": "a@b.example"})").text("/errors/0/code"),
            "not_configured");
}

TEST_F(SystemApi, Backup) {
  const auto answer = post("/api/backup");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.text("/path"), "/backups/one");
  EXPECT_EQ(answer.at("/bytes").integer, 42);
}

// It holds every project's data.
TEST_F(SystemApi, BackupIsForAdminsOfTheFirstProject) {
  const auto refused = send({http::Method::post, "/api/backup", "", other_key_, {}});
  EXPECT_EQ(refused.status, 403) << refused.body;
  EXPECT_EQ(refused.code(), "role_too_low");
  EXPECT_EQ(post("/api/backup").status, 201);
}

// -- Preview -------------------------------------------------------------------------------------

TEST_F(SystemApi, PreviewSpeaksAndCounts) {
  const auto answer =
      get("/api/schedule/preview?cron=30%202%20*%20*%20*&timezone=Europe/Berlin&count=2"
          "&from=2026-03-28T00:00:00Z");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_FALSE(answer.text("/words").empty());
  ASSERT_EQ(answer.at("/next").elements.size(), 2U);
  EXPECT_EQ(answer.text("/next/0/at"), "2026-03-28T01:30:00.000Z");
  EXPECT_EQ(answer.text("/next/0/local"), "2026-03-28T02:30:00+01:00");
  EXPECT_EQ(answer.text("/next/1/shifted"), "gap") << "the clock springs over 02:30 that night";
}

TEST_F(SystemApi, PreviewTakesSeveralExpressionsAndIntervals) {
  const auto two =
      get("/api/schedule/preview?cron=0%201%20*%20*%20*&cron=0%202%20*%20*%20*&count=2");
  EXPECT_EQ(two.text("/next/0/at"), "2026-03-03T01:00:00.000Z");
  EXPECT_EQ(two.text("/next/1/at"), "2026-03-03T02:00:00.000Z");
  EXPECT_EQ(get("/api/schedule/preview?every=90m&count=1").text("/next/0/at"),
            "2026-03-02T13:30:00.000Z");
  EXPECT_EQ(get("/api/schedule/preview?every=1h").at("/next").elements.size(), 5U);
}

TEST_F(SystemApi, PreviewAgreesWithTheScheduler) {
  const auto job =
      post("/api/submitJob",
           job_body(R"("cron": "H H * * *", "timezone": "Asia/Kathmandu", "key": "s")"));
  const auto preview =
      get("/api/schedule/preview?cron=H%20H%20*%20*%20*&timezone=Asia/Kathmandu&seed=s&count=1");
  EXPECT_EQ(preview.text("/next/0/at"), job.text("/next_run_at"));
}

TEST_F(SystemApi, PreviewOfAJobAgreesWithTheSchedulerWhateverHappenedToIt) {
  const auto interval = make_job(R"("every": "90m")");
  const auto hashed = make_job(R"("cron": "H H * * *")");
  ASSERT_EQ(patch("/api/jobs/" + hashed, R"({"name": "renamed"})").status, 200);
  clock_.advance(17min);
  const auto next = [&](const std::string& query, const std::string& job) {
    const auto preview = get("/api/schedule/preview?count=1&" + query + "&job=" + job);
    EXPECT_EQ(preview.text("/next/0/at"), get("/api/jobs/" + job).text("/next_run_at"));
  };
  next("every=90m", interval);
  next("cron=H%20H%20*%20*%20*", hashed);

  const std::string path = "/api/schedule/preview?every=90m&job=";
  EXPECT_EQ(get(path + "job_1").text("/errors/0/pointer"), "/job");
  EXPECT_EQ(get(path + interval + "&seed=s").text("/errors/0/pointer"), "/seed");
  EXPECT_EQ(get(path + ids_.make<JobId>().to_string()).status, 404);
}

TEST_F(SystemApi, PreviewRefusesWhatASubmitWould) {
  EXPECT_EQ(get("/api/schedule/preview").text("/errors/0/code"), "required");
  EXPECT_EQ(get("/api/schedule/preview?every=1h&cron=*").text("/errors/0/code"), "one_of");
  EXPECT_EQ(get("/api/schedule/preview?cron=0%2024%20*%20*%20*").at("/errors/0/column").integer, 3);
  EXPECT_EQ(get("/api/schedule/preview?cron=0%200%2030%202%20*").code(), "schedule_never_fires");
  EXPECT_EQ(get("/api/schedule/preview?every=1h&count=201").text("/errors/0/pointer"), "/count");
}

}  // namespace
}  // namespace chronos::contract
