#include "model/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string>

namespace chronos {
namespace {

constexpr std::array<std::string_view, 20> kReasons = {
    "dns",         "connect",    "tls",      "reset",        "egress_refused",
    "redirect",    "bad_answer", "bad_call", "bad_action",   "signing",
    "http_status", "action",     "spawn",    "exit_code",    "signal",
    "worker",      "timeout",    "shutdown", "exit_unknown", "lease_expired"};

constexpr std::string_view kLeaseExpired = kReasons.back();
constexpr std::string_view kQuarantined = "quarantined";  // no filter asks for another attempt

bool has_lost_its_worker(const Attempt& attempt) {
  return attempt.outcome.kind == OutcomeKind::lost && attempt.outcome.reason == kLeaseExpired;
}

bool is_number(std::string_view text, int low, int high) {
  int value = 0;
  const auto end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && at == end && value >= low && value <= high;
}

bool is_status_class(std::string_view text) {
  return text.size() == 3 && text[0] >= '1' && text[0] <= '5' && text.ends_with("xx");
}

}  // namespace

std::span<const std::string_view> retry_reasons() {
  return kReasons;
}

bool is_retry_filter(std::string_view filter) {
  if (filter == "failed" || filter == "timed_out" || filter == "lost") return true;
  if (filter.starts_with("http:")) {
    return is_number(filter.substr(5), 100, 599) || is_status_class(filter.substr(5));
  }
  if (filter.starts_with("exit:")) return is_number(filter.substr(5), 0, 255);
  return std::ranges::find(kReasons, filter) != kReasons.end();
}

bool matches(std::string_view filter, const Outcome& outcome) {
  if (filter == to_string(outcome.kind) || filter == outcome.reason) return true;
  if (filter.starts_with("http:") && outcome.http_status) {
    const auto status = std::to_string(*outcome.http_status);
    return filter.substr(5) == status ||
           (is_status_class(filter.substr(5)) && filter[5] == status[0]);
  }
  if (filter.starts_with("exit:") && outcome.exit_code) {
    return filter.substr(5) == std::to_string(*outcome.exit_code);
  }
  return false;
}

Duration retry_delay(const RetryPolicy& policy, int attempt, const Outcome& outcome, Rng& rng) {
  constexpr Duration kLongestAsked = std::chrono::hours(24);
  Duration delay = policy.delay;
  if (policy.backoff == Backoff::linear) delay = policy.delay * attempt;
  if (policy.backoff == Backoff::exponential) {
    for (int i = 1; i < attempt && delay < policy.max_delay; ++i) delay *= 2;
  }
  delay = std::min(delay, policy.max_delay);
  if (policy.jitter == Jitter::full) delay = Duration(rng.between(0, delay.count()));
  const auto asked = std::min(outcome.retry_after.value_or(Duration(0)), kLongestAsked);
  return std::max(delay, asked);
}

Outcome lease_expired(const JobSpec& spec, std::span<const Attempt> earlier) {
  constexpr auto kBefore = std::size_t{kWorkersLostMax - 1};
  Outcome outcome{.kind = OutcomeKind::lost, .reason = std::string(kLeaseExpired), .error = {}};
  if (spec.action.kind != kWorkerKind) {
    outcome.error = "the node that ran this attempt stopped before it ended";
  } else if (earlier.size() >= kBefore &&
             std::ranges::all_of(earlier.last(kBefore), has_lost_its_worker)) {
    outcome.reason = kQuarantined;
    outcome.error = fmt::format(
        "quarantined: in {} attempts in a row the worker was not heard of for its lease",
        kWorkersLostMax);
  } else {
    outcome.error = "the worker that ran this attempt was not heard of for its lease";
  }
  return outcome;
}

bool is_quarantined(const Outcome& outcome) {
  return outcome.reason == kQuarantined;
}

}  // namespace chronos
