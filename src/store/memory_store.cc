#include "store/memory_store.h"

#include <atomic>
#include <ranges>
#include <utility>

#include "base/check.h"
#include "store/committer.h"
#include "store/memory_audited.h"
#include "store/memory_limits.h"
#include "store/memory_reads.h"
#include "store/memory_tables.h"

namespace chronos::store {
namespace {

// Makes a change in the tables, whatever its kind.
class Applier {
 public:
  Applier(memory::Tables& tables, SteadyTime now) : tables_(tables), now_(now) {}

  Result<Answer> operator()(const Heartbeat& change) const {
    return widen(memory::apply(tables_, change, now_));
  }
  Result<Answer> operator()(const WorkerTurn& change) const {
    return widen(memory::apply(tables_, change, now_));
  }
  Result<Answer> operator()(const auto& change) const {
    auto answer = widen(memory::apply_audited(tables_, change));
    if constexpr (requires { change.now; }) memory::open_lines(tables_, change.now);
    return answer;
  }

 private:
  template <class T>
  static Result<Answer> widen(Result<T> answer) {
    if (!answer) return std::unexpected(std::move(answer).error());
    return Answer(std::move(*answer));
  }

  memory::Tables& tables_;
  SteadyTime now_;
};

}  // namespace

// The tables and who drives them. A transaction holds the mutex from begin to end, so readers see
// only what was committed. No change spoils its transaction and every commit succeeds: there is
// nothing to roll back.
class MemoryStore::State final : private Transactor {
 public:
  explicit State(const Clock& clock) : clock_(clock), committer_(*this, {}) {}

  Committer& committer() { return committer_; }
  void stop() {
    is_stopped_ = true;
    committer_.stop();
  }
  bool is_stopped() const { return is_stopped_; }

  // Reads with `function(tables, steady time)`.
  template <class Function>
  auto read(Function function) const {
    const MutexLock lock(mutex_);
    return function(tables_, clock_.steady());
  }

  void start_epoch() {
    const MutexLock lock(mutex_);
    std::erase_if(tables_.holders, [](const auto& entry) { return !entry.second.worker; });
    for (auto& [_, worker] : tables_.holders) worker.heard_at = clock_.steady();
  }

 private:
  Result<void> begin() override CHRONOS_THREAD_ANNOTATION(acquire_capability(mutex_)) {
    mutex_.lock();
    return {};
  }
  Result<Answer> perform(const Change& change) override CHRONOS_REQUIRES(mutex_) {
    return std::visit(Applier(tables_, clock_.steady()), change);
  }
  Result<void> commit() override CHRONOS_THREAD_ANNOTATION(release_capability(mutex_)) {
    mutex_.unlock();
    return {};
  }
  News take_news() override CHRONOS_THREAD_ANNOTATION(no_thread_safety_analysis) {
    return std::exchange(tables_.news, {});
  }
  void rollback() override { CHRONOS_CHECK(false); }  // asked for by nobody: see above

  const Clock& clock_;
  mutable Mutex mutex_;
  memory::Tables tables_ CHRONOS_GUARDED_BY(mutex_);
  std::atomic<bool> is_stopped_ = false;
  Committer committer_;  // last: its thread ends before the tables
};

MemoryStore::MemoryStore(const Clock& clock, MemoryStoreOptions options)
    : state_(std::make_unique<State>(clock)) {
  if (options.has_own_thread) state_->committer().start();
}

MemoryStore::~MemoryStore() {
  state_->stop();
}

bool MemoryStore::pump() {
  return state_->committer().pump();
}

void MemoryStore::start_epoch() {
  state_->start_epoch();
}

void MemoryStore::enqueue(std::span<Operation> operations) {
  state_->committer().enqueue(operations);
}

void MemoryStore::on_touch(Watcher watcher) {
  state_->committer().on_touch(std::move(watcher));
}

void MemoryStore::on_change(std::function<void()> wake) {
  state_->committer().on_change(std::move(wake));
}

void MemoryStore::on_work(TakeWork take) {
  state_->committer().on_work(std::move(take));
}

void MemoryStore::stop() {
  state_->stop();
}

Result<Job> MemoryStore::find_job(ProjectId project, JobId job) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::read_job(tables, project, job); });
}

Result<Job> MemoryStore::find_job_by_key(ProjectId project, const std::string& key) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::read_job_by_key(tables, project, key); });
}

Result<Page<Job>> MemoryStore::list_jobs(const JobFilter& filter) const {
  return state_->read([&](const auto& tables, auto) { return memory::list_jobs(tables, filter); });
}

Result<JobVersion> MemoryStore::find_version(ProjectId project, JobId job,
                                             std::int64_t version) const {
  return state_->read([&](const auto& tables, auto) {
    return memory::find_version(tables, project, job, version);
  });
}

Result<std::vector<JobVersion>> MemoryStore::list_versions(ProjectId project, JobId job,
                                                           std::int64_t before, int limit) const {
  return state_->read([&](const auto& tables, auto) {
    return memory::list_versions(tables, project, job, before, limit);
  });
}

Result<Run> MemoryStore::find_run(ProjectId project, RunId run) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::read_run(tables, project, run); });
}

Result<Page<Run>> MemoryStore::list_runs(const RunFilter& filter) const {
  return state_->read([&](const auto& tables, auto) { return memory::list_runs(tables, filter); });
}

Result<OutputPage> MemoryStore::read_output(ProjectId project, RunId run, int attempt,
                                            std::int64_t offset) const {
  return state_->read([&](const auto& tables, auto) {
    return memory::read_output(tables, project, run, attempt, offset);
  });
}

Result<std::vector<Run>> MemoryStore::live_runs(ProjectId project, JobId job) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::live_runs(tables, project, job); });
}

Result<std::optional<Standing>> MemoryStore::standing(ProjectId project, RunId run,
                                                      int ahead_max) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::standing(tables, project, run, ahead_max); });
}

Result<std::vector<ReasonCount>> MemoryStore::reason_counts(ProjectId project, JobId job) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::reason_counts(tables, project, job); });
}

Result<std::vector<WaitingRun>> MemoryStore::waiting_runs(WaitingCursor after, int limit) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::waiting_runs(tables, after, limit); });
}

Result<std::optional<std::int64_t>> MemoryStore::zones_stamp() const {
  return state_->read([](const auto& tables, auto) { return tables.zones_stamp; });
}

Result<Calendar> MemoryStore::find_calendar(ProjectId project, const std::string& name) const {
  return state_->read([&](const auto& tables, auto) -> Result<Calendar> {
    const auto found = tables.calendars.find({project, name});
    if (found == tables.calendars.end()) {
      return fail(Reason::not_found, "no calendar has this name");
    }
    return found->second;
  });
}

Result<std::vector<Calendar>> MemoryStore::list_calendars(ProjectId project) const {
  return state_->read([&](const auto& tables, auto) {
    std::vector<Calendar> calendars;
    for (const auto& [key, calendar] : tables.calendars) {
      if (key.first == project) calendars.push_back(calendar);
    }
    return calendars;
  });
}

Result<DeclaredChannel> MemoryStore::find_channel(ProjectId project,
                                                  const std::string& name) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::find_channel(tables, project, name); });
}

Result<std::vector<DeclaredChannel>> MemoryStore::list_channels(ProjectId project) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::list_channels(tables, project); });
}

Result<Bulk> MemoryStore::find_bulk(ProjectId project, BulkId bulk) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::find_bulk(tables, project, bulk); });
}

Result<std::vector<Bulk>> MemoryStore::list_bulks(ProjectId project, std::optional<BulkId> after,
                                                  int limit) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::list_bulks(tables, project, after, limit); });
}

Result<std::vector<Bulk>> MemoryStore::open_bulks(int limit) const {
  return state_->read([&](const auto& tables, auto) { return memory::open_bulks(tables, limit); });
}

Result<std::vector<Uuid>> MemoryStore::bulk_items(BulkId bulk, std::int64_t from, int limit) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::bulk_items(tables, bulk, from, limit); });
}

Result<std::vector<DueRun>> MemoryStore::due_runs(Timestamp now, int limit) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::due_runs(tables, now, limit); });
}

Result<std::optional<Timestamp>> MemoryStore::next_due_at() const {
  return state_->read([](const auto& tables, auto) -> std::optional<Timestamp> {
    auto next = memory::next_opening(tables);
    if (tables.due.empty()) return next;
    const auto due = tables.due.begin()->first;
    return next ? std::min(*next, due) : due;
  });
}

Result<std::vector<Job>> MemoryStore::jobs_to_resume(Timestamp now, int limit) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::jobs_to_resume(tables, now, limit); });
}

Result<std::optional<Timestamp>> MemoryStore::next_resume_at() const {
  return state_->read([](const auto& tables, auto) { return memory::next_resume_at(tables); });
}

Result<std::vector<ClaimedRun>> MemoryStore::expired_leases(int limit) const {
  return state_->read([&](const auto& tables, SteadyTime now) {
    return memory::expired_leases(tables, now, limit);
  });
}

Result<std::vector<Worker>> MemoryStore::list_workers(ProjectId project) const {
  return state_->read([&](const auto& tables, SteadyTime now) {
    return memory::list_workers(tables, project, now);
  });
}

Result<std::vector<ClaimedRun>> MemoryStore::find_leases(const std::vector<RunId>& runs) const {
  return state_->read([&](const auto& tables, auto) { return memory::find_leases(tables, runs); });
}

Result<std::vector<ClaimedRun>> MemoryStore::leases_of(NodeId holder) const {
  return state_->read([&](const auto& tables, auto) { return memory::leases_of(tables, holder); });
}

Result<std::vector<ClaimedRun>> MemoryStore::overdue_leases(Timestamp now, int limit) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::overdue_leases(tables, now, limit); });
}

Result<std::optional<Timestamp>> MemoryStore::next_delivery_at() const {
  return state_->read([](const auto& tables, auto) { return memory::next_delivery_at(tables); });
}

Result<std::vector<Delivery>> MemoryStore::list_deliveries(ProjectId project, RunId run) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::list_deliveries(tables, project, run); });
}

Result<Key> MemoryStore::find_key(KeyId key) const {
  return state_->read([&](const auto& tables, auto) -> Result<Key> {
    const auto found = tables.keys.find(key);
    if (found == tables.keys.end()) return fail(Reason::not_found, "no key has this id");
    return found->second;
  });
}

Result<std::vector<Key>> MemoryStore::list_keys(ProjectId project) const {
  return state_->read([&](const auto& tables, auto) {
    std::vector<Key> keys;
    for (const auto& [_, key] : std::views::reverse(tables.keys)) {
      if (key.project == project) keys.push_back(key);
    }
    return keys;
  });
}

Result<Session> MemoryStore::find_session(SessionId session) const {
  return state_->read([&](const auto& tables, auto) -> Result<Session> {
    const auto found = tables.sessions.find(session);
    if (found == tables.sessions.end()) {
      return fail(Reason::not_found, "no session has this id");
    }
    return found->second;
  });
}

Result<Project> MemoryStore::find_project(ProjectId project) const {
  return state_->read([&](const auto& tables, auto) -> Result<Project> {
    const auto found = tables.projects.find(project);
    if (found == tables.projects.end()) return fail(Reason::not_found, "no project has this id");
    return found->second;
  });
}

Result<std::vector<Project>> MemoryStore::list_projects() const {
  return state_->read([](const auto& tables, auto) {
    std::vector<Project> projects;
    for (const auto& [_, project] : std::views::reverse(tables.projects)) {
      projects.push_back(project);
    }
    return projects;
  });
}

Result<Page<AuditEntry>> MemoryStore::list_audit(const AuditFilter& filter) const {
  return state_->read([&](const auto& tables, auto) { return memory::list_audit(tables, filter); });
}

Result<void> MemoryStore::health() const {
  if (state_->is_stopped()) return fail(Reason::shutting_down, "the store was stopped");
  return {};
}

Result<Overview> MemoryStore::overview(const OverviewAsk& ask) const {
  return state_->read([&](const auto& tables, auto) { return memory::overview(tables, ask); });
}

Result<std::vector<QueueTotals>> MemoryStore::list_queues(ProjectId project) const {
  return state_->read(
      [&](const auto& tables, auto) { return memory::list_queues(tables, project); });
}

Result<Ahead> MemoryStore::runs_ahead(const AheadAsk& ask) const {
  return state_->read([&](const auto& tables, auto) { return memory::runs_ahead(tables, ask); });
}

Result<std::vector<std::vector<Run>>> MemoryStore::recent_runs(const RecentAsk& ask) const {
  return state_->read([&](const auto& tables, auto) { return memory::recent_runs(tables, ask); });
}

Result<std::vector<Node>> MemoryStore::list_nodes() const {
  return state_->read(
      [](const auto& tables, SteadyTime now) { return memory::list_nodes(tables, now); });
}

Result<Stats> MemoryStore::stats() const {
  return state_->read([](const auto& tables, auto) { return memory::stats(tables); });
}

}  // namespace chronos::store
