// What must be refused, and how well it is told (product.md §3a).
#include <set>

#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

class Input : public ApiTest {
 protected:
  Answered submit(std::string_view members) { return post("/api/submitJob", job_body(members)); }

  // One fault in one field.
  void expect_fault(std::string_view members, std::string_view pointer, std::string_view code,
                    std::string_view hint = {}) {
    const auto answer = submit(members);
    EXPECT_EQ(answer.status, 422) << members;
    EXPECT_EQ(answer.text("/errors/0/pointer"), pointer) << members;
    EXPECT_EQ(answer.text("/errors/0/code"), code) << members;
    EXPECT_TRUE(hint.empty() || answer.text("/errors/0/hint") == hint) << answer.body;
    EXPECT_EQ(answer.at("/errors").elements.size(), 1U) << answer.body;
  }
};

// -- The body as a whole -------------------------------------------------------------------------

TEST_F(Input, NotJson) {
  const std::vector<std::pair<std::string, std::string>> bodies = {
      {"{", "bad_json"},
      {"{\"name\": }", "bad_json"},
      {"{} {}", "bad_json"},
      {"nonsense", "bad_json"},
      {" ", "bad_json"},
      {"{\"name\": \"a\", \"name\": \"b\"}", "bad_json"},
      {"{\"a\\u0062\": 1, \"ab\": 2}", "bad_json"},
      {"{\"name\": \"\xc3\x28\"}", "bad_encoding"},
      {"\xff\xfe", "bad_encoding"},
      {std::string(10'000, '['), "too_deep"},
      {std::string(65, '[') + std::string(65, ']'), "too_deep"},
  };
  for (const auto& [body, code] : bodies) {
    const auto answer = post("/api/submitJob", body);
    EXPECT_EQ(answer.status, 400) << body.substr(0, 40);
    EXPECT_EQ(answer.code(), code) << body.substr(0, 40);
  }
  EXPECT_EQ(post("/api/submitJob", "", {{"Content-Type", "application/json"}}).status, 400);
}

TEST_F(Input, JsonOfTheWrongKind) {
  for (const char* body : {"[]", "5", "null", "\"job\"", "true"}) {
    const auto answer = post("/api/submitJob", body);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_EQ(answer.text("/errors/0/code"), "wrong_type") << body;
    EXPECT_EQ(answer.text("/errors/0/pointer"), "") << body;
  }
}

TEST_F(Input, AnythingButJsonIsAnUnsupportedType) {
  const auto ask = [this](const char* type) {
    return post("/api/submitJob", job_body(), {{"Content-Type", type}}).status;
  };
  EXPECT_EQ(ask("application/json"), 201);
  EXPECT_EQ(ask("application/json; charset=utf-8"), 201);
  EXPECT_EQ(ask("Application/JSON;charset=\"UTF-8\""), 201);
  EXPECT_EQ(ask("text/plain"), 415);
  EXPECT_EQ(ask("application/x-www-form-urlencoded"), 415);
  EXPECT_EQ(ask("application/x-ndjson"), 415);
  EXPECT_EQ(ask("application/json; charset=latin1"), 415);
  EXPECT_EQ(ask("application/json5"), 415);
  EXPECT_EQ(ask(""), 415);
}

// A browser sends a cross-site request without asking when its body has no type.
TEST_F(Input, ABodyWithoutATypeIsRefused) {
  const auto answer =
      send({http::Method::post, "/api/submitJob", job_body(), key_of(Role::admin), {}});
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(answer.text("/hint"), "send the header 'Content-Type: application/json'");
}

TEST_F(Input, RoutesWithoutABodyRefuseOne) {
  const auto target = "/api/jobs/" + make_job() + "/pause";
  EXPECT_EQ(post(target, "{}").status, 200);
  const auto answer = post(target, R"({"force": true})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/pointer"), "/force");
  EXPECT_EQ(post(target, "[]").status, 422);
  EXPECT_EQ(post(target, "{").status, 400);
}

// -- Fields --------------------------------------------------------------------------------------

TEST_F(Input, RequiredFields) {
  const auto answer = post("/api/submitJob", "{}");
  ASSERT_EQ(answer.status, 422);
  EXPECT_EQ(answer.code(), "invalid_fields");
  EXPECT_EQ(answer.text("/errors/0/pointer"), "/name");
  EXPECT_EQ(answer.text("/errors/1/pointer"), "/action");
  EXPECT_EQ(answer.text("/detail"), "name: is required (and 1 more)");
}

TEST_F(Input, UnknownFieldsAreNamedWithTheNearest) {
  expect_fault(R"("crom": "* * * * *")", "/crom", "unknown_field", "did you mean 'cron'?");
  expect_fault(R"("Timezone": "UTC")", "/Timezone", "unknown_field", "did you mean 'timezone'?");
  expect_fault(R"("max_atempts": 3)", "/max_atempts", "unknown_field",
               "did you mean 'max_attempts'?");
  expect_fault(R"("retry": {"dealy": "1s"})", "/retry/dealy", "unknown_field",
               "did you mean 'delay'?");
  expect_fault(R"("notify": [{"emial": ["a@b.c"], "channel": "x"}])", "/notify/0/emial",
               "unknown_field", "did you mean 'email'?");
  expect_fault(R"("a/b~c": 1)", "/a~1b~0c", "unknown_field");
}

TEST_F(Input, WrongTypes) {
  expect_fault(R"("tags": "x")", "/tags", "wrong_type");
  expect_fault(R"("tags": ["x", 5])", "/tags/1", "wrong_type");
  expect_fault(R"("priority": "high")", "/priority", "wrong_type");
  expect_fault(R"("priority": 4.5)", "/priority", "wrong_type");
  expect_fault(R"("paused": 1)", "/paused", "wrong_type");
  expect_fault(R"("metadata": {"a": 1})", "/metadata/a", "wrong_type");
  expect_fault(R"("cron": 5)", "/cron", "wrong_type");
  expect_fault(R"("timeout": [])", "/timeout", "wrong_type");
  expect_fault(R"("scheduled_time": 1772452800)", "/scheduled_time", "wrong_type");
}

TEST_F(Input, ValuesOutOfRange) {
  expect_fault(R"("max_attempts": -1)", "/max_attempts", "out_of_range");
  expect_fault(R"("max_attempts": 1001)", "/max_attempts", "out_of_range");
  expect_fault(R"("priority": 10)", "/priority", "out_of_range");
  expect_fault(R"("every": "500ms")", "/every", "out_of_range");
  expect_fault(R"("queue": "")", "/queue", "bad_slug");
  expect_fault(R"("key": "a b")", "/key", "bad_slug");
  expect_fault(R"("overlap": "sometimes")", "/overlap", "unknown_value");
  expect_fault(R"("notify": [{"email": ["nobody"]}])", "/notify/0/email/0", "bad_email");
  EXPECT_EQ(submit(R"("max_attempts": 0)").at("/max_attempts").integer, 0) << "0 is no limit";
}

TEST_F(Input, NamesHaveALength) {
  const auto name_of = [this](std::size_t size) {
    return post("/api/submitJob", R"({"name": ")" + std::string(size, 'x') +
                                      R"(", "action": {"kind": "http", "url": "http://a/"}})")
        .status;
  };
  EXPECT_EQ(name_of(200), 201);
  EXPECT_EQ(name_of(201), 422);
  EXPECT_EQ(name_of(0), 422);
}

TEST_F(Input, ThePayloadHasALimit) {
  const auto of = [this](std::size_t size) {
    return submit(R"("payload": ")" + std::string(size - 2, 'x') + "\"");
  };
  EXPECT_EQ(of(256 * 1024).status, 201);
  const auto answer = of(256 * 1024 + 1);
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/pointer"), "/payload");
  EXPECT_EQ(answer.text("/errors/0/code"), "too_long");
}

TEST_F(Input, TagsHaveALimit) {
  std::string tags = "\"tags\": [";
  for (int i = 0; i < 64; ++i) tags += "\"t\", ";
  EXPECT_EQ(submit(tags + "\"t\"]").text("/errors/0/pointer"), "/tags");
}

TEST_F(Input, TheExecutorChecksTheAction) {
  const auto answer =
      post("/api/submitJob", R"({"name": "x", "action": {"kind": "carrier-pigeon"}})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/pointer"), "/action/kind");
  EXPECT_EQ(post("/api/submitJob", R"({"name": "x", "action": {}})").text("/errors/0/pointer"),
            "/action/kind");
}

// -- Schedules -----------------------------------------------------------------------------------

TEST_F(Input, ABadCronIsToldWithItsColumn) {
  const auto answer = submit(R"("cron": "0 24 * * *")");
  ASSERT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/pointer"), "/cron");
  EXPECT_EQ(answer.text("/errors/0/code"), "out_of_range");
  EXPECT_EQ(answer.at("/errors/0/column").integer, 3);
  EXPECT_EQ(answer.at("/errors/0/length").integer, 2);
  EXPECT_EQ(submit(R"("cron": ["0 0 * * *", "x"])").text("/errors/0/pointer"), "/cron/1");
}

TEST_F(Input, AScheduleThatNeverFires) {
  const auto impossible = submit(R"("cron": "0 0 30 2 *")");
  EXPECT_EQ(impossible.status, 422);
  EXPECT_EQ(impossible.code(), "schedule_never_fires");
  const auto over = submit(R"("cron": "0 0 * * *", "end_at": "2026-03-01T00:00:00Z")");
  EXPECT_EQ(over.status, 422);
  EXPECT_EQ(over.code(), "schedule_never_fires");
}

TEST_F(Input, Times) {
  expect_fault(R"("cron": "0 0 * * *", "timezone": "Europe/Atlantis")", "/timezone",
               "unknown_timezone");
  const auto local = submit(R"("scheduled_time": "2026-04-01T00:00:00")");
  EXPECT_EQ(local.status, 422);
  EXPECT_EQ(local.text("/errors/0/pointer"), "/scheduled_time");
  EXPECT_EQ(submit(R"("scheduled_time": "tomorrow")").status, 422);
  EXPECT_EQ(submit(R"("scheduled_time": "2026-02-29T00:00:00Z")").status, 422);
  EXPECT_EQ(submit(R"("timeout": "5 minutes")").text("/errors/0/pointer"), "/timeout");
  EXPECT_EQ(submit(R"("timeout": "PT90S")").text("/timeout"), "1m30s");
  EXPECT_EQ(submit(R"("timeout": 90)").text("/timeout"), "1m30s");
}

TEST_F(Input, OneScheduleOnly) {
  const auto answer = submit(R"("cron": "0 0 * * *", "every": "1h")");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/code"), "one_of");
  expect_fault(R"("max_runs": 3)", "/max_runs", "not_applicable");
}

// Whoever mends a declaration mends it once: fields, action and schedule are all told.
TEST_F(Input, EveryProblemIsToldAtOnce) {
  const auto answer = post("/api/submitJob",
                           R"({"name": "", "action": {"kind": "x"}, "cron": "61 * * * *",
                               "timezone": "Nowhere", "priority": 11, "crom": 1})");
  ASSERT_EQ(answer.status, 422);
  std::set<std::string> pointers;
  for (const auto& error : answer.at("/errors").elements) {
    pointers.insert(error.find("pointer")->string);
  }
  EXPECT_EQ(pointers, (std::set<std::string>{"/name", "/action/kind", "/cron", "/timezone",
                                             "/priority", "/crom"}))
      << answer.body;
}

TEST_F(Input, EditsAreCheckedLikeSubmits) {
  const auto target = "/api/jobs/" + make_job();
  EXPECT_EQ(put(target, R"({"cron": "0 0 30 2 *"})").code(), "schedule_never_fires");
  EXPECT_EQ(put(target, R"({"cron": "0 24 * * *"})").at("/errors/0/column").integer, 3);
  EXPECT_EQ(patch(target, R"({"action": {"kind": "x"}})").text("/errors/0/pointer"),
            "/action/kind");
  EXPECT_EQ(patch(target, R"({"max_attempts": -1})").status, 422);
  EXPECT_EQ(patch(target, R"({"after": [{"job": "a"}]})").code(), "not_supported_yet");
  EXPECT_EQ(get(target).header("ETag"), "\"v1\"");
}

// -- Queries -------------------------------------------------------------------------------------

TEST_F(Input, UnknownParametersAreNamedWithTheNearest) {
  const auto answer = get("/api/jobs?limt=5");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.text("/errors/0/pointer"), "/limt");
  EXPECT_EQ(answer.text("/errors/0/hint"), "did you mean 'limit'?");
  EXPECT_EQ(get("/api/jobs?limit=1&limit=2").text("/errors/0/code"), "repeated");
}

TEST_F(Input, ParametersAreChecked) {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"limit=0", "/limit"},
      {"limit=201", "/limit"},
      {"limit=", "/limit"},
      {"limit=1x", "/limit"},
      {"limit=-1", "/limit"},
      {"limit=99999999999999999999", "/limit"},
      {"status=done", "/status"},
      {"cursor=x", "/cursor"},
      {"cursor=cnVu", "/cursor"},
      {"created_after=2026-01-01", "/created_after"},
      {"created_before=", "/created_before"},
  };
  for (const auto& [query, pointer] : bad) {
    const auto answer = get("/api/jobs?" + query);
    EXPECT_EQ(answer.status, 422) << query;
    EXPECT_EQ(answer.text("/errors/0/pointer"), pointer) << query;
  }
  EXPECT_EQ(get("/api/jobs?created_after=2026-01-01T00:00:00+02:00").text("/errors/0/hint"),
            "write + as %2B");
  EXPECT_EQ(get("/api/jobs?status=%ff").code(), "bad_encoding");
  EXPECT_EQ(get("/api/jobs?status=%zz").code(), "bad_request");
}

}  // namespace
}  // namespace chronos::contract
