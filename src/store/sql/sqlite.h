// SQLite behind the seam of connection.h. Called by sql_store.cc; thread-safe but for the
// connections it makes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "store/sql/connection.h"

namespace chronos::store::sql {

struct SqliteOptions {
  std::string path;
  int cache_kib = 4096;        // page cache of the writer; readers have a quarter of it
  int wal_pages_max = 20'000;  // the writer checkpoints by itself beyond this
  int busy_ms = 5000;          // wait so long for another process's lock
};

// The file is created, readable by its owner only. Refused: a file that is no database of ours.
Result<std::unique_ptr<Connection>> open_sqlite_writer(const SqliteOptions& options);
Result<std::unique_ptr<Connection>> open_sqlite_reader(const SqliteOptions& options);

// Copies committed pages from the log into the file without holding anybody up.
Result<void> checkpoint_sqlite(Connection& connection);

// A consistent copy as the file `path`, which must not exist; others go on reading and writing.
Result<void> backup_sqlite(Connection& reader, const std::string& path);

}  // namespace chronos::store::sql
