// What running attempts have printed so far: pieces in the order they came, until the attempt ends
// and its output is stored whole.
#include <utility>

#include "store/settlement.h"
#include "store/sql/apply.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kAppend{
    "INSERT INTO running_output (run, begins_at, bytes) SELECT run, $3, $4 FROM leases"
    " WHERE run = $1 AND token = $2 ON CONFLICT DO NOTHING"};
// From the piece that the offset lies in.
constexpr Sql kPieces{
    "SELECT begins_at, bytes FROM running_output WHERE run = $1 AND begins_at >= coalesce(("
    "SELECT max(begins_at) FROM running_output WHERE run = $1 AND begins_at <= $2), 0)"
    " ORDER BY begins_at"};
constexpr Sql kForgetRunning{"DELETE FROM running_output WHERE run = $1"};

}  // namespace

Result<AppendOutput::Answer> apply(Writer& writer, const AppendOutput& change) {
  auto& db = writer.db;
  for (const auto& piece : change.pieces) {
    CHRONOS_TRY_VOID(db.post(kAppend, piece.run, piece.token, piece.offset, Bytes{piece.bytes}));
  }
  return AppendOutput::Answer{};
}

// A piece that is missing ends it: what comes after would be in the wrong place.
Result<std::string> read_running_output(Connection& db, RunId run, std::int64_t offset) {
  std::string bytes;
  std::optional<std::int64_t> end;
  const auto read = [&](Columns& columns) {
    const auto begin = columns.get<std::int64_t>();
    const auto piece = columns.get_bytes();
    if (begin > end.value_or(offset)) return false;
    if (!end) {
      const auto skipped = std::min<std::int64_t>(offset - begin, std::ssize(piece));
      bytes = piece.substr(static_cast<std::size_t>(skipped));
    } else {
      bytes += piece;
    }
    end = begin + std::ssize(piece);
    return true;
  };
  CHRONOS_TRY_VOID(db.for_each(kPieces, read, run, offset));
  return bytes;
}

Result<void> end_running_output(Writer& writer, const SettleRun& change, std::string& output) {
  // Of a remote database another node may have stored some.
  if (!may_have_live_output(change) && !writer.db.is_remote()) return {};
  if (change.attempt.outcome.output.empty() && change.next != RunState::queued) {
    CHRONOS_TRY(output, read_running_output(writer.db, change.run, 0));
  }
  CHRONOS_TRY_VOID(writer.db.post(kForgetRunning, change.run));
  return {};
}

}  // namespace chronos::store::sql
