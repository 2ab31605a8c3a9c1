// A channel as a project declares it: a named place where people are told. Plain values. (What
// sends there is notify/channel.h.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"

namespace chronos {

enum class ChannelKind { email, webhook, slack };

struct DeclaredChannel {
  ProjectId project;
  std::string name;  // a slug, unique in its project; rules name it
  ChannelKind kind = ChannelKind::webhook;
  std::vector<std::string> to;  // of email: addresses
  std::string url;              // of webhook and slack
  std::string secret;           // of webhook: "whsec_…", signs what is sent; never answered
  // Since when nothing is sent there, because its receiver said that it is gone. Declared anew, or
  // tried with success, it is on again.
  std::optional<Timestamp> disabled_at;
  std::int64_t version = 1;  // grows with every change
  Timestamp created_at;
  Timestamp updated_at;
};

// Reads a declaration: `name` may be absent, and an absent secret stays as it is in `channel`.
// Fails with every problem found. That addresses and URLs are good is for others to say.
Result<void> read_channel(const json::Value& root, DeclaredChannel& channel);
// Without its secret: only whether there is one.
void write_channel(json::Writer& writer, const DeclaredChannel& channel);
// What was declared, for the audit log: the secret as an opaque mark that differs with it.
std::string describe_channel(const DeclaredChannel& channel);
bool say_the_same(const DeclaredChannel& a, const DeclaredChannel& b);

// For the store: what was declared, without the name, and back.
std::string encode_channel(const DeclaredChannel& channel);
Result<void> decode_channel(std::string_view text, DeclaredChannel& channel);

std::string_view to_string(ChannelKind kind);
std::optional<ChannelKind> parse_channel_kind(std::string_view text);

}  // namespace chronos
