#include "http/stream_state.h"

#include <utility>

namespace chronos::http {

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::move(other.state_);
  }
  return *this;
}

Stream::~Stream() {
  end();
}

void Stream::end() {
  if (const auto state = std::move(state_)) state->end();
}

bool Stream::send(std::string_view bytes) {
  return state_ && state_->send(bytes);
}

bool Stream::State::send(std::string_view bytes) {
  bool is_too_slow = false;
  {
    const MutexLock lock(mutex_);
    if (is_closed_) return false;
    is_too_slow = queue_.size() + bytes.size() > queue_max_;
    is_closed_ = is_too_slow;
    if (!is_too_slow) queue_.append(bytes);
    if (!is_too_slow && std::exchange(is_woken_, true)) return true;
  }
  const auto connection = connection_.lock();
  if (!connection) return false;
  connection->loop().post([connection, is_too_slow] {
    if (is_too_slow) return connection->close();
    connection->on_stream();
  });
  return !is_too_slow;
}

void Stream::State::end() {
  {
    const MutexLock lock(mutex_);
    is_ended_ = true;
    if (is_closed_ || std::exchange(is_woken_, true)) return;
  }
  if (const auto connection = connection_.lock()) {
    connection->loop().post([connection] { connection->on_stream(); });
  }
}

Stream::State::Taken Stream::State::take() {
  const MutexLock lock(mutex_);
  is_woken_ = false;
  return {std::exchange(queue_, {}), is_ended_};
}

void Stream::State::close() {
  const MutexLock lock(mutex_);
  is_closed_ = true;
}

}  // namespace chronos::http
