#include "schedule/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "schedule/expression.h"
#include "schedule/schedule_part.h"

namespace chronos::schedule {

struct Schedule::Data {
  ScheduleSpec spec;
  TimeZone zone;
  std::vector<Part> parts;
};

namespace {

using std::chrono::seconds;

// No schedule looks beyond its local year 2199 (schedule.md §8); intervals and the envelope, which
// have no local year, end with it in UTC.
constexpr Timestamp kLastInstant = std::chrono::sys_days(std::chrono::year(kLastYear + 1) / 1 / 1);
constexpr Timestamp kFirstInstant =
    std::chrono::sys_days(std::chrono::year(kFirstYear) / 1 / 1) - std::chrono::days(1);

// How far ahead W-gap looks.
constexpr auto kGapOutlook = std::chrono::years(2);

std::string cron_pointer(const ScheduleSpec& spec, std::size_t index) {
  return spec.cron.size() == 1 ? "/cron" : fmt::format("/cron/{}", index);
}

// Gathers every fault of a spec, so that a user mends them all at once.
class ScheduleCompiler {
 public:
  explicit ScheduleCompiler(const ScheduleSpec& spec) : spec_(spec) {}

  Result<void> check() {
    check_kinds();
    check_envelope();
    if (spec_.every && *spec_.every < seconds(1)) {
      add("/every", "out_of_range", "the shortest interval is 1s", "1s");
    } else if (spec_.every && *spec_.every > std::chrono::days(36'525)) {
      add("/every", "out_of_range", "the longest interval is 100 years", "");
    }
    auto zone = TimeZone::find(spec_.timezone);
    if (zone) {
      zone_ = *zone;
    } else {
      auto field = zone.error().fields.front();
      field.pointer = "/timezone";
      faults_.push_back(std::move(field));
    }
    for (std::size_t i = 0; i < spec_.cron.size(); ++i) {
      const auto added = add_expression(spec_.cron[i]);
      if (!added) faults_.push_back(to_field_error(added.error(), cron_pointer(spec_, i)));
    }
    if (spec_.every) parts_.emplace_back().rule = every_part(*spec_.every);
    if (spec_.at) parts_.emplace_back().rule = OncePart{*spec_.at};
    return result();
  }

  std::vector<Schedule::Part> take_parts() { return std::move(parts_); }

  // All prefixes agree -> that zone, so that times are shown as the user thinks of them.
  TimeZone shown_zone() const {
    const auto differs = [&](const TimeZone& zone) { return zone != used_zones_.front(); };
    if (used_zones_.empty() || std::ranges::any_of(used_zones_, differs)) return zone_;
    return used_zones_.front();
  }

 private:
  void add(std::string pointer, std::string code, std::string message, std::string hint) {
    faults_.push_back(
        {std::move(pointer), std::move(code), std::move(message), std::move(hint), 0, 0});
  }

  void check_kinds() {
    const int count = (spec_.at ? 1 : 0) + (spec_.cron.empty() ? 0 : 1) + (spec_.every ? 1 : 0);
    if (count < 2) return;
    add(spec_.every ? "/every" : "/cron", "more_than_one_schedule",
        "only one of scheduled_time, cron and every can be given", "");
  }

  void check_envelope() {
    const auto kind = spec_.kind();
    if (kind == ScheduleKind::now || kind == ScheduleKind::once) {
      if (spec_.start_at)
        add("/start_at", "needs_recurring", "only a recurring schedule starts", "");
      if (spec_.end_at) add("/end_at", "needs_recurring", "only a recurring schedule ends", "");
      if (spec_.jitter) {
        add("/jitter", "needs_recurring", "only a recurring schedule has jitter", "");
      }
      if (!spec_.calendars.empty()) {
        add("/calendars", "needs_recurring", "only a recurring schedule keeps to calendars", "");
      }
    } else if (spec_.start_at && spec_.end_at && *spec_.end_at <= *spec_.start_at) {
      add("/end_at", "out_of_range", "end_at must be after start_at", "");
    }
  }

  // Anchors are whole seconds. The creation time is cut down to one; with a start_at the first
  // instant is start_at itself, so a fraction there is rounded up: never before the start.
  EveryPart every_part(Duration period) const {
    if (spec_.start_at) return {std::chrono::ceil<seconds>(*spec_.start_at), period, 0};
    return {std::chrono::floor<seconds>(spec_.anchor), period, 1};
  }

  // Appends the part that the expression is.
  Parsed<void> add_expression(const std::string& text) {
    CHRONOS_TRY(const auto expression, parse_expression(text, spec_.seed));
    const auto zone = expression.zone.value_or(zone_);
    if (expression.zone && spec_.timezone != "UTC" && zone != zone_) {
      return std::unexpected(error_at(
          static_cast<std::size_t>(expression.zone_column - 1), zone.name().size(), "",
          "timezone_conflict",
          fmt::format("'{}' contradicts the job's time zone '{}'", zone.name(), spec_.timezone)));
    }
    used_zones_.push_back(zone);
    auto& rule = parts_.emplace_back().rule;
    if (const auto* cron = std::get_if<Cron>(&expression.body)) {
      rule.emplace<CronPart>(*cron, zone, spec_.dst);
    } else if (const auto* every = std::get_if<EveryText>(&expression.body)) {
      rule = every_part(every->period);
    } else if (const auto* instant = std::get_if<InstantText>(&expression.body)) {
      rule = OncePart{instant->at};
    } else if (std::holds_alternative<StartUpText>(expression.body)) {
      rule = StartUpPart{};
      if (spec_.cron.size() > 1) {
        return std::unexpected(error_at(0, text.size(), "", "start_up_alone",
                                        "@reboot cannot stand beside other expressions",
                                        "a job of its own for what runs at the start"));
      }
    } else if (const auto* repeat = std::get_if<RepeatText>(&expression.body)) {
      CHRONOS_TRY_VOID(add_repeat(*repeat, zone, parts_.back()));
    } else {
      CHRONOS_TRY(const auto at, resolve_local(std::get<LocalText>(expression.body), zone));
      rule = OncePart{at};
    }
    return {};
  }

  // An ISO 8601 repetition counts from its own start, else like any interval.
  Parsed<void> add_repeat(const RepeatText& repeat, const TimeZone& zone, Schedule::Part& part) {
    auto every = every_part(repeat.period.time);
    auto wall = zone.wall(std::chrono::floor<seconds>(every.anchor));
    if (repeat.start) {
      every.first = 0;
      every.has_own_start = true;
      if (const auto* local = std::get_if<LocalText>(&*repeat.start)) {
        CHRONOS_TRY(every.anchor, resolve_local(*local, zone));
        wall = std::chrono::floor<seconds>(local->at);
      } else {
        every.anchor = std::get<InstantText>(*repeat.start).at;
        wall = zone.wall(std::chrono::floor<seconds>(every.anchor));
      }
    }
    if (repeat.count) every.last = every.first + *repeat.count - 1;
    if (repeat.period.is_elapsed()) {
      part.rule = every;
      return {};
    }
    part.rule.emplace<CalendarPart>(wall, std::nullopt, repeat.period, zone, spec_.dst, every.first,
                                    every.last, every.has_own_start);
    if (!repeat.start || std::holds_alternative<InstantText>(*repeat.start)) {
      std::get<CalendarPart>(part.rule).start_instant = std::chrono::floor<seconds>(every.anchor);
    }
    return {};
  }

  Result<void> result() {
    if (faults_.empty()) return {};
    const auto is_planned = [](const FieldError& fault) {
      return fault.code == "not_supported_yet";
    };
    const auto reason = std::ranges::all_of(faults_, is_planned) ? Reason::not_supported_yet
                                                                 : Reason::invalid_fields;
    const auto& first = faults_.front();
    Error error{reason, first.message, first.hint, {}};
    error.fields = std::move(faults_);
    return std::unexpected(std::move(error));
  }

  const ScheduleSpec& spec_;
  TimeZone zone_ = TimeZone::utc();
  std::vector<TimeZone> used_zones_;
  std::vector<Schedule::Part> parts_;
  std::vector<FieldError> faults_;
};

}  // namespace

std::string_view to_string(ScheduleKind kind) {
  switch (kind) {
    case ScheduleKind::now:
      return "now";
    case ScheduleKind::once:
      return "once";
    case ScheduleKind::cron:
      return "cron";
    case ScheduleKind::every:
      return "every";
  }
  return "";
}

ScheduleKind ScheduleSpec::kind() const {
  if (at) return ScheduleKind::once;
  if (!cron.empty()) return ScheduleKind::cron;
  return every ? ScheduleKind::every : ScheduleKind::now;
}

std::int64_t EveryPart::index_at(Timestamp time) const {
  const auto elapsed = time - anchor;
  const auto quotient = elapsed / period;
  return elapsed < Duration(0) && elapsed % period != Duration(0) ? quotient - 1 : quotient;
}

std::optional<Timestamp> EveryPart::next_after(Timestamp after) const {
  if (after >= kLastInstant) return std::nullopt;
  const auto index = std::max(first, index_at(after) + 1);
  if (index > last) return std::nullopt;
  const auto at = anchor + index * period;
  return at < kLastInstant ? std::optional(at) : std::nullopt;
}

std::optional<Timestamp> EveryPart::latest_at_or_before(Timestamp time) const {
  const auto index = std::min(last, index_at(std::min(time, kLastInstant - Duration(1))));
  return index >= first ? std::optional(anchor + index * period) : std::nullopt;
}

Result<Schedule> Schedule::compile(const ScheduleSpec& spec) {
  ScheduleCompiler compiler(spec);
  CHRONOS_TRY_VOID(compiler.check());
  return Schedule(
      std::make_shared<const Data>(Data{spec, compiler.shown_zone(), compiler.take_parts()}));
}

std::optional<Timestamp> Schedule::next_after(Timestamp after) const {
  after = std::max(after, kFirstInstant);
  if (data_->spec.start_at) after = std::max(after, *data_->spec.start_at - Duration(1));
  std::optional<Timestamp> first;
  for (const auto& part : data_->parts) {
    const auto at = part.next_after(after);
    if (at && (!first || *at < *first)) first = at;
  }
  if (first && data_->spec.end_at && *first >= *data_->spec.end_at) return std::nullopt;
  return first;
}

std::optional<Timestamp> Schedule::latest_at_or_before(Timestamp time) const {
  time = std::min(std::max(time, kFirstInstant), kLastInstant + std::chrono::days(1));
  if (data_->spec.end_at) time = std::min(time, *data_->spec.end_at - Duration(1));
  std::optional<Timestamp> last;
  for (const auto& part : data_->parts) {
    const auto at = part.latest_at_or_before(time);
    if (at && (!last || *at > *last)) last = at;
  }
  if (last && data_->spec.start_at && *last < *data_->spec.start_at) return std::nullopt;
  return last;
}

std::int64_t Schedule::count_between(Window window, std::int64_t limit) const {
  const auto first = next_after(window.after);
  if (!first || *first > window.through || limit <= 0) return 0;
  if (data_->parts.size() == 1) {
    const auto& rule = data_->parts.front().rule;
    const auto last = *latest_at_or_before(window.through);  // there is one: `first`
    if (const auto* every = std::get_if<EveryPart>(&rule)) {
      return std::min(limit, every->index_at(last) - every->index_at(*first) + 1);
    }
    if (const auto* part = std::get_if<CronPart>(&rule)) {
      return std::min(limit, 1 + part->cron.count_between(*first, last, part->zone, part->policy));
    }
  }
  std::int64_t count = 0;
  for (auto at = first; at && *at <= window.through && count < limit; at = next_after(*at)) ++count;
  return count;
}

Result<void> Schedule::check_fires_after(Timestamp now) const {
  if (!is_recurring()) return {};
  const auto& spec = data_->spec;
  std::vector<FieldError> faults;
  for (std::size_t i = 0; i < data_->parts.size(); ++i) {
    const auto* part = std::get_if<CronPart>(&data_->parts[i].rule);
    if (part == nullptr || !part->cron.is_never()) continue;
    faults.push_back({cron_pointer(spec, i), "schedule_never_fires",
                      fmt::format("'{}' names a date that does not exist", part->cron.text()), "",
                      0, 0});
  }
  const bool has_ended = spec.end_at && *spec.end_at <= now;
  if (faults.empty() && !next_after(now) && (has_ended || !is_start_up())) {
    const auto pointer = has_ended ? "/end_at" : spec.every ? "/every" : "/cron";
    faults.push_back(
        {pointer, "schedule_never_fires", "the schedule has no time left to fire", "", 0, 0});
  }
  if (faults.empty()) return {};
  Error error{Reason::schedule_never_fires, faults.front().message, {}, {}};
  error.fields = std::move(faults);
  return std::unexpected(std::move(error));
}

std::vector<Warning> Schedule::warnings(Timestamp now) const {
  std::vector<Warning> found;
  TimeWindow window{std::max(now, data_->spec.start_at.value_or(now)), now + kGapOutlook};
  window.until = std::min(window.until, data_->spec.end_at.value_or(window.until));
  for (const auto& part : data_->parts) {
    for (auto& warning : part_warnings(part, data_->zone, window)) {
      found.push_back(std::move(warning));
    }
  }
  return found;
}

bool Schedule::is_current() const {
  return data_->zone.is_current() && std::ranges::all_of(data_->parts, [](const Part& part) {
           return part.zone() == nullptr || part.zone()->is_current();
         });
}

bool Schedule::is_recurring() const {
  return kind() == ScheduleKind::cron || kind() == ScheduleKind::every;
}

bool Schedule::is_start_up() const {
  return data_->parts.size() == 1 && std::holds_alternative<StartUpPart>(data_->parts.front().rule);
}

ScheduleKind Schedule::kind() const {
  return data_->spec.kind();
}

const ScheduleSpec& Schedule::spec() const {
  return data_->spec;
}

const TimeZone& Schedule::zone() const {
  return data_->zone;
}

Occurrence Schedule::describe(Timestamp at) const {
  const bool is_shifted =
      std::ranges::any_of(data_->parts, [&](const Part& part) { return part.is_shifted(at); });
  return {at, format_local(at, data_->zone),
          is_shifted ? std::optional<std::string>("gap") : std::nullopt};
}

const std::vector<Schedule::Part>& Schedule::parts() const {
  return data_->parts;
}

}  // namespace chronos::schedule
