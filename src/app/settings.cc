#include "app/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace chronos::app {
namespace {

// The value a row stands for: a member of a section, or of the section's entry called `key`.
template <auto Section, auto Member>
struct In {
  static auto& of(Config& config, const std::string& key) {
    auto& section = config.*Section;
    if constexpr (requires { section[key]; }) {
      return section[key].*Member;
    } else {
      return section.*Member;
    }
  }
  static auto of(const Config& config, const std::string& key) {
    const auto& section = config.*Section;
    if constexpr (requires { section.at(key); }) {
      return section.at(key).*Member;
    } else {
      return section.*Member;
    }
  }
  static std::vector<std::string> keys(const Config& config) {
    const auto& section = config.*Section;
    std::vector<std::string> names;
    if constexpr (requires { section.at(std::string()); }) {
      for (const auto& [name, entry] : section) names.push_back(name);
    } else {
      names.emplace_back();
    }
    return names;
  }
};

template <auto Member>
struct Top {
  static auto& of(Config& config, const std::string&) { return config.*Member; }
  static auto of(const Config& config, const std::string&) { return config.*Member; }
  static std::vector<std::string> keys(const Config&) { return {std::string()}; }
};

struct Naming {
  std::string_view name;
  std::string_view flag = {};
};

template <class Place, auto Type>
constexpr Setting row(Naming naming, std::string_view description) {
  return {naming.name,
          naming.flag,
          description,
          Type.kForm,
          Type.kIsSecret,
          [](const Given& given, Config& config, const std::string& key) {
            return Type.read(given, Place::of(config, key));
          },
          [](const Config& config, const std::string& key) {
            return Type.show(Place::of(config, key));
          },
          &Place::keys};
}

template <auto Member>
using Server = In<&Config::server, Member>;
template <auto Member>
using Smtp = In<&Config::smtp, Member>;
template <auto Member>
using Limits = In<&Config::limits, Member>;
template <auto Member>
using Channel = In<&Config::channels, Member>;

using Egress = Choice<net::parse_egress_mode, net::EgressMode::internal, net::EgressMode::public_>;
using TlsMode = Choice<parse_smtp_tls, SmtpTls::starttls, SmtpTls::tls, SmtpTls::none>;
using Format = Choice<parse_log_format, LogFormat::automatic, LogFormat::text, LogFormat::json>;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kYear = kHour * 24 * 365;

using Level = Choice<log::parse_level, log::Level::debug, log::Level::info, log::Level::warn,
                     log::Level::error>;

constexpr std::array kSettings = {
    row<Top<&Config::data_dir>, Path{}>(
        {"data_dir", "--data-dir"},
        "Where everything is kept. Under systemd the default is `StateDirectory`"),

    row<Server<&ServerConfig::listen>, Addresses{}>(
        {"server.listen", "--listen"},
        "Numeric addresses and ports to listen on; port 0 is any free one"),
    row<Server<&ServerConfig::base_url>, ServerUrl{}>(
        {"server.base_url", "--base-url"},
        "How people reach the server, for links in messages; empty: made from the address"),
    row<Server<&ServerConfig::threads>, Count{0, 256}>(
        {"server.threads"},
        "Threads that serve connections; 0: one for two processors, at least 2, at most 16"),
    row<Server<&ServerConfig::tls_cert_file>, Path{}>(
        {"server.tls_cert_file", "--tls-cert"},
        "Certificate chain (PEM); with `tls_key_file` the server speaks HTTPS"),
    row<Server<&ServerConfig::tls_key_file>, Path{}>({"server.tls_key_file", "--tls-key"},
                                                     "Private key (PEM) of the certificate"),
    row<Server<&ServerConfig::connections_max>, Count{1, 1'000'000}>(
        {"server.connections_max"}, "Connections at once; one more is answered 503"),
    row<Server<&ServerConfig::headers_max>, Size{1 * kKiB, 1 * kMiB}>(
        {"server.headers_max"}, "Of one request's line and headers; more is answered 431"),
    row<Server<&ServerConfig::body_max>, Size{1 * kKiB, 1024 * kMiB}>(
        {"server.body_max"}, "Of one request's body; more is answered 413"),
    row<Server<&ServerConfig::batch_body_max>, Size{1 * kKiB, 1024 * kMiB}>(
        {"server.batch_body_max"}, "Of a batch's body"),
    row<Server<&ServerConfig::body_memory_max>, Size{1 * kMiB, 64 * kMiB * 1024}>(
        {"server.body_memory_max"}, "Of all bodies that are still arriving; more is answered 503"),
    row<Server<&ServerConfig::intake_max>, Size{1 * kKiB, 64 * kMiB * 1024}>(
        {"server.intake_max"},
        "Of submissions that wait to be stored, or are on their way; more are answered 503"),
    row<Server<&ServerConfig::header_timeout>, Time{1, kHour}>(
        {"server.header_timeout"}, "How long a request's headers may take to arrive"),
    row<Server<&ServerConfig::idle_timeout>, Time{1, 24 * kHour}>(
        {"server.idle_timeout"}, "How long a connection may be idle between requests"),
    row<Server<&ServerConfig::drain_timeout>, Time{0, 24 * kHour}>(
        {"server.drain_timeout", "--drain-timeout"},
        "How long running work may go on after SIGTERM before it is handed back"),

    row<In<&Config::store, &StoreConfig::url>, StoreUrl{}>(
        {"store.url", "--store"},
        "The database, `sqlite:PATH` or `postgres://…`; empty: `sqlite:DATA_DIR/chronos.db`"),

    row<In<&Config::commands, &CommandsConfig::allow>, Flag{}>(
        {"commands.allow", "--allow-commands"},
        "Whether jobs may run commands on this machine, as the server's user"),
    row<In<&Config::commands, &CommandsConfig::concurrency>, Count{1, 100'000}>(
        {"commands.concurrency"}, "Commands that run at once on this node"),
    row<In<&Config::commands, &CommandsConfig::memory_max>, Size{0, kMiB * 1024 * 1024}>(
        {"commands.memory_max"},
        "Address space of each process of a command (`RLIMIT_AS`); 0: no limit"),
    row<In<&Config::commands, &CommandsConfig::cpu_time_max>, Time{0, 100 * kYear}>(
        {"commands.cpu_time_max"},
        "Processor time of each process of a command, in whole seconds; 0: no limit"),
    row<In<&Config::commands, &CommandsConfig::files_max>, Count{0, 1'000'000}>(
        {"commands.files_max"}, "Open files of each process of a command; 0: as the server's"),
    row<In<&Config::commands, &CommandsConfig::processes_max>, Count{0, 4'000'000}>(
        {"commands.processes_max"},
        "Processes and threads of a command at once (`pids.max` of its cgroup; without one, those "
        "of the server's user, unless that is root); 0: no limit"),

    row<In<&Config::http, &HttpConfig::concurrency>, Count{1, 100'000}>(
        {"http.concurrency"}, "HTTP attempts that run at once on this node"),
    row<In<&Config::http, &HttpConfig::egress>, Egress{}>(
        {"http.egress", "--egress"},
        "`internal`: jobs may call loopback and private addresses; `public`: only public ones"),

    row<In<&Config::queues, &QueueConfig::concurrency>, Count{0, 100'000}>(
        {"queues.NAME.concurrency"}, "Runs of the queue NAME at once; 0: no limit"),

    row<In<&Config::workers, &WorkersConfig::lease_ttl>, Time{1, kHour}>(
        {"workers.lease_ttl"}, "A remote worker that says nothing for so long loses its runs"),

    row<Smtp<&SmtpConfig::host>, Text{}>({"smtp.host"}, "Mail server; empty: no e-mail is sent"),
    row<Smtp<&SmtpConfig::port>, Count{0, 65535}>(
        {"smtp.port"}, "0: 587 with starttls, 465 with tls, 25 with none"),
    row<Smtp<&SmtpConfig::tls>, TlsMode{}>(
        {"smtp.tls"},
        "`starttls` (refuses to go on without it), `tls` from the first byte, or `none`"),
    row<Smtp<&SmtpConfig::user>, Text{}>({"smtp.user"}, "Empty: no login"),
    row<Smtp<&SmtpConfig::password>, Secret{}>({"smtp.password"}, "Of the user"),
    row<Smtp<&SmtpConfig::from>, Mailbox{}>(
        {"smtp.from"},
        "Sender, such as `Chronos <chronos@example.com>`; required with `smtp.host`"),

    row<In<&Config::notify, &NotifyConfig::on_failure>, Emails{}>(
        {"notify.on_failure"}, "Who is told when a job without rules of its own fails"),

    row<Channel<&ChannelConfig::kind>, ChannelKind{}>(
        {"channels.NAME.kind"},
        "`webhook` (Standard Webhooks) or `slack` (and what takes the same: Mattermost…)"),
    row<Channel<&ChannelConfig::url>, WebUrl{}>({"channels.NAME.url"},
                                                "Where the channel's messages are sent"),
    row<Channel<&ChannelConfig::secret>, SigningSecret{}>(
        {"channels.NAME.secret"}, "Signs the messages (Standard Webhooks); empty: unsigned"),

    row<In<&Config::projects, &ProjectConfig::signing_secret>, SigningSecret{}>(
        {"projects.NAME.signing_secret"},
        "Signs the calls of the project's `http` actions (Standard Webhooks); empty: unsigned"),

    row<In<&Config::log, &LogConfig::level>, Level{}>({"log.level", "--log-level"},
                                                      "`debug`, `info`, `warn` or `error`"),
    row<In<&Config::log, &LogConfig::format>, Format{}>(
        {"log.format", "--log-format"}, "`text`, `json`, or `auto`: text on a terminal, else json"),

    row<Limits<&LimitsConfig::payload_max>, Size{0, 64 * kMiB}>({"limits.payload_max"},
                                                                "Of one job's payload"),
    row<Limits<&LimitsConfig::output_max>, Size{0, 1024 * kMiB}>(
        {"limits.output_max"},
        "Kept of one attempt's output or response; the rest is counted and dropped"),
    row<Limits<&LimitsConfig::tags_max>, Count{0, 10'000}>({"limits.tags_max"}, "Tags of one job"),

    row<In<&Config::retention, &RetentionConfig::runs>, Count{1, 1'000'000'000}>(
        {"retention.runs"}, "Finished runs kept of a job that does not say"),
    row<In<&Config::retention, &RetentionConfig::age>, Time{60, 100 * kYear}>(
        {"retention.age"}, "How long finished runs of a job that does not say are kept"),
    row<In<&Config::retention, &RetentionConfig::audit>, Time{86'400, 100 * kYear}>(
        {"retention.audit"}, "How long entries of the audit log are kept"),
};

}  // namespace

std::span<const Setting> settings() {
  return kSettings;
}

std::string variable_of(const Setting& setting) {
  if (setting.has_key()) return {};
  std::string variable = "CHRONOS_";
  for (const char c : setting.name) {
    variable += c == '.' ? '_' : ascii::upper(c);
  }
  return variable;
}

std::string default_of(const Setting& setting) {
  Config defaults;
  defaults.queues["NAME"];
  defaults.channels["NAME"];
  defaults.projects["NAME"];
  auto shown = setting.show(defaults, setting.has_key() ? "NAME" : "");
  return shown == "\"\"" || shown == "[]" ? std::string() : shown;
}

std::string settings_as_markdown() {
  std::string text = "| Setting | Type | Default | What it is |\n|---|---|---|---|\n";
  for (const auto& setting : settings()) {
    const auto value = default_of(setting);
    text +=
        fmt::format("| `{}`{} | {} | {} | {} |\n", setting.name,
                    setting.flag.empty() ? "" : fmt::format("<br>`{}`", setting.flag), setting.form,
                    value.empty() ? "" : fmt::format("`{}`", value), setting.description);
  }
  return text;
}

}  // namespace chronos::app
