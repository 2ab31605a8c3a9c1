// Everything the server asks of the network: an event loop of one thread, byte streams with and
// without TLS, and listening sockets. The only place that sees Asio and OpenSSL; used by the
// worker, the connection and the server.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/server_options.h"

namespace chronos::http {

// Runs functions and completions, one at a time, on the thread that is in run().
class EventLoop {
 public:
  struct Impl;

  EventLoop();
  ~EventLoop();

  void run();  // returns after close(), when nothing is left to do
  bool is_current() const;

  // Any thread. `job` runs soon, in the order of the posts. After close() it is destroyed instead.
  void post(std::move_only_function<void()> job);

  // Loop thread: calls `job` once, `delay` from now; a second call replaces the first.
  void after(Duration delay, std::move_only_function<void()> job);

  // Any thread: jobs already posted still run, later ones do not.
  void close();

  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// One connected byte stream. All calls and completions on the loop's thread. At most one read and
// one write at a time; completions come later, never from within the call.
class Transport {
 public:
  // What a read or write moved; nothing and !is_ok for the end of the stream or any failure.
  using Done = std::move_only_function<void(bool is_ok, std::size_t count)>;

  virtual ~Transport() = default;
  virtual void handshake(Done done) = 0;
  virtual void read_some(std::span<char> room, Done done) = 0;  // `room` stays put
  // One after the other; the bytes stay put, too.
  virtual void write_some(std::array<std::string_view, 2> bytes, Done done) = 0;
  // Tells the other end that nothing follows. Afterwards only read_some(), to throw away what it
  // still sends.
  virtual void shut_down(Done done) = 0;
  virtual void close() = 0;  // what is pending completes with a failure
  // Whether the other end is known to send nothing more, or was cut off: it most likely hung up.
  virtual bool has_peer_closed() = 0;
};

// Certificate and key, loaded once and shared by all connections (OpenSSL counts references
// itself).
class TlsContext {
 public:
  struct Impl;
  explicit TlsContext(std::unique_ptr<Impl> impl);
  ~TlsContext();
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// TLS 1.2 and later. Fails with invalid_fields, naming the file and what is wrong with it.
Result<std::unique_ptr<TlsContext>> load_tls(const TlsFiles& files);

// `fd` is a connected socket and becomes the Transport's. `tls` null = plain; else it must outlive
// the Transport.
std::unique_ptr<Transport> make_transport(EventLoop& loop, int fd, TlsContext* tls);

// One listening socket.
class Listener {
 public:
  // Gets each accepted socket (non-blocking, owned by the callee) and the peer's numeric address.
  using Accept = std::function<void(int fd, std::string peer)>;
  struct Impl;

  // `address` as in ServerOptions::listen. Fails with invalid_fields for what is no address and
  // unavailable, naming the reason, if it cannot be listened on.
  static Result<std::unique_ptr<Listener>> open(EventLoop& loop, const std::string& address);
  explicit Listener(std::unique_ptr<Impl> impl);
  ~Listener();

  std::uint16_t port() const;

  // Loop thread. When the process is out of descriptors or memory it waits `backoff` before it
  // tries again, and calls `on_failure`.
  void start(Duration backoff, Accept accept, std::function<void(std::string)> on_failure);
  void close();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace chronos::http
