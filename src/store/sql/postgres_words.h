// What is said to PostgreSQL and to no other database, and what its answers mean. Used by
// postgres.cc; pure.
#pragma once

#include <string>
#include <string_view>

#include "store/sql/postgres.h"

struct pg_conn;
struct pg_result;

namespace chronos::store::sql {

// Without the line's end.
std::string trimmed(std::string_view text);

// What a refused statement means. What cannot happen in a right program is `internal`; everything
// else says something about the server: it is going down, out of space, a standby, too busy.
Error error_of(const pg_result* result);
// The connection is gone.
Error lost(const pg_conn* connection);

// A statement of ours: the few words in which the two databases differ.
std::string as_postgres(std::string_view sql);

// One statement that makes all settings that ours rely on, for the session ("false") or for this
// transaction ("true").
std::string settings_for(std::string_view is_for_transaction);

}  // namespace chronos::store::sql
