#include "executor/command_action.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/fields.h"

namespace chronos::executor {
namespace {

using fields::Field;
using fields::Length;
using fields::Place;
using fields::row;

// The kernel refuses one argument or variable of more than 128 KiB (execve(2), MAX_ARG_STRLEN,
// the NUL at its end included).
constexpr std::size_t kArgumentMax = 128uz * 1024 - 1;

// The first word names the program and cannot be empty; the others may be anything.
void read_argv(const json::Value& value, CommandAction& action, const Place& place) {
  action.argv.clear();
  if (value.is(json::Type::null)) return;
  if (!value.is(json::Type::array)) {
    return place.refuse("wrong_type",
                        fmt::format("expected array, found {}", json::to_string(value.type)),
                        R"(one string for each word: ["/bin/echo", "hello"])");
  }
  if (value.elements.empty()) return place.refuse("too_short", "must name a program");
  for (std::size_t i = 0; i < value.elements.size(); ++i) {
    const auto& element = value.elements[i];
    const auto here = place.at(i);
    if (!here.expect(element, json::Type::string)) continue;
    Length{i == 0 ? 1U : 0U, kArgumentMax}.check(element.string, here);
    action.argv.push_back(element.string);
  }
}

struct Directory {
  void check(const std::optional<std::string>& cwd, const Place& place) const {
    if (!cwd) return;
    Length{1, 4095}.check(*cwd, place);
    if (!cwd->empty() && !cwd->starts_with('/')) {
      place.refuse("not_absolute", "must be an absolute path, starting with '/'");
    }
  }
};

bool is_variable_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f' && c != '='; });
}

void check_variable(std::string_view name, const std::string& value, const Place& place) {
  if (!is_variable_name(name)) {
    return place.refuse("bad_name",
                        "the name of a variable must be visible ASCII characters without '='");
  }
  if (name.starts_with("CHRONOS_")) {
    return place.refuse("reserved_name", "names that start with CHRONOS_ are set by the server",
                        "choose another name");
  }
  if (value.find('\0') != std::string::npos) {
    place.refuse("bad_character", "must not contain a NUL character");
  } else if (name.size() + 1 + value.size() > kArgumentMax) {
    place.refuse("too_long",
                 fmt::format("name and value together may have {} bytes", kArgumentMax));
  }
}

void read_env(const json::Value& value, CommandAction& action, const Place& place) {
  action.env.clear();
  if (value.is(json::Type::null) || !place.expect(value, json::Type::object)) return;
  for (const auto& [name, member] : value.members) {
    const auto here = place.at(name);
    if (!here.expect(member, json::Type::string)) continue;
    check_variable(name, member.string, here);
    action.env.emplace(name, member.string);
  }
}

// The kind chose this executor; there is nothing left to read.
void read_kind(const json::Value&, CommandAction&, const Place&) {}

constexpr std::array kCommandFields{
    Field<CommandAction>{"kind", read_kind, nullptr},
    Field<CommandAction>{"argv", read_argv, nullptr},
    Field<CommandAction>{"env", read_env, nullptr},
    row<&CommandAction::cwd, Directory{}>("cwd"),
    row<&CommandAction::stdin_text>("stdin"),
    row<&CommandAction::shell>("shell"),
};

}  // namespace

Result<CommandAction> parse_command_action(const json::Value& config) {
  std::vector<FieldError> problems;
  const Place place(problems, "/action");
  CommandAction action;
  fields::read_object(std::span<const Field<CommandAction>>(kCommandFields), config, action, place);
  if (problems.empty() && action.argv.empty()) {
    place.at("argv").refuse("required", "is required", R"(["/bin/echo", "hello"])");
  }
  if (problems.empty() && action.shell && action.argv.size() != 1) {
    place.at("argv").refuse("too_many",
                            "with \"shell\": true the command is one text for /bin/sh -c",
                            "write one string, or leave out \"shell\"");
  }
  if (problems.empty()) return action;
  Error error{Reason::invalid_fields, problems.front().message, problems.front().hint, {}};
  error.fields = std::move(problems);
  return std::unexpected(std::move(error));
}

}  // namespace chronos::executor
