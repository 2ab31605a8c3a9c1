// PostgreSQL behind the seam of connection.h. Called by sql_store.cc; thread-safe but for the
// connections it makes.
//
// A connection speaks the pipeline protocol: what is posted travels with the next statement that is
// waited for, so a change costs as many round trips as it has questions. A connection that was lost
// is made again by the next begin().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/embedded_file.h"
#include "base/result.h"
#include "store/sql/connection.h"

namespace chronos::store::sql {

struct PostgresOptions {
  // As libpq takes it: postgres://…, several hosts too; what it leaves open comes from the PG*
  // variables.
  std::string url;
  // Behind a pooler that gives each transaction another session: nothing is left behind in one, no
  // settings, no prepared statements, no LISTEN.
  bool is_pooled = false;
  // The newest timeline that a connection of this store has seen: a server on an older one was
  // replaced by a promotion, and what it takes is lost.
  std::shared_ptr<std::atomic<std::int64_t>> timeline =
      std::make_shared<std::atomic<std::int64_t>>(0);
};

// From a URL that may have a parameter of ours among libpq's: `pooler=transaction`. Refused:
// invalid_fields.
Result<PostgresOptions> read_postgres_url(const std::string& url);

// All tables lie in the schema `chronos`, which is made or brought up to date by `schema`; of
// several openers one does it, the others wait. A writer's begin() waits for its turn: of all
// writers of a database one is inside a transaction at a time, so that each sees what those before
// it did.
Result<std::unique_ptr<Connection>> open_postgres_writer(const PostgresOptions& options,
                                                         std::span<const EmbeddedFile> schema);
Result<std::unique_ptr<Connection>> open_postgres_reader(const PostgresOptions& options);

}  // namespace chronos::store::sql
