#include "base/time_text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/ascii.h"

namespace chronos {
namespace {

using std::chrono::days;

// Reads fixed-width numbers and single characters from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

  bool accept(char wanted) {
    if (peek() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<int> digits(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!ascii::is_digit(rest_[i])) return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }

  // A run of digits; at most 12, so that no unit overflows.
  std::optional<std::int64_t> number() {
    std::int64_t value = 0;
    std::size_t count = 0;
    while (count < rest_.size() && ascii::is_digit(rest_[count])) {
      if (++count > 12) return std::nullopt;
      value = value * 10 + (rest_[count - 1] - '0');
    }
    if (count == 0) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }

  std::string_view word() {
    std::size_t count = 0;
    while (count < rest_.size() && rest_[count] >= 'a' && rest_[count] <= 'z') ++count;
    const auto word = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return word;
  }

 private:
  std::string_view rest_;
};

std::optional<Duration> read_fraction(Cursor& cursor) {
  if (!cursor.accept('.')) return Duration(0);
  std::int64_t micros = 0;
  int count = 0;
  for (; ascii::is_digit(cursor.peek()); ++count) {
    if (count == 9) return std::nullopt;
    const auto digit = *cursor.digits(1);
    if (count < 6) micros = micros * 10 + digit;
  }
  if (count == 0) return std::nullopt;
  for (int i = count; i < 6; ++i) micros *= 10;
  return Duration(micros);
}

std::optional<std::chrono::minutes> read_offset(Cursor& cursor) {
  if (cursor.accept('Z') || cursor.accept('z')) return std::chrono::minutes(0);
  const bool is_west = cursor.peek() == '-';
  if (!cursor.accept('+') && !cursor.accept('-')) return std::nullopt;
  const auto hours = cursor.digits(2);
  if (!hours || !cursor.accept(':')) return std::nullopt;
  const auto minutes = cursor.digits(2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const auto offset = std::chrono::minutes(*hours * 60 + *minutes);
  return is_west ? -offset : offset;
}

constexpr Timestamp kFirstTime = std::chrono::sys_days(std::chrono::year(1970) / 1 / 1);
constexpr Timestamp kEndOfTime = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);

std::optional<Timestamp> read_timestamp(Cursor& cursor) {
  const auto year = cursor.digits(4);
  if (!year || !cursor.accept('-')) return std::nullopt;
  const auto month = cursor.digits(2);
  if (!month || !cursor.accept('-')) return std::nullopt;
  const auto day = cursor.digits(2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  if (!cursor.accept('T') && !cursor.accept('t') && !cursor.accept(' ')) return std::nullopt;
  const auto hour = cursor.digits(2);
  if (!hour || !cursor.accept(':')) return std::nullopt;
  const auto minute = cursor.digits(2);
  if (!minute || !cursor.accept(':')) return std::nullopt;
  const auto second = cursor.digits(2);
  if (!second || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto fraction = read_fraction(cursor);
  if (!fraction) return std::nullopt;
  const auto offset = read_offset(cursor);
  if (!offset || !cursor.at_end()) return std::nullopt;
  const Timestamp time = std::chrono::sys_days(date) + std::chrono::hours(*hour) +
                         std::chrono::minutes(*minute) + std::chrono::seconds(*second) + *fraction -
                         *offset;
  // In UTC, too, as it is written back.
  const bool is_in_range = time >= kFirstTime && time < kEndOfTime;
  return is_in_range ? std::optional(time) : std::nullopt;
}

struct Unit {
  std::string_view name;
  Duration length;
};

// Largest first: the order in which a duration is written.
constexpr std::array<Unit, 7> kUnits = {{
    {"w", days(7)},
    {"d", days(1)},
    {"h", std::chrono::hours(1)},
    {"m", std::chrono::minutes(1)},
    {"s", std::chrono::seconds(1)},
    {"ms", std::chrono::milliseconds(1)},
    {"us", Duration(1)},
}};

constexpr Duration kLongest = days(36'525);

std::optional<Duration> read_units(Cursor cursor) {
  Duration total{0};
  std::size_t next_unit = 0;
  while (!cursor.at_end()) {
    const auto count = cursor.number();
    if (!count) return std::nullopt;
    const auto name = cursor.word();
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    if (*count > kLongest / kUnits[next_unit].length) return std::nullopt;
    total += *count * kUnits[next_unit++].length;
  }
  return total;
}

// ISO 8601 without years and months, whose length depends on where they start.
std::optional<Duration> read_iso(Cursor cursor) {
  struct Designator {
    char letter;
    bool is_time;
    Duration length;
  };
  constexpr std::array<Designator, 5> kDesignators = {{{'W', false, days(7)},
                                                       {'D', false, days(1)},
                                                       {'H', true, std::chrono::hours(1)},
                                                       {'M', true, std::chrono::minutes(1)},
                                                       {'S', true, std::chrono::seconds(1)}}};
  if (!cursor.accept('P') || cursor.at_end()) return std::nullopt;
  Duration total{0};
  bool in_time = false;
  std::size_t next = 0;
  while (!cursor.at_end()) {
    if (!in_time && cursor.accept('T')) in_time = true;
    const auto count = cursor.number();
    if (!count) return std::nullopt;
    const auto fraction = read_fraction(cursor);
    if (!fraction) return std::nullopt;
    while (next < kDesignators.size() &&
           (kDesignators[next].letter != cursor.peek() || kDesignators[next].is_time != in_time)) {
      ++next;
    }
    if (next == kDesignators.size()) return std::nullopt;
    const auto& designator = kDesignators[next++];
    cursor.accept(designator.letter);
    if (fraction->count() != 0 && designator.letter != 'S') return std::nullopt;
    if (*count > kLongest / designator.length) return std::nullopt;
    total += *count * designator.length + *fraction;
  }
  return total;
}

std::optional<Duration> read_seconds(Cursor cursor) {
  const auto whole = cursor.number();
  if (!whole || *whole > kLongest / std::chrono::seconds(1)) return std::nullopt;
  const auto fraction = read_fraction(cursor);
  if (!fraction || !cursor.at_end()) return std::nullopt;
  return std::chrono::seconds(*whole) + *fraction;
}

// The last `width` digits of a number that is not negative.
void put_digits(TimestampText& text, std::size_t at, std::size_t width, std::int64_t number) {
  for (std::size_t i = width; i-- > 0; number /= 10) {
    text[at + i] = static_cast<char>('0' + number % 10);
  }
}

}  // namespace

Result<Timestamp> parse_timestamp(std::string_view text) {
  Cursor cursor(text);
  if (const auto time = read_timestamp(cursor)) return *time;
  if (std::string with_zone(text); !text.empty() && ascii::is_digit(text.back())) {
    Cursor retry(with_zone += 'Z');
    if (read_timestamp(retry)) {
      return fail_field("", "offset_missing", fmt::format("'{}' has no offset from UTC", text),
                        with_zone);
    }
  }
  return fail_field(
      "", "bad_time",
      fmt::format("'{}' is not an RFC 3339 time of the years 1970-2199", text.substr(0, 64)),
      "2026-03-08T07:30:00Z");
}

std::string format_timestamp(Timestamp time) {
  const auto text = timestamp_text(time);
  return {text.data(), text.size()};
}

TimestampText timestamp_text(Timestamp time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - day));
  TimestampText text;
  std::string_view("0000-00-00T00:00:00.000Z").copy(text.data(), text.size());
  put_digits(text, 0, 4, static_cast<int>(date.year()));
  put_digits(text, 5, 2, static_cast<unsigned>(date.month()));
  put_digits(text, 8, 2, static_cast<unsigned>(date.day()));
  put_digits(text, 11, 2, clock.hours().count());
  put_digits(text, 14, 2, clock.minutes().count());
  put_digits(text, 17, 2, clock.seconds().count());
  put_digits(text, 20, 3, clock.subseconds().count());
  return text;
}

Result<Duration> parse_duration(std::string_view text) {
  std::optional<Duration> duration;
  if (!text.empty()) {
    const Cursor cursor(text);
    duration = read_units(cursor);
    if (!duration) duration = read_iso(cursor);
    if (!duration) duration = read_seconds(cursor);
  }
  if (duration && *duration <= kLongest) return *duration;
  return fail_field("", "bad_duration",
                    fmt::format("'{}' is not a duration of at most 100 years", text.substr(0, 64)),
                    "1h30m");
}

std::string format_duration(Duration duration) {
  if (duration.count() == 0) return "0s";
  std::string text;
  if (duration.count() < 0) {
    text = "-";
    duration = -duration;
  }
  for (const auto& unit : kUnits) {
    if (unit.name == "w") continue;  // days read better than weeks
    if (const auto count = duration / unit.length; count != 0) {
      const fmt::format_int digits(count);
      text.append(digits.data(), digits.size()).append(unit.name);
      duration -= count * unit.length;
    }
  }
  return text;
}

}  // namespace chronos
