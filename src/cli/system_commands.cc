// notify test, backup, health, version.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/version.h"

namespace chronos::cli {
namespace {

struct NotifyFlags {
  std::string email;
  std::string channel;
};

// Without a target the server tells the addresses of notify.on_failure.
int notify_test(Session& session, const NotifyFlags& flags) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (!flags.email.empty()) writer.member("email", flags.email);
  if (!flags.channel.empty()) writer.member("channel", flags.channel);
  writer.end_object();
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto answer = client->call({.method = "POST",
                                    .path = "/api/notify/test",
                                    .body = body,
                                    .idempotency_key = fresh_idempotency_key()});
  if (!answer) return failed(session, answer.error());
  if (session.flags.json) {
    print_json(session.terminal, answer->root().raw);
    return kOk;
  }
  const auto* targets = answer->root().find("sent_to");
  if (targets == nullptr) return kOk;
  for (const auto& target : targets->elements) {
    session.terminal.out << safe_line(text_of(target, "kind") + " " + text_of(target, "address"))
                         << '\n';
  }
  print_note(session.terminal, "the test message is on its way");
  return kOk;
}

// The server writes the file, into the backups folder of its data directory.
int backup(Session& session) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto answer =
      client->call({.method = "POST", .path = "/api/backup", .timeout = std::chrono::hours(6)});
  if (!answer) return failed(session, answer.error());
  if (session.flags.json) {
    print_json(session.terminal, answer->root().raw);
    return kOk;
  }
  session.terminal.out << safe_line(text_of(answer->root(), "path")) << '\n';
  if (!session.flags.quiet) {
    print_note(session.terminal,
               fmt::format("{} bytes, on the server's machine", text_of(answer->root(), "bytes")));
  }
  return kOk;
}

int health(Session& session) {
  auto client = connect_without_key(session);
  if (!client) return failed(session, client.error());
  const auto answer = client->send({.path = "/readyz", .timeout = std::chrono::seconds(5)});
  if (!answer) return failed(session, answer.error());
  if (!session.flags.quiet) session.terminal.out << "ready\n";
  return kOk;
}

}  // namespace

Action declare_notify_test(Arguments& arguments) {
  auto flags = std::make_unique<NotifyFlags>();
  arguments.text({"--email", "ADDRESS", "send an e-mail"}, flags->email);
  arguments.text(
      {"--channel", "NAME", "send to this channel, the project's or else the configuration's"},
      flags->channel);
  return [flags = std::move(flags)](Session& session) { return notify_test(session, *flags); };
}

Action declare_backup(Arguments&) {
  return [](Session& session) { return backup(session); };
}

Action declare_health(Arguments&) {
  return [](Session& session) { return health(session); };
}

Action declare_version(Arguments&) {
  return [](Session& session) {
    session.terminal.out << CHRONOS_VERSION "\n";
    return static_cast<int>(kOk);
  };
}

}  // namespace chronos::cli
