// What a cron text says, item by item, before it becomes masks: the parser's product, from which
// the search masks, the clock-change class, the warnings and the English words are made.
// Internal to this folder. Plain values, immutable once parsed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schedule/schedule_error.h"

namespace chronos::schedule {

// Whose spelling a text has. Dialects differ in words; what they mean is the same afterwards.
enum class Dialect { chronos, aws, quartz, systemd };

// In the order of the seven-field form.
enum class FieldKind { second, minute, hour, day_of_month, month, day_of_week, year };

inline constexpr std::size_t kFieldCount = 7;
inline constexpr int kFirstYear = 1970;
inline constexpr int kLastYear = 2199;

struct FieldRule {
  FieldKind kind;
  std::string_view name;  // as in error messages
  int low;
  int high;          // day-of-week: 7, which is Sunday once more
  int hash_high;     // the default end of H (days 1-28, weekdays 0-6)
  char hash_letter;  // which field the hash is for; 0 = H is not allowed
};

const FieldRule& rule_of(FieldKind kind);

// "JAN"…"DEC" and "SUN"…"SAT": three capital letters; by number, months from 1.
std::string_view month_name(int month);
std::string_view weekday_name(int weekday);

// The number of such a name, in capitals; weekdays from Sunday = 0.
std::optional<int> month_number(std::string_view name);
std::optional<int> weekday_number(std::string_view name);

// The whole names, in capitals.
inline constexpr std::array<std::string_view, 12> kLongMonths = {
    "JANUARY", "FEBRUARY", "MARCH",     "APRIL",   "MAY",      "JUNE",
    "JULY",    "AUGUST",   "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"};
inline constexpr std::array<std::string_view, 7> kLongWeekdays = {
    "SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"};

enum class ItemKind {
  star,             // * and ?, perhaps with a step
  value,            // 5, MON
  range,            // 1-5, 1-30/2, and 5/10, which runs to the field's end
  hash,             // H, H(0-29)/10, 0~29: already picked; low, high, step say what it became
  last_day,         // L, L-3, LW: low = days before the last
  nearest_weekday,  // 15W: low = the day
  nth_weekday,      // MON#2, FRIL, FRI#L: low = the weekday 0-6, nth 1-5, 0 = last
};

struct CronItem {
  ItemKind kind = ItemKind::value;
  int low = 0;
  int high = 0;
  int step = 1;
  bool has_step = false;          // "/" is written
  bool is_question = false;       // star: written "?"
  bool is_number = true;          // the first value is written in digits
  bool moves_to_weekday = false;  // last_day: with W
  int nth = 0;
};

// Calls set(value) for every value of the item. Where a Quartz range such as FRI-TUE runs past the
// field's end, it goes on at its beginning; weekday 7 is 0.
template <class Set>
void for_each_value(FieldKind kind, const CronItem& item, Set set) {
  const auto& rule = rule_of(kind);
  const int top = kind == FieldKind::day_of_week ? 6 : rule.high;
  for (int value = item.low; value <= item.high; value += item.step) {
    set(value > top ? value - (top - rule.low + 1) : value);
  }
}

struct CronField {
  std::string text;  // as written; empty when the field was left out
  std::vector<CronItem> items;
};

// §3: an item * or ?, also with the step 1, makes its whole field no restriction.
bool is_unrestricted(const CronField& field);

struct CronSyntax {
  std::array<CronField, kFieldCount> fields;  // by FieldKind; an omitted field has its default
  bool has_seconds = false;
  bool has_year = false;
  bool needs_both_days = false;  // "+" before the weekday field
  Dialect dialect = Dialect::chronos;

  const CronField& field(FieldKind kind) const { return fields[static_cast<std::size_t>(kind)]; }
};

// A part [begin, end) of a schedule text that passed check_text(): columns count from the start of
// the whole text.
struct TextSpan {
  std::string_view text;
  std::size_t begin = 0;
  std::size_t end = 0;

  std::string_view view() const { return text.substr(begin, end - begin); }
  bool empty() const { return begin == end; }
};

// Length, emptiness and characters (schedule.md §10, the first three checks). Returns the text
// without blanks at its ends. From here on a column is a byte offset + 1.
Parsed<TextSpan> check_text(std::string_view text);

// The blank-separated words of a checked text.
std::vector<TextSpan> split_words(const TextSpan& span);

// An error at a byte of a checked text.
ScheduleError error_at(std::size_t byte, std::size_t length, std::string_view field,
                       std::string code, std::string message, std::string hint = {});

// The same for a whole span.
std::unexpected<ScheduleError> refuse(const TextSpan& span, std::string code, std::string message,
                                      std::string hint = {});

// Gives the seconds and the year their defaults, where the text has none.
void fill_omitted(CronSyntax& syntax);

// Five, six or seven fields. `seed` drives H and ~.
Parsed<CronSyntax> parse_fields(const TextSpan& span, std::string_view seed);

// One field, in the dialect of `syntax` (not systemd's); sets syntax.fields[kind] and, for "+",
// needs_both_days.
Parsed<void> parse_field(const TextSpan& span, FieldKind kind, std::string_view seed,
                         CronSyntax& syntax);

// The stable hash of §5, and its pick of one of n values (n <= 2^32).
std::uint64_t field_hash(std::string_view seed, char letter);
int pick(std::uint64_t hash, int n);

}  // namespace chronos::schedule
