#include "http/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/ascii.h"
#include "base/crypto.h"
#include "http/query.h"

namespace chronos::http {
namespace {

constexpr std::size_t kIdempotencyKeyMax = 255;

// The first piece of `rest` up to `separator`, which is taken off.
std::string_view take_piece(std::string_view& rest, char separator) {
  const auto piece = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
  return ascii::trimmed(piece);
}

// The value of a header that may be there once.
Result<std::optional<std::string_view>> single(const Headers& headers, std::string_view name) {
  if (headers.count(name) > 1) {
    return fail(Reason::bad_request, fmt::format("the header {} may be given once", name));
  }
  return headers.find(name);
}

Result<std::string> read_idempotency_key(const Headers& headers) {
  CHRONOS_TRY(const auto header, single(headers, "Idempotency-Key"));
  if (!header) return std::string();
  auto key = ascii::trimmed(*header);
  if (key.size() >= 2 && key.starts_with('"') && key.ends_with('"')) {
    key = key.substr(1, key.size() - 2);
  }
  const bool is_clean = std::ranges::all_of(
      key, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
  if (key.empty() || key.size() > kIdempotencyKeyMax || !is_clean) {
    return fail(Reason::bad_request,
                fmt::format("the Idempotency-Key must be 1-{} visible ASCII characters",
                            kIdempotencyKeyMax),
                "a UUID is a good one");
  }
  return std::string(key);
}

// The version an entity-tag of ours names; -1, which nothing has, for any other tag.
std::int64_t version_of(std::string_view tag) {
  constexpr std::int64_t kNone = -1;
  if (!tag.starts_with("\"v") || !tag.ends_with('"') || tag.size() < 4) return kNone;
  const auto digits = tag.substr(2, tag.size() - 3);
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), version);
  const bool is_number = error == std::errc() && end == digits.end() && digits.front() != '0';
  return is_number && version > 0 ? version : kNone;
}

// Versions only grow, so of several tags only the highest can still match. A weak tag never does.
std::optional<std::int64_t> read_if_match(const Headers& headers) {
  std::optional<std::int64_t> version;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!equal_ignoring_case(headers[i].name, "If-Match")) continue;
    auto rest = headers[i].value;
    if (ascii::trimmed(rest) == "*") continue;
    do {
      version = std::max(version.value_or(-1), version_of(take_piece(rest, ',')));
    } while (!rest.empty());
  }
  return version;
}

}  // namespace

std::string_view Call::path_param(std::string_view name) const {
  return find_param(request_.path_params, name).value_or("");
}

Result<std::string> Call::media_type() const {
  CHRONOS_TRY(const auto header, single(request_.headers, "Content-Type"));
  if (!header) return std::string();
  auto rest = *header;
  auto type = ascii::lower_case(take_piece(rest, ';'));
  while (!rest.empty()) {
    const auto parameter = ascii::lower_case(take_piece(rest, ';'));
    const bool is_utf8 = parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"";
    if (is_utf8 || !parameter.starts_with("charset=")) continue;
    return fail(Reason::unsupported_media_type, "the body must be UTF-8");
  }
  return type;
}

Result<json::Document> Call::body() const {
  CHRONOS_TRY(const auto type, media_type());
  if (type != "application/json" && (!type.empty() || !request_.body.empty())) {
    return fail(Reason::unsupported_media_type, "the body must be JSON",
                "send the header 'Content-Type: application/json'");
  }
  if (request_.body.empty()) return fail(Reason::bad_json, "the body is missing: send JSON");
  return json::parse(request_.body);
}

Result<json::Document> Call::body_or_empty() const {
  return request_.body.empty() ? json::parse("{}") : body();
}

Result<void> Call::expect_no_body() const {
  CHRONOS_TRY(const auto document, body_or_empty());
  const auto& root = document.root();
  if (root.is(json::Type::object) && root.members.empty()) return {};
  const auto pointer =
      root.is(json::Type::object) ? json::pointer_to("", root.members.front().name) : "";
  return fail_field(pointer, "unknown_field", "this takes no body");
}

Result<void> Call::expect_no_query() const {
  return Query(request_).finish();
}

Result<service::RequestFacts> Call::facts() const {
  service::RequestFacts facts;
  CHRONOS_TRY(facts.idempotency_key, read_idempotency_key(request_.headers));
  if (!facts.idempotency_key.empty()) {
    facts.fingerprint = sha256(
        fmt::format("{} {}\n{}", to_string(request_.method), request_.path(), request_.body));
  }
  facts.if_version = read_if_match(request_.headers);
  return facts;
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response with_replay(Response response, bool is_replay) {
  if (is_replay) response.headers.push_back({"Idempotent-Replayed", "true"});
  return response;
}

}  // namespace chronos::http
