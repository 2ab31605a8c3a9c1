// Remote workers: their rows, what they say and ask in one turn, and what they hold.
#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "store/sql/apply.h"
#include "store/sql/limited.h"
#include "store/sql/live.h"
#include "store/sql/postgres_batch.h"
#include "store/sql/reads.h"

namespace chronos::store::sql {
namespace {

// A row that says so is exact to this much; writing it with every heartbeat would gain nobody
// anything.
constexpr Duration kSeenPrecision = std::chrono::seconds(5);

#define CHRONOS_WORKER_COLUMNS "id, project, name, queues, ttl, first_seen_at, last_seen_at"
constexpr Sql kFindWorker{"SELECT " CHRONOS_WORKER_COLUMNS " FROM workers WHERE id = $1"};
constexpr Sql kPutWorker{
    "INSERT INTO workers (id, project, name, queues, ttl, first_seen_at, last_seen_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
    " queues = excluded.queues, ttl = excluded.ttl,"
    " last_seen_at = CASE WHEN workers.last_seen_at > excluded.last_seen_at"
    " THEN workers.last_seen_at ELSE excluded.last_seen_at END"};
constexpr Sql kOfProject{"SELECT " CHRONOS_WORKER_COLUMNS
                         " FROM workers WHERE project = $1 ORDER BY id DESC"};
// `leases` has no more rows than attempts under way.
constexpr Sql kHeld{"SELECT holder, run FROM leases ORDER BY token"};

std::string join(const std::vector<std::string>& queues) {
  std::string text;
  for (const auto& queue : queues) text.append(text.empty() ? "" : " ").append(queue);
  return text;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> queues;
  while (!text.empty()) {
    const auto queue = text.substr(0, text.find(' '));
    queues.emplace_back(queue);
    text.remove_prefix(std::min(queue.size() + 1, text.size()));
  }
  return queues;
}

struct StoredWorker {
  NodeId id;
  WorkerInfo info;
  Duration ttl{};
  Timestamp first_seen_at;
  Timestamp last_seen_at;
};

StoredWorker read_worker_row(Columns& columns) {
  StoredWorker worker;
  worker.id = columns.get<NodeId>();
  worker.info.project = columns.get<ProjectId>();
  worker.info.name = columns.get<std::string>();
  worker.info.queues = split(columns.get<std::string_view>());
  worker.ttl = columns.get<Duration>();
  worker.first_seen_at = columns.get<Timestamp>();
  worker.last_seen_at = columns.get<Timestamp>();
  return worker;
}

// What a run came to; nothing when its lease is gone.
Result<std::optional<RunState>> state_of(Result<SettleRun::Answer> settled) {
  if (settled) return settled->state;
  if (settled.error().reason == Reason::lease_lost) return std::nullopt;
  return std::unexpected(std::move(settled).error());
}

// The changes at the front that go together, no run twice.
std::vector<const SettleRun*> front_of(std::span<const SettleRun> changes) {
  std::vector<const SettleRun*> together;
  std::unordered_set<RunId> seen;
  for (const auto& change : changes) {
    if (!goes_together(change) || !seen.insert(change.run).second) break;
    together.push_back(&change);
  }
  return together;
}

// Each in its turn; on a database that is a round trip away, those that go together in one.
Result<std::vector<Result<SettleRun::Answer>>> settle_each(Writer& writer,
                                                           std::span<const SettleRun> changes) {
  std::vector<Result<SettleRun::Answer>> answers;
  answers.reserve(changes.size());
  while (answers.size() < changes.size()) {
    const auto rest = changes.subspan(answers.size());
    const auto together = writer.db.is_remote() ? front_of(rest) : std::vector<const SettleRun*>();
    if (!together.empty()) {
      CHRONOS_TRY(auto settled, settle_all(writer, together));
      for (auto& answer : settled) answers.push_back(std::move(answer));
    } else {
      answers.push_back(apply(writer, rest.front()));
    }
  }
  return answers;
}

}  // namespace

Result<WorkerInfo> hear(Writer& writer, const Heartbeat& change) {
  CHRONOS_TRY(const auto known, writer.db.one(kFindWorker, read_worker_row, change.holder));
  const auto* words = change.worker ? &*change.worker : nullptr;
  bool is_foreign = known && (words == nullptr || words->project != known->info.project);
  if (!known && words != nullptr) {
    CHRONOS_TRY(is_foreign, writer.holders.is_node(writer.db, change.holder));
  }
  if (is_foreign || (!known && words != nullptr && words->goes_on)) return no_worker();
  CHRONOS_TRY_VOID(writer.holders.hear(
      writer.db, {change.holder, change.ttl, words != nullptr, change.node, change.now}));
  if (words == nullptr) return WorkerInfo{};
  auto info = after(known ? std::optional(known->info) : std::nullopt, *words);
  const bool is_news = !known || known->info != info || known->ttl != change.ttl ||
                       known->last_seen_at + kSeenPrecision <= change.now;
  if (is_news) {
    CHRONOS_TRY_VOID(writer.db.post(kPutWorker, change.holder, info.project, info.name,
                                    join(info.queues), change.ttl, change.now));
  }
  return info;
}

Result<WorkerTurn::Answer> apply(Writer& writer, const WorkerTurn& change) {
  WorkerTurn::Answer answer;
  CHRONOS_TRY(answer.worker, hear(writer, change.beat));
  writer.has_made_ready = false;
  CHRONOS_TRY(auto settled, settle_each(writer, change.settled));
  for (auto& each : settled) {
    CHRONOS_TRY(const auto state, state_of(std::move(each)));
    answer.settled.push_back(state);
  }
  CHRONOS_TRY_VOID(open_lines(writer, change.beat.now));
  writer.news.is_for_nodes = writer.news.is_for_nodes || writer.has_made_ready;
  CHRONOS_TRY(answer.cancelled, runs_to_cancel(writer.db, change.beat.holder));
  if (!change.claim) return answer;
  auto claim = *change.claim;
  claim.node = answer.worker.name;
  claim.queues = answer.worker.queues;
  CHRONOS_TRY(answer.claimed, apply(writer, claim));
  CHRONOS_TRY_VOID(open_lines(writer, change.beat.now));
  return answer;
}

Result<std::vector<Worker>> list_workers(Reader reader, ProjectId project, Holders& holders) {
  CHRONOS_TRY(const auto is_alive, holders.lives(reader.db));
  CHRONOS_TRY(auto rows, reader.db.all(kOfProject, read_worker_row, project));
  std::vector<Worker> workers;
  std::unordered_map<NodeId, std::size_t> places;
  for (auto& row : rows) {
    places.emplace(row.id, workers.size());
    workers.push_back({.id = WorkerId{row.id.uuid},
                       .info = std::move(row.info),
                       .first_seen_at = row.first_seen_at,
                       .last_seen_at = row.last_seen_at,
                       .is_alive = is_alive(row.id),
                       .running = 0,
                       .runs = {}});
  }
  const auto read = [&](Columns& columns) {
    const auto found = places.find(columns.get<NodeId>());
    const auto run = columns.get<RunId>();
    if (found == places.end()) return true;
    auto& worker = workers[found->second];
    ++worker.running;
    if (std::ssize(worker.runs) < kWorkerRunsMax) worker.runs.push_back(run);
    return true;
  };
  CHRONOS_TRY_VOID(reader.db.for_each(kHeld, read));
  return workers;
}

Result<std::vector<Node>> list_nodes(Reader reader, Holders& holders) {
  CHRONOS_TRY(auto nodes, holders.nodes(reader.db));
  std::ranges::sort(nodes, std::ranges::greater{}, &Node::id);
  const auto read = [&](Columns& columns) {
    const auto found = std::ranges::find(nodes, columns.get<NodeId>(), &Node::id);
    if (found != nodes.end()) ++found->running;
    return true;
  };
  CHRONOS_TRY_VOID(reader.db.for_each(kHeld, read));
  return nodes;
}

}  // namespace chronos::store::sql
