// overview, queues, nodes.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/views.h"

namespace chronos::cli {
namespace {

void print_queues(const Session& session, const std::vector<const json::Value*>& queues) {
  if (session.flags.quiet) return print_members(session, queues, "name");
  Table table({"QUEUE", "READY", "RUNNING", "LIMIT", "WAITING", "PLANNED", "WORKERS", "OLDEST"});
  const auto now = session.clock.now();
  for (const auto* queue : queues) {
    table.add({text_of(*queue, "name"), text_of(*queue, "ready"), text_of(*queue, "running"),
               text_of(*queue, "concurrency"), text_of(*queue, "waiting"),
               text_of(*queue, "planned"), text_of(*queue, "workers"),
               time_cell(session.terminal, text_of(*queue, "oldest_ready_at"), now)});
  }
  if (!table.empty()) table.print(session.terminal);
}

void print_nodes(const Session& session, const std::vector<const json::Value*>& nodes) {
  if (session.flags.quiet) return print_members(session, nodes, "name");
  Table table({"ID", "NAME", "VERSION", "STATE", "RUNNING", "STARTED", "SEEN"});
  const auto now = session.clock.now();
  for (const auto* node : nodes) {
    const bool is_alive = text_of(*node, "alive") == "true";
    table.add({text_of(*node, "id"), text_of(*node, "name"), text_of(*node, "version"),
               Cell(is_alive ? "alive" : "silent", is_alive ? Color::green : Color::red),
               text_of(*node, "running"),
               time_cell(session.terminal, text_of(*node, "started_at"), now),
               time_cell(session.terminal, text_of(*node, "seen_at"), now)});
  }
  if (!table.empty()) table.print(session.terminal);
}

// "3 failed, 1 lost": what is not zero.
std::string counts_in(const json::Value& object) {
  std::string text;
  for (const auto& [name, value] : object.members) {
    if (!value.is(json::Type::integer) || value.integer == 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", value.integer, name);
  }
  return text.empty() ? "none" : text;
}

void print_failures(const Session& session, const json::Value& overview) {
  const auto* failures = overview.find("recent_failures");
  if (failures == nullptr || failures->elements.empty()) return;
  std::vector<const json::Value*> runs;
  runs.reserve(failures->elements.size());
  for (const auto& run : failures->elements) runs.push_back(&run);
  session.terminal.out << '\n';
  print_runs(session, runs);
}

void print_overview(const Session& session, const json::Value& overview, const std::string& range) {
  Record record;
  for (const auto* name : {"running", "queued", "retrying", "late"}) {
    record.add(name, text_of(overview, name));
  }
  if (const auto* jobs = overview.find("jobs")) record.add("jobs", counts_in(*jobs));
  if (const auto* last = overview.find("last")) record.add("last " + range, counts_in(*last));
  record.add("next hour", text_of(overview, "upcoming_count"));
  if (const auto* upcoming = overview.find("upcoming"); upcoming && !upcoming->elements.empty()) {
    const auto& next = upcoming->elements.front();
    const auto* job = next.find("job");
    record.add("next",
               fmt::format("{} {}", job == nullptr ? "" : text_of(*job, "name"),
                           time_cell(session.terminal, text_of(next, "at"), session.clock.now())));
  }
  record.print(session.terminal);
  print_failures(session, overview);
}

int overview(Session& session, const std::string& range) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  std::string query;
  add_query(query, "range", range);
  const auto answer = client->call({.path = "/api/overview?" + query});
  if (!answer) return failed(session, answer.error());
  if (session.flags.json) {
    print_json(session.terminal, answer->root().raw);
  } else {
    print_overview(session, answer->root(), range);
  }
  return kOk;
}

Action list_of(const char* path, const char* collection,
               void (*print)(const Session&, const std::vector<const json::Value*>&)) {
  return [=](Session& session) {
    return list(session, {.path = path,
                          .query = {},
                          .collection = collection,
                          .cursor = {},
                          .limit = {},
                          .wants_all = true,
                          .print = print});
  };
}

}  // namespace

Action declare_overview(Arguments& arguments) {
  auto range = std::make_unique<std::string>("24h");
  arguments.text({"--range", "RANGE", "of what happened: 24h or 7d"}, *range);
  return [range = std::move(range)](Session& session) { return overview(session, *range); };
}

Action declare_queues(Arguments&) {
  return list_of("/api/queues", "queues", &print_queues);
}

Action declare_nodes(Arguments&) {
  return list_of("/api/nodes", "nodes", &print_nodes);
}

}  // namespace chronos::cli
