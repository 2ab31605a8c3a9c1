// What the load generators share: a keep-alive connection on loopback, as cheap as it can be. One
// thread.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;

struct Connection {
  int fd = -1;
  std::string in;  // of an answer that is not complete
  Clock::time_point sent_at;
};

// The length of the first complete answer in `text`, or 0.
inline std::size_t complete(const std::string& text) {
  const auto head = text.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  const auto field = text.find("Content-Length: ");
  if (field == std::string::npos || field > head) return 0;
  std::size_t length = 0;
  std::from_chars(text.data() + field + 16, text.data() + head, length);
  return text.size() >= head + 4 + length ? head + 4 + length : 0;
}

inline int dial(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  const int at_once = 1;  // the end of a long request waits for no acknowledgement of its beginning
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
  return fd;
}

// `type` is "json", or "x-ndjson" for a document in each line.
inline std::string post(std::string_view path, std::string_view key, std::string_view type,
                        std::string_view body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/{}\r\nContent-Length: {}\r\n\r\n{}",
      path, key, type, body.size(), body);
}

// A POST of what is in `body_file`: a JSON document, or one in each line of "….ndjson".
inline std::string request_of(std::string_view path, std::string_view key,
                              const std::string& body_file) {
  std::stringstream body;
  body << std::ifstream(body_file).rdbuf();
  return post(path, key, body_file.ends_with(".ndjson") ? "x-ndjson" : "json", body.str());
}

// Sends all of it, and waits as long as that takes.
inline void send_all(Connection& connection, std::string_view request) {
  connection.sent_at = Clock::now();
  while (!request.empty()) {
    const auto sent = write(connection.fd, request.data(), request.size());
    if (sent <= 0) {
      std::perror("write");
      std::exit(1);
    }
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Takes what came in; the length of the answer when it is complete, else 0.
inline std::size_t receive(Connection& connection) {
  char buffer[65536];
  const auto got = read(connection.fd, buffer, sizeof(buffer));
  if (got <= 0) {
    std::fputs("connection lost\n", stderr);
    std::exit(1);
  }
  connection.in.append(buffer, static_cast<std::size_t>(got));
  return complete(connection.in);
}

inline double milliseconds_since(Clock::time_point time) {
  return std::chrono::duration<double, std::milli>(Clock::now() - time).count();
}

inline double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace bench
