// The same meaning in the words of other schedulers, and repetitions by brute force.
#include <fmt/format.h>

#include <algorithm>

#include "oracle/cron_oracle.h"

namespace chronos::oracle {
namespace {

constexpr std::int64_t kDay = 86'400;

// "*" for a whole field, else a list of values with `range` between the ends of a run.
template <std::size_t N>
std::string list_of(const std::array<bool, N>& field, int low, std::string_view range,
                    bool& is_whole) {
  std::string text;
  is_whole = true;
  for (std::size_t i = static_cast<std::size_t>(low); i < N; ++i) {
    is_whole = is_whole && field[i];
    if (!field[i]) continue;
    const auto begin = i;
    while (i + 1 < N && field[i + 1]) ++i;
    text += fmt::format("{}{}", text.empty() ? "" : ",", begin);
    if (i > begin) text += fmt::format("{}{}", range, i);
  }
  if (is_whole) text = "*";
  return text;
}

std::string years_of(const std::array<bool, 230>& years, std::string_view range, bool& is_whole) {
  std::array<bool, 2200> field{};
  std::ranges::copy(years, field.begin() + 1970);
  return list_of(field, 1970, range, is_whole);
}

struct Times {
  std::string second;
  std::string minute;
  std::string hour;
};

// The time fields; the expression becomes an interval by its new words.
Times times_of(Expression& made, std::string_view range) {
  bool second = false;
  bool minute = false;
  bool hour = false;
  Times times{list_of(made.seconds, 0, range, second), list_of(made.minutes, 0, range, minute),
              list_of(made.hours, 0, range, hour)};
  made.is_interval = second || minute || hour;
  return times;
}

std::string join(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& one : texts) text += (text.empty() ? "" : ",") + one;
  return text;
}

std::string join(const std::vector<int>& values, int plus = 0) {
  std::vector<std::string> texts;
  for (const int value : values) texts.push_back(std::to_string(value + plus));
  return join(texts);
}

std::string quartz_date(const DayItem& item) {
  const auto before = item.number == 0 ? "L" : fmt::format("L-{}", item.number);
  switch (item.kind) {
    case DayItem::Kind::last:
      return before;
    case DayItem::Kind::last_weekday:
      return before + "W";
    case DayItem::Kind::nearest:
      return fmt::format("{}W", item.number);
    default:
      return join(item.values);
  }
}

// Sunday is 1.
std::string quartz_weekday(const DayItem& item) {
  if (item.kind != DayItem::Kind::nth) {
    auto values = item.values;
    for (int& value : values) value %= 7;
    return join(values, 1);
  }
  const int weekday = item.values.front() + 1;
  return item.number == 0 ? fmt::format("{}L", weekday)
                          : fmt::format("{}#{}", weekday, item.number);
}

struct Days {
  std::string date = "?";
  std::string weekday = "?";
};

// None where both fields or neither would decide.
std::optional<Days> quartz_days(const Expression& expression) {
  if (expression.any_date == expression.any_weekday) return std::nullopt;
  Days days;
  std::vector<std::string> texts;
  if (expression.any_weekday) {
    for (const auto& item : expression.dates) texts.push_back(quartz_date(item));
    days.date = join(texts);
  } else {
    for (const auto& item : expression.weekdays) texts.push_back(quartz_weekday(item));
    days.weekday = join(texts);
  }
  return days;
}

std::optional<Expression> in_quartz_fields(const Expression& expression, bool is_aws) {
  const auto days = quartz_days(expression);
  if (!days) return std::nullopt;
  auto made = expression;
  auto times = times_of(made, "-");
  if (is_aws && times.second != "0") return std::nullopt;
  bool ignored = false;
  const auto month = list_of(made.months, 1, "-", ignored);
  const auto year = years_of(made.years, "-", ignored);
  const auto fields = fmt::format("{} {} {} {} {} {}", times.minute, times.hour, days->date, month,
                                  days->weekday, year);
  made.text =
      is_aws ? fmt::format("cron({})", fields) : fmt::format("quartz:{} {}", times.second, fields);
  if (made.text.size() > 1024) return std::nullopt;
  return made;
}

// Days of the month: all from the first, or all from the last.
std::optional<std::string> systemd_date(const Expression& expression) {
  if (expression.any_date) return "-*";
  std::vector<int> first;
  std::vector<int> last;
  for (const auto& item : expression.dates) {
    if (item.kind == DayItem::Kind::values) {
      first.insert(first.end(), item.values.begin(), item.values.end());
    } else if (item.kind == DayItem::Kind::last) {
      last.push_back(item.number + 1);
    } else {
      return std::nullopt;
    }
  }
  if (first.empty() == last.empty()) return std::nullopt;
  return first.empty() ? "~" + join(last) : "-" + join(first);
}

std::optional<std::string> systemd_week(const Expression& expression) {
  constexpr std::array<const char*, 7> kNames = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  if (expression.any_weekday) return "";
  std::vector<std::string> texts;
  for (const auto& item : expression.weekdays) {
    if (item.kind != DayItem::Kind::values) return std::nullopt;
    for (const int value : item.values) {
      texts.emplace_back(kNames.at(static_cast<std::size_t>(value % 7)));
    }
  }
  return join(texts) + " ";
}

// The instant of a reading, by looking for it; 0 if it was dropped, -1 if the walk does not show.
std::int64_t instant_of(std::int64_t wall, Policy policy, const std::vector<Minute>& minutes) {
  for (std::size_t i = 1; i < minutes.size(); ++i) {
    const auto [utc, shown, is_repeated] = minutes[i];
    if (shown == wall && !is_repeated) return utc;
    const auto skipped_from = minutes[i - 1].wall + 60;
    if (skipped_from <= wall && wall < shown) {
      return policy == Policy::skip || shown - skipped_from >= kDay ? 0 : utc;
    }
  }
  return -1;
}

// The reading `months` later on the same day, or on the last of a shorter month.
std::int64_t months_later(std::int64_t wall, int months) {
  const auto day = day_of(wall);
  const int month = day.year * 12 + day.month - 1 + months;
  const Day first{month / 12, month % 12 + 1, 1};
  const Day next{(month + 1) / 12, (month + 1) % 12 + 1, 1};
  const auto length = (midnight(next) - midnight(first)) / kDay;
  return midnight(first) + (std::min<std::int64_t>(day.day, length) - 1) * kDay + wall % kDay;
}

}  // namespace

std::optional<Expression> in_quartz(const Expression& expression) {
  return in_quartz_fields(expression, false);
}

std::optional<Expression> in_aws(const Expression& expression) {
  return in_quartz_fields(expression, true);
}

std::optional<Expression> in_systemd(const Expression& expression) {
  // systemd wants both days; either is the same only where one is open.
  if (!expression.any_date && !expression.any_weekday && !expression.needs_both)
    return std::nullopt;
  auto made = expression;
  const auto date = systemd_date(expression);
  const auto week = systemd_week(expression);
  if (!date || !week) return std::nullopt;
  const auto times = times_of(made, "..");
  bool ignored = false;
  const auto month = list_of(made.months, 1, "..", ignored);
  const auto year = years_of(made.years, "..", ignored);
  made.text = fmt::format("systemd:{}{}-{}{} {}:{}:{}", *week, year, month, *date, times.hour,
                          times.minute, times.second);
  if (made.text.size() > 1024) return std::nullopt;
  return made;
}

std::vector<std::int64_t> repeat_times(const Repetition& repetition, Policy policy,
                                       const std::vector<Minute>& minutes) {
  std::vector<std::int64_t> times;
  for (int k = 0; k < repetition.count; ++k) {
    const auto wall = months_later(repetition.start, k * repetition.months) +
                      std::int64_t{k} * repetition.days * kDay;
    const auto at = instant_of(wall, policy, minutes);
    if (at < 0) break;
    if (at > 0) times.push_back(at + k * repetition.seconds);
  }
  return times;
}

}  // namespace chronos::oracle
