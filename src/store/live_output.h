// Stores what attempts print while they go on, for whoever runs them: the scheduler's executors and
// the service of remote workers. While one commit is under way the next pieces gather, so what is
// printed is stored at once when little is and together when much is. Thread-safe; must not be used
// after the store.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "store/store.h"

namespace chronos::store {

class LiveOutput {
 public:
  // Whose output it is.
  struct Source {
    ProjectId project;
    JobId job;
    RunId run;
    int attempt = 1;
    std::int64_t token = 0;
  };

  explicit LiveOutput(Store& store, std::size_t waiting_max = 8uz * 1024 * 1024);

  // `bytes` follow the first `offset` bytes of what the attempt has printed. False, and not taken,
  // when too much waits to be stored: the same is to be offered again. What the store refuses is
  // lost to those who read along, not to the output that is stored in the end.
  bool append(const Source& source, std::int64_t offset, std::string_view bytes);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the completions of its commits
};

}  // namespace chronos::store
