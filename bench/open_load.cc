// Open-loop HTTP load: requests fall due at a fixed rate, whatever became of those before. Each
// takes a keep-alive connection that waits for no answer; when all of them wait, it cannot be sent
// and is counted as held back. (With a rate that is never reached it is a closed loop.) One request
// in a hundred has the second body. Prints one JSON line; the ids of accepted jobs go to a file,
// one a line.
//
//   open_load PORT CONNECTIONS RATE SECONDS PATH KEY BODY-FILE SECOND-BODY-FILE IDS-FILE
#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>

#include "keep_alive.h"

namespace {

using bench::Clock;

constexpr long kSecondBodyEvery = 100;
constexpr int kSentAtOnce = 16;  // before answers are looked at: what waits here looks late there
constexpr auto kPatience = std::chrono::seconds(20);  // for the last answers

struct Tally {
  long due = 0, sent = 0, lost = 0, jobs = 0, without_retry_after = 0;
  std::map<std::string, long> statuses;
  std::vector<double> accepted_ms, refused_ms;
};

struct Client {
  bench::Connection connection;
  const std::string* request = nullptr;  // under way; none: idle
  std::size_t sent = 0;                  // of it
};

class Generator {
 public:
  Generator(int port, std::size_t clients, const char* ids) : port_(port), clients_(clients) {
    ids_.open(ids);
    for (auto& client : clients_) {
      open(client);
      idle_.push_back(&client);
    }
  }

  // Some of what fell due by now is sent; when every connection waits, all of it is held back.
  void send(long due, const std::string& request, const std::string& second) {
    for (int i = 0; i < kSentAtOnce && tally.due < due && !idle_.empty(); ++i) {
      auto& client = *idle_.back();
      idle_.pop_back();
      client.request = ++tally.due % kSecondBodyEvery == 0 ? &second : &request;
      client.sent = 0;
      client.connection.sent_at = Clock::now();
      ++tally.sent;
      push(client);
    }
    if (idle_.empty()) tally.due = std::max(tally.due, due);
  }

  void receive(int wait_ms) {
    epoll_event events[512];
    const int count = epoll_wait(poll_, events, 512, wait_ms);
    for (int i = 0; i < count; ++i) {
      auto& client = *static_cast<Client*>(events[i].data.ptr);
      if ((events[i].events & EPOLLOUT) != 0) push(client);
      if ((events[i].events & ~EPOLLOUT) != 0) take(client);
    }
  }

  long unanswered() const { return static_cast<long>(clients_.size() - idle_.size()); }

  Tally tally;

 private:
  void watch(Client& client, int operation, std::uint32_t events) {
    epoll_event event{events, {.ptr = &client}};
    epoll_ctl(poll_, operation, client.connection.fd, &event);
  }
  void open(Client& client) {
    client.connection.fd = bench::dial(port_);
    client.connection.in.clear();
    fcntl(client.connection.fd, F_SETFL, O_NONBLOCK);
    watch(client, EPOLL_CTL_ADD, EPOLLIN);
  }

  // Sends what the socket takes of the request.
  void push(Client& client) {
    if (client.request == nullptr) return;
    const bool was_stuck = client.sent > 0;
    while (client.sent < client.request->size()) {
      const auto sent = write(client.connection.fd, client.request->data() + client.sent,
                              client.request->size() - client.sent);
      if (sent <= 0) break;  // full; or cut off, which reading tells
      client.sent += static_cast<std::size_t>(sent);
    }
    const bool is_stuck = client.sent < client.request->size();
    if (is_stuck != was_stuck) {
      watch(client, EPOLL_CTL_MOD, is_stuck ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
  }

  void take(Client& client) {
    char buffer[65536];
    const auto got = read(client.connection.fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return cut_off(client);
    auto& in = client.connection.in;
    in.append(buffer, static_cast<std::size_t>(got));
    const auto length = bench::complete(in);
    if (length == 0 || client.request == nullptr) return;
    const auto answer = std::string_view(in).substr(0, length);
    judge(client, answer);
    const bool is_last = client.sent < client.request->size() ||
                         answer.find("\r\nConnection: close") != std::string_view::npos;
    in.erase(0, length);
    rest(client, is_last);
  }

  // Without an answer nobody knows; between two requests a server may close.
  void cut_off(Client& client) {
    const bool was_idle = client.request == nullptr;
    if (!was_idle) ++tally.lost;
    was_idle ? reopen(client) : rest(client, true);
  }
  void rest(Client& client, bool is_last) {
    client.request = nullptr;
    if (is_last) reopen(client);
    idle_.push_back(&client);
  }
  void reopen(Client& client) {
    close(client.connection.fd);
    open(client);
  }

  void judge(const Client& client, std::string_view answer) {
    const auto ms = bench::milliseconds_since(client.connection.sent_at);
    const auto status = answer.substr(9, 3);
    ++tally.statuses[std::string(status)];
    if (status.starts_with('2')) {
      tally.accepted_ms.push_back(ms);
      return note_ids(answer);
    }
    tally.refused_ms.push_back(ms);
    if (answer.find("\r\nRetry-After: ") == std::string_view::npos) ++tally.without_retry_after;
  }
  void note_ids(std::string_view answer) {
    static constexpr std::string_view kId = "\"id\":\"job_";
    for (auto at = answer.find(kId); at != std::string_view::npos; at = answer.find(kId, at + 1)) {
      ids_ << answer.substr(at + 6, 30) << '\n';
      ++tally.jobs;
    }
  }

  int port_;
  const int poll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Client> clients_;
  std::vector<Client*> idle_;
  std::ofstream ids_;
};

std::string latencies(std::vector<double>& ms) {
  std::ranges::sort(ms);
  return fmt::format("{{\"p50_ms\":{:.2f},\"p99_ms\":{:.2f},\"max_ms\":{:.2f}}}",
                     bench::percentile(ms, 0.5), bench::percentile(ms, 0.99),
                     ms.empty() ? 0 : ms.back());
}

// What had been accepted when the load ended counts as its rate.
void print(Generator& generator, double jobs_per_second) {
  auto& tally = generator.tally;
  std::string statuses;
  for (const auto& [status, count] : tally.statuses) {
    statuses += fmt::format("{}\"{}\":{}", statuses.empty() ? "" : ",", status, count);
  }
  std::cout << fmt::format(
      "{{\"due\":{},\"sent\":{},\"held_back\":{},\"jobs\":{},\"jobs_per_second\":{:.0f},"
      "\"statuses\":{{{}}},\"without_retry_after\":{},\"lost\":{},"
      "\"unanswered\":{},\"accepted_latency\":{},\"refused_latency\":{}}}\n",
      tally.due, tally.sent, tally.due - tally.sent, tally.jobs, jobs_per_second, statuses,
      tally.without_retry_after, tally.lost, generator.unanswered(), latencies(tally.accepted_ms),
      latencies(tally.refused_ms));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 10) {
    std::cerr << "usage: open_load PORT CONNECTIONS RATE SECONDS PATH KEY BODY-FILE"
                 " SECOND-BODY-FILE IDS-FILE\n";
    return 2;
  }
  const auto rate = std::atof(argv[3]);
  const auto request = bench::request_of(argv[5], argv[6], argv[7]);
  const auto second = bench::request_of(argv[5], argv[6], argv[8]);
  Generator generator(std::atoi(argv[1]), static_cast<std::size_t>(std::atoi(argv[2])), argv[9]);
  const auto begun = Clock::now();
  const auto until = begun + std::chrono::seconds(std::atoi(argv[4]));
  for (auto now = begun; now < until; now = Clock::now()) {
    const auto due = std::chrono::duration<double>(now - begun).count() * rate;
    generator.send(static_cast<long>(due), request, second);
    generator.receive(generator.tally.due < static_cast<long>(due) ? 0 : 1);
  }
  const std::chrono::duration<double> elapsed = Clock::now() - begun;
  const auto rate_of_jobs = static_cast<double>(generator.tally.jobs) / elapsed.count();
  const auto given_up = Clock::now() + kPatience;
  while (generator.unanswered() > 0 && Clock::now() < given_up) generator.receive(10);
  print(generator, rate_of_jobs);
}
