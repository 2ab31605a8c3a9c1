// An owned file descriptor. Used by the files of executor/ only; a plain value, one thread.
#pragma once

#include <unistd.h>

#include <utility>

namespace chronos::executor {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}  // takes ownership; negative = none
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close() { Fd closing(std::move(*this)); }

 private:
  int fd_ = -1;
};

}  // namespace chronos::executor
