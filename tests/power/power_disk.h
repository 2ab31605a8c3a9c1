// A disk whose power can be cut: an SQLite VFS over the real one that remembers, of every file of a
// database, what was synced and what was only written since. At a cut it makes, from these, the
// files as they may be found afterwards: writes since the last sync are there, are gone, came in
// another order, or are torn. Thread-safe; one at a time in a process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"

namespace chronos::power {

// Written, not synced.
struct Change {
  std::int64_t offset = 0;
  std::string bytes;
  bool is_truncation = false;  // to `offset`
};

struct FileImage {
  std::string synced;
  std::vector<Change> since;
  bool has_name = false;  // for good; else the file itself may be gone
};

// The files of all databases at one moment, by their names without the directory.
using DiskImage = std::map<std::string, FileImage>;

// What is found when the power is back.
enum class Luck {
  all,        // everything was on the disk already
  none,       // nothing that was not synced
  prefix,     // writes in order up to some point, the last of them torn
  scattered,  // any sectors of any of them
  garbage,    // likewise, and some sectors hold what nobody wrote
};
inline constexpr Luck kAllLuck[] = {Luck::all, Luck::none, Luck::prefix, Luck::scattered,
                                    Luck::garbage};

// Writes the files into `folder` as they may be found.
void write_image(const DiskImage& image, Luck luck, Rng& rng, const std::filesystem::path& folder);

class PowerDisk {
 public:
  // Becomes the default VFS until it is destroyed. With `ignores_sync` it is a disk that lies.
  explicit PowerDisk(bool ignores_sync = false);
  ~PowerDisk();
  PowerDisk(const PowerDisk&) = delete;
  PowerDisk& operator=(const PowerDisk&) = delete;

  // Called before each write, truncation and sync, with the disk as it is then. It must not come
  // back to SQLite.
  using Watch = std::function<void(const DiskImage&)>;
  void watch(Watch watch);

  // For the VFS.
  void opened(const std::string& name, std::string content, bool has_name);
  void wrote(const std::string& name, Change change);
  void synced(const std::string& name);
  void removed(const std::string& name);

 private:
  void before_change() CHRONOS_REQUIRES(mutex_);

  const bool ignores_sync_;
  Mutex mutex_;
  DiskImage files_ CHRONOS_GUARDED_BY(mutex_);
  Watch watch_ CHRONOS_GUARDED_BY(mutex_);
};

}  // namespace chronos::power
