// The runs that waited for a start of the server (@reboot) when this one came, and which of them
// are not planned yet. Used by scheduler.cc at the beginning of its life. One thread.
#pragma once

#include <set>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace chronos::scheduler {

class StartUps {
 public:
  // Sees which there are: runs that begin to wait later wait for the next start. So it is made
  // before anybody can submit more. If the store cannot be read then, the first next() sees.
  explicit StartUps(const store::Store& store) : store_(store) { static_cast<void>(read()); }

  // All of them have their answer.
  bool is_done() const { return is_read_ && waiting_.empty(); }

  // The next of those that wait, at most `limit`. A run that is not answered() comes again: its
  // plan was too late, for the job had been changed.
  Result<std::vector<store::WaitingRun>> next(int limit);
  void answered(RunId run) { waiting_.erase(run); }

 private:
  Result<void> read();

  const store::Store& store_;
  bool is_read_ = false;
  std::set<RunId> waiting_;
  store::WaitingCursor cursor_;
  bool has_found_ = false;  // one at least, since the walk began
};

}  // namespace chronos::scheduler
