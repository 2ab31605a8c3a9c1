// Channels of projects, and bulk operations.
#include <algorithm>
#include <ranges>
#include <utility>

#include "store/memory_audited.h"
#include "store/memory_reads.h"

namespace chronos::store::memory {
// -- Channels ------------------------------------------------------------------------------------

Before before_of(const Tables& tables, const PutChannel& change) {
  const auto found = tables.channels.find({change.channel.project, change.channel.name});
  return found == tables.channels.end() ? Before{} : Before{.channel = found->second};
}

Result<ChannelAnswer> apply(Tables& tables, const PutChannel& change) {
  CHRONOS_TRY(const auto replay, find_replay<ChannelName>(tables, change.idempotency));
  if (replay) {
    const auto made = tables.channels.find(*replay);
    if (made != tables.channels.end()) return ChannelAnswer{made->second, false, true};
  }
  auto channel = change.channel;
  const ChannelName key{channel.project, channel.name};
  const auto found = tables.channels.find(key);
  const bool is_new = found == tables.channels.end();
  const auto version = is_new ? 0 : found->second.version;
  if (change.expected_version && *change.expected_version != version)
    return changed_meanwhile("channel");
  const bool is_same = !is_new && say_the_same(found->second, channel);
  if (!is_new && change.must_be_new) {
    if (is_same && found->second.created_at == channel.created_at) {
      return ChannelAnswer{found->second, true, true};
    }
    return fail(Reason::key_taken, "another channel has the name '" + channel.name + "'");
  }
  if (!is_same) {
    channel.version = version + 1;
    if (!is_new) channel.created_at = found->second.created_at;
    tables.channels.insert_or_assign(key, channel);
  }
  remember(tables, change.idempotency, key);
  return ChannelAnswer{tables.channels.at(key), is_new, false};
}

Result<ChannelAnswer> apply(Tables& tables, const DeleteChannel& change) {
  const auto found = tables.channels.find({change.project, change.name});
  if (found == tables.channels.end()) return fail(Reason::not_found, "no channel has this name");
  const auto channel = found->second;
  if (change.expected_version && *change.expected_version != channel.version) {
    return changed_meanwhile("channel");
  }
  tables.channels.erase(found);
  return ChannelAnswer{channel};
}

Result<DeclaredChannel> find_channel(const Tables& tables, ProjectId project,
                                     const std::string& name) {
  const auto found = tables.channels.find({project, name});
  if (found == tables.channels.end()) return fail(Reason::not_found, "no channel has this name");
  return found->second;
}

std::vector<DeclaredChannel> list_channels(const Tables& tables, ProjectId project) {
  std::vector<DeclaredChannel> channels;
  for (const auto& [key, channel] : tables.channels) {
    if (key.project == project) channels.push_back(channel);
  }
  return channels;
}

// -- Bulk operations -----------------------------------------------------------------------------

Before before_of(const Tables& tables, const MoveBulk& change) {
  const auto found = tables.bulks.find(change.bulk.id);
  return found == tables.bulks.end() ? Before{} : Before{.bulk = found->second.first};
}

Result<BulkAnswer> apply(Tables& tables, const PutBulk& change) {
  CHRONOS_TRY(const auto replay, find_replay<BulkId>(tables, change.idempotency));
  const auto known = tables.bulks.find(replay.value_or(change.bulk.id));
  if (known != tables.bulks.end()) return BulkAnswer{known->second.first, true};
  tables.bulks.emplace(change.bulk.id, std::pair(change.bulk, change.items));
  remember(tables, change.idempotency, change.bulk.id);
  return BulkAnswer{change.bulk};
}

Result<BulkAnswer> apply(Tables& tables, const MoveBulk& change) {
  const auto& bulk = change.bulk;
  const auto found = tables.bulks.find(bulk.id);
  if (found == tables.bulks.end() || found->second.first.project != bulk.project) {
    return fail(Reason::not_found, "no bulk operation has this id");
  }
  auto& [stored, items] = found->second;
  if (stored.step != bulk.step) {
    return fail(Reason::version_mismatch, "the bulk operation has moved on meanwhile");
  }
  stored.move_to(bulk);
  if (stored.is_over()) items.clear();
  return BulkAnswer{stored};
}

Result<Bulk> find_bulk(const Tables& tables, ProjectId project, BulkId bulk) {
  const auto found = tables.bulks.find(bulk);
  if (found == tables.bulks.end() || found->second.first.project != project) {
    return fail(Reason::not_found, "no bulk operation has this id");
  }
  return found->second.first;
}

std::vector<Bulk> list_bulks(const Tables& tables, ProjectId project, std::optional<BulkId> after,
                             int limit) {
  std::vector<Bulk> bulks;
  for (const auto& [id, entry] : std::views::reverse(tables.bulks)) {
    if (std::ssize(bulks) == limit) break;
    if (entry.first.project == project && (!after || id < *after)) bulks.push_back(entry.first);
  }
  return bulks;
}

std::vector<Bulk> open_bulks(const Tables& tables, int limit) {
  std::vector<Bulk> bulks;
  for (const auto& [_, entry] : tables.bulks) {
    if (!entry.first.is_over()) bulks.push_back(entry.first);
  }
  std::ranges::sort(bulks, {}, [](const Bulk& bulk) { return std::pair(bulk.starts_at, bulk.id); });
  if (std::ssize(bulks) > limit) bulks.resize(static_cast<std::size_t>(limit));
  return bulks;
}

std::vector<Uuid> bulk_items(const Tables& tables, BulkId bulk, std::int64_t from, int limit) {
  const auto found = tables.bulks.find(bulk);
  if (found == tables.bulks.end()) return {};
  const auto& items = found->second.second;
  const auto begin = std::min<std::int64_t>(from, std::ssize(items));
  const auto end = std::min<std::int64_t>(begin + limit, std::ssize(items));
  return {items.begin() + begin, items.begin() + end};
}

}  // namespace chronos::store::memory
