#include "cli/api_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/crypto.h"
#include "cli/version.h"
#include "net/http_client.h"
#include "net/url.h"

namespace chronos::cli {
namespace {

constexpr std::size_t kAnswerBytesMax = 256uz * 1024 * 1024;

// Waits before the second and the third try.
constexpr std::array<Duration, 2> kPauses = {std::chrono::milliseconds(300),
                                             std::chrono::seconds(1)};

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

Error transport_error(const net::HttpAnswer& answer, const std::string& base_url) {
  switch (answer.failure) {
    case net::HttpFailure::dns:
    case net::HttpFailure::connect:
      return {Reason::store_unavailable,
              fmt::format("no server answers at {}", base_url),
              "start one with `chronos serve`, or say where it is with --server or CHRONOS_URL",
              {}};
    case net::HttpFailure::tls:
      return {Reason::store_unavailable,
              fmt::format("no trusted connection to {}: {}", base_url, answer.error),
              "name the certificate authority with --ca-file or CHRONOS_CA_FILE",
              {}};
    case net::HttpFailure::timeout:
      return {Reason::timeout, fmt::format("{} did not answer in time", base_url), {}, {}};
    case net::HttpFailure::bad_call:
      return {Reason::bad_request, answer.error, {}, {}};
    default:
      return {Reason::unknown_commit,
              fmt::format("the connection to {} broke: {}", base_url, answer.error),
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

}  // namespace

struct ApiClient::Impl {
  ApiOptions options;

  net::HttpCall call_for(const ApiRequest& request) const {
    net::HttpCall call{.method = request.method,
                       .url = options.base_url + request.path,
                       .body = request.body,
                       .timeout = request.timeout,
                       .answer_max = kAnswerBytesMax};
    call.headers.push_back({"User-Agent", "chronos/" CHRONOS_VERSION});
    call.headers.push_back({"Accept", "application/json, text/plain;q=0.9, */*;q=0.1"});
    if (!options.key.empty()) call.headers.push_back({"Authorization", "Bearer " + options.key});
    if (!request.body.empty()) {
      call.headers.push_back({"Content-Type", request.content_type});
    }
    if (!request.idempotency_key.empty()) {
      call.headers.push_back({"Idempotency-Key", request.idempotency_key});
    }
    return call;
  }

  Result<ApiResponse> try_once(const ApiRequest& request) const {
    // No outbound policy: the user's own machine may call whatever the user names.
    const net::HttpClientOptions client{.policy = std::nullopt, .ca_file = options.ca_file};
    auto answer = net::call_http(client, call_for(request));
    if (answer.failure != net::HttpFailure::none) {
      return std::unexpected(transport_error(answer, options.base_url));
    }
    if (answer.dropped > 0) {
      return fail(Reason::bad_request,
                  fmt::format("the answer of {} is too large", options.base_url));
    }
    const auto type = net::find_header(answer.headers, "Content-Type").value_or("");
    const auto next = net::find_header(answer.headers, "Chronos-Output-Next").value_or("");
    ApiResponse response{answer.status, std::string(type), std::move(answer.body),
                         std::string(next)};
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
  if (!net::is_field_value(options.key) || options.key.find(' ') != std::string::npos) {
    return fail(Reason::invalid_key,
                "the API key must not contain white space or control characters");
  }
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
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
    const bool is_unreserved =
        ascii::is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
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
