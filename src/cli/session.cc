#include "cli/session.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "base/id.h"
#include "net/url.h"

namespace chronos::cli {
namespace {

constexpr std::string_view kDefaultServer = "http://127.0.0.1:8086";

std::string variable(const Session& session, const char* name) {
  const auto found = session.environment.find(name);
  return found == session.environment.end() ? std::string() : found->second;
}

std::string first_of(std::string a, std::string b) {
  return a.empty() ? std::move(b) : std::move(a);
}

std::string server_of(const Session& session) {
  return first_of(first_of(session.flags.server, variable(session, "CHRONOS_URL")),
                  std::string(kDefaultServer));
}

Result<std::string> read_stream(std::istream& in, const std::string& name) {
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return fail(Reason::bad_request, fmt::format("{} cannot be read", name));
  return text;
}

Result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) {
    return fail(Reason::bad_request,
                fmt::format("{} cannot be read: {}", path, std::strerror(errno)));
  }
  return read_stream(file, path);
}

Result<std::string> read_key(const std::string& path) {
  CHRONOS_TRY(auto key, read_file(path));
  while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  if (key.empty()) return fail(Reason::missing_key, fmt::format("{} is empty", path));
  return key;
}

bool is_on_this_machine(const std::string& server) {
  const auto url = net::parse_url(server);
  return url && (url->host == "localhost" || url->host == "::1" || url->host.starts_with("127."));
}

Result<std::string> find_key(const Session& session, const std::string& server) {
  if (!session.flags.key.empty()) return session.flags.key;
  if (!session.flags.key_file.empty()) return read_key(session.flags.key_file);
  if (auto key = variable(session, "CHRONOS_API_KEY"); !key.empty()) return key;
  if (const auto path = variable(session, "CHRONOS_KEY_FILE"); !path.empty()) return read_key(path);
  const bool has_data_dir = !session.flags.data_dir.empty();
  const auto path =
      first_of(session.flags.data_dir, app::default_data_dir(session.environment)) + "/admin.key";
  if (has_data_dir || is_on_this_machine(server)) {
    if (auto key = read_key(path)) return key;
  }
  return fail(Reason::missing_key, fmt::format("no API key is known for {}", server),
              fmt::format("set CHRONOS_API_KEY, name a file with --key-file, or run this where "
                          "{} can be read",
                          path));
}

ApiOptions options_for(const Session& session, std::string key) {
  return {server_of(session), std::move(key),
          first_of(session.flags.ca_file, variable(session, "CHRONOS_CA_FILE")), session.sleep};
}

}  // namespace

Result<ApiClient> connect(const Session& session) {
  CHRONOS_TRY(auto key, find_key(session, server_of(session)));
  return ApiClient::make(options_for(session, std::move(key)));
}

Result<ApiClient> connect_without_key(const Session& session) {
  return ApiClient::make(options_for(session, {}));
}

Result<std::string> job_path(ApiClient& client, const std::string& reference) {
  if (JobId::parse(reference)) return "/api/jobs/" + reference;
  auto found = client.call({.path = "/api/jobs/by-key/" + url_encoded(reference)});
  if (found) {
    const auto id = text_of(found->root(), "id");
    if (JobId::parse(id)) return "/api/jobs/" + id;
    return fail(Reason::bad_request, "the server's answer has no job id");
  }
  if (found.error().reason != Reason::not_found) return std::unexpected(std::move(found).error());
  return fail(Reason::not_found, fmt::format("no job has the id or key '{}'", reference),
              "`chronos list --name TEXT` finds jobs by their names");
}

bool is_run_id(std::string_view reference) {
  return RunId::parse(reference).has_value();
}

Result<std::string> read_input(const Session& session, const std::string& path) {
  return path == "-" ? read_stream(session.terminal.in, "stdin") : read_file(path);
}

int failed(const Session& session, const Error& error, const json::Value* sent) {
  print_error(session.terminal, error, sent);
  return exit_code_of(error.code());
}

}  // namespace chronos::cli
