// What every statement of the store costs when the tables are large: a million future jobs, a
// million finished runs. Costs are SQLite's own counts of work, not times, so the machine does not
// matter: no table is read from end to end, nothing is sorted, and the steps of SQLite's machine
// are bounded by the rows that a statement answers or changes.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "store/sql/migrate.h"
#include "store/sql/sqlite.h"
#include "store/sql/statement_cost_operations.h"
#include "support/large_database.h"
#include "support/listening_connection.h"
#include "support/virtual_clock.h"

namespace chronos::store::sql {
namespace {

using namespace std::chrono_literals;

// "sql_jobs.cc kFindJob".
using Name = std::string;

// A call, and each row it answers or changes, and how many these may be.
constexpr std::int64_t kStepsPerCall = 400;
constexpr std::int64_t kStepsPerRow = 150;
constexpr std::int64_t kRowsMax = 3'100;

// What a statement may cost beyond that, and why it is no harm.
struct Allowance {
  Name statement;
  std::string why;
  bool scans = false;  // reads all of a table
  bool sorts = false;  // or groups, in a temporary tree
  std::int64_t steps = 0;
  std::int64_t rows = 0;
};

const std::vector<Allowance>& allowances() {
  static const std::string kUnderWay = "there are no more leases than attempts under way";
  static const std::string kWalk = "a walk: its rows are looks, and these are bounded";
  static const std::string kWhole = "what it reads is asked for whole";
  static const std::string kFirst = "it stops at the first row";
  static const std::vector<Allowance> all = {
      {"ready_queue.cc kLeasesByQueue", kUnderWay, true, true, 20'000},
      {"sql_claims.cc kLeases", kUnderWay, true, true},
      {"sql_claims.cc kLeasesOf", kUnderWay, true, true, 20'000},
      {"sql_lists.cc kJobsRunning", kUnderWay, true, true, 60'000},
      {"sql_standing.cc kLeased", kUnderWay, true, true},
      {"sql_workers.cc kHeld", kUnderWay, true, true},
      {"sql_claims.cc kToCancel", "as many as are to stop just now", false, true},
      {"live.cc kOfJob", "the live runs of one job", false, true},
      {"sql_calendars.cc kUsers", "the jobs that name one calendar", false, true},
      {"sql_bulks.cc kOpen", "those that are not over: an index of them alone", true},
      {"sql_access.cc kListProjects", kWhole, true},
      {"holders.cc kWorkers", kWhole, true},
      {"sql_totals.cc kSumJobs", "a row for each project", true},
      {"sql_totals.cc kSumRuns", "a row for each queue of a project", true},
      {"sql_lists.cc kCountQueued", "likewise", true},
      {"sql_totals.cc kOtherProject", kFirst, true},
      {"sql_totals.cc kLateReady", "20,000 rows at most", true, false, 400'000},
      {"sql_totals.cc kLateDue", "10,000 rows at most", false, false, 400'000},
      {"sql_totals.cc kUpcomingOf", "likewise, and it answers the first", false, true, 600'000},
      {"sql_totals.cc kCountUpcoming", "it counts, but not beyond 10,000", false, false, 100'000},
      {"sql_totals.cc kCountUpcomingOf", "likewise", false, false, 400'000},
      {.statement = "sql_totals.cc kAhead", .why = "its instants are asked for", .rows = 10'001},
      {.statement = "sql_totals.cc kAheadOf",
       .why = "likewise, in their order as the table has it",
       .sorts = true,
       .rows = 10'001},
      {"sql_totals.cc kCountWaitingDeliveries", "deliveries wait while a channel hangs", true,
       false, 5'000},
      {"sql_deliveries.cc kWaitingDeliveries", "only tests ask for any kind", true, true, 30'000},
      {"sql_access.cc kAnyProject", kFirst, true},
      {"limited.cc kAnyLimited", kFirst, true},
      {"sql_planning.cc kAnyWorker", kFirst, true},
      {"sql_prune.cc kNextSurplusJob", kFirst, true},
      {"sql_planning.cc kReleaseEnd", "it passes over the runs to release", false, false, 10'000},
      {"sql_planning.cc kReleasedWork", "it counts the runs to release", false, true, 50'000},
      {"sql_planning.cc kReleasedLimited", "it looks through them", false, false, 50'000},
      {"sql_standing.cc kCountBefore", "it counts, but not beyond 10,000", false, false, 80'000},
      {"limited.cc kCountAhead", "likewise", false, false, 80'000},
      {"sql_standing.cc kReasons", "the rows of one job; reasons are few", false, true},
      {"sql_lists.cc kLiveQueued", "only while they are few", true, true, 700'000},
      {.statement = "sql_audit.cc kEntries", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_audit.cc kEntriesOf", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_audit.cc kSubmissions", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_lists.cc kJobs", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_lists.cc kJobsTagged", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_lists.cc kJobsRetrying", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_lists.cc kFinal", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_lists.cc kFinalUnusualLike",
       .why = "a walk, in its order as the index has it",
       .sorts = true,
       .rows = kLooksMax},
      {.statement = "sql_lists.cc kLive", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_lists.cc kLiveTried", .why = kWalk, .rows = kLooksMax},
      {.statement = "sql_planning.cc kRelease",
       .why = "the runs it releases, for the totals",
       .rows = 6'000},
  };
  return all;
}

// Statements that no operation of the list runs.
const std::map<Name, std::string>& elsewhere() {
  static const std::string kOpening = "when the file is opened";
  static const std::string kTransaction = "around the operations";
  static const std::map<Name, std::string> all = {
      {"migrate.cc kCreateMeta", kOpening},
      {"migrate.cc kReadVersion", kOpening},
      {"migrate.cc kWriteVersion", kOpening},
      {"sqlite.cc kApplication", kOpening},
      {"sqlite.cc kBytes", "asks for a number in the file's header"},
      {"sqlite.cc kTables", kOpening},
      {"sqlite.cc kStatistics", kOpening},
      {"sqlite.cc kCommit", kTransaction},
      {"sqlite.cc kRollback", kTransaction},
  };
  return all;
}

// -- Names ---------------------------------------------------------------------------------------

struct Definition {
  Name name;
  unsigned line = 0;  // of its beginning
};

// The statements of a source file, from top to bottom.
std::vector<Definition> definitions_in(const std::filesystem::path& file) {
  static const std::regex kDefinition(R"(\bconstexpr Sql (k\w+)\{)");
  std::vector<Definition> found;
  std::ifstream in(file);
  std::string text;
  for (unsigned line = 1; std::getline(in, text); ++line) {
    std::smatch match;
    if (!std::regex_search(text, match, kDefinition)) continue;
    found.push_back({file.filename().string() + " " + match[1].str(), line});
  }
  return found;
}

// Every source of the statements that SQLite runs; not the tests of them.
std::vector<std::filesystem::path> sources() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(CHRONOS_SQL_SOURCES)) {
    const auto name = entry.path().filename().string();
    const bool is_test = name.ends_with("_test.cc") || name.starts_with("statement_cost");
    if (name.ends_with(".cc") && !is_test && !name.starts_with("postgres"))
      found.push_back(entry.path());
  }
  return found;
}

// The name of a statement that is defined here; empty when it is none of the store's.
Name name_at(const std::source_location& where) {
  const std::filesystem::path file(where.file_name());
  Name name;
  for (const auto& source : sources()) {
    if (source.filename() != file.filename()) continue;
    for (const auto& definition : definitions_in(source)) {
      if (definition.line <= where.line()) name = definition.name;
    }
  }
  return name;
}

// -- Measuring -----------------------------------------------------------------------------------

struct Cost {
  std::string during;  // the operation
  std::string text;
  std::int64_t rows = 0;  // answered or changed
  std::int64_t scanned = 0;
  std::int64_t sorts = 0;
  std::int64_t steps = 0;
};

// Of each execution, in the order they ended.
class Meter {
 public:
  void attach(sqlite3* db) {
    sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE | SQLITE_TRACE_ROW, &Meter::on_event, this);
  }
  std::vector<Cost> take() { return std::exchange(costs_, {}); }
  std::string during;

 private:
  static int on_event(unsigned event, void* self, void* statement, void*) {
    auto& meter = *static_cast<Meter*>(self);
    auto* one = static_cast<sqlite3_stmt*>(statement);
    if (event == SQLITE_TRACE_ROW) {
      ++meter.rows_[one];
    } else {
      meter.end(one);
    }
    return 0;
  }
  void end(sqlite3_stmt* statement) {
    const auto read = [&](int which) {
      return std::int64_t{sqlite3_stmt_status(statement, which, 1)};
    };
    auto rows = std::exchange(rows_[statement], 0);
    if (sqlite3_stmt_readonly(statement) == 0) {
      rows += sqlite3_changes64(sqlite3_db_handle(statement));
    }
    costs_.push_back({.during = during,
                      .text = sqlite3_sql(statement),
                      .rows = rows,
                      .scanned = read(SQLITE_STMTSTATUS_FULLSCAN_STEP),
                      .sorts = read(SQLITE_STMTSTATUS_SORT),
                      .steps = read(SQLITE_STMTSTATUS_VM_STEP)});
  }

  std::vector<Cost> costs_;
  std::map<sqlite3_stmt*, std::int64_t> rows_;
};

// The connections SQLite opens come by here, so that nothing in the product must show them.
sqlite3* opened_last = nullptr;
int note_opened(sqlite3* db, const char**, const sqlite3_api_routines*) {
  opened_last = db;
  return SQLITE_OK;
}

// -- The large database, and all operations upon it ----------------------------------------------

struct Measured {
  std::map<std::string, std::set<Name>> names;  // by text: two may read alike
  std::vector<Cost> costs;
  std::map<std::string, std::vector<std::string>> plans;  // by text
};

class Rig {
 public:
  Rig() {
    char folder[] = "/tmp/chronos-cost-XXXXXX";
    folder_ = mkdtemp(folder);
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(note_opened));
    auto db = open();
    must(migrate(*db, schema_files()));
    must(test::large::fill(*db));
  }
  ~Rig() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(note_opened));
    std::filesystem::remove_all(folder_);
  }

  void analyze() { must(open()->run_script("ANALYZE")); }

  // Every page of a list, one after the other.
  template <class List, class Filter>
  auto read_all(List list, Filter filter) {
    const auto db = open();
    filter.project = test::large::project();
    filter.limit = kPageMax;
    std::vector<typename decltype(list({*db, specs_}, filter))::value_type> pages;
    do {
      auto page = list({*db, specs_}, filter);
      if (!page) throw std::runtime_error(page.error().message);
      filter.after = page->last;
      pages.push_back(std::move(*page));
    } while (pages.back().has_more);
    return pages;
  }

  Measured measure() {
    const auto db = open();
    Meter meter;
    meter.attach(opened_last);
    auto* const handle = opened_last;
    Measured measured;
    test::ListeningConnection listening(
        *db, [&](const Sql& sql) { measured.names[sql.text].insert(name_at(sql.where)); });
    for (const auto& operation : operations()) perform(operation, listening, meter);
    measured.costs = meter.take();
    // What is not the store's own is what operations prepare themselves with.
    std::erase_if(measured.names,
                  [](const auto& each) { return each.second == std::set<Name>{""}; });
    std::erase_if(measured.costs,
                  [&](const auto& cost) { return !measured.names.contains(cost.text); });
    for (const auto& [text, _] : measured.names) measured.plans[text] = plan_of(handle, text);
    return measured;
  }

 private:
  static void must(const Result<void>& done) {
    if (!done) throw std::runtime_error(done.error().message);
  }
  std::unique_ptr<Connection> open() {
    auto db = open_sqlite_writer({.path = (folder_ / "chronos.db").string()});
    must(db ? Result<void>() : std::unexpected(db.error()));
    return std::move(*db);
  }

  void perform(const Operation& operation, Connection& db, Meter& meter) {
    const auto holders = holders_in_memory(clock_);
    must(holders->hear(db, {NodeId{test::large::uuid('n', 1)}, 1h, false}));
    Writer writer{.db = db, .specs = specs_, .holders = *holders};
    Desk desk{{db, specs_}, writer};
    meter.during = operation.name;
    must(db.begin());
    const auto done = operation.run(desk);
    EXPECT_TRUE(done) << operation.name << ": " << done.error().message;
    EXPECT_TRUE(db.rollback()) << operation.name;
  }

  static std::vector<std::string> plan_of(sqlite3* db, const std::string& text) {
    sqlite3_stmt* statement = nullptr;
    const auto explain = "EXPLAIN QUERY PLAN " + text;
    EXPECT_EQ(sqlite3_prepare_v2(db, explain.c_str(), -1, &statement, nullptr), SQLITE_OK) << text;
    std::vector<std::string> plan;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      plan.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)));
    }
    sqlite3_finalize(statement);
    return plan;
  }

  std::filesystem::path folder_;
  test::VirtualClock clock_{test::large::kNow};
  SpecCache specs_{1 << 20};
};

class StatementCostTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    rig_ = std::make_unique<Rig>();
    measured_ = rig_->measure();
  }
  static void TearDownTestSuite() { rig_.reset(); }

  static const Allowance& allowance(const std::set<Name>& names) {
    static const Allowance kNone;
    for (const auto& each : allowances()) {
      if (names.contains(each.statement)) return each;
    }
    return kNone;
  }
  static void expect_cheap(const Measured& measured);

  static std::unique_ptr<Rig> rig_;
  static Measured measured_;
};
std::unique_ptr<Rig> StatementCostTest::rig_;
Measured StatementCostTest::measured_;

std::string join(const std::set<Name>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Reads all of a table (an index, of it). A subquery is as short as what is in it.
bool is_scan(const std::string& step) {
  // Of the rows of a statement within the statement, whose own steps are looked at too.
  static const std::set<std::string> kOfItself = {"SCAN ahead", "SCAN latest", "SCAN CONSTANT ROW"};
  return step.starts_with("SCAN ") && !step.starts_with("SCAN (") && !kOfItself.contains(step);
}
bool is_sort(const std::string& step) {
  return step.starts_with("USE TEMP B-TREE") || step.find("AUTOMATIC") != std::string::npos;
}

void StatementCostTest::expect_cheap(const Measured& measured) {
  for (const auto& cost : measured.costs) {
    const auto& names = measured.names.at(cost.text);
    const auto& allowed = allowance(names);
    const auto where = join(names) + " during: " + cost.during;
    EXPECT_TRUE(cost.scanned == 0 || allowed.scans) << where << ", steps: " << cost.scanned;
    EXPECT_TRUE(cost.sorts == 0 || allowed.sorts) << where << ", sorts: " << cost.sorts;
    EXPECT_LE(cost.steps, kStepsPerCall + kStepsPerRow * cost.rows + allowed.steps)
        << where << ", rows: " << cost.rows;
    EXPECT_LE(cost.rows, std::max(kRowsMax, allowed.rows)) << where;
  }
  for (const auto& [text, plan] : measured.plans) {
    const auto& names = measured.names.at(text);
    const auto& allowed = allowance(names);
    for (const auto& step : plan) {
      EXPECT_FALSE(is_scan(step) && !allowed.scans) << join(names) << ": " << step;
      EXPECT_FALSE(is_sort(step) && !allowed.sorts) << join(names) << ": " << step;
    }
  }
}

TEST_F(StatementCostTest, CostIsThatOfTheRowsNotOfTheTables) {
  expect_cheap(measured_);
}

// Chronos never asks for statistics, but a user's own tool may leave some in the file.
TEST_F(StatementCostTest, LikewiseWithStatistics) {
  rig_->analyze();
  expect_cheap(rig_->measure());
}

// The ids of all pages, which must be newest first.
template <class Page>
auto ids_of(const std::vector<Page>& pages) {
  std::vector<decltype(Page::last)> ids;
  for (const auto& page : pages) {
    for (const auto& row : page.rows) ids.push_back(row.id);
  }
  EXPECT_TRUE(std::ranges::is_sorted(ids, std::ranges::greater{}));
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
  return ids;
}

TEST_F(StatementCostTest, ASearchGoesOnFromPageToPage) {
  JobFilter filter;
  filter.name_contains = "REPORT 200001";  // and no other, a million jobs back
  const auto pages = rig_->read_all(list_jobs, filter);
  EXPECT_EQ(ids_of(pages), std::vector{test::large::job(test::large::kFuture.first)});
  EXPECT_GT(pages.size(), 1'000'000U / kLooksMax);
  EXPECT_TRUE(pages.front().rows.empty());
}

TEST_F(StatementCostTest, NoRunIsLeftOutBetweenLiveAndFinalOnes) {
  RunFilter filter;  // the held ones, among a million live ones, and the earliest final ones
  filter.planned_before = test::large::kNow - 3'999s;
  const auto pages = rig_->read_all(list_runs, filter);
  EXPECT_EQ(std::ssize(ids_of(pages)), test::large::kHeldRuns + 999);
}

TEST_F(StatementCostTest, EveryStatementIsMeasured) {
  std::set<Name> run;
  for (const auto& [_, names] : measured_.names) run.insert(names.begin(), names.end());
  std::set<Name> all;
  for (const auto& source : sources()) {
    for (const auto& definition : definitions_in(source)) all.insert(definition.name);
  }
  EXPECT_GT(all.size(), 100U);
  for (const auto& name : all) {
    EXPECT_TRUE(run.contains(name) != elsewhere().contains(name))
        << name << (run.contains(name) ? " is run, and said not to be" : " is run by no operation");
  }
  for (const auto& [name, _] : elsewhere()) EXPECT_TRUE(all.contains(name)) << name;
  for (const auto& each : allowances()) EXPECT_TRUE(run.contains(each.statement)) << each.statement;
}

}  // namespace
}  // namespace chronos::store::sql
