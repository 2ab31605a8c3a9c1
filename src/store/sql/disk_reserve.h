// Room on the disk that is kept for a bad day: a file of some megabytes beside the database. On a
// full disk it is given up, so that what runs can still be recorded; it is taken again when there
// is room for two of it. Used by sql_store.cc.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace chronos::store::sql {

class DiskReserve {
 public:
  // One that is there already is kept. Without the room for it there is none for now.
  DiskReserve(std::string path, std::int64_t bytes, const Clock& clock);
  DiskReserve(const DiskReserve&) = delete;
  DiskReserve& operator=(const DiskReserve&) = delete;

  // It was given up and has not been taken again. Thread-safe.
  bool is_spent() const { return is_spent_; }

  // The disk is full. One thread, as keep().
  void spend();
  // Takes it again, if it is not there; looks for room at most once a second. Cheap.
  void keep();

 private:
  bool take() const;

  const std::string path_;
  const std::int64_t bytes_;
  const Clock& clock_;
  bool is_held_ = false;
  std::atomic<bool> is_spent_ = false;
  SteadyTime next_look_{};
};

}  // namespace chronos::store::sql
