// TimeZone: the offset from UTC at every instant of 1970–2199, as sorted segments, and back from a
// wall-clock reading to an instant. Used by the cron search and by everything that shows a local
// time. Immutable, cheap to copy, thread-safe. The only file behind which a tz library stands.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace chronos::schedule {

// A reading of the clock on the wall. The type keeps it apart from an instant (sys_seconds).
using WallTime = std::chrono::local_seconds;
using Instant = std::chrono::sys_seconds;

// A stretch of time with one offset. Neighbours have different offsets.
struct ZoneSegment {
  Instant begin;                // the first instant
  Instant end;                  // the first instant after it
  std::chrono::seconds offset;  // wall = UTC + offset
  // Every reading before this one was shown, or jumped over, before this segment. Readings of the
  // segment below it are therefore second passes of an overlap; readings from it up to
  // wall_begin(), if any, are the gap that ends where this segment begins.
  WallTime seen;

  WallTime wall(Instant instant) const { return WallTime(instant.time_since_epoch() + offset); }
  Instant instant(WallTime wall) const { return Instant(wall.time_since_epoch() - offset); }
  WallTime wall_begin() const { return wall(begin); }
  WallTime wall_end() const { return wall(end); }
  // How much wall-clock time the change at `begin` skipped; zero after an overlap.
  std::chrono::seconds gap() const {
    return wall_begin() > seen ? wall_begin() - seen : std::chrono::seconds(0);
  }
};

// How a wall-clock reading was, or was not, shown.
enum class WallKind { unique, repeated, skipped };

struct WallResolution {
  WallKind kind = WallKind::unique;
  Instant instant;  // the only or first showing; skipped: the first instant after the gap
  std::chrono::seconds gap{0};  // skipped: the length of the gap
};

class TimeZone {
 public:
  // `name` is "UTC", an IANA name of the system's tz database, or a fixed offset "+05:30". Fails
  // with a field error `unknown_timezone` (pointer ""): abbreviations without a file, POSIX
  // strings, "Local", "right/…". A zone is read once and again when its
  // file has changed; what was handed out before does not change.
  static Result<TimeZone> find(std::string_view name);

  static TimeZone utc();

  const std::string& name() const;

  // False once the tz database has another file for the zone: what was worked out with this one
  // should be worked out again with find(name()).
  bool is_current() const;

  // Sorted; the first begins before 1970 and the last ends after 2199, far enough that no search
  // leaves them.
  std::span<const ZoneSegment> segments() const;

  // The index of the segment that holds `instant`.
  std::size_t segment_at(Instant instant) const;

  // The index of the segment in which `wall` is first shown, or before which it is skipped.
  std::size_t segment_showing(WallTime wall) const;

  WallTime wall(Instant instant) const;
  WallResolution resolve(WallTime wall) const;

  bool operator==(const TimeZone& other) const { return name() == other.name(); }

 private:
  struct Data;
  explicit TimeZone(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

  std::shared_ptr<const Data> data_;  // shared: every job of a zone uses the same segments
};

// Names the state of the whole tz database: another number once any of its files has changed. Reads
// the date and size of some 600 files, a millisecond or two.
std::int64_t database_stamp();

// RFC 3339 with the zone's offset, "2026-03-08T03:00:00-04:00"; a fraction only if there is one. An
// offset with seconds (Monrovia until 1972) becomes the nearest whole minute, as RFC 3339 §5.8 has
// it: the instant stays the same.
std::string format_local(Timestamp time, const TimeZone& zone);

// "2026-03-08 03:00", with ":SS" only if the seconds are not zero. For sentences.
std::string format_wall(WallTime wall);

}  // namespace chronos::schedule
