// SqlStore by itself. L1: submit → claim → settle of no-op jobs, in batches, beside the disk's own
// fdatasync rate; prints one JSON line per batch size. For Q1 and the dashboard's screens: fills
// the file of a server that is stopped with runs that have ended, of so many jobs within so many
// days (else of one job each, now), and jobs that lie ahead. For M1: how long claims of 1000 take
// in such a file.
//
//   store_bench DIRECTORY [postgres://…]
//   store_bench --fill FILE FINISHED FUTURE [JOBS DAYS]
//   store_bench --claims FILE
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/sql/sql_store.h"

namespace {

using namespace chronos;
using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begun) {
  return std::chrono::duration<double>(Steady::now() - begun).count();
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

double fdatasyncs_per_second(const std::string& folder) {
  const int fd = open((folder + "/sync").c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  const std::string page(4096, 'x');
  const auto begun = Steady::now();
  int count = 0;
  for (; seconds_since(begun) < 1; ++count) {
    if (write(fd, page.data(), page.size()) < 0 || fdatasync(fd) != 0) break;
  }
  close(fd);
  return count / seconds_since(begun);
}

// The wall clock, so much behind.
class PastClock final : public Clock {
 public:
  Timestamp now() const override { return wall_.now() - behind; }
  SteadyTime steady() const override { return wall_.steady(); }

  Duration behind{};

 private:
  SystemClock wall_;
};

class Lifecycle {
 public:
  Lifecycle(store::SqlStore& store, const Clock& clock, IdSource& ids)
      : store_(store),
        clock_(clock),
        ids_(ids),
        project_(ids.make<ProjectId>()),
        node_(ids.make<NodeId>()) {
    const auto projects = store.list_projects();
    if (projects && !projects->empty()) {
      project_ = projects->back().id;
    } else {
      commit(store::PutProject{{project_, "default", clock.now()}, {}, {}});
    }
    commit(store::Heartbeat{node_, std::chrono::hours(24)});
  }

  // One batch from submit to settled.
  void turn(int batch) {
    for (int i = 0; i < batch; ++i) {
      if (std::ssize(jobs_) < jobs_max) {
        jobs_.push_back(submit(clock_.now()));
      } else {
        run_again(jobs_[static_cast<std::size_t>(next_again_++ % jobs_max)]);
      }
    }
    drain();
    const auto begun = Steady::now();
    std::vector<store::ClaimedRun> claimed;
    store_.commit(store::ClaimRuns{node_, "bench", {{"http", batch}}, {}, clock_.now()},
                  [&](auto answer) { claimed = std::move(*answer); });
    drain();
    claims_ms.push_back(seconds_since(begun) * 1000);
    for (const auto& run : claimed) settle(run);
    drain();
    settled += static_cast<long>(claimed.size());
  }

  void submit_ahead(int batch) {
    for (int i = 0; i < batch; ++i) {
      submit(clock_.now() + std::chrono::hours(24 * 365) + std::chrono::seconds(submitted_));
    }
    drain();
  }

  bool is_varied = false;  // jobs differ in what people search by, and one in a thousand fails
  long jobs_max = std::numeric_limits<long>::max();  // then these run again, in turns
  long settled = 0;
  std::vector<double> claims_ms;

 private:
  template <class C>
  void commit(C change) {
    store_.commit(std::move(change), [](const auto&) {});
    drain();
  }
  void drain() {
    while (store_.pump()) {
    }
  }
  JobId submit(Timestamp at) {
    const auto now = clock_.now();
    Job job;
    job.id = ids_.make<JobId>();
    job.project = project_;
    auto& spec = job.spec.edit();
    spec.name = "no-op";
    if (is_varied) vary(spec);
    ++submitted_;
    spec.action = {"http", R"({"kind":"http","url":"http://127.0.0.1/"})"};
    spec.payload = std::string(200, '1');
    job.created_at = job.updated_at = now;
    const auto id = job.id;
    const PlannedRun run{ids_.make<RunId>(), Trigger::schedule, at, at, false, {}};
    store_.commit(store::SubmitJob{std::move(job), run, now, {}}, [](const auto&) {});
    return id;
  }
  void run_again(JobId job) {
    const auto now = clock_.now();
    const PlannedRun run{ids_.make<RunId>(), Trigger::manual, now, now, false, {}};
    store_.commit(store::RunJob{project_, job, run, now, {}}, [](const auto&) {});
  }
  void vary(JobSpec& spec) const {
    spec.name += fmt::format(" {}", submitted_);
    if (submitted_ % 10 == 0) spec.tags.emplace_back("common");
    if (submitted_ % 1000 == 0) spec.tags.emplace_back("rare");
  }
  void settle(const store::ClaimedRun& run) {
    const auto now = clock_.now();
    const bool is_failed = is_varied && ++ended_ % 1000 == 0;
    store::SettleRun change;
    change.run = run.run;
    change.token = run.token;
    change.next = is_failed ? RunState::failed : RunState::succeeded;
    change.attempt = {1, run.started_at, now, "bench", {}};
    change.attempt.outcome.kind = is_failed ? OutcomeKind::failed : OutcomeKind::succeeded;
    change.now = now;
    store_.commit(std::move(change), [](const auto&) {});
  }

  store::SqlStore& store_;
  const Clock& clock_;
  IdSource& ids_;
  ProjectId project_;
  NodeId node_;
  std::vector<JobId> jobs_;
  long next_again_ = 0;
  long submitted_ = 0;
  long ended_ = 0;
};

// A store, and what goes on in it; this thread is its only one.
struct Bench {
  explicit Bench(const std::string& path) {
    store::SqlStoreOptions options;
    options.has_own_thread = false;
    auto opened = path.starts_with("postgres") ? store::SqlStore::open_postgres(path, options)
                                               : store::SqlStore::open(path, clock, options);
    if (!opened) {
      std::cerr << opened.error().message << "\n";
      std::exit(1);
    }
    store = std::move(*opened);
    lifecycle.emplace(*store, clock, ids);
  }

  PastClock clock;
  IdSource ids{clock, Rng::from_system()};
  std::unique_ptr<store::SqlStore> store;
  std::optional<Lifecycle> lifecycle;
};

constexpr int kBatch = 1000;

struct Filling {
  long finished = 0;
  long future = 0;
  long jobs = std::numeric_limits<long>::max();
  int days = 0;
};

void fill(const std::string& path, const Filling& filling) {
  Bench bench(path);
  bench.lifecycle->is_varied = true;
  bench.lifecycle->jobs_max = filling.jobs;
  const auto begun = Steady::now();
  const Duration whole = std::chrono::days(filling.days);
  while (bench.lifecycle->settled < filling.finished) {
    bench.clock.behind = whole - whole / filling.finished * bench.lifecycle->settled;
    bench.lifecycle->turn(kBatch);
  }
  bench.clock.behind = {};
  for (long made = 0; made < filling.future; made += kBatch) bench.lifecycle->submit_ahead(kBatch);
  std::cout << fmt::format("{{\"finished\":{},\"seconds\":{:.1f}}}\n", bench.lifecycle->settled,
                           seconds_since(begun));
}

void claims(const std::string& path) {
  Bench bench(path);
  for (int i = 0; i < 30; ++i) bench.lifecycle->turn(kBatch);
  auto& ms = bench.lifecycle->claims_ms;
  std::cout << fmt::format("{{\"claim_ms\":{:.2f},\"worst_ms\":{:.2f}}}\n", median(ms),
                           std::ranges::max(ms));
}

void lifecycles(const std::string& folder, const std::string& url = {}) {
  for (const int batch : {1, 64, 1000}) {
    const auto syncs = fdatasyncs_per_second(folder);
    Bench bench(url.empty() ? folder + "/" + std::to_string(batch) + ".db" : url);
    auto& lifecycle = *bench.lifecycle;
    const auto begun = Steady::now();
    const auto cpu_begun = cpu_seconds();
    while (seconds_since(begun) < 3) lifecycle.turn(batch);
    const auto rate = static_cast<double>(lifecycle.settled) / seconds_since(begun);
    const auto cpu = (cpu_seconds() - cpu_begun) / static_cast<double>(lifecycle.settled);
    std::cout << fmt::format(
        "{{\"batch\":{},\"lifecycles_per_second\":{:.0f},\"cpu_us\":{:.1f},"
        "\"fdatasyncs_per_second\":{:.0f}}}\n",
        batch, rate, cpu * 1e6, syncs);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (argc == 2) {
    lifecycles(first);
  } else if (argc == 3 && std::string_view(argv[2]).starts_with("postgres")) {
    lifecycles(first, argv[2]);
  } else if (argc == 3 && first == "--claims") {
    claims(argv[2]);
  } else if (argc == 5 && first == "--fill") {
    fill(argv[2], {std::atol(argv[3]), std::atol(argv[4])});
  } else if (argc == 7 && first == "--fill") {
    fill(argv[2], {std::atol(argv[3]), std::atol(argv[4]), std::atol(argv[5]), std::atoi(argv[6])});
  } else {
    std::cerr << "usage: store_bench DIRECTORY [URL] | --fill FILE FINISHED FUTURE [JOBS DAYS] | "
                 "--claims "
                 "FILE\n";
    return 2;
  }
}
