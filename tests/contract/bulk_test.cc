// Bulk operations and channels over HTTP.
#include <algorithm>

#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

class BulkApi : public ApiTest {
 protected:
  std::vector<std::string> make_jobs(int count, const std::string& tag = "a") {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      ids.push_back(make_job(R"("cron": "0 0 * * *", "tags": [")" + tag + "\"]"));
    }
    return ids;
  }
  std::string create(const std::string& body) {
    const auto answer = post("/api/bulk", body);
    EXPECT_EQ(answer.status, 202) << answer.body;
    return answer.text("/id");
  }
  Answered bulk(const std::string& id) { return get("/api/bulk/" + id); }
  // Turns the crank until nothing is left to do now.
  void work() {
    while (bulks_.step() <= clock_.now()) continue;
  }
  std::int64_t count(const std::string& query) {
    return std::ssize(get("/api/jobs?limit=200&" + query).at("/jobs").elements);
  }
};

TEST_F(BulkApi, ADryRunCountsAndChangesNothing) {
  const auto jobs = make_jobs(3);
  make_jobs(2, "b");
  const auto answer =
      post("/api/bulk", R"({"action": "pause", "jobs": {"tag": "a"}, "dry_run": true})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.at("/matches").integer, 3);
  EXPECT_EQ(answer.text("/sample/0/id"), jobs[2]) << "newest first";
  EXPECT_EQ(answer.text("/sample/0/name"), "a job");
  EXPECT_TRUE(get("/api/bulk").at("/bulks").elements.empty());
}

TEST_F(BulkApi, ADryRunByIdsNamesThemToo) {
  const auto nobody = JobId{}.to_string();
  const auto jobs = post("/api/bulk", R"({"action": "pause", "dry_run": true, "ids": [")" +
                                          make_job() + R"(", ")" + nobody + R"("]})");
  EXPECT_EQ(jobs.text("/sample/0/name"), "a job");
  EXPECT_EQ(jobs.text("/sample/1/id"), nobody);
  EXPECT_EQ(jobs.text("/sample/1/name"), "") << "it is not there, and will fail";
  const auto runs = post("/api/bulk", R"({"action": "retry", "dry_run": true, "ids": [")" +
                                          make_run(RunState::failed) + R"("]})");
  EXPECT_EQ(runs.text("/sample/0/name"), "a job");
}

TEST_F(BulkApi, StartsAfterTheTimeToUndo) {
  make_jobs(3);
  const auto id = create(R"({"action": "pause", "jobs": {"tag": "a"}})");
  EXPECT_EQ(bulk(id).text("/status"), "waiting");
  EXPECT_EQ(bulk(id).text("/starts_at"), "2026-03-02T12:00:10.000Z");
  work();
  EXPECT_EQ(count("status=paused"), 0);
  clock_.advance(kBulkUndo - 1ms);
  work();
  EXPECT_EQ(count("status=paused"), 0);
  clock_.advance(1ms);
  work();
  EXPECT_EQ(count("status=paused"), 3);
  EXPECT_EQ(bulk(id).text("/status"), "done");
  EXPECT_EQ(bulk(id).at("/done").integer, 3);
  EXPECT_EQ(bulk(id).text("/ended_at"), "2026-03-02T12:00:10.000Z");
}

TEST_F(BulkApi, IsUndoneBeforeItStarts) {
  make_jobs(3);
  const auto id = create(R"({"action": "cancel", "jobs": {}})");
  EXPECT_EQ(post("/api/bulk/" + id + "/cancel").text("/status"), "cancelled");
  clock_.advance(1h);
  work();
  EXPECT_EQ(count("status=cancelled"), 0);
  EXPECT_EQ(bulk(id).at("/done").integer, 0);
  EXPECT_EQ(post("/api/bulk/" + id + "/cancel").text("/status"), "cancelled") << "again";
}

// A step is a bounded number of small changes, each of which is committed with whatever else waits:
// a run that is ready is claimed after one step, however many things are left to do.
TEST_F(BulkApi, StartsOfOthersWaitForOneStepAtMost) {
  make_jobs(3 * kBulkStep);
  create(R"({"action": "cancel", "jobs": {"tag": "a"}})");
  clock_.advance(kBulkUndo);
  const auto other = make_job(R"("priority": 0)");  // runs now
  bulks_.step();
  EXPECT_EQ(count("status=cancelled"), kBulkStep);
  const auto runs = get("/api/jobs/" + other + "/runs").text("/runs/0/id");
  claim(runs);
  EXPECT_EQ(get("/api/runs/" + runs).text("/state"), "running");
  bulks_.step();
  EXPECT_EQ(count("status=cancelled"), 2 * kBulkStep);
}

TEST_F(BulkApi, StopsWhereItIs) {
  make_jobs(3 * kBulkStep);
  const auto id = create(R"({"action": "pause", "jobs": {}})");
  clock_.advance(kBulkUndo);
  bulks_.step();
  EXPECT_EQ(post("/api/bulk/" + id + "/cancel").text("/status"), "cancelled");
  work();
  EXPECT_EQ(bulk(id).at("/done").integer, kBulkStep);
  EXPECT_EQ(count("status=paused"), kBulkStep);
}

// As after a new start of the server: another worker upon the same store goes on.
TEST_F(BulkApi, AnotherGoesOnWhereItWas) {
  make_jobs(2 * kBulkStep);
  const auto id = create(R"({"action": "run", "jobs": {}})");
  clock_.advance(kBulkUndo);
  bulks_.step();
  service::Bulks other(store_, clock_, ids_, jobs_, runs_);
  while (other.step() <= clock_.now()) continue;
  EXPECT_EQ(bulk(id).at("/done").integer, 2 * kBulkStep);
  EXPECT_EQ(get("/api/runs?state=queued&limit=200").at("/runs").elements.size(),
            static_cast<std::size_t>(2 * kBulkStep));
}

// What was done and not written down is done again, and has happened once all the same.
TEST_F(BulkApi, AStepThatIsRepeatedMakesNoSecondRun) {
  const auto failed = make_run(RunState::failed);
  const auto id = create(R"({"action": "retry", "ids": [")" + failed + R"("]})");
  clock_.advance(kBulkUndo);
  work();
  // What a repeated step asks: with the same key (Bulks::act_on).
  const std::string key = id + " " + JobId{RunId::parse(failed)->uuid}.to_string();
  service::RequestFacts facts;
  facts.idempotency_key = key;
  facts.fingerprint = sha256(key);
  std::promise<bool> is_replay;
  runs_.retry({.key = *key_id_of(key_of(Role::admin)),
               .project = project_,
               .project_name = "default",
               .role = Role::admin},
              *RunId::parse(failed), facts, [&](const Result<service::RunReply>& reply) {
                is_replay.set_value(reply->is_replay);
              });
  EXPECT_TRUE(is_replay.get_future().get());
  EXPECT_EQ(get("/api/runs?state=queued").at("/runs").elements.size(), 1U);
}

TEST_F(BulkApi, WhatCannotBeDoneIsTold) {
  const auto going = make_run(RunState::running);
  const auto failed = make_run(RunState::failed);
  const auto unknown = RunId{{1, 2}}.to_string();
  const auto id = create(R"({"action": "retry", "ids": [")" + going + R"(", ")" + failed +
                         R"(", ")" + unknown + R"("]})");
  clock_.advance(kBulkUndo);
  work();
  const auto answer = bulk(id);
  EXPECT_EQ(answer.text("/status"), "done");
  EXPECT_EQ(answer.at("/done").integer, 1);
  EXPECT_EQ(answer.at("/failed_count").integer, 2);
  EXPECT_EQ(answer.text("/failed/0/id"), going);
  EXPECT_EQ(answer.text("/failed/0/code"), "state_conflict");
  EXPECT_EQ(answer.text("/failed/1/id"), unknown);
  EXPECT_EQ(answer.text("/failed/1/code"), "not_found");
}

TEST_F(BulkApi, RunsAreFilteredAsTheirListIs) {
  make_run(RunState::failed);
  make_run(RunState::failed);
  make_run(RunState::succeeded);
  const auto id = create(R"({"action": "retry", "runs": {"state": "failed"}})");
  EXPECT_EQ(bulk(id).text("/of"), "runs");
  EXPECT_EQ(bulk(id).at("/total").integer, 2);
  EXPECT_EQ(bulk(id).text("/selection/runs/state"), "failed");
  clock_.advance(kBulkUndo);
  work();
  EXPECT_EQ(bulk(id).at("/done").integer, 2);
  const auto of_job =
      post("/api/bulk",
           R"({"action": "cancel", "dry_run": true, "runs": {"job": ")" + make_job() + R"("}})");
  EXPECT_EQ(of_job.at("/matches").integer, 1) << "its planned run";
}

TEST_F(BulkApi, EveryFilterOfTheListsIsOneOfBulks) {
  make_run(RunState::failed);
  make_run(RunState::succeeded);
  make_run(RunState::cancelled);
  make_job(R"("every": "1h", "queue": "narrow")");
  const auto matches = [&](const std::string& what) {
    const auto answer = post("/api/bulk", R"({"action": "cancel", "dry_run": true, )" + what + "}");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.at("/matches").integer;
  };
  EXPECT_EQ(matches(R"("runs": {"state": "failed,succeeded", "since": "2h"})"), 2);
  EXPECT_EQ(matches(R"("runs": {"state": "failed,succeeded", "until": "2h"})"), 0);
  EXPECT_EQ(matches(R"("jobs": {"queue": "narrow"})"), 1);
  EXPECT_EQ(matches(R"("jobs": {"kind": "worker"})"), 0);
}

TEST_F(BulkApi, EachActionDoesWhatItSays) {
  const auto jobs = make_jobs(2);
  const auto act = [&](const std::string& action) {
    create(R"({"action": ")" + action + R"(", "ids": [")" + jobs[0] + R"(", ")" + jobs[0] +
           R"("]})");
    clock_.advance(kBulkUndo);
    work();
    return get("/api/jobs/" + jobs[0]).text("/status");
  };
  EXPECT_EQ(act("pause"), "paused");
  EXPECT_EQ(act("resume"), "scheduled");
  act("run");
  EXPECT_EQ(get("/api/runs?state=queued").at("/runs").elements.size(), 1U);
  EXPECT_EQ(act("cancel"), "cancelled");
  EXPECT_EQ(get("/api/jobs/" + jobs[1]).text("/status"), "scheduled");
  EXPECT_EQ(
      get("/api/audit?resource=" + jobs[0] + "&action=job.cancel").at("/entries").elements.size(),
      1U)
      << "each thing has its entry";
}

TEST_F(BulkApi, BadRequestsNameTheField) {
  const auto refused = [&](const std::string& body) {
    const auto answer = post("/api/bulk", body);
    EXPECT_EQ(answer.status, 422) << body << answer.body;
    return answer.text("/errors/0/pointer") + " " + answer.text("/errors/0/code");
  };
  EXPECT_EQ(refused(R"({"jobs": {}})"), "/action required");
  EXPECT_EQ(refused(R"({"action": "explode", "jobs": {}})"), "/action unknown_value");
  EXPECT_EQ(refused(R"({"action": "pause"})"), " one_of");
  EXPECT_EQ(refused(R"({"action": "pause", "jobs": {}, "ids": ["job_x"]})"), " one_of");
  EXPECT_EQ(refused(R"({"action": "pause", "jobs": {"status": "x"}})"),
            "/jobs/status unknown_value");
  EXPECT_EQ(refused(R"({"action": "pause", "jobs": {"tags": "x"}})"),
            "/jobs/tags unknown_parameter");
  EXPECT_EQ(refused(R"({"action": "pause", "jobs": {"tag": []}})"), "/jobs/tag wrong_type");
  EXPECT_EQ(refused(R"({"action": "retry", "jobs": {}})"), "/action not_applicable");
  EXPECT_EQ(refused(R"({"action": "pause", "runs": {}})"), "/action not_applicable");
  EXPECT_EQ(refused(R"({"action": "pause", "ids": ["x"]})"), "/ids/0 bad_id");
  const auto mixed = R"({"action": "cancel", "ids": [")" + make_job() + R"(", ")" +
                     make_run(RunState::queued) + R"("]})";
  EXPECT_EQ(refused(mixed), "/ids/1 bad_id");
}

TEST_F(BulkApi, IsRepeatableAndListed) {
  make_jobs(1);
  const std::string body = R"({"action": "pause", "jobs": {}})";
  const auto first = post("/api/bulk", body, {{"Idempotency-Key", "k"}});
  const auto again = post("/api/bulk", body, {{"Idempotency-Key", "k"}});
  EXPECT_EQ(again.text("/id"), first.text("/id"));
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  const auto second = create(body);
  EXPECT_EQ(get("/api/bulk").text("/bulks/0/id"), second);
  const auto page = get("/api/bulk?limit=1");
  EXPECT_EQ(get("/api/bulk?cursor=" + page.text("/next")).text("/bulks/0/id"), first.text("/id"));
}

// -- Channels ------------------------------------------------------------------------------------

TEST_F(BulkApi, ChannelsAreMadeChangedAndDeleted) {
  const auto made = post("/api/channels", R"({"name": "ops", "kind": "webhook",
      "url": "https://a.example/", "secret": "whsec_abc"})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.header("Location"), "/api/channels/ops");
  EXPECT_TRUE(made.at("/has_secret").boolean);
  EXPECT_EQ(made.body.find("whsec_abc"), std::string::npos);
  EXPECT_EQ(
      post("/api/channels", R"({"name": "ops", "kind": "slack", "url": "https://x/"})").status,
      409);
  const auto changed =
      put("/api/channels/ops", R"({"kind": "webhook", "url": "https://b.example/"})");
  EXPECT_TRUE(changed.at("/has_secret").boolean) << "a secret that is not given stays";
  EXPECT_EQ(changed.at("/version").integer, 2);
  EXPECT_FALSE(put("/api/channels/ops",
                   R"({"kind": "webhook", "url": "https://b.example/", "secret": null})")
                   .at("/has_secret")
                   .boolean);
  EXPECT_EQ(get("/api/channels").text("/channels/0/name"), "ops");
  EXPECT_EQ(remove("/api/channels/ops").status, 200);
  EXPECT_EQ(get("/api/channels/ops").status, 404);
}

TEST_F(BulkApi, BadChannelsNameTheField) {
  const auto refused = [&](const std::string& body) {
    const auto answer = post("/api/channels", body);
    EXPECT_EQ(answer.status, 422) << body << answer.body;
    return answer.text("/errors/0/pointer") + " " + answer.text("/errors/0/code");
  };
  EXPECT_EQ(refused(R"({"name": "a"})"), "/kind required");
  EXPECT_EQ(refused(R"({"kind": "email", "to": ["a@b.example"]})"), "/name required");
  EXPECT_EQ(refused(R"({"name": "a", "kind": "pigeon"})"), "/kind unknown_value");
  EXPECT_EQ(refused(R"({"name": "a", "kind": "email"})"), "/to required");
  EXPECT_EQ(refused(R"({"name": "a", "kind": "slack"})"), "/url required");
  EXPECT_EQ(refused(R"({"name": "a", "kind": "webhook", "url": "bad"})"), "/url bad_url");
  EXPECT_EQ(refused(R"({"name": "a", "kind": "slack", "url": "https://x/", "secret": "s"})"),
            "/secret not_applicable");
  EXPECT_EQ(put("/api/channels/a", R"({"name": "b", "kind": "slack", "url": "https://x/"})").status,
            422);
}

TEST_F(BulkApi, ATestSaysWhatCameOfIt) {
  post("/api/channels", R"({"name": "up", "kind": "slack", "url": "https://a.example/"})");
  post("/api/channels", R"({"name": "down", "kind": "slack", "url": "https://down.example/"})");
  EXPECT_TRUE(post("/api/channels/up/test").at("/delivered").boolean);
  const auto failed = post("/api/channels/down/test");
  EXPECT_EQ(failed.status, 200);
  EXPECT_FALSE(failed.at("/delivered").boolean);
  EXPECT_EQ(failed.text("/error"), "connection refused");
  EXPECT_EQ(post("/api/channels/nobody/test").status, 404);
}

}  // namespace
}  // namespace chronos::contract
