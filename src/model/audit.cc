#include "model/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/fields.h"
#include "model/secrets.h"

namespace chronos {
namespace {

// An id may be made a little after the instant that its entry tells, and clocks are set.
constexpr Duration kIdSlack = std::chrono::minutes(1);
// A longer value is told by its length: what it was is in the job's versions.
constexpr std::size_t kValueMax = 4096;

// The smallest id of this instant.
Uuid first_id_at(Timestamp at) {
  const auto millis = std::max<std::int64_t>(0, to_micros(at) / 1000);
  return {.high = static_cast<std::uint64_t>(millis) << 16, .low = 0};
}

void write_masked(json::Writer& writer, std::string_view name, const json::Value& value) {
  using enum json::Type;
  if (is_secret_name(name) && value.type != null) {
    writer.string(kMasked);
  } else if (value.type == object) {
    writer.begin_object();
    for (const auto& member : value.members) {
      writer.key(member.name);
      write_masked(writer, member.name, member.value);
    }
    writer.end_object();
  } else if (value.type == array) {
    writer.begin_array();
    for (const auto& element : value.elements) write_masked(writer, {}, element);
    writer.end_array();
  } else if (value.type == string) {
    auto text = value.string;
    mask_api_keys(text);
    writer.string(text);
  } else {
    writer.raw(value.raw);
  }
}

std::string shown(std::string_view name, const json::Value& value) {
  std::string text;
  json::Writer writer(text);
  if (value.raw.size() > kValueMax) {
    writer.string(fmt::format("({} bytes)", value.raw.size()));
  } else {
    write_masked(writer, name, value);
  }
  return text;
}

// The members of `side` that are not the same in `other`.
std::string only_in(const json::Value& side, const json::Value* other) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  for (const auto& [name, value] : side.members) {
    const auto* same = other == nullptr ? nullptr : other->find(name);
    if (same != nullptr && same->raw == value.raw) continue;
    writer.key(name).raw(shown(name, value));
  }
  // What is gone is nothing now.
  if (other != nullptr) {
    for (const auto& member : other->members) {
      if (side.find(member.name) == nullptr) writer.key(member.name).null();
    }
  }
  writer.end_object();
  return text;
}

void write_side(json::Writer& writer, const json::Name& name, const std::string& side) {
  writer.key(name);
  side.empty() ? writer.null() : writer.raw(side);
}

}  // namespace

bool matches(const AuditFilter& filter, const AuditEntry& entry) {
  const bool is_action = filter.action.empty() || entry.action == filter.action ||
                         (filter.action.ends_with('.') && entry.action.starts_with(filter.action));
  return is_action && entry.project == filter.project &&
         (filter.resource.empty() || entry.resource == filter.resource) &&
         (!filter.actor || entry.actor == *filter.actor) &&
         (!filter.since || entry.at >= *filter.since) &&
         (!filter.until || entry.at < *filter.until);
}

Uuid audit_floor(const AuditFilter& filter) {
  return filter.since ? first_id_at(*filter.since - kIdSlack) : Uuid{};
}

Uuid audit_ceiling(const AuditFilter& filter) {
  Uuid ceiling{~std::uint64_t{0}, ~std::uint64_t{0}};
  if (filter.until) ceiling = std::min(ceiling, first_id_at(*filter.until + kIdSlack));
  if (filter.after) ceiling = std::min(ceiling, filter.after->uuid);
  return ceiling;
}

AuditEntry entry_by(const Author& author, ProjectId project, std::string resource,
                    std::string name) {
  AuditEntry entry;
  entry.id = author.entry;
  entry.project = project;
  entry.at = author.at;
  entry.actor = author.key;
  entry.action = author.action;
  entry.kind = author.action.substr(0, author.action.find('.'));
  entry.resource = std::move(resource);
  entry.name = std::move(name);
  return entry;
}

Difference difference(std::string_view before, std::string_view after) {
  const auto parse = [](std::string_view text) {
    auto document = json::parse(text.empty() ? "{}" : text);
    CHRONOS_CHECK(document.has_value());  // we wrote it
    return std::move(*document);
  };
  const auto old = parse(before);
  const auto fresh = parse(after);
  Difference sides;
  if (!before.empty()) sides.before = only_in(old.root(), after.empty() ? nullptr : &fresh.root());
  if (!after.empty()) sides.after = only_in(fresh.root(), before.empty() ? nullptr : &old.root());
  return sides;
}

void write_audit_entry(json::Writer& writer, const AuditEntry& entry) {
  writer.begin_object().member("id", entry.id.to_string()).key("at");
  fields::write_value(writer, entry.at);
  writer.key("actor").begin_object().member("key", entry.actor.to_string());
  writer.member("name", entry.actor_name).member("role", to_string(entry.actor_role)).end_object();
  writer.member("action", entry.action).key("resource").begin_object();
  writer.member("kind", entry.kind).member("id", entry.resource).member("name", entry.name);
  writer.end_object();
  write_side(writer, "before", entry.before);
  write_side(writer, "after", entry.after);
  writer.end_object();
}

}  // namespace chronos
