// Files that are torn or damaged: what is wrong is found when the store opens, or nothing is.
// CHRONOS_BIT_FLIPS is the number of flips in the log (300) and of those in the database.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "power/stored_jobs.h"
#include "store/open.h"

namespace chronos::power {
namespace {

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// A database whose jobs are in its log still, each in a transaction of its own, as a `kill -9`
// would leave it; and how long the log was when each was acknowledged.
class Damage : public testing::Test {
 protected:
  static constexpr int kJobs = 40;

  void SetUp() override {
    const Folder folder;
    {
      StoredJobs jobs(folder.url());
      for (int i = 0; i < kJobs; ++i) {
        ids_.push_back(jobs.submit());
        ends_.push_back(std::filesystem::file_size(folder.log()));
      }
      project_ = jobs.project();
      database_ = read(folder.database());
      log_ = read(folder.log());
    }
    ASSERT_EQ(ends_.back(), log_.size());
  }

  struct Found {
    std::string refusal;  // of the store; empty: it opened
    int jobs = 0;         // the first so many are there
    int later = 0;        // and of those behind the first that is not
  };

  Found look(const std::string& database, const std::string& log) const {
    const Folder folder;
    write(folder.database(), database);
    write(folder.log(), log);
    const test::VirtualClock clock{test::kStart};
    const auto opened = store::open_store(folder.url(), clock);
    if (!opened) return {.refusal = opened.error().message};
    Found found;
    bool is_whole = true;
    for (const auto& id : ids_) {
      const bool is_there = opened->store->find_job(project_, id).has_value();
      is_whole = is_whole && is_there;
      (is_whole ? found.jobs : found.later) += is_there ? 1 : 0;
    }
    if (const auto told = integrity_of(folder.database()); told != "ok") found.refusal = told;
    return found;
  }

  // The jobs whose transaction ended within so many bytes of the log.
  int within(std::size_t size) const {
    return static_cast<int>(std::ranges::count_if(ends_, [&](auto end) { return end <= size; }));
  }

  ProjectId project_;
  std::vector<JobId> ids_;
  std::vector<std::uintmax_t> ends_;
  std::string database_;
  std::string log_;
};

TEST_F(Damage, AnUntouchedLogIsTaken) {
  const auto found = look(database_, log_);
  EXPECT_EQ(found.refusal, "");
  EXPECT_EQ(found.jobs, kJobs);
}

// As a power cut leaves it: what was committed before is there, and the store opens.
TEST_F(Damage, ALogCutOffAnywhereHoldsWhatItHeldUpToThere) {
  constexpr std::size_t kLast = 3 * (4096 + 24);
  const auto step = number_of("CHRONOS_CUT_STEP", 101);
  for (auto size = log_.size() - kLast; size <= log_.size(); size += step) {
    const auto found = look(database_, log_.substr(0, size));
    ASSERT_EQ(found.refusal, "") << size;
    ASSERT_EQ(found.jobs, within(size)) << size;
    ASSERT_EQ(found.later, 0) << size;
  }
}

// Only the last transaction cannot be told from one that a power cut tore.
TEST_F(Damage, AFlippedBitInTheLogIsToldUnlessItIsInTheLastTransactions) {
  Rng rng(number_of("CHRONOS_SEED", 7));
  int refused = 0, lost_at_the_end = 0, harmless = 0;
  const auto flips = number_of("CHRONOS_BIT_FLIPS", 300);
  for (std::uint64_t i = 0; i < flips; ++i) {
    const auto at =
        static_cast<std::size_t>(rng.between(32, static_cast<std::int64_t>(log_.size()) - 1));
    auto log = log_;
    log[at] = static_cast<char>(log[at] ^ (1 << rng.between(0, 7)));
    const auto found = look(database_, log);
    if (!found.refusal.empty()) {
      ++refused;
    } else if (found.jobs == kJobs) {
      ++harmless;
    } else {
      ++lost_at_the_end;
      EXPECT_GE(found.jobs, kJobs - 2) << "byte " << at;
      EXPECT_EQ(found.later, 0) << "byte " << at;
    }
  }
  std::cout << flips << " flips in the log: " << refused << " refused, " << harmless
            << " without effect, " << lost_at_the_end << " lost the last transactions\n";
  EXPECT_GT(refused, static_cast<int>(flips) / 2);
}

// SQLite has no checksums of its pages: a flip in a value is read as it is. What is damaged beyond
// reading is told; the rest is counted, not promised (docs/guarantees.md, A7).
TEST_F(Damage, AFlippedBitInTheDatabaseNeverTakesTheStoreDown) {
  const Folder folder;
  write(folder.database(), database_);
  write(folder.log(), log_);
  ASSERT_EQ(integrity_of(folder.database()), "ok");  // and its log is now part of it
  const auto database = read(folder.database());
  Rng rng(number_of("CHRONOS_SEED", 7));
  int told = 0;
  const auto flips = number_of("CHRONOS_BIT_FLIPS", 300);
  for (std::uint64_t i = 0; i < flips; ++i) {
    auto damaged = database;
    const auto at =
        static_cast<std::size_t>(rng.between(0, static_cast<std::int64_t>(damaged.size()) - 1));
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << rng.between(0, 7)));
    const auto found = look(damaged, "");
    told += !found.refusal.empty() || found.jobs < kJobs ? 1 : 0;
  }
  std::cout << flips << " flips in the database: " << told << " told or seen\n";
}

}  // namespace
}  // namespace chronos::power
