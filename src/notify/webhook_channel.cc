// Channels by their names: webhooks, signed by the Standard Webhooks scheme, or in the form Slack
// takes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <atomic>
#include <utility>

#include "net/http_client.h"
#include "net/webhook_signature.h"
#include "notify/channels.h"
#include "notify/wording.h"

namespace chronos::notify {
namespace {

constexpr int kWebhookSendingsMax = 64;
constexpr std::size_t kAnswerMax = 4096;  // nobody reads it
// The receiver wants no more (RFC 9110 §15.5.11; Standard Webhooks, "Operational considerations").
constexpr int kGone = 410;

Sent sent_of(const net::HttpAnswer& answer, Timestamp now) {
  if (answer.failure == net::HttpFailure::stopped) {
    return {.kind = Sent::Kind::interrupted, .error = "the server is stopping", .retry_after = {}};
  }
  if (answer.failure != net::HttpFailure::none) {
    return {.kind = Sent::Kind::try_later, .error = answer.error, .retry_after = {}};
  }
  if (answer.status >= 200 && answer.status <= 299) return {};
  Sent sent{.kind = Sent::Kind::try_later,
            .error = fmt::format("expected 2xx, got {}", answer.status),
            .retry_after = {}};
  if (answer.status == kGone) sent.kind = Sent::Kind::refused;
  if (const auto value = net::find_header(answer.headers, "Retry-After")) {
    sent.retry_after = net::parse_retry_after(*value, now);
  }
  return sent;
}

class WebhookChannel final : public NamedChannels {
 public:
  WebhookChannel(const Clock& clock, const NotifyOptions& options, Channel& email)
      : clock_(clock),
        email_(email),
        find_declared_(options.find_declared),
        targets_(options.channels),
        base_url_(options.base_url),
        timeout_(options.send_timeout),
        client_(options.http) {}

  int sendings_max() const override { return kWebhookSendingsMax; }

  void send(const Delivery& delivery, std::move_only_function<void(Sent)> done) override {
    const auto& name = delivery.target.address;
    const auto declared = find_declared_(delivery.project, name);
    if (declared && declared->disabled_at) {
      // Somebody may switch it on again: not lost until days have passed.
      return done({.kind = Sent::Kind::try_later,
                   .error = fmt::format("the channel '{}' is switched off: its receiver answered "
                                        "410 Gone",
                                        name),
                   .retry_after = {}});
    }
    if (declared) return send_to(*declared, delivery, std::move(done));
    if (declared.error().reason != Reason::not_found) {
      return done(
          {.kind = Sent::Kind::try_later, .error = declared.error().message, .retry_after = {}});
    }
    const auto target = targets_.find(name);
    if (target == targets_.end()) {
      // Somebody may be mending it: not lost until days have passed.
      return done({.kind = Sent::Kind::try_later,
                   .error = fmt::format("there is no channel '{}'", name),
                   .retry_after = {}});
    }
    start(delivery, target->second, std::nullopt, std::move(done));
  }

  void send_to(const DeclaredChannel& channel, const Delivery& delivery,
               std::move_only_function<void(Sent)> done) override {
    if (channel.kind != ChannelKind::email) {
      const auto format =
          channel.kind == ChannelKind::slack ? WebhookFormat::slack : WebhookFormat::standard;
      return start(delivery, {channel.url, channel.secret, format}, channel, std::move(done));
    }
    auto mail = delivery;
    mail.target = {"email", fmt::format("{}", fmt::join(channel.to, kAddressSeparator))};
    email_.send(mail, std::move(done));
  }

  void stop() override { client_.stop(); }

 private:
  void start(const Delivery& delivery, const WebhookTarget& target,
             std::optional<DeclaredChannel> declared, std::move_only_function<void(Sent)> done) {
    client_.start(++last_call_, call_of(delivery, target),
                  [this, declared = std::move(declared),
                   done = std::move(done)](const net::HttpAnswer& answer) mutable {
                    auto sent = sent_of(answer, clock_.now());
                    if (sent.kind == Sent::Kind::refused) sent.gone = std::move(declared);
                    done(std::move(sent));
                  });
  }

  net::HttpCall call_of(const Delivery& delivery, const WebhookTarget& target) const {
    net::HttpCall call;
    call.method = "POST";
    call.url = target.url;
    call.timeout = timeout_;
    call.answer_max = kAnswerMax;
    call.headers = {{"Content-Type", "application/json"}, {"User-Agent", "chronos"}};
    if (target.format == WebhookFormat::slack) {
      call.body = slack_body(delivery.message, base_url_);
      return call;
    }
    call.body = webhook_body(delivery.message, base_url_);
    if (const auto keys = net::webhook_keys(target.secret)) {
      const auto id = delivery.id.to_string();
      for (auto& header : net::sign_webhook(*keys, {id, clock_.now(), call.body})) {
        call.headers.push_back(std::move(header));
      }
    }
    return call;
  }

  const Clock& clock_;
  Channel& email_;
  const std::function<Result<DeclaredChannel>(ProjectId, const std::string&)> find_declared_;
  const std::map<std::string, WebhookTarget> targets_;
  const std::string base_url_;
  const Duration timeout_;
  std::atomic<std::uint64_t> last_call_ = 0;
  net::HttpClient client_;  // last: its thread uses the above
};

}  // namespace

std::unique_ptr<NamedChannels> make_webhook_channel(const Clock& clock,
                                                    const NotifyOptions& options, Channel& email) {
  return std::make_unique<WebhookChannel>(clock, options, email);
}

}  // namespace chronos::notify
