// Sends one e-mail over SMTP through libcurl. Blocks: the e-mail channel calls on a thread of its
// own. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/mail_message.h"

namespace chronos::net {

enum class SmtpTls {
  starttls,  // upgraded before anything else is said; never in plain text when that fails
  tls,       // from the first byte
  none,
};

std::string_view to_string(SmtpTls tls);
std::optional<SmtpTls> parse_smtp_tls(std::string_view text);

struct SmtpServer {
  std::string host;
  std::uint16_t port = 587;
  SmtpTls tls = SmtpTls::starttls;
  std::string user;  // empty = no login
  std::string password;
  std::string ca_file;  // PEM file of trusted authorities; empty = the system's
};

struct MailAnswer {
  bool is_sent = false;     // the server took it over
  bool is_refused = false;  // for good: no such mailbox; sending it again is useless
  std::string error;        // one line for people; empty when sent
};

// Ends within `timeout`, or within about a second of a stop request.
MailAnswer send_mail(const SmtpServer& server, const Mail& mail, const MailStamp& stamp,
                     Duration timeout, std::stop_token stop = {});

// Connects, says hello, makes the connection safe and logs in, as for a mail, and leaves. Why that
// does not work, in one line for people; empty when it does.
std::string greet(const SmtpServer& server, Duration timeout);

}  // namespace chronos::net
