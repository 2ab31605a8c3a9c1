// config show, config check.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "cli/commands.h"
#include "cli/safe_text.h"
#include "cli/server_settings.h"

namespace chronos::cli {
namespace {

struct ShowFlags {
  SettingFlags settings;
  bool origin = false;
  bool changed = false;
};

void print_settings_json(Session& session, const std::vector<app::SettingInForce>& settings) {
  std::string text;
  json::Writer writer(text);
  writer.begin_array();
  for (const auto& setting : settings) {
    writer.begin_object().member("name", setting.name).member("value", setting.value);
    writer.member("origin", setting.origin).end_object();
  }
  writer.end_array();
  print_json(session.terminal, text);
}

int show(Session& session, const ShowFlags& flags) {
  auto loaded = load_settings(session, flags.settings);
  if (!loaded) return print_config_error(session, loaded.error());
  auto& settings = loaded->settings;
  if (flags.changed)
    std::erase_if(settings, [](const auto& setting) { return setting.is_default; });
  if (session.flags.json) {
    print_settings_json(session, settings);
    return kOk;
  }
  std::size_t width = 0;
  for (auto& setting : settings) {
    width = std::max(width, width_of(setting.name) + 3 + width_of(safe_line(setting.value)));
  }
  for (const auto& setting : settings) {
    auto line = fmt::format("{} = {}", setting.name, safe_line(setting.value));
    if (flags.origin) {
      line.append(width - std::min(width, width_of(line)), ' ');
      line += "  # " + safe_line(setting.origin);
    }
    session.terminal.out << line << '\n';
  }
  return kOk;
}

int check(Session& session, const SettingFlags& flags) {
  const auto loaded = load_settings(session, flags);
  if (!loaded) return print_config_error(session, loaded.error());
  for (const auto& warning : loaded->warnings) print_warning(session.terminal, warning);
  const auto changed =
      std::ranges::count_if(loaded->settings, [](const auto& s) { return !s.is_default; });
  session.terminal.out << fmt::format(
      "the configuration is right: {} of {} settings differ from their defaults{}\n", changed,
      loaded->settings.size(),
      loaded->file.empty() ? " (no file)" : fmt::format(" ({})", safe_line(loaded->file)));
  return kOk;
}

}  // namespace

Action declare_config_show(Arguments& arguments) {
  auto flags = std::make_unique<ShowFlags>();
  arguments.toggle({"--origin", "", "where each value comes from"}, flags->origin);
  arguments.toggle({"--changed", "", "only what is not the default"}, flags->changed);
  declare_settings(arguments, flags->settings);
  return [flags = std::move(flags)](Session& session) { return show(session, *flags); };
}

Action declare_config_check(Arguments& arguments) {
  auto flags = std::make_unique<SettingFlags>();
  declare_settings(arguments, *flags);
  return [flags = std::move(flags)](Session& session) { return check(session, *flags); };
}

}  // namespace chronos::cli
