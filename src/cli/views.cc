#include "cli/views.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/safe_text.h"

namespace chronos::cli {
namespace {

std::string joined(const json::Value* list, std::string_view separator) {
  std::string text;
  if (list == nullptr) return text;
  for (const auto& element : list->elements) {
    if (!text.empty()) text += separator;
    text += element.is(json::Type::string) ? element.string : std::string(element.raw);
  }
  return text;
}

Cell state_cell(const json::Value& thing, std::string_view name) {
  const auto state = text_of(thing, name);
  return {state, color_of_state(state)};
}

std::string attempts_of(const json::Value& job) {
  const auto max = text_of(job, "max_attempts");
  return max == "0" ? "no limit" : max.empty() ? "" : "at most " + max;
}

std::string counts_of(const json::Value& job) {
  const auto* counts = job.find("counts");
  std::string text;
  if (counts == nullptr) return text;
  for (const auto& [name, value] : counts->members) {
    if (value.integer == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", value.integer, name);
  }
  return text;
}

// "2026-03-08T07:30:00.000Z (in 5m)" on a terminal.
std::string time_with_distance(const Session& session, const std::string& time) {
  const auto cell = time_cell(session.terminal, time, session.clock.now());
  return cell == time ? time : fmt::format("{} ({})", time, cell);
}

std::string last_run_of(const Session& session, const json::Value& job) {
  const auto* last = job.find("last_run");
  if (last == nullptr || !last->is(json::Type::object)) return {};
  auto text = fmt::format("{} {} {}", text_of(*last, "id"), text_of(*last, "state"),
                          time_with_distance(session, text_of(*last, "ended_at")));
  if (const auto error = text_of(*last, "error"); !error.empty()) text += ": " + error;
  return text;
}

std::string result_of(const json::Value& run) {
  if (auto error = text_of(run, "error"); !error.empty()) return error;
  if (auto reason = text_of(run, "reason"); !reason.empty()) return reason;
  const auto count = text_of(run, "count");
  return count.empty() || count == "1" ? "" : count + " instants";
}

std::string attempt_line(const Session& session, const json::Value& attempt) {
  auto text = fmt::format("{} {}", text_of(attempt, "state"),
                          time_with_distance(session, text_of(attempt, "started_at")));
  if (const auto error = text_of(attempt, "error"); !error.empty()) return text + ": " + error;
  if (const auto status = text_of(attempt, "http_status"); !status.empty()) {
    text += ", status " + status;
  }
  return text;
}

}  // namespace

void print_members(const Session& session, const std::vector<const json::Value*>& things,
                   std::string_view member) {
  for (const auto* thing : things) {
    session.terminal.out << safe_line(text_of(*thing, member)) << '\n';
  }
}

std::string schedule_of(const json::Value& job) {
  std::string text;
  if (const auto* cron = job.find("cron"); cron != nullptr && !cron->is(json::Type::null)) {
    text = "cron " + (cron->is(json::Type::array) ? joined(cron, "; ") : text_of(job, "cron"));
    if (const auto zone = text_of(job, "timezone"); !zone.empty()) text += " " + zone;
  } else if (const auto every = text_of(job, "every"); !every.empty()) {
    text = "every " + every;
  } else if (const auto at = text_of(job, "scheduled_time"); !at.empty()) {
    text = "at " + at;
  } else {
    text = "now";
  }
  return text;
}

std::string action_of(const json::Value& job) {
  const auto* action = job.find("action");
  if (action == nullptr) return {};
  auto text = text_of(*action, "kind");
  if (const auto url = text_of(*action, "url"); !url.empty()) {
    const auto method = text_of(*action, "method");
    text += fmt::format(" {} {}", method.empty() ? "POST" : method, url);
  } else if (const auto* argv = action->find("argv"); argv != nullptr) {
    text += " " + joined(argv, " ");
  }
  return text;
}

void print_jobs(const Session& session, const std::vector<const json::Value*>& jobs) {
  if (session.flags.quiet) return print_members(session, jobs);
  Table table({"ID", "NAME", "STATUS", "NEXT RUN", "LAST RUN", "SCHEDULE"});
  const auto now = session.clock.now();
  for (const auto* job : jobs) {
    const auto* last = job->find("last_run");
    const bool has_last = last != nullptr && last->is(json::Type::object);
    table.add({text_of(*job, "id"), text_of(*job, "name"), state_cell(*job, "status"),
               time_cell(session.terminal, text_of(*job, "next_run_at"), now),
               has_last ? state_cell(*last, "state") : Cell(std::string()), schedule_of(*job)});
  }
  if (!table.empty()) table.print(session.terminal);
}

void print_job(const Session& session, const json::Value& job) {
  Record record;
  const auto add = [&](const char* label, std::string_view name) {
    record.add(label, text_of(job, name));
  };
  add("id", "id");
  add("name", "name");
  add("key", "key");
  record.add("status", state_cell(job, "status"));
  record.add("schedule", schedule_of(job));
  record.add("next run", time_with_distance(session, text_of(job, "next_run_at")));
  record.add("last run", last_run_of(session, job));
  record.add("runs", counts_of(job));
  record.add("action", action_of(job));
  add("payload", "payload");
  record.add("attempts", attempts_of(job));
  add("timeout", "timeout");
  add("overlap", "overlap");
  add("queue", "queue");
  add("priority", "priority");
  record.add("tags", joined(job.find("tags"), ", "));
  if (const auto* metadata = job.find("metadata"); metadata != nullptr) {
    for (const auto& [name, value] : metadata->members) record.add("meta " + name, value.string);
  }
  add("paused until", "paused_until");
  add("note", "note");
  add("project", "project");
  record.add("created", time_with_distance(session, text_of(job, "created_at")));
  record.add("updated", time_with_distance(session, text_of(job, "updated_at")));
  record.print(session.terminal);
}

void print_runs(const Session& session, const std::vector<const json::Value*>& runs) {
  if (session.flags.quiet) return print_members(session, runs);
  Table table({"ID", "JOB", "STATE", "PLANNED", "STARTED", "ENDED", "ATTEMPTS", "RESULT"});
  const auto now = session.clock.now();
  const auto time = [&](const json::Value& run, std::string_view name) {
    return time_cell(session.terminal, text_of(run, name), now);
  };
  for (const auto* run : runs) {
    table.add({text_of(*run, "id"), text_of(*run, "job_name"), state_cell(*run, "state"),
               time(*run, "planned_at"), time(*run, "started_at"), time(*run, "ended_at"),
               text_of(*run, "attempts_made"), result_of(*run)});
  }
  if (!table.empty()) table.print(session.terminal);
}

void print_run(const Session& session, const json::Value& run) {
  Record record;
  const auto add = [&](const char* label, std::string_view name) {
    record.add(label, text_of(run, name));
  };
  const auto add_time = [&](const char* label, std::string_view name) {
    record.add(label, time_with_distance(session, text_of(run, name)));
  };
  add("id", "id");
  record.add("job", text_of(run, "job_id") + " " + text_of(run, "job_name"));
  record.add("state", state_cell(run, "state"));
  add("reason", "reason");
  add("error", "error");
  add("trigger", "trigger");
  add_time("planned", "planned_at");
  add_time("until", "planned_until");
  add_time("queued", "queued_at");
  add_time("started", "started_at");
  add_time("ended", "ended_at");
  add_time("next attempt", "next_attempt_at");
  if (const auto lateness = text_of(run, "lateness_ms"); !lateness.empty()) {
    record.add("late by", lateness + " ms");
  }
  add("exit code", "exit_code");
  add("http status", "http_status");
  add("retry of", "retry_of");
  add("node", "node");
  if (const auto* attempts = run.find("attempts"); attempts != nullptr) {
    for (const auto& attempt : attempts->elements) {
      record.add("attempt " + text_of(attempt, "number"),
                 {attempt_line(session, attempt), color_of_state(text_of(attempt, "state"))});
    }
  }
  record.print(session.terminal);
}

void print_changed(const Session& session, const json::Value& thing, std::string_view line) {
  auto& terminal = session.terminal;
  if (session.flags.json) {
    print_json(terminal, thing.raw);
  } else if (session.flags.quiet) {
    terminal.out << safe_line(text_of(thing, "id")) << '\n';
  } else {
    terminal.out << safe_line(line) << '\n';
  }
  if (const auto* warnings = thing.find("warnings"); warnings != nullptr) {
    for (const auto& warning : warnings->elements) {
      print_warning(terminal, text_of(warning, "detail"));
    }
  }
}

void add_query(std::string& query, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!query.empty()) query += '&';
  query += fmt::format("{}={}", name, url_encoded(value));
}

int list(Session& session, const Listing& listing) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  auto cursor = listing.cursor;
  std::size_t shown = 0;
  while (true) {
    auto query = listing.query;
    if (listing.limit) add_query(query, "limit", std::to_string(*listing.limit));
    add_query(query, "cursor", cursor);
    const auto page =
        client->call({.path = query.empty() ? listing.path : listing.path + "?" + query});
    if (!page) return failed(session, page.error());
    const auto* found = page->root().find(listing.collection);
    std::vector<const json::Value*> things;
    if (found != nullptr) {
      for (const auto& thing : found->elements) things.push_back(&thing);
    }
    if (session.flags.json) {
      print_json(session.terminal, page->root().raw);
    } else {
      listing.print(session, things);
    }
    shown += things.size();
    cursor = text_of(page->root(), "next");
    if (cursor.empty() || !listing.wants_all) break;
  }
  if (session.flags.json || session.flags.quiet) return kOk;
  if (shown == 0) print_note(session.terminal, fmt::format("no {}", listing.collection));
  if (!cursor.empty()) {
    print_note(session.terminal, fmt::format("there are more: --all, or --cursor {}", cursor));
  }
  return kOk;
}

void PageFlags::declare(Arguments& arguments) {
  arguments.number({"--limit", "N", "on a page (50; at most 200)"}, limit);
  arguments.text({"--cursor", "CURSOR", "go on where a list ended"}, cursor);
  arguments.toggle({"--all", "", "every page"}, all);
}

}  // namespace chronos::cli
