#include "service/channels.h"

#include <utility>

#include "base/fields.h"

namespace chronos::service {
Channels::Channels(store::Store& store, const Clock& clock, IdSource& ids, ChannelParts parts)
    : store_(store), clock_(clock), ids_(ids), parts_(std::move(parts)) {}

void Channels::commit(DeclaredChannel channel, bool must_be_new, const Principal& who,
                      const RequestFacts& facts, Done<ChannelReply> done) {
  if (auto good = parts_.check(channel); !good) {
    return done(std::unexpected(std::move(good).error()));
  }
  const auto now = clock_.now();
  channel.project = who.project;
  channel.created_at = channel.updated_at = now;
  store_.commit(store::PutChannel{.channel = std::move(channel),
                                  .must_be_new = must_be_new,
                                  .expected_version = facts.if_version,
                                  .idempotency = idempotency_of(who, facts, now),
                                  .by = author_of(who, ids_, now, "channel.update")},
                std::move(done));
}

void Channels::create(const Principal& who, const json::Value& body, const RequestFacts& facts,
                      Done<ChannelReply> done) {
  DeclaredChannel channel;
  auto read = read_channel(body, channel);
  if (read && channel.name.empty()) read = fail_field("/name", "required", "is required");
  if (!read) return done(std::unexpected(std::move(read).error()));
  commit(std::move(channel), true, who, facts, std::move(done));
}

void Channels::put(const Principal& who, const std::string& name, const json::Value& body,
                   const RequestFacts& facts, Done<ChannelReply> done) {
  DeclaredChannel channel;
  auto read = fields::check_name("the channel", name);
  const auto stored = store_.find_channel(who.project, name);
  if (!stored && stored.error().reason != Reason::not_found) {
    return done(std::unexpected(stored.error()));
  }
  const auto* kind = body.find("kind");
  const bool stays_webhook = stored && stored->kind == ChannelKind::webhook && kind != nullptr &&
                             kind->string == to_string(ChannelKind::webhook);
  if (stays_webhook) channel.secret = stored->secret;
  if (read) read = read_channel(body, channel);
  if (read && !channel.name.empty() && channel.name != name) {
    read = fail_field("/name", "conflicting_name", "differs from the name in the path");
  }
  if (!read) return done(std::unexpected(std::move(read).error()));
  channel.name = name;
  // A secret that is kept is that of this version: it must not come back over a newer one.
  auto guarded = facts;
  const bool keeps_secret = stays_webhook && body.find("secret") == nullptr;
  if (keeps_secret && !guarded.if_version) guarded.if_version = stored->version;
  commit(std::move(channel), false, who, guarded, std::move(done));
}

void Channels::remove(const Principal& who, const std::string& name, const RequestFacts& facts,
                      Done<ChannelReply> done) {
  store_.commit(store::DeleteChannel{who.project, name, facts.if_version,
                                     author_of(who, ids_, clock_.now(), "channel.delete")},
                std::move(done));
}

Result<DeclaredChannel> Channels::find(const Principal& who, const std::string& name) const {
  return store_.find_channel(who.project, name);
}

Result<std::vector<DeclaredChannel>> Channels::list(const Principal& who) const {
  return store_.list_channels(who.project);
}

void Channels::test(const Principal& who, const std::string& name, Done<ChannelTest> done) const {
  auto channel = store_.find_channel(who.project, name);
  if (!channel) return done(std::unexpected(std::move(channel).error()));
  const auto now = clock_.now();
  Delivery delivery;
  delivery.id = ids_.make<DeliveryId>();
  delivery.project = who.project;
  delivery.target = {"webhook", name};
  delivery.message.event = "test";
  delivery.message.project = who.project_name;
  delivery.message.planned_at = delivery.message.ended_at = now;
  const auto by = author_of(who, ids_, now, "channel.test");
  store_.commit(store::AddAudit{entry_by(by, who.project, name, name)},
                [this, channel = std::move(*channel), delivery = std::move(delivery),
                 done = std::move(done)](const Result<store::AddAudit::Answer>& noted) mutable {
                  if (!noted) return done(std::unexpected(noted.error()));
                  parts_.send(channel, delivery,
                              [this, channel, done = std::move(done)](ChannelTest test) mutable {
                                if (!test.is_delivered || !channel.disabled_at)
                                  return done(std::move(test));
                                enable(std::move(channel),
                                       [test = std::move(test), done = std::move(done)]() mutable {
                                         done(std::move(test));
                                       });
                              });
                });
}

// Unless it was changed since it was read. Should the store fail, the message has arrived all the
// same.
void Channels::enable(DeclaredChannel channel, std::move_only_function<void()> then) const {
  const auto version = channel.version;
  channel.disabled_at.reset();
  channel.updated_at = clock_.now();
  store_.commit(store::PutChannel{.channel = std::move(channel), .expected_version = version},
                [then = std::move(then)](const auto&) mutable { then(); });
}

}  // namespace chronos::service
