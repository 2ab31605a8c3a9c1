#include "model/forecast.h"

#include <gtest/gtest.h>

namespace chronos {
namespace {

using namespace std::chrono_literals;
using schedule::CalendarSet;
using schedule::Schedule;

constexpr Timestamp kMidnight{std::chrono::sys_days(std::chrono::year(2026) / 3 / 2)};

class ForecastTest : public testing::Test {
 protected:
  static Job job(std::string cron) {
    Job value;
    value.id = JobId{{1, 1}};
    value.spec.edit().name = "report";
    value.spec.edit().schedule.cron = {std::move(cron)};
    return value;
  }
  void add(const Job& job, const CalendarSet& calendars = {}, Timestamp planned_at = kMidnight) {
    forecaster_.add(job, *Schedule::compile(job.spec->schedule), calendars, planned_at);
  }
  std::vector<std::int64_t> counts() { return forecaster_.finish().counts; }

  Forecaster forecaster_{{kMidnight, kMidnight + 4h, 1h}};
};

TEST_F(ForecastTest, InstantsAreCountedByStepsAndNamed) {
  add(job("0,30 * * * *"));
  const auto found = forecaster_.finish();
  EXPECT_EQ(found.counts, (std::vector<std::int64_t>{2, 2, 2, 2}));
  ASSERT_EQ(found.runs.size(), 8U);
  EXPECT_EQ(found.runs[0], (ForecastRun{kMidnight, JobId{{1, 1}}, "report"}));
  EXPECT_EQ(found.runs[7].at, kMidnight + 3h + 30min);
  EXPECT_FALSE(found.is_truncated);
}

TEST_F(ForecastTest, NothingBeforeTheRunThatWaits) {
  add(job("0 * * * *"), {}, kMidnight + 2h);
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{0, 0, 1, 1}));
}

TEST_F(ForecastTest, WhatCalendarsExcludeDoesNotRun) {
  schedule::CalendarSpec spec;
  spec.weekly = {{{}, "01:00", "03:00"}};
  CalendarSet calendars;
  calendars.add("night", *schedule::Calendar::compile(spec));
  add(job("0 * * * *"), calendars);
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{1, 0, 0, 1}));
}

TEST_F(ForecastTest, AJobEndsWithItsLastRun) {
  auto limited = job("0 * * * *");
  limited.spec.edit().max_runs = 5;
  limited.runs_planned = 3;
  add(limited);
  EXPECT_EQ(counts(), (std::vector<std::int64_t>{1, 1, 0, 0}));
}

TEST_F(ForecastTest, OfManyTheFirstAreNamedAndAllAreCounted) {
  add(job("* * * * *"));
  auto dense = job("* * * * *");
  dense.id = JobId{{2, 2}};
  dense.spec.edit().schedule.cron.clear();
  dense.spec.edit().schedule.every = 1s;
  dense.spec.edit().schedule.start_at = kMidnight;
  add(dense);
  const auto found = forecaster_.finish();
  EXPECT_EQ(found.counts[0], 60 + 3600);
  ASSERT_EQ(found.runs.size(), kForecastRunsMax);
  EXPECT_EQ(found.runs[1].at, kMidnight) << "both";
  EXPECT_LT(found.runs.back().at, kMidnight + 500s);
  EXPECT_FALSE(found.is_truncated);
}

TEST_F(ForecastTest, TheLastStepMayBeShort) {
  Forecaster forecaster({kMidnight, kMidnight + 90min, 1h});
  const auto each = job("0,30 * * * *");
  forecaster.add(each, *Schedule::compile(each.spec->schedule), {}, kMidnight);
  EXPECT_EQ(forecaster.finish().counts, (std::vector<std::int64_t>{2, 1}));
}

TEST_F(ForecastTest, SingleInstantsAndRuns) {
  forecaster_.add_instant(kMidnight + 1h);
  forecaster_.add_instant(kMidnight + 4h);
  forecaster_.add_run({kMidnight + 1h, RunId{{3, 3}}, JobId{{4, 4}}, "once"});
  const auto found = forecaster_.finish();
  EXPECT_EQ(found.counts, (std::vector<std::int64_t>{0, 1, 0, 0}));
  ASSERT_EQ(found.runs.size(), 1U);
  EXPECT_EQ(found.runs[0].job_name, "once");
}

}  // namespace
}  // namespace chronos
