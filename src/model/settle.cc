#include "model/settle.h"

#include <algorithm>
#include <set>

#include "model/retry.h"

namespace chronos {
namespace {

RunState final_state(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::succeeded:
      return RunState::succeeded;
    case OutcomeKind::failed:
      return RunState::failed;
    case OutcomeKind::timed_out:
      return RunState::timed_out;
    case OutcomeKind::lost:
      return RunState::lost;
    case OutcomeKind::cancelled:
      return RunState::cancelled;
  }
  return RunState::failed;
}

bool is_in_time(const SettleInput& input, Timestamp retry_at) {
  const auto& spec = input.spec;
  const auto age = retry_at - input.counted_from.value_or(input.planned_at);
  return (!spec.retry.max_age || age <= *spec.retry.max_age) &&
         (!spec.deadline || age < *spec.deadline);
}

// The last lines that fit, starting at a line's beginning.
std::string tail_of(const std::string& output) {
  constexpr std::size_t kTailMax = 4096;
  if (output.size() <= kTailMax) return output;
  auto from = output.size() - kTailMax;
  if (const auto line = output.find('\n', from);
      line != std::string::npos && line + 1 < output.size()) {
    from = line + 1;
  }
  return output.substr(from);
}

Message message_of(const SettleInput& input, RunState state) {
  return {.event = "run.failed",
          .project = input.project_name,
          .job_id = input.job.to_string(),
          .job_name = input.spec.name,
          .run_id = input.run.to_string(),
          .state = std::string(to_string(state)),
          .error = input.outcome.error,
          .attempts = input.attempt,
          .planned_at = input.planned_at,
          .ended_at = input.now,
          .output_tail = tail_of(input.outcome.output)};
}

// Everybody to tell, each once however many rules name them.
std::set<std::pair<std::string, std::string>> targets_of(const SettleInput& input,
                                                         const NotifyDefaults& defaults) {
  std::set<std::pair<std::string, std::string>> targets;
  if (input.spec.notify.empty()) {
    for (const auto& address : defaults.on_failure) targets.emplace("email", address);
  }
  for (const auto& rule : input.spec.notify) {
    if (input.failure_streak + 1 < rule.after) continue;
    for (const auto& address : rule.email) targets.emplace("email", address);
    if (!rule.channel.empty()) targets.emplace("webhook", rule.channel);
  }
  return targets;
}

}  // namespace

std::optional<RetryRule> rule_against_retry(const JobSpec& spec, int attempt,
                                            const Outcome& outcome) {
  if (is_quarantined(outcome)) return RetryRule::on_lost;
  if (spec.max_attempts != 0 && attempt >= spec.max_attempts) return RetryRule::max_attempts;
  if (outcome.kind == OutcomeKind::lost && spec.on_lost == OnLost::fail) return RetryRule::on_lost;
  if (outcome.reason == "deadline") return RetryRule::deadline;
  const auto& on = spec.retry.on;
  const bool is_wanted = on.empty() || std::ranges::any_of(on, [&](const auto& filter) {
                           return matches(filter, outcome);
                         });
  return is_wanted ? std::nullopt : std::optional(RetryRule::retry_on);
}

std::optional<RetryRule> time_limit(const JobSpec& spec) {
  const auto& max_age = spec.retry.max_age;
  if (spec.deadline && (!max_age || *spec.deadline <= *max_age)) return RetryRule::deadline;
  return max_age ? std::optional(RetryRule::max_age) : std::nullopt;
}

Settlement settle(const SettleInput& input, const NotifyDefaults& defaults, Rng& rng,
                  IdSource& ids) {
  Settlement settlement{final_state(input.outcome.kind), input.outcome.reason, std::nullopt, {}};
  if (settlement.next == RunState::succeeded || settlement.next == RunState::cancelled)
    return settlement;
  if (input.asks_again || !rule_against_retry(input.spec, input.attempt, input.outcome)) {
    const auto& asked = input.outcome.retry_after;
    const auto retry_at =
        input.now + (input.asks_again && asked
                         ? *asked
                         : retry_delay(input.spec.retry, input.attempt, input.outcome, rng));
    if (is_in_time(input, retry_at)) {
      settlement.next = RunState::retrying;
      settlement.retry_at = retry_at;
      return settlement;
    }
  }
  for (const auto& [kind, address] : targets_of(input, defaults)) {
    settlement.deliveries.push_back({.id = ids.make<DeliveryId>(),
                                     .project = input.project,
                                     .run = input.run,
                                     .target = {kind, address},
                                     .message = message_of(input, settlement.next),
                                     .state = DeliveryState::waiting,
                                     .attempts_made = 0,
                                     .next_attempt_at = input.now,
                                     .error = {}});
  }
  return settlement;
}

}  // namespace chronos
