// The `http` action as a value, read from its JSON (product.md §6). Pure. The http executor calls;
// immutable once read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "net/http_call.h"

namespace chronos::executor {

// Which statuses are a success: "2xx", "200", "200,201,3xx".
struct ExpectedStatus {
  struct Range {
    int low = 0;
    int high = 0;  // inclusive
  };
  std::vector<Range> ranges = {{200, 299}};
  std::string text = "2xx";

  bool accepts(int status) const;
};

struct HttpAction {
  std::string url;
  std::string host;        // of the URL, lower case, without brackets
  std::uint16_t port = 0;  // of the URL
  std::string method = "POST";
  std::vector<net::HttpHeader> headers;
  std::optional<std::string> body;                // none = the payload
  std::string content_type = "application/json";  // of the body or payload, unless headers say it
  ExpectedStatus expect;
  bool follow_redirects = false;
};

// Everything wrong with `config` is told at once; pointers start at "/action".
Result<HttpAction> parse_http_action(const json::Value& config);

}  // namespace chronos::executor
