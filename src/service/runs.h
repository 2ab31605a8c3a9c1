// Use cases on runs: look at them, stop them, repeat them. Thread-safe. What changes something
// answers through `done`, once, on the store's thread after the durable commit; what reads blocks.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "model/page.h"
#include "service/principal.h"
#include "service/request_facts.h"
#include "store/store.h"

namespace chronos::service {

struct RunReply {
  RunId run;
  bool is_replay = false;
};

struct Output {
  std::string bytes;         // as the action wrote them: any bytes at all
  std::int64_t dropped = 0;  // bytes beyond the cap, not kept
  int attempt = 0;           // whose; 0: the run has had none
  bool is_running = false;   // the attempt goes on, and so may its output
};

class Runs {
 public:
  Runs(store::Store& store, const Clock& clock, IdSource& ids);

  Result<Run> find(const Principal& who, RunId run) const;
  // With `filter.job`: not_found when the project has no such job.
  Result<Page<Run>> list(const Principal& who, RunFilter filter) const;
  // From byte `offset` on, of the newest attempt when `attempt` is 0; of one that goes on what is
  // known so far. not_found when the run has had no such attempt.
  Result<Output> output(const Principal& who, RunId run, int attempt, std::int64_t offset) const;

  // A final run stays as it is.
  void cancel(const Principal& who, RunId run, Done<RunReply> done);
  // A new run of the same job, as it is declared now. Refused with state_conflict unless `run` is
  // final and one run: a range row stands for many.
  void retry(const Principal& who, RunId run, const RequestFacts& facts, Done<RunReply> done);

 private:
  store::Store& store_;
  const Clock& clock_;
  IdSource& ids_;
};

}  // namespace chronos::service
