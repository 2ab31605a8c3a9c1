#include "http/response_writer.h"

#include <gtest/gtest.h>

#include "base/time_text.h"

namespace chronos::http {
namespace {

std::string written(const Response& response, Framing framing = {}) {
  std::string out;
  framing.date_line = "Date: D\r\n";
  append_response(out, response, framing);
  return out;
}

TEST(ResponseWriter, WritesTheWholeAnswer) {
  Response response;
  response.status = 201;
  response.headers.push_back({"Location", "/api/jobs/job_1"});
  response.body = "{}";
  EXPECT_EQ(written(response),
            "HTTP/1.1 201 Created\r\nDate: D\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nX-Content-Type-Options: nosniff\r\nLocation: /api/jobs/job_1\r\n"
            "Cache-Control: no-store\r\n\r\n{}");
}

TEST(ResponseWriter, SaysWhatBecomesOfTheConnection) {
  const auto ends_with = [](const Framing& framing, std::string_view end) {
    const std::string out = written({}, framing);
    EXPECT_TRUE(out.ends_with(end)) << out;
  };
  ends_with({}, "Cache-Control: no-store\r\n\r\n");
  ends_with({.is_last = true}, "Connection: close\r\n\r\n");
  ends_with({.is_http10 = true}, "Connection: keep-alive\r\n\r\n");
  ends_with({.is_http10 = true, .is_last = true}, "Connection: close\r\n\r\n");
}

TEST(ResponseWriter, UnknownStatusesHaveNoPhrase) {
  Response response;
  response.status = 299;
  EXPECT_TRUE(written(response).starts_with("HTTP/1.1 299 \r\n"));
}

TEST(ResponseWriter, AnswersWithoutContentHaveNoneAtAll) {
  for (const int status : {204, 304}) {
    Response response;
    response.status = status;
    response.body = "not sent";
    const std::string out = written(response);
    EXPECT_EQ(out.find("Content-Length"), std::string::npos) << out;
    EXPECT_EQ(out.find("\r\nContent-Type"), std::string::npos) << out;
    EXPECT_TRUE(out.ends_with("\r\n\r\n")) << out;
  }
}

TEST(ResponseWriter, ChunksAreCountedInHexadecimal) {
  std::string out;
  append_chunk(out, std::string(26, 'x'));
  append_chunk(out, "");
  append_last_chunk(out);
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

TEST(ResponseWriter, DatesAreThoseOfTheRfc) {
  const auto line = [](std::string_view time) { return date_line(*parse_timestamp(time)); };
  EXPECT_EQ(line("1994-11-06T08:49:37.999Z"), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(line("2024-02-29T23:59:59Z"), "Date: Thu, 29 Feb 2024 23:59:59 GMT\r\n");
  EXPECT_EQ(line("2025-01-01T00:00:00Z"), "Date: Wed, 01 Jan 2025 00:00:00 GMT\r\n");
}

}  // namespace
}  // namespace chronos::http
