#include "app/demo.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "app/data_dir.h"
#include "app/demo_jobs.h"
#include "base/time_text.h"
#include "scheduler/scheduler.h"
#include "service/access.h"
#include "service/calendars.h"
#include "service/jobs.h"
#include "service/runs.h"
#include "store/settlement.h"
#include "store/sql/sql_store.h"

namespace chronos::app {
namespace {

using namespace std::chrono_literals;

// Long, so that most steps are for something that happens.
constexpr Duration kLeaseTtl = 2h;
constexpr Duration kHeartbeat = 20min;
constexpr Duration kUpkeep = 24h;  // each looks through what there is

class DemoClock final : public Clock {
 public:
  explicit DemoClock(Timestamp now) : now_(now) {}
  Timestamp now() const override { return now_; }
  SteadyTime steady() const override { return now_ - Timestamp{}; }
  void move_to(Timestamp time) { now_ = std::max(now_, time); }

 private:
  Timestamp now_;
};

const DemoJob& made_up(std::string_view name) {
  static constexpr DemoJob kOther{.name = "", .members = ""};
  const auto jobs = demo_jobs();
  const auto found = std::ranges::find(jobs, name, &DemoJob::name);
  return found == jobs.end() ? kOther : *found;
}

Outcome draw_outcome(const DemoJob& job, Rng& rng) {
  if (!rng.chance(job.failing_permille)) {
    return {.kind = OutcomeKind::succeeded,
            .reason = {},
            .error = {},
            .exit_code = 0,
            .output = std::string(job.output)};
  }
  return {.kind = OutcomeKind::failed,
          .reason = "exit_code",
          .error = "exit code 1",
          .exit_code = 1,
          .output = std::string(job.error_output)};
}

Duration draw_length(const DemoJob& job, Rng& rng) {
  const auto middle = std::int64_t{job.seconds} * 1'000'000;
  const auto usual = Duration(rng.between(middle / 2, middle * 3 / 2));
  return rng.chance(15) ? 3 * usual : usual;
}

// Attempts that end, some time later, as they were drawn.
class DemoLauncher final : public scheduler::Launcher {
 public:
  DemoLauncher(const Clock& clock, Rng& rng) : clock_(clock), rng_(rng) {}

  void launch(const store::ClaimedRun& run, Duration timeout,
              std::move_only_function<void(Outcome)> done) override {
    ++launched_;
    const auto& job = made_up(run.spec->name);
    const auto length = draw_length(job, rng_);
    auto outcome = draw_outcome(job, rng_);
    if (length > timeout) {
      outcome = {.kind = OutcomeKind::timed_out, .reason = "timeout", .error = "took too long"};
    }
    endings_.emplace(clock_.now() + std::min(length, timeout),
                     Ending{run.run, std::move(outcome), std::move(done)});
  }
  void cancel(RunId run, int) override {
    for (auto& [_, ending] : endings_) {
      if (ending.run != run) continue;
      ending.outcome = {.kind = OutcomeKind::cancelled, .reason = "cancelled", .error = {}};
    }
  }

  std::optional<Timestamp> next_ending() const {
    return endings_.empty() ? std::nullopt : std::optional(endings_.begin()->first);
  }
  void finish_due() {
    while (!endings_.empty() && endings_.begin()->first <= clock_.now()) {
      auto ended = endings_.extract(endings_.begin());
      ended.mapped().done(std::move(ended.mapped().outcome));
    }
  }
  void forget() { endings_.clear(); }
  std::int64_t launched() const { return launched_; }

 private:
  struct Ending {
    RunId run;
    Outcome outcome;
    std::move_only_function<void(Outcome)> done;
  };
  const Clock& clock_;
  Rng& rng_;
  std::multimap<Timestamp, Ending> endings_;
  std::int64_t launched_ = 0;
};

// One month of one server, its users and a worker.
class Month {
 public:
  Month(store::SqlStore& store, DemoClock& clock, IdSource& ids, Rng& rng, service::Principal who)
      : store_(store),
        clock_(clock),
        ids_(ids),
        rng_(rng),
        who_(std::move(who)),
        jobs_(
            store, [](const JobSpec&, const json::Value&) { return Result<void>(); }, clock, ids,
            SpecRules{}),
        calendars_(store, clock, ids),
        launcher_(clock, rng),
        worker_(ids.make<NodeId>()) {}

  Result<void> declare();
  Result<void> live_until(Timestamp end);
  // The server is down; what ran is lost.
  void crash_until(Timestamp end);
  void start();
  Result<void> change(std::string_view key, std::string_view what, const std::string& body);
  // Runs that go on when somebody looks.
  Result<void> leave_running(Timestamp until);

  std::int64_t launched() const { return launcher_.launched() + worked_; }

 private:
  void settle_down();
  store::Heartbeat words(Duration ttl) const;
  Result<void> work();
  Result<JobId> find(std::string_view key) const;
  template <class C>
  Result<typename C::Answer> commit(C change);

  struct Working {
    store::ClaimedRun run;
    Timestamp ends_at;
  };

  store::SqlStore& store_;
  DemoClock& clock_;
  IdSource& ids_;
  Rng& rng_;
  const service::Principal who_;
  service::Jobs jobs_;
  service::Calendars calendars_;
  DemoLauncher launcher_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  const NodeId worker_;
  std::vector<Working> working_;
  std::int64_t worked_ = 0;
};

void Month::settle_down() {
  while (store_.pump()) {
  }
}

template <class C>
Result<typename C::Answer> Month::commit(C change) {
  Result<typename C::Answer> answer = fail(Reason::internal, "the store did not answer");
  store_.commit(std::move(change), [&](Result<typename C::Answer> given) { answer = given; });
  settle_down();
  return answer;
}

void Month::start() {
  scheduler::SchedulerOptions options;
  options.node = "demo-1";
  options.lanes = {{"command", 8}, {"http", 8}};
  options.lease_ttl = kLeaseTtl;
  options.heartbeat = kHeartbeat;
  options.prune_interval = kUpkeep;
  options.zone_interval = kUpkeep;
  scheduler_ =
      std::make_unique<scheduler::Scheduler>(store_, launcher_, clock_, ids_, Rng(rng_.next()),
                                             options, scheduler::SchedulerEvents{}, [] {});
}

Result<void> Month::declare() {
  Result<void> said;
  for (const auto& calendar : demo_calendars()) {
    CHRONOS_TRY(const auto body, json::parse(calendar.body));
    calendars_.put(who_, std::string(calendar.name), body.root(), {}, [&](const auto& reply) {
      if (!reply) said = std::unexpected(reply.error());
    });
    settle_down();
  }
  for (const auto& job : demo_jobs()) {
    const auto text = fmt::format(R"({{"name":"{}",{}}})", job.name, job.members);
    CHRONOS_TRY(const auto body, json::parse(text));
    jobs_.submit(who_, body.root(), {}, [&](const auto& reply) {
      if (!reply) said = std::unexpected(reply.error());
    });
    settle_down();
  }
  return said;
}

Result<JobId> Month::find(std::string_view key) const {
  CHRONOS_TRY(const auto job, jobs_.find_by_key(who_, std::string(key)));
  return job.id;
}

// What a user does to a job: pause, resume, run, or a patch.
Result<void> Month::change(std::string_view key, std::string_view what, const std::string& body) {
  CHRONOS_TRY(const auto job, find(key));
  CHRONOS_TRY(const auto document, json::parse(body));
  Result<void> said;
  const auto hear = [&](const auto& reply) {
    if (!reply) said = std::unexpected(reply.error());
  };
  if (what == "pause") jobs_.pause(who_, job, document.root(), {}, hear);
  if (what == "resume") jobs_.resume(who_, job, {}, hear);
  if (what == "run") jobs_.run_now(who_, job, {}, hear);
  if (what == "patch") jobs_.patch(who_, job, document.root(), {}, hear);
  settle_down();
  return said;
}

store::Heartbeat Month::words(Duration ttl) const {
  return {.holder = worker_,
          .ttl = ttl,
          .worker = WorkerWords{who_.project, "media-worker-1", {{"media"}}},
          .now = clock_.now()};
}

// The worker lives, ends what is over and takes what is there.
Result<void> Month::work() {
  store::WorkerTurn turn;
  turn.beat = words(kLeaseTtl);
  const NotifyDefaults nobody;
  std::erase_if(working_, [&](const Working& working) {
    if (working.ends_at > clock_.now()) return false;
    turn.settled.push_back(
        store::settlement_of(working.run, draw_outcome(made_up(working.run.spec->name), rng_),
                             {who_.project_name, nobody, clock_.now()}, rng_, ids_));
    return true;
  });
  store::ClaimRuns claim;
  claim.holder = worker_;
  claim.node = "media-worker-1";
  claim.lanes = {{std::string(kWorkerKind), 2 - static_cast<int>(working_.size())}};
  claim.now = clock_.now();
  claim.project = who_.project;
  claim.queues = {"media"};
  turn.claim = std::move(claim);
  CHRONOS_TRY(const auto answer, commit(std::move(turn)));
  for (const auto& run : answer.claimed) {
    ++worked_;
    working_.push_back({run, clock_.now() + draw_length(made_up(run.spec->name), rng_)});
  }
  return {};
}

Result<void> Month::live_until(Timestamp end) {
  constexpr Duration kWorkerTurn = 30s;
  auto turn_at = clock_.now();
  while (clock_.now() < end) {
    settle_down();
    auto next = scheduler_->step();
    settle_down();
    // What the store answered is heard in the next step.
    next = std::min(next, scheduler_->step());
    if (turn_at <= clock_.now()) {
      CHRONOS_TRY_VOID(work());
      turn_at = clock_.now() + kWorkerTurn;
    }
    next = std::min({next, turn_at, launcher_.next_ending().value_or(end), end});
    clock_.move_to(std::max(next, clock_.now() + 5ms));
    launcher_.finish_due();
  }
  settle_down();
  return {};
}

void Month::crash_until(Timestamp end) {
  settle_down();
  launcher_.forget();
  scheduler_.reset();
  clock_.move_to(end);
}

Result<void> Month::leave_running(Timestamp until) {
  CHRONOS_TRY_VOID(change("transcode", "run", "{}"));
  CHRONOS_TRY_VOID(change("resize-images", "run", "{}"));
  CHRONOS_TRY_VOID(live_until(until));
  // A worker that has a month of time: its runs go on for whoever serves this.
  CHRONOS_TRY_VOID(commit(words(24h * 30)));
  return {};
}

// Where many small commits cost little; the whole is copied to where it belongs.
std::filesystem::path scratch_folder(const std::string& data_dir) {
  std::error_code error;
  const std::filesystem::path shared = "/dev/shm";
  const std::filesystem::path parent =
      std::filesystem::is_directory(shared, error) ? shared : std::filesystem::path(data_dir);
  return parent / fmt::format("chronos-demo-{}", ::getpid());
}

// Removed at the end.
class Folder {
 public:
  explicit Folder(std::filesystem::path path) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file() const { return (path_ / "chronos.db").string(); }

 private:
  std::filesystem::path path_;
};

Result<void> live_a_month(Month& month, Timestamp start, const DemoOptions& options) {
  const auto day = [&](int number) { return start + 24h * (options.days * number / 30); };
  month.start();
  CHRONOS_TRY_VOID(month.declare());
  CHRONOS_TRY_VOID(month.live_until(day(9) + 14h));
  CHRONOS_TRY_VOID(month.change("crm-sync", "pause", R"({"note":"the partner migrates"})"));
  CHRONOS_TRY_VOID(month.live_until(day(11) + 10h));
  CHRONOS_TRY_VOID(month.change("crm-sync", "resume", "{}"));
  CHRONOS_TRY_VOID(month.live_until(day(17) + 1h + 20min));
  month.crash_until(day(17) + 5h);  // a night in which nobody noticed
  month.start();
  CHRONOS_TRY_VOID(month.change("train-recommendations", "run", "{}"));
  CHRONOS_TRY_VOID(month.live_until(day(24) + 9h));
  CHRONOS_TRY_VOID(month.change("warm-caches", "pause", R"({"note":"until the new CDN is live"})"));
  CHRONOS_TRY_VOID(month.change("search-index", "patch", R"({"every":"15m"})"));
  CHRONOS_TRY_VOID(month.live_until(options.now - 5min));
  return month.leave_running(options.now);
}

}  // namespace

Result<Demo> make_demo(const DemoOptions& options) {
  CHRONOS_TRY(const auto dir, DataDir::open(options.data_dir));
  const auto file = options.data_dir + "/chronos.db";
  if (std::filesystem::exists(file)) {
    return fail_field("", "not_empty", "the data directory has a database already",
                      "name a directory that is not there yet");
  }
  const auto start = std::chrono::floor<std::chrono::days>(options.now) - 24h * options.days;
  DemoClock clock{start};
  Rng rng(options.seed);
  IdSource ids(clock, Rng(rng.next()));
  const Folder scratch(scratch_folder(options.data_dir));
  Demo demo;
  {
    CHRONOS_TRY(const auto store, store::SqlStore::open(scratch.file(), clock));
    CHRONOS_TRY(const auto first, service::bootstrap(*store, clock, ids, options.data_dir));
    demo.key_file = first.key_file;
  }
  store::SqlStoreOptions by_hand;
  by_hand.has_own_thread = false;
  CHRONOS_TRY(const auto store, store::SqlStore::open(scratch.file(), clock, by_hand));
  CHRONOS_TRY(const auto projects, store->list_projects());
  const auto& project = projects.front();
  CHRONOS_TRY(const auto keys, store->list_keys(project.id));
  service::Principal who{
      .key = keys.front().id, .project = project.id, .project_name = project.name};
  who.role = Role::admin;
  Month month(*store, clock, ids, rng, who);
  CHRONOS_TRY_VOID(live_a_month(month, start, options));
  CHRONOS_TRY(const auto stats, store->stats());
  demo.jobs = stats.jobs;
  demo.runs = month.launched();
  CHRONOS_TRY_VOID(store->backup_to(file));
  return demo;
}

}  // namespace chronos::app
