#include "service/workers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_set>

#include "base/time_text.h"
#include "store/settlement.h"

namespace chronos::service {
namespace {

// Whoever hung up is found within this time.
constexpr Duration kLookInterval = std::chrono::milliseconds(500);
constexpr Duration kRetryStore = std::chrono::seconds(1);
constexpr Duration kOverdueInterval = std::chrono::seconds(5);
constexpr int kOverdueMax = 100;  // in one look
// More runs are not kept in mind: what is needed again is read again.
constexpr std::size_t kHeldMax = 100'000;

constexpr std::array<std::string_view, 3> kSettled = {"ok", "stale", "unknown"};

bool is_for(const store::Work& work, const WorkerInfo& worker) {
  return (!work.project || *work.project == worker.project) && polls(worker.queues, work.queue);
}

bool is_pulled(const store::ClaimedRun& claimed) {
  return claimed.spec->action.kind == kWorkerKind;
}

// An attempt that had its time.
Outcome too_late(const store::ClaimedRun& claimed) {
  const auto left = store::time_left(claimed, claimed.started_at);
  Outcome outcome{.kind = OutcomeKind::timed_out, .reason = "timeout", .error = {}};
  outcome.error = fmt::format("the worker reported nothing within {}", format_duration(left));
  if (left < claimed.spec->timeout) outcome.reason = "deadline";
  // Perhaps: the worker may have spoken to another node, or to this one before it was restarted.
  outcome.has_live_output = true;
  return outcome;
}

}  // namespace

std::vector<LeaseRef> WorkReply::leases() const {
  std::vector<LeaseRef> leases;
  leases.reserve(runs.size());
  for (const auto& given : runs) leases.push_back({given.claimed.run, given.claimed.token});
  return leases;
}

std::string_view to_string(Settled settled) {
  return kSettled[static_cast<std::size_t>(settled)];
}

Workers::Workers(store::Store& store, const Clock& clock, IdSource& ids, Rng rng,
                 WorkersOptions options)
    : store_(store),
      clock_(clock),
      ids_(ids),
      options_(std::move(options)),
      live_output_(store),
      rng_(rng) {}

// -- Who asks -------------------------------------------------------------------------------------

void Workers::claim(const Principal& who, ClaimRequest request, std::stop_token gone,
                    Done<WorkReply> done) {
  Turn turn{
      .who = who,
      .holder = request.id ? NodeId{request.id->uuid} : ids_.make<NodeId>(),
      .words = {.project = who.project, .name = request.name, .goes_on = request.id.has_value()},
      .info = {},
      .gone = std::move(gone),
      .done = std::move(done),
      .sent = {},
      .not_held = {},
      .reply = {}};
  if (request.holding) {
    auto lost = never_arrived(who, turn.holder, *request.holding);
    if (!lost) return turn.done(std::unexpected(std::move(lost).error()));
    // In the order of the commits this comes before the claim, which may take them again.
    give_back(*lost);
  }
  ask_claim(turn, std::move(request));
  auto change = change_of(turn);
  commit(std::move(turn), std::move(change));
}

void Workers::settle(const Principal& who, SettleRequest request, std::stop_token gone,
                     Done<WorkReply> done) {
  Turn turn{.who = who,
            .holder = NodeId{request.id->uuid},
            .words = {.project = who.project, .goes_on = true},
            .info = {},
            .gone = std::move(gone),
            .done = std::move(done),
            .sent = {},
            .not_held = {},
            .reply = {}};
  if (auto adopted = adopt(who, request); !adopted) {
    return turn.done(std::unexpected(std::move(adopted).error()));
  }
  if (request.claim) ask_claim(turn, std::move(*request.claim));
  auto change = change_of(turn);
  note_progress(who, request.progress, turn.not_held);
  for (const auto run : gather(who, request, turn, change)) {
    if (store_.find_run(who.project, run)) continue;
    const auto mark = [&](const auto& sent, std::vector<Settled>& marks) {
      for (std::size_t i = 0; i < sent.size(); ++i) {
        if (sent[i].run == run) marks[i] = Settled::unknown;
      }
    };
    mark(request.outcomes, turn.reply.outcomes);
    mark(request.release, turn.reply.released);
  }
  commit(std::move(turn), std::move(change));
}

void Workers::ask_claim(Turn& turn, ClaimRequest request) const {
  turn.words.queues = std::move(request.queues);
  const MutexLock lock(mutex_);
  turn.max = is_draining_ ? 0 : request.max;
  // A worker that fell silent loses its runs, and must not be given others by a poll from before.
  turn.until = clock_.steady() + std::min(request.wait, options_.lease_ttl);
}

// -- What is asked of the store -------------------------------------------------------------------

store::WorkerTurn Workers::change_of(const Turn& turn) const {
  const auto now = clock_.now();
  store::WorkerTurn change{
      .beat = {turn.holder, options_.lease_ttl, turn.words, now}, .settled = {}, .claim = {}};
  if (turn.max == 0) return change;
  change.claim = store::ClaimRuns{.holder = turn.holder,
                                  .node = {},
                                  .lanes = {{std::string(kWorkerKind), turn.max}},
                                  .queue_limits = options_.queue_limits,
                                  .now = now,
                                  .project = turn.who.project};
  return change;
}

// Puts the settlements into the change. Answers the runs that are held by nobody we know of.
std::vector<RunId> Workers::gather(const Principal& who, SettleRequest& request, Turn& turn,
                                   store::WorkerTurn& change) {
  std::vector<RunId> missing;
  turn.reply.outcomes.assign(request.outcomes.size(), Settled::stale);
  turn.reply.released.assign(request.release.size(), Settled::stale);
  change.settled.reserve(request.outcomes.size() + request.release.size());
  turn.sent.reserve(change.settled.capacity());
  const store::SettlementContext context{
      .project_name = who.project_name, .notify = options_.notify, .now = change.beat.now};
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < request.outcomes.size(); ++i) {
    auto& each = request.outcomes[i];
    auto* held = find_held(who, each.run, each.token);
    if (held == nullptr) {
      missing.push_back(each.run);
      continue;
    }
    auto outcome = outcome_of(each, held->output, options_.output_max);
    outcome.output_dropped += held->output_dropped;
    outcome.has_live_output = held->told > 0;
    auto here = context;
    here.asks_again = each.outcome == WorkOutcome::retry_later;
    change.settled.push_back(store::settlement_of(held->claimed, outcome, here, rng_, ids_));
    outcome.output.clear();
    turn.sent.push_back({held->claimed, std::move(outcome), false, i});
  }
  for (std::size_t i = 0; i < request.release.size(); ++i) {
    const auto& each = request.release[i];
    const auto* held = find_held(who, each.run, each.token);
    if (held == nullptr) {
      missing.push_back(each.run);
      continue;
    }
    change.settled.push_back(store::handed_back(held->claimed, change.beat.now));
    turn.sent.push_back({held->claimed, {}, true, i});
  }
  return missing;
}

void Workers::note_progress(const Principal& who, const std::vector<ProgressRequest>& progress,
                            std::vector<RunId>& stale) {
  const MutexLock lock(mutex_);
  for (const auto& each : progress) {
    auto* held = find_held(who, each.run, each.token);
    if (held == nullptr) {
      stale.push_back(each.run);
      continue;
    }
    if (each.percent) held->percent = each.percent;
    if (!each.message.empty()) held->message = each.message;
    const auto room = options_.output_max - std::min(options_.output_max, held->output.size());
    held->output.append(each.output, 0, room);
    if (each.output.size() > room) {
      held->output_dropped += static_cast<std::int64_t>(each.output.size() - room);
    }
    tell_output(*held);
  }
}

// What is refused is offered again with the next progress.
void Workers::tell_output(Held& held) {
  const auto untold = std::string_view(held.output).substr(held.told);
  const auto& claimed = held.claimed;
  if (untold.empty()) return;
  if (live_output_.append(
          {claimed.project, claimed.job, claimed.run, claimed.attempt, claimed.token},
          static_cast<std::int64_t>(held.told), untold)) {
    held.told = held.output.size();
  }
}

void Workers::commit(Turn turn, store::WorkerTurn change) {
  store_.commit(std::move(change),
                [this, turn = std::move(turn)](Result<store::WorkerTurn::Answer> answer) mutable {
                  answered(std::move(turn), std::move(answer));
                });
}

// -- What it answers ------------------------------------------------------------------------------

void Workers::answered(Turn turn, Result<store::WorkerTurn::Answer> answer) {
  if (!answer) return turn.done(std::unexpected(std::move(answer).error()));
  turn.info = std::move(answer->worker);
  take_settled(turn, *answer);
  turn.reply.cancel = turn.not_held;
  std::ranges::copy(answer->cancelled, std::back_inserter(turn.reply.cancel));
  take_claimed(turn, std::move(answer->claimed));
  if (turn.gone.stop_requested()) {
    hand_back(turn.reply.leases());
    turn.reply.runs.clear();
  }
  if (turn.reply.runs.empty() && wait(turn)) return;
  turn.reply.worker = WorkerId{turn.holder.uuid};
  turn.done(std::move(turn.reply));
}

void Workers::take_settled(Turn& turn, const store::WorkerTurn::Answer& answer) {
  const auto sent = std::exchange(turn.sent, {});
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto& [claimed, outcome, is_release, place] = sent[i];
    forget(claimed.run, claimed.token);
    if (!answer.settled[i]) continue;
    (is_release ? turn.reply.released : turn.reply.outcomes)[place] = Settled::ok;
    if (!is_release) options_.on_settled(claimed, outcome, *answer.settled[i]);
  }
}

void Workers::take_claimed(Turn& turn, std::vector<store::ClaimedRun> claimed) {
  const auto steady = clock_.steady();
  turn.reply.runs.reserve(claimed.size());
  for (auto& run : claimed) {
    options_.on_started(run);
    const auto left = store::time_left(run, run.started_at);
    if (left <= Duration(0)) {
      end_late(std::move(run), store::deadline_passed(), turn.who.project_name);
      continue;
    }
    {
      const MutexLock lock(mutex_);
      keep(run, steady + left);
    }
    const auto deadline = run.started_at + left;
    turn.reply.runs.push_back({std::move(run), deadline});
  }
}

// Whether the claim waits now. A waiting one is found by take(), which comes after this on the same
// thread: no run becomes ready in between unseen.
bool Workers::wait(Turn& turn) {
  if (turn.max == 0 || turn.gone.stop_requested() || turn.until <= clock_.steady()) return false;
  const MutexLock lock(mutex_);
  if (is_draining_) return false;
  look_at_ = std::min(look_at_, turn.until);
  waiting_.push_back(std::move(turn));
  return true;
}

std::vector<store::Operation> Workers::take(std::vector<store::Work>& work) {
  std::vector<Turn> woken;
  {
    const MutexLock lock(mutex_);
    for (auto& each : work) {
      for (auto it = waiting_.begin(); it != waiting_.end() && each.count > 0;) {
        const auto here = it++;
        if (here->gone.stop_requested() || !is_for(each, here->info)) continue;
        each.count -= here->max;
        woken.push_back(std::move(*here));
        waiting_.erase(here);
      }
    }
  }
  std::vector<store::Operation> operations;
  for (auto& turn : woken) {
    auto change = change_of(turn);
    operations.push_back(store::make_operation(
        std::move(change),
        store::Done<store::WorkerTurn::Answer>(
            [this, turn = std::move(turn)](Result<store::WorkerTurn::Answer> answer) mutable {
              answered(std::move(turn), std::move(answer));
            })));
  }
  return operations;
}

void Workers::hand_back(const std::vector<LeaseRef>& runs) {
  std::vector<store::ClaimedRun> held;
  {
    const MutexLock lock(mutex_);
    for (const auto& [run, token] : runs) {
      const auto found = held_.find(run);
      const bool is_held = found != held_.end() && found->second.claimed.token == token;
      if (is_held) held.push_back(found->second.claimed);
    }
  }
  give_back(held);
}

void Workers::give_back(const std::vector<store::ClaimedRun>& runs) {
  for (const auto& claimed : runs) {
    forget(claimed.run, claimed.token);
    // Refused, its lease expires.
    store_.commit(store::handed_back(claimed, clock_.now()),
                  [](const Result<store::SettleRun::Answer>&) {});
  }
}

// -- Runs that workers hold -----------------------------------------------------------------------

// What is leased to the worker although it does not know of it.
Result<std::vector<store::ClaimedRun>> Workers::never_arrived(
    const Principal& who, NodeId holder, const std::vector<RunId>& holding) const {
  const std::unordered_set<RunId> arrived(holding.begin(), holding.end());
  CHRONOS_TRY(auto leases, store_.leases_of(holder));
  std::erase_if(leases, [&](const auto& lease) {
    return lease.project != who.project || !is_pulled(lease) || arrived.contains(lease.run);
  });
  return leases;
}

// Reads what is not known of the runs that the request speaks of.
Result<void> Workers::adopt(const Principal& who, const SettleRequest& request) {
  std::vector<RunId> missing;
  {
    const MutexLock lock(mutex_);
    const auto note = [&](const auto& entries) CHRONOS_REQUIRES(mutex_) {
      for (const auto& each : entries) {
        if (find_held(who, each.run, each.token) == nullptr) missing.push_back(each.run);
      }
    };
    note(request.outcomes);
    note(request.release);
    note(request.progress);
  }
  if (missing.empty()) return {};
  CHRONOS_TRY(auto leases, store_.find_leases(missing));
  std::erase_if(leases, [&](const auto& claimed) {
    return claimed.project != who.project || !is_pulled(claimed);
  });
  std::vector<std::string> outputs;
  outputs.reserve(leases.size());
  for (const auto& claimed : leases) {
    CHRONOS_TRY(auto said, store_.read_output(claimed.project, claimed.run, claimed.attempt));
    outputs.push_back(std::move(said.bytes));
  }
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < leases.size(); ++i) {
    const auto known = held_.find(leases[i].run);
    if (known != held_.end() && known->second.claimed.token >= leases[i].token) continue;
    // When it has had its time the store says.
    auto& held = keep(std::move(leases[i]), SteadyTime::max());
    held.told = outputs[i].size();
    held.output = std::move(outputs[i]);
  }
  return {};
}

Workers::Held* Workers::find_held(const Principal& who, RunId run, std::int64_t token) {
  const auto found = held_.find(run);
  if (found == held_.end()) return nullptr;
  auto& held = found->second;
  return held.claimed.project == who.project && held.claimed.token == token ? &held : nullptr;
}

Workers::Held& Workers::keep(store::ClaimedRun claimed, SteadyTime until) {
  const auto run = claimed.run;
  if (held_.size() >= kHeldMax && !held_.contains(run)) {
    deadlines_.erase({held_.begin()->second.until, held_.begin()->first});
    held_.erase(held_.begin());
  }
  auto& held = held_[run];
  deadlines_.erase({held.until, run});
  held = Held{
      .claimed = std::move(claimed), .until = until, .percent = {}, .message = {}, .output = {}};
  deadlines_.emplace(until, run);
  return held;
}

void Workers::forget(RunId run, std::int64_t token) {
  const MutexLock lock(mutex_);
  const auto found = held_.find(run);
  if (found == held_.end() || found->second.claimed.token != token) return;
  deadlines_.erase({found->second.until, run});
  held_.erase(found);
}

void Workers::end_late(store::ClaimedRun claimed, Outcome outcome,
                       const std::string& project_name) {
  store::SettleRun change;
  {
    const MutexLock lock(mutex_);
    change = store::settlement_of(
        claimed, outcome,
        {.project_name = project_name, .notify = options_.notify, .now = clock_.now()}, rng_, ids_);
  }
  store_.commit(std::move(change),
                [this, claimed = std::move(claimed),
                 outcome = std::move(outcome)](Result<store::SettleRun::Answer> answer) {
                  if (answer) options_.on_settled(claimed, outcome, answer->state);
                  if (answer || answer.error().code() == ErrorCode::conflict) {
                    return forget(claimed.run, claimed.token);
                  }
                  // The store is full or away for a while.
                  const auto again = clock_.steady() + kRetryStore;
                  const MutexLock lock(mutex_);
                  auto& held = keep(claimed, again);
                  held.output = outcome.output;
                  held.output_dropped = outcome.output_dropped;
                  held.told = held.output.size();
                });
}

void Workers::end_overdue(SteadyTime now) {
  std::vector<std::pair<store::ClaimedRun, Outcome>> overdue;
  {
    const MutexLock lock(mutex_);
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      auto& held = held_.at(deadlines_.begin()->second);
      deadlines_.erase(deadlines_.begin());
      held.until = {};
      auto outcome = too_late(held.claimed);
      outcome.output = held.output;
      outcome.output_dropped = held.output_dropped;
      overdue.emplace_back(held.claimed, std::move(outcome));
    }
  }
  end_all(std::move(overdue));
}

// Of other nodes, which may be gone, and from before a restart.
void Workers::look_for_overdue(SteadyTime now) {
  if (now < overdue_at_) return;
  overdue_at_ = now + kOverdueInterval;
  auto leases = store_.overdue_leases(clock_.now(), kOverdueMax);
  if (!leases) return;  // and so it is said elsewhere
  std::vector<std::pair<store::ClaimedRun, Outcome>> overdue;
  {
    const MutexLock lock(mutex_);
    for (auto& claimed : *leases) {
      auto outcome = too_late(claimed);
      const auto found = held_.find(claimed.run);
      if (found != held_.end() && found->second.claimed.token == claimed.token) {
        auto& held = found->second;
        if (held.until == SteadyTime{}) continue;  // it is on its way
        deadlines_.erase({std::exchange(held.until, {}), claimed.run});
        outcome.output = held.output;
        outcome.output_dropped = held.output_dropped;
      }
      overdue.emplace_back(std::move(claimed), std::move(outcome));
    }
  }
  end_all(std::move(overdue));
}

void Workers::end_all(std::vector<std::pair<store::ClaimedRun, Outcome>> overdue) {
  for (auto& [claimed, outcome] : overdue) {
    const auto project = store_.find_project(claimed.project);
    end_late(std::move(claimed), std::move(outcome), project ? project->name : std::string());
  }
}

// -- Time -----------------------------------------------------------------------------------------

std::list<Workers::Turn> Workers::take_over(SteadyTime now) {
  std::list<Turn> over;
  const MutexLock lock(mutex_);
  if (now < look_at_ && !is_draining_) return over;
  look_at_ = now + kLookInterval;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto here = it++;
    if (is_draining_ || here->until <= now || here->gone.stop_requested()) {
      over.splice(over.end(), waiting_, here);
    } else {
      look_at_ = std::min(look_at_, here->until);
    }
  }
  return over;
}

Timestamp Workers::step() {
  const auto now = clock_.steady();
  for (auto& turn : take_over(now)) {
    turn.reply.worker = WorkerId{turn.holder.uuid};
    turn.done(std::move(turn.reply));
  }
  end_overdue(now);
  look_for_overdue(now);
  const MutexLock lock(mutex_);
  auto next = std::min(look_at_, overdue_at_);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  return clock_.now() + Duration(next - now);
}

void Workers::drain() {
  {
    const MutexLock lock(mutex_);
    is_draining_ = true;
  }
  for (auto& turn : take_over(clock_.steady())) {
    turn.reply.worker = WorkerId{turn.holder.uuid};
    turn.done(std::move(turn.reply));
  }
}

// -- Looking --------------------------------------------------------------------------------------

Result<std::vector<WorkerView>> Workers::list(const Principal& who) const {
  CHRONOS_TRY(auto workers, store_.list_workers(who.project));
  std::vector<WorkerView> views;
  views.reserve(workers.size());
  const MutexLock lock(mutex_);
  for (auto& worker : workers) {
    WorkerView view{.worker = std::move(worker), .is_polling = false, .runs = {}};
    const NodeId holder{view.worker.id.uuid};
    view.is_polling =
        std::ranges::any_of(waiting_, [&](const Turn& turn) { return turn.holder == holder; });
    for (const auto run : view.worker.runs) {
      const auto held = held_.find(run);
      if (held == held_.end()) {
        view.runs.push_back({run, std::nullopt, {}});
      } else {
        view.runs.push_back({run, held->second.percent, held->second.message});
      }
    }
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace chronos::service
