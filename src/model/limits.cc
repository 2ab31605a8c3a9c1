#include "model/limits.h"

#include <algorithm>

namespace chronos {

LimitKey key_of(ProjectId project, const Limits& limits, LimitKind kind) {
  return {project, kind,
          kind == LimitKind::concurrency ? limits.concurrency->key : limits.rate->key};
}

std::optional<LimitKind> next_limit(const Limits& limits, bool has_slot) {
  if (limits.concurrency && !has_slot) return LimitKind::concurrency;
  if (limits.rate) return LimitKind::rate;
  return std::nullopt;
}

std::optional<Timestamp> opens_at(const RateLimit& limit, const RateUse& use, Timestamp now) {
  const auto left = limit.max - use.pending;
  if (left <= 0) return std::nullopt;
  const auto start = use.start(left);
  return start ? std::min(*start, now) + limit.per : now;
}

}  // namespace chronos
