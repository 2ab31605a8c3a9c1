// Whether and when to try again. Pure.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "model/job.h"
#include "model/run.h"

namespace chronos {

// What an attempt that may be tried again can have ended with: Outcome::reason of the executors, of
// workers and of lost leases. docs/run-states.md says what each means.
std::span<const std::string_view> retry_reasons();

// A filter of RetryPolicy::on: an outcome ("failed", "timed_out", "lost"), one of retry_reasons(),
// an HTTP status or class ("http:503", "http:5xx") or an exit code ("exit:75").
bool is_retry_filter(std::string_view filter);
bool matches(std::string_view filter, const Outcome& outcome);

// How long to wait after attempt number `attempt` (1, 2, …) failed: the back-off, at most
// max_delay, with full jitter uniform in [0, back-off] (Brooker, "Exponential Backoff And Jitter",
// 2015); never less than what the target asked for, of which at most a day is honoured.
Duration retry_delay(const RetryPolicy& policy, int attempt, const Outcome& outcome, Rng& rng);

// So many attempts in a row that took their worker with them end a run, whatever max_attempts says:
// what it does may be what kills them, and it would go on killing.
inline constexpr int kWorkersLostMax = 3;

// What an attempt came to whose holder was not heard of for its lease. `earlier`: the attempts of
// the run before it, oldest first. Only remote workers count: a run of the server's own is lost
// with its node, whatever ended that.
Outcome lease_expired(const JobSpec& spec, std::span<const Attempt> earlier);
bool is_quarantined(const Outcome& outcome);  // it was the last of them

}  // namespace chronos
