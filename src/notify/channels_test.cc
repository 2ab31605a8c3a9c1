#include "notify/channels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>

#include "base/time_text.h"
#include "net/webhook_signature.h"
#include "support/scripted_server.h"

namespace chronos::notify {
namespace {

using testing::answering;
using testing::http_answer;
using testing::ScriptedConnection;
using testing::ScriptedServer;

constexpr const char* kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

Delivery delivery_to(const char* kind, const char* address) {
  return {.id = {{1, 2}},
          .project = {},
          .run = std::nullopt,
          .target = {kind, address},
          .message = {.event = "run.failed", .project = "default", .job_name = "nightly"}};
}

std::future<Sent> start(Channel& channel, const Delivery& delivery) {
  auto promise = std::make_shared<std::promise<Sent>>();
  auto sent = promise->get_future();
  channel.send(delivery, [promise](Sent given) { promise->set_value(std::move(given)); });
  return sent;
}

// Writes down whom a mail would have gone to.
class NotedMail final : public Channel {
 public:
  int sendings_max() const override { return 1; }
  void send(const Delivery& delivery, std::move_only_function<void(Sent)> done) override {
    address = delivery.target.address;
    done({});
  }
  void stop() override {}
  std::string address;
};

NotifyOptions webhook_to(const ScriptedServer& server, WebhookFormat format = {}) {
  NotifyOptions options;
  options.channels["ops"] = {server.url("/hook"), kSecret, format};
  return options;
}

// As a project declares it, at its seventh version.
DeclaredChannel declared_to(const ScriptedServer& server, const std::string& name) {
  DeclaredChannel channel;
  channel.name = name;
  channel.url = server.url("/declared");
  channel.version = 7;
  return channel;
}

TEST(WebhookChannel, SendsSignedJson) {
  std::promise<ScriptedConnection::Request> seen;
  const ScriptedServer server([&](ScriptedConnection& connection) {
    seen.set_value(connection.read_request().value());
    connection.write(http_answer("204 No Content", ""));
  });
  const SystemClock clock;
  NotedMail mail;
  const auto channel = make_webhook_channel(clock, webhook_to(server), mail);
  const auto delivery = delivery_to("webhook", "ops");
  EXPECT_EQ(start(*channel, delivery).get().kind, Sent::Kind::delivered);

  const auto request = seen.get_future().get();
  EXPECT_TRUE(request.head.starts_with("POST /hook "));
  EXPECT_TRUE(request.head.contains("\r\nContent-Type: application/json\r\n"));
  EXPECT_TRUE(request.body.contains(R"("type":"run.failed")")) << request.body;
  const auto header = [&](const std::string& name) {
    const auto from = request.head.find("\r\n" + name + ": ") + name.size() + 4;
    return request.head.substr(from, request.head.find("\r\n", from) - from);
  };
  const auto sent_at = from_micros(std::stoll(header("webhook-timestamp")) * 1'000'000);
  const auto expected = net::sign_webhook(net::webhook_keys(kSecret).value(),
                                          {delivery.id.to_string(), sent_at, request.body});
  EXPECT_EQ(header("webhook-id"), delivery.id.to_string());
  EXPECT_EQ(header("webhook-signature"), net::find_header(expected, "webhook-signature"));
}

TEST(WebhookChannel, SlackFormatIsUnsignedText) {
  std::promise<ScriptedConnection::Request> seen;
  const ScriptedServer server([&](ScriptedConnection& connection) {
    seen.set_value(connection.read_request().value());
    connection.write(http_answer("200 OK", "ok"));
  });
  const SystemClock clock;
  NotedMail mail;
  const auto channel = make_webhook_channel(clock, webhook_to(server, WebhookFormat::slack), mail);
  EXPECT_EQ(start(*channel, delivery_to("webhook", "ops")).get().kind, Sent::Kind::delivered);
  const auto request = seen.get_future().get();
  EXPECT_EQ(request.body, R"({"text":"Job \"nightly\" failed"})");
  EXPECT_FALSE(request.head.contains("webhook-"));
}

TEST(WebhookChannel, StatusDecides) {
  struct Row {
    const char* status;
    Sent::Kind kind;
  };
  using enum Sent::Kind;
  for (const Row& row :
       {Row{"200 OK", delivered}, Row{"299 Odd", delivered}, Row{"302 Found", try_later},
        Row{"404 No", try_later}, Row{"410 Gone", refused}, Row{"500 No", try_later},
        Row{"503 Busy", try_later}}) {
    const ScriptedServer server(answering(http_answer(row.status, "", "Retry-After: 9\r\n")));
    const SystemClock clock;
    NotedMail mail;
    const auto channel = make_webhook_channel(clock, webhook_to(server), mail);
    const auto sent = start(*channel, delivery_to("webhook", "ops")).get();
    EXPECT_EQ(sent.kind, row.kind) << row.status;
    EXPECT_EQ(sent.error.empty(), row.kind == delivered) << row.status;
    if (row.kind == try_later) {
      EXPECT_EQ(sent.retry_after, Duration(std::chrono::seconds(9)));
    }
  }
}

TEST(WebhookChannel, TroubleIsTriedLater) {
  const SystemClock clock;
  const ScriptedServer hanging(
      [](ScriptedConnection& connection) { connection.wait_until_closed(); });
  auto options = webhook_to(hanging);
  options.channels["metadata"] = {"http://169.254.169.254/", "", {}};
  options.send_timeout = std::chrono::milliseconds(50);
  NotedMail mail;
  const auto channel = make_webhook_channel(clock, options, mail);
  EXPECT_EQ(start(*channel, delivery_to("webhook", "ops")).get().error, "no answer within 50ms");
  EXPECT_EQ(start(*channel, delivery_to("webhook", "metadata")).get().error,
            "169.254.169.254 is a cloud metadata service");
  const auto unknown = start(*channel, delivery_to("webhook", "gone")).get();
  EXPECT_EQ(unknown.kind, Sent::Kind::try_later);
  EXPECT_EQ(unknown.error, "there is no channel 'gone'");
}

TEST(WebhookChannel, StopInterrupts) {
  std::promise<void> arrived;
  const ScriptedServer hanging([&](ScriptedConnection& connection) {
    connection.read_request();
    arrived.set_value();
    connection.wait_until_closed();
  });
  const SystemClock clock;
  NotedMail mail;
  const auto channel = make_webhook_channel(clock, webhook_to(hanging), mail);
  auto sent = start(*channel, delivery_to("webhook", "ops"));
  arrived.get_future().get();
  channel->stop();
  EXPECT_EQ(sent.get().kind, Sent::Kind::interrupted);
  EXPECT_EQ(start(*channel, delivery_to("webhook", "ops")).get().kind, Sent::Kind::interrupted);
}

// A mail server that takes everything and keeps the commands and data.
ScriptedServer::Script taking_mail(std::promise<std::string>& said, std::string rcpt_reply) {
  return [&said, rcpt_reply = std::move(rcpt_reply)](ScriptedConnection& connection) {
    std::string all;
    bool is_data = false;
    connection.write("220 mail.example\r\n");
    while (const auto line = connection.read_line()) {
      all += *line + "\n";
      if (is_data && *line != ".") continue;
      if (*line == "QUIT") break;
      is_data = *line == "DATA";
      connection.write(is_data                     ? "354 go on\r\n"
                       : line->starts_with("RCPT") ? rcpt_reply + "\r\n"
                                                   : "250 fine\r\n");
    }
    said.set_value(all);
  };
}

NotifyOptions mail_through(const ScriptedServer& server) {
  NotifyOptions options;
  options.smtp = net::SmtpServer{.host = "127.0.0.1", .port = server.port()};
  options.smtp->tls = net::SmtpTls::none;
  options.from = "Chronos <chronos@example.com>";
  return options;
}

// Else a project's message would go to everybody's channel of the same name.
TEST(WebhookChannel, WithoutTheStoreNobodyKnowsWhichChannelIsMeant) {
  const ScriptedServer server([](ScriptedConnection&) { ADD_FAILURE() << "it was sent"; });
  auto options = webhook_to(server);
  options.find_declared = [](ProjectId, const std::string&) -> Result<DeclaredChannel> {
    return fail(Reason::store_unavailable, "away for a moment");
  };
  const SystemClock clock;
  NotedMail mail;
  const auto channel = make_webhook_channel(clock, options, mail);
  const auto sent = start(*channel, delivery_to("webhook", "ops")).get();
  EXPECT_EQ(sent.kind, Sent::Kind::try_later);
  EXPECT_EQ(sent.error, "away for a moment");
}

TEST(WebhookChannel, AProjectsChannelComesBeforeTheConfigurations) {
  std::promise<ScriptedConnection::Request> seen;
  const ScriptedServer server([&](ScriptedConnection& connection) {
    seen.set_value(connection.read_request().value());
    connection.write(http_answer("200 OK", "ok"));
  });
  auto options = webhook_to(server);
  options.find_declared = [&](ProjectId, const std::string& name) -> Result<DeclaredChannel> {
    auto channel = declared_to(server, name);
    channel.kind = name == "team" ? ChannelKind::email : ChannelKind::slack;
    channel.to = {"a@b.example", "c@d.example"};
    return channel;
  };
  const SystemClock clock;
  NotedMail mail;
  const auto channel = make_webhook_channel(clock, options, mail);
  EXPECT_EQ(start(*channel, delivery_to("webhook", "ops")).get().kind, Sent::Kind::delivered);
  EXPECT_TRUE(seen.get_future().get().head.starts_with("POST /declared "));
  EXPECT_EQ(start(*channel, delivery_to("webhook", "team")).get().kind, Sent::Kind::delivered);
  EXPECT_EQ(mail.address, "a@b.example, c@d.example");
}

TEST(WebhookChannel, AReceiverThatIsGoneIsToldOfADeclaredChannelOnly) {
  const ScriptedServer server([](ScriptedConnection& connection) {
    connection.read_request();
    connection.write(http_answer("410 Gone", ""));
  });
  auto options = webhook_to(server);
  options.find_declared = [&](ProjectId, const std::string& name) -> Result<DeclaredChannel> {
    if (name == "ops") return fail(Reason::not_found, "of the configuration");
    return declared_to(server, name);
  };
  const SystemClock clock;
  NotedMail mail;
  const auto channel = make_webhook_channel(clock, options, mail);
  const auto declared = start(*channel, delivery_to("webhook", "team")).get();
  EXPECT_EQ(declared.kind, Sent::Kind::refused);
  ASSERT_TRUE(declared.gone);
  EXPECT_EQ(declared.gone->name, "team");
  EXPECT_EQ(declared.gone->version, 7);
  const auto configured = start(*channel, delivery_to("webhook", "ops")).get();
  EXPECT_EQ(configured.kind, Sent::Kind::refused);
  EXPECT_FALSE(configured.gone);
}

TEST(WebhookChannel, NothingIsSentThroughOneThatIsOff) {
  const ScriptedServer server([](ScriptedConnection&) { ADD_FAILURE() << "it was sent"; });
  NotifyOptions options;
  options.find_declared = [&](ProjectId, const std::string& name) -> Result<DeclaredChannel> {
    auto channel = declared_to(server, name);
    channel.disabled_at = Timestamp{};
    return channel;
  };
  const SystemClock clock;
  NotedMail mail;
  const auto channel = make_webhook_channel(clock, options, mail);
  const auto sent = start(*channel, delivery_to("webhook", "team")).get();
  EXPECT_EQ(sent.kind, Sent::Kind::try_later);
  EXPECT_EQ(sent.error, "the channel 'team' is switched off: its receiver answered 410 Gone");
}

TEST(Channels, ADeclaredChannelIsCheckedPlaceByPlace) {
  DeclaredChannel channel;
  channel.url = "not a url";
  channel.secret = "x";
  const auto webhook = check_channel(channel);
  ASSERT_FALSE(webhook);
  EXPECT_EQ(webhook.error().fields.at(0).pointer, "/url");
  EXPECT_EQ(webhook.error().fields.at(1).pointer, "/secret");
  channel = {};
  channel.kind = ChannelKind::email;
  channel.to = {"a@b.example", "nobody"};
  const auto mail = check_channel(channel);
  ASSERT_FALSE(mail);
  EXPECT_EQ(mail.error().fields.at(0).pointer, "/to/1");
  channel.to.pop_back();
  EXPECT_TRUE(check_channel(channel));
}

TEST(EmailChannel, SendsAMailWithIdentity) {
  std::promise<std::string> said;
  const ScriptedServer server(taking_mail(said, "250 fine"));
  const SystemClock clock;
  const auto channel = make_email_channel(clock, mail_through(server));
  const auto delivery = delivery_to("email", "ops@example.com");
  const auto sent = start(*channel, delivery).get();
  EXPECT_EQ(sent.kind, Sent::Kind::delivered) << sent.error;
  const auto all = said.get_future().get();
  EXPECT_TRUE(all.contains("RCPT TO:<ops@example.com>\n")) << all;
  EXPECT_TRUE(all.contains("Subject: [Chronos] Job \"nightly\" failed\n")) << all;
  EXPECT_TRUE(all.contains("Message-ID: <" + delivery.id.to_string() + "@example.com>\n")) << all;
  EXPECT_TRUE(all.contains("Content-Type: text/html"));
}

TEST(EmailChannel, UnknownMailboxIsRefusedForGood) {
  std::promise<std::string> said;
  const ScriptedServer server(taking_mail(said, "550 no such user"));
  const SystemClock clock;
  const auto channel = make_email_channel(clock, mail_through(server));
  EXPECT_EQ(start(*channel, delivery_to("email", "a@b")).get().kind, Sent::Kind::refused);
}

TEST(EmailChannel, WithoutAServerMailWaits) {
  const SystemClock clock;
  const auto channel = make_email_channel(clock, {});
  const auto sent = start(*channel, delivery_to("email", "a@b")).get();
  EXPECT_EQ(sent.kind, Sent::Kind::try_later);
  EXPECT_EQ(sent.error, "no mail server is configured");
}

TEST(EmailChannel, StopInterruptsWhatIsSentAndWhatWaits) {
  std::atomic<int> connections = 0;
  std::promise<void> all_busy;
  const ScriptedServer hanging([&](ScriptedConnection& connection) {
    if (++connections == 4) all_busy.set_value();
    connection.wait_until_closed();
  });
  const SystemClock clock;
  const auto channel = make_email_channel(clock, mail_through(hanging));
  std::vector<std::future<Sent>> sent;
  for (int i = 0; i < channel->sendings_max(); ++i) {
    sent.push_back(start(*channel, delivery_to("email", "a@b")));
  }
  all_busy.get_future().get();
  channel->stop();
  for (auto& one : sent) EXPECT_EQ(one.get().kind, Sent::Kind::interrupted);
  EXPECT_EQ(connections, 4);
  EXPECT_EQ(start(*channel, delivery_to("email", "a@b")).get().kind, Sent::Kind::interrupted);
}

std::vector<std::string> pointers_of(const Result<void>& checked) {
  std::vector<std::string> pointers;
  if (checked) return pointers;
  for (const auto& field : checked.error().fields) pointers.push_back(field.pointer);
  return pointers;
}

TEST(Channels, CheckRules) {
  const SystemClock clock;
  NotifyOptions options;
  options.channels["oncall"] = {"https://a.example/", "", {}};
  const Channels channels(clock, options);
  EXPECT_TRUE(channels.check({}).has_value());
  NotifyRule good;
  good.email = {"ops@example.com"};
  good.channel = "oncall";
  EXPECT_TRUE(channels.check({good}).has_value());
  NotifyRule bad;
  bad.email = {"ops@example.com", "ops@example.com\r\nBcc: x@y", "nobody"};
  bad.channel = "onclal";
  const auto checked = channels.check({good, bad});
  EXPECT_EQ(
      pointers_of(checked),
      (std::vector<std::string>{"/notify/1/email/1", "/notify/1/email/2", "/notify/1/channel"}));
  EXPECT_EQ(checked.error().fields.back().hint, "did you mean 'oncall'?");
}

TEST(Channels, CheckOptions) {
  EXPECT_TRUE(check_options({}).has_value());
  NotifyOptions bad;
  bad.smtp = net::SmtpServer{.host = "mail@evil/", .port = 0};
  bad.from = "nobody";
  bad.channels["a/b"] = {"ftp://a.example/", "secret", {}};
  EXPECT_EQ(pointers_of(check_options(bad)),
            (std::vector<std::string>{"/smtp/host", "/smtp/port", "/from", "/channels/a~1b/url",
                                      "/channels/a~1b/secret"}));
  NotifyOptions good;
  good.smtp = net::SmtpServer{.host = "mail.example.com"};
  good.from = "Chronos <chronos@example.com>";
  good.channels["ops"] = {"https://a.example/", kSecret, {}};
  EXPECT_TRUE(check_options(good).has_value());
}

TEST(Channels, KindsAreListed) {
  const SystemClock clock;
  Channels channels(clock, {});
  const auto by_kind = channels.by_kind();
  EXPECT_TRUE(by_kind.contains("email"));
  EXPECT_TRUE(by_kind.contains("webhook"));
  channels.stop();
}

TEST(WebhookFormat, Names) {
  for (const auto format : {WebhookFormat::standard, WebhookFormat::slack}) {
    EXPECT_EQ(parse_webhook_format(to_string(format)), format);
  }
  EXPECT_FALSE(parse_webhook_format("teams"));
}

}  // namespace
}  // namespace chronos::notify
