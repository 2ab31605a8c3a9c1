#include "store/touch.h"

#include <iterator>
#include <variant>

namespace chronos::store {
namespace {

// One function for each change that touches a job or a run; the others touch nothing that is
// watched.
struct Toucher {
  const Answer& answer;
  std::vector<Touch>& touches;

  void add_job(const JobAnswer& made) const {
    if (!made.is_replay) touches.push_back({made.job.project, made.job.id});
  }
  void add_claimed(const std::vector<ClaimedRun>& claimed) const {
    for (const auto& run : claimed) {
      touches.push_back({run.project, run.job, run.run, RunState::running});
    }
  }
  void add_settled(const SettleRun& change, RunState state) const {
    touches.push_back({change.project, change.job, change.run, state});
  }

  void operator()(const SubmitJob&) const { add_job(std::get<JobAnswer>(answer)); }
  void operator()(const ReplaceJob&) const { add_job(std::get<JobAnswer>(answer)); }
  void operator()(const CancelJob&) const { add_job(std::get<JobAnswer>(answer)); }
  void operator()(const RunJob& change) const {
    const auto& made = std::get<RunAnswer>(answer);
    if (!made.is_replay) {
      touches.push_back({change.project, change.job, made.run, RunState::queued});
    }
  }
  void operator()(const Backfill& change) const {
    if (std::get<Backfill::Answer>(answer).is_replay || change.runs.empty()) return;
    touches.push_back({change.project, change.job});
  }
  void operator()(const CancelRun& change) const {
    touches.push_back({change.project, std::nullopt, change.run});
  }
  void operator()(const ReleaseDue&) const {
    if (std::get<std::int64_t>(answer) > 0) touches.push_back({});
  }
  void operator()(const CommitPlan& change) const {
    const bool is_released = change.due_run == Plan::DueRun::release;
    touches.push_back({change.project, change.job, change.run,
                       is_released ? std::optional(RunState::queued) : std::nullopt});
    for (const auto& row : change.rows) {
      touches.push_back({change.project, change.job, row.id, row.state});
    }
  }
  void operator()(const ClaimRuns&) const { add_claimed(std::get<ClaimRuns::Answer>(answer)); }
  void operator()(const SettleRun& change) const {
    add_settled(change, std::get<SettleRun::Answer>(answer).state);
  }
  void operator()(const AppendOutput& change) const {
    for (const auto& piece : change.pieces) {
      touches.push_back({piece.project, piece.job, piece.run, std::nullopt, piece.attempt,
                         piece.offset + std::ssize(piece.bytes)});
    }
  }
  void operator()(const WorkerTurn& change) const {
    const auto& turn = std::get<WorkerTurn::Answer>(answer);
    for (std::size_t i = 0; i < change.settled.size(); ++i) {
      if (turn.settled[i]) add_settled(change.settled[i], *turn.settled[i]);
    }
    add_claimed(turn.claimed);
  }
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

void add_touches(const Change& change, const Answer& answer, std::vector<Touch>& touches) {
  std::visit(Toucher{answer, touches}, change);
}

}  // namespace chronos::store
