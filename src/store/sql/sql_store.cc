#include "store/sql/sql_store.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <span>
#include <unordered_set>
#include <utility>
#include <variant>

#include "base/log.h"
#include "model/json_codec.h"
#include "store/sql/apply.h"
#include "store/sql/audited.h"
#include "store/sql/disk_reserve.h"
#include "store/sql/limited.h"
#include "store/sql/migrate.h"
#include "store/sql/postgres.h"
#include "store/sql/postgres_batch.h"
#include "store/sql/postgres_notices.h"
#include "store/sql/reader_pool.h"
#include "store/sql/reads.h"
#include "store/sql/sqlite.h"

namespace chronos::store {
namespace {

sql::SqliteOptions sqlite_options(const std::string& path, const SqlStoreOptions& options) {
  return {.path = path,
          .cache_kib = options.cache_kib,
          .wal_pages_max = options.wal_pages_max,
          .busy_ms = options.busy_ms};
}

// `count` connections, each as `open()` makes it.
template <class Open>
Result<std::unique_ptr<sql::ReaderPool>> open_readers(int count, Open open) {
  std::vector<std::unique_ptr<sql::Connection>> readers;
  for (int i = 0; i < count; ++i) {
    CHRONOS_TRY(auto reader, open());
    readers.push_back(std::move(reader));
  }
  return std::make_unique<sql::ReaderPool>(std::move(readers));
}

// Whether the answer to a change may say that something is stored though nothing had to be written
// for it: what is repeated, or was done by another node.
bool may_repeat(const Change& change) {
  if (const auto* turn = std::get_if<WorkerTurn>(&change)) return !turn->settled.empty();
  const auto is_one_of = [&]<class... C>() { return (std::holds_alternative<C>(change) || ...); };
  return !is_one_of.operator()<ClaimRuns, ReleaseDue, Prune, Heartbeat, ClaimDeliveries>();
}

// Whether a change is more to do: what a server that is short of room does without.
bool is_new_work(const Operation& operation) {
  return std::holds_alternative<SubmitJob>(operation.change) ||
         std::holds_alternative<RunJob>(operation.change) ||
         std::holds_alternative<Backfill>(operation.change);
}

using Notices = std::unique_ptr<sql::PostgresNotices>;

// What a store works with.
struct Backend {
  std::unique_ptr<sql::Connection> writer;
  std::unique_ptr<sql::ReaderPool> readers;
  std::unique_ptr<sql::Holders> holders;
  // How it and those of other processes on the same database tell each other what they did; nothing
  // when it is the only one.
  std::function<Result<Notices>(std::function<void(News)> heard)> open_notices = {};
  std::unique_ptr<sql::DiskReserve> reserve = nullptr;  // may be null
};

}  // namespace

// The connections and who drives them: the committer's thread has the writer, readers share a pool.
class SqlStore::State final : private Transactor {
 public:
  State(Backend backend, SqlStoreOptions options)
      : db_(std::move(backend.writer)),
        specs_(options.spec_cache_bytes),
        holders_(std::move(backend.holders)),
        writer_{.db = *db_, .specs = specs_, .holders = *holders_},
        readers_(std::move(backend.readers)),
        reserve_(std::move(backend.reserve)),
        committer_(*this, std::move(options.committer)),
        open_notices_(std::move(backend.open_notices)) {}
  ~State() override {
    stop();
    notices_.reset();
    holders_->end(*db_);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Before anything else.
  Result<void> start(bool has_own_thread) {
    CHRONOS_TRY_VOID(holders_->begin(*db_));
    if (open_notices_) {
      CHRONOS_TRY(notices_, open_notices_([this](News news) { committer_.hear(std::move(news)); }));
    }
    if (has_own_thread) committer_.start();
    return {};
  }
  Committer& committer() { return committer_; }
  sql::Holders& holders() { return *holders_; }
  void stop() {
    is_stopped_ = true;
    committer_.stop();
  }

  // Reads with `function(Reader)` on one snapshot.
  template <class Function>
  auto read(Function function) {
    return readers_->read([&](sql::Connection& db) { return function(sql::Reader{db, specs_}); });
  }

  Result<void> health() {
    if (is_stopped_) return fail(Reason::shutting_down, "the store was stopped");
    if (is_broken_) return fail(Reason::store_unavailable, "the last commit failed");
    CHRONOS_TRY_VOID(read([](sql::Reader reader) { return sql::next_due_at(reader); }));
    return check_room();
  }

  // For new work. Thread-safe.
  Result<void> check_room() const {
    if (reserve_ == nullptr || !reserve_->is_spent()) return {};
    return fail(Reason::store_full, "the disk is full",
                "make room on the disk of the data directory");
  }

 private:
  Result<void> begin() override {
    writer_.news = {};
    // What others did since is not in here.
    if (notices_) writer_.queue_use.reset();
    return db_->begin();
  }

  News take_news() override { return std::exchange(writer_.news, {}); }
  void tell_others(const News& news) override {
    if (notices_) notices_->tell(news);
  }

  Result<Answer> perform(const Change& change) override {
    may_repeat_ |= may_repeat(change);
    auto performed = std::visit(
        [this](const auto& alternative) -> Result<Answer> {
          auto answer = sql::apply_audited(writer_, alternative);
          if (!answer) return std::unexpected(std::move(answer).error());
          if constexpr (requires { alternative.now; }) {
            CHRONOS_TRY_VOID(sql::open_lines(writer_, alternative.now));
          }
          return Answer(std::move(*answer));
        },
        change);
    look_at_room(performed);
    return performed;
  }

  std::vector<Result<Answer>> perform_all(std::span<const Operation> batch) override {
    // Changes of one kind that follow each other go in statements of their own.
    std::vector<Result<Answer>> answers;
    answers.reserve(batch.size());
    while (answers.size() < batch.size()) {
      const auto rest = batch.subspan(answers.size());
      const auto submitted =
          run_of<SubmitJob>(rest, [](const auto& change) { return change.job.id; });
      const auto settled = settled_of(rest);
      may_repeat_ |= submitted.size() > 1 || settled.size() > 1;
      if (submitted.size() > 1) {
        add(answers, db_->is_remote() ? sql::submit_all(writer_, submitted)
                                      : sql::submit_rows(writer_, submitted));
      } else if (settled.size() > 1) {
        add(answers, sql::settle_all(writer_, settled));
      } else {
        answers.push_back(perform(rest.front().change));
      }
      if (!answers.back() && spoils(answers.back().error())) break;
    }
    if (!answers.empty()) look_at_room(answers.back());
    return answers;
  }

  template <class T>
  void look_at_room(const Result<T>& done) {
    if (reserve_ == nullptr) return;
    if (!done && done.error().reason == Reason::store_full) reserve_->spend();
  }

  // To settle many at once pays where each statement is a round trip.
  std::vector<const SettleRun*> settled_of(std::span<const Operation> batch) const {
    if (!db_->is_remote()) return {};
    return run_of<SettleRun>(batch, [](const auto& change) { return change.run; });
  }

  // The changes at the front that go together, no thing twice.
  template <class C, class Identify>
  static std::vector<const C*> run_of(std::span<const Operation> batch, Identify identify) {
    std::vector<const C*> changes;
    std::unordered_set<decltype(identify(std::declval<C>()))> seen;
    for (const auto& operation : batch) {
      const auto* change = std::get_if<C>(&operation.change);
      if (change == nullptr || !sql::goes_together(*change)) break;
      if (!seen.insert(identify(*change)).second) break;
      changes.push_back(change);
    }
    return changes;
  }

  // A failure of all is that of the last: then nothing is kept of any.
  template <class A>
  static void add(std::vector<Result<Answer>>& answers, Result<std::vector<Result<A>>> more) {
    if (!more) return answers.emplace_back(std::unexpected(std::move(more).error())), void();
    for (auto& answer : *more) {
      if (answer) {
        answers.emplace_back(Answer(std::move(*answer)));
      } else {
        answers.emplace_back(std::unexpected(std::move(answer).error()));
      }
    }
  }

  Result<void> commit() override {
    if (auto counted = sql::write_totals(writer_); !counted) {
      look_at_room(counted);
      rollback();
      return counted;
    }
    auto committed = db_->commit(may_repeat_ ? sql::Durable::seen : sql::Durable::written);
    is_broken_ = !committed;
    look_at_room(committed);
    if (committed && reserve_ != nullptr) reserve_->keep();
    if (committed && writer_.has_suspect_leases) holders_->suspect();
    if (!committed) writer_.queue_use.reset();
    forget_transaction();
    return committed;
  }

  void rollback() override {
    if (!db_->rollback()) is_broken_ = true;
    writer_.news = {};
    writer_.queue_use.reset();
    writer_.limits_touched.clear();
    forget_transaction();
  }

  void forget_transaction() {
    writer_.totals = {};
    writer_.has_suspect_leases = false;
    may_repeat_ = false;
  }

  std::unique_ptr<sql::Connection> db_;
  sql::SpecCache specs_;
  std::unique_ptr<sql::Holders> holders_;
  sql::Writer writer_;
  bool may_repeat_ = false;  // this transaction: may_repeat()
  std::unique_ptr<sql::ReaderPool> readers_;
  const std::unique_ptr<sql::DiskReserve> reserve_;  // or null; the committer's thread
  std::atomic<bool> is_stopped_ = false;
  std::atomic<bool> is_broken_ = false;  // the last transaction could not be ended
  Committer committer_;                  // its thread ends before what it uses
  std::function<Result<Notices>(std::function<void(News)> heard)> open_notices_;
  Notices notices_;  // calls the committer
};

Result<std::unique_ptr<SqlStore>> SqlStore::open(const std::string& path, const Clock& clock,
                                                 const SqlStoreOptions& options) {
  const auto sqlite = sqlite_options(path, options);
  CHRONOS_TRY(auto writer, sql::open_sqlite_writer(sqlite));
  CHRONOS_TRY_VOID(sql::migrate(*writer, sql::schema_files()));
  CHRONOS_TRY(auto readers,
              open_readers(options.readers, [&] { return sql::open_sqlite_reader(sqlite); }));
  Backend backend{std::move(writer), std::move(readers), sql::holders_in_memory(clock)};
  if (options.reserve_bytes > 0) {
    backend.reserve =
        std::make_unique<sql::DiskReserve>(path + "-reserve", options.reserve_bytes, clock);
  }
  return start(std::make_unique<State>(std::move(backend), options), options);
}

Result<std::unique_ptr<SqlStore>> SqlStore::open_postgres(const std::string& url,
                                                          SqlStoreOptions options) {
  CHRONOS_TRY(const auto postgres, sql::read_postgres_url(url));
  options.committer.ends_at_unknown_commit = false;
  Backend backend;
  CHRONOS_TRY(backend.writer, sql::open_postgres_writer(postgres, sql::postgres_schema_files()));
  CHRONOS_TRY(backend.readers,
              open_readers(options.readers, [&] { return sql::open_postgres_reader(postgres); }));
  backend.holders = sql::holders_in_table();
  backend.open_notices = [postgres](std::function<void(News)> heard) {
    return sql::open_postgres_notices(postgres, std::move(heard));
  };
  return start(std::make_unique<State>(std::move(backend), options), options);
}

Result<std::unique_ptr<SqlStore>> SqlStore::start(std::unique_ptr<State> state,
                                                  const SqlStoreOptions& options) {
  CHRONOS_TRY_VOID(state->start(options.has_own_thread));
  return std::unique_ptr<SqlStore>(new SqlStore(std::move(state)));
}

SqlStore::SqlStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

SqlStore::~SqlStore() = default;

bool SqlStore::pump() {
  return state_->committer().pump();
}

void SqlStore::enqueue(std::span<Operation> operations) {
  if (const auto room = state_->check_room();
      !room && std::ranges::any_of(operations, is_new_work)) {
    for (auto& operation : operations) operation.done(std::unexpected(room.error()));
    return;
  }
  // All wait for the committer's thread: what can be done before is.
  for (auto& operation : operations) {
    if (auto* submitted = std::get_if<SubmitJob>(&operation.change)) {
      submitted->spec_text = encode_spec(submitted->job.spec);
    }
  }
  state_->committer().enqueue(operations);
}

void SqlStore::on_touch(Watcher watcher) {
  state_->committer().on_touch(std::move(watcher));
}

void SqlStore::on_change(std::function<void()> wake) {
  state_->committer().on_change(std::move(wake));
}

void SqlStore::on_work(TakeWork take) {
  state_->committer().on_work(std::move(take));
}

void SqlStore::stop() {
  state_->stop();
}

Result<void> SqlStore::backup_to(const std::string& path) const {
  return state_->read([&](sql::Reader reader) { return sql::backup_sqlite(reader.db, path); });
}

Result<Job> SqlStore::find_job(ProjectId project, JobId job) const {
  return state_->read([&](sql::Reader reader) { return sql::read_job(reader, project, job); });
}

Result<Job> SqlStore::find_job_by_key(ProjectId project, const std::string& key) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::read_job_by_key(reader, project, key); });
}

Result<Page<Job>> SqlStore::list_jobs(const JobFilter& filter) const {
  return state_->read([&](sql::Reader reader) { return sql::list_jobs(reader, filter); });
}

Result<JobVersion> SqlStore::find_version(ProjectId project, JobId job,
                                          std::int64_t version) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::find_version(reader, project, job, version); });
}

Result<std::vector<JobVersion>> SqlStore::list_versions(ProjectId project, JobId job,
                                                        std::int64_t before, int limit) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::list_versions(reader, project, job, before, limit); });
}

Result<Run> SqlStore::find_run(ProjectId project, RunId run) const {
  return state_->read([&](sql::Reader reader) { return sql::read_run(reader, project, run); });
}

Result<Page<Run>> SqlStore::list_runs(const RunFilter& filter) const {
  return state_->read([&](sql::Reader reader) { return sql::list_runs(reader, filter); });
}

Result<OutputPage> SqlStore::read_output(ProjectId project, RunId run, int attempt,
                                         std::int64_t offset) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::read_output(reader, project, run, attempt, offset); });
}

Result<std::vector<Run>> SqlStore::live_runs(ProjectId project, JobId job) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::read_live_runs(reader, project, job); });
}

Result<std::optional<Standing>> SqlStore::standing(ProjectId project, RunId run,
                                                   int ahead_max) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::read_standing(reader, project, run, ahead_max); });
}

Result<std::vector<ReasonCount>> SqlStore::reason_counts(ProjectId project, JobId job) const {
  return state_->read([&](sql::Reader reader) { return sql::reason_counts(reader, project, job); });
}

Result<std::vector<WaitingRun>> SqlStore::waiting_runs(WaitingCursor after, int limit) const {
  return state_->read([&](sql::Reader reader) { return sql::waiting_runs(reader, after, limit); });
}

Result<std::optional<std::int64_t>> SqlStore::zones_stamp() const {
  return state_->read([](sql::Reader reader) { return sql::zones_stamp(reader); });
}

Result<Calendar> SqlStore::find_calendar(ProjectId project, const std::string& name) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::find_calendar(reader, project, name); });
}

Result<std::vector<Calendar>> SqlStore::list_calendars(ProjectId project) const {
  return state_->read([&](sql::Reader reader) { return sql::list_calendars(reader, project); });
}

Result<DeclaredChannel> SqlStore::find_channel(ProjectId project, const std::string& name) const {
  return state_->read([&](sql::Reader reader) { return sql::find_channel(reader, project, name); });
}

Result<std::vector<DeclaredChannel>> SqlStore::list_channels(ProjectId project) const {
  return state_->read([&](sql::Reader reader) { return sql::list_channels(reader, project); });
}

Result<Bulk> SqlStore::find_bulk(ProjectId project, BulkId bulk) const {
  return state_->read([&](sql::Reader reader) { return sql::find_bulk(reader, project, bulk); });
}

Result<std::vector<Bulk>> SqlStore::list_bulks(ProjectId project, std::optional<BulkId> after,
                                               int limit) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::list_bulks(reader, project, after, limit); });
}

Result<std::vector<Bulk>> SqlStore::open_bulks(int limit) const {
  return state_->read([&](sql::Reader reader) { return sql::open_bulks(reader, limit); });
}

Result<std::vector<Uuid>> SqlStore::bulk_items(BulkId bulk, std::int64_t from, int limit) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::bulk_items(reader, bulk, from, limit); });
}

Result<std::vector<DueRun>> SqlStore::due_runs(Timestamp now, int limit) const {
  return state_->read([&](sql::Reader reader) { return sql::due_runs(reader, now, limit); });
}

Result<std::optional<Timestamp>> SqlStore::next_due_at() const {
  return state_->read([](sql::Reader reader) { return sql::next_due_at(reader); });
}

Result<std::vector<Job>> SqlStore::jobs_to_resume(Timestamp now, int limit) const {
  return state_->read([&](sql::Reader reader) { return sql::jobs_to_resume(reader, now, limit); });
}

Result<std::optional<Timestamp>> SqlStore::next_resume_at() const {
  return state_->read([](sql::Reader reader) { return sql::next_resume_at(reader); });
}

Result<std::vector<ClaimedRun>> SqlStore::expired_leases(int limit) const {
  auto& holders = state_->holders();
  const auto suspicion = holders.suspicion();
  if (!suspicion) return std::vector<ClaimedRun>();
  auto expired =
      state_->read([&](sql::Reader reader) { return sql::expired_leases(reader, limit, holders); });
  if (expired && expired->empty()) holders.clear(*suspicion);
  return expired;
}

Result<std::vector<Worker>> SqlStore::list_workers(ProjectId project) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::list_workers(reader, project, state_->holders()); });
}

Result<std::vector<ClaimedRun>> SqlStore::find_leases(const std::vector<RunId>& runs) const {
  return state_->read([&](sql::Reader reader) { return sql::find_leases(reader, runs); });
}

Result<std::vector<ClaimedRun>> SqlStore::leases_of(NodeId holder) const {
  return state_->read([&](sql::Reader reader) { return sql::leases_of(reader, holder); });
}

Result<std::vector<ClaimedRun>> SqlStore::overdue_leases(Timestamp now, int limit) const {
  return state_->read([&](sql::Reader reader) { return sql::overdue_leases(reader, now, limit); });
}

Result<std::optional<Timestamp>> SqlStore::next_delivery_at() const {
  return state_->read([](sql::Reader reader) { return sql::next_delivery_at(reader); });
}

Result<std::vector<Delivery>> SqlStore::list_deliveries(ProjectId project, RunId run) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::list_deliveries(reader, project, run); });
}

Result<Key> SqlStore::find_key(KeyId key) const {
  return state_->read([&](sql::Reader reader) { return sql::read_key(reader, key); });
}

Result<std::vector<Key>> SqlStore::list_keys(ProjectId project) const {
  return state_->read([&](sql::Reader reader) { return sql::list_keys(reader, project); });
}

Result<Session> SqlStore::find_session(SessionId session) const {
  return state_->read([&](sql::Reader reader) { return sql::read_session(reader, session); });
}

Result<Project> SqlStore::find_project(ProjectId project) const {
  return state_->read([&](sql::Reader reader) { return sql::read_project(reader, project); });
}

Result<std::vector<Project>> SqlStore::list_projects() const {
  return state_->read([](sql::Reader reader) { return sql::list_projects(reader); });
}

Result<Page<AuditEntry>> SqlStore::list_audit(const AuditFilter& filter) const {
  return state_->read([&](sql::Reader reader) { return sql::list_audit(reader, filter); });
}

Result<void> SqlStore::health() const {
  return state_->health();
}

Result<Overview> SqlStore::overview(const OverviewAsk& ask) const {
  return state_->read([&](sql::Reader reader) { return sql::read_overview(reader, ask); });
}

Result<std::vector<QueueTotals>> SqlStore::list_queues(ProjectId project) const {
  return state_->read([&](sql::Reader reader) { return sql::list_queues(reader, project); });
}

Result<Ahead> SqlStore::runs_ahead(const AheadAsk& ask) const {
  return state_->read([&](sql::Reader reader) { return sql::runs_ahead(reader, ask); });
}

Result<std::vector<std::vector<Run>>> SqlStore::recent_runs(const RecentAsk& ask) const {
  return state_->read([&](sql::Reader reader) { return sql::recent_runs(reader, ask); });
}

Result<std::vector<Node>> SqlStore::list_nodes() const {
  return state_->read(
      [&](sql::Reader reader) { return sql::list_nodes(reader, state_->holders()); });
}

Result<Stats> SqlStore::stats() const {
  return state_->read([](sql::Reader reader) { return sql::read_stats(reader); });
}

}  // namespace chronos::store
