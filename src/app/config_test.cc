#include "app/config.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "app/module_options.h"

namespace chronos::app {
namespace {

// Each test has an empty folder of its own as the working directory.
class ConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "chronos_config_XXXXXX";
    folder_ = mkdtemp(name.data());
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
  }
  void TearDown() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
  }

  static void write(const std::string& path, const std::string& text) {
    if (const auto parent = std::filesystem::path(path).parent_path(); !parent.empty()) {
      std::filesystem::create_directories(parent);
    }
    std::ofstream(path) << text;
  }
  static Result<LoadedConfig> load(const std::string& toml, Environment environment = {},
                                   decltype(ConfigSources::flags) flags = {}) {
    write("chronos.toml", toml);
    return load_config({std::nullopt, std::move(flags), std::move(environment)});
  }
  // The one mistake found in a file.
  static FieldError mistake(const std::string& toml, Environment environment = {},
                            decltype(ConfigSources::flags) flags = {}) {
    const auto loaded = load(toml, std::move(environment), std::move(flags));
    if (loaded) return {"none", "none", "nothing was refused", {}, 0, 0};
    EXPECT_EQ(loaded.error().reason, Reason::invalid_fields);
    EXPECT_EQ(loaded.error().fields.size(), 1u);
    return loaded.error().fields.at(0);
  }
  static SettingInForce shown(const LoadedConfig& loaded, std::string_view name) {
    const auto found = std::ranges::find(loaded.settings, name, &SettingInForce::name);
    return found == loaded.settings.end() ? SettingInForce{} : *found;
  }

  std::filesystem::path folder_;
  std::filesystem::path before_;
};

TEST_F(ConfigTest, NothingGivenIsEnough) {
  const auto loaded = load_config({});
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto& config = loaded->config;
  EXPECT_EQ(config.server.listen, std::vector<std::string>{"127.0.0.1:8086"});
  EXPECT_EQ(config.data_dir, "./chronos-data");
  EXPECT_EQ(config.store.url, "sqlite:./chronos-data/chronos.db");
  EXPECT_FALSE(config.commands.allow);
  EXPECT_EQ(config.smtp.port, 587);
  EXPECT_EQ(loaded->file, "");
  EXPECT_TRUE(loaded->warnings.empty());
  EXPECT_TRUE(std::ranges::all_of(loaded->settings, &SettingInForce::is_default));
}

TEST_F(ConfigTest, ReadsEveryKindOfValueFromTheFile) {
  const auto loaded = load(R"(
data_dir = "/srv/chronos"
[server]
listen = ["127.0.0.1:1", "[::1]:2"]
body_max = "2MiB"
drain_timeout = "1m"
threads = 4
[commands]
allow = true
[http]
egress = "public"
[queues.reports]
concurrency = 3
[queues.idle]
[smtp]
host = "mail.example.com"
tls = "tls"
from = "Chronos <c@example.com>"
[notify]
on_failure = ["ops@example.com"]
[channels."team.chat"]
kind = "webhook"
url = "https://hooks.example.com/1"
[projects.billing]
signing_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[log]
level = "debug"
format = "json"
)");
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto& config = loaded->config;
  EXPECT_EQ(config.server.listen.size(), 2u);
  EXPECT_EQ(config.server.body_max, 2 * kMiB);
  EXPECT_EQ(config.server.drain_timeout, std::chrono::minutes(1));
  EXPECT_EQ(config.server.threads, 4);
  EXPECT_TRUE(config.commands.allow);
  EXPECT_EQ(config.http.egress, net::EgressMode::public_);
  EXPECT_EQ(config.queues.at("reports").concurrency, 3);
  EXPECT_EQ(config.smtp.port, 465);
  EXPECT_EQ(config.notify.on_failure, std::vector<std::string>{"ops@example.com"});
  EXPECT_EQ(config.channels.at("team.chat").url, "https://hooks.example.com/1");
  EXPECT_EQ(config.projects.at("billing").signing_secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(config.log.level, log::Level::debug);
  EXPECT_EQ(config.log.format, LogFormat::json);
  EXPECT_EQ(config.store.url, "sqlite:/srv/chronos/chronos.db");
  EXPECT_EQ(loaded->file, "chronos.toml");
}

TEST_F(ConfigTest, FlagsBeatVariablesBeatFileBeatsDefaults) {
  const std::string toml = "[server]\nthreads = 3\n";
  EXPECT_EQ(load("")->config.server.threads, ServerConfig{}.threads);
  EXPECT_EQ(load(toml)->config.server.threads, 3);
  EXPECT_EQ(load(toml, {{"CHRONOS_SERVER_THREADS", "5"}})->config.server.threads, 5);
  const auto loaded = load(toml, {{"CHRONOS_SERVER_THREADS", "5"}}, {{"server.threads", "7"}});
  EXPECT_EQ(loaded->config.server.threads, 7);
}

TEST_F(ConfigTest, ShowsWhereEachValueComesFrom) {
  const auto loaded =
      load("[server]\nthreads = 3\nidle_timeout = \"90s\"\n[queues.a]\nconcurrency = 1\n",
           {{"CHRONOS_SERVER_THREADS", "5"}}, {{"log.level", "warn"}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(shown(*loaded, "server.threads").origin, "CHRONOS_SERVER_THREADS");
  EXPECT_EQ(shown(*loaded, "server.idle_timeout").origin, "chronos.toml:3");
  EXPECT_EQ(shown(*loaded, "server.idle_timeout").value, "\"1m30s\"");
  EXPECT_EQ(shown(*loaded, "queues.a.concurrency").origin, "chronos.toml:5");
  EXPECT_EQ(shown(*loaded, "log.level").origin, "flag");
  EXPECT_EQ(shown(*loaded, "server.body_max").origin, "default");
  EXPECT_TRUE(shown(*loaded, "server.body_max").is_default);
  EXPECT_FALSE(shown(*loaded, "server.threads").is_default);
}

TEST_F(ConfigTest, WhatIsShownIsTomlThatLoadsTheSame) {
  const auto first = load(R"(
[queues."a.b"]
concurrency = 2
[channels.ops]
kind = "webhook"
url = "https://x.example"
)");
  ASSERT_TRUE(first);
  std::string toml;
  for (const auto& setting : first->settings) toml += setting.name + " = " + setting.value + "\n";
  const auto second = load(toml);
  ASSERT_TRUE(second) << second.error().message;
  ASSERT_EQ(first->settings.size(), second->settings.size());
  for (std::size_t i = 0; i < first->settings.size(); ++i) {
    EXPECT_EQ(first->settings[i].value, second->settings[i].value) << first->settings[i].name;
  }
}

// -- The file ------------------------------------------------------------------------------------

TEST_F(ConfigTest, TakesTheFirstFileThatIsThere) {
  write("data/chronos.toml", "server.threads = 4");
  const Environment environment{{"CHRONOS_DATA_DIR", "data"}};
  EXPECT_EQ(load_config({{}, {}, environment})->config.server.threads, 4);
  EXPECT_EQ(load_config({{}, {{"data_dir", "data"}}, {}})->file, "data/chronos.toml");
  write("chronos.toml", "server.threads = 3");
  EXPECT_EQ(load_config({{}, {}, environment})->config.server.threads, 3);
  write("named.toml", "server.threads = 6");
  write("flag.toml", "server.threads = 7");
  EXPECT_EQ(load_config({{}, {}, {{"CHRONOS_CONFIG", "named.toml"}}})->config.server.threads, 6);
  EXPECT_EQ(
      load_config({"flag.toml", {}, {{"CHRONOS_CONFIG", "named.toml"}}})->config.server.threads, 7);
}

TEST_F(ConfigTest, ANamedFileMustBeThere) {
  const auto missing = load_config({"nowhere.toml", {}, {}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "there is no file nowhere.toml");
  EXPECT_FALSE(load_config({{}, {}, {{"CHRONOS_CONFIG", "nowhere.toml"}}}));
  std::filesystem::create_directory("folder");
  EXPECT_EQ(load_config({"folder", {}, {}}).error().message, "folder is a directory");
}

TEST_F(ConfigTest, BadTomlIsRefusedWithItsPlace) {
  const auto error = mistake("[server]\nthreads = = 3\n");
  EXPECT_EQ(error.code, "bad_toml");
  EXPECT_TRUE(error.message.starts_with("chronos.toml:2:")) << error.message;
}

TEST_F(ConfigTest, AnUnknownSettingIsRefusedWithPlaceAndNearestName) {
  const auto error = mistake("[server]\n  listn = \"127.0.0.1:1\"\n");
  EXPECT_EQ(error.pointer, "server.listn");
  EXPECT_EQ(error.code, "unknown_setting");
  EXPECT_EQ(error.message, "chronos.toml:2:3: unknown setting 'server.listn'");
  EXPECT_EQ(error.hint, "did you mean server.listen?");
  EXPECT_EQ(mistake("[sever]\nlisten = \"127.0.0.1:1\"\n").hint, "did you mean server.listen?");
  EXPECT_EQ(mistake("[sever]\n").hint, "did you mean server?");
  EXPECT_EQ(mistake("[queues.nightly]\nconcurency = 2\n").hint,
            "did you mean queues.nightly.concurrency?");
  EXPECT_EQ(mistake("[frobnicate]\nx = 1\n").hint, "");
}

TEST_F(ConfigTest, ASectionIsNotAValue) {
  const auto error = mistake("server = 5\n");
  EXPECT_EQ(error.message, "chronos.toml:1:1: server is a section, found a whole number");
  EXPECT_EQ(error.hint, "[server]");
  EXPECT_EQ(mistake("server = [1]\n").code, "wrong_type");
}

TEST_F(ConfigTest, ABadValueIsRefusedWithWhatWouldBeRight) {
  const auto error = mistake("[server]\nthreads = 300\n");
  EXPECT_EQ(error.pointer, "server.threads");
  EXPECT_EQ(error.message, "chronos.toml:2:1: server.threads: 300 is outside 0-256");
  EXPECT_EQ(mistake("[http]\negress = \"pubic\"\n").hint, "did you mean public?");
  EXPECT_EQ(mistake("[server]\nlisten = [1]\n").message,
            "chronos.toml:2:1: server.listen: expected a list of strings, found something else");
}

TEST_F(ConfigTest, EveryMistakeIsFoundAtOnce) {
  const auto loaded = load("[server]\nthreads = 300\nlisten = \"x\"\n",
                           {{"CHRONOS_LOG_LEVEL", "loud"}}, {{"http.concurrency", "none"}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().fields.size(), 4u);
  EXPECT_EQ(loaded.error().message, "the configuration has 4 mistakes");
}

TEST_F(ConfigTest, NamesOfTheUsersAreSlugs) {
  EXPECT_EQ(mistake("[queues.\"a b\"]\nconcurrency = 1\n").code, "bad_slug");
}

// -- Variables and flags -------------------------------------------------------------------------

TEST_F(ConfigTest, AnUnknownVariableOfOurSectionsIsRefused) {
  const auto error = mistake("", {{"CHRONOS_SERVER_LISTN", "127.0.0.1:1"}});
  EXPECT_EQ(error.message, "unknown variable CHRONOS_SERVER_LISTN");
  EXPECT_EQ(error.hint, "did you mean CHRONOS_SERVER_LISTEN?");
}

TEST_F(ConfigTest, VariablesOfOthersAreLeftAlone) {
  const auto loaded = load("", {{"CHRONOS_URL", "http://x"},
                                {"CHRONOS_API_KEY", "k"},
                                {"CHRONOS_RUN_ID", "run_1"},
                                {"CHRONOS_SERVER_SERVICE_HOST", "10.0.0.1"},
                                {"CHRONOS_SERVER_PORT", "tcp://10.0.0.1:80"},
                                {"CHRONOS_SERVER_PORT_80_TCP_ADDR", "10.0.0.1"},
                                {"PATH", "/bin"}});
  EXPECT_TRUE(loaded) << loaded.error().message;
}

TEST_F(ConfigTest, AnEmptyVariableIsNotGiven) {
  EXPECT_EQ(load("server.threads = 3", {{"CHRONOS_SERVER_THREADS", ""}})->config.server.threads, 3);
}

TEST_F(ConfigTest, ListsInVariablesAreSeparatedByCommas) {
  const auto loaded = load("", {{"CHRONOS_SERVER_LISTEN", "127.0.0.1:1,[::1]:2"}});
  EXPECT_EQ(loaded->config.server.listen.size(), 2u);
}

TEST_F(ConfigTest, FlagsAreNamedAsTheUserWroteThem) {
  EXPECT_TRUE(mistake("", {}, {{"server.listen", "x"}}).message.starts_with("--listen: "));
  EXPECT_TRUE(
      mistake("", {}, {{"server.threads", "x"}}).message.starts_with("--set server.threads: "));
  EXPECT_EQ(mistake("", {}, {{"server.treads", "1"}}).hint, "did you mean server.threads?");
}

TEST_F(ConfigTest, DataDirectoryFollowsSystemd) {
  const Environment systemd{{"STATE_DIRECTORY", "/var/lib/chronos:/var/lib/other"}};
  const auto loaded = load_config({{}, {}, systemd});
  EXPECT_EQ(loaded->config.data_dir, "/var/lib/chronos");
  EXPECT_EQ(shown(*loaded, "data_dir").origin, "STATE_DIRECTORY");
  EXPECT_EQ(load("data_dir = \"/srv\"", systemd)->config.data_dir, "/srv");
  EXPECT_EQ(default_data_dir(systemd), "/var/lib/chronos");
  EXPECT_EQ(default_data_dir({{"CHRONOS_DATA_DIR", "d"}, {"STATE_DIRECTORY", "s"}}), "d");
  EXPECT_EQ(default_data_dir({}), "./chronos-data");
  EXPECT_EQ(mistake("data_dir = \"\"").pointer, "data_dir");
}

// -- Secrets -------------------------------------------------------------------------------------

constexpr std::string_view kMail = "[smtp]\nhost = \"mail\"\nfrom = \"a@b\"\nuser = \"me\"\n";

TEST_F(ConfigTest, SecretsComeFromFilesVariablesAndCredentials) {
  write("secret", "from-file\n");
  const auto from_file = load(std::string(kMail) + "password_file = \"secret\"\n");
  ASSERT_TRUE(from_file) << from_file.error().message;
  EXPECT_EQ(from_file->config.smtp.password, "from-file");
  EXPECT_EQ(shown(*from_file, "smtp.password").origin, "chronos.toml:5");
  EXPECT_EQ(
      load(std::string(kMail), {{"CHRONOS_SMTP_PASSWORD_FILE", "secret"}})->config.smtp.password,
      "from-file");
  EXPECT_EQ(load(std::string(kMail), {{"CHRONOS_SMTP_PASSWORD", "direct"}})->config.smtp.password,
            "direct");
  write("credentials/smtp.password", "credential");
  EXPECT_EQ(
      load(std::string(kMail), {{"CREDENTIALS_DIRECTORY", "credentials"}})->config.smtp.password,
      "credential");
  EXPECT_EQ(load(std::string(kMail), {}, {{"smtp.password_file", "secret"}})->config.smtp.password,
            "from-file");
  write("whsec", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
  EXPECT_EQ(load("[channels.a]\nkind = \"webhook\"\nurl = \"http://x\"\nsecret_file = \"whsec\"\n")
                ->config.channels.at("a")
                .secret,
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

TEST_F(ConfigTest, ASigningSecretIsOneOrTwoOfTheScheme) {
  const auto project = [](const std::string& secret) {
    return "[projects.a]\nsigning_secret = \"" + secret + "\"\n";
  };
  const std::string old_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const std::string new_secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  const auto loaded = load(project(new_secret + " " + old_secret));
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->secrets, (std::vector{new_secret, old_secret})) << "each is masked by itself";
  EXPECT_EQ(shown(*loaded, "projects.a.signing_secret").value, "\"********\"");
  EXPECT_EQ(mistake(project("hush")).pointer, "projects.a.signing_secret");
  EXPECT_EQ(mistake("[channels.x]\nsecret = \"hush\"").pointer, "channels.x.secret");
}

TEST_F(ConfigTest, AVariableBeatsTheSecretFileOfTheConfiguration) {
  write("secret", "from-file");
  const auto loaded = load(std::string(kMail) + "password_file = \"secret\"\n",
                           {{"CHRONOS_SMTP_PASSWORD", "direct"}});
  EXPECT_EQ(loaded->config.smtp.password, "direct");
}

TEST_F(ConfigTest, SecretsAreMaskedAndListedForTheLog) {
  const auto loaded = load(std::string(kMail), {{"CHRONOS_SMTP_PASSWORD", "s3cret-value"}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(shown(*loaded, "smtp.password").value, "\"********\"");
  for (const auto& setting : loaded->settings) {
    EXPECT_EQ(setting.value.find("s3cret"), std::string::npos) << setting.name;
  }
  EXPECT_EQ(loaded->secrets, std::vector<std::string>{"s3cret-value"});
}

TEST_F(ConfigTest, ASecretGivenTwiceIsRefused) {
  write("secret", "x");
  EXPECT_EQ(mistake(std::string(kMail) + "password = \"y\"\npassword_file = \"secret\"\n").code,
            "one_of");
  EXPECT_EQ(mistake(std::string(kMail),
                    {{"CHRONOS_SMTP_PASSWORD", "y"}, {"CHRONOS_SMTP_PASSWORD_FILE", "secret"}})
                .code,
            "one_of");
}

TEST_F(ConfigTest, ASecretFileMustHoldSomething) {
  EXPECT_EQ(mistake(std::string(kMail) + "password_file = \"nowhere\"\n").message,
            "chronos.toml:5:1: there is no file nowhere");
  write("empty", "\n");
  EXPECT_EQ(mistake(std::string(kMail) + "password_file = \"empty\"\n").message,
            "chronos.toml:5:1: empty is empty");
}

TEST_F(ConfigTest, SecretsAreRefusedOnTheCommandLine) {
  const auto error = mistake(std::string(kMail), {}, {{"smtp.password", "y"}});
  EXPECT_EQ(error.code, "not_applicable");
  EXPECT_EQ(error.hint, "give its file: --set smtp.password_file=PATH");
}

TEST_F(ConfigTest, ARefusedSecretIsNotRepeated) {
  const auto error = mistake("", {{"CHRONOS_STORE_URL", "mongo://me:s3cret@db"}});
  EXPECT_EQ(error.message.find("s3cret"), std::string::npos) << error.message;
}

// -- What no single setting can know -------------------------------------------------------------

TEST_F(ConfigTest, SettingsThatNeedEachOther) {
  EXPECT_EQ(mistake("server.tls_cert_file = \"c\"").pointer, "server.tls_key_file");
  EXPECT_EQ(mistake("server.tls_key_file = \"k\"").pointer, "server.tls_cert_file");
  EXPECT_EQ(mistake("smtp.host = \"mail\"").pointer, "smtp.from");
  EXPECT_EQ(mistake(std::string(kMail)).pointer, "smtp.password");
  EXPECT_EQ(mistake("notify.on_failure = [\"a@b\"]").pointer, "smtp.host");
  EXPECT_EQ(mistake("[channels.x]\nkind = \"webhook\"").pointer, "channels.x.url");
  EXPECT_EQ(mistake("[channels.x]\nurl = \"http://y\"").pointer, "channels.x.kind");
}

TEST_F(ConfigTest, WarnsOfKeysAndPasswordsInTheClear) {
  EXPECT_EQ(load("server.listen = \"0.0.0.0:80\"")->warnings.size(), 1u);
  EXPECT_EQ(load("server.listen = \"[::]:80\"")->warnings.size(), 1u);
  EXPECT_EQ(load("server.listen = [\"127.0.0.2:80\", \"[::1]:80\"]")->warnings.size(), 0u);
  EXPECT_EQ(load("[server]\nlisten = \"0.0.0.0:80\"\ntls_cert_file = \"c\"\ntls_key_file = \"k\"")
                ->warnings.size(),
            0u);
  EXPECT_EQ(load(std::string(kMail) + "tls = \"none\"\npassword = \"x\"")->warnings.size(), 1u);
}

TEST_F(ConfigTest, TheMailPortFollowsTheKindOfTls) {
  EXPECT_EQ(load("smtp.tls = \"none\"")->config.smtp.port, 25);
  EXPECT_EQ(load("smtp.tls = \"tls\"")->config.smtp.port, 465);
  EXPECT_EQ(load("[smtp]\ntls = \"tls\"\nport = 2525")->config.smtp.port, 2525);
}

TEST(ModuleOptions, ConnectionThreadsFollowTheProcessorsUnlessTheyAreGiven) {
  EXPECT_EQ(connection_threads(0, 0), 2);  // a machine that does not say
  EXPECT_EQ(connection_threads(0, 2), 2);
  EXPECT_EQ(connection_threads(0, 12), 6);
  EXPECT_EQ(connection_threads(0, 256), 16);
  EXPECT_EQ(connection_threads(1, 12), 1);
}

}  // namespace
}  // namespace chronos::app
