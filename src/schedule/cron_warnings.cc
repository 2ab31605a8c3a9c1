// What is odd but legal in a cron expression (schedule.md §10, "Warnings"): one small function for
// each code.
#include <fmt/format.h>

#include <algorithm>

#include "schedule/cron.h"
#include "schedule/english.h"

namespace chronos::schedule {
namespace {

using std::chrono::seconds;

using Warnings = std::vector<Warning>;

constexpr std::array kAllFields = {
    FieldKind::second, FieldKind::minute,      FieldKind::hour, FieldKind::day_of_month,
    FieldKind::month,  FieldKind::day_of_week, FieldKind::year};

void add(Warnings& found, std::string code, FieldKind kind, std::string message) {
  found.push_back({std::move(code), std::string(rule_of(kind).name), std::move(message)});
}

bool is_restricted(const Cron& cron, FieldKind kind) {
  return !is_unrestricted(cron.syntax().field(kind));
}

// The text of the item at `index`: items stand in the order of the commas.
std::string item_text(const CronField& field, std::size_t index) {
  std::string_view rest = field.text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  for (; index > 0; --index) rest.remove_prefix(rest.find(',') + 1);
  return std::string(rest.substr(0, rest.find(',')));
}

struct FieldWords {
  std::string_view once;    // how often the field as a whole comes round
  std::string_view at;      // what stands before one value
  std::string_view plural;  // of its unit
  char unit;                // of a duration; 0 = none is as long in every case
};

FieldWords words_of(FieldKind kind) {
  switch (kind) {
    case FieldKind::second:
      return {"a minute", "at second", "seconds", 's'};
    case FieldKind::minute:
      return {"an hour", "at minute", "minutes", 'm'};
    case FieldKind::hour:
      return {"a day", "at hour", "hours", 'h'};
    case FieldKind::day_of_month:
      return {"a month", "on day", "days", 'd'};
    case FieldKind::month:
      return {"a year", "in month", "months", '\0'};
    case FieldKind::day_of_week:
      return {"a week", "on weekday", "days", 'd'};
    case FieldKind::year:
      return {"ever", "in", "years", '\0'};
  }
  return {};
}

void warn_step_wide(const CronField& field, FieldKind kind, Warnings& found) {
  const auto& rule = rule_of(kind);
  const auto words = words_of(kind);
  for (std::size_t i = 0; i < field.items.size(); ++i) {
    const auto& item = field.items[i];
    if (!item.has_step || item.step <= rule.high - rule.low) continue;
    auto message = fmt::format("`{}` runs once {}, {} {}", item_text(field, i), words.once,
                               words.at, item.low);
    if (words.unit != '\0') {
      message += fmt::format("; for every {} {} write `@every {}{}`", item.step, words.plural,
                             item.step, words.unit);
    }
    add(found, "W-step-wide", kind, std::move(message));
  }
}

// The step from the last value over the seam to the first is another one.
void warn_step_uneven(const CronField& field, FieldKind kind, Warnings& found) {
  const auto& rule = rule_of(kind);
  const auto words = words_of(kind);
  if (kind == FieldKind::year || kind == FieldKind::day_of_month) return;
  const int size = kind == FieldKind::day_of_week ? 7 : rule.high - rule.low + 1;
  for (std::size_t i = 0; i < field.items.size(); ++i) {
    const auto& item = field.items[i];
    const bool is_whole =
        item.kind == ItemKind::star || (item.kind == ItemKind::hash && item.high == rule.hash_high);
    if (!item.has_step || !is_whole || item.step >= size) continue;
    const int last = item.low + (item.high - item.low) / item.step * item.step;
    const int across = item.low + size - last;
    if (across == item.step) continue;
    add(found, "W-step-uneven", kind,
        fmt::format("`{}` is uneven: from {} to {} it is {} {}, not {}", item_text(field, i), last,
                    item.low, across,
                    across == 1 ? words.plural.substr(0, words.plural.size() - 1) : words.plural,
                    item.step));
  }
}

void warn_full_range(const CronField& field, FieldKind kind, Warnings& found) {
  const auto& rule = rule_of(kind);
  const int whole = kind == FieldKind::day_of_week ? 6 : rule.high - rule.low;
  for (std::size_t i = 0; i < field.items.size(); ++i) {
    const auto& item = field.items[i];
    if (item.kind != ItemKind::range || item.step != 1 || item.high - item.low < whole) continue;
    const auto text = item_text(field, i);
    const bool is_time =
        kind == FieldKind::second || kind == FieldKind::minute || kind == FieldKind::hour;
    const bool is_day = kind == FieldKind::day_of_month || kind == FieldKind::day_of_week;
    add(found, "W-full-range", kind,
        is_time && !item.has_step
            ? fmt::format("`{}` is a list of fixed times when clocks change; `*` follows the clock",
                          text)
        : is_day ? fmt::format("`{}` restricts the day, `*` does not: beside another day field "
                               "they differ",
                               text)
                 : fmt::format("`{}` is every {}: write `*`", text, rule.name));
  }
}

void warn_day_or(const Cron& cron, Warnings& found) {
  const auto& syntax = cron.syntax();
  if (syntax.needs_both_days || !is_restricted(cron, FieldKind::day_of_month) ||
      !is_restricted(cron, FieldKind::day_of_week)) {
    return;
  }
  const auto& dates = syntax.field(FieldKind::day_of_month).text;
  const auto& weekdays = syntax.field(FieldKind::day_of_week).text;
  auto message = fmt::format(
      "runs on days that match either `{}` or `{}`; for days that match both write `+{}`", dates,
      weekdays, weekdays);
  if (dates.starts_with('*') || weekdays.starts_with('*')) {
    message += "; Vixie cron and cronie ask for both here";
  }
  add(found, "W-day-or", FieldKind::day_of_week, std::move(message));
}

void warn_every_second(const Cron& cron, Warnings& found) {
  const auto& syntax = cron.syntax();
  const auto is_open = [](const CronItem& item) {
    return item.kind == ItemKind::star || item.has_step;
  };
  if (!syntax.has_seconds || syntax.dialect == Dialect::systemd ||
      !is_unrestricted(syntax.field(FieldKind::second)) ||
      std::ranges::any_of(syntax.field(FieldKind::minute).items, is_open)) {
    return;
  }
  add(found, "W-every-second", FieldKind::second,
      "six fields begin with seconds: this runs 60 times in each of its minutes; for once write "
      "`0` as the first field");
}

void warn_quartz_week(const Cron& cron, Warnings& found) {
  const auto& syntax = cron.syntax();
  if (syntax.dialect != Dialect::chronos) return;
  const auto& weekdays = syntax.field(FieldKind::day_of_week);
  const auto is_question = [](const CronItem& item) { return item.is_question; };
  const auto is_number = [](const CronItem& item) {
    return item.is_number && item.kind != ItemKind::star && item.kind != ItemKind::hash;
  };
  // "0" does not exist in Quartz, so who writes it counts from Sunday as we do. In a range up to
  // SUN the 0 has become 7.
  const auto is_zero = [&](const CronItem& item) { return is_number(item) && item.low == 0; };
  const auto has_question =
      std::ranges::any_of(syntax.field(FieldKind::day_of_month).items, is_question) ||
      std::ranges::any_of(weekdays.items, is_question);
  if (!has_question || std::ranges::none_of(weekdays.items, is_number) ||
      std::ranges::any_of(weekdays.items, is_zero)) {
    return;
  }
  add(found, "W-quartz-week", FieldKind::day_of_week,
      "here 1 = Monday; Quartz counts 1 = Sunday; write MON");
}

void warn_short_month(const Cron& cron, Warnings& found) {
  constexpr std::array<int, 12> kShortest = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const auto& syntax = cron.syntax();
  int day = 0;
  for (const auto& item : syntax.field(FieldKind::day_of_month).items) {
    const bool is_late =
        item.low > 28 && (item.kind == ItemKind::value || item.kind == ItemKind::range ||
                          item.kind == ItemKind::nearest_weekday);
    if (is_late) day = std::max(day, item.low);
  }
  if (day == 0 || cron.is_never() || !is_restricted(cron, FieldKind::day_of_month)) return;
  std::vector<int> without;
  for (const auto& item : syntax.field(FieldKind::month).items) {
    for_each_value(FieldKind::month, item, [&](int month) {
      if (kShortest[static_cast<std::size_t>(month - 1)] < day) without.push_back(month);
    });
  }
  if (without.empty()) return;
  std::ranges::sort(without);
  without.erase(std::ranges::unique(without).begin(), without.end());
  const auto months = list_of(without, [](int month) { return std::string(long_month(month)); });
  add(found, "W-short-month", FieldKind::day_of_month,
      fmt::format("{} {} no day {}{}; the last day of a month is `{}`", months,
                  without.size() == 1 ? "has" : "have", day,
                  day == 29 ? " except in leap years" : "",
                  syntax.dialect == Dialect::systemd ? "*-*~01" : "L"));
}

}  // namespace

std::vector<Warning> text_warnings(const Cron& cron) {
  Warnings found;
  for (const auto kind : kAllFields) {
    const auto& field = cron.syntax().field(kind);
    if (field.text.empty()) continue;
    warn_step_wide(field, kind, found);
    warn_step_uneven(field, kind, found);
    warn_full_range(field, kind, found);
  }
  warn_day_or(cron, found);
  warn_every_second(cron, found);
  warn_quartz_week(cron, found);
  warn_short_month(cron, found);
  return found;
}

std::vector<Warning> time_warnings(const Cron& cron, const TimeZone& zone, DstPolicy policy,
                                   TimeWindow window) {
  Warnings found;
  if (is_restricted(cron, FieldKind::year)) {
    const auto last =
        cron.prev(std::chrono::sys_days(std::chrono::year(kLastYear + 1) / 1 / 2), zone, policy);
    const auto wall = last ? zone.wall(std::chrono::floor<seconds>(*last)) : WallTime::max();
    if (last && wall < std::chrono::local_days(std::chrono::year(kLastYear) / 1 / 1)) {
      add(found, "W-last-run", FieldKind::year,
          fmt::format("there is no time after {}", format_wall(wall)));
    }
  }
  const bool keeps_to_clock = cron.is_interval() && policy == DstPolicy::automatic;
  if (keeps_to_clock) return found;
  for (const auto& segment : zone.segments()) {
    if (segment.begin <= window.from || segment.begin >= window.until) continue;
    const auto reading = cron.masks().first_at_or_after(segment.seen);
    if (!reading || *reading >= segment.wall_begin()) continue;
    const bool moves =
        policy == DstPolicy::automatic && segment.gap() < seconds(std::chrono::days(1));
    found.push_back({"W-gap", "",
                     fmt::format("{} does not exist in {}: {}", format_wall(*reading), zone.name(),
                                 moves ? "it runs at " + format_wall(segment.wall_begin())
                                       : std::string("it does not run then"))});
    break;
  }
  return found;
}

}  // namespace chronos::schedule
