// For tests: an HTTP server on a loopback port of the kernel's choice that answers each request
// with the next of the answers it was given, and keeps what was asked. One connection at a time.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace chronos::cli {

inline std::string http_answer(int status, std::string_view body,
                               std::string_view type = "application/json") {
  return fmt::format(
      "HTTP/1.1 {} X\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

class StubServer {
 public:
  // An empty answer closes the connection without one.
  explicit StubServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, length) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, generic, &length) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  StubServer(const StubServer&) = delete;
  StubServer& operator=(const StubServer&) = delete;
  ~StubServer() {
    finish();
    close(listener_);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }

  // What was asked, whole requests in order. Ends the serving.
  const std::vector<std::string>& requests() {
    finish();
    return requests_;
  }

  // "POST /api/jobs" of each request.
  std::vector<std::string> targets() {
    std::vector<std::string> lines;
    for (const auto& request : requests())
      lines.push_back(request.substr(0, request.find(" HTTP")));
    return lines;
  }

 private:
  void finish() {
    shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }

  void serve() {
    for (const auto& answer : answers_) {
      const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) return;
      requests_.push_back(read_request(connection));
      send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
      shutdown(connection, SHUT_WR);
      char rest[256];
      while (recv(connection, rest, sizeof(rest), 0) > 0) {
      }
      close(connection);
    }
  }

  static std::string read_request(int connection) {
    std::string text;
    while (true) {
      const auto headers = text.find("\r\n\r\n");
      if (headers != std::string::npos && text.size() >= headers + 4 + body_length(text)) break;
      char buffer[4096];
      const auto count = recv(connection, buffer, sizeof(buffer), 0);
      if (count <= 0) break;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }

  static std::size_t body_length(std::string_view request) {
    constexpr std::string_view kName = "Content-Length: ";
    const auto at = request.find(kName);
    std::size_t length = 0;
    if (at != std::string_view::npos) {
      const auto text = request.substr(at + kName.size());
      std::from_chars(text.data(), text.data() + text.size(), length);
    }
    return length;
  }

  std::vector<std::string> answers_;
  std::vector<std::string> requests_;
  int listener_ = -1;
  int port_ = 0;
  std::jthread thread_;
};

}  // namespace chronos::cli
