// Stopping, streaming and many connections at once.
#include <sys/resource.h>

#include <thread>

#include "http/server_fixture.h"

namespace chronos::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StopTest : public ServerTest {
 protected:
  StopTest() {
    options.threads = 1;
    add(Method::get, "/a", echo);
    add(Method::get, "/held", held.handler());
    add(Method::post, "/held", held.handler());
  }

  // stop() on its own thread; returns when the connections made so far know that they must end.
  std::jthread stop_in_background(Duration drain) {
    Client last = connect();  // one thread drains them in the order they came
    EXPECT_EQ(last.ask(get("/a")).status, 200);
    std::jthread stopping([this, drain] { server->stop(drain); });
    EXPECT_EQ(last.read_to_end(), "");
    return stopping;
  }

  Held held;
};

TEST_F(StopTest, RequestsInFlightAreAnsweredAndTheirConnectionsClosed) {
  start();
  Client client = connect();
  client.send(get("/held") + get("/held"));
  ASSERT_TRUE(held.wait_for(2));
  auto [request, reply] = held.take(0);
  {
    const std::jthread stopping = stop_in_background(seconds(20));
    reply(text_response("first"));
    held.take(0).second(text_response("second"));
  }
  const Answered first = client.read();
  EXPECT_EQ(first.body, "first");
  EXPECT_EQ(first.header("Connection"), "");
  const Answered second = client.read();
  EXPECT_EQ(second.body, "second");
  EXPECT_EQ(second.header("Connection"), "close");
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(StopTest, IdleConnectionsEndAtOnce) {
  start();
  Client idle = connect();
  EXPECT_EQ(idle.ask(get("/a")).status, 200);
  Client fresh = connect();
  while (server->connection_count() < 2) std::this_thread::sleep_for(milliseconds(1));
  server->stop(std::chrono::hours(1));
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(fresh.read_to_end(), "");
}

TEST_F(StopTest, ABodyHalfwayMayStillArrive) {
  start();
  Client client = connect();
  client.send(
      "POST /held HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.line(), "HTTP/1.1 100 Continue");
  EXPECT_EQ(client.line(), "");
  const std::jthread stopping = stop_in_background(seconds(20));
  client.send("body");
  ASSERT_TRUE(held.wait_for(1));
  auto [request, reply] = held.take(0);
  EXPECT_EQ(request.body, "body");
  reply(text_response("done"));
  const Answered answered = client.read();
  EXPECT_EQ(answered.body, "done");
  EXPECT_EQ(answered.header("Connection"), "close");
}

TEST_F(StopTest, HandlersLearnThatTheServerDrains) {
  start();
  Client client = connect();
  client.send(get("/held"));
  ASSERT_TRUE(held.wait_for(1));
  auto pending = held.take(0);
  const std::stop_callback callback(pending.first.gone,
                                    [&] { pending.second(text_response("drained")); });
  server->stop(seconds(20));
  EXPECT_EQ(client.read().body, "drained");
}

TEST_F(StopTest, TheLimitCutsOffAndLateRepliesDoNothing) {
  start();
  Client client = connect();
  client.send(get("/held") + get("/held"));
  ASSERT_TRUE(held.wait_for(2));
  auto late = held.take(0);
  server->stop(milliseconds(10));
  EXPECT_EQ(client.read_to_end(), "");
  late.second(text_response("too late"));
  server.reset();
  held.take(0).second(text_response("later than that"));
}

TEST_F(StopTest, StoppingTwiceOrWithoutAStartIsFine) {
  start();
  server->stop(seconds(1));
  server->stop(seconds(1));
  const Server never_started(options, Router({}), gate, clock);
}

class StreamTest : public ServerTest {
 protected:
  StreamTest() {
    add(Method::get, "/stream", [this](const Request&, Reply reply) {
      Response response = text_response("begin,");
      response.stream = [this](Stream stream) { opened.set_value(std::move(stream)); };
      reply(std::move(response));
    });
    add(Method::get, "/a", echo);
  }

  Stream open() { return opened.get_future().get(); }

  std::promise<Stream> opened;
};

TEST_F(StreamTest, ChunksGoOutAsTheyAreSent) {
  start();
  Client client = connect();
  client.send(get("/stream") + get("/a"));
  const Answered head = client.read();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Transfer-Encoding"), "chunked");
  EXPECT_FALSE(head.headers.contains("Content-Length"));
  EXPECT_EQ(client.line(), "6");
  EXPECT_EQ(client.line(), "begin,");
  {
    Stream stream = open();
    EXPECT_TRUE(stream.send("hello"));
    EXPECT_EQ(client.line(), "5");
    EXPECT_EQ(client.line(), "hello");
    EXPECT_TRUE(stream.send(""));
    EXPECT_TRUE(stream.send("0123456789"));
    EXPECT_EQ(client.line(), "a");
    EXPECT_EQ(client.line(), "0123456789");
  }
  EXPECT_EQ(client.line(), "0");
  EXPECT_EQ(client.line(), "");
  EXPECT_EQ(client.read().body, "/a");  // the next request waited
}

TEST_F(StreamTest, Http10EndsAStreamWithTheConnection) {
  start();
  Client client = connect();
  client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  open().send("all");
  const std::string seen = client.read_to_end();
  EXPECT_EQ(seen.find("Transfer-Encoding"), std::string::npos);
  EXPECT_NE(seen.find("Connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(seen.ends_with("\r\n\r\nbegin,all")) << seen;
}

TEST_F(StreamTest, HeadOpensNoStream) {
  start();
  Client client = connect();
  client.send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read(false).status, 200);
  EXPECT_EQ(client.ask(get("/a")).status, 200);
}

TEST_F(StreamTest, TheFeederLearnsThatTheClientHungUp) {
  start();
  std::optional<Stream> stream;
  {
    Client client = connect();
    client.send(get("/stream"));
    stream = open();
  }
  while (stream->send("anybody there?")) std::this_thread::sleep_for(milliseconds(1));
}

TEST_F(StreamTest, AClientThatReadsTooSlowlyIsCutOff) {
  options.stream_queue_max = 100'000;
  start();
  Client client = connect();
  client.send(get("/stream"));
  Stream stream = open();
  const std::string block(10'000, 'x');
  std::size_t sent = 0;
  while (stream.send(block)) sent += block.size();  // ends although nobody reads
  EXPECT_GE(sent, options.stream_queue_max);
  client.read_to_end();
}

TEST_F(StreamTest, StoppingCutsAnOpenStream) {
  start();
  Client client = connect();
  client.send(get("/stream"));
  Stream stream = open();
  server->stop(milliseconds(10));
  EXPECT_FALSE(stream.send("late"));
  server.reset();
  EXPECT_FALSE(stream.send("later"));
}

TEST_F(ServerTest, TwoThousandConnectionsAreKeptAndServed) {
  constexpr std::size_t kCount = 2'000;
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_GT(files.rlim_cur, 2 * kCount + 100);  // both ends are ours
  add(Method::get, "/n/:n", echo);
  start();
  std::vector<Client> clients;
  for (std::size_t i = 0; i < kCount; ++i) clients.push_back(connect());
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < kCount; ++i) clients[i].send(get("/n/" + std::to_string(i)));
    for (std::size_t i = 0; i < kCount; ++i) {
      ASSERT_EQ(clients[i].read().body, "/n/" + std::to_string(i));
    }
  }
  EXPECT_EQ(server->connection_count(), kCount);
}

TEST_F(ServerTest, WithoutDescriptorsItPausesAndRecovers) {
  options.accept_backoff = milliseconds(20);
  add(Method::get, "/a", echo);
  start();
  Client client = connect();
  ASSERT_EQ(client.ask(get("/a")).status, 200);
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  std::vector<int> hoard;  // every descriptor there is, but one for the next client
  rlimit tight = files;
  tight.rlim_cur = 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  for (int fd = ::dup(client.fd()); fd >= 0; fd = ::dup(client.fd())) hoard.push_back(fd);
  ASSERT_FALSE(hoard.empty());
  ::close(hoard.back());
  hoard.pop_back();
  const auto before = std::chrono::steady_clock::now();
  Client next = connect();
  next.send(get("/a"));
  while (server->accept_failure_count() < 3) std::this_thread::sleep_for(milliseconds(1));
  const auto passed = std::chrono::steady_clock::now() - before;
  EXPECT_LE(server->accept_failure_count(),
            static_cast<std::uint64_t>(passed / options.accept_backoff) + 1)
      << "it spins";
  EXPECT_EQ(client.ask(get("/a")).status, 200) << "who is in goes on";
  for (const int fd : hoard) ::close(fd);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_EQ(next.read().status, 200);
}

}  // namespace
}  // namespace chronos::http
