// For the tests of the server: a real server on a port of the kernel's choice, and clients that
// send raw bytes. Every wait has a limit, so a broken server fails a test and does not hang it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/mutex.h"
#include "http/server.h"

namespace chronos::http {

// What the tests' gate lets in.
struct Caller {
  std::string name;
};

enum class TestRole { reader, writer };

struct Answered {
  int status = 0;  // 0 = the connection ended first
  std::map<std::string, std::string> headers;
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ =
        ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() {
    if (fd_ >= 0) ::close(fd_);
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        is_connected_(other.is_connected_),
        unread_(std::move(other.unread_)) {}

  bool is_connected() const { return is_connected_; }
  int fd() const { return fd_; }

  // False once the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  std::string line() {
    std::size_t end = 0;
    while ((end = unread_.find("\r\n")) == std::string::npos) {
      if (!receive()) return "";
    }
    const std::string text = unread_.substr(0, end);
    unread_.erase(0, end + 2);
    return text;
  }

  Answered read(bool has_body = true) {
    Answered reply;
    const std::string status = line();
    if (status.size() < 12) return reply;
    for (std::string text = line(); !text.empty(); text = line()) {
      const std::size_t colon = text.find(": ");
      reply.headers[text.substr(0, colon)] = text.substr(colon + 2);
    }
    if (has_body && reply.headers.contains("Content-Length")) {
      const std::size_t size = std::stoul(reply.header("Content-Length"));
      while (unread_.size() < size && receive()) continue;
      reply.body = unread_.substr(0, size);
      unread_.erase(0, size);
    }
    reply.status = std::stoi(status.substr(9, 3));
    return reply;
  }

  Answered ask(std::string_view request) { return send(request) ? read() : Answered(); }

  // Everything up to the server's end of the connection; fails the test if that does not come.
  std::string read_to_end() {
    while (receive()) continue;
    EXPECT_TRUE(is_ended_) << "the server did not close; it sent: " << unread_;
    return std::exchange(unread_, {});
  }

 private:
  bool receive() {
    char buffer[4096];
    const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
    // A reset ends the connection as well.
    is_ended_ = count == 0 || (count < 0 && errno == ECONNRESET);
    if (count <= 0) return false;
    unread_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  bool is_connected_ = false;
  bool is_ended_ = false;
  std::string unread_;
};

inline std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view body,
                        std::string_view headers = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

inline Response text_response(std::string body) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

// Requests a test answers when it likes, from its own thread.
class Held {
 public:
  Handler handler() {
    return [this](Request request, Reply reply) {
      const MutexLock lock(mutex_);
      held_.emplace_back(std::move(request), std::move(reply));
      changed_.notify_all();
    };
  }

  // Waits until `count` requests are held.
  bool wait_for(std::size_t count) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const MutexLock lock(mutex_);
    while (held_.size() < count) {
      if (changed_.wait_until(mutex_, limit) == std::cv_status::timeout) break;
    }
    return held_.size() >= count;
  }

  std::size_t count() {
    const MutexLock lock(mutex_);
    return held_.size();
  }

  std::pair<Request, Reply> take(std::size_t index) {
    const MutexLock lock(mutex_);
    auto taken = std::move(held_.at(index));
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    return taken;
  }

 private:
  Mutex mutex_;
  Condition changed_;
  std::vector<std::pair<Request, Reply>> held_ CHRONOS_GUARDED_BY(mutex_);
};

class ServerTest : public testing::Test {
 protected:
  // Echoes the body, or says which path was asked.
  static void echo(const Request& request, Reply reply) {
    reply(text_response(request.body.empty() ? std::string(request.path()) : request.body));
  }

  ServerTest() {
    options.listen = {"127.0.0.1:0"};
    // Long enough that nothing times out unless a test shortens it.
    options.header_timeout = options.idle_timeout = std::chrono::minutes(10);
    options.body_timeout = options.write_timeout = std::chrono::minutes(10);
    options.linger_timeout = std::chrono::minutes(10);
    // Lets in who says so; "later:" decides on another thread.
    gate.on_head = [](const RequestHead& head, const Route& route, auto decide) {
      if (route.access.is_open()) return decide(Admission(nullptr));
      const auto key = head.headers.find("X-API-Key");
      if (!key && route.access.is_key_in_body()) return decide(NeedsBody());
      decide(admit(key.value_or("")));
    };
    gate.on_body = [](const RequestHead&, const Route&, std::string_view body, auto decide) {
      decide(admit(body.substr(0, body.find(' '))));
    };
  }

  static Admission admit(std::string_view key) {
    if (key.empty()) return fail(Reason::missing_key, "an API key is required");
    if (key == "low") return fail(Reason::role_too_low, "this needs the role writer");
    if (key != "good") return fail(Reason::invalid_key, "no such key");
    return std::make_shared<const Caller>("good");
  }

  void add(Method method, std::string pattern, Handler handler, Access access = Access::open(),
           std::size_t body_max = 0) {
    routes.push_back({method, std::move(pattern), access, std::move(handler), body_max, ""});
  }

  void add_submission(std::string pattern, Handler handler, bool keeps_order = false) {
    add(Method::post, std::move(pattern), std::move(handler), Access::open(), 1'000'000);
    routes.back().is_submission = true;
    routes.back().keeps_order = keeps_order;
  }

  void start() {
    server = std::make_unique<Server>(options, Router(std::move(routes)), gate, clock);
    const auto started = server->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  Client connect() { return Client(server->bound_port()); }

  SystemClock clock;
  ServerOptions options;
  std::vector<Route> routes;
  Gate gate;
  std::unique_ptr<Server> server;
};

}  // namespace chronos::http
