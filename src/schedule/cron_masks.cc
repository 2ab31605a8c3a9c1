#include "schedule/cron_masks.h"

#include <algorithm>
#include <bit>

namespace chronos::schedule {
namespace {

using std::chrono::days;

constexpr int kYearCount = kLastYear - kFirstYear + 1;
constexpr int kNone = -1;

constexpr WallTime kFirstReading = std::chrono::local_days(std::chrono::year(kFirstYear) / 1 / 1);
constexpr WallTime kLastReading =
    std::chrono::local_days(std::chrono::year(kLastYear + 1) / 1 / 1) - std::chrono::seconds(1);

// The lowest set bit >= `from`, the highest <= `from`; kNone if there is none.
int next_bit(std::uint64_t mask, int from) {
  if (from > 63) return kNone;
  const auto rest = mask >> from;
  return rest == 0 ? kNone : from + std::countr_zero(rest);
}
int last_bit(std::uint64_t mask, int from) {
  if (from < 0) return kNone;
  const auto rest = mask << (63 - from);
  return rest == 0 ? kNone : from - std::countl_zero(rest);
}
int lowest_bit(std::uint64_t mask) {
  return std::countr_zero(mask);
}
int highest_bit(std::uint64_t mask) {
  return 63 - std::countl_zero(mask);
}

bool is_leap(int year) {
  return std::chrono::year(year).is_leap();
}

int days_in(int month, bool leap) {
  constexpr std::array<int, 13> kDays = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month)];
}

// 0 = Sunday.
int weekday_of(int days_since_1970) {
  return ((days_since_1970 + 4) % 7 + 7) % 7;
}

int day_number(int year, int month, int day) {
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  return static_cast<int>(std::chrono::local_days(date).time_since_epoch().count());
}

std::uint64_t mask_of(const CronSyntax& syntax, FieldKind kind) {
  std::uint64_t mask = 0;
  for (const auto& item : syntax.field(kind).items) {
    for_each_value(kind, item, [&](int value) { mask |= std::uint64_t{1} << value; });
  }
  return mask;
}

std::optional<WallTime> reading(int year, int month, int day, int second_of_day) {
  return WallTime(days(day_number(year, month, day)) + std::chrono::seconds(second_of_day));
}

// A reading taken apart.
struct Date {
  int year;
  int month;
  int day;
  int second_of_day;

  explicit Date(WallTime wall) {
    const auto midnight = std::chrono::floor<days>(wall);
    const std::chrono::year_month_day date(midnight);
    year = static_cast<int>(date.year());
    month = static_cast<int>(static_cast<unsigned>(date.month()));
    day = static_cast<int>(static_cast<unsigned>(date.day()));
    second_of_day = static_cast<int>((wall - midnight).count());
  }
};

}  // namespace

struct CronMasks::Shape {
  int length;         // days in the month
  int first_weekday;  // of the 1st

  static Shape of(int year, int month) {
    return {days_in(month, is_leap(year)), weekday_of(day_number(year, month, 1))};
  }

  std::uint32_t all() const { return static_cast<std::uint32_t>((std::uint64_t{1} << length) - 1); }

  int weekday(int day) const { return (first_weekday + day - 1) % 7; }

  // The days that fall on the given weekdays.
  std::uint32_t falling_on(std::uint8_t weekdays) const {
    // The week six times over, so that any first weekday leaves 31 days.
    const auto weeks = std::uint64_t{weekdays} * 0x810204081;
    return static_cast<std::uint32_t>(weeks >> first_weekday) & all();
  }

  // nW: the weekday nearest to `day` without leaving the month; 0 if there is no such day.
  std::uint32_t nearest_weekday(int day) const {
    if (day < 1 || day > length) return 0;
    if (weekday(day) == 6)
      day = day == 1 ? 3 : day - 1;
    else if (weekday(day) == 0)
      day = day == length ? day - 2 : day + 1;
    return 1u << (day - 1);
  }
};

CronMasks CronMasks::compile(const CronSyntax& syntax) {
  CronMasks masks;
  masks.seconds_ = mask_of(syntax, FieldKind::second);
  masks.minutes_ = mask_of(syntax, FieldKind::minute);
  masks.hours_ = mask_of(syntax, FieldKind::hour);
  masks.months_ = static_cast<std::uint32_t>(mask_of(syntax, FieldKind::month));
  const auto& dates = syntax.field(FieldKind::day_of_month);
  const auto& weekdays = syntax.field(FieldKind::day_of_week);
  for (const auto& item : dates.items) masks.add_day(item);
  for (const auto& item : weekdays.items) masks.add_weekday(item);
  masks.any_date_ = is_unrestricted(dates);
  masks.any_weekday_ = is_unrestricted(weekdays);
  masks.needs_both_ = syntax.needs_both_days;
  masks.any_year_ = is_unrestricted(syntax.field(FieldKind::year));
  for (const auto& item : syntax.field(FieldKind::year).items) {
    for_each_value(FieldKind::year, item, [&](int year) {
      const auto bit = static_cast<std::size_t>(year - kFirstYear);
      masks.years_[bit / 64] |= std::uint64_t{1} << bit % 64;
    });
  }
  return masks;
}

void CronMasks::add_day(const CronItem& item) {
  if (item.kind == ItemKind::last_day) {
    (item.moves_to_weekday ? near_last_days_ : last_days_) |= 1u << item.low;
    has_special_days_ = true;
  } else if (item.kind == ItemKind::nearest_weekday) {
    near_days_ |= 1u << item.low;
    has_special_days_ = true;
  } else {
    for_each_value(FieldKind::day_of_month, item, [&](int day) { days_ |= 1u << (day - 1); });
  }
}

void CronMasks::add_weekday(const CronItem& item) {
  const auto bit = [](int weekday) { return static_cast<std::uint8_t>(1u << weekday % 7); };
  if (item.kind == ItemKind::nth_weekday) {
    nth_[static_cast<std::size_t>(item.nth)] |= bit(item.low);
    has_special_days_ = true;
  } else {
    for_each_value(FieldKind::day_of_week, item, [&](int weekday) { weekdays_ |= bit(weekday); });
  }
}

std::uint32_t CronMasks::days_by_date(const Shape& shape) const {
  auto found = days_ & shape.all();
  if (!has_special_days_) return found;
  // L-n is day length - n: the bits in mirror order.
  for (auto rest = last_days_; rest != 0; rest &= rest - 1) {
    const int day = shape.length - lowest_bit(rest);
    if (day >= 1) found |= 1u << (day - 1);
  }
  for (auto rest = near_last_days_; rest != 0; rest &= rest - 1) {
    found |= shape.nearest_weekday(shape.length - lowest_bit(rest));
  }
  for (auto rest = near_days_; rest != 0; rest &= rest - 1) {
    found |= shape.nearest_weekday(lowest_bit(rest));
  }
  return found;
}

std::uint32_t CronMasks::days_by_weekday(const Shape& shape) const {
  auto found = shape.falling_on(weekdays_);
  if (!has_special_days_) return found;
  for (std::size_t n = 1; n < nth_.size(); ++n) {
    const auto week = std::uint64_t{0x7f} << (7 * (n - 1));
    found |= shape.falling_on(nth_[n]) & static_cast<std::uint32_t>(week);
  }
  return found | (shape.falling_on(nth_[0]) & 0x7fu << (shape.length - 7));
}

std::uint32_t CronMasks::matching_days(const Shape& shape) const {
  if (any_date_ && any_weekday_) return shape.all();
  if (any_date_) return days_by_weekday(shape);
  if (any_weekday_) return days_by_date(shape);
  const auto by_date = days_by_date(shape);
  const auto by_weekday = days_by_weekday(shape);
  return needs_both_ ? by_date & by_weekday : by_date | by_weekday;
}

bool CronMasks::has_year(int year) const {
  const auto bit = static_cast<std::size_t>(year - kFirstYear);
  return any_year_ || (years_[bit / 64] >> bit % 64 & 1) != 0;
}

int CronMasks::next_year(int year) const {
  if (any_year_) return year <= kLastYear ? year : kNone;
  for (int bit = year - kFirstYear; bit < kYearCount; bit = (bit / 64 + 1) * 64) {
    const auto found = next_bit(years_[static_cast<std::size_t>(bit / 64)], bit % 64);
    if (found != kNone) return kFirstYear + bit / 64 * 64 + found;
  }
  return kNone;
}

int CronMasks::last_year(int year) const {
  if (any_year_) return year >= kFirstYear ? year : kNone;
  for (int bit = year - kFirstYear; bit >= 0; bit = bit / 64 * 64 - 1) {
    const auto found = last_bit(years_[static_cast<std::size_t>(bit / 64)], bit % 64);
    if (found != kNone) return kFirstYear + bit / 64 * 64 + found;
  }
  return kNone;
}

std::uint32_t CronMasks::days_of(int year, int month) const {
  if (year < kFirstYear || year > kLastYear || !has_year(year)) return 0;
  return (months_ >> month & 1) == 0 ? 0 : matching_days(Shape::of(year, month));
}

int CronMasks::next_time(int second_of_day) const {
  const int hour = second_of_day / 3600;
  const int minute = second_of_day / 60 % 60;
  const int at_minute = lowest_bit(minutes_) * 60;
  const int at_second = lowest_bit(seconds_);
  if ((hours_ >> hour & 1) != 0) {
    if ((minutes_ >> minute & 1) != 0) {
      const int second = next_bit(seconds_, second_of_day % 60);
      if (second != kNone) return hour * 3600 + minute * 60 + second;
    }
    const int later = next_bit(minutes_, minute + 1);
    if (later != kNone) return hour * 3600 + later * 60 + at_second;
  }
  const int later = next_bit(hours_, hour + 1);
  return later == kNone ? kNone : later * 3600 + at_minute + at_second;
}

int CronMasks::last_time(int second_of_day) const {
  const int hour = second_of_day / 3600;
  const int minute = second_of_day / 60 % 60;
  const int at_minute = highest_bit(minutes_) * 60;
  const int at_second = highest_bit(seconds_);
  if ((hours_ >> hour & 1) != 0) {
    if ((minutes_ >> minute & 1) != 0) {
      const int second = last_bit(seconds_, second_of_day % 60);
      if (second != kNone) return hour * 3600 + minute * 60 + second;
    }
    const int earlier = last_bit(minutes_, minute - 1);
    if (earlier != kNone) return hour * 3600 + earlier * 60 + at_second;
  }
  const int earlier = last_bit(hours_, hour - 1);
  return earlier == kNone ? kNone : earlier * 3600 + at_minute + at_second;
}

std::optional<WallTime> CronMasks::first_at_or_after(WallTime wall) const {
  if (wall > kLastReading) return std::nullopt;
  const Date from(std::max(wall, kFirstReading));
  const auto today = days_of(from.year, from.month);
  if ((today >> (from.day - 1) & 1) != 0) {
    const int time = next_time(from.second_of_day);
    if (time != kNone) return reading(from.year, from.month, from.day, time);
  }
  const int time = next_time(0);
  if (const int bit = next_bit(today, from.day); bit != kNone) {
    return reading(from.year, from.month, bit + 1, time);
  }
  int after = from.month;
  for (int year = next_year(from.year); year != kNone; year = next_year(year + 1)) {
    if (year != from.year) after = 0;
    for (int month = next_bit(months_, after + 1); month != kNone;
         month = next_bit(months_, month + 1)) {
      const auto found = matching_days(Shape::of(year, month));
      if (found != 0) return reading(year, month, lowest_bit(found) + 1, time);
    }
  }
  return std::nullopt;
}

std::optional<WallTime> CronMasks::last_at_or_before(WallTime wall) const {
  if (wall < kFirstReading) return std::nullopt;
  const Date from(std::min(wall, kLastReading));
  const auto today = days_of(from.year, from.month);
  if ((today >> (from.day - 1) & 1) != 0) {
    const int time = last_time(from.second_of_day);
    if (time != kNone) return reading(from.year, from.month, from.day, time);
  }
  const int time = last_time(86'399);
  if (const int bit = last_bit(today, from.day - 2); bit != kNone) {
    return reading(from.year, from.month, bit + 1, time);
  }
  int before = from.month;
  for (int year = last_year(from.year); year != kNone; year = last_year(year - 1)) {
    if (year != from.year) before = 13;
    for (int month = last_bit(months_, before - 1); month != kNone;
         month = last_bit(months_, month - 1)) {
      const auto found = matching_days(Shape::of(year, month));
      if (found != 0) return reading(year, month, highest_bit(found) + 1, time);
    }
  }
  return std::nullopt;
}

// The number of matching times of a day before this one.
std::int64_t CronMasks::times_before(int second_of_day) const {
  const auto below = [](std::uint64_t mask, int bit) {
    return std::popcount(bit > 63 ? mask : mask & ((std::uint64_t{1} << bit) - 1));
  };
  const int hour = second_of_day / 3600;
  const int minute = second_of_day / 60 % 60;
  const std::int64_t in_minute = std::popcount(seconds_);
  const std::int64_t in_hour = std::popcount(minutes_) * in_minute;
  auto count = below(hours_, hour) * in_hour;
  if ((hours_ >> hour & 1) == 0) return count;
  count += below(minutes_, minute) * in_minute;
  return (minutes_ >> minute & 1) == 0 ? count : count + below(seconds_, second_of_day % 60);
}

std::int64_t CronMasks::count_between(WallTime from, WallTime until) const {
  from = std::max(from, kFirstReading);
  until = std::min(until, kLastReading + std::chrono::seconds(1));
  if (from >= until) return 0;
  constexpr int kDayLength = 86'400;
  const Date first(from);
  const Date last(until - std::chrono::seconds(1));  // inclusive
  const auto of_day = [&](std::uint32_t days, const Date& date, std::int64_t count) {
    return (days >> (date.day - 1) & 1) != 0 ? count : 0;
  };
  const auto in_day = times_before(kDayLength);
  // Whole days at first; what the first and the last day have outside is taken off again.
  std::int64_t days = 0;
  for (int year = first.year; year <= last.year; ++year) {
    const int begin = year == first.year ? first.month : 1;
    const int end = year == last.year ? last.month : 12;
    for (int month = begin; month <= end; ++month) {
      auto matching = days_of(year, month);
      if (year == first.year && month == first.month)
        matching &= ~std::uint32_t{0} << (first.day - 1);
      if (year == last.year && month == last.month)
        matching &= ~std::uint32_t{0} >> (32 - last.day);
      days += std::popcount(matching);
    }
  }
  const auto before =
      of_day(days_of(first.year, first.month), first, times_before(first.second_of_day));
  const auto after =
      of_day(days_of(last.year, last.month), last, in_day - times_before(last.second_of_day + 1));
  return days * in_day - before - after;
}

bool CronMasks::matches(WallTime wall) const {
  return first_at_or_after(wall) == wall;
}

bool CronMasks::is_never() const {
  const auto year_has_days = [this](int year) {
    for (int month = next_bit(months_, 1); month != kNone; month = next_bit(months_, month + 1)) {
      if (matching_days(Shape::of(year, month)) != 0) return true;
    }
    return false;
  };
  // With any year, 28 of them in a row hold all 14 shapes of a year (seven first weekdays, leap or
  // not); a century without a leap year is not among 1970-1997.
  const int last = any_year_ ? kFirstYear + 27 : kLastYear;
  for (int year = next_year(kFirstYear); year != kNone && year <= last;
       year = next_year(year + 1)) {
    if (year_has_days(year)) return false;
  }
  return true;
}

}  // namespace chronos::schedule
