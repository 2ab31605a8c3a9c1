#include "schedule/icalendar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/ascii.h"
#include "schedule/cron_syntax.h"
#include "schedule/repeat_rule.h"
#include "schedule/timezone.h"

namespace chronos::schedule {
namespace {

using std::chrono::days;
using std::chrono::seconds;

constexpr std::size_t kEventsMax = 10'000;
constexpr std::size_t kSummaryMax = 200;  // bytes kept of a summary
constexpr std::size_t kExceptMax = 1000;  // of one event
constexpr auto kDurationMax = days(366 * 10);

// What of an event says when it takes place, and is not understood here.
constexpr std::array<std::string_view, 4> kRefused = {"RDATE", "RECURRENCE-ID", "EXRULE",
                                                      "RECURRENCE"};

// A content line without its folds: NAME;PARAM=VALUE:value.
struct Line {
  int number = 0;  // of its first physical line
  std::string name;
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string value;

  std::string_view parameter(std::string_view wanted) const {
    for (const auto& [key, text] : parameters) {
      if (key == wanted) return text;
    }
    return {};
  }
};

std::unexpected<Error> refuse(int line, std::string_view message, std::string hint = {}) {
  return fail_field("", "bad_icalendar", fmt::format("line {}: {}", line, message),
                    std::move(hint));
}

// Takes physical lines off the text and joins the folded ones.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }

  // Nothing at the end.
  Result<std::optional<Line>> next() {
    std::string whole;
    while (whole.empty()) {
      if (rest_.empty()) return std::nullopt;
      whole = take();
    }
    Line line;
    line.number = number_;
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) whole += take().substr(1);
    if (auto split = divide(whole, line); !split) return std::unexpected(std::move(split).error());
    return line;
  }

 private:
  std::string_view take() {
    const auto end = rest_.find('\n');
    auto line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_;
    return line;
  }

  // Colons and semicolons within quotes belong to a parameter's value.
  static Result<void> divide(std::string_view text, Line& line) {
    std::vector<std::string> pieces(1);
    bool is_quoted = false;
    std::size_t at = 0;
    for (; at < text.size() && (is_quoted || text[at] != ':'); ++at) {
      if (text[at] == '"') {
        is_quoted = !is_quoted;
      } else if (text[at] == ';' && !is_quoted) {
        pieces.emplace_back();
      } else {
        pieces.back() += text[at];
      }
    }
    if (at == text.size()) {
      return refuse(line.number, "has no ':'", "BEGIN:VCALENDAR");
    }
    line.name = ascii::upper_case(pieces.front());
    for (std::size_t i = 1; i < pieces.size(); ++i) {
      const auto equals = std::min(pieces[i].find('='), pieces[i].size());
      auto value = pieces[i].substr(std::min(equals + 1, pieces[i].size()));
      line.parameters.emplace_back(ascii::upper_case(pieces[i].substr(0, equals)),
                                   std::move(value));
    }
    line.value = text.substr(at + 1);
    return {};
  }

  std::string_view rest_;
  int number_ = 0;
};

// "PT1H30M", "P1D", "P2W".
std::optional<Duration> parse_ical_duration(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (!text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  constexpr std::int64_t kNumberMax = 100'000'000;
  Duration total{0};
  bool is_time = false;
  std::int64_t number = -1;
  for (const char c : text) {
    if (ascii::is_digit(c)) {
      number = std::max<std::int64_t>(number, 0) * 10 + (c - '0');
      if (number > kNumberMax) return std::nullopt;
      continue;
    }
    if (c == 'T' && !is_time && number < 0) {
      is_time = true;
      continue;
    }
    seconds unit{0};
    if (c == 'W' && !is_time) unit = days(7);
    if (c == 'D' && !is_time) unit = days(1);
    if (c == 'H' && is_time) unit = std::chrono::hours(1);
    if (c == 'M' && is_time) unit = std::chrono::minutes(1);
    if (c == 'S' && is_time) unit = seconds(1);
    if (unit == seconds(0) || number < 0) return std::nullopt;
    total += number * unit;
    number = -1;
  }
  if (number >= 0 || total <= Duration(0)) return std::nullopt;
  return total;
}

// The text of a SUMMARY without its escapes, cut between characters.
std::string plain_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      c = text[++i];
      if (c == 'n' || c == 'N') c = ' ';
    }
    if (c != '\0') out += c;
  }
  if (out.size() <= kSummaryMax) return out;
  std::size_t end = kSummaryMax;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
  out.resize(end);
  return out;
}

std::string format_date(WallTime wall) {
  const std::chrono::year_month_day date(std::chrono::floor<days>(wall));
  return fmt::format("{:04}-{:02}-{:02}", int(date.year()), unsigned(date.month()),
                     unsigned(date.day()));
}

std::string format_start(const ICalTime& time) {
  if (!time.has_time) return format_date(time.wall);
  const std::chrono::hh_mm_ss clock(time.wall - std::chrono::floor<days>(time.wall));
  return fmt::format("{}T{:02}:{:02}:{:02}", format_date(time.wall), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

// A DTSTART, DTEND or one EXDATE, and the zone it is read in (empty = the calendar's).
struct ZonedTime {
  ICalTime time;
  std::string zone;
};

Result<ZonedTime> read_time(const Line& line, std::string_view text) {
  const auto time = parse_ical_time(text);
  if (!time) {
    return refuse(line.number, fmt::format("{} is not a time: '{}'", line.name, text.substr(0, 64)),
                  "20261224 or 20261224T090000");
  }
  std::string zone(line.parameter("TZID"));
  if (zone.starts_with('/')) zone.erase(0, 1);  // "globally unique": the name follows
  if (time->is_utc) zone = "UTC";
  if (!time->has_time) zone.clear();
  if (!zone.empty() && !TimeZone::find(zone)) {
    return refuse(line.number, fmt::format("TZID '{}' is no time zone", zone.substr(0, 64)),
                  "a name of the tz database, such as Europe/Berlin");
  }
  return ZonedTime{*time, std::move(zone)};
}

// `time` as the clock in `zone` has it.
Result<WallTime> wall_in(const Line& line, const ZonedTime& time, const std::string& zone) {
  if (time.zone == zone || !time.time.has_time) return time.time.wall;
  if (time.zone.empty() || zone.empty()) {
    return refuse(line.number, line.name + " has a zone and DTSTART has none, or the reverse",
                  "the same TZID on both");
  }
  CHRONOS_TRY(const auto from, TimeZone::find(time.zone));
  CHRONOS_TRY(const auto to, TimeZone::find(zone));
  return to.wall(from.resolve(time.time.wall).instant);
}

// Gathers the lines of one VEVENT.
class EventReader {
 public:
  explicit EventReader(int line) : line_(line) {}

  Result<void> add(Line line) {
    if (std::ranges::find(kRefused, line.name) != kRefused.end()) {
      return refuse(line.number, line.name + " is not supported",
                    "repeat with RRULE and leave out with EXDATE, or list the events one by one");
    }
    if (line.name == "STATUS") is_cancelled_ = ascii::upper_case(line.value) == "CANCELLED";
    if (line.name == "SUMMARY") event_.summary = plain_text(line.value);
    if (line.name == "EXDATE")
      except_.push_back(std::move(line));
    else if (line.name == "DTSTART")
      return keep(start_, std::move(line));
    else if (line.name == "DTEND")
      return keep(end_, std::move(line));
    else if (line.name == "DURATION")
      return keep(duration_, std::move(line));
    else if (line.name == "RRULE")
      return keep(rule_, std::move(line));
    return {};
  }

  bool is_cancelled() const { return is_cancelled_; }

  Result<CalendarEvent> finish() && {
    if (!start_) return refuse(line_, "the event has no DTSTART", "DTSTART;VALUE=DATE:20261224");
    CHRONOS_TRY(const auto start, read_time(*start_, start_->value));
    event_.start = format_start(start.time);
    event_.timezone = start.zone;
    CHRONOS_TRY_VOID(set_duration(start));
    CHRONOS_TRY_VOID(set_rule());
    CHRONOS_TRY_VOID(set_except(start));
    return std::move(event_);
  }

 private:
  static Result<void> keep(std::optional<Line>& place, Line line) {
    if (place) return refuse(line.number, line.name + " is there twice in one event");
    place = std::move(line);
    return {};
  }

  Result<void> set_duration(const ZonedTime& start) {
    if (end_ && duration_) {
      return refuse(duration_->number, "DURATION and DTEND may not stand together");
    }
    event_.duration = days(1);
    if (duration_) {
      const auto duration = parse_ical_duration(duration_->value);
      if (!duration || *duration > kDurationMax) {
        return refuse(duration_->number, "DURATION is not understood", "PT1H30M or P1D");
      }
      event_.duration = *duration;
    } else if (end_) {
      CHRONOS_TRY(const auto end, read_time(*end_, end_->value));
      if (end.time.has_time != start.time.has_time) {
        return refuse(end_->number, "of DTSTART and DTEND one is a date and the other a time");
      }
      CHRONOS_TRY(const auto wall, wall_in(*end_, end, start.zone));
      event_.duration = wall - start.time.wall;
      if (event_.duration <= Duration(0) || event_.duration > kDurationMax) {
        return refuse(end_->number, "the event must end after it begins, within ten years");
      }
    } else if (start.time.has_time) {
      return refuse(start_->number, "an event at a time needs DTEND or DURATION: it takes no time",
                    "DURATION:PT1H");
    }
    return {};
  }

  Result<void> set_rule() {
    if (!rule_) return {};
    event_.repeat = ascii::upper_case(rule_->value);
    if (const auto rule = RepeatRule::parse(event_.repeat); !rule) {
      return refuse(rule_->number, "RRULE: " + rule.error().message, rule.error().hint);
    }
    constexpr auto kRepeatLengthMax = days(31);
    if (event_.duration > kRepeatLengthMax) {
      return refuse(rule_->number, "a repeated event lasts at most 31 days");
    }
    return {};
  }

  Result<void> set_except(const ZonedTime& start) {
    for (const auto& line : except_) {
      std::string_view rest = line.value;
      while (!rest.empty()) {
        const auto piece = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
        CHRONOS_TRY(const auto time, read_time(line, piece));
        CHRONOS_TRY(const auto wall, wall_in(line, time, start.zone));
        // Another zone may have it in a year that no event knows.
        const auto year = std::chrono::year_month_day(std::chrono::floor<days>(wall)).year();
        if (int(year) < kFirstYear || int(year) > kLastYear) continue;
        event_.except.push_back(format_date(wall));
        if (event_.except.size() > kExceptMax) {
          return refuse(line.number, fmt::format("more than {} exceptions", kExceptMax));
        }
      }
    }
    return {};
  }

  int line_;
  CalendarEvent event_;
  bool is_cancelled_ = false;
  std::optional<Line> start_;
  std::optional<Line> end_;
  std::optional<Line> duration_;
  std::optional<Line> rule_;
  std::vector<Line> except_;
};

// Follows BEGIN and END, and hands the lines of events to an EventReader.
class FileReader {
 public:
  Result<void> add(Line line) {
    if (line.name == "BEGIN") return begin(line);
    if (line.name == "END") return end(line);
    if (open_.empty()) return refuse(line.number, "stands outside a VCALENDAR", "BEGIN:VCALENDAR");
    if (event_ && open_.back() == "VEVENT") return event_->add(std::move(line));
    return {};
  }

  Result<std::vector<CalendarEvent>> finish(int last_line) && {
    if (!open_.empty()) return refuse(last_line, "the file ends within " + open_.back());
    if (!has_calendar_) return refuse(1, "there is no calendar", "BEGIN:VCALENDAR");
    return std::move(events_);
  }

 private:
  Result<void> begin(const Line& line) {
    const auto name = ascii::upper_case(line.value);
    if (open_.empty() != (name == "VCALENDAR")) {
      return refuse(line.number, fmt::format("BEGIN:{} does not belong here", name.substr(0, 64)),
                    "BEGIN:VCALENDAR outermost");
    }
    constexpr std::size_t kDepthMax = 8;
    if (open_.size() >= kDepthMax) return refuse(line.number, "is nested too deeply");
    has_calendar_ = true;
    if (name == "VEVENT" && open_.size() == 1) event_.emplace(line.number);
    open_.push_back(name);
    return {};
  }

  Result<void> end(const Line& line) {
    if (open_.empty() || open_.back() != ascii::upper_case(line.value)) {
      return refuse(line.number,
                    open_.empty() ? "END without a BEGIN" : "expected END:" + open_.back());
    }
    open_.pop_back();
    if (!event_ || open_.size() != 1) return {};
    auto reader = std::move(*event_);
    event_.reset();
    if (reader.is_cancelled()) return {};
    CHRONOS_TRY(auto event, std::move(reader).finish());
    if (events_.size() >= kEventsMax) {
      return refuse(line.number, fmt::format("there are more than {} events", kEventsMax));
    }
    events_.push_back(std::move(event));
    return {};
  }

  std::vector<std::string> open_;
  bool has_calendar_ = false;
  std::optional<EventReader> event_;
  std::vector<CalendarEvent> events_;
};

}  // namespace

Result<std::vector<CalendarEvent>> parse_icalendar(std::string_view text) {
  LineReader lines(text);
  FileReader file;
  int last_line = 1;
  while (true) {
    CHRONOS_TRY(auto line, lines.next());
    if (!line) return std::move(file).finish(last_line);
    last_line = line->number;
    CHRONOS_TRY_VOID(file.add(std::move(*line)));
  }
}

}  // namespace chronos::schedule
