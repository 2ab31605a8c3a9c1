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

}  // namespace
}  // namespace chronos::store::sql
