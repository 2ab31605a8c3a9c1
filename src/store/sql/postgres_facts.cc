#include "store/sql/postgres_facts.h"

#include <libpq-fe.h>

#include <charconv>
#include <memory>

#include "base/clock.h"
#include "store/sql/postgres_handles.h"

namespace chronos::store::sql {
namespace {

constexpr auto kServer =
    "SELECT current_setting('server_version_num'), pg_is_in_recovery(),"
    " (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
    " current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int,"
    " CASE WHEN to_regnamespace('chronos') IS NULL"
    " THEN has_database_privilege(current_database(), 'CREATE')"
    " ELSE has_schema_privilege('chronos', 'CREATE, USAGE') END,"
    " to_regclass('chronos.meta') IS NOT NULL";
constexpr auto kNotableSettings =
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes',"
    " 'synchronous_commit', 'synchronous_standby_names', 'autovacuum', 'track_counts',"
    " 'wal_level', 'max_connections', 'shared_buffers')";
constexpr auto kStandbys =
    "SELECT application_name, sync_state FROM pg_stat_replication ORDER BY application_name";
constexpr auto kTables =
    "SELECT relname, n_live_tup, n_dead_tup FROM pg_stat_all_tables WHERE schemaname = 'chronos'"
    " ORDER BY n_dead_tup DESC, relname";
// Dead rows cannot go while anything that is older than they goes on.
constexpr auto kOldest =
    "SELECT (extract(epoch FROM clock_timestamp() - xact_start) * 1000000)::bigint,"
    " concat_ws(' ', 'process', pid, 'of', usename, application_name, state)"
    " FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid()"
    " AND backend_type IN ('client backend', 'walsender')"
    " UNION ALL SELECT (extract(epoch FROM clock_timestamp() - prepared) * 1000000)::bigint,"
    " concat_ws(' ', 'prepared transaction', gid, 'of', owner) FROM pg_prepared_xacts"
    " ORDER BY 1 DESC LIMIT 1";
constexpr auto kClock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
constexpr auto kSchema = "SELECT value FROM chronos.meta WHERE name = 'schema_version'";

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// One question after the other; rows of text.
class Questions {
 public:
  explicit Questions(const std::string& url) {
    db_ = open_connection(url, "chronos doctor");
    // When no server is as a node would take it: what is there instead.
    if (PQstatus(db_.get()) != CONNECTION_OK) db_ = open_connection(url, "chronos doctor", "any");
    if (PQstatus(db_.get()) != CONNECTION_OK) problem_ = PQerrorMessage(db_.get());
  }

  const std::string& problem() const { return problem_; }

  // Calls `read(field)` for each row, where field(i) is a text.
  template <class Read>
  void ask(const char* question, Read read) {
    if (!problem_.empty()) return;
    const ResultHandle answer(PQexec(db_.get(), question));
    if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) {
      problem_ = PQresultErrorMessage(answer.get());
      return;
    }
    for (int row = 0; row < PQntuples(answer.get()); ++row) {
      read([&](int column) { return std::string_view(PQgetvalue(answer.get(), row, column)); });
    }
  }

 private:
  ConnectionHandle db_;
  std::string problem_;
};

void compare_clocks(Questions& questions, PostgresFacts& facts) {
  const SystemClock clock;
  const auto before = clock.now();
  questions.ask(kClock, [&](const auto& field) {
    facts.round_trip = clock.now() - before;
    facts.clock_ahead = from_micros(number(field(0))) - (before + facts.round_trip / 2);
  });
}

}  // namespace

Result<StoreFacts> examine_postgres(const PostgresOptions& options) {
  Questions questions(options.url);
  StoreFacts facts;
  auto& server = facts.postgres.emplace();
  bool has_meta = false;
  questions.ask(kServer, [&](const auto& field) {
    server.version = static_cast<int>(number(field(0)));
    server.is_standby = field(1) == "t";
    server.sessions = static_cast<int>(number(field(2)));
    server.sessions_max = static_cast<int>(number(field(3)));
    server.may_write = field(4) == "t";
    has_meta = field(5) == "t";
  });
  questions.ask(kNotableSettings, [&](const auto& field) {
    server.settings.emplace(std::string(field(0)), std::string(field(1)));
  });
  questions.ask(kStandbys, [&](const auto& field) {
    server.standbys.push_back({std::string(field(0)), std::string(field(1))});
  });
  questions.ask(kTables, [&](const auto& field) {
    server.tables.push_back({std::string(field(0)), number(field(1)), number(field(2))});
  });
  questions.ask(kOldest, [&](const auto& field) {
    server.oldest_change = Duration(number(field(0)));
    server.oldest_by = field(1);
  });
  compare_clocks(questions, server);
  if (has_meta) questions.ask(kSchema, [&](const auto& field) { facts.schema = number(field(0)); });
  if (!questions.problem().empty()) {
    return fail(Reason::store_unavailable, "the database cannot be asked: " + questions.problem());
  }
  return facts;
}

}  // namespace chronos::store::sql
