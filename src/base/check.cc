#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace chronos {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "chronos: broken invariant: %s (%s:%d)\n", condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace chronos
