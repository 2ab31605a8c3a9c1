#include "base/random.h"

namespace chronos {

Rng Rng::from_system() {
  std::random_device device;
  return Rng((static_cast<std::uint64_t>(device()) << 32) | device());
}

}  // namespace chronos
