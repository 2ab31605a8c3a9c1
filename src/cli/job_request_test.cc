#include "cli/job_request.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "base/time_text.h"

namespace chronos::cli {
namespace {

Result<std::string> body_of(const JobFlags& flags, std::string base = {}) {
  JobRequestInputs inputs;
  inputs.base = std::move(base);
  inputs.now = *parse_timestamp("2026-03-08T07:30:00Z");
  inputs.read_file = [](const std::string& path) -> Result<std::string> {
    if (path == "payload.json") return std::string("{\"from\": \"file\"}\n");
    return fail(Reason::bad_request, "no file " + path);
  };
  return job_body(flags, inputs);
}

TEST(JobBody, IsEmptyWithoutFlags) {
  EXPECT_EQ(body_of({}), "{}");
}

TEST(JobBody, HasEveryFieldThatWasGiven) {
  JobFlags flags;
  flags.name = "nightly \"report\"";
  flags.key = "nightly";
  flags.tags = {"a", "b"};
  flags.metadata = {"team=core", "url=x=y"};
  flags.note = "n";
  flags.paused = true;
  flags.schedule.cron = {"30 2 * * *"};
  flags.schedule.timezone = "Europe/Berlin";
  flags.schedule.dst = "skip";
  flags.schedule.start_at = "2026-01-01T00:00:00Z";
  flags.schedule.end_at = "2027-01-01T00:00:00Z";
  flags.schedule.max_runs = 5;
  flags.policy.max_attempts = 0;
  flags.policy.retry_backoff = "fixed";
  flags.policy.retry_delay = "2s";
  flags.policy.retry_max_delay = "1m";
  flags.policy.retry_jitter = "none";
  flags.policy.retry_max_age = "1h";
  flags.policy.retry_on = {"timed_out"};
  flags.policy.timeout = "10s";
  flags.policy.deadline = "1h";
  flags.policy.on_lost = "fail";
  flags.policy.misfire = "skip";
  flags.policy.misfire_grace = "5s";
  flags.policy.misfire_window = "1h";
  flags.policy.overlap = "allow";
  flags.policy.queue = "reports";
  flags.policy.priority = 9;
  flags.policy.concurrency_key = "tenant";
  flags.policy.concurrency_max = 2;
  flags.policy.rate_key = "api";
  flags.policy.rate_max = 100;
  flags.policy.rate_per = "1m";
  flags.policy.unique_key = "k";
  flags.policy.unique_while = "window";
  flags.policy.unique_window = "10m";
  flags.policy.on_conflict = "extend";
  flags.policy.notify_email = {"a@b", "c@d"};
  flags.policy.notify_channel = {"chat"};
  flags.action.url = "https://example.com";
  flags.payload = "[1, 2.50]";
  EXPECT_EQ(
      body_of(flags),
      R"({"name":"nightly \"report\"","key":"nightly","tags":["a","b"],)"
      R"("metadata":{"team":"core","url":"x=y"},"note":"n","paused":true,"cron":"30 2 * * *",)"
      R"("timezone":"Europe/Berlin","dst":"skip","start_at":"2026-01-01T00:00:00Z",)"
      R"("end_at":"2027-01-01T00:00:00Z","max_runs":5,"max_attempts":0,)"
      R"("retry":{"backoff":"fixed","delay":"2s","max_delay":"1m","jitter":"none",)"
      R"("max_age":"1h","on":["timed_out"]},"timeout":"10s","deadline":"1h","on_lost":"fail",)"
      R"("misfire":{"policy":"skip","grace":"5s","window":"1h"},"overlap":"allow",)"
      R"("queue":"reports","priority":9,)"
      R"("concurrency":{"key":"tenant","max":2},"rate":{"key":"api","max":100,"per":"1m"},)"
      R"("unique":{"key":"k","while":"window","window":"10m","on_conflict":"extend"},)"
      R"("notify":[{"on":"failure","email":["a@b","c@d"]},)"
      R"({"on":"failure","channel":"chat"}],"action":{"kind":"http","url":"https://example.com"},)"
      R"("payload":[1, 2.50]})");
}

TEST(JobBody, MakesHttpActions) {
  JobFlags flags;
  flags.name = "n";
  flags.action.url = "https://example.com";
  flags.action.method = "PUT";
  flags.action.headers = {"X-A: 1", "X-B:2", "X-C:"};
  flags.action.body = "raw";
  EXPECT_EQ(body_of(flags),
            R"({"name":"n","action":{"kind":"http","url":"https://example.com","method":"PUT",)"
            R"("headers":{"X-A":"1","X-B":"2","X-C":""},"body":"raw"}})");
  flags.action.headers = {"no separator"};
  ASSERT_FALSE(body_of(flags));
}

TEST(JobBody, MakesCommandActions) {
  JobFlags flags;
  flags.action.argv = {"pg_dump", "--all", "a b"};
  flags.action.env = {"A=1", "B="};
  flags.action.cwd = "/srv";
  flags.action.stdin_text = "in";
  flags.action.shell = true;
  EXPECT_EQ(body_of(flags),
            R"({"name":"pg_dump --all a b","action":{"kind":"command","argv":["pg_dump","--all",)"
            R"("a b"],"env":{"A":"1","B":""},"cwd":"/srv","stdin":"in","shell":true}})");
}

TEST(JobBody, NamesAJobAfterItsAction) {
  JobFlags flags;
  flags.action.url = "https://example.com";
  EXPECT_TRUE(body_of(flags)->starts_with(R"({"name":"POST https://example.com")"));
  flags = {};
  flags.action.argv = {std::string(199, 'x') + "ü"};  // 200 bytes would cut the ü in two
  EXPECT_TRUE(body_of(flags)->starts_with("{\"name\":\"" + std::string(199, 'x') + "\""));
  EXPECT_TRUE(body_of(flags, R"({"name":"given"})")->starts_with(R"({"name":"given")"));
}

TEST(JobBody, RefusesFlagsThatDoNotGoTogether) {
  const auto refused = [](auto change) {
    JobFlags flags;
    change(flags);
    const auto body = body_of(flags);
    return body ? "accepted " + *body : body.error().message;
  };
  EXPECT_EQ(refused([](JobFlags& f) {
              f.action.url = "http://x";
              f.action.argv = {"x"};
            }),
            "a job has either --url or a command after --, not both");
  EXPECT_EQ(refused([](JobFlags& f) { f.action.method = "GET"; }),
            "--method, --header and --body belong to --url");
  EXPECT_EQ(refused([](JobFlags& f) { f.action.cwd = "/"; }),
            "--env, --cwd, --stdin and --shell belong to a command after --");
  EXPECT_EQ(refused([](JobFlags& f) {
              f.schedule.at = "2026-01-01T00:00:00Z";
              f.schedule.every = "1m";
            }),
            "only one of --at, --in, --cron and --every may be given");
  EXPECT_EQ(refused([](JobFlags& f) { f.metadata = {"novalue"}; }),
            "--meta 'novalue' has no '=' between name and value");
  EXPECT_EQ(refused([](JobFlags& f) { f.schedule.in = "soon"; }).substr(0, 6), "--in: ");
}

TEST(JobBody, InIsATimeFromNow) {
  JobFlags flags;
  flags.schedule.in = "1h30m";
  EXPECT_EQ(body_of(flags), R"({"scheduled_time":"2026-03-08T09:00:00.000Z"})");
}

TEST(JobBody, SeveralExpressionsAreAList) {
  JobFlags flags;
  flags.schedule.cron = {"0 1 * * *", "0 5 * * *"};
  EXPECT_EQ(body_of(flags), R"({"cron":["0 1 * * *","0 5 * * *"]})");
}

TEST(JobBody, PayloadIsJsonAsItStandsOrAFile) {
  JobFlags flags;
  flags.payload = "1e400";
  EXPECT_EQ(body_of(flags), R"({"payload":1e400})");
  flags.payload = "@payload.json";
  const auto body = body_of(flags);
  ASSERT_TRUE(body);
  EXPECT_EQ(json::parse(*body)->root().find("payload")->find("from")->string, "file");
  flags.payload = "@nowhere";
  EXPECT_EQ(body_of(flags).error().message, "no file nowhere");
  flags.payload = "plain text";
  EXPECT_EQ(body_of(flags).error().hint,
            "text needs quotes inside the shell's own: --payload '\"text\"'");
}

TEST(JobBody, FlagsComeOnTopOfAFile) {
  const std::string base =
      R"({"name":"a","cron":"0 0 * * *","retry":{"delay":"1s","backoff":"fixed"},)"
      R"("metadata":{"x":"1"},"unknown":1.0})";
  JobFlags flags;
  flags.name = "b";
  flags.schedule.every = "5m";
  flags.policy.retry_delay = "9s";
  flags.metadata = {"y=2"};
  EXPECT_EQ(body_of(flags, base),
            R"({"name":"b","retry":{"delay":"9s","backoff":"fixed"},"metadata":{"x":"1","y":"2"},)"
            R"("unknown":1.0,"every":"5m"})");
  EXPECT_EQ(body_of({}, base), base);
}

TEST(JobBody, RefusesAFileThatIsNoObject) {
  EXPECT_EQ(body_of({}, "[]").error().message, "the job file must hold one JSON object");
  EXPECT_FALSE(body_of({}, "{"));
}

}  // namespace
}  // namespace chronos::cli
