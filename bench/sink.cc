// What http actions are sent to: every request gets a 200. It shares the processors with the server
// that is measured, so it does as little as a server can: a receive and a send for each request.
//
//   sink     prints its port
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

[[noreturn]] void give_up(const char* call) {
  std::perror(call);
  std::exit(1);
}

int listen_on_any_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, name, size) != 0 || listen(fd, SOMAXCONN) != 0) give_up("listen");
  getsockname(fd, name, &size);
  std::cout << ntohs(address.sin_port) << std::endl;
  return fd;
}

void watch(int epoll, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) give_up("epoll_ctl");
}

void greet(int epoll, int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) give_up("accept");
  const int at_once = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
  watch(epoll, fd);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// The length of the first request in `text` when all of it is there, else 0.
std::size_t complete(std::string_view text) {
  constexpr std::string_view kLength = "\r\ncontent-length:";
  const auto head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  const std::string lines = lower_case(text.substr(0, head + 2));
  std::size_t body = 0;
  if (const auto field = lines.find(kLength); field != std::string::npos) {
    const auto digits = lines.find_first_not_of(' ', field + kLength.size());
    std::from_chars(lines.data() + digits, lines.data() + lines.size(), body);
  }
  return text.size() >= head + 4 + body ? head + 4 + body : 0;
}

// False when the client has gone.
bool answer(int fd, std::string& kept) {
  constexpr std::string_view kAnswer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
      "11\r\n\r\n{\"ok\":true}";
  std::array<char, 16384> buffer;
  const auto got = recv(fd, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  kept.append(buffer.data(), static_cast<std::size_t>(got));
  while (const std::size_t length = complete(kept)) {
    kept.erase(0, length);
    if (send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0) return false;
  }
  return true;
}

}  // namespace

int main() {
  const int listener = listen_on_any_port();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  std::unordered_map<int, std::string> kept;  // of requests that are not complete, by connection
  std::array<epoll_event, 64> events;
  while (true) {
    const int count = epoll_wait(epoll, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        greet(epoll, listener);
      } else if (!answer(fd, kept[fd])) {
        kept.erase(fd);
        close(fd);
      }
    }
  }
}
