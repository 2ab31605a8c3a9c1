// What people read: a Message as an e-mail and as JSON for programs. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "model/notification.h"

namespace chronos::notify {

struct MailText {
  std::string subject;
  std::string text;
  std::string html;  // the same
};

// `base_url` is where people reach this server ("https://chronos.example"); empty = no link.
MailText mail_text(const Message& message, std::string_view base_url);

// Standard Webhooks' {"type", "timestamp", "data"}: ids, names and what happened, no output.
std::string webhook_body(const Message& message, std::string_view base_url);

// What Slack and its look-alikes take: {"text": …}.
std::string slack_body(const Message& message, std::string_view base_url);

}  // namespace chronos::notify
