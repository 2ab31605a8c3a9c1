// channels list, get, put, delete, test.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/named.h"
#include "cli/safe_text.h"
#include "cli/views.h"

namespace chronos::cli {
namespace {

constexpr Arguments::Positional kChannelName{"NAME", "of a channel"};

// Its addresses or its URL.
std::string target_of(const json::Value& channel) {
  const auto* to = channel.find("to");
  if (to == nullptr || to->elements.empty()) return text_of(channel, "url");
  std::vector<std::string_view> addresses;
  addresses.reserve(to->elements.size());
  for (const auto& address : to->elements) addresses.push_back(address.string);
  return fmt::format("{}", fmt::join(addresses, ", "));
}

void print_channels(const Session& session, const std::vector<const json::Value*>& channels) {
  if (session.flags.quiet) return print_members(session, channels, "name");
  Table table({"NAME", "KIND", "TO", "SIGNED", "STATE", "UPDATED"});
  const auto now = session.clock.now();
  for (const auto* channel : channels) {
    const auto* signs = channel->find("has_secret");
    table.add({text_of(*channel, "name"), text_of(*channel, "kind"), target_of(*channel),
               std::string(signs != nullptr && signs->boolean ? "yes" : "no"),
               std::string(text_of(*channel, "disabled_at").empty() ? "on" : "off"),
               time_cell(session.terminal, text_of(*channel, "updated_at"), now)});
  }
  if (!table.empty()) table.print(session.terminal);
}

std::string path_of_channel(const std::string& name) {
  return "/api/channels/" + url_encoded(name);
}

struct PutFlags {
  std::string name;
  std::vector<std::string> email;
  std::string webhook;
  std::string slack;
  std::string secret_file;
};

Result<std::string> body_of(const Session& session, const PutFlags& flags) {
  const int kinds = (flags.email.empty() ? 0 : 1) + (flags.webhook.empty() ? 0 : 1) +
                    (flags.slack.empty() ? 0 : 1);
  if (kinds != 1) {
    return fail(Reason::bad_request, "a channel is one of --email, --webhook and --slack");
  }
  std::string body;
  json::Writer writer(body);
  writer.begin_object();
  if (!flags.email.empty()) {
    writer.member("kind", "email").key("to").begin_array();
    for (const auto& address : flags.email) writer.string(address);
    writer.end_array();
  } else if (!flags.webhook.empty()) {
    writer.member("kind", "webhook").member("url", flags.webhook);
  } else {
    writer.member("kind", "slack").member("url", flags.slack);
  }
  if (!flags.secret_file.empty()) {
    CHRONOS_TRY(auto secret, read_input(session, flags.secret_file));
    while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
    writer.member("secret", secret);
  }
  writer.end_object();
  return body;
}

int put(Session& session, const PutFlags& flags) {
  auto body = body_of(session, flags);
  if (!body) return failed(session, body.error());
  return change_named(
      session, {.method = "PUT", .path = path_of_channel(flags.name), .body = std::move(*body)},
      "stored");
}

int test(Session& session, const std::string& name) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto answer = client->call({.method = "POST",
                                    .path = path_of_channel(name) + "/test",
                                    .idempotency_key = fresh_idempotency_key()});
  if (!answer) return failed(session, answer.error());
  const auto& root = answer->root();
  const auto* delivered = root.find("delivered");
  const bool is_delivered = delivered != nullptr && delivered->boolean;
  if (session.flags.json) {
    print_json(session.terminal, root.raw);
  } else {
    session.terminal.out << safe_line(is_delivered ? fmt::format("{}  delivered in {}", name,
                                                                 text_of(root, "took"))
                                                   : fmt::format("{}  not delivered: {}", name,
                                                                 text_of(root, "error")))
                         << '\n';
  }
  return is_delivered ? kOk : kFailed;
}

}  // namespace

Action declare_channels_list(Arguments&) {
  return [](Session& session) {
    return list(session, {.path = "/api/channels",
                          .query = {},
                          .collection = "channels",
                          .cursor = {},
                          .limit = {},
                          .wants_all = true,
                          .print = &print_channels});
  };
}

Action declare_channels_get(Arguments& arguments) {
  auto name = std::make_unique<std::string>();
  arguments.required(kChannelName, *name);
  return [name = std::move(name)](Session& session) {
    return get_named(session, path_of_channel(*name));
  };
}

Action declare_channels_put(Arguments& arguments) {
  auto flags = std::make_unique<PutFlags>();
  arguments.required(kChannelName, flags->name);
  arguments.list({"--email", "ADDRESS", "write to this address; may be repeated"}, flags->email);
  arguments.text({"--webhook", "URL", "post to this URL"}, flags->webhook);
  arguments.text({"--slack", "URL", "post to this URL in Slack's form"}, flags->slack);
  arguments.text({"--secret-file", "PATH", "what signs webhooks (whsec_…), - for stdin"},
                 flags->secret_file);
  return [flags = std::move(flags)](Session& session) { return put(session, *flags); };
}

Action declare_channels_delete(Arguments& arguments) {
  auto name = std::make_unique<std::string>();
  arguments.required(kChannelName, *name);
  return [name = std::move(name)](Session& session) {
    return change_named(session, {.method = "DELETE", .path = path_of_channel(*name)}, "deleted");
  };
}

Action declare_channels_test(Arguments& arguments) {
  auto name = std::make_unique<std::string>();
  arguments.required(kChannelName, *name);
  return [name = std::move(name)](Session& session) { return test(session, *name); };
}

}  // namespace chronos::cli
