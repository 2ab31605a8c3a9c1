// A time zone database of a test's own, in TZDIR for as long as it lives. One thread.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace chronos::test {

class ZoneDatabase {
 public:
  ZoneDatabase() : directory_(std::filesystem::temp_directory_path() / "XXXXXX") {
    std::string pattern = directory_.string();
    directory_ = mkdtemp(pattern.data());
    setenv("TZDIR", directory_.c_str(), 1);
  }
  ~ZoneDatabase() {
    unsetenv("TZDIR");
    std::filesystem::remove_all(directory_);
  }
  ZoneDatabase(const ZoneDatabase&) = delete;
  ZoneDatabase& operator=(const ZoneDatabase&) = delete;

  // Makes `name` a copy of an installed zone, as an upgrade would: a new file, another time.
  void install(const std::string& name, const std::string& installed) {
    namespace fs = std::filesystem;
    const auto path = directory_ / name;
    fs::create_directories(path.parent_path());
    fs::copy_file(fs::path("/usr/share/zoneinfo") / installed, path,
                  fs::copy_options::overwrite_existing);
    fs::last_write_time(path, fs::file_time_type(std::chrono::hours(++upgrade_count_)));
  }
  void remove(const std::string& name) { std::filesystem::remove(directory_ / name); }

 private:
  std::filesystem::path directory_;
  int upgrade_count_ = 0;
};

}  // namespace chronos::test
