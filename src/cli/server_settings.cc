#include "cli/server_settings.h"

#include <fmt/format.h>

#include "cli/safe_text.h"

namespace chronos::cli {

void declare_settings(Arguments& arguments, SettingFlags& flags) {
  arguments.heading("Settings (docs/configuration.md has all)");
  arguments.text({"--config", "PATH", "TOML file (CHRONOS_CONFIG)"}, flags.file);
  arguments.list({"--set", "NAME=VALUE", "any setting, such as server.threads=4; may be repeated"},
                 flags.set);
  const auto table = app::setting_flags();
  flags.values.resize(table.size());  // never again: the addresses below must stay
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto& row = table[i];
    auto& value = flags.values[i];
    value.setting = row.setting;
    if (row.flag == "--data-dir") continue;  // a flag of every command
    if (row.takes_value) {
      arguments.text({row.flag, "VALUE", row.description}, value.text);
    } else {
      arguments.toggle({row.flag, "", row.description}, value.is_on);
    }
  }
}

Result<app::LoadedConfig> load_settings(const Session& session, const SettingFlags& flags) {
  app::ConfigSources sources;
  sources.environment = session.environment;
  if (!flags.file.empty()) sources.file = flags.file;
  for (const auto& text : flags.set) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) {
      return fail(Reason::bad_request, fmt::format("--set '{}' has no '='", text),
                  "--set NAME=VALUE");
    }
    sources.flags.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (!session.flags.data_dir.empty()) {
    sources.flags.emplace_back("data_dir", session.flags.data_dir);
  }
  for (const auto& value : flags.values) {
    if (value.text) sources.flags.emplace_back(value.setting, *value.text);
    if (value.is_on) sources.flags.emplace_back(value.setting, "true");
  }
  return app::load_config(sources);
}

int print_config_error(const Session& session, const Error& error) {
  auto& terminal = session.terminal;
  if (error.fields.empty()) {
    print_error(terminal, error);
    return kUsage;
  }
  for (const auto& field : error.fields) {
    terminal.err << colored("error:", Color::red, terminal.has_err_color) << ' '
                 << safe_line(field.message) << '\n';
    if (!field.hint.empty()) terminal.err << "  hint: " << safe_line(field.hint) << '\n';
  }
  return kUsage;
}

}  // namespace chronos::cli
