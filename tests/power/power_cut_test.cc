// The power goes while a store works: whatever the disk had not synced is lost, reordered or torn,
// and everything that was acknowledged before is found afterwards in a sound database.
// CHRONOS_POWER_CUTS is the number of cuts (500), CHRONOS_SEED repeats them.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <future>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "power/power_disk.h"
#include "power/stored_jobs.h"
#include "store/open.h"
#include "support/print.h"

namespace chronos::power {
namespace {

using namespace std::chrono_literals;
using test::must;

// What the store has said that it holds.
struct Acknowledged {
  std::vector<JobId> jobs;
  std::vector<RunId> succeeded;
};

// A disk as it was, and what had been acknowledged by then.
struct Cut {
  DiskImage disk;
  Acknowledged acknowledged;
};

// Work on a store whose disk is watched; now and then a cut is kept.
class Work {
 public:
  Work(std::uint64_t seed, int cuts_permille, bool ignores_sync)
      : rng_(seed), cut_rng_(seed + 1), disk_(ignores_sync) {
    disk_.watch([this, cuts_permille](const DiskImage& image) {
      const MutexLock lock(mutex_);
      if (cut_rng_.chance(cuts_permille)) cuts_.push_back({image, acknowledged_});
    });
    jobs_ = std::make_unique<StoredJobs>(folder_.url());
  }

  ~Work() { disk_.watch({}); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  std::vector<Cut> go_on(int steps) {
    for (int i = 0; i < steps; ++i) step();
    jobs_.reset();
    const MutexLock lock(mutex_);
    return std::move(cuts_);
  }

  ProjectId project() const { return jobs_->project(); }

 private:
  void step() {
    jobs_->clock().advance(1s);
    switch (rng_.between(0, 9)) {
      case 0:
        return checkpoint();
      case 1:
      case 2:
        return run_some();
      default:
        return submit_some();
    }
  }

  // Several at once: they may share a transaction.
  void submit_some() {
    std::vector<std::future<void>> answers;
    for (auto count = rng_.between(1, 6); count > 0; --count) {
      auto done = std::make_shared<std::promise<void>>();
      answers.push_back(done->get_future());
      auto change = jobs_->new_job(static_cast<std::size_t>(rng_.between(1, 200)));
      const auto id = change.job.id;
      jobs_->store().commit(std::move(change),
                            [this, id, done](const Result<store::JobAnswer>& answer) {
                              if (answer) {
                                const MutexLock lock(mutex_);
                                acknowledged_.jobs.push_back(id);
                              }
                              done->set_value();
                            });
    }
    for (auto& answer : answers) answer.get();
  }

  void run_some() {
    auto& store = jobs_->store();
    const auto claimed = must(store::commit_and_wait(
        store, store::ClaimRuns{node_, "node", {{"http", 5}}, {}, jobs_->clock().now()}));
    for (const auto& run : claimed) {
      store::SettleRun change;
      change.run = run.run;
      change.token = run.token;
      change.next = RunState::succeeded;
      change.attempt.number = run.attempt;
      change.attempt.outcome.output =
          std::string(static_cast<std::size_t>(rng_.between(0, 9'000)), 'o');
      change.now = jobs_->clock().now();
      must(store::commit_and_wait(store, std::move(change)));
      const MutexLock lock(mutex_);
      acknowledged_.succeeded.push_back(run.run);
    }
  }

  // As the writer does when its log is long; the log then begins anew, over what it held.
  void checkpoint() {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(folder_.database().c_str(), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    const int mode = rng_.chance(500) ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
    EXPECT_EQ(sqlite3_wal_checkpoint_v2(db, nullptr, mode, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }

  Rng rng_;
  Rng cut_rng_;
  Folder folder_;
  PowerDisk disk_;
  std::unique_ptr<StoredJobs> jobs_;
  NodeId node_{Uuid{1, 1}};
  Mutex mutex_;
  Acknowledged acknowledged_ CHRONOS_GUARDED_BY(mutex_);
  std::vector<Cut> cuts_ CHRONOS_GUARDED_BY(mutex_);
};

// What is wrong when the power is back; nothing = all is well.
std::string fault_after(const Cut& cut, ProjectId project, Luck luck, Rng& rng) {
  const Folder folder;
  write_image(cut.disk, luck, rng, folder.path());
  if (!std::filesystem::exists(folder.database())) return "the database is gone";
  if (const auto told = integrity_of(folder.database()); told != "ok") return told;
  const test::VirtualClock clock{test::kStart};
  const auto opened = store::open_store(folder.url(), clock);
  if (!opened) return opened.error().message;
  for (const auto& job : cut.acknowledged.jobs) {
    if (!opened->store->find_job(project, job)) return "lost " + job.to_string();
  }
  for (const auto& id : cut.acknowledged.succeeded) {
    const auto run = opened->store->find_run(project, id);
    if (!run || run->state != RunState::succeeded) return "lost the success of " + id.to_string();
  }
  return {};
}

struct Told {
  int cuts = 0;
  int acknowledged = 0;
  std::vector<std::string> faults;
};

// The last cuts of each piece of work say most: more was acknowledged by then.
Told cut_often(std::uint64_t seed, std::uint64_t wanted, bool ignores_sync) {
  constexpr int kSteps = 40;
  constexpr int kCutsPermille = 60;
  Told told;
  Rng rng(seed);
  while (std::cmp_less(told.cuts, wanted)) {
    const auto work_seed = rng.next();
    ProjectId project;
    std::vector<Cut> cuts;
    {
      Work work(work_seed, kCutsPermille, ignores_sync);
      project = work.project();
      cuts = work.go_on(kSteps);
    }
    for (const auto& cut : cuts) {
      const auto luck = kAllLuck[static_cast<std::size_t>(told.cuts) % std::size(kAllLuck)];
      ++told.cuts;
      told.acknowledged += static_cast<int>(cut.acknowledged.jobs.size());
      auto fault = fault_after(cut, project, luck, rng);
      if (!fault.empty()) {
        told.faults.push_back("work of seed " + std::to_string(work_seed) + ": " + fault);
      }
      if (std::cmp_greater_equal(told.cuts, wanted)) break;
    }
  }
  return told;
}

TEST(PowerCut, LosesNothingThatWasAcknowledged) {
  const auto seed = number_of("CHRONOS_SEED", 20'261'126);
  const auto told = cut_often(seed, number_of("CHRONOS_POWER_CUTS", 500), false);
  RecordProperty("cuts", told.cuts);
  std::cout << told.cuts << " cuts (seed " << seed << "), " << told.acknowledged
            << " acknowledged jobs looked for\n";
  EXPECT_TRUE(told.faults.empty()) << told.faults.size() << ", first: " << told.faults.front();
  EXPECT_GT(told.acknowledged, told.cuts);
}

// The rig finds what it is there to find.
TEST(PowerCut, OfADiskThatLiesIsFound) {
  const auto told = cut_often(7, 40, true);
  EXPECT_FALSE(told.faults.empty());
}

}  // namespace
}  // namespace chronos::power
