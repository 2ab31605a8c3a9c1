#include "app/request_metrics.h"

#include <gtest/gtest.h>

#include "http/api.h"

namespace chronos::app {
namespace {

using http::Finished;
using http::Method;

TEST(RequestMetrics, CountsByRouteAndStatusAndTakesTheTime) {
  Metrics metrics;
  RequestMetrics requests(metrics);
  EXPECT_EQ(metrics.text().find("{"), std::string::npos);  // nothing before there is something
  for (int i = 0; i < 3; ++i) {
    requests.note({Method::get, "/api/jobs", 200, std::chrono::milliseconds(2)});
    requests.note({Method::get, "/api/jobs", 404, std::chrono::milliseconds(2)});
    requests.note({Method::post, "/api/submitJob", 200, std::chrono::milliseconds(20)});
  }
  requests.note({Method::post, "/api/submitJob", 201, std::chrono::milliseconds(20)});
  requests.note({Method::get, "", 404, std::chrono::milliseconds(2)});
  const auto text = metrics.text();
  const auto has = [&](const std::string& line) { return text.find(line) != std::string::npos; };
  const std::string total = "chronos_http_requests_total";
  EXPECT_TRUE(has(total + R"({route="/api/jobs",status="200"} 3)")) << text;
  EXPECT_TRUE(has(total + R"({route="/api/jobs",status="404"} 3)")) << text;
  EXPECT_TRUE(has(total + R"({route="/api/submitJob",status="200"} 3)")) << text;
  EXPECT_TRUE(has(total + R"({route="/api/submitJob",status="201"} 1)")) << text;
  EXPECT_TRUE(has(total + R"({route="",status="404"} 1)")) << text;
  EXPECT_TRUE(has(R"(chronos_http_request_duration_seconds_bucket{le="0.0025"} 7)")) << text;
  EXPECT_TRUE(has("chronos_http_request_duration_seconds_count 11")) << text;
}

TEST(RequestMetrics, AStreamIsCountedAndNotTimed) {
  Metrics metrics;
  RequestMetrics requests(metrics);
  requests.note({Method::get, http::kEventsPath, 200, std::chrono::hours(1)});
  const auto text = metrics.text();
  EXPECT_NE(text.find(R"({route="/api/events",status="200"} 1)"), std::string::npos) << text;
  EXPECT_EQ(text.find("chronos_http_request_duration_seconds_count"), std::string::npos) << text;
}

}  // namespace
}  // namespace chronos::app
