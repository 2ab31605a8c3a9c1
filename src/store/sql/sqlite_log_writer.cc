#include "store/sql/sqlite_log_writer.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include "base/mutex.h"

namespace chronos::store::sql {
namespace {

// Bytes: nearly thirty pages. SQLite's own VFS takes less than 128 KiB at once.
constexpr int kPendingMax = 120 * 1024;

// What SQLite has for an open log; the file of the VFS below lies behind it.
struct LogFile {
  sqlite3_file file;    // first: it is what SQLite sees
  char* pending;        // room for kPendingMax bytes; none before the first write
  int size;             // of what waits in it
  sqlite3_int64 begin;  // where in the file that belongs
};

LogFile& log_of(sqlite3_file* file) {
  return *reinterpret_cast<LogFile*>(file);
}

sqlite3_file* inner_of(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(&log_of(file) + 1);
}

const sqlite3_io_methods& methods_of(sqlite3_file* file) {
  return *inner_of(file)->pMethods;
}

int flush(sqlite3_file* file) {
  auto& log = log_of(file);
  const int size = std::exchange(log.size, 0);
  if (size == 0) return SQLITE_OK;
  return methods_of(file).xWrite(inner_of(file), log.pending, size, log.begin);
}

int write_log(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  auto& log = log_of(file);
  const bool fits = offset == log.begin + log.size && count <= kPendingMax - log.size;
  if (!fits) {
    if (const int code = flush(file); code != SQLITE_OK) return code;
  }
  if (log.pending == nullptr) log.pending = static_cast<char*>(sqlite3_malloc(kPendingMax));
  if (log.pending == nullptr || count > kPendingMax) {
    return methods_of(file).xWrite(inner_of(file), bytes, count, offset);
  }
  if (log.size == 0) log.begin = offset;
  std::memcpy(log.pending + log.size, bytes, static_cast<std::size_t>(count));
  log.size += count;
  return SQLITE_OK;
}

// Calls a method of the file below when nothing waits any more.
template <class... Args>
int after_flush(int (*sqlite3_io_methods::*method)(sqlite3_file*, Args...), sqlite3_file* file,
                Args... args) {
  if (const int code = flush(file); code != SQLITE_OK) return code;
  return (methods_of(file).*method)(inner_of(file), args...);
}

int read_log(sqlite3_file* file, void* into, int count, sqlite3_int64 offset) {
  return after_flush(&sqlite3_io_methods::xRead, file, into, count, offset);
}
int truncate_log(sqlite3_file* file, sqlite3_int64 size) {
  return after_flush(&sqlite3_io_methods::xTruncate, file, size);
}
int sync_log(sqlite3_file* file, int flags) {
  return after_flush(&sqlite3_io_methods::xSync, file, flags);
}
int size_log(sqlite3_file* file, sqlite3_int64* size) {
  return after_flush(&sqlite3_io_methods::xFileSize, file, size);
}

int close_log(sqlite3_file* file) {
  const int flushed = flush(file);
  sqlite3_free(std::exchange(log_of(file).pending, nullptr));
  const int closed = methods_of(file).xClose(inner_of(file));
  return closed == SQLITE_OK ? flushed : closed;
}

int lock_log(sqlite3_file* file, int level) {
  return methods_of(file).xLock(inner_of(file), level);
}
int unlock_log(sqlite3_file* file, int level) {
  return methods_of(file).xUnlock(inner_of(file), level);
}
int is_log_reserved(sqlite3_file* file, int* is_reserved) {
  return methods_of(file).xCheckReservedLock(inner_of(file), is_reserved);
}
int control_log(sqlite3_file* file, int what, void* argument) {
  return methods_of(file).xFileControl(inner_of(file), what, argument);
}
int sector_of_log(sqlite3_file* file) {
  return methods_of(file).xSectorSize(inner_of(file));
}
int character_of_log(sqlite3_file* file) {
  return methods_of(file).xDeviceCharacteristics(inner_of(file));
}

// Version 1: a log is neither mapped nor has it shared memory; the database's file has.
constexpr sqlite3_io_methods kLogMethods = {.iVersion = 1,
                                            .xClose = close_log,
                                            .xRead = read_log,
                                            .xWrite = write_log,
                                            .xTruncate = truncate_log,
                                            .xSync = sync_log,
                                            .xFileSize = size_log,
                                            .xLock = lock_log,
                                            .xUnlock = unlock_log,
                                            .xCheckReservedLock = is_log_reserved,
                                            .xFileControl = control_log,
                                            .xSectorSize = sector_of_log,
                                            .xDeviceCharacteristics = character_of_log};

std::atomic<sqlite3_vfs*> vfs_below = nullptr;

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  auto* const below = vfs_below.load();
  if ((flags & SQLITE_OPEN_WAL) == 0) return below->xOpen(below, name, file, flags, flags_out);
  new (file) LogFile{};
  const int code = below->xOpen(below, name, inner_of(file), flags, flags_out);
  // SQLite closes what has methods, though it did not open.
  if (inner_of(file)->pMethods != nullptr) file->pMethods = &kLogMethods;
  return code;
}

}  // namespace

const char* sqlite_log_writer() {
  static Mutex mutex;
  static sqlite3_vfs ours;
  const MutexLock lock(mutex);
  sqlite3_initialize();
  auto* const below = sqlite3_vfs_find(nullptr);
  // A test puts a disk of its own below.
  if (below == vfs_below) return ours.zName;
  ours = *below;
  ours.zName = "chronos";
  ours.pNext = nullptr;
  ours.szOsFile += static_cast<int>(sizeof(LogFile));
  ours.xOpen = open_file;
  if (sqlite3_vfs_register(&ours, 0) != SQLITE_OK) return nullptr;
  vfs_below = below;
  return ours.zName;
}

}  // namespace chronos::store::sql
