#include "http/router.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"
#include "http/token.h"

namespace chronos::http {
namespace {

// Methods a row may have, in the order of an Allow header.
constexpr std::array kRoutable = {Method::get, Method::post, Method::put, Method::patch,
                                  Method::delete_};

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

// "/a/b" -> {"a", "b"}; "/" -> {""}; the caller made sure of the first slash.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  segments.reserve(static_cast<std::size_t>(std::ranges::count(path, '/')));
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool is_unreserved(char c) {
  return ascii::is_alphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos;
}

// RFC 3986 §3.3 without pct-encoded.
bool is_path_char(char c) {
  return is_unreserved(c) || std::string_view("!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

std::optional<char> unescape(std::string_view escape) {
  if (escape.size() < 3) return std::nullopt;
  const auto high = hex_digit(escape[1]);
  const auto low = hex_digit(escape[2]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high * 16 + *low);
}

// Length of the UTF-8 sequence (RFC 3629: shortest form, no surrogates) at the start of `text`;
// 0 = there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                             : (lead & 0xf0) == 0xe0        ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
  if (lead == 0xed && byte(1) > 0x9f) return 0;  // surrogate
  if (lead == 0xf0 && byte(1) < 0x90) return 0;  // overlong
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;  // past U+10FFFF
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

// The value of a path parameter, if the segment is one in a form we accept.
std::optional<std::string> decode_segment(std::string_view segment) {
  const bool is_clean =
      std::ranges::all_of(segment, [](char c) { return c == '%' || is_path_char(c); });
  if (segment.empty() || !is_clean) return std::nullopt;
  auto value = percent_decode(segment);
  if (!value || *value == "." || *value == "..") return std::nullopt;
  const bool is_hidden_path = value->find_first_of("/\\") != std::string::npos;
  return is_hidden_path ? std::nullopt : std::optional(std::move(*value));
}

bool is_well_formed(std::string_view pattern) {
  if (!pattern.starts_with('/')) return false;
  if (pattern == "/") return true;
  return std::ranges::all_of(split(pattern), [](std::string_view segment) {
    if (segment.starts_with(':')) segment.remove_prefix(1);
    return !segment.empty() && segment != "." && segment != ".." &&
           std::ranges::all_of(segment, is_unreserved);
  });
}

}  // namespace

// One segment of the tree of patterns.
struct Router::Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;
  std::unique_ptr<Node> parameter;
  std::vector<const Route*> routes;  // those whose pattern ends here

  Node* child(std::string_view segment) {
    if (segment.starts_with(':')) {
      if (!parameter) parameter = std::make_unique<Node>();
      return parameter.get();
    }
    for (auto& [text, node] : literals) {
      if (text == segment) return node.get();
    }
    return literals.emplace_back(segment, std::make_unique<Node>()).second.get();
  }

  // The node of this path: a literal beats a parameter, segment by segment from the left.
  const Node* find(std::span<const std::string_view> path) const {
    if (path.empty()) return routes.empty() ? nullptr : this;
    for (const auto& [text, node] : literals) {
      if (text != path.front()) continue;
      if (const Node* found = node->find(path.subspan(1))) return found;
    }
    const bool fits = parameter && decode_segment(path.front()).has_value();
    return fits ? parameter->find(path.subspan(1)) : nullptr;
  }

  const Route* for_method(Method method) const {
    const Method wanted = method == Method::head ? Method::get : method;
    const auto found = std::ranges::find(routes, wanted, &Route::method);
    return found == routes.end() ? nullptr : *found;
  }

  std::string allow() const {
    std::string allow;
    for (const Method method : kRoutable) {
      if (!for_method(method)) continue;
      allow.append(allow.empty() ? "" : ", ").append(to_string(method));
      if (method == Method::get) allow.append(", HEAD");
    }
    return allow;
  }
};

Router::Router(std::vector<Route> routes, RouterOptions options)
    : routes_(std::move(routes)), options_(std::move(options)), root_(std::make_unique<Node>()) {
  for (const Route& route : routes_) {
    CHRONOS_CHECK(is_well_formed(route.pattern));
    CHRONOS_CHECK(std::ranges::find(kRoutable, route.method) != kRoutable.end());
    CHRONOS_CHECK(route.handler != nullptr);
    Node* node = root_.get();
    for (const std::string_view segment : split(route.pattern)) node = node->child(segment);
    CHRONOS_CHECK(node->for_method(route.method) == nullptr);
    node->routes.push_back(&route);
  }
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;

void Router::strip(std::string& target) const {
  const auto& base = options_.base_path;
  if (base.empty() || !target.starts_with(base)) return;
  const char next = target.size() > base.size() ? target[base.size()] : '?';
  if (next == '/') {
    target.erase(0, base.size());
  } else if (next == '?') {
    target.replace(0, base.size(), "/");
  }
}

std::expected<Router::Match, Router::Mismatch> Router::match(Method method,
                                                             std::string_view target) const {
  const std::string_view path = path_of(target);
  const auto segments = path.starts_with('/') ? split(path) : std::vector<std::string_view>();
  const Node* node = segments.empty() ? nullptr : root_->find(segments);
  const bool is_api = path == "/api" || path.starts_with("/api/");
  if (!node && options_.otherwise && is_safe(method) && !is_api && path.starts_with('/')) {
    return Match{&*options_.otherwise, {}};
  }
  if (!node) {
    return std::unexpected(Mismatch{{Reason::not_found,
                                     "no route has this path",
                                     "paths are exact: case, slashes, spelling",
                                     {}},
                                    {}});
  }
  const Route* route = node->for_method(method);
  if (!route) {
    std::string allow = node->allow();
    Error error{Reason::method_not_allowed, "this path allows " + allow, {}, {}};
    return std::unexpected(Mismatch{std::move(error), std::move(allow)});
  }
  Match match{route, {}};
  if (route->pattern.find(':') == std::string::npos) return match;
  const auto names = split(route->pattern);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].starts_with(':')) continue;
    match.path_params.push_back({std::string(names[i].substr(1)), *decode_segment(segments[i])});
  }
  return match;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto byte = unescape(text.substr(i, 3));
    if (!byte) return fail(Reason::bad_request, "% must be followed by two hexadecimal digits");
    decoded += *byte;
    i += 2;
  }
  if (decoded.find('\0') != std::string::npos) {
    return fail(Reason::bad_request, "a parameter may not contain NUL");
  }
  if (!is_utf8(decoded)) return fail(Reason::bad_encoding, "a parameter must be UTF-8");
  return decoded;
}

Result<std::vector<Param>> parse_query(std::string_view target) {
  std::vector<Param> params;
  const std::size_t mark = target.find('?');
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name(pair.substr(0, equals));
    std::string value(pair.substr(std::min(equals + 1, pair.size())));
    std::ranges::replace(name, '+', ' ');
    std::ranges::replace(value, '+', ' ');
    CHRONOS_TRY(std::string decoded_name, percent_decode(name));
    CHRONOS_TRY(std::string decoded_value, percent_decode(value));
    params.push_back({std::move(decoded_name), std::move(decoded_value)});
  }
  return params;
}

}  // namespace chronos::http
