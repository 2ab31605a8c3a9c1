#include "world.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <utility>

#include "base/time_text.h"

namespace chronos::sim {
namespace {

using namespace std::chrono_literals;

// Half an hour before clocks change: Berlin forward and back, New York back, Lord Howe by half an
// hour; and an ordinary day.
constexpr std::array kStarts = {"2026-03-29T00:30:00Z", "2026-10-25T00:30:00Z",
                                "2026-11-01T05:30:00Z", "2026-10-03T15:00:00Z",
                                "2026-06-10T12:00:00Z"};
constexpr int kCheckedEvery = 100;  // steps

scheduler::SchedulerOptions scheduler_options(int number) {
  scheduler::SchedulerOptions options;
  options.node = fmt::format("node {}", number);
  options.lanes = {{"http", 8}, {"command", 3}};
  options.queue_limits = {{"narrow", 1}};
  options.heartbeat = 5s;       // the histories that are kept were found with it
  options.zone_interval = 24h;  // the machine's own time zones stay as they are
  return options;
}

}  // namespace

World::Node::Node(World& world, const Clock& clock, FaultyStore& store, int number)
    : launcher(clock, world.rng_, world.outside_, 350),
      channel(clock, world.rng_, world.arrived_, world.channel_permille_),
      scheduler(store, launcher, clock, world.ids_, Rng(world.rng_.next()),
                scheduler_options(number), {}, [] {}),
      notifier(store, clock, {{"email", &channel}}) {}

World::Machine::Machine(World& world, int index)
    : number(index),
      clock(world.clock_.now()),
      store(*world.inner_, world.options_.bug),
      jobs(store, [](const auto&, const auto&) -> Result<void> { return {}; }, clock, world.ids_,
           {}),
      calendars(store, clock, world.ids_) {}

World::World(WorldOptions options)
    : options_(options),
      rng_(options.seed),
      plan_(FaultPlan::draw(rng_)),
      ids_(clock_, Rng(options.seed + 1)),
      inner_(options.store, clock_),
      channel_permille_(plan_.channel) {
  clock_.step_wall(parse_timestamp(kStarts.at(plan_.start))->time_since_epoch() +
                   Duration(rng_.between(0, 7'200'000'000)));
  who_ = {ids_.make<KeyId>(), {}, ids_.make<ProjectId>(), "default", Role::admin};
  inner_->commit(store::PutProject{{who_.project, "default", clock_.now()}}, [](const auto&) {});
  for (int i = 0; i < plan_.nodes; ++i) {
    auto& machine = *machines_.emplace_back(std::make_unique<Machine>(*this, i));
    machine.clock.step_wall(Duration(rng_.between(0, plan_.skew.count())));
    if (i == 0) {
      change_calendar(machine);
      machine.store.pass_on();
      inner_.pump();
    }
    start(machine);
  }
  note_spread();
  tell(plan_.to_string());
}

void World::tell(const std::string& what) const {
  if (options_.is_verbose) std::cout << format_timestamp(clock_.now()) << " " << what << "\n";
}

Complaints World::run() {
  for (int i = 0; i < options_.steps; ++i) {
    step(true);
    if (i % kCheckedEvery != 0) continue;
    if (auto complaints = check(false); !complaints.empty()) return complaints;
  }
  stop_faults();
  finish_work();
  deliver_the_rest();
  return check(true);
}

// -- Steps ----------------------------------------------------------------------------------------

// Each node that is up makes one pass; then time goes to the next thing that happens, or a little
// further.
void World::step(bool has_faults) {
  ++steps_made_;
  if (has_faults && rng_.chance(250)) act_as_user();
  auto sleep = Duration(500'000);
  bool is_anybody_up = false;
  for (auto& machine : machines_) {
    if (has_faults) maybe_fault(*machine);
    if (!machine->node && machine->down_until <= clock_.steady()) start(*machine);
    if (!is_up(*machine)) continue;
    is_anybody_up = true;
    sleep = std::min(sleep, step_node(*machine, has_faults));
  }
  if (!is_anybody_up) {
    const auto& first = *std::ranges::min_element(machines_, {}, &Machine::down_until);
    sleep = Duration(first->down_until - clock_.steady());
  } else if (rng_.chance(300)) {
    sleep += Duration(rng_.between(0, 2'000'000));
  }
  advance(sleep);
  for (auto& machine : machines_) {
    if (!is_up(*machine)) continue;
    machine->node->launcher.finish_due();
    machine->node->channel.finish_due();
  }
}

// How long it has nothing to do.
Duration World::step_node(Machine& machine, bool has_faults) {
  machine.store.fail_reads(machine.unreadable_until > clock_.steady());
  if (!has_faults || !rng_.chance(plan_.slow)) commit(machine);
  const auto next = machine.node->scheduler.step();
  machine.node->notifier.step();
  auto sleep = std::clamp(next - machine.clock.now(), Duration(1'000), Duration(500'000));
  if (const auto ending = machine.node->launcher.next_ending()) {
    sleep = std::clamp(Duration(*ending - machine.clock.steady()), Duration(0), sleep);
  }
  return sleep;
}

void World::advance(Duration by) {
  clock_.advance(by);
  for (auto& machine : machines_) {
    machine->clock.advance(by);
    outside_.latest_time = std::max(outside_.latest_time, machine->clock.now());
  }
}

void World::commit(Machine& machine) {
  if (!machine.store.has_waiting()) return;
  if (rng_.chance(plan_.refuse)) {
    machine.store.refuse_waiting(Reason::store_unavailable);
  } else if (rng_.chance(plan_.unknown)) {
    // A commit whose fate is unknown happened, or it did not.
    if (rng_.chance(500)) {
      machine.store.pass_on_unknown();
    } else {
      machine.store.refuse_waiting(Reason::unknown_commit);
    }
  } else {
    machine.store.pass_on();
  }
  inner_.pump();
}

// -- Faults ---------------------------------------------------------------------------------------

void World::maybe_fault(Machine& machine) {
  if (!is_up(machine)) return;
  if (rng_.chance(plan_.crash)) return crash(machine);
  if (rng_.chance(plan_.clock_step)) step_clock(machine);
  if (rng_.chance(plan_.unreadable)) {
    machine.unreadable_until = clock_.steady() + SteadyTime(rng_.between(0, 5'000'000));
  }
  if (rng_.chance(plan_.sleep)) {
    machine.down_until = clock_.steady() + SteadyTime(rng_.between(1'000'000, 60'000'000));
    tell(fmt::format("node {} stands still", machine.number));
  }
}

void World::step_clock(Machine& machine) {
  const auto jump = Duration(rng_.between(-3'600, 3'600) * 1'000'000);
  tell(fmt::format("the clock of node {} steps by {} s", machine.number, jump.count() / 1'000'000));
  machine.clock.step_wall(jump);
  outside_.latest_time = std::max(outside_.latest_time, machine.clock.now());
  note_spread();
}

void World::note_spread() {
  const auto [slowest, fastest] = std::ranges::minmax_element(
      machines_, {}, [](const auto& machine) { return machine->clock.now(); });
  outside_.clock_spread = (*fastest)->clock.now() - (*slowest)->clock.now();
}

void World::crash(Machine& machine) {
  ++crashes_;
  if (rng_.chance(500)) {
    tell(fmt::format("node {} crashes before the commit", machine.number));
    machine.store.drop_waiting();
  } else {
    tell(fmt::format("node {} crashes after the commit", machine.number));
    machine.store.pass_on();
    inner_.pump();
  }
  machine.node.reset();
  machine.store.drop_waiting();  // what it said when it was taken down here
  for (auto& [key, asked] : std::exchange(machine.waiting, {})) unsure_.push_back(asked);
  machine.down_until =
      clock_.steady() + SteadyTime(rng_.between(0, rng_.chance(200) ? 900'000'000 : 20'000'000));
}

// A lone node is the store's only process: nobody else keeps leases.
void World::start(Machine& machine) {
  ++starts_;
  if (plan_.nodes == 1) {
    inner_.start_epoch();
    machine.store.work_on(*inner_);
  }
  machine.node = std::make_unique<Node>(*this, machine.clock, machine.store, machine.number);
}

// -- The end --------------------------------------------------------------------------------------

// Everybody is up and nothing fails any more. Recurring jobs are cancelled, so that there is an end
// to wait for: also those whose submission was still on its way.
void World::stop_faults() {
  tell("the faults stop");
  channel_permille_ = 0;
  plan_.refuse = plan_.unknown = 0;
  for (auto& machine : machines_) {
    machine->down_until = machine->unreadable_until = clock_.steady();
    if (!machine->node) start(*machine);
    machine->store.fail_reads(false);
    commit(*machine);
  }
  auto& machine = *machines_.front();
  while (!unsure_.empty()) {
    auto asked = std::move(unsure_.back());
    unsure_.pop_back();
    ask(machine, asked);
    commit(machine);
  }
  for (const auto& job : known_) {
    bool is_answered = false;
    while (!is_answered) {
      machine.jobs.cancel(who_, job, true, {}, [&](const auto& reply) {
        is_answered = reply || reply.error().code() == ErrorCode::not_found;
      });
      commit(machine);
    }
  }
}

bool World::has_work() const {
  const auto stats = *inner_->stats();
  return stats.leased + stats.due + stats.ready + stats.held + stats.limited > 0 ||
         std::ranges::any_of(machines_,
                             [](const auto& machine) { return machine->store.has_waiting(); });
}

void World::finish_work() {
  const auto until = clock_.steady() + options_.patience;
  while (has_work() && clock_.steady() < until) step(false);
}

// Channels work again: time goes from one sending to the next.
void World::deliver_the_rest() {
  constexpr int kSendingsMax = 10'000;
  for (int i = 0; i < kSendingsMax; ++i) {
    const auto next = *inner_->next_delivery_at();
    if (!next) return;
    advance(std::max(Duration(0), *next - machines_.front()->clock.now()));
    for (int pass = 0; pass < 4; ++pass) step(false);
  }
}

Complaints World::check(bool at_end) {
  const auto history = read_history(*inner_, who_.project);
  Complaints all;
  const auto add = [&](Complaints complaints) {
    all.insert(all.end(), complaints.begin(), complaints.end());
  };
  add(states_.check(history));
  add(check_no_double_fire(history));
  add(check_overlap(*inner_, who_.project, history));
  add(check_limits(*inner_, who_.project, history, outside_));
  add(check_attempts(*inner_, who_.project, history, outside_));
  add(check_ledger(*inner_, who_.project, history, rescheduled_, starts_));
  add(check_deliveries(*inner_, who_.project, history));
  add(check_acknowledged(*inner_, who_.project, history, known_));
  if (!at_end) return all;
  add(check_outcomes(*inner_, who_.project, history, outside_));
  add(check_all_done(history, clock_.now()));
  add(check_arrived(*inner_, who_.project, history, arrived_));
  return all;
}

std::string World::summary() const {
  return fmt::format("{} nodes, {} jobs, {} starts, {} crashes, {} steps", plan_.nodes,
                     known_.size(), outside_.starts.size(), crashes_, steps_made_);
}

}  // namespace chronos::sim
