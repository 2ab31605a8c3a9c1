// One outbound HTTP request and what came back, as plain values, with the syntax of header fields
// (RFC 9110). Used by the http executor, the webhook channel and the CLI. Pure; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace chronos::net {

struct HttpHeader {
  std::string name;
  std::string value;

  bool operator==(const HttpHeader&) const = default;
};

struct HttpCall {
  std::string method = "GET";
  std::string url{};  // absolute, http or https
  std::vector<HttpHeader> headers{};
  std::string body{};
  Duration timeout = std::chrono::seconds(30);          // of everything, redirects included
  Duration connect_timeout = std::chrono::seconds(10);  // look-up, connect and TLS of one hop
  std::size_t answer_max = 1 << 20;                     // bytes of the body that are kept
  bool follow_redirects = false;                        // at most kRedirectsMax
};

inline constexpr int kRedirectsMax = 10;
inline constexpr std::size_t kAnswerHeaderBytesMax = 64uz * 1024;

// Why there is no whole answer. Names are stable: they are reasons of an Outcome.
enum class HttpFailure {
  none,
  bad_call,        // the call itself is malformed; nothing was sent
  egress_refused,  // the outbound policy forbids the address
  dns,
  connect,
  tls,
  timeout,     // the whole call took longer than its timeout
  reset,       // the connection ended before the answer did
  bad_answer,  // not HTTP, or headers beyond kAnswerHeaderBytesMax
  redirect,    // too many, or to where it may not lead
  cancelled,
  stopped,  // the client was stopped
};

std::string_view to_string(HttpFailure failure);

struct HttpAnswer {
  HttpFailure failure = HttpFailure::none;
  std::string error;                // one line for people; empty when failure is none
  int status = 0;                   // 0 when none arrived; may be set in spite of a failure
  std::vector<HttpHeader> headers;  // of the last answer, in the order received
  std::string body;                 // the first answer_max bytes
  // Bytes of the body that were not kept. A longer answer is cut off by closing the connection, so
  // this is the rest of its Content-Length, or what had arrived when none was given.
  std::int64_t dropped = 0;
};

// Names are compared without case. Nothing when absent; the first when there are several.
std::optional<std::string_view> find_header(const std::vector<HttpHeader>& headers,
                                            std::string_view name);
bool is_same_header(std::string_view a, std::string_view b);

bool is_token(std::string_view text);        // RFC 9110 §5.6.2: methods and header names
bool is_field_value(std::string_view text);  // RFC 9110 §5.5, without obs-fold

// RFC 9110 §10.2.3: seconds or an HTTP date; never negative, at most a year.
std::optional<Duration> parse_retry_after(std::string_view value, Timestamp now);

}  // namespace chronos::net
