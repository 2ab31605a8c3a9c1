// The outer part of the cron parser: characters, words, number of fields, and the tables of fields
// and names. cron_field.cc reads the inside of one field.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "schedule/cron_syntax.h"

namespace chronos::schedule {
namespace {

constexpr std::size_t kTextMax = 1024;  // code points

constexpr std::array<FieldRule, kFieldCount> kRules = {{
    {FieldKind::second, "second", 0, 59, 59, 's'},
    {FieldKind::minute, "minute", 0, 59, 59, 'm'},
    {FieldKind::hour, "hour", 0, 23, 23, 'h'},
    {FieldKind::day_of_month, "day-of-month", 1, 31, 28, 'D'},
    {FieldKind::month, "month", 1, 12, 12, 'M'},
    {FieldKind::day_of_week, "day-of-week", 0, 7, 6, 'W'},
    {FieldKind::year, "year", kFirstYear, kLastYear, kLastYear, '\0'},
}};

bool is_end_blank(char c) {
  return ascii::is_blank(c) || c == '\r' || c == '\n';
}

// The code point at `at` and how many bytes it has. Bytes that are not UTF-8 count one by one.
struct CodePoint {
  char32_t value;
  std::size_t size;
};

CodePoint code_point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = byte(at);
  const std::size_t size = lead < 0x80   ? 1
                           : lead < 0xC2 ? 0
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                           : lead < 0xF5 ? 4
                                         : 0;
  if (size <= 1 || at + size > text.size()) return {lead, 1};
  char32_t value = lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {lead, 1};
    value = value << 6 | (byte(at + i) & 0x3Fu);
  }
  return {value, size};
}

std::optional<ScheduleError> too_long(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) {
    if (count == kTextMax) {
      auto error = error_at(at, 0, "", "too_long",
                            fmt::format("a schedule has at most {} characters", kTextMax));
      error.column = static_cast<int>(kTextMax) + 1;
      return error;
    }
    at += code_point_at(text, at).size;
  }
  return std::nullopt;
}

// Six fields whose last is a year, and a whole crontab line, are the two common wrong counts.
std::string count_hint(const std::vector<TextSpan>& words) {
  const auto looks_like_command = [&](std::size_t index) {
    if (index >= words.size()) return false;
    const char c = words[index].view().front();
    return c == '/' || ascii::is_lower(c);
  };
  return looks_like_command(5) || looks_like_command(6)
             ? "a crontab command is not part of the schedule"
             : "";
}

bool is_four_digits(std::string_view word) {
  return word.size() == 4 && std::ranges::all_of(word, ascii::is_digit);
}

}  // namespace

const FieldRule& rule_of(FieldKind kind) {
  return kRules[static_cast<std::size_t>(kind)];
}

bool is_unrestricted(const CronField& field) {
  return std::ranges::any_of(field.items, [](const CronItem& item) {
    return item.kind == ItemKind::star && item.step == 1;
  });
}

ScheduleError error_at(std::size_t byte, std::size_t length, std::string_view field,
                       std::string code, std::string message, std::string hint) {
  return {.code = std::move(code),
          .field = std::string(field),
          .column = static_cast<int>(byte) + 1,
          .length = static_cast<int>(length),
          .byte_offset = static_cast<int>(byte),
          .message = std::move(message),
          .hint = std::move(hint)};
}

Parsed<TextSpan> check_text(std::string_view text) {
  if (auto error = too_long(text)) return std::unexpected(std::move(*error));
  TextSpan span{text, 0, text.size()};
  while (!span.empty() && is_end_blank(text[span.begin])) ++span.begin;
  while (!span.empty() && is_end_blank(text[span.end - 1])) --span.end;
  if (span.empty()) {
    return std::unexpected(error_at(0, 0, "", "empty", "the schedule is empty"));
  }
  for (std::size_t at = span.begin; at < span.end; ++at) {
    const auto point = code_point_at(text, at);
    if ((point.value >= ' ' && point.value <= '~') || point.value == '\t') continue;
    const bool is_stray = point.size == 1 && point.value >= 0x80;
    return std::unexpected(error_at(
        at, 1, "", "unexpected_char",
        is_stray
            ? fmt::format("byte 0x{:02X} is not UTF-8", static_cast<std::uint32_t>(point.value))
            : fmt::format("character U+{:04X} is not allowed",
                          static_cast<std::uint32_t>(point.value))));
  }
  return span;
}

std::vector<TextSpan> split_words(const TextSpan& span) {
  std::vector<TextSpan> words;
  std::size_t at = span.begin;
  while (at < span.end) {
    while (at < span.end && ascii::is_blank(span.text[at])) ++at;
    const auto begin = at;
    while (at < span.end && !ascii::is_blank(span.text[at])) ++at;
    if (at > begin) words.push_back({span.text, begin, at});
  }
  return words;
}

std::unexpected<ScheduleError> refuse(const TextSpan& span, std::string code, std::string message,
                                      std::string hint) {
  return std::unexpected(error_at(span.begin, span.end - span.begin, "", std::move(code),
                                  std::move(message), std::move(hint)));
}

void fill_omitted(CronSyntax& syntax) {
  if (!syntax.has_seconds) {
    syntax.fields[static_cast<std::size_t>(FieldKind::second)].items.push_back(CronItem{});
  }
  if (!syntax.has_year) {
    syntax.fields[static_cast<std::size_t>(FieldKind::year)].items.push_back(
        {.kind = ItemKind::star, .low = kFirstYear, .high = kLastYear});
  }
}

Parsed<CronSyntax> parse_fields(const TextSpan& span, std::string_view seed) {
  const auto words = split_words(span);
  if (words.size() < 5 || words.size() > kFieldCount) {
    const bool is_short = words.size() < 5;
    const auto at = is_short ? span.end : words[kFieldCount].begin;
    const auto length = is_short ? 0 : words[kFieldCount].view().size();
    return std::unexpected(error_at(
        at, length, "", "field_count",
        fmt::format("expected 5, 6 or 7 fields, found {}", words.size()), count_hint(words)));
  }
  CronSyntax syntax;
  syntax.has_seconds = words.size() >= 6;
  syntax.has_year = words.size() == kFieldCount;
  const std::size_t first = syntax.has_seconds ? 0 : 1;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto read = parse_field(words[i], static_cast<FieldKind>(first + i), seed, syntax);
    if (read) continue;
    auto error = read.error();
    if (words.size() == 6 && is_four_digits(words.back().view())) {
      error.hint = "six fields are read seconds-first; a year needs the seven-field form";
    }
    return std::unexpected(std::move(error));
  }
  fill_omitted(syntax);
  return syntax;
}

}  // namespace chronos::schedule
