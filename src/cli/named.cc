#include "cli/named.h"

#include <fmt/format.h>

#include "cli/safe_text.h"

namespace chronos::cli {

int get_named(Session& session, const std::string& path) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto thing = client->call({.path = path});
  if (!thing) return failed(session, thing.error());
  print_json(session.terminal, thing->root().raw);
  return kOk;
}

int change_named(Session& session, const ApiRequest& request, std::string_view done) {
  auto client = connect(session);
  if (!client) return failed(session, client.error());
  const auto thing = client->call(request);
  if (!thing) {
    const auto sent = json::parse(request.body);
    return failed(session, thing.error(), sent ? &sent->root() : nullptr);
  }
  const auto& root = thing->root();
  if (session.flags.json) {
    print_json(session.terminal, root.raw);
    return kOk;
  }
  const auto name = text_of(root, "name");
  const auto line = fmt::format("{}  {}  {}", name, text_of(root, "kind"), done);
  session.terminal.out << safe_line(session.flags.quiet ? name : line) << '\n';
  return kOk;
}

}  // namespace chronos::cli
