#include "schedule/repeat_rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace chronos::schedule {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::weekday;
using std::chrono::year_month_day;

constexpr std::array<std::string_view, 7> kDayNames = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
constexpr int kRuleCountMax = 100'000;

std::optional<int> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<weekday> parse_weekday(std::string_view text) {
  const auto found = std::ranges::find(kDayNames, text);
  if (found == kDayNames.end()) return std::nullopt;
  return weekday(static_cast<unsigned>(found - kDayNames.begin()));
}

// The piece up to `separator`, which is taken off.
std::string_view take_piece(std::string_view& rest, char separator) {
  const auto piece = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
  return piece;
}

std::unexpected<Error> not_understood(std::string_view part, std::string hint) {
  return fail_field("", "bad_rule", fmt::format("'{}' is not understood", part.substr(0, 64)),
                    std::move(hint));
}

int months_of(const year_month_day& date) {
  return int(date.year()) * 12 + static_cast<int>(unsigned(date.month()));
}

local_days week_of(local_days day, weekday start) {
  return day - (weekday(day) - start);
}

}  // namespace

std::optional<ICalTime> parse_ical_time(std::string_view text) {
  const auto digits = [&](std::size_t at, std::size_t count) -> int {
    int number = 0;
    for (const char c : text.substr(at, count)) {
      if (c < '0' || c > '9') return -1;
      number = number * 10 + (c - '0');
    }
    return number;
  };
  ICalTime time;
  time.is_utc = text.size() == 16 && text.ends_with('Z');
  if (time.is_utc) text.remove_suffix(1);
  time.has_time = text.size() == 15 && text[8] == 'T';
  if (!time.has_time && text.size() != 8) return std::nullopt;
  const int year = digits(0, 4);
  const int month = digits(4, 2);
  const int day = digits(6, 2);
  if (year < 1970 || year > 2199 || month < 1 || day < 1) return std::nullopt;
  const year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                            std::chrono::day(unsigned(day))};
  if (!date.ok()) return std::nullopt;
  time.wall = local_days(date);
  if (!time.has_time) return time.is_utc ? std::nullopt : std::optional(time);
  const int hour = digits(9, 2);
  const int minute = digits(11, 2);
  const int second = digits(13, 2);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  time.wall += std::chrono::hours(hour) + std::chrono::minutes(minute) +
               std::chrono::seconds(std::min(second, 59));
  return time;
}

// Reads one part, "NAME=value", after another.
struct RepeatRule::Parser {
  RepeatRule rule;
  bool has_frequency = false;

  Result<void> part(std::string_view text) {
    auto value = text;
    const auto name = take_piece(value, '=');
    if (name == "FREQ") return frequency(text, value);
    if (name == "INTERVAL") return number(text, value, 10'000, rule.interval_);
    if (name == "COUNT") return number(text, value, kRuleCountMax, rule.count_.emplace());
    if (name == "UNTIL") return until(text, value);
    if (name == "BYDAY") return by_day(text, value);
    if (name == "BYMONTH") return by_month(text, value);
    if (name == "BYMONTHDAY") return by_month_day(text, value);
    if (name == "WKST") return week_start(text, value);
    return not_understood(text, "known: FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTH, BYMONTHDAY");
  }

  Result<void> frequency(std::string_view text, std::string_view value) {
    constexpr std::array<std::string_view, 4> kNames = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
    const auto found = std::ranges::find(kNames, value);
    if (found == kNames.end()) return not_understood(text, "DAILY, WEEKLY, MONTHLY or YEARLY");
    rule.frequency_ = static_cast<Frequency>(found - kNames.begin());
    has_frequency = true;
    return {};
  }

  static Result<void> number(std::string_view text, std::string_view value, int max, int& out) {
    const auto parsed = parse_number(value);
    if (!parsed || *parsed < 1 || *parsed > max) {
      return not_understood(text, fmt::format("a number from 1 to {}", max));
    }
    out = *parsed;
    return {};
  }

  Result<void> until(std::string_view text, std::string_view value) {
    rule.until_ = parse_ical_time(value);
    if (!rule.until_) return not_understood(text, "UNTIL=20261224 or UNTIL=20261224T235959Z");
    return {};
  }

  Result<void> by_day(std::string_view text, std::string_view value) {
    while (!value.empty()) {
      const auto item = take_piece(value, ',');
      if (item.size() < 2) return not_understood(text, "BYDAY=MO,WE or BYDAY=-1FR");
      const auto day = parse_weekday(item.substr(item.size() - 2));
      const auto ordinal = item.size() == 2 ? 0 : parse_number(item.substr(0, item.size() - 2));
      if (!day || !ordinal || *ordinal < -53 || *ordinal > 53 ||
          (item.size() > 2 && *ordinal == 0)) {
        return not_understood(text, "BYDAY=MO,WE or BYDAY=-1FR");
      }
      rule.by_day_.push_back({*ordinal, *day});
    }
    return {};
  }

  Result<void> by_month(std::string_view text, std::string_view value) {
    while (!value.empty()) {
      const auto month = parse_number(take_piece(value, ','));
      if (!month || *month < 1 || *month > 12) return not_understood(text, "BYMONTH=1,12");
      rule.by_month_[static_cast<std::size_t>(*month)] = true;
      rule.has_months_ = true;
    }
    return {};
  }

  Result<void> by_month_day(std::string_view text, std::string_view value) {
    while (!value.empty()) {
      const auto day = parse_number(take_piece(value, ','));
      if (!day || *day == 0 || *day < -31 || *day > 31) {
        return not_understood(text, "BYMONTHDAY=1,15,-1");
      }
      rule.by_month_day_.push_back(*day);
    }
    return {};
  }

  Result<void> week_start(std::string_view text, std::string_view value) {
    const auto day = parse_weekday(value);
    if (!day) return not_understood(text, "WKST=MO");
    rule.week_start_ = *day;
    return {};
  }

  // What RFC 5545 does not allow together, or leaves without a meaning.
  Result<void> whole() const {
    if (!has_frequency) return fail_field("", "bad_rule", "FREQ is missing", "FREQ=YEARLY");
    if (rule.count_ && rule.until_) {
      return fail_field("", "bad_rule", "COUNT and UNTIL may not stand together", "one of them");
    }
    const bool has_ordinals =
        std::ranges::any_of(rule.by_day_, [](const ByDay& day) { return day.ordinal != 0; });
    const bool is_short =
        rule.frequency_ == Frequency::daily || rule.frequency_ == Frequency::weekly;
    if (has_ordinals && is_short) {
      return fail_field("", "bad_rule", "BYDAY has a number, which needs MONTHLY or YEARLY",
                        "BYDAY=FR");
    }
    if (!rule.by_month_day_.empty() && rule.frequency_ == Frequency::weekly) {
      return fail_field("", "bad_rule", "BYMONTHDAY has no meaning with FREQ=WEEKLY",
                        "FREQ=MONTHLY");
    }
    return {};
  }
};

Result<RepeatRule> RepeatRule::parse(std::string_view text) {
  Parser parser;
  while (!text.empty()) CHRONOS_TRY_VOID(parser.part(take_piece(text, ';')));
  CHRONOS_TRY_VOID(parser.whole());
  return std::move(parser.rule);
}

void RepeatRule::start_on(local_days first, std::optional<local_days> until_day) {
  first_ = first;
  if (until_day) last_ = *until_day;
  if (!count_) return;
  const local_days end(std::chrono::year(2200) / 1 / 1);
  int left = *count_;
  auto day = first;
  for (; day < end && left > 0; day += days(1)) left -= begins_on(day) ? 1 : 0;
  last_ = std::min(last_, day - days(1));
}

bool RepeatRule::begins_on(local_days day) const {
  return day >= first_ && day <= last_ && is_in_step(day) && matches(day);
}

// Every INTERVAL-th day, week, month or year.
bool RepeatRule::is_in_step(local_days day) const {
  if (frequency_ == Frequency::daily) return (day - first_).count() % interval_ == 0;
  if (frequency_ == Frequency::weekly) {
    return (week_of(day, week_start_) - week_of(first_, week_start_)).count() / 7 % interval_ == 0;
  }
  const year_month_day date(day);
  const year_month_day first(first_);
  if (frequency_ == Frequency::monthly)
    return (months_of(date) - months_of(first)) % interval_ == 0;
  return (date.year() - first.year()).count() % interval_ == 0;
}

bool RepeatRule::matches(local_days day) const {
  const year_month_day date(day);
  const year_month_day first(first_);
  if (has_months_ && !by_month_[unsigned(date.month())]) return false;
  if (!by_month_day_.empty() && !matches_month_day(day)) return false;
  if (!by_day_.empty() && !matches_weekday(day)) return false;
  if (!by_day_.empty() || !by_month_day_.empty()) return true;
  switch (frequency_) {
    case Frequency::daily:
      return true;
    case Frequency::weekly:
      return weekday(day) == weekday(first_);
    case Frequency::monthly:
      return date.day() == first.day();
    case Frequency::yearly:
      return date.day() == first.day() && (has_months_ || date.month() == first.month());
  }
  return false;
}

bool RepeatRule::matches_month_day(local_days day) const {
  const year_month_day date(day);
  const auto number = static_cast<int>(unsigned(date.day()));
  const auto length =
      static_cast<int>(unsigned((date.year() / date.month() / std::chrono::last).day()));
  return std::ranges::any_of(by_month_day_, [&](int wanted) {
    return wanted > 0 ? wanted == number : number == length + 1 + wanted;
  });
}

// Ordinals count within the month; for a yearly rule without months within the year.
bool RepeatRule::matches_weekday(local_days day) const {
  const year_month_day date(day);
  const bool is_of_year = frequency_ == Frequency::yearly && !has_months_;
  const local_days begin(is_of_year ? date.year() / 1 / 1 : date.year() / date.month() / 1);
  const local_days end =
      is_of_year ? local_days((date.year() + std::chrono::years(1)) / std::chrono::January / 1)
                 : local_days(date.year() / date.month() / std::chrono::last) + days(1);
  const auto from_begin = static_cast<int>((day - begin).count() / 7) + 1;
  const auto from_end = -static_cast<int>((end - days(1) - day).count() / 7) - 1;
  return std::ranges::any_of(by_day_, [&](const ByDay& wanted) {
    if (weekday(day) != wanted.weekday) return false;
    return wanted.ordinal == 0 || wanted.ordinal == from_begin || wanted.ordinal == from_end;
  });
}

}  // namespace chronos::schedule
