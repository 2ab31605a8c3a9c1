// Brings a database to the schema of this program: applies the files of schema/ that it does not
// have yet, each in a transaction of its own. Called once when a store opens.
#pragma once

#include <span>

#include "base/embedded_file.h"
#include "base/result.h"
#include "store/sql/connection.h"

namespace chronos::store::sql {

// The files of schema/, in order, and those of schema/postgres/.
std::span<const EmbeddedFile> schema_files();
std::span<const EmbeddedFile> postgres_schema_files();

// `files` are named "schema/NNNN_what.sql"; a database's version is how many of them it has seen,
// whatever their numbers. A process that dies on the way leaves the last whole step. Refused: a
// database that a newer program has written.
Result<void> migrate(Connection& db, std::span<const EmbeddedFile> files);

}  // namespace chronos::store::sql
