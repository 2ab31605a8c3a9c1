#include "store/sql/disk_reserve.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/log.h"

namespace chronos::store::sql {

DiskReserve::DiskReserve(std::string path, std::int64_t bytes, const Clock& clock)
    : path_(std::move(path)), bytes_(bytes), clock_(clock) {
  std::error_code none;
  is_held_ = std::filesystem::file_size(path_, none) == static_cast<std::uintmax_t>(bytes_);
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
  std::error_code problem;
  const auto folder = std::filesystem::absolute(path_, problem).parent_path();
  const auto disk = std::filesystem::space(folder, problem);
  if (problem || disk.available / 2 < static_cast<std::uintmax_t>(bytes_)) return false;
  const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const bool is_taken = ::posix_fallocate(file, 0, bytes_) == 0;
  ::close(file);
  if (!is_taken) ::unlink(path_.c_str());
  return is_taken;
}

}  // namespace chronos::store::sql
