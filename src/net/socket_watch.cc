#include "net/socket_watch.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"

namespace chronos::net {

SocketWatch::SocketWatch() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  CHRONOS_CHECK(epoll_ >= 0);
}

SocketWatch::~SocketWatch() {
  ::close(epoll_);
}

void SocketWatch::want(int socket, std::uint32_t events) {
  const auto found = connections_.find(socket);
  if (found == connections_.end()) return tell(socket, events, false);
  Interest& interest = found->second;
  interest.wanted = events;
  if (events == 0 || events == interest.told) return;
  tell(socket, events, interest.told != 0);
  interest.told = events;
}

void SocketWatch::tell(int socket, std::uint32_t events, bool is_known) const {
  epoll_event event{.events = events, .data = {.fd = socket}};
  if (events == 0) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
  } else if (::epoll_ctl(epoll_, is_known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event) != 0) {
    ::epoll_ctl(epoll_, is_known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
  }
}

// An idle connection that its server closes, say: told once, or the wait would end at once for
// ever.
bool SocketWatch::is_wanted(const epoll_event& event) {
  const auto found = connections_.find(event.data.fd);
  if (found == connections_.end() || found->second.wanted != 0) return true;
  tell(event.data.fd, 0, true);
  found->second.told = 0;
  return false;
}

std::span<const epoll_event> SocketWatch::wait(int milliseconds) {
  const int count =
      ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), milliseconds);
  CHRONOS_CHECK(count >= 0 || errno == EINTR);
  const auto end = events_.begin() + std::max(count, 0);
  const auto last =
      std::remove_if(events_.begin(), end, [&](const auto& event) { return !is_wanted(event); });
  return {events_.begin(), last};
}

}  // namespace chronos::net
