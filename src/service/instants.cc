#include "service/instants.h"

#include <algorithm>

namespace chronos::service {
namespace {

constexpr int kPage = 1000;
constexpr std::string_view kCalendar = "calendar";
constexpr std::int64_t kUndecidedMax = 100'000;  // counting further would not help anybody

}  // namespace

Result<void> for_each_run(const store::Store& store, const Job& job, std::optional<Timestamp> until,
                          const std::function<void(const Run&)>& function) {
  RunFilter filter;
  filter.project = job.project;
  filter.job = job.id;
  filter.planned_before = until;
  filter.limit = kPage;
  for (bool has_more = true; has_more;) {
    CHRONOS_TRY(const auto page, store.list_runs(filter));
    for (const auto& run : page.rows) function(run);
    has_more = page.has_more;
    if (has_more) filter.after = page.last;
  }
  return {};
}

Result<InstantHistory> read_history(const store::Store& store, const Job& job, Timestamp until) {
  InstantHistory history;
  CHRONOS_TRY_VOID(for_each_run(store, job, until, [&](const Run& run) {
    // What a calendar excludes was not missed.
    if (run.reason != store::kPruned && run.reason != kCalendar) note(history, run);
  }));
  return history;
}

Timestamp answered_through(const Job& job, Timestamp now) {
  const auto last = now - Duration(1);
  return job.phase == JobPhase::active ? std::min(job.planned_through, last) : last;
}

Result<std::optional<Undecided>> read_undecided(const store::Store& store, const Job& job,
                                                Timestamp now) {
  CHRONOS_TRY(const auto schedule, schedule::Schedule::compile(job.spec->schedule));
  if (!schedule.is_recurring()) return std::nullopt;
  InstantHistory history;
  CHRONOS_TRY_VOID(for_each_run(store, job, now, [&](const Run& run) {
    const bool is_not_run = run.state == RunState::missed || run.state == RunState::skipped;
    if (!is_not_run || run.reason == kAsk) note(history, run);
  }));
  if (history.not_run.empty()) return std::nullopt;
  InstantRange range = history.not_run.front();
  for (const auto& row : history.not_run) {
    range = {std::min(range.first, row.first), std::max(range.last, row.last)};
  }
  BackfillRequest request;
  request.max = kUndecidedMax;
  const auto pick = pick_instants(schedule, range, request, history);
  if (pick.count == 0) return std::nullopt;
  if (pick.instants.empty()) return Undecided{pick.count, range.first, range.last};
  return Undecided{pick.count, pick.instants.front(), pick.instants.back()};
}

}  // namespace chronos::service
