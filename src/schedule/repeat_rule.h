// Recurrence rules of iCalendar (RFC 5545 §3.3.10), as far as they say on which days an event
// begins: FREQ=DAILY, WEEKLY, MONTHLY, YEARLY with INTERVAL, COUNT, UNTIL, BYDAY, BYMONTH,
// BYMONTHDAY and WKST. Pure; values.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace chronos::schedule {

// "20261224", "20261224T090000" or "20261224T090000Z".
struct ICalTime {
  std::chrono::local_seconds wall;  // as written
  bool has_time = false;
  bool is_utc = false;
};
std::optional<ICalTime> parse_ical_time(std::string_view text);

class RepeatRule {
 public:
  // Fails with a field error, pointer "", that says which part was not understood.
  static Result<RepeatRule> parse(std::string_view text);

  // The day the event begins first; repetitions count from it. Called once, before begins_on().
  // `until_day`: UNTIL as a day of the event's zone (see until()). Fails when COUNT reaches beyond
  // the year 2199.
  void start_on(std::chrono::local_days first, std::optional<std::chrono::local_days> until_day);

  bool begins_on(std::chrono::local_days day) const;

  const std::optional<ICalTime>& until() const { return until_; }

 private:
  enum class Frequency { daily, weekly, monthly, yearly };
  struct ByDay {
    int ordinal = 0;  // 2 = the second of the month (or year), -1 = the last; 0 = every
    std::chrono::weekday weekday;
  };
  struct Parser;

  bool is_in_step(std::chrono::local_days day) const;
  bool matches(std::chrono::local_days day) const;
  bool matches_weekday(std::chrono::local_days day) const;
  bool matches_month_day(std::chrono::local_days day) const;

  Frequency frequency_ = Frequency::daily;
  int interval_ = 1;
  std::optional<int> count_;
  std::optional<ICalTime> until_;
  std::vector<ByDay> by_day_;
  std::vector<int> by_month_day_;
  std::array<bool, 13> by_month_{};  // 1–12
  bool has_months_ = false;
  std::chrono::weekday week_start_ = std::chrono::Monday;
  std::chrono::local_days first_{};
  std::chrono::local_days last_ = std::chrono::local_days::max();  // inclusive
};

}  // namespace chronos::schedule
