#include "support/postgres_database.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "store/open.h"
#include "support/print.h"

namespace chronos::test {

class PostgresDatabase::Session {
 public:
  explicit Session(const std::string& name)
      : db_(PQconnectdb(("dbname=" + name).c_str()), PQfinish) {
    if (PQstatus(db_.get()) != CONNECTION_OK) {
      throw std::runtime_error(std::string("no PostgreSQL server to test on: ") +
                               PQerrorMessage(db_.get()));
    }
    run("SET synchronous_commit = local");  // whatever standby a test lets commits wait for
  }

  std::string run(const std::string& script) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(db_.get(), script.c_str()),
                                                               PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
      throw std::runtime_error(PQerrorMessage(db_.get()));
    }
    return PQntuples(result.get()) == 0 ? "" : PQgetvalue(result.get(), 0, 0);
  }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> db_;
};

namespace {

// With the schema, and a clock that stands still until the test moves it.
constexpr auto kVirtualTime = R"(
  CREATE TABLE chronos.virtual_time (now BIGINT NOT NULL);
  INSERT INTO chronos.virtual_time VALUES (0);
  CREATE OR REPLACE FUNCTION chronos.lease_now() RETURNS BIGINT LANGUAGE sql VOLATILE AS
    'SELECT now FROM chronos.virtual_time';
)";

std::string numbered(const std::string& name) {
  static int count = 0;
  return name + "_" + std::to_string(getpid()) + "_" + std::to_string(++count);
}

}  // namespace

PostgresDatabase::PostgresDatabase(Holds holds)
    : name_(numbered("chronos_test")), has_virtual_time_(holds == Holds::schema) {
  if (holds == Holds::nothing) {
    administrate("CREATE DATABASE " + name_);
    session_ = std::make_unique<Session>(name_);
    return;
  }
  static const auto original = [] {
    auto name = numbered("chronos_original");
    administrate("CREATE DATABASE " + name);
    const SystemClock clock;
    must(store::open_store("postgres:///" + name, clock));
    Session(name).run(kVirtualTime);
    return name;
  }();
  administrate("CREATE DATABASE " + name_ + " TEMPLATE " + original);
  session_ = std::make_unique<Session>(name_);
}

PostgresDatabase::~PostgresDatabase() {
  session_.reset();
  administrate("DROP DATABASE " + name_ + " WITH (FORCE)");
}

std::string PostgresDatabase::url() const {
  const auto* pooler = std::getenv("CHRONOS_TEST_POOLER");
  return "postgres:///" + name_ + (pooler == nullptr ? "" : std::string("?") + pooler);
}

void PostgresDatabase::administrate(const std::string& statement) {
  Session("postgres").run(statement);
}

void PostgresDatabase::set_steady(SteadyTime now) {
  const MutexLock lock(mutex_);
  if (!has_virtual_time_ || steady_ == now) return;
  steady_ = now;
  session_->run("UPDATE chronos.virtual_time SET now = " + std::to_string(now.count()));
}

std::string PostgresDatabase::run(const std::string& script) {
  const MutexLock lock(mutex_);
  return session_->run(script);
}

}  // namespace chronos::test
