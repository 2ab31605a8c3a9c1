// What a store that breaks a promise would do: planted to see that the checkers find it. One
// thread.
#pragma once

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "store/store.h"

namespace chronos::sim {

enum class Bug {
  none,
  loses_a_submission,   // acknowledges it and forgets it
  hands_out_early,      // shows runs as due before their time
  forgets_ledger_rows,  // plans without the rows that say what did not run
  forgets_deliveries,   // settles without telling anybody
  claims_again,         // answers a claim with what it answered to the claim before
  never_releases,       // takes the change that makes due runs ready and does nothing
  forgets_the_outcome,  // acknowledges that an attempt ended and loses its lease's end
  answers_twice,        // writes a second row for an instant that has one
  ignores_overlap,      // releases what should wait for an earlier run of its job
  raises_limits,        // of every other submission
  records_a_success,    // of an attempt that failed and is tried again
  records_as_sent,      // takes a delivery that failed for one that arrived
};

class PlantedBug {
 public:
  explicit PlantedBug(Bug kind) : kind_(kind) {}

  // When it says that something is due, and the time at which it looks.
  std::optional<Timestamp> due_at(std::optional<Timestamp> at) const {
    return at && kind_ == Bug::hands_out_early ? *at - kEarly : at;
  }
  Timestamp now_for(Timestamp now) const {
    return kind_ == Bug::hands_out_early ? now + kEarly : now;
  }

  // True: the change was dealt with by the bug.
  template <class C>
  bool spoil(C& change, store::Done<store::Answer>& done) {
    const auto answer = [&done](typename C::Answer with) {
      done(store::Answer(std::in_place_type<typename C::Answer>, std::move(with)));
      return true;
    };
    if constexpr (std::is_same_v<C, store::SubmitJob>) {
      const bool is_lost = kind_ == Bug::loses_a_submission && ++count_ % 10 == 0;
      if (is_lost) return answer({change.job, false});
      const bool is_limited = change.job.spec->limits.concurrency.has_value();
      if (kind_ == Bug::raises_limits && is_limited && ++count_ % 2 == 0) {
        change.job.spec.edit().limits.concurrency->max += kRaise;
      }
    }
    if constexpr (std::is_same_v<C, store::CommitPlan>) {
      if (kind_ == Bug::forgets_ledger_rows) change.rows.clear();
      if (kind_ == Bug::answers_twice) answer_twice(change.rows);
      const bool waits = change.due_run == Plan::DueRun::hold;
      if (kind_ == Bug::ignores_overlap && waits) change.due_run = Plan::DueRun::release;
    }
    if constexpr (std::is_same_v<C, store::FinishDelivery>) {
      if (kind_ == Bug::records_as_sent) change.state = DeliveryState::delivered;
    }
    if constexpr (std::is_same_v<C, store::SettleRun>) {
      if (kind_ == Bug::forgets_deliveries) change.deliveries.clear();
      auto& outcome = change.attempt.outcome.kind;
      const bool has_failed = change.next == RunState::retrying && outcome == OutcomeKind::failed;
      if (kind_ == Bug::records_a_success && has_failed) outcome = OutcomeKind::succeeded;
      const bool is_lost = kind_ == Bug::forgets_the_outcome && ++count_ % 10 == 0;
      if (is_lost) return answer({change.next});
    }
    if constexpr (std::is_same_v<C, store::ReleaseDue>) {
      if (kind_ == Bug::never_releases) return answer(0);
      change.now = now_for(change.now);
    }
    if constexpr (std::is_same_v<C, store::ClaimRuns>) {
      if (kind_ == Bug::claims_again && ++count_ % 20 == 0) return answer(claimed_before_);
    }
    return false;
  }

  template <class C>
  void note(const typename C::Answer& answer) {
    if constexpr (std::is_same_v<C, store::ClaimRuns>) {
      if (!answer.empty()) claimed_before_ = answer;
    }
  }

 private:
  static constexpr Duration kEarly{5'000'000};
  static constexpr std::int64_t kRaise = 10;

  static void answer_twice(std::vector<LedgerRow>& rows) {
    if (rows.empty()) return;
    auto again = rows.front();
    again.id.uuid.low ^= 1U;
    again.reason = "again";
    rows.push_back(std::move(again));
  }

  const Bug kind_;
  int count_ = 0;  // of changes that it may spoil
  store::ClaimRuns::Answer claimed_before_;
};

}  // namespace chronos::sim
