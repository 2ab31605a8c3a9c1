// Bulk operations: put, move on, and what they were picked for.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/audited.h"
#include "store/sql/idempotency.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

#define CHRONOS_BULK_COLUMNS                                                                   \
  "project, id, created_by, action, is_of_runs, selection, status, total, done, failed_count," \
  " failed, created_at, starts_at, ended_at, step, taken_until"

constexpr Sql kFindBulk{"SELECT " CHRONOS_BULK_COLUMNS
                        " FROM bulks WHERE project = $1 AND id = $2"};
constexpr Sql kListBulks{"SELECT " CHRONOS_BULK_COLUMNS
                         " FROM bulks WHERE project = $1 AND id < $2 ORDER BY id DESC LIMIT $3"};
constexpr Sql kOpen{"SELECT " CHRONOS_BULK_COLUMNS
                    " FROM bulks WHERE status IN ('waiting', 'running')"
                    " ORDER BY starts_at, id LIMIT $1"};
constexpr Sql kInsertBulk{
    "INSERT INTO bulks (" CHRONOS_BULK_COLUMNS
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"};
constexpr Sql kInsertItems{"INSERT INTO bulk_items (bulk, piece, ids) VALUES ($1, $2, $3)"};
constexpr Sql kItems{
    "SELECT ids FROM bulk_items WHERE bulk = $1 AND piece >= $2"
    " ORDER BY piece LIMIT $3"};
constexpr Sql kMove{
    "UPDATE bulks SET status = $3, done = $4, failed_count = $5, failed = $6, ended_at = $7,"
    " step = step + 1, taken_until = $8 WHERE project = $1 AND id = $2"};
constexpr Sql kForgetItems{"DELETE FROM bulk_items WHERE bulk = $1"};

constexpr std::size_t kPiece = 1000;  // ids
constexpr std::size_t kIdBytes = 16;

Result<Bulk> read_bulk_row(Columns& columns) {
  Bulk bulk;
  bulk.project = columns.get<ProjectId>();
  bulk.id = columns.get<BulkId>();
  bulk.by = columns.get<KeyId>();
  bulk.action = columns.get(parse_bulk_action);
  bulk.is_of_runs = columns.get<bool>();
  bulk.selection = columns.get<std::string>();
  bulk.status = columns.get(parse_bulk_status);
  bulk.total = columns.get<std::int64_t>();
  bulk.done = columns.get<std::int64_t>();
  bulk.failed_count = columns.get<std::int64_t>();
  CHRONOS_TRY(bulk.failed, decode_failures(columns.get<std::string_view>()));
  bulk.created_at = columns.get<Timestamp>();
  bulk.starts_at = columns.get<Timestamp>();
  bulk.ended_at = columns.get<std::optional<Timestamp>>();
  bulk.step = columns.get<std::int64_t>();
  bulk.taken_until = columns.get<Timestamp>();
  return bulk;
}

Result<std::optional<Bulk>> stored_bulk(Connection& db, ProjectId project, BulkId id) {
  CHRONOS_TRY(auto row, db.one(kFindBulk, read_bulk_row, project, id));
  if (!row) return std::nullopt;
  CHRONOS_TRY(auto bulk, std::move(*row));
  return bulk;
}

Result<std::vector<Bulk>> whole(Result<std::vector<Result<Bulk>>> rows) {
  if (!rows) return std::unexpected(std::move(rows).error());
  std::vector<Bulk> bulks;
  for (auto& row : *rows) {
    CHRONOS_TRY(auto bulk, std::move(row));
    bulks.push_back(std::move(bulk));
  }
  return bulks;
}

std::string bytes_of(std::span<const Uuid> ids) {
  std::string bytes;
  bytes.reserve(ids.size() * kIdBytes);
  for (const auto id : ids) {
    for (const auto byte : id.bytes()) bytes += static_cast<char>(byte);
  }
  return bytes;
}

void add_ids(std::string_view bytes, std::vector<Uuid>& ids) {
  for (std::size_t at = 0; at + kIdBytes <= bytes.size(); at += kIdBytes) {
    std::array<std::uint8_t, kIdBytes> id{};
    std::ranges::transform(bytes.substr(at, kIdBytes), id.begin(),
                           [](char c) { return static_cast<std::uint8_t>(c); });
    ids.push_back(Uuid::from_bytes(id.data()));
  }
}

std::unexpected<Error> no_bulk() {
  return fail(Reason::not_found, "no bulk operation has this id");
}

}  // namespace

Result<Before> before_of(Writer& writer, const MoveBulk& change) {
  CHRONOS_TRY(auto bulk, stored_bulk(writer.db, change.bulk.project, change.bulk.id));
  return Before{.bulk = std::move(bulk)};
}

Result<BulkAnswer> apply(Writer& writer, const PutBulk& change) {
  auto& db = writer.db;
  const auto& bulk = change.bulk;
  CHRONOS_TRY(const auto made, find_made(db, change.idempotency, Made::bulk));
  const auto id = made ? BulkId::parse(made->name.value_or("")) : std::optional(bulk.id);
  CHRONOS_TRY(auto known, stored_bulk(db, bulk.project, id.value_or(bulk.id)));
  if (known) return BulkAnswer{std::move(*known), true};
  CHRONOS_TRY_VOID(db.post(kInsertBulk, bulk.project, bulk.id, bulk.by, bulk.action,
                           bulk.is_of_runs, bulk.selection, bulk.status, bulk.total, bulk.done,
                           bulk.failed_count, encode_failures(bulk.failed), bulk.created_at,
                           bulk.starts_at, bulk.ended_at, bulk.step, bulk.taken_until));
  std::span<const Uuid> rest(change.items);
  for (std::int64_t piece = 0; !rest.empty(); ++piece) {
    const auto ids = rest.first(std::min(kPiece, rest.size()));
    const auto bytes = bytes_of(ids);
    CHRONOS_TRY_VOID(db.post(kInsertItems, bulk.id, piece, Bytes{bytes}));
    rest = rest.subspan(ids.size());
  }
  CHRONOS_TRY_VOID(remember(db, change.idempotency,
                            {Made::bulk, bulk.project, {}, {}, {}, bulk.id.to_string()}));
  return BulkAnswer{bulk};
}

Result<BulkAnswer> apply(Writer& writer, const MoveBulk& change) {
  auto& db = writer.db;
  const auto& bulk = change.bulk;
  CHRONOS_TRY(auto stored, stored_bulk(db, bulk.project, bulk.id));
  if (!stored) return no_bulk();
  if (stored->step != bulk.step) {
    return fail(Reason::version_mismatch, "the bulk operation has moved on meanwhile");
  }
  CHRONOS_TRY_VOID(db.post(kMove, bulk.project, bulk.id, bulk.status, bulk.done, bulk.failed_count,
                           encode_failures(bulk.failed), bulk.ended_at, bulk.taken_until));
  if (bulk.is_over()) CHRONOS_TRY_VOID(db.post(kForgetItems, bulk.id));
  stored->move_to(bulk);
  return BulkAnswer{std::move(*stored)};
}

Result<Bulk> find_bulk(Reader reader, ProjectId project, BulkId id) {
  CHRONOS_TRY(auto bulk, stored_bulk(reader.db, project, id));
  if (!bulk) return no_bulk();
  return std::move(*bulk);
}

Result<std::vector<Bulk>> list_bulks(Reader reader, ProjectId project, std::optional<BulkId> after,
                                     int limit) {
  constexpr BulkId kNewest{{~std::uint64_t{0}, ~std::uint64_t{0}}};
  return whole(reader.db.all(kListBulks, read_bulk_row, project, after.value_or(kNewest), limit));
}

Result<std::vector<Bulk>> open_bulks(Reader reader, int limit) {
  return whole(reader.db.all(kOpen, read_bulk_row, limit));
}

Result<std::vector<Uuid>> bulk_items(Reader reader, BulkId bulk, std::int64_t from, int limit) {
  const auto piece = from / static_cast<std::int64_t>(kPiece);
  const auto skipped = from % static_cast<std::int64_t>(kPiece);
  const auto pieces = (skipped + limit - 1) / static_cast<std::int64_t>(kPiece) + 1;
  std::vector<Uuid> ids;
  const auto read = [&](Columns& columns) {
    add_ids(columns.get_bytes(), ids);
    return true;
  };
  CHRONOS_TRY_VOID(reader.db.for_each(kItems, read, bulk, piece, pieces));
  ids.erase(ids.begin(), ids.begin() + std::min<std::int64_t>(skipped, std::ssize(ids)));
  if (std::ssize(ids) > limit) ids.resize(static_cast<std::size_t>(limit));
  return ids;
}

}  // namespace chronos::store::sql
