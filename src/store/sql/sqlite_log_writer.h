// A VFS of SQLite that is the default one but for the write-ahead log: what a commit adds to it
// goes to the kernel in one write, not in two for each page. SQLite syncs a commit before anybody
// may see it (synchronous = FULL), and what waits is written before a sync, a read, a truncation or
// a question for the size; so the log is never behind what anybody knows.
//
// A write that fails is told by the call that had to make it: of a commit that is the sync. Its
// last frame, which alone makes it one, is then not whole (sqlite.org/walformat.html).
#pragma once

namespace chronos::store::sql {

// Its name, for sqlite3_open_v2(): above the VFS that is the default now. Thread-safe.
const char* sqlite_log_writer();

}  // namespace chronos::store::sql
