#include "cli/api_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/crypto.h"
#include "cli/version.h"
#include "net/url.h"

namespace chronos::cli {
namespace {

constexpr std::size_t kAnswerBytesMax = std::size_t{256} * 1024 * 1024;
constexpr long kConnectTimeoutMs = 10'000;

// Waits before the second and the third try.
constexpr std::array<Duration, 2> kPauses = {std::chrono::milliseconds(300),
                                             std::chrono::seconds(1)};

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDeleter>;

struct HeaderDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderDeleter>;

void add_header(HeaderList& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

std::size_t keep_body(char* data, std::size_t size, std::size_t count, void* target) {
  auto& body = *static_cast<std::string*>(target);
  const auto bytes = size * count;
  if (body.size() + bytes > kAnswerBytesMax) return 0;  // curl gives up: CURLE_WRITE_ERROR
  body.append(data, bytes);
  return bytes;
}

std::optional<Reason> parse_reason(std::string_view code) {
  for (int i = 0; i <= static_cast<int>(Reason::internal); ++i) {
    const auto reason = static_cast<Reason>(i);
    if (to_string(reason) == code) return reason;
  }
  return std::nullopt;
}

// For answers without a `code` we know: a newer server's, or a proxy's on the way.
Reason reason_of_status(int status) {
  switch (status) {
    case 401:
      return Reason::invalid_key;
    case 403:
      return Reason::role_too_low;
    case 404:
    case 405:
      return Reason::not_found;
    case 409:
    case 412:
      return Reason::state_conflict;
    case 429:
      return Reason::too_many_requests;
    case 502:
    case 503:
      return Reason::overloaded;
    case 408:
    case 504:
      return Reason::timeout;
    default:
      return status >= 500 ? Reason::internal : Reason::bad_request;
  }
}

std::string string_at(const json::Value& object, std::string_view name) {
  const auto* value = object.find(name);
  return value != nullptr && value->is(json::Type::string) ? value->string : std::string();
}

int int_at(const json::Value& object, std::string_view name) {
  const auto* value = object.find(name);
  const bool fits = value != nullptr && value->is(json::Type::integer) && value->integer >= 0 &&
                    value->integer <= 1'000'000;
  return fits ? static_cast<int>(value->integer) : 0;
}

Error transport_error(CURLcode code, const std::string& base_url) {
  const auto why = std::string(curl_easy_strerror(code));
  switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Reason::store_unavailable,
              fmt::format("no server answers at {}", base_url),
              "start one with `chronos serve`, or say where it is with --server or CHRONOS_URL",
              {}};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return {Reason::store_unavailable,
              fmt::format("no trusted connection to {}: {}", base_url, why),
              "name the certificate authority with --ca-file or CHRONOS_CA_FILE",
              {}};
    case CURLE_OPERATION_TIMEDOUT:
      return {Reason::timeout, fmt::format("{} did not answer in time", base_url), {}, {}};
    case CURLE_WRITE_ERROR:
      return {Reason::bad_request, "the answer is too large", {}, {}};
    default:
      return {Reason::unknown_commit,
              fmt::format("the connection to {} broke: {}", base_url, why),
              "what was asked may or may not have been done: look before you repeat it",
              {}};
  }
}

bool is_worth_another_try(Reason reason) {
  return reason == Reason::unknown_commit || reason == Reason::overloaded ||
         reason == Reason::idempotency_in_flight;
}

bool may_be_repeated(const ApiRequest& request) {
  return request.method != "POST" || !request.idempotency_key.empty();
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

struct ApiClient::Impl {
  ApiOptions options;
  bool is_local = false;
  CurlHandle handle;

  HeaderList headers_for(const ApiRequest& request) const {
    HeaderList headers;
    if (!options.key.empty()) add_header(headers, "Authorization: Bearer " + options.key);
    add_header(headers, "Accept: application/json, text/plain;q=0.9, */*;q=0.1");
    add_header(headers, "Expect:");
    if (!request.body.empty()) add_header(headers, "Content-Type: application/json");
    if (!request.idempotency_key.empty()) {
      add_header(headers, "Idempotency-Key: " + request.idempotency_key);
    }
    return headers;
  }

  CURLcode perform(const ApiRequest& request, ApiResponse& response) {
    CURL* const curl = handle.get();
    curl_easy_reset(curl);  // keeps the connection
    const auto url = options.base_url + request.path;
    const auto headers = headers_for(request);
    const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(request.timeout);
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "chronos/" CHRONOS_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &keep_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response.body);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);  // a redirect would carry the key away
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    if (is_local) curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
    if (!request.body.empty()) {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    } else if (request.method == "POST") {
      curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    const auto code = curl_easy_perform(curl);
    long status = 0;
    const char* content_type = nullptr;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &content_type);
    response.status = static_cast<int>(status);
    response.content_type = content_type == nullptr ? "" : content_type;
    return code;
  }

  Result<ApiResponse> try_once(const ApiRequest& request) {
    ApiResponse response;
    if (const auto code = perform(request, response); code != CURLE_OK) {
      return std::unexpected(transport_error(code, options.base_url));
    }
    if (response.status >= 200 && response.status <= 299) return response;
    return std::unexpected(error_in(response, options.base_url));
  }
};

ApiClient::ApiClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiClient::~ApiClient() = default;
ApiClient::ApiClient(ApiClient&&) noexcept = default;
ApiClient& ApiClient::operator=(ApiClient&&) noexcept = default;

Result<ApiClient> ApiClient::make(ApiOptions options) {
  while (options.base_url.ends_with('/')) options.base_url.pop_back();
  const auto url = net::parse_url(options.base_url);
  if (!url) {
    return fail(Reason::bad_request,
                fmt::format("the server's URL '{}' cannot be used: {}", options.base_url,
                            url.error().message),
                "http://127.0.0.1:8086");
  }
  if (options.key.find_first_of("\r\n\t ") != std::string::npos) {
    return fail(Reason::invalid_key, "the API key must not contain white space");
  }
  auto impl = std::make_unique<Impl>();
  impl->is_local = is_loopback(url->host);
  impl->options = std::move(options);
  impl->handle.reset(curl_easy_init());
  if (!impl->handle) return fail(Reason::internal, "libcurl cannot be started");
  return ApiClient(std::move(impl));
}

Result<ApiResponse> ApiClient::send(const ApiRequest& request) {
  auto answer = impl_->try_once(request);
  for (const auto pause : kPauses) {
    if (answer || !may_be_repeated(request) || !is_worth_another_try(answer.error().reason)) break;
    impl_->options.sleep(pause);
    answer = impl_->try_once(request);
  }
  return answer;
}

Result<json::Document> ApiClient::call(const ApiRequest& request) {
  CHRONOS_TRY(const auto response, send(request));
  auto document = json::parse(response.body);
  if (document) return document;
  return fail(Reason::bad_request,
              fmt::format("the answer of {} is not JSON: is it a Chronos server?", base_url()));
}

const std::string& ApiClient::base_url() const {
  return impl_->options.base_url;
}

Error error_in(const ApiResponse& response, std::string_view base_url) {
  Error error{reason_of_status(response.status),
              fmt::format("{} answered with status {}", base_url, response.status),
              {},
              {}};
  const auto document = json::parse(response.body);
  if (!document || !document->root().is(json::Type::object)) {
    if (response.status >= 300 && response.status < 400) {
      error.hint = "the server moved: give its new URL";
    }
    return error;
  }
  const auto& problem = document->root();
  if (const auto reason = parse_reason(string_at(problem, "code"))) error.reason = *reason;
  if (auto detail = string_at(problem, "detail"); !detail.empty()) {
    error.message = std::move(detail);
  } else if (auto title = string_at(problem, "title"); !title.empty()) {
    error.message = std::move(title);
  }
  error.hint = string_at(problem, "hint");
  const auto* fields = problem.find("errors");
  if (fields == nullptr) return error;
  for (const auto& field : fields->elements) {
    error.fields.push_back({string_at(field, "pointer"), string_at(field, "code"),
                            string_at(field, "detail"), string_at(field, "hint"),
                            int_at(field, "column"), int_at(field, "length")});
  }
  return error;
}

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                               (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                               c == '~';
    if (is_unreserved) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string fresh_idempotency_key() {
  return to_hex(random_bytes(16));
}

}  // namespace chronos::cli
