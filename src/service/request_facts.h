// What a request says about itself beyond its body, and how services answer what changes something.
// Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/crypto.h"
#include "service/principal.h"
#include "store/store.h"

namespace chronos::service {

// Called once, on the store's thread after the durable commit; refusals of the input come back at
// once, on the caller's thread.
using store::Done;

struct RequestFacts {
  std::string idempotency_key;             // empty = none
  Sha256 fingerprint{};                    // of what must be equal in a replay
  std::optional<std::int64_t> if_version;  // If-Match
};

// What the store is to remember of the request; nothing without an Idempotency-Key.
std::optional<store::Idempotency> idempotency_of(const Principal& who, const RequestFacts& facts,
                                                 Timestamp now);

// Who asks, for the entry of the audit log; `action` as "job.pause".
Author author_of(const Principal& who, IdSource& ids, Timestamp now, std::string_view action);

}  // namespace chronos::service
