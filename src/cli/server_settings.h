// The flags of `serve` and `config`: one per setting that has a flag, and --set for all others.
// Called by serve_command.cc and config_commands.cc; one thread.
#pragma once

#include <string>
#include <vector>

#include "app/config.h"
#include "cli/arguments.h"
#include "cli/session.h"

namespace chronos::cli {

// Setting by setting, as declared; addresses must stay the same until the parse.
struct SettingFlags {
  std::string file;
  std::vector<std::string> set;  // NAME=VALUE
  struct Value {
    std::string_view setting;
    std::optional<std::string> text;
    bool is_on = false;  // of a setting that is true or false
  };
  std::vector<Value> values;
};

void declare_settings(Arguments& arguments, SettingFlags& flags);

// The configuration these flags, the environment and a file make.
Result<app::LoadedConfig> load_settings(const Session& session, const SettingFlags& flags);

// Every mistake with its place and hint; answers the exit code.
int print_config_error(const Session& session, const Error& error);

}  // namespace chronos::cli
