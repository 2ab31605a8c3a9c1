// Closed-loop HTTP load: N keep-alive connections, each sends its next request when the answer to
// the last is complete. Prints one JSON line: rate, latencies in milliseconds, answers by class.
//
//   load PORT CONNECTIONS SECONDS PATH KEY BODY-FILE
#include <sys/epoll.h>

#include <algorithm>
#include <iostream>

#include "keep_alive.h"

namespace {

using bench::Connection;

struct Tally {
  std::vector<double> latencies_ms;
  long good = 0, bad = 0;
};

// Takes what came in; true when an answer is complete.
bool receive(Connection& connection, Tally& tally) {
  const auto length = bench::receive(connection);
  if (length == 0) return false;
  connection.in.compare(9, 1, "2") == 0 ? ++tally.good : ++tally.bad;
  connection.in.erase(0, length);
  tally.latencies_ms.push_back(bench::milliseconds_since(connection.sent_at));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: load PORT CONNECTIONS SECONDS PATH KEY BODY-FILE\n";
    return 2;
  }
  const auto request = bench::request_of(argv[4], argv[5], argv[6]);
  std::vector<Connection> connections(static_cast<std::size_t>(std::atoi(argv[2])));
  const int poll = epoll_create1(0);
  for (auto& connection : connections) {
    connection.fd = bench::dial(std::atoi(argv[1]));
    epoll_event event{EPOLLIN, {.ptr = &connection}};
    epoll_ctl(poll, EPOLL_CTL_ADD, connection.fd, &event);
  }
  Tally tally;
  const auto begun = bench::Clock::now();
  const auto until = begun + std::chrono::seconds(std::atoi(argv[3]));
  for (auto& connection : connections) bench::send_all(connection, request);
  epoll_event events[256];
  while (bench::Clock::now() < until) {
    const int count = epoll_wait(poll, events, 256, 100);
    for (int i = 0; i < count; ++i) {
      auto& connection = *static_cast<Connection*>(events[i].data.ptr);
      if (receive(connection, tally)) bench::send_all(connection, request);
    }
  }
  const std::chrono::duration<double> elapsed = bench::Clock::now() - begun;
  std::ranges::sort(tally.latencies_ms);
  std::cout << fmt::format(
      "{{\"rate\":{:.0f},\"p50_ms\":{:.3f},\"p99_ms\":{:.3f},\"good\":{},\"bad\":{}}}\n",
      static_cast<double>(tally.good) / elapsed.count(), bench::percentile(tally.latencies_ms, 0.5),
      bench::percentile(tally.latencies_ms, 0.99), tally.good, tally.bad);
}
