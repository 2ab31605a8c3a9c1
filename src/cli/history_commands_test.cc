// audit, versions, restore, bulk and channels against a server that answers from a list.
#include <gtest/gtest.h>

#include <sstream>

#include "base/time_text.h"
#include "cli/commands.h"
#include "cli/stub_server.h"

namespace chronos::cli {
namespace {

const std::string kJobId = "job_01jd3k00000000000000000000";

class StillClock final : public Clock {
 public:
  Timestamp now() const override { return *parse_timestamp("2026-03-08T07:00:00Z"); }
  SteadyTime steady() const override { return {}; }
};

class HistoryCommandsTest : public testing::Test {
 protected:
  int run(const StubServer& server, std::vector<std::string> words) {
    const app::Environment environment = {{"CHRONOS_URL", server.url()},
                                          {"CHRONOS_API_KEY", "secret"}};
    out_.str("");
    err_.str("");
    Terminal terminal{.out = out_, .err = err_, .in = in_, .is_out_tty = false};
    return run_command_line(words, {terminal, environment, clock_, [](Duration) {}});
  }
  static std::string body_of(const std::string& request) {
    return request.substr(request.find("\r\n\r\n") + 4);
  }

  StillClock clock_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::istringstream in_;
};

TEST_F(HistoryCommandsTest, AuditTellsTheChange) {
  StubServer server({http_answer(200, R"({"entries":[{"id":"aud_1","at":"2026-03-08T06:00:00.000Z",
    "actor":{"key":"key_1","name":"ci","role":"operator"},"action":"job.update",
    "resource":{"kind":"job","id":"job_1","name":"nightly"},
    "before":{"queue":"a"},"after":{"queue":"b"}}],"next":null})")});
  EXPECT_EQ(run(server, {"audit", "--action", "job.", "--since", "2026-01-01T00:00:00Z"}), kOk);
  EXPECT_EQ(out_.str(),
            "2026-03-08T06:00:00.000Z\tci\tjob.update\tjob_1\tnightly\tqueue: \"a\" -> \"b\"\n");
  EXPECT_EQ(server.targets()[0], "GET /api/audit?action=job.&since=2026-01-01T00%3A00%3A00Z");
}

TEST_F(HistoryCommandsTest, VersionsTellWhatChanged) {
  StubServer server({http_answer(200, R"({"versions":[
    {"version":3,"at":"2026-03-08T06:00:00.000Z","by":{"key":"key_1","name":"ci"},
     "declaration":{"name":"x","note":"b"}},
    {"version":1,"at":"2026-03-08T05:00:00.000Z","by":null,"declaration":{"name":"x","note":"a"}}],
    "next":null})")});
  EXPECT_EQ(run(server, {"versions", kJobId}), kOk);
  EXPECT_EQ(out_.str(), "3\t2026-03-08T06:00:00.000Z\tci\tnote\n1\t2026-03-08T05:00:00.000Z\t\t\n");
}

TEST_F(HistoryCommandsTest, RestoreAsksForTheVersion) {
  StubServer server({http_answer(200, R"({"id":"job_1","name":"x"})")});
  EXPECT_EQ(run(server, {"restore", kJobId, "2"}), kOk);
  EXPECT_EQ(server.targets()[0], "POST /api/jobs/" + kJobId + "/versions/2/restore");
  EXPECT_EQ(out_.str(), "job_1  restored from version 2  x\n");
}

TEST_F(HistoryCommandsTest, BulkStartSendsTheFilter) {
  StubServer server({http_answer(202, R"({"id":"bulk_1","action":"retry","of":"runs",
    "status":"waiting","total":7,"done":0,"failed_count":0,"failed":[]})")});
  EXPECT_EQ(run(server, {"bulk", "start", "retry", "--runs", "state=failed", "--runs", "all"}),
            kOk);
  EXPECT_EQ(body_of(server.requests()[0]), R"({"action":"retry","runs":{"state":"failed"}})");
  EXPECT_EQ(out_.str(), "bulk_1  retry runs  waiting  0 of 7 done, 0 failed\n");
  EXPECT_NE(err_.str().find("chronos bulk undo bulk_1"), std::string::npos);
}

TEST_F(HistoryCommandsTest, BulkStartWaitsForTheEnd) {
  StubServer server({http_answer(202, R"({"id":"bulk_1"})"),
                     http_answer(200, R"({"id":"bulk_1","status":"running"})"),
                     http_answer(200, R"({"id":"bulk_1","status":"done","failed_count":1,
      "failed":[{"id":"job_1","code":"not_found","detail":"no job has this id"}]})")});
  EXPECT_EQ(run(server, {"bulk", "start", "pause", "job_1", "--wait"}), kFailed);
  EXPECT_NE(err_.str().find("job_1: no job has this id"), std::string::npos);
}

TEST_F(HistoryCommandsTest, BulkConditionsAreNameAndValue) {
  StubServer server({});
  EXPECT_EQ(run(server, {"bulk", "start", "pause", "--jobs", "tag"}), kUsage);
  EXPECT_NE(err_.str().find("'tag' is not NAME=VALUE"), std::string::npos);
}

TEST_F(HistoryCommandsTest, ChannelsPutSendsOneKind) {
  StubServer server({http_answer(200, R"({"name":"ops","kind":"email"})")});
  EXPECT_EQ(
      run(server, {"channels", "put", "ops", "--email", "a@b.example", "--email", "c@d.example"}),
      kOk);
  EXPECT_EQ(body_of(server.requests()[0]),
            R"({"kind":"email","to":["a@b.example","c@d.example"]})");
  EXPECT_EQ(run(server, {"channels", "put", "ops", "--email", "a@b.example", "--slack", "x"}),
            kUsage);
}

TEST_F(HistoryCommandsTest, ChannelsTestFailsWhenNothingArrives) {
  StubServer server({http_answer(200, R"({"delivered":false,"error":"refused","took":"3ms"})")});
  EXPECT_EQ(run(server, {"channels", "test", "ops"}), kFailed);
  EXPECT_EQ(out_.str(), "ops  not delivered: refused\n");
}

}  // namespace
}  // namespace chronos::cli
