#include "http/server.h"

#include <new>
#include <thread>

#include "base/json.h"
#include "base/memory.h"
#include "http/server_fixture.h"

namespace chronos::http {
namespace {

TEST_F(ServerTest, AnswersWithTheHeadersEveryAnswerHas) {
  add(Method::get, "/a", echo);
  start();
  Client client = connect();
  const Answered reply = client.ask(get("/a"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "/a");
  EXPECT_EQ(reply.header("Content-Type"), "text/plain");
  EXPECT_EQ(reply.header("Content-Length"), "2");
  EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(reply.header("Cache-Control"), "no-store");
  EXPECT_EQ(reply.header("Date").size(), 29U);
  EXPECT_EQ(reply.header("Connection"), "");
}

TEST_F(ServerTest, KeepsTheConnection) {
  add(Method::get, "/a", echo);
  add(Method::post, "/b", echo);
  start();
  Client client = connect();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.ask(get("/a")).body, "/a");
    EXPECT_EQ(client.ask(post("/b", "body " + std::to_string(i))).body,
              "body " + std::to_string(i));
  }
}

TEST_F(ServerTest, ClosesWhenAskedTo) {
  add(Method::get, "/a", echo);
  start();
  Client client = connect();
  client.send(get("/a", "Connection: close\r\n") + get("/a"));
  const std::string seen = client.read_to_end();
  EXPECT_NE(seen.find("\r\nConnection: close\r\n"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("HTTP/1.1", 1), std::string::npos) << "the second was answered too";
}

TEST_F(ServerTest, SpeaksHttp10) {
  add(Method::get, "/a", echo);
  start();
  Client once = connect();
  once.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_NE(once.read_to_end().find("Connection: close"), std::string::npos);
  Client kept = connect();
  const std::string request = "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(kept.ask(request).header("Connection"), "keep-alive");
  EXPECT_EQ(kept.ask(request).status, 200);
}

TEST_F(ServerTest, HandlersSeeWhatWasAsked) {
  Held held;
  add(Method::put, "/jobs/:job_id/x/:what", held.handler());
  start();
  Client client = connect();
  client.send(
      "PUT /jobs/j%201/x/y?b=1&a=%32 HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nContent-Length: "
      "2\r\n\r\n{}");
  ASSERT_TRUE(held.wait_for(1));
  auto [request, reply] = held.take(0);
  EXPECT_EQ(request.method, Method::put);
  EXPECT_EQ(request.path(), "/jobs/j%201/x/y");
  EXPECT_EQ(find_param(request.path_params, "job_id"), "j 1");
  EXPECT_EQ(find_param(request.path_params, "what"), "y");
  EXPECT_EQ(find_param(request.query, "a"), "2");
  EXPECT_EQ(request.headers.find("x-one"), "1");
  EXPECT_EQ(request.body, "{}");
  EXPECT_EQ(request.peer, "127.0.0.1");
  EXPECT_FALSE(request.is_tls);
  EXPECT_FALSE(request.gone.stop_requested());
  reply(text_response("done"));
  EXPECT_EQ(client.read().body, "done");
}

TEST_F(ServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  add(Method::get, "/a", echo);
  start();
  Client client = connect();
  client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answered head = client.read(false);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.header("Content-Length"), "2");
  EXPECT_EQ(client.ask(get("/a")).body, "/a");
}

TEST_F(ServerTest, RefusalsOfTheRouterAreProblems) {
  add(Method::get, "/a", echo);
  add(Method::delete_, "/a", echo);
  start();
  Client client = connect();
  const Answered unknown = client.ask(get("/A?api_key=secret"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.header("Content-Type"), "application/problem+json");
  EXPECT_EQ(json::parse(unknown.body)->root().find("instance")->string, "/A");
  EXPECT_EQ(unknown.body.find("secret"), std::string::npos);
  const Answered wrong = client.ask(post("/a", "x", "X-HTTP-Method-Override: GET\r\n"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("Allow"), "GET, HEAD, DELETE");
  EXPECT_EQ(client.ask("OPTIONS /a HTTP/1.1\r\nHost: h\r\n\r\n").status, 405);
  EXPECT_EQ(client.ask("BREW /a HTTP/1.1\r\nHost: h\r\n\r\n").status, 405);
  EXPECT_EQ(client.ask(get("/a")).status, 200);
}

TEST_F(ServerTest, AnswersFromOtherThreads) {
  std::vector<std::jthread> threads;
  Mutex mutex;
  add(Method::get, "/later/:n", [&](Request request, Reply reply) {
    const MutexLock lock(mutex);
    threads.emplace_back([request = std::move(request), reply = std::move(reply)]() mutable {
      reply(text_response(std::string(request.path())));
    });
  });
  start();
  Client client = connect();
  for (int i = 0; i < 50; ++i) {
    const std::string path = "/later/" + std::to_string(i);
    EXPECT_EQ(client.ask(get(path)).body, path);
  }
}

TEST_F(ServerTest, PipelinedAnswersKeepTheOrderOfTheRequests) {
  Held held;
  add(Method::get, "/held/:n", held.handler());
  start();
  Client client = connect();
  client.send(get("/held/0") + get("/held/1") + get("/held/2") + get("/held/3"));
  ASSERT_TRUE(held.wait_for(4));
  for (const std::size_t index : {3U, 1U, 1U, 0U}) {  // answers 3, 1, 2, 0
    auto [request, reply] = held.take(index);
    reply(text_response(std::string(request.path())));
  }
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.read().body, "/held/" + std::to_string(i));
}

TEST_F(ServerTest, LongAnswersLeaveWholeAndInTheirTurn) {
  add(Method::get, "/of/:size", [](const Request& request, Reply reply) {
    const auto size = std::stoul(std::string(request.path().substr(4)));
    reply(text_response(std::string(size, static_cast<char>('a' + size % 26))));
  });
  start();
  Client client = connect();
  const std::vector<std::size_t> sizes = {10, 8191, 8192, 200'000, 0, 3'000'000, 20'000, 5};
  std::string requests;
  for (const auto size : sizes) requests += get("/of/" + std::to_string(size));
  client.send(requests);
  for (const auto size : sizes) {
    EXPECT_EQ(client.read().body, std::string(size, static_cast<char>('a' + size % 26))) << size;
  }
}

TEST_F(ServerTest, RequestsThatChangeSomethingWaitForThoseBefore) {
  Held held;
  add(Method::get, "/held", held.handler());
  add(Method::post, "/held", held.handler());
  start();
  Client client = connect();
  client.send(get("/held") + post("/held", "a") + post("/held", "b") + get("/held"));
  for (const std::string_view expected : {"", "a", "b", ""}) {
    ASSERT_TRUE(held.wait_for(1));
    EXPECT_EQ(held.count(), 1U);  // the next is not begun before this is answered
    auto [request, reply] = held.take(0);
    EXPECT_EQ(request.body, expected);
    reply(text_response("x"));
    EXPECT_EQ(client.read().status, 200);
  }
}

TEST_F(ServerTest, ChangesThatKeepTheirOrderWaitForTheirAnswersTogether) {
  Held held;
  add_submission("/submit", held.handler(), true);
  start();
  Client client = connect();
  client.send(post("/submit", "a") + post("/submit", "b") + post("/submit", "c"));
  ASSERT_TRUE(held.wait_for(3));
  for (const std::size_t index : {2U, 0U, 0U}) {  // answers c, a, b
    auto [request, reply] = held.take(index);
    reply(text_response(request.body));
  }
  for (const std::string_view expected : {"a", "b", "c"}) EXPECT_EQ(client.read().body, expected);
}

TEST_F(ServerTest, OthersWaitForTheChangesBeforeThemAndThoseForOthers) {
  Held held;
  add(Method::get, "/held", held.handler());
  add(Method::post, "/held", held.handler());
  add_submission("/submit", held.handler(), true);
  start();
  Client client = connect();
  const std::string expects = post("/submit", "e", "Expect: 100-continue\r\n");
  client.send(post("/submit", "a") + get("/held") + post("/submit", "b") + post("/held", "c") +
              post("/submit", "d") + expects);
  for (const std::string_view expected : {"a", "", "b", "c", "d", "e"}) {
    ASSERT_TRUE(held.wait_for(1));
    EXPECT_EQ(held.count(), 1U);
    auto [request, reply] = held.take(0);
    EXPECT_EQ(request.body, expected);
    reply(text_response("x"));
    EXPECT_EQ(client.read().status, 200);
  }
}

TEST_F(ServerTest, PipeliningIsBounded) {
  Held held;
  options.pipeline_max = 3;
  add(Method::get, "/held", held.handler());
  start();
  Client client = connect();
  std::string requests;
  for (int i = 0; i < 10; ++i) requests += get("/held");
  client.send(requests);
  for (int answered = 0; answered < 10; ++answered) {
    const std::size_t open = std::min<std::size_t>(3, static_cast<std::size_t>(10 - answered));
    ASSERT_TRUE(held.wait_for(open));
    EXPECT_EQ(held.count(), open);
    held.take(0).second(text_response("x"));
    EXPECT_EQ(client.read().status, 200);
  }
}

TEST_F(ServerTest, ARequestDroppedOrThrownAwayIsAnswered500) {
  add(Method::get, "/drop", [](const Request&, const Reply&) {});
  add(Method::get, "/throw",
      [](const Request&, const Reply&) { throw std::runtime_error("the secret reason"); });
  Held held;
  add(Method::get, "/held", held.handler());
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(get("/drop")).status, 500);
  const Answered thrown = client.ask(get("/throw"));
  EXPECT_EQ(thrown.status, 500);
  EXPECT_EQ(thrown.body.find("secret"), std::string::npos);
  client.send(get("/held"));
  ASSERT_TRUE(held.wait_for(1));
  held.take(0);  // and drops it, on this thread
  EXPECT_EQ(client.read().status, 500);
}

TEST_F(ServerTest, ARequestForWhichMemoryRanOutMayHaveBeenDone) {
  watch_memory();
  // As operator new does.
  add(Method::get, "/exhaust", [](const Request&, const Reply&) { std::get_new_handler()(); });
  add(Method::get, "/throw",
      [](const Request&, const Reply&) { throw std::runtime_error("for another reason"); });
  start();
  Client client = connect();
  const Answered exhausted = client.ask(get("/exhaust"));
  EXPECT_EQ(exhausted.status, 503);
  EXPECT_NE(exhausted.body.find("unknown_commit"), std::string::npos);
  EXPECT_EQ(client.ask(get("/throw")).status, 500);
}

TEST_F(ServerTest, HeaderValuesCannotSplitAnAnswer) {
  add(Method::get, "/a", [](const Request&, Reply reply) {
    Response response = text_response("body");
    response.headers.push_back({"Location", "/x\r\nSet-Cookie: a=b\r\n\r\n<script>"});
    response.headers.push_back({"Cache-Control", "max-age=60"});
    reply(std::move(response));
  });
  start();
  Client client = connect();
  const Answered reply = client.ask(get("/a"));
  EXPECT_EQ(reply.header("Location"), "/x  Set-Cookie: a=b    <script>");
  EXPECT_EQ(reply.header("Set-Cookie"), "");
  EXPECT_EQ(reply.header("Cache-Control"), "max-age=60");
  EXPECT_EQ(reply.body, "body");
}

TEST_F(ServerTest, NoContentHasNoLength) {
  add(Method::delete_, "/a", [](const Request&, Reply reply) {
    Response response;
    response.status = 204;
    reply(std::move(response));
  });
  add(Method::get, "/a", echo);
  start();
  Client client = connect();
  const Answered reply = client.ask("DELETE /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(reply.status, 204);
  EXPECT_FALSE(reply.headers.contains("Content-Length"));
  EXPECT_FALSE(reply.headers.contains("Content-Type"));
  EXPECT_EQ(client.ask(get("/a")).status, 200);
}

TEST_F(ServerTest, LargeAnswersArriveWhole) {
  std::string large;
  for (int i = 0; large.size() < 8U << 20; ++i) large += std::to_string(i) + "\n";
  add(Method::get, "/large", [&](const Request&, Reply reply) { reply(text_response(large)); });
  start();
  Client client = connect();
  client.send(get("/large") + get("/large"));
  EXPECT_TRUE(client.read().body == large);
  EXPECT_TRUE(client.read().body == large);
}

TEST_F(ServerTest, AClientThatStoppedSendingIsStillAnswered) {
  Held held;
  add(Method::get, "/held", held.handler());
  start();
  Client client = connect();
  client.send(get("/held"));
  client.finish_sending();
  ASSERT_TRUE(held.wait_for(1));
  auto [request, reply] = held.take(0);
  reply(text_response("still here"));
  EXPECT_NE(client.read_to_end().find("still here"), std::string::npos);
}

TEST_F(ServerTest, HandlersLearnThatTheClientHungUp) {
  Held held;
  add(Method::get, "/held", held.handler());
  start();
  std::promise<void> gone;
  std::optional<std::pair<Request, Reply>> pending;
  {
    Client client = connect();
    client.send(get("/held"));
    ASSERT_TRUE(held.wait_for(1));
    pending = held.take(0);
  }
  const std::stop_callback callback(pending->first.gone, [&] { gone.set_value(); });
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  pending->second(text_response("nobody reads this"));
}

TEST_F(ServerTest, HandlersLearnThatNobodyReadsTheirAnswer) {
  Held held;
  add(Method::get, "/held", held.handler());
  start();
  const auto answer = [](std::promise<void>& unread) {
    Response response = text_response("somebody?");
    response.if_gone = [&unread] { unread.set_value(); };
    return response;
  };
  std::promise<void> unread;
  std::optional<std::pair<Request, Reply>> pending;
  {
    Client client = connect();
    client.send(get("/held"));
    ASSERT_TRUE(held.wait_for(1));
    pending = held.take(0);
  }
  pending->second(answer(unread));  // at once: the server may not have seen the end yet
  EXPECT_EQ(unread.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);

  std::promise<void> read;
  Client client = connect();
  client.send(get("/held", "Connection: close\r\n"));
  ASSERT_TRUE(held.wait_for(1));
  held.take(0).second(answer(read));
  EXPECT_NE(client.read_to_end().find("somebody?"), std::string::npos);
  server->stop(std::chrono::seconds(20));
  EXPECT_EQ(read.get_future().wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

TEST_F(ServerTest, TellsOfEveryAnswer) {
  Mutex mutex;
  std::vector<std::string> seen;
  options.on_finished = [&](const Finished& finished) {
    const MutexLock lock(mutex);
    seen.push_back(std::string(to_string(finished.method)) + " " + std::string(finished.pattern) +
                   " " + std::to_string(finished.status));
    EXPECT_GE(finished.duration.count(), 0);
  };
  add(Method::get, "/jobs/:job_id", echo);
  start();
  Client client = connect();
  client.ask(get("/jobs/1"));
  client.ask(get("/nothing"));
  client.ask("rubbish\r\n\r\n");
  client.finish_sending();
  server->stop(std::chrono::seconds(20));
  const std::vector<std::string> expected = {"GET /jobs/:job_id 200", "GET  404", "OTHER  400"};
  EXPECT_EQ(seen, expected);
}

TEST_F(ServerTest, ListensOnEveryAddress) {
  options.listen = {"127.0.0.1:0", "127.0.0.1:0"};
  add(Method::get, "/a", echo);
  start();
  const auto ports = server->bound_ports();
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_NE(ports[0], ports[1]);
  for (const std::uint16_t port : ports) EXPECT_EQ(Client(port).ask(get("/a")).status, 200);
}

TEST_F(ServerTest, AddressesThatCannotBeUsedAreNamed) {
  const auto failure = [&](const std::string& address) {
    ServerOptions other = options;
    other.listen = {address};
    const auto started = Server(other, Router({}), gate, clock).start();
    return started ? Error{} : started.error();
  };
  for (const char* address : {"", "localhost", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", ":80",
                              "127.0.0.1:70000", "::1:80", "[127.0.0.1]:80", "1.2.3:80"}) {
    EXPECT_EQ(failure(address).reason, Reason::invalid_fields) << address;
  }
  start();
  const std::string taken = "127.0.0.1:" + std::to_string(server->bound_port());
  EXPECT_NE(failure(taken).message.find(taken), std::string::npos);
}

}  // namespace
}  // namespace chronos::http
