// ServerOptions: every limit of the inbound side (product.md §3a "Limits", promises D3), with the
// values a fresh server runs with. Filled from the configuration; a plain value.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "http/request.h"

namespace chronos::http {

// PEM files. The certificate file holds the whole chain, the server's own first.
struct TlsFiles {
  std::string cert_file;
  std::string key_file;
};

// What on_finished() tells of one answered request.
struct Finished {
  Method method = Method::other;
  std::string_view pattern;  // of the route; empty if none matched
  int status = 0;
  Duration duration{0};  // from the complete headers to the complete answer
};

struct ServerOptions {
  // "127.0.0.1:8086", "[::1]:0": numeric, port 0 = the kernel chooses.
  std::vector<std::string> listen = {"127.0.0.1:8086"};
  int threads = 2;
  std::optional<TlsFiles> tls;

  std::size_t connections_max = 10'000;  // one more is answered 503 (not under TLS) and closed
  std::size_t pipeline_max = 16;         // requests of one connection not yet answered
  std::size_t header_bytes_max = 16uz * 1024;  // request line and headers together
  std::size_t target_bytes_max = 8uz * 1024;
  std::size_t header_count_max = 100;
  std::size_t body_max = 1024uz * 1024;  // routes may set their own
  // Bodies that are still arriving, over all connections. Whoever goes over it is answered 503.
  std::size_t body_memory_max = 256uz * 1024 * 1024;
  // Bodies of submissions that wait to be stored, or are on their way. While it is so much, more
  // are answered 503; so memory is bounded (a job that waits takes several times its text), and
  // what is let in is stored within a fraction of a second.
  std::size_t intake_max = 4uz * 1024 * 1024;
  std::size_t discard_max = 64uz * 1024;  // unwanted body we read to keep a connection open
  std::size_t stream_queue_max = 256uz * 1024;

  // Headers must be complete this long after the first byte (or, on a new connection, after the
  // accept, TLS handshake included): in total, not per byte.
  Duration header_timeout = std::chrono::seconds(10);
  Duration idle_timeout = std::chrono::seconds(60);  // between two requests
  // A body, and an answer, may take this long and a second for every `rate_min` bytes.
  Duration body_timeout = std::chrono::seconds(10);
  Duration write_timeout = std::chrono::seconds(30);
  std::size_t rate_min = 4uz * 1024;
  // After the last answer the client has this long to hang up, and we go on reading meanwhile, for
  // a reset would destroy an answer on its way.
  Duration linger_timeout = std::chrono::seconds(2);
  Duration accept_backoff = std::chrono::milliseconds(100);  // when out of file descriptors

  // Called for every answer, on the server's threads; must not block. For metrics.
  std::function<void(const Finished&)> on_finished;
};

}  // namespace chronos::http
