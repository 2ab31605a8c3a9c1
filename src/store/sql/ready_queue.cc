#include "store/sql/ready_queue.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "store/settlement.h"
#include "store/sql/live.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kNextQueue{
    "SELECT queue FROM ready WHERE kind = $1 AND queue > $2 ORDER BY queue LIMIT 1"};
constexpr Sql kFirst{
    "SELECT r.rank, r.planned_at, r.run, r.job, r.project, r.trigger_kind, r.attempt, r.queued_at,"
    " r.has_rate, j.spec, j.failure_streak FROM ready r CROSS JOIN jobs j ON j.project = r.project"
    " AND j.id = r.job WHERE r.kind = $1 AND r.queue = $2"
    " AND (r.rank, r.planned_at, r.run) > ($3, $4, $5)"
    " ORDER BY r.rank, r.planned_at, r.run LIMIT $6"};
constexpr Sql kTake{
    "DELETE FROM ready WHERE kind = $1 AND queue = $2"
    " AND (rank, planned_at, run) <= ($3, $4, $5)"};

ReadyRun read_ready_row(Columns& columns) {
  return {.rank = columns.get<int>(),
          .planned_at = columns.get<Timestamp>(),
          .run = columns.get<RunId>(),
          .job = columns.get<JobId>(),
          .project = columns.get<ProjectId>(),
          .trigger = columns.get(parse_trigger),
          .attempt = columns.get<int>(),
          .queued_at = columns.get<Timestamp>(),
          .has_rate = columns.get<bool>(),
          .spec = columns.get<std::int64_t>(),
          .failure_streak = columns.get<std::int64_t>()};
}

// The runs of one kind in one queue, read in pieces.
class Line {
 public:
  // Highest priority first; at equal priority by turns, then the earliest instant.
  using Order = std::tuple<int, Turn, Timestamp, RunId>;

  Line(const Turns& turns, std::string kind, std::string queue)
      : line_(std::move(kind), std::move(queue)), turn_(turns.last(line_)) {}

  const std::string& kind() const { return line_.first; }
  const std::string& queue() const { return line_.second; }

  // Whether there is a run that was not taken. Reads at most `count` at a time.
  Result<bool> fill(Connection& db, int count) {
    if (next_ == runs_.size() && !is_at_end_) {
      const auto [rank, planned_at, run] =
          runs_.empty() ? ReadyRun::Order{-1, Timestamp{}, RunId{}} : runs_.back().order();
      CHRONOS_TRY(runs_,
                  db.all(kFirst, read_ready_row, kind(), queue(), rank, planned_at, run, count));
      next_ = 0;
      is_at_end_ = std::ssize(runs_) < count;
    }
    return next_ < runs_.size();
  }

  // Of its first run.
  Order order() const {
    const auto& run = runs_[next_];
    return {run.rank, turn_, run.planned_at, run.run};
  }

  ReadyRun take(Turns& turns) {
    turn_ = turns.next();
    last_taken_ = runs_[next_].order();
    return runs_[next_++];
  }

  void keep_turn(Turns& turns) const {
    if (last_taken_) turns.keep(line_, turn_);
  }

  // Everything taken lies at the front of the line: one statement removes it.
  Result<void> remove_taken(Connection& db) const {
    if (!last_taken_) return {};
    const auto& [rank, planned_at, run] = *last_taken_;
    CHRONOS_TRY_VOID(db.post(kTake, kind(), queue(), rank, planned_at, run));
    return {};
  }

 private:
  Turns::Line line_;
  Turn turn_;
  std::vector<ReadyRun> runs_;
  std::size_t next_ = 0;
  bool is_at_end_ = false;
  std::optional<ReadyRun::Order> last_taken_;
};

// How many more may be taken, by kind and by queue; a queue that is not named has no limit.
class Room {
 public:
  // `queue_use`: leases by queue; there when a queue has a limit.
  Room(const ClaimRuns& change, const std::optional<std::map<std::string, int>>& queue_use)
      : queues_(change.queue_limits) {
    for (const auto& lane : change.lanes) kinds_[kind_of(lane.kind, change.project)] += lane.max;
    if (!queue_use) return;
    for (auto& [queue, slots] : queues_) {
      const auto used = queue_use->find(queue);
      if (used != queue_use->end()) slots -= used->second;
    }
  }

  const std::map<std::string, int>& kinds() const { return kinds_; }
  bool is_full(const std::string& queue) const {
    const auto slots = queues_.find(queue);
    return slots != queues_.end() && slots->second <= 0;
  }
  int in(const std::string& kind, const std::string& queue) const {
    const auto slots = queues_.find(queue);
    const int limit = slots == queues_.end() ? std::numeric_limits<int>::max() : slots->second;
    return std::max(0, std::min(limit, kinds_.at(kind)));
  }
  void take(const std::string& kind, const std::string& queue) {
    --kinds_.at(kind);
    if (const auto slots = queues_.find(queue); slots != queues_.end()) --slots->second;
  }

 private:
  std::map<std::string, int> kinds_;
  std::map<std::string, int> queues_;
};

// The lines that have room, found by skipping from queue to queue in the table's key.
Result<std::vector<Line>> find_lines(Writer& writer, const Room& room,
                                     const std::vector<std::string>& wanted) {
  std::vector<Line> lines;
  for (const auto& [kind, max] : room.kinds()) {
    if (max <= 0) continue;
    for (const auto& queue : wanted) lines.emplace_back(writer.turns, kind, queue);
    if (!wanted.empty()) continue;
    std::string queue;
    while (true) {
      CHRONOS_TRY(auto next, next_ready_queue(writer.db, kind, queue));
      if (!next) break;
      queue = std::move(*next);
      lines.emplace_back(writer.turns, kind, queue);
    }
  }
  return lines;
}

constexpr Sql kLeasesByQueue{
    "SELECT l.queue, count(*) FROM leases e CROSS"
    " JOIN live l ON l.job = e.job AND l.is_held = 0 AND l.run = e.run GROUP BY l.queue"};

Result<std::map<std::string, int>> count_queues(Connection& db) {
  std::map<std::string, int> counts;
  const auto read = [&](Columns& columns) {
    auto queue = columns.get<std::string>();
    counts.emplace(std::move(queue), columns.get<int>());
    return true;
  };
  CHRONOS_TRY_VOID(db.for_each(kLeasesByQueue, read));
  return counts;
}

constexpr std::int64_t kPieceMax = 1000;

// How many runs of a line to read at once: of many lines, each gives a few only, and most of a
// large piece would be read in vain.
int piece_of(int left, std::size_t lines) {
  return static_cast<int>(std::clamp<std::int64_t>(
      2 * std::int64_t{left} / static_cast<std::int64_t>(lines), 1, kPieceMax));
}

// The line that goes before all others and has room; nothing when none has.
Result<Line*> best_line(Connection& db, std::vector<Line>& lines, const Room& room) {
  Line* best = nullptr;
  for (auto& line : lines) {
    const int left = room.in(line.kind(), line.queue());
    if (left == 0) continue;
    CHRONOS_TRY(const bool has_run, line.fill(db, std::min(left, piece_of(left, lines.size()))));
    if (has_run && (best == nullptr || line.order() < best->order())) best = &line;
  }
  return best;
}

}  // namespace

Result<std::optional<std::string>> next_ready_queue(Connection& db, const std::string& kind,
                                                    const std::string& queue) {
  return db.one(kNextQueue, column<std::string>, kind, queue);
}

ClaimedRun claimed_run(const ClaimRuns& change, const ReadyRun& run, std::int64_t token,
                       Shared<JobSpec> spec) {
  return {.holder = change.holder,
          .node = change.node,
          .run = run.run,
          .job = run.job,
          .project = run.project,
          .token = token,
          .attempt = run.attempt,
          .trigger = run.trigger,
          .planned_at = run.planned_at,
          .queued_at = run.queued_at,
          .started_at = change.now,
          .spec = std::move(spec),
          .failure_streak = run.failure_streak};
}

std::optional<Duration> watched_time(const ClaimRuns& change, const ClaimedRun& claimed) {
  return change.project ? std::optional(time_left(claimed, claimed.started_at)) : std::nullopt;
}

Result<std::vector<ReadyRun>> take_ready(Writer& writer, const ClaimRuns& change) {
  auto& db = writer.db;
  if (!change.queue_limits.empty() && !writer.queue_use) {
    CHRONOS_TRY(writer.queue_use, count_queues(db));
  }
  Room room(change, writer.queue_use);
  CHRONOS_TRY(auto lines, find_lines(writer, room, change.queues));
  std::vector<ReadyRun> taken;
  while (true) {
    CHRONOS_TRY(auto* line, best_line(db, lines, room));
    if (line == nullptr) break;
    room.take(line->kind(), line->queue());
    if (writer.queue_use) ++(*writer.queue_use)[line->queue()];
    taken.push_back(line->take(writer.turns));
    auto& totals = totals_of(writer, taken.back().project, line->queue());
    --totals.ready;
    ++totals.running;
  }
  for (const auto& line : lines) {
    CHRONOS_TRY_VOID(line.remove_taken(db));
    line.keep_turn(writer.turns);
    if (room.is_full(line.queue())) writer.full_queues.insert(line.queue());
  }
  return taken;
}

}  // namespace chronos::store::sql
