// Server: listens, reads requests under strict limits, asks the gate, calls the handlers of the
// route table and writes their answers. Built and stopped by the daemon; one thread at a time. The
// handlers' threads are this server's (request.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/gate.h"
#include "http/router.h"
#include "http/server_options.h"

namespace chronos::http {

class Server {
 public:
  // `clock` must outlive the Server and every Reply it handed out.
  Server(ServerOptions options, Router router, Gate gate, const Clock& clock);
  ~Server();  // stop() without a drain

  // Takes the addresses, so that the ports are known; who connects waits until start(). Once. Fails
  // if an address cannot be listened on or a TLS file not used.
  Result<void> listen();

  // Once; listens first if nobody did. Fails as listen() does, with nothing started.
  Result<void> start();

  // Stops accepting, lets connections end with the answers they owe, waits for them at most
  // `drain`, cuts off the rest and joins the threads. A Reply called later does nothing.
  void stop(Duration drain);

  std::uint16_t bound_port() const;                // of the first address
  std::vector<std::uint16_t> bound_ports() const;  // in the order of ServerOptions::listen

  std::size_t connection_count() const;        // any thread
  std::uint64_t accept_failure_count() const;  // any thread; for want of descriptors or memory

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chronos::http
