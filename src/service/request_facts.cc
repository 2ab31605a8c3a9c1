#include "service/request_facts.h"

namespace chronos::service {

std::optional<store::Idempotency> idempotency_of(const Principal& who, const RequestFacts& facts,
                                                 Timestamp now) {
  if (facts.idempotency_key.empty()) return std::nullopt;
  return store::Idempotency{who.key, facts.idempotency_key, facts.fingerprint, now};
}

Author author_of(const Principal& who, IdSource& ids, Timestamp now, std::string_view action) {
  return {.key = who.key,
          .entry = ids.make<AuditId>(),
          .at = now,
          .action = std::string(action),
          .home = who.project};
}

}  // namespace chronos::service
