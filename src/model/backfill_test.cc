#include "model/backfill.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/time_text.h"

namespace chronos {
namespace {

using Instants = std::vector<Timestamp>;

Timestamp at(std::string_view text) {
  return *parse_timestamp(fmt::format("2026-03-01T{}Z", text));
}

// A job that fires every hour.
class BackfillTest : public testing::Test {
 protected:
  BackfillPick pick(std::string_view first, std::string_view last) {
    return pick_instants(schedule_, {at(first), at(last)}, request_, history_);
  }
  void row(RunState state, std::string_view first, std::string_view last, std::int64_t count) {
    chronos::Run run;
    run.state = state;
    run.planned_at = at(first);
    if (count > 1) run.planned_until = at(last);
    run.count = count;
    note(history_, run);
  }
  void run(RunState state, std::string_view time, Trigger trigger = Trigger::schedule) {
    chronos::Run run;
    run.state = state;
    run.trigger = trigger;
    run.planned_at = at(time);
    note(history_, run);
  }
  static schedule::Schedule hourly() {
    schedule::ScheduleSpec spec;
    spec.cron = {"0 * * * *"};
    return *schedule::Schedule::compile(spec);
  }

  schedule::Schedule schedule_ = hourly();
  BackfillRequest request_;
  InstantHistory history_;
};

TEST_F(BackfillTest, AllIsWhatTheScheduleNames) {
  request_.only = BackfillOnly::all;
  run(RunState::succeeded, "02:00:00");
  const auto picked = pick("01:00:00", "03:30:00");
  EXPECT_EQ(picked.instants, (Instants{at("01:00:00"), at("02:00:00"), at("03:00:00")}));
  EXPECT_EQ(picked.count, 3);
  EXPECT_EQ(picked.already_run, 1);
}

TEST_F(BackfillTest, BothEndsBelongToTheRange) {
  request_.only = BackfillOnly::all;
  EXPECT_EQ(pick("01:00:00", "02:00:00").count, 2);
  EXPECT_EQ(pick("01:00:00.000001", "01:59:59.999999").count, 0);
  EXPECT_EQ(pick("02:00:00", "01:00:00").count, 0);
}

TEST_F(BackfillTest, MissingIsWhatTheLedgerSaysWasNotRun) {
  run(RunState::succeeded, "01:00:00");
  row(RunState::missed, "02:00:00", "04:00:00", 3);
  row(RunState::skipped, "06:00:00", "06:00:00", 1);
  run(RunState::failed, "07:00:00");
  const auto picked = pick("00:00:00", "08:00:00");
  EXPECT_EQ(picked.instants,
            (Instants{at("02:00:00"), at("03:00:00"), at("04:00:00"), at("06:00:00")}));
  EXPECT_EQ(picked.count, 4);
  EXPECT_EQ(picked.already_run, 0);
}

TEST_F(BackfillTest, RowsAreCutToTheRange) {
  row(RunState::missed, "02:00:00", "10:00:00", 9);
  EXPECT_EQ(pick("04:00:00", "05:00:00").instants, (Instants{at("04:00:00"), at("05:00:00")}));
}

TEST_F(BackfillTest, RowsThatShareInstantsAreOne) {
  row(RunState::missed, "02:00:00", "04:00:00", 3);
  row(RunState::missed, "03:00:00", "05:00:00", 3);
  row(RunState::missed, "03:00:00", "03:00:00", 1);
  EXPECT_EQ(pick("00:00:00", "08:00:00").count, 4);
  EXPECT_EQ(pick("00:00:00", "08:00:00").instants.size(), 4U);
}

TEST_F(BackfillTest, WhatABackfillMadeUpForIsNotMissing) {
  row(RunState::missed, "01:00:00", "05:00:00", 5);
  run(RunState::succeeded, "01:00:00", Trigger::backfill);
  run(RunState::queued, "02:00:00", Trigger::backfill);
  run(RunState::failed, "03:00:00", Trigger::backfill);
  run(RunState::cancelled, "04:00:00", Trigger::backfill);
  run(RunState::succeeded, "04:30:00", Trigger::backfill);  // of an earlier schedule
  const auto picked = pick("00:00:00", "08:00:00");
  EXPECT_EQ(picked.instants, (Instants{at("03:00:00"), at("04:00:00"), at("05:00:00")}));
  EXPECT_EQ(picked.count, 3);
}

TEST_F(BackfillTest, MoreThanMaxAreCountedOnly) {
  request_.max = 3;
  row(RunState::missed, "01:00:00", "05:00:00", 5);
  run(RunState::succeeded, "01:00:00", Trigger::backfill);
  EXPECT_EQ(pick("00:00:00", "08:00:00").count, 4);
  EXPECT_TRUE(pick("00:00:00", "08:00:00").instants.empty());
  request_.max = 4;
  EXPECT_EQ(pick("00:00:00", "08:00:00").instants.size(), 4U);
}

TEST(ReadBackfill, SaysEverythingThatIsWrong) {
  struct Row {
    std::string_view body;
    std::string_view pointer;
    std::string_view code;
  };
  const auto now = at("12:00:00");
  for (const auto& row : {
           Row{R"({"until": "2026-03-01T02:00:00Z"})", "/from", "required"},
           Row{R"({"from": "2026-03-01T02:00:00Z"})", "/until", "required"},
           Row{R"({"from": "2026-03-01T02:00:00Z", "until": "2026-03-01T02:00:00Z"})", "/until",
               "out_of_range"},
           Row{R"({"from": "2026-03-01T02:00:00Z", "until": "2026-03-01T12:00:00.001Z"})", "/until",
               "in_future"},
           Row{R"({"from": "2026-03-01T02:00:00Z", "until": "2026-03-01T03:00:00Z", "max": 10001})",
               "/max", "out_of_range"},
           Row{R"({"from": "2026-03-01T02:00:00Z", "until": "2026-03-01T03:00:00Z", "max": 0})",
               "/max", "out_of_range"},
           Row{R"({"from": "2026-03-01T02:00:00Z", "until": "2026-03-01T03:00:00Z",
                   "overlap": "skip"})",
               "/overlap", "unknown_value"},
           Row{R"({"from": "2026-03-01T02:00:00Z", "until": "2026-03-01T03:00:00Z",
                   "only": "failed"})",
               "/only", "unknown_value"},
           Row{R"({"from": "yesterday", "until": "2026-03-01T03:00:00Z"})", "/from", "bad_time"},
       }) {
    const auto document = json::parse(row.body);
    ASSERT_TRUE(document);
    const auto request = read_backfill(document->root(), now);
    ASSERT_FALSE(request) << row.body;
    ASSERT_EQ(request.error().fields.size(), 1U) << row.body;
    EXPECT_EQ(request.error().fields[0].pointer, row.pointer);
    EXPECT_EQ(request.error().fields[0].code, row.code);
  }
  const auto document =
      json::parse(R"({"from": "2026-03-01T02:00:00Z", "until": "2026-03-01T12:00:00Z"})");
  EXPECT_TRUE(read_backfill(document->root(), now));
}

}  // namespace
}  // namespace chronos
