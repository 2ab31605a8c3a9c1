#include "app/daemon.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>
#include <utility>

#include "app/data_dir.h"
#include "app/module_options.h"
#include "app/request_metrics.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/time_text.h"
#include "base/waiter.h"
#include "executor/executors.h"
#include "executor/orphans.h"
#include "http/api.h"
#include "http/dashboard.h"
#include "http/server.h"
#include "model/planner.h"
#include "notify/channels.h"
#include "notify/notifier.h"
#include "scheduler/executor_launcher.h"
#include "scheduler/scheduler.h"
#include "service/access.h"
#include "service/backfill.h"
#include "service/bulks.h"
#include "service/channels.h"
#include "service/events.h"
#include "service/jobs.h"
#include "service/reasons.h"
#include "service/runs.h"
#include "service/sessions.h"
#include "service/system.h"
#include "store/live_output.h"
#include "store/open.h"

namespace chronos::app {
namespace {

// Both signals are taken by run_until_signal() alone; a broken pipe is an error of a write.
void prepare_process() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  // Thousands of connections need as many descriptors as we may have.
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  // Keys, passwords and what jobs carry lie in our memory: a crash writes none of it to a disk, and
  // another process of the same user cannot read it.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

// A commit whose fate is unknown: everybody who waited has been told so; only a fresh start can
// know what is on the disk (promises.md §0.1).
void end_process(const Error& error) {
  log::error("the store failed and the server ends; start it again", {{"error", error.message}});
  std::_Exit(EXIT_FAILURE);
}

double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

// Where this server itself listens, for the egress guard: "127.0.0.1:8086", "[::1]:0", with the
// ports that were really taken.
std::vector<net::Endpoint> endpoints_of(const std::vector<std::string>& addresses,
                                        const std::vector<std::uint16_t>& ports) {
  std::vector<net::Endpoint> endpoints;
  for (std::size_t i = 0; i < addresses.size() && i < ports.size(); ++i) {
    auto host = addresses[i].substr(0, addresses[i].rfind(':'));
    std::erase_if(host, [](char c) { return c == '[' || c == ']'; });
    sockaddr_in v4{
        .sin_family = AF_INET, .sin_port = htons(ports[i]), .sin_addr = {}, .sin_zero = {}};
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(ports[i]);
    std::optional<net::Endpoint> endpoint;
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
      endpoint = net::endpoint_of(reinterpret_cast<const sockaddr&>(v4));
    } else if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
      endpoint = net::endpoint_of(reinterpret_cast<const sockaddr&>(v6));
    }
    if (endpoint) endpoints.push_back(*endpoint);
  }
  return endpoints;
}

}  // namespace

// Members are made from top to bottom and destroyed from bottom to top.
class Daemon::Parts {
 public:
  Parts(Config config, DataDir dir) : config_(std::move(config)), dir_(std::move(dir)) {}
  ~Parts() { stop(); }

  Result<void> build();
  Result<void> start();
  void stop();

 private:
  std::string url() const;
  std::string url_for_links() const;
  void build_services();
  scheduler::SchedulerEvents scheduler_events();
  service::WorkersOptions workers_options();
  service::ViewParts view_parts(const scheduler::SchedulerOptions& options);
  void note_started(const store::ClaimedRun& run);
  void note_settled(const store::ClaimedRun& run, const Outcome& outcome, RunState state);
  Result<service::BackupFile> write_backup();
  void try_channel(const DeclaredChannel& channel, const Delivery& delivery,
                   std::move_only_function<void(service::ChannelTest)> done);
  std::string metrics_text();
  void run_scheduler();
  void run_bulks();
  Result<void> check_target(const Target& target) const;
  std::string first_link();
  void greet();

  const Config config_;
  const DataDir dir_;
  SystemClock clock_;
  IdSource ids_{clock_, Rng::from_system()};
  Metrics metrics_;
  RequestMetrics requests_{metrics_};
  Waiter waiter_;
  Waiter bulk_waiter_;
  store::Opened opened_;
  service::FirstStart first_start_;
  std::unique_ptr<executor::Executors> executors_;
  std::unique_ptr<notify::Channels> channels_;
  std::unique_ptr<store::LiveOutput> live_output_;
  std::unique_ptr<scheduler::ExecutorLauncher> launcher_;
  std::unique_ptr<scheduler::Scheduler> scheduler_;
  std::unique_ptr<notify::Notifier> notifier_;
  std::unique_ptr<service::Jobs> jobs_;
  std::unique_ptr<service::Runs> runs_;
  std::unique_ptr<service::Backfills> backfills_;
  std::unique_ptr<service::Reasons> reasons_;
  std::unique_ptr<service::Calendars> calendars_;
  std::unique_ptr<service::Workers> workers_;
  std::unique_ptr<service::Access> access_;
  std::unique_ptr<service::Sessions> sessions_;
  std::unique_ptr<service::Events> events_;
  std::unique_ptr<service::System> system_;
  std::unique_ptr<service::Audit> audit_;
  std::unique_ptr<service::Bulks> bulks_;
  std::unique_ptr<service::Channels> project_channels_;
  std::unique_ptr<service::Views> views_;
  std::unique_ptr<http::ReadPool> readers_;
  std::unique_ptr<http::Api> api_;
  std::unique_ptr<http::Dashboard> dashboard_;
  std::unique_ptr<http::Server> server_;
  std::atomic<bool> is_draining_ = false;
  std::promise<void> drained_;
  std::jthread scheduler_thread_;
  std::jthread events_thread_;
  std::jthread bulk_thread_;
};

Result<void> Daemon::Parts::build() {
  store::CommitterOptions committer;
  committer.on_fatal = end_process;
  CHRONOS_TRY(opened_, store::open_store(config_.store.url, clock_, committer));
  auto& store = *opened_.store;
  CHRONOS_TRY(first_start_, service::bootstrap(store, clock_, ids_, config_.data_dir));

  // The server takes its addresses before anything that calls out is made: it must not call itself.
  // Nobody is answered before start().
  build_services();
  CHRONOS_TRY_VOID(server_->listen());
  const net::OutboundPolicy policy{config_.http.egress,
                                   endpoints_of(config_.server.listen, server_->bound_ports())};
  executors_ = std::make_unique<executor::Executors>(
      clock_, executor_options(config_, dir_.server_id(), policy));
  auto notify = notify_options(config_, policy);
  if (notify.base_url.empty()) notify.base_url = url_for_links();
  notify.find_declared = [&store](ProjectId project, const std::string& name) {
    return store.find_channel(project, name);
  };
  CHRONOS_TRY_VOID(notify::check_options(notify));
  channels_ = std::make_unique<notify::Channels>(clock_, notify);
  live_output_ = std::make_unique<store::LiveOutput>(store);
  launcher_ = std::make_unique<scheduler::ExecutorLauncher>(
      *executors_,
      [&store](ProjectId project) {
        const auto found = store.find_project(project);
        return found ? found->name : std::string();
      },
      [this](const store::ClaimedRun& run) {
        const store::LiveOutput::Source source{run.project, run.job, run.run, run.attempt,
                                               run.token};
        return [this, source](std::int64_t offset, std::string_view bytes) {
          return live_output_->append(source, offset, bytes);
        };
      });
  scheduler_ = std::make_unique<scheduler::Scheduler>(
      store, *launcher_, clock_, ids_, Rng::from_system(), scheduler_options(config_),
      scheduler_events(), [this] { waiter_.wake(); });
  notifier_ = std::make_unique<notify::Notifier>(store, clock_, channels_->by_kind());
  store.on_work([this](std::vector<store::Work>& work) { return workers_->take(work); });
  store.on_touch({[this] { return events_->is_watched(); },
                  [this](const auto& touches) { events_->touch(touches); }});
  store.on_change([this] {
    scheduler_->hint();
    waiter_.wake();
    notifier_->wake();
  });
  return {};
}

void Daemon::Parts::build_services() {
  auto& store = *opened_.store;
  const service::SpecCheck check = [this](const JobSpec& spec,
                                          const json::Value& action) -> Result<void> {
    CHRONOS_TRY_VOID(executors_->check(spec.action.kind, action));
    return channels_->check(spec.notify);
  };
  const SpecRules rules{config_.limits.payload_max,
                        static_cast<std::size_t>(config_.limits.tags_max),
                        {config_.retention.runs, config_.retention.age}};
  jobs_ = std::make_unique<service::Jobs>(store, check, clock_, ids_, rules);
  runs_ = std::make_unique<service::Runs>(store, clock_, ids_);
  backfills_ = std::make_unique<service::Backfills>(store, clock_, ids_);
  const auto scheduler = scheduler_options(config_);
  reasons_ = std::make_unique<service::Reasons>(store, clock_,
                                                Capacity{scheduler.lanes, scheduler.queue_limits},
                                                [this] { return is_draining_.load(); });
  calendars_ = std::make_unique<service::Calendars>(store, clock_, ids_);
  workers_ = std::make_unique<service::Workers>(store, clock_, ids_, Rng::from_system(),
                                                workers_options());
  access_ = std::make_unique<service::Access>(store, clock_, ids_);
  sessions_ = std::make_unique<service::Sessions>(store, clock_, ids_, *access_);
  events_ = std::make_unique<service::Events>(clock_);
  service::SystemParts parts;
  parts.check_target = [this](const Target& target) { return check_target(target); };
  parts.default_addresses = config_.notify.on_failure;
  parts.write_backup = [this] { return write_backup(); };
  system_ = std::make_unique<service::System>(store, clock_, ids_, std::move(parts));
  audit_ = std::make_unique<service::Audit>(store);
  bulks_ = std::make_unique<service::Bulks>(store, clock_, ids_, *jobs_, *runs_,
                                            [this](const Bulk& bulk) { events_->tell(bulk); });
  bulks_->on_work([this] { bulk_waiter_.wake(); });
  project_channels_ = std::make_unique<service::Channels>(
      store, clock_, ids_,
      service::ChannelParts{&notify::check_channel,
                            [this](const auto& channel, const auto& what, auto done) {
                              try_channel(channel, what, std::move(done));
                            }});
  views_ = std::make_unique<service::Views>(store, *workers_, clock_, view_parts(scheduler));
  readers_ = std::make_unique<http::ReadPool>(2);
  api_ = std::make_unique<http::Api>(http::Api{
      *jobs_, *runs_, *backfills_, *reasons_, *calendars_, *workers_, *access_, *sessions_,
      *events_, *system_, *audit_, *bulks_, *project_channels_, *views_, *readers_, clock_});
  api_->limits.batch_body_max = config_.server.batch_body_max;
  api_->metrics = [this] { return metrics_text(); };
  api_->site = site_of(config_);
  auto options = server_options(config_);
  options.on_finished = [this](const http::Finished& finished) { requests_.note(finished); };
  dashboard_ = std::make_unique<http::Dashboard>(http::dashboard_files(), api_->site.base_path);
  http::Router router(http::make_routes(*api_),
                      {api_->site.base_path, http::dashboard_route(*dashboard_)});
  server_ = std::make_unique<http::Server>(
      std::move(options), std::move(router),
      http::make_gate(*access_, *sessions_, api_->site.base_url), clock_);
}

void Daemon::Parts::note_started(const store::ClaimedRun& run) {
  if (run.attempt > 1 || run.trigger == Trigger::backfill) return;
  const auto jitter = run.trigger == Trigger::schedule
                          ? jitter_of(*run.spec, run.job, run.planned_at)
                          : Duration(0);
  metrics_.observe("chronos_run_start_lateness_seconds",
                   seconds(run.started_at - run.planned_at - jitter));
}

void Daemon::Parts::note_settled(const store::ClaimedRun& run, const Outcome& outcome,
                                 RunState state) {
  const auto& kind = run.spec->action.kind;
  metrics_.count("chronos_attempts_total",
                 {{"outcome", std::string(to_string(outcome.kind))}, {"kind", kind}});
  if (is_final(state))
    metrics_.count("chronos_runs_total",
                   {{"state", std::string(to_string(state))}, {"kind", kind}});
  if (outcome.kind == OutcomeKind::succeeded) return;
  log::warn("attempt did not succeed", {{"run", run.run.to_string()},
                                        {"job", run.job.to_string()},
                                        {"attempt", std::to_string(run.attempt)},
                                        {"outcome", std::string(to_string(outcome.kind))},
                                        {"reason", outcome.reason},
                                        {"error", outcome.error},
                                        {"run_state", std::string(to_string(state))}});
}

service::WorkersOptions Daemon::Parts::workers_options() {
  service::WorkersOptions options;
  options.lease_ttl = config_.workers.lease_ttl;
  options.queue_limits = scheduler_options(config_).queue_limits;
  options.notify.on_failure = config_.notify.on_failure;
  options.output_max = config_.limits.output_max;
  options.on_started = [this](const auto& run) { note_started(run); };
  options.on_settled = [this](const auto& run, const auto& outcome, RunState state) {
    note_settled(run, outcome, state);
  };
  return options;
}

service::ViewParts Daemon::Parts::view_parts(const scheduler::SchedulerOptions& options) {
  // Asked only once the server answers: then there is a scheduler.
  return {.node = [this] { return scheduler_->info(); },
          .this_node = [this] { return scheduler_->holder(); },
          .store_kind = opened_.kind,
          .queue_limits = options.queue_limits};
}

scheduler::SchedulerEvents Daemon::Parts::scheduler_events() {
  scheduler::SchedulerEvents events;
  events.on_started = [this](const auto& run) { note_started(run); };
  events.on_settled = [this](const auto& run, const auto& outcome, RunState state) {
    note_settled(run, outcome, state);
  };
  events.on_not_run = [this](const LedgerRow& row) {
    metrics_.count("chronos_instants_total",
                   {{"state", std::string(to_string(row.state))}, {"reason", row.reason}},
                   static_cast<double>(row.count));
  };
  events.on_clock_step = [this](Duration step) {
    log::warn("the wall clock was set", {{"by_seconds", fmt::format("{:.3f}", seconds(step))}});
    const auto* direction = step > Duration(0) ? "forward" : "backward";
    metrics_.count("chronos_clock_steps_total", {{"direction", direction}});
  };
  events.on_replanned = [this](JobId) { metrics_.count("chronos_replanned_runs_total"); };
  return events;
}

Result<void> Daemon::Parts::check_target(const Target& target) const {
  NotifyRule rule;
  if (target.kind == "email") {
    rule.email = {target.address};
  } else {
    rule.channel = target.address;
  }
  return channels_->check({rule});
}

void Daemon::Parts::try_channel(const DeclaredChannel& channel, const Delivery& delivery,
                                std::move_only_function<void(service::ChannelTest)> done) {
  channels_->send(
      channel, delivery,
      [this, begun = clock_.steady(), done = std::move(done)](notify::Sent sent) mutable {
        done({.is_delivered = sent.kind == notify::Sent::Kind::delivered,
              .error = std::move(sent.error),
              .took = Duration(clock_.steady() - begun)});
      });
}

Result<service::BackupFile> Daemon::Parts::write_backup() {
  const auto folder = config_.data_dir + "/backups";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  auto name = format_timestamp(clock_.now());
  std::erase_if(name, [](char c) { return c == ':' || c == '-'; });
  const auto path = std::filesystem::absolute(folder + "/chronos-" + name + ".db").string();
  CHRONOS_TRY_VOID(opened_.backup_to(path));
  return service::BackupFile{path,
                             static_cast<std::int64_t>(std::filesystem::file_size(path, error))};
}

std::string Daemon::Parts::metrics_text() {
  metrics_.set("chronos_build_info", 1, {{"version", CHRONOS_VERSION}});
  metrics_.set("chronos_ready", system_->check_ready() ? 1 : 0);
  metrics_.set("chronos_connections", static_cast<double>(server_->connection_count()));
  metrics_.set("chronos_event_streams", static_cast<double>(events_->stream_count()));
  if (const auto counts = system_->counts()) {
    metrics_.set("chronos_jobs", static_cast<double>(counts->jobs));
    metrics_.set("chronos_runs_due", static_cast<double>(counts->due));
    metrics_.set("chronos_runs_ready", static_cast<double>(counts->ready));
    metrics_.set("chronos_runs_limited", static_cast<double>(counts->limited));
    metrics_.set("chronos_runs_held", static_cast<double>(counts->held));
    metrics_.set("chronos_runs_running", static_cast<double>(counts->running));
    metrics_.set("chronos_deliveries_waiting", static_cast<double>(counts->deliveries_waiting));
    metrics_.set("chronos_oldest_ready_seconds",
                 seconds(counts->oldest_ready_age.value_or(Duration(0))));
  }
  return metrics_.text();
}

std::string Daemon::Parts::url() const {
  const auto& first = config_.server.listen.front();
  const auto host = first.substr(0, first.rfind(':'));
  const auto* scheme = config_.server.tls_cert_file.empty() ? "http" : "https";
  return fmt::format("{}://{}:{}", scheme, host, server_->bound_port());
}

// Where links in messages lead when nobody said how people reach the server. An address that means
// all of the machine's leads nowhere: empty.
std::string Daemon::Parts::url_for_links() const {
  const auto own = endpoints_of({config_.server.listen.front()}, server_->bound_ports());
  const bool is_any = own.empty() || own.front().address == net::IpAddress{} ||
                      own.front().address == net::IpAddress::parse("0.0.0.0");
  return is_any ? std::string() : url();
}

// What opens the dashboard on the first start, logged in; empty if there is none.
std::string Daemon::Parts::first_link() {
  const auto admin = access_->authenticate(first_start_.admin_secret);
  if (!admin || !dashboard_->is_built_in()) return {};
  std::promise<Result<service::NewLink>> promise;
  auto made = promise.get_future();
  sessions_->make_link(
      *admin, [&promise](Result<service::NewLink> link) { promise.set_value(std::move(link)); });
  const auto link = made.get();
  const auto& base_url = api_->site.base_url;
  return link ? http::login_url(base_url.empty() ? url() : base_url, link->token) : std::string();
}

void Daemon::Parts::greet() {
  if (first_start_.is_first) {
    fmt::print(
        "first start: the admin key of project 'default', shown only now and kept in {}:\n  {}\n",
        first_start_.key_file, first_start_.admin_secret);
    if (const auto link = first_link(); !link.empty()) {
      fmt::print(
          "the dashboard, logged in (good once, for an hour; 'chronos login-link' makes more):\n  "
          "{}\n",
          link);
    }
  }
  if (config_.commands.allow) {
    fmt::print("jobs may run commands on this machine as this user (commands.allow)\n");
  }
  fmt::print("listening on {}\n", url());
  std::fflush(stdout);
}

Result<void> Daemon::Parts::start() {
  if (const auto killed = executor::kill_orphans(dir_.server_id()); killed > 0) {
    log::warn("killed what an earlier start had left running",
              {{"processes", std::to_string(killed)}});
  }
  CHRONOS_TRY_VOID(server_->start());
  notifier_->start();
  scheduler_thread_ = std::jthread([this] { run_scheduler(); });
  events_thread_ = std::jthread([this] { events_->run(); });
  bulk_thread_ = std::jthread([this] { run_bulks(); });
  greet();
  return {};
}

void Daemon::Parts::run_scheduler() {
  while (true) {
    if (is_draining_) scheduler_->begin_drain();
    const auto next = std::min(scheduler_->step(), workers_->step());
    if (is_draining_ && scheduler_->is_idle()) break;
    waiter_.wait_until(clock_, next);
  }
  drained_.set_value();
}

void Daemon::Parts::run_bulks() {
  while (!is_draining_) bulk_waiter_.wait_until(clock_, bulks_->step());
}

// Nothing new starts; what runs may end in time; what does not is stopped and handed back.
void Daemon::Parts::stop() {
  if (is_draining_.exchange(true) || !opened_.store) return;
  const auto until = std::chrono::steady_clock::now() + config_.server.drain_timeout;
  waiter_.wake();
  if (events_) events_->stop();
  if (workers_) workers_->drain();
  if (server_) server_->stop(config_.server.drain_timeout);
  if (scheduler_thread_.joinable()) {
    auto drained = drained_.get_future();
    const bool is_done = drained.wait_until(until) == std::future_status::ready;
    if (executors_) executors_->stop();
    if (!is_done) drained.wait();
    scheduler_thread_.join();
  }
  if (bulks_) bulks_->stop();
  bulk_waiter_.wake();
  if (bulk_thread_.joinable()) bulk_thread_.join();
  if (notifier_) notifier_->stop();
  if (readers_) readers_->stop();
  opened_.store->stop();
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::make(Config config) {
  prepare_process();
  CHRONOS_TRY(auto dir, DataDir::open(config.data_dir));
  auto parts = std::make_unique<Parts>(std::move(config), std::move(dir));
  CHRONOS_TRY_VOID(parts->build());
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

Result<void> Daemon::start() {
  return parts_->start();
}

void Daemon::run_until_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  int received = 0;
  sigwait(&set, &received);
  log::info("stopping", {{"signal", received == SIGTERM ? "SIGTERM" : "SIGINT"}});
  parts_->stop();
}

}  // namespace chronos::app
