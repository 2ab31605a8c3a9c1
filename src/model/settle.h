// Outcome → what becomes of the run: its next state, the retry, who is told. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/random.h"
#include "model/job.h"
#include "model/notification.h"
#include "model/run.h"

namespace chronos {

struct SettleInput {
  const JobSpec& spec;
  std::int64_t failure_streak = 0;  // of the job, before this attempt
  JobId job;
  ProjectId project;
  std::string project_name;
  RunId run;
  int attempt = 1;
  Timestamp planned_at;
  Timestamp now;
  const Outcome& outcome;
  // What max_age and the deadline count from: the planned instant, but for a backfill.
  std::optional<Timestamp> counted_from = std::nullopt;
  // Who ran the attempt asks for another one: max_attempts and retry.on have no say, and what it
  // asks in retry_after takes the place of the back-off.
  bool asks_again = false;
};

// Whom to tell about a job that has no rules of its own.
struct NotifyDefaults {
  std::vector<std::string> on_failure;  // e-mail addresses
};

struct Settlement {
  RunState next = RunState::succeeded;  // retrying, or final
  std::string reason;
  std::optional<Timestamp> retry_at;
  std::vector<Delivery> deliveries;  // written in the same transaction as the outcome
};

// The rules that end the attempts of a failing run.
enum class RetryRule { max_attempts, on_lost, deadline, retry_on, max_age };

// Which rule says that this outcome is not worth another attempt; nothing: it is, if it would be in
// time.
std::optional<RetryRule> rule_against_retry(const JobSpec& spec, int attempt,
                                            const Outcome& outcome);
// The time limit that a retry meets first, max_age or deadline; nothing: the job has none.
std::optional<RetryRule> time_limit(const JobSpec& spec);

// A failure is tried again while attempts are left, its outcome is among retry.on, and the next
// attempt would start within retry.max_age and the deadline. A lost attempt of an on_lost: fail job
// is never repeated. After the last attempt each rule whose streak is reached tells everybody it
// names once.
Settlement settle(const SettleInput& input, const NotifyDefaults& defaults, Rng& rng,
                  IdSource& ids);

}  // namespace chronos
