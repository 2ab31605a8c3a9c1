#include "schedule/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "base/time_text.h"
#include "schedule/dialects.h"

namespace chronos::schedule {
namespace {

using std::chrono::seconds;

// --- @every ---

struct Unit {
  char letter;
  seconds length;
};

constexpr std::array<Unit, 5> kUnits = {{{'w', std::chrono::days(7)},
                                         {'d', std::chrono::days(1)},
                                         {'h', std::chrono::hours(1)},
                                         {'m', std::chrono::minutes(1)},
                                         {'s', seconds(1)}}};

// "1h30m": units in falling order, whole numbers, at most nine digits each.
std::optional<seconds> read_duration(std::string_view text) {
  seconds total{0};
  auto unit = kUnits.begin();
  while (!text.empty()) {
    std::size_t digits = 0;
    std::int64_t count = 0;
    while (digits < text.size() && ascii::is_digit(text[digits])) {
      if (digits == 9) return std::nullopt;
      count = count * 10 + (text[digits++] - '0');
    }
    if (digits == 0 || digits == text.size()) return std::nullopt;
    unit =
        std::find_if(unit, kUnits.end(), [&](const Unit& u) { return u.letter == text[digits]; });
    if (unit == kUnits.end()) return std::nullopt;
    total += count * unit++->length;
    text.remove_prefix(digits + 1);
  }
  return total;
}

// What a text that is nearly a duration should be: "1.5h" -> "1h30m", "90" -> "1m30s".
std::string duration_hint(std::string_view text) {
  auto meant = parse_duration(text);
  if (!meant && text.size() > 2) {
    // A fraction of a unit, which base does not read: n.m x unit, in whole seconds.
    const auto unit = std::ranges::find(kUnits, text.back(), &Unit::letter);
    const auto count = parse_duration(text.substr(0, text.size() - 1));
    if (unit != kUnits.end() && count && *count < kLongestPeriod / unit->length.count()) {
      meant = *count * unit->length.count();
    }
  }
  if (!meant || *meant < seconds(1) || *meant % seconds(1) != Duration(0)) return {};
  return format_duration(*meant);
}

Parsed<EveryText> parse_every(const TextSpan& span) {
  const auto words = split_words(span);
  if (words.size() == 1) {
    return refuse({span.text, span.end, span.end}, "bad_duration",
                  "a duration is needed after @every");
  }
  if (words.size() > 2) {
    return refuse({span.text, words[2].begin, span.end}, "nickname_extra",
                  "nothing may follow the duration", "write it in one piece: @every 1h30m");
  }
  const auto text = words[1].view();
  const auto period = read_duration(text);
  if (!period) {
    return refuse(words[1], "bad_duration", fmt::format("'{}' is not a duration", text),
                  duration_hint(text));
  }
  if (*period < seconds(1)) {
    return refuse(words[1], "bad_duration", "the shortest interval is 1s");
  }
  if (*period > kLongestPeriod) {
    return refuse(words[1], "bad_duration", "the longest interval is 100 years");
  }
  return EveryText{*period};
}

// --- Times ---

// "2026-": no cron field looks like that.
bool looks_like_time(std::string_view text) {
  return text.size() > 4 && text[4] == '-' &&
         std::all_of(text.begin(), text.begin() + 4, ascii::is_digit);
}

Parsed<ExpressionBody> parse_at(const TextSpan& span) {
  const auto words = split_words(span);
  if (words.size() == 1) {
    return refuse({span.text, span.end, span.end}, "bad_time", "a time is needed after @at");
  }
  return parse_time({span.text, words[1].begin, span.end});
}

// --- Other spellings ---

struct Form {
  std::string_view prefix;
  Parsed<void> (*parse)(const TextSpan& span, Expression& expression);
};

constexpr std::array<Form, 5> kForms = {{
    {"rate(", parse_aws_rate},
    {"at(", parse_aws_at},
    {"cron(", parse_aws_cron},
    {"quartz:", parse_quartz},
    {"systemd:", parse_systemd},
}};

// R/…, R5/…, R-1/…
bool is_repeat(std::string_view text) {
  const auto end = text.find_first_not_of("-0123456789", 1);
  return text.starts_with('R') && end != std::string_view::npos && text[end] == '/';
}

bool is_rrule(std::string_view text) {
  return text.starts_with("RRULE:") || text.starts_with("FREQ=") || text.starts_with("DTSTART");
}

// --- The TZ= prefix ---

Parsed<TextSpan> parse_zone(const TextSpan& span, Expression& expression) {
  std::size_t begin = span.begin;
  if (span.view().starts_with("CRON_TZ=")) {
    begin += 8;
  } else if (span.view().starts_with("TZ=")) {
    begin += 3;
  } else {
    return span;
  }
  std::size_t end = begin;
  while (end < span.end && span.text[end] != ' ' && span.text[end] != '\t') ++end;
  const auto name = span.text.substr(begin, end - begin);
  auto zone = TimeZone::find(name);
  if (!zone) {
    const auto& field = zone.error().fields.front();
    return refuse({span.text, begin, end}, field.code, field.message, field.hint);
  }
  expression.zone = *zone;
  expression.zone_column = static_cast<int>(begin) + 1;
  const auto rest = trimmed({span.text, end, span.end});
  if (rest.empty()) return refuse(rest, "empty", "a schedule is needed after the time zone");
  return rest;
}

Parsed<StartUpText> parse_start_up(const TextSpan& span) {
  const auto words = split_words(span);
  if (words.size() == 1) return StartUpText{};
  return refuse(words[1], "nickname_extra", "nothing may follow @reboot");
}

Parsed<void> parse_body(const TextSpan& span, std::string_view seed, Expression& expression) {
  const auto first = split_words(span).front();
  const auto word = first.view();
  if (is_repeat(word)) return parse_repeat(span, expression);
  for (const auto& form : kForms) {
    if (word.starts_with(form.prefix)) return form.parse(span, expression);
  }
  if (is_rrule(word)) {
    return refuse(first, "not_supported_yet", "an iCalendar RRULE is not supported yet",
                  "R/2026-01-31T09:00:00/P1M repeats by the calendar");
  }
  if (word == "@every") {
    CHRONOS_TRY(expression.body, parse_every(span));
  } else if (word == "@reboot") {
    CHRONOS_TRY(expression.body, parse_start_up(span));
  } else if (word == "@at") {
    CHRONOS_TRY(expression.body, parse_at(span));
  } else if (looks_like_time(word)) {
    CHRONOS_TRY(expression.body, parse_time(span));
  } else {
    CHRONOS_TRY(expression.body, Cron::parse_span(span, seed));
  }
  return {};
}

}  // namespace

Parsed<Expression> parse_expression(std::string_view text, std::string_view seed) {
  CHRONOS_TRY(const auto span, check_text(text));
  Expression expression{.zone = std::nullopt, .zone_column = 0, .body = EveryText{}};
  CHRONOS_TRY(const auto body, parse_zone(span, expression));
  CHRONOS_TRY_VOID(parse_body(body, seed, expression));
  return expression;
}

Parsed<ExpressionBody> parse_time(const TextSpan& span) {
  const auto text = span.view();
  if (text.empty()) return refuse(span, "bad_time", "a time is needed here");
  if (const auto instant = parse_timestamp(text)) return InstantText{*instant};
  // A local time is what becomes an RFC 3339 instant with a Z; seconds may be left out.
  for (const std::string_view end : {"Z", ":00Z"}) {
    if (!ascii::is_digit(text.back())) break;
    const auto local = parse_timestamp(std::string(text) + std::string(end));
    if (!local) continue;
    return LocalText{std::chrono::local_time<Duration>(local->time_since_epoch()),
                     static_cast<int>(span.begin) + 1, static_cast<int>(text.size())};
  }
  return refuse(span, "bad_time",
                fmt::format("'{}' is not a time of the years 1970-2199", text.substr(0, 64)),
                "2026-03-08T07:30:00Z, or 2026-03-08T07:30:00 for the job's zone");
}

TextSpan trimmed(TextSpan span) {
  while (!span.empty() && ascii::is_blank(span.text[span.begin])) ++span.begin;
  while (!span.empty() && ascii::is_blank(span.text[span.end - 1])) --span.end;
  return span;
}

Parsed<Timestamp> resolve_local(const LocalText& local, const TimeZone& zone) {
  const auto wall = std::chrono::floor<seconds>(local.at);
  const auto resolved = zone.resolve(wall);
  if (resolved.kind != WallKind::skipped) return resolved.instant + (local.at - wall);
  if (resolved.gap < std::chrono::days(1)) return resolved.instant;
  const auto begin = static_cast<std::size_t>(local.column - 1);
  return std::unexpected(error_at(begin, static_cast<std::size_t>(local.length), "", "bad_time",
                                  fmt::format("{} skipped that day", zone.name())));
}

}  // namespace chronos::schedule
