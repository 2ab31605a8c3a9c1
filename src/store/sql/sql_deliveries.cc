// Deliveries.
#include <utility>

#include "model/json_codec.h"
#include "store/sql/apply.h"
#include "store/sql/idempotency.h"
#include "store/sql/reads.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kInsertDelivery{
    "INSERT INTO deliveries (" CHRONOS_DELIVERY_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"};
constexpr Sql kWaitingDeliveries{
    "SELECT " CHRONOS_DELIVERY_COLUMNS
    " FROM deliveries WHERE state = 'waiting' AND next_attempt_at <= $1"
    " ORDER BY next_attempt_at, id LIMIT $2"};
constexpr Sql kWaitingOfKind{
    "SELECT " CHRONOS_DELIVERY_COLUMNS
    " FROM deliveries WHERE state = 'waiting' AND kind = $3 AND next_attempt_at <= $1"
    " ORDER BY next_attempt_at, id LIMIT $2"};
constexpr Sql kPutOff{"UPDATE deliveries SET next_attempt_at = $2 WHERE id = $1"};
constexpr Sql kState{"SELECT state FROM deliveries WHERE id = $1"};
constexpr Sql kFinish{
    "UPDATE deliveries SET attempts_made = attempts_made + 1, state = $2, error = $3,"
    " next_attempt_at = coalesce($4, next_attempt_at) WHERE id = $1"};
constexpr Sql kNextKind{
    "SELECT kind FROM deliveries WHERE state = 'waiting' AND kind > $1 ORDER BY kind LIMIT 1"};
constexpr Sql kNextOfKind{
    "SELECT next_attempt_at FROM deliveries WHERE state = 'waiting' AND kind = $1"
    " ORDER BY next_attempt_at LIMIT 1"};
constexpr Sql kOfRun{"SELECT " CHRONOS_DELIVERY_COLUMNS
                     " FROM deliveries WHERE run = $1 AND project = $2 ORDER BY id DESC"};

}  // namespace

Result<void> add_deliveries(Connection& db, const std::vector<Delivery>& deliveries) {
  for (const auto& delivery : deliveries) {
    CHRONOS_TRY_VOID(db.post(kInsertDelivery, delivery.id, delivery.project, delivery.run,
                             delivery.target.kind, delivery.target.address,
                             encode_message(delivery.message), delivery.state,
                             delivery.attempts_made, delivery.next_attempt_at, delivery.error));
  }
  return {};
}

Result<ClaimDeliveries::Answer> apply(Writer& writer, const ClaimDeliveries& change) {
  auto& db = writer.db;
  auto found =
      change.kind.empty()
          ? db.all(kWaitingDeliveries, read_delivery_row, change.now, change.limit)
          : db.all(kWaitingOfKind, read_delivery_row, change.now, change.limit, change.kind);
  CHRONOS_TRY(auto claimed, std::move(found));
  for (auto& delivery : claimed) {
    delivery.next_attempt_at = change.now + change.lease;
    CHRONOS_TRY_VOID(db.post(kPutOff, delivery.id, delivery.next_attempt_at));
  }
  return claimed;
}

Result<FinishDelivery::Answer> apply(Writer& writer, const FinishDelivery& change) {
  auto& db = writer.db;
  const auto read = [](Columns& columns) { return columns.get(parse_delivery_state); };
  CHRONOS_TRY(const auto state, db.one(kState, read, change.delivery));
  if (!state) return fail(Reason::not_found, "no delivery has this id");
  if (*state != DeliveryState::waiting) return FinishDelivery::Answer{};
  const auto next =
      change.state == DeliveryState::waiting ? std::optional(change.next_attempt_at) : std::nullopt;
  CHRONOS_TRY_VOID(db.post(kFinish, change.delivery, change.state, change.error, next));
  return FinishDelivery::Answer{};
}

Result<AddDeliveries::Answer> apply(Writer& writer, const AddDeliveries& change) {
  CHRONOS_TRY(const auto made, find_made(writer.db, change.idempotency, Made::deliveries));
  if (made) return AddDeliveries::Answer{true};
  CHRONOS_TRY_VOID(add_deliveries(writer.db, change.deliveries));
  CHRONOS_TRY_VOID(remember(writer.db, change.idempotency, {Made::deliveries}));
  return AddDeliveries::Answer{};
}

Result<std::optional<Timestamp>> next_delivery_at(Reader reader) {
  std::optional<Timestamp> next;
  std::string kind;
  while (true) {
    CHRONOS_TRY(auto following, reader.db.one(kNextKind, column<std::string>, kind));
    if (!following) return next;
    kind = std::move(*following);
    CHRONOS_TRY(const auto at, reader.db.one(kNextOfKind, column<Timestamp>, kind));
    if (at && (!next || *at < *next)) next = at;
  }
}

Result<std::vector<Delivery>> list_deliveries(Reader reader, ProjectId project, RunId run) {
  return reader.db.all(kOfRun, read_delivery_row, run, project);
}

}  // namespace chronos::store::sql
