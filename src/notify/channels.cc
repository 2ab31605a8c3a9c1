#include "notify/channels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "base/nearest.h"
#include "net/mail_message.h"
#include "net/url.h"
#include "net/webhook_signature.h"

namespace chronos::notify {
namespace {

constexpr std::array<std::pair<WebhookFormat, std::string_view>, 2> kFormats = {
    {{WebhookFormat::standard, "standard"}, {WebhookFormat::slack, "slack"}}};

Result<void> result_of(std::vector<FieldError> problems) {
  if (problems.empty()) return {};
  Error error{Reason::invalid_fields, problems.front().message, problems.front().hint, {}};
  error.fields = std::move(problems);
  return std::unexpected(std::move(error));
}

}  // namespace

std::string_view to_string(WebhookFormat format) {
  return kFormats[static_cast<std::size_t>(format)].second;
}

std::optional<WebhookFormat> parse_webhook_format(std::string_view text) {
  for (const auto& [format, name] : kFormats) {
    if (name == text) return format;
  }
  return std::nullopt;
}

Result<void> check_channel(const DeclaredChannel& channel) {
  std::vector<FieldError> problems;
  const auto refuse = [&](std::string pointer, std::string code, std::string message) {
    problems.push_back({std::move(pointer), std::move(code), std::move(message), {}, 0, 0});
  };
  for (std::size_t i = 0; i < channel.to.size(); ++i) {
    if (net::is_mail_address(channel.to[i])) continue;
    refuse(fmt::format("/to/{}", i), "bad_address",
           "must be a mail address such as ops@example.com");
  }
  if (channel.kind != ChannelKind::email) {
    if (const auto url = net::parse_url(channel.url); !url) {
      refuse("/url", url.error().fields.at(0).code, url.error().message);
    }
  }
  if (!channel.secret.empty() && !net::webhook_keys(channel.secret)) {
    refuse("/secret", "bad_secret", std::string(net::kWebhookSecretsRule));
  }
  return result_of(std::move(problems));
}

Result<void> check_options(const NotifyOptions& options) {
  std::vector<FieldError> problems;
  const auto refuse = [&](std::string pointer, std::string code, std::string message) {
    problems.push_back({std::move(pointer), std::move(code), std::move(message), {}, 0, 0});
  };
  if (options.smtp) {
    const auto& host = options.smtp->host;
    const bool is_host = !host.empty() && std::ranges::all_of(host, [](char c) {
      return c > ' ' && c < '\x7f' && !std::string_view("/@?#\\").contains(c);
    });
    if (!is_host) refuse("/smtp/host", "bad_host", "must be a host name or address");
    if (options.smtp->port == 0) refuse("/smtp/port", "out_of_range", "must be 1-65535");
    if (!net::parse_mailbox(options.from)) {
      refuse("/from", "bad_address", "must be a mail address, as the sender of e-mails");
    }
  }
  for (const auto& [name, target] : options.channels) {
    const std::string pointer = json::pointer_to("/channels", name);
    if (const auto url = net::parse_url(target.url); !url) {
      refuse(pointer + "/url", url.error().fields.at(0).code, url.error().message);
    }
    if (!target.secret.empty() && !net::webhook_keys(target.secret)) {
      refuse(pointer + "/secret", "bad_secret", std::string(net::kWebhookSecretsRule));
    }
  }
  return result_of(std::move(problems));
}

// THE list of kinds: one line each.
Channels::Channels(const Clock& clock, const NotifyOptions& options) {
  for (const auto& [name, target] : options.channels) names_.push_back(name);
  channels_["email"] = make_email_channel(clock, options);
  auto named = make_webhook_channel(clock, options, *channels_["email"]);
  named_ = named.get();
  channels_["webhook"] = std::move(named);
}

Result<void> Channels::check(const std::vector<NotifyRule>& rules) const {
  std::vector<FieldError> problems;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& [on, after, email, channel] = rules[i];
    for (std::size_t j = 0; j < email.size(); ++j) {
      if (net::is_mail_address(email[j])) continue;
      problems.push_back({fmt::format("/notify/{}/email/{}", i, j),
                          "bad_address",
                          "must be a mail address such as ops@example.com",
                          {},
                          0,
                          0});
    }
    if (channel.empty() || std::ranges::find(names_, channel) != names_.end()) continue;
    const std::vector<std::string_view> known(names_.begin(), names_.end());
    const auto nearest = nearest_name(channel, known);
    problems.push_back(
        {fmt::format("/notify/{}/channel", i), "unknown_channel",
         fmt::format("neither the project nor the server's configuration has a channel '{}'",
                     std::string_view(channel).substr(0, 64)),
         nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest), 0, 0});
  }
  return result_of(std::move(problems));
}

void Channels::send(const DeclaredChannel& channel, const Delivery& delivery,
                    std::move_only_function<void(Sent)> done) {
  named_->send_to(channel, delivery, std::move(done));
}

std::map<std::string, Channel*> Channels::by_kind() const {
  std::map<std::string, Channel*> channels;
  for (const auto& [kind, channel] : channels_) channels[kind] = channel.get();
  return channels;
}

void Channels::stop() {
  for (const auto& [kind, channel] : channels_) channel->stop();
}

}  // namespace chronos::notify
