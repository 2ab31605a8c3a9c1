#include "model/json_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/fields.h"
#include "base/silence.h"
#include "base/time_text.h"
#include "model/retry.h"

namespace chronos {

// Found by argument-dependent lookup from the templates of base/fields.h.
void read_value(const json::Value& value, NotifyRule& out, const fields::Place& place);
void write_value(json::Writer& writer, const NotifyRule& rule);

namespace {

using fields::enum_row;
using fields::Field;
using fields::is_equal;
using fields::Length;
using fields::Place;
using fields::Range;
using fields::row;

// -- Values inside a job -------------------------------------------------------------------------

constexpr std::array kRetryFields = {
    enum_row<&RetryPolicy::backoff, parse_backoff>("backoff"),
    row<&RetryPolicy::delay>("delay"),
    row<&RetryPolicy::max_delay>("max_delay"),
    enum_row<&RetryPolicy::jitter, parse_jitter>("jitter"),
    row<&RetryPolicy::max_age>("max_age"),
    row<&RetryPolicy::on>("on"),
};

constexpr std::array kMisfireFields = {
    enum_row<&MisfirePolicy::policy, parse_misfire>("policy"),
    row<&MisfirePolicy::grace>("grace"),
    row<&MisfirePolicy::window>("window"),
    row<&MisfirePolicy::max, Range{1, 100'000}>("max"),
};

constexpr std::array kRetentionFields = {
    row<&Retention::runs, Range{1, 10'000'000}>("runs"),
    row<&Retention::age, fields::AtLeast(std::chrono::minutes(1))>("age"),
};

constexpr std::array kUniqueFields = {
    row<&Unique::key, Length{1, 200}>("key"),
    enum_row<&Unique::holds_while, parse_unique_while>("while"),
    row<&Unique::window, fields::AtLeast(std::chrono::milliseconds(1))>("window"),
    enum_row<&Unique::on_conflict, parse_on_conflict>("on_conflict"),
};

constexpr std::array kConcurrencyFields = {
    row<&ConcurrencyLimit::key, Length{1, 200}>("key"),
    row<&ConcurrencyLimit::max, Range{1, 1'000'000}>("max"),
};

struct RateWindow {
  void check(Duration per, const Place& place) const {
    if (per >= std::chrono::milliseconds(1) && per <= std::chrono::days(31)) return;
    place.refuse("out_of_range", fmt::format("{} is outside 1ms-31d", format_duration(per)));
  }
};

constexpr std::array kRateFields = {
    row<&RateLimit::key, Length{1, 200}>("key"),
    row<&RateLimit::max, Range{1, 100'000}>("max"),
    row<&RateLimit::per, RateWindow{}>("per"),
};

struct KnownEvent {
  void check(const std::string& event, const Place& place) const {
    constexpr std::array<std::string_view, 4> kLater = {"recovery", "missed", "late", "long"};
    if (event == "failure") return;
    if (std::ranges::find(kLater, event) != kLater.end()) {
      place.refuse("not_supported_yet", fmt::format("telling on '{}' is not supported yet", event));
    } else {
      place.refuse("unknown_value", fmt::format("'{}' is not an event", event.substr(0, 64)),
                   "failure");
    }
  }
};

struct Addresses {
  void check(const std::vector<std::string>& addresses, const Place& place) const {
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const auto& address = addresses[i];
      const auto at = address.find('@');
      const bool is_address = at != std::string::npos && at > 0 && at + 1 < address.size() &&
                              address.size() <= 254 &&
                              address.find('@', at + 1) == std::string::npos &&
                              std::ranges::none_of(address, [](unsigned char c) {
                                return c <= 32 || c >= 127 || c == '<' || c == '>' || c == ',' ||
                                       c == ';' || c == '"' || c == '(' || c == ')' || c == '\\';
                              });
      if (!is_address) {
        place.at(i).refuse("bad_email",
                           fmt::format("'{}' is not an e-mail address", address.substr(0, 64)),
                           "ops@example.com");
      }
    }
  }
};

constexpr std::array kNotifyFields = {
    row<&NotifyRule::on, KnownEvent{}>("on"),
    row<&NotifyRule::after, Range{1, 1000}>("after"),
    row<&NotifyRule::email, Addresses{}>("email"),
    row<&NotifyRule::channel, Length{0, 64}>("channel"),
};

template <class T, std::size_t N>
void read_nested(const std::array<Field<T>, N>& table, const json::Value& value, T& out,
                 const Place& place) {
  out = T{};
  if (!value.is(json::Type::null))
    fields::read_object(std::span<const Field<T>>(table), value, out, place);
}

template <class T, std::size_t N>
void write_nested(const std::array<Field<T>, N>& table, json::Writer& writer, const T& object) {
  writer.begin_object();
  fields::write_members(std::span<const Field<T>>(table), writer, object);
  writer.end_object();
}

// -- Members of a job that are not plain ---------------------------------------------------------

void read_action(const json::Value& value, JobSpec& spec, const Place& place) {
  if (!place.expect(value, json::Type::object)) return;
  const auto* kind = value.find("kind");
  if (kind == nullptr)
    return place.at("kind").refuse("required", "is required", "http, command or worker");
  if (!place.at("kind").expect(*kind, json::Type::string)) return;
  spec.action = {kind->string, std::string(value.raw)};
}

void read_payload(const json::Value& value, JobSpec& spec, const Place&) {
  spec.payload = value.raw;
}

void read_cron(const json::Value& value, JobSpec& spec, const Place& place) {
  auto& cron = spec.schedule.cron;
  cron.clear();
  if (value.is(json::Type::null)) return;
  if (value.is(json::Type::string)) {
    cron.push_back(value.string);
  } else if (value.is(json::Type::array)) {
    fields::read_value(value, cron, place);
    if (cron.empty()) place.refuse("too_short", "the list of expressions is empty");
    if (cron.size() > 64) place.refuse("too_long", "at most 64 expressions are allowed");
  } else {
    place.refuse("wrong_type", fmt::format("expected a string or a list of strings, found {}",
                                           to_string(value.type)));
  }
}

void write_cron(json::Writer& writer, const JobSpec& spec) {
  const auto& cron = spec.schedule.cron;
  if (cron.empty()) {
    writer.null();
  } else if (cron.size() == 1) {
    writer.string(cron.front());
  } else {
    fields::write_value(writer, cron);
  }
}

struct CalendarNames {
  void check(const std::vector<std::string>& names, const Place& place) const {
    if (names.size() > 16) place.refuse("too_long", "at most 16 calendars are allowed");
    for (std::size_t i = 0; i < names.size(); ++i) {
      fields::Slug{64}.check(names[i], place.at(i));
      if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
          names.begin() + static_cast<std::ptrdiff_t>(i)) {
        place.at(i).refuse("repeated", fmt::format("'{}' is there twice", names[i]));
      }
    }
  }
};

template <auto Member>
bool is_schedule_equal(const JobSpec& a, const JobSpec& b) {
  return a.schedule.*Member == b.schedule.*Member;
}

// The row of a member of JobSpec::schedule.
template <auto Member, auto Rule = fields::AnyValue{}>
constexpr Field<JobSpec> schedule_row(const json::Name& name) {
  return {name,
          [](const json::Value& value, JobSpec& spec, const Place& place) {
            if (value.is(json::Type::null)) {
              spec.schedule.*Member = ScheduleSpec{}.*Member;
              return;
            }
            fields::read_checked(value, spec.schedule.*Member, Rule, place);
          },
          [](json::Writer& writer, const JobSpec& spec) {
            fields::write_value(writer, spec.schedule.*Member);
          },
          is_schedule_equal<Member>};
}

void read_dst(const json::Value& value, JobSpec& spec, const Place& place) {
  if (value.is(json::Type::null) || (value.is(json::Type::string) && value.string == "auto")) {
    spec.schedule.dst = DstPolicy::automatic;
  } else if (value.is(json::Type::string) && value.string == "skip") {
    spec.schedule.dst = DstPolicy::skip;
  } else {
    place.refuse("unknown_value", "must be \"auto\" or \"skip\"");
  }
}

struct JitterBounds {
  void check(Duration max, const Place& place) const {
    if (max >= std::chrono::milliseconds(1) && max <= std::chrono::hours(24)) return;
    place.refuse("out_of_range", fmt::format("{} is outside 1ms-1d", format_duration(max)));
  }
};

constexpr std::array kJitterFields = {
    row<&StartJitter::max, JitterBounds{}>("max"),
    enum_row<&StartJitter::mode, schedule::parse_jitter_mode>("mode"),
};

// A duration, or the object with all there is to say.
void read_jitter(const json::Value& value, JobSpec& spec, const Place& place) {
  auto& jitter = spec.schedule.jitter;
  jitter.reset();
  if (value.is(json::Type::null)) return;
  jitter.emplace();
  if (!value.is(json::Type::object)) {
    return fields::read_checked(value, jitter->max, JitterBounds{}, place);
  }
  read_nested(kJitterFields, value, *jitter, place);
  if (value.find("max") == nullptr) place.at("max").refuse("required", "is required", "30s");
}

void write_jitter(json::Writer& writer, const JobSpec& spec) {
  const auto& jitter = spec.schedule.jitter;
  jitter ? write_nested(kJitterFields, writer, *jitter) : void(writer.null());
}

void read_unique(const json::Value& value, JobSpec& spec, const Place& place) {
  spec.unique.reset();
  if (value.is(json::Type::null)) return;
  auto& unique = spec.unique.emplace();
  read_nested(kUniqueFields, value, unique, place);
  if (!value.is(json::Type::object)) return;
  if (value.find("key") == nullptr) place.at("key").refuse("required", "is required");
  const bool has_window = unique.holds_while == UniqueWhile::window;
  if (has_window && !unique.window && value.find("window") == nullptr) {
    place.at("window").refuse("required", "is required with \"while\": \"window\"", "10m");
  } else if (!has_window && unique.window) {
    place.at("window").refuse("not_applicable", "only \"while\": \"window\" has one");
  }
  if (!has_window && unique.on_conflict == OnConflict::extend) {
    place.at("on_conflict").refuse("not_applicable", "only a window can be extended", "keep");
  }
}

void write_unique(json::Writer& writer, const JobSpec& spec) {
  spec.unique ? write_nested(kUniqueFields, writer, *spec.unique) : void(writer.null());
}

// A member of JobSpec::limits; all of its own members have to be there.
template <auto Member, auto& Table>
constexpr Field<JobSpec> limit_row(const json::Name& name) {
  return {name,
          [](const json::Value& value, JobSpec& spec, const Place& place) {
            auto& limit = spec.limits.*Member;
            limit.reset();
            if (value.is(json::Type::null)) return;
            read_nested(Table, value, limit.emplace(), place);
            if (!value.is(json::Type::object)) return;
            for (const auto& field : Table) {
              if (value.find(field.name) != nullptr) continue;
              place.at(field.name).refuse("required", "is required");
            }
          },
          [](json::Writer& writer, const JobSpec& spec) {
            const auto& limit = spec.limits.*Member;
            limit ? write_nested(Table, writer, *limit) : void(writer.null());
          },
          [](const JobSpec& a, const JobSpec& b) { return a.limits.*Member == b.limits.*Member; }};
}

void read_metadata(const json::Value& value, JobSpec& spec, const Place& place) {
  spec.metadata.clear();
  if (value.is(json::Type::null) || !place.expect(value, json::Type::object)) return;
  if (value.members.size() > 64) place.refuse("too_long", "at most 64 entries are allowed");
  for (const auto& [name, member] : value.members) {
    const auto entry = place.at(name);
    Length{1, 128}.check(name, entry);
    if (!entry.expect(member, json::Type::string)) continue;
    Length{0, 2048}.check(member.string, entry);
    spec.metadata.emplace(name, member.string);
  }
}

void write_metadata(json::Writer& writer, const JobSpec& spec) {
  writer.begin_object();
  for (const auto& [name, value] : spec.metadata) writer.key(name).string(value);
  writer.end_object();
}

struct Tags {
  void check(const std::vector<std::string>& tags, const Place& place) const {
    for (std::size_t i = 0; i < tags.size(); ++i) Length{1, 128}.check(tags[i], place.at(i));
  }
};

struct KnownRules {
  void check(const std::vector<NotifyRule>& rules, const Place& place) const {
    if (rules.size() > 16) place.refuse("too_long", "at most 16 rules are allowed");
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (!rules[i].email.empty() || !rules[i].channel.empty()) continue;
      place.at(i).refuse("required", "a rule needs somebody to tell",
                         "\"email\": [...] or \"channel\": name");
    }
  }
};

// -- THE table of what a user declares
// ---------------------------------------------------------------

constexpr std::array kSpecFields = {
    row<&JobSpec::name, Length{1, 200}>("name"),
    row<&JobSpec::key, fields::Slug{128}>("key"),
    Field<JobSpec>{"action", read_action,
                   [](json::Writer& w, const JobSpec& spec) { w.raw(spec.action.config); },
                   is_equal<&JobSpec::action>},
    Field<JobSpec>{"payload", read_payload,
                   [](json::Writer& w, const JobSpec& spec) {
                     spec.payload.empty() ? w.null() : w.raw(spec.payload);
                   },
                   is_equal<&JobSpec::payload>},
    schedule_row<&ScheduleSpec::at>("scheduled_time"),
    Field<JobSpec>{"cron", read_cron, write_cron, is_schedule_equal<&ScheduleSpec::cron>},
    Field<JobSpec>{"cron_expression", read_cron, nullptr},
    schedule_row<&ScheduleSpec::every, fields::AtLeast(std::chrono::seconds(1))>("every"),
    schedule_row<&ScheduleSpec::timezone, Length{1, 64}>("timezone"),
    Field<JobSpec>{"dst", read_dst,
                   [](json::Writer& w, const JobSpec& spec) {
                     w.string(spec.schedule.dst == DstPolicy::skip ? "skip" : "auto");
                   },
                   is_schedule_equal<&ScheduleSpec::dst>},
    schedule_row<&ScheduleSpec::start_at>("start_at"),
    schedule_row<&ScheduleSpec::end_at>("end_at"),
    Field<JobSpec>{"jitter", read_jitter, write_jitter, is_schedule_equal<&ScheduleSpec::jitter>},
    schedule_row<&ScheduleSpec::calendars, CalendarNames{}>("calendars"),
    row<&JobSpec::max_runs, Range{1, 1'000'000'000'000}>("max_runs"),
    row<&JobSpec::max_attempts, Range{0, 1000}>("max_attempts"),
    Field<JobSpec>{
        "retry",
        [](const json::Value& value, JobSpec& spec, const Place& place) {
          read_nested(kRetryFields, value, spec.retry, place);
        },
        [](json::Writer& w, const JobSpec& spec) { write_nested(kRetryFields, w, spec.retry); },
        is_equal<&JobSpec::retry>},
    row<&JobSpec::timeout, fields::AtLeast(std::chrono::milliseconds(1))>("timeout"),
    row<&JobSpec::deadline, fields::AtLeast(std::chrono::milliseconds(1))>("deadline"),
    enum_row<&JobSpec::on_lost, parse_on_lost>("on_lost"),
    Field<JobSpec>{
        "misfire",
        [](const json::Value& value, JobSpec& spec, const Place& place) {
          read_nested(kMisfireFields, value, spec.misfire, place);
        },
        [](json::Writer& w, const JobSpec& spec) { write_nested(kMisfireFields, w, spec.misfire); },
        is_equal<&JobSpec::misfire>},
    enum_row<&JobSpec::overlap, parse_overlap>("overlap"),
    row<&JobSpec::queue, fields::Slug{64}>("queue"),
    row<&JobSpec::priority, Range{0, 9}>("priority"),
    limit_row<&Limits::concurrency, kConcurrencyFields>("concurrency"),
    limit_row<&Limits::rate, kRateFields>("rate"),
    Field<JobSpec>{"unique", read_unique, write_unique, is_equal<&JobSpec::unique>},
    row<&JobSpec::notify, KnownRules{}>("notify"),
    row<&JobSpec::tags, Tags{}>("tags"),
    Field<JobSpec>{"metadata", read_metadata, write_metadata, is_equal<&JobSpec::metadata>},
    Field<JobSpec>{"retention",
                   // What it does not name keeps the server's default: read_spec() put it there.
                   [](const json::Value& value, JobSpec& spec, const Place& place) {
                     if (value.is(json::Type::null)) return;
                     fields::read_object(std::span<const Field<Retention>>(kRetentionFields), value,
                                         spec.retention, place);
                   },
                   [](json::Writer& w, const JobSpec& spec) {
                     write_nested(kRetentionFields, w, spec.retention);
                   },
                   is_equal<&JobSpec::retention>},
    row<&JobSpec::paused>("paused"),
    row<&JobSpec::paused_until>("paused_until"),
    row<&JobSpec::note, Length{0, kNoteMax}>("note"),
};

// What could not be compared would be stored with every job (stored_spec.cc).
static_assert(std::ranges::all_of(kSpecFields, [](const auto& field) {
  return field.write == nullptr || field.equal != nullptr;
}));

// Fields of product.md §3 whose feature does not exist yet: refused, never silently ignored.
constexpr std::array<std::string_view, 1> kUnsupported = {"after"};

// All but the ignored. What does not exist yet is told first.
void read_members(const json::Value& root, std::span<const std::string_view> ignored, JobSpec& spec,
                  const Place& place) {
  const auto is_in = [](std::span<const std::string_view> names, const json::Member& member) {
    return std::ranges::find(names, member.name) != names.end();
  };
  for (const auto& member : root.members) {
    if (!is_in(kUnsupported, member) || is_in(ignored, member)) continue;
    place.at(member.name)
        .refuse("not_supported_yet", fmt::format("'{}' is not supported yet", member.name));
  }
  for (const auto& member : root.members) {
    if (is_in(kUnsupported, member) || is_in(ignored, member)) continue;
    fields::read_member(std::span<const Field<JobSpec>>(kSpecFields), member, spec, place);
  }
}

bool names_any(const json::Value& root, std::span<const std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view name) {
    const auto* value = root.find(name);
    return value != nullptr && !value->is(json::Type::null);
  });
}

constexpr std::array<std::string_view, 4> kScheduleChoices = {"scheduled_time", "cron",
                                                              "cron_expression", "every"};

// A schedule is one of the choices: a new choice replaces the others.
void choose_schedule(const json::Value& root, SpecUse use, JobSpec& spec) {
  if (use == SpecUse::submit) return;
  if (use == SpecUse::patch && !names_any(root, kScheduleChoices)) return;
  auto& schedule = spec.schedule;
  if (use == SpecUse::reschedule) {
    schedule.timezone = ScheduleSpec{}.timezone;
    schedule.dst = ScheduleSpec{}.dst;
    schedule.start_at.reset();
    schedule.end_at.reset();
    schedule.jitter.reset();
    schedule.calendars.clear();
    spec.max_runs.reset();
  }
  schedule.at.reset();
  schedule.cron.clear();
  schedule.every.reset();
}

// paused_until pauses; a job that is not paused has none.
void choose_pause(const json::Value& root, JobSpec& spec, const Place& place) {
  constexpr std::array<std::string_view, 1> kPaused = {"paused"};
  constexpr std::array<std::string_view, 1> kUntil = {"paused_until"};
  if (!names_any(root, kUntil)) {
    if (!spec.paused) spec.paused_until.reset();
  } else if (names_any(root, kPaused) && !spec.paused) {
    place.at("paused_until")
        .refuse("not_applicable", "only a paused job resumes by itself",
                "leave out \"paused\": false");
  } else {
    spec.paused = true;
  }
}

// Asked of declarations only: a stored job may have a word of an older version.
void check_retry_filters(const json::Value& root, const JobSpec& spec, const Place& place) {
  const auto* retry = root.find("retry");
  if (retry == nullptr || retry->find("on") == nullptr) return;
  const auto& filters = spec.retry.on;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (is_retry_filter(filters[i])) continue;
    place.at("retry").at("on").at(i).refuse(
        "unknown_value", fmt::format("'{}' names no outcome", filters[i].substr(0, 64)),
        fmt::format("failed, timed_out, lost, http:5xx, http:429, exit:75, {}",
                    fmt::join(retry_reasons(), ", ")));
  }
}

void check_whole(const json::Value& root, SpecUse use, const SpecRules& rules, const JobSpec& spec,
                 const Place& place) {
  if (use == SpecUse::submit) {
    if (root.find("name") == nullptr) place.at("name").refuse("required", "is required");
    if (root.find("action") == nullptr) {
      place.at("action").refuse(
          "required", "is required",
          R"({"kind": "http", "url": "https://…"} or {"kind": "command", "argv": ["…"]})");
    }
  }
  if (use == SpecUse::reschedule && !names_any(root, kScheduleChoices)) {
    place.refuse("required", "a reschedule needs one of scheduled_time, cron or every",
                 "use PATCH to change other fields only");
  }
  check_retry_filters(root, spec, place);
  const auto& schedule = spec.schedule;
  const int choices =
      (schedule.at ? 1 : 0) + (schedule.cron.empty() ? 0 : 1) + (schedule.every ? 1 : 0);
  if (choices > 1) {
    place.refuse("one_of", "only one of scheduled_time, cron and every may be given");
  }
  if (root.find("cron") != nullptr && root.find("cron_expression") != nullptr) {
    place.at("cron_expression").refuse("one_of", "is another name of cron: give only one of them");
  }
  if (schedule.start_at && schedule.end_at && *schedule.start_at >= *schedule.end_at) {
    place.at("end_at").refuse("out_of_range", "must be later than start_at");
  }
  const bool is_recurring = !schedule.cron.empty() || schedule.every;
  for (const std::string_view name : {"start_at", "end_at", "max_runs", "jitter"}) {
    const auto* value = root.find(name);
    if (!is_recurring && value != nullptr && !value->is(json::Type::null)) {
      place.at(name).refuse("not_applicable",
                            "only a recurring job (cron or every) has this limit");
    }
  }
  if (spec.unique && is_recurring) {
    place.at("unique").refuse("not_applicable", "only a job that runs once is unique in this way",
                              "a recurring job is unique by its \"key\"");
  }
  if (schedule.jitter && spec.deadline && *spec.deadline <= schedule.jitter->max) {
    place.at("deadline")
        .refuse("out_of_range", "must be longer than jitter: it counts from the planned instant");
  }
  if (spec.payload.size() > rules.payload_max) {
    place.at("payload").refuse("too_long", fmt::format("has {} bytes, at most {} are allowed",
                                                       spec.payload.size(), rules.payload_max));
  }
  if (spec.tags.size() > rules.tags_max) {
    place.at("tags").refuse("too_long", fmt::format("at most {} tags are allowed", rules.tags_max));
  }
}

}  // namespace

void read_value(const json::Value& value, NotifyRule& out, const fields::Place& place) {
  read_nested(kNotifyFields, value, out, place);
}

void write_value(json::Writer& writer, const NotifyRule& rule) {
  write_nested(kNotifyFields, writer, rule);
}

Result<void> read_spec(const json::Value& root, SpecUse use, const SpecRules& rules, JobSpec& spec,
                       std::span<const std::string_view> ignored) {
  std::vector<FieldError> problems;
  const Place place(problems);
  if (!place.expect(root, json::Type::object))
    return fields::refuse_all("the job", std::move(problems));
  choose_schedule(root, use, spec);
  const auto unique = spec.unique;
  if (use == SpecUse::submit || root.find("retention") != nullptr) spec.retention = rules.retention;
  read_members(root, ignored, spec, place);
  choose_pause(root, spec, place);
  if (use != SpecUse::submit && spec.unique != unique) {
    place.at("unique").refuse("not_applicable", "is decided when a job is submitted");
  }
  check_whole(root, use, rules, spec, place);
  if (!problems.empty()) return fields::refuse_all("the job", std::move(problems));
  return {};
}

// For stored_spec.cc.
std::span<const Field<JobSpec>> spec_fields() {
  return kSpecFields;
}
const fields::Silence<JobSpec>& silent_spec() {
  static const fields::Silence<JobSpec> kSilent(spec_fields());
  return kSilent;
}

std::vector<std::string_view> spec_field_names() {
  std::vector<std::string_view> names;
  names.reserve(kSpecFields.size());
  for (const auto& field : kSpecFields) names.push_back(field.name);
  return names;
}

std::vector<std::string_view> unsupported_field_names() {
  return {kUnsupported.begin(), kUnsupported.end()};
}

// The members of a declaration in a job's answer, in the order of the table.
void write_spec_members(json::Writer& writer, const JobSpec& spec) {
  silent_spec().write_members(writer, spec);
}

}  // namespace chronos
