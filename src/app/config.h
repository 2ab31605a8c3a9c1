// What a server is told when it starts. Start here: Config is the plain value everything else takes
// its share of; load_config() makes it from flags, CHRONOS_* variables, a TOML file and defaults,
// in this order of precedence. Called by the command line; immutable afterwards. settings.h has the
// table of names, docs/configuration.md explains each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "net/outbound_policy.h"

namespace chronos::app {

// Members that count bytes are std::size_t; members that count things are int.
inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;

struct ServerConfig {
  std::vector<std::string> listen = {"127.0.0.1:8086"};  // numeric address:port; port 0 = any free
  std::string base_url;       // how people reach the server; empty = made from the address
  int threads = 0;            // for connections; 0 = as many as the machine is worth
  std::string tls_cert_file;  // PEM, the whole chain; both or none
  std::string tls_key_file;
  int connections_max = 10'000;
  std::size_t headers_max = 16 * kKiB;
  std::size_t body_max = 1 * kMiB;
  std::size_t batch_body_max = 16 * kMiB;
  std::size_t body_memory_max = 256 * kMiB;  // of all bodies that are still arriving
  std::size_t intake_max = 4 * kMiB;         // of submissions that wait to be stored
  Duration header_timeout = std::chrono::seconds(10);
  Duration idle_timeout = std::chrono::seconds(60);
  Duration drain_timeout = std::chrono::seconds(10);
};

struct StoreConfig {
  std::string url;  // "sqlite:PATH"; after load_config() never empty
};

struct CommandsConfig {
  bool allow = false;    // whether jobs may run commands on this machine at all
  int concurrency = 64;  // commands at once on this node
  // Of each process of a command, the last one of all together; 0 = no limit of ours.
  std::size_t memory_max = 0;
  Duration cpu_time_max{};
  int files_max = 0;
  int processes_max = 0;
};

struct HttpConfig {
  int concurrency = 1000;  // http attempts at once on this node
  net::EgressMode egress = net::EgressMode::internal;
};

struct QueueConfig {
  int concurrency = 0;  // runs at once; 0 = no limit
};

struct WorkersConfig {
  Duration lease_ttl = std::chrono::seconds(15);  // of a worker that says nothing
};

enum class SmtpTls { starttls, tls, none };

struct SmtpConfig {
  std::string host;  // empty = no e-mail is sent
  int port = 0;      // after load_config() never 0: 587, 465 or 25 by `tls`
  SmtpTls tls = SmtpTls::starttls;
  std::string user;
  std::string password;
  std::string from;
};

struct NotifyConfig {
  std::vector<std::string> on_failure;  // e-mail addresses told when a job without rules fails
};

// A named place where messages can be sent.
struct ChannelConfig {
  std::string kind;  // "webhook" or "slack"
  std::string url;
  std::string secret;  // signs what is sent; empty = unsigned
};

// Of a project, by its name.
struct ProjectConfig {
  std::string signing_secret;  // signs the calls of its http actions; empty = unsigned
};

enum class LogFormat { automatic, text, json };  // automatic: text on a terminal, else json

struct LogConfig {
  log::Level level = log::Level::info;
  LogFormat format = LogFormat::automatic;
};

struct LimitsConfig {
  std::size_t payload_max = 256 * kKiB;
  std::size_t output_max = 1 * kMiB;  // kept of one attempt's output or response
  int tags_max = 64;                  // of one job
};

struct RetentionConfig {  // of jobs that do not say
  int runs = 10'000;
  Duration age = std::chrono::hours(24 * 30);
  Duration audit = std::chrono::hours(24 * 400);  // entries of the audit log
};

struct Config {
  std::string data_dir = "./chronos-data";
  ServerConfig server;
  StoreConfig store;
  CommandsConfig commands;
  HttpConfig http;
  std::map<std::string, QueueConfig> queues;
  WorkersConfig workers;
  SmtpConfig smtp;
  NotifyConfig notify;
  std::map<std::string, ChannelConfig> channels;
  std::map<std::string, ProjectConfig> projects;
  LogConfig log;
  LimitsConfig limits;
  RetentionConfig retention;
};

using Environment = std::map<std::string, std::string>;

// Where settings come from.
struct ConfigSources {
  std::optional<std::string> file;  // --config; else CHRONOS_CONFIG, ./chronos.toml and
                                    // DATA_DIR/chronos.toml are tried, in this order
  std::vector<std::pair<std::string, std::string>> flags;  // setting name, value
  Environment environment;
};

// One setting in force.
struct SettingInForce {
  std::string name;
  std::string value;   // as TOML; secrets masked
  std::string origin;  // "default", "chronos.toml:3", "CHRONOS_SERVER_LISTEN", "flag"
  bool is_default = true;
};

struct LoadedConfig {
  Config config;
  std::string file;                      // that was read; empty = none
  std::vector<SettingInForce> settings;  // in the order of the table
  std::vector<std::string> warnings;     // odd but legal
  std::vector<std::string> secrets;      // values that must never be shown or logged
};

// Fails with Reason::invalid_fields and everything that is wrong, whichever source it is in: each
// field's pointer is the setting's name, its message begins with the place ("chronos.toml:3:1").
Result<LoadedConfig> load_config(const ConfigSources& sources);

// A setting that has a flag of its own.
struct SettingFlag {
  std::string_view setting;  // "server.listen"
  std::string_view flag;     // "--listen"
  std::string_view description;
  bool takes_value = true;  // else it is true when given
};
std::vector<SettingFlag> setting_flags();

// The data directory alone, from CHRONOS_DATA_DIR and STATE_DIRECTORY, for clients that look for
// DATA_DIR/admin.key. Does not read any file.
std::string default_data_dir(const Environment& environment);

std::string_view to_string(SmtpTls value);
std::string_view to_string(LogFormat value);
std::optional<SmtpTls> parse_smtp_tls(std::string_view text);
std::optional<LogFormat> parse_log_format(std::string_view text);

}  // namespace chronos::app
