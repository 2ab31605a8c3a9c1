// bulk start, list, get, undo: one action on many jobs or runs.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/views.h"

namespace chronos::cli {
namespace {

constexpr Arguments::Positional kBulk{"BULK", "id of a bulk operation (bulk_…)"};
constexpr Duration kLookAgain = std::chrono::milliseconds(500);

std::string progress_of(const json::Value& bulk) {
  return fmt::format("{} of {} done, {} failed", text_of(bulk, "done"), text_of(bulk, "total"),
                     text_of(bulk, "failed_count"));
}

void print_bulks(const Session& session, const std::vector<const json::Value*>& bulks) {
  if (session.flags.quiet) return print_members(session, bulks);
  Table table({"ID", "ACTION", "OF", "STATUS", "TOTAL", "DONE", "FAILED", "STARTS"});
  const auto now = session.clock.now();
  for (const auto* bulk : bulks) {
    table.add({text_of(*bulk, "id"), text_of(*bulk, "action"), text_of(*bulk, "of"),
               text_of(*bulk, "status"), text_of(*bulk, "total"), text_of(*bulk, "done"),
               text_of(*bulk, "failed_count"),
               time_cell(session.terminal, text_of(*bulk, "starts_at"), now)});
  }
  if (!table.empty()) table.print(session.terminal);
}

void print_bulk(const Session& session, const json::Value& bulk) {
  print_changed(session, bulk,
                fmt::format("{}  {} {}  {}  {}", text_of(bulk, "id"), text_of(bulk, "action"),
                            text_of(bulk, "of"), text_of(bulk, "status"), progress_of(bulk)));
  if (session.flags.json || session.flags.quiet) return;
  const auto* failed = bulk.find("failed");
  if (failed == nullptr) return;
  for (const auto& failure : failed->elements) {
    print_warning(session.terminal,
                  fmt::format("{}: {}", text_of(failure, "id"), text_of(failure, "detail")));
  }
}

struct StartFlags {
  std::string action;
  std::vector<std::string> ids;
  std::vector<std::string> jobs;
  std::vector<std::string> runs;
  bool dry_run = false;
  bool waits = false;
};

// {"tag": "db"} of "tag=db"; "all" stands for no condition.
Result<void> write_filter(json::Writer& writer, const json::Name& name,
                          const std::vector<std::string>& conditions) {
  if (conditions.empty()) return {};
  writer.key(name).begin_object();
  for (const auto& condition : conditions) {
    if (condition == "all") continue;
    const auto equals = condition.find('=');
    if (equals == std::string::npos) {
      return fail(Reason::bad_request, fmt::format("'{}' is not NAME=VALUE", condition),
                  "such as status=failed or tag=db; or all");
    }
    writer.key(condition.substr(0, equals)).string(condition.substr(equals + 1));
  }
  writer.end_object();
  return {};
}

Result<std::string> body_of(const StartFlags& flags) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("action", flags.action);
  CHRONOS_TRY_VOID(write_filter(writer, "jobs", flags.jobs));
  CHRONOS_TRY_VOID(write_filter(writer, "runs", flags.runs));
  if (!flags.ids.empty()) {
    writer.key("ids").begin_array();
    for (const auto& id : flags.ids) writer.string(id);
    writer.end_array();
  }
  if (flags.dry_run) writer.member("dry_run", true);
  writer.end_object();
  return body;
}

void print_preview(const Session& session, const json::Value& preview) {
  if (session.flags.json) return print_json(session.terminal, preview.raw);
  session.terminal.out << text_of(preview, "matches") << " match\n";
  const auto* sample = preview.find("sample");
  if (sample == nullptr || session.flags.quiet) return;
  for (const auto& each : sample->elements) {
    session.terminal.out << safe_line(text_of(each, "id") + "  " + text_of(each, "name")) << '\n';
  }
}

// 0 when it is done and nothing failed.
int wait_for_bulk(Session& session, ApiClient& client, const std::string& id) {
  while (true) {
    const auto bulk = client.call({.path = "/api/bulk/" + url_encoded(id)});
    if (!bulk) return failed(session, bulk.error());
    const auto status = text_of(bulk->root(), "status");
    if (status == "done" || status == "cancelled") {
      print_bulk(session, bulk->root());
      return status == "done" && text_of(bulk->root(), "failed_count") == "0" ? kOk : kFailed;
    }
    session.sleep(kLookAgain);
  }
}

int start(Session& session, const StartFlags& flags) {
  const auto body = body_of(flags);
  if (!body) return failed(session, body.error());
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto answer = client->call({.method = "POST",
                                    .path = "/api/bulk",
                                    .body = *body,
                                    .idempotency_key = fresh_idempotency_key()});
  if (!answer) return failed(session, answer.error());
  const auto& root = answer->root();
  if (flags.dry_run) {
    print_preview(session, root);
    return kOk;
  }
  const auto id = text_of(root, "id");
  if (flags.waits) return wait_for_bulk(session, *client, id);
  print_bulk(session, root);
  if (!session.flags.json && !session.flags.quiet) {
    print_note(session.terminal,
               fmt::format("starts in a few seconds; until then: chronos bulk undo {}", id));
  }
  return kOk;
}

int one(Session& session, const ApiRequest& request) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto bulk = client->call(request);
  if (!bulk) return failed(session, bulk.error());
  print_bulk(session, bulk->root());
  return kOk;
}

}  // namespace

Action declare_bulk_start(Arguments& arguments) {
  auto flags = std::make_unique<StartFlags>();
  arguments.required({"ACTION", "cancel, pause, resume, run or retry"}, flags->action);
  arguments.any_number({"ID", "of jobs, or of runs"}, flags->ids);
  arguments.list({"--jobs", "NAME=VALUE", "jobs that match, as in /api/jobs: tag=db; or all"},
                 flags->jobs);
  arguments.list({"--runs", "NAME=VALUE", "runs that match, as in /api/runs: state=failed; or all"},
                 flags->runs);
  arguments.toggle({"--dry-run", "", "only say how many"}, flags->dry_run);
  arguments.toggle({"--wait", "", "until it is done"}, flags->waits);
  return [flags = std::move(flags)](Session& session) { return start(session, *flags); };
}

Action declare_bulk_list(Arguments& arguments) {
  auto page = std::make_unique<PageFlags>();
  page->declare(arguments);
  return [page = std::move(page)](Session& session) {
    return list(session, {.path = "/api/bulk",
                          .query = {},
                          .collection = "bulks",
                          .cursor = page->cursor,
                          .limit = page->page(),
                          .wants_all = page->all,
                          .print = &print_bulks});
  };
}

Action declare_bulk_get(Arguments& arguments) {
  auto id = std::make_unique<std::string>();
  arguments.required(kBulk, *id);
  return [id = std::move(id)](Session& session) {
    return one(session, {.path = "/api/bulk/" + url_encoded(*id)});
  };
}

Action declare_bulk_undo(Arguments& arguments) {
  auto id = std::make_unique<std::string>();
  arguments.required(kBulk, *id);
  return [id = std::move(id)](Session& session) {
    return one(session, {.method = "POST",
                         .path = "/api/bulk/" + url_encoded(*id) + "/cancel",
                         .idempotency_key = fresh_idempotency_key()});
  };
}

}  // namespace chronos::cli
