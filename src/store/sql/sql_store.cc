#include "store/sql/sql_store.h"

#include <atomic>
#include <utility>
#include <variant>

#include "base/log.h"
#include "store/sql/apply.h"
#include "store/sql/limited.h"
#include "store/sql/migrate.h"
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

Result<std::unique_ptr<sql::ReaderPool>> open_readers(const sql::SqliteOptions& options,
                                                      int count) {
  std::vector<std::unique_ptr<sql::Connection>> readers;
  for (int i = 0; i < count; ++i) {
    CHRONOS_TRY(auto reader, sql::open_sqlite_reader(options));
    readers.push_back(std::move(reader));
  }
  return std::make_unique<sql::ReaderPool>(std::move(readers));
}

}  // namespace

// The connections and who drives them: the committer's thread has the writer, readers share a pool.
class SqlStore::State final : private Transactor {
 public:
  State(std::unique_ptr<sql::Connection> writer, std::unique_ptr<sql::ReaderPool> readers,
        const Clock& clock, SqlStoreOptions options)
      : db_(std::move(writer)),
        specs_(options.spec_cache_bytes),
        holders_(clock),
        writer_{.db = *db_, .specs = specs_, .holders = holders_},
        readers_(std::move(readers)),
        committer_(*this, std::move(options.committer)) {}

  Committer& committer() { return committer_; }
  sql::Holders& holders() { return holders_; }
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
    return {};
  }

 private:
  Result<void> begin() override {
    writer_.news = {};
    return db_->begin();
  }

  News take_news() override { return std::exchange(writer_.news, {}); }

  Result<Answer> perform(const Change& change) override {
    return std::visit(
        [this](const auto& alternative) -> Result<Answer> {
          auto answer = sql::apply(writer_, alternative);
          if (!answer) return std::unexpected(std::move(answer).error());
          if constexpr (requires { alternative.now; }) {
            CHRONOS_TRY_VOID(sql::open_lines(writer_, alternative.now));
          }
          return Answer(std::move(*answer));
        },
        change);
  }

  Result<void> commit() override {
    if (auto counted = sql::write_growth(writer_); !counted) {
      rollback();
      return counted;
    }
    auto committed = db_->commit();
    is_broken_ = !committed;
    if (committed && writer_.has_suspect_leases) holders_.suspect();
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
    writer_.growth = {};
    writer_.has_suspect_leases = false;
  }

  std::unique_ptr<sql::Connection> db_;
  sql::SpecCache specs_;
  sql::Holders holders_;
  sql::Writer writer_;
  std::unique_ptr<sql::ReaderPool> readers_;
  std::atomic<bool> is_stopped_ = false;
  std::atomic<bool> is_broken_ = false;  // the last transaction could not be ended
  Committer committer_;                  // last: its thread ends before what it uses
};

Result<std::unique_ptr<SqlStore>> SqlStore::open(const std::string& path, const Clock& clock,
                                                 SqlStoreOptions options) {
  const auto sqlite = sqlite_options(path, options);
  CHRONOS_TRY(auto writer, sql::open_sqlite_writer(sqlite));
  CHRONOS_TRY_VOID(sql::migrate(*writer, sql::schema_files()));
  CHRONOS_TRY(auto readers, open_readers(sqlite, options.readers));
  const bool has_own_thread = options.has_own_thread;
  auto& db = *writer;
  auto state =
      std::make_unique<State>(std::move(writer), std::move(readers), clock, std::move(options));
  CHRONOS_TRY_VOID(sql::hear_all_workers(db, state->holders()));
  if (has_own_thread) state->committer().start();
  return std::unique_ptr<SqlStore>(new SqlStore(std::move(state)));
}

SqlStore::SqlStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

SqlStore::~SqlStore() {
  state_->stop();
}

bool SqlStore::pump() {
  return state_->committer().pump();
}

void SqlStore::enqueue(Operation operation) {
  state_->committer().enqueue(std::move(operation));
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

Result<Run> SqlStore::find_run(ProjectId project, RunId run) const {
  return state_->read([&](sql::Reader reader) { return sql::read_run(reader, project, run); });
}

Result<Page<Run>> SqlStore::list_runs(const RunFilter& filter) const {
  return state_->read([&](sql::Reader reader) { return sql::list_runs(reader, filter); });
}

Result<OutputPage> SqlStore::read_output(ProjectId project, RunId run, int attempt) const {
  return state_->read(
      [&](sql::Reader reader) { return sql::read_output(reader, project, run, attempt); });
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
  const auto is_alive = [&](NodeId holder) { return holders.is_alive(holder); };
  auto expired = state_->read(
      [&](sql::Reader reader) { return sql::expired_leases(reader, limit, is_alive); });
  if (expired && expired->empty()) holders.clear(*suspicion);
  return expired;
}

Result<std::vector<Worker>> SqlStore::list_workers(ProjectId project) const {
  const auto is_alive = [&](NodeId holder) { return state_->holders().is_alive(holder); };
  return state_->read(
      [&](sql::Reader reader) { return sql::list_workers(reader, project, is_alive); });
}

Result<std::vector<ClaimedRun>> SqlStore::worker_leases() const {
  return state_->read([](sql::Reader reader) { return sql::worker_leases(reader); });
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

Result<Project> SqlStore::find_project(ProjectId project) const {
  return state_->read([&](sql::Reader reader) { return sql::read_project(reader, project); });
}

Result<std::vector<Project>> SqlStore::list_projects() const {
  return state_->read([](sql::Reader reader) { return sql::list_projects(reader); });
}

Result<void> SqlStore::health() const {
  return state_->health();
}

Result<Stats> SqlStore::stats() const {
  return state_->read([](sql::Reader reader) { return sql::read_stats(reader); });
}

}  // namespace chronos::store
