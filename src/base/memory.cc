#include "base/memory.h"

#include <new>
#include <utility>

namespace chronos {
namespace {

thread_local bool has_run_out = false;

}  // namespace

void watch_memory() {
  std::set_new_handler([] {
    has_run_out = true;
    throw std::bad_alloc();
  });
}

bool has_memory_run_out() {
  return std::exchange(has_run_out, false);
}

}  // namespace chronos
