// How gtest prints our values when an expectation fails, and how tests take Results apart.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/id.h"
#include "base/result.h"
#include "model/job.h"
#include "model/notification.h"
#include "model/run.h"

namespace chronos {

inline void PrintTo(RunState state, std::ostream* out) {
  *out << to_string(state);
}
inline void PrintTo(JobPhase phase, std::ostream* out) {
  *out << to_string(phase);
}
inline void PrintTo(JobStatus status, std::ostream* out) {
  *out << to_string(status);
}
inline void PrintTo(Trigger trigger, std::ostream* out) {
  *out << to_string(trigger);
}
inline void PrintTo(DeliveryState state, std::ostream* out) {
  *out << to_string(state);
}
template <class Tag>
void PrintTo(const Id<Tag>& id, std::ostream* out) {
  *out << id.to_string();
}

namespace test {

// The value of a Result that must be one; otherwise the test fails here.
template <class T>
T must(Result<T> result) {
  if (!result) {
    throw std::runtime_error(std::string(to_string(result.error().reason)) + ": " +
                             result.error().message);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// The reason a Result was refused for, as text; "ok" when it was not.
template <class T>
std::string refusal(const Result<T>& result) {
  return result ? "ok" : std::string(to_string(result.error().reason));
}

}  // namespace test
}  // namespace chronos
