// What remote workers send: claims, outcomes, progress (docs/workers.md). Plain values and their
// reading; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "model/run.h"

namespace chronos::service {

inline constexpr int kClaimMax = 1000;       // runs in one claim
inline constexpr int kOutcomesMax = 10'000;  // entries of each list in one settlement
inline constexpr Duration kWaitMax = std::chrono::seconds(30);

struct ClaimRequest {
  std::optional<WorkerId> id;       // nothing: a worker that begins
  std::optional<std::string> name;  // required of one that begins
  // Every run the worker knows it holds; what else is leased to it came with an answer it never
  // got.
  std::optional<std::vector<RunId>> holding;
  std::optional<std::vector<std::string>> queues;  // none: as before, at first every queue
  int max = 1;
  Duration wait{};  // until there is work
};

// A run that the worker holds, by the token of its claim.
struct LeaseRef {
  RunId run;
  std::int64_t token = 0;
};

enum class WorkOutcome { succeeded, failed, retry_later, cancelled, lost };
std::string_view to_string(WorkOutcome outcome);
std::optional<WorkOutcome> parse_work_outcome(std::string_view text);

struct OutcomeRequest {
  RunId run;
  std::int64_t token = 0;
  WorkOutcome outcome = WorkOutcome::succeeded;
  std::string error;
  std::string output;
  std::optional<Duration> retry_after;
};

// What a run that goes on says of itself.
struct ProgressRequest {
  RunId run;
  std::int64_t token = 0;
  std::optional<int> percent;
  std::string message;
  std::string output;  // goes to the output of the attempt
};

struct SettleRequest {
  std::optional<WorkerId> id;  // there once it was read
  std::vector<OutcomeRequest> outcomes;
  std::vector<LeaseRef> release;
  std::vector<ProgressRequest> progress;
  std::optional<ClaimRequest> claim;
};

// Fail with everything that is wrong.
Result<ClaimRequest> read_claim(const json::Value& body);
Result<SettleRequest> read_settle(const json::Value& body);

// What the attempt came to; `said` is what its progress left for the output, of which the first
// `output_max` bytes are kept.
Outcome outcome_of(const OutcomeRequest& request, std::string said, std::size_t output_max);

// Of the tables, for the contract test.
std::vector<std::string_view> claim_field_names();
std::vector<std::string_view> settle_field_names();
std::vector<std::string_view> outcome_field_names();
std::vector<std::string_view> progress_field_names();

}  // namespace chronos::service
