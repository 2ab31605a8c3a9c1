#include "app/settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace chronos::app {
namespace {

TEST(Settings, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const auto& setting : settings()) {
    EXPECT_TRUE(names.insert(std::string(setting.name)).second) << setting.name;
    if (!setting.flag.empty()) {
      EXPECT_TRUE(setting.flag.starts_with("--")) << setting.name;
      EXPECT_TRUE(names.insert(std::string(setting.flag)).second) << setting.flag;
    }
    if (const auto variable = variable_of(setting); !variable.empty()) {
      EXPECT_TRUE(names.insert(variable).second) << variable;
      if (setting.is_secret) {
        EXPECT_TRUE(names.insert(variable + "_FILE").second) << variable;
      }
    }
  }
  // The command line's own variables are no settings.
  for (const char* other : {"CHRONOS_URL", "CHRONOS_API_KEY", "CHRONOS_KEY_FILE", "CHRONOS_CONFIG",
                            "CHRONOS_CA_FILE"}) {
    EXPECT_FALSE(names.contains(other)) << other;
  }
}

TEST(Settings, VariablesAreNamedAfterThem) {
  const auto named = [](std::string_view name) {
    return variable_of(*std::ranges::find(settings(), name, &Setting::name));
  };
  EXPECT_EQ(named("server.tls_cert_file"), "CHRONOS_SERVER_TLS_CERT_FILE");
  EXPECT_EQ(named("data_dir"), "CHRONOS_DATA_DIR");
  EXPECT_EQ(named("queues.NAME.concurrency"), "");
}

// A default is accepted by its own setting: the struct's initialisers and the bounds agree.
TEST(Settings, AcceptTheirDefaults) {
  for (const auto& setting : settings()) {
    auto text = default_of(setting);
    if (text.empty()) continue;
    const bool is_list = text.starts_with('[');
    std::erase_if(text, [](char c) { return c == '"' || c == '[' || c == ']'; });
    Config config;
    const auto read = setting.read({Given::Form::text, text, {}}, config, "NAME");
    EXPECT_TRUE(read) << setting.name << ": " << read.error().message;
    EXPECT_EQ(is_list, setting.form.starts_with("list")) << setting.name;
  }
}

TEST(Settings, DocumentHasExactlyTheTable) {
  std::ifstream file(CHRONOS_SOURCE_DIR "/docs/configuration.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto begin = text.find("| Setting |");
  ASSERT_NE(begin, std::string::npos);
  const auto end = text.find("\n\n", begin);
  EXPECT_EQ(text.substr(begin, end + 1 - begin), settings_as_markdown());
}

}  // namespace
}  // namespace chronos::app
