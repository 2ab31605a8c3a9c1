// Use cases that answer "why?": why a run does not run, what a job waits for, for which reasons
// instants were not run; and the small status that clients poll. Thread-safe; everything reads and
// blocks. The words are those of model/why.h.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/why.h"
#include "service/instants.h"
#include "service/principal.h"
#include "store/store.h"

namespace chronos::service {

struct RunWhy {
  Run run;
  Explanation why;
};

struct JobWhy {
  Job job;
  Explanation why;           // of the run that is furthest on; of the job when none is live
  std::vector<RunWhy> runs;  // its live runs, earliest planned first, at most kRunsExplainedMax
  bool has_more_runs = false;
  std::vector<ReasonCount> not_run;    // instants skipped and missed, within retention
  std::optional<Undecided> undecided;  // instants that wait for a decision (misfire ask)
};
inline constexpr std::size_t kRunsExplainedMax = 20;

struct Status {
  Job job;
  int attempts_made = 0;               // of the run that is furthest on, else of the last
  std::optional<WhyCode> waiting_for;  // nothing: it runs, or nothing will start by itself
};

class Reasons {
 public:
  // `is_draining`: whether this server is stopping; asked from any thread.
  Reasons(const store::Store& store, const Clock& clock, Capacity capacity,
          std::function<bool()> is_draining);

  Result<RunWhy> of_run(const Principal& who, RunId run) const;
  Result<JobWhy> of_job(const Principal& who, JobId job) const;
  Result<Status> status(const Principal& who, JobId job) const;

 private:
  struct Asked {
    const Job& job;
    const Run& run;
    int ahead_max;
    bool wants_other;  // the run that stands in the way
  };
  Result<Explanation> explain(const Asked& asked) const;
  Result<std::optional<schedule::Excluded>> excluded_before(const Job& job, Timestamp now) const;
  Result<std::optional<Run>> went_on_at(const Run& skipped) const;
  ServerState server_state() const;
  Result<Pollers> pollers_of(const Job& job) const;  // of its queue

  const store::Store& store_;
  const Clock& clock_;
  const Capacity capacity_;
  const std::function<bool()> is_draining_;
};

}  // namespace chronos::service
