#include "net/socket_watch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace chronos::net {
namespace {

// Two ends of a connection: ours, and the one that makes things happen.
class SocketWatchTest : public ::testing::Test {
 protected:
  SocketWatchTest() { connect(); }
  ~SocketWatchTest() override { close_both(); }

  void connect() { ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()), 0); }
  void close_both() {
    for (const int end : ends_) ::close(end);
  }
  int ours() const { return ends_[0]; }
  void peer_writes() { ASSERT_EQ(::write(ends_[1], "x", 1), 1); }
  bool sees_ours() {
    const auto events = watch_.wait(0);
    return events.size() == 1 && events[0].data.fd == ours();
  }
  bool sees_nothing() { return watch_.wait(0).empty(); }

  SocketWatch watch_;
  std::array<int, 2> ends_{};
};

TEST_F(SocketWatchTest, TellsWhatIsWanted) {
  watch_.opened(ours());
  watch_.want(ours(), EPOLLIN);
  EXPECT_TRUE(sees_nothing());
  peer_writes();
  EXPECT_TRUE(sees_ours());
  watch_.want(ours(), EPOLLOUT);
  const auto events = watch_.wait(0);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].events, std::uint32_t{EPOLLOUT});
}

TEST_F(SocketWatchTest, WhatComesWhileNothingIsWantedIsToldWhenItIs) {
  watch_.opened(ours());
  watch_.want(ours(), EPOLLIN);
  watch_.want(ours(), 0);
  peer_writes();
  EXPECT_TRUE(sees_nothing());
  EXPECT_TRUE(sees_nothing());
  watch_.want(ours(), EPOLLIN);
  EXPECT_TRUE(sees_ours());
}

// The kernel forgets a closed socket by itself; the next one often has its number.
TEST_F(SocketWatchTest, AConnectionWithTheNumberOfAClosedOneIsWatched) {
  watch_.opened(ours());
  watch_.want(ours(), EPOLLIN);
  watch_.want(ours(), 0);
  watch_.closed(ours());
  const int before = ours();
  close_both();
  connect();
  ASSERT_EQ(ours(), before);
  watch_.opened(ours());
  watch_.want(ours(), EPOLLIN);
  peer_writes();
  EXPECT_TRUE(sees_ours());
}

TEST_F(SocketWatchTest, ASocketThatWasNotNamedIsForgottenAtOnce) {
  watch_.want(ours(), EPOLLIN);
  watch_.want(ours(), 0);
  const int before = ours();
  close_both();
  connect();
  ASSERT_EQ(ours(), before);
  watch_.want(ours(), EPOLLIN);
  peer_writes();
  EXPECT_TRUE(sees_ours());
}

}  // namespace
}  // namespace chronos::net
