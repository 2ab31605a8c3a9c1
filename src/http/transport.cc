#include "http/transport.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/mutex.h"

namespace chronos::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {
constexpr int kAcceptsAtOnce = 64;  // before the loop looks at its connections again
}

struct EventLoop::Impl {
  using Job = std::move_only_function<void()>;
  using Work = asio::executor_work_guard<asio::io_context::executor_type>;

  void run_inbox() {
    std::vector<Job> jobs;
    {
      const MutexLock lock(mutex);
      jobs.swap(inbox);
    }
    for (Job& job : jobs) job();
  }

  asio::io_context context{1};
  Work work = asio::make_work_guard(context);
  asio::steady_timer timer{context};
  std::atomic<std::thread::id> thread;

  Mutex mutex;
  std::vector<Job> inbox CHRONOS_GUARDED_BY(mutex);
  bool is_closed CHRONOS_GUARDED_BY(mutex) = false;
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
  impl_->thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
  impl_->context.run();
  impl_->thread.store({}, std::memory_order_relaxed);  // the system may give its id to another
}

bool EventLoop::is_current() const {
  return impl_->thread.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void EventLoop::post(std::move_only_function<void()> job) {
  // A job refused is destroyed by the caller's frame: its destructor may post again, and must not
  // find the mutex held.
  const MutexLock lock(impl_->mutex);
  if (impl_->is_closed) return;
  impl_->inbox.push_back(std::move(job));
  // One wake-up for all that is posted until the loop gets round to it.
  if (impl_->inbox.size() == 1)
    asio::post(impl_->context, [impl = impl_.get()] { impl->run_inbox(); });
}

void EventLoop::after(Duration delay, std::move_only_function<void()> job) {
  impl_->timer.expires_after(delay);
  impl_->timer.async_wait([job = std::move(job)](const error_code& ec) mutable {
    if (!ec) job();
  });
}

void EventLoop::close() {
  const MutexLock lock(impl_->mutex);
  if (std::exchange(impl_->is_closed, true)) return;
  asio::post(impl_->context, [impl = impl_.get()] {
    impl->work.reset();
    impl->timer.cancel();
  });
}

struct TlsContext::Impl {
  asio::ssl::context context{asio::ssl::context::tls_server};
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

namespace {

// Offered HTTP/2 first, a client must be told that we speak HTTP/1.1 (RFC 7301).
int select_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int result = SSL_select_next_proto(&found, chosen_size, kHttp11, sizeof kHttp11 - 1,
                                           offered, offered_size);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

std::unexpected<Error> fail_tls(const std::string& pointer, const std::string& file,
                                const error_code& ec) {
  return fail_field(pointer, "unusable_file", "cannot use " + file + ": " + ec.message(),
                    "a PEM file is expected: the certificate chain, or its unencrypted key");
}

}  // namespace

Result<std::unique_ptr<TlsContext>> load_tls(const TlsFiles& files) {
  auto impl = std::make_unique<TlsContext::Impl>();
  asio::ssl::context& context = impl->context;
  SSL_CTX* const native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(native, select_protocol, nullptr);

  error_code ec;
  // Without this OpenSSL would ask on the terminal for the password of an encrypted key.
  context.set_password_callback([](std::size_t, auto) { return std::string(); }, ec);
  context.use_certificate_chain_file(files.cert_file, ec);
  if (ec) return fail_tls("/tls/cert_file", files.cert_file, ec);
  context.use_private_key_file(files.key_file, asio::ssl::context::pem, ec);
  if (ec) return fail_tls("/tls/key_file", files.key_file, ec);
  if (SSL_CTX_check_private_key(native) != 1) {
    return fail_field("/tls/key_file", "key_mismatch",
                      files.key_file + " is not the key of " + files.cert_file);
  }
  return std::make_unique<TlsContext>(std::move(impl));
}

namespace {

auto completing(Transport::Done done) {
  return [done = std::move(done)](const error_code& ec, std::size_t count = 0) mutable {
    done(!ec, count);
  };
}

std::array<asio::const_buffer, 2> buffers(const std::array<std::string_view, 2>& bytes) {
  return {asio::buffer(bytes[0].data(), bytes[0].size()),
          asio::buffer(bytes[1].data(), bytes[1].size())};
}

// `fd` was accepted on one of our listeners; its family only matters to Asio's own queries.
tcp::socket adopt(EventLoop& loop, int fd) {
  tcp::socket socket(loop.impl().context);
  error_code ec;
  socket.assign(tcp::v4(), fd, ec);
  if (ec) ::close(fd);  // every operation on the closed socket then fails, and so ends it
  return socket;
}

bool has_ended(tcp::socket& socket) {
  char byte = 0;
  const auto count = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

class PlainTransport final : public Transport {
 public:
  PlainTransport(EventLoop& loop, int fd) : loop_(loop), socket_(adopt(loop, fd)) {}

  void handshake(Done done) override {
    loop_.post([done = std::move(done)]() mutable { done(true, 0); });
  }
  void read_some(std::span<char> room, Done done) override {
    socket_.async_read_some(asio::buffer(room.data(), room.size()), completing(std::move(done)));
  }
  void write_some(std::array<std::string_view, 2> bytes, Done done) override {
    socket_.async_write_some(buffers(bytes), completing(std::move(done)));
  }
  void shut_down(Done done) override {
    error_code ec;
    socket_.shutdown(tcp::socket::shutdown_send, ec);
    loop_.post([done = std::move(done), is_ok = !ec]() mutable { done(is_ok, 0); });
  }
  void close() override {
    error_code ec;
    socket_.close(ec);
  }
  bool has_peer_closed() override { return has_ended(socket_); }

 private:
  EventLoop& loop_;
  tcp::socket socket_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(EventLoop& loop, int fd, TlsContext& tls)
      : stream_(adopt(loop, fd), tls.impl().context) {}

  void handshake(Done done) override {
    stream_.async_handshake(asio::ssl::stream_base::server, completing(std::move(done)));
  }
  void read_some(std::span<char> room, Done done) override {
    const auto buffer = asio::buffer(room.data(), room.size());
    if (is_shut_down_) {
      stream_.next_layer().async_read_some(buffer, completing(std::move(done)));
    } else {
      stream_.async_read_some(buffer, completing(std::move(done)));
    }
  }
  void write_some(std::array<std::string_view, 2> bytes, Done done) override {
    stream_.async_write_some(buffers(bytes), completing(std::move(done)));
  }
  // The answer of the other end is not waited for beyond what the caller's deadline allows: it
  // close()s. A failure (it was still sending) is no news either.
  void shut_down(Done done) override {
    stream_.async_shutdown([this, done = std::move(done)](const error_code&) mutable {
      is_shut_down_ = true;
      error_code ec;
      stream_.next_layer().shutdown(tcp::socket::shutdown_send, ec);
      done(!ec, 0);
    });
  }
  void close() override {
    error_code ec;
    stream_.next_layer().close(ec);
  }
  bool has_peer_closed() override { return has_ended(stream_.next_layer()); }

 private:
  asio::ssl::stream<tcp::socket> stream_;
  bool is_shut_down_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_transport(EventLoop& loop, int fd, TlsContext* tls) {
  if (tls) return std::make_unique<TlsTransport>(loop, fd, *tls);
  return std::make_unique<PlainTransport>(loop, fd);
}

namespace {

// "127.0.0.1:8086", "[::1]:0"; nothing if it is neither.
std::optional<tcp::endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  const bool is_bracketed = host.starts_with('[') && host.ends_with(']');
  if (is_bracketed) host = host.substr(1, host.size() - 2);

  std::uint16_t port = 0;
  const char* const end = port_text.data() + port_text.size();
  const auto parsed = std::from_chars(port_text.data(), end, port);
  error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  if (ec || parsed.ec != std::errc() || parsed.ptr != end || address.is_v6() != is_bracketed) {
    return std::nullopt;
  }
  return tcp::endpoint(address, port);
}

std::string numeric_address(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  const void* address = nullptr;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (peer.ss_family == AF_INET) {
    std::memcpy(&v4, &peer, sizeof v4);
    address = &v4.sin_addr;
  } else if (peer.ss_family == AF_INET6) {
    std::memcpy(&v6, &peer, sizeof v6);
    address = &v6.sin6_addr;
  }
  if (address) inet_ntop(peer.ss_family, address, text, sizeof text);
  return text;
}

bool is_exhausted(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

struct Listener::Impl {
  explicit Impl(asio::io_context& context) : acceptor(context), timer(context) {}

  void wait() {
    acceptor.async_wait(tcp::acceptor::wait_read, [this](const error_code& ec) {
      if (!ec) accept_some();
    });
  }

  void accept_some() {
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
      sockaddr_storage peer{};
      socklen_t size = sizeof peer;
      const int fd = ::accept4(acceptor.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0 && is_exhausted(errno)) return back_off(errno);
      if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (fd < 0) continue;  // this one connection failed (ECONNABORTED and the like)
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      accept(fd, numeric_address(peer));
    }
    if (acceptor.is_open()) wait();
  }

  // The connection stays in the kernel's queue, so the socket stays readable: without a pause this
  // would spin.
  void back_off(int error) {
    on_failure(std::strerror(error));
    timer.expires_after(backoff);
    timer.async_wait([this](const error_code& ec) {
      if (!ec) accept_some();
    });
  }

  tcp::acceptor acceptor;
  asio::steady_timer timer;
  Duration backoff{0};
  Accept accept;
  std::function<void(std::string)> on_failure;
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::open(EventLoop& loop, const std::string& address) {
  const auto endpoint = parse_endpoint(address);
  if (!endpoint) {
    return fail_field("/listen", "bad_address", "\"" + address + "\" is not an address and port",
                      "write 127.0.0.1:8086 or [::1]:8086");
  }
  auto impl = std::make_unique<Impl>(loop.impl().context);
  tcp::acceptor& acceptor = impl->acceptor;
  error_code ec;
  acceptor.open(endpoint->protocol(), ec);
  if (!ec) ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);  // the commands we run
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec && endpoint->address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), ec);
  if (!ec) acceptor.bind(*endpoint, ec);
  if (!ec) acceptor.listen(SOMAXCONN, ec);
  if (!ec) acceptor.native_non_blocking(true, ec);
  if (ec) return fail(Reason::internal, "cannot listen on " + address + ": " + ec.message());
  return std::make_unique<Listener>(std::move(impl));
}

std::uint16_t Listener::port() const {
  error_code ec;
  return impl_->acceptor.local_endpoint(ec).port();
}

void Listener::start(Duration backoff, Accept accept, std::function<void(std::string)> on_failure) {
  impl_->backoff = backoff;
  impl_->accept = std::move(accept);
  impl_->on_failure = std::move(on_failure);
  impl_->wait();
}

void Listener::close() {
  error_code ec;
  impl_->acceptor.close(ec);
  impl_->timer.cancel();
}

}  // namespace chronos::http
