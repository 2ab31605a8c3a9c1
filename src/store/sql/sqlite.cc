#include "store/sql/sqlite.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <map>
#include <unordered_map>
#include <utility>

#include "store/sql/sqlite_log.h"
#include "store/sql/sqlite_log_writer.h"

namespace chronos::store::sql {
namespace {

constexpr int kApplicationId = 0x4368726e;  // "Chrn", in the file's header
// In one statement. With half as many a row of a submit is a fifteenth dearer (callgrind); each
// takes memory for as long as we live.
constexpr std::size_t kRowsMax = 32;

// An I/O error, a damaged file, or anything else that says nothing about our own doing is
// `store_unavailable`; what cannot happen in a right program is `internal`.
Error sqlite_error(sqlite3* db, int code, std::string_view what) {
  const auto message = fmt::format("{}: {} ({})", what, sqlite3_errmsg(db), code);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return {Reason::store_full, message, "make room on the disk of the data directory", {}};
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return {Reason::internal, message, {}, {}};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Reason::store_unavailable, message, "another process holds the database", {}};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Reason::store_unavailable,
              message,
              "the file is damaged: restore a backup, or try `sqlite3 FILE .recover`",
              {}};
    default:
      return {Reason::store_unavailable, message, {}, {}};
  }
}

struct CloseStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, CloseStatement>;
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;

class SqliteStatement : public Statement {
 public:
  SqliteStatement(sqlite3* db, StatementHandle handle) : db_(db), handle_(std::move(handle)) {
    uuids_.resize(static_cast<std::size_t>(parameters()));
  }

  int parameters() const { return sqlite3_bind_parameter_count(handle_.get()); }

  void bind_null(int parameter) override { sqlite3_bind_null(handle_.get(), parameter); }
  void bind_integer(int parameter, std::int64_t value) override {
    sqlite3_bind_int64(handle_.get(), parameter, value);
  }
  void bind_text(int parameter, std::string_view text) override {
    sqlite3_bind_text64(handle_.get(), parameter, text.empty() ? "" : text.data(), text.size(),
                        SQLITE_STATIC, SQLITE_UTF8);
  }
  void bind_bytes(int parameter, std::string_view bytes) override {
    sqlite3_bind_blob64(handle_.get(), parameter, bytes.empty() ? "" : bytes.data(), bytes.size(),
                        SQLITE_STATIC);
  }
  void bind_uuid(int parameter, Uuid uuid) override {
    auto& bytes = uuids_[static_cast<std::size_t>(parameter) - 1];
    bytes = uuid.bytes();
    sqlite3_bind_blob64(handle_.get(), parameter, bytes.data(), bytes.size(), SQLITE_STATIC);
  }

  Result<bool> step() override {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return std::unexpected(
        sqlite_error(db_, sqlite3_extended_errcode(db_), "the database refused a statement"));
  }
  void reset() override { sqlite3_reset(handle_.get()); }

  bool is_null(int column) const override {
    return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(handle_.get(), column);
  }
  std::string_view text(int column) const override { return bytes(column); }
  std::string_view bytes(int column) const override {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
    return data == nullptr ? std::string_view() : std::string_view(data, size);
  }
  Uuid uuid(int column) const override {
    const auto data = bytes(column);
    if (data.size() != 16) return {};
    return Uuid::from_bytes(reinterpret_cast<const std::uint8_t*>(data.data()));
  }

 protected:
  sqlite3* database() const { return db_; }

 private:
  sqlite3* db_;
  StatementHandle handle_;
  std::vector<std::array<std::uint8_t, 16>> uuids_;  // what is bound, by parameter
};

// `$n` of each parameter of a row is `$(n + by)`.
void append_shifted(std::string& text, std::string_view row, int by) {
  while (!row.empty()) {
    const auto name = row.find('$');
    text += row.substr(0, name);
    if (name == std::string_view::npos) return;
    int number = 0;
    const char* digits = row.data() + name + 1;
    const auto read = std::from_chars(digits, row.data() + row.size(), number);
    fmt::format_to(std::back_inserter(text), "${}", number + by);
    row.remove_prefix(static_cast<std::size_t>(read.ptr - row.data()));
  }
}

// An INSERT with the row behind its VALUES so many times. Statements of many rows find the place of
// a row from that of the row before, and begin and end once.
std::string with_rows(std::string_view text, std::size_t rows, int parameters) {
  constexpr std::string_view kValues = "VALUES ";
  const auto begin = text.find(kValues) + kValues.size();
  const auto end = text.find(')', begin) + 1;
  std::string all(text.substr(0, begin));
  for (std::size_t i = 0; i < rows; ++i) {
    if (i > 0) all += ", ";
    append_shifted(all, text.substr(begin, end - begin), static_cast<int>(i) * parameters);
  }
  all += text.substr(end);
  return all;
}

constexpr std::string_view kReturningId = " RETURNING id";

// INSERT of one row without its kReturningId, where the id is the rowid: SQLite knows it anyway,
// and would make a table of its own to return it from.
class SqliteInsert final : public SqliteStatement {
 public:
  using SqliteStatement::SqliteStatement;

  Result<bool> step() override {
    if (std::exchange(is_inserted_, true)) return false;
    CHRONOS_TRY_VOID(SqliteStatement::step());
    return sqlite3_changes64(database()) == 1;
  }
  void reset() override {
    SqliteStatement::reset();
    is_inserted_ = false;
  }
  bool is_null(int) const override { return false; }
  std::int64_t integer(int) const override { return sqlite3_last_insert_rowid(database()); }

 private:
  bool is_inserted_ = false;
};

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(DatabaseHandle db, const char* begin) : db_(std::move(db)), begin_{begin} {}

  sqlite3* handle() { return db_.get(); }

  Result<Statement*> prepare(const Sql& sql) override {
    if (was_taken_back()) return taken_back();
    auto& cached = statements_[&sql];
    if (cached) return cached.get();
    std::string_view text = sql.text;
    const bool returns_id = text.ends_with(kReturningId);
    if (returns_id) text.remove_suffix(kReturningId.size());
    CHRONOS_TRY(auto handle, compile(text));
    if (returns_id) {
      cached = std::make_unique<SqliteInsert>(db_.get(), std::move(handle));
    } else {
      cached = std::make_unique<SqliteStatement>(db_.get(), std::move(handle));
    }
    return cached.get();
  }

  Result<Statement*> prepare_rows(const Sql& sql, std::size_t rows) override {
    CHRONOS_TRY(auto* const of_one, prepare(sql));
    if (rows == 1) return of_one;
    auto& cached = of_many_[{&sql, rows}];
    if (cached) return cached.get();
    const int parameters = static_cast<SqliteStatement*>(of_one)->parameters();
    CHRONOS_TRY(auto handle, compile(with_rows(sql.text, rows, parameters)));
    cached = std::make_unique<SqliteStatement>(db_.get(), std::move(handle));
    return cached.get();
  }
  std::size_t rows_max() const override { return kRowsMax; }

  Result<void> run_script(const std::string& script) override {
    const int code = sqlite3_exec(db_.get(), script.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return std::unexpected(error("the database refused a script"));
    return {};
  }

  std::int64_t rows_changed() const override { return sqlite3_changes64(db_.get()); }
  Result<std::int64_t> bytes() override {
    static constexpr Sql kBytes{
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"};
    CHRONOS_TRY(const auto bytes, one(kBytes, column<std::int64_t>));
    return bytes.value_or(0);
  }

  Result<void> begin() override {
    is_begun_ = false;
    CHRONOS_TRY_VOID(run(begin_));
    is_begun_ = true;
    return {};
  }

  // Nothing is seen here before it is durable.
  Result<void> commit(Durable) override {
    static constexpr Sql kCommit{"COMMIT"};
    const bool is_gone = was_taken_back();
    is_begun_ = false;
    if (is_gone) return taken_back();
    const auto done = run(kCommit);
    if (done) return {};
    auto failure = done.error();
    // Out of space (SQLITE_FULL) and locked (SQLITE_BUSY): the commit mark was never written. After
    // an I/O error it may lie in the log, durable or not (promises.md §0.1).
    const int code = sqlite3_errcode(db_.get());
    const bool is_known = code == SQLITE_FULL || code == SQLITE_BUSY || code == SQLITE_LOCKED;
    if (!rollback() || !is_known) failure.reason = Reason::unknown_commit;
    return std::unexpected(std::move(failure));
  }

  bool rollback() override {
    static constexpr Sql kRollback{"ROLLBACK"};
    is_begun_ = false;
    // Some errors roll back by themselves.
    if (sqlite3_get_autocommit(db_.get()) != 0) return true;
    return run(kRollback).has_value() && sqlite3_get_autocommit(db_.get()) != 0;
  }

 private:
  // By SQLite itself, because memory or the disk ran out (sqlite.org/lang_transaction.html,
  // "Response To Errors Within A Transaction"). A statement that came now would be a transaction of
  // its own.
  bool was_taken_back() const { return is_begun_ && sqlite3_get_autocommit(db_.get()) != 0; }
  static std::unexpected<Error> taken_back() {
    return fail(Reason::store_unavailable, "the database has taken the transaction back");
  }
  Result<StatementHandle> compile(std::string_view text) {
    // What SQLite numbers as it is written; it numbers "$n" by first appearance
    // (sqlite.org/lang_expr.html#varparam). No statement has the sign for anything else.
    std::string numbered(text);
    std::ranges::replace(numbered, '$', '?');
    sqlite3_stmt* raw = nullptr;
    const int code =
        sqlite3_prepare_v3(db_.get(), numbered.data(), static_cast<int>(numbered.size()),
                           SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return std::unexpected(error("a statement could not be prepared"));
    return StatementHandle(raw);
  }
  Error error(std::string_view what) const {
    return sqlite_error(db_.get(), sqlite3_extended_errcode(db_.get()), what);
  }

  DatabaseHandle db_;
  const Sql begin_;
  bool is_begun_ = false;  // a transaction, neither committed nor rolled back by us
  std::unordered_map<const Sql*, std::unique_ptr<SqliteStatement>> statements_;
  // By how many rows.
  std::map<std::pair<const Sql*, std::size_t>, std::unique_ptr<SqliteStatement>> of_many_;
};

enum class IfExists { keep, refuse };

// Makes the file ours alone, and its name durable, before SQLite sees it.
Result<void> create_file(const std::string& path, IfExists if_exists) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST && if_exists == IfExists::keep) return {};
  if (file < 0) {
    return fail(Reason::store_unavailable,
                fmt::format("{} cannot be created: {}", path, std::strerror(errno)));
  }
  ::close(file);
  auto directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) directory = ".";
  const int handle = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_durable = handle >= 0 && ::fsync(handle) == 0;
  if (handle >= 0) ::close(handle);
  if (!is_durable) {
    return fail(Reason::store_unavailable,
                fmt::format("{} cannot be synced: {}", directory.string(), std::strerror(errno)));
  }
  return {};
}

// SQLite counts every piece of memory under one lock, for statistics nobody reads.
void configure_sqlite() {
  static const int configured = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(configured);
}

Result<DatabaseHandle> open_handle(const std::string& path, int flags) {
  configure_sqlite();
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, sqlite_log_writer());
  DatabaseHandle db(raw);
  if (code != SQLITE_OK) {
    return std::unexpected(sqlite_error(raw, code, fmt::format("{} cannot be opened", path)));
  }
  return db;
}

// Our mark in the file's header; a new file gets it.
Result<void> claim_file(Connection& db, const std::string& path) {
  static constexpr Sql kApplication{"PRAGMA application_id"};
  static constexpr Sql kTables{"SELECT count(*) FROM sqlite_schema"};
  CHRONOS_TRY(const auto application, db.one(kApplication, column<std::int64_t>));
  if (application == kApplicationId) return {};
  CHRONOS_TRY(const auto tables, db.one(kTables, column<std::int64_t>));
  if (application != 0 || tables != 0) {
    return fail(Reason::store_unavailable,
                fmt::format("{} is an SQLite database, but not one of Chronos", path),
                "name another file; Chronos does not write into the databases of others");
  }
  return db.run_script(fmt::format("PRAGMA application_id = {}", kApplicationId));
}

// Page by page inside one snapshot, so that writers do not make it start again.
Result<void> copy_database(sqlite3* from, const std::string& path) {
  CHRONOS_TRY(const auto into, open_handle(path, SQLITE_OPEN_READWRITE));
  auto* backup = sqlite3_backup_init(into.get(), "main", from, "main");
  if (backup == nullptr) {
    return std::unexpected(sqlite_error(into.get(), sqlite3_extended_errcode(into.get()),
                                        "the backup could not begin"));
  }
  const int stepped = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (stepped == SQLITE_DONE && finished == SQLITE_OK) return {};
  return std::unexpected(
      sqlite_error(into.get(), finished == SQLITE_OK ? stepped : finished, "the backup failed"));
}

// Statistics that somebody's ANALYZE left are of one moment, and a plan chosen by them is of no
// other: statements are written for any number of rows. Whether there were any; a connection that
// has seen them goes on with them.
Result<bool> drop_statistics(Connection& db) {
  static constexpr Sql kStatistics{
      "SELECT count(*) FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')"};
  CHRONOS_TRY(const auto tables, db.one(kStatistics, column<std::int64_t>));
  if (tables == 0) return false;
  CHRONOS_TRY_VOID(
      db.run_script("DROP TABLE IF EXISTS sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4"));
  return true;
}

Result<std::unique_ptr<SqliteConnection>> connect_writer(const SqliteOptions& options) {
  CHRONOS_TRY(auto handle, open_handle(options.path, SQLITE_OPEN_READWRITE));
  sqlite3_busy_timeout(handle.get(), options.busy_ms);
  return std::make_unique<SqliteConnection>(std::move(handle), "BEGIN IMMEDIATE");
}

}  // namespace

Result<std::unique_ptr<Connection>> open_sqlite_writer(const SqliteOptions& options) {
  CHRONOS_TRY_VOID(create_file(options.path, IfExists::keep));
  CHRONOS_TRY_VOID(check_sqlite_log(options.path));
  CHRONOS_TRY(auto connection, connect_writer(options));
  CHRONOS_TRY_VOID(claim_file(*connection, options.path));
  CHRONOS_TRY(const bool had_statistics, drop_statistics(*connection));
  if (had_statistics) {
    CHRONOS_TRY(connection, connect_writer(options));
  }
  // No mmap: there an I/O error would be a signal, and the pages would count as our memory.
  CHRONOS_TRY_VOID(connection->run_script(fmt::format(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
      "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;"
      "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{}; PRAGMA wal_autocheckpoint = {}",
      options.cache_kib, options.wal_pages_max)));
  return connection;
}

Result<std::unique_ptr<Connection>> open_sqlite_reader(const SqliteOptions& options) {
  CHRONOS_TRY(auto handle, open_handle(options.path, SQLITE_OPEN_READWRITE));
  sqlite3_busy_timeout(handle.get(), options.busy_ms);
  auto connection = std::make_unique<SqliteConnection>(std::move(handle), "BEGIN");
  CHRONOS_TRY_VOID(connection->run_script(fmt::format(
      "PRAGMA query_only = ON; PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;"
      "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -{};"
      "PRAGMA wal_autocheckpoint = 0",
      options.cache_kib / 4)));
  return connection;
}

Result<void> checkpoint_sqlite(Connection& connection) {
  return connection.run_script("PRAGMA wal_checkpoint(PASSIVE)");
}

Result<void> backup_sqlite(Connection& reader, const std::string& path) {
  CHRONOS_TRY_VOID(create_file(path, IfExists::refuse));
  auto copied = copy_database(static_cast<SqliteConnection&>(reader).handle(), path);
  if (!copied) ::unlink(path.c_str());
  return copied;
}

}  // namespace chronos::store::sql
