// sim --seed N [--steps N] [--verbose]: replays one history. sim --seeds A B: many, quietly.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <string_view>

#include "world.h"

namespace {

bool replay(const chronos::sim::WorldOptions& options) {
  chronos::sim::World world(options);
  const auto complaints = world.run();
  std::cout << fmt::format("seed {}: {}{}\n", options.seed, world.summary(),
                           complaints.empty() ? "" : " FAILED");
  for (const auto& complaint : complaints) std::cout << "  " << complaint << "\n";
  return complaints.empty();
}

}  // namespace

int main(int argc, char** argv) {
  chronos::sim::WorldOptions options;
  std::uint64_t first = 1, last = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    const auto number = [&] { return ++i < argc ? std::strtoull(argv[i], nullptr, 10) : 0; };
    if (flag == "--seed") first = last = number();
    if (flag == "--steps") options.steps = static_cast<int>(number());
    if (flag == "--verbose") options.is_verbose = true;
    if (flag == "--seeds") {
      first = number();
      last = number();
    }
  }
  bool is_fine = true;
  for (auto seed = first; seed <= last; ++seed) {
    options.seed = seed;
    is_fine = replay(options) && is_fine;
  }
  return is_fine ? 0 : 1;
}
