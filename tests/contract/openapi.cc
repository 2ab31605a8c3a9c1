#include "contract/openapi.h"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <span>

#include "base/check.h"
#include "base/embedded_file.h"

namespace chronos::http {
std::span<const EmbeddedFile> openapi_files();
}  // namespace chronos::http

namespace chronos::contract {
namespace {

using json::Type;
using json::Value;

bool is_equal(const Value& a, const Value& b) {
  return a.type == b.type && a.raw == b.raw;
}

bool has_type(const Value& value, std::string_view type) {
  switch (value.type) {
    case Type::null:
      return type == "null";
    case Type::boolean:
      return type == "boolean";
    case Type::integer:
      return type == "integer" || type == "number";
    case Type::number:
      return type == "number";
    case Type::string:
      return type == "string";
    case Type::array:
      return type == "array";
    case Type::object:
      return type == "object";
  }
  return false;
}

// Checks one value by one schema, and goes down.
class Checker {
 public:
  Checker(const OpenApi& api, std::vector<std::string>& faults) : api_(api), faults_(faults) {}

  void check(const Value& schema, const Value& value, const std::string& place) {
    for (const auto& [keyword, rule] : schema.members) {
      if (keyword == "$ref") {
        check(api_.resolve(schema), value, place);
      } else if (!check_any(keyword, rule, value, place) &&
                 !check_leaf(keyword, rule, value, place) &&
                 !check_object(keyword, rule, schema, value, place)) {
        add(place, "the schema has the unknown keyword " + keyword);
      }
    }
  }

 private:
  void add(const std::string& place, const std::string& what) {
    faults_.push_back((place.empty() ? "/" : place) + ": " + what);
  }
  void expect(bool is_fine, const std::string& place, std::string_view keyword, const Value& rule) {
    if (!is_fine) add(place, fmt::format("breaks {} {}", keyword, rule.raw));
  }

  bool is_valid(const Value& schema, const Value& value) const {
    return api_.faults(schema, value).empty();
  }

  bool check_any(std::string_view keyword, const Value& rule, const Value& value,
                 const std::string& place) {
    const auto matches = [&] {
      return std::ranges::count_if(rule.elements,
                                   [&](const Value& option) { return is_valid(option, value); });
    };
    if (keyword == "anyOf") {
      expect(matches() >= 1, place, keyword, rule);
    } else if (keyword == "oneOf") {
      expect(matches() == 1, place, keyword, rule);
    } else {
      constexpr std::string_view kAnnotations[] = {"description", "default",       "examples",
                                                   "format",      "discriminator", "writeOnly"};
      return std::ranges::find(kAnnotations, keyword) != std::end(kAnnotations);
    }
    return true;
  }

  bool check_leaf(std::string_view keyword, const Value& rule, const Value& value,
                  const std::string& place) {
    const bool is_text = value.is(Type::string);
    const bool is_number = value.is(Type::integer) || value.is(Type::number);
    const bool is_array = value.is(Type::array);
    const auto size = static_cast<std::int64_t>(is_text    ? value.string.size()
                                                : is_array ? value.elements.size()
                                                           : value.members.size());
    const auto demand = [&](bool applies, bool is_fine) {
      expect(!applies || is_fine, place, keyword, rule);
      return true;
    };
    if (keyword == "type") {
      const bool is_one = rule.is(Type::string)
                              ? has_type(value, rule.string)
                              : std::ranges::any_of(rule.elements, [&](const Value& type) {
                                  return has_type(value, type.string);
                                });
      return demand(true, is_one);
    }
    if (keyword == "const") return demand(true, is_equal(rule, value));
    if (keyword == "enum") {
      return demand(true, std::ranges::any_of(rule.elements, [&](const Value& option) {
                      return is_equal(option, value);
                    }));
    }
    if (keyword == "pattern") {
      return demand(is_text, std::regex_search(value.string, std::regex(rule.string)));
    }
    if (keyword == "minLength") return demand(is_text, size >= rule.integer);
    if (keyword == "maxLength") return demand(is_text, size <= rule.integer);
    if (keyword == "minItems") return demand(is_array, size >= rule.integer);
    if (keyword == "maxItems") return demand(is_array, size <= rule.integer);
    if (keyword == "maxProperties") return demand(value.is(Type::object), size <= rule.integer);
    if (keyword == "minimum") return demand(is_number, value.number >= rule.number);
    if (keyword == "maximum") return demand(is_number, value.number <= rule.number);
    return false;
  }

  bool check_object(std::string_view keyword, const Value& rule, const Value& schema,
                    const Value& value, const std::string& place) {
    if (keyword == "items") {
      for (std::size_t i = 0; i < value.elements.size(); ++i) {
        check(rule, value.elements[i], fmt::format("{}/{}", place, i));
      }
    } else if (keyword == "properties") {
      for (const auto& [name, member] : value.members) {
        if (const auto* of_member = rule.find(name)) check(*of_member, member, place + "/" + name);
      }
    } else if (keyword == "required") {
      for (const auto& name : rule.elements) {
        const bool is_missing = value.is(Type::object) && value.find(name.string) == nullptr;
        if (is_missing) add(place, "lacks " + name.string);
      }
    } else if (keyword == "additionalProperties") {
      const auto* known = schema.find("properties");
      for (const auto& [name, member] : value.members) {
        if (known != nullptr && known->find(name) != nullptr) continue;
        if (rule.is(Type::object)) {
          check(rule, member, place + "/" + name);
        } else if (!rule.boolean) {
          add(place, "has the unknown member " + name);
        }
      }
    } else {
      return false;
    }
    return true;
  }

  const OpenApi& api_;
  std::vector<std::string>& faults_;
};

// "/api/jobs/:job_id" -> "/api/jobs/{job_id}"
std::string template_of(std::string_view pattern) {
  std::string out;
  bool is_parameter = false;
  for (const char c : pattern) {
    if (c == '/' && is_parameter) out += '}';
    if (c == '/') is_parameter = false;
    out += c == ':' ? '{' : c;
    is_parameter = is_parameter || c == ':';
  }
  return is_parameter ? out + '}' : out;
}

}  // namespace

const OpenApi& OpenApi::built_in() {
  static const OpenApi kApi(http::openapi_files().front().content);
  return kApi;
}

OpenApi::OpenApi(std::string_view text) {
  auto parsed = json::parse(text);
  CHRONOS_CHECK(parsed.has_value());
  document_ = std::move(*parsed);
}

const json::Value* OpenApi::operation(std::string_view method, std::string_view pattern) const {
  const auto* path = root().find("paths")->find(template_of(pattern));
  std::string name(method);
  std::ranges::transform(name, name.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return path == nullptr ? nullptr : path->find(name);
}

const json::Value* OpenApi::response(const json::Value& operation, int status) const {
  const auto* response = operation.find("responses")->find(fmt::to_string(status));
  return response == nullptr ? nullptr : &resolve(*response);
}

const json::Value& OpenApi::resolve(const json::Value& value) const {
  const auto* reference = value.find("$ref");
  if (reference == nullptr) return value;
  std::string_view path = reference->string;
  CHRONOS_CHECK(path.starts_with("#/"));
  const json::Value* found = &root();
  for (path.remove_prefix(1); !path.empty();) {
    path.remove_prefix(1);
    const auto name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    found = found->find(name);
    CHRONOS_CHECK(found != nullptr);
  }
  return resolve(*found);
}

const json::Value& OpenApi::schema(std::string_view name) const {
  const auto* found = root().find("components")->find("schemas")->find(name);
  CHRONOS_CHECK(found != nullptr);
  return *found;
}

std::vector<std::string> OpenApi::property_names(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& member : schema(name).find("properties")->members) names.push_back(member.name);
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> OpenApi::faults(const json::Value& schema,
                                         const json::Value& value) const {
  std::vector<std::string> faults;
  Checker(*this, faults).check(schema, value, "");
  return faults;
}

}  // namespace chronos::contract
