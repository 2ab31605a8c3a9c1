// Any text as a configuration file, and its lines "name=value" as settings: refused with a place
// and words, or entries that lie in the text. No secret is repeated by a refusal.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/config.h"
#include "app/config_file.h"
#include "base/check.h"

namespace chronos::app {
namespace {

void try_file(std::string_view text) {
  const auto lines = 1 + std::ranges::count(text, '\n');
  const auto entries = parse_config_file(text, "some.toml");
  if (!entries) {
    CHRONOS_CHECK(!entries.error().fields.empty());
    CHRONOS_CHECK(entries.error().fields.front().message.starts_with("some.toml"));
    return;
  }
  for (const auto& entry : *entries) {
    CHRONOS_CHECK(!entry.path.empty());
    CHRONOS_CHECK(entry.line >= 1 && entry.line <= lines && entry.column >= 1);
  }
}

void try_settings(std::string_view text) {
  ConfigSources sources;
  while (!text.empty() && sources.flags.size() < 20) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto sign = line.find('=');
    if (sign == std::string_view::npos) continue;
    sources.flags.emplace_back(line.substr(0, sign), line.substr(sign + 1));
  }
  const auto loaded = load_config(sources);
  if (loaded) return;
  CHRONOS_CHECK(!loaded.error().fields.empty());
  for (const auto& field : loaded.error().fields) CHRONOS_CHECK(!field.message.empty());
}

}  // namespace
}  // namespace chronos::app

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  chronos::app::try_file(text);
  chronos::app::try_settings(text);
  return 0;
}
