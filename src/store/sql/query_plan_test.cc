// How SQLite goes about the statements that must stay cheap however many rows there are: no scan of
// a large table, no sorting.
#include <gtest/gtest.h>

#include <filesystem>
#include <list>

#include "store/sql/migrate.h"
#include "store/sql/reads.h"
#include "store/sql/sqlite.h"
#include "support/listening_connection.h"

namespace chronos::store::sql {
namespace {

using Plan = std::vector<std::string>;

class QueryPlanTest : public testing::Test {
 protected:
  QueryPlanTest() {
    char folder[] = "/tmp/chronos-plan-XXXXXX";
    folder_ = mkdtemp(folder);
    db_ = *open_sqlite_writer({.path = (folder_ / "chronos.db").string()});
    const auto done = migrate(*db_, schema_files());
    EXPECT_TRUE(done) << done.error().message;
  }
  ~QueryPlanTest() override {
    db_.reset();
    std::filesystem::remove_all(folder_);
  }

  void run(const std::string& script) {
    const auto done = db_->run_script(script);
    ASSERT_TRUE(done) << done.error().message;
  }
  // A live run, of which every id is 16 bytes of '1'.
  void make_live() {
    run("INSERT INTO live (job, is_held, run, project, trigger_kind, planned_at, at,"
        " needs_planning, kind, queue, rank, is_cancel_requested, attempts_made, jitter)"
        " SELECT id, 0, id, id, 'schedule', 1, 1, 1, 'http', 'q', 5, 0, 0, 0"
        " FROM (SELECT CAST('1111111111111111' AS BLOB) AS id)");
  }

  // The plans of the statements that `read` prepares, one after the other, however it ends.
  template <class Read>
  Plan plan_of(Read read) {
    std::vector<std::string> heard;
    test::ListeningConnection db(*db_, [&](const Sql& sql) { heard.emplace_back(sql.text); });
    static_cast<void>(read(Reader{db, specs_}));
    Plan plan;
    for (const auto& text : heard) {
      const auto explained = "EXPLAIN QUERY PLAN " + text;
      kept_.push_back(std::make_unique<Sql>(Sql{kept_text_.emplace_back(explained).c_str()}));
      const auto steps = db_->all(*kept_.back(), [](Columns& columns) {
        columns.pass_over(3);
        return columns.get<std::string>();
      });
      EXPECT_TRUE(steps) << steps.error().message;
      if (steps) plan.insert(plan.end(), steps->begin(), steps->end());
    }
    return plan;
  }

  std::filesystem::path folder_;
  std::unique_ptr<Connection> db_;
  SpecCache specs_{1 << 20};
  // Statements are known by their addresses, which therefore stay.
  std::list<std::string> kept_text_;
  std::vector<std::unique_ptr<Sql>> kept_;
};

TEST_F(QueryPlanTest, DueRuns) {
  make_live();
  run("INSERT INTO due SELECT 1, at, run, job FROM live");
  auto plan = plan_of([](Reader reader) { return due_runs(reader, Timestamp{} + Duration(1), 2); });
  plan.resize(10);  // from the earliest and from the latest; then their jobs
  EXPECT_EQ(
      plan,
      (Plan{"SEARCH d USING PRIMARY KEY (needs_planning=? AND at<?)",
            "CORRELATED SCALAR SUBQUERY 1", "SEARCH o USING PRIMARY KEY (job=? AND is_held=?)",
            "SEARCH e USING PRIMARY KEY (needs_planning=? AND at=? AND run=?)",
            "SEARCH l USING PRIMARY KEY (job=? AND is_held=? AND run=?)",
            "SEARCH d USING PRIMARY KEY (needs_planning=? AND (at,run)>(?,?) AND at<?)",
            "CORRELATED SCALAR SUBQUERY 1", "SEARCH o USING PRIMARY KEY (job=? AND is_held=?)",
            "SEARCH e USING PRIMARY KEY (needs_planning=? AND at=? AND run=?)",
            "SEARCH l USING PRIMARY KEY (job=? AND is_held=? AND run=?)"}));
}

TEST_F(QueryPlanTest, NextDueAt) {
  EXPECT_EQ(plan_of([](Reader reader) { return next_due_at(reader); }),
            (Plan{"SEARCH due USING PRIMARY KEY (needs_planning=?)",
                  "SEARCH limit_keys USING COVERING INDEX limit_keys_opening (opens_at>?)"}));
}

TEST_F(QueryPlanTest, WaitingRuns) {
  EXPECT_EQ(plan_of([](Reader reader) { return waiting_runs(reader, {}, 10); }),
            (Plan{"SEARCH d USING PRIMARY KEY (needs_planning=? AND (at,run)>(?,?))",
                  "SEARCH l USING PRIMARY KEY (job=? AND is_held=? AND run=?)"}));
}

TEST_F(QueryPlanTest, NextResumeAt) {
  EXPECT_EQ(plan_of([](Reader reader) { return next_resume_at(reader); }),
            (Plan{"SEARCH jobs USING INDEX jobs_to_resume (paused_until>?)"}));
}

TEST_F(QueryPlanTest, JobsToResume) {
  EXPECT_EQ(plan_of([](Reader reader) { return jobs_to_resume(reader, Timestamp{}, 10); }),
            (Plan{"SEARCH j USING INDEX jobs_to_resume (paused_until>? AND paused_until<?)"}));
}

TEST_F(QueryPlanTest, Standing) {
  make_live();
  run("INSERT INTO ready (kind, queue, rank, planned_at, run, job, project, trigger_kind, attempt,"
      " queued_at) SELECT kind, queue, rank, planned_at, run, job, project, trigger_kind, 1, 1"
      " FROM live; INSERT INTO ready (kind, queue, rank, planned_at, run, job, project,"
      " trigger_kind, attempt, queued_at) SELECT kind, 'r', rank, planned_at, run, job, project,"
      " trigger_kind, 1, 1 FROM live");
  EXPECT_EQ(
      plan_of([](Reader reader) {
        const auto ones =
            Uuid::from_bytes(reinterpret_cast<const std::uint8_t*>("1111111111111111"));
        return read_standing(reader, ProjectId{ones}, RunId{ones}, 1000);
      }),
      (Plan{"SEARCH l USING INDEX live_by_run (project=? AND run=?)",
            "SEARCH e USING PRIMARY KEY (run=?) LEFT-JOIN",
            "SEARCH d USING PRIMARY KEY (needs_planning=? AND at=? AND run=?) LEFT-JOIN",
            "SEARCH y USING PRIMARY KEY (kind=? AND queue=? AND rank=? AND planned_at=? AND run=?) "
            "LEFT-JOIN",
            "SCAN e", "SEARCH l USING PRIMARY KEY (job=? AND is_held=? AND run=?)",
            "USE TEMP B-TREE FOR ORDER BY", "CO-ROUTINE ahead",
            "SEARCH ready USING PRIMARY KEY (kind=? AND queue=? AND (rank,planned_at,run)<(?,?,?))",
            "SCAN ahead", "SEARCH ready USING PRIMARY KEY (kind=? AND queue>?)"}));
}

TEST_F(QueryPlanTest, ReasonCounts) {
  EXPECT_EQ(plan_of([](Reader reader) { return reason_counts(reader, {}, {}); }),
            (Plan{"CO-ROUTINE latest", "SEARCH runs USING INDEX runs_by_last_instant (job=?)",
                  "SCAN latest", "USE TEMP B-TREE FOR GROUP BY"}));
}

}  // namespace
}  // namespace chronos::store::sql
