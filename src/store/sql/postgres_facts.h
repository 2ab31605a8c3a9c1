// What a PostgreSQL server says of itself and of our schema. Used by store/facts.cc.
#pragma once

#include "base/result.h"
#include "store/facts.h"
#include "store/sql/postgres.h"

namespace chronos::store::sql {

// Without newest_schema.
Result<StoreFacts> examine_postgres(const PostgresOptions& options);

}  // namespace chronos::store::sql
