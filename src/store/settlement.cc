#include "store/settlement.h"

#include <algorithm>
#include <utility>

namespace chronos::store {

Timestamp counted_from(const ClaimedRun& claimed) {
  return claimed.trigger == Trigger::backfill ? claimed.queued_at : claimed.planned_at;
}

Duration time_left(const ClaimedRun& claimed, Timestamp now) {
  const auto& spec = *claimed.spec;
  if (!spec.deadline) return spec.timeout;
  return std::min(spec.timeout, counted_from(claimed) + *spec.deadline - now);
}

Timestamp end_of(const ClaimedRun& claimed) {
  return claimed.started_at + time_left(claimed, claimed.started_at);
}

Outcome deadline_passed() {
  Outcome outcome{.kind = OutcomeKind::timed_out, .reason = "deadline", .error = {}};
  outcome.error = "the deadline passed before the attempt could start";
  return outcome;
}

SettleRun handed_back(const ClaimedRun& claimed, Timestamp now) {
  return {.run = claimed.run,
          .token = claimed.token,
          .next = RunState::queued,
          .reason = {},
          .retry_at = {},
          .attempt = {},
          .deliveries = {},
          .now = now,
          .project = claimed.project,
          .job = claimed.job};
}

bool may_have_live_output(const SettleRun& change) {
  const auto& outcome = change.attempt.outcome;
  return outcome.has_live_output || outcome.kind == OutcomeKind::lost ||
         change.next == RunState::queued;
}

SettleRun settlement_of(const ClaimedRun& claimed, Outcome outcome,
                        const SettlementContext& context, Rng& rng, IdSource& ids) {
  const SettleInput input{.spec = *claimed.spec,
                          .failure_streak = claimed.failure_streak,
                          .job = claimed.job,
                          .project = claimed.project,
                          .project_name = context.project_name,
                          .run = claimed.run,
                          .attempt = claimed.attempt,
                          .planned_at = claimed.planned_at,
                          .now = context.now,
                          .outcome = outcome,
                          .counted_from = counted_from(claimed),
                          .asks_again = context.asks_again};
  auto settlement = settle(input, context.notify, rng, ids);
  // A clock that was set back must not end an attempt before it started.
  const auto ended_at = std::max(context.now, claimed.started_at);
  return {
      .run = claimed.run,
      .token = claimed.token,
      .next = settlement.next,
      .reason = std::move(settlement.reason),
      .retry_at = settlement.retry_at,
      .attempt = {claimed.attempt, claimed.started_at, ended_at, claimed.node, std::move(outcome)},
      .deliveries = std::move(settlement.deliveries),
      .now = context.now,
      .project = claimed.project,
      .job = claimed.job};
}

}  // namespace chronos::store
