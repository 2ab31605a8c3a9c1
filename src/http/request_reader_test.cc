#include "http/request_reader.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

namespace chronos::http {
namespace {

constexpr ReadLimits kLimits{2048, 512, 10};
constexpr std::size_t kBodyMax = 1000;

// Feeds `bytes` in pieces and tells, in one line, what the reader makes of them:
// "GET /a keep [body]; …" per request, then the code of a failure or "…" for an unfinished one.
std::string read_all(std::string_view bytes, std::size_t piece, bool skips_bodies = false) {
  RequestReader reader(kLimits);
  std::string seen;
  std::optional<RequestHead> head;
  std::string body;
  const auto advance = [&]() -> Result<bool> {  // false = needs more bytes
    if (!head) {
      CHRONOS_TRY(head, reader.read_head());
      body.clear();
      return head.has_value();
    }
    CHRONOS_TRY(const bool is_complete,
                skips_bodies ? reader.skip_body(kBodyMax) : reader.read_body(body, kBodyMax));
    if (!is_complete) return false;
    seen += std::string(to_string(head->method)) + " " + head->target +
            (head->keeps_alive ? " keep [" : " close [") + body + "]; ";
    head.reset();
    return true;
  };
  while (!bytes.empty()) {
    const std::span<char> room = reader.room();
    const std::size_t count = std::min({piece, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), count);
    reader.add(count);
    bytes.remove_prefix(count);
    for (;;) {
      const auto has_moved = advance();
      if (!has_moved) return seen + std::string(to_string(has_moved.error().reason));
      if (!*has_moved) break;
    }
  }
  return head || reader.has_bytes() ? seen + "…" : seen;
}

// The same whatever the pieces in which the network brings it.
std::string read_all(std::string_view bytes) {
  const std::string at_once = read_all(bytes, bytes.size());
  EXPECT_EQ(read_all(bytes, 1), at_once) << bytes.substr(0, 200);
  EXPECT_EQ(read_all(bytes, 7), at_once) << bytes.substr(0, 200);
  return at_once;
}

std::string get(std::string_view headers) {
  return "GET /a HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}
std::string post(std::string_view headers, std::string_view body) {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

TEST(RequestReader, ReadsRequestsOneAfterAnother) {
  EXPECT_EQ(read_all(get("")), "GET /a keep []; ");
  EXPECT_EQ(read_all(get("") + get("")), "GET /a keep []; GET /a keep []; ");
  EXPECT_EQ(read_all(post("Content-Length: 5\r\n", "hello") + get("")),
            "POST /a keep [hello]; GET /a keep []; ");
  EXPECT_EQ(read_all(post("Content-Length: 0\r\n", "") + get("")),
            "POST /a keep []; GET /a keep []; ");
  EXPECT_EQ(read_all(post("Content-Length: 5\r\n", "hel")), "…");
  EXPECT_EQ(read_all("GET /a HTT"), "…");
}

TEST(RequestReader, ReadsChunkedBodies) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(read_all(post(chunked, "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n") + get("")),
            "POST /a keep [hello world]; GET /a keep []; ");
  EXPECT_EQ(read_all(post(chunked, "A\r\n0123456789\r\n0\r\nX-Trailer: 1\r\n\r\n")),
            "POST /a keep [0123456789]; ");
  EXPECT_EQ(read_all(post("TRANSFER-ENCODING: Chunked\r\n", "0\r\n\r\n")), "POST /a keep []; ");
  EXPECT_EQ(read_all(post(chunked, "5\r\nhel")), "…");
}

TEST(RequestReader, SkipsBodiesToTheNextRequest) {
  const std::string bytes = post("Content-Length: 5\r\n", "hello") +
                            post("Transfer-Encoding: chunked\r\n", "2\r\nab\r\n0\r\n\r\n") +
                            get("");
  EXPECT_EQ(read_all(bytes, bytes.size(), true),
            "POST /a keep []; POST /a keep []; GET /a keep []; ");
  EXPECT_EQ(read_all(bytes, 1, true), read_all(bytes, bytes.size(), true));
}

TEST(RequestReader, KnowsWhatBecomesOfTheConnection) {
  EXPECT_EQ(read_all(get("Connection: close\r\n")), "GET /a close []; ");
  EXPECT_EQ(read_all("GET /a HTTP/1.0\r\n\r\n"), "GET /a close []; ");
  EXPECT_EQ(read_all("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "GET /a keep []; ");
}

TEST(RequestReader, HeadHasWhatWasSent) {
  RequestReader reader(kLimits);
  const std::string bytes =
      "PUT /a?b=%41 HTTP/1.1\r\nhOST: h\r\nX-A:  one \r\nx-a: two\r\nX-Empty:\r\n"
      "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n";
  std::memcpy(reader.room().data(), bytes.data(), bytes.size());
  reader.add(bytes.size());
  const auto head = reader.read_head();
  ASSERT_TRUE(head && *head);
  EXPECT_EQ((*head)->method, Method::put);
  EXPECT_EQ((*head)->target, "/a?b=%41");
  EXPECT_EQ((*head)->path(), "/a");
  EXPECT_EQ((*head)->headers.size(), 6U);
  EXPECT_EQ((*head)->headers.find("x-A"), "one");
  EXPECT_EQ((*head)->headers.count("X-a"), 2U);
  EXPECT_EQ((*head)->headers.find("X-Empty"), "");
  EXPECT_EQ((*head)->headers.find("X-None"), std::nullopt);
  EXPECT_EQ((*head)->headers[0].name, "hOST");
  EXPECT_TRUE((*head)->expects_continue);
  EXPECT_EQ((*head)->content_length, 3U);
  EXPECT_TRUE((*head)->has_body());
}

TEST(RequestReader, UnknownMethodsAreRequests) {
  EXPECT_EQ(read_all("BREW /a HTTP/1.1\r\nHost: h\r\n\r\n"), "OTHER /a keep []; ");
  EXPECT_EQ(read_all("get /a HTTP/1.1\r\nHost: h\r\n\r\n"), "OTHER /a keep []; ");
}

TEST(RequestReader, OneEmptyLineBeforeARequestIsForgiven) {
  EXPECT_EQ(read_all("\r\n" + get("") + "\r\n" + get("")), "GET /a keep []; GET /a keep []; ");
  EXPECT_EQ(read_all("\r\n\r\n" + get("")), "bad_request");
}

TEST(RequestReader, RefusesWhatIsNoRequestLine) {
  for (const std::string_view line : {"GET /a",
                                      "GET /a HTTP/2.0",
                                      "GET /a HTTP/1.2",
                                      "GET /a HTTP/0.9",
                                      "GET  /a HTTP/1.1",
                                      "GET /a  HTTP/1.1",
                                      " GET /a HTTP/1.1",
                                      "GET\t/a HTTP/1.1",
                                      "G(T /a HTTP/1.1",
                                      "GET /a http/1.1",
                                      "GET /a HTTP/1.1 ",
                                      "GET /a HTTP/1.10",
                                      "GET /\xc3\xa4 HTTP/1.1",
                                      "GET /a#b HTTP/1.1",
                                      "GET a HTTP/1.1",
                                      "GET http://h/a HTTP/1.1",
                                      "OPTIONS * HTTP/1.1",
                                      "CONNECT h:80 HTTP/1.1",
                                      "GET /a\x01 HTTP/1.1",
                                      "GET /a\x7f HTTP/1.1",
                                      "GET  HTTP/1.1"}) {
    EXPECT_EQ(read_all(std::string(line) + "\r\nHost: h\r\n\r\n"), "bad_request") << line;
  }
  EXPECT_EQ(read_all("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "bad_request");
  EXPECT_EQ(read_all("GET /a\r\n"), "bad_request");        // HTTP/0.9 has no headers to wait for
  EXPECT_EQ(read_all("\x16\x03\x01\x02"), "bad_request");  // a TLS hello is not waited for
}

TEST(RequestReader, RefusesWhatCouldBeReadInTwoWays) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  for (const std::string& headers : {std::string("Content-Length: 5\r\n") + chunked,
                                     chunked + "Content-Length: 5\r\n",
                                     std::string("Content-Length: 5\r\nContent-Length: 5\r\n"),
                                     std::string("Content-Length: 5\r\nContent-Length: 6\r\n"),
                                     std::string("Content-Length: 5, 5\r\n"),
                                     std::string("Content-Length: +5\r\n"),
                                     std::string("Content-Length: -5\r\n"),
                                     std::string("Content-Length: 0x5\r\n"),
                                     std::string("Content-Length: 5 \t5\r\n"),
                                     std::string("Content-Length:\r\n"),
                                     std::string("Content-Length: 99999999999999999999\r\n"),
                                     chunked + chunked,
                                     std::string("Transfer-Encoding: gzip\r\n"),
                                     std::string("Transfer-Encoding: identity\r\n"),
                                     std::string("Transfer-Encoding: gzip, chunked\r\n"),
                                     std::string("Transfer-Encoding: chunked, gzip\r\n"),
                                     std::string("Transfer-Encoding: xchunked\r\n"),
                                     std::string("Transfer-Encoding: \x0b"
                                                 "chunked\r\n"),
                                     std::string("Transfer-Encoding : chunked\r\n"),
                                     std::string("Content-Length : 5\r\n"),
                                     std::string("Content Length: 5\r\n"),
                                     std::string("X: a\r\n b\r\n"),
                                     std::string("X: a\r\n\tb\r\n"),
                                     std::string(" X: a\r\n"),
                                     std::string("X: a\nY: b\r\n"),
                                     std::string("X: a\rY: b\r\n"),
                                     std::string("X: a\r\r\n"),
                                     std::string("X\r\n"),
                                     std::string(": a\r\n"),
                                     std::string("X: a\0b\r\n", 8),
                                     std::string("X\0: a\r\n", 7),
                                     std::string("X: \x7f\r\n"),
                                     std::string("H\xc3\xa4: a\r\n"),
                                     std::string("Host: h\r\n"),
                                     std::string("Connection: ,;\r\n")}) {
    EXPECT_EQ(read_all(post(headers, "hello")), "bad_request") << headers;
  }
  EXPECT_EQ(read_all("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "bad_request");
  EXPECT_EQ(read_all("GET /a HTTP/1.1\nHost: h\n\n"), "bad_request");
  EXPECT_EQ(read_all("GET /a HTTP/1.1\r\n\r\n"), "bad_request");  // no Host
  for (const std::string_view host : {"a b", "a,b", "a/b", "u@h", "a?b"}) {
    EXPECT_EQ(read_all("GET /a HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "bad_request")
        << host;
  }
}

TEST(RequestReader, RefusesBadChunks) {
  for (const std::string_view body :
       {"x\r\n", "-1\r\n", "+1\r\na\r\n0\r\n\r\n", "0x1\r\na\r\n", " 1\r\na\r\n", "1 \r\na\r\n",
        "1\na\r\n", "1\r\nab\r\n", "1\r\na\n", "1\r\na0\r\n\r\n", "0000000000000001\r\na\r\n",
        "\r\n", ";x\r\n", "1;a\nb\r\na\r\n", "1;\x01\r\na\r\n", "1\r\na\r\n0\r\nX\r\n\r\n",
        "1\r\na\r\n0\r\n: x\r\n\r\n", "1,1\r\na\r\n"}) {
    EXPECT_EQ(read_all(post("Transfer-Encoding: chunked\r\n", body)), "bad_request") << body;
  }
}

TEST(RequestReader, BodiesEndAtTheLimit) {
  const std::string most(kBodyMax, 'x');
  EXPECT_EQ(read_all(post("Content-Length: 1000\r\n", most)), "POST /a keep [" + most + "]; ");
  EXPECT_EQ(read_all(post("Content-Length: 1001\r\n", "")), "body_too_large");
  EXPECT_EQ(read_all(post("Content-Length: 1001\r\n", "x")), "body_too_large");
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(read_all(post(chunked, "3e8\r\n" + most + "\r\n0\r\n\r\n")),
            "POST /a keep [" + most + "]; ");
  EXPECT_EQ(read_all(post(chunked, "3e9\r\n")), "body_too_large");
  EXPECT_EQ(read_all(post(chunked, "fffffffffffffff\r\n")), "body_too_large");
  EXPECT_EQ(read_all(post(chunked, "3e8\r\n" + most + "\r\n1\r\n")), "body_too_large");
  EXPECT_EQ(read_all(post(chunked, "2\r\nab\r\n3e7\r\n")), "body_too_large");
}

TEST(RequestReader, NothingIsKeptOfAChunkBeyondTheLimit) {
  RequestReader reader(kLimits);
  const std::string bytes =
      post("Transfer-Encoding: chunked\r\n", "fff\r\n" + std::string(1500, 'x'));
  const std::span<char> room = reader.room();
  ASSERT_GE(room.size(), bytes.size());
  std::ranges::copy(bytes, room.begin());
  reader.add(bytes.size());
  ASSERT_TRUE(reader.read_head().value());
  std::string body;
  EXPECT_FALSE(reader.read_body(body, kBodyMax));
  EXPECT_EQ(body, "");
}

TEST(RequestReader, ChunksOfMostlyFramingAreRefused) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  std::string body;
  for (int i = 0; i < 100; ++i) body += "1;" + std::string(100, 'e') + "\r\nx\r\n";
  EXPECT_EQ(read_all(post(chunked, body)), "bad_request");
  EXPECT_EQ(read_all(post(chunked, "1;" + std::string(5000, 'e'))), "bad_request");
  EXPECT_EQ(read_all(post(chunked, "1\r\nx\r\n0\r\nX-Long: " + std::string(5000, 'e'))),
            "bad_request");
  std::string tiny;  // silly but lawful
  for (int i = 0; i < 900; ++i) tiny += "1\r\nx\r\n";
  EXPECT_EQ(read_all(post(chunked, tiny + "0\r\n\r\n")),
            "POST /a keep [" + std::string(900, 'x') + "]; ");
}

TEST(RequestReader, HeadersEndAtTheLimit) {
  const std::string frame = get("X: \r\n");
  const std::string most(kLimits.header_bytes_max - frame.size(), 'x');
  EXPECT_EQ(read_all(get("X: " + most + "\r\n")), "GET /a keep []; ");
  EXPECT_EQ(read_all(get("X: " + most + "x\r\n")), "headers_too_large");
  EXPECT_EQ(read_all("GET /a HTTP/1.1\r\nX: " + std::string(3000, 'x')), "headers_too_large");
  std::string many;
  for (int i = 0; i < 9; ++i) many += "X: y\r\n";
  EXPECT_EQ(read_all(get(many)), "GET /a keep []; ");
  EXPECT_EQ(read_all(get(many + "X: y\r\n")), "headers_too_large");
}

TEST(RequestReader, TargetsEndAtTheLimit) {
  const std::string most = "/" + std::string(kLimits.target_bytes_max - 1, 'x');
  const std::string rest = " HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_EQ(read_all("GET " + most + rest), "GET " + most + " keep []; ");
  EXPECT_EQ(read_all("GET " + most + "x" + rest), "uri_too_long");
  EXPECT_EQ(read_all("GET /" + std::string(1000, 'x')), "uri_too_long");  // no line end needed
  EXPECT_EQ(read_all("GET /" + std::string(9000, 'x') + rest), "uri_too_long");
}

TEST(RequestReader, GivesMemoryBack) {
  RequestReader reader(kLimits);
  const std::size_t small = reader.room().size();
  std::string bytes = get("X: " + std::string(1900, 'x') + "\r\n") + "GET";
  for (const char c : bytes) {
    reader.room()[0] = c;
    reader.add(1);
  }
  ASSERT_TRUE(*reader.read_head());
  EXPECT_TRUE(reader.has_bytes());
  reader.drop();
  EXPECT_FALSE(reader.has_bytes());
  reader.shrink();
  EXPECT_EQ(reader.room().size(), small);
}

}  // namespace
}  // namespace chronos::http
