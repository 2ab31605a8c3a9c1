// Calendar events as systemd.time(7) has them, "systemd:Mon..Fri *-*-* 08:00 Europe/Berlin":
// weekdays, a date, a time, a zone, each of which may be left out. Weekdays and the date must both
// match.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "schedule/dialects.h"

namespace chronos::schedule {
namespace {

constexpr std::string_view kPrefix = "systemd:";
constexpr std::size_t kDigitsMax = 6;

// The shorthands of systemd, whose week begins on Monday.
struct Shorthand {
  std::string_view name;
  std::string_view event;
};

constexpr std::array<Shorthand, 10> kShorthands = {{
    {"minutely", "*-*-* *:*:00"},
    {"hourly", "*-*-* *:00:00"},
    {"daily", "*-*-* 00:00:00"},
    {"weekly", "Mon *-*-* 00:00:00"},
    {"monthly", "*-*-01 00:00:00"},
    {"quarterly", "*-01,04,07,10-01 00:00:00"},
    {"semiannually", "*-01,07-01 00:00:00"},
    {"semi-annually", "*-01,07-01 00:00:00"},
    {"yearly", "*-01-01 00:00:00"},
    {"annually", "*-01-01 00:00:00"},
}};

CronField& field_of(CronSyntax& syntax, FieldKind kind) {
  return syntax.fields[static_cast<std::size_t>(kind)];
}

std::string range_text(int low, int high) {
  return low == high ? std::to_string(low) : fmt::format("{}..{}", low, high);
}

// One component, such as the hours: "*", "8", "8,12", "8..18", "0/2", "8..18/2".
class Component {
 public:
  Component(const TextSpan& span, FieldKind kind, bool from_end = false)
      : span_(span), rule_(rule_of(kind)), from_end_(from_end) {}

  Parsed<void> read(CronField& field) {
    field.text = span_.view();
    at_ = span_.begin;
    if (peek() == '*') {
      ++at_;
      if (!at_end()) {
        return peek() == '/'
                   ? fail("step_base", "'*' takes no step here",
                          fmt::format("write {}/5", rule_.low))
                   : fail("unexpected_char", fmt::format("unexpected '{}' after '*'", peek()));
      }
      field.items.push_back({.kind = ItemKind::star, .low = rule_.low, .high = rule_.high});
      return {};
    }
    for (;;) {
      CHRONOS_TRY(const auto item, read_item());
      if (from_end_) {
        add_from_end(item, field);
      } else {
        field.items.push_back(item);
      }
      if (at_end()) return {};
      ++at_;  // the comma
    }
  }

 private:
  // "~3" is the third last day of the month, "~7/2" every second day from the seventh last to the
  // month's end.
  void add_from_end(const CronItem& item, CronField& field) const {
    const int last = is_open_ ? 1 : item.low;
    for (int day = is_open_ ? item.low : item.high; day >= last; day -= item.step) {
      field.items.push_back({.kind = ItemKind::last_day, .low = day - 1});
    }
  }

  bool at_end() const { return at_ == span_.end; }
  char peek() const { return at_end() ? '\0' : span_.text[at_]; }

  std::unexpected<ScheduleError> fail_at(std::size_t begin, std::size_t length, std::string code,
                                         std::string message, std::string hint = {}) const {
    return std::unexpected(
        error_at(begin, length, rule_.name, std::move(code), std::move(message), std::move(hint)));
  }
  std::unexpected<ScheduleError> fail(std::string code, std::string message,
                                      std::string hint = {}) const {
    return fail_at(at_, at_end() ? 0 : 1, std::move(code), std::move(message), std::move(hint));
  }

  // Digits; what stands there instead is named.
  Parsed<std::string_view> digits() {
    std::size_t end = at_;
    while (end < span_.end && ascii::is_digit(span_.text[end])) ++end;
    if (end == at_) {
      return at_end() || peek() == ','
                 ? fail("number_expected", "a value is missing here")
                 : fail("number_expected", fmt::format("expected a value, found '{}'", peek()));
    }
    const auto found = span_.text.substr(at_, end - at_);
    at_ = end;
    return found;
  }

  Parsed<int> value() {
    const auto begin = at_;
    CHRONOS_TRY(const auto written, digits());
    const int number = written.size() > kDigitsMax ? -1 : std::stoi(std::string(written));
    if (number < rule_.low || number > rule_.high) {
      return fail_at(begin, written.size(), "out_of_range",
                     fmt::format("{} is outside {}-{}", written, rule_.low, rule_.high));
    }
    return number;
  }

  Parsed<CronItem> read_item() {
    const auto begin = at_;
    is_open_ = false;
    CHRONOS_TRY(const int first, value());
    CronItem item{.low = first, .high = first};
    const bool is_range = span_.text.substr(at_, span_.end - at_).starts_with("..");
    if (is_range) {
      at_ += 2;
      CHRONOS_TRY(item.high, value());
      item.kind = ItemKind::range;
      if (item.high < first) {
        const auto written = span_.text.substr(begin, at_ - begin);
        return fail_at(begin, written.size(), "range_reversed",
                       fmt::format("range '{}' runs backwards", written),
                       fmt::format("write {},{}", range_text(first, rule_.high),
                                   range_text(rule_.low, item.high)));
      }
    }
    if (peek() == '/') {
      ++at_;
      const auto place = at_;
      CHRONOS_TRY(const auto written, digits());
      item.step = written.size() > kDigitsMax ? -1 : std::stoi(std::string(written));
      if (item.step == 0) {
        return fail_at(place, written.size(), "step_zero", "a step of 0 never advances");
      }
      if (item.step < 0) {
        return fail_at(place, written.size(), "out_of_range",
                       fmt::format("{} is outside 1-999999", written));
      }
      item.kind = ItemKind::range;
      item.has_step = true;
      is_open_ = !is_range;
      if (is_open_) item.high = rule_.high;
    }
    if (!at_end() && peek() != ',') {
      return peek() == '.' && rule_.kind == FieldKind::second
                 ? fail("unexpected_char", "unexpected '.': seconds are whole")
                 : fail("unexpected_char", fmt::format("unexpected '{}'", peek()));
    }
    return item;
  }

  TextSpan span_;
  const FieldRule& rule_;
  bool from_end_;
  bool is_open_ = false;  // the item that was read runs to the field's end: "8/2"
  std::size_t at_ = 0;
};

Parsed<void> read_component(const TextSpan& span, FieldKind kind, CronSyntax& syntax) {
  return Component(span, kind).read(field_of(syntax, kind));
}

// The parts of a span that stand between any of `separators`.
std::vector<TextSpan> split_at(const TextSpan& span, std::string_view separators) {
  std::vector<TextSpan> parts;
  std::size_t begin = span.begin;
  for (std::size_t at = span.begin; at <= span.end; ++at) {
    if (at < span.end && separators.find(span.text[at]) == std::string_view::npos) continue;
    parts.push_back({span.text, begin, at});
    begin = at + 1;
  }
  return parts;
}

std::unexpected<ScheduleError> refuse_field(const TextSpan& span, FieldKind kind, std::string code,
                                            std::string message, std::string hint = {}) {
  auto failure = refuse(span, std::move(code), std::move(message), std::move(hint));
  failure.error().field = rule_of(kind).name;
  return failure;
}

// --- Weekdays: "Mon", "Mon..Fri,Sun"; whole names and any case are fine, Sunday comes last ---

Parsed<int> read_weekday(const TextSpan& span) {
  const auto capitals = ascii::upper_case(span.view());
  for (std::size_t i = 0; i < kLongWeekdays.size(); ++i) {
    if (capitals == kLongWeekdays[i] || capitals == kLongWeekdays[i].substr(0, 3)) {
      return i == 0 ? 7 : static_cast<int>(i);
    }
  }
  if (span.empty()) {
    return refuse_field(span, FieldKind::day_of_week, "empty_item", "a weekday is missing here");
  }
  return refuse_field(span, FieldKind::day_of_week, "unknown_name",
                      fmt::format("unknown name '{}'", span.view()),
                      "weekdays come first: Mon..Fri *-*-* 08:00");
}

Parsed<CronItem> read_weekdays(const TextSpan& span) {
  const auto text = span.view();
  auto middle = text.find("..");
  const std::size_t width = middle == std::string_view::npos ? 1 : 2;
  if (width == 1) middle = text.find('-');  // an older spelling, which systemd still takes
  if (middle == std::string_view::npos) {
    CHRONOS_TRY(const int day, read_weekday(span));
    return CronItem{.low = day % 7, .high = day % 7, .is_number = false};
  }
  CHRONOS_TRY(const int first, read_weekday({span.text, span.begin, span.begin + middle}));
  CHRONOS_TRY(const int last, read_weekday({span.text, span.begin + middle + width, span.end}));
  if (first > last) {
    return refuse_field(span, FieldKind::day_of_week, "range_reversed",
                        fmt::format("range '{}' runs backwards: the week begins on Monday", text),
                        fmt::format("write {}..Sun,{}{}", text.substr(0, middle),
                                    last == 1 ? "" : "Mon..", text.substr(middle + width)));
  }
  return CronItem{.kind = ItemKind::range, .low = first, .high = last, .is_number = false};
}

Parsed<void> read_week(const TextSpan& span, CronSyntax& syntax) {
  auto& field = field_of(syntax, FieldKind::day_of_week);
  field.text = span.view();
  for (const auto& part : split_at(span, ",")) {
    CHRONOS_TRY(const auto item, read_weekdays(part));
    field.items.push_back(item);
  }
  syntax.needs_both_days = true;
  return {};
}

// --- Dates: "2026-12-24", "12-24", "*-*-1/2", "*-02~03" ---

Parsed<void> read_date(const TextSpan& span, CronSyntax& syntax) {
  const auto parts = split_at(span, "-~");
  const auto tilde = span.view().find('~');
  const bool from_end = tilde != std::string_view::npos;
  if (parts.size() < 2 || parts.size() > 3 ||
      (from_end && span.begin + tilde + 1 != parts.back().begin)) {
    return refuse(span, "bad_date",
                  fmt::format("'{}' is not year-month-day or month-day", span.view()),
                  "*-*-01 is the first of every month, *-*~01 the last");
  }
  syntax.has_year = parts.size() == 3;
  if (syntax.has_year) CHRONOS_TRY_VOID(read_component(parts[0], FieldKind::year, syntax));
  CHRONOS_TRY_VOID(read_component(parts[parts.size() - 2], FieldKind::month, syntax));
  auto& days = field_of(syntax, FieldKind::day_of_month);
  CHRONOS_TRY_VOID(Component(parts.back(), FieldKind::day_of_month, from_end).read(days));
  if (from_end) days.text.insert(0, "~");
  return {};
}

// --- Times: "8:00", "*:0/5", "08:00:30" ---

Parsed<void> read_time(const TextSpan& span, CronSyntax& syntax) {
  const auto parts = split_at(span, ":");
  if (span.view().find_first_of("-T~") != std::string_view::npos) {
    return refuse(span, "bad_time", fmt::format("'{}' is not a time of day", span.view()),
                  "a range is 8..17:00; a date is a word before the time: 2026-12-24 08:00");
  }
  if (parts.size() < 2 || parts.size() > 3) {
    return refuse(span, "bad_time",
                  fmt::format("'{}' is not hour:minute or hour:minute:second", span.view()),
                  "08:00");
  }
  syntax.has_seconds = parts.size() == 3;
  CHRONOS_TRY_VOID(read_component(parts[0], FieldKind::hour, syntax));
  CHRONOS_TRY_VOID(read_component(parts[1], FieldKind::minute, syntax));
  if (syntax.has_seconds) return read_component(parts[2], FieldKind::second, syntax);
  return {};
}

// What a text leaves out: every day; midnight.
void fill_event(CronSyntax& syntax) {
  const auto open = [&](FieldKind kind, int high) {
    auto& items = field_of(syntax, kind).items;
    if (items.empty()) {
      items.push_back({.kind = ItemKind::star, .low = rule_of(kind).low, .high = high});
    }
  };
  open(FieldKind::day_of_month, 31);
  open(FieldKind::month, 12);
  open(FieldKind::day_of_week, 6);
  for (const auto kind : {FieldKind::minute, FieldKind::hour}) {
    if (field_of(syntax, kind).items.empty()) field_of(syntax, kind).items.push_back(CronItem{});
  }
  fill_omitted(syntax);
}

Parsed<CronSyntax> read_event(std::span<const TextSpan> words) {
  CronSyntax syntax;
  syntax.dialect = Dialect::systemd;
  std::size_t next = 0;
  if (ascii::is_letter(words[0].view().front())) CHRONOS_TRY_VOID(read_week(words[next++], syntax));
  const auto has_colon = [](const TextSpan& word) {
    return word.view().find(':') != std::string_view::npos;
  };
  if (next < words.size() && !has_colon(words[next])) {
    CHRONOS_TRY_VOID(read_date(words[next++], syntax));
  }
  if (next < words.size() && has_colon(words[next])) {
    CHRONOS_TRY_VOID(read_time(words[next++], syntax));
  }
  if (next < words.size()) {
    return refuse({words[next].text, words[next].begin, words.back().end}, "unexpected_word",
                  fmt::format("unexpected '{}'", words[next].view()),
                  "weekdays, date, time, zone: Mon..Fri *-*-* 08:00 Europe/Berlin");
  }
  fill_event(syntax);
  return syntax;
}

// A last word that begins with a letter, and is not the only one, is a zone.
Parsed<void> take_zone(std::vector<TextSpan>& words, Expression& expression) {
  if (words.size() < 2 || !ascii::is_letter(words.back().view().front())) return {};
  const auto word = words.back();
  auto zone = TimeZone::find(word.view());
  if (!zone) {
    const auto& field = zone.error().fields.front();
    return refuse(word, field.code, field.message, field.hint);
  }
  if (expression.zone && *expression.zone != *zone) {
    return refuse(word, "timezone_conflict",
                  fmt::format("'{}' contradicts the time zone '{}' before it", word.view(),
                              expression.zone->name()));
  }
  expression.zone = *zone;
  expression.zone_column = static_cast<int>(word.begin) + 1;
  words.pop_back();
  return {};
}

}  // namespace

Parsed<void> parse_systemd(const TextSpan& span, Expression& expression) {
  const auto event = trimmed({span.text, span.begin + kPrefix.size(), span.end});
  if (event.empty()) return refuse(event, "empty", "a calendar event is needed after systemd:");
  auto words = split_words(event);
  CHRONOS_TRY_VOID(take_zone(words, expression));
  std::string name(words[0].view());
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto shorthand = std::ranges::find(kShorthands, name, &Shorthand::name);
  if (shorthand == kShorthands.end() || words.size() > 1) {
    CHRONOS_TRY(auto syntax, read_event(words));
    expression.body = Cron::from_syntax(std::string(span.view()), std::move(syntax));
    return {};
  }
  const TextSpan meant{shorthand->event, 0, shorthand->event.size()};
  CHRONOS_TRY(auto syntax, read_event(split_words(meant)));
  expression.body = Cron::from_syntax(std::string(span.view()), std::move(syntax));
  return {};
}

}  // namespace chronos::schedule
