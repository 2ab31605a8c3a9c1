// THE table of settings: name, type, default, description. One row drives parsing, the names of
// CHRONOS_* variables and flags, `config show` and the test of docs/configuration.md. To add a
// setting: a member in config.h, a row in settings.cc, a line in docs/configuration.md.
// Constant; thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/setting_types.h"

namespace chronos::app {

struct Setting {
  std::string_view name;  // "server.listen"; NAME stands for a name of the user's
  std::string_view flag;  // "--listen"; empty = only --set server.listen=…
  std::string_view description;
  std::string_view form;  // "duration", "size"…
  bool is_secret;         // masked; NAME_file and CHRONOS_…_FILE read it from a file
  // `key` is what NAME stands for, empty for settings without one. read() refuses with what would
  // be right; the message does not name the setting.
  Result<void> (*read)(const Given& given, Config& config, const std::string& key);
  std::string (*show)(const Config& config, const std::string& key);  // as TOML, secrets masked
  std::vector<std::string> (*keys)(const Config& config);  // what NAME stands for in `config`

  bool has_key() const { return name.find("NAME") != std::string_view::npos; }
};

std::span<const Setting> settings();

// "CHRONOS_SERVER_LISTEN"; empty for settings with a NAME in them.
std::string variable_of(const Setting& setting);

// The default as shown in docs/configuration.md: TOML, empty for no value.
std::string default_of(const Setting& setting);

// The settings of the table as a Markdown table, as docs/configuration.md has it.
std::string settings_as_markdown();

}  // namespace chronos::app
