// Filters and pages of the lists. Plain values. Lists are newest first; a Cursor names the last
// thing of the page before, so a page stays right while rows come and go.
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
  int limit = kPageDefault;
  std::optional<JobId> after;  // cursor: only jobs older than this one
};

struct RunFilter {
  ProjectId project;
  std::optional<JobId> job;
  std::optional<RunState> state;
  std::optional<Timestamp> planned_after;   // inclusive
  std::optional<Timestamp> planned_before;  // exclusive
  int limit = kPageDefault;
  std::optional<RunId> after;  // cursor: only runs older than this one
};

template <class T>
struct Page {
  std::vector<T> rows;
  bool has_more = false;  // ask again with `after` = the last row's id
};

}  // namespace chronos
