// A database of the size that shows what a statement costs: a million future jobs and a million
// finished runs, and everything else in proportion. Filled with SQL, in seconds, not through the
// store. For tests of store/sql/; one thread.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/id.h"
#include "store/sql/connection.h"

namespace chronos::test::large {

// Jobs have numbers, and so have runs; a live run has the number of its job and kLive more.
struct Numbers {
  std::int64_t first = 0;
  std::int64_t last = 0;  // inclusive
  std::int64_t count() const { return last - first + 1; }
};
inline constexpr Numbers kRecurring{1, 1'000};          // each waits to be planned; half are due
inline constexpr Numbers kDone{1'001, 101'000};         // one run each; some failed or cancelled
inline constexpr Numbers kFuture{200'001, 1'200'000};   // one-time; the first kDueNow are due
inline constexpr Numbers kReady{1'300'001, 1'400'000};  // in kQueues queues, and for workers
inline constexpr Numbers kLeased{1'500'001, 1'501'000};
inline constexpr Numbers kRetrying{1'600'001, 1'650'000};  // in back-off, one attempt each
inline constexpr std::int64_t kBackfilled = 1'700'001;     // has kHeldRuns held runs, one ready
inline constexpr std::int64_t kHeldRuns = 10'000;
// In line for limits: half of them for the keys "slots 0"…"slots 9", of which all slots are taken
// by the first runs of kLeased, half for the rates "rate 0"…, which are used up for another hour
// but the last, which opens now. Of kReady the earliest have a rate; of kFuture the first have
// limits.
inline constexpr Numbers kInLine{1'800'001, 1'850'000};
inline constexpr int kLimitKeys = 10;
inline constexpr int kLimitMax = 10;
inline constexpr int kLimitedOfOthers = 100;        // of kLeased, kReady and kFuture
inline constexpr Numbers kFinalRuns{1, 1'000'000};  // of the recurring jobs, the last of kDone
inline constexpr std::int64_t kLive = 10'000'000;
inline constexpr std::int64_t kHeldFrom = 20'000'000;  // numbers of the held runs

inline constexpr int kDueNow = 3'000;
inline constexpr int kQueues = 20;               // "q00"…
inline constexpr Numbers kTagged{1, 150'000};    // of kFuture, from its start, by "common"
inline constexpr Numbers kRare{1, 100};          // likewise, by "rare"
inline constexpr Numbers kPaused{1'001, 1'100};  // likewise; they resume at kNow + 1 day

inline constexpr Timestamp kNow{std::chrono::sys_days(std::chrono::year(2026) / 6 / 1)};

// 'j' jobs, 'r' runs, 'k' keys, 'd' deliveries, 'w' workers; project 'p' 1 has everything.
Uuid uuid(char letter, std::int64_t number);
inline ProjectId project() {
  return {uuid('p', 1)};
}
inline JobId job(std::int64_t number) {
  return {uuid('j', number)};
}
inline RunId run(std::int64_t number) {
  return {uuid('r', number)};
}

// `db` has the schema and no rows.
Result<void> fill(store::sql::Connection& db);

}  // namespace chronos::test::large
