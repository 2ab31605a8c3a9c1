// Looks at SQLite's write-ahead log before SQLite does. SQLite takes a log up to its first frame
// that is not whole for all there is: right after a power cut, when only the last transaction can
// be torn, and silently wrong when the file was damaged. Called by sqlite.cc when a store opens;
// reads only.
#pragma once

#include <string>

#include "base/result.h"

namespace chronos::store::sql {

// Refuses, with store_unavailable, the log of the database at `path` when a frame of it is damaged
// and a later transaction than that frame's was committed behind it: each commit was synced before
// the next began, so no power cut leaves that. No log, and one that ends in a torn transaction, are
// fine.
Result<void> check_sqlite_log(const std::string& path);

}  // namespace chronos::store::sql
