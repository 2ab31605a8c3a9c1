// Stream::State: what the feeder of a streamed answer and the connection that writes it share: a
// bounded queue of bytes. Thread-safe. Private to the connection.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "http/connection.h"
#include "http/request.h"

namespace chronos::http {

struct Stream::State {
 public:
  State(std::weak_ptr<Connection> connection, std::size_t queue_max)
      : connection_(std::move(connection)), queue_max_(queue_max) {}

  // The feeder's side, any thread.
  bool send(std::string_view bytes);
  void end();

  // The connection's side.
  struct Taken {
    std::string bytes;
    bool is_last = false;
  };
  Taken take();
  void close();

 private:
  Mutex mutex_;
  std::string queue_ CHRONOS_GUARDED_BY(mutex_);
  bool is_ended_ CHRONOS_GUARDED_BY(mutex_) = false;   // by the feeder
  bool is_closed_ CHRONOS_GUARDED_BY(mutex_) = false;  // by the connection, or too slow a client
  bool is_woken_ CHRONOS_GUARDED_BY(mutex_) = false;
  const std::weak_ptr<Connection> connection_;
  const std::size_t queue_max_;
};

}  // namespace chronos::http
