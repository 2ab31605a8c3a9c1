// The stores that tests run over. THE place where a test learns of a new kind of store. One thread.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/store.h"

namespace chronos::store {
class MemoryStore;
}  // namespace chronos::store

namespace chronos::test {

// The kinds to test, from CHRONOS_TEST_STORES (split on spaces), else all that this program has.
std::vector<std::string> store_kinds();

class PostgresDatabase;

// A fresh, empty store that can be closed and opened again, as when the process starts anew.
// "memory:" keeps its rows over that and forgets its holders; "sqlite:" is a file of its own in a
// directory that goes with it; "postgres:" is a database of its own on the server of the PG*
// variables (tools/with_postgres.sh starts one), which goes by `clock` too.
class TestStore {
 public:
  TestStore(const std::string& kind, const Clock& clock);
  ~TestStore();
  TestStore(const TestStore&) = delete;
  TestStore& operator=(const TestStore&) = delete;

  // Thread-safe.
  store::Store& operator*() const { return *operator->(); }
  store::Store* operator->() const;
  void reopen();
  // What open_store() opens.
  const std::string& url() const { return url_; }
  PostgresDatabase& database() { return *database_; }  // of a "postgres:" one

 private:
  void open();

  const Clock& clock_;
  std::filesystem::path directory_;             // empty: the store has no files
  std::unique_ptr<PostgresDatabase> database_;  // of its own, or none
  std::string url_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace chronos::test
