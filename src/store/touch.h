// What a commit touched, for who watches the store (service/events.h): hints of what to read again,
// not state. Worked out from a change and its answer alone, so it is the same for every store.
// Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/id.h"
#include "model/run_state.h"
#include "store/changes.h"

namespace chronos::store {

// Of a project alone: much of it.
struct Touch {
  // Nil: runs of any project became ready, nobody says which.
  ProjectId project;
  std::optional<JobId> job = {};  // it, or a run of it
  std::optional<RunId> run = {};
  std::optional<RunState> state = {};  // that the run is in now, when that is known
  // Of a running attempt that has printed more: which, and how many bytes of it are stored. Then
  // there is nothing else to read again.
  int attempt = 0;
  std::int64_t output_size = 0;

  bool operator==(const Touch&) const = default;
};

// Who watches. Set once, before the first commit.
struct Watcher {
  // Asked for each commit, on the committer's thread: must be quick. While it says no nothing is
  // worked out and nothing is told.
  std::function<bool()> wants;
  // Called after the completions of a commit, and with what other processes on the same store did;
  // on any thread. Must only pass it on.
  std::function<void(std::vector<Touch>)> tell;
};

// Adds what this change, which was made and answered so, touched.
void add_touches(const Change& change, const Answer& answer, std::vector<Touch>& touches);

}  // namespace chronos::store
