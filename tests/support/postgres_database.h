// A database of a test's own on a PostgreSQL server, whose clock of leases is the test's. Where the
// server is say the PG* variables; tools/with_postgres.sh starts one and sets them. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"

namespace chronos::test {

class PostgresDatabase {
 public:
  enum class Holds { nothing, schema };
  // With the schema of this program and nothing in it, or without that too (then its clock of
  // leases is its own). Throws when there is no server.
  explicit PostgresDatabase(Holds holds = Holds::schema);
  ~PostgresDatabase();
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  // Through the pooler that CHRONOS_TEST_POOLER names, if it does.
  std::string url() const;
  // Leases see this time from now on.
  void set_steady(SteadyTime now);
  // Runs a statement on a connection of its own, which is not to this database.
  static void administrate(const std::string& statement);
  // Runs statements as an administrator would; the first column of the first row of the last one.
  std::string run(const std::string& script);

 private:
  class Session;

  std::string name_;
  std::unique_ptr<Session> session_;
  const bool has_virtual_time_;
  Mutex mutex_;
  std::optional<SteadyTime> steady_ CHRONOS_GUARDED_BY(mutex_);
};

}  // namespace chronos::test
