#include "base/metrics.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

TEST(Metrics, TextHoldsWhatWasTold) {
  Metrics metrics;
  metrics.count("chronos_runs_total", {{"state", "succeeded"}}, 2);
  metrics.count("chronos_runs_total", {{"state", "succeeded"}});
  metrics.set("chronos_jobs", 7);
  metrics.observe("chronos_run_start_lateness_seconds", 0.003);
  const auto text = metrics.text();
  EXPECT_NE(text.find("chronos_runs_total{state=\"succeeded\"} 3"), std::string::npos) << text;
  EXPECT_NE(text.find("chronos_jobs 7"), std::string::npos);
  EXPECT_NE(text.find("chronos_run_start_lateness_seconds_bucket{le=\"0.005\"} 1"),
            std::string::npos);
}

TEST(MetricsDeathTest, AnUnknownNameIsAMistakeOfTheProgram) {
  Metrics metrics;
  EXPECT_DEATH(metrics.count("chronos_typo_total"), "broken invariant");
}

}  // namespace
}  // namespace chronos
