// Response -> bytes. Preformatted pieces appended to a string, no intermediate values: an answer
// costs no allocation once the string has grown. Pure; used by the connection.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/request.h"

namespace chronos::http {

struct Framing {
  bool is_head_request = false;  // the body is counted but not sent
  bool is_http10 = false;
  bool is_last = false;             // the connection closes after this answer
  std::string_view date_line = {};  // from date_line()
};

// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" (RFC 9110 §5.6.7).
std::string date_line(Timestamp now);

// Status line, headers and body. Line breaks and other control characters in header names or values
// become spaces: no value can split an answer. A streamed response gets no length: its chunks
// follow through append_chunk() (or bare, for HTTP/1.0, and the close ends it).
void append_response(std::string& out, const Response& response, const Framing& framing);

// Its two parts. A body that is bare is sent as it is.
void append_head(std::string& out, const Response& response, const Framing& framing);
void append_body(std::string& out, const Response& response, const Framing& framing);
bool is_body_bare(const Response& response, const Framing& framing);

void append_chunk(std::string& out, std::string_view bytes);  // nothing for no bytes
void append_last_chunk(std::string& out);

std::string_view reason_phrase(int status);

}  // namespace chronos::http
