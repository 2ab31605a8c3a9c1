// Whole commands against a server that answers from a list.
#include "cli/commands.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/time_text.h"
#include "cli/stub_server.h"

namespace chronos::cli {
namespace {

const std::string kJobId = "job_01jd3k00000000000000000000";
const std::string kRunId = "run_01jd3k00000000000000000000";

std::string job_json(std::string_view extra = R"("status":"scheduled")") {
  return fmt::format(R"({{"id":"{}","name":"nightly",{}}})", kJobId, extra);
}

std::string run_json(std::string_view state, std::string_view extra = R"("attempts_made":1)") {
  return fmt::format(R"({{"id":"{}","state":"{}",{}}})", kRunId, state, extra);
}

// Time moves by what the commands sleep.
class SleptClock final : public Clock {
 public:
  Timestamp now() const override { return start_ + slept_; }
  SteadyTime steady() const override { return slept_; }
  void sleep(Duration duration) { slept_ += duration; }

 private:
  Timestamp start_ = *parse_timestamp("2026-03-08T07:00:00Z");
  Duration slept_{0};
};

class CommandsTest : public testing::Test {
 protected:
  // Runs a command against `server`.
  int run(const StubServer& server, std::vector<std::string> words) {
    environment_["CHRONOS_URL"] = server.url();
    environment_["CHRONOS_API_KEY"] = "secret";
    return run_alone(std::move(words));
  }
  int run_alone(std::vector<std::string> words) {
    out_.str("");
    err_.str("");
    Terminal terminal{.out = out_, .err = err_, .in = in_, .is_out_tty = is_tty_};
    return run_command_line(words, {terminal, environment_, clock_,
                                    [this](Duration duration) { clock_.sleep(duration); }});
  }
  static std::string body_of(const std::string& request) {
    return request.substr(request.find("\r\n\r\n") + 4);
  }

  app::Environment environment_;
  SleptClock clock_;
  bool is_tty_ = false;
  std::ostringstream out_;
  std::ostringstream err_;
  std::istringstream in_;
};

// -- Jobs ----------------------------------------------------------------------------------------

TEST_F(CommandsTest, SubmitSendsTheJobAndShowsIt) {
  StubServer server(
      {http_answer(201, job_json(R"("status":"scheduled","next_run_at":"2026-03-08T07:00:10.000Z",)"
                                 R"("warnings":[{"code":"w","detail":"odd"}])"))});
  EXPECT_EQ(run(server, {"submit", "--in", "10s", "--name", "nightly", "--", "echo", "-n"}), kOk);
  EXPECT_EQ(out_.str(), kJobId + "  scheduled  nightly  next run 2026-03-08T07:00:10.000Z\n");
  EXPECT_EQ(err_.str(), "warning: odd\n");
  EXPECT_EQ(server.targets(), std::vector<std::string>{"POST /api/submitJob"});
  EXPECT_EQ(body_of(server.requests()[0]),
            R"({"name":"nightly","scheduled_time":"2026-03-08T07:00:10.000Z",)"
            R"("action":{"kind":"command","argv":["echo","-n"]}})");
  EXPECT_NE(server.requests()[0].find("Idempotency-Key: "), std::string::npos);
}

TEST_F(CommandsTest, SubmitReadsAJobFromStdin) {
  StubServer server({http_answer(201, job_json())});
  in_.str(R"({"name":"from stdin","every":"5m"})");
  EXPECT_EQ(run(server, {"submit", "-f", "-", "--idempotency-key", "k7", "-q"}), kOk);
  EXPECT_EQ(out_.str(), kJobId + "\n");
  EXPECT_EQ(body_of(server.requests()[0]), R"({"name":"from stdin","every":"5m"})");
  EXPECT_NE(server.requests()[0].find("Idempotency-Key: k7\r\n"), std::string::npos);
}

TEST_F(CommandsTest, SubmitReplacesTheJobWithTheKey) {
  StubServer server({http_answer(200, job_json())});
  in_.str(R"({"key":"a.b"})");
  EXPECT_EQ(run(server, {"submit", "--replace", "-f", "-", "-q"}), kOk);
  EXPECT_EQ(server.targets(), std::vector<std::string>{"PUT /api/jobs/by-key/a.b"});
  EXPECT_EQ(server.requests()[0].find("Idempotency-Key"), std::string::npos);
  EXPECT_EQ(run_alone({"submit", "--replace", "--url", "http://x"}), kUsage);
}

TEST_F(CommandsTest, ARefusedJobIsShownWithACaret) {
  StubServer server({http_answer(
      422, R"({"code":"invalid_fields","detail":"cron: hour: 24 is outside 0-23","errors":[)"
           R"({"pointer":"/cron","code":"x","detail":"hour: 24 is outside 0-23","column":3,)"
           R"("length":2}]})")});
  EXPECT_EQ(run(server, {"submit", "--cron", "0 24 * * *", "--url", "http://x"}), kUsage);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(), "error: cron: hour: 24 is outside 0-23\n    0 24 * * *\n      ^^\n");
}

TEST_F(CommandsTest, JsonIsTheAnswerAsItIs) {
  const auto answer = job_json(R"("status":"scheduled", "payload":1.50)");
  StubServer server({http_answer(200, answer)});
  EXPECT_EQ(run(server, {"get", kJobId, "--json"}), kOk);
  EXPECT_EQ(out_.str(), answer + "\n");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(CommandsTest, AJobMayBeNamedByItsKey) {
  StubServer server({http_answer(200, job_json()), http_answer(200, job_json())});
  EXPECT_EQ(run(server, {"get", "night/ly"}), kOk);
  EXPECT_EQ(server.targets(), (std::vector<std::string>{"GET /api/jobs/by-key/night%2Fly",
                                                        "GET /api/jobs/" + kJobId}));
}

TEST_F(CommandsTest, AnUnknownJobIsNotFound) {
  StubServer server({http_answer(404, R"({"code":"not_found","detail":"no such job"})")});
  EXPECT_EQ(run(server, {"get", "nothing"}), kNotFound);
  EXPECT_EQ(err_.str(),
            "error: no job has the id or key 'nothing'\n"
            "hint: `chronos list --name TEXT` finds jobs by their names\n");
}

TEST_F(CommandsTest, GetShowsWhatMatters) {
  StubServer server({http_answer(
      200,
      job_json(R"("status":"scheduled","cron":"0 2 * * *","timezone":"UTC",)"
               R"("action":{"kind":"http","url":"http://x"},"max_attempts":3,"tags":["a","b"],)"
               R"("metadata":{"team":"core"},"counts":{"succeeded":2,"failed":0},)"
               R"("last_run":{"id":"run_1","state":"failed","ended_at":"t","error":"boom"})"))});
  EXPECT_EQ(run(server, {"get", kJobId}), kOk);
  EXPECT_EQ(out_.str(), "id\t" + kJobId +
                            "\nname\tnightly\nstatus\tscheduled\nschedule\tcron 0 2 * * * UTC\n"
                            "last run\trun_1 failed t: boom\nruns\t2 succeeded\n"
                            "action\thttp POST http://x\nattempts\tat most 3\ntags\ta, b\n"
                            "meta team\tcore\n");
}

TEST_F(CommandsTest, ListFollowsEveryPage) {
  StubServer server({http_answer(200, R"({"jobs":[{"id":"job_1","name":"a"}],"next":"c 1"})"),
                     http_answer(200, R"({"jobs":[{"id":"job_2","name":"b"}],"next":null})")});
  EXPECT_EQ(run(server, {"list", "--all", "--status", "failed", "--name", "a&b", "-q"}), kOk);
  EXPECT_EQ(out_.str(), "job_1\njob_2\n");
  EXPECT_EQ(server.targets(),
            (std::vector<std::string>{"GET /api/jobs?status=failed&name=a%26b&limit=200",
                                      "GET /api/jobs?status=failed&name=a%26b&limit=200"
                                      "&cursor=c%201"}));
}

TEST_F(CommandsTest, ListSaysThatThereIsMoreOrNothing) {
  StubServer server({http_answer(200, R"({"jobs":[{"id":"job_1","name":"a\tb"}],"next":"c1"})"),
                     http_answer(200, R"({"jobs":[],"next":null})")});
  EXPECT_EQ(run(server, {"list", "--limit", "1"}), kOk);
  EXPECT_EQ(out_.str(), "job_1\ta\\tb\t\t\t\tnow\n");
  EXPECT_EQ(err_.str(), "there are more: --all, or --cursor c1\n");
  EXPECT_EQ(run(server, {"list"}), kOk);
  EXPECT_EQ(out_.str(), "");
  EXPECT_EQ(err_.str(), "no jobs\n");
}

TEST_F(CommandsTest, ChangesOfAJob) {
  std::vector<std::string> answers(5, http_answer(200, job_json(R"("status":"paused")")));
  StubServer server(answers);
  EXPECT_EQ(run(server, {"pause", kJobId}), kOk);
  EXPECT_EQ(out_.str(), kJobId + "  paused  nightly\n");
  EXPECT_EQ(run(server, {"resume", kJobId}), kOk);
  EXPECT_EQ(run(server, {"cancel", kJobId}), kOk);
  EXPECT_EQ(run(server, {"cancel", kJobId, "--keep-running"}), kOk);
  EXPECT_EQ(run(server, {"reschedule", kJobId, "--every", "5m", "--queue", "q"}), kOk);
  const auto path = " /api/jobs/" + kJobId;
  EXPECT_EQ(
      server.targets(),
      (std::vector<std::string>{"POST" + path + "/pause", "POST" + path + "/resume",
                                "DELETE" + path, "DELETE" + path + "?running=keep", "PUT" + path}));
  EXPECT_EQ(body_of(server.requests()[4]), R"({"every":"5m","queue":"q"})");
}

TEST_F(CommandsTest, PauseForAWhile) {
  std::vector<std::string> answers(2, http_answer(200, job_json(R"("status":"paused")")));
  StubServer server(answers);
  EXPECT_EQ(run(server, {"pause", kJobId, "--until", "2026-03-08T07:30:00Z", "--note", "freeze"}),
            kOk);
  EXPECT_EQ(run(server, {"pause", kJobId, "--for", "2h"}), kOk);
  EXPECT_EQ(body_of(server.requests()[0]), R"({"until":"2026-03-08T07:30:00Z","note":"freeze"})");
  EXPECT_TRUE(body_of(server.requests()[1]).starts_with(R"({"until":")"));
  EXPECT_EQ(run(server, {"pause", kJobId, "--for", "2h", "--until", "x"}), kUsage);
  EXPECT_EQ(run(server, {"pause", kJobId, "--for", "soon"}), kUsage);
}

TEST_F(CommandsTest, StatusSaysWhatItWaitsFor) {
  StubServer server({http_answer(
      200, R"({"id":"job_1","status":"retrying","next_run_at":"t","waiting_for":"retry",)"
           R"("attempts":{"made":2,"max":0},"last_run":null})")});
  EXPECT_EQ(run(server, {"status", kJobId}), kOk);
  EXPECT_EQ(out_.str(),
            "id\tjob_1\nstatus\tretrying\nwaiting for\tretry\nnext run\tt\n"
            "attempts\t2 of no limit\n");
}

TEST_F(CommandsTest, BackfillPreviewsAndRuns) {
  const auto answer = [](std::string_view is_preview, std::string_view count,
                         std::string_view runs) {
    return http_answer(200, std::string(R"({"job_id":"job_1","dry_run":)") +
                                std::string(is_preview) + R"(,"count":)" + std::string(count) +
                                R"(,"first":"t1","last":"t9","already_run":1,)" +
                                R"("instants":["t1","t2"],"runs":[)" + std::string(runs) +
                                R"(],"truncated":)" + (count == "9" ? "true" : "false") + "}");
  };
  StubServer server({answer("true", "9", ""), answer("false", "2", R"("run_1","run_2")"),
                     answer("false", "2", R"("run_1","run_2")")});
  const std::vector<std::string> words = {
      "backfill", kJobId, "--from", "2026-03-01T00:00:00Z", "--until", "2026-03-02T00:00:00Z"};
  const auto with = [&](std::vector<std::string> more) {
    auto all = words;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  EXPECT_EQ(run(server, with({"--dry-run", "--only", "all", "--overlap", "allow", "--max", "9"})),
            kOk);
  EXPECT_EQ(out_.str(),
            "job\tjob_1\nwould run\t9\nfirst\tt1\nlast\tt9\nsucceeded before\t1\n\nt1\nt2\n");
  EXPECT_EQ(err_.str(), "the first 2 of 9 are listed\n");
  EXPECT_EQ(run(server, words), kOk);
  EXPECT_EQ(out_.str(),
            "job\tjob_1\nruns\t2\nfirst\tt1\nlast\tt9\nsucceeded before\t1\n\n"
            "run_1\tt1\nrun_2\tt2\n");
  EXPECT_EQ(run(server, with({"-q"})), kOk);
  EXPECT_EQ(out_.str(), "2\n");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(server.targets()[0], "POST /api/jobs/" + kJobId + "/backfill");
  EXPECT_EQ(body_of(requests[0]),
            R"({"from":"2026-03-01T00:00:00Z","until":"2026-03-02T00:00:00Z","overlap":"allow",)"
            R"("only":"all","max":9,"dry_run":true})");
  EXPECT_NE(requests[1].find("Idempotency-Key: "), std::string::npos);
}

TEST_F(CommandsTest, WhyNamesTheBlockerAndWhatWouldUnblockIt) {
  const std::string run_why =
      R"({"run_id":"run_2","job_id":"job_1","state":"queued","planned_at":"t","code":"queue_slot",)"
      R"("text":"Full.","blocker":{"kind":"queue","id":null,"name":"narrow","runs":["run_1"],)"
      R"("in_use":1,"max":1,"ahead":3},"unblocked_by":"An end.","since":"s","until":null})";
  const std::string lines =
      "why\tFull.\ncode\tqueue_slot\n"
      "blocked by\tqueue narrow, 1 of 1 in use, 3 ahead, held by run_1\n"
      "goes on with\tAn end.\nsince\ts\n";
  StubServer server({http_answer(200, run_why), http_answer(200, run_why),
                     http_answer(200, R"({"job_id":"job_1","status":"scheduled","next_run_at":"n",)"
                                      R"("code":"scheduled_time","text":"Later.","blocker":null,)"
                                      R"("unblocked_by":null,"since":null,"until":"n","runs":[)" +
                                          run_why + "," + run_why +
                                          R"(],"has_more_runs":false,"not_run":[)"
                                          R"({"state":"missed","reason":"down","count":7}]})")});
  EXPECT_EQ(run(server, {"why", kRunId}), kOk);
  EXPECT_EQ(out_.str(), "id\trun_2\nstate\tqueued\n" + lines);
  out_.str({});
  EXPECT_EQ(run(server, {"why", kRunId, "-q"}), kOk);
  EXPECT_EQ(out_.str(), "queue_slot\n");
  out_.str({});
  EXPECT_EQ(run(server, {"why", kJobId}), kOk);
  EXPECT_EQ(out_.str(),
            "id\tjob_1\nstate\tscheduled\nwhy\tLater.\ncode\tscheduled_time\nuntil\tn\n"
            "next run\tn\nmissed\t7 (down)\n\n"
            "run_2\tqueued\tt\tqueue_slot\tFull.\nrun_2\tqueued\tt\tqueue_slot\tFull.\n");
  const auto run_path = "GET /api/runs/" + kRunId + "/why";
  EXPECT_EQ(server.targets(),
            (std::vector<std::string>{run_path, run_path, "GET /api/jobs/" + kJobId + "/why"}));
}

// -- Runs ----------------------------------------------------------------------------------------

TEST_F(CommandsTest, RunWaitsAndAnswersTheExitCodeOfTheCommand) {
  StubServer server({http_answer(202, run_json("queued")), http_answer(200, run_json("running")),
                     http_answer(200, run_json("failed", R"("exit_code":42,"error":"exit 42")"))});
  EXPECT_EQ(run(server, {"run", kJobId, "--wait", "-q"}), 42);
  EXPECT_EQ(out_.str(), kRunId + "\n");
  EXPECT_EQ(err_.str(), "waiting for " + kRunId + "; Ctrl-C ends the waiting, not the run\n" +
                            kRunId + " failed: exit 42\n");
  EXPECT_EQ(server.targets(),
            (std::vector<std::string>{"POST /api/jobs/" + kJobId + "/run",
                                      "GET /api/runs/" + kRunId, "GET /api/runs/" + kRunId}));
}

TEST_F(CommandsTest, ExitCodesOfRuns) {
  const auto code_of = [&](const std::string& run_answer) {
    StubServer server({http_answer(200, run_answer)});
    return run(server, {"wait", kRunId});
  };
  EXPECT_EQ(code_of(run_json("succeeded")), 0);
  EXPECT_EQ(code_of(run_json("succeeded", R"("exit_code":0)")), 0);
  EXPECT_EQ(code_of(run_json("failed", R"("exit_code":null)")), kFailed);
  EXPECT_EQ(code_of(run_json("failed", R"("exit_code":256)")), kFailed);
  EXPECT_EQ(code_of(run_json("timed_out")), kFailed);
  EXPECT_EQ(code_of(run_json("cancelled")), kFailed);
}

TEST_F(CommandsTest, WaitingEndsWithItsTime) {
  std::vector<std::string> answers(64, http_answer(200, run_json("running")));
  StubServer server(answers);
  EXPECT_EQ(run(server, {"wait", kRunId, "--wait-timeout", "10s"}), kTimeout);
  EXPECT_EQ(clock_.steady(), std::chrono::seconds(10));
  EXPECT_LT(server.requests().size(), 20u);
  EXPECT_EQ(run_alone({"wait", kRunId, "--wait-timeout", "soon"}), kUsage);
}

TEST_F(CommandsTest, WaitForAJobThatRunsOnce) {
  StubServer server({http_answer(200, job_json()), http_answer(200, R"({"status":"running"})"),
                     http_answer(200, R"({"status":"failed","last_run":{"id":")" + kRunId + "\"}}"),
                     http_answer(200, run_json("failed", R"("exit_code":3)"))});
  EXPECT_EQ(run(server, {"wait", kJobId}), 3);
}

TEST_F(CommandsTest, WaitForAJobThatNeverRan) {
  StubServer server({http_answer(200, job_json()),
                     http_answer(200, R"({"status":"cancelled","last_run":null})")});
  EXPECT_EQ(run(server, {"wait", kJobId}), kFailed);
}

TEST_F(CommandsTest, ARecurringJobDoesNotEnd) {
  StubServer server({http_answer(200, job_json(R"("cron":"@daily")"))});
  EXPECT_EQ(run(server, {"wait", kJobId}), kUsage);
}

TEST_F(CommandsTest, RunsOfAJobOrOfAll) {
  StubServer server({http_answer(200, R"({"runs":[],"next":null})"),
                     http_answer(200, R"({"runs":[{"id":"run_1","job_name":"n","state":"missed",)"
                                      R"("reason":"down","attempts_made":0}],"next":null})")});
  EXPECT_EQ(run(server, {"runs"}), kOk);
  EXPECT_EQ(err_.str(), "no runs\n");
  EXPECT_EQ(run(server, {"runs", kJobId, "--state", "missed"}), kOk);
  EXPECT_EQ(out_.str(), "run_1\tn\tmissed\t\t\t\t0\tdown\n");
  EXPECT_EQ(server.targets(),
            (std::vector<std::string>{"GET /api/runs",
                                      "GET /api/jobs/" + kJobId + "/runs?state=missed"}));
}

TEST_F(CommandsTest, CancelAndRetryOfARun) {
  StubServer server(
      {http_answer(200, run_json("cancelled")), http_answer(201, run_json("queued"))});
  EXPECT_EQ(run(server, {"cancel", kRunId}), kOk);
  EXPECT_EQ(run(server, {"retry", kRunId}), kOk);
  EXPECT_EQ(server.targets(), (std::vector<std::string>{"POST /api/runs/" + kRunId + "/cancel",
                                                        "POST /api/runs/" + kRunId + "/retry"}));
}

TEST_F(CommandsTest, LogsAreMadeSafeUnlessRaw) {
  StubServer server(
      {http_answer(200, "a\x1b[2J\n", "text/plain"), http_answer(200, "a\x1b[2J\n", "text/plain")});
  EXPECT_EQ(run(server, {"logs", kRunId}), kOk);
  EXPECT_EQ(out_.str(), "a\\x1b[2J\n");
  EXPECT_EQ(run(server, {"logs", kRunId, "--raw", "--attempt", "2"}), kOk);
  EXPECT_EQ(out_.str(), "a\x1b[2J\n");
  EXPECT_EQ(server.targets(),
            (std::vector<std::string>{"GET /api/runs/" + kRunId + "/output",
                                      "GET /api/runs/" + kRunId + "/output?attempt=2"}));
}

TEST_F(CommandsTest, LogsFollowEveryAttemptByWholeLines) {
  StubServer server({
      http_answer(200, run_json("queued", R"("attempts_made":0)")),
      http_answer(200, run_json("running", R"("attempts_made":1)")),
      http_answer(200, "one\ntw", "text/plain\r\nChronos-Output-Next: 6"),
      http_answer(200, run_json("running", R"("attempts_made":2)")),
      http_answer(200, "o", "text/plain\r\nChronos-Output-Next: 7"),
      http_answer(200, "", "text/plain"),
      http_answer(200, run_json("succeeded", R"("attempts_made":2)")),
      http_answer(200, "three", "text/plain"),
  });
  EXPECT_EQ(run(server, {"logs", "-f", kRunId}), kOk);
  EXPECT_EQ(out_.str(), "one\ntwothree");
  const auto targets = server.targets();
  EXPECT_EQ(targets[4], "GET /api/runs/" + kRunId + "/output?attempt=1&offset=6");
  EXPECT_EQ(targets.back(), "GET /api/runs/" + kRunId + "/output?attempt=2&offset=0");
}

// -- Keys, notify, backup, health ----------------------------------------------------------------

TEST_F(CommandsTest, ANewKeyStandsAloneOnStdout) {
  StubServer server(
      {http_answer(201, R"({"id":"key_1","role":"viewer","name":"ci","secret":"chr_key_x"})")});
  EXPECT_EQ(run(server, {"keys", "create", "ci", "--role", "viewer", "--expires-in", "90d"}), kOk);
  EXPECT_EQ(out_.str(), "chr_key_x\n");
  EXPECT_EQ(err_.str(), "key_1  viewer  ci\nthis is the only time the key is shown:\n");
  EXPECT_EQ(body_of(server.requests()[0]), R"({"name":"ci","role":"viewer","expires_in":"90d"})");
}

TEST_F(CommandsTest, Calendars) {
  const auto* calendar = R"({"name":"holidays","kind":"blackout","timezone":"UTC",)"
                         R"("dates":["12-25"],"weekly":[],"events":[{},{}],"note":"n"})";
  const auto one = http_answer(200, calendar);
  StubServer server({http_answer(200, fmt::format(R"({{"calendars":[{}],"next":null}})", calendar)),
                     one, one, one, one});
  EXPECT_EQ(run(server, {"calendars", "list"}), kOk);
  EXPECT_EQ(out_.str(), "holidays\tblackout\tUTC\t1\t0\t2\t\tn\n");
  EXPECT_EQ(run(server, {"calendars", "get", "holidays"}), kOk);
  EXPECT_EQ(out_.str(), std::string(calendar) + "\n");
  in_.str(R"({"dates":["12-25"]})");
  EXPECT_EQ(run(server, {"calendars", "put", "holidays", "-"}), kOk);
  EXPECT_EQ(out_.str(), "holidays  blackout  stored\n");
  in_.clear();
  in_.str("BEGIN:VCALENDAR");
  EXPECT_EQ(run(server, {"calendars", "import", "holidays", "-", "-q"}), kOk);
  EXPECT_EQ(out_.str(), "holidays\n");
  EXPECT_EQ(run(server, {"calendars", "delete", "holidays"}), kOk);
  EXPECT_EQ(server.targets(),
            (std::vector<std::string>{
                "GET /api/calendars", "GET /api/calendars/holidays", "PUT /api/calendars/holidays",
                "POST /api/calendars/holidays/import", "DELETE /api/calendars/holidays"}));
  EXPECT_EQ(body_of(server.requests()[2]), R"({"dates":["12-25"]})");
  EXPECT_NE(server.requests()[3].find("Content-Type: text/calendar"), std::string::npos);
}

TEST_F(CommandsTest, KeysAreListedRevokedAndRotated) {
  StubServer server({http_answer(200, R"({"keys":[{"id":"key_1","name":"ci","role":"admin"}]})"),
                     http_answer(200, "{}"), http_answer(201, R"({"secret":"chr_key_y"})")});
  EXPECT_EQ(run(server, {"keys", "list"}), kOk);
  EXPECT_EQ(out_.str(), "key_1\tci\tadmin\t\t\t\t\n");
  EXPECT_EQ(run(server, {"keys", "revoke", "key_1"}), kOk);
  EXPECT_EQ(out_.str(), "key_1  revoked\n");
  EXPECT_EQ(run(server, {"keys", "rotate", "key_1", "--old-expires-in", "1d", "-q"}), kOk);
  EXPECT_EQ(out_.str(), "chr_key_y\n");
  EXPECT_EQ(server.targets(), (std::vector<std::string>{"GET /api/keys", "DELETE /api/keys/key_1",
                                                        "POST /api/keys/key_1/rotate"}));
}

TEST_F(CommandsTest, NotifyTestSaysWhoIsTold) {
  const auto answer = http_answer(202, R"({"sent_to":[{"kind":"email","address":"a@b"}]})");
  StubServer server({answer, answer, answer});
  EXPECT_EQ(run(server, {"notify", "test", "--email", "a@b"}), kOk);
  EXPECT_EQ(out_.str(), "email a@b\n");
  EXPECT_EQ(run(server, {"notify", "test", "--channel", "chat"}), kOk);
  EXPECT_EQ(run(server, {"notify", "test"}), kOk);
  EXPECT_EQ(body_of(server.requests()[0]), R"({"email":"a@b"})");
  EXPECT_EQ(body_of(server.requests()[1]), R"({"channel":"chat"})");
  EXPECT_EQ(body_of(server.requests()[2]), "{}");
}

TEST_F(CommandsTest, BackupShowsWhereTheServerWroteIt) {
  StubServer server({http_answer(201, R"({"path":"/srv/backups/b.db","bytes":4096})")});
  EXPECT_EQ(run(server, {"backup"}), kOk);
  EXPECT_EQ(out_.str(), "/srv/backups/b.db\n");
  EXPECT_EQ(err_.str(), "4096 bytes, on the server's machine\n");
  EXPECT_EQ(body_of(server.requests()[0]), "");
}

TEST_F(CommandsTest, HealthNeedsNoKeyAndSendsNone) {
  StubServer server({http_answer(200, "ok", "text/plain")});
  EXPECT_EQ(run(server, {"health"}), kOk);
  EXPECT_EQ(out_.str(), "ready\n");
  EXPECT_EQ(server.requests()[0].find("secret"), std::string::npos);
}

// -- Keys to the server --------------------------------------------------------------------------

class KeyTest : public CommandsTest {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "chronos_cli_XXXXXX";
    folder_ = mkdtemp(name.data());
    write("admin.key", "admin\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
  }
  // The key a command sends.
  std::string key_sent(std::vector<std::string> words, app::Environment environment) {
    StubServer server({http_answer(200, R"({"jobs":[]})")});
    environment_ = std::move(environment);
    environment_["CHRONOS_URL"] = server.url();
    words.insert(words.begin(), "list");
    EXPECT_EQ(run_alone(words), kOk) << err_.str();
    const auto request = server.requests().at(0);
    const auto at = request.find("Bearer ") + 7;
    return request.substr(at, request.find("\r\n", at) - at);
  }

  std::string folder_;
};

TEST_F(KeyTest, FlagsThenVariablesThenTheAdminsFile) {
  write("file", "of-file\r\n");
  const auto file = folder_ + "/file";
  const app::Environment all{{"CHRONOS_API_KEY", "of-variable"},
                             {"CHRONOS_KEY_FILE", file},
                             {"CHRONOS_DATA_DIR", folder_}};
  EXPECT_EQ(key_sent({"--key", "of-flag", "--key-file", file}, all), "of-flag");
  EXPECT_EQ(key_sent({"--key-file", file}, all), "of-file");
  EXPECT_EQ(key_sent({}, all), "of-variable");
  EXPECT_EQ(key_sent({}, {{"CHRONOS_KEY_FILE", file}, {"CHRONOS_DATA_DIR", folder_}}), "of-file");
  EXPECT_EQ(key_sent({}, {{"CHRONOS_DATA_DIR", folder_}}), "admin");
  EXPECT_EQ(key_sent({"--data-dir", folder_}, {}), "admin");
}

TEST_F(KeyTest, TheAdminsKeyStaysOnThisMachine) {
  environment_ = {{"CHRONOS_DATA_DIR", folder_}, {"CHRONOS_URL", "http://chronos.invalid"}};
  EXPECT_EQ(run_alone({"list"}), kDenied);
  EXPECT_TRUE(err_.str().starts_with("error: no API key is known for http://chronos.invalid\n"));
}

TEST_F(KeyTest, AMissingKeyFileIsSaid) {
  environment_ = {{"CHRONOS_KEY_FILE", folder_ + "/nowhere"}};
  EXPECT_EQ(run_alone({"list"}), kUsage);
  EXPECT_NE(err_.str().find("nowhere cannot be read: No such file"), std::string::npos);
}

// -- Without a server ----------------------------------------------------------------------------

TEST_F(CommandsTest, CronExplainsAnExpression) {
  EXPECT_EQ(run_alone({"cron", "30 2 * * MON-FRI", "--timezone", "Europe/Berlin", "-n", "2"}), kOk);
  EXPECT_EQ(out_.str(),
            "2026-03-09T01:30:00.000Z\t2026-03-09T02:30:00+01:00\t\n"
            "2026-03-10T01:30:00.000Z\t2026-03-10T02:30:00+01:00\t\n");
  EXPECT_EQ(err_.str(), "At 02:30 on Monday through Friday, Europe/Berlin\n");
}

TEST_F(CommandsTest, CronTakesAnExpressionWithoutQuotes) {
  EXPECT_EQ(run_alone({"cron", "0", "0", "1", "1", "?", "-n", "1", "-q"}), kOk);
  EXPECT_EQ(out_.str(), "2027-01-01T00:00:00.000Z\t2027-01-01T00:00:00+00:00\t\n");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(CommandsTest, CronShowsClockChanges) {
  EXPECT_EQ(run_alone({"cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--from",
                       "2026-03-28T12:00:00Z", "-n", "1", "--json"}),
            kOk);
  EXPECT_EQ(out_.str().substr(0, out_.str().find(",\"warnings\"")),
            R"({"words":"At 02:30 every day, Europe/Berlin","next":[)"
            R"({"at":"2026-03-29T01:00:00.000Z","local":"2026-03-29T03:00:00+02:00",)"
            R"("shifted":"gap"}])");
}

TEST_F(CommandsTest, CronPointsAtTheMistake) {
  EXPECT_EQ(run_alone({"cron", "0 24 * * *"}), kUsage);
  EXPECT_EQ(err_.str(), "error: hour: 24 is outside 0-23\n    0 24 * * *\n      ^^\n");
  EXPECT_EQ(run_alone({"cron", "0 0 30 2 *"}), kUsage);  // never
  EXPECT_EQ(run_alone({"cron", "* * * * *", "-n", "-1"}), kUsage);
  EXPECT_EQ(run_alone({"cron", "* * * * *", "--timezone", "Nowhere/City"}), kUsage);
}

TEST_F(CommandsTest, CronAnswersABatch) {
  in_.str("{\"expr\":\"0 9 * * *\",\"count\":2,\"from\":\"2026-01-01T00:00:00Z\"}\n{}\n");
  EXPECT_EQ(run_alone({"cron", "--batch"}), kOk);
  EXPECT_EQ(out_.str(), R"({"next":["2026-01-01T09:00:00Z","2026-01-02T09:00:00Z"]})"
                        "\n"
                        R"({"error":{"code":"required","field":"expr","column":null,"length":null,)"
                        R"("message":"the line has no schedule","hint":null}})"
                        "\n");
  EXPECT_EQ(run_alone({"cron", "--batch", "@daily"}), kUsage);
  EXPECT_EQ(run_alone({"cron"}), kUsage);
  EXPECT_EQ(err_.str(), "error: give an expression, or --batch to read many from stdin\n");
}

TEST_F(CommandsTest, ConfigShowsAndChecks) {
  environment_ = {{"CHRONOS_CONFIG", ""}, {"CHRONOS_LOG_LEVEL", "debug"}};
  EXPECT_EQ(run_alone({"config", "show", "--changed", "--origin", "--set", "server.threads=3",
                       "--allow-commands", "--listen", "127.0.0.1:0"}),
            kOk);
  EXPECT_EQ(out_.str(),
            "server.listen = [\"127.0.0.1:0\"]  # flag\n"
            "server.threads = 3               # flag\n"
            "commands.allow = true            # flag\n"
            "log.level = \"debug\"              # CHRONOS_LOG_LEVEL\n");
  EXPECT_EQ(run_alone({"config", "show", "--changed", "--json"}), kOk);
  EXPECT_EQ(out_.str(), R"([{"name":"log.level","value":"\"debug\"","origin":"CHRONOS_LOG_LEVEL"}])"
                        "\n");
  EXPECT_EQ(run_alone({"config", "check", "--listen", "0.0.0.0:0"}), kOk);
  EXPECT_TRUE(out_.str().starts_with("the configuration is right: 2 of ")) << out_.str();
  EXPECT_TRUE(err_.str().starts_with("warning: server.listen reaches beyond this machine"));
}

TEST_F(CommandsTest, ConfigMistakesAreAllShown) {
  environment_ = {{"CHRONOS_LOG_LEVEL", "loud"}};
  for (const auto& command :
       {std::vector<std::string>{"config", "check"}, std::vector<std::string>{"config", "show"},
        std::vector<std::string>{"serve"}}) {
    auto words = command;
    words.insert(words.end(), {"--set", "server.treads=1", "--config", "/dev/null"});
    EXPECT_EQ(run_alone(words), kUsage);
    EXPECT_EQ(err_.str(),
              "error: CHRONOS_LOG_LEVEL: log.level: 'loud' is not one of debug, info, warn, error\n"
              "error: unknown setting 'server.treads'\n"
              "  hint: did you mean server.threads?\n");
  }
  EXPECT_EQ(run_alone({"config", "check", "--set", "server.threads"}), kUsage);
}

}  // namespace
}  // namespace chronos::cli
