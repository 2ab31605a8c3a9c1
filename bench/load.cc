// Closed-loop HTTP load: N keep-alive connections, each sends its next request when the answer to
// the last is complete. Prints one JSON line: rate, latencies in milliseconds, answers by class.
//
//   load PORT CONNECTIONS SECONDS PATH KEY BODY-FILE
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
  int fd = -1;
  std::string in;
  Clock::time_point sent_at;
};

struct Tally {
  std::vector<double> latencies_ms;
  long good = 0, bad = 0;
};

// The length of the first complete answer in `text`, or 0.
std::size_t complete(const std::string& text) {
  const auto head = text.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  const auto field = text.find("Content-Length: ");
  if (field == std::string::npos || field > head) return 0;
  std::size_t length = 0;
  std::from_chars(text.data() + field + 16, text.data() + head, length);
  return text.size() >= head + 4 + length ? head + 4 + length : 0;
}

int dial(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return fd;
}

void send_request(Connection& connection, const std::string& request) {
  connection.sent_at = Clock::now();
  std::size_t done = 0;
  while (done < request.size()) {
    const auto sent = write(connection.fd, request.data() + done, request.size() - done);
    if (sent <= 0) std::exit(1);
    done += static_cast<std::size_t>(sent);
  }
}

// Takes what came in; true when an answer is complete.
bool receive(Connection& connection, Tally& tally) {
  char buffer[16384];
  const auto got = read(connection.fd, buffer, sizeof(buffer));
  if (got <= 0) {
    std::cerr << "connection lost\n";
    std::exit(1);
  }
  connection.in.append(buffer, static_cast<std::size_t>(got));
  const auto length = complete(connection.in);
  if (length == 0) return false;
  connection.in.compare(9, 1, "2") == 0 ? ++tally.good : ++tally.bad;
  connection.in.erase(0, length);
  const std::chrono::duration<double, std::milli> latency = Clock::now() - connection.sent_at;
  tally.latencies_ms.push_back(latency.count());
  return true;
}

double percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: load PORT CONNECTIONS SECONDS PATH KEY BODY-FILE\n";
    return 2;
  }
  std::stringstream body;
  body << std::ifstream(argv[6]).rdbuf();
  const auto request = fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      argv[4], argv[5], body.str().size(), body.str());
  std::vector<Connection> connections(static_cast<std::size_t>(std::atoi(argv[2])));
  const int poll = epoll_create1(0);
  for (auto& connection : connections) {
    connection.fd = dial(std::atoi(argv[1]));
    epoll_event event{EPOLLIN, {.ptr = &connection}};
    epoll_ctl(poll, EPOLL_CTL_ADD, connection.fd, &event);
  }
  Tally tally;
  const auto begun = Clock::now();
  const auto until = begun + std::chrono::seconds(std::atoi(argv[3]));
  for (auto& connection : connections) send_request(connection, request);
  epoll_event events[256];
  while (Clock::now() < until) {
    const int count = epoll_wait(poll, events, 256, 100);
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[i].data.ptr);
      if (receive(connection, tally)) send_request(connection, request);
    }
  }
  const std::chrono::duration<double> elapsed = Clock::now() - begun;
  std::ranges::sort(tally.latencies_ms);
  std::cout << fmt::format(
      "{{\"rate\":{:.0f},\"p50_ms\":{:.3f},\"p99_ms\":{:.3f},\"good\":{},\"bad\":{}}}\n",
      static_cast<double>(tally.good) / elapsed.count(), percentile(tally.latencies_ms, 0.5),
      percentile(tally.latencies_ms, 0.99), tally.good, tally.bad);
}
