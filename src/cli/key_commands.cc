// keys list, create, revoke, rotate; login-link.
#include <fmt/format.h>

#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/views.h"

namespace chronos::cli {
namespace {

constexpr Arguments::Positional kKey{"KEY", "id of a key (key_…)"};

void print_keys(const Session& session, const std::vector<const json::Value*>& keys) {
  if (session.flags.quiet) {
    for (const auto* key : keys) session.terminal.out << safe_line(text_of(*key, "id")) << '\n';
    return;
  }
  Table table({"ID", "NAME", "ROLE", "CREATED", "LAST USED", "EXPIRES", "REVOKED"});
  const auto now = session.clock.now();
  for (const auto* key : keys) {
    const auto time = [&](std::string_view name) {
      return time_cell(session.terminal, text_of(*key, name), now);
    };
    table.add({text_of(*key, "id"), text_of(*key, "name"), text_of(*key, "role"),
               time("created_at"), time("last_used_at"), time("expires_at"), time("revoked_at")});
  }
  if (!table.empty()) table.print(session.terminal);
}

// The secret is shown this once. On stdout it stands alone, so that it can be piped into a file.
int show_new_key(const Session& session, const json::Value& key) {
  auto& terminal = session.terminal;
  if (session.flags.json) {
    print_json(terminal, key.raw);
    return kOk;
  }
  if (!session.flags.quiet) {
    print_note(terminal, fmt::format("{}  {}  {}", text_of(key, "id"), text_of(key, "role"),
                                     text_of(key, "name")));
    print_note(terminal, "this is the only time the key is shown:");
  }
  terminal.out << safe_line(text_of(key, "secret")) << '\n';
  return kOk;
}

struct CreateFlags {
  std::string name;
  std::string role = "submitter";
  std::optional<std::string> expires_in;
  std::optional<std::string> expires_at;
};

struct RotateFlags {
  std::string id;
  std::optional<std::string> expires_in;
  std::optional<std::string> old_expires_in;
};

int create(Session& session, const CreateFlags& flags) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object().member("name", flags.name).member("role", flags.role);
  if (flags.expires_in) writer.member("expires_in", *flags.expires_in);
  if (flags.expires_at) writer.member("expires_at", *flags.expires_at);
  writer.end_object();
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto key = client->call({.method = "POST", .path = "/api/keys", .body = body});
  return key ? show_new_key(session, key->root()) : failed(session, key.error());
}

int revoke(Session& session, const std::string& id) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto answer = client->send({.method = "DELETE", .path = "/api/keys/" + url_encoded(id)});
  if (!answer) return failed(session, answer.error());
  if (session.flags.json && !answer->body.empty()) {
    print_json(session.terminal, answer->body);
  } else {
    session.terminal.out << safe_line(session.flags.quiet ? id : id + "  revoked") << '\n';
  }
  return kOk;
}

int rotate(Session& session, const RotateFlags& flags) {
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (flags.expires_in) writer.member("expires_in", *flags.expires_in);
  if (flags.old_expires_in) writer.member("old_expires_in", *flags.old_expires_in);
  writer.end_object();
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto key = client->call(
      {.method = "POST", .path = "/api/keys/" + url_encoded(flags.id) + "/rotate", .body = body});
  return key ? show_new_key(session, key->root()) : failed(session, key.error());
}

int login_link(Session& session) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto link = client->call({.method = "POST", .path = "/api/login-links"});
  if (!link) return failed(session, link.error());
  if (session.flags.json) {
    print_json(session.terminal, link->root().raw);
    return kOk;
  }
  session.terminal.out << safe_line(text_of(link->root(), "url")) << '\n';
  if (!session.flags.quiet) {
    print_note(
        session.terminal,
        "it logs in once, as the key you used, and is good until " +
            time_cell(session.terminal, text_of(link->root(), "expires_at"), session.clock.now()));
  }
  return kOk;
}

}  // namespace

Action declare_keys_list(Arguments&) {
  return [](Session& session) {
    return list(session, {.path = "/api/keys",
                          .query = {},
                          .collection = "keys",
                          .cursor = {},
                          .limit = {},
                          .wants_all = true,
                          .print = &print_keys});
  };
}

Action declare_keys_create(Arguments& arguments) {
  auto flags = std::make_unique<CreateFlags>();
  arguments.required({"NAME", "what the key is for"}, flags->name);
  arguments.text({"--role", "ROLE", "viewer, submitter (default), worker, operator or admin"},
                 flags->role);
  arguments.text({"--expires-in", "DURATION", "such as 90d; never if not given"},
                 flags->expires_in);
  arguments.text({"--expires-at", "TIME", "or at a time: 2027-01-01T00:00:00Z"}, flags->expires_at);
  return [flags = std::move(flags)](Session& session) { return create(session, *flags); };
}

Action declare_keys_revoke(Arguments& arguments) {
  auto id = std::make_unique<std::string>();
  arguments.required(kKey, *id);
  return [id = std::move(id)](Session& session) { return revoke(session, *id); };
}

Action declare_keys_rotate(Arguments& arguments) {
  auto flags = std::make_unique<RotateFlags>();
  arguments.required(kKey, flags->id);
  arguments.text({"--expires-in", "DURATION", "of the new key; never if not given"},
                 flags->expires_in);
  arguments.text({"--old-expires-in", "DURATION", "both keys live until then; 0s = at once"},
                 flags->old_expires_in);
  return [flags = std::move(flags)](Session& session) { return rotate(session, *flags); };
}

Action declare_login_link(Arguments&) {
  return [](Session& session) { return login_link(session); };
}

}  // namespace chronos::cli
