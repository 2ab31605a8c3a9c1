#include "schedule/timezone.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/ascii.h"
#include "base/mutex.h"

namespace chronos::schedule {

namespace {

// Which state of a zone's file was read. An upgrade of the tz database changes it.
struct FileStamp {
  std::filesystem::file_time_type modified;
  std::uintmax_t size = 0;

  bool operator==(const FileStamp&) const = default;
};

}  // namespace

struct TimeZone::Data {
  std::string name;
  std::vector<ZoneSegment> segments;
  std::optional<FileStamp> stamp = std::nullopt;  // none: not from a file
};

namespace {

using std::chrono::seconds;

// Ends of time that no search reaches and no offset overflows.
constexpr Instant kBeginning{seconds(-(std::int64_t{1} << 40))};
constexpr Instant kEnd{seconds(std::int64_t{1} << 40)};

// Segments are cut a month before 1970 and a month after 2199: farther than any offset.
constexpr Instant kFirstChange = std::chrono::sys_days(std::chrono::year(1969) / 12 / 1);
constexpr Instant kLastChange = std::chrono::sys_days(std::chrono::year(2200) / 2 / 1);

// Whether a name may be looked up at all. Dots are not among the characters, so no name climbs out
// of the database; "right/" counts leap seconds and "posix/" is a copy; "localtime" and
// "posixrules" are the machine's own choice, which a job must never depend on.
bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.back() == '/') return false;
  for (const char c : name) {
    if (!ascii::is_alphanumeric(c) && c != '_' && c != '+' && c != '-' && c != '/') {
      return false;
    }
  }
  return !name.starts_with("right/") && !name.starts_with("posix/") && name != "localtime" &&
         name != "posixrules" && name != "Factory";
}

// "+05:30" -> 19800 s. At most 23:59, the most RFC 3339 can write.
std::optional<seconds> fixed_offset(std::string_view name) {
  if (name.size() != 6 || (name[0] != '+' && name[0] != '-') || name[3] != ':') return std::nullopt;
  for (const std::size_t i : {1U, 2U, 4U, 5U}) {
    if (!ascii::is_digit(name[i])) return std::nullopt;
  }
  const int hours = (name[1] - '0') * 10 + (name[2] - '0');
  const int minutes = (name[4] - '0') * 10 + (name[5] - '0');
  if (hours > 23 || minutes > 59) return std::nullopt;
  const seconds offset(hours * 3600 + minutes * 60);
  return name[0] == '-' ? -offset : offset;
}

std::filesystem::path database() {
  const char* directory = std::getenv("TZDIR");
  return directory != nullptr ? directory : "/usr/share/zoneinfo";
}

// None if there is no such file.
std::optional<FileStamp> stamp_of(const std::string& name) {
  std::error_code error;
  const auto path = database() / name;
  const FileStamp stamp{std::filesystem::last_write_time(path, error),
                        std::filesystem::file_size(path, error)};
  return error ? std::nullopt : std::optional(stamp);
}

bool is_zone_file(const std::string& name) {
  std::ifstream file(database() / name, std::ios::binary);
  std::array<char, 4> magic{};
  return file.read(magic.data(), magic.size()) && std::string_view(magic.data(), 4) == "TZif";
}

// Equal on every machine and in every build, unlike std::hash: the stamp is stored.
std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  }
  return hash;
}

// Collects segments in time order and keeps `end` and `seen` right.
class SegmentList {
 public:
  explicit SegmentList(seconds offset) {
    segments_.push_back({kBeginning, kEnd, offset, WallTime(2 * kBeginning.time_since_epoch())});
  }

  void change(Instant when, seconds offset) {
    auto& last = segments_.back();
    if (last.offset == offset) return;
    last.end = when;
    segments_.push_back({when, kEnd, offset, std::max(last.seen, last.wall_end())});
  }

  seconds offset() const { return segments_.back().offset; }
  std::vector<ZoneSegment> take() && { return std::move(segments_); }

 private:
  std::vector<ZoneSegment> segments_;
};

std::vector<ZoneSegment> expand(const absl::TimeZone& zone) {
  const absl::Time from = absl::FromUnixSeconds(kFirstChange.time_since_epoch().count());
  SegmentList list(seconds(zone.At(from).offset));
  absl::TimeZone::CivilTransition transition;
  absl::Time at = from;
  while (zone.NextTransition(at, &transition)) {
    // Abseil tells the readings just before and after, not the instant: the reading before the
    // change under the offset before it gives that.
    const absl::CivilSecond epoch(1970);
    const Instant when{seconds(transition.from - epoch) - list.offset()};
    if (when > kLastChange) break;
    list.change(when, list.offset() + seconds(transition.to - transition.from));
    at = absl::FromUnixSeconds(when.time_since_epoch().count());
  }
  return std::move(list).take();
}

// Reads a zone's file. Abseil remembers every name it was ever asked for, so names that have no
// file must not reach it (they come from users), and a file that has changed is asked for under
// another spelling of its path: `reading` counts how often it has been read.
std::optional<std::vector<ZoneSegment>> read_zone(const std::string& name, int reading) {
  if (!is_zone_file(name)) return std::nullopt;
  auto path = database().string();
  for (int i = 0; i < reading; ++i) path += "/.";
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(path + "/" + name, &zone)) return std::nullopt;
  return expand(zone);
}

template <class Data>
struct ZoneCache {
  struct Entry {
    std::shared_ptr<const Data> data;
    int readings = 0;
  };
  Mutex mutex;
  std::map<std::string, Entry, std::less<>> zones CHRONOS_GUARDED_BY(mutex);
};

std::unexpected<Error> unknown(std::string_view name) {
  const bool is_short_word = name.size() <= 5 && !name.empty() &&
                             std::ranges::all_of(name, [](char c) { return ascii::is_letter(c); });
  return fail_field("", "unknown_timezone",
                    fmt::format("unknown time zone '{}'", name.substr(0, 64)),
                    is_short_word ? "use an IANA name such as Europe/Berlin" : "");
}

}  // namespace

Result<TimeZone> TimeZone::find(std::string_view name) {
  if (name == "UTC") return utc();
  if (const auto offset = fixed_offset(name)) {
    // "-00:00" is spelled "+00:00" from here on.
    std::string spelled(name);
    if (*offset == seconds(0)) spelled[0] = '+';
    return TimeZone(std::make_shared<const Data>(Data{spelled, SegmentList(*offset).take()}));
  }
  if (!is_zone_name(name)) return unknown(name);
  // A memo of what the tz database says, not state: nothing can tell whether it is there, except
  // by time and memory. A zone has some 500 segments; thousands of jobs share them.
  static ZoneCache<Data> cache;
  const MutexLock lock(cache.mutex);
  const std::string owned(name);
  const auto stamp = stamp_of(owned);
  const auto found = cache.zones.find(name);
  const bool is_known = found != cache.zones.end();
  // A file that is gone was right a moment ago: running jobs keep their zone.
  if (is_known && (!stamp || found->second.data->stamp == stamp)) {
    return TimeZone(found->second.data);
  }
  const int reading = is_known ? found->second.readings : 0;
  auto segments = read_zone(owned, reading);
  if (!segments) return is_known ? Result<TimeZone>(TimeZone(found->second.data)) : unknown(name);
  auto data = std::make_shared<const Data>(Data{owned, std::move(*segments), stamp});
  cache.zones[owned] = {data, reading + 1};
  return TimeZone(std::move(data));
}

bool TimeZone::is_current() const {
  if (!data_->stamp) return true;
  const auto stamp = stamp_of(data_->name);
  return !stamp || stamp == data_->stamp;
}

std::int64_t database_stamp() {
  namespace fs = std::filesystem;
  const auto root = database();
  std::uint64_t stamp = 0;
  std::error_code error;
  fs::recursive_directory_iterator at(root, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    const auto name = at->path().lexically_relative(root).string();
    if (at->is_directory(error)) {
      if (name == "right" || name == "posix") at.disable_recursion_pending();
      continue;
    }
    const auto file = stamp_of(name);
    if (!file || !is_zone_name(name)) continue;
    // The files come in any order: their numbers are added up.
    const auto text =
        fmt::format("{} {} {}", name, file->modified.time_since_epoch().count(), file->size);
    stamp += fnv1a(text);
  }
  return static_cast<std::int64_t>(stamp);
}

TimeZone TimeZone::utc() {
  static const auto data =
      std::make_shared<const Data>(Data{"UTC", SegmentList(seconds(0)).take()});
  return TimeZone(data);
}

const std::string& TimeZone::name() const {
  return data_->name;
}

std::span<const ZoneSegment> TimeZone::segments() const {
  return data_->segments;
}

std::size_t TimeZone::segment_at(Instant instant) const {
  const auto& segments = data_->segments;
  const auto after = std::ranges::upper_bound(segments.begin() + 1, segments.end(), instant, {},
                                              &ZoneSegment::begin);
  return static_cast<std::size_t>(after - segments.begin()) - 1;
}

std::size_t TimeZone::segment_showing(WallTime wall) const {
  const auto& segments = data_->segments;
  const auto after =
      std::ranges::upper_bound(segments.begin() + 1, segments.end(), wall, {}, &ZoneSegment::seen);
  return static_cast<std::size_t>(after - segments.begin()) - 1;
}

WallTime TimeZone::wall(Instant instant) const {
  return data_->segments[segment_at(instant)].wall(instant);
}

WallResolution TimeZone::resolve(WallTime wall) const {
  const auto index = segment_showing(wall);
  const auto& segment = data_->segments[index];
  if (wall < segment.wall_begin()) return {WallKind::skipped, segment.begin, segment.gap()};
  const bool is_shown_again =
      index + 1 < data_->segments.size() && wall >= data_->segments[index + 1].wall_begin();
  return {is_shown_again ? WallKind::repeated : WallKind::unique, segment.instant(wall), {}};
}

std::string format_local(Timestamp time, const TimeZone& zone) {
  using std::chrono::minutes;
  const auto whole = std::chrono::floor<seconds>(time);
  const auto offset = std::chrono::round<minutes>(zone.segments()[zone.segment_at(whole)].offset);
  const auto wall = whole + offset;
  const auto day = std::chrono::floor<std::chrono::days>(wall);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(wall - day);
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                          clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (const auto fraction = std::chrono::floor<std::chrono::milliseconds>(time - whole);
      fraction.count() != 0) {
    text += fmt::format(".{:03}", fraction.count());
  }
  const auto distance = offset < minutes(0) ? -offset : offset;
  return text + fmt::format("{}{:02}:{:02}", offset < minutes(0) ? '-' : '+', distance.count() / 60,
                            distance.count() % 60);
}

std::string format_wall(WallTime wall) {
  const auto day = std::chrono::floor<std::chrono::days>(wall);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(wall - day);
  auto text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                          clock.hours().count(), clock.minutes().count());
  if (clock.seconds().count() != 0) text += fmt::format(":{:02}", clock.seconds().count());
  return text;
}

}  // namespace chronos::schedule
