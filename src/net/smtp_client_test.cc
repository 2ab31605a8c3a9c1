#include "net/smtp_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "base/time_text.h"
#include "support/scripted_server.h"

namespace chronos::net {
namespace {

using testing::ScriptedConnection;
using testing::ScriptedServer;

constexpr Duration kAmple = std::chrono::seconds(60);

Mail mail() {
  return {.from = "Chronos <chronos@example.com>",
          .to = {"ops@example.com"},
          .subject = "job failed",
          .text = "first\n.\n.second\n",
          .html = {}};
}

MailAnswer send(const SmtpServer& server, Duration timeout = kAmple) {
  return send_mail(server, mail(), {parse_timestamp("2026-03-08T07:05:09Z").value(), "dlv_1"},
                   timeout);
}

SmtpServer at(const ScriptedServer& server, SmtpTls tls = SmtpTls::none) {
  return {.host = "127.0.0.1",
          .port = server.port(),
          .tls = tls,
          .user = {},
          .password = {},
          .ca_file = {}};
}

// A mail server that answers each verb from a table, and keeps what it was told.
class MailServer {
 public:
  explicit MailServer(std::map<std::string, std::string> replies = {})
      : replies_(std::move(replies)), server_([this](ScriptedConnection& c) { talk(c); }) {}

  const ScriptedServer& server() const { return server_; }
  std::vector<std::string> commands() {
    const std::lock_guard lock(mutex_);
    return commands_;
  }
  std::string data() {
    const std::lock_guard lock(mutex_);
    return data_;
  }

 private:
  std::string reply_to(const std::string& verb, const char* usual) const {
    const auto found = replies_.find(verb);
    return (found == replies_.end() ? usual : found->second) + "\r\n";
  }
  void talk(ScriptedConnection& connection) {
    connection.write(reply_to("(greeting)", "220 mail.example ESMTP"));
    while (const auto line = connection.read_line()) {
      {
        const std::lock_guard lock(mutex_);
        commands_.push_back(*line);
      }
      const auto verb = line->substr(0, 4);
      if (verb == "EHLO") {
        connection.write(reply_to(verb, "250-mail.example\r\n250 AUTH PLAIN"));
      } else if (verb == "AUTH") {
        if (*line == "AUTH PLAIN") {  // the response comes when it is asked for
          connection.write("334 \r\n");
          const std::string response = connection.read_line().value_or("");
          const std::lock_guard lock(mutex_);
          commands_.push_back(response);
        }
        connection.write(reply_to(verb, "235 welcome"));
      } else if (verb == "DATA") {
        const auto reply = reply_to(verb, "354 go on");
        connection.write(reply);
        if (reply.starts_with("354")) take_data(connection);
      } else if (verb == "QUIT") {
        connection.write("221 bye\r\n");
        return;
      } else {
        connection.write(reply_to(verb, "250 fine"));
      }
    }
  }
  void take_data(ScriptedConnection& connection) {
    while (const auto line = connection.read_line()) {
      if (*line == ".") break;
      const std::lock_guard lock(mutex_);
      data_ += *line + "\n";
    }
    connection.write(reply_to("(data)", "250 taken"));
  }

  const std::map<std::string, std::string> replies_;
  std::mutex mutex_;
  std::vector<std::string> commands_;
  std::string data_;
  ScriptedServer server_;
};

bool contains(const std::vector<std::string>& commands, std::string_view command) {
  return std::ranges::find(commands, command) != commands.end();
}

TEST(SmtpClient, SendsAMail) {
  MailServer server;
  const auto answer = send(at(server.server()));
  EXPECT_TRUE(answer.is_sent) << answer.error;
  EXPECT_EQ(answer.error, "");
  EXPECT_TRUE(contains(server.commands(), "MAIL FROM:<chronos@example.com>"));
  EXPECT_TRUE(contains(server.commands(), "RCPT TO:<ops@example.com>"));
  EXPECT_TRUE(server.data().contains("\nSubject: job failed\n"));
  EXPECT_TRUE(server.data().contains("\n\nfirst\n..\n..second\n")) << server.data();
}

TEST(SmtpClient, LogsIn) {
  MailServer server;
  auto account = at(server.server());
  account.user = "user";
  account.password = "secret";
  const auto answer = send(account);
  EXPECT_TRUE(answer.is_sent) << answer.error;
  // RFC 4616: NUL user NUL password, in base64; in the AUTH line or the one after it.
  const auto commands = server.commands();
  EXPECT_TRUE(contains(commands, "AUTH PLAIN AHVzZXIAc2VjcmV0") ||
              contains(commands, "AHVzZXIAc2VjcmV0"));
}

TEST(SmtpClient, RefusalsForGoodAreToldApart) {
  struct Row {
    const char* verb;
    const char* reply;
    bool is_refused;
  };
  for (const Row& row :
       {Row{"RCPT", "550 no such user", true}, Row{"RCPT", "553 bad name", true},
        Row{"RCPT", "450 mailbox busy", false}, Row{"RCPT", "451 try later", false},
        Row{"MAIL", "452 full", false}, Row{"DATA", "554 no", false},
        Row{"(data)", "554 spam", false}, Row{"(data)", "550 rejected", true},
        Row{"AUTH", "535 wrong", false}, Row{"(greeting)", "421 not now", false},
        Row{"(greeting)", "554 go away", false}}) {
    MailServer server(std::map<std::string, std::string>{{row.verb, row.reply}});
    auto account = at(server.server());
    account.user = "user";
    account.password = "hunter2hunter2";
    const auto answer = send(account);
    EXPECT_FALSE(answer.is_sent) << row.reply;
    EXPECT_EQ(answer.is_refused, row.is_refused) << row.verb << " " << row.reply;
    EXPECT_FALSE(answer.error.empty());
    EXPECT_FALSE(answer.error.contains("hunter2"));
  }
}

TEST(SmtpClient, NeverFallsBackToPlainText) {
  MailServer server;  // does not offer STARTTLS
  auto account = at(server.server(), SmtpTls::starttls);
  account.user = "user";
  account.password = "secret";
  EXPECT_FALSE(send(account).is_sent);
  for (const auto& command : server.commands()) {
    EXPECT_FALSE(command.starts_with("AUTH") || command.starts_with("MAIL")) << command;
  }
  EXPECT_FALSE(send(at(server.server(), SmtpTls::tls), std::chrono::milliseconds(200)).is_sent);
}

TEST(SmtpClient, HangingServerIsLeft) {
  const ScriptedServer silent(
      [](ScriptedConnection& connection) { connection.wait_until_closed(); });
  const auto answer = send(at(silent), std::chrono::milliseconds(50));
  EXPECT_FALSE(answer.is_sent);
  EXPECT_FALSE(answer.is_refused);
  EXPECT_TRUE(answer.error.ends_with("did not take the mail within 50ms")) << answer.error;
}

TEST(SmtpClient, StopRequestEndsIt) {
  std::stop_source stop;
  const ScriptedServer silent([&](ScriptedConnection& connection) {
    stop.request_stop();
    connection.wait_until_closed();
  });
  const auto answer = send_mail(at(silent), mail(), {}, kAmple, stop.get_token());
  EXPECT_FALSE(answer.is_sent);
  EXPECT_FALSE(answer.is_refused);
}

TEST(SmtpClient, NobodyThere) {
  std::uint16_t port = 0;
  {
    const ScriptedServer server([](ScriptedConnection&) {});
    port = server.port();
  }
  const auto answer = send({.host = "127.0.0.1",
                            .port = port,
                            .tls = SmtpTls::none,
                            .user = {},
                            .password = {},
                            .ca_file = {}});
  EXPECT_FALSE(answer.is_sent);
  EXPECT_FALSE(answer.is_refused);
  EXPECT_TRUE(answer.error.starts_with("mail server 127.0.0.1 port ")) << answer.error;
}

TEST(SmtpClient, BadAddressesAreRefusedBeforeConnecting) {
  MailServer server;
  auto bad = mail();
  bad.to = {"a@b>\r\nRCPT TO:<evil@example.com"};
  const auto answer = send_mail(at(server.server()), bad, {}, kAmple);
  EXPECT_TRUE(answer.is_refused);
  EXPECT_EQ(server.server().connection_count(), 0);
}

TEST(SmtpTls, Names) {
  for (const auto tls : {SmtpTls::starttls, SmtpTls::tls, SmtpTls::none}) {
    EXPECT_EQ(parse_smtp_tls(to_string(tls)), tls);
  }
  EXPECT_FALSE(parse_smtp_tls("ssl"));
}

}  // namespace
}  // namespace chronos::net
