#include "app/module_options.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>

namespace chronos::app {
namespace {

std::string host_name() {
  std::string name(256, '\0');
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  name.resize(name.find('\0'));
  return name;
}

// "https://ops.example/chronos" -> "/chronos": ServerUrl has seen to it that it is a plain path.
std::string path_of(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const auto begin = url.find('/', scheme + 3);
  return std::string(url.substr(std::min(begin, url.size())));
}

}  // namespace

executor::ExecutorsOptions executor_options(const Config& config, const std::string& server_id,
                                            const net::OutboundPolicy& policy) {
  executor::ExecutorsOptions options;
  options.command.is_allowed = config.commands.allow;
  options.command.server_id = server_id;
  options.command.output_max = config.limits.output_max;
  options.command.limits = {
      config.commands.memory_max,
      std::chrono::ceil<std::chrono::seconds>(config.commands.cpu_time_max),
      config.commands.files_max,
      config.commands.processes_max,
  };
  options.http.output_max = config.limits.output_max;
  options.http.client.policy = policy;
  // As many as may run at once, so that a burst does not close what the next one would open again.
  options.http.client.idle_connections_max = config.http.concurrency;
  for (const auto& [name, project] : config.projects) {
    if (project.signing_secret.empty()) continue;
    options.http.signing_secrets[name] = project.signing_secret;
  }
  return options;
}

notify::NotifyOptions notify_options(const Config& config, const net::OutboundPolicy& policy) {
  notify::NotifyOptions options;
  if (!config.smtp.host.empty()) {
    net::SmtpServer server;
    server.host = config.smtp.host;
    server.port = static_cast<std::uint16_t>(config.smtp.port);
    server.user = config.smtp.user;
    server.password = config.smtp.password;
    server.tls = config.smtp.tls == SmtpTls::tls    ? net::SmtpTls::tls
                 : config.smtp.tls == SmtpTls::none ? net::SmtpTls::none
                                                    : net::SmtpTls::starttls;
    options.smtp = server;
  }
  options.from = config.smtp.from;
  options.base_url = config.server.base_url;
  options.http.policy = policy;
  for (const auto& [name, channel] : config.channels) {
    auto format = notify::WebhookFormat::standard;
    if (channel.kind == "slack") format = notify::WebhookFormat::slack;
    options.channels[name] = {channel.url, channel.secret, format};
  }
  return options;
}

int connection_threads(int asked, unsigned processors) {
  constexpr unsigned kLeast = 2;
  constexpr unsigned kMost = 16;  // the committer is busy long before
  return asked > 0 ? asked : static_cast<int>(std::clamp(processors / 2, kLeast, kMost));
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options;
  const auto& server = config.server;
  options.listen = server.listen;
  options.threads = connection_threads(server.threads, std::thread::hardware_concurrency());
  if (!server.tls_cert_file.empty()) options.tls = {server.tls_cert_file, server.tls_key_file};
  options.connections_max = static_cast<std::size_t>(server.connections_max);
  options.header_bytes_max = server.headers_max;
  options.body_max = server.body_max;
  options.body_memory_max = server.body_memory_max;
  options.intake_max = server.intake_max;
  options.header_timeout = server.header_timeout;
  options.idle_timeout = server.idle_timeout;
  return options;
}

http::Site site_of(const Config& config) {
  http::Site site;
  site.base_url = config.server.base_url;
  while (site.base_url.ends_with('/')) site.base_url.pop_back();
  site.base_path = path_of(site.base_url);
  site.version = CHRONOS_VERSION;
  if (config.commands.allow) site.features.emplace_back("commands");
  if (!config.smtp.host.empty()) site.features.emplace_back("email");
  return site;
}

scheduler::SchedulerOptions scheduler_options(const Config& config) {
  scheduler::SchedulerOptions options;
  options.node = host_name();
  options.version = CHRONOS_VERSION;
  options.lanes = {{"http", config.http.concurrency}};
  // Without leave to run commands their runs would only fail: check() refuses new ones, and those
  // declared before wait until commands are allowed again.
  if (config.commands.allow) options.lanes["command"] = config.commands.concurrency;
  for (const auto& [name, queue] : config.queues) {
    if (queue.concurrency > 0) options.queue_limits[name] = queue.concurrency;
  }
  options.notify.on_failure = config.notify.on_failure;
  options.audit_age = config.retention.audit;
  return options;
}

}  // namespace chronos::app
