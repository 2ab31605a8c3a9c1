// notify test, backup, health, version.
#include <fmt/format.h>

#include <filesystem>
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

int notify_test(Session& session, const NotifyFlags& flags) {
  if (flags.email.empty() == flags.channel.empty()) {
    return failed(
        session,
        {Reason::bad_request, "say whom to tell: --email ADDRESS or --channel NAME", {}, {}});
  }
  const bool is_email = !flags.email.empty();
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  writer.member(is_email ? "email" : "channel", is_email ? flags.email : flags.channel);
  writer.end_object();
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto answer = client->send({.method = "POST", .path = "/api/notify/test", .body = body});
  if (!answer) return failed(session, answer.error());
  if (session.flags.json) {
    print_json(session.terminal, answer->body);
  } else {
    print_note(session.terminal,
               fmt::format("sent a test message to {}", is_email ? flags.email : flags.channel));
  }
  return kOk;
}

// The server writes the file, so a relative path means the server's own folder of backups and is
// sent as it is.
int backup(Session& session, const std::string& path) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("path", path).end_object();
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto answer = client->call(
      {.method = "POST", .path = "/api/backup", .body = body, .timeout = std::chrono::hours(6)});
  if (!answer) return failed(session, answer.error());
  const auto written = text_of(answer->root(), "path");
  if (session.flags.json) {
    print_json(session.terminal, answer->root().raw);
  } else {
    session.terminal.out << safe_line(written.empty() ? path : written) << '\n';
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
  arguments.text({"--channel", "NAME", "send to this channel of the configuration"},
                 flags->channel);
  return [flags = std::move(flags)](Session& session) { return notify_test(session, *flags); };
}

Action declare_backup(Arguments& arguments) {
  auto path = std::make_unique<std::string>();
  arguments.required({"PATH", "on the server: absolute, or a name in DATA_DIR/backups"}, *path);
  return [path = std::move(path)](Session& session) { return backup(session, *path); };
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
