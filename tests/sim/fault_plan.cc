#include "fault_plan.h"

#include <fmt/format.h>

namespace chronos::sim {

FaultPlan FaultPlan::draw(Rng& rng) {
  FaultPlan plan;
  const auto some = [&rng](int chance, int low, int high) {
    return rng.chance(chance) ? static_cast<int>(rng.between(low, high)) : 0;
  };
  plan.nodes = rng.chance(400) ? 1 : static_cast<int>(rng.between(2, 4));
  plan.crash = some(800, 2, 10);
  plan.clock_step = some(500, 1, 5);
  plan.skew = plan.nodes > 1 ? Duration(some(500, 1'000, 5'000'000)) : Duration(0);
  plan.slow = static_cast<int>(rng.between(0, 600));
  plan.refuse = some(400, 5, 60);
  plan.unknown = some(400, 2, 20);
  plan.unreadable = some(400, 2, 20);
  plan.sleep = some(400, 1, 4);
  plan.channel = some(500, 100, 700);
  plan.burst = some(300, 1, 4);
  plan.start = static_cast<std::size_t>(rng.between(0, 4));
  return plan;
}

std::string FaultPlan::to_string() const {
  return fmt::format(
      "{} nodes, crash {}, clock step {}, skew {} ms, slow {}, refuse {}, unknown {}, unreadable "
      "{}, sleep {}, channel {}, burst {}, start {}",
      nodes, crash, clock_step, skew.count() / 1000, slow, refuse, unknown, unreadable, sleep,
      channel, burst, start);
}

}  // namespace chronos::sim
