// L1 at the store: submit → claim → settle of no-op jobs through SqlStore, in batches, beside the
// disk's own fdatasync rate. Prints one JSON line per batch size.
//
//   store_bench DIRECTORY
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>

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

class Lifecycle {
 public:
  Lifecycle(store::SqlStore& store, const Clock& clock, IdSource& ids)
      : store_(store),
        clock_(clock),
        ids_(ids),
        project_(ids.make<ProjectId>()),
        node_(ids.make<NodeId>()) {
    commit(store::PutProject{{project_, "default", clock.now()}});
    commit(store::Heartbeat{node_, std::chrono::hours(1)});
  }

  // One batch from submit to settled.
  void turn(int batch) {
    for (int i = 0; i < batch; ++i) submit();
    drain();
    std::vector<store::ClaimedRun> claimed;
    store_.commit(store::ClaimRuns{node_, "bench", {{"http", batch}}, {}, clock_.now()},
                  [&](auto answer) { claimed = std::move(*answer); });
    drain();
    for (const auto& run : claimed) settle(run);
    drain();
    settled += static_cast<long>(claimed.size());
  }

  long settled = 0;

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
  void submit() {
    const auto now = clock_.now();
    Job job;
    job.id = ids_.make<JobId>();
    job.project = project_;
    job.spec.name = "no-op";
    job.spec.action = {"http", R"({"kind":"http","url":"http://127.0.0.1/"})"};
    job.spec.payload = std::string(200, '1');
    job.created_at = job.updated_at = now;
    const PlannedRun run{ids_.make<RunId>(), Trigger::schedule, now, now, false, {}};
    store_.commit(store::SubmitJob{std::move(job), run, now, {}}, [](const auto&) {});
  }
  void settle(const store::ClaimedRun& run) {
    const auto now = clock_.now();
    store::SettleRun change;
    change.run = run.run;
    change.token = run.token;
    change.attempt = {1, run.started_at, now, "bench", {}};
    change.attempt.outcome.kind = OutcomeKind::succeeded;
    change.now = now;
    store_.commit(std::move(change), [](const auto&) {});
  }

  store::SqlStore& store_;
  const Clock& clock_;
  IdSource& ids_;
  ProjectId project_;
  NodeId node_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  for (const int batch : {1, 64, 1000}) {
    const auto syncs = fdatasyncs_per_second(folder);
    SystemClock clock;
    IdSource ids(clock, Rng(1));
    store::SqlStoreOptions options;
    options.has_own_thread = false;
    auto store =
        store::SqlStore::open(folder + "/" + std::to_string(batch) + ".db", clock, options);
    if (!store) {
      std::cerr << store.error().message << "\n";
      return 1;
    }
    Lifecycle lifecycle(**store, clock, ids);
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
