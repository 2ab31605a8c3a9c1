#include "http/problem.h"

#include <array>
#include <cstddef>
#include <string>

#include "base/json.h"
#include "base/log.h"

namespace chronos::http {
namespace {

struct ProblemRow {
  Reason reason;
  int status;
  std::string_view title;
  std::string_view retry_after = {};  // seconds; empty = repeating it as it is would not help
};

// In the order of the enum. Statuses are those of product.md §3a.
constexpr std::array kProblems = {
    ProblemRow{Reason::bad_request, 400, "The request is malformed"},
    ProblemRow{Reason::bad_json, 400, "The body is not valid JSON"},
    ProblemRow{Reason::bad_encoding, 400, "The text is not valid UTF-8"},
    ProblemRow{Reason::too_deep, 400, "The JSON is nested too deeply"},
    ProblemRow{Reason::invalid_fields, 422, "A field has a value that cannot be accepted"},
    ProblemRow{Reason::not_supported_yet, 422, "This is not supported yet"},
    ProblemRow{Reason::schedule_never_fires, 422, "The schedule never fires"},
    ProblemRow{Reason::idempotency_key_reused, 422,
               "The idempotency key was used for another request"},
    ProblemRow{Reason::body_too_large, 413, "The body is too large"},
    ProblemRow{Reason::unsupported_media_type, 415, "The content type is not supported"},
    ProblemRow{Reason::headers_too_large, 431, "The headers are too large"},
    ProblemRow{Reason::uri_too_long, 414, "The request target is too long"},
    ProblemRow{Reason::request_timeout, 408, "The request took too long to arrive"},
    ProblemRow{Reason::missing_key, 401, "An API key is required"},
    ProblemRow{Reason::invalid_key, 401, "The API key is not valid"},
    ProblemRow{Reason::expired_key, 401, "The API key has expired"},
    ProblemRow{Reason::revoked_key, 401, "The API key was revoked"},
    ProblemRow{Reason::role_too_low, 403, "The API key may not do this"},
    ProblemRow{Reason::cross_site, 403, "The request comes from another site"},
    ProblemRow{Reason::not_found, 404, "Not found"},
    ProblemRow{Reason::method_not_allowed, 405, "The method is not allowed here"},
    ProblemRow{Reason::key_taken, 409, "The key is taken"},
    ProblemRow{Reason::unique_taken, 409, "Another job holds the unique key"},
    ProblemRow{Reason::state_conflict, 409, "The state does not allow this"},
    ProblemRow{Reason::version_mismatch, 412, "The resource has changed meanwhile"},
    ProblemRow{Reason::idempotency_in_flight, 409,
               "A request with this idempotency key is still in flight", "1"},
    ProblemRow{Reason::lease_lost, 409, "The lease was lost"},
    ProblemRow{Reason::too_many_requests, 429, "Too many requests", "1"},
    ProblemRow{Reason::store_full, 507, "The store is full"},
    ProblemRow{Reason::unknown_commit, 503, "It is not known whether the change was made", "1"},
    ProblemRow{Reason::overloaded, 503, "The server is overloaded", "1"},
    ProblemRow{Reason::shutting_down, 503, "The server is shutting down", "5"},
    ProblemRow{Reason::store_unavailable, 503, "The store is not available", "1"},
    ProblemRow{Reason::timeout, 504, "The request could not be finished in time"},
    ProblemRow{Reason::internal, 500, "Internal error"},
};

consteval bool in_enum_order() {
  for (std::size_t i = 0; i < kProblems.size(); ++i) {
    if (static_cast<std::size_t>(kProblems[i].reason) != i) return false;
  }
  return kProblems.size() == static_cast<std::size_t>(Reason::internal) + 1;
}
static_assert(in_enum_order());

const ProblemRow& row_of(Reason reason) {
  return kProblems[static_cast<std::size_t>(reason)];
}

// RFC 6750 §3: the challenge names an error only if credentials were sent.
std::string_view challenge_for(Reason reason) {
  return reason == Reason::missing_key ? R"(Bearer realm="chronos")"
                                       : R"(Bearer realm="chronos", error="invalid_token")";
}

void append_field_errors(json::Writer& writer, const std::vector<FieldError>& fields) {
  writer.key("errors").begin_array();
  for (const FieldError& field : fields) {
    writer.begin_object().member("pointer", field.pointer).member("code", field.code);
    writer.member("detail", field.message);
    if (field.column > 0) writer.member("column", field.column);
    if (field.length > 0) writer.member("length", field.length);
    if (!field.hint.empty()) writer.member("hint", field.hint);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace

int status_of(Reason reason) {
  return row_of(reason).status;
}

std::string_view title_of(Reason reason) {
  return row_of(reason).title;
}

Response problem(const Error& error, std::string_view path) {
  const ProblemRow& row = row_of(error.reason);
  const bool is_internal = error.reason == Reason::internal;
  if (is_internal) {
    log::error("request failed", {{"path", std::string(path)}, {"error", error.message}});
  }
  Response response;
  response.status = row.status;
  response.content_type = "application/problem+json";
  if (row.status == 401) {
    response.headers.push_back({"WWW-Authenticate", std::string(challenge_for(error.reason))});
  }
  if (!row.retry_after.empty()) {
    response.headers.push_back({"Retry-After", std::string(row.retry_after)});
  }

  const std::string_view code = to_string(error.reason);
  json::Writer writer(response.body);
  writer.begin_object().member("type", "/docs/errors#" + std::string(code));
  writer.member("title", row.title).member("status", row.status);
  writer.member("detail", is_internal ? "the server's log says more" : error.message);
  writer.member("instance", path).member("code", code);
  if (!is_internal && !error.fields.empty()) append_field_errors(writer, error.fields);
  if (!is_internal && !error.hint.empty()) writer.member("hint", error.hint);
  writer.end_object();
  return response;
}

}  // namespace chronos::http
