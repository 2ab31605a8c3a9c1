#include "http/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "http/problem.h"
#include "http/response_writer.h"
#include "http/transport.h"
#include "http/worker.h"

namespace chronos::http {

struct Server::Impl {
  Impl(ServerOptions options, Router router, Gate gate, const Clock& clock)
      : shared(std::make_shared<Shared>(std::move(options), std::move(router), std::move(gate),
                                        clock)) {}

  void accept(int fd, std::string peer);
  void turn_away(int fd);
  void start_threads();
  void close_listeners();

  std::shared_ptr<Shared> shared;  // with the workers, see there
  std::vector<std::shared_ptr<Worker>> workers;
  std::vector<std::unique_ptr<Listener>> listeners;  // on the loop of the first worker
  std::vector<std::uint16_t> ports;
  std::vector<std::jthread> threads;
  std::size_t next_worker = 0;
  std::atomic<std::uint64_t> accept_failures = 0;
};

// Runs on the first worker's thread.
void Server::Impl::accept(int fd, std::string peer) {
  if (!shared->connections.try_add(shared->options.connections_max)) return turn_away(fd);
  next_worker = (next_worker + 1) % workers.size();
  workers[next_worker]->adopt(fd, std::move(peer));
}

// Best effort, without waiting: whoever is one too many gets no buffers of ours.
void Server::Impl::turn_away(int fd) {
  if (!shared->tls) {
    const Error error{Reason::overloaded, "the server has too many connections", {}, {}};
    std::string out;
    append_response(out, problem(error, ""),
                    {.is_last = true, .date_line = workers.front()->date_line()});
    static_cast<void>(::send(fd, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    // Unread bytes would turn the close into a reset, and that may overtake the answer.
    std::array<char, 4096> scrap;
    static_cast<void>(::recv(fd, scrap.data(), scrap.size(), MSG_DONTWAIT));
  }
  ::close(fd);
}

void Server::Impl::start_threads() {
  for (const auto& listener : listeners) {
    listener->start(
        shared->options.accept_backoff,
        [this](int fd, std::string peer) { accept(fd, std::move(peer)); },
        [this](const std::string& reason) {
          ++accept_failures;
          log::warn("cannot accept connections, pausing", {{"reason", reason}});
        });
  }
  for (const auto& worker : workers) {
    threads.emplace_back([worker] { worker->run(); });
  }
}

// When this returns, every accepted socket has been handed to its worker.
void Server::Impl::close_listeners() {
  std::latch done(1);
  workers.front()->loop().post([&] {
    for (const auto& listener : listeners) listener->close();
    done.count_down();
  });
  done.wait();
}

Server::Server(ServerOptions options, Router router, Gate gate, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(router), std::move(gate), clock)) {
  CHRONOS_CHECK(impl_->shared->gate.on_head && impl_->shared->gate.on_body);
}

Server::~Server() {
  stop(Duration(0));
}

Result<void> Server::listen() {
  CHRONOS_CHECK(impl_->workers.empty());
  const ServerOptions& options = impl_->shared->options;
  CHRONOS_CHECK(!options.listen.empty());
  if (options.tls) {
    CHRONOS_TRY(impl_->shared->tls, load_tls(*options.tls));
  }
  std::vector<std::shared_ptr<Worker>> workers;
  for (int i = 0; i < std::max(1, options.threads); ++i) {
    workers.push_back(std::make_shared<Worker>(impl_->shared));
  }
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::uint16_t> ports;
  for (const std::string& address : options.listen) {
    CHRONOS_TRY(auto listener, Listener::open(workers.front()->loop(), address));
    ports.push_back(listener->port());
    listeners.push_back(std::move(listener));
  }
  impl_->workers = std::move(workers);
  impl_->listeners = std::move(listeners);
  impl_->ports = std::move(ports);
  return {};
}

Result<void> Server::start() {
  CHRONOS_CHECK(impl_->threads.empty());
  if (impl_->workers.empty()) CHRONOS_TRY_VOID(listen());
  impl_->start_threads();
  return {};
}

void Server::stop(Duration drain) {
  if (impl_->threads.empty()) return;
  impl_->close_listeners();
  for (const auto& worker : impl_->workers) worker->drain();
  if (!impl_->shared->connections.wait_for_none(drain) && drain > Duration(0)) {
    log::warn("some connections did not end in time",
              {{"count", std::to_string(impl_->shared->connections.value())}});
  }
  for (const auto& worker : impl_->workers) worker->close();
  impl_->threads.clear();  // joins
}

std::uint16_t Server::bound_port() const {
  CHRONOS_CHECK(!impl_->ports.empty());
  return impl_->ports.front();
}

std::vector<std::uint16_t> Server::bound_ports() const {
  return impl_->ports;
}

std::size_t Server::connection_count() const {
  return impl_->shared->connections.value();
}

std::uint64_t Server::accept_failure_count() const {
  return impl_->accept_failures.load();
}

}  // namespace chronos::http
