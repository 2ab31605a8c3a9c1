// The kinds of targets this server can tell, made from its configuration. The service checks rules
// with it, the notifier sends through it. Thread-safe; made and stopped by the daemon.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/channel.h"
#include "model/job.h"
#include "net/http_client.h"
#include "net/smtp_client.h"
#include "notify/channel.h"

namespace chronos::notify {

enum class WebhookFormat {
  standard,  // Standard Webhooks: signed when there is a secret
  slack,     // {"text": …}, as Slack, Mattermost and others take it
};

std::string_view to_string(WebhookFormat format);
std::optional<WebhookFormat> parse_webhook_format(std::string_view text);

struct WebhookTarget {
  std::string url;
  std::string secret;  // "whsec_…"; empty = not signed
  WebhookFormat format = WebhookFormat::standard;
};

struct NotifyOptions {
  std::optional<net::SmtpServer> smtp;            // nothing: e-mails wait for one
  std::string from;                               // sender of e-mails
  std::map<std::string, WebhookTarget> channels;  // by the name rules use
  // A channel that a project declared, or not_found: only then that of the configuration with the
  // name is meant. May read the store.
  std::function<Result<DeclaredChannel>(ProjectId, const std::string& name)> find_declared =
      [](ProjectId, const std::string&) { return fail(Reason::not_found, "nobody declares any"); };
  std::string base_url;  // where people reach this server; empty = no links
  net::HttpClientOptions http;
  Duration send_timeout = std::chrono::seconds(10);  // of one sending
};

// What is wrong with a channel, with pointers such as "/to/0", "/url", "/secret".
Result<void> check_channel(const DeclaredChannel& channel);

// What is wrong with the options, with pointers such as "/channels/ops/url", "/from", "/smtp/host".
Result<void> check_options(const NotifyOptions& options);

class NamedChannels;

class Channels {
 public:
  // `options` passed check_options(). `clock` must outlive this.
  Channels(const Clock& clock, const NotifyOptions& options);

  // Whether everybody these rules name can be told. FieldErrors point below "/notify".
  Result<void> check(const std::vector<NotifyRule>& rules) const;

  // Sends once to a declared channel. `done` as of Channel::send().
  void send(const DeclaredChannel& channel, const Delivery& delivery,
            std::move_only_function<void(Sent)> done);

  // By kind of target ("email", "webhook"); they live as long as this.
  std::map<std::string, Channel*> by_kind() const;

  void stop();

 private:
  std::vector<std::string> names_;  // of the configured channels
  std::map<std::string, std::unique_ptr<Channel>> channels_;
  NamedChannels* named_ = nullptr;  // of them
};

// One per kind, in <kind>_channel.cc.
std::unique_ptr<Channel> make_email_channel(const Clock& clock, const NotifyOptions& options);
// Named channels, of every kind: the configuration's, and those that projects declared. Mails go
// out through `email`.
class NamedChannels : public Channel {
 public:
  virtual void send_to(const DeclaredChannel& channel, const Delivery& delivery,
                       std::move_only_function<void(Sent)> done) = 0;
};
std::unique_ptr<NamedChannels> make_webhook_channel(const Clock& clock,
                                                    const NotifyOptions& options, Channel& email);

}  // namespace chronos::notify
