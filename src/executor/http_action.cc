#include "executor/http_action.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/fields.h"
#include "base/nearest.h"
#include "net/url.h"

namespace chronos::executor {
namespace {

using fields::Field;
using fields::Place;
using fields::row;

constexpr std::size_t kHeadersMax = 64;
constexpr std::size_t kHeaderBytesMax = 8192;  // of one name and value
constexpr std::string_view kMethods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                         "PATCH", "DELETE", "OPTIONS"};

// They frame the message or belong to the connection (RFC 9110 §7.6.1), which is not the job's.
constexpr std::string_view kConnectionHeaders[] = {"Host",
                                                   "Content-Length",
                                                   "Transfer-Encoding",
                                                   "Connection",
                                                   "Keep-Alive",
                                                   "TE",
                                                   "Trailer",
                                                   "Upgrade",
                                                   "Expect",
                                                   "Proxy-Connection",
                                                   "Proxy-Authorization",
                                                   "Proxy-Authenticate"};
constexpr std::string_view kOwnPrefixes[] = {"chronos-", "webhook-"};

void read_url(const json::Value& value, HttpAction& action, const Place& place) {
  if (!place.expect(value, json::Type::string)) return;
  auto url = net::parse_url(value.string);
  if (!url) return place.refuse(url.error());
  action.url = std::move(url->text);
  action.host = std::move(url->host);
  action.port = url->port;
}

struct Method {
  void check(const std::string& method, const Place& place) const {
    if (std::ranges::find(kMethods, method) != std::end(kMethods)) return;
    const auto nearest = nearest_name(method, kMethods);
    place.refuse("unknown_value",
                 fmt::format("'{}' is not one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
                             std::string_view(method).substr(0, 64)),
                 nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest));
  }
};

void check_header(std::string_view name, std::string_view value, const Place& place) {
  const auto lower = ascii::lower_case(name);
  const auto is_this = [&](std::string_view other) { return net::is_same_header(name, other); };
  const auto is_prefix = [&](std::string_view prefix) { return lower.starts_with(prefix); };
  if (!net::is_token(name)) {
    return place.refuse("bad_name", "the name of a header has letters, digits and !#$%&'*+-.^_`|~");
  }
  if (std::ranges::any_of(kConnectionHeaders, is_this)) {
    return place.refuse("reserved_name", "this header belongs to the connection");
  }
  if (is_this("Idempotency-Key") || std::ranges::any_of(kOwnPrefixes, is_prefix)) {
    return place.refuse("reserved_name", "this header is set by the server",
                        is_this("Idempotency-Key") ? "it is the run's id" : "choose another name");
  }
  if (name.size() + value.size() > kHeaderBytesMax) {
    return place.refuse("too_long",
                        fmt::format("name and value together may have {} bytes", kHeaderBytesMax));
  }
  if (!net::is_field_value(value)) {
    place.refuse("bad_character",
                 "a header's value must not contain control characters (CR, LF, NUL), nor start or "
                 "end with a blank");
  }
}

void read_headers(const json::Value& value, HttpAction& action, const Place& place) {
  action.headers.clear();
  if (value.is(json::Type::null) || !place.expect(value, json::Type::object)) return;
  if (value.members.size() > kHeadersMax) {
    return place.refuse("too_many", fmt::format("at most {} headers are allowed", kHeadersMax));
  }
  for (const auto& [name, member] : value.members) {
    const auto here = place.at(name);
    if (!here.expect(member, json::Type::string)) continue;
    check_header(name, member.string, here);
    if (net::find_header(action.headers, name)) {
      here.refuse("duplicate", "this header stands twice; names are compared without case");
    }
    action.headers.push_back({name, member.string});
  }
}

void read_body(const json::Value& value, HttpAction& action, const Place&) {
  if (value.is(json::Type::null)) return;
  const bool is_text = value.is(json::Type::string);
  action.body = is_text ? value.string : std::string(value.raw);
  action.content_type = is_text ? "text/plain; charset=utf-8" : "application/json";
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "204" or "2xx".
std::optional<ExpectedStatus::Range> parse_range(std::string_view text) {
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return std::nullopt;
  const int hundreds = (text[0] - '0') * 100;
  if (text.substr(1) == "xx" || text.substr(1) == "XX") return {{hundreds, hundreds + 99}};
  if (!ascii::is_digit(text[1]) || !ascii::is_digit(text[2])) return std::nullopt;
  const int status = hundreds + (text[1] - '0') * 10 + (text[2] - '0');
  return {{status, status}};
}

void add_statuses(std::string_view list, ExpectedStatus& expect, const Place& place) {
  while (true) {
    const auto comma = list.find(',');
    const auto word = trimmed(list.substr(0, comma));
    const auto range = parse_range(word);
    if (!range) {
      return place.refuse("bad_status", fmt::format("'{}' is not a status", word.substr(0, 32)),
                          R"(write "200", "2xx" or "200,201,3xx")");
    }
    expect.ranges.push_back(*range);
    expect.text += fmt::format("{}{}", expect.text.empty() ? "" : ",", word);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

void read_status(const json::Value& value, ExpectedStatus& expect, const Place& place) {
  if (value.is(json::Type::null)) return;
  expect = {{}, {}};
  const auto add = [&](const json::Value& one, const Place& here) {
    if (one.is(json::Type::integer)) {
      add_statuses(one.raw, expect, here);
    } else if (here.expect(one, json::Type::string)) {
      add_statuses(one.string, expect, here);
    }
  };
  if (!value.is(json::Type::array)) return add(value, place);
  if (value.elements.empty()) return place.refuse("too_short", "must name at least one status");
  for (std::size_t i = 0; i < value.elements.size(); ++i) add(value.elements[i], place.at(i));
}

constexpr std::array<Field<ExpectedStatus>, 1> kExpectFields = {{{"status", read_status, nullptr}}};

void read_expect(const json::Value& value, HttpAction& action, const Place& place) {
  if (value.is(json::Type::null)) return;
  fields::read_object(std::span<const Field<ExpectedStatus>>(kExpectFields), value, action.expect,
                      place);
}

void read_kind(const json::Value&, HttpAction&, const Place&) {}  // the list of kinds checked it

const std::array kHttpFields = {
    Field<HttpAction>{"kind", read_kind, nullptr},
    Field<HttpAction>{"url", read_url, nullptr},
    row<&HttpAction::method, Method{}>("method"),
    Field<HttpAction>{"headers", read_headers, nullptr},
    Field<HttpAction>{"body", read_body, nullptr},
    Field<HttpAction>{"expect", read_expect, nullptr},
    row<&HttpAction::follow_redirects>("follow_redirects"),
};

}  // namespace

bool ExpectedStatus::accepts(int status) const {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return status >= range.low && status <= range.high; });
}

Result<HttpAction> parse_http_action(const json::Value& config) {
  std::vector<FieldError> problems;
  const Place place(problems, "/action");
  HttpAction action;
  fields::read_object(std::span<const Field<HttpAction>>(kHttpFields), config, action, place);
  if (config.is(json::Type::object) && config.find("url") == nullptr) {
    place.at("url").refuse("required", "must be given: where to send the request");
  }
  if (action.method == "HEAD" && action.body) {
    place.at("body").refuse("not_allowed", "a HEAD request has no body");
  }
  if (problems.empty()) return action;
  Error error{Reason::invalid_fields, problems.front().message, problems.front().hint, {}};
  error.fields = std::move(problems);
  return std::unexpected(std::move(error));
}

}  // namespace chronos::executor
