// backfill: run instants of the past again; --dry-run shows which.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/views.h"

namespace chronos::cli {
namespace {

struct BackfillFlags {
  std::string job;
  std::string from;
  std::string until;
  std::string overlap;
  std::string only;
  std::string idempotency_key;
  std::optional<std::int64_t> max;
  bool dry_run = false;
};

// The server's own checks say what is wrong with a value or missing.
std::string body_of(const BackfillFlags& flags) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  const auto text = [&](const json::Name& name, const std::string& value) {
    if (!value.empty()) writer.member(name, value);
  };
  text("from", flags.from);
  text("until", flags.until);
  text("overlap", flags.overlap);
  text("only", flags.only);
  if (flags.max) writer.member("max", *flags.max);
  writer.member("dry_run", flags.dry_run).end_object();
  return body;
}

void print_backfill(const Session& session, const json::Value& root, bool is_preview) {
  auto& terminal = session.terminal;
  Record record;
  record.add("job", text_of(root, "job_id"));
  record.add(is_preview ? "would run" : "runs", text_of(root, "count"));
  record.add("first", text_of(root, "first"));
  record.add("last", text_of(root, "last"));
  record.add("succeeded before", text_of(root, "already_run"));
  record.print(terminal);
  const auto* instants = root.find("instants");
  const auto* runs = root.find("runs");
  if (instants == nullptr || runs == nullptr || instants->elements.empty()) return;
  Table table(is_preview ? std::vector<std::string>{"INSTANT"}
                         : std::vector<std::string>{"RUN", "INSTANT"});
  for (std::size_t i = 0; i < instants->elements.size(); ++i) {
    const auto& instant = instants->elements[i].string;
    if (is_preview) {
      table.add({instant});
    } else if (i < runs->elements.size()) {
      table.add({runs->elements[i].string, instant});
    }
  }
  terminal.out << '\n';
  table.print(terminal);
  if (text_of(root, "truncated") == "true") {
    print_note(terminal, fmt::format("the first {} of {} are listed", instants->elements.size(),
                                     text_of(root, "count")));
  }
}

int backfill(Session& session, const BackfillFlags& flags) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto path = job_path(*client, flags.job);
  if (!path) return failed(session, path.error());
  const auto body = body_of(flags);
  const auto answer =
      client->call({.method = "POST",
                    .path = *path + "/backfill",
                    .body = body,
                    .idempotency_key = flags.idempotency_key.empty() ? fresh_idempotency_key()
                                                                     : flags.idempotency_key});
  if (!answer) {
    const auto sent = json::parse(body);
    return failed(session, answer.error(), sent ? &sent->root() : nullptr);
  }
  const auto& root = answer->root();
  if (session.flags.json) {
    print_json(session.terminal, root.raw);
  } else if (session.flags.quiet) {
    session.terminal.out << text_of(root, "count") << '\n';
  } else {
    print_backfill(session, root, flags.dry_run);
  }
  return kOk;
}

}  // namespace

Action declare_backfill(Arguments& arguments) {
  auto flags = std::make_unique<BackfillFlags>();
  arguments.required({"JOB", "id of a job, or the key it was declared with"}, flags->job);
  arguments.text({"--from", "TIME", "the first instant, RFC 3339"}, flags->from);
  arguments.text({"--until", "TIME", "the end of the range, exclusive; not in the future"},
                 flags->until);
  arguments.toggle({"--dry-run", "", "show which instants would run, and run none"},
                   flags->dry_run);
  arguments.text({"--only", "WHICH", "missing (skipped or missed, the default) or all"},
                 flags->only);
  arguments.text({"--overlap", "POLICY", "queue_all (one after another, the default) or allow"},
                 flags->overlap);
  arguments.number({"--max", "N", "refuse more instants than this (1000; at most 10000)"},
                   flags->max);
  arguments.text({"--idempotency-key", "KEY", "again with it answers the same runs"},
                 flags->idempotency_key);
  return [flags = std::move(flags)](Session& session) { return backfill(session, *flags); };
}

}  // namespace chronos::cli
