// Result<T>: what an operation that can fail returns. Every module uses it; exceptions do not cross
// a module boundary (ARCHITECTURE.md, "Errors"). Plain values, immutable once made.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chronos {

// The closed list of error families. Only `unavailable` and `timeout` may be retried as they are.
enum class ErrorCode {
  invalid_argument,
  unauthenticated,
  permission_denied,
  not_found,
  already_exists,
  conflict,
  limit_exceeded,
  unavailable,
  timeout,
  internal,
};

// The closed list of public problem codes (`code` in an RFC 9457 problem document). Each belongs to
// one family; `family()` knows which. http/problem.cc maps each to its HTTP status.
enum class Reason {
  bad_request,
  bad_json,
  bad_encoding,
  too_deep,
  invalid_fields,
  not_supported_yet,
  schedule_never_fires,
  idempotency_key_reused,
  body_too_large,
  unsupported_media_type,
  headers_too_large,
  uri_too_long,
  request_timeout,
  missing_key,
  invalid_key,
  expired_key,
  revoked_key,
  role_too_low,
  cross_site,
  not_found,
  method_not_allowed,
  key_taken,
  unique_taken,
  state_conflict,
  version_mismatch,
  idempotency_in_flight,
  lease_lost,
  too_many_requests,
  store_full,
  unknown_commit,
  overloaded,
  shutting_down,
  store_unavailable,
  timeout,
  internal,
};

ErrorCode family(Reason reason);
std::string_view to_string(Reason reason);
std::string_view to_string(ErrorCode code);

// What is wrong with one field of the input.
struct FieldError {
  std::string pointer;  // RFC 6901 JSON pointer such as "/action/url"; "" = the whole document
  std::string code;     // such as "out_of_range"
  std::string message;  // lower case: what is wrong and what would be right
  std::string hint;     // what to write instead; may be empty
  int column = 0;       // 1-based, in code points of the field's text; 0 = not known
  int length = 0;       // code points from `column`; 0 = not known

  bool operator==(const FieldError&) const = default;
};

struct [[nodiscard]] Error {
  Reason reason = Reason::internal;
  std::string message;             // lower case: what was wrong and what would be right
  std::string hint;                // may be empty
  std::vector<FieldError> fields;  // empty unless the input was at fault

  ErrorCode code() const { return family(reason); }
};

template <class T>
using Result = std::expected<T, Error>;

// `return fail(Reason::not_found, "no job has this id");`
inline std::unexpected<Error> fail(Reason reason, std::string message, std::string hint = {}) {
  return std::unexpected(Error{reason, std::move(message), std::move(hint), {}});
}

// A change was made of a version of `what` ("job") that is no longer the current one.
inline std::unexpected<Error> changed_meanwhile(std::string_view what) {
  return fail(Reason::version_mismatch,
              "the " + std::string(what) + " was changed meanwhile: read it again");
}

// One field is at fault: `return fail_field("/cron", "out_of_range", "24 is outside 0-23");`
inline std::unexpected<Error> fail_field(std::string pointer, std::string code, std::string message,
                                         std::string hint = {}) {
  Error error{Reason::invalid_fields, message, hint, {}};
  error.fields.push_back(
      {std::move(pointer), std::move(code), std::move(message), std::move(hint), 0, 0});
  return std::unexpected(std::move(error));
}

}  // namespace chronos

#define CHRONOS_CONCAT_INNER(a, b) a##b
#define CHRONOS_CONCAT(a, b) CHRONOS_CONCAT_INNER(a, b)

// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses

// `CHRONOS_TRY(auto job, store.get(id));` declares job, or returns the error. For synchronous code.
#define CHRONOS_TRY(declaration, expression) \
  CHRONOS_TRY_IMPL(CHRONOS_CONCAT(chronos_try_, __LINE__), declaration, expression)
#define CHRONOS_TRY_IMPL(name, declaration, expression)       \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  declaration = std::move(*name)

// The same for a Result<void>: `CHRONOS_TRY_VOID(validate(spec));`
#define CHRONOS_TRY_VOID(expression)                           \
  if (auto chronos_try_void = (expression); !chronos_try_void) \
  return std::unexpected(std::move(chronos_try_void).error())

// NOLINTEND(bugprone-macro-parentheses)
