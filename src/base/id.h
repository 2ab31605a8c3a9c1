// Strong ids. An id is a UUIDv7 (RFC 9562 §5.7): it grows with time, so keys append to the end of
// their b-tree. Outside it is text: a prefix and 26 characters of Crockford's base32, lower case
// ("job_01jd3k…"). IdSource is thread-safe; ids are plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"

namespace chronos {

struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return high == 0 && low == 0; }
  std::array<std::uint8_t, 16> bytes() const;  // big-endian: byte order is time order
  static Uuid from_bytes(const std::uint8_t* bytes);
};

std::string to_base32(Uuid uuid);
std::optional<Uuid> from_base32(std::string_view text);

// One type per kind of thing, so that a RunId cannot be passed for a JobId.
template <class Tag>
struct Id {
  Uuid uuid;

  auto operator<=>(const Id&) const = default;
  bool is_nil() const { return uuid.is_nil(); }
  std::string to_string() const { return std::string(Tag::kPrefix) + to_base32(uuid); }

  // Nothing unless `text` is exactly the canonical form.
  static std::optional<Id> parse(std::string_view text) {
    if (!text.starts_with(Tag::kPrefix)) return std::nullopt;
    const auto uuid = from_base32(text.substr(Tag::kPrefix.size()));
    return uuid ? std::optional(Id{*uuid}) : std::nullopt;
  }
};

struct JobTag {
  static constexpr std::string_view kPrefix = "job_";
};
struct RunTag {
  static constexpr std::string_view kPrefix = "run_";
};
struct KeyTag {
  static constexpr std::string_view kPrefix = "key_";
};
struct ProjectTag {
  static constexpr std::string_view kPrefix = "prj_";
};
struct DeliveryTag {
  static constexpr std::string_view kPrefix = "dlv_";
};
struct SessionTag {
  static constexpr std::string_view kPrefix = "ses_";
};
struct NodeTag {
  static constexpr std::string_view kPrefix = "node_";
};
struct WorkerTag {
  static constexpr std::string_view kPrefix = "wrk_";
};

using JobId = Id<JobTag>;
using RunId = Id<RunTag>;
using KeyId = Id<KeyTag>;
using ProjectId = Id<ProjectTag>;
using DeliveryId = Id<DeliveryTag>;
using SessionId = Id<SessionTag>;
using NodeId = Id<NodeTag>;      // one start of one process: who holds leases
using WorkerId = Id<WorkerTag>;  // what a remote worker calls its NodeId (of the same UUID)

// Makes UUIDv7s that strictly increase within the process, even when the clock steps back: the 12
// bits after the millisecond are a counter (RFC 9562 §6.2, method 1) that runs over into the
// millisecond. Thread-safe; never blocks for longer than another call takes.
class IdSource {
 public:
  IdSource(const Clock& clock, Rng rng) : clock_(clock), rng_(rng) {}

  Uuid next();

  template <class AnyId>
  AnyId make() {
    return AnyId{next()};
  }

 private:
  const Clock& clock_;
  Mutex mutex_;
  Rng rng_ CHRONOS_GUARDED_BY(mutex_);
  std::uint64_t last_ CHRONOS_GUARDED_BY(mutex_) = 0;  // milliseconds << 12 | counter
};

}  // namespace chronos

template <class Tag>
struct std::hash<chronos::Id<Tag>> {
  std::size_t operator()(const chronos::Id<Tag>& id) const noexcept {
    return static_cast<std::size_t>(id.uuid.low ^ (id.uuid.high * 0x9e3779b97f4a7c15ULL));
  }
};
