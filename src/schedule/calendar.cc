#include "schedule/calendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <limits>

#include "schedule/cron_syntax.h"
#include "schedule/repeat_rule.h"
#include "schedule/timezone.h"

namespace chronos::schedule {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::seconds;
using std::chrono::weekday;
using std::chrono::year_month_day;

// A repeated event must not be longer than this, so that few days have to be looked at.
constexpr auto kRepeatedMax = days(31);
// An answer is worked out for at most so many days at a time.
constexpr auto kOutlook = days(32);
constexpr std::size_t kWeeklyMax = 64;
constexpr std::size_t kRepeatedCountMax = 500;

// A stretch of readings, the end excluded.
struct Stretch {
  WallTime begin;
  WallTime end;
};

// Readings that begin on certain days, all at the same time of day and for the same time.
struct Repeated {
  std::bitset<7> weekdays;         // of a weekly window; Sunday is 0
  std::optional<RepeatRule> rule;  // of an event
  std::vector<local_days> except;  // sorted
  seconds from{0};
  seconds length{0};

  bool begins_on(local_days day) const {
    if (!rule) return weekdays[weekday(day).c_encoding()];
    return rule->begins_on(day) && !std::ranges::binary_search(except, day);
  }
  Stretch on(local_days day) const { return {day + from, day + from + length}; }
};

// The rules that are read in one zone.
struct Layer {
  TimeZone zone;
  std::vector<Stretch> singles;            // sorted; neighbours do not touch
  std::array<std::bitset<32>, 13> yearly;  // whole days by month and day, every year
  bool has_yearly = false;
  std::vector<Repeated> repeated;
  days longest{0};  // how many days before a reading a repeated stretch may have begun

  bool covers(Timestamp time) const;
  Timestamp next_boundary(Timestamp time) const;

 private:
  bool is_yearly(local_days day) const {
    const year_month_day date(day);
    return has_yearly && yearly[unsigned(date.month())][unsigned(date.day())];
  }
  WallTime next_boundary(WallTime wall) const;
};

bool Layer::covers(Timestamp time) const {
  const auto wall = zone.wall(std::chrono::floor<seconds>(time));
  const auto after = std::ranges::upper_bound(singles, wall, {}, &Stretch::begin);
  if (after != singles.begin() && wall < std::prev(after)->end) return true;
  const auto today = std::chrono::floor<days>(wall);
  if (is_yearly(today)) return true;
  return std::ranges::any_of(repeated, [&](const Repeated& each) {
    for (auto day = today - longest; day <= today; day += days(1)) {
      const auto stretch = each.on(day);
      if (stretch.begin <= wall && wall < stretch.end && each.begins_on(day)) return true;
    }
    return false;
  });
}

// The earliest reading after `wall` at which a stretch begins or ends, at most kOutlook away.
WallTime Layer::next_boundary(WallTime wall) const {
  auto next = wall + kOutlook;
  const auto see = [&](WallTime boundary) {
    if (boundary > wall && boundary < next) next = boundary;
  };
  const auto after = std::ranges::upper_bound(singles, wall, {}, &Stretch::begin);
  if (after != singles.end()) see(after->begin);
  if (after != singles.begin()) see(std::prev(after)->end);
  const auto today = std::chrono::floor<days>(wall);
  for (auto day = today - longest; day <= next; day += days(1)) {
    if (is_yearly(day)) {
      see(day);
      see(day + days(1));
    }
    for (const auto& each : repeated) {
      const auto stretch = each.on(day);
      const bool is_seen = (stretch.begin > wall && stretch.begin < next) ||
                           (stretch.end > wall && stretch.end < next);
      if (!is_seen || !each.begins_on(day)) continue;
      see(stretch.begin);
      see(stretch.end);
    }
  }
  return next;
}

Timestamp Layer::next_boundary(Timestamp time) const {
  const auto instant = std::chrono::floor<seconds>(time);
  const auto& segment = zone.segments()[zone.segment_at(instant)];
  return std::min(segment.instant(next_boundary(segment.wall(instant))), segment.end);
}

// -- Reading what was declared -------------------------------------------------------------------

std::optional<int> parse_digits(std::string_view text) {
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

// "12-25"
std::optional<std::chrono::month_day> parse_month_day(std::string_view text) {
  if (text.size() != 5 || text[2] != '-') return std::nullopt;
  const auto month = parse_digits(text.substr(0, 2));
  const auto day = parse_digits(text.substr(3));
  if (!month || !day) return std::nullopt;
  const std::chrono::month_day date{std::chrono::month(unsigned(*month)),
                                    std::chrono::day(unsigned(*day))};
  return date.ok() ? std::optional(date) : std::nullopt;
}

// "2026-12-25"
std::optional<local_days> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-') return std::nullopt;
  const auto year = parse_digits(text.substr(0, 4));
  const auto date = parse_month_day(text.substr(5));
  if (!year || !date || *year < kFirstYear || *year > kLastYear) return std::nullopt;
  const auto whole = std::chrono::year(*year) / date->month() / date->day();
  return whole.ok() ? std::optional(local_days(whole)) : std::nullopt;
}

// "09:00", up to "24:00".
std::optional<seconds> parse_time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = parse_digits(text.substr(0, 2));
  const auto minute = parse_digits(text.substr(3));
  if (!hour || !minute || *minute > 59 || *hour > 24 || (*hour == 24 && *minute != 0)) {
    return std::nullopt;
  }
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute);
}

std::optional<unsigned> parse_day_name(std::string_view text) {
  constexpr std::array<std::string_view, 7> kNames = {"SUN", "MON", "TUE", "WED",
                                                      "THU", "FRI", "SAT"};
  const auto found = std::ranges::find(kNames, text);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<unsigned>(found - kNames.begin());
}

// "2026-12-24T09:00:00"
std::optional<WallTime> parse_reading(std::string_view text) {
  const auto date = parse_date(text.substr(0, 10));
  if (!date || text.size() != 19 || text[10] != 'T' || text[16] != ':') return std::nullopt;
  const auto time = parse_time_of_day(text.substr(11, 5));
  const auto second = parse_digits(text.substr(17));
  if (!time || !second || *second > 59 || *time >= days(1)) return std::nullopt;
  return *date + *time + seconds(*second);
}

std::pair<std::string_view, std::string_view> split_range(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {text, text};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

// Gathers every fault of a spec, so that a user mends them all at once.
class CalendarCompiler {
 public:
  explicit CalendarCompiler(const CalendarSpec& spec) : spec_(spec) {}

  Result<std::vector<Layer>> compile() {
    own_zone_ = find_zone(spec_.timezone, "/timezone").value_or(TimeZone::utc());
    if (spec_.kind == CalendarKind::business && spec_.dates.empty() && spec_.weekly.empty() &&
        spec_.events.empty()) {
      add("/weekly", "required", "a business calendar without any time would let nothing run",
          R"([{"days": ["MON-FRI"], "from": "09:00", "to": "17:00"}])");
    }
    for (std::size_t i = 0; i < spec_.dates.size(); ++i) add_dates(i);
    if (spec_.weekly.size() > kWeeklyMax) {
      add("/weekly", "too_long", fmt::format("at most {} windows are allowed", kWeeklyMax), "");
    }
    for (std::size_t i = 0; i < spec_.weekly.size(); ++i) add_weekly(i);
    for (std::size_t i = 0; i < spec_.events.size(); ++i) add_event(i);
    if (repeated_ > kRepeatedCountMax) {
      add("/events", "too_long",
          fmt::format("at most {} repeated events are allowed", kRepeatedCountMax), "");
    }
    if (!faults_.empty()) {
      Error error{Reason::invalid_fields, faults_.front().message, faults_.front().hint, {}};
      error.fields = std::move(faults_);
      return std::unexpected(std::move(error));
    }
    for (auto& layer : layers_) finish(layer);
    return std::move(layers_);
  }

 private:
  void add(std::string pointer, std::string code, std::string message, std::string hint) {
    faults_.push_back(
        {std::move(pointer), std::move(code), std::move(message), std::move(hint), 0, 0});
  }

  std::optional<TimeZone> find_zone(std::string_view name, std::string pointer) {
    auto zone = TimeZone::find(name);
    if (zone) return std::move(*zone);
    auto field = zone.error().fields.front();
    field.pointer = std::move(pointer);
    faults_.push_back(std::move(field));
    return std::nullopt;
  }

  Layer& layer_of(const TimeZone& zone) {
    const auto found = std::ranges::find(layers_, zone, &Layer::zone);
    if (found != layers_.end()) return *found;
    layers_.push_back({.zone = zone, .singles = {}, .yearly = {}, .repeated = {}});
    return layers_.back();
  }

  void add_dates(std::size_t index) {
    const auto& text = spec_.dates[index];
    const auto [first, last] = split_range(text);
    const auto pointer = fmt::format("/dates/{}", index);
    if (const auto from = parse_month_day(first), to = parse_month_day(last); from && to) {
      return add_yearly(*from, *to);
    }
    const auto from = parse_date(first);
    const auto to = parse_date(last);
    if (!from || !to) {
      return add(pointer, "bad_date",
                 fmt::format("'{}' is neither a date nor a range of dates",
                             std::string_view(text).substr(0, 64)),
                 "2026-12-24, 2026-12-24/2027-01-01, or every year 12-25, 12-24/01-01");
    }
    if (*to < *from) return add(pointer, "out_of_range", "the range ends before it begins", "");
    layer_of(own_zone_).singles.push_back({*from, *to + days(1)});
  }

  // A range may go on into the next year.
  void add_yearly(std::chrono::month_day from, std::chrono::month_day to) {
    auto& layer = layer_of(own_zone_);
    layer.has_yearly = true;
    constexpr auto kLeapYear = std::chrono::year(2000);
    const local_days first(kLeapYear / from.month() / from.day());
    const local_days last((to < from ? kLeapYear + std::chrono::years(1) : kLeapYear) / to.month() /
                          to.day());
    for (auto day = first; day <= last; day += days(1)) {
      const year_month_day date(day);
      layer.yearly[unsigned(date.month())].set(unsigned(date.day()));
    }
  }

  void add_weekly(std::size_t index) {
    const auto& window = spec_.weekly[index];
    const auto pointer = fmt::format("/weekly/{}", index);
    Repeated repeated;
    for (std::size_t i = 0; i < window.days.size(); ++i) {
      add_days(window.days[i], fmt::format("{}/days/{}", pointer, i), repeated.weekdays);
    }
    if (window.days.empty()) repeated.weekdays.set();
    const auto from = parse_time_of_day(window.from);
    const auto to = parse_time_of_day(window.to);
    if (!from || *from >= days(1)) {
      add(pointer + "/from", "bad_time", "must be a time from 00:00 to 23:59", "09:00");
    }
    if (!to) add(pointer + "/to", "bad_time", "must be a time from 00:00 to 24:00", "17:00");
    if (!from || !to) return;
    if (*from == *to) {
      return add(pointer + "/to", "out_of_range", "the window ends where it begins",
                 "leave out both for whole days");
    }
    repeated.from = *from;
    repeated.length = *to > *from ? *to - *from : *to + days(1) - *from;
    layer_of(own_zone_).repeated.push_back(std::move(repeated));
  }

  void add_days(const std::string& text, std::string pointer, std::bitset<7>& out) {
    const auto dash = text.find('-');
    const auto first = parse_day_name(std::string_view(text).substr(0, dash));
    const auto last =
        dash == std::string::npos ? first : parse_day_name(std::string_view(text).substr(dash + 1));
    if (!first || !last) {
      return add(std::move(pointer), "unknown_value",
                 fmt::format("'{}' is neither a day nor a range of days",
                             std::string_view(text).substr(0, 64)),
                 "SUN, MON, TUE, WED, THU, FRI, SAT or MON-FRI");
    }
    for (auto day = *first;; day = (day + 1) % 7) {
      out.set(day);
      if (day == *last) break;
    }
  }

  void add_event(std::size_t index) {
    const auto& event = spec_.events[index];
    const auto pointer = fmt::format("/events/{}", index);
    const auto date = parse_date(event.start);
    const auto begin = date ? std::optional<WallTime>(*date) : parse_reading(event.start);
    if (!begin) {
      return add(pointer + "/start", "bad_date", "is neither a date nor a time without offset",
                 "2026-12-24 or 2026-12-24T09:00:00");
    }
    auto zone = std::optional(own_zone_);
    if (!event.timezone.empty()) zone = find_zone(event.timezone, pointer + "/timezone");
    if (!zone) return;
    const auto length = std::chrono::ceil<seconds>(event.duration);
    if (length <= seconds(0)) {
      return add(pointer + "/duration", "out_of_range", "must be longer than 0s", "1d");
    }
    if (event.repeat.empty()) {
      layer_of(*zone).singles.push_back({*begin, *begin + length});
    } else {
      add_repeated(event, pointer, *zone, {*begin, *begin + length});
    }
  }

  void add_repeated(const CalendarEvent& event, const std::string& pointer, const TimeZone& zone,
                    Stretch first) {
    if (first.end - first.begin > kRepeatedMax) {
      return add(pointer + "/duration", "out_of_range", "a repeated event lasts at most 31 days",
                 "");
    }
    Repeated repeated;
    auto rule = RepeatRule::parse(event.repeat);
    if (!rule) {
      auto field = rule.error().fields.front();
      field.pointer = pointer + "/repeat";
      faults_.push_back(std::move(field));
      return;
    }
    for (std::size_t i = 0; i < event.except.size(); ++i) {
      const auto day = parse_date(event.except[i]);
      if (!day) {
        add(fmt::format("{}/except/{}", pointer, i), "bad_date", "is not a date", "2026-12-24");
      } else {
        repeated.except.push_back(*day);
      }
    }
    std::ranges::sort(repeated.except);
    const auto day = std::chrono::floor<days>(first.begin);
    repeated.from = first.begin - day;
    repeated.length = first.end - first.begin;
    rule->start_on(day, last_day_of(*rule, zone, repeated.from));
    repeated.rule = std::move(*rule);
    layer_of(zone).repeated.push_back(std::move(repeated));
    ++repeated_;
  }

  // The last day on which the event may begin, by UNTIL.
  static std::optional<local_days> last_day_of(const RepeatRule& rule, const TimeZone& zone,
                                               seconds from) {
    const auto& until = rule.until();
    if (!until) return std::nullopt;
    if (!until->has_time) return std::chrono::floor<days>(until->wall);
    auto wall = until->wall;
    if (until->is_utc) wall = zone.wall(Instant(wall.time_since_epoch()));
    const auto day = std::chrono::floor<days>(wall);
    return day + from <= wall ? day : day - days(1);
  }

  static void finish(Layer& layer) {
    std::ranges::sort(layer.singles, {}, &Stretch::begin);
    std::vector<Stretch> merged;
    for (const auto& stretch : layer.singles) {
      if (merged.empty() || stretch.begin > merged.back().end) {
        merged.push_back(stretch);
      } else {
        merged.back().end = std::max(merged.back().end, stretch.end);
      }
    }
    layer.singles = std::move(merged);
    for (const auto& each : layer.repeated) {
      layer.longest =
          std::max(layer.longest, std::chrono::ceil<days>(each.from + each.length) - days(1));
    }
  }

  const CalendarSpec& spec_;
  TimeZone own_zone_ = TimeZone::utc();
  std::vector<Layer> layers_;
  std::size_t repeated_ = 0;
  std::vector<FieldError> faults_;
};

}  // namespace

struct Calendar::Data {
  CalendarKind kind;
  std::vector<Layer> layers;
};

std::string_view to_string(CalendarKind kind) {
  return kind == CalendarKind::blackout ? "blackout" : "business";
}

std::optional<CalendarKind> parse_calendar_kind(std::string_view text) {
  if (text == "blackout") return CalendarKind::blackout;
  if (text == "business") return CalendarKind::business;
  return std::nullopt;
}

Result<Calendar> Calendar::compile(const CalendarSpec& spec) {
  CHRONOS_TRY(auto layers, CalendarCompiler(spec).compile());
  return Calendar(std::make_shared<const Data>(Data{spec.kind, std::move(layers)}));
}

bool Calendar::excludes(Timestamp time) const {
  const bool is_covered =
      std::ranges::any_of(data_->layers, [&](const Layer& layer) { return layer.covers(time); });
  return is_covered == (data_->kind == CalendarKind::blackout);
}

Timestamp Calendar::next_change(Timestamp time, Timestamp limit) const {
  const bool is_excluded = excludes(time);
  while (true) {
    auto next = limit;
    for (const auto& layer : data_->layers) next = std::min(next, layer.next_boundary(time));
    if (next >= limit || excludes(next) != is_excluded) return next;
    time = next;
  }
}

bool Calendar::is_current() const {
  return std::ranges::all_of(data_->layers,
                             [](const Layer& layer) { return layer.zone.is_current(); });
}

void CalendarSet::add(std::string name, Calendar calendar) {
  calendars_.push_back({std::move(name), std::move(calendar)});
}

std::size_t CalendarSet::first_excluding(Timestamp time) const {
  std::size_t i = 0;
  while (i < calendars_.size() && !calendars_[i].calendar.excludes(time)) ++i;
  return i;
}

const std::string* CalendarSet::excluder(Timestamp time) const {
  const auto first = first_excluding(time);
  return first == calendars_.size() ? nullptr : &calendars_[first].name;
}

Timestamp CalendarSet::next_change(Timestamp time, Timestamp limit) const {
  // Up to the first that excludes: the others are not heard.
  const auto heard = std::min(first_excluding(time) + 1, calendars_.size());
  for (std::size_t i = 0; i < heard; ++i) limit = calendars_[i].calendar.next_change(time, limit);
  return limit;
}

}  // namespace chronos::schedule
