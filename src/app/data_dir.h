// The directory that belongs to one running server: made, locked and named here. Used by the
// daemon.
#pragma once

#include <string>

#include "base/result.h"

namespace chronos::app {

class DataDir {
 public:
  // Creates the directory (0700) when it is not there, and locks it for this process until it ends.
  // Fails when it cannot be written or another process holds it.
  static Result<DataDir> open(const std::string& path);

  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  ~DataDir();

  const std::string& path() const { return path_; }
  // Made once and kept: tells what this server started from what others did.
  const std::string& server_id() const { return server_id_; }

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  Result<void> read_server_id();

  std::string path_;
  std::string server_id_;
  int lock_;
};

}  // namespace chronos::app
