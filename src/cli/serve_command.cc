// serve: the one command that is the server itself. Flags → Config → Daemon.
#include <unistd.h>

#include <memory>
#include <utility>

#include "app/daemon.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/server_settings.h"

namespace chronos::cli {
namespace {

log::Format format_for(app::LogFormat wanted) {
  if (wanted == app::LogFormat::json) return log::Format::json;
  const bool is_text = wanted == app::LogFormat::text || isatty(STDERR_FILENO) == 1;
  return is_text ? log::Format::text : log::Format::json;
}

int serve(Session& session, const SettingFlags& flags) {
  auto loaded = load_settings(session, flags);
  if (!loaded) return print_config_error(session, loaded.error());
  log::configure(loaded->config.log.level, format_for(loaded->config.log.format));
  for (auto& secret : loaded->secrets) log::mask_secret(std::move(secret));
  for (const auto& warning : loaded->warnings) log::warn(warning);
  auto daemon = app::Daemon::make(std::move(loaded->config));
  if (!daemon) return failed(session, daemon.error());
  if (const auto started = (*daemon)->start(); !started) return failed(session, started.error());
  (*daemon)->run_until_signal();
  return kOk;
}

}  // namespace

Action declare_serve(Arguments& arguments) {
  auto flags = std::make_unique<SettingFlags>();
  declare_settings(arguments, *flags);
  return [flags = std::move(flags)](Session& session) { return serve(session, *flags); };
}

}  // namespace chronos::cli
