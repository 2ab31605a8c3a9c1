#include "cli/private_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <vector>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us

namespace chronos::cli {
namespace {

constexpr std::string_view kListening = "listening on ";

std::unexpected<Error> failed(std::string_view what, int error) {
  return fail(Reason::store_unavailable, fmt::format("{}: {}", what, std::strerror(error)));
}

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

// This program's, without what would lead the server to the store of another.
std::vector<char*> environment_of_its_own() {
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (!text.starts_with("CHRONOS_") && !text.starts_with("PG")) kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

}  // namespace

Result<std::unique_ptr<PrivateServer>> PrivateServer::start(const std::filesystem::path& folder) {
  auto server = std::unique_ptr<PrivateServer>(new PrivateServer());
  const auto ending = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &ending, &server->mask_before_);
  auto name = (folder / "chronos-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    return failed(fmt::format("no directory can be made in {}", folder.string()), errno);
  }
  server->folder_ = name;
  CHRONOS_TRY_VOID(server->spawn());
  server->watch_signals();
  CHRONOS_TRY_VOID(server->read_address(server->out_));
  std::ifstream key(server->folder_ / "data" / "admin.key");
  std::getline(key, server->key_);
  if (server->key_.empty()) return fail(Reason::store_unavailable, "the server made no key");
  return server;
}

Result<void> PrivateServer::spawn() {
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) return failed("no pipe", errno);
  out_ = out[0];
  const auto log = (folder_ / "server.log").string();
  const auto data = (folder_ / "data").string();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT, 0600);
  std::array<std::string, 10> words = {
      "chronos",    "serve",      "--config", "/dev/null",
      "--data-dir", data,         "--store",  "sqlite:" + data + "/chronos.db",
      "--listen",   "127.0.0.1:0"};
  std::array<char*, words.size() + 1> argv{};
  for (std::size_t i = 0; i < words.size(); ++i) argv[i] = words[i].data();
  const auto environment = environment_of_its_own();
  const int error = ::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, argv.data(),
                                  environment.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  if (error != 0) {
    process_ = -1;
    return failed("the server cannot be started", error);
  }
  return {};
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
    if (got <= 0) {
      return fail(Reason::store_unavailable, "the server ended before it listened" + last_words());
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// What it said on stderr, for the end of a message.
std::string PrivateServer::last_words() const {
  std::ifstream log(folder_ / "server.log");
  std::string text{std::istreambuf_iterator<char>(log), {}};
  while (text.ends_with('\n')) text.pop_back();
  return text.empty() ? text : ": " + text;
}

// Both signals are blocked in every thread but wait for this one.
void PrivateServer::watch_signals() {
  watcher_ = std::jthread([this](const std::stop_token& stop) {
    constexpr timespec kLook{.tv_sec = 0, .tv_nsec = 50'000'000};
    constexpr int kEndedBySignal = 128;  // as shells say it
    const auto ending = ending_signals();
    while (!stop.stop_requested()) {
      const int received = ::sigtimedwait(&ending, nullptr, &kLook);
      if (received < 0) continue;
      end();
      std::_Exit(kEndedBySignal + received);
    }
  });
}

void PrivateServer::end() const {
  if (process_ > 0) {
    ::kill(process_, SIGTERM);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

PrivateServer::~PrivateServer() {
  if (watcher_.joinable()) {
    watcher_.request_stop();
    watcher_.join();
  }
  end();
  if (out_ >= 0) ::close(out_);
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

}  // namespace chronos::cli
