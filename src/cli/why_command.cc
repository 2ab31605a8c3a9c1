// why: why a job or a run does not run, or ended as it did.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/views.h"

namespace chronos::cli {
namespace {

std::string time_of(const Session& session, const json::Value& root, std::string_view name) {
  const auto time = text_of(root, name);
  const auto cell = time_cell(session.terminal, time, session.clock.now());
  return cell == time ? time : fmt::format("{} ({})", time, cell);
}

// "run run_01… running", "queue narrow, 1 of 1 in use, 3 ahead".
std::string blocker_of(const json::Value& root) {
  const auto* blocker = root.find("blocker");
  if (blocker == nullptr || !blocker->is(json::Type::object)) return {};
  auto text = text_of(*blocker, "kind");
  for (const auto* name : {"id", "name"}) {
    if (const auto value = text_of(*blocker, name); !value.empty()) text += " " + value;
  }
  if (const auto max = text_of(*blocker, "max"); !max.empty()) {
    text += fmt::format(", {} of {} in use", text_of(*blocker, "in_use"), max);
  }
  if (const auto ahead = text_of(*blocker, "ahead"); !ahead.empty() && ahead != "0") {
    text += fmt::format(", {} ahead", ahead);
  }
  if (const auto* runs = blocker->find("runs"); runs != nullptr && !runs->elements.empty()) {
    text += ", held by";
    for (const auto& run : runs->elements) text += " " + run.string;
  }
  return text;
}

void print_why(const Session& session, const json::Value& root) {
  Record record;
  const auto state = text_of(root, root.find("status") != nullptr ? "status" : "state");
  record.add("id", text_of(root, root.find("run_id") != nullptr ? "run_id" : "job_id"));
  record.add("state", {state, color_of_state(state)});
  record.add("why", text_of(root, "text"));
  record.add("code", text_of(root, "code"));
  record.add("blocked by", blocker_of(root));
  record.add("goes on with", text_of(root, "unblocked_by"));
  record.add("since", time_of(session, root, "since"));
  record.add("until", time_of(session, root, "until"));
  record.add("next run", time_of(session, root, "next_run_at"));
  if (const auto* counts = root.find("not_run"); counts != nullptr) {
    for (const auto& entry : counts->elements) {
      record.add(text_of(entry, "state"),
                 fmt::format("{} ({})", text_of(entry, "count"), text_of(entry, "reason")));
    }
  }
  if (const auto* undecided = root.find("undecided");
      undecided != nullptr && undecided->is(json::Type::object)) {
    record.add("to decide", fmt::format("{} missed, from {} to {}: `chronos backfill` runs them",
                                        text_of(*undecided, "count"), text_of(*undecided, "first"),
                                        text_of(*undecided, "last")));
  }
  record.print(session.terminal);
}

void print_runs_why(const Session& session, const json::Value& root) {
  const auto* runs = root.find("runs");
  if (runs == nullptr || runs->elements.size() < 2) return;
  Table table({"RUN", "STATE", "PLANNED", "CODE", "WHY"});
  for (const auto& run : runs->elements) {
    const auto state = text_of(run, "state");
    table.add({text_of(run, "run_id"),
               {state, color_of_state(state)},
               time_cell(session.terminal, text_of(run, "planned_at"), session.clock.now()),
               text_of(run, "code"),
               text_of(run, "text")});
  }
  session.terminal.out << '\n';
  table.print(session.terminal);
}

int why(Session& session, const std::string& reference) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto path = is_run_id(reference) ? Result<std::string>("/api/runs/" + reference)
                                         : job_path(*client, reference);
  if (!path) return failed(session, path.error());
  const auto answer = client->call({.path = *path + "/why"});
  if (!answer) return failed(session, answer.error());
  const auto& root = answer->root();
  if (session.flags.json) {
    print_json(session.terminal, root.raw);
  } else if (session.flags.quiet) {
    session.terminal.out << safe_line(text_of(root, "code")) << '\n';
  } else {
    print_why(session, root);
    print_runs_why(session, root);
  }
  return kOk;
}

}  // namespace

Action declare_why(Arguments& arguments) {
  auto reference = std::make_unique<std::string>();
  arguments.required({"JOB|RUN", "id of a job or a run, or a job's key"}, *reference);
  return [reference = std::move(reference)](Session& session) { return why(session, *reference); };
}

}  // namespace chronos::cli
