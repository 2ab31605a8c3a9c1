// The `command` action as a value, read from its JSON (product.md §6). Pure. The command executor
// calls; immutable once read.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace chronos::executor {

struct CommandAction {
  std::vector<std::string> argv;  // never empty; no NUL in any
  std::map<std::string, std::string> env;
  std::optional<std::string> cwd;         // absolute; none = the server's own
  std::optional<std::string> stdin_text;  // none = the payload
  bool shell = false;                     // argv is one text for /bin/sh -c
};

// Everything wrong with `config` is told at once; pointers start at "/action".
Result<CommandAction> parse_command_action(const json::Value& config);

}  // namespace chronos::executor
