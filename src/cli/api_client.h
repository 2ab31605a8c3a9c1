// One call to a Chronos server and its answer: what every command but the offline ones is made of.
// Answers that are problem documents (RFC 9457) come back as the Error they were made from.
// Blocking; one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace chronos::cli {

struct ApiRequest {
  std::string method = "GET";
  std::string path;  // with the query: "/api/jobs?limit=50"; parts percent-encoded
  std::string body;  // empty = none
  std::string content_type = "application/json";  // of the body
  std::string idempotency_key;                    // makes a POST safe to repeat; empty = none
  Duration timeout = std::chrono::seconds(60);    // of the whole call
};

struct ApiResponse {
  int status = 0;
  std::string content_type;
  std::string body;
  std::string output_next;  // the header Chronos-Output-Next; empty = not given
};

struct ApiOptions {
  std::string base_url;  // "http://127.0.0.1:8086", with or without a path before /api
  std::string key;
  std::string ca_file;                  // empty = the system's certificates
  std::function<void(Duration)> sleep;  // between tries
};

class ApiClient {
 public:
  // Fails with Reason::bad_request if the base URL is not one of http or https.
  static Result<ApiClient> make(ApiOptions options);
  ~ApiClient();
  ApiClient(ApiClient&&) noexcept;
  ApiClient& operator=(ApiClient&&) noexcept;

  // A 2xx answer. A request that may be repeated is, up to two times, when its fate is unknown or
  // the server asks to come again. Fails with
  // - the Error of the problem document (its `code` is the Reason, its `errors` the fields),
  // - Reason::store_unavailable if nobody answers there, Reason::unknown_commit if the answer was
  //   lost, Reason::timeout, and Reason::bad_request for what is no answer of Chronos.
  Result<ApiResponse> send(const ApiRequest& request);

  // The same with the body as JSON.
  Result<json::Document> call(const ApiRequest& request);

  const std::string& base_url() const;

 private:
  struct Impl;
  explicit ApiClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The Error in the body of an answer that is no success.
Error error_in(const ApiResponse& response, std::string_view base_url);

// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
std::string url_encoded(std::string_view text);

// 128 random bits: one per thing the user asks for, the same in every try of it.
std::string fresh_idempotency_key();

}  // namespace chronos::cli
