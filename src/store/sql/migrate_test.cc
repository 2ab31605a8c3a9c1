#include "store/sql/migrate.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "store/sql/sqlite.h"

namespace chronos::store::sql {
namespace {

// A database file as older programs left it.
class MigrateTest : public testing::Test {
 protected:
  MigrateTest() {
    char folder[] = "/tmp/chronos-migrate-XXXXXX";
    folder_ = mkdtemp(folder);
    db_ = *open_sqlite_writer({.path = (folder_ / "chronos.db").string()});
  }
  ~MigrateTest() override {
    db_.reset();
    std::filesystem::remove_all(folder_);
  }
  void migrate_to(std::size_t version) {
    const auto done = migrate(*db_, schema_files().first(version));
    ASSERT_TRUE(done) << done.error().message;
  }
  void run(const std::string& script) {
    const auto done = db_->run_script(script);
    ASSERT_TRUE(done) << done.error().message;
  }
  std::vector<std::string> texts(const Sql& sql) { return *db_->all(sql, column<std::string>); }

  std::filesystem::path folder_;
  std::unique_ptr<Connection> db_;
};

TEST_F(MigrateTest, HeldRunsKeepTheirPlace) {
  migrate_to(4);
  const auto live = [](const std::string& run, const std::string& trigger, int planned_at) {
    return "INSERT INTO live (job, run, project, trigger_kind, planned_at, at, needs_planning, "
           "kind,"
           " queue, rank, is_cancel_requested, attempts_made, jitter) VALUES (x'01', CAST('" +
           run + "' AS BLOB), x'02', '" + trigger + "', " + std::to_string(planned_at) +
           ", 7, 0, 'http', 'q', 5, 0, 3, 9);";
  };
  run(live("planned", "schedule", 30) + live("next", "schedule", 20) + live("old", "backfill", 10) +
      "INSERT INTO held VALUES (x'01', 20, CAST('next' AS BLOB)),"
      " (x'01', 10, CAST('old' AS BLOB));"
      "INSERT INTO due VALUES (0, 7, CAST('planned' AS BLOB), x'01');");
  migrate_to(schema_files().size());
  static constexpr Sql kHeld{
      "SELECT CAST(run AS TEXT) || planned_at FROM held ORDER BY job, is_backfill, planned_at"};
  static constexpr Sql kLive{
      "SELECT CAST(run AS TEXT) || is_held || trigger_kind || planned_at || at || needs_planning ||"
      " kind || queue || rank || attempts_made || jitter FROM live ORDER BY run"};
  EXPECT_EQ(texts(kHeld), (std::vector<std::string>{"next20", "old10"}));
  EXPECT_EQ(texts(kLive),
            (std::vector<std::string>{"next1schedule2070httpq539", "old1backfill1070httpq539",
                                      "planned0schedule3070httpq539"}));
}

TEST_F(MigrateTest, TotalsBeginWithWhatIsThere) {
  migrate_to(14);
  const auto job = [](int id, const std::string& phase, bool is_paused) {
    const auto number = std::to_string(id);
    return "INSERT INTO specs (id, spec, payload) VALUES (" + number +
           R"(, '{"action":{"kind":"http"},"queue":"q"}', '');)"
           "INSERT INTO jobs (project, id, spec, name, is_paused, phase, version, created_at,"
           " updated_at, planned_through, runs_planned, failure_streak, succeeded, failed,"
           " cancelled, skipped, missed, retention_runs, retention_age, runs_kept) VALUES (x'01',"
           " CAST('" +
           number + "' AS BLOB), " + number + ", 'n', " + (is_paused ? "1" : "0") + ", '" + phase +
           "', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);";
  };
  const auto live = [](const std::string& run, bool is_held, int attempts_made) {
    return "INSERT INTO live (job, is_held, run, project, trigger_kind, planned_at, at,"
           " needs_planning, kind, queue, rank, is_cancel_requested, attempts_made, jitter) VALUES"
           " (x'01', " +
           std::string(is_held ? "1" : "0") + ", CAST('" + run +
           "' AS BLOB), x'01', 'schedule', 30, 7, 0, 'http', 'q', 5, 0, " +
           std::to_string(attempts_made) + ", 0);";
  };
  const auto ended = [](const std::string& run, const std::string& state, int count,
                        const std::string& at) {
    return "INSERT INTO runs (project, id, job, trigger_kind, state, reason, planned_at, run_count,"
           " ended_at, attempts_made) VALUES (x'01', CAST('" +
           run + "' AS BLOB), x'01', 'schedule', '" + state + "', '', 0, " + std::to_string(count) +
           ", " + at + ", 1);";
  };
  const std::string step = "900000000";
  const std::string long_after = "999000000000";  // step 1110
  run(job(1, "active", false) + job(2, "active", true) + job(3, "active", false) +
      job(4, "succeeded", false) + job(5, "cancelled", true) + live("due", false, 0) +
      live("again", false, 1) + live("ready", false, 0) + live("runs", false, 0) +
      live("held", true, 0) + live("line", false, 0) +
      "INSERT INTO due VALUES (0, 7, CAST('due' AS BLOB), x'01'),"
      " (0, 7, CAST('again' AS BLOB), x'01');"
      "INSERT INTO ready (kind, queue, rank, planned_at, run, job, project, trigger_kind, attempt,"
      " queued_at) VALUES ('http', 'q', 5, 30, CAST('ready' AS BLOB), x'01', x'01', 'schedule', 1,"
      " 7);"
      "INSERT INTO leases (run, job, holder, node, token, attempt, queued_at, started_at,"
      " is_cancel_requested) VALUES (CAST('runs' AS BLOB), x'01', x'09', 'n', 1, 1, 7, 8, 0);" +
      ended("a", "failed", 1, long_after) + ended("b", "missed", 9, long_after + " + 1") +
      ended("c", "succeeded", 1, long_after + " - " + step) + ended("d", "failed", 1, step));
  migrate_to(schema_files().size());
  static constexpr Sql kJobs{
      "SELECT scheduled || ' ' || paused || ' ' || succeeded || ' ' || failed || ' ' || cancelled"
      " FROM job_totals"};
  static constexpr Sql kRuns{
      "SELECT queue || ' ' || due || retrying || ready || held || limited || running"
      " FROM run_totals"};
  static constexpr Sql kTallies{
      "SELECT (at / 900000000 - 1110) || ' ' || succeeded || failed || missed"
      " FROM tallies ORDER BY at"};
  static constexpr Sql kLanes{"SELECT DISTINCT kind || ' ' || queue FROM jobs"};
  EXPECT_EQ(texts(kJobs), std::vector<std::string>{"2 1 1 0 1"});
  EXPECT_EQ(texts(kRuns), std::vector<std::string>{"q 211111"});
  EXPECT_EQ(texts(kTallies), (std::vector<std::string>{"-1 100", "0 019"}))
      << "and nothing of long before";
  EXPECT_EQ(texts(kLanes), std::vector<std::string>{"http q"});
}

TEST_F(MigrateTest, ASecondLookChangesNothing) {
  migrate_to(schema_files().size());
  migrate_to(schema_files().size());
}

TEST_F(MigrateTest, ANewerSchemaIsRefused) {
  migrate_to(schema_files().size());
  const auto refused = migrate(*db_, schema_files().first(2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, Reason::store_unavailable);
  EXPECT_NE(refused.error().hint.find("newer program"), std::string::npos);
}

TEST_F(MigrateTest, AStepThatFailsLeavesTheOneBefore) {
  migrate_to(1);
  const std::array<EmbeddedFile, 2> broken = {
      schema_files()[0], {"0002_broken.sql", "CREATE TABLE half (id INTEGER); NONSENSE;"}};
  const auto refused = migrate(*db_, broken);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("0002_broken.sql"), std::string::npos);
  static constexpr Sql kHalf{"SELECT name FROM sqlite_master WHERE name = 'half'"};
  EXPECT_TRUE(texts(kHalf).empty());
  migrate_to(schema_files().size());
}

// SQLite takes a transaction back by itself when memory runs out, or the disk: what comes after it
// must not become a transaction of its own.
TEST_F(MigrateTest, NothingIsWrittenAfterATransactionThatTheDatabaseTookBack) {
  static constexpr Sql kInsert{"INSERT INTO seen VALUES (1)"};
  static constexpr Sql kCount{"SELECT count(*) FROM seen"};
  ASSERT_TRUE(db_->run_script("CREATE TABLE seen (n INTEGER)"));
  ASSERT_TRUE(db_->begin());
  ASSERT_TRUE(db_->run_script("ROLLBACK"));
  EXPECT_FALSE(db_->post(kInsert));
  const auto committed = db_->commit(Durable::written);
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().reason, Reason::store_unavailable);
  EXPECT_EQ(*db_->one(kCount, column<std::int64_t>), 0);
  ASSERT_TRUE(db_->begin());
  EXPECT_TRUE(db_->post(kInsert));
  EXPECT_TRUE(db_->commit(Durable::written));
  EXPECT_EQ(*db_->one(kCount, column<std::int64_t>), 1);
}

}  // namespace
}  // namespace chronos::store::sql
