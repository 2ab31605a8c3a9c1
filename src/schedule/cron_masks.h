// The compiled form of a cron expression: bit masks of time and date, and the search for the next
// or last wall-clock reading that matches. Knows nothing of zones. Internal to this folder.
// Immutable, thread-safe; nothing here allocates after compile().
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "schedule/cron_syntax.h"
#include "schedule/timezone.h"

namespace chronos::schedule {

class CronMasks {
 public:
  static CronMasks compile(const CronSyntax& syntax);

  // The smallest matching reading >= `wall`, the largest <= `wall`; years 1970–2199. At most 230 x
  // 12 month probes.
  std::optional<WallTime> first_at_or_after(WallTime wall) const;
  std::optional<WallTime> last_at_or_before(WallTime wall) const;

  bool matches(WallTime wall) const;

  // The number of matching readings in [from, until): by whole days, not one by one.
  std::int64_t count_between(WallTime from, WallTime until) const;

  // Whether no month of any year has a matching day (30 February).
  bool is_never() const;

  // The matching days of a month, bit 0 = the 1st; 0 if month or year do not match.
  std::uint32_t days_of(int year, int month) const;

  std::uint64_t seconds() const { return seconds_; }
  std::uint64_t minutes() const { return minutes_; }
  std::uint64_t hours() const { return hours_; }

 private:
  struct Shape;  // how long a month is and on which weekday it begins

  std::uint32_t matching_days(const Shape& shape) const;
  std::uint32_t days_by_date(const Shape& shape) const;
  std::uint32_t days_by_weekday(const Shape& shape) const;

  int next_time(int second_of_day) const;
  int last_time(int second_of_day) const;
  std::int64_t times_before(int second_of_day) const;
  int next_year(int year) const;
  int last_year(int year) const;
  bool has_year(int year) const;

  void add_day(const CronItem& item);
  void add_weekday(const CronItem& item);

  std::uint64_t seconds_ = 0;
  std::uint64_t minutes_ = 0;
  std::uint64_t hours_ = 0;
  std::uint32_t months_ = 0;           // bit 1 = January
  std::uint32_t days_ = 0;             // bit 0 = the 1st
  std::uint32_t last_days_ = 0;        // L-n: bit n
  std::uint32_t near_days_ = 0;        // nW: bit n
  std::uint32_t near_last_days_ = 0;   // L-nW: bit n
  std::uint8_t weekdays_ = 0;          // bit 0 = Sunday
  std::array<std::uint8_t, 6> nth_{};  // nth_[n]: weekdays whose n-th is meant; [0]: the last
  bool any_date_ = false;              // the day-of-month field restricts nothing
  bool any_weekday_ = false;
  bool needs_both_ = false;
  bool has_special_days_ = false;  // any of L, W, #
  bool any_year_ = false;
  std::array<std::uint64_t, 4> years_{};  // bit 0 = 1970
};

}  // namespace chronos::schedule
