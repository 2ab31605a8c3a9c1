// What a server must withstand (promises D3): limits that hold while reading, clients that take
// their time, requests that mean two things.
#include <poll.h>

#include <atomic>

#include "http/server_fixture.h"

namespace chronos::http {
namespace {

using std::chrono::milliseconds;

class LimitsTest : public ServerTest {
 protected:
  LimitsTest() {
    add(Method::get, "/a", echo);
    add(Method::post, "/a", echo);
    add(Method::post, "/batch", echo, Access::open(), 100'000);
  }

  // A server with an intake that is full as long as `held` holds, and who waits for the answer.
  Client start_full(Held& held) {
    options.intake_max = 1000;
    add_submission("/submit", held.handler());
    start();
    Client first = connect();
    first.send(post("/submit", std::string(2000, 'x')));
    EXPECT_TRUE(held.wait_for(1));
    return first;
  }

  // The status of the only answer, after which the server closes.
  int status_and_end(std::string_view bytes) {
    Client client = connect();
    client.send(bytes);
    client.finish_sending();
    const std::string seen = client.read_to_end();
    EXPECT_NE(seen.find("\r\nConnection: close\r\n"), std::string::npos) << seen;
    return seen.size() > 12 ? std::stoi(seen.substr(9, 3)) : 0;
  }
};

TEST_F(LimitsTest, HeadersTooLargeAreRefusedWhileReading) {
  start();
  Client client = connect();
  client.send("GET /a HTTP/1.1\r\nHost: h\r\nX: " + std::string(options.header_bytes_max, 'x'));
  EXPECT_EQ(client.read().status, 431);  // no end of line has come, nor the end of the headers
  EXPECT_EQ(status_and_end(get("/a", "X: " + std::string(options.header_bytes_max, 'x') + "\r\n")),
            431);
  std::string many;
  for (std::size_t i = 0; i < options.header_count_max; ++i) many += "X: y\r\n";
  EXPECT_EQ(status_and_end(get("/a", many)), 431);
}

TEST_F(LimitsTest, TargetsTooLongAreRefusedWhileReading) {
  start();
  Client client = connect();
  client.send("GET /" + std::string(options.target_bytes_max + 100, 'x'));
  EXPECT_EQ(client.read().status, 414);
  EXPECT_EQ(status_and_end(get("/" + std::string(options.target_bytes_max, 'x'))), 414);
}

TEST_F(LimitsTest, BodiesTooLargeAreRefusedAtTheirAnnouncement) {
  options.body_max = 1000;
  start();
  Client client = connect();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(client.read().status, 413);
  Client huge = connect();
  huge.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999999999\r\n\r\nxyz");
  EXPECT_EQ(huge.read().status, 413);
  EXPECT_EQ(connect().ask(post("/a", std::string(1000, 'x'))).body.size(), 1000U);
}

TEST_F(LimitsTest, ChunkedBodiesAreRefusedWhenTheyPassTheLimit) {
  options.body_max = 1000;
  start();
  const std::string head = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  Client announced = connect();
  announced.send(head + "3e9\r\n");
  EXPECT_EQ(announced.read().status, 413);
  Client added_up = connect();
  for (int i = 0; i < 12; ++i)
    added_up.send((i == 0 ? head : "") + "64\r\n" + std::string(100, 'x') + "\r\n");
  EXPECT_EQ(added_up.read().status, 413);
  Client client = connect();
  EXPECT_EQ(client.ask(head + "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n").body.size(),
            1000U);
  EXPECT_EQ(client.ask(get("/a")).status, 200);
}

TEST_F(LimitsTest, RoutesMayTakeLargerBodies) {
  options.body_max = 1000;
  start();
  EXPECT_EQ(connect().ask(post("/batch", std::string(100'000, 'x'))).body.size(), 100'000U);
  EXPECT_EQ(connect().ask(post("/batch", std::string(100'001, 'x'))).status, 413);
}

TEST_F(LimitsTest, BodiesThatArriveAtOnceShareABound) {
  options.body_memory_max = 50'000;
  start();
  EXPECT_EQ(connect().ask(post("/batch", std::string(60'000, 'x'))).status, 503);
  const std::string part =
      "POST /batch HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n" + std::string(30'000, 'x');
  {
    Client first = connect();
    Client second = connect();
    first.send(part);
    second.send(part);
    // Neither body is complete and both together are too much: one of the two is turned away.
    pollfd ends[] = {{first.fd(), POLLIN, 0}, {second.fd(), POLLIN, 0}};
    ASSERT_GT(::poll(ends, 2, 20'000), 0);
    EXPECT_EQ((ends[0].revents != 0 ? first : second).read().status, 503);
  }
  while (server->connection_count() > 0) std::this_thread::sleep_for(milliseconds(1));
  for (int i = 0; i < 3; ++i) {  // what was held is free again
    EXPECT_EQ(connect().ask(post("/batch", std::string(40'000, 'x'))).status, 200);
  }
}

TEST_F(LimitsTest, SubmissionsThatWaitToBeStoredShareABound) {
  options.intake_max = 50'000;
  Held held;
  add_submission("/submit", held.handler());
  start();
  Client first = connect();
  first.send(post("/submit", std::string(60'000, 'x')));  // longer than all, and still let in
  ASSERT_TRUE(held.wait_for(1));

  Client second = connect();
  const auto refused = second.ask(post("/submit", std::string(600, 'x')));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("Retry-After"), "1");
  EXPECT_NE(refused.header("Connection"), "close");
  EXPECT_EQ(second.ask(get("/a")).status, 200);  // and so is what submits nothing
  EXPECT_EQ(second.ask(post("/a", "x")).status, 200);

  held.take(0).second(text_response("stored"));
  EXPECT_EQ(first.read().status, 200);
  second.send(post("/submit", "again"));
  ASSERT_TRUE(held.wait_for(1));
  held.take(0).second(text_response("stored"));
  EXPECT_EQ(second.read().status, 200);
}

TEST_F(LimitsTest, SubmissionsOfOneClientShareTheBoundToo) {
  options.intake_max = 1000;
  Held held;
  add_submission("/submit", held.handler(), true);
  start();
  Client client = connect();
  const std::string submit = post("/submit", std::string(600, 'x'));
  client.send(submit + submit + submit);
  ASSERT_TRUE(held.wait_for(2));  // the first lets the second in, and those leave no room
  held.take(1).second(text_response("second"));
  held.take(0).second(text_response("first"));
  EXPECT_EQ(client.read().body, "first");
  EXPECT_EQ(client.read().body, "second");
  EXPECT_EQ(client.read().status, 503);
  client.send(submit);  // both places are free again
  ASSERT_TRUE(held.wait_for(1));
  held.take(0).second(text_response("stored"));
  EXPECT_EQ(client.read().status, 200);
}

TEST_F(LimitsTest, ASubmissionKeepsItsPlaceWhenItsClientHangsUp) {
  add_submission("/quick", echo);
  Held held;
  {
    const Client gone = start_full(held);
  }
  EXPECT_EQ(connect().ask(post("/submit", "x")).status, 503);
  held.take(0).second(text_response("stored"));
  Client client = connect();
  while (client.ask(post("/quick", "x")).status == 503) continue;  // until that has come home
}

TEST_F(LimitsTest, AFullIntakeRefusesBeforeTheBody) {
  Held held;
  const Client first = start_full(held);
  Client asks = connect();
  EXPECT_EQ(asks.ask("POST /submit HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n"
                     "Expect: 100-continue\r\n\r\n")
                .status,
            503);
}

TEST_F(LimitsTest, ACrowdIsRefusedBeforeItsBodies) {
  options.intake_max = 1000;
  add_submission("/submit", echo);
  start();
  const std::string head = "POST /submit HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n";
  // What is on its way counts for a moment only: on a busy machine the second may come after it.
  bool is_refused = false;
  for (int i = 0; i < 20 && !is_refused; ++i) {
    Client first = connect();
    Client second = connect();
    first.send(head);
    second.send(head);
    pollfd ends[] = {{first.fd(), POLLIN, 0}, {second.fd(), POLLIN, 0}};
    is_refused = ::poll(ends, 2, 1000) > 0;
    if (!is_refused) continue;
    EXPECT_EQ((ends[0].revents != 0 ? first : second).read().status, 503);
  }
  EXPECT_TRUE(is_refused);
}

TEST_F(LimitsTest, WhatFollowsARefusedBodyIsRead) {
  Held held;
  const Client first = start_full(held);
  Client second = connect();
  const std::string refused = post("/submit", std::string(options.discard_max, 'x'));
  for (const std::size_t part : {100uz, 10'000uz, refused.size()}) {
    second.send(refused.substr(0, part));
    second.send(refused.substr(part) + post("/a", "next"));
    EXPECT_EQ(second.read().status, 503);
    EXPECT_EQ(second.read().body, "next");
  }
}

TEST_F(LimitsTest, NobodyHoldsAPlaceByBeingSlow) {
  options.intake_max = 1000;
  add_submission("/submit", echo);
  start();
  Client slow = connect();
  slow.send("POST /submit HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\n\r\nxyz");
  Client quick = connect();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(quick.ask(post("/submit", "x")).status, 200);
}

TEST_F(LimitsTest, RequestsThatMeanTwoThingsEndTheConnection) {
  start();
  const std::string next = get("/a");  // what a smuggler would hide
  for (const std::string& request :
       {std::string("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        std::string(
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"),
        std::string("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        std::string("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x\r\n\r\n"),
        std::string("GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"),
        std::string("GET /a HTTP/1.1\nHost: h\n\n"), std::string("GET /a\r\n\r\n"),
        std::string("G@T /a HTTP/1.1\r\nHost: h\r\n\r\n"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), std::string("\x16\x03\x01\x00\xa5")}) {
    EXPECT_EQ(status_and_end(request + next), 400) << request;
  }
}

TEST_F(LimitsTest, AnswersDueComeBeforeTheRefusal) {
  start();
  Client client = connect();
  client.send(get("/a") + post("/a", "body") + "rubbish\r\n");
  EXPECT_EQ(client.read().body, "/a");
  EXPECT_EQ(client.read().body, "body");
  EXPECT_EQ(client.read().status, 400);
}

TEST_F(LimitsTest, TheRefusalSurvivesAClientThatGoesOnSending) {
  start();
  Client client = connect();
  const std::string block(100'000, 'x');
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 90000000\r\n\r\n");
  for (int i = 0; i < 5; ++i) client.send(block);
  EXPECT_EQ(client.read().status, 413);
  for (int i = 0; i < 100 && client.send(block); ++i) continue;
  client.finish_sending();
  client.read_to_end();  // and it does not read for ever
}

TEST_F(LimitsTest, SlowHeadersAreCutOff) {
  options.header_timeout = milliseconds(50);
  options.linger_timeout = milliseconds(50);
  start();
  Client silent = connect();
  EXPECT_EQ(silent.read_to_end(), "");
  Client slow = connect();
  slow.send("GET /a HT");
  EXPECT_NE(slow.read_to_end().find("HTTP/1.1 408 "), std::string::npos);
  Client dribbling = connect();  // the time is for all headers, not for each byte
  dribbling.send("GET /a HTTP/1.1\r\nX: ");
  while (dribbling.send("x")) std::this_thread::sleep_for(milliseconds(1));
}

TEST_F(LimitsTest, SlowHeadersOfALaterRequestAreCutOff) {
  options.header_timeout = milliseconds(50);
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(get("/a")).status, 200);
  client.send("GET /a HT");
  EXPECT_NE(client.read_to_end().find("HTTP/1.1 408 "), std::string::npos);
}

TEST_F(LimitsTest, IdleConnectionsAreClosed) {
  options.idle_timeout = milliseconds(50);
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(get("/a")).status, 200);
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(LimitsTest, AWaitingRequestIsNotIdle) {
  options.idle_timeout = options.header_timeout = milliseconds(20);
  Held held;
  add(Method::get, "/held", held.handler());
  start();
  Client client = connect();
  client.send(get("/held"));
  ASSERT_TRUE(held.wait_for(1));
  EXPECT_EQ(connect().read_to_end(), "");  // a whole timeout passes
  EXPECT_EQ(connect().read_to_end(), "");
  held.take(0).second(text_response("at last"));
  EXPECT_EQ(client.read().body, "at last");
}

TEST_F(LimitsTest, SlowBodiesAreCutOff) {
  options.body_timeout = milliseconds(50);
  options.linger_timeout = milliseconds(50);
  start();
  Client client = connect();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nxyz");
  EXPECT_NE(client.read_to_end().find("HTTP/1.1 408 "), std::string::npos);
  Client dribbling = connect();
  dribbling.send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  while (dribbling.send("1\r\nx\r\n")) std::this_thread::sleep_for(milliseconds(1));
}

TEST_F(LimitsTest, ClientsThatDoNotReadAreCutOff) {
  options.write_timeout = milliseconds(50);
  options.rate_min = 1024 * 1024 * 1024;
  const std::string large(32U << 20, 'x');
  std::atomic<bool> is_asked = false;
  add(Method::get, "/large", [&](const Request&, Reply reply) {
    is_asked = true;
    is_asked.notify_one();
    reply(text_response(large));
  });
  start();
  Client client = connect();
  client.send(get("/large"));
  is_asked.wait(false);  // before, there may be no connection yet
  while (server->connection_count() > 0) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_LT(client.read_to_end().size(), large.size());
}

TEST_F(LimitsTest, AClientThatWillNotHangUpIsHungUpOn) {
  options.linger_timeout = milliseconds(50);
  start();
  Client client = connect();
  client.send("rubbish\r\n");
  EXPECT_EQ(client.read().status, 400);
  while (server->connection_count() > 0) std::this_thread::sleep_for(milliseconds(1));
}

TEST_F(LimitsTest, OneConnectionTooManyIsToldSo) {
  options.connections_max = 2;
  start();
  Client first = connect();
  EXPECT_EQ(first.ask(get("/a")).status, 200);
  {
    Client second = connect();
    EXPECT_EQ(second.ask(get("/a")).status, 200);
    Client third = connect();
    const Answered refused = third.read();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("Retry-After"), "1");
    EXPECT_EQ(third.read_to_end(), "");
  }
  while (server->connection_count() > 1) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(connect().ask(get("/a")).status, 200);
}

}  // namespace
}  // namespace chronos::http
