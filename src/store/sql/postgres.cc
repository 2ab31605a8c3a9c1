#include "store/sql/postgres.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <unordered_map>

#include "base/log.h"
#include "base/random.h"
#include "store/sql/migrate.h"
#include "store/sql/postgres_array.h"
#include "store/sql/postgres_handles.h"
#include "store/sql/postgres_words.h"

namespace chronos::store::sql {
namespace {

// Of pg_type: these never change.
enum Type : Oid { kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kUuid = 2950 };

// "Chronos", as the number of the locks that nodes take one after the other.
constexpr std::int64_t kWriterLock = 0x4368726f6e6f73;
constexpr std::int64_t kOpenerLock = kWriterLock + 1;
// What is posted and not waited for stays within the buffers of both sides.
constexpr int kPostedMax = 256;
constexpr int kOldestServer = 150'000;
// A transaction of its own that writes next to nothing: when it is durable, here and on synchronous
// standbys, all before it is. Weaker settings would answer before it is durable.
constexpr auto kDurable =
    "SELECT pg_logical_emit_message(true, 'chronos', ''),"
    " CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
    " THEN set_config('synchronous_commit', 'on', true) END";
constexpr Sql kNote{
    "INSERT INTO commits (writer, number) VALUES ($1, $2) ON CONFLICT (writer) DO UPDATE"
    " SET number = excluded.number, noted_at = now()"};
constexpr Sql kLastNoted{"SELECT number FROM commits WHERE writer = $1"};
// Nothing of a standby, which cannot tell.
constexpr auto kTimeline =
    "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint"
    " WHERE NOT pg_is_in_recovery()";
// After this time the notes of writers that do nothing may be gone.
constexpr auto kNotedFor = std::chrono::hours(24);
// Plans are made again after this time, for tables grow.
constexpr auto kPlannedAgain = std::chrono::seconds(5);
// How long the fate of a commit is asked for after its connection was lost.
constexpr auto kFateAskedFor = std::chrono::seconds(10);

// -- Values ---------------------------------------------------------------------------------------

template <class Integer>
std::size_t put_big_endian(Integer value, std::array<char, 16>& into) {
  using Unsigned = std::make_unsigned_t<Integer>;
  const auto bytes = std::bit_cast<std::array<char, sizeof(Integer)>>(
      std::endian::native == std::endian::little ? std::byteswap(static_cast<Unsigned>(value))
                                                 : static_cast<Unsigned>(value));
  std::memcpy(into.data(), bytes.data(), bytes.size());
  return bytes.size();
}

std::int64_t big_endian(const char* data, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(data[i]);
  // The sign of what is shorter than 8 bytes.
  const int unused = 64 - 8 * size;
  return static_cast<std::int64_t>(value << unused) >> unused;
}

class PostgresConnection;

class PostgresStatement final : public Statement {
 public:
  // Prepared under this name; or with no name, then its text is sent each time.
  PostgresStatement(PostgresConnection& connection, std::string name, std::string text,
                    std::vector<Oid> types)
      : connection_(connection),
        name_(std::move(name)),
        text_(std::move(text)),
        types_(std::move(types)) {
    stored_.resize(types_.size());
    texts_.resize(types_.size());
    values_.resize(types_.size());
    lengths_.resize(types_.size());
    formats_.assign(types_.size(), 1);
  }

  void bind_null(int parameter) override { bind(parameter, nullptr, 0); }
  void bind_integer(int parameter, std::int64_t value) override {
    const auto i = index(parameter);
    if (i >= types_.size()) return;  // a statement may pass over its last parameters
    auto& stored = stored_[i];
    std::size_t size = 0;
    switch (types_[i]) {
      case kBool:
        stored[0] = value != 0 ? 1 : 0;
        size = 1;
        break;
      case kInt2:
        size = put_big_endian(static_cast<std::int16_t>(value), stored);
        break;
      case kInt4:
        size = put_big_endian(static_cast<std::int32_t>(value), stored);
        break;
      default:
        size = put_big_endian(value, stored);
    }
    bind(parameter, stored.data(), size);
  }
  void bind_text(int parameter, std::string_view text) override {
    if (index(parameter) >= types_.size()) return;
    bind_bytes(parameter, as_postgres_text(text, texts_[index(parameter)]));
  }
  void bind_bytes(int parameter, std::string_view bytes) override {
    bind(parameter, bytes.empty() ? "" : bytes.data(), bytes.size());
  }
  void bind_uuid(int parameter, Uuid uuid) override {
    if (index(parameter) >= types_.size()) return;
    auto& stored = stored_[index(parameter)];
    const auto bytes = uuid.bytes();
    std::memcpy(stored.data(), bytes.data(), bytes.size());
    bind(parameter, stored.data(), bytes.size());
  }

  Result<bool> step() override;
  Result<void> post() override;
  void reset() override {
    result_.reset();
    row_ = -1;
  }

  bool is_null(int column) const override { return PQgetisnull(result_.get(), row_, column) == 1; }
  std::int64_t integer(int column) const override {
    return big_endian(PQgetvalue(result_.get(), row_, column),
                      PQgetlength(result_.get(), row_, column));
  }
  std::string_view text(int column) const override { return bytes(column); }
  std::string_view bytes(int column) const override {
    return {PQgetvalue(result_.get(), row_, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
  }
  Uuid uuid(int column) const override {
    const auto data = bytes(column);
    if (data.size() != 16) return {};
    return Uuid::from_bytes(reinterpret_cast<const std::uint8_t*>(data.data()));
  }

  bool send(PGconn* connection) const {
    if (name_.empty()) {
      return PQsendQueryParams(connection, text_.c_str(), static_cast<int>(types_.size()),
                               types_.data(), values_.data(), lengths_.data(), formats_.data(),
                               1) == 1;
    }
    return PQsendQueryPrepared(connection, name_.c_str(), static_cast<int>(types_.size()),
                               values_.data(), lengths_.data(), formats_.data(), 1) == 1;
  }

 private:
  static std::size_t index(int parameter) { return static_cast<std::size_t>(parameter) - 1; }
  void bind(int parameter, const char* value, std::size_t size) {
    if (index(parameter) >= types_.size()) return;
    values_[index(parameter)] = value;
    lengths_[index(parameter)] = static_cast<int>(size);
  }

  PostgresConnection& connection_;
  const std::string name_;
  const std::string text_;
  const std::vector<Oid> types_;
  std::vector<std::array<char, 16>> stored_;  // numbers and UUIDs, by parameter
  std::vector<std::string> texts_;            // what had to be mended
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  ResultHandle result_;
  int row_ = -1;
};

// -- Connections ----------------------------------------------------------------------------------

enum class Role { writer, reader };

class PostgresConnection final : public Connection {
 public:
  PostgresConnection(PostgresOptions options, Role role)
      : options_(std::move(options)), role_(role) {}

  Result<void> connect();

  Result<Statement*> prepare(const Sql& sql) override;
  Result<void> run_script(const std::string& script) override;
  std::int64_t rows_changed() const override { return rows_changed_; }
  Result<std::int64_t> bytes() override {
    static constexpr Sql kBytes{"SELECT pg_database_size(current_database())"};
    CHRONOS_TRY(const auto bytes, one(kBytes, column<std::int64_t>));
    return bytes.value_or(0);
  }
  Result<void> begin() override;
  Result<void> commit(Durable what) override;
  bool rollback() override;
  bool is_remote() const override { return true; }
  bool is_lost() const override { return !db_ || PQstatus(db_.get()) == CONNECTION_BAD; }

  // Sends a statement and waits for its rows, and for all that was posted before.
  Result<ResultHandle> execute(const PostgresStatement& statement) {
    if (!statement.send(db_.get())) return std::unexpected(lost(db_.get()));
    return finish();
  }
  Result<void> send_on(const PostgresStatement& statement) {
    if (!statement.send(db_.get())) return std::unexpected(lost(db_.get()));
    if (++posted_ < kPostedMax) return {};
    CHRONOS_TRY_VOID(finish());
    return {};
  }

 private:
  Result<void> open_handle();
  Result<void> check_timeline();
  Result<void> look_for_loss();
  Result<void> send_text(const char* text) {
    const int sent =
        PQsendQueryParams(db_.get(), text, 0, nullptr, nullptr, nullptr, nullptr, /*binary*/ 1);
    if (sent != 1) return std::unexpected(lost(db_.get()));
    return {};
  }
  Result<ResultHandle> ask(const char* text) {
    CHRONOS_TRY_VOID(send_text(text));
    return finish();
  }
  Result<ResultHandle> finish();
  void acknowledge(const PGresult* durable) {
    if (is_replica_wait_over_) return;
    acknowledged_ = {transaction_, big_endian(PQgetvalue(durable, 0, 0), 8),
                     std::chrono::steady_clock::now()};
  }
  Result<void> begin_once();
  Result<void> end_durably();
  Result<void> resolve(Error error);
  Result<bool> look_up();
  static void hear(void* self, const PGresult* notice);

  const PostgresOptions options_;
  const Role role_;
  ConnectionHandle db_;
  std::unordered_map<const Sql*, std::unique_ptr<PostgresStatement>> statements_;
  int prepared_ = 0;  // gives each statement its name
  int posted_ = 0;    // since somebody waited
  std::chrono::steady_clock::time_point planned_at_{};
  std::int64_t rows_changed_ = 0;
  // Of a writer: who it is, and which of its transactions is on its way.
  const std::int64_t writer_ = static_cast<std::int64_t>(Rng::from_system().next() >> 1);
  std::int64_t transaction_ = 0;
  // What it was told is durable: the last of its transactions, the end of the log then.
  struct Acknowledged {
    std::int64_t transaction = 0;
    std::int64_t lsn = 0;
    std::chrono::steady_clock::time_point at{};
  } acknowledged_;
  bool is_replica_wait_over_ = false;  // the last commit is not on the standby, whatever it says
};

Result<bool> PostgresStatement::step() {
  if (!result_) {
    CHRONOS_TRY(result_, connection_.execute(*this));
    row_ = -1;
  }
  return ++row_ < PQntuples(result_.get());
}

Result<void> PostgresStatement::post() {
  return connection_.send_on(*this);
}

// A wait for a synchronous standby that somebody ended: the commit succeeds, with a warning only
// (promises.md §0.3). Known by its place in the server, for its words are translated.
void PostgresConnection::hear(void* self, const PGresult* notice) {
  const auto* place = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  if (place != nullptr && std::string_view(place) == "SyncRepWaitForLSN") {
    static_cast<PostgresConnection*>(self)->is_replica_wait_over_ = true;
  }
  const auto* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity != nullptr && std::string_view(severity) == "WARNING") {
    log::warn("the database warns", {{"message", trimmed(PQresultErrorMessage(notice))}});
  }
}

Result<void> PostgresConnection::open_handle() {
  if (!options_.is_pooled) statements_.clear();
  posted_ = 0;
  db_ = open_connection(options_.url, "chronos");
  if (PQstatus(db_.get()) != CONNECTION_OK) return std::unexpected(lost(db_.get()));
  PQsetNoticeReceiver(db_.get(), hear, this);
  return {};
}

Result<void> PostgresConnection::connect() {
  CHRONOS_TRY_VOID(open_handle());
  if (PQserverVersion(db_.get()) < kOldestServer) {
    return fail(Reason::store_unavailable, "the database is older than PostgreSQL 15");
  }
  if (std::string_view(PQparameterStatus(db_.get(), "server_encoding")) != "UTF8") {
    return fail(Reason::store_unavailable, "the database does not keep its texts in UTF-8",
                "make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0");
  }
  static const auto session = settings_for("false");
  if (!options_.is_pooled) {
    const ResultHandle set(PQexec(db_.get(), session.c_str()));
    if (PQresultStatus(set.get()) != PGRES_TUPLES_OK) return std::unexpected(error_of(set.get()));
  }
  CHRONOS_TRY_VOID(check_timeline());
  if (PQenterPipelineMode(db_.get()) != 1) return std::unexpected(lost(db_.get()));
  return look_for_loss();
}

// A promotion begins a new timeline. Whoever is on an older one was primary before, and came back.
Result<void> PostgresConnection::check_timeline() {
  const ResultHandle told(PQexec(db_.get(), kTimeline));
  if (PQresultStatus(told.get()) != PGRES_TUPLES_OK) return std::unexpected(error_of(told.get()));
  if (PQntuples(told.get()) == 0) return {};
  const std::int64_t timeline = std::atoll(PQgetvalue(told.get(), 0, 0));
  auto newest = options_.timeline->load();
  while (newest < timeline && !options_.timeline->compare_exchange_weak(newest, timeline)) {
  }
  if (newest <= timeline) return {};
  db_.reset();
  return fail(Reason::store_unavailable,
              fmt::format("this database server is on timeline {}, and was replaced by one on {}",
                          timeline, newest),
              "stop it: what it takes now is lost; or make it a standby of the new one");
}

// After a failover: what was acknowledged must be there.
Result<void> PostgresConnection::look_for_loss() {
  const auto now = std::chrono::steady_clock::now();
  if (acknowledged_.transaction == 0 || now - acknowledged_.at > kNotedFor) return {};
  static const auto ask_for = [](std::int64_t writer) {
    return fmt::format("SELECT number FROM chronos.commits WHERE writer = {}", writer);
  };
  CHRONOS_TRY(const auto noted, ask(ask_for(writer_).c_str()));
  const auto there = PQntuples(noted.get()) == 0 ? 0
                                                 : big_endian(PQgetvalue(noted.get(), 0, 0),
                                                              PQgetlength(noted.get(), 0, 0));
  if (there >= acknowledged_.transaction) return {};
  log::error(
      "the database lost what it had acknowledged: a failover to a standby that had not"
      " received it, or an older copy",
      {{"transactions", std::to_string(acknowledged_.transaction - there)},
       {"timeline", std::to_string(options_.timeline->load())},
       {"acknowledged_lsn",
        fmt::format("{:X}/{:X}", acknowledged_.lsn >> 32, acknowledged_.lsn & 0xFFFFFFFF)}});
  acknowledged_.transaction = 0;
  return {};
}

// Waits for everything that was sent. Answers the last statement's rows, or the first error.
Result<ResultHandle> PostgresConnection::finish() {
  posted_ = 0;
  if (PQpipelineSync(db_.get()) != 1) return std::unexpected(lost(db_.get()));
  ResultHandle last;
  std::optional<Error> error;
  bool is_between = false;
  while (true) {
    ResultHandle result(PQgetResult(db_.get()));
    // Nothing comes between two statements. Twice nothing: the server went away in the middle.
    const bool is_over = !result && std::exchange(is_between, true);
    if (is_over || PQstatus(db_.get()) == CONNECTION_BAD) {
      auto failure = error ? std::move(*error) : lost(db_.get());
      db_.reset();
      return std::unexpected(std::move(failure));
    }
    if (!result) continue;
    is_between = false;
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_FATAL_ERROR && !error) error = error_of(result.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) last = std::move(result);
  }
  if (error) return std::unexpected(std::move(*error));
  if (!last) return ResultHandle();
  const std::string_view count = PQcmdTuples(last.get());
  rows_changed_ = 0;
  std::from_chars(count.data(), count.data() + count.size(), rows_changed_);
  return last;
}

Result<Statement*> PostgresConnection::prepare(const Sql& sql) {
  auto& cached = statements_[&sql];
  if (cached) return cached.get();
  const auto name = options_.is_pooled ? std::string() : fmt::format("s{}", ++prepared_);
  auto text = as_postgres(sql.text);
  const bool is_sent = PQsendPrepare(db_.get(), name.c_str(), text.c_str(), 0, nullptr) == 1 &&
                       PQsendDescribePrepared(db_.get(), name.c_str()) == 1;
  if (!is_sent) return std::unexpected(lost(db_.get()));
  auto described = finish();
  if (!described) {
    described.error().message += fmt::format(", in: {}", text);
    return std::unexpected(std::move(described).error());
  }
  const int params = PQnparams(described->get());
  std::vector<Oid> types;
  types.reserve(static_cast<std::size_t>(params));
  for (int i = 0; i < params; ++i) {
    types.push_back(PQparamtype(described->get(), i));
  }
  cached = std::make_unique<PostgresStatement>(*this, name, std::move(text), std::move(types));
  return cached.get();
}

Result<void> PostgresConnection::run_script(const std::string& script) {
  CHRONOS_TRY_VOID(finish());
  if (PQexitPipelineMode(db_.get()) != 1) return std::unexpected(lost(db_.get()));
  const ResultHandle result(PQexec(db_.get(), script.c_str()));
  const auto status = PQresultStatus(result.get());
  std::optional<Error> error;
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) error = error_of(result.get());
  if (PQenterPipelineMode(db_.get()) != 1) return std::unexpected(lost(db_.get()));
  if (error) return std::unexpected(std::move(*error));
  return {};
}

Result<void> PostgresConnection::begin_once() {
  if (is_lost()) CHRONOS_TRY_VOID(connect());
  const auto now = std::chrono::steady_clock::now();
  if (!options_.is_pooled && now - planned_at_ > kPlannedAgain) {
    planned_at_ = now;
    CHRONOS_TRY_VOID(ask("DISCARD PLANS"));
  }
  static const auto settings = settings_for("true");
  if (role_ == Role::reader) {
    CHRONOS_TRY_VOID(send_text("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    return options_.is_pooled ? send_text(settings.c_str()) : Result<void>();
  }
  // READ COMMITTED: every statement sees what was committed before it, so also all that was while
  // this one waited for its turn.
  static const auto lock = fmt::format("SELECT pg_advisory_xact_lock({})", kWriterLock);
  CHRONOS_TRY_VOID(send_text("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"));
  if (options_.is_pooled) CHRONOS_TRY_VOID(send_text(settings.c_str()));
  CHRONOS_TRY_VOID(ask(lock.c_str()));
  return {};
}

Result<void> PostgresConnection::begin() {
  auto begun = begin_once();
  // A server that was started again ended all connections it had.
  if (!begun && is_lost()) begun = begin_once();
  return begun;
}

// In two steps, so that the others' turn need not wait for the disk (decision 12): once the
// transaction is committed they see it, and build on it; who waits for it is answered when it is
// durable. What is built on it cannot be durable before it, for the log is written in order. Who
// only tells what is stored already waits as well: a repetition sees what it repeats before that is
// durable, on this node (unknown_commit) or on another.
Result<void> PostgresConnection::commit(Durable what) {
  auto written = ask("SELECT pg_current_xact_id_if_assigned() IS NOT NULL");
  if (!written) {
    rollback();  // whether it is lost or was refused: nothing of the transaction is stored
    return std::unexpected(std::move(written).error());
  }
  if (what == Durable::written && *PQgetvalue(written->get(), 0, 0) == 0) {
    rollback();
    return {};
  }
  is_replica_wait_over_ = false;
  if (const auto done = end_durably(); !done) {
    // With the connection, or by its last statement: then it may be stored all the same.
    if (is_lost() || PQtransactionStatus(db_.get()) == PQTRANS_IDLE) return resolve(done.error());
    rollback();
    return done;
  }
  if (is_replica_wait_over_) {
    return fail(Reason::unknown_commit,
                "the database stopped waiting for its synchronous standby: what it acknowledged may"
                " be lost with it");
  }
  return {};
}

Result<void> PostgresConnection::end_durably() {
  CHRONOS_TRY_VOID(post(kNote, writer_, ++transaction_));
  CHRONOS_TRY_VOID(send_text("SET LOCAL synchronous_commit TO off"));
  CHRONOS_TRY_VOID(send_text("COMMIT"));
  CHRONOS_TRY(const auto durable, ask(kDurable));
  acknowledge(durable.get());
  return {};
}

// It failed on the way: whether the transaction is stored is written in the database.
Result<void> PostgresConnection::resolve(Error error) {
  const auto until = std::chrono::steady_clock::now() + kFateAskedFor;
  while (!is_replica_wait_over_ && std::chrono::steady_clock::now() < until) {
    const auto is_stored = look_up();
    if (is_stored && *is_stored) return {};
    if (is_stored) return std::unexpected(std::move(error));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  error.reason = Reason::unknown_commit;
  return std::unexpected(std::move(error));
}

// By then a lost session is over: it had the turn that begin() waits for. (The server's number of
// the transaction would not do: after a crash it may come again.)
Result<bool> PostgresConnection::look_up() {
  CHRONOS_TRY_VOID(begin_once());
  const auto last = one(kLastNoted, column<std::int64_t>, writer_);
  rollback();
  if (!last) return std::unexpected(last.error());
  if (*last != transaction_) return false;
  CHRONOS_TRY(const auto durable, ask(kDurable));
  if (is_replica_wait_over_) return fail(Reason::unknown_commit, "not on the standby");
  acknowledge(durable.get());
  return true;
}

bool PostgresConnection::rollback() {
  if (is_lost()) return true;  // and the server rolled it back
  const auto ended = send_text("ROLLBACK") ? finish() : Result<ResultHandle>();
  return (ended && PQtransactionStatus(db_.get()) == PQTRANS_IDLE) || is_lost();
}

Result<std::unique_ptr<PostgresConnection>> open_ours(const PostgresOptions& options, Role role) {
  auto connection = std::make_unique<PostgresConnection>(options, role);
  CHRONOS_TRY_VOID(connection->connect());
  return connection;
}

// One opener at a time: of two that make the schema at once the second would fail. (Each step of
// migrate() is a writer's transaction, so these take turns too.)
Result<void> bring_up_to_date(PostgresConnection& connection,
                              std::span<const EmbeddedFile> schema) {
  static constexpr Sql kForgetWriters{
      "DELETE FROM chronos.commits WHERE noted_at < now() - interval '7 days'"};
  CHRONOS_TRY_VOID(connection.run_script(
      fmt::format("DO $$ BEGIN PERFORM pg_advisory_xact_lock({});"
                  " IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'chronos')"
                  " THEN CREATE SCHEMA chronos; END IF; END $$",
                  kOpenerLock)));
  CHRONOS_TRY_VOID(migrate(connection, schema));
  CHRONOS_TRY_VOID(connection.run(kForgetWriters));
  return {};
}

}  // namespace

Result<std::unique_ptr<Connection>> open_postgres_writer(const PostgresOptions& options,
                                                         std::span<const EmbeddedFile> schema) {
  CHRONOS_TRY(auto connection, open_ours(options, Role::writer));
  CHRONOS_TRY_VOID(bring_up_to_date(*connection, schema));
  return connection;
}

Result<std::unique_ptr<Connection>> open_postgres_reader(const PostgresOptions& options) {
  CHRONOS_TRY(auto connection, open_ours(options, Role::reader));
  return connection;
}

}  // namespace chronos::store::sql
