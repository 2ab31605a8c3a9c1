// Filters and pages of the lists. Plain values. Lists are newest first; a cursor names how far the
// page before went, so a page stays right while rows come and go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "model/job.h"
#include "model/run.h"

namespace chronos {

inline constexpr int kPageDefault = 50;
inline constexpr int kPageMax = 200;

struct JobFilter {
  ProjectId project;
  std::optional<JobStatus> status;
  std::string tag;                         // empty = any
  std::string name_contains;               // empty = any; ASCII letters of either case are the same
  std::optional<Timestamp> created_after;  // inclusive
  std::optional<Timestamp> created_before;  // exclusive
  std::string kind;                         // of the action; empty = any
  std::string queue;                        // empty = any
  int limit = kPageDefault;
  std::optional<JobId> after;  // cursor: only jobs older than this one
};

struct RunFilter {
  ProjectId project;
  std::optional<JobId> job;
  std::vector<RunState> states;             // empty = any
  std::optional<Timestamp> planned_after;   // inclusive
  std::optional<Timestamp> planned_before;  // exclusive
  std::string tag;                          // of the job; empty = any
  std::string job_name_contains;            // empty = any; as JobFilter::name_contains
  std::string error_contains;               // likewise; of the newest attempt that ended
  int limit = kPageDefault;
  std::optional<RunId> after;  // cursor: only runs older than this one
};

template <class T>
struct Page {
  std::vector<T> rows;
  bool has_more = false;  // ask again with `after` = `last`
  // The last row's id. Of a search that has looked at as much as one page may: how far it came, and
  // then there are fewer rows than asked for, perhaps none.
  decltype(T::id) last{};
};

// The newest runs of some jobs, without their attempts.
struct RecentAsk {
  ProjectId project;
  std::vector<JobId> jobs;
  int limit = kPageDefault;  // of each job
  // Only up to the first run of the schedule that was planned before.
  std::optional<Timestamp> planned_from = {};
};

}  // namespace chronos
