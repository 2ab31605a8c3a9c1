// A server for tests that does what its script says, byte by byte, on 127.0.0.1 and a port of the
// kernel's choice. Each connection runs the script on a thread of its own; the destructor cuts all
// connections and waits for the scripts.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace chronos::testing {

class ScriptedConnection {
 public:
  explicit ScriptedConnection(int descriptor, int number)
      : descriptor_(descriptor), number_(number) {}
  ~ScriptedConnection();
  ScriptedConnection(const ScriptedConnection&) = delete;
  ScriptedConnection& operator=(const ScriptedConnection&) = delete;

  int number() const { return number_; }  // 1, 2, … in the order of arrival
  int descriptor() const { return descriptor_; }

  // A whole HTTP request: head, and a body of Content-Length bytes. Nothing when the peer closed.
  struct Request {
    std::string head;  // up to and without the empty line
    std::string body;
  };
  std::optional<Request> read_request();

  std::optional<std::string> read_line();  // without CR LF
  bool write(std::string_view bytes);      // false when the peer is gone
  void wait_until_closed();                // by the peer or by the server's end
  bool is_closed_within(int milliseconds);
  void reset();  // ends with RST instead of FIN
  void cut();    // from another thread: reads and writes fail from now on

 private:
  bool fill();

  const int descriptor_;
  const int number_;
  std::string unread_;
};

class ScriptedServer {
 public:
  using Script = std::function<void(ScriptedConnection&)>;

  explicit ScriptedServer(Script script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/") const;
  int connection_count() const { return count_; }

 private:
  void accept_all();

  const Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> count_ = 0;
  std::mutex mutex_;
  std::list<ScriptedConnection> connections_;  // guarded by mutex_
  std::list<std::jthread> threads_;            // of the accepting thread
  std::jthread accepting_;
};

// A script that answers every request of a connection with `answer`, which holds the head too.
ScriptedServer::Script answering(std::string answer);

std::string http_answer(std::string_view status, std::string_view body,
                        std::string_view headers = {});

}  // namespace chronos::testing
