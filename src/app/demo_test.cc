#include "app/demo.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "store/sql/sql_store.h"

namespace chronos::app {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::sys_days(std::chrono::year(2026) / 3 / 20) + 15h};

class DemoTest : public testing::Test {
 protected:
  DemoTest() {
    char folder[] = "/tmp/chronos-demo-XXXXXX";
    folder_ = mkdtemp(folder);
  }
  ~DemoTest() override { std::filesystem::remove_all(folder_); }

  // Three days are enough to see one of each.
  Result<Demo> make(const std::string& name) {
    return make_demo({.data_dir = (folder_ / name).string(), .now = kNow, .seed = 7, .days = 3});
  }
  // Of each state, in words that do not depend on the ids.
  std::map<std::string, int> counts(const std::string& name) {
    const auto store = store::SqlStore::open((folder_ / name / "chronos.db").string(), clock_);
    std::map<std::string, int> counts;
    RunFilter filter;
    filter.project = store->get()->list_projects()->front().id;
    filter.limit = kPageMax;
    for (bool has_more = true; has_more;) {
      const auto page = store->get()->list_runs(filter);
      for (const auto& run : page->rows) ++counts[std::string(to_string(run.state))];
      has_more = page->has_more;
      filter.after = page->last;
    }
    return counts;
  }

  bool all_changes_have_an_author(const std::string& name) {
    const auto store = store::SqlStore::open((folder_ / name / "chronos.db").string(), clock_);
    AuditFilter filter;
    filter.project = store->get()->list_projects()->front().id;
    const auto keys = store->get()->list_keys(filter.project);
    const auto page = store->get()->list_audit(filter);
    return !page->rows.empty() && std::ranges::all_of(page->rows, [&](const AuditEntry& entry) {
      return entry.actor == keys->front().id;
    });
  }

  std::filesystem::path folder_;
  SystemClock clock_;
};

TEST_F(DemoTest, HasOneOfEachToLookAt) {
  const auto made = make("a");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_GT(made->jobs, 10);
  EXPECT_TRUE(std::filesystem::exists(made->key_file));
  EXPECT_TRUE(all_changes_have_an_author("a"));
  const auto found = counts("a");
  for (const auto* state : {"succeeded", "failed", "skipped", "missed", "running", "planned"}) {
    EXPECT_TRUE(found.contains(state)) << state;
  }
}

TEST_F(DemoTest, TheSameSeedMakesTheSameMonth) {
  ASSERT_TRUE(make("a"));
  ASSERT_TRUE(make("b"));
  EXPECT_EQ(counts("a"), counts("b"));
}

TEST_F(DemoTest, AnotherDatabaseIsNotTouched) {
  ASSERT_TRUE(make("a"));
  const auto again = make("a");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, Reason::invalid_fields);
}

}  // namespace
}  // namespace chronos::app
