// An e-mail as a value and as the bytes that travel (RFC 5322, MIME). Header injection is
// impossible: what stands in a header is checked or encoded. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace chronos::net {

struct Mail {
  std::string from;             // "ops@example.com" or "Chronos <ops@example.com>"
  std::vector<std::string> to;  // addresses, at least one
  std::string subject;
  std::string text;
  std::string html;  // the same for eyes; empty = text only
};

struct MailStamp {
  Timestamp date;
  std::string id;  // unique, the same over repeats: the left side of the Message-ID
};

struct Mailbox {
  std::string name;  // may be empty
  std::string address;
};

// ASCII only: without SMTPUTF8 nothing else can be delivered everywhere. A domain of one label
// ("localhost") is fine; quoted local parts and address literals are refused.
bool is_mail_address(std::string_view text);

// "a@b" or "Name <a@b>".
std::optional<Mailbox> parse_mailbox(std::string_view text);

// The whole message with CR LF line ends. Fails with Reason::invalid_fields when an address is not
// one.
Result<std::string> render_mail(const Mail& mail, const MailStamp& stamp);

}  // namespace chronos::net
