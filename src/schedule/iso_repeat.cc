// ISO 8601 repetitions, "R5/2026-01-31T09:00:00/P1M": how often, from when, how far apart.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/ascii.h"
#include "schedule/dialects.h"

namespace chronos::schedule {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kRepeatCountMax = 999'999'999;
constexpr std::size_t kRepeatDigitsMax = 9;
constexpr std::string_view kRepeatHint = "R/2026-01-31T09:00:00/P1M";
constexpr std::string_view kPeriodHint = "P1D, P1M, PT90S";
constexpr std::int64_t kLongestSeconds = 36'525LL * 86'400;  // as @every: 100 years
constexpr std::int64_t kMonthSeconds = 2'629'746;            // on average

// "R", "R5", "R-1".
Parsed<std::optional<std::int64_t>> parse_count(const TextSpan& span) {
  const auto text = span.view().substr(1);
  const TextSpan place{span.text, span.begin + 1, span.end};
  if (text.empty() || text == "-1") return std::nullopt;
  if (text.find('-') != std::string_view::npos) {
    return refuse(place, "number_expected",
                  fmt::format("expected a count, -1 or nothing, found '{}'", text));
  }
  const auto count = text.size() > kRepeatDigitsMax ? 0 : std::stoll(std::string(text));
  if (count < 1) {
    return refuse(place, "out_of_range", fmt::format("{} is outside 1-{}", text, kRepeatCountMax));
  }
  return count;
}

Parsed<decltype(RepeatText::start)> parse_start(const TextSpan& span) {
  if (span.empty()) return std::nullopt;
  CHRONOS_TRY(const auto time, parse_time(span));
  const auto fail_fraction = [&] {
    return refuse(span, "bad_time", "a repetition starts at a whole second");
  };
  if (const auto* instant = std::get_if<InstantText>(&time)) {
    if (std::chrono::floor<seconds>(instant->at) != instant->at) return fail_fraction();
    return *instant;
  }
  const auto& local = std::get<LocalText>(time);
  if (std::chrono::floor<seconds>(local.at) != local.at) return fail_fraction();
  return local;
}

struct Designator {
  char letter;
  bool is_time;
  std::int64_t months;
  std::int64_t days;
  std::int64_t seconds;
};

constexpr std::array<Designator, 7> kDesignators = {{{'Y', false, 12, 0, 0},
                                                     {'M', false, 1, 0, 0},
                                                     {'W', false, 0, 7, 0},
                                                     {'D', false, 0, 1, 0},
                                                     {'H', true, 0, 0, 3600},
                                                     {'M', true, 0, 0, 60},
                                                     {'S', true, 0, 0, 1}}};

struct Sums {
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t seconds = 0;

  std::int64_t length() const { return months * kMonthSeconds + days * 86'400 + seconds; }
};

// Designators in this order, whole numbers, at most nine digits each.
std::optional<Sums> read_period(std::string_view text) {
  if (!text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  Sums sums;
  bool is_time = false;
  bool is_empty = true;
  auto next = kDesignators.begin();
  while (!text.empty()) {
    if (!is_time && text.front() == 'T') {
      is_time = true;
      text.remove_prefix(1);
    }
    std::size_t digits = 0;
    std::int64_t count = 0;
    while (digits < text.size() && ascii::is_digit(text[digits])) {
      if (digits == kRepeatDigitsMax) return std::nullopt;
      count = count * 10 + (text[digits++] - '0');
    }
    if (digits == 0 || digits == text.size()) return std::nullopt;
    while (next != kDesignators.end() &&
           (next->letter != text[digits] || next->is_time != is_time)) {
      ++next;
    }
    if (next == kDesignators.end()) return std::nullopt;
    sums.months += count * next->months;
    sums.days += count * next->days;
    sums.seconds += count * next->seconds;
    ++next;
    is_empty = false;
    text.remove_prefix(digits + 1);
  }
  return is_empty ? std::nullopt : std::optional(sums);
}

Parsed<Period> parse_period(const TextSpan& span) {
  const auto text = span.view();
  if (text.empty()) {
    return refuse(span, "bad_duration", "a period is needed here", std::string(kPeriodHint));
  }
  const auto sums = read_period(text);
  if (!sums) {
    return refuse(span, "bad_duration",
                  fmt::format("'{}' is not a period of whole numbers", text.substr(0, 64)),
                  std::string(kPeriodHint));
  }
  if (sums->length() < 1) return refuse(span, "bad_duration", "the shortest interval is 1s");
  if (sums->length() > kLongestSeconds) {
    return refuse(span, "bad_duration", "the longest interval is 100 years");
  }
  return Period{.months = static_cast<int>(sums->months),
                .days = static_cast<int>(sums->days),
                .time = seconds(sums->seconds)};
}

}  // namespace

Parsed<void> parse_repeat(const TextSpan& span, Expression& expression) {
  std::array<TextSpan, 3> parts{};
  std::size_t count = 0;
  std::size_t begin = span.begin;
  for (std::size_t at = span.begin; at <= span.end; ++at) {
    if (at < span.end && span.text[at] != '/') continue;
    if (count == parts.size()) {
      return refuse({span.text, begin, span.end}, "bad_repeat", "nothing may follow the period");
    }
    parts[count++] = {span.text, begin, at};
    begin = at + 1;
  }
  if (count < parts.size()) {
    return refuse({span.text, span.end, span.end}, "bad_repeat",
                  "a repetition is R, a start and a period, with '/' between",
                  std::string(kRepeatHint));
  }
  RepeatText repeat;
  CHRONOS_TRY(repeat.count, parse_count(parts[0]));
  CHRONOS_TRY(repeat.start, parse_start(parts[1]));
  CHRONOS_TRY(repeat.period, parse_period(parts[2]));
  expression.body = repeat;
  return {};
}

}  // namespace chronos::schedule
