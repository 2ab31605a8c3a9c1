// CHRONOS_CHECK: a broken invariant of the program itself logs where and stops, in every build.
// Never for bad input and never for a failing job: those are Result and Outcome.
#pragma once

namespace chronos {

// Writes the failed condition to stderr (it must work when nothing else does) and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace chronos

#define CHRONOS_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::chronos::check_failed(#condition, __FILE__, __LINE__))
