#include "support/large_database.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "model/json_codec.h"
#include "store/sql/live.h"

namespace chronos::test::large {
namespace {

using store::sql::Connection;
using store::sql::Durable;
using store::sql::Sql;

constexpr std::int64_t kSecond = 1'000'000;

std::string id_sql(char letter, std::string_view number) {
  return fmt::format("CAST(printf('{}%015d', {}) AS BLOB)", letter, number);
}

// INSERT … SELECT over i from `numbers`.
std::string insert(std::string_view into, Numbers numbers, std::string_view select) {
  return fmt::format(
      "WITH RECURSIVE n(i) AS (SELECT {} UNION ALL SELECT i + 1 FROM n WHERE i < {})"
      " INSERT INTO {} SELECT {} FROM n;\n",
      numbers.first, numbers.last, into, select);
}

struct JobRows {
  Numbers numbers;
  int spec = 1;
  std::string_view name = "'report ' || i";
  std::string_view phase = "'active'";
  std::string_view last_state = "NULL";  // of its last run, when it has one
  int runs_kept = 0;
};

std::string jobs_sql(const JobRows& rows) {
  const auto last = [&](std::string_view value) {
    return fmt::format("iif({} IS NULL, NULL, {})", rows.last_state, value);
  };
  return insert(
      "jobs (project, id, spec, name, key, is_paused, phase, version, created_at, updated_at,"
      " planned_through, runs_planned, failure_streak, succeeded, failed, cancelled, skipped,"
      " missed, last_run, last_state, last_ended_at, last_error, retention_runs, retention_age,"
      " runs_kept)",
      rows.numbers,
      fmt::format("{}, {}, {}, {}, iif(i % 1000 = 7, 'key-' || i, NULL), 0, {}, 1, {} + i * 1000,"
                  " {} + i * 1000, 0, 1, 0, 0, 0, 0, 0, 0, {}, {}, {}, {}, 10000, {}, {}",
                  id_sql('p', "1"), id_sql('j', "i"), rows.spec, rows.name, rows.phase,
                  to_micros(kNow) - 4'000 * kSecond, to_micros(kNow) - 4'000 * kSecond,
                  last(id_sql('r', "i")), rows.last_state, last("1"), last("''"),
                  30 * 86'400 * kSecond, rows.runs_kept));
}

struct LiveRows {
  Numbers numbers;  // of the jobs
  std::string at;
  bool needs_planning = false;
  std::string kind = "'http'";
  std::string queue = "'default'";
  int attempts_made = 0;
};

std::string live_sql(const LiveRows& rows) {
  return insert(
      "live (job, is_held, run, project, trigger_kind, planned_at, at, needs_planning, kind, queue,"
      " rank, is_cancel_requested, attempts_made, queued_at, started_at, jitter)",
      rows.numbers,
      fmt::format("{}, 0, {}, {}, 'schedule', {}, {}, {}, {}, {}, 5, 0, {}, {}, {}, 0",
                  id_sql('j', "i"), id_sql('r', fmt::format("i + {}", kLive)), id_sql('p', "1"),
                  rows.at, rows.at, int{rows.needs_planning}, rows.kind, rows.queue,
                  rows.attempts_made, rows.attempts_made > 0 ? rows.at : "NULL",
                  rows.attempts_made > 0 ? rows.at : "NULL"));
}

// Rows of a narrow table for the live runs of these jobs.
std::string place_sql(std::string_view into, std::string_view columns, Numbers numbers) {
  return fmt::format("INSERT INTO {} SELECT {} FROM live WHERE job BETWEEN {} AND {};\n", into,
                     columns, id_sql('j', std::to_string(numbers.first)),
                     id_sql('j', std::to_string(numbers.last)));
}

std::string jobs() {
  const auto of_done =
      "CASE i % 1000 WHEN 0 THEN 'failed' WHEN 1 THEN 'cancelled' ELSE"
      " 'succeeded' END";
  std::string sql =
      jobs_sql({.numbers = kRecurring, .spec = 2, .last_state = "'succeeded'", .runs_kept = 900});
  sql += jobs_sql({.numbers = kDone, .phase = of_done, .last_state = of_done, .runs_kept = 1});
  sql += jobs_sql({.numbers = kFuture});
  sql += jobs_sql({.numbers = kReady});
  sql += jobs_sql({.numbers = kLeased});
  sql += jobs_sql({.numbers = kRetrying});
  sql += jobs_sql({.numbers = {kBackfilled, kBackfilled}, .spec = 2});
  sql += jobs_sql({.numbers = kInLine});
  const auto of_future = [](Numbers numbers) {
    return fmt::format("project = {} AND id BETWEEN {} AND {}", id_sql('p', "1"),
                       id_sql('j', std::to_string(kFuture.first + numbers.first - 1)),
                       id_sql('j', std::to_string(kFuture.first + numbers.last - 1)));
  };
  sql += fmt::format("UPDATE jobs SET is_paused = 1, paused_until = {} WHERE {};\n",
                     to_micros(kNow) + 86'400 * kSecond, of_future(kPaused));
  sql += fmt::format("INSERT INTO job_tags SELECT project, 'common', id FROM jobs WHERE {};\n",
                     of_future(kTagged));
  sql += fmt::format("INSERT INTO job_tags SELECT project, 'rare', id FROM jobs WHERE {};\n",
                     of_future(kRare));
  sql += insert("unique_keys", {1, 100'000},
                fmt::format("{}, 'unique-' || i, {}, 0", id_sql('p', "1"),
                            id_sql('j', fmt::format("i + {}", kFuture.first))));
  return sql;
}

constexpr std::string_view kReadyColumns =
    "ready (kind, queue, rank, planned_at, run, job, project, trigger_kind, attempt, queued_at)";

std::string live_runs() {
  const auto now = to_micros(kNow);
  const auto worker_lane = store::sql::kind_of(kWorkerKind, project());
  std::string sql = live_sql({.numbers = kRecurring,
                              .at = fmt::format("{} + (i - 500) * {}", now, kSecond),
                              .needs_planning = true});
  sql += live_sql({.numbers = kFuture,
                   .at = fmt::format("{} + (i - {}) * {}", now, kFuture.first + kDueNow, kSecond)});
  sql += live_sql({.numbers = kReady,
                   .at = fmt::format("{} - i * 1000", now),
                   .kind = fmt::format("iif(i % 4 = 0, '{}', 'http')", worker_lane),
                   .queue = fmt::format("printf('q%02d', i % {})", kQueues)});
  sql += live_sql({.numbers = kLeased, .at = fmt::format("{} - i", now), .queue = "'q00'"});
  sql +=
      live_sql({.numbers = kRetrying, .at = fmt::format("{} + i * 1000", now), .attempts_made = 1});
  sql += live_sql({.numbers = {kBackfilled, kBackfilled}, .at = fmt::format("{} - i", now)});

  sql += live_sql({.numbers = kInLine, .at = fmt::format("{} - i", now)});

  const std::string_view due = "needs_planning, at, run, job";
  const auto ready = fmt::format(
      "kind, queue, rank, planned_at, run, job, project, trigger_kind, attempts_made + 1, {}", now);
  const auto leased = fmt::format(
      "run, job, {}, 'node', row_number() OVER (), 1, at, at, 0, at + 1000", id_sql('n', "1"));
  sql += place_sql("due", due, kRecurring) + place_sql("due", due, kFuture) +
         place_sql("due", due, kRetrying);
  sql += place_sql(kReadyColumns, ready, kReady) +
         place_sql(kReadyColumns, ready, {kBackfilled, kBackfilled}) +
         place_sql("leases", leased, kLeased);
  const auto held_run = id_sql('r', fmt::format("i + {}", kHeldFrom));
  sql += insert(
      "live (job, is_held, run, project, trigger_kind, planned_at, at, needs_planning,"
      " kind, queue, rank, is_cancel_requested, attempts_made, jitter)",
      {1, kHeldRuns},
      fmt::format("{}, 1, {}, {}, 'backfill', i, i, 0, 'http', 'default', 5, 0, 0, 0",
                  id_sql('j', std::to_string(kBackfilled)), held_run, id_sql('p', "1")));
  sql += insert("held", {1, kHeldRuns},
                fmt::format("{}, 1, i, {}", id_sql('j', std::to_string(kBackfilled)), held_run));
  return sql;
}

std::string final_runs() {
  // One in a thousand failed, one was skipped; the rest succeeded.
  const auto of_done = kFinalRuns.last - kDone.count();
  const auto job =
      fmt::format("iif(i > {}, i - {} + {}, i % 1000 + 1)", of_done, of_done + 1, kDone.first);
  std::string sql = insert(
      "runs (project, id, job, trigger_kind, state, reason, planned_at, run_count, queued_at,"
      " started_at, ended_at, attempts_made, attempt_started_at, attempt_ended_at, node, outcome,"
      " outcome_reason, error, output_dropped)",
      kFinalRuns,
      fmt::format("{}, {}, {}, 'schedule', CASE i % 1000 WHEN 0 THEN 'failed' WHEN 1 THEN 'skipped'"
                  " ELSE 'succeeded' END, iif(i % 1000 = 1, 'overlap', ''), {} + i * 1000, 1, 1, 1,"
                  " {} + i * 1000, 1, 1, 1, 'node', 'succeeded', '', '', 0",
                  id_sql('p', "1"), id_sql('r', "i"), id_sql('j', job),
                  to_micros(kNow) - 4'000 * kSecond, to_micros(kNow) - 4'000 * kSecond));
  sql += insert(
      "attempts (run, number, started_at, ended_at, node, outcome, reason, error,"
      " output_dropped)",
      kRetrying,
      fmt::format("{}, 1, 1, 2, 'node', 'failed', 'http_status', 'no', 0",
                  id_sql('r', fmt::format("i + {}", kLive))));
  return sql;
}

// Rows of `limited` for the live runs of these jobs.
std::string limited_sql(Numbers numbers, std::string_view concurrency, std::string_view rate,
                        bool has_slot) {
  const auto or_null = [](std::string_view key, std::string_view value) {
    return fmt::format("iif({} IS NULL, NULL, {})", key, value);
  };
  return insert("limited", numbers,
                fmt::format("{}, {}, {}, {}, {}, {}, {}, {}",
                            id_sql('r', fmt::format("i + {}", kLive)), id_sql('p', "1"),
                            concurrency, or_null(concurrency, std::to_string(kLimitMax)), rate,
                            or_null(rate, std::to_string(kLimitMax)),
                            or_null(rate, std::to_string(3'600 * kSecond)), int{has_slot})) +
         fmt::format("UPDATE live SET is_limited = 1 WHERE job BETWEEN {} AND {};\n",
                     id_sql('j', std::to_string(numbers.first)),
                     id_sql('j', std::to_string(numbers.last)));
}

std::string limits() {
  const auto first_of = [](Numbers numbers) -> Numbers {
    return {numbers.first, numbers.first + kLimitedOfOthers - 1};
  };
  const Numbers earliest_ready{kReady.last - kLimitedOfOthers + 1, kReady.last};
  const auto slots = fmt::format("'slots ' || (i % {})", kLimitKeys);
  const auto rate = fmt::format("'rate ' || (i % {})", kLimitKeys);
  const auto middle = (kInLine.first + kInLine.last) / 2;
  const Numbers for_slots{kInLine.first, middle};
  const Numbers for_rates{middle + 1, kInLine.last};
  std::string sql = limited_sql(for_slots, slots, "NULL", false) +
                    limited_sql(for_rates, "NULL", rate, false) +
                    limited_sql(first_of(kLeased), slots, "NULL", true) +
                    limited_sql(earliest_ready, "NULL", rate, false) +
                    limited_sql(first_of(kFuture), slots, rate, false);
  for (const auto& [numbers, kind, key] :
       {std::tuple{for_slots, "concurrency", slots}, {for_rates, "rate", rate}}) {
    sql += insert(
        "limit_lines", numbers,
        fmt::format("{}, '{}', {}, 5, {} - i, {}, {}", id_sql('p', "1"), kind, key, to_micros(kNow),
                    id_sql('r', fmt::format("i + {}", kLive)), id_sql('j', "i")));
  }
  sql += fmt::format("UPDATE ready SET has_rate = 1 WHERE job BETWEEN {} AND {};\n",
                     id_sql('j', std::to_string(earliest_ready.first)),
                     id_sql('j', std::to_string(earliest_ready.last)));
  sql += insert("limit_keys", {0, kLimitKeys - 1},
                fmt::format("{}, 'concurrency', 'slots ' || i, {}, 0, 0, NULL, NULL",
                            id_sql('p', "1"), kLimitMax));
  const auto opens_at =
      fmt::format("{} + iif(i = {}, 0, {})", to_micros(kNow), kLimitKeys - 1, 3'600 * kSecond);
  sql += insert("limit_keys", {0, kLimitKeys - 1},
                fmt::format("{}, 'rate', 'rate ' || i, iif(i = {}, 0, {}), {}, {}, {}, {} + {}",
                            id_sql('p', "1"), kLimitKeys - 1, kLimitMax, kLimitMax, kLimitMax,
                            opens_at, opens_at, 3'600 * kSecond));
  sql += insert("limit_starts", {0, kLimitKeys * kLimitMax - 1},
                fmt::format("{}, 'rate ' || (i % {}), i / {} + 1, {} - iif(i % {} = {}, {}, 0)",
                            id_sql('p', "1"), kLimitKeys, kLimitKeys, to_micros(kNow), kLimitKeys,
                            kLimitKeys - 1, 3'600 * kSecond));
  // Keys that nobody uses any more.
  sql += insert("limit_keys", {1, 10'000},
                fmt::format("{}, 'rate', 'old ' || i, 0, 1, 1, NULL, i", id_sql('p', "1")));
  sql +=
      insert("limit_starts", {1, 10'000}, fmt::format("{}, 'old ' || i, 1, 1", id_sql('p', "1")));
  return sql;
}

std::string the_rest() {
  std::string sql =
      insert("projects", {1, 100}, fmt::format("{}, 'project-' || i, 1", id_sql('p', "i")));
  sql += insert("keys (id, project, name, role, hash, created_at)", {1, 1'000},
                fmt::format("{}, {}, 'key', 'admin', zeroblob(32), 1", id_sql('k', "i"),
                            id_sql('p', "i % 100 + 1")));
  sql += insert("sessions", {1, 10'000},
                fmt::format("{}, {}, i % 2, zeroblob(32), 1, {} + i", id_sql('s', "i"),
                            id_sql('k', "1"), to_micros(kNow)));
  sql += insert("workers", {1, 1'000},
                fmt::format("{}, {}, 'worker', '', 15000000, {}, {} + i", id_sql('w', "i"),
                            id_sql('p', "i % 100 + 1"), to_micros(kNow), to_micros(kNow)));
  Calendar calendar;
  calendar.spec.dates = {"12-25"};
  sql += insert("calendars", {1, 100},
                fmt::format("{}, 'calendar-' || i, '{}', 1, 1, 1", id_sql('p', "1"),
                            encode_calendar(calendar)));
  sql += insert("job_calendars", {1, 10'000},
                fmt::format("{}, {}, 0, 'calendar-' || (i % 99 + 1)", id_sql('p', "1"),
                            id_sql('j', fmt::format("i + {}", kFuture.first))));
  sql += insert("deliveries", {1, 100'000},
                fmt::format("{}, {}, {}, iif(i % 2 = 0, 'email', 'webhook'), 'ops', '{}',"
                            " iif(i <= 1000, 'waiting', 'delivered'), 0, {} + i, ''",
                            id_sql('d', "i"), id_sql('p', "1"), id_sql('r', "i"),
                            encode_message({}), to_micros(kNow)));
  sql += insert("idempotency (caller, key, fingerprint, at, what, project, job)", {1, 200'000},
                fmt::format("{}, 'idem-' || i, zeroblob(32), {} + i, 0, {}, {}", id_sql('k', "1"),
                            to_micros(kNow), id_sql('p', "1"), id_sql('j', "i")));
  sql +=
      fmt::format("INSERT INTO meta (name, value) VALUES ('last_token', {});\n", kLeased.count());
  sql += fmt::format("INSERT INTO job_totals VALUES ({}, {}, {}, {}, 0, 0);\n", id_sql('p', "1"),
                     kFuture.count(), kPaused.count(), kDone.count());
  // Half of it in a queue of its own; the counts need not be right, but large.
  for (const auto* const queue : {"default", "q07"}) {
    sql += fmt::format("INSERT INTO run_totals VALUES ({}, '{}', {}, {}, {}, {}, {}, {});\n",
                       id_sql('p', "1"), queue, kFuture.count() / 2, kRetrying.count() / 2,
                       kReady.count() / 2, kHeldRuns / 2, kInLine.count() / 2, kLeased.count() / 2);
  }
  sql += insert("tallies", {0, 31 * 96 - 1},
                fmt::format("{}, {} - i * 900 * {}, 9, 1, 0, 0, 0, 0, 0, 10, 10, 0, 0, 0, 0, 0, 0,"
                            " 0, 0, 0, 0, 0, 0, 0, 0, 0",
                            id_sql('p', "1"), to_micros(kNow), kSecond));
  return sql;
}

// Jobs share their declarations: how many there are is nothing to any statement.
Result<void> put_specs(Connection& db) {
  static constexpr Sql kPut{"INSERT INTO specs (id, spec, payload) VALUES ($1, $2, '')"};
  JobSpec once;
  once.name = "report";
  once.action = {"http", R"({"kind":"http","url":"http://127.0.0.1/hook"})"};
  JobSpec recurring = once;
  recurring.schedule.every = std::chrono::hours(1);
  CHRONOS_TRY_VOID(db.run(kPut, 1, encode_spec(once)));
  CHRONOS_TRY_VOID(db.run(kPut, 2, encode_spec(recurring)));
  return {};
}

}  // namespace

Uuid uuid(char letter, std::int64_t number) {
  const auto text = fmt::format("{}{:015}", letter, number);
  return Uuid::from_bytes(reinterpret_cast<const std::uint8_t*>(text.data()));
}

Result<void> fill(Connection& db) {
  CHRONOS_TRY_VOID(db.run_script("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000"));
  CHRONOS_TRY_VOID(db.begin());
  for (const auto& sql : {jobs(), live_runs(), final_runs(), limits(), the_rest()}) {
    CHRONOS_TRY_VOID(db.run_script(sql));
  }
  CHRONOS_TRY_VOID(put_specs(db));
  return db.commit(Durable::written);
}

}  // namespace chronos::test::large
