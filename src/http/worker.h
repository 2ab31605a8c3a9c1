// Worker: one thread of the server, its event loop and the connections that live on it. Private to
// the server. A connection stays on one worker, so its state needs no lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/gate.h"
#include "http/intake.h"
#include "http/router.h"
#include "http/server_options.h"
#include "http/transport.h"

namespace chronos::http {

class Connection;

// Counts the connections of all workers. Thread-safe.
class ConnectionCount {
 public:
  // False, and nothing counted, if there are `max` already.
  bool try_add(std::size_t max);
  void remove();
  std::size_t value() const;
  // True when none is left; false if that took longer than `limit`.
  bool wait_for_none(Duration limit);

 private:
  mutable Mutex mutex_;
  Condition none_left_;
  std::size_t open_ CHRONOS_GUARDED_BY(mutex_) = 0;
};

// What all workers share; built before the first starts and, but for the counters, not changed.
struct Shared {
  Shared(ServerOptions its_options, Router its_router, Gate its_gate, const Clock& its_clock)
      : options(std::move(its_options)),
        router(std::move(its_router)),
        gate(std::move(its_gate)),
        clock(its_clock),
        intake(options.intake_max) {}

  ServerOptions options;
  Router router;
  Gate gate;
  const Clock& clock;
  std::unique_ptr<TlsContext> tls;  // null = plain
  ConnectionCount connections;
  std::atomic<std::size_t> body_bytes = 0;  // of bodies still arriving
  Intake intake;                            // of routes that submit
};

class Worker : public std::enable_shared_from_this<Worker> {
 public:
  explicit Worker(std::shared_ptr<Shared> shared);
  ~Worker();

  void run();  // the thread's root function; returns after close()

  // Any thread. `fd` is a connected socket, already counted in Shared::connections.
  void adopt(int fd, std::string peer);
  void drain();  // connections end as soon as they have answered what they were asked
  void close();  // connections end now, and so does run()

  // For the connections, on this worker's thread.
  void forget(Connection& connection);
  std::string_view date_line();
  SteadyTime now() const { return shared_->clock.steady(); }
  EventLoop& loop() { return loop_; }
  std::span<char> waste() { return waste_; }  // for bytes that nobody wants
  Shared& shared() { return *shared_; }

 private:
  void tick();
  void tick_later();

  std::shared_ptr<Shared> shared_;  // outlives the Server while a handler still holds a Reply
  EventLoop loop_;
  const Duration tick_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<char> waste_;
  std::string date_line_;
  std::int64_t date_second_ = -1;
  bool is_draining_ = false;
  bool is_ticking_ = false;
};

}  // namespace chronos::http
