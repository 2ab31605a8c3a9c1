// Attempts in virtual time: each ends, some time later, with an outcome drawn from the seed. It
// remembers what was launched, as the world outside would. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"
#include "scheduler/launcher.h"

namespace chronos::sim {

// What commands and servers saw happen; outlives crashes of the node.
struct OutsideWorld {
  struct Start {
    RunId run;
    JobId job;
    int attempt = 0;
    std::int64_t token = 0;
    Timestamp planned_at;
    Timestamp latest_time;  // the wall clock may have been set back since
    Timestamp started_at;   // by the claim
    Timestamp queued_at;    // let through, by whoever did it
    Duration since_claim{};
    Duration clock_offset{};  // of the wall clock: other after each step
    Duration clock_spread{};  // by which the clocks of the nodes differed
  };
  std::vector<Start> starts;
  std::map<std::pair<RunId, int>, OutcomeKind> ends;  // by attempt
  Timestamp latest_time;                              // a wall clock ever showed
  Duration clock_spread{};                            // by which those of the nodes differ now
};

class SimLauncher final : public scheduler::Launcher {
 public:
  // How long an attempt takes.
  using Length = std::function<Duration(const store::ClaimedRun&, Rng&)>;
  static Duration mostly_short(const store::ClaimedRun&, Rng& rng) {
    return Duration(rng.between(1'000, rng.chance(100) ? 90'000'000 : 3'000'000));
  }

  SimLauncher(const Clock& clock, Rng& rng, OutsideWorld& world, int failing_permille,
              Length length = mostly_short)
      : clock_(clock),
        rng_(rng),
        world_(world),
        failing_permille_(failing_permille),
        length_(std::move(length)) {}

  void launch(const store::ClaimedRun& run, Duration timeout,
              std::move_only_function<void(Outcome)> done) override {
    world_.starts.push_back({.run = run.run,
                             .job = run.job,
                             .attempt = run.attempt,
                             .token = run.token,
                             .planned_at = run.planned_at,
                             .latest_time = world_.latest_time,
                             .started_at = run.started_at,
                             .queued_at = run.queued_at,
                             .since_claim = clock_.now() - run.started_at,
                             .clock_offset = clock_.now().time_since_epoch() - clock_.steady(),
                             .clock_spread = world_.clock_spread});
    const auto length = length_(run, rng_);
    Ending ending{std::move(done), draw_outcome()};
    if (length > timeout)
      ending.outcome = Outcome{.kind = OutcomeKind::timed_out, .reason = "timeout"};
    const auto at = clock_.steady() + std::min(length, timeout);
    const AttemptKey attempt(run.run, run.attempt);
    running_.insert_or_assign(attempt, endings_.emplace(at, std::pair(attempt, std::move(ending))));
  }

  void cancel(RunId run, int attempt) override {
    const auto found = running_.find({run, attempt});
    if (found == running_.end()) return;
    found->second->second.second.outcome =
        Outcome{.kind = OutcomeKind::cancelled, .reason = "cancelled"};
    auto node = endings_.extract(found->second);
    node.key() = clock_.steady();
    found->second = endings_.insert(std::move(node));
  }

  // Ends every attempt whose time has come.
  void finish_due() {
    while (!endings_.empty() && endings_.begin()->first <= clock_.steady()) {
      auto node = endings_.extract(endings_.begin());
      auto& [attempt, ending] = node.mapped();
      running_.erase(attempt);
      world_.ends.insert_or_assign(attempt, ending.outcome.kind);
      ending.done(std::move(ending.outcome));
    }
  }

  std::optional<SteadyTime> next_ending() const {
    return endings_.empty() ? std::nullopt : std::optional(endings_.begin()->first);
  }

 private:
  struct Ending {
    std::move_only_function<void(Outcome)> done;
    Outcome outcome;
  };
  using AttemptKey = std::pair<RunId, int>;
  using Endings = std::multimap<SteadyTime, std::pair<AttemptKey, Ending>>;

  Outcome draw_outcome() {
    if (!rng_.chance(failing_permille_)) return Outcome{.kind = OutcomeKind::succeeded};
    Outcome outcome{.kind = OutcomeKind::failed, .reason = "exit_code"};
    outcome.error = "exit code 1";
    outcome.exit_code = 1;
    return outcome;
  }

  const Clock& clock_;
  Rng& rng_;
  OutsideWorld& world_;
  const int failing_permille_;
  const Length length_;
  Endings endings_;
  std::map<AttemptKey, Endings::iterator> running_;
};

}  // namespace chronos::sim
