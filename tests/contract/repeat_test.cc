// Idempotency-Key (promises.md F10) and batches.
#include <algorithm>

#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

using namespace std::chrono_literals;

class Repeat : public ApiTest {
 protected:
  Answered post_with(std::string key, std::string target, std::string body = {}) {
    return post(std::move(target), std::move(body), {{"Idempotency-Key", std::move(key)}});
  }
  std::size_t job_count() { return get("/api/jobs?limit=200").at("/jobs").elements.size(); }
};

TEST_F(Repeat, TheSameRequestAnswersTheSameJob) {
  const auto first = post_with("k-1", "/api/submitJob", job_body());
  EXPECT_EQ(first.header("Idempotent-Replayed"), "");
  const auto again = post_with("k-1", "/api/submitJob", job_body());
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.header("Location"), first.header("Location"));
  EXPECT_EQ(again.text("/id"), first.text("/id"));
  EXPECT_EQ(job_count(), 1U);
}

TEST_F(Repeat, AKeyInQuotesIsTheSameKey) {
  const auto first = post_with("k", "/api/submitJob", job_body());
  EXPECT_EQ(post_with("\"k\"", "/api/submitJob", job_body()).text("/id"), first.text("/id"));
}

TEST_F(Repeat, AnotherBodyOrRouteIsRefused) {
  post_with("k", "/api/submitJob", job_body());
  const auto body = post_with("k", "/api/submitJob", job_body(R"("priority": 5)"));
  EXPECT_EQ(body.status, 422);
  EXPECT_EQ(body.code(), "idempotency_key_reused");
  EXPECT_EQ(post_with("k", "/api/jobs", job_body()).code(), "idempotency_key_reused");
  EXPECT_EQ(job_count(), 1U);
}

TEST_F(Repeat, AKeyBelongsToItsCaller) {
  post_with("k", "/api/submitJob", job_body());
  const auto other = send({http::Method::post,
                           "/api/submitJob",
                           job_body(),
                           key_of(Role::submitter),
                           {{"Content-Type", "application/json"}, {"Idempotency-Key", "k"}}});
  EXPECT_EQ(other.status, 201);
  EXPECT_EQ(other.header("Idempotent-Replayed"), "");
  EXPECT_EQ(job_count(), 2U);
}

TEST_F(Repeat, AKeyIsKeptForADay) {
  const auto first = post_with("k", "/api/submitJob", job_body());
  clock_.advance(24h - 1ms);
  EXPECT_EQ(post_with("k", "/api/submitJob", job_body()).text("/id"), first.text("/id"));
  clock_.advance(1ms);
  EXPECT_NE(post_with("k", "/api/submitJob", job_body()).text("/id"), first.text("/id"));
}

TEST_F(Repeat, ARefusedRequestIsNotRemembered) {
  EXPECT_EQ(post_with("k", "/api/submitJob", "{}").status, 422);
  EXPECT_EQ(post_with("k", "/api/submitJob", job_body()).status, 201);
}

TEST_F(Repeat, MalformedKeysAreRefused) {
  for (const std::string& key :
       {std::string(), std::string("\"\""), std::string("a b"), std::string("a\"b"),
        std::string("\xc3\xa9"), std::string(256, 'k')}) {
    const auto answer = post_with(key, "/api/submitJob", job_body());
    EXPECT_EQ(answer.status, 400) << key;
    EXPECT_EQ(answer.code(), "bad_request") << key;
  }
  EXPECT_EQ(post_with(std::string(255, 'k'), "/api/submitJob", job_body()).status, 201);
  EXPECT_EQ(post("/api/submitJob", job_body(), {{"Idempotency-Key", "a"}, {"Idempotency-Key", "b"}})
                .status,
            400);
}

TEST_F(Repeat, RunNowAndRetryAreRepeatable) {
  const auto done = make_run(RunState::succeeded);
  const auto job = get("/api/runs/" + done).text("/job_id");
  for (const auto& target : {"/api/jobs/" + job + "/run", "/api/runs/" + done + "/retry"}) {
    const auto first = post_with(target, target);
    const auto again = post_with(target, target);
    EXPECT_EQ(first.status, 201);
    EXPECT_EQ(again.status, 201);
    EXPECT_EQ(again.text("/id"), first.text("/id"));
    EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  }
}

// A pause that is repeated late does not undo what came after it.
TEST_F(Repeat, PauseIsRepeatable) {
  const auto target = "/api/jobs/" + make_job();
  post_with("k", target + "/pause");
  post(target + "/resume");
  const auto again = post_with("k", target + "/pause");
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(again.text("/status"), "scheduled");
}

TEST_F(Repeat, KeysAndProjectsAreRepeatableButShowTheirSecretOnce) {
  const std::string body = R"({"name": "ci", "role": "submitter"})";
  const auto first = post_with("k", "/api/keys", body);
  const auto again = post_with("k", "/api/keys", body);
  EXPECT_EQ(again.text("/id"), first.text("/id"));
  EXPECT_EQ(again.at("/secret").type, json::Type::null);
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  const auto project = post_with("p", "/api/projects", R"({"name": "team"})");
  const auto same = post_with("p", "/api/projects", R"({"name": "team"})");
  EXPECT_EQ(same.text("/project/id"), project.text("/project/id"));
  EXPECT_EQ(same.at("/admin_key").type, json::Type::null);
  const auto rotate = "/api/keys/" + first.text("/id") + "/rotate";
  EXPECT_EQ(post_with("r", rotate).text("/id"), post_with("r", rotate).text("/id"));
}

TEST_F(Repeat, TestsAndBackupsAreRepeatable) {
  const std::string body = R"({"email": "a@b.example"})";
  EXPECT_EQ(post_with("t", "/api/notify/test", body).header("Idempotent-Replayed"), "");
  EXPECT_EQ(post_with("t", "/api/notify/test", body).header("Idempotent-Replayed"), "true");
  EXPECT_EQ(post_with("b", "/api/backup").header("Idempotent-Replayed"), "");
  EXPECT_EQ(post_with("b", "/api/backup").header("Idempotent-Replayed"), "true");
  EXPECT_EQ(post_with("c", "/api/backup").header("Idempotent-Replayed"), "");
}

// -- Batches -------------------------------------------------------------------------------------

TEST_F(Repeat, ABatchAnswersEachItemInOrder) {
  const auto answer = post("/api/jobs/batch", "[" + job_body() + R"(, {"name": "x"}, 5, )" +
                                                  job_body(R"("priority": 9)") + "]");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.at("/created").integer, 2);
  EXPECT_EQ(answer.at("/failed").integer, 2);
  EXPECT_EQ(answer.at("/results/0/status").integer, 201);
  EXPECT_EQ(answer.at("/results/1/status").integer, 422);
  EXPECT_EQ(answer.text("/results/1/error/errors/0/pointer"), "/action");
  EXPECT_EQ(answer.text("/results/2/error/errors/0/code"), "wrong_type");
  EXPECT_EQ(answer.at("/results/3/job/priority").integer, 9);
  EXPECT_EQ(job_count(), 2U);
}

TEST_F(Repeat, ABatchMayBeLines) {
  const auto lines = job_body() + "\n\r\n{\n  \n" + job_body(R"("priority": 9)") + "\r\n\xff\n";
  const auto answer = post("/api/jobs/batch", lines, {{"Content-Type", "application/x-ndjson"}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  ASSERT_EQ(answer.at("/results").elements.size(), 4U);
  EXPECT_EQ(answer.at("/results/0/status").integer, 201);
  EXPECT_EQ(answer.text("/results/1/error/code"), "bad_json");
  EXPECT_EQ(answer.at("/results/2/job/priority").integer, 9);
  EXPECT_EQ(answer.text("/results/3/error/code"), "bad_encoding");
}

TEST_F(Repeat, AConflictSpoilsItsItemOnly) {
  const auto item = job_body(R"("key": "k")");
  const auto answer = post("/api/jobs/batch", "[" + item + "," + item + "," + job_body() + "]");
  EXPECT_EQ(answer.at("/created").integer, 2);
  EXPECT_EQ(answer.at("/results/1/status").integer, 409);
  EXPECT_EQ(answer.text("/results/1/error/code"), "key_taken");
}

TEST_F(Repeat, ABatchHasALimit) {
  std::string body = "[";
  for (int i = 0; i <= 10'000; ++i) body += i == 0 ? "0" : ",0";
  const auto answer = post("/api/jobs/batch", body + "]");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/code"), "too_long");
  EXPECT_EQ(post("/api/jobs/batch", body.substr(0, body.size() - 2) + "]").status, 200);
}

TEST_F(Repeat, ABatchIsAnArray) {
  EXPECT_EQ(post("/api/jobs/batch", job_body()).text("/errors/0/code"), "wrong_type");
  EXPECT_EQ(post("/api/jobs/batch", "[").status, 400);
  EXPECT_EQ(post("/api/jobs/batch", "[]").at("/created").integer, 0);
  EXPECT_EQ(post("/api/jobs/batch", "[]", {{"Content-Type", "text/plain"}}).status, 415);
}

TEST_F(Repeat, ABatchIsRepeatable) {
  const auto body = "[{}," + job_body() + "," + job_body() + "]";
  const auto first = post_with("k", "/api/jobs/batch", body);
  const auto again = post_with("k", "/api/jobs/batch", body);
  EXPECT_EQ(first.at("/created").integer, 2);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(job_count(), 2U);
}

// Not even the items that the first batch did not have are made.
TEST_F(Repeat, ABatchWithAnotherBodyMakesNothing) {
  post_with("k", "/api/jobs/batch", "[" + job_body() + "]");
  const auto other = post_with("k", "/api/jobs/batch", "[" + job_body() + "," + job_body() + "]");
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(other.code(), "idempotency_key_reused");
  EXPECT_EQ(job_count(), 1U);
}

}  // namespace
}  // namespace chronos::contract
