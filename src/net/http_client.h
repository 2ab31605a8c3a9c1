// Outbound HTTP/1.1 over libcurl: many calls at once on one event thread, connections kept alive,
// every address decided by the outbound policy. TLS is verified; proxies, cookies, .netrc and
// compressed answers are never used. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "net/http_call.h"
#include "net/outbound_policy.h"

namespace chronos::net {

struct HttpClientOptions {
  std::optional<OutboundPolicy> policy = OutboundPolicy{};  // nothing = every address (the CLI)
  std::string ca_file{};  // PEM file of trusted authorities; empty = the system's
  // A connection idle for longer is not used again: many servers close theirs after 5 s, and a
  // request that meets the close is lost. Whole seconds.
  Duration idle_connection_max = std::chrono::seconds(3);
  int idle_connections_max = 256;
};

// A request is put on the wire once. Only a call of an idempotent method (RFC 9110 §9.2.2) is
// repeated, once, when its kept-alive connection turns out dead; for others that is
// HttpFailure::reset and the caller's retry policy decides.
class HttpClient {
 public:
  using Done = std::move_only_function<void(HttpAnswer)>;

  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();  // stop()
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Returns at once. `done` is called exactly once, on the client's thread; it must be short and
  // may call start() and cancel(). After stop() it is called before start() returns. `id` is the
  // caller's name for the call, unique among its live calls.
  void start(std::uint64_t id, HttpCall call, Done done);

  // The call ends with HttpFailure::cancelled, or with what it came to just before. Unknown:
  // ignored.
  void cancel(std::uint64_t id);

  // Live calls end with HttpFailure::stopped. Must not be called from `done`.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

// One call on the caller's thread, with a connection of its own; for programs without an event
// loop.
HttpAnswer call_http(const HttpClientOptions& options, HttpCall call);

}  // namespace chronos::net
