#include "cli/private_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <system_error>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us

namespace chronos::cli {
namespace {

constexpr std::string_view kListening = "listening on ";

std::unexpected<Error> failed(std::string_view what, int error) {
  return fail(Reason::store_unavailable, fmt::format("{}: {}", what, std::strerror(error)));
}

}  // namespace

Result<std::unique_ptr<PrivateServer>> PrivateServer::start(const std::filesystem::path& folder) {
  auto server = std::unique_ptr<PrivateServer>(new PrivateServer());
  auto name = (folder / "chronos-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return failed(fmt::format("no directory can be made in {}", folder.string()), errno);
  }
  server->folder_ = name;
  CHRONOS_TRY_VOID(server->spawn());
  std::ifstream key(server->folder_ / "data" / "admin.key");
  std::getline(key, server->key_);
  if (server->key_.empty()) return fail(Reason::store_unavailable, "the server made no key");
  return server;
}

Result<void> PrivateServer::spawn() {
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) return failed("no pipe", errno);
  out_ = out[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::array<std::string, 6> words = {
      "chronos", "serve", "--data-dir", (folder_ / "data").string(), "--listen", "127.0.0.1:0"};
  std::array<char*, 7> argv{};
  for (std::size_t i = 0; i < words.size(); ++i) argv[i] = words[i].data();
  const int error =
      ::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  if (error != 0) {
    process_ = -1;
    return failed("the server cannot be started", error);
  }
  return read_address(out_);
}

Result<void> PrivateServer::read_address(int from) {
  std::string text;
  std::array<char, 512> buffer{};
  for (;;) {
    const auto begin = text.find(kListening);
    const auto end = begin == std::string::npos ? begin : text.find('\n', begin);
    if (end != std::string::npos) {
      url_ = text.substr(begin + kListening.size(), end - begin - kListening.size());
      return {};
    }
    const auto got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(Reason::store_unavailable, "the server ended before it listened");
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

PrivateServer::~PrivateServer() {
  if (process_ > 0) {
    ::kill(process_, SIGTERM);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (out_ >= 0) ::close(out_);
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace chronos::cli
