#include "cli/bench_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <utility>

#include "base/json.h"
#include "base/mutex.h"
#include "base/time_text.h"
#include "net/http_client.h"

namespace chronos::cli {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kQueue = "chronos-bench";
constexpr int kSubmitBatch = 1000;

double ms_since(Steady::time_point begun) {
  return std::chrono::duration<double, std::milli>(Steady::now() - begun).count();
}

// Calls to the target; their answers come on one thread, so that what they touch needs no lock but
// for the one who waits.
class Calls {
 public:
  explicit Calls(const BenchTarget& target)
      : target_(target), client_({.policy = {}, .ca_file = target.ca_file}) {}
  ~Calls() { client_.stop(); }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  void post(std::string_view path, std::string body,
            std::function<void(const net::HttpAnswer&)> then) {
    net::HttpCall call{.method = "POST",
                       .url = target_.url + std::string(path),
                       .headers = {{"Authorization", "Bearer " + target_.key},
                                   {"Content-Type", "application/json"}},
                       .body = std::move(body),
                       .timeout = seconds(60),
                       .answer_max = 64 << 20};
    client_.start(++last_id_, std::move(call), std::move(then));
  }

  // Called where answers come in: something went on.
  void advance() {
    const MutexLock lock(mutex_);
    last_advance_ = Steady::now();
  }
  void finish(std::optional<Error> error = std::nullopt) {
    const MutexLock lock(mutex_);
    if (!is_over_) error_ = std::move(error);
    is_over_ = true;
    changed_.notify_all();
  }
  // Until finish(), or until nothing has gone on for `patience`.
  Result<void> wait(Duration patience) {
    const MutexLock lock(mutex_);
    last_advance_ = Steady::now();
    while (!is_over_) {
      changed_.wait_for(mutex_, milliseconds(100));
      if (is_over_ || Steady::now() - last_advance_ < patience) continue;
      return fail(Reason::timeout,
                  fmt::format("nothing has happened for {}", format_duration(patience)));
    }
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  const BenchTarget& target_;
  std::atomic<std::uint64_t> last_id_ = 0;
  Mutex mutex_;
  Condition changed_;
  bool is_over_ CHRONOS_GUARDED_BY(mutex_) = false;
  std::optional<Error> error_ CHRONOS_GUARDED_BY(mutex_);
  Steady::time_point last_advance_ CHRONOS_GUARDED_BY(mutex_);
  net::HttpClient client_;  // the first to go: no answer comes after it
};

Error error_of(const net::HttpAnswer& answer, std::string_view path) {
  return {Reason::store_unavailable,
          answer.failure == net::HttpFailure::none
              ? fmt::format("{} answered {}: {}", path, answer.status, answer.body.substr(0, 300))
              : fmt::format("{}: {}", path, answer.error),
          {},
          {}};
}

std::string job_body(std::string_view more) {
  return fmt::format(R"({{"name":"bench","action":{{"kind":"worker"}},"queue":"{}",)"
                     R"("payload":{{"text":"{}"}}{}}})",
                     kQueue, std::string(180, 'x'), more);
}

std::string string_of(const json::Value& object, std::string_view name) {
  const auto* value = object.find(name);
  return value == nullptr ? std::string() : value->string;
}

// One client after another in a closed loop: each submits its next job when the last is answered.
class Submitting {
 public:
  Submitting(const BenchTarget& target, const BenchPlan& plan, Ledger& ledger)
      : plan_(plan), ledger_(ledger), body_(job_body("")), calls_(target) {}

  Result<SubmitFigures> run() {
    begun_ = Steady::now();
    until_ = begun_ + plan_.submit_for;
    left_ = plan_.clients;
    for (int i = 0; i < plan_.clients; ++i) submit();
    CHRONOS_TRY_VOID(calls_.wait(plan_.give_up));
    figures_.per_second =
        static_cast<double>(figures_.latencies.size()) / (ms_since(begun_) / 1000);
    return std::move(figures_);
  }

 private:
  void submit() {
    const auto sent_at = Steady::now();
    calls_.post("/api/jobs", body_, [this, sent_at](const net::HttpAnswer& answer) {
      calls_.advance();
      note(answer, sent_at);
      if (Steady::now() < until_) return submit();
      if (--left_ == 0) calls_.finish();
    });
  }
  void note(const net::HttpAnswer& answer, Steady::time_point sent_at) {
    const auto document = json::parse(answer.body);
    if (answer.failure != net::HttpFailure::none || answer.status != 201 || !document) {
      ++figures_.refused;
      return;
    }
    figures_.latencies.push_back(ms_since(sent_at));
    ledger_.emplace(string_of(document->root(), "id"), 0);
  }

  const BenchPlan& plan_;
  Ledger& ledger_;
  const std::string body_;
  SubmitFigures figures_;
  Steady::time_point begun_;
  Steady::time_point until_;
  int left_ = 0;
  Calls calls_;
};

// Workers that take runs and settle them at once, until every job of the ledger was worked on.
class Working {
 public:
  // Told of each run as it comes.
  using OnRun = std::function<void(const json::Value& run)>;

  Working(const BenchTarget& target, const BenchPlan& plan, Ledger& ledger, OnRun on_run)
      : plan_(plan), ledger_(ledger), on_run_(std::move(on_run)), calls_(target) {
    left_ = std::ranges::count_if(ledger, [](const auto& entry) { return entry.second == 0; });
  }

  void start() {
    for (int i = 0; i < plan_.workers; ++i) claim(fmt::format(R"("worker":"bench-{}")", i), {});
  }
  Result<void> wait() {
    if (left_ == 0) return {};
    return calls_.wait(plan_.give_up);
  }

 private:
  std::string wanted() const {
    return fmt::format(R"("queues":["{}"],"max":{})", kQueue, plan_.batch);
  }
  void claim(const std::string& who, const std::string& worker) {
    calls_.post("/api/workers/claim", fmt::format(R"({{{},{},"wait":"5s"}})", who, wanted()),
                [this, worker](const net::HttpAnswer& answer) { take(answer, worker, "claim"); });
  }
  void settle(const std::string& worker, const std::string& outcomes, std::int64_t count) {
    calls_.post("/api/workers/settle",
                fmt::format(R"({{"worker_id":"{}","outcomes":[{}],"claim":{{{}}}}})", worker,
                            outcomes, wanted()),
                [this, worker, count](const net::HttpAnswer& answer) {
                  unsettled_ -= count;
                  take(answer, worker, "settle");
                });
  }

  void take(const net::HttpAnswer& answer, std::string worker, std::string_view what) {
    const auto document = json::parse(answer.body);
    if (answer.failure != net::HttpFailure::none || answer.status != 200 || !document) {
      return calls_.finish(error_of(answer, what));
    }
    const auto& root = document->root();
    if (worker.empty()) worker = string_of(root, "worker_id");
    std::string outcomes;
    const auto& runs = root.find("runs")->elements;
    for (const auto& run : runs) {
      note(run);
      outcomes += fmt::format(R"({}{{"run":"{}","token":{},"outcome":"succeeded"}})",
                              outcomes.empty() ? "" : ",", string_of(run, "id"),
                              run.find("token")->integer);
    }
    unsettled_ += std::ssize(runs);
    if (left_ == 0 && unsettled_ == 0) return calls_.finish();
    if (!runs.empty()) return settle(worker, outcomes, std::ssize(runs));
    if (left_ > 0) claim(fmt::format(R"("worker_id":"{}")", worker), worker);
  }
  void note(const json::Value& run) {
    calls_.advance();
    if (on_run_) on_run_(run);
    const auto found = ledger_.find(string_of(run, "job_id"));
    if (found != ledger_.end() && ++found->second == 1) --left_;
  }

  const BenchPlan& plan_;
  Ledger& ledger_;
  const OnRun on_run_;
  std::int64_t left_ = 0;       // jobs that nobody was given yet
  std::int64_t unsettled_ = 0;  // runs given whose settlement was not answered yet
  Calls calls_;
};

Result<void> submit_due(const BenchTarget& target, const BenchPlan& plan, Timestamp due,
                        Ledger& ledger) {
  const auto job = job_body(fmt::format(R"(,"scheduled_time":"{}")", format_timestamp(due)));
  for (int left = plan.due_jobs; left > 0; left -= kSubmitBatch) {
    std::string body = "[";
    for (int i = 0; i < std::min(left, kSubmitBatch); ++i) body += (i == 0 ? "" : ",") + job;
    body += ']';
    Calls calls(target);
    calls.post("/api/jobs/batch", std::move(body), [&](const net::HttpAnswer& answer) {
      const auto document = json::parse(answer.body);
      if (answer.failure != net::HttpFailure::none || answer.status != 200 || !document) {
        return calls.finish(error_of(answer, "batch"));
      }
      for (const auto& result : document->root().find("results")->elements) {
        const auto* made = result.find("job");
        if (made != nullptr) ledger.emplace(string_of(*made, "id"), 0);
      }
      calls.finish();
    });
    CHRONOS_TRY_VOID(calls.wait(plan.give_up));
  }
  return {};
}

}  // namespace

double percentile(Milliseconds& values, double share) {
  if (values.empty()) return 0;
  const auto rank =
      static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(values.size()))) - 1;
  const auto at = values.begin() + std::max<std::ptrdiff_t>(rank, 0);
  std::ranges::nth_element(values, at);
  return *at;
}

Result<SubmitFigures> bench_submits(const BenchTarget& target, const BenchPlan& plan,
                                    Ledger& ledger) {
  return Submitting(target, plan, ledger).run();
}

Result<LifecycleFigures> bench_lifecycles(const BenchTarget& target, const BenchPlan& plan,
                                          Ledger& ledger) {
  const auto count =
      std::ranges::count_if(ledger, [](const auto& entry) { return entry.second == 0; });
  Working working(target, plan, ledger, {});
  const auto begun = Steady::now();
  working.start();
  CHRONOS_TRY_VOID(working.wait());
  return LifecycleFigures{static_cast<double>(count) / (ms_since(begun) / 1000)};
}

Result<LatenessFigures> bench_lateness(const BenchTarget& target, const BenchPlan& plan,
                                       const Clock& clock, Ledger& ledger) {
  LatenessFigures figures;
  // Time to submit them all, at a rate that slow disks reach too.
  const auto due =
      std::chrono::ceil<seconds>(clock.now() + seconds(2) + milliseconds(plan.due_jobs / 5));
  CHRONOS_TRY_VOID(submit_due(target, plan, due, ledger));
  if (clock.now() >= due) {
    return fail(Reason::timeout, "the server took too long to take the jobs that were to be due",
                "fewer of them: --due");
  }
  Working working(target, plan, ledger, [&](const json::Value& run) {
    const auto late = clock.now() - parse_timestamp(string_of(run, "planned_at")).value_or(due);
    figures.lateness.push_back(std::chrono::duration<double, std::milli>(late).count());
    figures.early += late < Duration(0) ? 1 : 0;
  });
  working.start();
  CHRONOS_TRY_VOID(working.wait());
  return figures;
}

}  // namespace chronos::cli
