#include "schedule/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <variant>
#include <vector>

#include "schedule/cron_masks.h"
#include "schedule/english.h"
#include "schedule/schedule_part.h"

namespace chronos::schedule {
namespace {

using std::chrono::days;
using std::chrono::seconds;

// A handful of times is written out; more is described.
constexpr std::size_t kTimesMax = 6;

std::string number(int value) {
  return std::to_string(value);
}

// --- Times of day: from the masks, so that lists, ranges, steps and hashes read alike ---

// The values of one time field.
struct TimeField {
  std::vector<int> values;
  Series series;
  int size;  // of a full field: 60 or 24

  TimeField(std::uint64_t mask, int full_size)
      : values(bits_of(mask)), series(series_of(values)), size(full_size) {}

  bool is_all() const { return static_cast<int>(values.size()) == size; }
  bool is_single() const { return values.size() == 1; }
  int first() const { return values.front(); }
  int last() const { return values.back(); }

  // Evenly spaced across the seam as well: "every 15 minutes" is the whole truth.
  bool is_cycle() const {
    return series.step > 0 && series.first + size == series.last + series.step;
  }
};

// "every 2 hours" but "every hour": the text stands after "every".
std::string plural(std::int64_t count, std::string_view unit) {
  return count == 1 ? std::string(unit) : fmt::format("{} {}s", count, unit);
}

// The time fields of an expression and the phrases they make.
class TimeWords {
 public:
  explicit TimeWords(const CronMasks& masks)
      : seconds_(masks.seconds(), 60), minutes_(masks.minutes(), 60), hours_(masks.hours(), 24) {}

  // Whether the phrase leaves open on which days: then "every day" completes it.
  bool needs_day() const { return !hours_.is_all(); }

  std::string phrase() const {
    if (!seconds_.is_single()) return seconds_phrase();
    if (is_few_times()) return "at " + join(times());
    const auto second = seconds_.first();
    const auto text = minutes_phrase();
    return second == 0 ? text : fmt::format("{}, at second {}", text, second);
  }

 private:
  static std::string clock(int hour, int minute) {
    return fmt::format("{:02}:{:02}", hour, minute);
  }

  bool is_few_times() const {
    return !hours_.is_all() && minutes_.values.size() * hours_.values.size() <= kTimesMax;
  }

  std::vector<std::string> times() const {
    const int second = seconds_.is_single() ? seconds_.first() : 0;
    std::vector<std::string> times;
    for (const int hour : hours_.values) {
      for (const int minute : minutes_.values) {
        times.push_back(clock(hour, minute) + (second == 0 ? "" : fmt::format(":{:02}", second)));
      }
    }
    return times;
  }

  // "every 15 minutes", "every minute", or nothing if the minutes are no such cycle.
  static std::string frequency(const TimeField& field, std::string_view unit) {
    if (field.is_all()) return fmt::format("every {}", unit);
    if (field.is_cycle()) return fmt::format("every {} {}s", field.series.step, unit);
    return {};
  }

  std::string minutes_phrase() const {
    const auto often = frequency(minutes_, "minute");
    if (hours_.is_all()) return hourly_phrase(often);
    if (!often.empty()) return fmt::format("{} {}", often, stretches());
    if (!minutes_.is_single()) return fmt::format("{} {}", minutes_list("the hour"), stretches());
    if (hours_.series.step == 0) return "at " + join(times());
    return fmt::format("every {} {}", plural(hours_.series.step, "hour"),
                       stretch(hours_.first(), hours_.last()));
  }

  std::string hourly_phrase(const std::string& often) const {
    if (!often.empty()) {
      return minutes_.first() == 0
                 ? often
                 : fmt::format("{}, from minute {} of every hour", often, minutes_.first());
    }
    if (minutes_.is_single() && minutes_.first() == 0) return "every hour, on the hour";
    return minutes_list("every hour");
  }

  // "at 5 and 20 minutes past every hour", "every 7 minutes from minute 0 through 56 of every hour"
  std::string minutes_list(std::string_view hours) const {
    if (minutes_.series.step > 1 && minutes_.values.size() > 3) {
      return fmt::format("every {} minutes from minute {} through {} of {}", minutes_.series.step,
                         minutes_.first(), minutes_.last(), hours);
    }
    const auto unit = minutes_.is_single() && minutes_.first() == 1 ? "minute" : "minutes";
    return fmt::format("at {} {} past {}", list_of(minutes_.values, number), unit, hours);
  }

  // "from 09:00 through 17:45"
  std::string stretch(int first_hour, int last_hour) const {
    return fmt::format("from {} through {}", clock(first_hour, minutes_.first()),
                       clock(last_hour, minutes_.last()));
  }

  // All stretches of hours that follow each other; or every n-th hour.
  std::string stretches() const {
    if (hours_.series.step > 1 && hours_.values.size() > 2) {
      return fmt::format("in every {} hour from {} through {}", ordinal(hours_.series.step),
                         clock(hours_.first(), 0), clock(hours_.last(), 0));
    }
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < hours_.values.size();) {
      const int first = hours_.values[i];
      const auto begin = i++;
      while (i < hours_.values.size() && hours_.values[i] == first + static_cast<int>(i - begin))
        ++i;
      parts.push_back(stretch(first, hours_.values[i - 1]));
    }
    return join(parts);
  }

  // The hours beside a list of seconds.
  std::string hours_noun() const {
    return "of the hours " + list_of(hours_.values, [](int hour) { return clock(hour, 0); });
  }

  // Several seconds: "every 10 seconds", "every second of the minute 02:30".
  std::string seconds_phrase() const {
    auto text = frequency(seconds_, "second");
    if (text.empty() || (!seconds_.is_all() && seconds_.first() != 0)) {
      text = "at seconds " + list_of(seconds_.values, number);
    }
    const bool is_named = !seconds_.is_all() && seconds_.first() != 0;
    if (minutes_.is_all() && hours_.is_all()) {
      return text.starts_with("at") || is_named ? text + " of every minute" : text;
    }
    if (is_few_times()) {
      const auto minutes = times();
      return fmt::format("{} of the minute{} {}", text, minutes.size() == 1 ? "" : "s",
                         join(minutes));
    }
    const auto minutes = minutes_.is_all()      ? std::string("of every minute")
                         : minutes_.is_single() ? fmt::format("of minute {}", minutes_.first())
                                                : "of minutes " + list_of(minutes_.values, number);
    return fmt::format("{} {} {}", text, minutes, hours_.is_all() ? "of every hour" : hours_noun());
  }

  TimeField seconds_;
  TimeField minutes_;
  TimeField hours_;
};

// --- Days ---

std::vector<int> values_of(const CronSyntax& syntax, FieldKind kind) {
  std::vector<int> values;
  for (const auto& item : syntax.field(kind).items) {
    if (item.kind == ItemKind::last_day || item.kind == ItemKind::nearest_weekday ||
        item.kind == ItemKind::nth_weekday) {
      continue;
    }
    for_each_value(kind, item, [&](int value) { values.push_back(value); });
  }
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
  return values;
}

class DayWords {
 public:
  explicit DayWords(const CronSyntax& syntax)
      : syntax_(syntax),
        dates_(syntax.field(FieldKind::day_of_month)),
        weekdays_(syntax.field(FieldKind::day_of_week)),
        months_(values_of(syntax, FieldKind::month)),
        is_both_(syntax.needs_both_days) {}

  // Empty when every day matches; `open` is what to say then.
  std::string phrase(std::string_view open) const {
    const bool any_date = is_unrestricted(dates_);
    const bool any_weekday = is_unrestricted(weekdays_);
    if (any_date && any_weekday) return every_day(open);
    if (any_weekday) return " on " + dates_of_months();
    if (any_date) return " on " + weekday_list("and") + in_months();
    if (is_both_) {
      return fmt::format(" on {} if it is {}", dates_of_months(), weekday_list("or", "a "));
    }
    return fmt::format(" on {} and also on {}{}", dates_of_months(), weekday_list("and"),
                       in_months());
  }

 private:
  bool is_all_months() const { return months_.size() == 12; }

  std::string month_list() const {
    return list_of(months_, [](int month) { return std::string(long_month(month)); });
  }

  std::string in_months() const { return is_all_months() ? "" : " in " + month_list(); }

  std::string every_day(std::string_view open) const { return std::string(open) + in_months(); }

  // "1 January", "the 1st and 15th of every month", "the last day of February"
  std::string dates_of_months() const {
    const auto values = values_of(syntax_, FieldKind::day_of_month);
    const bool is_plain = std::ranges::all_of(dates_.items, [](const CronItem& item) {
      return item.kind != ItemKind::last_day && item.kind != ItemKind::nearest_weekday;
    });
    if (is_plain && values.size() == 1 && months_.size() == 1) {
      return fmt::format("{} {}", values.front(), long_month(months_.front()));
    }
    return date_list(values) + " of " + (is_all_months() ? "every month" : month_list());
  }

  std::string date_list(const std::vector<int>& values) const {
    std::vector<std::string> parts;
    const auto series = series_of(values);
    if (series.step > 1 && values.size() > 3) {
      parts.push_back(fmt::format("every {} day from the {} through the {}", ordinal(series.step),
                                  ordinal(series.first), ordinal(series.last)));
    } else if (!values.empty()) {
      parts.push_back("the " + list_of(values, ordinal));
    }
    for (const auto& item : dates_.items) {
      if (item.kind == ItemKind::last_day) parts.push_back(last_day(item));
      if (item.kind == ItemKind::nearest_weekday) {
        parts.push_back(fmt::format("the weekday nearest the {}", ordinal(item.low)));
      }
    }
    return join(parts);
  }

  static std::string last_day(const CronItem& item) {
    if (item.low == 0) return item.moves_to_weekday ? "the last weekday" : "the last day";
    const auto day = fmt::format("the {}-to-last day", ordinal(item.low + 1));
    return item.moves_to_weekday ? "the weekday nearest " + day : day;
  }

  // "Monday through Friday", "the first Monday and the last Friday of the month"
  std::string weekday_list(std::string_view last, std::string_view article = "") const {
    // Monday first, so that FRI-SUN is one run.
    std::vector<int> values;
    for (const int weekday : values_of(syntax_, FieldKind::day_of_week)) {
      values.push_back((weekday + 6) % 7);
    }
    std::ranges::sort(values);
    values.erase(std::ranges::unique(values).begin(), values.end());
    const auto name = [](int value) { return std::string(long_weekday((value + 1) % 7)); };
    std::vector<std::string> parts;
    if (!article.empty()) {
      for (const int value : values) parts.push_back(name(value));
      if (!parts.empty()) parts = {fmt::format("{}{}", article, join(parts, last))};
    } else if (!values.empty()) {
      parts.push_back(list_of(values, name, last));
    }
    std::vector<std::string> chosen;
    for (const auto& item : weekdays_.items) {
      if (item.kind != ItemKind::nth_weekday) continue;
      chosen.push_back(fmt::format("the {} {}", item.nth == 0 ? "last" : ordinal_word(item.nth),
                                   long_weekday(item.low)));
    }
    if (!chosen.empty()) parts.push_back(join(chosen, last) + " of the month");
    return join(parts, last);
  }

  const CronSyntax& syntax_;
  const CronField& dates_;
  const CronField& weekdays_;
  std::vector<int> months_;
  bool is_both_;
};

// The years, or "every year" where the days alone would sound like a single date.
std::string year_phrase(const CronSyntax& syntax) {
  const auto& field = syntax.field(FieldKind::year);
  const auto months = values_of(syntax, FieldKind::month);
  const auto& dates = syntax.field(FieldKind::day_of_month);
  const bool is_by_date = !is_unrestricted(dates) && months.size() == 1 &&
                          is_unrestricted(syntax.field(FieldKind::day_of_week));
  if (is_unrestricted(field)) {
    const bool is_leap_day = months == std::vector{2} &&
                             values_of(syntax, FieldKind::day_of_month) == std::vector{29} &&
                             dates.items.size() == 1;
    return !is_by_date ? "" : is_leap_day ? " in leap years" : " every year";
  }
  const auto values = values_of(syntax, FieldKind::year);
  const auto series = series_of(values);
  if (series.step > 1 && values.size() > 3) {
    return fmt::format(", every {} years from {} through {}", series.step, series.first,
                       series.last);
  }
  return " in " + list_of(values, number);
}

std::string capitalised(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  }
  return text;
}

// "3 November 2026 at 09:00".
std::string wall_in_words(WallTime wall) {
  const std::chrono::year_month_day date(std::chrono::floor<days>(wall));
  return fmt::format("{} {} {} at {}", static_cast<unsigned>(date.day()),
                     long_month(static_cast<int>(static_cast<unsigned>(date.month()))),
                     static_cast<int>(date.year()), format_wall(wall).substr(11));
}

std::string date_in_words(Timestamp at, const TimeZone& zone) {
  return wall_in_words(zone.wall(std::chrono::floor<seconds>(at)));
}

// ", from 31 January 2026 at 09:00, 5 times": of a repetition.
template <class Rule>
std::string limits_in_words(const Rule& rule, const std::string& start) {
  std::string text;
  if (rule.has_own_start) text += ", from " + start;
  if (rule.last == EveryPart::kNoLast) return text;
  const auto count = rule.last - rule.first + 1;
  return text + (count == 1 ? ", once" : fmt::format(", {} times", count));
}

// "every month", "every 2 years", "every month and 1 day".
std::string calendar_in_words(const CalendarPart& part) {
  std::vector<std::string> parts;
  const auto add = [&](int count, std::string_view unit) {
    if (count != 0) parts.push_back(fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s"));
  };
  add(part.period.months / 12, "year");
  add(part.period.months % 12, "month");
  add(part.period.days, "day");
  auto text = join(parts);
  if (part.period.time != seconds(0)) {
    const auto time = period_in_words(part.period.time);
    text += " and " + (time[0] >= 'a' ? "1 " + time : time);
  } else if (parts.size() == 1 && text.starts_with("1 ")) {
    text.erase(0, 2);
  }
  const std::chrono::year_month_day date(std::chrono::floor<days>(part.start));
  if (part.period.months != 0 && date.day() > std::chrono::day(28)) {
    text += ", on the last day of a shorter month";
  }
  return "every " + text + limits_in_words(part, wall_in_words(part.start));
}

std::string part_in_words(const Schedule::Part& part, const TimeZone& zone) {
  if (const auto* cron = std::get_if<CronPart>(&part.rule)) return in_words(cron->cron);
  if (const auto* calendar = std::get_if<CalendarPart>(&part.rule)) {
    return calendar_in_words(*calendar);
  }
  if (const auto* every = std::get_if<EveryPart>(&part.rule)) {
    return "every " + period_in_words(every->period) +
           limits_in_words(*every, date_in_words(every->anchor, zone));
  }
  if (std::holds_alternative<StartUpPart>(part.rule)) return "at every start of the server";
  return "once on " + date_in_words(std::get<OncePart>(part.rule).at, zone);
}

// Whether the words hold a clock time, which means nothing without a zone.
bool shows_clock(const Schedule& schedule) {
  return schedule.spec().start_at || schedule.spec().end_at ||
         std::ranges::any_of(schedule.parts(), [](const Schedule::Part& part) {
           if (std::holds_alternative<StartUpPart>(part.rule)) return false;
           const auto* every = std::get_if<EveryPart>(&part.rule);
           return every == nullptr || every->has_own_start;
         });
}

}  // namespace

std::string period_in_words(Duration period) {
  struct Unit {
    std::string_view name;
    Duration length;
  };
  constexpr std::array<Unit, 6> kUnits = {{{"day", days(1)},
                                           {"hour", std::chrono::hours(1)},
                                           {"minute", std::chrono::minutes(1)},
                                           {"second", seconds(1)},
                                           {"millisecond", std::chrono::milliseconds(1)},
                                           {"microsecond", Duration(1)}}};
  // "90 minutes" reads better than "1 hour and 30 minutes", "86461 seconds" does not.
  for (const auto& [name, length] : kUnits) {
    const auto count = period / length;
    if (count > 0 && count <= 120 && period % length == Duration(0)) return plural(count, name);
  }
  std::vector<std::string> parts;
  for (const auto& [name, length] : kUnits) {
    const auto count = period / length;
    if (count == 0) continue;
    parts.push_back(count == 1 ? fmt::format("1 {}", name) : plural(count, name));
    period -= count * length;
  }
  return join(parts);
}

std::string in_words(const Cron& cron) {
  const auto& syntax = cron.syntax();
  const TimeWords time(cron.masks());
  auto text = time.phrase();
  text += DayWords(syntax).phrase(time.needs_day() ? " every day" : "");
  return text + (cron.is_never() ? " (never: there is no such date)" : year_phrase(syntax));
}

std::string in_words(const Schedule& schedule) {
  if (schedule.kind() == ScheduleKind::now) return "Now, once";
  std::vector<std::string> parts;
  std::string text;
  for (const auto& part : schedule.parts()) {
    if (!text.empty()) text += "; ";
    text += part_in_words(part, schedule.zone());
    const auto* own = part.zone();
    if (own != nullptr && *own != schedule.zone()) text += ", " + own->name();
  }
  if (const auto start = schedule.spec().start_at) {
    text += ", from " + date_in_words(*start, schedule.zone());
  }
  if (const auto end = schedule.spec().end_at) {
    text += ", until " + date_in_words(*end, schedule.zone());
  }
  if (shows_clock(schedule)) text += ", " + schedule.zone().name();
  return capitalised(text);
}

}  // namespace chronos::schedule
