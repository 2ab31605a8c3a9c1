// Claims: leases, their ends, and their holders.
#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "store/sql/apply.h"
#include "store/sql/limited.h"
#include "store/sql/live.h"
#include "store/sql/postgres_batch.h"
#include "store/sql/reads.h"
#include "store/sql/ready_queue.h"
#include "store/sql/rows.h"

namespace chronos::store::sql {
namespace {

constexpr Sql kReserveTokens{
    "INSERT INTO meta (name, value) VALUES ('last_token', $1)"
    " ON CONFLICT (name) DO UPDATE SET value = meta.value + excluded.value"};
constexpr Sql kLastToken{"SELECT value FROM meta WHERE name = 'last_token'"};
constexpr Sql kInsertLease{
    "INSERT INTO leases (run, job, holder, node, token, attempt, queued_at, started_at, ends_at,"
    " is_cancel_requested) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)"};
constexpr Sql kDeclaration{"SELECT spec, failure_streak FROM jobs WHERE project = $1 AND id = $2"};
constexpr Sql kToCancel{
    "SELECT run FROM leases WHERE holder = $1 AND is_cancel_requested = 1 ORDER BY token"};
constexpr Sql kLeases{"SELECT run, holder FROM leases ORDER BY token"};
constexpr Sql kLeasesOf{"SELECT run FROM leases WHERE holder = $1 ORDER BY token"};
constexpr Sql kInsertAttempt{
    "INSERT INTO attempts (run, number, started_at, ended_at, node, outcome, reason, error,"
    " exit_code, signal, http_status, output, output_dropped)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"};

// The first of `count` tokens nobody had before.
Result<std::int64_t> reserve_tokens(Connection& db, std::int64_t count) {
  CHRONOS_TRY_VOID(db.post(kReserveTokens, count));
  CHRONOS_TRY(const auto last, db.one(kLastToken, column<std::int64_t>));
  return *last - count + 1;
}

Result<Declared> declared(Reader reader, const LiveRun& run) {
  const auto read = [](Columns& columns) -> Declared {
    return {columns.get<std::int64_t>(), columns.get<std::int64_t>()};
  };
  CHRONOS_TRY(const auto row, reader.db.one(kDeclaration, read, run.project, run.job));
  if (!row) return fail(Reason::internal, "a live run has no job");
  return *row;
}

Result<ClaimedRun> lease(Writer& writer, const ClaimRuns& change, const ReadyRun& run,
                         std::int64_t token) {
  CHRONOS_TRY(auto spec, read_spec(writer.db, writer.specs, run.spec));
  auto claimed = claimed_run(change, run, token, std::move(spec));
  const auto time = watched_time(change, claimed);
  const auto ends_at = time ? std::optional(change.now + *time) : std::nullopt;
  CHRONOS_TRY_VOID(writer.db.post(kInsertLease, run.run, run.job, change.holder, change.node, token,
                                  run.attempt, run.queued_at, change.now, ends_at));
  if (run.has_rate) CHRONOS_TRY_VOID(count_start(writer, run.project, run.run, change.now));
  return claimed;
}

// The attempt never began.
Result<SettleRun::Answer> hand_back(Writer& writer, LiveRun run, Timestamp now) {
  const bool is_cancelled = run.lease->is_cancel_requested;
  run.lease.reset();
  run.queued_at.reset();
  if (is_cancelled) {
    CHRONOS_TRY_VOID(cancel_waiting(writer, run, kRunCancelled, now));
    CHRONOS_TRY_VOID(release_held(writer, run.job, now));
    return SettleRun::Answer{RunState::cancelled};
  }
  CHRONOS_TRY_VOID(leave_place(writer, run));
  CHRONOS_TRY_VOID(enter_ready(writer, run, now));
  return SettleRun::Answer{RunState::queued};
}

Result<void> back_off(Writer& writer, const LiveRun& run, const SettleRun& change,
                      const AttemptColumns& attempt) {
  CHRONOS_TRY_VOID(writer.db.post(kInsertAttempt, change.run, change.attempt.number, attempt));
  CHRONOS_TRY_VOID(leave_place(writer, run));
  return enter_back_off(writer, run, *change.retry_at);
}

}  // namespace

Result<ClaimRuns::Answer> apply(Writer& writer, const ClaimRuns& change) {
  CHRONOS_TRY(const auto runs, take_ready(writer, change));
  ClaimRuns::Answer claimed;
  if (runs.empty()) return claimed;
  if (writer.holders.is_silent(change.holder)) writer.has_suspect_leases = true;
  CHRONOS_TRY(auto token, reserve_tokens(writer.db, std::ssize(runs)));
  if (writer.db.is_remote()) return lease_all(writer, change, runs, token);
  claimed.reserve(runs.size());
  for (const auto& run : runs) {
    CHRONOS_TRY(auto value, lease(writer, change, run, token++));
    claimed.push_back(std::move(value));
  }
  return claimed;
}

Result<SettleRun::Answer> apply(Writer& writer, const SettleRun& change) {
  auto& db = writer.db;
  CHRONOS_TRY(const auto run, find_leased(db, change.run));
  if (!run || run->lease->token != change.token) {
    return fail(Reason::lease_lost, "the lease on this run is no longer held");
  }
  CHRONOS_CHECK(may_move(RunState::running, change.next));
  CHRONOS_CHECK(change.next != RunState::retrying || change.retry_at);

  std::string said;  // of an attempt that cannot tell any more
  CHRONOS_TRY_VOID(end_running_output(writer, change, said));
  if (change.next == RunState::queued) return hand_back(writer, *run, change.now);
  CHRONOS_TRY(const auto output,
              store_output(writer, said.empty() ? change.attempt.outcome.output : said));
  const AttemptColumns attempt{&change.attempt, output};
  CHRONOS_TRY_VOID(add_deliveries(db, change.deliveries));
  SettleRun::Answer answer{change.next};
  if (change.next == RunState::retrying && !run->lease->is_cancel_requested) {
    CHRONOS_TRY_VOID(back_off(writer, *run, change, attempt));
    return answer;
  }
  End end{change.next, change.reason, change.attempt.ended_at, attempt};
  if (change.next == RunState::retrying) {
    end.state = answer.state = RunState::cancelled;
    end.reason = kRunCancelled;
  }
  CHRONOS_TRY(const bool has_others, end_run(writer, *run, end));
  if (has_others) CHRONOS_TRY_VOID(release_held(writer, run->job, change.now));
  return answer;
}

Result<std::vector<RunId>> runs_to_cancel(Connection& db, NodeId holder) {
  return db.all(kToCancel, column<RunId>, holder);
}

Result<Heartbeat::Answer> apply(Writer& writer, const Heartbeat& change) {
  CHRONOS_TRY_VOID(hear(writer, change));
  CHRONOS_TRY(auto runs, runs_to_cancel(writer.db, change.holder));
  return Heartbeat::Answer{std::move(runs)};
}

namespace {

// A lease as it was claimed.
Result<ClaimedRun> claimed_of(Reader reader, const LiveRun& run, const Declared& declared) {
  CHRONOS_TRY(auto spec, read_spec(reader.db, reader.specs, declared.spec));
  return ClaimedRun{.holder = run.lease->holder,
                    .node = run.lease->node,
                    .run = run.run,
                    .job = run.job,
                    .project = run.project,
                    .token = run.lease->token,
                    .attempt = run.attempts_made + 1,
                    .trigger = run.trigger,
                    .planned_at = run.planned_at,
                    .queued_at = run.queued_at.value_or(run.planned_at),
                    .started_at = run.lease->started_at,
                    .spec = std::move(spec),
                    .failure_streak = declared.failure_streak};
}

// In the order given.
Result<std::vector<ClaimedRun>> claimed_all(Reader reader, const std::vector<LiveRun>& runs) {
  std::unordered_map<JobId, Declared> known;
  if (reader.db.is_remote()) {
    CHRONOS_TRY(known, declared_all(reader, runs));
  }
  std::vector<ClaimedRun> all;
  all.reserve(runs.size());
  for (const auto& run : runs) {
    const auto found = known.find(run.job);
    auto job = found == known.end() ? declared(reader, run) : Result<Declared>(found->second);
    if (!job) return std::unexpected(std::move(job).error());
    CHRONOS_TRY(auto claimed, claimed_of(reader, run, *job));
    all.push_back(std::move(claimed));
  }
  return all;
}

Result<std::vector<ClaimedRun>> oldest_first(Result<std::vector<ClaimedRun>> runs) {
  if (runs) std::ranges::sort(*runs, {}, &ClaimedRun::token);
  return runs;
}

}  // namespace

Result<std::vector<ClaimedRun>> find_leases(Reader reader, const std::vector<RunId>& runs) {
  if (reader.db.is_remote()) {
    CHRONOS_TRY(const auto leased, find_all_leased(reader.db, runs));
    return claimed_all(reader, leased);
  }
  std::vector<LiveRun> leased;
  for (const auto run : runs) {
    CHRONOS_TRY(auto found, find_leased(reader.db, run));
    if (found) leased.push_back(std::move(*found));
  }
  return claimed_all(reader, leased);
}

Result<std::vector<ClaimedRun>> expired_leases(Reader reader, int limit, Holders& holders) {
  CHRONOS_TRY(const auto is_alive, holders.lives(reader.db));
  std::vector<RunId> expired;
  const auto read = [&](Columns& columns) {
    const auto run = columns.get<RunId>();
    if (!is_alive(columns.get<NodeId>())) expired.push_back(run);
    return std::ssize(expired) < limit;
  };
  CHRONOS_TRY_VOID(reader.db.for_each(kLeases, read));

  return oldest_first(find_leases(reader, expired));
}

Result<std::vector<ClaimedRun>> leases_of(Reader reader, NodeId holder) {
  CHRONOS_TRY(const auto held, reader.db.all(kLeasesOf, column<RunId>, holder));
  return oldest_first(find_leases(reader, held));
}

Result<std::vector<ClaimedRun>> overdue_leases(Reader reader, Timestamp now, int limit) {
  // What many nodes share goes by its own clock.
  CHRONOS_TRY(const auto runs, reader.db.is_remote() ? find_all_overdue(reader.db, limit)
                                                     : overdue(reader.db, now, limit));
  return claimed_all(reader, runs);
}

}  // namespace chronos::store::sql
