// The schedule expressions of AWS EventBridge: rate(), at() and cron().
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "schedule/dialects.h"

namespace chronos::schedule {
namespace {

using std::chrono::seconds;

constexpr std::string_view kRateHint = "rate(5 minutes), rate(1 hour), rate(7 days)";
constexpr std::size_t kRateDigitsMax = 9;
struct RateUnit {
  std::string_view name;  // of one
  seconds length;
};

constexpr std::array<RateUnit, 3> kRateUnits = {{{"minute", std::chrono::minutes(1)},
                                                 {"hour", std::chrono::hours(1)},
                                                 {"day", std::chrono::days(1)}}};

// What stands between the brackets of `name(…)`, which must be the whole text.
Parsed<TextSpan> bracketed(const TextSpan& span) {
  const auto text = span.view();
  const auto open = text.find('(');
  const auto close = text.find(')', open);
  if (close == std::string_view::npos) {
    return refuse({span.text, span.end, span.end}, "bracket_missing", "')' is missing here");
  }
  if (close + 1 != text.size()) {
    return refuse({span.text, span.begin + close + 1, span.end}, "nickname_extra",
                  fmt::format("nothing may follow {})", text.substr(0, open + 1)));
  }
  return trimmed({span.text, span.begin + open + 1, span.begin + close});
}

bool is_number(std::string_view text) {
  return std::ranges::all_of(text, ascii::is_digit);
}

}  // namespace

Parsed<void> parse_aws_rate(const TextSpan& span, Expression& expression) {
  CHRONOS_TRY(const auto inside, bracketed(span));
  const auto words = split_words(inside);
  const auto fail = [&](const TextSpan& place, std::string_view text, std::string hint) {
    return refuse(place, "bad_rate", fmt::format("'{}' is not a rate", text),
                  hint.empty() ? std::string(kRateHint) : std::move(hint));
  };
  if (words.size() != 2) return fail(inside, inside.view(), "");
  const auto digits = words[0].view();
  if (!is_number(digits) || digits.size() > kRateDigitsMax) return fail(words[0], digits, "");
  const auto count = std::stoll(std::string(digits));
  const auto named = words[1].view();
  const auto singular = named.ends_with('s') ? named.substr(0, named.size() - 1) : named;
  const auto unit = std::ranges::find(kRateUnits, singular, &RateUnit::name);
  if (unit == kRateUnits.end()) return fail(words[1], named, "");
  if (count == 0) {
    return refuse(words[0], "out_of_range", fmt::format("{} is outside 1-999999999", digits));
  }
  if ((count == 1) == named.ends_with('s')) {
    return fail(inside, inside.view(),
                fmt::format("rate({} {}{})", count, singular, count == 1 ? "" : "s"));
  }
  if (count > kLongestPeriod / unit->length) {
    return refuse(inside, "bad_rate", "the longest interval is 100 years");
  }
  expression.body = EveryText{count * unit->length};
  return {};
}

Parsed<void> parse_aws_at(const TextSpan& span, Expression& expression) {
  CHRONOS_TRY(const auto inside, bracketed(span));
  CHRONOS_TRY(expression.body, parse_time(inside));
  if (std::holds_alternative<LocalText>(expression.body)) return {};
  return refuse(inside, "bad_time", "at() has no offset from UTC: it is in the job's zone",
                "at(2026-03-08T07:30:00), or the time alone without at()");
}

Parsed<void> parse_aws_cron(const TextSpan& span, Expression& expression) {
  CHRONOS_TRY(const auto inside, bracketed(span));
  CHRONOS_TRY(auto syntax, parse_quartz_fields(inside, Dialect::aws));
  expression.body = Cron::from_syntax(std::string(span.view()), std::move(syntax));
  return {};
}

}  // namespace chronos::schedule
