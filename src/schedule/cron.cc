#include "schedule/cron.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"

namespace chronos::schedule {
namespace {

using std::chrono::seconds;

struct Nickname {
  std::string_view name;
  std::string_view fields;
};

constexpr std::array<Nickname, 13> kNicknames = {{
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
    {"@minutely", "* * * * *"},
    {"@secondly", "* * * * * *"},
    {"@weekdays", "0 0 * * 1-5"},
    {"@weekends", "0 0 * * 0,6"},
    {"@quarterly", "0 0 1 1,4,7,10 *"},
    {"@semiannually", "0 0 1 1,7 *"},
}};

// Words after an @ that are not cron expressions but belong to the grammar.
constexpr std::array<std::string_view, 3> kOtherWords = {"@every", "@at", "@reboot"};

bool is_known(std::string_view word) {
  return std::ranges::find(kNicknames, word, &Nickname::name) != kNicknames.end() ||
         std::ranges::find(kOtherWords, word) != kOtherWords.end();
}

Parsed<CronSyntax> parse_nickname(const TextSpan& span) {
  const auto words = split_words(span);
  const auto word = words.front().view();
  const auto found = std::ranges::find(kNicknames, word, &Nickname::name);
  if (found == kNicknames.end()) {
    const auto meant = ascii::lower_case(word);
    if (is_known(word)) {
      return std::unexpected(error_at(span.begin, word.size(), "", "not_cron",
                                      fmt::format("'{}' is not a cron expression", word)));
    }
    return std::unexpected(error_at(span.begin, word.size(), "", "unknown_nickname",
                                    fmt::format("unknown nickname '{}'", word),
                                    is_known(meant) ? meant : ""));
  }
  if (words.size() > 1) {
    return std::unexpected(error_at(words[1].begin, words[1].view().size(), "", "nickname_extra",
                                    fmt::format("nothing may follow {}", word)));
  }
  return parse_fields({found->fields, 0, found->fields.size()}, {});
}

// §7, purely textual: an omitted seconds field does not count.
bool has_star_or_step(const CronSyntax& syntax) {
  const auto counts = [&](FieldKind kind) {
    return std::ranges::any_of(syntax.field(kind).items, [](const CronItem& item) {
      return item.kind == ItemKind::star || item.has_step;
    });
  };
  return counts(FieldKind::second) || counts(FieldKind::minute) || counts(FieldKind::hour);
}

constexpr seconds kDay = std::chrono::days(1);

}  // namespace

std::string_view to_string(DstPolicy policy) {
  return policy == DstPolicy::automatic ? "auto" : "skip";
}

std::optional<DstPolicy> parse_dst_policy(std::string_view text) {
  if (text == "auto") return DstPolicy::automatic;
  if (text == "skip") return DstPolicy::skip;
  return std::nullopt;
}

Cron::Cron(Source source)
    : masks_(CronMasks::compile(source.syntax)),
      is_interval_(has_star_or_step(source.syntax)),
      is_never_(masks_.is_never()),
      source_(std::make_shared<const Source>(std::move(source))) {}

Parsed<Cron> Cron::parse(std::string_view text, std::string_view seed) {
  CHRONOS_TRY(const auto span, check_text(text));
  return parse_span(span, seed);
}

Parsed<Cron> Cron::parse_span(const TextSpan& span, std::string_view seed) {
  const bool is_nickname = span.view().starts_with('@');
  CHRONOS_TRY(auto syntax, is_nickname ? parse_nickname(span) : parse_fields(span, seed));
  return Cron(Source{std::string(span.view()), std::move(syntax)});
}

Cron Cron::from_syntax(std::string text, CronSyntax syntax) {
  return Cron(Source{std::move(text), std::move(syntax)});
}

std::optional<Timestamp> Cron::next(Timestamp after, const TimeZone& zone, DstPolicy policy) const {
  if (is_never_) return std::nullopt;
  const auto from = std::chrono::floor<seconds>(after) + seconds(1);
  return is_interval_ && policy == DstPolicy::automatic ? next_pass(from, zone)
                                                        : next_reading(from, zone, policy);
}

std::optional<Timestamp> Cron::prev(Timestamp before, const TimeZone& zone,
                                    DstPolicy policy) const {
  if (is_never_) return std::nullopt;
  const auto upto = std::chrono::ceil<seconds>(before) - seconds(1);
  return is_interval_ && policy == DstPolicy::automatic ? prev_pass(upto, zone)
                                                        : prev_reading(upto, zone, policy);
}

std::int64_t Cron::count_between(Timestamp after, Timestamp through, const TimeZone& zone,
                                 DstPolicy policy) const {
  const auto from = std::chrono::floor<seconds>(after) + seconds(1);
  const auto until = std::chrono::floor<seconds>(through) + seconds(1);
  if (is_never_ || from >= until) return 0;
  return is_interval_ && policy == DstPolicy::automatic ? count_passes(from, until, zone)
                                                        : count_readings(from, until, zone, policy);
}

std::int64_t Cron::count_passes(Instant from, Instant until, const TimeZone& zone) const {
  const auto segments = zone.segments();
  std::int64_t count = 0;
  for (auto i = zone.segment_at(from); i < segments.size() && segments[i].begin < until; ++i) {
    const auto& segment = segments[i];
    count += masks_.count_between(segment.wall(std::max(from, segment.begin)),
                                  segment.wall(std::min(until, segment.end)));
  }
  return count;
}

// Each reading where it is first shown; all of a gap are the one instant that ends it.
std::int64_t Cron::count_readings(Instant from, Instant until, const TimeZone& zone,
                                  DstPolicy policy) const {
  const auto segments = zone.segments();
  std::int64_t count = 0;
  for (auto i = zone.segment_at(from); i < segments.size() && segments[i].begin < until; ++i) {
    const auto& segment = segments[i];
    const auto begin = std::max(segment.seen, segment.wall(std::max(from, segment.begin)));
    count += masks_.count_between(begin, segment.wall(std::min(until, segment.end)));
    const bool moves_out_of_gap = policy == DstPolicy::automatic && segment.gap() > seconds(0) &&
                                  segment.gap() < kDay && segment.begin >= from;
    if (moves_out_of_gap && !masks_.matches(segment.wall_begin()) &&
        masks_.count_between(segment.seen, segment.wall_begin()) > 0) {
      ++count;
    }
  }
  return count;
}

// Interval schedules: every instant >= `from` whose reading matches, segment by segment.
std::optional<Timestamp> Cron::next_pass(Instant from, const TimeZone& zone) const {
  const auto segments = zone.segments();
  auto index = zone.segment_at(from);
  auto wall = segments[index].wall(from);
  for (;;) {
    const auto found = masks_.first_at_or_after(wall).value_or(WallTime::max());
    if (found < segments[index].wall_end()) return segments[index].instant(found);
    // Go on in the first segment that reaches that reading, or that an overlap sets back to
    // readings before `wall`, which have not been looked at.
    do {
      if (++index == segments.size()) return std::nullopt;
    } while (segments[index].wall_end() <= found && segments[index].wall_begin() >= wall);
    wall = segments[index].wall_begin();
  }
}

std::optional<Timestamp> Cron::prev_pass(Instant upto, const TimeZone& zone) const {
  const auto segments = zone.segments();
  auto index = zone.segment_at(upto);
  auto wall = segments[index].wall(upto);
  for (;;) {
    const auto found = masks_.last_at_or_before(wall).value_or(WallTime::min());
    if (found >= segments[index].wall_begin()) return segments[index].instant(found);
    do {
      if (index-- == 0) return std::nullopt;
    } while (segments[index].wall_begin() > found &&
             segments[index].wall_end() - seconds(1) <= wall);
    wall = segments[index].wall_end() - seconds(1);
  }
}

// Fixed schedules, and all with `skip`: each reading at most once, at its first showing. The map
// from readings to instants is monotone, so the search runs over readings.
std::optional<Timestamp> Cron::next_reading(Instant from, const TimeZone& zone,
                                            DstPolicy policy) const {
  const auto segments = zone.segments();
  auto index = zone.segment_at(from);
  // The first instant after a gap stands for the readings in it as well; in a second pass all
  // readings up to the end of the overlap have been.
  auto wall = segments[index].seen;
  if (from != segments[index].begin) wall = std::max(wall, segments[index].wall(from));
  for (;;) {
    const auto found = masks_.first_at_or_after(wall);
    if (!found) return std::nullopt;
    while (index + 1 < segments.size() && *found >= segments[index + 1].seen) ++index;
    const auto& segment = segments[index];
    if (*found >= segment.wall_begin()) return segment.instant(*found);
    if (policy == DstPolicy::automatic && segment.gap() < kDay) return segment.begin;
    wall = segment.wall_begin();
  }
}

std::optional<Timestamp> Cron::prev_reading(Instant upto, const TimeZone& zone,
                                            DstPolicy policy) const {
  const auto segments = zone.segments();
  auto index = zone.segment_at(upto);
  auto wall = std::max(segments[index].wall(upto), segments[index].seen - seconds(1));
  for (;;) {
    const auto found = masks_.last_at_or_before(wall);
    if (!found) return std::nullopt;
    while (*found < segments[index].seen) --index;
    const auto& segment = segments[index];
    if (*found >= segment.wall_begin()) return segment.instant(*found);
    if (policy == DstPolicy::automatic && segment.gap() < kDay) return segment.begin;
    wall = segment.seen - seconds(1);
  }
}

}  // namespace chronos::schedule
