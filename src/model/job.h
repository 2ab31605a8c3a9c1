// What a user declares: JobSpec is the declaration, Job the declaration with its identity and
// state. Plain values; model/json_codec.h has the table of their fields.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/shared.h"
#include "model/limits.h"
#include "model/run.h"
#include "schedule/schedule.h"

namespace chronos {

using schedule::DstPolicy;
using schedule::JitterMode;
using schedule::ScheduleSpec;
using schedule::StartJitter;

enum class Backoff { exponential, linear, fixed };
enum class Jitter { full, none };
enum class OnLost { retry, fail };
enum class Misfire { run_once, run_all, skip, ask };
// How long a job holds its unique key, and what becomes of a submission that meets it.
enum class UniqueWhile { queued, running, window };
enum class OnConflict { reject, keep, replace, extend };
enum class Overlap { skip, queue_one, queue_all, cancel_running, allow };

// The kind of action that a program of the user's pulls (docs/workers.md): no server starts it.
inline constexpr std::string_view kWorkerKind = "worker";

// What to do. Its kind's executor alone understands `config`.
struct Action {
  std::string kind;    // "http", "command", "worker"
  std::string config;  // the whole action object, `kind` included, as JSON text

  bool operator==(const Action&) const = default;
};

struct RetryPolicy {
  Backoff backoff = Backoff::exponential;
  Duration delay = std::chrono::seconds(1);
  Duration max_delay = std::chrono::hours(1);
  Jitter jitter = Jitter::full;
  std::optional<Duration> max_age;  // no attempt starts later than this after the planned instant
  std::vector<std::string> on;      // outcomes worth a retry; empty = all failures (retry.h)

  bool operator==(const RetryPolicy&) const = default;
};

struct MisfirePolicy {
  Misfire policy = Misfire::run_once;
  Duration grace = std::chrono::seconds(60);  // late by at most this is not a misfire
  Duration window = std::chrono::hours(24);   // instants older than this are missed for good
  std::int64_t max = 1000;                    // at most so many catch-up runs

  bool operator==(const MisfirePolicy&) const = default;
};

struct NotifyRule {
  std::string on = "failure";
  std::int64_t after = 1;  // so many failed runs in a row
  std::vector<std::string> email;
  std::string channel;  // a channel's name: of the project, else in the configuration

  bool operator==(const NotifyRule&) const = default;
};

// A job that runs once, held apart from others with the same key (unique.h).
struct Unique {
  std::string key;
  UniqueWhile holds_while = UniqueWhile::running;
  std::optional<Duration> window;  // with UniqueWhile::window
  OnConflict on_conflict = OnConflict::reject;

  bool operator==(const Unique&) const = default;
};

struct Retention {
  std::int64_t runs = 10'000;
  Duration age = std::chrono::hours(24 * 30);

  bool operator==(const Retention&) const = default;
};

inline constexpr std::size_t kNoteMax = 1000;  // bytes of a note

struct JobSpec {
  std::string name;
  std::optional<std::string> key;  // unique in its project
  Action action;
  std::string payload;  // JSON text, byte for byte as sent; empty = none
  ScheduleSpec schedule;
  std::optional<std::int64_t> max_runs;
  int max_attempts = 3;  // 0 = no limit
  RetryPolicy retry;
  Duration timeout = std::chrono::minutes(5);  // of one attempt
  std::optional<Duration> deadline;            // of the whole run, from its planned instant
  OnLost on_lost = OnLost::retry;
  MisfirePolicy misfire;
  Overlap overlap = Overlap::skip;
  std::string queue = "default";
  int priority = 4;  // 0–9, 9 first
  Limits limits;
  std::optional<Unique> unique;
  std::vector<NotifyRule> notify;
  std::vector<std::string> tags;
  std::map<std::string, std::string> metadata;
  Retention retention;
  bool paused = false;
  std::optional<Timestamp> paused_until;  // then it resumes by itself
  std::string note;
};

// What the user and the schedule made of a job; whether it is running or retrying is read from its
// live runs, never stored (see JobStatus).
enum class JobPhase { active, succeeded, failed, cancelled };

enum class JobStatus { scheduled, running, retrying, paused, succeeded, failed, cancelled };

struct JobCounts {
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;  // failed, timed_out and lost
  std::int64_t cancelled = 0;
  std::int64_t skipped = 0;
  std::int64_t missed = 0;
  std::int64_t running = 0;  // derived from leases when read
};

struct LastRun {
  RunId id;
  RunState state = RunState::succeeded;
  Timestamp ended_at;
  std::string error;
};

struct Job {
  JobId id;
  ProjectId project;
  Shared<JobSpec> spec;
  JobPhase phase = JobPhase::active;
  std::int64_t version = 1;  // grows with every change a user makes
  Timestamp created_at;
  Timestamp updated_at;
  // Every instant of the schedule up to here has its run or its row. Moves only forward, by
  // compare-and-swap, in the transaction that creates the run (product.md §4). Starts just before
  // the first instant the job may have.
  Timestamp planned_through;
  // The instant that came while the job was paused and still waits for its answer.
  std::optional<Timestamp> parked_at;
  std::int64_t runs_planned = 0;    // of the schedule, for max_runs
  std::int64_t failure_streak = 0;  // failed runs in a row
  JobCounts counts;
  std::optional<LastRun> last_run;

  // Derived when read.
  JobStatus status = JobStatus::scheduled;
  std::optional<Timestamp> next_run_at;  // of the earliest waiting run
};

std::string_view to_string(Backoff value);
std::string_view to_string(Jitter value);
std::string_view to_string(OnLost value);
std::string_view to_string(Misfire value);
std::string_view to_string(Overlap value);
std::string_view to_string(UniqueWhile value);
std::string_view to_string(OnConflict value);
std::string_view to_string(JobPhase value);
std::string_view to_string(JobStatus value);
std::optional<Backoff> parse_backoff(std::string_view text);
std::optional<Jitter> parse_jitter(std::string_view text);
std::optional<OnLost> parse_on_lost(std::string_view text);
std::optional<Misfire> parse_misfire(std::string_view text);
std::optional<Overlap> parse_overlap(std::string_view text);
std::optional<UniqueWhile> parse_unique_while(std::string_view text);
std::optional<OnConflict> parse_on_conflict(std::string_view text);
std::optional<JobPhase> parse_job_phase(std::string_view text);
std::optional<JobStatus> parse_job_status(std::string_view text);

}  // namespace chronos
