#include "support/scripted_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>

#include "base/check.h"

namespace chronos::testing {

ScriptedConnection::~ScriptedConnection() {
  ::close(descriptor_);
}

bool ScriptedConnection::fill() {
  std::array<char, 4096> chunk{};
  const auto count = ::recv(descriptor_, chunk.data(), chunk.size(), 0);
  if (count <= 0) return false;
  unread_.append(chunk.data(), static_cast<std::size_t>(count));
  return true;
}

std::optional<ScriptedConnection::Request> ScriptedConnection::read_request() {
  std::size_t end = 0;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  Request request{unread_.substr(0, end), {}};
  unread_.erase(0, end + 4);
  constexpr std::string_view kName = "\r\nContent-Length: ";
  if (const auto at = request.head.find(kName); at != std::string::npos) {
    std::size_t length = 0;
    const char* const digits = request.head.data() + at + kName.size();
    std::from_chars(digits, request.head.data() + request.head.size(), length);
    while (unread_.size() < length) {
      if (!fill()) return std::nullopt;
    }
    request.body = unread_.substr(0, length);
    unread_.erase(0, length);
  }
  return request;
}

std::optional<std::string> ScriptedConnection::read_line() {
  std::size_t end = 0;
  while ((end = unread_.find("\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 2);
  return line;
}

bool ScriptedConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void ScriptedConnection::wait_until_closed() {
  while (fill()) {
  }
}

bool ScriptedConnection::is_closed_within(int milliseconds) {
  pollfd entry{descriptor_, POLLIN | POLLRDHUP, 0};
  return ::poll(&entry, 1, milliseconds) > 0 && !fill();
}

void ScriptedConnection::reset() {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void ScriptedConnection::cut() {
  ::shutdown(descriptor_, SHUT_RDWR);
}

ScriptedServer::ScriptedServer(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  CHRONOS_CHECK(::bind(listener_, generic, size) == 0);
  CHRONOS_CHECK(::listen(listener_, 1024) == 0);
  CHRONOS_CHECK(::getsockname(listener_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::jthread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (auto& connection : connections_) connection.cut();
  }
  threads_.clear();
  ::close(listener_);
}

void ScriptedServer::accept_all() {
  while (true) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int number = ++count_;
    const std::lock_guard lock(mutex_);
    auto& connection = connections_.emplace_back(descriptor, number);
    threads_.emplace_back([this, &connection] {
      script_(connection);
      const std::lock_guard own(mutex_);
      connections_.remove_if([&](const ScriptedConnection& each) { return &each == &connection; });
    });
  }
}

std::string ScriptedServer::url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

ScriptedServer::Script answering(std::string answer) {
  return [answer = std::move(answer)](ScriptedConnection& connection) {
    while (connection.read_request() && connection.write(answer)) {
    }
  };
}

std::string http_answer(std::string_view status, std::string_view body, std::string_view headers) {
  std::string answer = "HTTP/1.1 ";
  answer.append(status).append("\r\n").append(headers);
  answer.append("Content-Length: ").append(std::to_string(body.size()));
  return answer.append("\r\n\r\n").append(body);
}

}  // namespace chronos::testing
