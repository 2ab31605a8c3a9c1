#include "app/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <ranges>
#include <string_view>
#include <utility>

#include "app/config_file.h"
#include "app/settings.h"
#include "base/ascii.h"
#include "base/nearest.h"

namespace chronos::app {
namespace {

constexpr std::size_t kFileBytesMax = 1 * kMiB;
constexpr std::size_t kSecretBytesMax = 64 * kKiB;

constexpr std::string_view kPrefix = "CHRONOS_";

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string joined(const std::vector<std::string>& path) {
  std::string name;
  for (const auto& part : path) {
    if (!name.empty()) name += '.';
    name += part;
  }
  return name;
}

bool is_slug(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return ascii::is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || c == ':';
  });
}

// A row of the table that a path names, what its NAME stands for, and whether the path is its
// "…_file".
struct Match {
  const Setting* setting = nullptr;
  std::string key;
  bool is_file = false;
};

std::string with_key(const Setting& setting, std::string_view key) {
  std::string name(setting.name);
  return name.replace(name.find("NAME"), 4, key);
}

// A TOML key: quoted unless it may stand bare.
std::string toml_key(std::string_view key) {
  return key.find_first_of(".:") == std::string_view::npos ? std::string(key) : toml_string(key);
}

std::optional<Match> match(const Setting& setting, const std::vector<std::string>& path) {
  const auto parts = split(setting.name, '.');
  if (parts.size() != path.size()) return std::nullopt;
  Match found{&setting, {}, false};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] == "NAME") {
      found.key = path[i];
    } else if (i + 1 == parts.size() && setting.is_secret &&
               path[i] == std::string(parts[i]) + "_file") {
      found.is_file = true;
    } else if (parts[i] != path[i]) {
      return std::nullopt;
    }
  }
  return found;
}

std::optional<Match> find_setting(const std::vector<std::string>& path) {
  for (const auto& setting : settings()) {
    if (auto found = match(setting, path)) return found;
  }
  return std::nullopt;
}

// Whether `path` leads to settings: {"server"}, {"queues", "reports"}.
bool names_section(const std::vector<std::string>& path) {
  return std::ranges::any_of(settings(), [&](const Setting& setting) {
    const auto parts = split(setting.name, '.');
    return parts.size() > path.size() &&
           std::equal(path.begin(), path.end(), parts.begin(),
                      [](const auto& a, const auto& b) { return b == "NAME" || a == b; });
  });
}

// "did you mean server.listen?" or nothing. A user's own NAME stands in the suggestion.
std::string suggestion_for(const std::vector<std::string>& path) {
  std::vector<std::string> names;
  for (const auto& setting : settings()) {
    const auto parts = split(setting.name, '.');
    std::string name;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) name += '.';
      name += parts[i] == "NAME" && i < path.size() ? path[i] : std::string(parts[i]);
    }
    names.push_back(name);
    if (setting.is_secret) names.push_back(name + "_file");
    if (parts.size() > 1) names.emplace_back(parts.front());
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto nearest = nearest_name(joined(path), candidates);
  return nearest.empty() ? std::string() : fmt::format("did you mean {}?", nearest);
}

// Kubernetes puts the address of every service into the environment; a service called "chronos" or
// "chronos-server" must not stop the server.
bool is_from_kubernetes(std::string_view variable) {
  return variable.find("_SERVICE_HOST") != std::string_view::npos ||
         variable.find("_SERVICE_PORT") != std::string_view::npos || variable.ends_with("_PORT") ||
         variable.find("_PORT_") != std::string_view::npos;
}

// Collects values from every source, lowest precedence first, and everything wrong with them.
class Loading {
 public:
  void apply_file(const std::string& name, const std::string& text);
  void apply_environment(const Environment& environment);
  void apply_credentials(const Environment& environment);
  void apply_flags(const std::vector<std::pair<std::string, std::string>>& flags);
  void derive_defaults(const Environment& environment);
  void check_whole();
  Result<LoadedConfig> finish() &&;

  void refuse(std::string pointer, std::string code, std::string message, std::string hint = {}) {
    problems_.push_back(
        {std::move(pointer), std::move(code), std::move(message), std::move(hint), 0, 0});
  }
  void use_file(const std::string& file) { loaded_.file = file; }
  Config& config() { return loaded_.config; }

 private:
  void apply(const Match& match, Given given, const std::string& name, const std::string& origin,
             const std::string& place);
  void refuse_unknown_variable(const std::string& variable);
  void list_settings();
  void add_secrets(std::string_view words);
  bool is_set(const std::string& name) const { return origins_.contains(name); }
  std::string origin_of(const std::string& name) const;

  LoadedConfig loaded_;
  std::map<std::string, std::string> origins_;  // setting name → origin
  std::map<std::string, std::string> filed_;    // secret → place, per source: X beside X_file
  std::vector<FieldError> problems_;
};

// `name` is the setting's, without "_file"; `place` begins the message if it is refused.
void Loading::apply(const Match& match, Given given, const std::string& name,
                    const std::string& origin, const std::string& place) {
  if (match.setting->has_key() && !is_slug(match.key)) {
    return refuse(name, "bad_slug",
                  fmt::format("{}: '{}' must be 1-64 letters, digits, '-', '_', '.' or ':'", place,
                              match.key));
  }
  if (match.setting->is_secret) {
    const auto [other, is_first] = filed_.emplace(name, place);
    if (!is_first) {
      return refuse(name, "one_of",
                    fmt::format("{}: {} is given twice, as itself and as a file (also {})", place,
                                name, other->second));
    }
  }
  if (match.is_file) {
    auto secret = read_file(given.text, kSecretBytesMax);
    if (!secret)
      return refuse(name, "bad_file", fmt::format("{}: {}", place, secret.error().message));
    while (secret->ends_with('\n') || secret->ends_with('\r')) secret->pop_back();
    if (secret->empty()) {
      return refuse(name, "bad_file", fmt::format("{}: {} is empty", place, given.text));
    }
    given = {Given::Form::string, std::move(*secret), {}};
  }
  if (const auto read = match.setting->read(given, loaded_.config, match.key); !read) {
    return refuse(name, "bad_value", fmt::format("{}: {}: {}", place, name, read.error().message),
                  read.error().hint);
  }
  origins_[name] = origin;
}

void Loading::apply_file(const std::string& name, const std::string& text) {
  const auto entries = parse_config_file(text, name);
  if (!entries) {
    problems_.insert(problems_.end(), entries.error().fields.begin(), entries.error().fields.end());
    return;
  }
  filed_.clear();
  for (const auto& entry : *entries) {
    const auto setting_name = joined(entry.path);
    const auto place = fmt::format("{}:{}:{}", name, entry.line, entry.column);
    if (const auto found = find_setting(entry.path)) {
      const auto plain = setting_name.substr(0, setting_name.size() - (found->is_file ? 5 : 0));
      apply(*found, entry.given, plain, fmt::format("{}:{}", name, entry.line), place);
    } else if (names_section(entry.path)) {
      if (entry.given.form == Given::Form::empty_table) continue;
      refuse(setting_name, "wrong_type",
             fmt::format("{}: {} is a section, found {}", place, setting_name,
                         to_string(entry.given.form)),
             fmt::format("[{}]", setting_name));
    } else {
      refuse(setting_name, "unknown_setting",
             fmt::format("{}: unknown setting '{}'", place, setting_name),
             suggestion_for(entry.path));
    }
  }
}

void Loading::refuse_unknown_variable(const std::string& variable) {
  // Only what begins like a section is meant for us: CHRONOS_RUN_ID, for one, is not.
  std::vector<std::string> names;
  bool is_ours = false;
  for (const auto& setting : settings()) {
    const auto known = variable_of(setting);
    if (known.empty()) continue;
    names.push_back(known);
    if (setting.is_secret) names.push_back(known + "_FILE");
    const auto section = known.substr(0, known.find('_', kPrefix.size()) + 1);
    is_ours = is_ours || variable.starts_with(section);
  }
  if (!is_ours || is_from_kubernetes(variable)) return;
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  const auto nearest = nearest_name(variable, candidates);
  refuse(variable, "unknown_setting", fmt::format("unknown variable {}", variable),
         nearest.empty() ? std::string() : fmt::format("did you mean {}?", nearest));
}

void Loading::apply_environment(const Environment& environment) {
  filed_.clear();
  for (const auto& [variable, value] : environment) {
    if (!variable.starts_with(kPrefix) || value.empty()) continue;  // empty = not given
    bool is_known = false;
    for (const auto& setting : settings()) {
      const auto known = variable_of(setting);
      const bool is_file = setting.is_secret && variable == known + "_FILE";
      if (known.empty() || (variable != known && !is_file)) continue;
      is_known = true;
      apply({&setting, {}, is_file}, {Given::Form::text, value, {}}, std::string(setting.name),
            variable, variable);
    }
    if (!is_known) refuse_unknown_variable(variable);
  }
}

// systemd's LoadCredential=smtp.password:… puts a file of that name into $CREDENTIALS_DIRECTORY.
void Loading::apply_credentials(const Environment& environment) {
  const auto directory = environment.find("CREDENTIALS_DIRECTORY");
  if (directory == environment.end()) return;
  filed_.clear();
  for (const auto& setting : settings()) {
    const auto path = fmt::format("{}/{}", directory->second, setting.name);
    std::error_code ignored;
    if (!setting.is_secret || setting.has_key() || !std::filesystem::exists(path, ignored)) {
      continue;
    }
    const auto place = fmt::format("credential {}", setting.name);
    apply({&setting, {}, true}, {Given::Form::text, path, {}}, std::string(setting.name), place,
          place);
  }
}

void Loading::apply_flags(const std::vector<std::pair<std::string, std::string>>& flags) {
  for (const auto& [name, value] : flags) {
    filed_.clear();  // a flag given twice: the last one counts
    std::vector<std::string> path;
    for (const auto part : split(name, '.')) path.emplace_back(part);
    const auto found = find_setting(path);
    if (!found) {
      refuse(name, "unknown_setting", fmt::format("unknown setting '{}'", name),
             suggestion_for(path));
      continue;
    }
    const auto& setting = *found->setting;
    const auto place =
        setting.flag.empty() ? fmt::format("--set {}", name) : std::string(setting.flag);
    if (setting.is_secret && setting.flag.empty() && !found->is_file) {
      refuse(
          name, "not_applicable",
          fmt::format("{}: a secret on the command line can be read by every user of the machine",
                      place),
          fmt::format("give its file: --set {}_file=PATH", name));
      continue;
    }
    apply(*found, {Given::Form::text, value, {}},
          name.substr(0, name.size() - (found->is_file ? 5 : 0)), "flag", place);
  }
}

void Loading::derive_defaults(const Environment& environment) {
  auto& config = loaded_.config;
  if (!is_set("data_dir")) {
    config.data_dir = default_data_dir(environment);
    if (config.data_dir != Config{}.data_dir) origins_["data_dir"] = "STATE_DIRECTORY";
  }
  if (config.data_dir.empty()) {
    refuse("data_dir", "bad_value",
           fmt::format("{}: data_dir must not be empty", origin_of("data_dir")));
  }
  if (config.store.url.empty()) config.store.url = "sqlite:" + config.data_dir + "/chronos.db";
  if (config.smtp.port == 0) {
    config.smtp.port = config.smtp.tls == SmtpTls::starttls ? 587
                       : config.smtp.tls == SmtpTls::tls    ? 465
                                                            : 25;
  }
}

std::string Loading::origin_of(const std::string& name) const {
  const auto found = origins_.find(name);
  return found == origins_.end() ? "default" : found->second;
}

// What no single setting can know; asked only when each alone is right.
void Loading::check_whole() {
  if (!problems_.empty()) return;
  const auto& config = loaded_.config;
  const auto need = [&](const std::string& name, std::string_view because) {
    refuse(name, "required", fmt::format("{} is required {}", name, because));
  };
  const bool has_cert = !config.server.tls_cert_file.empty();
  const bool has_key = !config.server.tls_key_file.empty();
  if (has_cert && !has_key) need("server.tls_key_file", "with server.tls_cert_file");
  if (has_key && !has_cert) need("server.tls_cert_file", "with server.tls_key_file");
  if (!config.smtp.host.empty() && config.smtp.from.empty()) need("smtp.from", "with smtp.host");
  if (!config.smtp.user.empty() && config.smtp.password.empty()) {
    need("smtp.password", "with smtp.user");
  }
  if (!config.notify.on_failure.empty() && config.smtp.host.empty()) {
    need("smtp.host", "with notify.on_failure: no mail can be sent without it");
  }
  for (const auto& [name, channel] : config.channels) {
    if (channel.kind.empty()) need(fmt::format("channels.{}.kind", name), "of a channel");
    if (channel.url.empty()) need(fmt::format("channels.{}.url", name), "of a channel");
  }
  const bool is_local = std::ranges::all_of(config.server.listen, [](const std::string& address) {
    return address.starts_with("127.") || address.starts_with("[::1]");
  });
  if (!is_local && !has_cert) {
    loaded_.warnings.emplace_back(
        "server.listen reaches beyond this machine without TLS: API keys travel in the clear "
        "unless a proxy in front of it encrypts");
  }
  if (config.smtp.tls == SmtpTls::none && !config.smtp.password.empty()) {
    loaded_.warnings.emplace_back(
        "smtp.tls is \"none\": the mail server's password travels in the clear");
  }
}

void Loading::list_settings() {
  const auto& config = loaded_.config;
  for (const auto& setting : settings()) {
    for (const auto& key : setting.keys(config)) {
      std::string name = key.empty() ? std::string(setting.name) : with_key(setting, key);
      const auto origin = origin_of(name);
      if (!key.empty()) name = with_key(setting, toml_key(key));
      loaded_.settings.push_back({name, setting.show(config, key), origin, origin == "default"});
    }
  }
  if (!config.smtp.password.empty()) loaded_.secrets.push_back(config.smtp.password);
  for (const auto& [_, channel] : config.channels) add_secrets(channel.secret);
  for (const auto& [_, project] : config.projects) add_secrets(project.signing_secret);
}

// One, or two with a space between.
void Loading::add_secrets(std::string_view words) {
  for (const auto word : std::views::split(words, ' ')) {
    if (!word.empty()) loaded_.secrets.emplace_back(word.begin(), word.end());
  }
}

Result<LoadedConfig> Loading::finish() && {
  if (problems_.empty()) {
    list_settings();
    return std::move(loaded_);
  }
  Error error{Reason::invalid_fields, problems_.front().message, problems_.front().hint, {}};
  if (problems_.size() > 1) {
    error.message = fmt::format("the configuration has {} mistakes", problems_.size());
    error.hint.clear();
  }
  error.fields = std::move(problems_);
  return std::unexpected(std::move(error));
}

std::optional<std::string> find_in(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

// Reads the file that was named, or the first that is there. A named one must be there.
void load_file(const ConfigSources& sources, Loading& loading) {
  std::vector<std::string> candidates;
  auto named = sources.file;
  if (!named) named = find_in(sources.environment, "CHRONOS_CONFIG");
  if (named) {
    candidates = {*named};
  } else {
    auto data_dir = default_data_dir(sources.environment);
    for (const auto& [name, value] : sources.flags) {
      if (name == "data_dir") data_dir = value;
    }
    candidates = {"chronos.toml", data_dir + "/chronos.toml"};
  }
  for (const auto& path : candidates) {
    const auto text = read_file(path, kFileBytesMax);
    if (text) {
      loading.use_file(path);
      return loading.apply_file(path, *text);
    }
    if (named || text.error().reason != Reason::not_found) {
      return loading.refuse("", "bad_file", text.error().message);
    }
  }
}

}  // namespace

Result<LoadedConfig> load_config(const ConfigSources& sources) {
  Loading loading;
  load_file(sources, loading);
  loading.apply_credentials(sources.environment);
  loading.apply_environment(sources.environment);
  loading.apply_flags(sources.flags);
  loading.derive_defaults(sources.environment);
  loading.check_whole();
  return std::move(loading).finish();
}

std::vector<SettingFlag> setting_flags() {
  std::vector<SettingFlag> flags;
  for (const auto& setting : settings()) {
    if (setting.flag.empty()) continue;
    flags.push_back({setting.name, setting.flag, setting.description, setting.form != Flag::kForm});
  }
  return flags;
}

std::string default_data_dir(const Environment& environment) {
  if (auto named = find_in(environment, "CHRONOS_DATA_DIR")) return *named;
  // systemd gives a list separated by colons when there are several.
  if (const auto state = find_in(environment, "STATE_DIRECTORY")) {
    return state->substr(0, state->find(':'));
  }
  return Config{}.data_dir;
}

std::string_view to_string(SmtpTls value) {
  switch (value) {
    case SmtpTls::starttls:
      return "starttls";
    case SmtpTls::tls:
      return "tls";
    case SmtpTls::none:
      return "none";
  }
  return "starttls";
}

std::string_view to_string(LogFormat value) {
  switch (value) {
    case LogFormat::automatic:
      return "auto";
    case LogFormat::text:
      return "text";
    case LogFormat::json:
      return "json";
  }
  return "auto";
}

std::optional<SmtpTls> parse_smtp_tls(std::string_view text) {
  for (const auto value : {SmtpTls::starttls, SmtpTls::tls, SmtpTls::none}) {
    if (to_string(value) == text) return value;
  }
  return std::nullopt;
}

std::optional<LogFormat> parse_log_format(std::string_view text) {
  for (const auto value : {LogFormat::automatic, LogFormat::text, LogFormat::json}) {
    if (to_string(value) == text) return value;
  }
  return std::nullopt;
}

}  // namespace chronos::app
