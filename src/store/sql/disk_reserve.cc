#include "store/sql/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <utility>

#include "base/log.h"

namespace chronos::store::sql {

DiskReserve::DiskReserve(std::string path, std::int64_t bytes, const Clock& clock)
    : path_(std::move(path)), bytes_(bytes), clock_(clock) {
  struct stat found{};
  is_held_ = ::stat(path_.c_str(), &found) == 0 && found.st_size == bytes_;
  keep();
}

void DiskReserve::spend() {
  if (!is_held_ || ::unlink(path_.c_str()) != 0) return;
  is_held_ = false;
  is_spent_ = true;
  next_look_ = clock_.steady() + std::chrono::seconds(1);
  log::error("the disk is full: no new jobs are taken, what runs is recorded in the reserve",
             {{"reserve", path_}, {"bytes", std::to_string(bytes_)}});
}

void DiskReserve::keep() {
  if (is_held_ || clock_.steady() < next_look_) return;
  next_look_ = clock_.steady() + std::chrono::seconds(1);
  is_held_ = take();
  if (is_held_ && is_spent_.exchange(false)) log::info("there is room on the disk: jobs are taken");
}

bool DiskReserve::take() const {
  const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return false;
  struct statvfs disk{};
  const bool has_room = ::fstatvfs(file, &disk) == 0 &&
                        disk.f_bavail * disk.f_frsize / 2 >= static_cast<std::uint64_t>(bytes_);
  const bool is_taken = has_room && ::posix_fallocate(file, 0, bytes_) == 0;
  ::close(file);
  if (!is_taken) ::unlink(path_.c_str());
  return is_taken;
}

}  // namespace chronos::store::sql
