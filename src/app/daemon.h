// The server put together: builds everything in dependency order, starts it, stops it in reverse.
// Made and run by cli/serve_command.cc on the main thread.
#pragma once

#include <memory>

#include "app/config.h"
#include "base/result.h"

namespace chronos::app {

class Daemon {
 public:
  // Opens the data directory and the store and makes the first project and key. From here on
  // SIGTERM and SIGINT wait for run_until_signal().
  static Result<std::unique_ptr<Daemon>> make(Config config);
  ~Daemon();  // stop()

  // Starts listening and scheduling; prints "listening on http://…" on stdout when it is ready.
  Result<void> start();

  // Returns when SIGTERM or SIGINT has come and everything has been stopped in order.
  void run_until_signal();

 private:
  class Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace chronos::app
