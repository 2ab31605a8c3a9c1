// audit, versions, restore: who changed what, and what a job declared before.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/views.h"

namespace chronos::cli {
namespace {

// -- audit ---------------------------------------------------------------------------------------

std::string member_of(const json::Value& object, std::string_view member, std::string_view name) {
  const auto* inner = object.find(member);
  return inner == nullptr ? std::string() : text_of(*inner, name);
}

// queue: "default" -> "reports", note: "slower"
std::string change_in(const json::Value& entry) {
  const auto* before = entry.find("before");
  const auto* after = entry.find("after");
  if (after == nullptr || !after->is(json::Type::object)) return {};
  const bool has_before = before != nullptr && before->is(json::Type::object);
  std::vector<std::string> changes;
  for (const auto& [name, value] : after->members) {
    const auto* old = has_before ? before->find(name) : nullptr;
    changes.push_back(old == nullptr ? fmt::format("{}: {}", name, value.raw)
                                     : fmt::format("{}: {} -> {}", name, old->raw, value.raw));
  }
  return fmt::format("{}", fmt::join(changes, ", "));
}

void print_entries(const Session& session, const std::vector<const json::Value*>& entries) {
  if (session.flags.quiet) return print_members(session, entries);
  Table table({"AT", "WHO", "ACTION", "WHAT", "NAME", "CHANGE"});
  const auto now = session.clock.now();
  for (const auto* entry : entries) {
    table.add({time_cell(session.terminal, text_of(*entry, "at"), now),
               member_of(*entry, "actor", "name"), text_of(*entry, "action"),
               member_of(*entry, "resource", "id"), member_of(*entry, "resource", "name"),
               change_in(*entry)});
  }
  if (!table.empty()) table.print(session.terminal);
}

struct AuditFlags {
  std::string resource;
  std::string actor;
  std::string action;
  std::string since;
  std::string until;
  PageFlags page;
};

int audit(Session& session, const AuditFlags& flags) {
  std::string query;
  add_query(query, "resource", flags.resource);
  add_query(query, "actor", flags.actor);
  add_query(query, "action", flags.action);
  add_query(query, "since", flags.since);
  add_query(query, "until", flags.until);
  return list(session, {.path = "/api/audit",
                        .query = query,
                        .collection = "entries",
                        .cursor = flags.page.cursor,
                        .limit = flags.page.page(),
                        .wants_all = flags.page.all,
                        .print = &print_entries});
}

// -- versions, restore ---------------------------------------------------------------------------

// The names of what differs between two declarations.
std::string differing(const json::Value& now, const json::Value& before) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : now.members) {
    const auto* old = before.find(name);
    if (old == nullptr || old->raw != value.raw) names.push_back(name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// What changed is told against the version below; of the last of a page it is not known.
void print_versions(const Session& session, const std::vector<const json::Value*>& versions) {
  if (session.flags.quiet) return print_members(session, versions, "version");
  Table table({"VERSION", "AT", "BY", "CHANGED"});
  const auto now = session.clock.now();
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const auto& version = *versions[i];
    const auto* older = i + 1 < versions.size() ? versions[i + 1] : nullptr;
    table.add(
        {std::string(version.find("version")->raw),
         time_cell(session.terminal, text_of(version, "at"), now), member_of(version, "by", "name"),
         older == nullptr ? std::string()
                          : differing(*version.find("declaration"), *older->find("declaration"))});
  }
  if (!table.empty()) table.print(session.terminal);
}

struct VersionsFlags {
  std::string job;
  std::string version;
  PageFlags page;
};

int versions(Session& session, const VersionsFlags& flags) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto path = job_path(*client, flags.job);
  if (!path) return failed(session, path.error());
  if (flags.version.empty()) {
    return list(session, {.path = *path + "/versions",
                          .query = {},
                          .collection = "versions",
                          .cursor = flags.page.cursor,
                          .limit = flags.page.page(),
                          .wants_all = flags.page.all,
                          .print = &print_versions});
  }
  const auto version = client->call({.path = *path + "/versions/" + url_encoded(flags.version)});
  if (!version) return failed(session, version.error());
  print_json(session.terminal, version->root().raw);
  return kOk;
}

int restore(Session& session, const VersionsFlags& flags) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto path = job_path(*client, flags.job);
  if (!path) return failed(session, path.error());
  const auto job = client->call(
      {.method = "POST",
       .path = fmt::format("{}/versions/{}/restore", *path, url_encoded(flags.version)),
       .idempotency_key = fresh_idempotency_key()});
  if (!job) return failed(session, job.error());
  print_changed(session, job->root(),
                fmt::format("{}  restored from version {}  {}", text_of(job->root(), "id"),
                            flags.version, text_of(job->root(), "name")));
  return kOk;
}

}  // namespace

Action declare_audit(Arguments& arguments) {
  auto flags = std::make_unique<AuditFlags>();
  arguments.text({"--resource", "ID", "of this job, run or key, or of this calendar"},
                 flags->resource);
  arguments.text({"--actor", "KEY", "by this key (key_…)"}, flags->actor);
  arguments.text({"--action", "ACTION", "such as job.pause; job. for all of jobs"}, flags->action);
  arguments.text({"--since", "TIME", "from then on"}, flags->since);
  arguments.text({"--until", "TIME", "before then"}, flags->until);
  flags->page.declare(arguments);
  return [flags = std::move(flags)](Session& session) { return audit(session, *flags); };
}

Action declare_versions(Arguments& arguments) {
  auto flags = std::make_unique<VersionsFlags>();
  arguments.required(kJob, flags->job);
  arguments.optional({"VERSION", "print this one whole"}, flags->version);
  flags->page.declare(arguments);
  return [flags = std::move(flags)](Session& session) { return versions(session, *flags); };
}

Action declare_restore(Arguments& arguments) {
  auto flags = std::make_unique<VersionsFlags>();
  arguments.required(kJob, flags->job);
  arguments.required({"VERSION", "to declare again"}, flags->version);
  return [flags = std::move(flags)](Session& session) { return restore(session, *flags); };
}

}  // namespace chronos::cli
