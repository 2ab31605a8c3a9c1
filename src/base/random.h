// Seeded randomness, always passed in so that a run can be replayed. One thread per Rng.
#pragma once

#include <cstdint>
#include <random>

namespace chronos {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : engine_(seed) {}

  // Seeded from the operating system; for production.
  static Rng from_system();

  std::uint64_t next() { return engine_(); }

  // Uniform in [low, high]. Written out so that one seed gives one sequence on every library.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    const auto span = static_cast<std::uint64_t>(high - low) + 1;
    return span == 0 ? static_cast<std::int64_t>(next())
                     : low + static_cast<std::int64_t>(next() % span);
  }

  // True with probability `permille` / 1000.
  bool chance(int permille) { return between(1, 1000) <= permille; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace chronos
