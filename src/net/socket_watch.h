// The sockets that libcurl waits for, in one epoll. libcurl forgets a connection when its answer is
// whole and asks for it again with the next request: what it forgets stays with the kernel until
// something happens there, for telling the kernel twice a call costs a tenth of a call. Private to
// http_client.cc. One thread.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>

namespace chronos::net {

class SocketWatch {
 public:
  SocketWatch();
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  // Connections; a socket that was not named here is never kept with the kernel, as its number may
  // be another's at any time.
  void opened(int socket) { connections_[socket] = {}; }
  void closed(int socket) { connections_.erase(socket); }

  // Events of <sys/epoll.h>; 0: none, from now on.
  void want(int socket, std::uint32_t events);

  // The events that came, of sockets for which some are wanted; until the next call. Negative
  // milliseconds wait without end.
  std::span<const epoll_event> wait(int milliseconds);

 private:
  struct Interest {
    std::uint32_t wanted = 0;
    std::uint32_t told = 0;  // to the kernel
  };
  void tell(int socket, std::uint32_t events, bool is_known) const;
  bool is_wanted(const epoll_event& event);

  const int epoll_;
  std::unordered_map<int, Interest> connections_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace chronos::net
