// What the tests of this folder share: a database in a folder of its own, and jobs stored in it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/id.h"
#include "store/changes.h"
#include "store/store.h"
#include "support/samples.h"
#include "support/virtual_clock.h"

namespace chronos::power {

std::uint64_t number_of(const char* variable, std::uint64_t otherwise);

// Goes with what is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path database() const { return path_ / "chronos.db"; }
  std::filesystem::path log() const { return path_ / "chronos.db-wal"; }
  std::string url() const { return "sqlite:" + database().string(); }

 private:
  std::filesystem::path path_;
};

// What `PRAGMA integrity_check` says: "ok", or what is wrong.
std::string integrity_of(const std::filesystem::path& file);

// A store that takes jobs. One thread.
class StoredJobs {
 public:
  explicit StoredJobs(const std::string& url);

  store::Store& store() { return *store_; }
  test::VirtualClock& clock() { return clock_; }
  IdSource& ids() { return ids_; }
  ProjectId project() const { return project_; }

  // A job whose run is ready at once, and whose name is so long.
  store::SubmitJob new_job(std::size_t name_size = 10);
  JobId submit();  // and waits for the answer

 private:
  test::VirtualClock clock_{test::kStart};
  IdSource ids_;
  ProjectId project_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace chronos::power
