// Channels of projects.
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/audited.h"
#include "store/sql/idempotency.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

#define CHRONOS_CHANNEL_COLUMNS "project, name, declared, version, created_at, updated_at"

constexpr Sql kFindChannel{"SELECT " CHRONOS_CHANNEL_COLUMNS
                           " FROM channels WHERE project = $1 AND name = $2"};
constexpr Sql kListChannels{"SELECT " CHRONOS_CHANNEL_COLUMNS
                            " FROM channels WHERE project = $1 ORDER BY name"};
constexpr Sql kPutChannel{
    "INSERT INTO channels (" CHRONOS_CHANNEL_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project, name) DO UPDATE SET"
    " declared = excluded.declared, version = excluded.version,"
    " updated_at = excluded.updated_at"};
constexpr Sql kDeleteChannel{"DELETE FROM channels WHERE project = $1 AND name = $2"};

Result<DeclaredChannel> read_channel_row(Columns& columns) {
  DeclaredChannel channel;
  channel.project = columns.get<ProjectId>();
  channel.name = columns.get<std::string>();
  const auto declared = columns.get<std::string_view>();
  CHRONOS_TRY_VOID(decode_channel(declared, channel));
  channel.version = columns.get<std::int64_t>();
  channel.created_at = columns.get<Timestamp>();
  channel.updated_at = columns.get<Timestamp>();
  return channel;
}

Result<std::optional<DeclaredChannel>> stored_channel(Connection& db, ProjectId project,
                                                      const std::string& name) {
  CHRONOS_TRY(auto row, db.one(kFindChannel, read_channel_row, project, name));
  if (!row) return std::nullopt;
  CHRONOS_TRY(auto channel, std::move(*row));
  return channel;
}

std::unexpected<Error> no_channel() {
  return fail(Reason::not_found, "no channel has this name");
}

}  // namespace

Result<Before> before_of(Writer& writer, const PutChannel& change) {
  CHRONOS_TRY(auto channel, stored_channel(writer.db, change.channel.project, change.channel.name));
  return Before{.channel = std::move(channel)};
}

Result<ChannelAnswer> apply(Writer& writer, const PutChannel& change) {
  auto& db = writer.db;
  auto channel = change.channel;
  CHRONOS_TRY(const auto made, find_made(db, change.idempotency, Made::channel));
  if (made) {
    CHRONOS_TRY(auto known, stored_channel(db, made->project, made->name.value_or("")));
    if (known) return ChannelAnswer{std::move(*known), false, true};
  }
  CHRONOS_TRY(const auto stored, stored_channel(db, channel.project, channel.name));
  const auto version = stored ? stored->version : 0;
  if (change.expected_version && *change.expected_version != version)
    return changed_meanwhile("channel");
  const bool is_same = stored && say_the_same(*stored, channel);
  if (stored && change.must_be_new) {
    if (is_same && stored->created_at == channel.created_at) {
      return ChannelAnswer{*stored, true, true};
    }
    return fail(Reason::key_taken, "another channel has the name '" + channel.name + "'");
  }
  if (is_same) {
    channel = *stored;
  } else {
    channel.version = version + 1;
    if (stored) channel.created_at = stored->created_at;
    CHRONOS_TRY_VOID(db.post(kPutChannel, channel.project, channel.name, encode_channel(channel),
                             channel.version, channel.created_at, channel.updated_at));
  }
  CHRONOS_TRY_VOID(
      remember(db, change.idempotency, {Made::channel, channel.project, {}, {}, {}, channel.name}));
  return ChannelAnswer{std::move(channel), !stored, false};
}

Result<ChannelAnswer> apply(Writer& writer, const DeleteChannel& change) {
  auto& db = writer.db;
  CHRONOS_TRY(auto channel, stored_channel(db, change.project, change.name));
  if (!channel) return no_channel();
  if (change.expected_version && *change.expected_version != channel->version) {
    return changed_meanwhile("channel");
  }
  CHRONOS_TRY_VOID(db.post(kDeleteChannel, change.project, change.name));
  return ChannelAnswer{std::move(*channel)};
}

Result<DeclaredChannel> find_channel(Reader reader, ProjectId project, const std::string& name) {
  CHRONOS_TRY(auto channel, stored_channel(reader.db, project, name));
  if (!channel) return no_channel();
  return std::move(*channel);
}

Result<std::vector<DeclaredChannel>> list_channels(Reader reader, ProjectId project) {
  CHRONOS_TRY(auto rows, reader.db.all(kListChannels, read_channel_row, project));
  std::vector<DeclaredChannel> channels;
  for (auto& row : rows) {
    CHRONOS_TRY(auto channel, std::move(row));
    channels.push_back(std::move(channel));
  }
  return channels;
}

}  // namespace chronos::store::sql
