#include "app/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/crypto.h"

namespace chronos::app {
namespace {

std::unexpected<Error> cannot(const std::string& what, const std::string& path, int error) {
  return fail(Reason::store_unavailable,
              "cannot " + what + " " + path + ": " + std::strerror(error));
}

}  // namespace

Result<DataDir> DataDir::open(const std::string& path) {
  std::error_code error;
  if (std::filesystem::create_directories(path, error)) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  if (error) return cannot("create", path, error.value());
  const auto lock_path = path + "/lock";
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return cannot("write", lock_path, errno);
  DataDir dir(path, lock);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return fail(Reason::store_unavailable, "another server works in " + path,
                "stop it, or give this one its own --data-dir");
  }
  CHRONOS_TRY_VOID(dir.read_server_id());
  return dir;
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)),
      server_id_(std::move(other.server_id_)),
      lock_(std::exchange(other.lock_, -1)) {}

DataDir::~DataDir() {
  if (lock_ >= 0) close(lock_);
}

Result<void> DataDir::read_server_id() {
  const auto path = path_ + "/server.id";
  if (std::ifstream in(path); in && std::getline(in, server_id_) && !server_id_.empty()) return {};
  server_id_ = to_hex(random_bytes(8));
  // Under the lock: nobody else writes. A crash in between leaves a file without its last name.
  const auto draft = path + ".new";
  std::ofstream out(draft);
  out << server_id_ << "\n" << std::flush;
  if (!out || std::rename(draft.c_str(), path.c_str()) != 0) return cannot("write", path, errno);
  return {};
}

}  // namespace chronos::app
