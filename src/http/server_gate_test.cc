// The gate: nobody's body is looked at before the headers were found good enough (product.md §3a).
#include <thread>

#include "http/server_fixture.h"

namespace chronos::http {
namespace {

constexpr Access kWriter = Access::role(TestRole::writer);

class GateTest : public ServerTest {
 protected:
  GateTest() {
    add(Method::post, "/jobs", tell_caller, kWriter);
    add(Method::get, "/jobs", tell_caller, kWriter);
    add(Method::post, "/submit", tell_caller, kWriter.or_key_in_body());
    add(Method::post, "/typed", tell_caller, kWriter);
    routes.back().media_type = "application/json";
  }

  static void tell_caller(const Request& request, Reply reply) {
    reply(text_response((request.caller ? request.caller->name : "nobody") + ":" + request.body));
  }
};

TEST_F(GateTest, LetsInAndHandsTheCallerOn) {
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(post("/jobs", "x", "X-API-Key: good\r\n")).body, "good:x");
  EXPECT_EQ(client.ask(get("/jobs", "X-API-Key: good\r\n")).body, "good:");
}

TEST_F(GateTest, RefusesWithTheStatusOfTheReason) {
  start();
  Client client = connect();
  const Answered missing = client.ask(get("/jobs"));
  EXPECT_EQ(missing.status, 401);
  EXPECT_EQ(missing.header("WWW-Authenticate"), "Bearer realm=\"chronos\"");
  EXPECT_EQ(client.ask(get("/jobs", "X-API-Key: bad\r\n")).status, 401);
  EXPECT_EQ(client.ask(get("/jobs", "X-API-Key: low\r\n")).status, 403);
  EXPECT_EQ(client.ask(get("/jobs", "X-API-Key: good\r\n")).status, 200);
}

TEST_F(GateTest, RefusesBeforeTheBodyHasCome) {
  start();
  Client client = connect();
  client.send("POST /jobs HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
  EXPECT_EQ(client.read().status, 401);
  // What comes of a small body is thrown away, and the connection stays.
  client.send("0123456789" + get("/jobs", "X-API-Key: good\r\n"));
  EXPECT_EQ(client.read().body, "good:");
}

TEST_F(GateTest, ALargeUnwantedBodyEndsTheConnection) {
  start();
  Client client = connect();
  client.send("POST /jobs HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n0123");
  const Answered reply = client.read();
  EXPECT_EQ(reply.status, 401);
  EXPECT_EQ(reply.header("Connection"), "close");
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(GateTest, AnUnwantedChunkedBodyIsReadOnlySoFar) {
  options.discard_max = 100;
  start();
  Client client = connect();
  const std::string head = "POST /jobs HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  client.send(head + "3\r\nabc\r\n0\r\n\r\n" + get("/jobs", "X-API-Key: good\r\n"));
  EXPECT_EQ(client.read().status, 401);
  EXPECT_EQ(client.read().status, 200);
  client.send(head + "65\r\n" + std::string(0x65, 'x') + "\r\n0\r\n\r\n" + get("/jobs"));
  EXPECT_EQ(client.read().status, 401);
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), "");
}

TEST_F(GateTest, RefusalBeatsEveryFaultOfTheRequest) {
  options.body_max = 10;
  start();
  for (const std::string& request :
       {get("/jobs?a=%zz"), post("/jobs", "longer than ten bytes"),
        post("/typed", "x", "Content-Type: text/xml\r\n"), post("/typed", "{not json")}) {
    Client client = connect();
    EXPECT_EQ(client.ask(request).status, 401) << request;
  }
  const std::string key = "X-API-Key: good\r\n";
  EXPECT_EQ(connect().ask(get("/jobs?a=%zz", key)).status, 400);
  EXPECT_EQ(connect().ask(post("/jobs", "longer than ten bytes", key)).status, 413);
  EXPECT_EQ(connect().ask(post("/typed", "x", key + "Content-Type: text/xml\r\n")).status, 415);
}

TEST_F(GateTest, TheContentTypeMustFitIfItIsSaid) {
  start();
  Client client = connect();
  const auto status_of_type = [&](const std::string& type) {
    return client.ask(post("/typed", "{}", "X-API-Key: good\r\n" + type)).status;
  };
  EXPECT_EQ(status_of_type(""), 200);
  EXPECT_EQ(status_of_type("Content-Type: application/json\r\n"), 200);
  EXPECT_EQ(status_of_type("content-type: Application/JSON ; charset=utf-8\r\n"), 200);
  EXPECT_EQ(status_of_type("Content-Type: application/jsonp\r\n"), 415);
  EXPECT_EQ(status_of_type("Content-Type: application/x-www-form-urlencoded\r\n"), 415);
  EXPECT_EQ(status_of_type("Content-Type: \r\n"), 415);
}

TEST_F(GateTest, TheBodyMayHoldTheKeyWhereTheRouteSaysSo) {
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(post("/submit", "good job")).body, "good:good job");
  EXPECT_EQ(client.ask(post("/submit", "bad job")).status, 401);
  EXPECT_EQ(client.ask(post("/submit", "low job")).status, 403);
  EXPECT_EQ(client.ask(post("/submit", "job", "X-API-Key: good\r\n")).body, "good:job");
  EXPECT_EQ(client.ask(post("/jobs", "good job")).status, 401);
}

TEST_F(GateTest, AGateThatWantsAForbiddenBodyIsAnError) {
  gate.on_head = [](const RequestHead&, const Route&, auto decide) { decide(NeedsBody()); };
  start();
  EXPECT_EQ(connect().ask(post("/jobs", "good job")).status, 500);
  EXPECT_EQ(connect().ask(post("/submit", "good job")).status, 200);
}

TEST_F(GateTest, MayDecideLaterOnAnotherThread) {
  std::vector<std::jthread> threads;
  Mutex mutex;
  const auto later = [&](auto decide, auto verdict) {
    const MutexLock lock(mutex);
    threads.emplace_back([decide = std::move(decide), verdict = std::move(verdict)]() mutable {
      decide(std::move(verdict));
    });
  };
  gate.on_head = [&](const RequestHead& head, const Route& route, auto decide) {
    const auto key = head.headers.find("X-API-Key");
    if (!key && route.access.is_key_in_body()) return later(std::move(decide), NeedsBody());
    later(std::move(decide), admit(key.value_or("")));
  };
  gate.on_body = [&](const RequestHead&, const Route&, std::string_view body, auto decide) {
    later(std::move(decide), admit(body.substr(0, 4)));
  };
  start();
  Client client = connect();
  client.send(get("/jobs", "X-API-Key: good\r\n") + get("/jobs") + post("/submit", "good job") +
              post("/submit", "evil job"));
  EXPECT_EQ(client.read().body, "good:");
  EXPECT_EQ(client.read().status, 401);
  EXPECT_EQ(client.read().body, "good:good job");
  EXPECT_EQ(client.read().status, 401);
}

TEST_F(GateTest, AnUndecidedGateIsAnError) {
  gate.on_head = [](const RequestHead&, const Route& route, auto decide) {
    if (route.access.is_key_in_body()) decide(NeedsBody());
  };
  gate.on_body = [](const RequestHead&, const Route&, std::string_view, const auto&) {};
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(get("/jobs")).status, 500);
  EXPECT_EQ(client.ask(post("/submit", "good job")).status, 500);
}

TEST_F(GateTest, ContinueIsSaidToThoseLetIn) {
  start();
  Client client = connect();
  const std::string expect = "Expect: 100-continue\r\nContent-Length: 3\r\n";
  client.send("POST /jobs HTTP/1.1\r\nHost: h\r\nX-API-Key: good\r\n" + expect + "\r\n");
  EXPECT_EQ(client.line(), "HTTP/1.1 100 Continue");
  EXPECT_EQ(client.line(), "");
  client.send("abc");
  EXPECT_EQ(client.read().body, "good:abc");

  client.send("POST /jobs HTTP/1.1\r\nHost: h\r\n" + expect + "\r\n");
  const Answered refused = client.read();
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.header("Connection"), "close");
  client.finish_sending();
  EXPECT_EQ(client.read_to_end(), "");
}

}  // namespace
}  // namespace chronos::http
