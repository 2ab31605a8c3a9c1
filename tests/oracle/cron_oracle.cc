#include "oracle/cron_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <set>

namespace chronos::oracle {
namespace {

constexpr std::int64_t kDay = 86'400;

constexpr std::array<const char*, 7> kWeekdays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
constexpr std::array<const char*, 13> kMonths = {"",    "JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                 "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int length_of(int year, int month) {
  if (month == 2) return is_leap(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

int weekday_of(const Day& day) {
  const auto days = midnight(day) / kDay;  // 1970-01-01 was a Thursday
  return static_cast<int>(((days + 4) % 7 + 7) % 7);
}

bool is_working_day(int year, int month, int day) {
  const int weekday = weekday_of({year, month, day});
  return weekday >= 1 && weekday <= 5;
}

// The Monday-to-Friday day of the month that is nearest to `wanted`; 0 if there is no such date.
int nearest_working_day(int year, int month, int wanted) {
  const int length = length_of(year, month);
  if (wanted < 1 || wanted > length) return 0;
  int best = 0;
  for (int day = 1; day <= length; ++day) {
    if (!is_working_day(year, month, day)) continue;
    if (best == 0 || std::abs(day - wanted) < std::abs(best - wanted)) best = day;
  }
  return best;
}

bool date_matches(const DayItem& item, const Day& day) {
  const int length = length_of(day.year, day.month);
  switch (item.kind) {
    case DayItem::Kind::values:
      return std::ranges::count(item.values, day.day) > 0;
    case DayItem::Kind::last:
      return day.day == length - item.number;
    case DayItem::Kind::last_weekday:
      return day.day == nearest_working_day(day.year, day.month, length - item.number);
    case DayItem::Kind::nearest:
      return day.day == nearest_working_day(day.year, day.month, item.number);
    case DayItem::Kind::nth:
      return false;
  }
  return false;
}

bool weekday_matches(const DayItem& item, const Day& day) {
  if (std::ranges::count(item.values, weekday_of(day)) == 0) return false;
  if (item.kind != DayItem::Kind::nth) return true;
  const int length = length_of(day.year, day.month);
  return item.number == 0 ? day.day + 7 > length : (day.day + 6) / 7 == item.number;
}

// --- Making expressions ---

struct Item {
  std::string text;
  std::vector<int> values;
  bool is_star = false;  // bare * or ?
  bool counts_as_interval = false;
};

std::vector<int> spaced(int low, int high, int step) {
  std::vector<int> values;
  for (int value = low; value <= high; value += step) values.push_back(value);
  return values;
}

int between(Rng& rng, int low, int high) {
  return static_cast<int>(rng.between(low, high));
}

// A number or a name, at random.
std::string spell(Rng& rng, int value, const char* const* names) {
  if (names == nullptr || rng.chance(500)) {
    return rng.chance(50) ? fmt::format("{:02}", value) : std::to_string(value);
  }
  std::string name = names[value];
  if (rng.chance(300)) name[1] = static_cast<char>(name[1] - 'A' + 'a');
  return name;
}

struct Range {
  int low;
  int high;
};

// Stars, values, ranges and steps of a field; `favourite` is likelier than other values.
Item random_item(Rng& rng, Range field, int favourite, const char* const* names) {
  const auto value = [&] {
    return rng.chance(500) ? favourite : between(rng, field.low, field.high);
  };
  const int step = rng.chance(100) ? between(rng, 1, 100) : between(rng, 1, 20);
  int first = value();
  int second = value();
  if (first > second) std::swap(first, second);
  const auto low = spell(rng, first, names);
  const auto high = spell(rng, second, names);
  switch (between(rng, 0, 9)) {
    case 0:
      return {"*", spaced(field.low, field.high, 1), true, true};
    case 1:
    case 2:
      return {fmt::format("*/{}", step), spaced(field.low, field.high, step), step == 1, true};
    case 3:
      return {fmt::format("{}/{}", low, step), spaced(first, field.high, step), false, true};
    case 4:
      return {fmt::format("{}-{}", low, high), spaced(first, second, 1), false, false};
    case 5:
      return {fmt::format("{}-{}/{}", low, high, step), spaced(first, second, step), false, true};
    default:
      return {low, {first}, false, false};
  }
}

// One of four fields is a list.
template <class Make>
auto random_list(Rng& rng, Make make) {
  std::vector<decltype(make())> items{make()};
  while (items.size() < 4 && rng.chance(250)) items.push_back(make());
  return items;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& one : texts) text += (text.empty() ? "" : ",") + one;
  return text;
}

// Fills `field` and returns its text.
template <std::size_t N>
std::string time_field(Rng& rng, Range range, int favourite, std::array<bool, N>& field,
                       bool& is_interval, const char* const* names = nullptr) {
  std::vector<std::string> texts;
  for (const auto& item :
       random_list(rng, [&] { return random_item(rng, range, favourite, names); })) {
    for (const int value : item.values) field[static_cast<std::size_t>(value)] = true;
    is_interval = is_interval || item.counts_as_interval;
    texts.push_back(item.text);
  }
  return joined(texts);
}

std::string year_field(Rng& rng, int favourite, std::array<bool, 230>& years) {
  std::vector<std::string> texts;
  for (const auto& item :
       random_list(rng, [&] { return random_item(rng, {1970, 2199}, favourite, nullptr); })) {
    for (const int value : item.values) years[static_cast<std::size_t>(value - 1970)] = true;
    texts.push_back(item.text);
  }
  return joined(texts);
}

struct DayText {
  std::string text;
  DayItem item;
  bool is_star = false;
};

DayText random_date(Rng& rng, const Day& near) {
  const int before_last = between(rng, 1, rng.chance(100) ? 30 : 5);
  const int day = rng.chance(500) ? near.day : between(rng, 1, 31);
  switch (between(rng, 0, 11)) {
    case 0:
      return {"L", {DayItem::Kind::last, {}, 0}, false};
    case 1:
      return {fmt::format("L-{}", before_last), {DayItem::Kind::last, {}, before_last}, false};
    case 2:
      return {"LW", {DayItem::Kind::last_weekday, {}, 0}, false};
    case 3:
      return {
          fmt::format("L-{}W", before_last), {DayItem::Kind::last_weekday, {}, before_last}, false};
    case 4:
      return {fmt::format("{}W", day), {DayItem::Kind::nearest, {}, day}, false};
    case 5:
      return {"?", {DayItem::Kind::values, spaced(1, 31, 1), 0}, true};
    default: {
      const auto item = random_item(rng, {1, 31}, near.day, nullptr);
      return {item.text, {DayItem::Kind::values, item.values, 0}, item.is_star};
    }
  }
}

DayText random_weekday(Rng& rng, const Day& near) {
  const int today = weekday_of(near);
  const int weekday = rng.chance(500) ? today : between(rng, 0, 7);
  const auto name = weekday == 7 ? "7" : spell(rng, weekday, kWeekdays.data());
  const int nth = rng.chance(600) ? (near.day + 6) / 7 : between(rng, 1, 5);
  switch (between(rng, 0, 9)) {
    case 0:
      return {fmt::format("{}#{}", name, nth), {DayItem::Kind::nth, {weekday % 7}, nth}, false};
    case 1:
      return {name + (rng.chance(500) ? "L" : "#L"), {DayItem::Kind::nth, {weekday % 7}, 0}, false};
    case 2: {
      const int first = between(rng, 1, 6);
      const auto* sunday = rng.chance(500) ? "SUN" : "0";
      auto values = spaced(first, 6, 1);
      values.push_back(0);
      return {fmt::format("{}-{}", spell(rng, first, kWeekdays.data()), sunday),
              {DayItem::Kind::values, values, 0},
              false};
    }
    case 3:
      return {"?", {DayItem::Kind::values, spaced(0, 6, 1), 0}, true};
    default: {
      // "n/step" runs to 7, which is Sunday once more.
      auto item = random_item(rng, {0, 6}, today, kWeekdays.data());
      const bool is_open = item.text.find('/') != std::string::npos &&
                           item.text.find('-') == std::string::npos && item.text[0] != '*';
      if (is_open) {
        const int step = std::atoi(item.text.substr(item.text.find('/') + 1).c_str());
        if ((7 - item.values.front()) % step == 0) item.values.push_back(0);
      }
      return {item.text, {DayItem::Kind::values, item.values, 0}, item.is_star};
    }
  }
}

}  // namespace

bool Expression::matches(const Day& day) const {
  if (day.year < 1970 || !years[static_cast<std::size_t>(day.year - 1970)]) return false;
  if (!months[static_cast<std::size_t>(day.month)]) return false;
  const auto by_date = [&](const DayItem& item) { return date_matches(item, day); };
  const auto by_weekday = [&](const DayItem& item) { return weekday_matches(item, day); };
  const bool date = any_date || std::ranges::any_of(dates, by_date);
  const bool weekday = any_weekday || std::ranges::any_of(weekdays, by_weekday);
  if (any_date || any_weekday || needs_both) return date && weekday;
  return date || weekday;
}

Expression random_expression(Rng& rng, const Day& near) {
  Expression made;
  const bool has_seconds = rng.chance(150);
  std::string second;
  if (has_seconds) {
    second = time_field(rng, {0, 59}, 0, made.seconds, made.is_interval) + " ";
  } else {
    made.seconds[0] = true;
  }
  const int quarter = between(rng, 0, 3) * 15;
  const auto minute = time_field(rng, {0, 59}, quarter, made.minutes, made.is_interval);
  // Most clocks change between 22:00 and 04:00.
  const int night = (between(rng, 22, 28)) % 24;
  const auto hour = time_field(rng, {0, 23}, night, made.hours, made.is_interval);

  std::vector<std::string> dates;
  for (auto& one : random_list(rng, [&] { return random_date(rng, near); })) {
    dates.push_back(one.text);
    made.dates.push_back(one.item);
    made.any_date = made.any_date || one.is_star;
  }
  bool ignored = false;
  auto month = std::string("*");
  if (rng.chance(300)) {
    month = time_field(rng, {1, 12}, near.month, made.months, ignored, kMonths.data());
  } else {
    made.months.fill(true);
  }
  std::vector<std::string> weekdays;
  for (auto& one : random_list(rng, [&] { return random_weekday(rng, near); })) {
    weekdays.push_back(one.text);
    made.weekdays.push_back(one.item);
    made.any_weekday = made.any_weekday || one.is_star;
  }
  // Half of the expressions leave a day field open, as people do.
  if (rng.chance(300)) {
    dates = {"*"};
    made.any_date = true;
  }
  if (rng.chance(300)) {
    weekdays = {"*"};
    made.any_weekday = true;
  }
  made.needs_both = rng.chance(200);
  std::string year;
  if (has_seconds && rng.chance(500)) {
    year = " " + year_field(rng, near.year, made.years);
  } else {
    made.years.fill(true);
  }
  made.text = fmt::format("{}{} {} {} {} {}{}{}", second, minute, hour, joined(dates), month,
                          made.needs_both ? "+" : "", joined(weekdays), year);
  return made;
}

std::vector<Minute> walk(const std::string& zone, std::int64_t from, std::int64_t until) {
  setenv("TZ", zone.c_str(), 1);
  tzset();
  std::vector<Minute> minutes;
  std::set<std::int64_t> shown;
  for (std::int64_t utc = from - from % 60; utc < until; utc += 60) {
    const std::time_t time = utc;
    std::tm local{};
    localtime_r(&time, &local);
    const std::int64_t wall = utc + local.tm_gmtoff;
    minutes.push_back({utc, wall, !shown.insert(wall).second});
  }
  return minutes;
}

std::vector<std::int64_t> fire_times(const Expression& expression, Policy policy,
                                     const std::vector<Minute>& minutes) {
  std::int64_t date = -1;  // of `is_day`
  bool is_day = false;
  const auto is_named = [&](std::int64_t wall) {
    const auto hour = static_cast<std::size_t>(wall % kDay / 3600);
    const auto minute = static_cast<std::size_t>(wall % 3600 / 60);
    if (!expression.minutes[minute] || !expression.hours[hour]) return false;
    if (date != wall / kDay) {
      date = wall / kDay;
      is_day = expression.matches(day_of(wall));
    }
    return is_day;
  };
  const bool follows_clock = expression.is_interval && policy == Policy::automatic;
  const bool is_moved = !expression.is_interval && policy == Policy::automatic;
  std::vector<std::int64_t> fired;
  const auto fire = [&](std::int64_t at) {
    if (fired.empty() || at > fired.back()) fired.push_back(at);  // real time runs forwards
  };
  for (std::size_t i = 1; i < minutes.size(); ++i) {
    const auto [utc, wall, is_repeated] = minutes[i];
    const auto skipped_from = minutes[i - 1].wall + 60;
    if (is_moved && wall - skipped_from < kDay) {
      for (auto reading = skipped_from; reading < wall; reading += 60) {
        if (is_named(reading)) fire(utc);
      }
    }
    if ((is_repeated && !follows_clock) || !is_named(wall)) continue;
    for (std::size_t second = 0; second < 60; ++second) {
      if (expression.seconds[second]) fire(utc + static_cast<std::int64_t>(second));
    }
  }
  return fired;
}

std::vector<std::int64_t> clock_changes(const std::string& zone, int year) {
  std::vector<std::int64_t> changes;
  const auto begin = midnight({year, 1, 1});
  const auto end = midnight({year + 1, 1, 1});
  setenv("TZ", zone.c_str(), 1);
  tzset();
  const auto offset_at = [](std::int64_t utc) {
    const std::time_t time = utc;
    std::tm local{};
    localtime_r(&time, &local);
    return local.tm_gmtoff;
  };
  for (auto at = begin; at < end; at += kDay) {
    if (offset_at(at) == offset_at(at + kDay)) continue;
    auto low = at;
    auto high = at + kDay;
    while (high - low > 60) {
      const auto middle = low + (high - low) / 120 * 60;
      (offset_at(middle) == offset_at(low) ? low : high) = middle;
    }
    changes.push_back(high);
  }
  return changes;
}

std::int64_t midnight(const Day& day) {
  std::int64_t days = 0;
  for (int year = 1970; year < day.year; ++year) days += is_leap(year) ? 366 : 365;
  for (int month = 1; month < day.month; ++month) days += length_of(day.year, month);
  return (days + day.day - 1) * kDay;
}

Day day_of(std::int64_t wall) {
  auto days = wall / kDay;
  Day day{1970, 1, 1};
  for (; days >= (is_leap(day.year) ? 366 : 365); ++day.year) days -= is_leap(day.year) ? 366 : 365;
  for (; days >= length_of(day.year, day.month); ++day.month) {
    days -= length_of(day.year, day.month);
  }
  day.day += static_cast<int>(days);
  return day;
}

}  // namespace chronos::oracle
