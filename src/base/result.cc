#include "base/result.h"

#include <array>
#include <cstddef>

namespace chronos {
namespace {

struct ReasonRow {
  Reason reason;
  std::string_view name;
  ErrorCode family;
};

// THE list of public problem codes, in the order of the enum. docs/errors.md explains each.
constexpr std::array kReasons = {
    ReasonRow{Reason::bad_request, "bad_request", ErrorCode::invalid_argument},
    ReasonRow{Reason::bad_json, "bad_json", ErrorCode::invalid_argument},
    ReasonRow{Reason::bad_encoding, "bad_encoding", ErrorCode::invalid_argument},
    ReasonRow{Reason::too_deep, "too_deep", ErrorCode::invalid_argument},
    ReasonRow{Reason::invalid_fields, "invalid_fields", ErrorCode::invalid_argument},
    ReasonRow{Reason::not_supported_yet, "not_supported_yet", ErrorCode::invalid_argument},
    ReasonRow{Reason::schedule_never_fires, "schedule_never_fires", ErrorCode::invalid_argument},
    ReasonRow{Reason::idempotency_key_reused, "idempotency_key_reused",
              ErrorCode::invalid_argument},
    ReasonRow{Reason::body_too_large, "body_too_large", ErrorCode::invalid_argument},
    ReasonRow{Reason::unsupported_media_type, "unsupported_media_type",
              ErrorCode::invalid_argument},
    ReasonRow{Reason::headers_too_large, "headers_too_large", ErrorCode::invalid_argument},
    ReasonRow{Reason::uri_too_long, "uri_too_long", ErrorCode::invalid_argument},
    ReasonRow{Reason::request_timeout, "request_timeout", ErrorCode::timeout},
    ReasonRow{Reason::missing_key, "missing_key", ErrorCode::unauthenticated},
    ReasonRow{Reason::invalid_key, "invalid_key", ErrorCode::unauthenticated},
    ReasonRow{Reason::expired_key, "expired_key", ErrorCode::unauthenticated},
    ReasonRow{Reason::revoked_key, "revoked_key", ErrorCode::unauthenticated},
    ReasonRow{Reason::role_too_low, "role_too_low", ErrorCode::permission_denied},
    ReasonRow{Reason::cross_site, "cross_site", ErrorCode::permission_denied},
    ReasonRow{Reason::not_found, "not_found", ErrorCode::not_found},
    ReasonRow{Reason::method_not_allowed, "method_not_allowed", ErrorCode::not_found},
    ReasonRow{Reason::key_taken, "key_taken", ErrorCode::already_exists},
    ReasonRow{Reason::unique_taken, "unique_taken", ErrorCode::already_exists},
    ReasonRow{Reason::state_conflict, "state_conflict", ErrorCode::conflict},
    ReasonRow{Reason::version_mismatch, "version_mismatch", ErrorCode::conflict},
    ReasonRow{Reason::idempotency_in_flight, "idempotency_in_flight", ErrorCode::conflict},
    ReasonRow{Reason::lease_lost, "lease_lost", ErrorCode::conflict},
    ReasonRow{Reason::too_many_requests, "too_many_requests", ErrorCode::limit_exceeded},
    ReasonRow{Reason::store_full, "store_full", ErrorCode::limit_exceeded},
    ReasonRow{Reason::unknown_commit, "unknown_commit", ErrorCode::unavailable},
    ReasonRow{Reason::overloaded, "overloaded", ErrorCode::unavailable},
    ReasonRow{Reason::shutting_down, "shutting_down", ErrorCode::unavailable},
    ReasonRow{Reason::store_unavailable, "store_unavailable", ErrorCode::unavailable},
    ReasonRow{Reason::timeout, "timeout", ErrorCode::timeout},
    ReasonRow{Reason::internal, "internal", ErrorCode::internal},
};

consteval bool in_enum_order() {
  for (std::size_t i = 0; i < kReasons.size(); ++i) {
    if (static_cast<std::size_t>(kReasons[i].reason) != i) return false;
  }
  return kReasons.size() == static_cast<std::size_t>(Reason::internal) + 1;
}
static_assert(in_enum_order());

constexpr std::array<std::string_view, 10> kFamilies = {
    "invalid_argument", "unauthenticated", "permission_denied", "not_found", "already_exists",
    "conflict",         "limit_exceeded",  "unavailable",       "timeout",   "internal"};

}  // namespace

ErrorCode family(Reason reason) {
  return kReasons[static_cast<std::size_t>(reason)].family;
}

std::string_view to_string(Reason reason) {
  return kReasons[static_cast<std::size_t>(reason)].name;
}

std::string_view to_string(ErrorCode code) {
  return kFamilies[static_cast<std::size_t>(code)];
}

}  // namespace chronos
