// Limits that runs share by a key of the user's: how many run at once (`concurrency`) and how many
// attempts start within a time (`rate`). Pure rules; the stores keep the books
// (docs/limits.md, docs/decisions/0011).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"

namespace chronos {

struct ConcurrencyLimit {
  std::string key;       // shared by all jobs of a project that name it
  std::int64_t max = 1;  // runs at once

  bool operator==(const ConcurrencyLimit&) const = default;
};

struct RateLimit {
  std::string key;
  std::int64_t max = 1;  // attempts that start within any `per`
  Duration per = std::chrono::seconds(1);

  bool operator==(const RateLimit&) const = default;
};

struct Limits {
  std::optional<ConcurrencyLimit> concurrency;
  std::optional<RateLimit> rate;

  bool any() const { return concurrency || rate; }
  bool operator==(const Limits&) const = default;
};

// In the order in which a run passes them on its way to `ready`.
enum class LimitKind { concurrency, rate };
std::string_view to_string(LimitKind kind);

// One key's books.
struct LimitKey {
  ProjectId project;
  LimitKind kind = LimitKind::concurrency;
  std::string key;

  auto operator<=>(const LimitKey&) const = default;
};
// The key of the limit of this kind, which is there.
LimitKey key_of(ProjectId project, const Limits& limits, LimitKind kind);

// What a run waits for next; nothing when it may start. It takes a slot of its concurrency key once
// and holds it until it ends; each of its attempts passes the rate.
std::optional<LimitKind> next_limit(const Limits& limits, bool has_slot);

// How a rate key stands.
struct RateUse {
  std::int64_t pending = 0;  // attempts that were let through and have not started
  // The instant of the n-th latest start, n from 1; nothing when there were not so many.
  std::function<std::optional<Timestamp>(std::int64_t)> start;
};

// When a further attempt may be let through: `now` or before when at once; nothing when not before
// one that was let through has started. Those that may still start count as if they did now, so in
// no window of `per` more than `max` start, whenever they do (a sliding log, not a token bucket:
// no bursts at the edges of windows). A start that lies ahead, because the clock was set back,
// counts as one of this moment.
std::optional<Timestamp> opens_at(const RateLimit& limit, const RateUse& use, Timestamp now);

}  // namespace chronos
