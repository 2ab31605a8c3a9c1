#include "model/channel.h"

#include <fmt/format.h>

#include <array>
#include <span>

#include "base/crypto.h"
#include "base/fields.h"
#include "model/enum_names.h"

namespace chronos {
namespace {

using fields::Field;
using fields::Place;

constexpr EnumNames<ChannelKind, 3> kKinds = {{{ChannelKind::email, "email"},
                                               {ChannelKind::webhook, "webhook"},
                                               {ChannelKind::slack, "slack"}}};
constexpr std::size_t kAddressesMax = 50;

struct FewAddresses {
  void check(const std::vector<std::string>& to, const Place& place) const {
    if (to.size() <= kAddressesMax) return;
    place.refuse("too_long",
                 fmt::format("has {} addresses, at most {} are allowed", to.size(), kAddressesMax));
  }
};

void read_kind(const json::Value& value, DeclaredChannel& channel, const Place& place) {
  if (!place.expect(value, json::Type::string)) return;
  const auto kind = parse_channel_kind(value.string);
  if (!kind) {
    return place.refuse("unknown_value",
                        fmt::format("'{}' is not a kind of channel", value.string.substr(0, 64)),
                        "email, webhook or slack");
  }
  channel.kind = *kind;
}

void write_kind(json::Writer& writer, const DeclaredChannel& channel) {
  writer.string(to_string(channel.kind));
}

constexpr auto kChannelName = fields::row<&DeclaredChannel::name, fields::Slug{64}>("name");
constexpr Field<DeclaredChannel> kKind{"kind", read_kind, write_kind};
constexpr auto kTo = fields::row<&DeclaredChannel::to, FewAddresses{}>("to");
constexpr auto kUrl = fields::row<&DeclaredChannel::url, fields::Length{0, 2000}>("url");
constexpr auto kSecret = fields::row<&DeclaredChannel::secret, fields::Length{0, 200}>("secret");
constexpr auto kDisabledAt = fields::row<&DeclaredChannel::disabled_at>("disabled_at");
// THE table of what a user declares.
constexpr std::array kDeclaredFields = {kChannelName, kKind, kTo, kUrl, kSecret};
constexpr std::array kShown = {kKind, kTo, kUrl};
constexpr std::array kStored = {kKind, kTo, kUrl, kSecret, kDisabledAt};

// What its kind needs, and nothing else.
void check_parts(const DeclaredChannel& channel, const Place& place) {
  const bool is_email = channel.kind == ChannelKind::email;
  if (is_email && channel.to.empty()) place.at("to").refuse("required", "say whom to write to");
  if (!is_email && !channel.to.empty()) {
    place.at("to").refuse("not_applicable", "is for channels of kind email");
  }
  if (!is_email && channel.url.empty()) place.at("url").refuse("required", "is required");
  if (is_email && !channel.url.empty()) {
    place.at("url").refuse("not_applicable", "is for channels of kind webhook or slack");
  }
  if (channel.kind != ChannelKind::webhook && !channel.secret.empty()) {
    place.at("secret").refuse("not_applicable", "is for channels of kind webhook");
  }
}

}  // namespace

Result<void> read_channel(const json::Value& root, DeclaredChannel& channel) {
  std::vector<FieldError> problems;
  const Place place(problems);
  fields::read_object(std::span<const Field<DeclaredChannel>>(kDeclaredFields), root, channel,
                      place);
  if (root.is(json::Type::object) && root.find("kind") == nullptr) {
    place.at("kind").refuse("required", "is required", "email, webhook or slack");
  }
  if (problems.empty()) check_parts(channel, place);
  if (problems.empty()) return {};
  return fields::refuse_all("the channel", std::move(problems));
}

void write_channel(json::Writer& writer, const DeclaredChannel& channel) {
  writer.begin_object().member("name", channel.name);
  fields::write_members(std::span<const Field<DeclaredChannel>>(kShown), writer, channel);
  writer.member("has_secret", !channel.secret.empty());
  kDisabledAt.write(writer.key(kDisabledAt.name), channel);
  writer.member("version", channel.version).key("created_at");
  fields::write_value(writer, channel.created_at);
  writer.key("updated_at");
  fields::write_value(writer, channel.updated_at);
  writer.end_object();
}

std::string describe_channel(const DeclaredChannel& channel) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  fields::write_members(std::span<const Field<DeclaredChannel>>(kShown), writer, channel);
  // Masked by its name when it is shown (model/audit.h); here only so that a change is seen.
  if (!channel.secret.empty()) writer.member("secret", to_hex(as_bytes(sha256(channel.secret))));
  writer.end_object();
  return text;
}

bool say_the_same(const DeclaredChannel& a, const DeclaredChannel& b) {
  return encode_channel(a) == encode_channel(b);
}

std::string encode_channel(const DeclaredChannel& channel) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object();
  fields::write_members(std::span<const Field<DeclaredChannel>>(kStored), writer, channel);
  writer.end_object();
  return text;
}

Result<void> decode_channel(std::string_view text, DeclaredChannel& channel) {
  CHRONOS_TRY(const auto document, json::parse(text));
  std::vector<FieldError> problems;
  fields::read_object(std::span<const Field<DeclaredChannel>>(kStored), document.root(), channel,
                      Place(problems));
  if (problems.empty()) return {};
  return fail(Reason::internal, "a stored channel cannot be read: " + problems.front().pointer);
}

std::string_view to_string(ChannelKind kind) {
  return name_of(kKinds, kind);
}
std::optional<ChannelKind> parse_channel_kind(std::string_view text) {
  return value_of(kKinds, text);
}

}  // namespace chronos
