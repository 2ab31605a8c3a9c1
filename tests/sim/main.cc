// sim --seed N [--steps N] [--verbose]: replays one history. sim --seeds A B: many, quietly; ends
// non-zero when one of them breaks an invariant. --for N: until N steps were made, from --seed on.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <limits>
#include <string_view>

#include "world.h"

namespace {

struct Told {
  bool is_fine = true;
  std::int64_t steps = 0;
};

Told replay(const chronos::sim::WorldOptions& options) {
  chronos::sim::World world(options);
  const auto complaints = world.run();
  std::cout << fmt::format("seed {}: {}{}\n", options.seed, world.summary(),
                           complaints.empty() ? "" : " FAILED");
  for (const auto& complaint : complaints) std::cout << "  " << complaint << "\n";
  std::cout << std::flush;
  return {complaints.empty(), world.steps_made()};
}

}  // namespace

int main(int argc, char** argv) {
  chronos::sim::WorldOptions options;
  std::uint64_t first = 1, last = 1;
  std::int64_t steps_wanted = std::numeric_limits<std::int64_t>::max();
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const auto number = [&] { return ++i < argc ? std::strtoull(argv[i], nullptr, 10) : 0; };
    if (flag == "--seed") first = last = number();
    if (flag == "--steps") options.steps = static_cast<int>(number());
    if (flag == "--verbose") options.is_verbose = true;
    if (flag == "--for") {
      steps_wanted = static_cast<std::int64_t>(number());
      last = std::numeric_limits<std::uint64_t>::max();
    }
    if (flag == "--seeds") {
      first = number();
      last = number();
    }
  }
  int failed = 0;
  std::int64_t steps = 0;
  auto seed = first;
  for (; seed <= last && steps < steps_wanted; ++seed) {
    options.seed = seed;
    const auto told = replay(options);
    failed += told.is_fine ? 0 : 1;
    steps += told.steps;
  }
  std::cout << fmt::format("{} seeds, {} steps, {} failed\n", seed - first, steps, failed);
  return failed == 0 ? 0 : 1;
}
