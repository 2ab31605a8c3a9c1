#include "http/worker.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/response_writer.h"

namespace chronos::http {
namespace {

constexpr std::size_t kWaste = 64uz * 1024;  // thrown away in one read

// Deadlines are looked at in passes over all connections, not by a timer each: setting one costs a
// store. A pass this often ends a connection at most 1/64 of its shortest time too early.
Duration tick_of(const ServerOptions& options) {
  const Duration shortest =
      std::min({options.header_timeout, options.idle_timeout, options.body_timeout,
                options.write_timeout, options.linger_timeout});
  return std::clamp<Duration>(shortest / 64, std::chrono::milliseconds(1),
                              std::chrono::milliseconds(250));
}

}  // namespace

bool ConnectionCount::try_add(std::size_t max) {
  const MutexLock lock(mutex_);
  if (open_ >= max) return false;
  ++open_;
  return true;
}

void ConnectionCount::remove() {
  const MutexLock lock(mutex_);
  if (--open_ == 0) none_left_.notify_all();
}

std::size_t ConnectionCount::value() const {
  const MutexLock lock(mutex_);
  return open_;
}

bool ConnectionCount::wait_for_none(Duration limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  const MutexLock lock(mutex_);
  while (open_ > 0) {
    if (none_left_.wait_until(mutex_, deadline) == std::cv_status::timeout) return open_ == 0;
  }
  return true;
}

Worker::Worker(std::shared_ptr<Shared> shared)
    : shared_(std::move(shared)), tick_(tick_of(shared_->options)), waste_(kWaste) {}
Worker::~Worker() = default;

void Worker::run() {
  try {
    loop_.run();
  } catch (const std::exception& error) {
    log::error("a server thread failed", {{"error", error.what()}});
    check_failed("a server thread goes on", __FILE__, __LINE__);
  }
}

void Worker::adopt(int fd, std::string peer) {
  loop_.post([self = shared_from_this(), fd, peer = std::move(peer)]() mutable {
    auto transport = make_transport(self->loop_, fd, self->shared_->tls.get());
    if (self->is_draining_) {
      transport->close();
      self->shared_->connections.remove();
      return;
    }
    auto connection = std::make_shared<Connection>(self, std::move(transport), std::move(peer));
    connection->index = self->connections_.size();
    self->connections_.push_back(connection);
    connection->start();
    self->tick_later();
  });
}

void Worker::drain() {
  loop_.post([self = shared_from_this()] {
    self->is_draining_ = true;
    const auto connections = self->connections_;  // draining may end and so remove them
    for (const auto& connection : connections) connection->drain();
  });
}

void Worker::close() {
  loop_.post([self = shared_from_this()] {
    self->is_draining_ = true;
    const auto connections = self->connections_;
    for (const auto& connection : connections) connection->close();
    self->loop_.close();
  });
}

void Worker::forget(Connection& connection) {
  const std::size_t index = connection.index;
  CHRONOS_CHECK(index < connections_.size() && connections_[index].get() == &connection);
  std::swap(connections_[index], connections_.back());
  connections_[index]->index = index;
  connections_.pop_back();
  shared_->connections.remove();
}

std::string_view Worker::date_line() {
  const Timestamp now = shared_->clock.now();
  const std::int64_t second =
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (std::exchange(date_second_, second) != second) date_line_ = http::date_line(now);
  return date_line_;
}

void Worker::tick_later() {
  if (std::exchange(is_ticking_, true)) return;
  loop_.after(tick_, [this] {
    is_ticking_ = false;
    tick();
  });
}

void Worker::tick() {
  // To the end of the coming pause, so that nobody stays longer than his time.
  const SteadyTime horizon = now() + tick_;
  std::vector<std::shared_ptr<Connection>> late;
  for (const auto& connection : connections_) {
    if (connection->deadline() <= horizon) late.push_back(connection);
  }
  for (const auto& connection : late) connection->on_deadline(horizon);
  if (!connections_.empty()) tick_later();
}

}  // namespace chronos::http
