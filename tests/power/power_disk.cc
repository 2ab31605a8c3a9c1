#include "power/power_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace chronos::power {
namespace {

constexpr std::size_t kSector = 512;  // what a disk writes whole
constexpr const char* kName = "power";

PowerDisk* disk = nullptr;     // the one there is
sqlite3_vfs* inner = nullptr;  // the real one
sqlite3_vfs vfs{};             // ours
sqlite3_io_methods methods{};  // of our files

// Ours, followed in memory by the real one.
struct File {
  sqlite3_file base;
  std::string* name;  // null: not part of a database, passed through
};

sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
}

std::string* name_of(sqlite3_file* file) {
  return reinterpret_cast<File*>(file)->name;
}

void checked(int code) {
  if (code != SQLITE_OK) throw std::runtime_error("the disk below failed");
}

std::string read_all(sqlite3_file* file) {
  sqlite3_int64 size = 0;
  checked(file->pMethods->xFileSize(file, &size));
  std::string content(static_cast<std::size_t>(size), '\0');
  if (size > 0) {
    checked(file->pMethods->xRead(file, content.data(), static_cast<int>(size), 0));
  }
  return content;
}

int on_close(sqlite3_file* file) {
  delete name_of(file);
  return real(file)->pMethods->xClose(real(file));
}

int on_read(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
  return real(file)->pMethods->xRead(real(file), into, size, offset);
}

int on_write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  if (const auto* name = name_of(file)) {
    const std::string bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
    disk->wrote(*name, {.offset = offset, .bytes = bytes});
  }
  return real(file)->pMethods->xWrite(real(file), from, size, offset);
}

int on_truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (const auto* name = name_of(file)) {
    disk->wrote(*name, {.offset = size, .bytes = {}, .is_truncation = true});
  }
  return real(file)->pMethods->xTruncate(real(file), size);
}

// The disk below need not spin: what is synced is known here.
int on_sync(sqlite3_file* file, int) {
  if (const auto* name = name_of(file)) disk->synced(*name);
  return SQLITE_OK;
}

int on_size(sqlite3_file* file, sqlite3_int64* size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}

int on_control(sqlite3_file* file, int what, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}

void fill_methods() {
  methods.iVersion = 2;
  methods.xClose = on_close;
  methods.xRead = on_read;
  methods.xWrite = on_write;
  methods.xTruncate = on_truncate;
  methods.xSync = on_sync;
  methods.xFileSize = on_size;
  methods.xLock = [](sqlite3_file* file, int lock) {
    return real(file)->pMethods->xLock(real(file), lock);
  };
  methods.xUnlock = [](sqlite3_file* file, int lock) {
    return real(file)->pMethods->xUnlock(real(file), lock);
  };
  methods.xCheckReservedLock = [](sqlite3_file* file, int* is_held) {
    return real(file)->pMethods->xCheckReservedLock(real(file), is_held);
  };
  methods.xFileControl = on_control;
  methods.xSectorSize = [](sqlite3_file* file) {
    return real(file)->pMethods->xSectorSize(real(file));
  };
  methods.xDeviceCharacteristics = [](sqlite3_file* file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
  };
  methods.xShmMap = [](sqlite3_file* file, int page, int size, int extends, void volatile** at) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extends, at);
  };
  methods.xShmLock = [](sqlite3_file* file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
  };
  methods.xShmBarrier = [](sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); };
  methods.xShmUnmap = [](sqlite3_file* file, int deletes) {
    return real(file)->pMethods->xShmUnmap(real(file), deletes);
  };
}

int on_open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
  const int code = inner->xOpen(inner, path, real(file), flags, out);
  const bool is_opened = real(file)->pMethods != nullptr;
  auto* ours = reinterpret_cast<File*>(file);
  ours->name = nullptr;
  file->pMethods = is_opened ? &methods : nullptr;
  constexpr int kDatabase = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
  const bool is_database = (flags & kDatabase) != 0;
  if (code != SQLITE_OK || !is_database || path == nullptr) return code;
  ours->name = new std::string(std::filesystem::path(path).filename());
  // The store itself makes the name of a new database durable; SQLite that of a log at its sync.
  disk->opened(*ours->name, read_all(real(file)), (flags & SQLITE_OPEN_MAIN_DB) != 0);
  return code;
}

int on_delete(sqlite3_vfs*, const char* path, int syncs) {
  disk->removed(std::filesystem::path(path).filename());
  return inner->xDelete(inner, path, syncs);
}

void put_into(std::string& content, const Change& change) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.is_truncation) {
    content.resize(offset, '\0');
    return;
  }
  content.resize(std::max(content.size(), offset + change.bytes.size()), '\0');
  content.replace(offset, change.bytes.size(), change.bytes);
}

// Some of its sectors; with `has_garbage` others hold anything.
void apply_some(std::string& content, const Change& change, Rng& rng, bool has_garbage) {
  if (change.is_truncation) {
    if (rng.chance(500)) put_into(content, change);
    return;
  }
  for (std::size_t from = 0; from < change.bytes.size();) {
    const auto at = static_cast<std::size_t>(change.offset) + from;
    const auto size = std::min(kSector - at % kSector, change.bytes.size() - from);
    auto sector = change.bytes.substr(from, size);
    from += size;
    if (rng.chance(500)) continue;
    if (has_garbage && rng.chance(200)) {
      for (auto& byte : sector) byte = static_cast<char>(rng.next());
    }
    put_into(content, {.offset = static_cast<std::int64_t>(at), .bytes = std::move(sector)});
  }
}

std::string found(const FileImage& file, Luck luck, Rng& rng) {
  auto content = file.synced;
  const auto count = static_cast<std::int64_t>(file.since.size());
  const auto whole = luck == Luck::prefix ? rng.between(0, count) : count;
  for (std::int64_t i = 0; i < count && luck != Luck::none; ++i) {
    const auto& change = file.since[static_cast<std::size_t>(i)];
    if (luck == Luck::scattered || luck == Luck::garbage) {
      apply_some(content, change, rng, luck == Luck::garbage);
    } else if (i < whole) {
      put_into(content, change);
    } else {
      auto torn = change;
      torn.bytes.resize(torn.bytes.size() / kSector / 2 * kSector);
      if (!torn.is_truncation) put_into(content, torn);
      break;
    }
  }
  return content;
}

}  // namespace

void write_image(const DiskImage& image, Luck luck, Rng& rng, const std::filesystem::path& folder) {
  for (const auto& [name, file] : image) {
    if (!file.has_name && luck == Luck::none) continue;
    const auto content = found(file, luck, rng);
    std::ofstream(folder / name, std::ios::binary) << content;
  }
}

PowerDisk::PowerDisk(bool ignores_sync) : ignores_sync_(ignores_sync) {
  if (disk != nullptr) throw std::logic_error("there is a disk already");
  disk = this;
  inner = sqlite3_vfs_find(nullptr);
  fill_methods();
  vfs = *inner;
  vfs.zName = kName;
  vfs.pNext = nullptr;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + inner->szOsFile;
  vfs.xOpen = on_open;
  vfs.xDelete = on_delete;
  sqlite3_vfs_register(&vfs, 1);
}

PowerDisk::~PowerDisk() {
  sqlite3_vfs_unregister(&vfs);
  sqlite3_vfs_register(inner, 1);
  disk = nullptr;
}

void PowerDisk::watch(Watch watch) {
  const MutexLock lock(mutex_);
  watch_ = std::move(watch);
}

void PowerDisk::before_change() {
  if (watch_) watch_(files_);
}

void PowerDisk::opened(const std::string& name, std::string content, bool has_name) {
  const MutexLock lock(mutex_);
  files_.emplace(name, FileImage{std::move(content), {}, has_name});
}

void PowerDisk::wrote(const std::string& name, Change change) {
  const MutexLock lock(mutex_);
  before_change();
  files_.at(name).since.push_back(std::move(change));
}

void PowerDisk::synced(const std::string& name) {
  const MutexLock lock(mutex_);
  before_change();
  if (ignores_sync_) return;
  auto& file = files_.at(name);
  for (const auto& change : std::exchange(file.since, {})) put_into(file.synced, change);
  file.has_name = true;
}

void PowerDisk::removed(const std::string& name) {
  const MutexLock lock(mutex_);
  files_.erase(name);
}

}  // namespace chronos::power
