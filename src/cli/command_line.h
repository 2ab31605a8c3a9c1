// From the words of a command line to the command to run: tables of commands, their flags, help.
// The only file (.cc) behind which CLI11 stands. One thread.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "cli/session.h"

namespace chronos::cli {

// What a command does once its flags are read; answers the exit code.
using Action = std::move_only_function<int(Session&)>;

struct Command {
  std::string_view name;  // "submit"; "keys list" is a command of the group "keys"
  std::string_view summary;
  Action (*declare)(Arguments& arguments);  // declares flags, answers what uses them
};

// What is to be done: an action to run, or text to print and an exit code.
struct Parsed {
  Action action;  // empty: only print
  GlobalFlags flags;
  std::string out;  // for stdout: help
  std::string err;  // for stderr: what is wrong with the command line
  int exit_code = 0;
};

// `words` without the program's name. Everything wrong is a kUsage with a message and, for a
// misspelt command, the nearest one.
Parsed parse_command_line(std::span<const Command> commands, const std::vector<std::string>& words);

}  // namespace chronos::cli
