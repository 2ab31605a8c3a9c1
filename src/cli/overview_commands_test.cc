#include <gtest/gtest.h>

#include <sstream>

#include "base/time_text.h"
#include "cli/commands.h"
#include "cli/stub_server.h"
#include "support/manual_clock.h"

namespace chronos::cli {
namespace {

class OverviewCommandsTest : public testing::Test {
 protected:
  int run(const StubServer& server, const std::vector<std::string>& words) {
    const app::Environment environment = {{"CHRONOS_URL", server.url()},
                                          {"CHRONOS_API_KEY", "secret"}};
    out_.str("");
    Terminal terminal{.out = out_, .err = err_, .in = in_, .is_out_tty = is_tty_};
    return run_command_line(words, {terminal, environment, clock_, [](Duration) {}});
  }

  ManualClock clock_{*parse_timestamp("2026-03-08T07:00:00Z")};
  bool is_tty_ = false;
  std::ostringstream out_;
  std::ostringstream err_;
  std::istringstream in_;
};

TEST_F(OverviewCommandsTest, TheOverviewInAFewLines) {
  StubServer server({http_answer(
      200, R"({"running":2,"queued":1,"retrying":0,"late":0,"jobs":{"total":3,"scheduled":3,)"
           R"("paused":0},"last":{"succeeded":7,"failed":0},"upcoming":[{"at":)"
           R"("2026-03-08T07:05:00.000Z","job":{"id":"job_1","name":"nightly"},"run":"run_1"}],)"
           R"("upcoming_count":1,"recent_failures":[]})")});
  is_tty_ = true;
  EXPECT_EQ(run(server, {"overview", "--range", "7d"}), kOk);
  EXPECT_EQ(server.targets(), std::vector<std::string>{"GET /api/overview?range=7d"});
  EXPECT_NE(out_.str().find("3 total, 3 scheduled\n"), std::string::npos) << out_.str();
  EXPECT_NE(out_.str().find("nightly in 5m\n"), std::string::npos) << out_.str();
}

TEST_F(OverviewCommandsTest, QueuesAndNodesAreLists) {
  StubServer server({http_answer(200, R"({"queues":[{"name":"mail","planned":1,"ready":2,)"
                                      R"("running":3,"waiting":4,"concurrency":null,)"
                                      R"("oldest_ready_at":null,"workers":5}]})"),
                     http_answer(200, R"({"nodes":[{"id":"node_1","name":"a","version":"1.2",)"
                                      R"("started_at":"2026-03-08T06:00:00.000Z",)"
                                      R"("seen_at":"2026-03-08T07:00:00.000Z","alive":true,)"
                                      R"("running":1,"is_this":true}]})")});
  EXPECT_EQ(run(server, {"queues"}), kOk);
  EXPECT_EQ(out_.str(), "mail\t2\t3\t\t4\t1\t5\t\n");
  EXPECT_EQ(run(server, {"nodes"}), kOk);
  EXPECT_EQ(out_.str(),
            "node_1\ta\t1.2\talive\t1\t2026-03-08T06:00:00.000Z\t2026-03-08T07:00:00.000Z\n");
}

}  // namespace
}  // namespace chronos::cli
