#include "service/request_facts.h"

namespace chronos::service {

std::optional<store::Idempotency> idempotency_of(const Principal& who, const RequestFacts& facts,
                                                 Timestamp now) {
  if (facts.idempotency_key.empty()) return std::nullopt;
  return store::Idempotency{who.key, facts.idempotency_key, facts.fingerprint, now};
}

}  // namespace chronos::service
