// The inner part of the cron parser: one field, item by item (schedule.md §2, §5, §10). Every
// refusal is made here, at the character where the text stops making sense.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "schedule/cron_syntax.h"

namespace chronos::schedule {
namespace {

using Failure = std::unexpected<ScheduleError>;

constexpr int kStepMax = 999'999;
constexpr std::string_view kCommandHint = "a crontab command is not part of the schedule";

bool is_lower_case(std::string_view word) {
  return ascii::upper_case(word) != word &&
         std::ranges::none_of(word, [](char c) { return c >= 'A' && c <= 'Z'; });
}

// A value as it stands in the text.
struct Value {
  int number = 0;
  bool is_name = false;
  std::size_t begin = 0;
  std::size_t end = 0;
};

// AWS and Quartz count the days of the week from Sunday = 1.
constexpr FieldRule kSundayIsOne = {FieldKind::day_of_week, "day-of-week", 1, 7, 7, '\0'};

class FieldParser {
 public:
  FieldParser(const TextSpan& span, FieldKind kind, std::string_view seed, Dialect dialect)
      : span_(span),
        dialect_(dialect),
        rule_(kind == FieldKind::day_of_week && dialect != Dialect::chronos ? kSundayIsOne
                                                                            : rule_of(kind)),
        kind_(kind),
        seed_(seed),
        at_(span.begin) {}

  Parsed<void> parse(CronSyntax& syntax) {
    auto& field = syntax.fields[static_cast<std::size_t>(kind_)];
    field.text = span_.view();
    if (is_weekday_field() && peek() == '+' && !is_foreign()) {
      ++at_;
      if (at_end()) return fail_here("number_expected", "a weekday is needed after '+'");
      syntax.needs_both_days = true;
    }
    for (;;) {
      CHRONOS_TRY(auto item, parse_item());
      if (is_foreign() && is_weekday_field() && item.kind != ItemKind::nth_weekday) {
        item.low -= 1;
        item.high -= 1;
      }
      field.items.push_back(item);
      if (at_end()) return {};
      ++at_;  // the comma: an item ends at nothing else
    }
  }

 private:
  // --- The text ---

  bool at_end() const { return at_ == span_.end; }
  char peek() const { return at_end() ? '\0' : span_.text[at_]; }
  bool at_item_end() const { return at_end() || peek() == ','; }
  bool accept(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  std::string_view slice(std::size_t begin, std::size_t end) const {
    return span_.text.substr(begin, end - begin);
  }
  std::string_view run_of(bool (*is_part)(char)) const {
    std::size_t end = at_;
    while (end < span_.end && is_part(span_.text[end])) ++end;
    return slice(at_, end);
  }
  bool is_foreign() const { return dialect_ != Dialect::chronos; }
  bool is_quartz() const { return dialect_ == Dialect::quartz; }
  bool is_weekday_field() const { return kind_ == FieldKind::day_of_week; }
  bool is_day_field() const { return kind_ == FieldKind::day_of_month; }

  // L and W; Quartz takes them in small letters too.
  bool is_at_letter(char capital) const {
    return peek() == capital || (is_quartz() && ascii::upper(peek()) == capital);
  }

  // --- Errors ---

  Failure fail_at(std::size_t begin, std::size_t length, std::string code, std::string message,
                  std::string hint = {}) const {
    return Failure(
        error_at(begin, length, rule_.name, std::move(code), std::move(message), std::move(hint)));
  }
  // At the current character, or at the end if there is none.
  Failure fail_here(std::string code, std::string message, std::string hint = {}) const {
    return fail_at(at_, at_end() ? 0 : 1, std::move(code), std::move(message), std::move(hint));
  }
  Failure unexpected_here(std::string_view after = {}) const {
    return fail_here("unexpected_char", fmt::format("unexpected '{}'{}{}", peek(),
                                                    after.empty() ? "" : " after ", after));
  }
  Failure out_of_range(std::size_t begin, std::string_view written, int low, int high) const {
    return fail_at(begin, written.size(), "out_of_range",
                   fmt::format("{} is outside {}-{}", written, low, high));
  }
  Failure wrong_case(std::size_t begin, std::string_view word) const {
    return fail_at(begin, word.size(), "letter_case",
                   word.size() == 1 ? fmt::format("'{}' must be a capital letter", word)
                                    : fmt::format("'{}' must be capital letters", word),
                   ascii::upper_case(word));
  }

  // --- Items ---

  Parsed<CronItem> parse_item() {
    const char c = peek();
    if (at_item_end()) return fail_here("empty_item", "a list item is empty");
    if (c == '*' || c == '?') return parse_star();
    if (c == '~' && !is_foreign()) return parse_tilde(std::nullopt);
    if (c == '/' && is_quartz()) return parse_star();
    if (ascii::is_digit(c)) return parse_from_value();
    if (ascii::is_letter(c)) return parse_from_word();
    return fail_item_start(c);
  }

  Failure fail_item_start(char c) const {
    switch (c) {
      case '-':
        return fail_here("number_expected", "expected a value, found '-'");
      case '/': {
        std::size_t end = at_ + 1;
        while (end < span_.end && ascii::is_digit(span_.text[end])) ++end;
        const auto step = slice(at_ + 1, end);
        const bool is_path = end < span_.end && ascii::is_letter(span_.text[end]);
        return fail_here("step_base", "a step needs '*', a value or a range before it",
                         is_weekday_field() && is_path
                             ? std::string(kCommandHint)
                             : fmt::format("write */{}", step.empty() ? "5" : step));
      }
      case '+':
        if (is_foreign()) return unexpected_here();
        return fail_here("plus_place", "'+' may only open the day-of-week field");
      case '#':
        return is_weekday_field() ? fail_here("number_expected", "a weekday is needed before '#'")
                                  : fail_here("nth_field", "'#' is only for day-of-week");
      default:
        return unexpected_here();
    }
  }

  Parsed<CronItem> parse_star() {
    const bool is_question = peek() == '?';
    if (is_question && !is_day_field() && !is_weekday_field()) {
      return fail_here("question_field", "'?' is only for day-of-month and day-of-week", "use '*'");
    }
    if (is_question && is_foreign() && span_.end - span_.begin > 1) {
      return fail_here("question_alone", "'?' stands alone in its field");
    }
    if (peek() != '/') ++at_;  // Quartz: "/5" is "*/5"
    CronItem item{
        .kind = ItemKind::star, .low = rule_.low, .high = rule_.high, .is_question = is_question};
    // Weekday 7 is Sunday once more; "*/2" is 0, 2, 4, 6.
    if (is_weekday_field() && !is_foreign()) item.high = 6;
    if (peek() != '/' && !at_item_end()) return unexpected_here(is_question ? "'?'" : "'*'");
    CHRONOS_TRY_VOID(parse_step(item));
    return item;
  }

  // An optional "/n", and then the end of the item.
  Parsed<void> parse_step(CronItem& item) {
    if (accept('/')) {
      const auto digits = run_of(ascii::is_digit);
      if (digits.empty()) {
        return fail_here("step_missing", "a whole number is needed after '/'");
      }
      if (digits.size() > 6) return out_of_range(at_, digits, 1, kStepMax);
      item.step = std::stoi(std::string(digits));
      item.has_step = true;
      if (item.step == 0) {
        return fail_at(at_, digits.size(), "step_zero", "a step of 0 never advances");
      }
      at_ += digits.size();
      if (peek() == '/') return fail_here("double_step", "only one '/' per item");
      if (!at_item_end()) return unexpected_here("the step");
    }
    if (!at_item_end()) return unexpected_here();
    return {};
  }

  Parsed<CronItem> parse_from_word() {
    const auto word = run_of(ascii::is_letter);
    if (word == "H" && !is_foreign()) return parse_hash();
    if (word == "h" && !is_foreign()) return wrong_case(at_, word);
    const auto capitals = ascii::upper_case(word);
    if (capitals == "L" || capitals == "LW") return parse_last_day(word);
    if (capitals == "W") {
      if (!is_day_field()) return fail_here("weekday_field", "'W' is only for day-of-month");
      return fail_here("number_expected", "a day is needed before 'W'", "15W or LW");
    }
    return parse_from_value();
  }

  // L, L-3, LW, L-3W.
  Parsed<CronItem> parse_last_day(std::string_view word) {
    if (is_weekday_field() && is_foreign() && word.size() == 1 && is_at_letter('L')) {
      ++at_;
      if (!at_item_end()) return unexpected_here("'L'");
      return CronItem{.low = 7, .high = 7, .is_number = false};
    }
    if (is_weekday_field() && is_foreign()) {
      return fail_here("last_weekday", "'LW' is only for day-of-month",
                       "6L or FRIL is the last Friday");
    }
    if (is_weekday_field()) {
      return fail_here("last_weekday", fmt::format("'{}' needs a weekday here", peek()),
                       "5L or FRI#L is the last Friday");
    }
    if (!is_day_field()) {
      return fail_here("last_field",
                       fmt::format("'{}' is only for day-of-month and day-of-week", peek()));
    }
    if (ascii::upper_case(word) != word && !is_quartz()) return wrong_case(at_, word);
    at_ += word.size();
    CronItem item{.kind = ItemKind::last_day, .moves_to_weekday = word.size() == 2};
    if (!item.moves_to_weekday && accept('-')) {
      const auto digits = run_of(ascii::is_digit);
      if (digits.empty()) return fail_here("number_expected", "a value is missing here");
      item.low = digits.size() > 9 ? kStepMax : std::stoi(std::string(digits));
      if (item.low < 1 || item.low > 30) return out_of_range(at_, digits, 1, 30);
      at_ += digits.size();
      if (peek() == 'w' && !is_quartz()) return wrong_case(at_, "w");
      item.moves_to_weekday = is_at_letter('W');
      if (item.moves_to_weekday) ++at_;
    }
    if (!at_item_end()) return unexpected_here(item.moves_to_weekday ? "'W'" : "'L'");
    return item;
  }

  // Anything that begins with a number or a name.
  Parsed<CronItem> parse_from_value() {
    CHRONOS_TRY(const auto value, parse_value());
    CronItem item{.kind = ItemKind::value,
                  .low = value.number,
                  .high = value.number,
                  .is_number = !value.is_name};
    switch (peek()) {
      case '-':
        return parse_range(value);
      case '~':
        if (is_foreign()) return unexpected_here();
        return parse_tilde(value);
      case '/':
        item.kind = ItemKind::range;
        item.high = rule_.high;
        break;
      case '#':
        return parse_nth(value);
      case 'L':
      case 'l':
        return parse_last_of(value);
      case 'W':
      case 'w':
        return parse_nearest(value);
      default:
        break;
    }
    CHRONOS_TRY_VOID(parse_step(item));
    return item;
  }

  Parsed<CronItem> parse_range(const Value& first) {
    ++at_;  // the hyphen
    if (at_item_end()) return fail_here("number_expected", "a value is missing here");
    if (!ascii::is_digit(peek()) && !ascii::is_letter(peek())) {
      return fail_here("number_expected", fmt::format("expected a value, found '{}'", peek()));
    }
    if (is_day_field() && ascii::upper(peek()) == 'L') {
      return fail_here("last_range", "'L' cannot end a range", "list the days: 28,29,L");
    }
    CHRONOS_TRY(const auto second, parse_value());
    int high = second.number;
    if (is_weekday_field() && high == 0 && first.number > 0) high = 7;  // FRI-SUN
    if (first.number > high && is_quartz() && kind_ != FieldKind::year) {
      high += rule_.high - rule_.low + 1;  // goes on at the field's beginning
    }
    if (first.number > high) return fail_reversed(first, second);
    if (auto refused = refuse_after_range()) return std::move(*refused);
    CronItem item{
        .kind = ItemKind::range, .low = first.number, .high = high, .is_number = !first.is_name};
    CHRONOS_TRY_VOID(parse_step(item));
    return item;
  }

  std::optional<Failure> refuse_after_range() const {
    switch (peek()) {
      case '-':
        return fail_here("range_syntax", "a range has two ends");
      case '#':
        if (!is_weekday_field()) return fail_here("nth_field", "'#' is only for day-of-week");
        return fail_here("nth_range_form", "'#' cannot follow a range",
                         "list the days: MON#1,TUE#1");
      case 'L':
        if (!is_weekday_field()) {
          return fail_here("last_field", "'L' after a value is only for day-of-week");
        }
        return fail_here("last_range", "'L' cannot follow a range", "list the days: MONL,TUEL");
      case 'W':
        if (!is_day_field()) return fail_here("weekday_field", "'W' is only for day-of-month");
        return fail_here("weekday_range", "'W' cannot follow a range");
      default:
        return std::nullopt;
    }
  }

  // The hint writes what the author most likely meant: the range that wraps around.
  Failure fail_reversed(const Value& first, const Value& second) const {
    const auto part = [](int low, int high) {
      return low == high ? fmt::format("{}", low) : fmt::format("{}-{}", low, high);
    };
    std::string hint;
    const int top = is_weekday_field() && !is_foreign() ? 6 : rule_.high;
    const int step = step_ahead();
    if (kind_ == FieldKind::year) {
      hint = part(second.number, first.number);
    } else if (step > 1) {
      const int size = top - rule_.low + 1;
      for (int value = first.number; value <= second.number + size; value += step) {
        hint += fmt::format("{}{}", hint.empty() ? "" : ",", value > top ? value - size : value);
      }
    } else if (first.number > top) {
      hint = part(rule_.low, second.number);  // 7-2: seven is Sunday, the first day
    } else {
      hint = part(first.number, top) + "," + part(rule_.low, second.number);
    }
    const auto written = slice(first.begin, second.end);
    return fail_at(first.begin, written.size(), "range_reversed",
                   fmt::format("range '{}' runs backwards", written), "write " + hint);
  }

  // The step after a range that is being refused; 1 if there is none.
  int step_ahead() const {
    if (peek() != '/') return 1;
    int step = 0;
    for (auto at = at_ + 1; at < span_.end && ascii::is_digit(span_.text[at]) && step < 100; ++at) {
      step = step * 10 + (span_.text[at] - '0');
    }
    return std::max(step, 1);
  }

  // MON#2, MON#L.
  Parsed<CronItem> parse_nth(const Value& weekday) {
    if (!is_weekday_field()) return fail_here("nth_field", "'#' is only for day-of-week");
    ++at_;
    CronItem item{
        .kind = ItemKind::nth_weekday, .low = our_weekday(weekday), .is_number = !weekday.is_name};
    const auto digits = run_of(ascii::is_digit);
    if (peek() == 'l' && !is_quartz()) return wrong_case(at_, "l");
    if (is_at_letter('L')) {
      ++at_;
      item.nth = 0;
    } else if (digits.empty()) {
      return fail_here("number_expected", "1-5 or L is needed after '#'");
    } else {
      item.nth = digits.size() > 9 ? kStepMax : std::stoi(std::string(digits));
      if (item.nth < 1 || item.nth > 5) {
        return fail_at(at_, digits.size(), "nth_range",
                       fmt::format("occurrence {} is outside 1-5", digits));
      }
      at_ += digits.size();
    }
    if (!at_item_end()) return unexpected_here();
    return item;
  }

  // 5L, FRIL.
  Parsed<CronItem> parse_last_of(const Value& weekday) {
    if (!is_weekday_field()) {
      return fail_here("last_field", "'L' after a value is only for day-of-week");
    }
    if (peek() == 'l' && !is_quartz()) return wrong_case(at_, "l");
    ++at_;
    if (!at_item_end()) return unexpected_here("'L'");
    return CronItem{
        .kind = ItemKind::nth_weekday, .low = our_weekday(weekday), .is_number = !weekday.is_name};
  }

  // 15W.
  Parsed<CronItem> parse_nearest(const Value& day) {
    if (!is_day_field()) return fail_here("weekday_field", "'W' is only for day-of-month");
    if (peek() == 'w' && !is_quartz()) return wrong_case(at_, "w");
    ++at_;
    if (!at_item_end()) return unexpected_here("'W'");
    return CronItem{.kind = ItemKind::nearest_weekday, .low = day.number};
  }

  // --- Values ---

  int our_weekday(const Value& value) const {
    return is_foreign() ? value.number - 1 : value.number % 7;
  }

  Parsed<Value> parse_value() {
    const auto begin = at_;
    if (ascii::is_letter(peek())) return parse_name();
    const auto digits = run_of(ascii::is_digit);
    const int number = digits.size() > 9 ? -1 : std::stoi(std::string(digits));
    if (number < rule_.low || number > rule_.high) {
      return out_of_range(begin, digits, rule_.low, rule_.high);
    }
    at_ += digits.size();
    return Value{number, false, begin, at_};
  }

  Parsed<Value> parse_name() {
    const auto word = run_of(ascii::is_letter);
    const auto capitals = ascii::upper_case(word);
    const auto begin = at_;
    const auto number_of = [&](std::string_view name) -> std::optional<int> {
      if (kind_ == FieldKind::month) return month_number(name);
      if (!is_weekday_field()) return std::nullopt;
      const auto weekday = weekday_number(name);
      return weekday ? std::optional(*weekday + rule_.low) : std::nullopt;
    };
    // FRIL is FRI with the suffix L; the caller reads the suffix.
    const bool has_suffix = word.size() == 4 && (capitals[3] == 'L' || capitals[3] == 'W');
    const auto name = std::string_view(capitals).substr(0, has_suffix ? 3 : capitals.size());
    if (const auto number = number_of(name)) {
      at_ += name.size();
      return Value{*number, true, begin, at_};
    }
    return fail_name(word, capitals);
  }

  Failure fail_name(std::string_view word, std::string_view capitals) const {
    const auto fail = [&](std::string code, std::string message, std::string hint) {
      return fail_at(at_, word.size(), std::move(code), std::move(message), std::move(hint));
    };
    if (month_number(capitals)) {
      return fail("name_in_wrong_field", fmt::format("'{}' is a month name", word), "");
    }
    if (weekday_number(capitals)) {
      return fail("name_in_wrong_field", fmt::format("'{}' is a weekday name", word), "");
    }
    auto hint = short_form(capitals);
    if (is_weekday_field() && hint.empty() && is_lower_case(word)) hint = kCommandHint;
    return fail("unknown_name", fmt::format("unknown name '{}'", word), hint);
  }

  // MONDAY, SEPT, TUES: any longer spelling of one of the field's names.
  std::string short_form(std::string_view capitals) const {
    const auto offer = [&](const auto& names) -> std::string {
      for (const std::string_view name : names) {
        if (capitals.size() > 3 && name.starts_with(capitals)) {
          return fmt::format("write {}", name.substr(0, 3));
        }
      }
      return {};
    };
    if (kind_ == FieldKind::month) return offer(kLongMonths);
    if (is_weekday_field()) return offer(kLongWeekdays);
    return {};
  }

  // --- Hashes ---

  // H, H(a-b), each perhaps with a step.
  Parsed<CronItem> parse_hash() {
    if (rule_.hash_letter == '\0') return fail_here("hash_field", "'H' is not for the year");
    ++at_;
    int low = rule_.low;
    int high = rule_.hash_high;
    if (accept('(')) {
      const auto value_here = [&]() -> Parsed<Value> {
        if (ascii::is_digit(peek()) || ascii::is_letter(peek())) return parse_value();
        return fail_here("number_expected", "a value is missing here");
      };
      CHRONOS_TRY(const auto first, value_here());
      if (!accept('-')) return fail_here("hash_syntax", "'-' is missing here", "H(0-29)");
      CHRONOS_TRY(const auto second, value_here());
      if (!accept(')')) return fail_here("hash_syntax", "')' is missing here", "H(0-29)");
      low = first.number;
      high = second.number;
      if (is_weekday_field() && high == 0 && low > 0) high = 7;
      if (low > high) {
        const auto written = slice(first.begin, second.end);
        return fail_at(first.begin, written.size(), "range_reversed",
                       fmt::format("range {} runs backwards", written));
      }
    }
    if (peek() != '/' && !at_item_end()) return unexpected_here("'H'");
    return picked(low, high);
  }

  // a~b, a~, ~b, ~.
  Parsed<CronItem> parse_tilde(std::optional<Value> first) {
    if (rule_.hash_letter == '\0') return fail_here("hash_field", "'~' is not for the year");
    ++at_;
    int low = first ? first->number : rule_.low;
    int high = rule_.hash_high;
    if (ascii::is_digit(peek()) || ascii::is_letter(peek())) {
      CHRONOS_TRY(const auto second, parse_value());
      high = second.number;
      if (is_weekday_field() && high == 0 && low > 0) high = 7;
      if (low > high) {
        const auto begin = first ? first->begin : second.begin;
        const auto written = slice(begin, second.end);
        return fail_at(begin, written.size(), "range_reversed",
                       fmt::format("range '{}' runs backwards", written));
      }
    } else if (first) {
      high = is_weekday_field() && low == 0 ? 6 : rule_.high;  // 0~ counts Sunday once
    }
    if (peek() != '/' && !at_item_end()) return unexpected_here("'~'");
    return picked(low, high);
  }

  Parsed<CronItem> picked(int low, int high) {
    CronItem item{.kind = ItemKind::hash, .low = low, .high = high};
    CHRONOS_TRY_VOID(parse_step(item));
    const auto hash = field_hash(seed_, rule_.hash_letter);
    const int count = high - low + 1;
    item.low += pick(hash, item.has_step ? std::min(item.step, count) : count);
    if (!item.has_step) item.high = item.low;
    return item;
  }

  TextSpan span_;
  Dialect dialect_;
  const FieldRule& rule_;
  FieldKind kind_;
  std::string_view seed_;
  std::size_t at_;
};

}  // namespace

Parsed<void> parse_field(const TextSpan& span, FieldKind kind, std::string_view seed,
                         CronSyntax& syntax) {
  return FieldParser(span, kind, seed, syntax.dialect).parse(syntax);
}

}  // namespace chronos::schedule
