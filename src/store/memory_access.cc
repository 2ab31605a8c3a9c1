// Deliveries, projects, keys and sessions.
#include <algorithm>
#include <utility>

#include "store/memory_tables.h"

namespace chronos::store::memory {

Result<ClaimDeliveries::Answer> apply(Tables& tables, const ClaimDeliveries& change) {
  std::vector<Delivery*> waiting;
  for (auto& [_, delivery] : tables.deliveries) {
    const bool is_wanted = change.kind.empty() || delivery.target.kind == change.kind;
    if (is_wanted && delivery.state == DeliveryState::waiting &&
        delivery.next_attempt_at <= change.now) {
      waiting.push_back(&delivery);
    }
  }
  std::ranges::sort(waiting, {}, [](const Delivery* delivery) {
    return std::pair(delivery->next_attempt_at, delivery->id);
  });
  if (std::ssize(waiting) > change.limit) waiting.resize(static_cast<std::size_t>(change.limit));
  ClaimDeliveries::Answer claimed;
  for (auto* delivery : waiting) {
    delivery->next_attempt_at = change.now + change.lease;
    claimed.push_back(*delivery);
  }
  return claimed;
}

Result<FinishDelivery::Answer> apply(Tables& tables, const FinishDelivery& change) {
  const auto found = tables.deliveries.find(change.delivery);
  if (found == tables.deliveries.end()) {
    return fail(Reason::not_found, "no delivery has this id");
  }
  auto& delivery = found->second;
  if (delivery.state != DeliveryState::waiting) return FinishDelivery::Answer{};
  ++delivery.attempts_made;
  delivery.state = change.state;
  delivery.error = change.error;
  if (change.state == DeliveryState::waiting) delivery.next_attempt_at = change.next_attempt_at;
  return FinishDelivery::Answer{};
}

Result<AddDeliveries::Answer> apply(Tables& tables, const AddDeliveries& change) {
  CHRONOS_TRY(const auto replay, find_replay<std::monostate>(tables, change.idempotency));
  if (replay) return AddDeliveries::Answer{true};
  for (const auto& delivery : change.deliveries) tables.deliveries.emplace(delivery.id, delivery);
  remember(tables, change.idempotency, {});
  return AddDeliveries::Answer{};
}

Result<Project> apply(Tables& tables, const PutProject& change) {
  CHRONOS_TRY(const auto replay, find_replay<ProjectId>(tables, change.idempotency));
  if (replay) return tables.projects.at(*replay);
  for (const auto& [id, project] : tables.projects) {
    if (id == change.project.id) return project;
    if (project.name == change.project.name) {
      return fail(Reason::key_taken, "another project has the name '" + project.name + "'");
    }
  }
  tables.projects.emplace(change.project.id, change.project);
  if (change.first_key) tables.keys.emplace(change.first_key->id, *change.first_key);
  remember(tables, change.idempotency, change.project.id);
  return change.project;
}

Result<Bootstrap::Answer> apply(Tables& tables, const Bootstrap& change) {
  if (!tables.projects.empty()) {
    return Bootstrap::Answer{tables.projects.contains(change.project.id)};
  }
  tables.projects.emplace(change.project.id, change.project);
  tables.keys.emplace(change.key.id, change.key);
  return Bootstrap::Answer{true};
}

Result<Key> apply(Tables& tables, const PutKey& change) {
  CHRONOS_TRY(const auto replay, find_replay<KeyId>(tables, change.idempotency));
  if (replay) return tables.keys.at(*replay);
  remember(tables, change.idempotency, change.key.id);
  return tables.keys.emplace(change.key.id, change.key).first->second;
}

Result<Key> apply(Tables& tables, const RevokeKey& change) {
  const auto found = tables.keys.find(change.key);
  if (found == tables.keys.end() || found->second.project != change.project) {
    return fail(Reason::not_found, "no key has this id");
  }
  auto& key = found->second;
  if (change.expires_at) {
    key.expires_at = std::min(key.expires_at.value_or(*change.expires_at), *change.expires_at);
  } else if (!key.revoked_at) {
    key.revoked_at = change.now;
  }
  return key;
}

Result<TouchKeys::Answer> apply(Tables& tables, const TouchKeys& change) {
  for (const auto& [id, used_at] : change.used) {
    const auto found = tables.keys.find(id);
    if (found == tables.keys.end()) continue;
    auto& last = found->second.last_used_at;
    last = last ? std::max(*last, used_at) : used_at;
  }
  return TouchKeys::Answer{};
}

Result<Session> apply(Tables& tables, const PutSession& change) {
  if (const auto found = tables.sessions.find(change.session.id); found != tables.sessions.end()) {
    return found->second;
  }
  if (change.redeems) {
    const auto link = tables.sessions.find(*change.redeems);
    if (link == tables.sessions.end() || !link->second.is_link) {
      return fail(Reason::not_found, "no login link has this id");
    }
    tables.sessions.erase(link);
  }
  tables.sessions.emplace(change.session.id, change.session);
  return change.session;
}

Result<EndSession::Answer> apply(Tables& tables, const EndSession& change) {
  tables.sessions.erase(change.session);
  return EndSession::Answer{};
}

}  // namespace chronos::store::memory
