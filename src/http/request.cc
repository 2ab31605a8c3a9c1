#include "http/request.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace chronos::http {
namespace {

constexpr std::array<std::string_view, 8> kMethods = {"GET",   "HEAD",   "POST",    "PUT",
                                                      "PATCH", "DELETE", "OPTIONS", "OTHER"};

}  // namespace

std::string_view to_string(Method method) {
  return kMethods[static_cast<std::size_t>(method)];
}

Method method_from(std::string_view text) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Method::other); ++i) {
    if (text == kMethods[i]) return static_cast<Method>(i);
  }
  return Method::other;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  // Most who send them spell names as the RFCs do.
  return a == b || std::equal(a.begin(), a.end(), b.begin(),
                              [](char x, char y) { return ascii::lower(x) == ascii::lower(y); });
}

void Headers::reserve(std::size_t count, std::size_t bytes) {
  spans_.reserve(count);
  text_.reserve(bytes);
}

void Headers::add(std::string_view name, std::string_view value) {
  spans_.push_back({static_cast<std::uint32_t>(text_.size()),
                    static_cast<std::uint32_t>(name.size()),
                    static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

void Headers::clear() {
  text_.clear();
  spans_.clear();
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Span& span : spans_) {
    if (is_named(span, name)) return field(span).value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(spans_, [&](const Span& span) { return is_named(span, name); }));
}

std::optional<std::string_view> find_param(const std::vector<Param>& params,
                                           std::string_view name) {
  for (const Param& param : params) {
    if (param.name == name) return param.value;
  }
  return std::nullopt;
}

}  // namespace chronos::http
