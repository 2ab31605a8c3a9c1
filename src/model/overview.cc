#include "model/overview.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace chronos {
namespace {

std::int64_t Tally::* member_of(RunState state) {
  switch (state) {
    case RunState::succeeded:
      return &Tally::succeeded;
    case RunState::failed:
      return &Tally::failed;
    case RunState::timed_out:
      return &Tally::timed_out;
    case RunState::lost:
      return &Tally::lost;
    case RunState::cancelled:
      return &Tally::cancelled;
    case RunState::skipped:
      return &Tally::skipped;
    case RunState::missed:
      return &Tally::missed;
    case RunState::planned:
    case RunState::queued:
    case RunState::running:
    case RunState::retrying:
      break;
  }
  return nullptr;
}

}  // namespace

void Tally::count(RunState state, std::int64_t number) {
  const auto member = member_of(state);
  CHRONOS_CHECK(member != nullptr);
  this->*member += number;
}

void Tally::count_lateness(Duration late) {
  const auto end = std::ranges::upper_bound(kLatenessEnds, late);
  ++lateness.at(static_cast<std::size_t>(end - kLatenessEnds.begin()));
}

Tally& Tally::operator+=(const Tally& other) {
  for (const auto state : kRunStates) {
    if (const auto member = member_of(state)) this->*member += other.*member;
  }
  started += other.started;
  for (std::size_t i = 0; i < lateness.size(); ++i) lateness.at(i) += other.lateness.at(i);
  return *this;
}

void JobTotals::count(JobPhase phase, bool is_paused, std::int64_t number) {
  switch (phase) {
    case JobPhase::active:
      (is_paused ? paused : scheduled) += number;
      break;
    case JobPhase::succeeded:
      succeeded += number;
      break;
    case JobPhase::failed:
      failed += number;
      break;
    case JobPhase::cancelled:
      cancelled += number;
      break;
  }
}

RunTotals& RunTotals::operator+=(const RunTotals& other) {
  due += other.due;
  retrying += other.retrying;
  ready += other.ready;
  held += other.held;
  limited += other.limited;
  running += other.running;
  return *this;
}

Timestamp tally_step_of(Timestamp at) {
  const auto past = at.time_since_epoch() % kTallyStep;
  return at - (past < Duration(0) ? past + kTallyStep : past);
}

void count_end(Tallies& tallies, const Ended& ended) {
  tallies[{ended.project, tally_step_of(ended.at)}].count(ended.state, ended.count);
  if (!ended.started_at) return;
  auto& began = tallies[{ended.project, tally_step_of(*ended.started_at)}];
  ++began.started;
  if (ended.lateness) began.count_lateness(*ended.lateness);
}

std::optional<Duration> lateness_of(const LatenessCounts& counts, double share) {
  const auto all = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  if (all == 0) return std::nullopt;
  auto wanted = share * static_cast<double>(all);
  Duration begin(0);
  for (std::size_t i = 0; i < kLatenessEnds.size(); ++i) {
    const auto here = static_cast<double>(counts.at(i));
    const auto end = kLatenessEnds.at(i);
    if (wanted <= here) {
      const auto part = static_cast<double>((end - begin).count()) * wanted / here;
      return begin + Duration(static_cast<std::int64_t>(part));
    }
    wanted -= here;
    begin = end;
  }
  return begin;
}

}  // namespace chronos
