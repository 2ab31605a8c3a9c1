// The load of `chronos bench`: submits, workers that take and settle, and jobs that are due at one
// instant; measured from outside, through the API. Each function blocks until its part is over.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace chronos::cli {

struct BenchTarget {
  std::string url;
  std::string key;
  std::string ca_file;
};

struct BenchPlan {
  int clients = 64;       // connections that submit one job at a time
  Duration submit_for{};  // how long they do
  int due_jobs = 5000;    // that are due at one instant
  int workers = 4;        // that take and settle
  int batch = 500;        // runs in one claim
  Duration give_up{};     // without anything that ends for so long
};

// What somebody waited, in milliseconds, in no order.
using Milliseconds = std::vector<double>;
// The value that `share` of them do not exceed (nearest rank); 0 of none.
double percentile(Milliseconds& values, double share);

// Acknowledged jobs, by id, and how often each was worked on.
using Ledger = std::unordered_map<std::string, int>;

struct SubmitFigures {
  double per_second = 0;
  Milliseconds latencies;
  std::int64_t refused = 0;  // answers that were no success, and none at all
};
// Adds each acknowledged job to `ledger`.
Result<SubmitFigures> bench_submits(const BenchTarget& target, const BenchPlan& plan,
                                    Ledger& ledger);

struct LifecycleFigures {
  double per_second = 0;
};
// Works on everything in `ledger` that nobody has worked on yet.
Result<LifecycleFigures> bench_lifecycles(const BenchTarget& target, const BenchPlan& plan,
                                          Ledger& ledger);

struct LatenessFigures {
  Milliseconds lateness;  // from the planned instant until a waiting worker had the run
  std::int64_t early = 0;
};
Result<LatenessFigures> bench_lateness(const BenchTarget& target, const BenchPlan& plan,
                                       const Clock& clock, Ledger& ledger);

}  // namespace chronos::cli
