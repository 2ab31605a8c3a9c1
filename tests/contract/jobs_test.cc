// Jobs over the API: the six frozen routes and their neighbours (product.md §2, §3a).
#include "contract/api_fixture.h"

namespace chronos::contract {
namespace {

class JobsApi : public ApiTest {};

TEST_F(JobsApi, SubmitAnswersTheWholeJob) {
  const auto answer = post("/api/submitJob", job_body(R"("cron": "30 2 * * *")"));
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.header("Location"), "/api/jobs/" + answer.text("/id"));
  EXPECT_EQ(answer.header("ETag"), "\"v1\"");
  EXPECT_EQ(answer.text("/project"), "default");
  EXPECT_EQ(answer.text("/status"), "scheduled");
  EXPECT_EQ(answer.at("/max_attempts").integer, 3);
  EXPECT_EQ(answer.text("/next_run_at"), "2026-03-03T02:30:00.000Z");
}

TEST_F(JobsApi, GetListStatusDelete) {
  const auto id = make_job();
  EXPECT_EQ(get("/api/jobs/" + id).text("/id"), id);
  EXPECT_EQ(get("/api/jobs").text("/jobs/0/id"), id);
  const auto status = get("/api/jobs/" + id + "/status");
  EXPECT_EQ(status.text("/status"), "scheduled");
  EXPECT_EQ(status.text("/waiting_for"), "scheduled_time");
  const auto cancelled = remove("/api/jobs/" + id);
  ASSERT_EQ(cancelled.status, 200) << cancelled.body;
  EXPECT_EQ(cancelled.text("/status"), "cancelled");
  EXPECT_EQ(remove("/api/jobs/" + id).body, cancelled.body);
}

}  // namespace
}  // namespace chronos::contract
