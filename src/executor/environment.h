// The environment of an attempt's command. The command executor and the search for its processes
// use it. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "executor/command_action.h"
#include "executor/executor.h"
#include "executor/processes.h"

namespace chronos::executor {

// "CHRONOS_SERVER_ID=…": in the environment of all that the server of this id starts.
std::string server_mark(std::string_view server_id);

// What tells the processes of one attempt from all others.
Marks attempt_marks(const Launch& launch, std::string_view server_id);

// "NAME=value" entries: the marks first, the rest of CHRONOS_*, PATH, and what the action names (a
// PATH of its own replaces `path`).
std::vector<std::string> make_environment(const Launch& launch, const CommandAction& action,
                                          std::string_view server_id, std::string_view path);

}  // namespace chronos::executor
